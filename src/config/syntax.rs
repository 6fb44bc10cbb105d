//! TOML syntax: text to document, its errors as diagnostics.

use super::sources::Sources;
use crate::error::{Diagnostic, Diagnostics, Place};
use std::io::ErrorKind;
use std::path::Path;
use toml::Spanned;
use toml::de::DeTable;

/// Reads the pipeline file's text.
///
/// # Errors
/// Not readable, or not UTF-8.
pub(super) fn read(path: &Path) -> Result<String, Diagnostics> {
    let bytes = std::fs::read(path).map_err(|error| {
        let message = match error.kind() {
            ErrorKind::NotFound => "there is no such pipeline file".to_owned(),
            _ => format!("cannot read the pipeline file: {error}"),
        };
        Diagnostic::error("pipeline-unreadable", message).at(Place::file(path))
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..at]).matches('\n').count() + 1;
        Diagnostic::error("pipeline-not-utf8", "the pipeline file is not UTF-8 text")
            .at(Place::cell(path, line, None))
            .hint("save it as UTF-8")
            .into()
    })
}

/// Parses the pipeline's text.
///
/// # Errors
/// What is wrong with its syntax, one error a line: after a slip the parser's further complaints about the same
/// line say nothing new. Where a bracket is not closed, all that follows is misread, so that is said alone, where the misreading starts.
pub(super) fn parse(sources: &Sources) -> Result<Spanned<DeTable<'_>>, Diagnostics> {
    let text = sources.pipeline();
    let (table, mut errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    errors.sort_by_key(|error| error.span().map_or(usize::MAX, |span| span.start));
    if let Some(unclosed) = errors.iter().find(|error| error.message().starts_with("unclosed")) {
        let place = errors[0].span().and_then(|span| sources.place(&span));
        let message = format!("not TOML: {}", unclosed.message());
        return Err(Diagnostic { place, ..Diagnostic::error("pipeline-syntax", message) }.into());
    }
    let line_of =
        |error: &toml::de::Error| error.span().map(|span| text[..floor(text, span.start)].matches('\n').count());
    errors.dedup_by_key(|error| line_of(error));
    let mut merged_until = 0;
    errors.retain(|error| {
        let start = error.span().map_or(0, |span| floor(text, span.start));
        // keys under a repeated header count as repeated too
        let follows = error.message().contains("duplicate key") && start < merged_until;
        if repeated_header(sources, error).is_some() {
            merged_until = text[start..].find("\n[").map_or(text.len(), |length| start + length);
        }
        !follows
    });
    Err(errors.iter().map(|error| diagnostic(sources, error)).collect())
}

fn diagnostic(sources: &Sources, error: &toml::de::Error) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "pipeline-syntax",
        format!("not TOML: {}", error.message().trim_end_matches(", expected nothing")),
    );
    diagnostic.place = error.span().and_then(|span| sources.place(&span));
    if error.message().contains("leading zero") {
        diagnostic = diagnostic.hint("put labels in quotes, such as \"01\"");
    } else if let Some(hint) = repeated_header(sources, error) {
        diagnostic = diagnostic.hint(hint);
    } else if error.message().contains("must be quoted") {
        diagnostic = diagnostic.hint("put text in quotes");
    }
    diagnostic
}

/// What to do where a table that may stand several times has the header of one that may not.
fn repeated_header(sources: &Sources, error: &toml::de::Error) -> Option<String> {
    let span = error.span().filter(|_| error.message().contains("duplicate key"))?;
    let text = sources.pipeline();
    let start = text[..floor(text, span.start)].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default().split('#').next().unwrap_or_default().trim();
    let name = line.strip_prefix('[')?.strip_suffix(']')?.trim();
    ["run", "glm", "glm.contrast", "timeseries", "roi"]
        .contains(&name)
        .then(|| format!("write `[[{name}]]`: each begins with its own line of double brackets"))
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syntax_errors(text: &str) -> String {
        parse(&Sources::new(Path::new("p.toml"), text.to_owned(), &[])).unwrap_err().to_string()
    }

    #[test]
    fn each_slip_is_shown_once_in_our_rendering() {
        insta::assert_snapshot!(syntax_errors("schema = 1\nname = x y\n[[run]]\nsubject = 01\nbold = \"a\nb\n"));
    }

    #[test]
    fn a_repeated_header_of_single_brackets_is_told_apart() {
        insta::assert_snapshot!(syntax_errors("schema = 1\n[run]\nbold = \"a\"\n[run] # two\nbold = \"b\"\n"), @"
        error[pipeline-syntax]: not TOML: duplicate key
         --> p.toml:4:2
          |
        4 | [run] # two
          |  ^^^
          = hint: write `[[run]]`: each begins with its own line of double brackets
        ");
        assert!(!syntax_errors("[design]\n[design]\n").contains("hint"));
    }

    #[test]
    fn after_an_unclosed_bracket_only_the_first_complaint_is_given() {
        insta::assert_snapshot!(syntax_errors("schema = 1\nmaps = [\"t\", \"z\"\n[[run]]\nbold = \"a\"\n"));
    }
}

//! Diagnostics as text: the message, an arrow to the place, the line with carets, notes and hint.

use super::{Diagnostic, Place, Severity};
use std::fmt::Write as _;

/// Whether to use ANSI colours; meaning never depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Styling {
    /// Text alone.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// Renders one diagnostic, ending with a line feed.
pub fn render(diagnostic: &Diagnostic, styling: Styling) -> String {
    let paint = |ansi: &str, text: &str| match styling {
        Styling::Plain => text.to_owned(),
        Styling::Coloured => format!("\u{1b}[{ansi}m{text}\u{1b}[0m"),
    };
    let (word, colour) = match diagnostic.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let mut out = format!(
        "{}{}\n",
        paint(colour, &format!("{word}[{}]", diagnostic.code)),
        paint("1", &format!(": {}", diagnostic.message))
    );
    let mut margin = " ".repeat(2);
    match &diagnostic.place {
        None => {}
        Some(Place::Span { source, range }) => {
            let spot = Spot::locate(&source.text, range.start, range.end);
            margin = " ".repeat(spot.line.to_string().len());
            let bar = paint("34", "|");
            let _ =
                writeln!(out, "{margin}{} {}:{}:{}", paint("34", "-->"), source.path.display(), spot.line, spot.column);
            let _ = writeln!(out, "{margin} {bar}");
            let _ = writeln!(out, "{} {bar} {}", spot.line, spot.shown);
            let label = diagnostic.label.as_deref().map(|text| format!(" {text}")).unwrap_or_default();
            let carets = paint(colour, &format!("{}{label}", "^".repeat(spot.width)));
            let _ = writeln!(out, "{margin} {bar} {}{carets}", " ".repeat(spot.indent));
        }
        Some(Place::Cell { path, line, column }) => {
            let column = column.as_ref().map(|name| format!(", column `{name}`")).unwrap_or_default();
            let _ = writeln!(out, " {} {}:{line}{column}", paint("34", "-->"), path.display());
        }
        Some(Place::Field { path, field }) => {
            let _ = writeln!(out, " {} {}, field `{field}`", paint("34", "-->"), path.display());
        }
        Some(Place::File(path)) => {
            let _ = writeln!(out, " {} {}", paint("34", "-->"), path.display());
        }
    }
    for note in &diagnostic.notes {
        let _ = writeln!(out, "{margin} {} note: {note}", paint("34", "="));
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(out, "{margin} {} hint: {hint}", paint("34", "="));
    }
    out
}

/// A line of a text with the columns to underline; tabs are shown as one space each.
struct Spot {
    line: usize,
    column: usize,
    shown: String,
    indent: usize,
    width: usize,
}

impl Spot {
    fn locate(text: &str, start: usize, end: usize) -> Self {
        let start = floor_boundary(text, start);
        let end = floor_boundary(text, end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let indent = text[line_start..start].chars().count();
        let width = text[start..end.min(line_end).max(start)].chars().count().max(1);
        let shown = text[line_start..line_end].trim_end_matches('\r').replace('\t', " ");
        let line = text[..line_start].matches('\n').count() + 1;
        Self { line, column: indent + 1, shown, indent, width }
    }
}

/// The largest character boundary of `text` at or below `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::TextSource;
    use std::path::Path;
    use std::sync::Arc;

    #[test]
    fn points_at_the_words_meant() {
        let text = "name = \"x\"\nexpr = \"hosue - face\"\n".to_owned();
        let start = text.find("hosue").unwrap();
        let source = Arc::new(TextSource { path: "objects.toml".into(), text });
        let shown =
            Diagnostic::error("contrast-unknown-condition", "unknown condition `hosue` in contrast `houseVsFace`")
                .at(Place::Span { source, range: start..start + 5 })
                .label("did you mean `house`?")
                .note("conditions in sub-01 run-01: face, house")
                .to_string();
        let expected = "\
error[contrast-unknown-condition]: unknown condition `hosue` in contrast `houseVsFace`
 --> objects.toml:2:9
  |
2 | expr = \"hosue - face\"
  |         ^^^^^ did you mean `house`?
  = note: conditions in sub-01 run-01: face, house
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_span_past_the_end_or_inside_a_character_is_still_shown() {
        let source = Arc::new(TextSource { path: "a.toml".into(), text: "é\t\n".to_owned() });
        for range in [1..2, 0..99, 99..200] {
            let shown = Diagnostic::error("x", "y").at(Place::Span { source: source.clone(), range }).to_string();
            assert!(shown.contains("a.toml:"), "{shown}");
        }
    }

    #[test]
    fn a_cell_names_line_and_column() {
        let shown =
            Diagnostic::warning("x", "y").at(Place::cell(Path::new("e.tsv"), 7, Some("onset"))).hint("z").to_string();
        assert_eq!(shown, "warning[x]: y\n --> e.tsv:7, column `onset`\n   = hint: z\n");
    }
}

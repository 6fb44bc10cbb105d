//! Choosing columns by globs, and naming them in messages.

use super::Table;
use crate::config::Located;
use crate::error::{Diagnostic, Diagnostics};
use globset::GlobBuilder;

/// Columns listed in a message before the rest is only counted.
const MOST_LISTED: usize = 25;

/// Least Jaro-Winkler similarity at which another name is proposed.
const SIMILAR_ENOUGH: f64 = 0.75;

/// Least difference of similarity from the best name's at which a name is left out.
const CLOSE_TO_BEST: f64 = 0.1;

/// Indices, in the file's order, of the columns that any of `globs` matches and `excluded` does not name. A column
/// whose name is the glob, letter for letter, matches too.
///
/// A glob that is malformed or matches no column, and two chosen columns of one name, are problems.
pub(crate) fn select_columns(
    table: &Table,
    globs: &[Located<String>],
    excluded: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Vec<usize> {
    let mut chosen = vec![false; table.columns.len()];
    for glob in globs {
        let place = || glob.place().unwrap_or_else(|| table.header_place());
        let matcher = match GlobBuilder::new(glob).literal_separator(false).build() {
            Ok(matcher) => matcher.compile_matcher(),
            Err(error) => {
                let message = format!("`{}` is no glob: {}", glob.value, error.kind());
                diagnostics.push(Diagnostic::error("table-bad-glob", message).at(place()));
                continue;
            }
        };
        let mut matched = false;
        for (name, chosen) in table.columns.iter().zip(&mut chosen) {
            if Some(name.as_str()) != excluded && (*name == glob.value || matcher.is_match(name)) {
                *chosen = true;
                matched = true;
            }
        }
        if !matched {
            let problem = Diagnostic::error("table-unknown-column", format!("no column matches `{}`", glob.value));
            let mut problem = problem.at(place());
            let near = nearest(&glob.value.replace(['*', '?'], ""), &table.columns);
            if let Some(hint) = table.separator_hint() {
                problem = problem.hint(hint);
            } else if !near.is_empty() {
                problem = problem.hint(format!("did you mean {}?", quoted(&near)));
            }
            if table.columns.first().is_some_and(|first| !table.has_header && first == "column_1") {
                problem = problem.note("the table has no header row: its columns are column_1, column_2, …");
            }
            diagnostics.push(problem.note(format!(
                "columns of {}: {}",
                table.path.display(),
                table.describe_columns()
            )));
        }
    }
    let chosen: Vec<usize> = (0..chosen.len()).filter(|&column| chosen[column]).collect();
    for (position, &column) in chosen.iter().enumerate() {
        let name = &table.columns[column];
        if chosen[..position].iter().any(|&earlier| table.columns[earlier] == *name) {
            let problem = Diagnostic::error("table-duplicate-column", format!("two columns are called `{name}`"));
            diagnostics.push(problem.at(table.header_place()).hint("rename one, or leave both out"));
        }
    }
    chosen
}

/// The names most like `name`, best first, at most three, none that are unlike it.
pub(crate) fn nearest<'a>(name: &str, candidates: &'a [String]) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate.as_str()))
        .filter(|(score, candidate)| *score >= SIMILAR_ENOUGH && !candidate.is_empty())
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.retain(|(score, _)| *score >= best - CLOSE_TO_BEST);
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// Names separated by commas, the rest counted.
pub(crate) fn list(names: &[String]) -> String {
    let shown = names.iter().take(MOST_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Names in backticks, joined by "or".
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

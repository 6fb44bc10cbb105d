//! Problems of cells, gathered so that one mistake made in a hundred rows is one message with its lines.

use crate::error::{Diagnostic, Diagnostics, Place, counted};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Further places listed before the rest is only counted.
const MOST_LISTED: usize = 9;

/// Columns shown in full for one code before the rest is only counted.
const MOST_COLUMNS: usize = 10;

/// Problems of cells, one group for each code, file and column.
#[derive(Debug, Default)]
pub(crate) struct CellProblems {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    first: Diagnostic,
    listed: Vec<(usize, String)>,
    unlisted: usize,
}

impl CellProblems {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a problem of a cell. Only the first of its code, file and column is shown in full; of the others
    /// the line and `found`.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic, found: &str) {
        let key = (diagnostic.code, column_of(&diagnostic));
        // From the last: callers go column by column, and a wide table may have a group for each.
        match self.groups.iter_mut().rev().find(|group| (group.first.code, column_of(&group.first)) == key) {
            None => self.groups.push(Group { first: diagnostic, listed: Vec::new(), unlisted: 0 }),
            Some(group) if group.listed.len() < MOST_LISTED => {
                let line = match &diagnostic.place {
                    Some(Place::Cell { line, .. }) => *line,
                    _ => 0,
                };
                group.listed.push((line, found.to_owned()));
            }
            Some(group) => group.unlisted += 1,
        }
    }

    /// One diagnostic a group, in the order found; of a code that many columns share, the first ones.
    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        let mut shown = BTreeMap::<&str, usize>::new();
        let mut total = BTreeMap::<&str, usize>::new();
        for group in &self.groups {
            *total.entry(group.first.code).or_default() += 1;
        }
        let mut diagnostics = Vec::new();
        for group in self.groups {
            let code = group.first.code;
            let position = shown.entry(code).or_default();
            *position += 1;
            let more = total[code] - MOST_COLUMNS.min(total[code]);
            if *position == MOST_COLUMNS && more > 0 {
                diagnostics
                    .push(group.into_diagnostic().note(format!("and the like in {}", counted(more, "more column"))));
            } else if *position <= MOST_COLUMNS {
                diagnostics.push(group.into_diagnostic());
            }
        }
        diagnostics.into_iter().collect()
    }
}

impl Group {
    fn into_diagnostic(self) -> Diagnostic {
        if self.listed.is_empty() {
            return self.first;
        }
        let mut note = "also on ".to_owned();
        for (index, (line, found)) in self.listed.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let _ = write!(note, "{separator}line {line} ({})", if found.is_empty() { "empty" } else { found });
        }
        if self.unlisted > 0 {
            let _ = write!(note, " and {} more", self.unlisted);
        }
        self.first.note(note)
    }
}

fn column_of(diagnostic: &Diagnostic) -> Option<(&Path, Option<&str>)> {
    match &diagnostic.place {
        Some(Place::Cell { path, column, .. }) => Some((path, column.as_deref())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_made_in_many_rows_is_one_message() {
        let mut problems = CellProblems::new();
        for line in 2..=31 {
            let problem = Diagnostic::error("x", format!("`{line}` is wrong"));
            problems.add(problem.at(Place::cell(Path::new("e.tsv"), line, Some("onset"))), "bad");
        }
        problems.add(Diagnostic::error("x", "other").at(Place::cell(Path::new("e.tsv"), 3, Some("duration"))), "");
        let shown = problems.into_diagnostics().to_string();
        let expected = "\
error[x]: `2` is wrong
 --> e.tsv:2, column `onset`
   = note: also on line 3 (bad), line 4 (bad), line 5 (bad), line 6 (bad), line 7 (bad), line 8 (bad), line 9 (bad), \
line 10 (bad), line 11 (bad) and 20 more

error[x]: other
 --> e.tsv:3, column `duration`
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_mistake_made_in_many_columns_is_counted() {
        let mut problems = CellProblems::new();
        for column in 0..25 {
            let place = Place::cell(Path::new("c.tsv"), 2, Some(&format!("c{column}")));
            problems.add(Diagnostic::error("x", "y").at(place), "");
        }
        problems.add(Diagnostic::error("z", "other").at(Place::cell(Path::new("c.tsv"), 3, None)), "");
        let diagnostics = problems.into_diagnostics();
        assert_eq!(diagnostics.len(), 11);
        let tenth = diagnostics.iter().nth(9).unwrap();
        assert_eq!(tenth.notes, ["and the like in 15 more columns"]);
    }
}

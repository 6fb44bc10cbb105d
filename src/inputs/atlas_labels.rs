//! Names of an atlas' labels: BIDS' segmentation tables with columns `index` and `name`.

use super::table::{Cell, CellProblems, Header, Table, is_missing};
use crate::error::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;
use std::path::Path;

/// Reads the names of the labels of a discrete segmentation.
///
/// # Errors
/// A column is missing, an index is no 32-bit integer or stands twice, or a name is empty.
pub fn read_atlas_labels(path: &Path) -> Result<BTreeMap<i32, String>, Diagnostics> {
    let table = Table::read(path, None, Header::Required)?;
    let mut diagnostics = Diagnostics::new();
    let mut find = |name: &str| {
        let column = table.column(name);
        if column.is_none() {
            let message = format!("the table of labels has no column `{name}`");
            let problem = Diagnostic::error("atlas-labels-column-missing", message)
                .at(table.header_place())
                .note(format!("columns there are: {}", table.describe_columns()));
            diagnostics.push(match table.separator_hint() {
                Some(hint) => problem.hint(hint),
                None => problem.hint("expected the columns `index` and `name`"),
            });
        }
        column
    };
    let (Some(index), Some(name)) = (find("index"), find("name")) else { return Err(diagnostics) };
    let mut names = BTreeMap::new();
    let mut problems = CellProblems::new();
    for row in &table.rows {
        let text = row.text(index);
        // Spreadsheets and pandas write whole numbers as 3.0.
        let number = Cell::parse(text).number().filter(|number| number.fract() == 0.0);
        let Some(label) = number.filter(|number| f64::from(*number as i32) == *number).map(|number| number as i32)
        else {
            let problem = Diagnostic::error("atlas-labels-index", format!("the index is not a whole number: `{text}`"));
            problems.add(problem.at(table.place(row, index)), text);
            continue;
        };
        if is_missing(row.text(name)) {
            let problem = Diagnostic::error("atlas-labels-name", format!("label {label} has no name"));
            problems.add(problem.at(table.place(row, name)), text);
        } else if let Some(earlier) = names.insert(label, row.text(name).to_owned()) {
            let problem = Diagnostic::error("atlas-labels-index", format!("the index {label} stands twice"));
            let problem = problem.note(format!("`{earlier}` and `{}`", row.text(name)));
            problems.add(problem.at(table.place(row, index)), text);
        }
    }
    diagnostics.extend(problems.into_diagnostics());
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(names) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<i32, String>, Diagnostics> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dseg.tsv");
        std::fs::write(&path, text).unwrap();
        read_atlas_labels(&path)
    }

    #[test]
    fn reads_names_by_index() {
        let names = read("index\tname\tabbreviation\n7\tLeft Caudate\tLC\n3.0\tcsf\tC\n").unwrap();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), [(3, "csf".to_owned()), (7, "Left Caudate".to_owned())]);
    }

    #[test]
    fn every_mistake_has_its_code() {
        for (text, expected) in [
            ("label\tname\n1\ta\n", "atlas-labels-column-missing"),
            ("index\tname\n1.5\ta\n", "atlas-labels-index"),
            ("index\tname\n3000000000\ta\n", "atlas-labels-index"),
            ("index\tname\n1\ta\n1\tb\n", "atlas-labels-index"),
            ("index\tname\n1\tn/a\n", "atlas-labels-name"),
        ] {
            let codes: Vec<_> = read(text).unwrap_err().iter().map(|problem| problem.code).collect();
            assert_eq!(codes, [expected], "{text}");
        }
    }
}

//! `participants.tsv`: what is said of each subject.

use super::dataset::BidsDataset;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::table::{Header, Table, list};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The table of participants, all cells as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participants {
    /// The file.
    pub path: PathBuf,
    /// Columns besides `participant_id`, in the file's order.
    pub columns: Vec<String>,
    /// Cells of each participant, in the order of `columns`; the key is the label without `sub-`.
    pub rows: BTreeMap<String, Vec<String>>,
}

impl Participants {
    /// A cell; `None` where there is no such participant or column, or the cell is `n/a` or empty.
    pub fn value(&self, subject: &str, column: &str) -> Option<&str> {
        let column = self.columns.iter().position(|name| name == column)?;
        let cell = self.rows.get(subject)?.get(column)?.as_str();
        (!cell.is_empty() && !cell.eq_ignore_ascii_case("n/a")).then_some(cell)
    }
}

impl BidsDataset {
    /// Reads `participants.tsv` of the raw root; `None` where there is none. Participants without a folder and subjects
    /// without a row are a warning.
    ///
    /// # Errors
    /// The table cannot be read, has no column `participant_id`, or a participant stands in it twice.
    pub fn participants(&self) -> Result<(Option<Participants>, Diagnostics), Diagnostics> {
        let path = self.raw_root().join("participants.tsv");
        if !path.exists() {
            return Ok((None, Diagnostics::new()));
        }
        let table = Table::read(&path, None, Header::Required)?;
        let Some(id) = table.column("participant_id") else {
            return Err(Diagnostic::error(
                "bids-participants",
                "the table of participants has no column `participant_id`",
            )
            .at(table.header_place())
            .note(format!("columns: {}", list(&table.columns)))
            .into());
        };
        let others: Vec<usize> = (0..table.columns.len()).filter(|column| *column != id).collect();
        let mut problems = Diagnostics::new();
        let mut rows = BTreeMap::new();
        for row in &table.rows {
            let label = row.text(id).strip_prefix("sub-").unwrap_or(row.text(id)).to_owned();
            let cells = others.iter().map(|column| row.text(*column).to_owned()).collect();
            if rows.insert(label.clone(), cells).is_some() {
                let message = format!("participant `{label}` stands in the table twice");
                let problem = Diagnostic::error("bids-participants", message).at(table.place(row, id));
                problems.push(problem.hint("keep one row a participant"));
            }
        }
        let columns = others.iter().map(|column| table.columns[*column].clone()).collect();
        let participants = Participants { path, columns, rows };
        problems.extend(self.differences(&participants));
        problems.finish(Some(participants))
    }

    fn differences(&self, participants: &Participants) -> Diagnostics {
        let subjects: BTreeSet<&str> = self.subjects().into_iter().collect();
        let unlisted: Vec<String> = subjects
            .iter()
            .filter(|label| !participants.rows.contains_key(**label))
            .map(|label| format!("sub-{label}"))
            .collect();
        let absent: Vec<String> = participants
            .rows
            .keys()
            .filter(|label| !subjects.contains(label.as_str()))
            .map(|label| format!("sub-{label}"))
            .collect();
        let note = |labels: &[String], what: &str| {
            let message = format!("{what}: {}", list(labels));
            (!labels.is_empty())
                .then(|| Diagnostic::warning("bids-participants-differ", message).at(Place::file(&participants.path)))
        };
        let unlisted = note(&unlisted, "subjects that the table of participants lacks");
        let absent = note(&absent, "participants without a folder");
        unlisted.into_iter().chain(absent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Tree;
    use super::*;

    fn read(tree: &Tree) -> Result<(Option<Participants>, Diagnostics), Diagnostics> {
        BidsDataset::open(tree.path(), &[]).unwrap().participants()
    }

    #[test]
    fn cells_are_text_whatever_program_wrote_them() {
        let tree = Tree::new(&["sub-01/func/x.txt", "sub-02/func/x.txt"]);
        assert_eq!(read(&tree).unwrap().0, None);
        tree.add(&["participants.tsv=\u{feff}participant_id\tage\tsex\r\nsub-01\t031\tF\r\n03\tn/a\tM"]);
        let (participants, notes) = read(&tree).unwrap();
        let participants = participants.unwrap();
        assert_eq!(participants.columns, ["age", "sex"]);
        let values = [("01", "age"), ("03", "sex"), ("03", "age"), ("01", "iq"), ("02", "age")];
        let values = values.map(|(subject, column)| participants.value(subject, column));
        assert_eq!(values, [Some("031"), Some("M"), None, None, None]);
        insta::assert_snapshot!(tree.shorten(&notes), @"
        warning[bids-participants-differ]: subjects that the table of participants lacks: sub-02
         --> participants.tsv

        warning[bids-participants-differ]: participants without a folder: sub-03
         --> participants.tsv
        ");
    }

    #[test]
    fn a_table_that_is_none_says_so() {
        let tree = Tree::new(&["sub-01/func/x.txt", "participants.tsv=id\tage\nsub-01\t3\n"]);
        insta::assert_snapshot!(tree.shorten(&read(&tree).unwrap_err()), @"
        error[bids-participants]: the table of participants has no column `participant_id`
         --> participants.tsv:1
           = note: columns: id, age
        ");
        tree.add(&["participants.tsv=participant_id\tage\nsub-01\t3\n01\t4\n"]);
        insta::assert_snapshot!(tree.shorten(&read(&tree).unwrap_err()), @"
        error[bids-participants]: participant `01` stands in the table twice
         --> participants.tsv:3, column `participant_id`
           = hint: keep one row a participant
        ");
    }
}

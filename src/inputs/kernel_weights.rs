//! The weights of a convolution kernel from a table with a column `weight`.

use super::table::{CellProblems, Header, Table, nearest, quoted};
use crate::error::{Diagnostic, Diagnostics, Place};
use std::path::Path;

/// Reads the column `weight`: a kernel in samples, from its first to its last.
///
/// # Errors
/// The column is missing, a cell is no finite number, there is no row, or every weight is 0.
pub fn read_kernel_weights(path: &Path) -> Result<Vec<f64>, Diagnostics> {
    let table = Table::read(path, None, Header::Required)?;
    let Some(column) = table.column("weight") else {
        let near = nearest("weight", &table.columns);
        let problem = Diagnostic::error("kernel-column-missing", "the kernel's table has no column `weight`")
            .at(table.header_place())
            .note(format!("columns there are: {}", table.describe_columns()));
        let hint = table.separator_hint().or((!near.is_empty()).then(|| format!("did you mean {}?", quoted(&near))));
        return Err(match hint {
            Some(hint) => problem.hint(hint).into(),
            None => problem.into(),
        });
    };
    let mut problems = CellProblems::new();
    let weights = table.numbers(column, 0, "kernel-not-a-number", &mut problems);
    let diagnostics: Diagnostics = problems.into_diagnostics().into_iter().collect();
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        let message = if weights.is_empty() { "the kernel has no weight" } else { "every weight is 0" };
        return Err(Diagnostic::error("kernel-zero", message).at(Place::file(path)).into());
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<f64>, Diagnostics> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel.tsv");
        std::fs::write(&path, text).unwrap();
        read_kernel_weights(&path)
    }

    #[test]
    fn weights_are_read_in_their_order() {
        assert_eq!(read("lag\tweight\n0\t0.25\n1\t0.5\n2\t-1e-3\n").unwrap(), [0.25, 0.5, -1e-3]);
    }

    #[test]
    fn every_mistake_has_its_code() {
        for (text, expected) in [
            ("weights\n1\n", "kernel-column-missing"),
            ("weight\nn/a\n", "kernel-not-a-number"),
            ("weight\n0\n0\n", "kernel-zero"),
        ] {
            let codes: Vec<_> = read(text).unwrap_err().iter().map(|problem| problem.code).collect();
            assert_eq!(codes, [expected], "{text}");
        }
    }
}

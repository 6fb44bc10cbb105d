//! Volumes before the steady state: those that fMRIPrep marks, each in a column `non_steady_state_outlier…`.

use crate::error::Diagnostics;
use crate::inputs::table::{CellProblems, Table};

/// What is in the name of each such column.
const MARKED: &str = "non_steady_state";

/// Whether each frame that was not discarded is unmarked.
///
/// # Errors
/// A cell of such a column is no number.
pub(super) fn kept_frames(table: &Table, discarded: usize) -> Result<Vec<bool>, Diagnostics> {
    let mut kept = vec![true; table.rows.len().saturating_sub(discarded)];
    let mut problems = CellProblems::new();
    for column in (0..table.columns.len()).filter(|&column| table.columns[column].contains(MARKED)) {
        let marks = table.numbers(column, discarded, "confounds-not-a-number", &mut problems);
        kept.iter_mut().zip(marks).for_each(|(kept, mark)| *kept &= mark == 0.0);
    }
    let diagnostics = problems.into_diagnostics();
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(kept) }
}

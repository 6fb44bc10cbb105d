//! Confound regressors of a run.

use std::path::PathBuf;

/// The chosen columns of a confound table, one row a frame that was not discarded, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfoundTable {
    /// The file.
    pub path: PathBuf,
    /// Names of the columns, in the file's order.
    pub names: Vec<String>,
    /// The values: `columns[c][frame]`.
    pub columns: Vec<Vec<f64>>,
    /// Whether scrubbing keeps each frame.
    pub kept: Vec<bool>,
}

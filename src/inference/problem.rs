//! What can keep a contrast from being tested.

use crate::error::{Cancelled, Diagnostic, Diagnostics};

/// Why a contrast has no statistics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferenceError {
    /// Nothing to test, or a t contrast with several rows.
    #[error("contrast `{contrast}` has {rows} rows in {run}, where {expected} are expected")]
    Rows {
        /// The contrast.
        contrast: String,
        /// The run.
        run: String,
        /// Its rows there.
        rows: usize,
        /// The rows expected: 1 of a t, those of the first run of an F.
        expected: usize,
    },
    /// The rows of a contrast are linearly dependent in a run, or one of them is zero.
    #[error("the rows of contrast `{contrast}` are linearly dependent in {run}")]
    DependentRows {
        /// The contrast.
        contrast: String,
        /// The run.
        run: String,
    },
    /// Weights and design differ in their number of columns.
    #[error("contrast `{contrast}` weighs {weights} design columns, {run} has {columns}")]
    Columns {
        /// The contrast.
        contrast: String,
        /// The run.
        run: String,
        /// Columns weighed.
        weights: usize,
        /// Columns of the design.
        columns: usize,
    },
    /// The runs to be combined are not of the same voxels.
    #[error("contrast `{contrast}` cannot be combined over runs of {first} and {other} data columns")]
    Supports {
        /// The contrast.
        contrast: String,
        /// Data columns of the first run.
        first: usize,
        /// Data columns of another.
        other: usize,
    },
    /// No run was given.
    #[error("contrast `{contrast}` is defined in no run")]
    NoRun {
        /// The contrast.
        contrast: String,
    },
    /// LAPACK gave up.
    #[error("contrast `{contrast}` cannot be whitened in {run}: {cause}")]
    Decomposition {
        /// The contrast.
        contrast: String,
        /// The run.
        run: String,
        /// What LAPACK says.
        cause: String,
    },
    /// The work was interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl From<InferenceError> for Diagnostic {
    fn from(error: InferenceError) -> Self {
        let message = error.to_string();
        match error {
            InferenceError::Rows { .. } => Self::error("contrast-rows", message),
            InferenceError::DependentRows { .. } => Self::error("contrast-rows-dependent", message)
                .hint("leave out the rows that follow from the others: they test nothing more"),
            InferenceError::Columns { .. } => Self::error("contrast-columns", message),
            InferenceError::Supports { .. } => Self::error("contrast-supports-differ", message),
            InferenceError::NoRun { .. } => Self::error("contrast-without-run", message),
            InferenceError::Decomposition { .. } => Self::error("contrast-decomposition", message),
            InferenceError::Cancelled(_) => Self::error("work-interrupted", message),
        }
    }
}

impl From<InferenceError> for Diagnostics {
    fn from(error: InferenceError) -> Self {
        Diagnostic::from(error).into()
    }
}

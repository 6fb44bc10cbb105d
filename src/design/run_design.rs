//! The design matrix of one run, and a contrast in its columns.

use crate::config::ContrastKind;
use crate::inputs::Timing;
use ndarray::Array2;

/// What a column of a design matrix is for.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnRole {
    /// A convolved regressor of a condition.
    Task {
        /// The condition.
        condition: String,
        /// What makes it different from the condition's main column: `derivative`, `dispersion`, `delay_3`, a
        /// modulator's name; empty for the main column.
        part: String,
    },
    /// A confound.
    Confound,
    /// Slow drift.
    Drift,
    /// The constant.
    Constant,
}

/// The design matrix of one run: frame x regressor, censored frames included (models drop their rows).
#[derive(Debug, Clone)]
pub struct RunDesign {
    /// How messages call the run, such as `sub-01 run-01`.
    pub run: String,
    /// Names of the columns, unique.
    pub names: Vec<String>,
    /// What each is for.
    pub roles: Vec<ColumnRole>,
    /// `timing.n_frames()` x `names.len()`.
    pub matrix: Array2<f64>,
    /// When each row was measured, and which rows enter the model.
    pub timing: Timing,
    /// Largest absolute value of each column.
    pub peak_heights: Vec<f64>,
}

impl RunDesign {
    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.names.len()
    }

    /// The rows that enter the model: `timing.n_kept()` x columns.
    pub fn kept_matrix(&self) -> Array2<f64> {
        self.matrix.select(ndarray::Axis(0), &self.timing.kept_frames())
    }
}

/// A contrast in the columns of one run's design.
#[derive(Debug, Clone)]
pub struct ContrastMatrix {
    /// Its name.
    pub name: String,
    /// t or F.
    pub kind: ContrastKind,
    /// Rows x design columns.
    pub weights: Array2<f64>,
}

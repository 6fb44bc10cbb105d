//! How white a model left the residuals of a run.

use crate::model::{SpectrumPoint, Whiteness};

/// What is kept of it once the run's maps are written.
#[derive(Debug, Clone)]
pub(super) struct RunWhiteness {
    pub(super) lags: usize,
    /// Columns that were looked at, and the share of them whose Ljung-Box test says at .05 that they are not white.
    pub(super) n_columns: usize,
    pub(super) share_not_white: f64,
    pub(super) spectrum: Vec<SpectrumPoint>,
}

impl RunWhiteness {
    pub(super) fn new(whiteness: &Whiteness) -> Self {
        let n_columns = whiteness.ljung_box.iter().filter(|statistic| **statistic > 0.0).count();
        let share_not_white = whiteness.share_not_white(0.05);
        Self { lags: whiteness.lags, n_columns, share_not_white, spectrum: whiteness.spectrum.clone() }
    }
}

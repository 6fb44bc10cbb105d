//! White noise: ordinary least squares.

use super::{NoiseField, NoiseModel, Residuals};
use ndarray::{Array2, ArrayViewMut2};

/// Nothing to measure.
pub(super) struct Ols;

impl NoiseModel for Ols {
    fn n_measures(&self) -> usize {
        0
    }

    fn measure(&self, _residuals: &Residuals, _measures: ArrayViewMut2<'_, f64>) {}

    fn settle(&self, _measures: &Array2<f64>) -> NoiseField {
        NoiseField::White
    }
}

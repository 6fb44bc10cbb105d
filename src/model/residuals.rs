//! Residuals frame by frame, for a 4-D map that is never held.

use super::fit::RunFit;
use crate::design::RunDesign;
use crate::preprocess::{PassError, Scaler, Series};

/// Residuals `y - x b` of one frame (censored frames too), unwhitened and in units of the scaled data, one a column;
/// 0 in excluded columns.
///
/// `frame` counts the frames that were not discarded.
///
/// # Errors
/// Samples on disk cannot be read back.
pub fn residual_frame(
    fit: &RunFit,
    series: &Series,
    scaler: &Scaler,
    design: &RunDesign,
    frame: usize,
) -> Result<Vec<f64>, PassError> {
    let mut out = scaler.scale_frame(&series.frame(frame)?);
    for (weight, beta) in design.matrix.row(frame).iter().zip(fit.beta.outer_iter()) {
        if *weight != 0.0 {
            out.iter_mut().zip(beta).for_each(|(out, beta)| *out -= weight * beta);
        }
    }
    Ok(out)
}

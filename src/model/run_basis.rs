//! The design of one run made ready for a fit, whatever the noise.

use super::basis::Basis;
use super::linalg::LinalgError;
use super::problem::ModelError;
use crate::config::{GapRule, Numerics, VarianceDivisor};
use crate::design::RunDesign;
use crate::inputs::Timing;

/// The kept frames of a run, an orthonormal basis of the design over them, and what residual squares are divided by.
pub(super) struct RunBasis {
    /// The kept frames.
    pub(super) kept: Vec<usize>,
    /// Repetition times from each to the next, as the profile counts them.
    pub(super) lags: Vec<usize>,
    /// Of the design at the kept frames.
    pub(super) basis: Basis,
    /// Divisor of whitened residual squares.
    pub(super) divisor: usize,
}

impl RunBasis {
    /// # Errors
    /// [`ModelError`]: no residual degrees of freedom, or a design that is not finite.
    pub(super) fn new(design: &RunDesign, numerics: &Numerics) -> Result<Self, ModelError> {
        let kept = design.timing.kept_frames();
        let basis = basis_of(design, &kept)?;
        let rank = basis.rank();
        let divisor = kept.len().saturating_sub(match numerics.variance_divisor {
            VarianceDivisor::ResidualDof => rank,
            VarianceDivisor::SamplesMinusColumns => design.n_columns(),
        });
        if divisor == 0 || kept.len() <= rank {
            return Err(ModelError::TooFewFrames {
                run: design.run.clone(),
                n_frames: kept.len(),
                n_columns: design.n_columns(),
                rank,
            });
        }
        let lags = model_lags(&design.timing, numerics.gaps);
        Ok(Self { kept, lags, basis, divisor })
    }

    /// Residual degrees of freedom: kept frames minus rank.
    pub(super) fn dof(&self) -> f64 {
        (self.kept.len() - self.basis.rank()) as f64
    }
}

/// Lags between the kept frames as the profile counts them.
pub(super) fn model_lags(timing: &Timing, gaps: GapRule) -> Vec<usize> {
    match gaps {
        GapRule::TrueLag => timing.lags(),
        GapRule::Bridged => vec![1; timing.n_kept().saturating_sub(1)],
    }
}

fn basis_of(design: &RunDesign, kept: &[usize]) -> Result<Basis, ModelError> {
    let run = || design.run.clone();
    let matrix = design.kept_matrix();
    if let Some(((row, column), _)) = matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        let column = design.names[column].clone();
        return Err(ModelError::DesignNotFinite { run: run(), column, frame: kept[row] });
    }
    Basis::new(&matrix).map_err(|cause| decomposition(design, &cause))
}

pub(super) fn decomposition(design: &RunDesign, cause: &LinalgError) -> ModelError {
    ModelError::Decomposition { run: design.run.clone(), cause: cause.to_string() }
}

/// What a process leaves of the design is singular to working precision.
pub(super) fn singular(design: &RunDesign) -> ModelError {
    let cause = "a noise process leaves its columns linearly dependent".to_owned();
    ModelError::Decomposition { run: design.run.clone(), cause }
}

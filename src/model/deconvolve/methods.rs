//! From the settings of a deconvolution to its methods, prepared for an operator.

use super::peb::{Peb, PebError, PebHyperparameters};
use super::ridge::{self, Ridge, RidgeError};
use super::sparse::{Choice, Estimate, Shape, Sparse, SparseSettings};
use super::wiener::Wiener;
use super::{Deconvolver, DriftActivity, Operator};
use crate::config::{DeconvolutionSettings, LambdaChoice, Method, Penalty, SparseEstimate};
use crate::error::{Cancelled, Diagnostic, Diagnostics};
use crate::model::linalg::LinalgError;
use crate::preprocess::PassError;

/// The methods that `auto` chooses from, in the order of its map: 1, 2, 3.
pub const CANDIDATES: [Method; 3] = [Method::Ridge, Method::Spike, Method::Block];

/// Why a run is not deconvolved.
#[derive(Debug, thiserror::Error)]
pub enum DeconvolutionError {
    /// A linear method cannot be prepared.
    #[error(transparent)]
    Ridge(#[from] RidgeError),
    /// The cosine basis cannot be prepared.
    #[error(transparent)]
    Peb(#[from] PebError),
    /// LAPACK gave up.
    #[error("drift and confounds cannot be decomposed: {0}")]
    Decomposition(#[from] LinalgError),
    /// Samples on disk cannot be read or written.
    #[error(transparent)]
    Samples(#[from] PassError),
    /// The work was interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl From<DeconvolutionError> for Diagnostics {
    fn from(error: DeconvolutionError) -> Self {
        let message = error.to_string();
        let problem = match error {
            DeconvolutionError::Samples(problem) => return problem.into(),
            DeconvolutionError::Ridge(_) | DeconvolutionError::Peb(_) => {
                Diagnostic::error("deconvolve-not-prepared", message)
                    .hint("use fewer confounds or a lower `high_pass_hz`, or another `method`")
            }
            DeconvolutionError::Decomposition(_) => Diagnostic::error("model-decomposition", message),
            DeconvolutionError::Cancelled(_) => Diagnostic::error("work-interrupted", message),
        };
        problem.into()
    }
}

/// Correlation, over 2 s, of the activity that a smooth penalty expects. Sustained and fluctuating activity are both estimated
/// better with it than with none, brief events hardly worse (docs/deconvolution.md has the table).
const SMOOTH_CORRELATION: f64 = 0.8;

/// What the methods of a run are prepared for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid<'a> {
    /// Seconds between activity samples.
    pub(super) step_s: f64,
    /// Frames of the run: the size of the cosine basis of `peb`.
    pub(super) n_frames: usize,
    /// Activity that no data tell from drift.
    pub(super) drift: &'a DriftActivity,
}

impl Grid<'_> {
    fn smooth(self) -> ridge::Penalty {
        ridge::Penalty::autoregressive(SMOOTH_CORRELATION.powf(self.step_s / 2.0))
    }
}

/// The methods that these settings mean, prepared for an operator: one, or the candidates of `auto`.
pub(super) fn prepared(
    settings: &DeconvolutionSettings,
    operator: &Operator,
    grid: Grid<'_>,
) -> Result<Vec<Box<dyn Deconvolver>>, DeconvolutionError> {
    match settings.method {
        Method::Auto => candidates(settings, operator, grid, settings.estimate),
        Method::Ridge => {
            let penalty = match settings.penalty {
                Penalty::Identity => ridge::Penalty::VALUE,
                Penalty::Smooth => grid.smooth(),
                Penalty::FirstDifference => ridge::Penalty::FIRST_DIFFERENCE,
                Penalty::SecondDifference => ridge::Penalty::SECOND_DIFFERENCE,
            };
            let choice = match settings.lambda {
                LambdaChoice::Fixed(lambda) => ridge::LambdaChoice::Fixed(lambda),
                LambdaChoice::Evidence => ridge::LambdaChoice::Evidence,
                _ => ridge::LambdaChoice::Gcv,
            };
            Ok(vec![Box::new(Ridge::new(operator, penalty, choice)?)])
        }
        Method::Wiener => Ok(vec![Box::new(Wiener::new(operator)?)]),
        Method::Spike => Ok(vec![sparse(settings, operator, grid, (Shape::Spikes, settings.estimate))]),
        Method::Block => Ok(vec![sparse(settings, operator, grid, (Shape::Blocks, settings.estimate))]),
        Method::Peb => {
            let hyperparameters = match settings.lambda {
                LambdaChoice::Spm => PebHyperparameters::OfSpm,
                _ => PebHyperparameters::Evidence,
            };
            let n_basis = grid.n_frames.min(operator.forward.ncols());
            Ok(vec![Box::new(Peb::new(operator, n_basis, hyperparameters)?)])
        }
    }
}

/// Those that judge which noise, and for `auto` which method, a column has: the candidates of `auto`, without what their
/// evidence does not need.
pub(super) fn judges(
    settings: &DeconvolutionSettings,
    operator: &Operator,
    grid: Grid<'_>,
) -> Result<Vec<Box<dyn Deconvolver>>, DeconvolutionError> {
    candidates(settings, operator, grid, SparseEstimate::Refitted)
}

/// In the order of [`CANDIDATES`].
fn candidates(
    settings: &DeconvolutionSettings,
    operator: &Operator,
    grid: Grid<'_>,
    estimate: SparseEstimate,
) -> Result<Vec<Box<dyn Deconvolver>>, DeconvolutionError> {
    Ok(vec![
        Box::new(Ridge::new(operator, grid.smooth(), ridge::LambdaChoice::Evidence)?),
        sparse(settings, operator, grid, (Shape::Spikes, estimate)),
        sparse(settings, operator, grid, (Shape::Blocks, estimate)),
    ])
}

fn sparse(
    settings: &DeconvolutionSettings,
    operator: &Operator,
    grid: Grid<'_>,
    (shape, estimate): (Shape, SparseEstimate),
) -> Box<dyn Deconvolver> {
    let choice = match settings.lambda {
        LambdaChoice::Fixed(lambda) => Choice::Fixed(lambda),
        LambdaChoice::Mad => Choice::Mad,
        _ => Choice::Bic,
    };
    let estimate = match estimate {
        SparseEstimate::Refitted => Estimate::Refitted,
        SparseEstimate::Averaged => Estimate::Averaged,
        SparseEstimate::Shrunken => Estimate::Shrunken,
    };
    // events that all go one way; changes of a level go both
    let non_negative = settings.nonnegative && shape == Shape::Spikes;
    let settings = SparseSettings { shape, choice, estimate, non_negative, ridge: settings.elastic_net };
    Box::new(Sparse::new(operator, settings).relative_to(grid.drift))
}

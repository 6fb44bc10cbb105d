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

/// What `auto` chooses from, in the order of its map: 1, 2, 3, 4.
pub const CANDIDATES: [&str; 4] = ["ridge", "smooth ridge", "spike", "block"];

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
        Method::Auto => candidates(operator, grid, settings.estimate),
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
        Method::Spike => Ok(vec![sparse(sparse_settings(settings, Shape::Spikes), operator, grid)]),
        Method::Block => Ok(vec![sparse(sparse_settings(settings, Shape::Blocks), operator, grid)]),
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
/// evidence does not need. Weights and bounds of the method that then solves are in units of its own penalty: they do not judge.
pub(super) fn judges(
    _: &DeconvolutionSettings,
    operator: &Operator,
    grid: Grid<'_>,
) -> Result<Vec<Box<dyn Deconvolver>>, DeconvolutionError> {
    candidates(operator, grid, SparseEstimate::Refitted)
}

/// In the order of [`CANDIDATES`].
fn candidates(
    operator: &Operator,
    grid: Grid<'_>,
    estimate: SparseEstimate,
) -> Result<Vec<Box<dyn Deconvolver>>, DeconvolutionError> {
    let of_shape = |shape| SparseSettings { estimate: reported(estimate), ..SparseSettings::new(shape) };
    Ok(vec![
        Box::new(Ridge::new(operator, ridge::Penalty::VALUE, ridge::LambdaChoice::Evidence)?),
        Box::new(Ridge::new(operator, grid.smooth(), ridge::LambdaChoice::Evidence)?),
        sparse(of_shape(Shape::Spikes), operator, grid),
        sparse(of_shape(Shape::Blocks), operator, grid),
    ])
}

fn sparse(settings: SparseSettings, operator: &Operator, grid: Grid<'_>) -> Box<dyn Deconvolver> {
    Box::new(Sparse::new(operator, settings).relative_to(grid.drift))
}

fn sparse_settings(settings: &DeconvolutionSettings, shape: Shape) -> SparseSettings {
    let choice = match settings.lambda {
        LambdaChoice::Fixed(lambda) => Choice::Fixed(lambda),
        LambdaChoice::Mad => Choice::Mad,
        _ => Choice::Bic,
    };
    // events that all go one way; changes of a level go both
    let non_negative = settings.nonnegative && shape == Shape::Spikes;
    SparseSettings { shape, choice, estimate: reported(settings.estimate), non_negative, ridge: settings.elastic_net }
}

fn reported(estimate: SparseEstimate) -> Estimate {
    match estimate {
        SparseEstimate::Refitted => Estimate::Refitted,
        SparseEstimate::Averaged => Estimate::Averaged,
        SparseEstimate::Shrunken => Estimate::Shrunken,
    }
}

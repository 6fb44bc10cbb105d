//! From the settings of a deconvolution to its methods, prepared for an operator.

use super::peb::{Peb, PebError, PebHyperparameters};
use super::ridge::{self, Ridge, RidgeError};
use super::sparse::{Choice, Estimate, Shape, Sparse, SparseSettings};
use super::wiener::Wiener;
use super::{Deconvolver, Operator};
use crate::config::{DeconvolutionSettings, LambdaChoice, Method, Penalty, SparseEstimate};
use crate::error::{Cancelled, Diagnostic, Diagnostics};
use crate::model::linalg::LinalgError;
use crate::preprocess::PassError;

/// The methods that `auto` chooses from, in the order of its map: 1, 2, 3.
pub const CANDIDATES: [Method; 3] = [Method::Ridge, Method::Spike, Method::Block];

/// Autocorrelation after 2 s of the activity that the ridge among the candidates expects: smooth, as neither spikes nor blocks
/// are. Without smoothness it loses to averaged blocks on smooth activity, and takes that for autocorrelated noise
/// (`benches/accuracy`).
const SMOOTHNESS: f64 = 0.8;

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

/// The methods that these settings mean: one, or the candidates of `auto`. `n_frames` is the length of the run, which is the
/// size of the cosine basis of `peb`; activity samples are `spacing_s` seconds apart.
pub(super) fn prepared(
    settings: &DeconvolutionSettings,
    operator: &Operator,
    n_frames: usize,
    spacing_s: f64,
) -> Result<Vec<Box<dyn Deconvolver>>, DeconvolutionError> {
    let methods =
        if settings.method == Method::Auto { &CANDIDATES[..] } else { std::slice::from_ref(&settings.method) };
    let one = |method: &Method| -> Result<Box<dyn Deconvolver>, DeconvolutionError> {
        if settings.method == Method::Auto && *method == Method::Ridge {
            let smooth = ridge::Penalty::autoregressive(libm::pow(SMOOTHNESS, spacing_s / 2.0));
            return Ok(Box::new(Ridge::new(operator, smooth, ridge::LambdaChoice::Evidence)?));
        }
        prepared_one(*method, settings, operator, n_frames)
    };
    methods.iter().map(one).collect()
}

fn prepared_one(
    method: Method,
    settings: &DeconvolutionSettings,
    operator: &Operator,
    n_frames: usize,
) -> Result<Box<dyn Deconvolver>, DeconvolutionError> {
    Ok(match method {
        Method::Ridge | Method::Auto => {
            let penalty = match settings.penalty {
                Penalty::Identity => ridge::Penalty::VALUE,
                Penalty::FirstDifference => ridge::Penalty::FIRST_DIFFERENCE,
                Penalty::SecondDifference => ridge::Penalty::SECOND_DIFFERENCE,
            };
            let choice = match settings.lambda {
                LambdaChoice::Fixed(lambda) => ridge::LambdaChoice::Fixed(lambda),
                LambdaChoice::Evidence => ridge::LambdaChoice::Evidence,
                _ => ridge::LambdaChoice::Gcv,
            };
            Box::new(Ridge::new(operator, penalty, choice)?)
        }
        Method::Wiener => Box::new(Wiener::new(operator)?),
        Method::Spike | Method::Block => {
            let shape = if method == Method::Spike { Shape::Spikes } else { Shape::Blocks };
            let choice = match settings.lambda {
                LambdaChoice::Fixed(lambda) => Choice::Fixed(lambda),
                LambdaChoice::Mad => Choice::Mad,
                _ => Choice::Bic,
            };
            let estimate = match settings.estimate {
                SparseEstimate::Refitted => Estimate::Refitted,
                SparseEstimate::Averaged => Estimate::Averaged,
                SparseEstimate::Shrunken => Estimate::Shrunken,
            };
            let (non_negative, ridge) = (settings.nonnegative, settings.elastic_net);
            Box::new(Sparse::new(operator, SparseSettings { shape, choice, estimate, non_negative, ridge }))
        }
        Method::Peb => {
            let hyperparameters = match settings.lambda {
                LambdaChoice::Spm => PebHyperparameters::OfSpm,
                _ => PebHyperparameters::Evidence,
            };
            Box::new(Peb::new(operator, n_frames.min(operator.forward.ncols()), hyperparameters)?)
        }
    })
}

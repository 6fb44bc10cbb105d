//! The general linear model of one run: `Y = X B + E`, fitted column by column.
//!
//! Shapes: `Y` kept frame x column, `X` kept frame x regressor, `B` regressor x column. The design is first
//! replaced by an orthonormal basis `Q` of its columns, `X = Q R`, so that rank deficiency and scale of
//! regressors are settled once; the noise model then works on the residuals of `Q` alone.
//!
//! The steps of every noise model: `measure` the residuals block by block, a barrier where the measures may
//! be pooled, `settle` them into parameters, fit block by block.

mod basis;
mod blas_threads;
mod cholesky;
mod covariance;
pub mod deconvolve;
mod doubt;
mod fit;
mod global_covariance;
mod gls;
mod linalg;
mod moments;
mod noise;
mod null;
mod precision;
mod problem;
mod process;
mod random;
mod residuals;
mod run_basis;
mod sampled_fit;
mod samples;
mod sums;
mod unbroken;
mod whiteness;
mod whitening;

pub use blas_threads::{blas_version, hold_blas_to_one_thread};
pub use covariance::{CovarianceScratch, UnitCovariance};
pub use fit::{RunFit, fit_run};
pub use global_covariance::{GlobalCovariance, fit_run_under};
pub use moments::Moments;
pub use noise::{NoiseField, PooledBy};
pub use null::NullRun;
pub use problem::ModelError;
pub use process::{Arma11, Autoregression, Process};
pub use residuals::residual_frame;
pub use sampled_fit::SampledNeeds;
pub use whiteness::{SpectrumPoint, Whiteness, whiteness, whiteness_lags};

pub(crate) use cholesky::{factor_packed, invert_packed, packed_length, solve_lower_packed, unpack};
pub(crate) use linalg::inverse_square_root;
pub(crate) use noise::parameter_bytes as noise_parameter_bytes;

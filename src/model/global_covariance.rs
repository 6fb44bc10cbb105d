//! One covariance for all columns of a run, by restricted maximum likelihood from the residuals of those that respond, pooled.
//!
//! The steps are SPM's (Friston et al. 2002, doi 10.1006/nimg.2002.1091): [`pooling`] adds up the residuals' covariance over
//! the columns whose effects of interest are significant, [`components`] are what it may be made of, [`reml`] finds the weight
//! of each. All columns are then whitened by their weighted sum.

mod components;
mod pooling;
mod reml;

use super::fit::RunFit;
use super::noise::NoiseField;
use super::problem::ModelError;
use super::process::{Autoregression, Layout, Process};
use super::run_basis::RunBasis;
use super::sampled_fit::fit_under;
use super::samples::Samples;
use crate::config::Numerics;
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{Scaler, Series};
use pooling::Pooled;

/// Partial autocorrelations that are smaller, to the last, are left out: they change no whitened sample by more.
const LEAST_PARTIAL: f64 = 1e-12;

/// The covariance that the columns of a run share.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalCovariance {
    /// Weight of each component, where the variance of each pooled column is 1.
    pub weights: Vec<f64>,
    /// Correlations of frames a lag apart, from lag 0 (1) on, in repetition times, to the length of the run.
    pub correlations: Vec<f64>,
    /// Columns that were pooled.
    pub n_pooled: usize,
    /// Steps that restricted maximum likelihood took.
    pub n_steps: usize,
}

impl GlobalCovariance {
    /// From the columns of `series`, scaled by `scaler`, that respond to the effects of interest of `design`.
    ///
    /// # Errors
    /// [`ModelError`]: no column responds, no covariance is likeliest; what [`super::fit_run`] names.
    pub fn estimate(
        series: &Series,
        scaler: &Scaler,
        design: &RunDesign,
        numerics: &Numerics,
        cancel: &CancelToken,
    ) -> Result<Self, ModelError> {
        let run = RunBasis::new(design, numerics)?;
        let layout = Layout::filled(&run.lags);
        Self::of_samples(&Samples::new(series, scaler, design, &run, &layout)?, design, cancel)
    }

    fn of_samples(samples: &Samples<'_>, design: &RunDesign, cancel: &CancelToken) -> Result<Self, ModelError> {
        let pooled = Pooled::new(samples, design, cancel)?;
        let n_rows = samples.layout.n_rows();
        let components = components::ar1(n_rows);
        let found = reml::weights(&pooled.covariance, &components, &samples.run.basis.q, samples.layout);
        let found = found.ok_or_else(|| ModelError::NoCovariance { run: design.run.clone() })?;
        let covariances = reml::weighted(&found.weights, &components);
        let correlations = covariances.iter().map(|covariance| covariance / covariances[0]).collect();
        Ok(Self { weights: found.weights, correlations, n_pooled: pooled.n_columns, n_steps: found.n_steps })
    }

    /// The autoregression of as many lags as it takes to have these correlations; `None` where no process has.
    pub fn process(&self) -> Option<Process> {
        process_of(&self.correlations).map(Process::Autoregression)
    }
}

/// The autoregression that has these autocovariances; `None` where their matrix is not positive definite.
fn process_of(covariances: &[f64]) -> Option<Autoregression> {
    let exact = Autoregression::of_autocovariances(covariances, 1.0)?;
    let mut partial = exact.partial().to_vec();
    let order = partial.iter().rposition(|partial| partial.abs() > LEAST_PARTIAL).map_or(0, |last| last + 1);
    partial.truncate(order);
    Some(Autoregression::of_partial(partial))
}

/// Bytes that a thread takes beside blocks of columns, and those however many threads: a pooled covariance; components,
/// precision and their products.
pub(super) fn needs(n_frames: usize) -> (usize, usize) {
    let matrix = 8 * n_frames * n_frames;
    (matrix, (4 + 2 * components::N_AR1) * matrix)
}

/// Fits the design whose basis is `run` under the covariance that all columns share.
pub(super) fn fit(
    series: &Series,
    scaler: &Scaler,
    design: &RunDesign,
    run: &RunBasis,
    cancel: &CancelToken,
) -> Result<RunFit, ModelError> {
    let layout = Layout::filled(&run.lags);
    let samples = Samples::new(series, scaler, design, run, &layout)?;
    let process = GlobalCovariance::of_samples(&samples, design, cancel)?.process();
    let process = process.ok_or_else(|| ModelError::NoCovariance { run: design.run.clone() })?;
    cancel.check()?;
    fit_under(&samples, design, shared(process, series.n_columns()).into(), cancel)
}

fn shared(process: Process, n_columns: usize) -> NoiseField {
    NoiseField::Classes { processes: vec![process], index: vec![0; n_columns] }
}

/// Fits `design` to every column of `series`, scaled by `scaler`, by generalised least squares under noise that is known and
/// that all columns share.
///
/// # Errors
/// As [`super::fit_run`].
pub fn fit_run_under(
    process: &Process,
    (series, scaler): (&Series, &Scaler),
    design: &RunDesign,
    numerics: &Numerics,
    cancel: &CancelToken,
) -> Result<RunFit, ModelError> {
    let run = RunBasis::new(design, numerics)?;
    let layout = match process {
        Process::Arma11(_) => Layout::of_kept(&run.lags),
        Process::Autoregression(_) => Layout::filled(&run.lags),
    };
    let samples = Samples::new(series, scaler, design, &run, &layout)?;
    fit_under(&samples, design, shared(process.clone(), series.n_columns()).into(), cancel)
}

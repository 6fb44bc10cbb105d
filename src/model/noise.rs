//! Noise models: what they measure on the residuals, and the parameters that follow.

mod ar1;
mod arma11;
mod correction;
mod lag_products;
mod ols;
mod own_ar;
mod pooled;

use super::problem::ModelError;
use super::process::{Autoregression, Layout, Process};
use super::samples::Samples;
use super::sums::Residuals;
use crate::config::{Noise, Numerics};
use crate::error::CancelToken;
use ndarray::{Array2, ArrayViewMut2};

/// A model of the noise of one run.
///
/// Blocks of columns are measured in parallel, then the measures of the whole run are turned into parameters. CONTRIBUTING.md
/// says what a new model takes.
pub(crate) trait NoiseModel: Send + Sync {
    /// Numbers measured on each column; 0: the model needs no look at the residuals.
    fn n_measures(&self) -> usize;

    /// Measures the residuals of ordinary least squares into `measures` (measure x column).
    fn measure(&self, residuals: &Residuals, measures: ArrayViewMut2<'_, f64>);

    /// Turns the measures of the whole run into parameters.
    fn settle(&self, measures: &Array2<f64>) -> NoiseField;
}

/// A model of the noise of one run that looks at the residuals of ordinary least squares themselves.
pub(crate) trait SampledNoise: Send + Sync {
    /// The rows that its residuals have.
    fn layout(&self) -> &Layout;

    /// The processes of the run's samples: [`NoiseField::Classes`], or [`NoiseField::Own`] on a filled layout; with how sure they are
    /// where they are classes and the model can tell. Columns without residuals (those left out) may get any.
    ///
    /// # Errors
    /// [`ModelError`]: samples cannot be read back; interruption.
    fn settle(&self, samples: &Samples<'_>, cancel: &CancelToken) -> Result<Settled, ModelError>;
}

/// Noise as a model that looks at residuals settles it.
pub(crate) struct Settled {
    /// Its processes.
    pub(crate) noise: NoiseField,
    /// How sure those are, where the model can tell.
    pub(crate) doubt: Option<Doubt>,
    /// By what they were pooled, where they were.
    pub(crate) pooled_by: Option<PooledBy>,
}

impl From<NoiseField> for Settled {
    fn from(noise: NoiseField) -> Self {
        Self { noise, doubt: None, pooled_by: None }
    }
}

/// What tells pooled noise which voxels are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PooledBy {
    /// Their own series.
    Own,
    /// What these have and those around them have not.
    Sharpened,
}

impl PooledBy {
    /// As files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Sharpened => "sharpened",
        }
    }
}

/// How sure the processes of classes are.
#[derive(Debug, Clone)]
pub(crate) enum Doubt {
    /// Along one line of processes each.
    Line(LineDoubt),
    /// As sure as restricted likelihood makes the parameters of ARMA(1,1) processes in a run, on a layout of kept rows.
    Likelihood,
}

/// How sure the processes of classes are along one line of processes each.
#[derive(Debug, Clone)]
pub(crate) struct LineDoubt {
    /// Of each class, the processes a step along its line to either side.
    pub(crate) sides: [Vec<Process>; 2],
    /// Standard deviation of each column's place on the line, in steps.
    pub(crate) of_column: Vec<f32>,
}

/// Bytes that settling the noise of a run of so many frames takes for each column at most, and processes that columns share.
pub(crate) fn settling_needs(noise: Noise, n_frames: usize) -> (usize, usize) {
    match noise {
        Noise::Ols | Noise::Ar1 => (0, 0),
        Noise::GlobalAr1 => (0, 1),
        Noise::Arma11 => arma11::SETTLING,
        Noise::PooledAr => pooled::SETTLING,
        Noise::Ar(order) => (own_ar::settling_bytes(order.get()), 0),
        Noise::TukeyAr => (own_ar::settling_bytes(own_ar::tukey_order(n_frames)), 0),
    }
}

/// Lines along which a noise model knows how sure its processes are.
pub(crate) fn lines_of_doubt(noise: Noise) -> usize {
    match noise {
        Noise::Arma11 => 2,
        Noise::PooledAr => 1,
        Noise::Ols | Noise::Ar1 | Noise::GlobalAr1 | Noise::TukeyAr | Noise::Ar(_) => 0,
    }
}

/// Bytes that a thread takes to measure the noise of a run of so many frames beside one block of residuals.
pub(crate) fn measuring_bytes(noise: Noise, n_frames: usize) -> usize {
    if noise == Noise::PooledAr { pooled::sharpening_bytes(n_frames) } else { 0 }
}

/// Bytes that the noise parameters of a fitted run of so many frames are for each column.
pub(crate) fn parameter_bytes(noise: Noise, n_frames: usize) -> usize {
    match noise {
        Noise::Ols => 0,
        Noise::Ar1 | Noise::PooledAr => 8,
        Noise::Arma11 | Noise::GlobalAr1 => 4,
        Noise::Ar(order) => own_ar::process_bytes(order.get()),
        Noise::TukeyAr => own_ar::process_bytes(own_ar::tukey_order(n_frames)),
    }
}

/// Residual degrees of freedom that a noise model needs at least.
pub(super) fn needed_dof(noise: Noise) -> usize {
    match noise {
        Noise::Ar(order) => order.get() * own_ar::DOF_A_LAG,
        Noise::Ols | Noise::Ar1 | Noise::GlobalAr1 | Noise::Arma11 | Noise::PooledAr | Noise::TukeyAr => 1,
    }
}

/// Processes that columns share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NoiseClasses {
    /// Distinct processes.
    pub(crate) processes: Vec<Process>,
    /// Index into `processes` of each column.
    pub(crate) index: Vec<u32>,
}

impl NoiseClasses {
    /// All columns white.
    pub(crate) fn white(n_columns: usize) -> Self {
        let white = Process::Autoregression(Autoregression::of_partial(Vec::new()));
        Self { processes: vec![white], index: vec![0; n_columns] }
    }
}

impl From<NoiseClasses> for NoiseField {
    fn from(NoiseClasses { processes, index }: NoiseClasses) -> Self {
        Self::Classes { processes, index }
    }
}

/// Noise parameters of every column of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum NoiseField {
    /// White noise.
    White,
    /// AR(1), the coefficient one of a few.
    Binned {
        /// Distinct coefficients, ascending.
        values: Vec<f64>,
        /// Index into `values` of each column.
        index: Vec<u32>,
    },
    /// AR(1), each column its own coefficient.
    PerColumn(Vec<f64>),
    /// Processes of more than one lag, each shared by a class of columns.
    Classes {
        /// Distinct processes.
        processes: Vec<Process>,
        /// Index into `processes` of each column.
        index: Vec<u32>,
    },
    /// Autoregressions of one order, each column its own.
    Own(Vec<Autoregression>),
}

/// The noise of a column, as the precision of a design asks for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum NoiseAt<'a> {
    /// AR(1) of this coefficient; 0: white.
    Rho(f64),
    /// That of a class.
    Class(usize),
    /// A process of the column's own.
    Own(&'a Autoregression),
}

impl NoiseField {
    /// Correlation of a column's noise between neighbouring frames: of AR(1) its coefficient; 0 for white noise.
    pub fn rho(&self, column: usize) -> f64 {
        match self {
            Self::White => 0.0,
            Self::Binned { values, index } => values[index[column] as usize],
            Self::PerColumn(rho) => rho[column],
            Self::Classes { processes, index } => processes[index[column] as usize].lag1(),
            Self::Own(processes) => processes[column].lag1(),
        }
    }

    /// The noise of a column.
    pub(crate) fn at(&self, column: usize) -> NoiseAt<'_> {
        match self {
            Self::Own(processes) => NoiseAt::Own(&processes[column]),
            Self::Classes { index, .. } => NoiseAt::Class(index[column] as usize),
            field => NoiseAt::Rho(field.rho(column)),
        }
    }

    /// The noise that columns share; none where each has its own.
    pub(crate) fn shared(&self) -> Vec<NoiseAt<'_>> {
        match self {
            Self::White => vec![NoiseAt::Rho(0.0)],
            Self::Binned { values, .. } => values.iter().map(|&rho| NoiseAt::Rho(rho)).collect(),
            Self::PerColumn(_) | Self::Own(_) => Vec::new(),
            Self::Classes { processes, .. } => (0..processes.len()).map(NoiseAt::Class).collect(),
        }
    }

    /// Which of [`Self::shared`] each column has (empty: all the only one); `None`: each its own.
    pub(crate) fn index(&self) -> Option<&[u32]> {
        match self {
            Self::White => Some(&[]),
            Self::Binned { index, .. } | Self::Classes { index, .. } => Some(index),
            Self::PerColumn(_) | Self::Own(_) => None,
        }
    }
}

/// The distinct values, ascending, and which of them each is.
pub(crate) fn distinct<T: Ord + Copy>(values: &[T]) -> (Vec<T>, Vec<u32>) {
    let mut distinct = values.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let index = values.iter().map(|value| distinct.partition_point(|other| other < value) as u32).collect();
    (distinct, index)
}

/// What estimates the noise that a pipeline names, by what it looks at.
pub(crate) enum Estimator {
    /// Sums over time.
    Summed(Box<dyn NoiseModel>),
    /// The residuals themselves.
    Sampled(Box<dyn SampledNoise>),
    /// The covariance of residuals over time, pooled over columns.
    Global,
}

impl Estimator {
    /// For a design with the orthonormal basis `q` (kept frame x rank) at frames `lags` repetition times of `tr_s` apart.
    pub(crate) fn new(noise: Noise, q: &Array2<f64>, lags: &[usize], tr_s: f64, numerics: &Numerics) -> Self {
        match noise {
            Noise::Ols => Self::Summed(Box::new(ols::Ols)),
            Noise::Ar1 => Self::Summed(Box::new(ar1::Ar1::new(lags, numerics))),
            Noise::Arma11 => Self::Sampled(Box::new(arma11::RemlSearch::new(q, lags, numerics.arma11_grid))),
            Noise::GlobalAr1 => Self::Global,
            Noise::PooledAr => Self::Sampled(Box::new(pooled::PooledAr::new(q, lags, tr_s))),
            Noise::Ar(order) => Self::Sampled(Box::new(own_ar::OwnAr::corrected(q, lags, order.get()))),
            Noise::TukeyAr => Self::Sampled(Box::new(own_ar::OwnAr::tapered(q, lags))),
        }
    }
}

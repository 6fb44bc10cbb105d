//! Spikes from fluorescence.

mod active_set;
mod elimination;
mod fit;
mod kernel;
mod noise;
mod parameters;
mod penalty;
mod pool;

pub use kernel::Coefficients;
pub use noise::noise_sd;
pub use penalty::PenaltyFound;

use fit::Fit;

/// Why a series cannot be deconvolved.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum CalciumError {
    /// Complex roots.
    #[error("the coefficients {g_1:.4}, {g_2:.4} oscillate")]
    Oscillating {
        /// First coefficient.
        g_1: f64,
        /// Second coefficient.
        g_2: f64,
    },
    /// A root outside (0, 1).
    #[error("the coefficients {g_1:.4}, {g_2:.4} do not decay")]
    Unstable {
        /// First coefficient.
        g_1: f64,
        /// Second coefficient.
        g_2: f64,
    },
    /// A time constant without meaning.
    #[error("a time constant of {found_s} s")]
    TimeConstant {
        /// What was given.
        found_s: f64,
    },
}

/// Fit at fixed kernel and the penalty of the noise level or given.
#[derive(Debug)]
pub struct Exp {
    /// .
    pub spikes: Vec<f64>,
    /// .
    pub calcium: Vec<f64>,
    /// .
    pub baseline: f64,
    /// .
    pub lambda: f64,
    /// .
    pub found: PenaltyFound,
    /// .
    pub converged: bool,
    /// .
    pub fits: usize,
}

/// exploratory
pub fn explore(y: &[f64], kernel: Coefficients, sigma: f64, lambda: Option<f64>) -> Exp {
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut baseline = sorted[y.len() * 15 / 100];
    let shifted: Vec<f64> = y.iter().map(|y| y - baseline).collect();
    let mut free: Vec<bool> = kernel.spikes(&shifted).iter().map(|&s| s > 0.0).collect();
    let mut fits = 0;
    let mut fit = |lambda: f64| -> Fit {
        fits += 1;
        let fit = if kernel.order() == 1 {
            pool::fit(&kernel, y, lambda, baseline)
        } else {
            active_set::fit(&kernel, y, lambda, &free, baseline)
        };
        baseline = fit.baseline;
        free = fit.spikes.iter().map(|&s| s > 0.0).collect();
        fit
    };
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let silent: Vec<f64> = y.iter().map(|y| y - mean).collect();
    let most = kernel.correlation(&silent).into_iter().fold(0.0, f64::max);
    let response = kernel.calcium(&std::iter::once(1.0).chain(std::iter::repeat_n(0.0, y.len() - 1)).collect::<Vec<_>>());
    let norm = response.iter().map(|h| h * h).sum::<f64>().sqrt();
    let (lambda, fit, found) = match lambda {
        Some(lambda) => (lambda, fit(lambda), PenaltyFound::Fixed),
        None => penalty::find(y, sigma * sigma * y.len() as f64, most, sigma * norm, fit),
    };
    Exp { spikes: fit.spikes, calcium: fit.calcium, baseline: fit.baseline, lambda, found, converged: fit.converged, fits }
}

/// .
pub fn estimate(y: &[f64], order: usize, sigma: f64) -> Result<Coefficients, CalciumError> {
    parameters::estimate(y, order, sigma)
}

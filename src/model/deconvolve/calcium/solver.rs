//! Fits of one series with one kernel at successive penalties, each started from the last.

use super::fit::Fit;
use super::kernel::Coefficients;
use super::{active_set, pool};

/// Share of samples below the baseline that a search starts from.
const START_PERCENTILE: usize = 15;

#[derive(Debug)]
pub(super) struct Solver<'a> {
    kernel: Coefficients,
    y: &'a [f64],
    baseline: f64,
    free: Vec<bool>,
}

impl<'a> Solver<'a> {
    pub(super) fn new(kernel: Coefficients, y: &'a [f64]) -> Self {
        let baseline = percentile(y, START_PERCENTILE);
        let shifted: Vec<f64> = y.iter().map(|y| y - baseline).collect();
        let free = kernel.spikes(&shifted).iter().map(|&spike| spike > 0.0).collect();
        Self { kernel, y, baseline, free }
    }

    /// The same series with another kernel, from the spikes of this one.
    pub(super) fn with_kernel(self, kernel: Coefficients) -> Self {
        Self { kernel, ..self }
    }

    /// The exact minimum at this penalty.
    pub(super) fn fit(&mut self, lambda: f64) -> Fit {
        let fit = match self.kernel.order() {
            1 => pool::fit(&self.kernel, self.y, lambda, self.baseline),
            _ => active_set::fit(&self.kernel, self.y, lambda, &self.free, self.baseline),
        };
        self.baseline = fit.baseline;
        self.free = fit.spikes.iter().map(|&spike| spike > 0.0).collect();
        fit
    }

    /// The penalty from which on there are no spikes.
    pub(super) fn silencing(&self) -> f64 {
        let mean = self.y.iter().sum::<f64>() / self.y.len() as f64;
        let residual: Vec<f64> = self.y.iter().map(|y| y - mean).collect();
        self.kernel.correlation(&residual).into_iter().fold(0.0, f64::max)
    }
}

/// The value with this percentage of the series below it.
pub(super) fn percentile(y: &[f64], percent: usize) -> f64 {
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(y.len() * percent / 100).copied().unwrap_or(0.0)
}

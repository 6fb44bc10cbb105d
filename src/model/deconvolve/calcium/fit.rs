//! A fit at one penalty, and how it moves with the penalty while the same spikes are above 0.

use super::kernel::Coefficients;

/// The minimum over spikes and baseline at one penalty.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub(super) calcium: Vec<f64>,
    pub(super) spikes: Vec<f64>,
    pub(super) baseline: f64,
    /// Derivative of calcium plus baseline with respect to the penalty.
    pub(super) by_lambda: Vec<f64>,
    /// Whether the optimality conditions hold.
    pub(super) converged: bool,
}

impl Fit {
    /// `y - b - c`.
    pub(super) fn residual(&self, y: &[f64]) -> Vec<f64> {
        y.iter().zip(&self.calcium).map(|(y, c)| y - self.baseline - c).collect()
    }
}

/// Calcium at a given baseline and penalty, with its derivatives with respect to both.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Whether a sample may have a spike; elsewhere calcium follows the kernel.
    pub(super) free: Vec<bool>,
    pub(super) calcium: Vec<f64>,
    pub(super) by_baseline: Vec<f64>,
    pub(super) by_lambda: Vec<f64>,
}

impl Step {
    /// `sum (y - b - c)`: 0 at the best baseline.
    pub(super) fn residual_sum(&self, y: &[f64], baseline: f64) -> f64 {
        y.iter().zip(&self.calcium).map(|(y, c)| y - baseline - c).sum()
    }

    /// Of unit change of the penalty, the change of the best baseline.
    pub(super) fn baseline_by_lambda(&self) -> f64 {
        let samples = self.calcium.len() as f64;
        let slope = samples + self.by_baseline.iter().sum::<f64>();
        -self.by_lambda.iter().sum::<f64>() / slope.max(1e-12 * samples)
    }

    /// The fit, at the best baseline.
    pub(super) fn into_fit(self, kernel: &Coefficients, y: &[f64], baseline: f64, converged: bool) -> Fit {
        debug_assert_eq!(y.len(), self.calcium.len());
        let drift = self.baseline_by_lambda();
        let moves = |(l, b): (&f64, &f64)| l + drift * (1.0 + b);
        let by_lambda = self.by_lambda.iter().zip(&self.by_baseline).map(moves).collect();
        // Where there is no spike the difference is rounding: 0 exactly.
        let spikes = kernel.spikes(&self.calcium).into_iter().zip(&self.free);
        let spikes = spikes.map(|(spike, &free)| if free { spike.max(0.0) } else { 0.0 }).collect();
        Fit { calcium: self.calcium, spikes, baseline, by_lambda, converged }
    }
}

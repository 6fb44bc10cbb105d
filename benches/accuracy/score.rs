//! How near the estimate is to the truth.

use crate::simulation::{Draw, variance};
use boldly::model::deconvolve::Solution;

/// Mean over draws, and its standard error.
#[derive(Debug, Clone, Copy)]
pub struct Mean {
    pub value: f64,
    pub error: f64,
}

impl Mean {
    pub fn of(values: &[f64]) -> Mean {
        let n = values.len() as f64;
        Mean { value: values.iter().sum::<f64>() / n, error: (variance(values) / (n - 1.0)).sqrt() }
    }
}

/// A method in a scenario.
pub struct Score {
    /// Correlation with the true activity, a draw each; 0 where the estimate is constant.
    pub correlations: Vec<f64>,
    pub correlation: Mean,
    /// Slope of the regression of the estimate on the truth: 1 is no bias of amplitude.
    pub gain: Mean,
    /// Share of samples in the interval of 1.96 standard errors around the estimate.
    pub coverage: Option<Mean>,
}

impl Score {
    pub fn new(solution: &Solution, draws: &[Draw]) -> Score {
        let mut correlations = Vec::new();
        let mut gains = Vec::new();
        let mut coverage = Vec::new();
        for (column, draw) in draws.iter().enumerate() {
            let estimate = solution.activity.column(column).to_vec();
            let covariance = covariance(&estimate, &draw.activity);
            let spread = (variance(&estimate) * variance(&draw.activity)).sqrt();
            correlations.push(if spread > 0.0 { covariance / spread } else { 0.0 });
            gains.push(covariance / variance(&draw.activity));
            if let Some(errors) = &solution.standard_error {
                let samples = estimate.iter().zip(&draw.activity).zip(errors.column(column));
                // an error of 0 with an exact value is covered; rounding of the estimate is no miss
                let covered = samples.filter(|((e, t), s)| (**e - **t).abs() <= 1.96 * **s + 1e-9).count();
                coverage.push(covered as f64 / estimate.len() as f64);
            }
        }
        Score {
            correlation: Mean::of(&correlations),
            gain: Mean::of(&gains),
            coverage: (!coverage.is_empty()).then(|| Mean::of(&coverage)),
            correlations,
        }
    }
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / n
}

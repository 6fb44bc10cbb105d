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

/// A method on one draw.
#[derive(Debug, Clone, Copy)]
pub struct DrawScore {
    /// Correlation with the true activity; 0 where the estimate is constant.
    pub correlation: f64,
    /// Slope of the regression of the estimate on the truth: 1 is no bias of amplitude.
    gain: f64,
    /// Share of samples in the interval of 1.96 standard errors around the estimate.
    coverage: Option<f64>,
}

impl DrawScore {
    /// Of each draw.
    pub fn all(solution: &Solution, draws: &[Draw]) -> Vec<DrawScore> {
        let one = |(column, draw): (usize, &Draw)| {
            let estimate = solution.activity.column(column).to_vec();
            let covariance = covariance(&estimate, &draw.activity);
            let spread = (variance(&estimate) * variance(&draw.activity)).sqrt();
            let coverage = solution.standard_error.as_ref().map(|errors| {
                let samples = estimate.iter().zip(&draw.activity).zip(errors.column(column));
                // an error of 0 with an exact value is covered; rounding of the estimate is no miss
                let covered = samples.filter(|((e, t), s)| (**e - **t).abs() <= 1.96 * **s + 1e-9).count();
                covered as f64 / estimate.len() as f64
            });
            DrawScore {
                correlation: if spread > 0.0 { covariance / spread } else { 0.0 },
                gain: covariance / variance(&draw.activity),
                coverage,
            }
        };
        draws.iter().enumerate().map(one).collect()
    }
}

/// A method in a scenario.
pub struct Score {
    pub correlation: Mean,
    pub gain: Mean,
    pub coverage: Option<Mean>,
}

impl Score {
    pub fn of(draws: &[DrawScore]) -> Score {
        let mean = |value: fn(&DrawScore) -> f64| Mean::of(&draws.iter().map(value).collect::<Vec<_>>());
        let coverage: Option<Vec<f64>> = draws.iter().map(|draw| draw.coverage).collect();
        Score {
            correlation: mean(|draw| draw.correlation),
            gain: mean(|draw| draw.gain),
            coverage: coverage.map(|shares| Mean::of(&shares)),
        }
    }
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / n
}

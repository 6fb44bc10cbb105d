//! Error rates that were counted, how sure they are, and whether they are what they ought to be.

use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

/// Probability of an interval.
const COVERAGE: f64 = 0.95;

/// A rate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ErrorRate {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Rates that are right enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

/// Whether a rate is right enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval is within the bounds.
    Inside,
    /// The whole interval is beyond them.
    Outside,
    /// Neither: more draws would tell.
    Undecided,
}

impl ErrorRate {
    /// Of shares counted in independent draws: their mean, its interval by Student's t. A single draw tells no interval.
    pub fn of_shares(shares: &[f64]) -> Self {
        let n = shares.len() as f64;
        let value = shares.iter().sum::<f64>() / n;
        let squares = shares.iter().map(|share| (share - value).powi(2)).sum::<f64>();
        let Ok(reference) = StudentsT::new(0.0, 1.0, n - 1.0) else { return Self { value, low: 0.0, high: 1.0 } };
        let reach = reference.inverse_cdf(0.5 + COVERAGE / 2.0) * (squares / (n - 1.0) / n).sqrt();
        Self { value, low: (value - reach).max(0.0), high: (value + reach).min(1.0) }
    }

    /// Of `count` among `n` independent draws, the interval that of Clopper and Pearson (1934, doi 10.1093/biomet/26.4.404).
    pub fn of_count(count: usize, n: usize) -> Self {
        let quantile = |a: usize, b: usize, p: f64| Beta::new(a as f64, b as f64).map(|beta| beta.inverse_cdf(p));
        let tail = (1.0 - COVERAGE) / 2.0;
        Self {
            value: count as f64 / n.max(1) as f64,
            low: quantile(count, n + 1 - count.min(n), tail).unwrap_or(0.0),
            high: quantile(count + 1, n - count.min(n), 1.0 - tail).unwrap_or(1.0),
        }
    }

    /// One minus it.
    #[must_use]
    pub fn complement(self) -> Self {
        Self { value: 1.0 - self.value, low: 1.0 - self.high, high: 1.0 - self.low }
    }

    /// Whether it is right enough.
    pub fn verdict(&self, bounds: Bounds) -> Verdict {
        if self.low >= bounds.low && self.high <= bounds.high {
            Verdict::Inside
        } else if self.high < bounds.low || self.low > bounds.high {
            Verdict::Outside
        } else {
            Verdict::Undecided
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_count_is_that_of_clopper_and_pearson() {
        // scipy.stats.binomtest(5, 100).proportion_ci(method="exact")
        let rate = ErrorRate::of_count(5, 100);
        assert!((rate.low - 0.016_431_9).abs() < 1e-6 && (rate.high - 0.112_834_9).abs() < 1e-6, "{rate:?}");
        // 1 - .025^(1/20)
        let none = ErrorRate::of_count(0, 20);
        assert!(none.low == 0.0 && (none.high - (1.0 - 0.025_f64.powf(0.05))).abs() < 1e-9, "{none:?}");
        let all = ErrorRate::of_count(20, 20);
        assert!(all.high == 1.0 && (all.low - 0.025_f64.powf(0.05)).abs() < 1e-9, "{all:?}");
    }

    #[test]
    fn the_interval_of_shares_is_that_of_their_mean() {
        // mean .05, standard deviation .01 / sqrt(2), t of 2 degrees of freedom 4.302653
        let rate = ErrorRate::of_shares(&[0.04, 0.05, 0.06]);
        assert!((rate.value - 0.05).abs() < 1e-15);
        assert!((rate.high - 0.05 - 4.302_652_7 * 0.01 / 3.0_f64.sqrt()).abs() < 1e-8, "{rate:?}");
        assert_eq!(ErrorRate::of_shares(&[0.2]), ErrorRate { value: 0.2, low: 0.0, high: 1.0 });
    }

    #[test]
    fn a_verdict_needs_the_whole_interval() {
        let bounds = Bounds { low: 0.04, high: 0.06 };
        let rate = |low, high| ErrorRate { value: f64::midpoint(low, high), low, high }.verdict(bounds);
        assert_eq!(rate(0.045, 0.055), Verdict::Inside);
        assert_eq!(rate(0.055, 0.065), Verdict::Undecided);
        assert_eq!(rate(0.065, 0.07), Verdict::Outside);
        assert_eq!(rate(0.01, 0.03), Verdict::Outside);
    }
}

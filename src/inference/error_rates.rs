//! Error rates that were counted, how sure they are, and whether they are what they ought to be.

use super::incomplete_beta::IncompleteBeta;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

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
    /// Of shares counted in independent draws: their mean. The interval is that of Clopper and Pearson at the number of independent
    /// trials that the spread between draws amounts to, made less by Student's t where draws are few (Korn & Graubard 1998, Survey
    /// Methodology 24): a share of nothing is not known to be nothing. `more_variance` is what the mean is uncertain by besides.
    pub fn of_shares(shares: &[f64], more_variance: f64) -> Self {
        let n = shares.len() as f64;
        let value = (shares.iter().sum::<f64>() / n).clamp(0.0, 1.0);
        let squares = shares.iter().map(|share| (share - value).powi(2)).sum::<f64>();
        let (Ok(few), Ok(many)) = (StudentsT::new(0.0, 1.0, n - 1.0), Normal::new(0.0, 1.0)) else {
            return Self { value, low: 0.0, high: 1.0 };
        };
        let tail = f64::midpoint(1.0, COVERAGE);
        let fewer = (many.inverse_cdf(tail) / few.inverse_cdf(tail)).powi(2);
        let variance = squares / (n - 1.0) / n + more_variance;
        // shares that are all the same but for rounding say nothing of how they spread
        let spreads = squares > n * (8.0 * f64::EPSILON * value).powi(2);
        let trials = if spreads { value * (1.0 - value) / variance } else { n };
        Self::of_trials(value, fewer * trials)
    }

    /// Of `count` among `n` independent draws.
    pub fn of_count(count: usize, n: usize) -> Self {
        Self::of_trials(count as f64 / n.max(1) as f64, n as f64)
    }

    /// The interval of Clopper and Pearson (1934, doi 10.1093/biomet/26.4.404), also of numbers that are not whole.
    fn of_trials(value: f64, trials: f64) -> Self {
        let count = value * trials;
        let tail = (1.0 - COVERAGE) / 2.0;
        Self {
            value,
            low: if value > 0.0 { beta_quantile(count, trials - count + 1.0, tail) } else { 0.0 },
            high: if value < 1.0 { beta_quantile(count + 1.0, trials - count, 1.0 - tail) } else { 1.0 },
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

/// Quantile of a beta distribution, by halving: statrs' search does not end for some numbers that are not whole.
fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    let beta = IncompleteBeta::new(a, b);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..80 {
        let x = f64::midpoint(low, high);
        if beta.split((1.0 - x) / x).upper < p { low = x } else { high = x }
    }
    f64::midpoint(low, high)
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
    fn the_interval_of_many_shares_is_that_of_their_mean() {
        // mean .05, standard error .0005: 190,000 trials, where Clopper and Pearson's is the normal one
        let shares: Vec<f64> = (0..400).map(|draw| if draw % 2 == 0 { 0.04 } else { 0.06 }).collect();
        let rate = ErrorRate::of_shares(&shares, 0.0);
        let reach = 1.966 * 0.01 / 399.0_f64.sqrt();
        assert!((rate.value - 0.05).abs() < 1e-12);
        assert!((rate.high - 0.05 - reach).abs() < 0.02 * reach && (0.05 - rate.low - reach).abs() < 0.02 * reach);
        let wider = ErrorRate::of_shares(&shares, (3.0 * 0.01 / 399.0_f64.sqrt()).powi(2));
        // and a little longer above than below, as of a small share it must be
        let wider = [wider.high - 0.05, 0.05 - wider.low].map(|own| own / reach / 10.0_f64.sqrt());
        assert!((1.0..1.05).contains(&wider[0]) && (0.95..1.0).contains(&wider[1]), "{wider:?}");
    }

    #[test]
    fn shares_of_nothing_are_as_uncertain_as_their_number() {
        let none = ErrorRate::of_shares(&[0.0; 50], 0.0);
        assert!(none.low == 0.0 && (0.06..0.08).contains(&none.high), "{none:?}");
        let same = ErrorRate::of_shares(&[0.2; 50], 0.0);
        assert!((0.08..0.12).contains(&same.low) && (0.3..0.36).contains(&same.high), "{same:?}");
        assert_eq!(ErrorRate::of_shares(&[0.2], 0.0), ErrorRate { value: 0.2, low: 0.0, high: 1.0 });
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

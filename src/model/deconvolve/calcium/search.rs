//! Time constants by the fit they give: the kernel of least information criterion.
//!
//! ```text
//! BIC = T log(|y - b - c|^2 / T) + log(T) n        n: spikes above 0, at lambda = threshold sigma |h|
//! ```
//!
//! The autocovariance takes bursts for slow decay: spikes that are not white bias it without limit. Here every kernel is fitted
//! exactly, and pays for the spikes that it needs, which are its degrees of freedom (Zou, Hastie and Tibshirani 2007, doi
//! 10.1214/009053607000000127; Schwarz 1978, doi 10.1214/aos/1176344136): too fast a decay needs spikes to hold calcium up, too
//! fast a rise needs several in a row, and what is too slow misses the data. The penalty is in units of the response's norm, so
//! that kernels of all durations are penalised alike.
//!
//! It likes few spikes: on simulated isolated spikes the decay comes out up to 0.43 octaves (35 %) too long, on bursts less.
//!
//! The criterion jumps where a spike enters, so it is searched by comparison alone: a row of decays an octave apart, shortest first, until
//! two bring nothing; then steps
//! of halving size about the best. The result is the best of a path to steps of a quarter octave.

use super::kernel::Coefficients;
use super::penalty::threshold;
use super::solver::Solver;

/// Decays tried at first, in octaves of samples: 2 to 512 samples, as far as a tenth of the series.
const OCTAVES: std::ops::RangeInclusive<u8> = 1..=9;
/// Of the slowest rise, how many octaves it is faster than the decay: an eighth. GCaMP6f and GCaMP6s decay 14
/// and 11 times as slowly as they rise, by the times to peak and half decay of Chen et al. 2013 (doi 10.1038/nature12354);
/// without a bound, bursts pass for a slow rise.
const LEAST_RATIO: f64 = 3.0;
/// Of the first kernels of order 2, how many octaves the rise is faster than the decay.
const RISE_BELOW_DECAY: f64 = 3.0;
/// Decays in a row without a better fit after which longer ones are not tried.
const ENOUGH_WORSE: usize = 2;
/// Sizes of steps, in octaves.
const STEPS: [f64; 3] = [1.0, 0.5, 0.25];
/// Moves at one size; the best is held by the row of decays within two.
const MOST_MOVES: usize = 8;

/// Time constants in octaves of samples: `log2 tau`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    decay: f64,
    /// None for order 1.
    rise: Option<f64>,
}

impl Place {
    /// `None` where it is outside of what a series can tell.
    fn kernel(self, samples: usize) -> Option<Coefficients> {
        let tau = |octaves: f64| libm::exp2(octaves);
        // A rise below a third of a sample is none.
        let valid = tau(self.decay) * 10.0 <= samples as f64
            && self.rise.is_none_or(|r| r >= -1.5 && r <= self.decay - LEAST_RATIO);
        if valid { Coefficients::of_time_constants(self.rise.map(tau), tau(self.decay), 1.0).ok() } else { None }
    }

    fn neighbours(self, step: f64) -> Vec<Self> {
        let mut places: Vec<Self> = [-step, step].map(|by| Self { decay: self.decay + by, ..self }).into();
        if let Some(rise) = self.rise {
            places.extend([-step, step].map(|by| Self { rise: Some(rise + by), ..self }));
            places.push(Self { decay: self.decay + step, rise: Some(rise - step) });
            places.push(Self { decay: self.decay - step, rise: Some(rise + step) });
        }
        places
    }
}

/// The best kernel of this order, in samples; `None` where the series is too short for any.
pub(super) fn best_kernel(y: &[f64], order: usize, sigma: f64, thresholds: f64) -> Option<Coefficients> {
    let mut solver = None;
    let mut seen: Vec<(Place, f64)> = Vec::new();
    let mut criterion = |place: Place| -> Option<f64> {
        if let Some((_, known)) = seen.iter().find(|(other, _)| *other == place) {
            return Some(*known);
        }
        let kernel = place.kernel(y.len())?;
        let mut warm: Solver<'_> = match solver.take() {
            Some(solver) => Solver::with_kernel(solver, kernel),
            None => Solver::new(kernel, y),
        };
        let fit = warm.fit(threshold(&kernel, y.len(), sigma, thresholds));
        solver = Some(warm);
        let samples = y.len() as f64;
        let square: f64 = fit.residual(y).iter().map(|r| r * r).sum();
        let spikes = fit.spikes.iter().filter(|&&spike| spike > 0.0).count() as f64;
        let found = samples * libm::log(square / samples) + libm::log(samples) * spikes;
        // Infinite where the fit did not converge: it would not compare.
        let found = if fit.converged { found } else { f64::INFINITY };
        seen.push((place, found));
        Some(found)
    };
    let mut best: Option<(Place, f64)> = None;
    let mut worse = 0;
    for octave in OCTAVES {
        let decay = f64::from(octave);
        let place = Place { decay, rise: (order == 2).then_some(decay - RISE_BELOW_DECAY) };
        let before = best;
        best = better(best, place, criterion(place));
        worse = if best.is_some() && best == before { worse + 1 } else { 0 };
        if worse == ENOUGH_WORSE {
            break;
        }
    }
    for step in STEPS {
        for _ in 0..MOST_MOVES {
            let before = best?;
            for place in before.0.neighbours(step) {
                best = better(best, place, criterion(place));
            }
            if best == Some(before) {
                break;
            }
        }
    }
    best?.0.kernel(y.len())
}

fn better(best: Option<(Place, f64)>, place: Place, found: Option<f64>) -> Option<(Place, f64)> {
    match (best, found) {
        (Some((_, least)), Some(found)) if found >= least => best,
        (_, Some(found)) => Some((place, found)),
        (_, None) => best,
    }
}

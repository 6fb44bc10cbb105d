//! The spectrum of noise, from residuals that a design has taken its share of.
//!
//! Spectra are averages over sine tapers (Riedel & Sidorenko 1995, doi 10.1109/78.365298), which keep the strong low frequencies
//! of noise out of the others, at the true times of the frames that were kept. Residuals `R y` show `R V R` in place of `V`: the
//! spectrum is scaled, again and again, by the ratio of what is seen to what its own `R V R` would show. Where the design leaves
//! little, at the frequencies of drift, nothing is known; there the spectrum goes on from where it is known.

use super::residual_covariance;
use crate::model::linalg::product;
use ndarray::Array2;

/// Tapers: their number over twice the length of the run is how finely a spectrum is seen, 1/100 Hz in 300 s.
const TAPERS: usize = 5;

/// Share of white noise at a frequency below which a spectrum is not known there.
const LEAST_LEFT: f64 = 0.5;

/// After so many corrections what is seen and what is expected agree to a percent.
const CORRECTIONS: usize = 6;

/// What a design leaves of noise at some frames.
pub(super) struct Residualised<'a> {
    q: &'a Array2<f64>,
    times: &'a [usize],
    /// Sum over tapers of the products of their values at two frames.
    tapers: Array2<f64>,
    /// From the first frame to the last.
    n: usize,
    /// Cosines of a turn, a `2 n`th apart.
    cosines: Vec<f64>,
    /// What is seen of white noise of variance 1.
    white: Vec<f64>,
    /// Whether enough of it is seen.
    known: Vec<bool>,
}

impl<'a> Residualised<'a> {
    /// For an orthonormal basis of a design at frames `times` repetition times from the first.
    pub(super) fn new(q: &'a Array2<f64>, times: &'a [usize]) -> Self {
        let n = times.last().map_or(1, |last| last + 1);
        let taper = |k: usize, time: usize| {
            let turn = std::f64::consts::PI * ((k + 1) * (time + 1)) as f64 / (n + 1) as f64;
            (2.0 / (n + 1) as f64).sqrt() * libm::sin(turn)
        };
        let values = Array2::from_shape_fn((times.len(), TAPERS), |(frame, k)| taper(k, times[frame]));
        let cosines = (0..2 * n).map(|at| libm::cos(std::f64::consts::PI * at as f64 / n as f64)).collect();
        let mut all =
            Self { q, times, tapers: product(&values, &values.t()), n, cosines, white: Vec::new(), known: Vec::new() };
        let untouched = all.seen(&Array2::eye(times.len()));
        all.white = all.seen(&residual_covariance(&Array2::eye(times.len()), q));
        all.known = all.white.iter().zip(untouched).map(|(left, all)| *left >= LEAST_LEFT * all).collect();
        all
    }

    /// Repetition times from the first frame to each.
    pub(super) fn times(&self) -> &[usize] {
        self.times
    }

    /// Correlations at lags from 0 of the noise whose residuals have this mean outer product, kept frame x kept frame.
    pub(super) fn correlations(&self, outer: &Array2<f64>) -> Vec<f64> {
        let seen = self.seen(outer);
        let mut spectrum: Vec<f64> = seen.iter().zip(&self.white).map(|(seen, white)| seen / white).collect();
        self.fill(&mut spectrum);
        let mut correlations = self.of_spectrum(&spectrum);
        for _ in 0..CORRECTIONS {
            let left = residual_covariance(&self.covariance(&correlations), self.q);
            // residuals are of length 1, whatever the variance of the noise
            let scale = left.diag().sum() / outer.diag().sum().max(f64::MIN_POSITIVE);
            for (power, (seen, expected)) in spectrum.iter_mut().zip(seen.iter().zip(self.seen(&left))) {
                *power *= scale * seen / expected;
            }
            self.fill(&mut spectrum);
            correlations = self.of_spectrum(&spectrum);
        }
        correlations
    }

    /// Sum of the variances of the residuals of noise with these correlations.
    pub(super) fn trace_left(&self, correlations: &[f64]) -> f64 {
        residual_covariance(&self.covariance(correlations), self.q).diag().sum()
    }

    fn covariance(&self, correlations: &[f64]) -> Array2<f64> {
        let n = self.times.len();
        Array2::from_shape_fn((n, n), |(i, j)| correlations[self.times[i].abs_diff(self.times[j])])
    }

    /// Tapered spectrum of noise of this covariance at 0, 1/2n, ... 1/2 cycles a frame.
    fn seen(&self, covariance: &Array2<f64>) -> Vec<f64> {
        let mut by_lag = vec![0.0; self.n];
        for (i, now) in self.times.iter().enumerate() {
            for (j, before) in self.times[..=i].iter().enumerate() {
                by_lag[now - before] += self.tapers[(i, j)] * covariance[(i, j)];
            }
        }
        self.cosine_sum(&by_lag)
    }

    /// `a_0 + 2 sum_k a_k cos(pi j k / n)` for j from 0 to n.
    fn cosine_sum(&self, a: &[f64]) -> Vec<f64> {
        let at = |j: usize| {
            let later = a.iter().enumerate().skip(1);
            a[0] + 2.0 * later.map(|(k, a)| a * self.cosines[j * k % (2 * self.n)]).sum::<f64>()
        };
        (0..=self.n).map(at).collect()
    }

    /// Correlations of a spectrum; positive definite where it is positive.
    fn of_spectrum(&self, spectrum: &[f64]) -> Vec<f64> {
        let mut halved = spectrum.to_vec();
        halved[self.n] *= 0.5;
        // the last frequency counts once, those between twice
        let mut all = self.cosine_sum(&halved);
        let variance = all[0];
        for value in &mut all {
            *value /= variance;
        }
        all.truncate(self.n);
        all
    }

    /// Puts at each frequency that is not known what the nearest known ones say, and nothing below a millionth of the largest.
    fn fill(&self, spectrum: &mut [f64]) {
        let known: Vec<usize> = (0..spectrum.len()).filter(|&at| self.known[at]).collect();
        let Some((&first, &last)) = known.first().zip(known.last()) else {
            spectrum.fill(1.0); // a design that leaves nothing of any frequency
            return;
        };
        let least = 1e-6 * known.iter().map(|&at| spectrum[at]).fold(0.0, f64::max);
        for &at in &known {
            spectrum[at] = spectrum[at].max(least);
        }
        let (low, high) = (spectrum[first], spectrum[last]);
        spectrum[..first].fill(low);
        spectrum[last..].fill(high);
        for pair in known.windows(2) {
            let (before, after) = (libm::log(spectrum[pair[0]]), libm::log(spectrum[pair[1]]));
            for (step, power) in spectrum[pair[0]..pair[1]].iter_mut().enumerate().skip(1) {
                let share = step as f64 / (pair[1] - pair[0]) as f64;
                *power = libm::exp(before + share * (after - before));
            }
        }
    }
}

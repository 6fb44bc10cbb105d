//! The noise of a fluorescence series, from frequencies at which calcium has no power.
//!
//! ```text
//! sigma^2 = mean of the power spectral density over frequencies in (1/4, 1/2) cycles a sample
//! ```
//!
//! (Pnevmatikakis et al. 2016, doi 10.1016/j.neuron.2015.11.037.) The density is Welch's: Hann windows of 256 samples that overlap
//! by half, each with its mean removed. With so few frequencies wanted, sums over a table of cosines serve for a transform.

use std::f64::consts::TAU;

/// Samples of a window.
const WINDOW: usize = 256;

/// Standard deviation of white noise in `y`; 0 for fewer than 8 samples.
pub(super) fn noise_sd(y: &[f64]) -> f64 {
    let length = WINDOW.min(y.len());
    if length < 8 {
        return 0.0;
    }
    let angle = |n: usize| TAU * n as f64 / length as f64;
    let table: Vec<(f64, f64)> = (0..length).map(|n| (libm::cos(angle(n)), libm::sin(angle(n)))).collect();
    let taper: Vec<f64> = table.iter().map(|(cosine, _)| 0.5 - 0.5 * cosine).collect();
    let energy: f64 = taper.iter().map(|w| w * w).sum();
    // Strictly between a quarter and a half.
    let frequencies = length / 4 + 1..length.div_ceil(2);
    let mut powers = Vec::new();
    let mut start = 0;
    while let Some(window) = y.get(start..start + length) {
        let mean = window.iter().sum::<f64>() / length as f64;
        let tapered: Vec<f64> = window.iter().zip(&taper).map(|(y, w)| (y - mean) * w).collect();
        powers.extend(frequencies.clone().map(|k| power(&tapered, &table, k) / energy));
        start += length.div_ceil(2);
    }
    libm::sqrt(powers.iter().sum::<f64>() / powers.len() as f64)
}

/// `|sum x_n exp(-2 pi i k n / N)|^2`, with the table of one turn.
fn power(x: &[f64], table: &[(f64, f64)], k: usize) -> f64 {
    let (mut real, mut imaginary, mut place) = (0.0, 0.0, 0);
    for x in x {
        let (cosine, sine) = table[place];
        real += x * cosine;
        imaginary += x * sine;
        place += k;
        if place >= table.len() {
            place -= table.len();
        }
    }
    real * real + imaginary * imaginary
}

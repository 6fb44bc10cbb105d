//! Which support of the path: the criterion, and the level of the noise from the data's fine scale.

/// What a support of `size` out of `candidates` costs: `dof ln(RSS / dof) + size ln(dof) + 2 extent ln C(candidates, size)`.
///
/// With `extent` 0 the Bayesian information criterion; with more, the extended one (Chen & Chen 2008,
/// doi 10.1093/biomet/asn034), which counts how many supports of that size there are.
#[derive(Debug, Clone)]
pub(super) struct Criterion {
    dof: f64,
    /// What a support costs by its size.
    by_size: Vec<f64>,
}

impl Criterion {
    pub(super) fn new(dof: usize, candidates: usize, extent: f64) -> Criterion {
        // At half the dimension of the data and more, a noise level can no longer be told from a fit to noise.
        let most = candidates.min(dof / 2);
        let dof = dof as f64;
        let cost = |size: usize| size as f64 * dof.ln() + 2.0 * extent * log_choices(candidates, size);
        Criterion { dof, by_size: (0..=most).map(cost).collect() }
    }

    /// Size of the largest support considered.
    pub(super) fn most(&self) -> usize {
        self.by_size.len() - 1
    }

    /// Infinite for a support that is too large.
    pub(super) fn score(&self, size: usize, residual_square: f64) -> f64 {
        self.by_size.get(size).map_or(f64::INFINITY, |cost| self.dof * (residual_square / self.dof).ln() + cost)
    }
}

/// `ln C(n, k)`.
pub(super) fn log_choices(n: usize, k: usize) -> f64 {
    let k = k.min(n);
    libm::lgamma(n as f64 + 1.0) - libm::lgamma(k as f64 + 1.0) - libm::lgamma((n - k) as f64 + 1.0)
}

/// High-pass filter of the Daubechies wavelet with three vanishing moments (Daubechies 1988, doi 10.1002/cpa.3160410705):
/// quadratic trends pass it as zero.
const WAVELET: [f64; 6] = [
    -0.332_670_552_950_956_9,
    0.806_891_509_313_338_8,
    -0.459_877_502_119_331_3,
    -0.135_011_020_010_390_84,
    0.085_441_273_882_241_49,
    0.035_226_291_882_100_656,
];

/// Median absolute deviation of a standard normal variable.
const DEVIATION_OF_NORMAL: f64 = 0.674_489_750_196_081_7;

/// Standard deviation of white noise in `data`, from the median absolute deviation of its finest wavelet scale, at every
/// shift (Donoho & Johnstone 1994, doi 10.1093/biomet/81.3.425): activity is smooth after convolution and hardly reaches it.
pub(super) fn noise_level(data: &[f64], details: &mut Vec<f64>) -> f64 {
    details.clear();
    let detail = |window: &[f64]| window.iter().zip(WAVELET).map(|(y, w)| y * w).sum::<f64>().abs();
    details.extend(data.windows(WAVELET.len()).map(detail));
    median(details) / DEVIATION_OF_NORMAL
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values {
        [] => 0.0,
        _ if values.len() % 2 == 1 => values[half],
        _ => 0.5 * (values[half - 1] + values[half]),
    }
}

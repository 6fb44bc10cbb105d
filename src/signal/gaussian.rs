//! Sampled Gaussian kernels and the half-sample symmetric boundary.
//!
//! `w_d = exp(-d^2 / (2 sigma^2)) / sum`, d = -r..r, r = int(4 sigma + 1/2): the kernel, its truncation and
//! its normalisation are those of `scipy.ndimage.gaussian_filter1d`, which nilearn smooths with.

/// Standard deviations at which a smoothing kernel is cut.
pub const TRUNCATE: f64 = 4.0;

/// Standard deviation of a Gaussian whose full width at half maximum is `fwhm`, in the same unit:
/// `fwhm / sqrt(8 ln 2)`.
pub fn sigma_of_fwhm(fwhm: f64) -> f64 {
    fwhm / (8.0 * std::f64::consts::LN_2).sqrt()
}

/// Full kernel of `2 r + 1` weights summing to 1, `r = int(truncate sigma + 1/2)`; `sigma` in samples.
///
/// A radius of 0, and `sigma <= 0`, give the identity, `[1.0]`. With a centre, and with checks of what the user may
/// have written: [`SampledKernel::gaussian`](super::kernel::SampledKernel::gaussian).
pub fn gaussian_kernel(sigma: f64, truncate: f64) -> Vec<f64> {
    let radius = (truncate * sigma + 0.5) as i64;
    // also where sigma^2 underflows and the exponent would be 0 / 0
    if sigma <= 0.0 || radius == 0 {
        return vec![1.0];
    }
    let mut kernel: Vec<f64> = (-radius..=radius).map(|d| libm::exp(-0.5 / (sigma * sigma) * (d * d) as f64)).collect();
    let sum: f64 = kernel.iter().sum();
    for weight in &mut kernel {
        *weight /= sum;
    }
    kernel
}

/// The sample that stands at `position` when `length` samples are continued by reflection about the outer edges
/// of the end samples (`.. b a | a b c | c b ..`), as often as needed.
pub fn reflect_index(position: isize, length: usize) -> usize {
    let period = 2 * length.cast_signed();
    let within = position.rem_euclid(period.max(1)).cast_unsigned();
    if within < length { within } else { 2 * length - 1 - within }
}

/// Convolves one line of samples with a full symmetric kernel of odd length, edges reflected.
///
/// The centre is added first, then pairs from the farthest in, so that small terms are not lost.
pub fn convolve_reflected(line: &[f64], kernel: &[f64], out: &mut [f64]) {
    let radius = kernel.len() / 2;
    for (position, value) in out.iter_mut().enumerate() {
        let at = |d: isize| line[reflect_index(position.cast_signed() + d, line.len())];
        *value = line[position] * kernel[radius];
        for d in (1..=radius).rev() {
            *value += kernel[radius - d] * (at(-d.cast_signed()) + at(d.cast_signed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_the_width_is_where_half_the_height_is() {
        let sigma = sigma_of_fwhm(6.0);
        assert!(((-0.5 * (3.0 / sigma).powi(2)).exp() - 0.5).abs() < 1e-15);
        assert!((sigma_of_fwhm(1.0) - 0.424_660_900_144_009_5).abs() < 1e-16);
    }

    #[test]
    fn radius_follows_scipy() {
        // (sigma, radius) of scipy.ndimage.gaussian_filter1d, truncate 4
        for (sigma, radius) in [(0.1, 0), (0.125, 1), (0.424_66, 2), (1.0, 4), (1.061_7, 4), (1.2, 5), (10.0, 40)] {
            assert_eq!(gaussian_kernel(sigma, TRUNCATE).len(), 2 * radius + 1, "sigma {sigma}");
        }
        assert_eq!(gaussian_kernel(0.0, TRUNCATE), [1.0]);
        assert_eq!(gaussian_kernel(1e-170, TRUNCATE), [1.0]);
    }

    #[test]
    fn reflection_repeats_the_edge_sample_and_turns_round_as_often_as_needed() {
        let seen: Vec<usize> = (-7..10).map(|position| reflect_index(position, 3)).collect();
        assert_eq!(seen, [0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2]);
        assert!((-5..5).all(|position| reflect_index(position, 1) == 0));
    }

    proptest! {
        #[test]
        fn kernels_are_symmetric_positive_and_sum_to_one(sigma in 0.0..12.0_f64) {
            let kernel = gaussian_kernel(sigma, TRUNCATE);
            let mirrored: Vec<f64> = kernel.iter().rev().copied().collect();
            prop_assert_eq!(&kernel, &mirrored);
            prop_assert!(kernel.iter().all(|weight| *weight > 0.0));
            // 97 weights at most: rounding of the sum stays below 97 x 2^-53
            prop_assert!((kernel.iter().sum::<f64>() - 1.0).abs() < 1.1e-14);
        }

        #[test]
        fn reflection_keeps_the_mass_of_a_line(
            line in prop::collection::vec(-100.0..100.0_f64, 1..20), sigma in 0.0..4.0_f64
        ) {
            // The reflected operator is symmetric with row sums of 1, hence column sums of 1.
            let mut out = vec![0.0; line.len()];
            convolve_reflected(&line, &gaussian_kernel(sigma, TRUNCATE), &mut out);
            prop_assert!((out.iter().sum::<f64>() - line.iter().sum::<f64>()).abs() < 1e-10);
        }
    }
}

//! Sampled kernels: weights, and which of them falls on the sample that is being computed.
//!
//! A kernel with weights `k[j]`, `j = 0..K`, and centre `c` gives
//!
//! ```text
//! y[n] = sum_j k[j] x[n + c - j]
//! ```
//!
//! so weight `c` meets sample `n` itself, later weights meet the past of the signal and earlier weights its future.
//! With `c = 0` the kernel is causal: `y[n]` depends on `x[n], x[n-1], ...` alone, and an impulse at `m` is answered at
//! `m` and after. All widths are in samples; whoever knows the sampling interval divides by it.

use super::gaussian::{TRUNCATE, gaussian_kernel};

/// Most weights a kernel may have: 2^24, 128 MB. A wish for more is a mistake of units.
pub const MOST_WEIGHTS: usize = 1 << 24;

/// Time constants at which the exponential kernel is cut: what is cut off has `exp(-10) = 4.5e-5` of the mass, as
/// little as the Gaussian loses at 4 standard deviations (6.3e-5).
pub const EXPONENTIAL_TRUNCATE: f64 = 10.0;

/// Time constants at which the alpha kernel is cut: beyond lies `13 exp(-12) = 8.0e-5` of the mass.
pub const ALPHA_TRUNCATE: f64 = 12.0;

/// Why there is no such kernel.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KernelError {
    /// A kernel without weights.
    #[error("a kernel needs at least one weight")]
    Empty,
    /// A weight that is infinite or not a number.
    #[error("weight {index} of the kernel is {value}: weights must be finite")]
    NotFinite {
        /// Which weight, from 0.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// A centre beyond the last weight.
    #[error("the kernel's centre is weight {centre}, but it has {length} weights (0 to {})", length - 1)]
    CentreOutside {
        /// The centre asked for.
        centre: usize,
        /// Weights there are.
        length: usize,
    },
    /// A width out of its range.
    #[error("the kernel's {what} is {value}: expected a finite number {expected}")]
    Width {
        /// Which width.
        what: &'static str,
        /// What it is, in samples.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// A width that asks for more than [`MOST_WEIGHTS`] weights.
    #[error("a kernel of {weights} weights is too long: at most {MOST_WEIGHTS} (is the width in samples?)")]
    TooLong {
        /// How many it would be.
        weights: f64,
    },
}

/// How high a box is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoxScale {
    /// Weights `1 / length`: a moving average.
    UnitSum,
    /// Weights 1: a moving sum.
    UnitHeight,
}

/// Weights and the index of the one that meets the sample being computed; finite, and at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledKernel {
    weights: Vec<f64>,
    centre: usize,
}

impl SampledKernel {
    /// A kernel of any weights whose weight `centre` meets the sample being computed.
    ///
    /// # Errors
    /// No weights, one that is not finite, or a centre outside them.
    pub fn new(weights: Vec<f64>, centre: usize) -> Result<Self, KernelError> {
        if weights.is_empty() {
            return Err(KernelError::Empty);
        }
        if let Some((index, value)) = weights.iter().enumerate().find(|(_, weight)| !weight.is_finite()) {
            return Err(KernelError::NotFinite { index, value: *value });
        }
        if centre >= weights.len() {
            return Err(KernelError::CentreOutside { centre, length: weights.len() });
        }
        Ok(Self { weights, centre })
    }

    /// A kernel centred as `scipy.ndimage.convolve1d` centres it with `origin = 0`: at weight `K / 2`, rounded down. It
    /// is the middle of an odd kernel, and the later of the two in the middle of an even one.
    ///
    /// # Errors
    /// As [`SampledKernel::new`].
    pub fn centred(weights: Vec<f64>) -> Result<Self, KernelError> {
        let centre = weights.len() / 2;
        Self::new(weights, centre)
    }

    /// A causal kernel: its centre is its first weight.
    ///
    /// # Errors
    /// As [`SampledKernel::new`].
    pub fn causal(weights: Vec<f64>) -> Result<Self, KernelError> {
        Self::new(weights, 0)
    }

    /// The kernel that changes nothing: `[1]`.
    pub fn identity() -> Self {
        Self { weights: vec![1.0], centre: 0 }
    }

    /// A box of `length` equal weights, centred as by [`SampledKernel::centred`].
    ///
    /// # Errors
    /// A length of 0, or more than [`MOST_WEIGHTS`].
    pub fn boxcar(length: usize, scale: BoxScale) -> Result<Self, KernelError> {
        let length = weights_within_reason(length as f64)?;
        let height = match scale {
            BoxScale::UnitSum => 1.0 / length.max(1) as f64,
            BoxScale::UnitHeight => 1.0,
        };
        Self::centred(vec![height; length])
    }

    /// A box of unit sum, symmetric about its centre, of any width in samples: the weight at distance `d` is the share
    /// of the box `[-width/2, width/2]` in `[d - 1/2, d + 1/2]`. At an odd whole width all weights are equal; at others
    /// the two at the ends are smaller. A width below 1 is the identity.
    ///
    /// # Errors
    /// A width that is not finite, not above 0, or too long.
    pub fn symmetric_box(width: f64) -> Result<Self, KernelError> {
        let width = above_zero("width", width)?;
        let radius = libm::ceil((width - 1.0).max(0.0) / 2.0);
        let weights = (0..weights_within_reason(2.0 * radius + 1.0)?)
            .map(|index| (width / 2.0 + 0.5 - (index as f64 - radius).abs()).min(1.0))
            .collect();
        Self::centred(of_unit_sum(weights))
    }

    /// A Gaussian of unit sum, cut at four standard deviations: the weights of [`gaussian_kernel`], which are those of
    /// `scipy.ndimage.gaussian_filter1d`. `sigma = 0` is the identity.
    ///
    /// # Errors
    /// A `sigma` that is not finite, below 0, or too long.
    pub fn gaussian(sigma: f64) -> Result<Self, KernelError> {
        if !(sigma.is_finite() && sigma >= 0.0) {
            return Err(KernelError::Width { what: "sigma", value: sigma, expected: "that is not below 0" });
        }
        weights_within_reason(2.0 * libm::floor(TRUNCATE * sigma + 0.5) + 1.0)?;
        Self::centred(gaussian_kernel(sigma, TRUNCATE))
    }

    /// The causal half of a Gaussian, of unit sum: `k[d] = exp(-d^2 / (2 sigma^2)) / sum`, `d = 0..=int(4 sigma +
    /// 1/2)`.
    ///
    /// # Errors
    /// As [`SampledKernel::gaussian`].
    pub fn half_gaussian(sigma: f64) -> Result<Self, KernelError> {
        let Self { weights, centre } = Self::gaussian(sigma)?;
        Self::causal(of_unit_sum(weights.into_iter().skip(centre).collect()))
    }

    /// A causal exponential of unit sum, `k[d] = exp(-d / tau) / sum`, `d = 0..=int(10 tau + 1/2)`.
    ///
    /// # Errors
    /// A `tau` that is not finite, not above 0, or too long.
    pub fn exponential(tau: f64) -> Result<Self, KernelError> {
        let tau = above_zero("time constant", tau)?;
        let length = weights_within_reason(libm::floor(EXPONENTIAL_TRUNCATE * tau + 0.5) + 1.0)?;
        Self::causal(of_unit_sum((0..length).map(|d| libm::exp(-(d as f64) / tau)).collect()))
    }

    /// A causal alpha function, `t / tau^2 exp(-t / tau)` with its peak at `tau`: each weight is its mass over one
    /// sample, `k[d] ~ A(d + 1) - A(d)` with `A(t) = 1 - (1 + t / tau) exp(-t / tau)`, `d = 0..=int(12 tau + 1/2)`;
    /// unit sum (Dayan & Abbott 2001, Theoretical Neuroscience, section 1.2).
    ///
    /// # Errors
    /// As [`SampledKernel::exponential`].
    pub fn alpha(tau: f64) -> Result<Self, KernelError> {
        let tau = above_zero("time constant", tau)?;
        let length = weights_within_reason(libm::floor(ALPHA_TRUNCATE * tau + 0.5) + 1.0)?;
        // A(s + h) - A(s) = exp(-s) (A(h) + s (1 - exp(-h))) in units of tau, with A(h) of full precision
        let step = (1.0 / tau).min(1e3); // beyond, the first weight is all there is, and h exp(-h) must not be inf x 0
        let (first, slope) = (mass_of_alpha(step), -libm::expm1(-step));
        let mass = |d: usize| {
            let start = d as f64 * step;
            libm::exp(-start) * (first + start * slope)
        };
        Self::causal(of_unit_sum((0..length).map(mass).collect()))
    }

    /// The weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Index of the weight that meets the sample being computed.
    pub fn centre(&self) -> usize {
        self.centre
    }

    /// Sum of the weights.
    pub fn sum(&self) -> f64 {
        self.weights.iter().sum()
    }
}

/// `1 - (1 + h) exp(-h)`, the mass of an alpha function of unit time constant up to `h`.
///
/// Below 0.1 by its series `h^2 sum_i (-h)^i / (i! (i + 2))`, where the closed form loses half its digits.
fn mass_of_alpha(h: f64) -> f64 {
    if h > 0.1 {
        return -libm::expm1(-h) - h * libm::exp(-h);
    }
    let (mut term, mut sum) = (h * h, 0.0);
    // the tenth term is below 1e-16 of the first
    for i in 0..10 {
        sum += term / f64::from(i + 2);
        term *= -h / f64::from(i + 1);
    }
    sum
}

fn of_unit_sum(mut weights: Vec<f64>) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    weights
}

fn above_zero(what: &'static str, value: f64) -> Result<f64, KernelError> {
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(KernelError::Width { what, value, expected: "above 0" })
}

fn weights_within_reason(weights: f64) -> Result<usize, KernelError> {
    if weights <= MOST_WEIGHTS as f64 { Ok(weights as usize) } else { Err(KernelError::TooLong { weights }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One rounding of a division, and those of a sum of as many terms.
    fn rounding(kernel: &SampledKernel) -> f64 {
        (kernel.weights().len() + 1) as f64 * f64::EPSILON / 2.0
    }

    #[test]
    fn boxes_average_or_sum_and_are_centred_as_by_ndimage() {
        let average = SampledKernel::boxcar(5, BoxScale::UnitSum).unwrap();
        assert_eq!((average.weights(), average.centre()), (&[0.2; 5][..], 2));
        let sum = SampledKernel::boxcar(4, BoxScale::UnitHeight).unwrap();
        assert_eq!((sum.weights(), sum.centre()), (&[1.0; 4][..], 2));
        assert_eq!(SampledKernel::boxcar(0, BoxScale::UnitSum), Err(KernelError::Empty));
    }

    #[test]
    fn a_symmetric_box_has_the_width_asked_for() {
        assert_eq!(SampledKernel::symmetric_box(3.0).unwrap().weights(), [1.0 / 3.0; 3]);
        assert_eq!(SampledKernel::symmetric_box(4.0).unwrap().weights(), [0.125, 0.25, 0.25, 0.25, 0.125]);
        assert_eq!(SampledKernel::symmetric_box(0.3).unwrap(), SampledKernel::identity());
    }

    #[test]
    fn the_half_gaussian_is_the_later_half_of_the_gaussian() {
        let (full, half) = (SampledKernel::gaussian(2.3).unwrap(), SampledKernel::half_gaussian(2.3).unwrap());
        assert_eq!((full.centre(), half.centre(), half.weights().len()), (9, 0, 10));
        for (d, weight) in half.weights().iter().enumerate() {
            // the closed form: ratios to the first weight are the Gaussian's; two roundings each
            let ratio = (-0.5 * (d as f64 / 2.3).powi(2)).exp();
            assert!((weight / half.weights()[0] / ratio - 1.0).abs() < 1e-14, "{d}");
        }
    }

    #[test]
    fn the_exponential_is_a_geometric_series() {
        let kernel = SampledKernel::exponential(3.0).unwrap();
        let ratio = (-1.0_f64 / 3.0).exp();
        assert_eq!((kernel.centre(), kernel.weights().len()), (0, 31));
        let first = (1.0 - ratio) / (1.0 - ratio.powi(31));
        for (d, weight) in (0..).zip(kernel.weights()) {
            // relative rounding of the 31st power
            assert!((weight / (first * ratio.powi(d)) - 1.0).abs() < 32.0 * f64::EPSILON, "{d}");
        }
    }

    #[test]
    fn the_alpha_kernel_holds_the_masses_of_an_alpha_function() {
        // 0.05 and 5 take the closed form of the first mass, 25 its series; the midpoint rule needs no antiderivative
        for tau in [0.05, 5.0, 25.0] {
            let kernel = SampledKernel::alpha(tau).unwrap();
            let steps = 4000;
            let mass = |d: usize| -> f64 {
                let t = |i: i32| d as f64 + (f64::from(i) + 0.5) / f64::from(steps);
                (0..steps).map(|i| t(i) / (tau * tau) * (-t(i) / tau).exp() / f64::from(steps)).sum()
            };
            let masses: Vec<f64> = (0..kernel.weights().len()).map(mass).collect();
            let total: f64 = masses.iter().sum();
            for (weight, mass) in kernel.weights().iter().zip(&masses) {
                // the midpoint rule's error is h^2 / 24 times a second derivative of at most 3 / tau^3
                let quadrature = 3.0 / tau.powi(3) / 24.0 / 1.6e7;
                assert!((weight - mass / total).abs() < 2.0 * quadrature + 1e-14, "tau {tau}");
            }
        }
    }

    #[test]
    fn what_makes_no_kernel_is_refused() {
        assert_eq!(SampledKernel::new(vec![], 0), Err(KernelError::Empty));
        assert_eq!(SampledKernel::new(vec![1.0], 1), Err(KernelError::CentreOutside { centre: 1, length: 1 }));
        let infinite = SampledKernel::causal(vec![0.0, f64::INFINITY]);
        assert_eq!(infinite, Err(KernelError::NotFinite { index: 1, value: f64::INFINITY }));
        for width in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(SampledKernel::gaussian(width).is_err());
            assert!(SampledKernel::half_gaussian(width).is_err());
            assert!(SampledKernel::exponential(width).is_err());
            assert!(SampledKernel::alpha(width).is_err());
            assert!(SampledKernel::symmetric_box(width).is_err());
        }
        assert!(SampledKernel::exponential(0.0).is_err());
        assert!(matches!(SampledKernel::gaussian(1e12), Err(KernelError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn kernels_are_of_unit_sum_and_never_negative(width in 1e-3..40.0_f64) {
            for kernel in [
                SampledKernel::gaussian(width).unwrap(), SampledKernel::half_gaussian(width).unwrap(),
                SampledKernel::exponential(width).unwrap(), SampledKernel::alpha(width).unwrap(),
                SampledKernel::symmetric_box(width).unwrap(),
            ] {
                prop_assert!((kernel.sum() - 1.0).abs() <= rounding(&kernel));
                prop_assert!(kernel.weights().iter().all(|weight| *weight >= 0.0));
            }
        }
    }
}

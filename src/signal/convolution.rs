//! Convolution of a signal with a kernel, directly or by the fast Fourier transform.
//!
//! ```text
//! (x * k)[n] = sum_m x[m] k[n - m],    n = 0..N + K - 1,   x of N samples, k of K, both 0 elsewhere
//! ```
//!
//! Every sample `x[m]` starts a copy of the kernel at `m`, scaled by it, and the copies add up: an event at `m` with a
//! response `k` gives `k[0]` at once and `k[1]` a sample later. Seen from the output at `n`, the kernel is therefore
//! read backwards: `k[0]` meets the present, `k[j]` what happened `j` samples ago. That is the flip which tells
//! convolution from correlation, `sum_m x[m] k[m - n]`, in which `k[j]` meets the sample `j` *after* `n`. For a
//! symmetric kernel they are the same; for a causal one, correlation would let the response precede its cause.
//!
//! | [`Mode`] | samples | which of the full convolution's |
//! |----------|---------|---------------------------------|
//! | `Full`   | `N + K - 1` | all: wherever signal and kernel overlap |
//! | `Valid`  | `max(N, K) - min(N, K) + 1` | where the shorter lies wholly within the longer |
//! | `Same`   | `N` | from `(K - 1) / 2`, rounded down, on |
//!
//! So 75 samples and a box of 5 give 79, 71 and 75. These are the results of `scipy.signal.convolve`, for a kernel
//! longer than the signal too; `numpy.convolve` differs there, its `same` being as long as the longer of the two.
//!
//! [`convolve_with_edges`] gives `N` samples with the signal continued beyond its ends by an [`Edge`] rule, as
//! `scipy.ndimage.convolve1d` does. *The centres differ for even kernels*, as they do between those two functions:
//! `Same` takes the earlier of the two middle weights, `(K - 1) / 2`, [`SampledKernel::centred`] the later, `K / 2`.
//!
//! A direct convolution costs `N K` products, one by Fourier transform some `L log2 L`, `L` being about `N + K`.
//! [`Method::of_size`] says which is used. They agree to the rounding that [`rounding_bound`] states.

mod along_axis;
mod direct;
mod edges;
mod fourier;
mod line;

pub use along_axis::convolve_axis;
pub(super) use along_axis::convolve_axis_in_place;
pub use edges::Edge;
pub use line::LineConvolution;

use super::kernel::SampledKernel;
use std::ops::Range;

/// Which part of the full convolution is wanted; the table is [above](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Wherever signal and kernel overlap.
    Full,
    /// Only where the shorter of the two lies wholly within the longer, so that nothing beyond the ends is guessed.
    /// One sample at least is left, since whichever is the longer is taken as the signal.
    Valid,
    /// As many samples as the signal has, from the middle of the full convolution.
    Same,
}

impl Mode {
    /// Which samples of the full convolution the mode keeps, for `n_samples` and `n_weights` above 0.
    pub fn kept(self, n_samples: usize, n_weights: usize) -> Range<usize> {
        let full = (n_samples + n_weights).saturating_sub(1);
        match self {
            Self::Full => 0..full,
            Self::Valid => n_samples.min(n_weights).saturating_sub(1)..n_samples.max(n_weights),
            Self::Same => {
                let start = n_weights.saturating_sub(1) / 2;
                start..start + n_samples
            }
        }
    }
}

/// How a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By its definition. Keeps signs: nothing negative comes of a signal and a kernel that are not.
    Direct,
    /// By the product of Fourier transforms. Faster for long kernels; its rounding is of the size of the largest
    /// result, so that zeros come out as `1e-17` or `-1e-17` of it.
    Fourier,
}

impl Method {
    /// The faster of the two, going by sizes alone: not by the values, nor by the machine.
    ///
    /// The transforms, planning included, are taken to cost `20000 + 25 L log2 L` products of a direct convolution, `L
    /// = N + K`, and that costs `min(N, K)` products for each of the samples kept. So the Fourier transform starts with
    /// kernels of some 350 to 380 weights at 1000 and 10^4 samples, and of 500 at 10^6. Measured once with `Same`, in
    /// time of the processor on one core with AVX2: 0.10 ns a product at all lengths, and for each `L log2 L` 1.7 ns at
    /// 1000 samples, 2.4 ns at 10^4 and 3.7 ns at 10^6. At worst the other would have taken two thirds of the time.
    pub fn of_size(n_samples: usize, n_weights: usize, mode: Mode) -> Self {
        let n_kept = mode.kept(n_samples, n_weights).len();
        let length = (n_samples + n_weights) as f64;
        let direct = n_kept as f64 * n_samples.min(n_weights) as f64;
        if direct > FOURIER_OVERHEAD + FOURIER_COST * length * libm::log2(length) {
            Self::Fourier
        } else {
            Self::Direct
        }
    }
}

/// What a convolution by Fourier transform costs for each `L log2 L`, in products of a direct one.
const FOURIER_COST: f64 = 25.0;
/// What its planning costs at any length.
const FOURIER_OVERHEAD: f64 = 20_000.0;

/// Why a convolution cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConvolutionError {
    /// A signal without samples.
    #[error("the signal has no samples")]
    EmptySignal,
    /// A kernel without weights.
    #[error("the kernel has no weights")]
    EmptyKernel,
    /// A value that is infinite or not a number. One of them would spread over the length of the kernel, and in a
    /// Fourier transform over everything.
    #[error("value {index} of the {of} is {value}: convolution needs finite values")]
    NotFinite {
        /// `signal` or `kernel`.
        of: &'static str,
        /// Which value, from 0; of an array, in the order of its last axis varying fastest.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// Values so large that a sum of products is beyond f64.
    #[error("the convolution overflows: its values exceed the largest f64, 1.8e308")]
    Overflow,
    /// A line of another length than was prepared for.
    #[error("the line has {found} samples, but the convolution was prepared for {expected}")]
    LineLength {
        /// Samples prepared for.
        expected: usize,
        /// Samples given, or room for the result.
        found: usize,
    },
    /// An axis that the array does not have.
    #[error("the array has {n_axes} axes: there is no axis {axis} (they are counted from 0)")]
    NoSuchAxis {
        /// The axis asked for.
        axis: usize,
        /// Axes there are.
        n_axes: usize,
    },
    /// The Fourier transform refused its work.
    #[error("the Fourier transform failed: {0}")]
    Transform(String),
}

/// `x * k` as [above](self), by the faster method. Commutative but for the length of `Same`.
///
/// # Errors
/// An empty signal or kernel, values that are not finite, or a result beyond f64.
pub fn convolve(signal: &[f64], kernel: &[f64], mode: Mode) -> Result<Vec<f64>, ConvolutionError> {
    convolve_by(Method::of_size(signal.len(), kernel.len(), mode), signal, kernel, mode)
}

/// [`convolve`] by the method given.
///
/// # Errors
/// As [`convolve`].
pub fn convolve_by(method: Method, signal: &[f64], kernel: &[f64], mode: Mode) -> Result<Vec<f64>, ConvolutionError> {
    if signal.is_empty() {
        return Err(ConvolutionError::EmptySignal);
    }
    if kernel.is_empty() {
        return Err(ConvolutionError::EmptyKernel);
    }
    refuse_non_finite("signal", signal)?;
    refuse_non_finite("kernel", kernel)?;
    let kept = mode.kept(signal.len(), kernel.len());
    let mut out = vec![0.0; kept.len()];
    match method {
        Method::Direct => direct::convolve(signal, kernel, kept.start, &mut out),
        Method::Fourier => fourier::Fourier::new(kernel, signal.len(), &kept)?.convolve(signal, &mut out)?,
    }
    refuse_overflow(&out)?;
    Ok(out)
}

/// `y[n] = sum_j k[j] x[n + c - j]`, as many samples as the signal has, the signal continued beyond its ends by a rule
/// and `c` the kernel's centre: for [`SampledKernel::centred`], `scipy.ndimage.convolve1d` with `origin = 0`, and with
/// centre `K / 2 + o`, with `origin = o`.
///
/// # Errors
/// As [`convolve`].
pub fn convolve_with_edges(signal: &[f64], kernel: &SampledKernel, edge: Edge) -> Result<Vec<f64>, ConvolutionError> {
    refuse_non_finite("signal", signal)?;
    let mut out = vec![0.0; signal.len()];
    LineConvolution::new(kernel, signal.len(), edge)?.apply(signal, &mut out)?;
    Ok(out)
}

/// How far the two methods may be apart by rounding: `(21 log2(L) + min(N, K)) u |x| |k|`, with Euclidean norms,
/// `u = 2^-53` and `L = 2 (N + K)`, no shorter than the transforms.
///
/// A Fourier transform whose length is a power of 2 errs by at most `7 u log2 L` of the norm (Higham 2002, Accuracy and
/// Stability of Numerical Algorithms, theorem 24.2), and is taken to stand for the lengths `2^a 3^b 5^c` used here;
/// there are three, and `|x| |k|` bounds each value of the convolution (Cauchy-Schwarz). A direct sum of `min(N, K)`
/// products errs by at most as many roundings of it. Errors of random signals were at most a fortieth of the bound, and
/// 4e-15 of the largest result at `L = 10^5`.
pub fn rounding_bound(signal: &[f64], kernel: &[f64]) -> f64 {
    let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let length = 2.0 * (signal.len() + kernel.len()) as f64;
    let roundings = 21.0 * libm::log2(length) + signal.len().min(kernel.len()) as f64;
    roundings * f64::EPSILON / 2.0 * norm(signal) * norm(kernel)
}

fn refuse_non_finite(of: &'static str, values: &[f64]) -> Result<(), ConvolutionError> {
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, value)) => Err(ConvolutionError::NotFinite { of, index, value: *value }),
        None => Ok(()),
    }
}

fn refuse_overflow(values: &[f64]) -> Result<(), ConvolutionError> {
    if values.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(ConvolutionError::Overflow) }
}

#[cfg(test)]
pub(in crate::signal) mod tests;

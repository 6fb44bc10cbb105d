//! Convolution by Fourier transform: `F(x * k) = F(x) F(k)`, with enough zeros that nothing kept has wrapped round.
//!
//! The crate `realfft` is taken without its hand-written vector code: that is chosen by the machine at run time and
//! rounds differently, and a result must not depend on the machine. The sines of its twiddle factors are the
//! platform's.

use super::ConvolutionError;
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex};
use std::ops::Range;
use std::sync::Arc;

/// The transforms for one kernel and signals of one length.
pub(super) struct Fourier {
    forward: Arc<dyn RealToComplex<f64>>,
    backward: Arc<dyn ComplexToReal<f64>>,
    /// The kernel's transform, divided by the length.
    response: Vec<Complex64>,
    start: usize,
    padded: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Fourier {
    /// Plans the samples `kept` of the full convolution of `kernel` with `n_samples`.
    pub(super) fn new(kernel: &[f64], n_samples: usize, kept: &Range<usize>) -> Result<Self, ConvolutionError> {
        let full = (n_samples + kernel.len()).saturating_sub(1);
        // Sample n falls on n mod L. None of those kept may meet another: n + L lies beyond the end for the first kept,
        // n - L before the start for the last.
        let free = (full - kept.start.min(full)).max(kept.end);
        let length = good_length(free.max(n_samples).max(kernel.len()));
        let mut planner = RealFftPlanner::new();
        let (forward, backward) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        let mut padded = vec![0.0; length];
        let (mut response, spectrum) = (forward.make_output_vec(), forward.make_output_vec());
        let n_scratch = forward.get_scratch_len().max(backward.get_scratch_len());
        let mut scratch = vec![Complex64::default(); n_scratch];
        for (sample, weight) in padded.iter_mut().zip(kernel) {
            *sample = weight / length as f64;
        }
        forward.process_with_scratch(&mut padded, &mut response, &mut scratch).map_err(|error| failed(&error))?;
        Ok(Self { forward, backward, response, start: kept.start, padded, spectrum, scratch })
    }

    /// Convolves one signal; `out` takes the samples kept.
    pub(super) fn convolve(&mut self, signal: &[f64], out: &mut [f64]) -> Result<(), ConvolutionError> {
        let Self { forward, backward, response, start, padded, spectrum, scratch } = self;
        padded.fill(0.0);
        for (sample, value) in padded.iter_mut().zip(signal) {
            *sample = *value;
        }
        forward.process_with_scratch(padded, spectrum, scratch).map_err(|error| failed(&error))?;
        for (value, response) in spectrum.iter_mut().zip(response) {
            *value *= *response;
        }
        // real by definition; an overflow made them NaN, which the caller finds in the result
        if let Some(value) = spectrum.first_mut() {
            value.im = 0.0;
        }
        if let Some(value) = spectrum.last_mut() {
            value.im = 0.0;
        }
        backward.process_with_scratch(spectrum, padded, scratch).map_err(|error| failed(&error))?;
        for (value, sample) in out.iter_mut().zip(padded.iter().skip(*start)) {
            *value = *sample;
        }
        Ok(())
    }
}

fn failed(error: &FftError) -> ConvolutionError {
    ConvolutionError::Transform(error.to_string())
}

/// The smallest even `2^a 3^b 5^c` that is not below `length`: such transforms are fast, and twice as fast for real
/// values if even.
fn good_length(length: usize) -> usize {
    let mut best = length.max(2).next_power_of_two();
    let mut fives = 1;
    while fives < best {
        let mut odd = fives;
        while odd < best {
            let candidate = odd * length.div_ceil(odd).max(2).next_power_of_two();
            best = best.min(candidate);
            odd *= 3;
        }
        fives *= 5;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_even_smooth_and_the_smallest() {
        let is_good = |length: usize| {
            let mut rest = length;
            for prime in [2, 3, 5] {
                while rest.is_multiple_of(prime) {
                    rest /= prime;
                }
            }
            rest == 1 && length.is_multiple_of(2)
        };
        for length in 0..3000 {
            let smallest = (length.max(2)..=2 * length.max(2)).find(|length| is_good(*length)).unwrap();
            assert_eq!(good_length(length), smallest, "{length}");
        }
    }
}

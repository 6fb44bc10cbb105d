//! Firing rates: spike times to counts in bins, and counts to spikes per second by smoothing.
//!
//! A recording of `T` seconds is cut into bins `[i b, (i + 1) b)` of `b` seconds; if `T` is no multiple of `b`, the
//! last bin is shorter and ends at `T`. With counts `s[m]`, true widths `b[m]` and a kernel `k` with centre `c`, the
//! rate is
//!
//! ```text
//! rate[n] = sum_m s[m] k[n + c - m] / sum_m b[m] k[n + c - m],    m over the bins of the recording
//! ```
//!
//! spikes per second of recording, both weighted by the kernel (normalised convolution; Knutsson & Westin 1993, doi
//! 10.1109/CVPR.1993.341081). Far from the ends the divisor is `b sum(k)`. Near them the part of the kernel that lies
//! outside the recording, where nobody has looked, is left out of both sums: a constant rate stays constant up to the
//! edges, and a short last bin counts for as long as it is. What is given up for it: the integral of the rate is the
//! number of spikes only as long as no spike is within a kernel's reach of an end.
//!
//! A causal kernel (half-Gaussian, exponential, alpha) makes a rate of past spikes alone, which is also what delays it;
//! a symmetric one (box, Gaussian) looks as far ahead as back.

use super::convolution::{ConvolutionError, Method, Mode, convolve_by};
use super::kernel::{KernelError, SampledKernel};

/// Most bins of a recording: 2^27, 1 GB of rates.
const MOST_BINS: f64 = 134_217_728.0;

/// Share of a bin by which times are taken to miss an edge through rounding: 0.3 s is the start of the fourth bin of
/// 0.1 s, although `3 * 0.1 > 0.3` in f64. Sampling clocks are coarser than this by far.
const EDGE_TOLERANCE: f64 = 1e-8;

/// Why there is no firing rate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RateError {
    /// A duration or width of bins that is no finite time above 0.
    #[error("the {what} is {seconds} s: expected a finite time above 0")]
    Time {
        /// Which time.
        what: &'static str,
        /// What it is.
        seconds: f64,
    },
    /// Bins so narrow that there would be too many.
    #[error("{duration_s} s make {n_bins} bins of {bin_s} s: too many to be meant")]
    TooManyBins {
        /// Length of the recording.
        duration_s: f64,
        /// Width of a bin.
        bin_s: f64,
        /// How many bins that makes.
        n_bins: f64,
    },
    /// A spike before 0, after the end, or at no time at all.
    #[error("spike {index} is at {time_s} s: expected a time from 0 to {duration_s} s")]
    Outside {
        /// Which spike, from 0.
        index: usize,
        /// Its time.
        time_s: f64,
        /// Length of the recording.
        duration_s: f64,
    },
    /// Spikes that are not in order.
    #[error("spike {index} at {time_s} s comes after one at {before_s} s: spike times must be in order")]
    Unsorted {
        /// Which spike, from 0.
        index: usize,
        /// Its time.
        time_s: f64,
        /// The time of the spike before it.
        before_s: f64,
    },
    /// A kernel with a weight below 0: rates would be divided by differences.
    #[error("weight {index} of the kernel is {value}: a rate needs weights that are not below 0")]
    NegativeWeight {
        /// Which weight, from 0.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// A kernel of which nothing but zeros lies within the recording for some bin.
    #[error("no weight of the kernel lies within the recording at bin {bin}")]
    NothingSeen {
        /// The first such bin, from 0.
        bin: usize,
    },
    /// A width of which there is no kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// What hinders the convolution.
    #[error(transparent)]
    Convolution(#[from] ConvolutionError),
}

/// What spikes are smoothed with; widths in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateKernel {
    /// A box of this width about each moment ([`SampledKernel::symmetric_box`]).
    Box {
        /// Its whole width.
        width_s: f64,
    },
    /// A Gaussian, cut at 4 standard deviations.
    Gaussian {
        /// Its standard deviation; 0 does not smooth.
        sigma_s: f64,
    },
    /// The later half of a Gaussian: past spikes alone.
    HalfGaussian {
        /// Standard deviation of the whole Gaussian; 0 does not smooth.
        sigma_s: f64,
    },
    /// `exp(-t / tau)`: past spikes alone, as an RC circuit remembers them.
    Exponential {
        /// Its time constant.
        tau_s: f64,
    },
    /// `t exp(-t / tau)`: past spikes alone, as a synaptic current follows them.
    Alpha {
        /// Time from a spike to the peak.
        tau_s: f64,
    },
}

impl RateKernel {
    /// The kernel in bins of `bin_s` seconds, of unit sum.
    ///
    /// # Errors
    /// A width of which there is no kernel: see the constructors of [`SampledKernel`].
    pub fn sampled(self, bin_s: f64) -> Result<SampledKernel, KernelError> {
        match self {
            Self::Box { width_s } => SampledKernel::symmetric_box(width_s / bin_s),
            Self::Gaussian { sigma_s } => SampledKernel::gaussian(sigma_s / bin_s),
            Self::HalfGaussian { sigma_s } => SampledKernel::half_gaussian(sigma_s / bin_s),
            Self::Exponential { tau_s } => SampledKernel::exponential(tau_s / bin_s),
            Self::Alpha { tau_s } => SampledKernel::alpha(tau_s / bin_s),
        }
    }
}

/// Spikes counted in bins.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeCounts {
    counts: Vec<u32>,
    bin_s: f64,
    duration_s: f64,
}

impl SpikeCounts {
    /// Counts spikes at `spike_times_s`, in order and within `[0, duration_s]`, in bins of `bin_s` seconds.
    ///
    /// Bins are half-open: a spike on an edge counts in the later bin, one at the very end of the recording in the
    /// last. Times within 1e-8 of a bin before an edge are taken to be on it, and an end so near an edge makes no
    /// further bin.
    ///
    /// # Errors
    /// A duration or bin that is not a finite time above 0, too many bins, spikes outside the recording or not in
    /// order.
    pub fn of_spikes(spike_times_s: &[f64], duration_s: f64, bin_s: f64) -> Result<Self, RateError> {
        for (what, seconds) in [("duration", duration_s), ("width of the bins", bin_s)] {
            if !(seconds.is_finite() && seconds > 0.0) {
                return Err(RateError::Time { what, seconds });
            }
        }
        let n_bins = libm::ceil(duration_s / bin_s - EDGE_TOLERANCE).max(1.0);
        if n_bins > MOST_BINS {
            return Err(RateError::TooManyBins { duration_s, bin_s, n_bins });
        }
        check_spikes(spike_times_s, duration_s)?;
        let mut counts = vec![0; n_bins as usize];
        for time_s in spike_times_s {
            let bin = libm::floor(time_s / bin_s + EDGE_TOLERANCE).min(n_bins - 1.0);
            if let Some(count) = counts.get_mut(bin as usize) {
                *count += 1;
            }
        }
        Ok(Self { counts, bin_s, duration_s })
    }

    /// Spikes in each bin.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Width of each bin in seconds: the same for all but the last, which may be shorter.
    pub fn widths_s(&self) -> Vec<f64> {
        let mut widths_s = vec![self.bin_s; self.counts.len()];
        let before = self.counts.len().saturating_sub(1);
        if let Some(width_s) = widths_s.last_mut() {
            let rest_s = self.duration_s - before as f64 * self.bin_s;
            // a recording of whole bins, but for rounding
            let is_whole = (rest_s / self.bin_s - 1.0).abs() <= EDGE_TOLERANCE;
            *width_s = if is_whole { self.bin_s } else { rest_s };
        }
        widths_s
    }

    /// The middle of each bin in seconds.
    pub fn centres_s(&self) -> Vec<f64> {
        let widths_s = self.widths_s();
        widths_s.iter().enumerate().map(|(index, width_s)| index as f64 * self.bin_s + 0.5 * width_s).collect()
    }

    /// Spikes per second in each bin: counts divided by the bins' true widths.
    pub fn rates(&self) -> Vec<f64> {
        self.counts.iter().zip(self.widths_s()).map(|(count, width_s)| f64::from(*count) / width_s).collect()
    }

    /// Spikes per second in each bin, smoothed by one of the usual kernels.
    ///
    /// # Errors
    /// A width of which there is no kernel.
    pub fn rates_smoothed(&self, kernel: RateKernel) -> Result<Vec<f64>, RateError> {
        self.rates_smoothed_by(&kernel.sampled(self.bin_s)?)
    }

    /// Spikes per second in each bin, smoothed by any kernel in bins; its scale does not matter.
    ///
    /// # Errors
    /// A weight below 0, or a bin for which the kernel sees nothing of the recording.
    pub fn rates_smoothed_by(&self, kernel: &SampledKernel) -> Result<Vec<f64>, RateError> {
        if let Some((index, value)) = kernel.weights().iter().enumerate().find(|(_, weight)| **weight < 0.0) {
            return Err(RateError::NegativeWeight { index, value: *value });
        }
        let counts: Vec<f64> = self.counts.iter().map(|count| f64::from(*count)).collect();
        let seen = weighted(&counts, kernel)?;
        let looked_s = self.seconds_weighted(kernel);
        let rate = |(bin, (spikes, seconds)): (usize, (&f64, &f64))| {
            if *seconds > 0.0 { Ok(spikes / seconds) } else { Err(RateError::NothingSeen { bin }) }
        };
        seen.iter().zip(&looked_s).enumerate().map(rate).collect()
    }

    /// `sum_m b[m] k[n + c - m]` for each bin n: sums of the weights that fall within the recording.
    fn seconds_weighted(&self, kernel: &SampledKernel) -> Vec<f64> {
        let (weights, centre, n_bins) = (kernel.weights(), kernel.centre(), self.counts.len());
        let up_to: Vec<f64> = std::iter::once(0.0)
            .chain(weights.iter().scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            }))
            .collect();
        let last_s = self.widths_s().last().copied().unwrap_or(self.bin_s);
        let seconds = |n: usize| {
            // weight j = n + c - m meets bin m: the last bin's first, then those of the whole bins before it
            let (of_last, end) = ((n + centre + 1).checked_sub(n_bins), (n + centre + 1).min(weights.len()));
            let first = of_last.map_or(0, |j| j + 1);
            let whole = if first < end { up_to[end] - up_to[first] } else { 0.0 };
            self.bin_s * whole + last_s * of_last.and_then(|j| weights.get(j)).copied().unwrap_or(0.0)
        };
        (0..n_bins).map(seconds).collect()
    }
}

/// `sum_m s[m] k[n + c - m]`, nothing beyond the ends; directly, so that no rate comes out below 0. The cost is that of
/// the bins with spikes, or of the kernel's weights, whichever is less.
fn weighted(counts: &[f64], kernel: &SampledKernel) -> Result<Vec<f64>, ConvolutionError> {
    let full = convolve_by(Method::Direct, counts, kernel.weights(), Mode::Full)?;
    Ok(full.into_iter().skip(kernel.centre()).take(counts.len()).collect())
}

fn check_spikes(spike_times_s: &[f64], duration_s: f64) -> Result<(), RateError> {
    let mut before_s = 0.0;
    for (index, &time_s) in spike_times_s.iter().enumerate() {
        if !(0.0..=duration_s).contains(&time_s) {
            return Err(RateError::Outside { index, time_s, duration_s });
        }
        if time_s < before_s {
            return Err(RateError::Unsorted { index, time_s, before_s });
        }
        before_s = time_s;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

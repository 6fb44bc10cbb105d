//! Regressors on a fine grid, as nilearn computes them: grid, event bins, sampled responses, linear interpolation.
//!
//! Facts and constants from nilearn 0.14.1 (`hemodynamic_models`), restated. A duration of 0 is one grid sample of
//! height 1; a longer event has height 1; responses sum to 1 over the grid.

use super::basis::{BasisFunction, BasisKernel, CanonicalOrder, CanonicalPart};
use super::stimuli::Stimulus;
use crate::config::HrfShape;
use crate::inputs::Timing;
use crate::signal::hrf::{
    DoubleGamma, SampleGrid, gamma, glover_of_nilearn, glover_of_nilearn_for_dispersion, kernel_sums, spm_of_nilearn,
};

/// The fine grid of a run.
pub(super) struct FineGrid {
    times_s: Vec<f64>,
    /// What nilearn takes for the repetition time: the smallest difference of frame times.
    tr_s: f64,
    per_tr: usize,
}

impl FineGrid {
    /// `per_tr` samples a repetition time, from `min_onset_s` (negative) before the first frame to about one
    /// repetition time after the last. At least two frames.
    pub(super) fn new(timing: &Timing, per_tr: usize, min_onset_s: f64) -> Self {
        let frames = &timing.frame_times_s;
        let intervals = (frames.len() - 1) as f64;
        let (first, last) = (frames[0], frames[frames.len() - 1]);
        let start = first + min_onset_s;
        // equal to n TR only where the first frame is at 0; nilearn's, with its order of operations
        let stop = last * (1.0 + 1.0 / intervals);
        let samples = (intervals / (last - first) * ((stop - first - min_onset_s) * per_tr as f64) + 1.0)
            .round_ties_even() as usize;
        let step = (stop - start) / (samples - 1) as f64;
        let mut times_s: Vec<f64> = (0..samples).map(|sample| sample as f64 * step + start).collect();
        times_s[samples - 1] = stop;
        let tr_s = frames.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        Self { times_s, tr_s, per_tr }
    }

    /// Start of the grid, seconds.
    pub(super) fn start_s(&self) -> f64 {
        self.times_s[0]
    }

    /// The bins an event fills: from the first grid time at or after its onset up to, not including, the first at or
    /// after its end; at least one.
    fn bins(&self, stimulus: &Stimulus) -> (usize, usize) {
        let last = self.times_s.len() - 1;
        let bin = |time_s: f64| self.times_s.partition_point(|grid| *grid < time_s).min(last);
        let on = bin(stimulus.onset_s);
        let off = bin(stimulus.onset_s + stimulus.duration_s);
        (on, if off == on && off < last { off + 1 } else { off })
    }
}

/// The regressor of one train of events and one basis function: a value a frame, censored frames included.
pub(super) fn oversampled_regressor(
    function: &BasisFunction,
    stimuli: &[Stimulus],
    timing: &Timing,
    grid: &FineGrid,
) -> Vec<f64> {
    let sums = kernel_sums(&samples(function, grid));
    // nilearn reads a finite impulse response per_tr - 1 samples later, so that delay 0 starts with the event.
    let late = if matches!(function.kernel, BasisKernel::Window(_)) { grid.per_tr - 1 } else { 0 };
    let events: Vec<(usize, usize, f64)> = stimuli
        .iter()
        .filter(|stimulus| !ends_before(stimulus, grid))
        .map(|stimulus| {
            let (on, off) = grid.bins(stimulus);
            (on, off, stimulus.amplitude)
        })
        .collect();
    let step_response = |since: Option<usize>| since.map_or(0.0, |m| sums[m.min(sums.len() - 1)]);
    // Convolving boxcars with a sampled kernel is the difference of its running sums at the two ends of each.
    let convolved = |sample: usize| -> f64 {
        let at = sample + late;
        events
            .iter()
            .map(|(on, off, amplitude)| {
                amplitude * (step_response(at.checked_sub(*on)) - step_response(at.checked_sub(*off)))
            })
            .sum()
    };
    let readable = grid.times_s.len() - late;
    timing
        .frame_times_s
        .iter()
        .map(|time_s| {
            let high = grid.times_s.partition_point(|point| point < time_s).clamp(1, readable - 1);
            let (before, after) = (convolved(high - 1), convolved(high));
            let slope = (after - before) / (grid.times_s[high] - grid.times_s[high - 1]);
            slope * (time_s - grid.times_s[high - 1]) + before
        })
        .collect()
}

/// Whether an event is over before the grid starts. nilearn says that it leaves such events out, yet clips them into
/// the first bin; here they are left out.
pub(super) fn ends_before(stimulus: &Stimulus, grid: &FineGrid) -> bool {
    stimulus.onset_s + stimulus.duration_s < grid.start_s()
}

fn samples(function: &BasisFunction, grid: &FineGrid) -> Vec<f64> {
    let interval_s = grid.tr_s / grid.per_tr as f64;
    let sampling = SampleGrid::new(interval_s);
    match &function.kernel {
        BasisKernel::Canonical(part) => canonical_samples(*part, &sampling),
        BasisKernel::Window(window) => {
            let zeros = (window.start_s / interval_s).round_ties_even().max(0.0) as usize;
            let ones = (window.width_s / interval_s).round_ties_even().max(1.0) as usize;
            let mut samples = vec![0.0; zeros];
            samples.resize(zeros + ones, 1.0 / ones as f64);
            samples
        }
        BasisKernel::Lines(lines) => sampling.plain(lines, lines.stop_s()),
        BasisKernel::Identity => vec![1.0],
    }
}

fn canonical_samples(part: CanonicalPart, sampling: &SampleGrid) -> Vec<f64> {
    let response: DoubleGamma = match (part.shape, part.order) {
        (HrfShape::Spm, _) => spm_of_nilearn(),
        (HrfShape::Glover, CanonicalOrder::Dispersion) => glover_of_nilearn_for_dispersion(),
        (HrfShape::Glover, _) => glover_of_nilearn(),
        (HrfShape::Gamma, _) => gamma(),
    };
    match part.order {
        CanonicalOrder::Response => sampling.response(&response),
        CanonicalOrder::Temporal => sampling.temporal_slope(&response),
        CanonicalOrder::Dispersion => sampling.dispersion_slope(&response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_starts_early_and_ends_after_the_last_frame() {
        let grid = FineGrid::new(&Timing::new(2.5, 121, 0, 0.0), 50, -24.0);
        assert_eq!(grid.start_s(), -24.0);
        assert_eq!(*grid.times_s.last().unwrap(), 302.5);
        assert_eq!(grid.times_s.len(), 6531);
    }

    #[test]
    fn an_impulse_fills_one_bin_and_an_event_past_the_end_none() {
        let grid = FineGrid::new(&Timing::new(2.0, 10, 0, 0.0), 50, -24.0);
        let bins = |onset_s, duration_s| grid.bins(&Stimulus { onset_s, duration_s, amplitude: 1.0 });
        let (on, off) = bins(4.01, 0.0);
        assert_eq!(off, on + 1);
        let (on, off) = bins(4.01, 1.0);
        assert_eq!(off, on + 25);
        let (on, off) = bins(400.0, 1.0);
        assert_eq!(off, on);
    }
}

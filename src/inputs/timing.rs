//! When the frames of a run were measured: the only source of time lags.

use serde::Serialize;

/// Frame times of one run under one model: which acquired frames enter, and when they were measured.
///
/// Time zero is the start of the first acquired volume; events count from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timing {
    /// Repetition time, seconds.
    pub tr_s: f64,
    /// Volumes discarded at the start of the run.
    pub discarded: usize,
    /// Time of each frame that was not discarded, seconds, evenly spaced by `tr_s`.
    pub frame_times_s: Vec<f64>,
    /// Whether each of those frames enters the model (`false`: censored, a gap in time). Same length.
    pub kept: Vec<bool>,
}

impl Timing {
    /// Frames `discarded..n_acquired` at `(frame + slice_time_ref) * tr_s`, none censored.
    pub fn new(tr_s: f64, n_acquired: usize, discarded: usize, slice_time_ref: f64) -> Self {
        let frame_times_s: Vec<f64> =
            (discarded..n_acquired).map(|frame| (frame as f64 + slice_time_ref) * tr_s).collect();
        let kept = vec![true; frame_times_s.len()];
        Self { tr_s, discarded, frame_times_s, kept }
    }

    /// Frames that were not discarded, censored ones included.
    pub fn n_frames(&self) -> usize {
        self.frame_times_s.len()
    }

    /// Frames that enter the model.
    pub fn n_kept(&self) -> usize {
        self.kept.iter().filter(|kept| **kept).count()
    }

    /// Indices (among the frames not discarded) of those that enter the model.
    pub fn kept_frames(&self) -> Vec<usize> {
        (0..self.n_frames()).filter(|&frame| self.kept[frame]).collect()
    }

    /// Lag in frames between each kept frame and the one before it: 1 without a gap; length `n_kept - 1`.
    pub fn lags(&self) -> Vec<usize> {
        self.kept_frames().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

//! What deconvolutions need: series that come of them, and what is prepared and solved at a time.

use crate::config::{ActivityNoise, DeconvolutionMap, DeconvolutionSettings, Method};
use crate::model::deconvolve::CANDIDATES;
use crate::outputs::Chunks;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_run::RunPlan;
use crate::pipeline::plan_subject::{SpacePlan, SubjectPlan};
use crate::preprocess::BLOCK_COLUMNS;

/// Autocorrelations that are prepared at once where each column has its own: bins of what a GLM found, from -0.95 to 0.95, of
/// which a mask that reaches into vessels and ventricles takes up most; the likelihood has fewer to choose from.
const NOISE_BINS: usize = 39;

/// Series of a column, at most, that its calcium is solved with.
const CALCIUM_SERIES: usize = 40;

impl Plan {
    /// Bytes of the series that come of the deconvolution with the most of them.
    pub(super) fn activity_bytes(
        &self,
        subject: &SubjectPlan,
        space: &SpacePlan,
        n_columns: usize,
        n_frames: usize,
    ) -> usize {
        let of_model = |(index, model): (usize, &DeconvolutionSettings)| {
            // activity and its standard errors begin before the run
            let before = 2 * kernel_samples(subject, space, index);
            4 * n_columns * (n_frames * values_a_frame(model, true) + before)
        };
        self.settings.deconvolutions.iter().enumerate().map(of_model).max().unwrap_or(0)
    }

    /// Bytes of what a deconvolution prepares, of the blocks that are solved at a time, and of the volumes being written.
    pub(super) fn deconvolution_bytes(
        &self,
        subject: &SubjectPlan,
        space: &SpacePlan,
        (n_columns, n_values, n_frames): (usize, usize, usize),
        threads: usize,
    ) -> usize {
        // a frame as values and as bytes, maps, and what is compressed
        let writing = 24 * n_values + Chunks::Many.memory(4 * n_values * n_frames);
        let of_model = |(index, model): (usize, &DeconvolutionSettings)| {
            let block_columns = BLOCK_COLUMNS.min(n_columns);
            if model.kernel.is_calcium() {
                // nothing is prepared: the traces of a block, and what each thread solves a column with
                return 8 * n_frames * (4 * block_columns + CALCIUM_SERIES * threads) + writing;
            }
            let n_activity = n_frames * model.upsample + kernel_samples(subject, space, index);
            let bins = match model.noise {
                ActivityNoise::White | ActivityNoise::Rho(_) => 1,
                ActivityNoise::FromGlm(_) | ActivityNoise::Evidence => NOISE_BINS,
            };
            let judged = model.method == Method::Auto || model.noise == ActivityNoise::Evidence;
            let methods = if judged { CANDIDATES.len() } else { 1 };
            // the operator and its gram; a method has a factorisation of the same size, or a design and gram of its own
            let prepared = 8 * (n_frames * n_activity + n_activity * n_activity) * (2 + 2 * methods);
            // data as read, scaled, of a bin, whitened; activity and standard errors of the solution and of the block; the fit
            let block = 8 * block_columns * (5 * n_frames + 4 * n_activity);
            // likelihoods of each column under each autocorrelation and candidate, and their means around it
            let judging = if judged { 2 * 8 * n_columns * CANDIDATES.len() * bins } else { 0 };
            // frames left out are predicted by what is prepared without them, while the rest is still held
            let preparations = if model.maps.contains(&DeconvolutionMap::HeldOutR2) { 2 } else { 1 };
            preparations * bins * prepared + threads * block + judging + writing
        };
        self.settings.deconvolutions.iter().enumerate().map(of_model).max().unwrap_or(0)
    }

    /// Processor time of the deconvolutions of a space, seconds.
    pub(super) fn deconvolution_s(&self, subject: &SubjectPlan, space: &SpacePlan, n_columns: usize) -> f64 {
        let of_run = |&run: &usize| {
            let n_values = (n_columns * subject.runs[run].n_acquired) as f64;
            n_values * self.settings.deconvolutions.iter().map(seconds_a_value).sum::<f64>()
        };
        space.runs.iter().map(of_run).sum()
    }

    /// Bytes on disk, before compression, of what deconvolutions write of the runs of a space; `map` is that of one volume.
    pub(super) fn activity_disk(&self, subject: &SubjectPlan, space: &SpacePlan, map: u64) -> u64 {
        let of_run = |run: &RunPlan, model: &DeconvolutionSettings| {
            let series = run.n_acquired * values_a_frame(model, false);
            let maps = model.maps.iter().filter(|map| **map > DeconvolutionMap::StandardError).count();
            map * (series + maps) as u64
        };
        let runs = || space.runs.iter().map(|&run| &subject.runs[run]);
        self.settings.deconvolutions.iter().flat_map(|model| runs().map(move |run| of_run(run, model))).sum()
    }
}

/// Processor time of a value of the data, seconds, with what is written: twice what was measured on 300 frames with 19 columns
/// of drift and confounds, so that the prediction errs on the long side.
fn seconds_a_value(model: &DeconvolutionSettings) -> f64 {
    const LINEAR: f64 = 0.2e-6;
    const SPARSE: f64 = 1.7e-6;
    let of_method = match model.method {
        Method::Ridge | Method::Wiener | Method::Peb => LINEAR,
        Method::Spike | Method::Block | Method::Auto => SPARSE,
    };
    of_method * model.upsample as f64
}

/// Samples of the longest kernel of a deconvolution in a space.
fn kernel_samples(subject: &SubjectPlan, space: &SpacePlan, model: usize) -> usize {
    let of_run = |&run: &usize| subject.runs[run].deconvolutions.get(model).map_or(0, |own| own.kernel.len());
    space.runs.iter().map(of_run).max().unwrap_or(0)
}

/// Values a frame of the series that a deconvolution keeps, or of those that it writes.
fn values_a_frame(model: &DeconvolutionSettings, kept: bool) -> usize {
    let wants = |map| model.maps.contains(&map) || (kept && !model.figures.is_empty());
    let activity = if kept || model.maps.contains(&DeconvolutionMap::Activity) { model.upsample } else { 0 };
    let fitted = usize::from(wants(DeconvolutionMap::Fitted));
    let errors = if wants(DeconvolutionMap::StandardError) { model.upsample } else { 0 };
    activity + fitted + errors
}

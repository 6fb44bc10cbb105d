//! What a plan will need: memory, disk, passes; sizes follow from the plan alone.

mod calibration;
mod deconvolution;
mod noise;
mod report;

use super::plan::Plan;
use super::plan_subject::{RunGroup, SpacePlan, SubjectPlan, map_applies};
use super::residual_noise;
use crate::config::{GlmSettings, MapKind, MaskSettings};
use crate::error::{Diagnostic, Diagnostics, counted};
use crate::inputs;
use crate::model::{Moments, SampledNeeds, noise_parameter_bytes};
use crate::outputs::Chunks;
use crate::preprocess::{BLOCK_COLUMNS, CHUNK_FRAMES, FRAMES_AHEAD, MAX_BATCH, scales_samples};
use serde::Serialize;

/// Share of a grid that a mask is taken to hold until it is known: an automatic mask that holds more
/// than 80 % is refused, a brain fills a third of its box.
const ASSUMED_MASK_SHARE: f64 = 0.4;

/// Program, libraries and per-thread buffers of OpenBLAS, as measured on an empty job.
const BASE_BYTES: u64 = 48 << 20;

/// Bytes a column of what every pass sums, its statistics, and what scaling multiplies with.
const PASS_BYTES: usize = 25 + 25 + 16;

/// Bytes a column of statistics over the frames that a model keeps, where these are not all.
const KEPT_BYTES: usize = 25 + 21;

/// Memory that may be used, bytes; `None` where the machine does not say.
pub type MemoryLimit = Option<u64>;

/// Sizes of the largest subject.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// Peak memory, bytes, as the work is shared out below the limit.
    pub memory_bytes: u64,
    /// The formula with its figures.
    pub memory_formula: String,
    /// The least that suffices: samples on disk, one run at a time.
    pub least_memory_bytes: u64,
    /// Samples that do not fit into memory and lie in the output folder while a run is at work, bytes.
    pub spilled_bytes: u64,
    /// Size of all results of all subjects before compression, bytes.
    pub disk_bytes: u64,
    /// Times each image is decoded.
    pub passes: usize,
    /// Processor time of what takes longer than reading, noise models and deconvolutions, seconds; a rough figure.
    #[serde(skip)]
    pub(super) processor_s: f64,
}

/// How the work on a space is shared out below a limit on memory. No number that is computed depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemoryShare {
    /// Runs that are read and fitted at the same time.
    pub(super) runs_in_flight: usize,
    /// Samples that a model needs are held; else they lie on disk.
    pub(super) samples_in_memory: bool,
}

/// Bytes that a space takes.
struct Needs {
    n_columns: usize,
    longest: usize,
    most_runs: usize,
    /// Of each run in flight: samples, where something needs them; sums over time, and whether they are taken while it is
    /// read; what settling the noise takes; frames being read; blocks being fitted; the fit.
    samples: usize,
    moments: usize,
    noise: usize,
    sums_while_reading: bool,
    frames: usize,
    work: usize,
    fit: usize,
    /// Of the deconvolution that takes most: series that come of it, kept where the samples are; blocks being solved, what is
    /// prepared for them, and volumes being written.
    activity: usize,
    deconvolution: usize,
    /// Of all runs.
    fits: usize,
    /// Of contrasts: of one stage for each run in flight where runs have maps of their own, and of one over runs.
    contrasts: usize,
}

impl Needs {
    fn total(&self, share: MemoryShare) -> u64 {
        let of_run = self.held_samples(share) + self.reading().max(self.fitting()).max(self.deconvolving(share));
        BASE_BYTES + (self.other_fits(share) + share.runs_in_flight * of_run).max(self.fits + self.contrasts) as u64
    }

    /// Of the runs that are not in flight.
    fn other_fits(&self, share: MemoryShare) -> usize {
        self.fits.saturating_sub(share.runs_in_flight * self.fit)
    }

    /// Beside the samples, while a run is read.
    fn reading(&self) -> usize {
        self.frames + if self.sums_while_reading { self.moments } else { 0 }
    }

    /// Beside the samples, while a run is fitted; where it is one of several, it has maps of its own.
    fn fitting(&self) -> usize {
        self.moments + self.noise + self.work + self.fit + if self.most_runs > 1 { self.contrasts } else { 0 }
    }

    /// Beside the samples, while a run is deconvolved.
    fn deconvolving(&self, share: MemoryShare) -> usize {
        if self.deconvolution == 0 {
            return 0;
        }
        self.fit + self.deconvolution + if share.samples_in_memory { self.activity } else { 0 }
    }

    /// Samples in memory: all, or the chunk that is on its way to disk.
    fn held_samples(&self, share: MemoryShare) -> usize {
        if share.samples_in_memory { self.samples } else { self.samples.min(4 * CHUNK_FRAMES * self.n_columns) }
    }

    /// Samples in memory where they fit, then as many runs as fit, at most one a thread.
    fn share(&self, threads: usize, limit: MemoryLimit) -> MemoryShare {
        let fits = |share: MemoryShare| limit.is_none_or(|limit| self.total(share) <= limit);
        let most = threads.min(self.most_runs).max(1);
        let samples_in_memory = fits(MemoryShare { runs_in_flight: 1, samples_in_memory: true });
        let share = |runs_in_flight| MemoryShare { runs_in_flight, samples_in_memory };
        (1..=most).rev().map(share).find(|share| fits(*share)).unwrap_or(share(1))
    }

    fn formula(&self, share: MemoryShare) -> String {
        let samples = match (self.samples, share.samples_in_memory) {
            (0, _) => String::new(),
            (bytes, true) => {
                let (columns, frames) = (self.n_columns, self.longest);
                format!(
                    "samples {} (4 B x {} x {}) + ",
                    mib(bytes as u64),
                    counted(columns, "column"),
                    counted(frames, "frame")
                )
            }
            (bytes, false) => {
                let buffer = mib(self.held_samples(share) as u64);
                format!("buffer {buffer} for samples on disk ({}) + ", mib(bytes as u64))
            }
        };
        let each = self.moments / self.n_columns.max(1);
        let sums = format!(
            " + sums over time {} ({each} B x {})",
            mib(self.moments as u64),
            counted(self.n_columns, "column")
        );
        let deconvolving = match self.deconvolving(share) {
            0 => String::new(),
            bytes => format!(", or deconvolving {}", mib(bytes as u64)),
        };
        let noise = match self.noise {
            0 => String::new(),
            bytes => format!(" + noise {}", mib(bytes as u64)),
        };
        let own_contrasts = if self.most_runs > 1 { " + contrasts" } else { "" };
        let other_fits = match self.other_fits(share) {
            0 => String::new(),
            bytes => format!(" + means, and fits of the other runs, {}", mib(bytes as u64)),
        };
        format!(
            "program {} + {} at a time x ({samples}the larger of reading (frames {}{}) and fitting (fit \
             {}{sums}{noise}{own_contrasts}){deconvolving}){other_fits}; or, where that is more, program + fits of {} {} + contrasts {}",
            mib(BASE_BYTES),
            counted(share.runs_in_flight, "run"),
            mib(self.frames as u64),
            if self.sums_while_reading { " + sums over time" } else { "" },
            mib((self.work + self.fit) as u64),
            counted(self.most_runs, "run"),
            mib(self.fits as u64),
            mib(self.contrasts as u64),
        )
    }
}

impl Plan {
    /// Predicted memory below this limit, disk and passes with this many threads.
    pub fn estimate(&self, threads: usize, limit: MemoryLimit) -> Estimate {
        let mut estimate = Estimate {
            memory_bytes: 0,
            memory_formula: String::from("no subject"),
            least_memory_bytes: 0,
            spilled_bytes: 0,
            disk_bytes: 0,
            passes: 1,
            processor_s: 0.0,
        };
        let mask_voxels = self.mask_voxels();
        for subject in &self.subjects {
            for space in &subject.spaces {
                let n_columns = self.n_columns(subject, space, mask_voxels);
                let needs = self.needs(subject, space, n_columns, threads);
                let share = needs.share(threads, limit);
                let least = needs.total(MemoryShare { runs_in_flight: 1, samples_in_memory: false });
                estimate.least_memory_bytes = estimate.least_memory_bytes.max(least);
                if needs.total(share) > estimate.memory_bytes {
                    estimate.memory_bytes = needs.total(share);
                    estimate.memory_formula = needs.formula(share);
                }
                if !share.samples_in_memory {
                    let spilled = ((needs.samples + needs.activity) * share.runs_in_flight) as u64;
                    estimate.spilled_bytes = estimate.spilled_bytes.max(spilled);
                }
                estimate.disk_bytes += self.space_disk(subject, space);
                estimate.processor_s += self.deconvolution_s(subject, space, n_columns);
                estimate.processor_s += self.noise_s(subject, space, n_columns);
            }
            let report = self.report_bytes(subject, threads, mask_voxels);
            estimate.least_memory_bytes = estimate.least_memory_bytes.max(report);
            if report > estimate.memory_bytes {
                estimate.memory_bytes = report;
                estimate.memory_formula =
                    format!("the report of a subject {}, more than its analysis takes", mib(report));
            }
        }
        if self.subjects.iter().any(|subject| !subject.spikes.is_empty()) {
            // spikes and rates are small beside the program
            (estimate.memory_bytes, estimate.least_memory_bytes) = (BASE_BYTES, BASE_BYTES);
            estimate.memory_formula = format!("program {}", mib(BASE_BYTES));
        }
        let masked = self.settings.series_models().next().is_some(); // a convolution in space is of every voxel
        if masked && matches!(self.settings.mask, MaskSettings::Auto) && self.subjects.iter().any(has_image) {
            estimate.passes = 2;
        }
        estimate
    }

    /// Refuses a plan that cannot be kept below `limit_bytes`.
    ///
    /// # Errors
    /// A diagnostic with the figure that is needed.
    pub fn check_memory(&self, threads: usize, limit_bytes: u64) -> Result<(), Diagnostics> {
        let estimate = self.estimate(threads, Some(limit_bytes));
        if estimate.memory_bytes <= limit_bytes {
            return Ok(());
        }
        Err(Diagnostic::error(
            "memory-too-small",
            format!(
                "the analysis needs about {} of memory, {} are allowed",
                mib(estimate.memory_bytes),
                mib(limit_bytes)
            ),
        )
        .note(format!("needed: {}", estimate.memory_formula))
        .hint("raise `--max-memory`, use a smaller mask, or fewer threads")
        .into())
    }

    /// How the work on a space of so many columns is shared out.
    pub(super) fn memory_share(
        &self,
        subject: &SubjectPlan,
        space: &SpacePlan,
        n_columns: usize,
        threads: usize,
        limit: MemoryLimit,
    ) -> MemoryShare {
        self.needs(subject, space, n_columns, threads).share(threads, limit)
    }

    fn needs(&self, subject: &SubjectPlan, space: &SpacePlan, n_columns: usize, threads: usize) -> Needs {
        let n_values = space.grid.as_ref().map_or(n_columns, crate::inputs::Grid::n_voxels);
        let longest = space.runs.iter().map(|&run| subject.runs[run].n_acquired).max().unwrap_or(0);
        let numerics = &self.settings.numerics;
        let of_model = |run: usize, (index, glm): (usize, &GlmSettings)| -> [usize; 2] {
            let Some(model) = subject.runs[run].models.get(index) else { return [0, 0] };
            let noise = noise_parameter_bytes(glm.noise, model.design.matrix.nrows());
            let shared = SampledNeeds::new(&model.design, glm.noise).kept_bytes(n_columns);
            let fit = n_columns * (8 * (model.design.n_columns() + 2) + noise) + shared;
            [n_columns * Moments::bytes_a_column(&model.design, glm.noise, numerics), fit]
        };
        let of_run = |run: usize| {
            let models = self.settings.glms.iter().enumerate().map(|model| of_model(run, model));
            models.fold([0, 0], |[sums, fits], [more_sums, more_fits]| [sums + more_sums, fits + more_fits])
        };
        let of_group = |group: &RunGroup| group.runs.iter().map(|&run| of_run(run)[1]).sum::<usize>();
        let widest = self.settings.glms.iter().enumerate().filter_map(|(model, _)| {
            let design = &subject.runs[space.runs[0]].models.get(model)?.design;
            Some(design.n_columns() + 1)
        });
        let rows = self.contrasts.iter().flatten().map(|contrast| contrast.settings.rows.len()).max().unwrap_or(0);
        let gaps = space.runs.iter().map(|&run| subject.runs[run].distinct_gaps()).max().unwrap_or(0);
        let within = if self.settings.preprocess.smooth_within_mask { 8 * n_values } else { 0 };
        // a 4-D map: a frame as values and as bytes, and what is compressed
        let writes_series =
            |glm: &GlmSettings| glm.maps.iter().any(|map| matches!(map, MapKind::Beta | MapKind::Residuals));
        let series_written = if self.settings.glms.iter().any(writes_series) {
            12 * n_values + Chunks::Many.memory(4 * n_values * longest)
        } else {
            0
        };
        let batch = threads.min(MAX_BATCH);
        let stored = space.runs.iter().map(|&run| subject.runs[run].bytes_a_value()).max().unwrap_or(4);
        let censored = space.runs.iter().any(|&run| subject.runs[run].is_censored());
        let sums = if censored { self.settings.glms.len() * KEPT_BYTES } else { 0 };
        let chunk = (4 * CHUNK_FRAMES.min(longest) + PASS_BYTES + sums) * n_columns;
        Needs {
            n_columns,
            longest,
            most_runs: space.groups.iter().map(|group| group.runs.len()).max().unwrap_or(1),
            samples: match (self.needs_samples(), self.needs_unsmoothed()) {
                (true, true) => 8 * n_columns * longest,
                (true, false) => 4 * n_columns * longest,
                (false, _) => 0,
            },
            moments: space.runs.iter().map(|&run| of_run(run)[0]).max().unwrap_or(0),
            noise: self.sampled_bytes(subject, space, n_columns, threads),
            sums_while_reading: !scales_samples(self.settings.preprocess.scaling, numerics.scaling_arithmetic),
            // a chunk, frames as they are stored, the first one, and what smoothing holds
            frames: chunk * if self.needs_unsmoothed() { 2 } else { 1 }
                + within
                + n_values * (stored * (batch + FRAMES_AHEAD) + 4 * (batch + 1)),
            activity: self.activity_bytes(subject, space, n_columns, longest),
            deconvolution: self.deconvolution_bytes(subject, space, (n_columns, n_values, longest), threads),
            fit: space.runs.iter().map(|&run| of_run(run)[1]).max().unwrap_or(0),
            // residuals, their products with each piece of the precision matrix, and what is solved
            work: 8 * BLOCK_COLUMNS * threads * (6 + 3 * gaps) * widest.max().unwrap_or(0)
                + series_written
                + residual_noise::bytes(&self.settings.glms, [n_columns, n_values], threads),
            // one is written while the next is computed; volumes being compressed, and those of a picture
            contrasts: 2 * 8 * n_columns * (2 * field_values(rows) + 5)
                + 4 * n_values * (2 * threads.min(8) + 3)
                + Chunks::One.memory(4 * n_values) * threads.min(8),
            // and the mean over runs
            fits: n_columns * 16 + space.groups.iter().map(of_group).max().unwrap_or(0),
        }
    }

    /// Voxels of a mask that all runs share; `None` where it is another, or cannot be read, which the run will tell.
    fn mask_voxels(&self) -> Option<usize> {
        let MaskSettings::File(path) = &self.settings.mask else { return None };
        let (_, mask, _) = inputs::read_mask(path).ok()?;
        Some(mask.iter().filter(|inside| **inside).count())
    }

    fn n_columns(&self, subject: &SubjectPlan, space: &SpacePlan, mask_voxels: Option<usize>) -> usize {
        match &space.grid {
            Some(grid) => match (&self.settings.mask, mask_voxels) {
                (MaskSettings::All, _) => grid.n_voxels(),
                (_, Some(voxels)) => voxels,
                _ => (grid.n_voxels() as f64 * ASSUMED_MASK_SHARE).ceil() as usize,
            },
            None => subject.runs[space.runs[0]].table_support().map_or(0, |support| support.n_columns()),
        }
    }

    fn space_disk(&self, subject: &SubjectPlan, space: &SpacePlan) -> u64 {
        let Some(grid) = &space.grid else { return 0 };
        let map = 4 * grid.n_voxels() as u64;
        let mut bytes = 0;
        bytes += self.activity_disk(subject, space, map);
        let frames: usize = space.runs.iter().map(|&run| subject.runs[run].n_acquired).sum();
        bytes += map * (frames * self.settings.convolutions.len()) as u64;
        for (index, glm) in self.settings.glms.iter().enumerate() {
            let levels = space
                .groups
                .iter()
                .map(|group| if group.runs.len() > 1 { group.runs.len() + 1 } else { 1 })
                .sum::<usize>();
            for contrast in &self.contrasts[index] {
                let kind = contrast.settings.kind;
                let per_contrast =
                    [MapKind::Effect, MapKind::Variance, MapKind::T, MapKind::F, MapKind::Z, MapKind::P, MapKind::Dof];
                let written =
                    per_contrast.iter().filter(|map| glm.maps.contains(map) && map_applies(**map, kind)).count();
                bytes += map * (written * levels) as u64;
            }
            for &run in &space.runs {
                let run = &subject.runs[run];
                let regressors = run.models.get(index).map_or(0, |model| model.design.n_columns()) as u64;
                for kind in &glm.maps {
                    bytes += map
                        * match kind {
                            MapKind::Beta => regressors,
                            MapKind::Residuals => run.n_acquired as u64,
                            MapKind::R2
                            | MapKind::Sigma
                            | MapKind::Rho
                            | MapKind::ArmaA
                            | MapKind::ArmaB
                            | MapKind::Whiteness => 1,
                            _ => 0,
                        };
                }
            }
        }
        bytes
    }
}

/// f64 values a column that a contrast of `rows` rows holds: effects and packed covariance; a t has one of each.
fn field_values(rows: usize) -> usize {
    rows + rows * (rows + 1) / 2 + 1
}

fn has_image(subject: &SubjectPlan) -> bool {
    subject.spaces.iter().any(|space| space.grid.is_some())
}

/// Bytes as whole MiB, for people.
pub(super) fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

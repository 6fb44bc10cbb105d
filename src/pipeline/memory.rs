//! What a plan will need: memory, disk, passes; sizes follow from the plan alone.

use super::plan::Plan;
use super::plan_subject::{SpacePlan, SubjectPlan, map_applies};
use crate::config::{MapKind, MaskSettings, Noise};
use crate::error::{Diagnostic, Diagnostics};
use serde::Serialize;

/// Share of a grid that a mask is taken to hold until it is known: an automatic mask that holds more
/// than 80 % is refused, a brain fills a third of its box.
const ASSUMED_MASK_SHARE: f64 = 0.4;

/// Program, libraries and per-thread buffers of OpenBLAS, as measured on an empty job.
const BASE_BYTES: u64 = 48 << 20;

/// Sizes of the largest subject.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// Peak memory, bytes.
    pub memory_bytes: u64,
    /// The formula with its figures.
    pub memory_formula: String,
    /// Size of all results of all subjects before compression, bytes.
    pub disk_bytes: u64,
    /// Times each image is decoded.
    pub passes: usize,
}

impl Plan {
    /// Predicted memory, disk and passes with this many threads.
    pub fn estimate(&self, threads: usize) -> Estimate {
        let mut largest = (0, String::from("no subject"));
        let mut disk_bytes = 0;
        for subject in &self.subjects {
            for space in &subject.spaces {
                let (bytes, formula) = self.space_memory(subject, space, threads);
                if bytes > largest.0 {
                    largest = (bytes, formula);
                }
                disk_bytes += self.space_disk(subject, space);
            }
        }
        let passes =
            if matches!(self.settings.mask, MaskSettings::Auto) && self.subjects.iter().any(has_image) { 2 } else { 1 };
        Estimate { memory_bytes: largest.0, memory_formula: largest.1, disk_bytes, passes }
    }

    /// Refuses a plan that cannot be kept below `limit_bytes`.
    ///
    /// # Errors
    /// A diagnostic with the figure that is needed.
    pub fn check_memory(&self, threads: usize, limit_bytes: u64) -> Result<(), Diagnostics> {
        let estimate = self.estimate(threads);
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

    fn space_memory(&self, subject: &SubjectPlan, space: &SpacePlan, threads: usize) -> (u64, String) {
        let n_columns = self.n_columns(subject, space);
        let n_values = space.grid.as_ref().map_or(n_columns, crate::inputs::Grid::n_voxels);
        let longest = space.runs.iter().map(|&run| subject.runs[run].n_acquired).max().unwrap_or(0);
        let series = 4 * n_columns * longest;
        let frames = 4 * n_values * (3 * threads + 4);
        let block = crate::preprocess::BLOCK_COLUMNS;
        let work = 8 * block * threads * longest * 4;
        let (mut fit, mut fields) = (0, 0);
        for (index, glm) in self.settings.glms.iter().enumerate() {
            let regressors = subject.runs[space.runs[0]].models.get(index).map_or(0, |model| model.design.n_columns());
            let noise = usize::from(glm.noise != Noise::Ols);
            fit = fit.max(8 * n_columns * (regressors + 4 + noise));
            let rows: usize =
                self.contrasts[index].iter().map(|contrast| field_values(contrast.settings.rows.len())).sum();
            fields += 8 * n_columns * rows * (space.runs.len() + 1);
        }
        let maps = (8 * 6 * n_columns) + (4 * 3 * n_values);
        let total = BASE_BYTES + (series + frames + work + fit + fields + maps) as u64;
        let formula = format!(
            "series {} (4 B x {n_columns} columns x {longest} frames) + frames in flight {} + block buffers {} + fit {} \
             + contrasts of {} {} + maps {} + program {}",
            mib(series as u64),
            mib(frames as u64),
            mib(work as u64),
            mib(fit as u64),
            counted(space.runs.len(), "run"),
            mib(fields as u64),
            mib(maps as u64),
            mib(BASE_BYTES),
        );
        (total, formula)
    }

    fn n_columns(&self, subject: &SubjectPlan, space: &SpacePlan) -> usize {
        match &space.grid {
            Some(grid) => match self.settings.mask {
                MaskSettings::All => grid.n_voxels(),
                _ => (grid.n_voxels() as f64 * ASSUMED_MASK_SHARE).ceil() as usize,
            },
            None => subject.runs[space.runs[0]].table_support().map_or(0, |support| support.n_columns()),
        }
    }

    fn space_disk(&self, subject: &SubjectPlan, space: &SpacePlan) -> u64 {
        let Some(grid) = &space.grid else { return 0 };
        let map = 4 * grid.n_voxels() as u64;
        let mut bytes = 0;
        for (index, glm) in self.settings.glms.iter().enumerate() {
            let levels = space
                .groups
                .iter()
                .map(|group| if group.runs.len() > 1 { group.runs.len() + 1 } else { 1 })
                .sum::<usize>();
            for contrast in &self.contrasts[index] {
                let kind = contrast.settings.kind;
                let per_contrast = [MapKind::Effect, MapKind::Variance, MapKind::T, MapKind::F, MapKind::Z, MapKind::P];
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
                            MapKind::R2 | MapKind::Sigma | MapKind::Rho => 1,
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

/// `1 run`, `2 runs`.
pub(super) fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Bytes as whole MiB, for people.
pub(super) fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

//! The one pass over a run.

use super::failure::Failure;
use super::plan::Plan;
use super::plan_run::{RunPlan, RunSource};
use super::subject_job::InputDigests;
use crate::error::{CancelToken, Diagnostic, Diagnostics, Place};
use crate::inputs::{Grid, NiftiFrames, Support, TableRows};
use crate::preprocess::{PassPlan, Series, Smoother, gather, temporal_mean_sd};
use crate::signal::gaussian::sigma_of_fwhm;
use std::sync::Arc;

/// The data of one run.
pub(super) struct RunData {
    /// Every frame that was not discarded.
    pub(super) series: Series,
    /// Columns that hold a value that is not finite, ascending.
    pub(super) never_finite: Vec<usize>,
}

impl RunData {
    /// Reads, smooths and gathers a run; the file's digest rides on the decode.
    pub(super) fn read(
        plan: &Plan,
        run: &RunPlan,
        support: &Support,
        digests: &mut InputDigests,
        cancel: &CancelToken,
    ) -> Result<(Self, Diagnostics), Failure> {
        let discard = plan.settings.preprocess.discard_volumes;
        let mut warnings = Diagnostics::new();
        let (series, report) = match &run.source {
            RunSource::Image(header) => {
                let (mut frames, _) = NiftiFrames::open(run.data_path())?;
                let smoother = smoother(plan, &header.grid, support);
                let pass = PassPlan { support: support.clone(), discard, smoother };
                let gathered = gather(&mut frames, &pass, cancel)?;
                digests.note(frames.digests().unwrap_or_default());
                gathered
            }
            RunSource::Table(table) => {
                let pass = PassPlan { support: support.clone(), discard, smoother: None };
                gather(&mut TableRows::new(Arc::clone(table)), &pass, cancel)?
            }
        };
        if report.n_non_finite > 0 {
            warnings.push(
                Diagnostic::warning(
                    "values-not-finite",
                    format!("{} values are NaN or infinite; they count as 0", report.n_non_finite),
                )
                .at(Place::file(run.data_path()))
                .note(format!(
                    "{} analysed columns hold one themselves and are left out",
                    report.non_finite_columns.len()
                )),
            );
        }
        let never_finite = report.non_finite_columns.iter().map(|&column| column as usize).collect();
        Ok((Self { series, never_finite }, warnings))
    }
}

/// The smoothing of a plan on this grid; `None` where there is none.
fn smoother(plan: &Plan, grid: &Grid, support: &Support) -> Option<Smoother> {
    let preprocess = &plan.settings.preprocess;
    let sizes_mm = grid.voxel_sizes_mm();
    let sigma_voxels: [f64; 3] =
        std::array::from_fn(|axis| sigma_of_fwhm(preprocess.smooth_fwhm_mm[axis]) / sizes_mm[axis]);
    if sigma_voxels.iter().all(|sigma| *sigma == 0.0) {
        return None;
    }
    Some(match support {
        Support::Voxels { index, .. } if preprocess.smooth_within_mask => {
            let mut mask = vec![false; grid.n_voxels()];
            for &voxel in index {
                mask[voxel as usize] = true;
            }
            Smoother::within_mask(grid.shape, sigma_voxels, &mask)
        }
        _ => Smoother::new(grid.shape, sigma_voxels),
    })
}

/// Mean over runs of each column's temporal mean and of its temporal signal-to-noise ratio.
#[derive(Debug, Default)]
pub(super) struct TemporalMean {
    mean: Vec<f64>,
    tsnr: Vec<f64>,
    n_runs: usize,
}

impl TemporalMean {
    /// Takes a run in.
    pub(super) fn add(&mut self, series: &Series) {
        let (mean, sd) = temporal_mean_sd(series);
        self.mean.resize(mean.len(), 0.0);
        self.tsnr.resize(mean.len(), 0.0);
        self.n_runs += 1;
        for (column, (mean, sd)) in mean.iter().zip(&sd).enumerate() {
            self.mean[column] += mean;
            // A column without variation has no ratio; 0 keeps it out of sight.
            self.tsnr[column] += if *sd > 0.0 { mean / sd } else { 0.0 };
        }
    }

    /// The temporal mean of each column, averaged over runs.
    pub(super) fn mean(&self) -> Vec<f64> {
        self.mean.iter().map(|sum| sum / self.n_runs as f64).collect()
    }

    /// Mean over standard deviation in time, averaged over runs.
    pub(super) fn tsnr(&self) -> Vec<f64> {
        self.tsnr.iter().map(|sum| sum / self.n_runs as f64).collect()
    }
}

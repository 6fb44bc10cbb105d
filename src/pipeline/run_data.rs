//! The one pass over a run.

use super::failure::Failure;
use super::plan::Plan;
use super::plan_run::{RunPlan, RunSource};
use super::run_job::Feeds;
use crate::error::{CancelToken, Diagnostic, Diagnostics, Place};
use crate::inputs::{FileDigest, Grid, NiftiFrames, Support, TableRows};
use crate::preprocess::{
    FrameSink, PassPlan, PassReport, Series, SeriesPlace, SeriesWriter, Smoother, TimeStatistics, pass, pass_both,
};
use crate::signal::gaussian::sigma_of_fwhm;
use std::sync::Arc;

/// What is kept of the data of one run once every model has seen them.
pub(super) struct RunData {
    /// Smoothed, where `[preprocess]` says so.
    pub(super) gathered: Gathered,
    /// As they are, where a model asks for that and the others are smoothed.
    pub(super) unsmoothed: Option<Gathered>,
    /// Of the files that were read.
    pub(super) digests: Vec<FileDigest>,
    /// What is odd about them.
    pub(super) warnings: Diagnostics,
}

/// The frames of a run, gathered in one way.
pub(super) struct Gathered {
    /// Of all frames that were not discarded.
    pub(super) statistics: TimeStatistics,
    /// Those frames, where something needs more than sums of them.
    pub(super) series: Option<Series>,
    /// Columns that hold a value that is not finite, ascending.
    pub(super) never_finite: Vec<usize>,
}

impl Gathered {
    fn new(
        (statistics, report): (TimeStatistics, &PassReport),
        writer: Option<SeriesWriter>,
        support: &Support,
    ) -> Self {
        let never_finite = report.non_finite_columns.iter().map(|&column| column as usize).collect();
        let series = writer.map(|writer| writer.finish(support.clone(), &statistics));
        Self { statistics, series, never_finite }
    }
}

impl RunData {
    /// Reads, smooths and gathers a run, and feeds it to its models; the file's digest rides on the decode.
    pub(super) fn read(
        plan: &Plan,
        run: &RunPlan,
        support: &Support,
        place: SeriesPlace<'_>,
        feeds: &mut Feeds,
        keep_samples: bool,
        cancel: &CancelToken,
    ) -> Result<Self, Failure> {
        let discard = plan.settings.preprocess.discard_volumes;
        let n_frames = run.n_acquired.saturating_sub(discard);
        let new_writer = || SeriesWriter::new(n_frames, support.n_columns(), place);
        let mut writer = keep_samples.then(new_writer).transpose()?;
        let mut unsmoothed = None;
        let mut sinks: Vec<&mut dyn FrameSink> = Vec::new();
        sinks.extend(feeds.moments.iter_mut().flatten().map(|moments| moments as &mut dyn FrameSink));
        sinks.extend(feeds.kept.iter_mut().map(|sums| sums as &mut dyn FrameSink));
        sinks.extend(writer.iter_mut().map(|writer| writer as &mut dyn FrameSink));
        let mut digests = Vec::new();
        let (statistics, report) = match &run.source {
            RunSource::Image(header) => {
                let (mut frames, _) = NiftiFrames::open(run.data_path())?;
                let pass_plan = |smoother| PassPlan { support: support.clone(), discard, smoother };
                let smoothed = pass_plan(smoother(plan, &header.grid, support));
                let passed = if plan.needs_unsmoothed() {
                    let mut writer = new_writer()?;
                    let ways = [&smoothed, &pass_plan(None)];
                    let [passed, as_it_is] = pass_both(&mut frames, ways, [&mut sinks, &mut [&mut writer]], cancel)?;
                    unsmoothed = Some(Gathered::new((as_it_is.0, &as_it_is.1), Some(writer), support));
                    passed
                } else {
                    pass(&mut frames, &smoothed, &mut sinks, cancel)?
                };
                digests.extend_from_slice(frames.digests().unwrap_or_default());
                passed
            }
            RunSource::Table(table) => {
                let plan = PassPlan { support: support.clone(), discard, smoother: None };
                pass(&mut TableRows::new(Arc::clone(table)), &plan, &mut sinks, cancel)?
            }
        };
        let mut warnings = Diagnostics::new();
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
        let gathered = Gathered::new((statistics, &report), writer, support);
        Ok(Self { gathered, unsmoothed, digests, warnings })
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
    pub(super) fn add(&mut self, TimeStatistics { mean, sd, .. }: &TimeStatistics) {
        self.mean.resize(mean.len(), 0.0);
        self.tsnr.resize(mean.len(), 0.0);
        self.n_runs += 1;
        for (column, (mean, sd)) in mean.iter().zip(sd).enumerate() {
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

//! The data of one run of which nothing but noise is known.

use super::rest::{RestScan, RestScans};
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use crate::inputs::{FileDigest, Support};
use crate::model::NullRun;
use crate::pipeline::excluded::Excluded;
use crate::pipeline::failure::Failure;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_run::RunPlan;
use crate::pipeline::run_data::{Gathered, RunData};
use crate::pipeline::run_job::Feeds;
use crate::preprocess::{Scaler, Series, SeriesPlace, TimeStatistics, excluded_columns, too_many_excluded};

/// A run whose data are to be replaced.
pub(super) struct NullSource<'a> {
    pub(super) run: &'a RunPlan,
    model: usize,
    /// What data are simulated from; none where they come from scans at rest.
    pub(super) simulated: Option<NullRun>,
    /// Columns that the run itself leaves out.
    pub(super) excluded: Excluded,
    /// Of the files that were read.
    pub(super) digests: Vec<FileDigest>,
}

/// Data ready to be fitted.
pub(super) struct NullData {
    pub(super) series: Series,
    pub(super) scaler: Scaler,
    pub(super) excluded: Excluded,
}

/// Where the data of a draw come from.
#[derive(Clone, Copy)]
pub(super) enum Draw<'a> {
    /// Simulated from this seed.
    Simulated(u64),
    /// A stretch of a scan, its first frame counted from the first that is not discarded.
    Rest(&'a RestScan, usize),
}

impl<'a> NullSource<'a> {
    /// Reads a run, and measures its noise where data are to be simulated.
    pub(super) fn new(
        plan: &Plan,
        run: &'a RunPlan,
        model: usize,
        support: &Support,
        rest: &RestScans,
        cancel: &CancelToken,
    ) -> Result<(Self, Diagnostics), Failure> {
        let RunData { gathered, warnings, digests, .. } =
            RunData::read(plan, run, support, SeriesPlace::Memory, &mut Feeds::default(), true, cancel)?;
        let Gathered { series, never_finite, .. } = gathered;
        let Some(series) = series else {
            return Err(Diagnostic::error("internal-bug", "samples to calibrate on were not kept").into());
        };
        let design = &run.models[model].design;
        let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames())?;
        let mut excluded = Excluded::new(excluded_columns(&statistics, plan.settings.preprocess.scaling));
        excluded.add_not_finite(&never_finite);
        if let Some(problem) = too_many_excluded(&run.display_name(), support, excluded.entries()) {
            return Err(problem.into());
        }
        let mut simulated = None;
        if rest.is_empty() {
            let numerics = &plan.settings.numerics;
            simulated = Some(NullRun::new(&series, &statistics, &excluded.columns(), design, numerics, cancel)?);
        }
        Ok((Self { run, model, simulated, excluded, digests }, warnings))
    }

    /// The data of a draw, with what is left out of them.
    pub(super) fn data(&self, plan: &Plan, draw: Draw<'_>) -> Result<NullData, Failure> {
        let design = &self.run.models[self.model].design;
        let scaling = plan.settings.preprocess.scaling;
        let (series, never_finite) = match (draw, &self.simulated) {
            (Draw::Simulated(seed), Some(null)) => (null.draw(seed), &[][..]),
            (Draw::Rest(scan, start), _) => {
                (scan.series.stretch(start..start + design.matrix.nrows())?, scan.never_finite.as_slice())
            }
            (Draw::Simulated(_), None) => {
                return Err(Diagnostic::error("internal-bug", "there is nothing to simulate from").into());
            }
        };
        let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames())?;
        let mut own = Excluded::new(excluded_columns(&statistics, scaling));
        own.add_not_finite(never_finite);
        if let (Draw::Rest(scan, _), Some(problem)) =
            (draw, too_many_excluded("a stretch of rest", &series.support, own.entries()))
        {
            return Err(problem.note(format!("of {}", scan.path.display())).into());
        }
        let excluded = Excluded::of_all([&self.excluded, &own].into_iter());
        let arithmetic = plan.settings.numerics.scaling_arithmetic;
        let scaler = Scaler::new(scaling, arithmetic, &statistics, &excluded.columns())?;
        Ok(NullData { series, scaler, excluded })
    }
}

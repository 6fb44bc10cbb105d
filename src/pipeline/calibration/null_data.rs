//! The data of one run of which nothing but noise is known.

use super::rest::RestScans;
use crate::error::CancelToken;
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::Support;
use crate::model::NullRun;
use crate::model::fit_run;
use crate::pipeline::excluded::Excluded;
use crate::pipeline::failure::Failure;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_run::RunPlan;
use crate::pipeline::residual_noise::RunNoise;
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
    excluded: Excluded,
    /// Of the run's own residuals, where a threshold depends on it.
    pub(super) noise: Option<RunNoise>,
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
    Rest(&'a Series, usize),
}

impl<'a> NullSource<'a> {
    /// Reads a run, and measures its noise.
    pub(super) fn new(
        plan: &Plan,
        run: &'a RunPlan,
        model: usize,
        support: &Support,
        rest: &RestScans,
        cancel: &CancelToken,
    ) -> Result<(Self, Diagnostics), Failure> {
        let RunData { gathered, warnings, .. } =
            RunData::read(plan, run, support, SeriesPlace::Memory, &mut Feeds::default(), true, cancel)?;
        let Gathered { series, never_finite, .. } = gathered;
        let Some(series) = series else {
            return Err(Diagnostic::error("internal-bug", "samples to calibrate on were not kept").into());
        };
        let (glm, design) = (&plan.settings.glms[model], &run.models[model].design);
        let (scaling, numerics) = (plan.settings.preprocess.scaling, &plan.settings.numerics);
        let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames())?;
        let mut excluded = Excluded::new(excluded_columns(&statistics, scaling));
        excluded.add_not_finite(&never_finite);
        if let Some(problem) = too_many_excluded(&run.display_name(), support, excluded.entries()) {
            return Err(problem.into());
        }
        let left_out = excluded.columns();
        let mut noise = None;
        if glm.needs_residuals() {
            let scaler = Scaler::new(scaling, numerics.scaling_arithmetic, &statistics, &left_out)?;
            let fit =
                fit_run(&series, &scaler, design, glm.noise.of_support(support.grid().is_some()), numerics, cancel)?;
            noise = RunNoise::measure(glm, &fit, (&series, &scaler), design, &excluded, cancel)?;
        }
        let mut simulated = None;
        if rest.is_empty() {
            simulated = Some(NullRun::new(&series, &statistics, &left_out, design, numerics, cancel)?);
        }
        Ok((Self { run, model, simulated, excluded, noise }, warnings))
    }

    /// The data of a draw, with what is left out of them.
    pub(super) fn data(&self, plan: &Plan, draw: Draw<'_>) -> Result<NullData, Failure> {
        let design = &self.run.models[self.model].design;
        let series = match (draw, &self.simulated) {
            (Draw::Simulated(seed), Some(null)) => null.draw(seed),
            (Draw::Rest(scan, start), _) => scan.stretch(start..start + design.matrix.nrows())?,
            (Draw::Simulated(_), None) => {
                return Err(Diagnostic::error("internal-bug", "there is nothing to simulate from").into());
            }
        };
        let settings = &plan.settings;
        let scaling = settings.preprocess.scaling;
        let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames())?;
        let own = Excluded::new(excluded_columns(&statistics, scaling));
        let excluded = Excluded::of_all([&self.excluded, &own].into_iter());
        let scaler = Scaler::new(scaling, settings.numerics.scaling_arithmetic, &statistics, &excluded.columns())?;
        Ok(NullData { series, scaler, excluded })
    }
}

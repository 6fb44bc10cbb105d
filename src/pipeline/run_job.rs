//! One run of a space: read once, every model fitted, its own maps written.

use super::contrast_maps::ContrastMaps;
use super::deconvolution_job::{DeconvolutionJob, GatheredRef};
use super::excluded::Excluded;
use super::failure::Failure;
use super::model_outputs::{Level, ModelOutputs};
use super::plan_run::RunPlan;
use super::plan_subject::RunGroup;
use super::regions::RegionSet;
use super::residual_noise::RunNoise;
use super::run_data::{Gathered, RunData};
use super::run_whiteness::RunWhiteness;
use super::space_job::SpaceJob;
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::{FileDigest, Support};
use crate::model::{Moments, RunFit, fit_run, whiteness, whiteness_lags};
use crate::outputs::Geometry;
use crate::preprocess::{
    Scaler, Series, SeriesPlace, TimeStatistics, TimeSums, excluded_columns, scales_samples, too_many_excluded,
};

/// One run of a group, ready to be read.
pub(super) struct RunJob<'a> {
    pub(super) space: &'a SpaceJob<'a>,
    pub(super) group: &'a RunGroup,
    pub(super) run: &'a RunPlan,
    pub(super) geometry: Option<&'a Geometry>,
    pub(super) support: &'a Support,
    pub(super) regions: &'a [RegionSet],
    /// Where samples are kept, if they are.
    pub(super) place: SeriesPlace<'a>,
}

/// The fit of one model to one run, and the columns it had to leave out.
pub(super) struct FittedRun {
    pub(super) fit: RunFit,
    pub(super) excluded: Excluded,
    /// Where samples were kept.
    pub(super) whiteness: Option<RunWhiteness>,
    /// Of the residuals, where a threshold depends on it.
    pub(super) noise: Option<RunNoise>,
}

/// The fits of one model to the columns of a run and to each set of regions.
pub(super) struct FittedModel {
    pub(super) columns: FittedRun,
    pub(super) regions: Vec<FittedRun>,
}

/// What is left of a run that was read and fitted.
pub(super) struct RunResult {
    pub(super) models: Vec<FittedModel>,
    pub(super) digests: Vec<FileDigest>,
    pub(super) warnings: Diagnostics,
}

/// What the models of a run are fed with while it is read.
#[derive(Default)]
pub(super) struct Feeds {
    /// Of each model; none where it is fitted to samples.
    pub(super) moments: Vec<Option<Moments>>,
    /// Over each set of frames that a model keeps, where these are not all; models may share one.
    pub(super) kept: Vec<TimeSums>,
}

/// What a model is fitted to: the voxels or the regions of a run.
struct Fittable<'a> {
    moments: Option<Moments>,
    statistics: &'a TimeStatistics,
    series: Option<&'a Series>,
    never_finite: &'a [usize],
}

impl RunJob<'_> {
    /// Gives the statistics of all frames beside what is left: they are as large as a fit, and only their mean over runs is
    /// asked for.
    pub(super) fn run(&self) -> Result<(RunResult, TimeStatistics), Failure> {
        let SpaceJob { plan, subject, progress, .. } = self.space;
        let name = self.run.display_name();
        progress.stage(&subject.subject, &name, "reading");
        let mut feeds = self.feeds()?;
        let data = RunData::read(
            plan,
            self.run,
            self.support,
            self.place,
            &mut feeds,
            plan.needs_samples(),
            self.space.cancel,
        )?;
        let RunData { gathered, unsmoothed, digests, mut warnings } = data;
        let Gathered { statistics, series, never_finite } = gathered;
        let regions: Vec<Series> = match &series {
            Some(series) => {
                self.regions.iter().map(|set| set.mean_series(series, &never_finite)).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        let of_kept: Vec<TimeStatistics> = feeds.kept.into_iter().map(|sums| sums.finish(&statistics.first)).collect();
        let mut moments = feeds.moments.into_iter();
        let mut models = Vec::new();
        for model in 0..plan.settings.glms.len() {
            progress.stage(&subject.subject, &name, &format!("model {}", *plan.settings.glms[model].name));
            let design = &self.run.models[model].design;
            let level =
                if self.group.runs.len() == 1 { Level::of_group(self.group) } else { Level::of_run(&self.run.labels) };
            let outputs = ModelOutputs::new(plan, model, self.space.staged, self.geometry, level);
            outputs.write_design(self.run)?;
            let frames = design.timing.kept_frames();
            let fittable = Fittable {
                moments: moments.next().flatten(),
                statistics: of_kept.iter().find(|of_kept| of_kept.frames == frames).unwrap_or(&statistics),
                series: series.as_ref(),
                never_finite: &never_finite,
            };
            let columns = self.fit(model, fittable, self.support, &outputs, &mut warnings)?;
            let mut of_regions = Vec::new();
            for (set, series) in self.regions.iter().zip(&regions) {
                let outputs = outputs.of_regions(&set.name);
                outputs.write_region_series(series)?;
                let statistics = TimeStatistics::of_series(series, &frames)?;
                let fittable =
                    Fittable { moments: None, statistics: &statistics, series: Some(series), never_finite: &[] };
                of_regions.push(self.fit(model, fittable, &series.support, &outputs, &mut warnings)?);
            }
            let fitted = FittedModel { columns, regions: of_regions };
            self.write_contrasts(model, &fitted, &outputs)?;
            models.push(fitted);
        }
        for model in 0..plan.settings.deconvolutions.len() {
            progress.stage(&subject.subject, &name, &format!("model {}", *plan.settings.deconvolutions[model].name));
            let smoothed =
                GatheredRef { statistics: &statistics, series: series.as_ref(), never_finite: &never_finite };
            let data = match &unsmoothed {
                Some(own) if !plan.settings.deconvolutions[model].smooth => GatheredRef::of(own),
                _ => smoothed,
            };
            DeconvolutionJob { run: self, model, fitted: &models }.run(&data, &mut warnings)?;
        }
        progress.step(&name);
        Ok((RunResult { models, digests, warnings }, statistics))
    }

    /// Every model of the run, ready for its frames.
    fn feeds(&self) -> Result<Feeds, Failure> {
        let settings = &self.space.plan.settings;
        let from_samples = scales_samples(settings.preprocess.scaling, settings.numerics.scaling_arithmetic);
        let n_columns = self.support.n_columns();
        let mut feeds = Feeds::default();
        for (model, glm) in self.run.models.iter().zip(&settings.glms) {
            let summed = !from_samples && !glm.noise.needs_samples();
            let moments = summed.then(|| Moments::new(&model.design, glm.noise, &settings.numerics, n_columns));
            feeds.moments.push(moments.transpose()?);
            let kept = model.design.timing.kept_frames();
            if kept.len() < model.design.matrix.nrows() && feeds.kept.iter().all(|sums| sums.frames() != kept) {
                feeds.kept.push(TimeSums::new(n_columns, kept));
            }
        }
        Ok(feeds)
    }

    fn fit(
        &self,
        model: usize,
        data: Fittable<'_>,
        support: &Support,
        outputs: &ModelOutputs<'_>,
        warnings: &mut Diagnostics,
    ) -> Result<FittedRun, Failure> {
        let (settings, cancel) = (&self.space.plan.settings, self.space.cancel);
        let design = &self.run.models[model].design;
        let scaling = settings.preprocess.scaling;
        let mut excluded = Excluded::new(excluded_columns(data.statistics, scaling));
        excluded.add_not_finite(data.never_finite);
        if let Some(problem) = too_many_excluded(&self.run.display_name(), support, excluded.entries()) {
            return Err(problem.into());
        }
        if !excluded.entries().is_empty() {
            warnings.push(excluded_warning(self.run, &excluded, support));
        }
        let arithmetic = settings.numerics.scaling_arithmetic;
        let scaler = Scaler::new(scaling, arithmetic, data.statistics, &excluded.columns())?;
        let noise = settings.glms[model].noise.of_support(support.grid().is_some());
        let fit = match (data.moments, data.series) {
            (Some(moments), _) => moments.fit(&scaler, cancel)?,
            (None, Some(series)) => fit_run(series, &scaler, design, noise, &settings.numerics, cancel)?,
            (None, None) => return Err(Diagnostic::error("internal-bug", "a model was given no data").into()),
        };
        let whiteness = match data.series {
            Some(series) => {
                let asked = (outputs.columns_looked_at(fit.n_columns()), whiteness_lags(design.timing.n_kept()));
                Some(whiteness(&fit, asked, (series, &scaler), design, &settings.numerics, cancel)?)
            }
            None => None,
        };
        outputs.write_fit((&fit, whiteness.as_ref()), &excluded, support, design)?;
        let mut noise = None;
        if let Some(series) = data.series {
            outputs.write_residuals(&fit, series, &scaler, design)?;
            noise = RunNoise::measure(&settings.glms[model], &fit, (series, &scaler), design, &excluded, cancel)?;
        }
        let whiteness = whiteness.map(|whiteness| RunWhiteness::new(&whiteness));
        Ok(FittedRun { fit, excluded, whiteness, noise })
    }

    /// The run's own maps, where it is one of several.
    fn write_contrasts(&self, model: usize, fitted: &FittedModel, outputs: &ModelOutputs<'_>) -> Result<(), Failure> {
        if self.group.runs.len() == 1 {
            return Ok(());
        }
        let write = |fitted, outputs: &ModelOutputs<'_>, support: &Support| {
            let SpaceJob { plan, cancel, .. } = *self.space;
            ContrastMaps { plan, model, runs: &[(self.run, fitted)], outputs, support, mean: None, cancel }.write()
        };
        write(&fitted.columns, outputs, self.support)?;
        for (set, fitted) in self.regions.iter().zip(&fitted.regions) {
            write(fitted, &outputs.of_regions(&set.name), &set.support())?;
        }
        Ok(())
    }
}

pub(super) fn excluded_warning(run: &RunPlan, excluded: &Excluded, support: &Support) -> Diagnostic {
    let entries = excluded.entries();
    let kind = if support.grid().is_some() { "voxels" } else { "columns" };
    let named: Vec<String> =
        entries.iter().take(5).map(|entry| format!("{} ({})", support.describe(entry.column), entry.reason)).collect();
    let more = if entries.len() > named.len() { ", …" } else { "" };
    Diagnostic::warning(
        "columns-excluded",
        format!("{} of {} {kind} of {} are left out", entries.len(), support.n_columns(), run.display_name()),
    )
    .note(format!("{}{more}", named.join(", ")))
    .note("they are 0 in every map; the summary lists all of them")
}

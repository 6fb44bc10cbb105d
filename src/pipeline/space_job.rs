//! The runs of one subject on one grid: mask, one pass a run, every model's fit, contrasts by run and over runs.

use super::excluded::Excluded;
use super::failure::Failure;
use super::mask_stage;
use super::model_outputs::{Level, ModelOutputs};
use super::plan::Plan;
use super::plan_run::{RunPlan, RunSource};
use super::plan_subject::{RunGroup, SpacePlan, SubjectPlan};
use super::progress::Progress;
use super::regions::RegionSet;
use super::run_data::{RunData, TemporalMean};
use super::subject_job::InputDigests;
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use crate::inference::{RunContrast, contrast_statistics};
use crate::inputs::Support;
use crate::model::{RunFit, fit_run};
use crate::outputs::{Geometry, StagedOutputs};
use crate::preprocess::{Scaler, Series, excluded_columns, too_many_excluded};

/// What the analysis of one space needs.
pub(super) struct SpaceJob<'a> {
    pub(super) plan: &'a Plan,
    pub(super) subject: &'a SubjectPlan,
    pub(super) space: &'a SpacePlan,
    pub(super) staged: &'a StagedOutputs,
    pub(super) cancel: &'a CancelToken,
}

/// The fit of one model to one run, and the columns it had to leave out.
pub(super) struct FittedRun {
    pub(super) fit: RunFit,
    pub(super) excluded: Excluded,
}

/// The fits of one model to the voxels and to each set of regions.
#[derive(Default)]
struct ModelFits {
    columns: Vec<FittedRun>,
    /// `regions[set][run]`.
    regions: Vec<Vec<FittedRun>>,
}

impl SpaceJob<'_> {
    /// Analyses every group of the space; what is odd comes back as warnings.
    pub(super) fn run(&self, digests: &mut InputDigests, progress: &mut Progress) -> Result<Diagnostics, Failure> {
        progress.stage(&self.subject.subject, "all runs", "mask");
        let (support, mut warnings) = mask_stage::support(self.plan, self.subject, self.space, self.cancel)?;
        let (regions, found) = RegionSet::read_all(&self.plan.settings.rois, &support)?;
        warnings.extend(found);
        for group in &self.space.groups {
            warnings.extend(self.run_group(group, &support, &regions, digests, progress)?);
        }
        Ok(warnings)
    }

    fn run_group(
        &self,
        group: &RunGroup,
        support: &Support,
        regions: &[RegionSet],
        digests: &mut InputDigests,
        progress: &mut Progress,
    ) -> Result<Diagnostics, Failure> {
        let settings = &self.plan.settings;
        let runs: Vec<&RunPlan> = group.runs.iter().map(|&run| &self.subject.runs[run]).collect();
        let geometry = geometry(runs[0]);
        let mut warnings = Diagnostics::new();
        let mut fits: Vec<ModelFits> = settings.glms.iter().map(|_| ModelFits::default()).collect();
        let mut mean = TemporalMean::default();
        for (at, run) in runs.iter().enumerate() {
            progress.stage(&self.subject.subject, &run.display_name(), "reading");
            let (data, found) = RunData::read(self.plan, run, support, digests, self.cancel)?;
            warnings.extend(found);
            mean.add(&data.series);
            let region_data: Vec<Series> =
                regions.iter().map(|set| set.mean_series(&data.series, &data.never_finite)).collect();
            for (model, glm) in settings.glms.iter().enumerate() {
                progress.stage(&self.subject.subject, &run.display_name(), &format!("model {}", *glm.name));
                let outputs = self.outputs(model, geometry.as_ref(), level(group, run));
                outputs.write_design(&run.models[model].design)?;
                let (fitted, found) = self.fit(model, run, &data.series, &data.never_finite, &outputs)?;
                warnings.extend(found);
                fits[model].columns.push(fitted);
                fits[model].regions.resize_with(regions.len(), Vec::new);
                for (set, (region, series)) in regions.iter().zip(&region_data).enumerate() {
                    let outputs = outputs.of_regions(&region.name);
                    outputs.write_region_series(series)?;
                    let (fitted, found) = self.fit(model, run, series, &[], &outputs)?;
                    warnings.extend(found);
                    fits[model].regions[set].push(fitted);
                }
                if runs.len() > 1 {
                    self.write_contrasts(model, &runs[at..=at], &fits[model].columns[at..], &outputs, support, None)?;
                    for (region, fitted) in regions.iter().zip(&fits[model].regions) {
                        let outputs = outputs.of_regions(&region.name);
                        self.write_contrasts(model, &runs[at..=at], &fitted[at..], &outputs, &region.support(), None)?;
                    }
                }
            }
            progress.step();
        }
        progress.stage(&self.subject.subject, &super::plan_run::display_name(&group.labels), "contrasts over runs");
        for (model, fits) in fits.iter().enumerate() {
            let outputs = self.outputs(model, geometry.as_ref(), Level::of_group(group));
            self.write_contrasts(model, &runs, &fits.columns, &outputs, support, Some(&mean))?;
            for (region, fitted) in regions.iter().zip(&fits.regions) {
                self.write_contrasts(model, &runs, fitted, &outputs.of_regions(&region.name), &region.support(), None)?;
            }
            outputs.write_group_images(support, &mean)?;
            outputs.write_summary(&runs, &fits.columns, support)?;
        }
        progress.step();
        Ok(warnings)
    }

    fn outputs<'o>(&'o self, model: usize, geometry: Option<&'o Geometry>, level: Level<'o>) -> ModelOutputs<'o> {
        ModelOutputs::new(self.plan, model, self.staged, geometry, level)
    }

    fn fit(
        &self,
        model: usize,
        run: &RunPlan,
        series: &Series,
        never_finite: &[usize],
        outputs: &ModelOutputs<'_>,
    ) -> Result<(FittedRun, Diagnostics), Failure> {
        let settings = &self.plan.settings;
        let design = &run.models[model].design;
        let kept = design.timing.kept_frames();
        let mut excluded = Excluded::new(excluded_columns(series, &kept, settings.preprocess.scaling));
        excluded.add_not_finite(never_finite);
        if let Some(problem) = too_many_excluded(&run.display_name(), &series.support, excluded.entries()) {
            return Err(problem.into());
        }
        let mut warnings = Diagnostics::new();
        if !excluded.entries().is_empty() {
            warnings.push(excluded_warning(run, &excluded, &series.support));
        }
        let columns = excluded.columns();
        let scaling = settings.preprocess.scaling;
        let scaler = Scaler::new(scaling, settings.numerics.scaling_arithmetic, series, &kept, &columns)?;
        let noise = settings.glms[model].noise;
        let fit = fit_run(series, &scaler, design, noise, &settings.numerics, self.cancel)?;
        outputs.write_fit(&fit, &excluded, series, &scaler, design)?;
        Ok((FittedRun { fit, excluded }, warnings))
    }

    /// Statistics of every contrast over these runs, into maps or tables.
    fn write_contrasts(
        &self,
        model: usize,
        runs: &[&RunPlan],
        fitted: &[FittedRun],
        outputs: &ModelOutputs<'_>,
        support: &Support,
        mean: Option<&TemporalMean>,
    ) -> Result<(), Failure> {
        let glm = &self.plan.settings.glms[model];
        for (index, contrast) in self.plan.contrasts[model].iter().enumerate() {
            let entering: Vec<(&RunPlan, &FittedRun, RunContrast<'_>)> = runs
                .iter()
                .zip(fitted)
                .filter_map(|(run, fitted)| {
                    let contrast = run.models[model].contrasts[index].as_ref()?;
                    Some((*run, fitted, RunContrast { fit: &fitted.fit, contrast }))
                })
                .collect();
            if entering.is_empty() {
                continue;
            }
            let of_runs: Vec<RunContrast<'_>> = entering.iter().map(|(_, _, run)| *run).collect();
            let map = contrast_statistics(&of_runs, glm.fixed_effects, &self.plan.settings.numerics, self.cancel)?;
            let excluded = Excluded::of_all(entering.iter().map(|(_, fitted, _)| &fitted.excluded));
            let designs: Vec<_> =
                entering.iter().map(|(run, _, own)| (&run.models[model].design, own.contrast)).collect();
            if let Some(mean) = mean {
                outputs.write_picture(&contrast.settings.name, &excluded.cleared(&map.z), support, mean)?;
            }
            outputs.write_contrast(&contrast.settings, map, &excluded, &designs, support)?;
        }
        Ok(())
    }
}

/// Files of a run carry its label; a group of one run writes its maps once, under that run's labels.
fn level<'a>(group: &'a RunGroup, run: &'a RunPlan) -> Level<'a> {
    if group.runs.len() == 1 { Level::of_group(group) } else { Level::of_run(&run.labels) }
}

fn geometry(run: &RunPlan) -> Option<Geometry> {
    match &run.source {
        RunSource::Image(header) => Some(Geometry { raw: header.raw.clone(), grid: header.grid.clone() }),
        RunSource::Table(_) => None,
    }
}

fn excluded_warning(run: &RunPlan, excluded: &Excluded, support: &Support) -> Diagnostic {
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

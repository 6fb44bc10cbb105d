//! The runs of one subject on one grid: mask, runs read and fitted, contrasts over runs.

use super::contrast_maps::ContrastMaps;
use super::failure::Failure;
use super::mask_stage;
use super::memory::MemoryLimit;
use super::model_outputs::{Level, ModelOutputs};
use super::plan::Plan;
use super::plan_run::{self, RunPlan, RunSource};
use super::plan_subject::{RunGroup, SpacePlan, SubjectPlan};
use super::progress::Progress;
use super::regions::RegionSet;
use super::run_data::TemporalMean;
use super::run_job::{FittedRun, RunJob, RunResult};
use super::subject_job::InputDigests;
use crate::config::FigureOf;
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use crate::inputs::Support;
use crate::outputs::{Geometry, StagedOutputs};
use crate::preprocess::{SeriesPlace, TimeStatistics};
use rayon::prelude::*;

/// What the analysis of one space needs.
pub(super) struct SpaceJob<'a> {
    pub(super) plan: &'a Plan,
    pub(super) subject: &'a SubjectPlan,
    pub(super) space: &'a SpacePlan,
    pub(super) staged: &'a StagedOutputs,
    pub(super) limit: MemoryLimit,
    pub(super) cancel: &'a CancelToken,
    pub(super) progress: &'a Progress,
}

impl SpaceJob<'_> {
    /// Analyses every group of the space; what is odd comes back as warnings.
    pub(super) fn run(&self, digests: &mut InputDigests) -> Result<Diagnostics, Failure> {
        self.progress.stage(&self.subject.subject, "all runs", "mask");
        let (support, mut warnings) = mask_stage::support(self.plan, self.subject, self.space, self.cancel)?;
        let (regions, found) = RegionSet::read_all(&self.plan.settings.rois, &support)?;
        warnings.extend(found);
        self.figures_are_of_regions(&regions)?;
        self.progress.end_stage("all runs");
        for group in &self.space.groups {
            warnings.extend(self.run_group(group, &support, &regions, digests)?);
        }
        Ok(warnings)
    }

    /// Every picture that is named is of a region of some `[[roi]]`, whose names are known now; tables were checked before.
    fn figures_are_of_regions(&self, regions: &[RegionSet]) -> Result<(), Failure> {
        if self.space.grid.is_none() {
            return Ok(());
        }
        let names: Vec<&str> = regions.iter().flat_map(RegionSet::names).collect();
        let figures = self.plan.settings.deconvolutions.iter().flat_map(|model| &model.figures);
        let mut problems = Diagnostics::new();
        for figure in figures {
            if let FigureOf::Named(name) = figure
                && !names.contains(&name.as_str())
            {
                let message = format!("there is no region `{}` to draw", **name);
                let place = name.place_of_words();
                let known = if names.is_empty() { "there is no [[roi]]".to_owned() } else { names.join(", ") };
                let diagnostic = Diagnostic { place, ..Diagnostic::error("figure-of-nothing", message) };
                problems.push(diagnostic.note(format!("regions: {known}")));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
    }

    fn run_group(
        &self,
        group: &RunGroup,
        support: &Support,
        regions: &[RegionSet],
        digests: &mut InputDigests,
    ) -> Result<Diagnostics, Failure> {
        let runs: Vec<&RunPlan> = group.runs.iter().map(|&run| &self.subject.runs[run]).collect();
        let geometry = geometry(runs[0]);
        let mut mean = TemporalMean::default();
        let results = self.read_and_fit(group, &runs, geometry.as_ref(), support, regions, &mut mean)?;
        let name = plan_run::display_name(&group.labels);
        self.progress.stage(&self.subject.subject, &name, "contrasts over runs");
        let mut warnings = Diagnostics::new();
        for result in &results {
            digests.note(&result.digests);
        }
        for model in 0..self.plan.settings.glms.len() {
            let outputs = ModelOutputs::new(self.plan, model, self.staged, geometry.as_ref(), Level::of_group(group));
            let write = |runs: &[(&RunPlan, &FittedRun)], outputs: &ModelOutputs<'_>, support: &Support, mean| {
                ContrastMaps { plan: self.plan, model, runs, outputs, support, mean, cancel: self.cancel }.write()
            };
            let fits = || runs.iter().copied().zip(results.iter().map(|result| &result.models[model]));
            let columns: Vec<(&RunPlan, &FittedRun)> = fits().map(|(run, fitted)| (run, &fitted.columns)).collect();
            write(&columns, &outputs, support, Some(&mean))?;
            for (set, region) in regions.iter().enumerate() {
                let fitted: Vec<_> = fits().map(|(run, fitted)| (run, &fitted.regions[set])).collect();
                let outputs = outputs.of_regions(&region.name);
                outputs.write_whiteness(&fitted)?;
                write(&fitted, &outputs, &region.support(), None)?;
            }
            outputs.write_whiteness(&columns)?;
            outputs.write_group_images(support, &mean)?;
            outputs.write_summary(&columns, support)?;
        }
        for result in results {
            warnings.extend(result.warnings);
        }
        self.progress.step(&name);
        Ok(warnings)
    }

    /// Reads and fits the runs, as many at a time as memory allows, and gives what is left of them in their order; their
    /// statistics in time go into `mean`.
    fn read_and_fit(
        &self,
        group: &RunGroup,
        runs: &[&RunPlan],
        geometry: Option<&Geometry>,
        support: &Support,
        regions: &[RegionSet],
        mean: &mut TemporalMean,
    ) -> Result<Vec<RunResult>, Failure> {
        let threads = rayon::current_num_threads();
        let share = self.plan.memory_share(self.subject, self.space, support.n_columns(), threads, self.limit);
        let place = if share.samples_in_memory {
            SeriesPlace::Memory
        } else {
            SeriesPlace::Folder(self.staged.scratch_folder())
        };
        let mut results = Vec::new();
        for wave in runs.chunks(share.runs_in_flight) {
            let of_run = |run: &&RunPlan| RunJob { space: self, group, run, geometry, support, regions, place }.run();
            let of_wave: Vec<Result<(RunResult, TimeStatistics), Failure>> =
                wave.par_iter().with_max_len(1).map(of_run).collect();
            let mut failures = Vec::new();
            for result in of_wave {
                match result {
                    Ok((result, statistics)) => {
                        mean.add(&statistics);
                        results.push(result);
                    }
                    Err(failure) => failures.push(failure),
                }
            }
            if let Some(failure) = failures.into_iter().reduce(Failure::and) {
                return Err(failure);
            }
        }
        Ok(results)
    }
}

fn geometry(run: &RunPlan) -> Option<Geometry> {
    match &run.source {
        RunSource::Image(header) => Some(Geometry { raw: header.raw.clone(), grid: header.grid.clone() }),
        RunSource::Table(_) => None,
    }
}

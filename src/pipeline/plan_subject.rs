//! One subject of a plan: its runs, the grids they lie on, and which of them are combined.

use super::contrasts::{PlannedContrast, require_estimable};
use super::convolve_job;
use super::dataset_runs::DatasetRuns;
use super::design_findings::DesignFindings;
use super::folded_warnings::folded_warnings;
use super::plan::Plan;
use super::plan_deconvolution::{RunDeconvolution, ppi_problems};
use super::plan_run::{RunModel, RunPlan, RunSource};
use super::rate_job::SpikesPlan;
use super::shared_files::SharedFiles;
use crate::config::{AbsentCondition, ContrastKind, GlmSettings, Inputs, Labels, Settings};
use crate::design;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::{self, Grid};
use crate::model::ModelError;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A subject whose inputs are in order.
#[derive(Debug)]
pub struct SubjectPlan {
    /// Its label.
    pub subject: String,
    /// Its runs, in the pipeline's order.
    pub runs: Vec<RunPlan>,
    /// Runs that share a grid and so a mask (or, for tables, the column names).
    pub spaces: Vec<SpacePlan>,
    /// Its recordings of spikes, in the pipeline's order.
    pub spikes: Vec<SpikesPlan>,
    /// What was odd about its inputs and designs.
    pub warnings: Diagnostics,
}

/// Runs of one subject that lie on one grid.
#[derive(Debug)]
pub struct SpacePlan {
    /// The grid; `None` for tables.
    pub grid: Option<Grid>,
    /// Indices of the runs.
    pub runs: Vec<usize>,
    /// Runs that are combined by fixed effects: same session and task.
    pub groups: Vec<RunGroup>,
}

/// Runs combined by fixed effects; a group of one run is that run.
#[derive(Debug)]
pub struct RunGroup {
    /// Labels the runs share; `run` is theirs where there is only one run.
    pub labels: Labels,
    /// Indices of the runs.
    pub runs: Vec<usize>,
}

impl SubjectPlan {
    /// Every input file of the subject, each once, in a fixed order.
    pub fn files(&self, shared: &SharedFiles) -> Vec<PathBuf> {
        let own = self.runs.iter().flat_map(|run| &run.files);
        let spikes = self.spikes.iter().map(|spikes| &spikes.table.path);
        own.chain(spikes).chain(&shared.files).collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }
}

/// Reads the headers and tables of a subject's runs; what is wrong with one does not hide what is wrong with another.
pub(super) fn read_runs(settings: &Settings, dataset: &DatasetRuns, subject: &str) -> (Vec<RunPlan>, Diagnostics) {
    let mut problems = dataset.odd.get(subject).cloned().unwrap_or_default();
    let mut runs = Vec::new();
    let mut take = |read: Result<(RunPlan, Diagnostics), Diagnostics>| {
        if let Some((run, warnings)) = problems.collect(read) {
            problems.extend(warnings);
            runs.push(run);
        }
    };
    match &settings.inputs {
        Inputs::Runs(all) => {
            all.iter()
                .filter(|run| run.labels.subject == subject)
                .for_each(|run| take(RunPlan::of_image(settings, run, dataset.sidecars.get(&run.bold.value))));
        }
        Inputs::Timeseries(all) => {
            let own = all.iter().filter(|table| table.labels.subject == subject);
            own.for_each(|table| take(RunPlan::of_table(settings, table)));
        }
        Inputs::Spikes(_) => {} // no frames
    }
    (runs, problems.folded_by_key())
}

/// Builds designs and contrasts and groups the runs; `problems` are those met in reading them.
pub(super) fn plan(
    plan: &Plan,
    subject: &str,
    (mut runs, mut problems): (Vec<RunPlan>, Diagnostics),
    conditions: &BTreeSet<String>,
) -> Result<(SubjectPlan, Diagnostics), Diagnostics> {
    let glms = &plan.settings.glms;
    for run in &mut runs {
        let mut findings = DesignFindings::default();
        for (model, glm) in glms.iter().enumerate() {
            match run.design(plan, model) {
                Ok((design, warnings)) => {
                    findings.add(&glm.name, warnings);
                    findings.add(&glm.name, design::checks::warnings(&design));
                    if let Some(problem) = order_too_long(glm, &design) {
                        problems.push(problem);
                    }
                    let contrasts = resolve_contrasts(plan, model, &design, conditions, &mut problems);
                    run.models.push(RunModel { design, contrasts });
                }
                Err(found) => findings.add(&glm.name, found),
            }
        }
        for (index, model) in plan.settings.deconvolutions.iter().enumerate() {
            match RunDeconvolution::new(plan, run, index) {
                Ok((deconvolution, warnings)) => {
                    findings.add(&model.name, warnings);
                    run.deconvolutions.push(deconvolution);
                }
                Err(found) => findings.add(&model.name, found),
            }
            problems.extend(ppi_problems(model, run, conditions, !plan.settings.rois.is_empty()));
        }
        for model in 0..plan.settings.convolutions.len() {
            problems.extend(convolve_job::problems(plan, model, run));
        }
        problems.extend(findings.said(plan.settings.series_models().count()));
    }
    if !problems.has_errors() {
        every_contrast_has_a_run(plan, subject, &runs, &mut problems);
    }
    let spaces = group_by_space(&runs, &mut problems);
    check_grids(&plan.shared, &runs, &spaces, &mut problems);
    let spikes = read_spikes(&plan.settings, subject, &mut problems);
    let warnings = Diagnostics::new();
    let planned = SubjectPlan { subject: subject.to_owned(), runs, spaces, spikes, warnings };
    problems
        .finish(planned)
        .map(|(planned, warnings)| (SubjectPlan { warnings: folded_warnings(warnings.clone()), ..planned }, warnings))
}

/// Says at the model that the order of its noise is too long for a run, before anything is fitted.
fn order_too_long(glm: &GlmSettings, design: &design::RunDesign) -> Option<Diagnostic> {
    let dof = design.timing.n_kept().saturating_sub(design::checks::rank(design));
    let problem = Diagnostic::from(ModelError::of_order(glm.noise, &design.run, dof)?);
    Some(Diagnostic { place: glm.name.place(), ..problem }.note(format!("model: {}", glm.name.value)))
}

/// Reads the recordings of a subject.
fn read_spikes(settings: &Settings, subject: &str, problems: &mut Diagnostics) -> Vec<SpikesPlan> {
    let Inputs::Spikes(all) = &settings.inputs else { return Vec::new() };
    let own = all.iter().filter(|table| table.labels.subject == subject);
    let read = own.filter_map(|table| problems.collect(SpikesPlan::new(&settings.rates, table)));
    let read: Vec<(SpikesPlan, Diagnostics)> = read.collect();
    let (plans, warnings): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    for warnings in warnings {
        problems.extend(warnings);
    }
    plans
}

fn resolve_contrasts(
    plan: &Plan,
    model: usize,
    design: &design::RunDesign,
    conditions: &BTreeSet<String>,
    problems: &mut Diagnostics,
) -> Vec<Option<design::ContrastMatrix>> {
    let declared_policy = plan.settings.glms[model].design.when_condition_absent;
    let resolve = |contrast: &PlannedContrast| -> Result<Option<design::ContrastMatrix>, Diagnostics> {
        let policy = if contrast.declared { declared_policy } else { AbsentCondition::SkipRun };
        let matrix = design::resolve_contrast(&contrast.parsed, design, policy, conditions)?;
        if let Some(matrix) = &matrix {
            require_estimable(design, matrix, &contrast.settings)?;
        }
        Ok(matrix)
    };
    plan.contrasts[model].iter().map(|contrast| problems.collect(resolve(contrast)).flatten()).collect()
}

fn every_contrast_has_a_run(plan: &Plan, subject: &str, runs: &[RunPlan], problems: &mut Diagnostics) {
    for (model, contrasts) in plan.contrasts.iter().enumerate() {
        for (index, contrast) in contrasts.iter().enumerate().filter(|(_, contrast)| contrast.declared) {
            if !runs.iter().any(|run| run.models[model].contrasts[index].is_some()) {
                let name = contrast.settings.name.as_str();
                let mut problem = Diagnostic::error(
                    "contrast-without-run",
                    format!("no run of sub-{subject} can estimate contrast `{name}`"),
                )
                .hint("check the events of this subject, or restrict the work with `--subject`");
                problem.place = contrast.settings.name.place();
                problems.push(problem);
            }
        }
    }
}

/// Groups runs by space and resolution, and within these by session and task.
fn group_by_space(runs: &[RunPlan], problems: &mut Diagnostics) -> Vec<SpacePlan> {
    let mut spaces: Vec<SpacePlan> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let same_space = |space: &&mut SpacePlan| {
            let first = &runs[space.runs[0]];
            (&first.labels.space, &first.labels.res) == (&run.labels.space, &run.labels.res)
        };
        let grid = match &run.source {
            RunSource::Image(header) => Some(header.grid.clone()),
            RunSource::Table(_) => None,
        };
        if let Some(space) = spaces.iter_mut().find(same_space) {
            let first = &runs[space.runs[0]];
            match (&space.grid, &grid) {
                (Some(expected), Some(found)) if !expected.same_as(found) => {
                    problems.push(
                        inputs::grid_mismatch(run.data_path(), found, first.data_path(), expected)
                            .hint("runs of a subject in one space lie on one grid: resample, or give them different `space` labels"),
                    );
                    continue;
                }
                (None, None) => check_columns(first, run, problems),
                _ => {}
            }
            space.runs.push(index);
        } else {
            spaces.push(SpacePlan { grid, runs: vec![index], groups: Vec::new() });
        }
    }
    for space in &mut spaces {
        for &index in &space.runs {
            let labels = &runs[index].labels;
            let same =
                |group: &&mut RunGroup| (&group.labels.session, &group.labels.task) == (&labels.session, &labels.task);
            if let Some(group) = space.groups.iter_mut().find(same) {
                group.labels.run = None;
                group.runs.push(index);
            } else {
                space.groups.push(RunGroup { labels: labels.clone(), runs: vec![index] });
            }
        }
        check_run_labels(runs, &space.groups, problems);
    }
    spaces
}

/// Where runs are combined, the maps over runs have no run label: a run without one would have the same names.
fn check_run_labels(runs: &[RunPlan], groups: &[RunGroup], problems: &mut Diagnostics) {
    let combined = groups.iter().filter(|group| group.runs.len() > 1).flat_map(|group| &group.runs);
    for run in combined.map(|&run| &runs[run]).filter(|run| run.labels.run.is_none()) {
        problems.push(
            Diagnostic::error(
                "run-without-label",
                format!("a run of {} has no run label, but others do", run.display_name()),
            )
            .at(Place::file(run.data_path()))
            .note("its maps would have the names of the maps over runs")
            .hint("give it a label with `run = \"01\"`, or a `run-01` in the file's name"),
        );
    }
}

/// Tables that are combined hold the same columns.
fn check_columns(first: &RunPlan, run: &RunPlan, problems: &mut Diagnostics) {
    if first.table_support() != run.table_support() {
        problems.push(
            Diagnostic::error("timeseries-columns-differ", "the tables of this subject hold different columns")
                .at(Place::file(run.data_path()))
                .note(format!("compared with {}", first.data_path().display()))
                .hint("choose the common columns with `columns`"),
        );
    }
}

/// Masks and regions lie on the grid of the data.
fn check_grids(shared: &SharedFiles, runs: &[RunPlan], spaces: &[SpacePlan], problems: &mut Diagnostics) {
    for space in spaces {
        let Some(grid) = &space.grid else { continue };
        let data = runs[space.runs[0]].data_path();
        let own = space.runs.iter().filter_map(|&run| runs[run].mask.as_deref());
        for image in shared.images.iter().chain(own).filter(|image| !image.grid.same_as(grid)) {
            problems.push(
                inputs::grid_mismatch(&image.path, &image.grid, data, grid).hint("resample it to the grid of the data"),
            );
        }
    }
}

/// Whether a contrast of this kind and this map go together.
pub(super) fn map_applies(map: crate::config::MapKind, kind: ContrastKind) -> bool {
    use crate::config::MapKind::{Effect, F, T, Variance};
    match map {
        Effect | Variance | T => kind == ContrastKind::T,
        F => kind == ContrastKind::F,
        _ => true,
    }
}

//! One deconvolution of one run: its kernel on the grid of the activity, and the drift and confounds to be projected out.

use super::plan::Plan;
use super::plan_run::{RunPlan, RunSource};
use crate::config::{
    DeconvolutionSettings, FigureOf, HrfSettings, KernelSettings, Located, PpiSettings, RoiSettings, RoiSource,
};
use crate::design::{RunDesign, response_kernel, table_kernel};
use crate::error::{Diagnostic, Diagnostics, Place};
use std::collections::BTreeSet;

/// What one deconvolution makes of one run.
#[derive(Debug)]
pub struct RunDeconvolution {
    /// Drift, confounds and constant, with the frames that are kept.
    pub nuisance: RunDesign,
    /// The response to one activity sample, at 0, 1, ... activity samples after it; empty for calcium, whose dynamics are
    /// each column's own.
    pub kernel: Vec<f64>,
}

impl RunDeconvolution {
    /// For the deconvolution with this index.
    pub(super) fn new(plan: &Plan, run: &RunPlan, index: usize) -> Result<(Self, Diagnostics), Diagnostics> {
        let settings = &plan.settings.deconvolutions[index];
        let model = plan.settings.glms.len() + index;
        let mut problems = Diagnostics::new();
        let mut design = settings.design.clone();
        design.hrf = HrfSettings::None; // no column is convolved: activity takes the place of events
        let nuisance = problems.collect(run.design_of(plan, model, None, &design));
        let kernel = problems.collect(kernel(plan, run, index));
        problems.extend(figure_problems(settings, &plan.settings.rois, run));
        let (Some((nuisance, warnings)), Some(kernel)) = (nuisance, kernel) else { return Err(problems) };
        problems.extend(warnings);
        problems.extend(length_problem(settings, run, &nuisance, kernel.len()).into_iter().collect());
        problems.finish(Self { nuisance, kernel })
    }
}

fn kernel(plan: &Plan, run: &RunPlan, index: usize) -> Result<Vec<f64>, Diagnostics> {
    let settings = &plan.settings.deconvolutions[index];
    let step_s = run.tr_s / settings.upsample as f64;
    match &settings.kernel {
        KernelSettings::Hrf => {
            let response = plan.shared.responses[plan.settings.glms.len() + index].as_ref();
            response_kernel(&settings.design.hrf, response, step_s, &plan.settings.numerics)
        }
        KernelSettings::File(path) => {
            plan.shared.kernels[index].as_ref().map_or(Ok(Vec::new()), |table| table_kernel(path, table, step_s))
        }
        KernelSettings::Calcium { .. } | KernelSettings::TimeConstants { .. } => Ok(Vec::new()),
    }
}

/// A response longer than the run would leave more activity before the run than within it.
fn length_problem(
    settings: &DeconvolutionSettings,
    run: &RunPlan,
    nuisance: &RunDesign,
    length: usize,
) -> Option<Diagnostic> {
    let kernel_s = length as f64 * run.tr_s / settings.upsample as f64;
    let run_s = nuisance.timing.n_kept() as f64 * run.tr_s;
    (kernel_s > run_s).then(|| {
        let message = format!(
            "the kernel of `{}` lasts {kernel_s:.1} s, what is kept of {} {run_s:.1} s",
            *settings.name,
            run.display_name()
        );
        Diagnostic::error("kernel-longer-than-run", message)
            .at(Place::file(run.data_path()))
            .note("activity is estimated from the responses to it, which must fit into the run")
            .hint("leave the run out, check the repetition time, or give a shorter kernel as { file = \"…\" }")
    })
}

/// Columns, regions and voxels that are to be drawn are there. The regions of an atlas are known once it is read.
fn figure_problems(settings: &DeconvolutionSettings, rois: &[RoiSettings], run: &RunPlan) -> Diagnostics {
    let may_be_region =
        |name: &str| rois.iter().any(|roi| roi.name.value == name || matches!(roi.source, RoiSource::Atlas { .. }));
    let problem = |figure: &FigureOf| match (figure, &run.source) {
        (FigureOf::Named(name), RunSource::Table(table)) if !table.names.contains(name) => {
            let message = format!("there is no column `{}` to draw in {}", **name, run.display_name());
            let columns = format!("columns: {}", table.names.join(", "));
            Some(
                Diagnostic { place: name.place_of_words(), ..Diagnostic::error("figure-of-nothing", message) }
                    .note(columns),
            )
        }
        (FigureOf::Named(name), RunSource::Image(_)) if !may_be_region(name) => {
            let message = format!("there is no region `{}` to draw in {}", **name, run.display_name());
            let diagnostic = Diagnostic::error("figure-of-nothing", message);
            let names: Vec<&str> = rois.iter().map(|roi| roi.name.value.as_str()).collect();
            let there = if names.is_empty() { "the pipeline has no [[roi]]".to_owned() } else { names.join(", ") };
            let diagnostic = diagnostic.note(format!("regions: {there}")).hint("a voxel is [i, j, k]");
            Some(Diagnostic { place: name.place_of_words(), ..diagnostic })
        }
        (FigureOf::Voxel(index), RunSource::Image(header)) => {
            let shape = header.grid.shape;
            let outside = index.iter().zip(shape).any(|(at, length)| *at >= length);
            outside.then(|| {
                let message = format!("voxel {:?} is outside the image of {}", **index, run.display_name());
                let diagnostic = Diagnostic { place: index.place(), ..Diagnostic::error("figure-of-nothing", message) };
                diagnostic.note(format!("the image has {}x{}x{} voxels, counted from 0", shape[0], shape[1], shape[2]))
            })
        }
        _ => None,
    };
    settings.figures.iter().filter_map(problem).collect()
}

/// Interactions name conditions that some run of the pipeline has, are of columns or regions, and have events in each run.
pub(super) fn ppi_problems(
    settings: &DeconvolutionSettings,
    run: &RunPlan,
    conditions: &BTreeSet<String>,
    has_regions: bool,
) -> Diagnostics {
    let of_ppi = |ppi: &PpiSettings| -> Vec<Diagnostic> {
        if matches!(run.source, RunSource::Image(_)) && !has_regions {
            let message = format!("interaction `{}` is of regions, and there is no [[roi]]", *ppi.name);
            let diagnostic = Diagnostic::error("ppi-without-region", message).hint("add a [[roi]]");
            return vec![Diagnostic { place: ppi.name.place(), ..diagnostic }];
        }
        let Some(events) = &run.events else {
            let message = format!("interaction `{}` needs events, {} has none", *ppi.name, run.display_name());
            let diagnostic = Diagnostic::error("ppi-without-events", message).at(Place::file(run.data_path()));
            return vec![diagnostic.hint("add `events` to the run")];
        };
        let unknown = ppi.plus.iter().chain(&ppi.minus).filter(|name| !conditions.contains(name.as_str()));
        let said = unknown.map(|name| {
            let message = format!("unknown condition `{}` in interaction `{}`", **name, *ppi.name);
            let known: Vec<&str> = conditions.iter().map(String::as_str).collect();
            let mut diagnostic = Diagnostic::error("ppi-unknown-condition", message);
            if let Some(near) = nearest(name, &known) {
                diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
            }
            Diagnostic { place: name.place_of_words(), ..diagnostic }.note(format!("conditions: {}", known.join(", ")))
        });
        let mut problems: Vec<Diagnostic> = said.collect();
        let here = |name: &Located<String>| events.events.iter().any(|event| event.condition == name.value);
        if problems.is_empty() && !ppi.plus.iter().chain(&ppi.minus).any(here) {
            let message = format!("{} has no event of interaction `{}`", run.display_name(), *ppi.name);
            let diagnostic = Diagnostic::error("ppi-without-events", message).at(Place::file(&events.path));
            problems.push(
                diagnostic.hint("leave the run out, or make the interaction in a pipeline of the runs that have them"),
            );
        }
        problems
    };
    settings.ppis.iter().flat_map(of_ppi).collect()
}

/// The condition that a slip of the pen turns into `name`: one edit in three letters at most.
fn nearest<'a>(name: &str, conditions: &[&'a str]) -> Option<&'a str> {
    let distance = |condition: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), &condition.to_lowercase());
    let near = conditions.iter().copied().min_by_key(distance)?;
    (distance(&near) <= (name.chars().count() / 3).max(1)).then_some(near)
}

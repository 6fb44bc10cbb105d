//! `summary.json`: what a model did to each run, in figures.

use super::plan_run::RunPlan;
use super::run_job::FittedRun;
use crate::inputs::Support;
use serde::Serialize;

/// Columns listed by place at most; the count is always whole.
const LISTED: usize = 1000;

/// What one model did for one group of runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    name: String,
    /// Voxels in the mask, or columns of the table.
    analysed_columns: usize,
    runs: Vec<RunSummary>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RunSummary {
    run: String,
    frames: usize,
    discarded_frames: usize,
    censored_frames: Vec<usize>,
    repetition_time: f64,
    design_columns: Vec<String>,
    rank: usize,
    degrees_of_freedom: f64,
    excluded_columns: usize,
    excluded: Vec<ExcludedColumn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_rho: Option<f64>,
    mean_r2: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExcludedColumn {
    place: String,
    reason: String,
}

impl Summary {
    pub(super) fn new(name: &str, model: usize, runs: &[(&RunPlan, &FittedRun)], support: &Support) -> Self {
        let runs = runs.iter().map(|(run, fitted)| RunSummary::new(model, run, fitted, support)).collect();
        Self { name: name.to_owned(), analysed_columns: support.n_columns(), runs }
    }
}

impl RunSummary {
    fn new(model: usize, run: &RunPlan, fitted: &FittedRun, support: &Support) -> Self {
        let design = &run.models[model].design;
        let timing = &design.timing;
        let entries = fitted.excluded.entries();
        let n_used = (fitted.fit.n_columns() - entries.len()).max(1) as f64;
        let mean_over_used = |mut values: Vec<f64>| {
            fitted.excluded.clear(&mut values);
            values.iter().sum::<f64>() / n_used
        };
        Self {
            run: run.display_name(),
            frames: run.n_acquired,
            discarded_frames: timing.discarded,
            censored_frames: (0..timing.n_frames())
                .filter(|&frame| !timing.kept[frame])
                .map(|frame| frame + timing.discarded)
                .collect(),
            repetition_time: run.tr_s,
            design_columns: design.names.clone(),
            rank: fitted.fit.rank,
            degrees_of_freedom: fitted.fit.dof,
            excluded_columns: entries.len(),
            excluded: entries
                .iter()
                .take(LISTED)
                .map(|entry| ExcludedColumn { place: support.describe(entry.column), reason: entry.reason.to_string() })
                .collect(),
            mean_rho: fitted.fit.rho().map(mean_over_used),
            mean_r2: mean_over_used(fitted.fit.r2.clone()),
        }
    }
}

//! `summary.json`: what a model did to each run, in figures.

use super::deconvolution_outputs::Deconvolved;
use super::excluded::Excluded;
use super::plan_deconvolution::RunDeconvolution;
use super::plan_run::RunPlan;
use super::run_job::FittedRun;
use crate::config::{DeconvolutionSettings, Method};
use crate::inputs::{Support, Timing};
use crate::model::PooledBy;
use crate::model::deconvolve::CANDIDATES;
use serde::Serialize;
use std::collections::BTreeMap;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    noise_pooled_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ljung_box: Option<LjungBox>,
}

/// The Ljung-Box test of whitened residuals.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LjungBox {
    lags: usize,
    columns: usize,
    /// At .05.
    share_rejected: f64,
}

/// What a deconvolution did to one run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeconvolutionSummary {
    run: String,
    analysed_columns: usize,
    frames: usize,
    discarded_frames: usize,
    censored_frames: Vec<usize>,
    repetition_time: f64,
    /// Activity samples in each repetition time.
    upsample: usize,
    /// Samples of the kernel; none for calcium.
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel_samples: Option<usize>,
    /// Drift and confounds that were projected out.
    nuisance_columns: Vec<String>,
    excluded_columns: usize,
    excluded: Vec<ExcludedColumn>,
    mean_sigma: f64,
    mean_degrees_of_freedom: f64,
    /// Columns of each method, where each has its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    columns_of_method: BTreeMap<&'static str, usize>,
    /// Columns whose activity is 0 throughout: none is likelier than some.
    columns_without_activity: usize,
}

impl DeconvolutionSummary {
    pub(super) fn new(
        run: &RunPlan,
        own: &RunDeconvolution,
        settings: &DeconvolutionSettings,
        deconvolved: &Deconvolved<'_>,
    ) -> Self {
        let (timing, columns) = (&own.nuisance.timing, &deconvolved.activity.columns);
        let entries = deconvolved.excluded.entries();
        let n_columns = deconvolved.series.n_columns();
        let n_used = (n_columns - entries.len()).max(1) as f64;
        let mut columns_of_method = BTreeMap::new();
        if settings.method == Method::Auto {
            let excluded = deconvolved.excluded.columns(); // ascending
            let used = (0..n_columns).filter(|column| excluded.binary_search(column).is_err());
            for column in used {
                *columns_of_method.entry(CANDIDATES[usize::from(columns.method[column])]).or_default() += 1;
            }
        }
        Self {
            run: run.display_name(),
            analysed_columns: n_columns,
            frames: run.n_acquired,
            discarded_frames: timing.discarded,
            censored_frames: censored_frames(timing),
            repetition_time: run.tr_s,
            upsample: settings.upsample,
            kernel_samples: (!own.kernel.is_empty()).then_some(own.kernel.len()),
            nuisance_columns: if settings.kernel.is_calcium() { Vec::new() } else { own.nuisance.names.clone() },
            excluded_columns: entries.len(),
            excluded: listed(deconvolved.excluded, &deconvolved.series.support),
            mean_sigma: columns.sigma.iter().sum::<f64>() / n_used,
            mean_degrees_of_freedom: columns.dof.iter().sum::<f64>() / n_used,
            columns_of_method,
            columns_without_activity: deconvolved.silent_columns().len(),
        }
    }
}

/// Censored frames, counted from the first acquired one.
fn censored_frames(timing: &Timing) -> Vec<usize> {
    (0..timing.n_frames()).filter(|&frame| !timing.kept[frame]).map(|frame| frame + timing.discarded).collect()
}

/// The first of the columns that were left out.
fn listed(excluded: &Excluded, support: &Support) -> Vec<ExcludedColumn> {
    let listed = excluded.entries().iter().take(LISTED);
    listed
        .map(|entry| ExcludedColumn { place: support.describe(entry.column), reason: entry.reason.to_string() })
        .collect()
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
            censored_frames: censored_frames(timing),
            repetition_time: run.tr_s,
            design_columns: design.names.clone(),
            rank: fitted.fit.rank,
            degrees_of_freedom: fitted.fit.dof,
            excluded_columns: entries.len(),
            excluded: listed(&fitted.excluded, support),
            mean_rho: fitted.fit.rho().map(mean_over_used),
            mean_r2: mean_over_used(fitted.fit.r2.clone()),
            noise_pooled_by: fitted.fit.pooled_by.map(PooledBy::name),
            ljung_box: fitted.whiteness.as_ref().map(|found| LjungBox {
                lags: found.lags,
                columns: found.n_columns,
                share_rejected: found.share_not_white,
            }),
        }
    }
}

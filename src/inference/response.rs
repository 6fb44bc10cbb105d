//! Responses delay by delay: what a model with a column a delay (FIR, tent) says of the time after an onset.
//!
//! The estimate at a delay is the coefficient of its column: the contrast of weight 1 there and 0 elsewhere. Over runs it
//! is combined as any t contrast is, and its standard error is the root of the contrast's variance.

use super::field::Dof;
use super::problem::InferenceError;
use super::statistics::{RunContrast, contrast_statistics};
use crate::config::{ContrastKind, FixedEffects, Numerics};
use crate::design::checks::estimable;
use crate::design::{ColumnRole, ContrastMatrix, RunDesign};
use crate::error::CancelToken;
use crate::model::RunFit;
use ndarray::Array2;

/// The response to one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The condition; with its modulator where it is the response to that: `face`, `face:rt`.
    pub condition: String,
    /// By ascending delay.
    pub delays: Vec<DelayEstimate>,
}

/// The response to a condition at one delay.
#[derive(Debug, Clone, PartialEq)]
pub struct DelayEstimate {
    /// Delay after an onset, seconds; of delays counted in scans that of the first run which has it.
    pub delay_s: f64,
    /// Estimate of each column of the data, in units of the scaled data; not a number where the design of a run does not
    /// tell this delay from others.
    pub estimate: Vec<f64>,
    /// Standard error of each.
    pub standard_error: Vec<f64>,
    /// Their degrees of freedom.
    pub dof: Dof,
    /// Which runs enter, by their place among those given: those that have the condition.
    pub runs: Vec<usize>,
}

/// A run with its model.
#[derive(Debug, Clone, Copy)]
pub struct ModelledRun<'a> {
    /// The fit.
    pub fit: &'a RunFit,
    /// The design that was fitted.
    pub design: &'a RunDesign,
}

impl ModelledRun<'_> {
    /// Index of a column of the design.
    fn column(&self, name: &str) -> Option<usize> {
        self.design.names.iter().position(|other| other == name)
    }

    /// Weight 1 in one column of the design.
    fn unit_contrast(&self, name: &str, column: usize) -> ContrastMatrix {
        let mut weights = Array2::zeros((1, self.design.n_columns()));
        weights[(0, column)] = 1.0;
        ContrastMatrix { name: name.to_owned(), kind: ContrastKind::T, weights }
    }

    fn tells(&self, contrast: &ContrastMatrix) -> bool {
        // all columns are independent in most designs, which saves the decomposition
        self.fit.rank == self.design.n_columns() || estimable(self.design, contrast).is_estimable()
    }
}

/// The responses that the models of `runs` estimate delay by delay, combined over the runs by `method`; none where the
/// models have responses of given shape. Conditions are in the order of the designs.
///
/// # Errors
/// [`InferenceError`]: runs of other columns, interruption.
pub fn responses(
    runs: &[ModelledRun<'_>],
    method: FixedEffects,
    numerics: &Numerics,
    cancel: &CancelToken,
) -> Result<Vec<Response>, InferenceError> {
    let mut found: Vec<Response> = Vec::new();
    for (name, delay_s) in delay_columns(runs) {
        // the delay's label has no underscore, so the last one that is followed by `delay` begins it
        let condition = name.rsplit_once("_delay_").map_or(name, |(condition, _)| condition);
        let estimate = at_delay(runs, name, delay_s, method, numerics, cancel)?;
        match found.iter_mut().find(|response| response.condition == condition) {
            Some(response) => response.delays.push(estimate),
            None => found.push(Response { condition: condition.to_owned(), delays: vec![estimate] }),
        }
    }
    for response in &mut found {
        response.delays.sort_by(|a, b| a.delay_s.total_cmp(&b.delay_s));
    }
    Ok(found)
}

/// Every column of a delay in any of the runs, once.
fn delay_columns<'a>(runs: &[ModelledRun<'a>]) -> Vec<(&'a str, f64)> {
    let mut columns: Vec<(&str, f64)> = Vec::new();
    for run in runs {
        for (name, role) in run.design.names.iter().zip(&run.design.roles) {
            if let ColumnRole::Task { delay_s: Some(delay_s), .. } = role
                && columns.iter().all(|(other, _)| other != name)
            {
                columns.push((name, *delay_s));
            }
        }
    }
    columns
}

fn at_delay(
    runs: &[ModelledRun<'_>],
    name: &str,
    delay_s: f64,
    method: FixedEffects,
    numerics: &Numerics,
    cancel: &CancelToken,
) -> Result<DelayEstimate, InferenceError> {
    let entering: Vec<(usize, ContrastMatrix)> = runs
        .iter()
        .enumerate()
        .filter_map(|(at, run)| Some((at, run.unit_contrast(name, run.column(name)?))))
        .collect();
    let places = entering.iter().map(|(at, _)| *at).collect();
    if entering.iter().any(|(at, contrast)| !runs[*at].tells(contrast)) {
        // fewer runs than have the condition would be another response than the table says
        let unknown = vec![f64::NAN; runs[entering[0].0].fit.n_columns()];
        let (estimate, standard_error) = (unknown.clone(), unknown);
        return Ok(DelayEstimate { delay_s, estimate, standard_error, dof: Dof::Same(f64::NAN), runs: places });
    }
    let contrasts: Vec<RunContrast<'_>> =
        entering.iter().map(|(at, contrast)| RunContrast { fit: runs[*at].fit, contrast }).collect();
    let map = contrast_statistics(&contrasts, method, numerics, cancel)?;
    Ok(DelayEstimate {
        delay_s,
        estimate: map.effect.row(0).to_vec(),
        standard_error: map.variance.row(0).iter().map(|variance| variance.sqrt()).collect(),
        dof: map.dof,
        runs: places,
    })
}

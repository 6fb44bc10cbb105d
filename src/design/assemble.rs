//! Puts the design matrix of a run together.

use super::basis::{BasisFunction, basis};
use super::checks;
use super::columns::{Column, check_confounds, check_cosines, check_names, check_regressors};
use super::exact::exact_regressor;
use super::oversampled::{FineGrid, ends_before, oversampled_regressor};
use super::run_design::{ColumnRole, RunDesign};
use super::stimuli::{StimulusTrain, stimulus_trains};
use crate::config::{Convolution, DesignSettings, Drift, HrfSettings, Numerics};
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::{ConfoundTable, EventTable, Timing};
use crate::signal::drift::{cosine_columns, cosine_order, polynomial_columns};
use crate::signal::orthogonalise_in_order;
use ndarray::Array2;

/// The design matrix of one run: frame x column, in the order
///
/// 1. conditions by code point, each with its basis functions (`face`, `face_derivative`, `face_dispersion`, or
///    `face_delay_0`, ...), then its modulators (`face:rt`, ...) with theirs;
/// 2. confounds, in their table's order;
/// 3. `drift_1`, ..., `drift_K`;
/// 4. `constant`.
///
/// `run` is how messages call the run; `hrf_table` is the response read from [`HrfSettings::File`] (times in seconds,
/// amplitudes). The frames that confounds censor are censored in the design's timing. Warnings ride along.
///
/// # Errors
/// Modulators without a column or a number, conditions outside the run, regressors that are 0 throughout, two columns
/// of one name, cosines of a confound table beside drift columns, a response that is none, a run too short: all that
/// are found, with their places.
pub fn build_design(
    run: &str,
    mut timing: Timing,
    events: Option<&EventTable>,
    confounds: Option<&ConfoundTable>,
    settings: &DesignSettings,
    hrf_table: Option<&(Vec<f64>, Vec<f64>)>,
    numerics: &Numerics,
) -> Result<(RunDesign, Diagnostics), Diagnostics> {
    let mut problems = Diagnostics::new();
    if let Some(confounds) = confounds {
        censor(&mut timing, confounds)?;
    }
    if timing.n_kept() < 2 {
        let short = format!("{run} has {} in the model; a design needs two or more", counted(timing.n_kept(), "frame"));
        return Err(Diagnostic::error("run-too-short", short).into());
    }
    let mut columns = Vec::new();
    if let Some(events) = events
        && let Some(functions) = problems.collect(basis(&settings.hrf, hrf_table, timing.tr_s, numerics))
    {
        let convolved = Convolved { functions: &functions, settings, numerics, timing: &timing, events };
        for train in stimulus_trains(run, events, settings, &mut problems) {
            let own = convolved.columns(&train, &mut problems);
            check_regressors(&train, &own, events, &timing, &mut problems);
            columns.extend(own);
        }
    }
    if let Some(confounds) = confounds {
        check_cosines(confounds, settings.drift != Drift::None, &mut problems);
        check_confounds(confounds, &timing, &mut problems);
        columns.extend(confounds.names.iter().zip(&confounds.columns).map(|(name, values)| Column {
            name: name.clone(),
            role: ColumnRole::Confound,
            values: values.clone(),
            origin: Some(Place::cell(&confounds.path, 1, Some(name))),
        }));
    }
    if let Some(drift) = problems.collect(drift_columns(settings.drift, &timing)) {
        columns.extend(drift.into_iter().enumerate().map(|(index, values)| Column {
            name: format!("drift_{}", index + 1),
            role: ColumnRole::Drift,
            values,
            origin: None,
        }));
    }
    columns.push(Column {
        name: "constant".to_owned(),
        role: ColumnRole::Constant,
        values: vec![1.0; timing.n_frames()],
        origin: None,
    });
    check_names(&columns, &mut problems);
    let design = run_design(run, timing, columns);
    if !problems.has_errors() && checks::rank(&design) >= design.timing.n_kept() {
        problems.push(no_freedom(&design));
    }
    problems.finish(design)
}

/// Takes over the confound table's censoring.
fn censor(timing: &mut Timing, confounds: &ConfoundTable) -> Result<(), Diagnostics> {
    let frames = timing.n_frames();
    let longest = confounds.columns.iter().map(Vec::len).chain([confounds.kept.len()]).find(|length| *length != frames);
    if let Some(length) = longest {
        let found = format!("the confounds have {} for {}", counted(length, "row"), counted(frames, "frame"));
        return Err(Diagnostic::error("confounds-length", found).at(Place::file(&confounds.path)).into());
    }
    for (kept, confound_kept) in timing.kept.iter_mut().zip(&confounds.kept) {
        *kept &= confound_kept;
    }
    Ok(())
}

/// What turns a train of events into columns.
struct Convolved<'a> {
    functions: &'a [BasisFunction],
    settings: &'a DesignSettings,
    numerics: &'a Numerics,
    timing: &'a Timing,
    events: &'a EventTable,
}

impl Convolved<'_> {
    fn columns(&self, train: &StimulusTrain, problems: &mut Diagnostics) -> Vec<Column> {
        let mut values: Vec<Vec<f64>> = match self.numerics.convolution {
            Convolution::Exact => {
                self.functions.iter().map(|function| exact_regressor(function, &train.stimuli, self.timing)).collect()
            }
            Convolution::Oversampled { per_tr, min_onset_s } => {
                let grid = FineGrid::new(self.timing, per_tr, min_onset_s);
                self.warn_of_early_events(train, &grid, problems);
                self.functions
                    .iter()
                    .map(|function| oversampled_regressor(function, &train.stimuli, self.timing, &grid))
                    .collect()
            }
        };
        let separate = matches!(self.settings.hrf, HrfSettings::Fir { .. } | HrfSettings::Tent { .. });
        if self.numerics.orthogonalise_within_condition && !separate {
            orthogonalise_in_order(&mut values);
        }
        let base = train.base_name();
        let origin = Place::cell(&self.events.path, train.line, None);
        self.functions
            .iter()
            .zip(values)
            .map(|(function, values)| Column {
                name: [base.as_str(), &function.part]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join("_"),
                role: ColumnRole::Task {
                    condition: train.condition.clone(),
                    part: [train.modulator.as_deref().unwrap_or_default(), &function.part]
                        .into_iter()
                        .filter(|text| !text.is_empty())
                        .collect::<Vec<_>>()
                        .join("_"),
                    delay_s: function.delay_s,
                },
                values,
                origin: Some(origin.clone()),
            })
            .collect()
    }

    fn warn_of_early_events(&self, train: &StimulusTrain, grid: &FineGrid, problems: &mut Diagnostics) {
        let early = train.stimuli.iter().filter(|stimulus| ends_before(stimulus, grid)).count();
        if early > 0 && train.modulator.is_none() {
            let found = format!(
                "events of condition `{}` that end before {} s are left out of the design: {early}",
                train.condition,
                grid.start_s()
            );
            problems.push(
                Diagnostic::warning("event-before-grid", found)
                    .at(Place::cell(&self.events.path, train.line, Some("onset")))
                    .note("this profile's grid starts 24 s before the first frame in the model"),
            );
        }
    }
}

fn drift_columns(drift: Drift, timing: &Timing) -> Result<Vec<Vec<f64>>, Diagnostics> {
    let frames = &timing.frame_times_s;
    match drift {
        Drift::None => Ok(Vec::new()),
        Drift::Polynomial { order } => Ok(polynomial_columns(frames, order)),
        Drift::Cosine { high_pass_hz } => {
            let interval_s = (frames[frames.len() - 1] - frames[0]) / (frames.len() - 1) as f64;
            if high_pass_hz * interval_s >= 0.5 {
                return Err(Diagnostic::error(
                    "high-pass-too-high",
                    format!("a high-pass of {high_pass_hz} Hz leaves nothing of data sampled every {} s", timing.tr_s),
                )
                .note(format!("the highest frequency in them is {} Hz", 0.5 / timing.tr_s))
                .into());
            }
            Ok(cosine_columns(frames.len(), cosine_order(frames.len(), interval_s, high_pass_hz)))
        }
    }
}

fn run_design(run: &str, timing: Timing, columns: Vec<Column>) -> RunDesign {
    let mut matrix = Array2::zeros((timing.n_frames(), columns.len()));
    for (mut target, column) in matrix.columns_mut().into_iter().zip(&columns) {
        for (cell, value) in target.iter_mut().zip(&column.values) {
            *cell = *value;
        }
    }
    let peak_heights =
        columns.iter().map(|column| column.values.iter().fold(0.0, |peak: f64, value| peak.max(value.abs()))).collect();
    let (names, roles) = columns.into_iter().map(|column| (column.name, column.role)).unzip();
    RunDesign { run: run.to_owned(), names, roles, matrix, timing, peak_heights }
}

fn no_freedom(design: &RunDesign) -> Diagnostic {
    let count = |wanted: fn(&ColumnRole) -> bool, what: &str| {
        counted(design.roles.iter().filter(|role| wanted(role)).count(), what)
    };
    Diagnostic::error(
        "no-degrees-of-freedom",
        format!("the design of {} has as many independent columns as frames: {}", design.run, design.timing.n_kept()),
    )
    .note(format!(
        "{}, {}, {}, the constant",
        count(|role| matches!(role, ColumnRole::Task { .. }), "regressor"),
        count(|role| *role == ColumnRole::Confound, "confound"),
        count(|role| *role == ColumnRole::Drift, "drift column"),
    ))
    .hint("nothing is left to estimate the noise from: use fewer confounds, a lower high-pass or a shorter basis")
}

#[cfg(test)]
mod tests;

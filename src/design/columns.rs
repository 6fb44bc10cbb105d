//! The columns of a design before they become a matrix, and what can be wrong with them.

use super::run_design::ColumnRole;
use super::stimuli::StimulusTrain;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::{ConfoundTable, EventTable, Timing};
use std::collections::BTreeMap;

/// A column of a design.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) role: ColumnRole,
    /// A value a frame, censored frames included.
    pub(super) values: Vec<f64>,
    /// Where it comes from, for messages.
    pub(super) origin: Option<Place>,
}

impl Column {
    /// How a message calls its kind.
    fn kind(&self) -> &'static str {
        match self.role {
            ColumnRole::Task { .. } => "a regressor",
            ColumnRole::Confound => "a confound",
            ColumnRole::Drift => "a drift column",
            ColumnRole::Constant => "the constant",
        }
    }

    fn is_zero_in(&self, frames: &[usize]) -> bool {
        frames.iter().all(|&frame| self.values[frame] == 0.0)
    }
}

/// Two columns of one name, and confounds named like a condition.
pub(super) fn check_names(columns: &[Column], problems: &mut Diagnostics) {
    let mut first: BTreeMap<&str, &Column> = BTreeMap::new();
    for column in columns {
        let Some(earlier) = first.get(column.name.as_str()) else {
            first.insert(&column.name, column);
            continue;
        };
        let (place, hint) = match (&column.role, &earlier.role) {
            (ColumnRole::Confound, _) => (column.origin.clone(), "rename the confound, or leave it out"),
            // drift and constant come last, so the column that can be renamed is the earlier one
            (ColumnRole::Drift | ColumnRole::Constant, _) => (earlier.origin.clone(), "rename it in its table"),
            (ColumnRole::Task { .. }, _) => (column.origin.clone(), "rename one of the conditions"),
        };
        let found = Diagnostic::error(
            "duplicate-column",
            format!("two columns of the design are called `{}`: {} and {}", column.name, earlier.kind(), column.kind()),
        );
        problems.push(super::placed(found, place).hint(hint));
    }
}

/// fMRIPrep's discrete cosines beside drift columns of our own: both model the same slow drift.
pub(super) fn check_cosines(confounds: &ConfoundTable, has_drift: bool, problems: &mut Diagnostics) {
    let is_cosine = |name: &&String| {
        name.strip_prefix("cosine")
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !has_drift {
        return;
    }
    let cosines: Vec<&str> = confounds.names.iter().filter(is_cosine).map(String::as_str).collect();
    if let Some(first) = cosines.first() {
        problems.push(
            Diagnostic::error(
                "cosines-beside-drift",
                format!(
                    "the confounds hold {} discrete cosines (`{first}`, ...) beside the model's own drift",
                    cosines.len()
                ),
            )
            .at(Place::cell(&confounds.path, 1, Some(first)))
            .note("both model the same slow drift")
            .hint("set `drift = \"none\"`, or leave `cosine*` out of the confounds"),
        );
    }
}

/// Confounds that are constant over the frames in the model: kept, since a rank-deficient design is legal, but said.
pub(super) fn check_confounds(confounds: &ConfoundTable, timing: &Timing, problems: &mut Diagnostics) {
    let kept = timing.kept_frames();
    for (name, values) in confounds.names.iter().zip(&confounds.columns) {
        if kept.iter().all(|&frame| values[frame] == values[kept[0]]) {
            problems.push(
                Diagnostic::warning(
                    "confound-constant",
                    format!("confound `{name}` is {} in every frame that enters the model", values[kept[0]]),
                )
                .at(Place::cell(&confounds.path, 1, Some(name)))
                .note("it removes nothing beyond the constant"),
            );
        }
    }
}

/// Regressors that are 0 in every frame of the model: their condition cannot be estimated.
pub(super) fn check_regressors(
    train: &StimulusTrain,
    columns: &[Column],
    events: &EventTable,
    timing: &Timing,
    problems: &mut Diagnostics,
) {
    let kept = timing.kept_frames();
    let zero: Vec<&Column> = columns.iter().filter(|column| column.is_zero_in(&kept)).collect();
    if zero.is_empty() {
        return;
    }
    let place = Place::cell(&events.path, train.line, Some("onset"));
    let run_stop_s = (timing.discarded + timing.n_frames()) as f64 * timing.tr_s;
    let run_start_s = timing.discarded as f64 * timing.tr_s;
    let outside =
        train.stimuli.iter().all(|event| event.onset_s >= run_stop_s || event.onset_s + event.duration_s < run_start_s);
    if outside && train.modulator.is_none() {
        problems.push(
            Diagnostic::error(
                "condition-outside-run",
                format!("condition `{}` has no event inside the run", train.condition),
            )
            .at(place)
            .note(format!(
                "its first event is at {} s; the run lasts from {run_start_s} to {run_stop_s} s",
                train.stimuli[0].onset_s
            ))
            .hint("onsets are seconds from the start of the first acquired volume; `ignore` leaves a condition out"),
        );
        return;
    }
    let names = zero.iter().map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(", ");
    let censored = if timing.n_kept() < timing.n_frames() { " that is not censored" } else { "" };
    problems.push(
        Diagnostic::error(
            "regressor-all-zero",
            format!("condition `{}` leaves no trace in any frame{censored}: {names}", train.condition),
        )
        .at(place)
        .note("a regressor that is 0 throughout has no estimate")
        .hint("leave the condition out with `ignore`, or shorten the delays of an FIR or tent model"),
    );
}

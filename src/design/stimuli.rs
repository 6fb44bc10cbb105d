//! The trains of events behind the regressors: one a condition, one a parametric modulator.

use super::placed;
use crate::config::{AbsentCondition, DesignSettings, ModulatorSettings};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::{Event, EventTable};
use std::path::Path;

/// One event as a regressor sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stimulus {
    /// Seconds from the start of the first acquired volume.
    pub(super) onset_s: f64,
    /// Seconds; 0 for an impulse.
    pub(super) duration_s: f64,
    /// Height of the boxcar, or area of the impulse.
    pub(super) amplitude: f64,
}

/// The events of one condition, or of one modulator of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StimulusTrain {
    /// The condition.
    pub(super) condition: String,
    /// The column of the event table that modulates; `None` for the condition itself.
    pub(super) modulator: Option<String>,
    /// Its events, in the table's order.
    pub(super) stimuli: Vec<Stimulus>,
    /// Line of the first of them in the table.
    pub(super) line: usize,
}

impl StimulusTrain {
    /// What its columns' names start with: `face`, or `face:rt` for a modulator.
    pub(super) fn base_name(&self) -> String {
        match &self.modulator {
            None => self.condition.clone(),
            Some(column) => format!("{}:{column}", self.condition),
        }
    }
}

/// The trains of a table: conditions in code-point order, each followed by its modulators in the pipeline's order.
///
/// Problems go to `problems`; what can be built is.
pub(super) fn stimulus_trains(
    run: &str,
    events: &EventTable,
    settings: &DesignSettings,
    problems: &mut Diagnostics,
) -> Vec<StimulusTrain> {
    let conditions = events.conditions();
    let mut trains = Vec::new();
    for condition in &conditions {
        let own: Vec<&Event> = events.events.iter().filter(|event| event.condition == *condition).collect();
        warn_of_mixed_durations(condition, &own, &events.path, problems);
        trains.push(train(condition, None, &own, |event| event.amplitude));
        for modulator in settings.modulators.iter().filter(|modulator| *modulator.condition == *condition) {
            if let Some(modulated) = modulated_train(events, &own, modulator, problems) {
                trains.push(modulated);
            }
        }
    }
    if settings.when_condition_absent == AbsentCondition::Error {
        for modulator in settings.modulators.iter().filter(|modulator| !conditions.contains(&modulator.condition)) {
            problems.push(absent_condition(run, &conditions, modulator));
        }
    }
    trains
}

fn train(
    condition: &str,
    modulator: Option<&str>,
    events: &[&Event],
    mut amplitude: impl FnMut(&Event) -> f64,
) -> StimulusTrain {
    let stimuli = events
        .iter()
        .map(|event| Stimulus { onset_s: event.onset_s, duration_s: event.duration_s, amplitude: amplitude(event) })
        .collect();
    StimulusTrain {
        condition: condition.to_owned(),
        modulator: modulator.map(str::to_owned),
        stimuli,
        line: events.iter().map(|event| event.line).min().unwrap_or(1),
    }
}

fn modulated_train(
    events: &EventTable,
    own: &[&Event],
    modulator: &ModulatorSettings,
    problems: &mut Diagnostics,
) -> Option<StimulusTrain> {
    let (condition, column) = (modulator.condition.as_str(), modulator.column.as_str());
    let Some(index) = events.value_columns.iter().position(|name| name == column) else {
        let known = events.value_columns.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none".to_owned() } else { known };
        let unknown = Diagnostic::error(
            "modulator-column-absent",
            format!("modulator column `{column}` is not in {}", events.path.display()),
        );
        problems.push(placed(unknown, modulator.column.place()).note(format!("columns that may modulate: {known}")));
        return None;
    };
    let mut values = Vec::with_capacity(own.len());
    for event in own {
        match event.values.get(index).copied().flatten().filter(|value| value.is_finite()) {
            Some(value) => values.push(value),
            None => problems.push(
                Diagnostic::error(
                    "modulator-not-numeric",
                    format!("modulator `{column}` has no number for an event of condition `{condition}`"),
                )
                .at(Place::cell(&events.path, event.line, Some(column)))
                .hint("a modulator needs a number in every event of its condition"),
            ),
        }
    }
    if values.len() < own.len() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centre = if modulator.center { mean } else { 0.0 };
    if modulator.center && values.iter().all(|value| *value == values[0]) {
        problems.push(
            Diagnostic::error(
                "modulator-constant",
                format!("modulator `{column}` is {} in every event of condition `{condition}`", values[0]),
            )
            .at(Place::cell(&events.path, own[0].line, Some(column)))
            .note("centred, it is zero throughout")
            .hint(format!("leave out the modulator `{column}` of `{condition}`")),
        );
        return None;
    }
    let mut next = values.into_iter();
    Some(train(condition, Some(column), own, |event| event.amplitude * (next.next().unwrap_or(centre) - centre)))
}

fn absent_condition(run: &str, conditions: &[String], modulator: &ModulatorSettings) -> Diagnostic {
    let absent = Diagnostic::error(
        "modulator-condition-absent",
        format!("a modulator names condition `{}`, which {run} does not have", modulator.condition.value),
    );
    placed(absent, modulator.condition.place())
        .note(format!("conditions in {run}: {}", conditions.join(", ")))
        .hint("`when_condition_absent = \"skip-run\"` leaves the modulator out of runs without its condition")
}

fn warn_of_mixed_durations(condition: &str, events: &[&Event], path: &Path, problems: &mut Diagnostics) {
    let Some(impulse) = events.iter().find(|event| event.duration_s == 0.0) else { return };
    let impulses = events.iter().filter(|event| event.duration_s == 0.0).count();
    if impulses < events.len() {
        problems.push(
            Diagnostic::warning(
                "mixed-durations",
                format!(
                    "condition `{condition}` mixes events of duration 0 ({impulses}) and longer ones ({})",
                    events.len() - impulses
                ),
            )
            .at(Place::cell(path, impulse.line, Some("duration")))
            .note("an event of duration 0 is an impulse, a longer one a boxcar: their responses differ in scale, not only in shape"),
        );
    }
}

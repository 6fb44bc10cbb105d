//! When events happen: all events of a run in random order, with random gaps.

use super::SimulationSpec;
use super::random::{Purpose, Stream};
use crate::error::{Diagnostic, Diagnostics};

/// One event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimedEvent {
    /// Index of its condition.
    pub(super) condition: usize,
    /// Seconds from the first volume, a whole number of milliseconds: what the table says is what happened.
    pub(super) onset_s: f64,
    /// Seconds.
    pub(super) duration_s: f64,
}

/// The events of one run in time order.
///
/// # Errors
/// They do not fit in the run.
pub(super) fn schedule(spec: &SimulationSpec, subject: usize, run: usize) -> Result<Vec<TimedEvent>, Diagnostics> {
    let mut stream = Stream::new(spec.seed, Purpose::Schedule, &[subject, run]);
    let mut order: Vec<usize> = spec
        .conditions
        .iter()
        .enumerate()
        .flat_map(|(index, condition)| std::iter::repeat_n(index, condition.events))
        .collect();
    stream.shuffle(&mut order);
    let mut earliest_s = spec.schedule.start_s;
    let mut events = Vec::with_capacity(order.len());
    for condition in order {
        let jitter_s = spec.schedule.jitter_s * stream.uniform();
        let onset_s = libm::round((earliest_s + jitter_s) * 1000.0) / 1000.0;
        let duration_s = spec.conditions[condition].duration_s;
        events.push(TimedEvent { condition, onset_s, duration_s });
        earliest_s = onset_s + duration_s + spec.schedule.gap_s;
    }
    let run_s = spec.volumes as f64 * spec.tr_s;
    match events.last() {
        Some(last) if last.onset_s + last.duration_s > run_s => Err(Diagnostic::error(
            "simulation-schedule-too-long",
            format!(
                "{} events end {:.1} s after the start of a run of {run_s:.1} s",
                events.len(),
                last.onset_s + last.duration_s
            ),
        )
        .hint("add volumes, or take fewer events, shorter gaps or less jitter")
        .into()),
        _ => Ok(events),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::fixture;

    #[test]
    fn every_event_happens_once_in_order_with_the_declared_gaps() {
        let spec = fixture::small();
        let events = schedule(&spec, 0, 0).unwrap();
        for (index, condition) in spec.conditions.iter().enumerate() {
            assert_eq!(events.iter().filter(|event| event.condition == index).count(), condition.events);
        }
        assert!(events[0].onset_s >= spec.schedule.start_s);
        for pair in events.windows(2) {
            let gap_s = pair[1].onset_s - pair[0].onset_s - pair[0].duration_s;
            // half a millisecond of rounding
            let allowed = spec.schedule.gap_s - 6e-4..=spec.schedule.gap_s + spec.schedule.jitter_s + 6e-4;
            assert!(allowed.contains(&gap_s), "{gap_s}");
        }
        assert_ne!(events, schedule(&spec, 0, 1).unwrap());
        assert_eq!(events, schedule(&spec, 0, 0).unwrap());
    }

    #[test]
    fn too_many_events_are_refused() {
        let mut spec = fixture::small();
        spec.conditions[0].events = 500;
        let shown = schedule(&spec, 0, 0).unwrap_err().to_string();
        assert!(shown.contains("simulation-schedule-too-long"), "{shown}");
    }
}

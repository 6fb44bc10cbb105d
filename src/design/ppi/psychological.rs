//! The psychological variable: weights of conditions, over samples of activity.
//!
//! Sample `j` stands for the time from `start + j dt` to `start + (j + 1) dt`. An event adds its weight times the part of
//! the sample that it fills; an impulse adds its weight over `dt`, so that its area is its weight. SPM fills whole samples.

use crate::signal::hrf::EDGE_TOLERANCE_S;

/// One event of a condition, with the condition's weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedEvent {
    /// Seconds from the start of the run.
    pub onset_s: f64,
    /// Seconds; 0 for an impulse.
    pub duration_s: f64,
    /// Weight of its condition: +1 and -1 for a difference.
    pub weight: f64,
}

/// Where the samples of activity lie in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleTimes {
    /// Start of the first sample, seconds from the start of the run; negative where samples precede it.
    pub start_s: f64,
    /// Seconds between samples; positive.
    pub step_s: f64,
    /// Number of samples.
    pub count: usize,
}

impl SampleTimes {
    /// Samples that stand for the time around `first_s`, `first_s + step_s`, ...: half a step to either side.
    ///
    /// So it is where activity is convolved with the response's values at whole steps: this is the midpoint rule, whose
    /// error falls with the square of the step. Samples that start at those times move every event half a step ahead; SPM's
    /// do, and are fine.
    pub fn around(first_s: f64, step_s: f64, count: usize) -> Self {
        Self { start_s: first_s - 0.5 * step_s, step_s, count }
    }
}

/// The variable with events where they are: a sample that an event fills in part has that part of its weight.
///
/// Overlapping events add up; what lies outside the samples is left out.
pub fn psychological_by_coverage(events: &[WeightedEvent], times: SampleTimes) -> Vec<f64> {
    let mut variable = vec![0.0; times.count];
    for event in events {
        let start = (event.onset_s - times.start_s) / times.step_s;
        let stop = start + event.duration_s.max(0.0) / times.step_s;
        if stop > start {
            let first = start.floor().max(0.0) as usize;
            for (sample, value) in variable.iter_mut().enumerate().skip(first) {
                let (left, right) = (sample as f64, sample as f64 + 1.0);
                if left >= stop {
                    break;
                }
                *value += event.weight * (stop.min(right) - start.max(left));
            }
        } else {
            // an onset on the edge of two samples belongs to the later one, whatever rounding makes of their quotient
            let sample = (start + EDGE_TOLERANCE_S / times.step_s).floor();
            if (0.0..times.count as f64).contains(&sample) {
                variable[sample as usize] += event.weight / times.step_s;
            }
        }
    }
    variable
}

/// The variable as SPM fills bins of `step_s` from the start of the run, a slice of events for each condition.
///
/// An event starts in bin `round(onset / step)` and fills `round(duration / step) + 1` bins. Its height is 1, but `1 / step`
/// where all events of its condition have no duration. Overlapping events add up. Halves are rounded away from 0.
pub fn psychological_of_spm(conditions: &[&[WeightedEvent]], step_s: f64, bins: usize) -> Vec<f64> {
    let mut variable = vec![0.0; bins];
    for events in conditions {
        let are_impulses = events.iter().all(|event| event.duration_s == 0.0);
        let height = if are_impulses { step_s.recip() } else { 1.0 };
        for event in *events {
            let first = (event.onset_s / step_s).round();
            let end = first + (event.duration_s.max(0.0) / step_s).round() + 1.0;
            for value in &mut variable[first.clamp(0.0, bins as f64) as usize..end.clamp(0.0, bins as f64) as usize] {
                *value += event.weight * height;
            }
        }
    }
    variable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::hrf::{Kernel, spm};

    fn event(onset_s: f64, duration_s: f64, weight: f64) -> WeightedEvent {
        WeightedEvent { onset_s, duration_s, weight }
    }

    const TIMES: SampleTimes = SampleTimes { start_s: -1.0, step_s: 0.5, count: 8 };

    #[test]
    fn a_sample_has_the_part_of_the_weight_that_is_filled() {
        // samples start at -1, -.5, 0, .5, 1, 1.5, 2, 2.5
        let found = psychological_by_coverage(&[event(0.25, 1.0, 2.0)], TIMES);
        assert_eq!(found, [0.0, 0.0, 1.0, 2.0, 1.0, 0.0, 0.0, 0.0]);
        let found = psychological_by_coverage(&[event(0.5, 1.0, 1.0), event(1.0, 0.5, -1.0)], TIMES);
        assert_eq!(found, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_area_is_weight_times_duration_and_that_of_an_impulse_its_weight() {
        for (onset, duration, area) in [(0.1, 1.7, 1.7), (0.3, 0.05, 0.05), (0.3, 0.0, 1.0), (0.0, 0.0, 1.0)] {
            let found = psychological_by_coverage(&[event(onset, duration, -3.0)], TIMES);
            let found_area: f64 = found.iter().sum::<f64>() * TIMES.step_s;
            assert!((found_area + 3.0 * area).abs() < 1e-14, "{onset} {duration}"); // rounding of numbers below 10
        }
    }

    #[test]
    fn an_impulse_on_an_edge_is_in_the_sample_that_starts_there() {
        let times = SampleTimes { start_s: 0.0, step_s: 0.1, count: 10 };
        for sample in 0..10 {
            let onset_s = f64::from(sample) / 10.0; // .3 / .1 is below 3
            let found = psychological_by_coverage(&[event(onset_s, 0.0, 1.0)], times);
            let holding = found.iter().position(|value| *value > 0.0);
            assert_eq!(holding, usize::try_from(sample).ok());
        }
    }

    /// Largest error of the response to an event from 3.3 to 11.7 s by samples, whose exact response is known.
    fn largest_error(step_s: f64, times: SampleTimes) -> f64 {
        let variable = psychological_by_coverage(&[event(3.3, 8.4, 1.0)], times);
        let response = |sample: usize| -> f64 {
            (0..=sample).map(|past| variable[past] * spm().value((sample - past) as f64 * step_s) * step_s).sum()
        };
        let exact = |sample: usize| spm().response(sample as f64 * step_s - 3.3, 8.4);
        (0..times.count).map(|sample| (response(sample) - exact(sample)).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn samples_around_their_times_give_the_exact_response_to_second_order() {
        let around = |step_s: f64, count: usize| largest_error(step_s, SampleTimes::around(0.0, step_s, count));
        let from = |step_s: f64, count: usize| largest_error(step_s, SampleTimes { start_s: 0.0, step_s, count });
        let (coarse, fine) = (around(1.0, 40), around(0.25, 160));
        // the step is a quarter, so the error a sixteenth; within a factor 2, as events do not start on the grid
        assert!((8.0..32.0).contains(&(coarse / fine)), "{coarse:e} {fine:e}");
        assert!(coarse < 0.01, "{coarse}"); // of a response of 1.05 at most
        assert!(from(1.0, 40) > 5.0 * coarse && from(0.25, 160) > 5.0 * fine);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let outside = [event(-3.0, 1.0, 1.0), event(-2.0, 0.0, 1.0), event(3.0, 2.0, 1.0), event(99.0, 0.0, 1.0)];
        assert_eq!(psychological_by_coverage(&outside, TIMES), [0.0; 8]);
        let across = psychological_by_coverage(&[event(-2.0, 1.5, 1.0), event(2.75, 9.0, 1.0)], TIMES);
        assert_eq!(across, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5]);
        assert_eq!(psychological_of_spm(&[&outside], 0.5, 4), [0.0; 4]);
    }

    #[test]
    fn spm_fills_one_bin_more_than_the_duration() {
        let blocks = [event(1.0, 1.0, 1.0), event(2.24, 0.5, 1.0)];
        // bins 2, 3, 4 and 4, 5: the second starts at round(4.48)
        assert_eq!(psychological_of_spm(&[&blocks], 0.5, 8), [0.0, 0.0, 1.0, 1.0, 2.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn spm_makes_impulses_of_conditions_without_durations() {
        let (impulses, mixed) = ([event(0.0, 0.0, 1.0)], [event(1.0, 0.0, -1.0), event(2.0, 0.5, -1.0)]);
        assert_eq!(psychological_of_spm(&[&impulses, &mixed], 0.5, 6), [2.0, 0.0, -1.0, 0.0, -1.0, -1.0]);
    }
}

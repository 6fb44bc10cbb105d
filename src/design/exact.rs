//! Regressors in continuous time: events at their exact onsets and durations, no grid.
//!
//! The response has unit area and a boxcar height 1, so that a sustained condition has height 1 and its coefficient
//! is percent signal change under sustained stimulation; an event of duration 0 is an impulse of area 1 s. FIR windows
//! and TENT hats have height 1 instead: their coefficients are the response to an impulse at that delay.

use super::basis::{BasisFunction, BasisKernel};
use super::stimuli::Stimulus;
use crate::inputs::Timing;
use crate::signal::hrf::{EDGE_TOLERANCE_S, Kernel};

/// The regressor of one train of events and one basis function: a value a frame, censored frames included.
pub(super) fn exact_regressor(function: &BasisFunction, stimuli: &[Stimulus], timing: &Timing) -> Vec<f64> {
    match &function.kernel {
        BasisKernel::Canonical(part) => convolve(part.exact().as_ref(), stimuli, timing),
        BasisKernel::Window(window) => convolve(window, stimuli, timing),
        BasisKernel::Lines(lines) => convolve(lines, stimuli, timing),
        BasisKernel::Identity => average_over_frames(stimuli, timing),
    }
}

fn convolve(kernel: &dyn Kernel, stimuli: &[Stimulus], timing: &Timing) -> Vec<f64> {
    timing
        .frame_times_s
        .iter()
        .map(|time_s| {
            stimuli
                .iter()
                .map(|stimulus| stimulus.amplitude * kernel.response(time_s - stimulus.onset_s, stimulus.duration_s))
                .sum()
        })
        .collect()
}

/// Without a response: the mean of the boxcars over each acquired volume, from its start to the start of the next.
/// (A value at an instant would lose every event between two frames.)
fn average_over_frames(stimuli: &[Stimulus], timing: &Timing) -> Vec<f64> {
    (0..timing.n_frames())
        .map(|frame| {
            let start_s = (timing.discarded + frame) as f64 * timing.tr_s;
            let stop_s = start_s + timing.tr_s;
            let area: f64 = stimuli
                .iter()
                .map(|stimulus| {
                    let inside_s = if stimulus.duration_s > 0.0 {
                        let until_s = (stimulus.onset_s + stimulus.duration_s).min(stop_s);
                        (until_s - stimulus.onset_s.max(start_s)).max(0.0)
                    } else {
                        let into_s = stimulus.onset_s + EDGE_TOLERANCE_S - start_s;
                        f64::from(u8::from(into_s >= 0.0 && into_s < timing.tr_s))
                    };
                    stimulus.amplitude * inside_s
                })
                .sum();
            area / timing.tr_s
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::basis::basis;
    use super::*;
    use crate::config::{HrfSettings, HrfShape, Numerics, Profile};

    fn functions(hrf: &HrfSettings) -> Vec<BasisFunction> {
        basis(hrf, None, 2.0, &Numerics::of(Profile::Native)).unwrap()
    }

    fn canonical(shape: HrfShape) -> HrfSettings {
        HrfSettings::Canonical { shape, derivative: true, dispersion: true }
    }

    fn stimulus(onset_s: f64, duration_s: f64, amplitude: f64) -> Stimulus {
        Stimulus { onset_s, duration_s, amplitude }
    }

    #[test]
    fn a_sustained_condition_reaches_one() {
        let timing = Timing::new(2.0, 120, 0, 0.0);
        for shape in [HrfShape::Spm, HrfShape::Glover, HrfShape::Gamma] {
            let columns: Vec<Vec<f64>> = functions(&canonical(shape))
                .iter()
                .map(|function| exact_regressor(function, &[stimulus(0.0, 1000.0, 1.0)], &timing))
                .collect();
            assert!((columns[0][119] - 1.0).abs() < 1e-14);
            assert!(columns[1][119].abs() < 1e-14, "the derivative of a constant");
            assert!(columns[2][119].abs() < 1e-12, "the dispersion of a constant");
        }
    }

    #[test]
    fn agrees_with_a_fine_numerical_convolution() {
        let timing = Timing::new(2.13, 25, 0, 0.5);
        let train = [stimulus(3.217, 4.61, 1.0), stimulus(17.9, 0.75, 2.5), stimulus(21.3, 11.0, -1.0)];
        let step_s = 1e-3;
        for shape in [HrfShape::Spm, HrfShape::Glover, HrfShape::Gamma] {
            for function in &functions(&canonical(shape)) {
                let BasisKernel::Canonical(part) = &function.kernel else { panic!("not canonical") };
                let kernel = part.exact();
                let found = exact_regressor(function, &train, &timing);
                for (time_s, found) in timing.frame_times_s.iter().zip(found) {
                    let mut sum = 0.0;
                    for event in &train {
                        // midpoint rule over the event: off by step^2 / 24 times a slope of order 1
                        let bins = (event.duration_s / step_s).round() as usize;
                        let width_s = event.duration_s / bins as f64;
                        for bin in 0..bins {
                            let at_s = event.onset_s + (bin as f64 + 0.5) * width_s;
                            sum += event.amplitude * width_s * kernel.value(time_s - at_s);
                        }
                    }
                    assert!((found - sum).abs() < 1e-6, "{} at {time_s}: {found} {sum}", function.part);
                }
            }
        }
    }

    #[test]
    fn is_linear_and_an_impulse_is_the_limit_of_short_events() {
        let timing = Timing::new(1.1, 40, 3, 0.0);
        for function in &functions(&canonical(HrfShape::Spm)) {
            let one = exact_regressor(function, &[stimulus(5.3, 2.0, 1.0)], &timing);
            let other = exact_regressor(function, &[stimulus(8.0, 0.0, 1.0)], &timing);
            let both = exact_regressor(function, &[stimulus(5.3, 2.0, 3.0), stimulus(8.0, 0.0, -0.5)], &timing);
            let short = exact_regressor(function, &[stimulus(8.0, 1e-3, 1e3)], &timing);
            for frame in 0..timing.n_frames() {
                assert!((both[frame] - 3.0 * one[frame] + 0.5 * other[frame]).abs() < 1e-15);
                // half a millisecond times a slope of order 0.1, and more for the derivatives
                assert!((short[frame] - other[frame]).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn moving_events_by_a_whole_repetition_time_moves_the_column_by_a_row() {
        let timing = Timing::new(2.5, 60, 0, 0.3);
        for hrf in [
            canonical(HrfShape::Glover),
            HrfSettings::Fir { delays: vec![] },
            HrfSettings::Tent { start_s: 0.0, stop_s: 20.0, knots: 9 },
            HrfSettings::None,
        ] {
            for function in &functions(&hrf) {
                let train = |shift_s: f64| [stimulus(7.9 + shift_s, 0.0, 1.0), stimulus(30.2 + shift_s, 12.0, 1.0)];
                let early = exact_regressor(function, &train(0.0), &timing);
                let late = exact_regressor(function, &train(2.5), &timing);
                for frame in 1..60 {
                    assert!((late[frame] - early[frame - 1]).abs() < 1e-11, "{} at {frame}", function.part);
                }
            }
        }
    }

    #[test]
    fn an_impulse_falls_into_exactly_one_window_even_on_its_edge() {
        let timing = Timing::new(2.13, 40, 0, 0.0);
        let windows = basis(&HrfSettings::Fir { delays: vec![] }, None, 2.13, &Numerics::of(Profile::Native)).unwrap();
        let columns: Vec<Vec<f64>> = windows
            .iter()
            .map(|function| exact_regressor(function, &[stimulus(7.0 * 2.13, 0.0, 1.0)], &timing))
            .collect();
        for frame in 0..40 {
            for (delay, column) in columns.iter().enumerate() {
                assert_eq!(column[frame], f64::from(u8::from(frame == 7 + delay)), "delay {delay}, frame {frame}");
            }
        }
    }

    #[test]
    fn without_a_response_boxcars_are_averaged_over_each_volume() {
        let timing = Timing::new(2.0, 7, 1, 0.5);
        let function = &functions(&HrfSettings::None)[0];
        let found = exact_regressor(function, &[stimulus(3.0, 3.5, 1.0), stimulus(10.0, 0.0, 1.0)], &timing);
        // volumes start at 2, 4, 6, 8, 10, 12 s
        assert_eq!(found, [0.5, 1.0, 0.25, 0.0, 0.5, 0.0]);
    }
}

//! The haemodynamic response of the truth: continuous-time convolution by numerical integration.
//!
//! Deliberately apart from the design room: nothing here is shared with it, so that the truth is an independent
//! oracle of the regressors there. The response is SPM's double gamma, `gamma(t; 6) - gamma(t; 16) / 6` on 0 to 32 s
//! (Friston et al. 1998, doi 10.1006/nimg.1997.0306), scaled to unit area. A boxcar has height 1, an event of no
//! duration area 1 s.

use super::schedule::TimedEvent;

/// End of the response, seconds.
const LENGTH_S: f64 = 32.0;
/// Longest integration step, seconds: the error of Simpson's rule is below 1e-10 of the area (tested against the
/// incomplete gamma function).
const STEP_S: f64 = 0.02;

/// The double gamma before scaling, per second.
fn double_gamma(time_s: f64) -> f64 {
    if time_s <= 0.0 {
        return 0.0;
    }
    let fifth = time_s * time_s * time_s * time_s * time_s;
    // gamma densities of shapes 6 and 16 and scale 1: t^5 e^-t / 5! and t^15 e^-t / 15!
    let peak = fifth / 120.0;
    let undershoot = fifth * fifth * fifth / 1_307_674_368_000.0;
    (peak - undershoot / 6.0) * libm::exp(-time_s)
}

/// Integral of the double gamma over `from_s..to_s`, cut to its support (Simpson's rule).
fn integral(from_s: f64, to_s: f64) -> f64 {
    let (from_s, to_s) = (from_s.clamp(0.0, LENGTH_S), to_s.clamp(0.0, LENGTH_S));
    let steps = 2 * (libm::ceil((to_s - from_s) / (2.0 * STEP_S)) as usize).max(1);
    let step_s = (to_s - from_s) / steps as f64;
    let weighted: f64 = (0..=steps)
        .map(|at| {
            let weight = if at == 0 || at == steps {
                1.0
            } else if at % 2 == 1 {
                4.0
            } else {
                2.0
            };
            weight * double_gamma(from_s + step_s * at as f64)
        })
        .sum();
    weighted * step_s / 3.0
}

/// The response of `events` at each of `frame_times_s`, in units of the response to sustained stimulation.
pub(super) fn regressor(events: &[TimedEvent], frame_times_s: &[f64]) -> Vec<f64> {
    let area = integral(0.0, LENGTH_S);
    let one = |event: &TimedEvent, time_s: f64| {
        let since_s = time_s - event.onset_s;
        if since_s <= 0.0 || since_s - event.duration_s >= LENGTH_S {
            0.0
        } else if event.duration_s == 0.0 {
            double_gamma(since_s)
        } else {
            integral(since_s - event.duration_s, since_s)
        }
    };
    frame_times_s.iter().map(|&time_s| events.iter().map(|event| one(event, time_s)).sum::<f64>() / area).collect()
}

/// The response of activity that is constant over steps of `step_s` from time 0 on, in the same units.
///
/// `x(t) = sum_k activity[k] (integral of h over t - (k + 1) step_s .. t - k step_s)`.
pub(super) fn stepwise_response(activity: &[f64], step_s: f64, frame_times_s: &[f64]) -> Vec<f64> {
    let area = integral(0.0, LENGTH_S);
    let at = |time_s: f64| {
        let first = libm::floor((time_s - LENGTH_S) / step_s).max(0.0) as usize;
        let steps = activity.iter().enumerate().skip(first).take_while(|(step, _)| *step as f64 * step_s < time_s);
        let one = |(step, height): (usize, &f64)| {
            let until_s = time_s - step as f64 * step_s;
            if *height == 0.0 { 0.0 } else { height * integral(until_s - step_s, until_s) }
        };
        steps.map(one).sum::<f64>() / area
    };
    frame_times_s.iter().map(|&time_s| at(time_s)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::function::gamma::gamma_lr;

    #[test]
    fn integrals_equal_the_incomplete_gamma_function() {
        let exact = |from: f64, to: f64| {
            let until = |t: f64| if t <= 0.0 { 0.0 } else { gamma_lr(6.0, t) - gamma_lr(16.0, t) / 6.0 };
            until(to) - until(from)
        };
        for (from, to) in [(0.0, 32.0), (0.0, 0.013), (3.3, 3.9), (4.0, 20.0), (30.0, 32.0), (-5.0, 6.0)] {
            // Simpson at .02 s: step^4 / 180 * max |h''''| * length is below 1e-8 * .05; measured far smaller
            let difference = integral(from, to) - exact(from.max(0.0), to);
            assert!(difference.abs() < 1e-10, "{from}..{to}: {difference:e}");
        }
    }

    #[test]
    fn sustained_stimulation_reaches_one_and_an_impulse_has_unit_area() {
        let block = [TimedEvent { condition: 0, onset_s: 5.0, duration_s: 60.0 }];
        let x = regressor(&block, &[4.9, 40.0, 100.0]);
        assert_eq!((x[0], x[2]), (0.0, 0.0));
        assert!((x[1] - 1.0).abs() < 1e-12);
        let impulse = [TimedEvent { condition: 0, onset_s: 0.0, duration_s: 0.0 }];
        let times: Vec<f64> = (0..32_000).map(|k| f64::from(k) * 1e-3).collect();
        let area = regressor(&impulse, &times).iter().sum::<f64>() * 1e-3;
        // left sums of .001 s steps: half a step times the response at its cut end, about 5e-5
        assert!((area - 1.0).abs() < 1e-7, "{area}");
    }

    #[test]
    fn a_short_event_tends_to_its_duration_times_the_impulse() {
        let short = [TimedEvent { condition: 0, onset_s: 1.0, duration_s: 1e-3 }];
        let impulse = [TimedEvent { condition: 0, onset_s: 1.0, duration_s: 0.0 }];
        let (a, b) = (regressor(&short, &[7.0005])[0], regressor(&impulse, &[7.0])[0]);
        // midpoint rule: relative error d^2 h'' / 24 h, about 1e-7 * .5
        assert!((a / 1e-3 / b - 1.0).abs() < 1e-6, "{a} {b}");
    }

    #[test]
    fn steps_of_height_one_respond_as_the_boxcar_they_make() {
        let times_s: Vec<f64> = (0..60).map(|k| f64::from(k) * 0.9).collect();
        let mut activity = vec![0.0; 40];
        activity[5..13].fill(2.0);
        let steps = stepwise_response(&activity, 1.25, &times_s);
        let boxcar = regressor(&[TimedEvent { condition: 0, onset_s: 6.25, duration_s: 10.0 }], &times_s);
        for (step, boxcar) in steps.iter().zip(&boxcar) {
            // each integral is exact to 1e-10 of the area
            assert!((step - 2.0 * boxcar).abs() < 1e-9, "{step} {boxcar}");
        }
        assert!(steps.iter().any(|value| *value > 1.5));
    }
}

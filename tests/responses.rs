//! Responses delay by delay: against least squares by dense algebra, and the formula of fixed effects.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/dense.rs"]
mod dense;
#[path = "support/glm_data.rs"]
mod glm_data;
#[path = "support/random_run.rs"]
mod random_run;

use boldly::config::{ContrastKind, FixedEffects, Noise, Numerics, Profile};
use boldly::design::{ColumnRole, RunDesign};
use boldly::error::CancelToken;
use boldly::inference::{Dof, ModelledRun, Response, responses};
use boldly::model::RunFit;
use glm_data::{contrast, run_design};
use ndarray::Array2;
use random_run::{Normal, close, fit, statistics};

const NATIVE: Numerics = Numerics::of(Profile::Native);
/// Delays of each condition, in the order of their columns: not that of time.
const DELAYS_S: [f64; 3] = [0.0, 4.0, 2.0];
const COLUMNS: usize = 2;

/// A run in which each condition has a column for each delay, its events spread unevenly; last comes the constant.
fn fir_run(conditions: &[&str], n_frames: usize) -> RunDesign {
    let n_columns = conditions.len() * DELAYS_S.len() + 1;
    let event = |condition: usize, frame: usize| (frame * (7 + 2 * condition) + frame * frame / 5) % 11 == condition;
    let matrix = Array2::from_shape_fn((n_frames, n_columns), |(frame, column)| {
        if column == n_columns - 1 {
            return 1.0;
        }
        let lag = (DELAYS_S[column % DELAYS_S.len()] / 2.0) as usize; // frames are 2 s apart
        f64::from(u8::from(frame >= lag && event(column / DELAYS_S.len(), frame - lag)))
    });
    let mut design = run_design(matrix, &[]);
    for (at, condition) in conditions.iter().enumerate() {
        for (nth, delay_s) in DELAYS_S.iter().enumerate() {
            let column = at * DELAYS_S.len() + nth;
            design.names[column] = format!("{condition}_delay_{delay_s}");
            design.roles[column] = ColumnRole::Task {
                condition: (*condition).to_owned(),
                part: format!("delay_{delay_s}"),
                delay_s: Some(*delay_s),
            };
        }
    }
    design
}

fn fitted(design: &RunDesign, sigma: f64, seed: u64) -> (RunFit, Array2<f64>) {
    let noise = Normal::new(seed).array(design.matrix.nrows(), COLUMNS);
    let data = (noise * sigma + 100.0).mapv(|value| value as f32);
    (fit(&data, design, Noise::Ols, &NATIVE).unwrap(), data.mapv(f64::from))
}

fn of(runs: &[(&RunDesign, &RunFit)], method: FixedEffects) -> Vec<Response> {
    let runs: Vec<ModelledRun<'_>> = runs.iter().map(|(design, fit)| ModelledRun { fit, design }).collect();
    responses(&runs, method, &NATIVE, &CancelToken::new()).unwrap()
}

fn delays(response: &Response) -> Vec<f64> {
    response.delays.iter().map(|delay| delay.delay_s).collect()
}

#[test]
fn in_one_run_they_are_the_coefficients_of_least_squares() {
    let design = fir_run(&["face", "house"], 60);
    let (fit, data) = fitted(&design, 1.5, 3);
    let found = of(&[(&design, &fit)], FixedEffects::Precision);
    assert_eq!(found.iter().map(|response| response.condition.as_str()).collect::<Vec<_>>(), ["face", "house"]);
    let x = &design.matrix;
    let unit = dense::inverse(&x.t().dot(x));
    let beta = unit.dot(&x.t().dot(&data));
    let residuals = &data - &x.dot(&beta);
    for (nth, response) in found.iter().enumerate() {
        assert_eq!(delays(response), [0.0, 2.0, 4.0], "in the order of time");
        for (delay, within) in response.delays.iter().zip([0, 2, 1]) {
            let column = nth * DELAYS_S.len() + within;
            assert_eq!(delay.estimate, fit.beta.row(column).to_vec());
            assert_eq!((&delay.dof, &delay.runs[..]), (&Dof::Same(53.0), &[0][..]));
            for at in 0..COLUMNS {
                let sigma2 = residuals.column(at).iter().map(|residual| residual * residual).sum::<f64>() / 53.0;
                // sums of 60 products of some 100 lose six digits to the constant, of sixteen
                close(delay.estimate[at], beta[(column, at)], 1e-10);
                close(delay.standard_error[at], (sigma2 * unit[(column, column)]).sqrt(), 1e-10);
            }
        }
    }
}

#[test]
fn over_runs_they_are_weighted_as_a_declared_contrast_is() {
    let designs = [fir_run(&["face", "house"], 60), fir_run(&["face", "house"], 80)];
    let fits = [fitted(&designs[0], 1.0, 4).0, fitted(&designs[1], 2.5, 5).0];
    let runs = [(&designs[0], &fits[0]), (&designs[1], &fits[1])];
    let single: Vec<Vec<Response>> = runs.iter().map(|run| of(&[*run], FixedEffects::Precision)).collect();
    let found = of(&runs, FixedEffects::Precision);
    let house_at_2_s = &found[1].delays[1];
    for at in 0..COLUMNS {
        let [e, v] = [0, 1].map(|what| {
            single.iter().map(move |run| {
                let delay = &run[1].delays[1];
                if what == 0 { delay.estimate[at] } else { delay.standard_error[at].powi(2) }
            })
        });
        let (e, v): (Vec<f64>, Vec<f64>) = (e.collect(), v.collect());
        let total = 1.0 / v[0] + 1.0 / v[1];
        let share = [1.0 / v[0] / total, 1.0 / v[1] / total];
        let meier = share[0] * share[1] * (1.0 / 53.0 + 1.0 / 73.0);
        close(house_at_2_s.estimate[at], share[0] * e[0] + share[1] * e[1], 1e-13);
        close(house_at_2_s.standard_error[at], ((1.0 + 4.0 * meier) / total).sqrt(), 1e-13);
    }
    let mut weights = Array2::zeros((1, designs[0].n_columns()));
    weights[(0, 5)] = 1.0;
    for method in [FixedEffects::Precision, FixedEffects::Mean] {
        let declared = statistics(&fits, &contrast(ContrastKind::T, weights.clone()), method, &NATIVE);
        let house_at_2_s = &of(&runs, method)[1].delays[1];
        assert_eq!(house_at_2_s.estimate, declared.effect.row(0).to_vec());
        assert_eq!(house_at_2_s.standard_error, declared.variance.row(0).mapv(f64::sqrt).to_vec());
        assert_eq!(house_at_2_s.dof, declared.dof);
    }
}

#[test]
fn a_run_without_the_condition_does_not_enter() {
    let designs = [fir_run(&["house"], 60), fir_run(&["face", "house"], 60)];
    let fits = [fitted(&designs[0], 1.0, 6).0, fitted(&designs[1], 1.0, 7).0];
    let found = of(&[(&designs[0], &fits[0]), (&designs[1], &fits[1])], FixedEffects::Precision);
    let face = found.iter().find(|response| response.condition == "face").unwrap();
    let alone = of(&[(&designs[1], &fits[1])], FixedEffects::Precision);
    assert_eq!(face.delays[1].runs, [1]);
    assert_eq!(face.delays[1].estimate, alone[0].delays[1].estimate);
    assert_eq!(found.iter().find(|response| response.condition == "house").unwrap().delays[0].runs, [0, 1]);
}

#[test]
fn a_delay_that_the_design_cannot_tell_is_no_number() {
    let mut design = fir_run(&["face", "house"], 60);
    let copied = design.matrix.column(0).to_owned();
    design.matrix.column_mut(3).assign(&copied); // house at 0 s is face at 0 s
    let (fit, _) = fitted(&design, 1.0, 8);
    let found = of(&[(&design, &fit)], FixedEffects::Precision);
    for response in &found {
        let numbers = |at: usize| {
            let delay = &response.delays[at];
            delay.estimate.iter().chain(&delay.standard_error).all(|value| !value.is_nan())
        };
        assert!(response.delays[0].estimate.iter().all(|value| value.is_nan()));
        assert!(response.delays[0].standard_error.iter().all(|value| value.is_nan()));
        assert!(numbers(1) && numbers(2), "the others stand");
    }
}

#[test]
fn responses_of_given_shape_have_no_delays() {
    let mut design = fir_run(&["face"], 60);
    for role in &mut design.roles[..3] {
        *role = ColumnRole::Task { condition: "face".into(), part: "delay_0".into(), delay_s: None };
    }
    let (fit, _) = fitted(&design, 1.0, 9);
    assert!(of(&[(&design, &fit)], FixedEffects::Precision).is_empty());
}

//! The fit of a run under autoregressive noise of any order against dense algebra, over gaps, and its errors.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/dense.rs"]
mod dense;
#[path = "support/glm_data.rs"]
mod glm_data;
#[path = "support/random_run.rs"]
mod random_run;

use boldly::config::{ArOrder, ContrastKind, FixedEffects, Noise, Numerics, Profile, Scaling};
use boldly::error::{CancelToken, Diagnostic};
use boldly::model::{ModelError, NoiseField, whiteness};
use boldly::preprocess::{Scaler, TimeStatistics};
use glm_data::{contrast, run_design, series};
use ndarray::{Array2, array};
use random_run::{Normal, close, design_matrix, fit, statistics};

const NATIVE: Numerics = Numerics::of(Profile::Native);

fn order(order: usize) -> Noise {
    Noise::Ar(ArOrder::new(order).unwrap())
}

/// Data of AR(2) noise about 100.
fn data(n: usize, voxels: usize) -> Array2<f32> {
    let mut normal = Normal::new(3);
    let innovations = normal.array(n + 100, voxels);
    let mut noise = innovations.clone();
    for t in 2..n + 100 {
        for voxel in 0..voxels {
            noise[(t, voxel)] += 0.5 * noise[(t - 1, voxel)] + 0.3 * noise[(t - 2, voxel)];
        }
    }
    Array2::from_shape_fn((n, voxels), |(t, voxel)| (100.0 + 3.0 * noise[(t + 100, voxel)]) as f32)
}

/// Covariance at `times` of an autoregression of innovation variance 1, by its moving average, cut where it is below rounding.
fn covariance(times: &[usize], coefficients: &[f64]) -> Array2<f64> {
    let mut weights = vec![1.0];
    while weights.len() < 4000 {
        let t = weights.len();
        weights.push(coefficients.iter().enumerate().take(t).map(|(i, c)| c * weights[t - 1 - i]).sum::<f64>());
    }
    let gamma = |lag: usize| weights.iter().zip(&weights[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let last = times[times.len() - 1];
    let gamma: Vec<f64> = (0..=last).map(gamma).collect();
    Array2::from_shape_fn((times.len(), times.len()), |(i, j)| gamma[times[i].abs_diff(times[j])])
}

#[test]
fn any_order_is_generalised_least_squares_to_1e_9_over_gaps() {
    let n = 110;
    let data = data(n, 5);
    for censored in [&[][..], &[5, 6, 7, 20, 31, 32, 50, 99]] {
        let design = run_design(design_matrix(n), censored);
        let times = design.timing.kept_frames();
        let x = design.kept_matrix();
        for noise in [order(2), order(3), order(12), Noise::TukeyAr] {
            let fit = fit(&data, &design, noise, &NATIVE).unwrap();
            let NoiseField::Own(processes) = &fit.noise else { panic!("no processes of their own") };
            let t = contrast(ContrastKind::T, array![[1.0, -1.0, 0.0, 0.0]]);
            let f = contrast(ContrastKind::F, array![[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
            let t = statistics(std::slice::from_ref(&fit), &t, FixedEffects::Precision, &NATIVE);
            let f = statistics(std::slice::from_ref(&fit), &f, FixedEffects::Precision, &NATIVE);
            for (column, process) in processes.iter().enumerate() {
                let precision = dense::inverse(&covariance(&times, &process.coefficients()));
                let y = ndarray::Array1::from_iter(times.iter().map(|&time| f64::from(data[(time, column)])));
                let unscaled = dense::inverse(&x.t().dot(&precision).dot(&x));
                let beta = unscaled.dot(&x.t().dot(&precision.dot(&y)));
                let left = &y - &x.dot(&beta);
                let variance = left.dot(&precision.dot(&left)) / (times.len() - 4) as f64;
                for (found, expected) in fit.beta.column(column).iter().zip(&beta) {
                    close(*found, *expected, 1e-9);
                }
                close(fit.sigma2[column], variance, 1e-9);
                let c = array![1.0, -1.0, 0.0, 0.0];
                let expected = c.dot(&beta) / (variance * c.dot(&unscaled.dot(&c))).sqrt();
                close(t.stat[column], expected, 1e-9);
                let inverse = dense::inverse(&unscaled.slice(ndarray::s![..2, ..2]).to_owned());
                let two = beta.slice(ndarray::s![..2]);
                close(f.stat[column], two.dot(&inverse.dot(&two)) / (2.0 * variance), 1e-9);
            }
        }
    }
}

#[test]
fn residuals_come_out_white() {
    let (n, voxels) = (300, 300);
    let data = data(n, voxels);
    let design = run_design(design_matrix(n), &[40, 41, 200]);
    let look = |noise: Noise| {
        let fit = fit(&data, &design, noise, &NATIVE).unwrap();
        let series = series(&data);
        let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames()).unwrap();
        let scaler = Scaler::new(Scaling::None, NATIVE.scaling_arithmetic, &statistics, &[]).unwrap();
        let asked = ((0..voxels).collect(), 15);
        whiteness(&fit, asked, (&series, &scaler), &design, &NATIVE, &CancelToken::new()).unwrap()
    };
    let found = look(order(2));
    // two of its fifteen lags are fitted, which takes statistics down: fewer pass than .05
    assert!(found.share_not_white(0.05) < 0.07, "{}", found.share_not_white(0.05));
    // a mean over 300 voxels of chi-squared with 2 degrees of freedom: a standard deviation of .06
    assert!(found.spectrum.iter().all(|point| (point.power - 1.0).abs() < 0.3));
    assert!(look(Noise::Ols).share_not_white(0.05) > 0.9);
}

#[test]
fn an_order_too_long_for_a_run_is_refused() {
    let design = run_design(design_matrix(40), &[3]);
    let error = fit(&data(40, 2), &design, order(6), &NATIVE).unwrap_err();
    assert!(matches!(error, ModelError::OrderTooLong { needed: 36, dof: 35, .. }), "{error}");
    assert_eq!(error.to_string(), "noise `ar6` needs 36 residual degrees of freedom, sub-01 run-01 has 35");
    assert_eq!(Diagnostic::from(error).code, "noise-order");
    assert!(fit(&data(41, 2), &run_design(design_matrix(41), &[3]), order(6), &NATIVE).is_ok());
}

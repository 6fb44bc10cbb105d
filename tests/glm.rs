//! The fit of a run and its statistics against closed forms and nilearn, its invariances and its errors.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/dense.rs"]
mod dense;
#[path = "support/glm_data.rs"]
mod glm_data;
#[path = "support/random_run.rs"]
mod random_run;

use boldly::config::{ContrastKind, FixedEffects, Noise, Numerics, Profile, Scaling};
use boldly::error::CancelToken;
use boldly::inference::{Dof, InferenceError, RunContrast, contrast_statistics};
use boldly::model::{ModelError, RunFit, fit_run, residual_frame};
use boldly::preprocess::{Scaler, TimeStatistics};
use glm_data::{contrast, run_design, series};
use ndarray::{Array1, Array2, Axis, array, s};
use random_run::{Normal, close, design_matrix, fit, statistics};

const NATIVE: Numerics = Numerics::of(Profile::Native);
const NILEARN: Numerics = Numerics::of(Profile::Nilearn);

/// Generalised least squares written out.
struct Gls {
    /// `(X' V^-1 X)^-1 X' V^-1 y`.
    beta: Array1<f64>,
    /// `(X' V^-1 X)^-1`.
    covariance: Array2<f64>,
    /// `(y - X beta)' V^-1 (y - X beta)`.
    squares: f64,
}

/// Of `y` on `x` under the noise covariance `v`.
fn gls(x: &Array2<f64>, y: &Array1<f64>, v: &Array2<f64>) -> Gls {
    let precision = dense::inverse(v);
    let covariance = dense::inverse(&x.t().dot(&precision).dot(x));
    let beta = covariance.dot(&x.t().dot(&precision.dot(y)));
    let residual = y - &x.dot(&beta);
    let squares = residual.dot(&precision.dot(&residual));
    Gls { beta, covariance, squares }
}

/// Covariance of AR(1) with unit innovation variance at `times`.
fn ar1_covariance(times: &[usize], rho: f64) -> Array2<f64> {
    Array2::from_shape_fn((times.len(), times.len()), |(i, j)| {
        rho.powi(i32::try_from(times[i].abs_diff(times[j])).unwrap()) / (1.0 - rho * rho)
    })
}

const CENSORED: [usize; 7] = [5, 6, 7, 20, 31, 32, 50];

#[test]
fn ar1_with_gaps_is_generalised_least_squares_to_1e_10() {
    let (n, voxels) = (60, 9);
    let mut normal = Normal::new(1);
    let data = (normal.array(n, voxels) * 3.0 + 100.0).mapv(|value| value as f32);
    let design = run_design(design_matrix(n), &CENSORED);
    let fit = fit(&data, &design, Noise::Ar1, &NATIVE).unwrap();
    let times = design.timing.kept_frames();
    let x = design.kept_matrix();
    assert_eq!((fit.rank, fit.dof), (4, 49.0));
    let t_test = contrast(ContrastKind::T, array![[1.0, -1.0, 0.0, 0.0]]);
    let f_test = contrast(ContrastKind::F, array![[1.0, 0.0, 0.0, 0.0], [0.5, 1.0, -1.0, 0.0]]);
    let t = statistics(std::slice::from_ref(&fit), &t_test, FixedEffects::Precision, &NATIVE);
    let f = statistics(std::slice::from_ref(&fit), &f_test, FixedEffects::Precision, &NATIVE);
    let mut both_signs = [false, false];
    for voxel in 0..voxels {
        let y: Array1<f64> = times.iter().map(|&frame| f64::from(data[(frame, voxel)])).collect();
        let ordinary = gls(&x, &y, &Array2::eye(times.len()));
        let e = &y - &x.dot(&ordinary.beta);
        let pairs: Vec<usize> = (1..times.len()).filter(|&at| times[at] == times[at - 1] + 1).collect();
        let lagged: f64 = pairs.iter().map(|&at| e[at] * e[at - 1]).sum();
        let rho = lagged / e.dot(&e) * (times.len() - 1) as f64 / pairs.len() as f64;
        close(fit.rho().unwrap()[voxel], rho, 1e-10);
        both_signs[usize::from(rho > 0.0)] = true;
        let Gls { beta, covariance, squares } = gls(&x, &y, &ar1_covariance(&times, rho));
        for (regressor, expected) in beta.iter().enumerate() {
            close(fit.beta[(regressor, voxel)], *expected, 1e-10);
        }
        let sigma2 = squares / 49.0;
        close(fit.sigma2[voxel], sigma2, 1e-10);
        let residual = &y - &x.dot(&beta);
        let mean = y.mean().unwrap();
        close(fit.r2[voxel], 1.0 - residual.dot(&residual) / y.iter().map(|y| (y - mean).powi(2)).sum::<f64>(), 1e-10);
        let c = &t_test.weights;
        let variance = c.dot(&covariance).dot(&c.t())[(0, 0)] * sigma2;
        close(t.variance[(0, voxel)], variance, 1e-10);
        close(t.stat[voxel], c.dot(&beta)[0] / variance.sqrt(), 1e-10);
        let c = &f_test.weights;
        let effect = c.dot(&beta);
        let wald = effect.dot(&dense::inverse(&c.dot(&covariance).dot(&c.t())).dot(&effect)) / 2.0 / sigma2;
        close(f.stat[voxel], wald, 1e-10);
    }
    assert_eq!(both_signs, [true, true], "the draws should hold negative and positive rho");
}

#[test]
fn the_binned_rule_bridges_gaps_and_keeps_the_first_sample() {
    let (n, voxels) = (60, 40);
    let mut normal = Normal::new(2);
    let data = (normal.array(n, voxels) + 50.0).mapv(|value| value as f32);
    let design = run_design(design_matrix(n), &CENSORED);
    let fit = fit(&data, &design, Noise::Ar1, &NILEARN).unwrap();
    let (times, x) = (design.timing.kept_frames(), design.kept_matrix());
    let t_test = contrast(ContrastKind::T, array![[1.0, 0.0, 0.0, 0.0]]);
    let map = statistics(std::slice::from_ref(&fit), &t_test, FixedEffects::Mean, &NILEARN);
    for voxel in 0..voxels {
        let rho = fit.rho().unwrap()[voxel];
        assert_eq!(rho, (rho * 100.0).round() / 100.0);
        // whitening written out: row t minus rho times row t - 1, the first as it is
        let whiten = |a: &Array2<f64>| {
            let mut whitened = a.clone();
            for row in 1..a.nrows() {
                whitened.row_mut(row).scaled_add(-rho, &a.row(row - 1));
            }
            whitened
        };
        let y = Array2::from_shape_fn((times.len(), 1), |(at, _)| f64::from(data[(times[at], voxel)]));
        let wy = whiten(&y).column(0).to_owned();
        let expected = gls(&whiten(&x), &wy, &Array2::eye(times.len()));
        let sigma2 = expected.squares / (times.len() - 4) as f64;
        close(map.stat[voxel], expected.beta[0] / (expected.covariance[(0, 0)] * sigma2).sqrt(), 1e-10);
    }
}

#[test]
fn redundant_columns_change_neither_estimable_contrasts_nor_dof() {
    let (n, voxels) = (50, 6);
    let mut normal = Normal::new(3);
    let data = (normal.array(n, voxels) + 20.0).mapv(|value| value as f32);
    let full = design_matrix(n);
    let copy = (&full.column(0) + &full.column(3)).insert_axis(Axis(1));
    let deficient = ndarray::concatenate![Axis(1), full, copy, Array2::zeros((n, 1))];
    // x0 of the deficient design is not estimable, x1 is, and x0 + x4 is b0 + 2 b4 ... in terms of fitted values:
    // the fit is b0 x0 + b3 x3 + b4 (x0 + x3), so b0 + b4 is the coefficient of x0 in the full design
    let weights = [
        (array![[0.0, 1.0, 0.0, 0.0]], array![[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]),
        (array![[1.0, 0.0, 0.0, 0.0]], array![[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]]),
    ];
    for (noise, censored) in [(Noise::Ols, &[7, 8][..]), (Noise::Ar1, &[7, 8]), (Noise::Ols, &[]), (Noise::Ar1, &[])] {
        let of_full = fit(&data, &run_design(full.clone(), censored), noise, &NATIVE).unwrap();
        let of_deficient = fit(&data, &run_design(deficient.clone(), censored), noise, &NATIVE).unwrap();
        assert_eq!((of_deficient.rank, of_deficient.dof), (4, (n - censored.len() - 4) as f64));
        for (in_full, in_deficient) in &weights {
            let statistic = |fit: &RunFit, weights: &Array2<f64>| {
                let test = contrast(ContrastKind::T, weights.clone());
                statistics(std::slice::from_ref(fit), &test, FixedEffects::Mean, &NATIVE)
            };
            let (expected, map) = (statistic(&of_full, in_full), statistic(&of_deficient, in_deficient));
            for voxel in 0..voxels {
                close(map.effect[(0, voxel)], expected.effect[(0, voxel)], 1e-11);
                close(map.stat[voxel], expected.stat[voxel], 1e-11);
                close(map.p(&NATIVE)[voxel], expected.p(&NATIVE)[voxel], 1e-11);
            }
        }
        // the other profile divides by frames minus columns, and keeps the dof
        let peer = fit(&data, &run_design(deficient.clone(), &[]), Noise::Ols, &NILEARN).unwrap();
        let native = fit(&data, &run_design(deficient.clone(), &[]), Noise::Ols, &NATIVE).unwrap();
        assert_eq!(peer.dof, 46.0);
        close(peer.sigma2[0] * 44.0, native.sigma2[0] * 46.0, 1e-13);
    }
}

#[test]
fn a_design_without_full_rank_gives_the_numbers_of_nilearn() {
    let expected: serde_json::Value = serde_json::from_str(include_str!("expectations/rank_deficient.json")).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let matrix = |value: &serde_json::Value| -> Array2<f64> {
        let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
        Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
    };
    let data = matrix(&expected["data"]).mapv(|value| value as f32);
    let design = run_design(matrix(&expected["design"]), &[]);
    for (name, noise) in [("ols", Noise::Ols), ("ar1", Noise::Ar1)] {
        let fit = fit(&data, &design, noise, &NILEARN).unwrap();
        let results = |what: &str| &expected["results"][format!("{name} {what}")];
        // the coefficients of least norm, of 100 where the data are
        for (value, expected) in fit.beta.iter().zip(&matrix(results("beta"))) {
            close(*value, *expected, 1e-11);
        }
        for (label, kind) in [("t", ContrastKind::T), ("F", ContrastKind::F)] {
            let test = contrast(kind, matrix(&expected["contrasts"][label]));
            let map = statistics(std::slice::from_ref(&fit), &test, FixedEffects::Mean, &NILEARN);
            let expected = results(label);
            assert_eq!(map.dof, Dof::Same(expected["dof"].as_f64().unwrap()));
            let maps = [
                ("stat", &map.stat),
                ("p", &map.p(&NILEARN)),
                ("z", &map.z),
                ("variance", &map.variance.row(0).to_vec()),
            ];
            for (of_map, values) in maps {
                for (value, expected) in values.iter().zip(numbers(&expected[of_map])) {
                    close(*value, expected, 1e-11);
                }
            }
        }
    }
}

#[test]
fn units_of_a_regressor_do_not_matter() {
    let (n, voxels) = (50, 6);
    let mut normal = Normal::new(4);
    let data = (normal.array(n, voxels) + 20.0).mapv(|value| value as f32);
    let matrix = design_matrix(n);
    let units = array![1e-7, 1.0, 1e9, 4.0];
    for (noise, numerics) in [(Noise::Ols, NATIVE), (Noise::Ar1, NATIVE), (Noise::Ar1, NILEARN)] {
        let plain = fit(&data, &run_design(matrix.clone(), &[]), noise, &numerics).unwrap();
        let scaled = fit(&data, &run_design(&matrix * &units, &[]), noise, &numerics).unwrap();
        for column in 0..4 {
            let mut weights = Array2::zeros((1, 4));
            weights[(0, column)] = 1.0;
            let test = contrast(ContrastKind::T, weights);
            let a = statistics(std::slice::from_ref(&plain), &test, FixedEffects::Mean, &numerics);
            let b = statistics(std::slice::from_ref(&scaled), &test, FixedEffects::Mean, &numerics);
            for voxel in 0..voxels {
                close(b.effect[(0, voxel)] * units[column], a.effect[(0, voxel)], 1e-11);
                close(b.stat[voxel], a.stat[voxel], 1e-11);
            }
        }
    }
}

#[test]
fn residuals_frame_by_frame_are_data_minus_fit() {
    let (n, voxels) = (40, 5);
    let mut normal = Normal::new(5);
    let data = (normal.array(n, voxels) + 20.0).mapv(|value| value as f32);
    let design = run_design(design_matrix(n), &[3]);
    let kept = design.timing.kept_frames();
    let series = series(&data);
    let scaler = Scaler::new(
        Scaling::VoxelMean,
        NATIVE.scaling_arithmetic,
        &TimeStatistics::of_series(&series, &kept).unwrap(),
        &[2],
    )
    .unwrap();
    let fit = fit_run(&series, &scaler, &design, Noise::Ar1, &NATIVE, &CancelToken::new()).unwrap();
    let mut scaled = Array2::zeros((kept.len(), voxels));
    for (mut row, &frame) in scaled.outer_iter_mut().zip(&kept) {
        row.assign(&Array1::from(scaler.scale_frame(&series.frame(frame).unwrap())));
    }
    let mut squares = [0.0; 5];
    for (row, &frame) in kept.iter().enumerate() {
        let out = residual_frame(&fit, &series, &scaler, &design, frame).unwrap();
        let expected = &scaled.row(row) - &design.matrix.row(frame).dot(&fit.beta);
        for voxel in 0..voxels {
            close(out[voxel], expected[voxel], 1e-12);
            squares[voxel] += out[voxel].powi(2);
        }
    }
    for voxel in [0, 1, 3, 4] {
        let mean = scaled.column(voxel).mean().unwrap();
        let total: f64 = scaled.column(voxel).iter().map(|y| (y - mean).powi(2)).sum();
        close(fit.r2[voxel], 1.0 - squares[voxel] / total, 1e-12);
    }
    // the excluded column
    assert_eq!((squares[2], fit.sigma2[2], fit.r2[2], fit.beta.column(2).sum()), (0.0, 0.0, 0.0, 0.0));
    let test = contrast(ContrastKind::T, array![[1.0, 0.0, 0.0, 0.0]]);
    let map = statistics(&[fit.clone(), fit], &test, FixedEffects::Precision, &NATIVE);
    assert_eq!((map.stat[2], map.z[2], map.p(&NATIVE)[2]), (0.0, 0.0, 1.0));
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let (n, voxels) = (64, 5000); // three blocks
    let mut normal = Normal::new(8);
    let data = (normal.array(n, voxels) + 20.0).mapv(|value| value as f32);
    let design = run_design(design_matrix(n), &[9]);
    let test = contrast(ContrastKind::F, array![[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
    for numerics in [NATIVE, NILEARN] {
        let bits = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let fit = fit(&data, &design, Noise::Ar1, &numerics).unwrap();
                let map = statistics(&[fit.clone(), fit.clone()], &test, FixedEffects::Precision, &numerics);
                let all = fit.beta.iter().chain(&fit.sigma2).chain(&fit.r2).chain(&map.stat).chain(&map.z);
                all.map(|value| value.to_bits()).collect::<Vec<u64>>()
            })
        };
        let one = bits(1);
        assert!(one == bits(2) && one == bits(3));
    }
}

#[test]
fn a_column_has_the_same_numbers_whatever_its_neighbours() {
    let (n, voxels) = (64, 2100);
    let mut normal = Normal::new(9);
    let data = (normal.array(n, voxels) + 20.0).mapv(|value| value as f32);
    let design = run_design(design_matrix(n), &[]);
    let whole = fit(&data, &design, Noise::Ar1, &NATIVE).unwrap();
    let part = fit(&data.slice(s![.., 2040..]).to_owned(), &design, Noise::Ar1, &NATIVE).unwrap();
    for column in 0..60 {
        // shapes of products differ, so rounding may
        close(part.sigma2[column], whole.sigma2[2040 + column], 1e-13);
    }
}

#[test]
fn what_cannot_be_fitted_says_so() {
    let data = Array2::from_elem((4, 2), 1.0_f32);
    let error = fit(&data, &run_design(design_matrix(4), &[]), Noise::Ols, &NATIVE).unwrap_err();
    assert!(matches!(error, ModelError::TooFewFrames { n_frames: 4, rank: 4, .. }), "{error}");
    assert!(error.to_string().starts_with("sub-01 run-01 has 4 frames for 4 design columns"));
    let mut matrix = design_matrix(20);
    matrix[(6, 1)] = f64::NAN;
    let data = Array2::from_elem((20, 2), 1.0_f32);
    let error = fit(&data, &run_design(matrix.clone(), &[2]), Noise::Ols, &NATIVE).unwrap_err();
    assert_eq!(error.to_string(), "design column `x1` of sub-01 run-01 is not finite at frame 6");
    assert!(fit(&data, &run_design(matrix, &[6]), Noise::Ols, &NATIVE).is_ok(), "the censored frame does not matter");
    let good = run_design(design_matrix(20), &[]);
    let cancel = CancelToken::new();
    cancel.cancel();
    let series = series(&data);
    let scaler = |kept: &[usize]| {
        Scaler::new(Scaling::None, NATIVE.scaling_arithmetic, &TimeStatistics::of_series(&series, kept).unwrap(), &[])
            .unwrap()
    };
    let all: Vec<usize> = (0..20).collect();
    let error = fit_run(&series, &scaler(&all), &good, Noise::Ols, &NATIVE, &cancel).unwrap_err();
    assert!(matches!(error, ModelError::Cancelled(_)));
    let error = fit_run(&series, &scaler(&all[1..]), &good, Noise::Ols, &NATIVE, &CancelToken::new()).unwrap_err();
    assert_eq!(error, ModelError::FramesDiffer { run: "sub-01 run-01".to_owned(), design: 20, data: 19 });
}

#[test]
fn what_cannot_be_tested_says_so() {
    let mut normal = Normal::new(10);
    let data = normal.array(30, 3).mapv(|value| value as f32);
    let fit = fit(&data, &run_design(design_matrix(30), &[]), Noise::Ar1, &NATIVE).unwrap();
    let problem = |kind, weights| {
        let contrast = contrast(kind, weights);
        let runs = [RunContrast { fit: &fit, contrast: &contrast }];
        contrast_statistics(&runs, FixedEffects::Mean, &NATIVE, &CancelToken::new()).unwrap_err()
    };
    let dependent = array![[1.0, -1.0, 0.0, 0.0], [0.0, 1.0, -1.0, 0.0], [1.0, 0.0, -1.0, 0.0]];
    assert!(matches!(problem(ContrastKind::F, dependent.clone()), InferenceError::DependentRows { .. }));
    assert!(matches!(problem(ContrastKind::T, Array2::zeros((1, 4))), InferenceError::DependentRows { .. }));
    assert!(matches!(problem(ContrastKind::T, dependent), InferenceError::Rows { rows: 3, expected: 1, .. }));
    assert!(matches!(problem(ContrastKind::T, Array2::ones((1, 3))), InferenceError::Columns { .. }));
    let none = contrast_statistics(&[], FixedEffects::Mean, &NATIVE, &CancelToken::new()).unwrap_err();
    assert!(matches!(none, InferenceError::NoRun { .. }));
}

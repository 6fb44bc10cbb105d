//! Fits from sums over time against fits that see every sample, on data made to cancel.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/glm_data.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod glm_data;
#[path = "support/random_run.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod random_run;

use boldly::config::{FirstSample, GapRule, Noise, Numerics, Profile, RhoRule, Scaling};
use boldly::design::RunDesign;
use boldly::error::CancelToken;
use boldly::model::{Moments, RunFit};
use boldly::preprocess::{ExclusionReason, Scaler, TimeStatistics};
use glm_data::run_design;
use ndarray::{Array1, Array2, Axis, s};
use random_run::{Normal, design_matrix, fit};

const N_FRAMES: usize = 90; // no multiple of a chunk
const NATIVE: Numerics = Numerics::of(Profile::Native);
const NILEARN: Numerics = Numerics::of(Profile::Nilearn);

/// Orthonormal columns of the span of `x`: Gram and Schmidt, twice.
fn orthonormal(x: &Array2<f64>) -> Array2<f64> {
    let mut q = x.clone();
    for column in 0..q.ncols() {
        for _ in 0..2 {
            for before in 0..column {
                let onto = q.column(before).to_owned();
                let share = onto.dot(&q.column(column));
                q.column_mut(column).scaled_add(-share, &onto);
            }
        }
        let length = q.column(column).dot(&q.column(column)).sqrt();
        q.column_mut(column).mapv_inplace(|value| value / length);
    }
    q
}

/// What is left of `y` outside the span of `x`, sample by sample.
fn residual(x: &Array2<f64>, y: &Array1<f64>) -> Array1<f64> {
    let q = orthonormal(x);
    let once = y - &q.dot(&q.t().dot(y));
    &once - &q.dot(&q.t().dot(&once))
}

/// Rows whitened one by one.
fn whitened(rows: &Array2<f64>, lags: &[usize], rho: f64, numerics: &Numerics) -> Array2<f64> {
    let mut out = rows.clone();
    if numerics.first_sample == FirstSample::Scaled {
        out.row_mut(0).mapv_inplace(|value| value * (1.0 - rho * rho).sqrt());
    }
    for (at, lag) in lags.iter().enumerate() {
        let correlation = rho.powi(i32::try_from(*lag).unwrap());
        let scale = if rho == 0.0 { 1.0 } else { ((1.0 - rho * rho) / (1.0 - correlation * correlation)).sqrt() };
        let row = (&rows.row(at + 1) - &(&rows.row(at) * correlation)) * scale;
        out.row_mut(at + 1).assign(&row);
    }
    out
}

struct Case {
    name: &'static str,
    data: Array2<f32>,
    design: RunDesign,
}

/// Data in which the noise is small beside what is taken away from them.
fn cases() -> Vec<Case> {
    let noise = |seed| Normal::new(seed).array(N_FRAMES, 6);
    let plain = design_matrix(N_FRAMES);
    let censored = [0, 1, 20, 33, 34, 35, 64, 89];
    let ramp = |frame: usize| frame as f64 / N_FRAMES as f64;
    let data = |values: Array2<f64>| values.mapv(|value| value as f32);
    let add = |seed: u64, of: &dyn Fn(usize) -> f64| {
        let mut values = noise(seed);
        for (frame, mut row) in values.outer_iter_mut().enumerate() {
            row += of(frame);
        }
        data(values)
    };
    let without_constant = plain.slice(s![.., ..3]).to_owned();
    let nearly_constant = {
        let mut matrix = plain.clone();
        matrix.column_mut(3).iter_mut().enumerate().for_each(|(frame, one)| *one += 1e-4 * (frame as f64 * 1.7).sin());
        matrix
    };
    let case = |name, data, design| Case { name, data, design };
    vec![
        case("a baseline", add(1, &|_| 1e4), run_design(plain.clone(), &[])),
        case("a baseline that f32 rounds", add(2, &|_| 3e6), run_design(plain.clone(), &[])),
        case("a drift in the design", add(3, &|frame| 1e4 + 1e5 * ramp(frame)), run_design(plain.clone(), &[])),
        case(
            "a first frame far off",
            add(4, &|frame| if frame == 0 { 0.0 } else { 1e5 }),
            run_design(plain.clone(), &[]),
        ),
        case(
            "a censored first frame far off, and gaps",
            add(5, &|frame| if frame == 0 { 4e4 } else { 1e3 }),
            run_design(plain.clone(), &censored),
        ),
        case("no constant", add(6, &|_| 30.0), run_design(without_constant.clone(), &[])),
        case("no constant, a high baseline, gaps", add(7, &|_| 1e4), run_design(without_constant, &censored)),
        case("a chunk of frames left out", add(10, &|_| 1e3), run_design(plain.clone(), &(0..40).collect::<Vec<_>>())),
        case(
            "no two frames that follow each other",
            add(11, &|_| 1e3),
            run_design(plain, &(0..N_FRAMES).step_by(2).collect::<Vec<_>>()),
        ),
        case("a constant that is nearly one", add(8, &|_| 1e4), run_design(nearly_constant, &[])),
    ]
}

/// What is compared, with the relative error that the sums may have.
fn check(case: &Case, noise: Noise, numerics: &Numerics, fit: &RunFit) {
    let kept = case.design.timing.kept_frames();
    let x = case.design.kept_matrix();
    let bridged = vec![1; kept.len() - 1];
    let lags = if numerics.gaps == GapRule::Bridged { bridged } else { case.design.timing.lags() };
    for column in 0..case.data.ncols() {
        let first = f64::from(case.data[(0, column)]);
        // what f32 holds: the difference to the first frame
        let z: Array1<f64> = kept.iter().map(|&t| f64::from(case.data[(t, column)] - case.data[(0, column)])).collect();
        let y = &z + first;
        let e = residual(&x, &y);
        let squares = e.dot(&e);
        let n = kept.len() as f64;
        // n eps z'z / e'e as derived, ten times for the sums that follow; residuals here have some eps |y| / |e|
        let allowed = 10.0 * n * f64::EPSILON * (1.0 + (z.dot(&z) / squares) + (y.dot(&y) / squares).sqrt());
        assert!(allowed < 1e-2, "{}: {allowed:e} would hide an error", case.name);
        let close = |what: &str, value: f64, expected: f64| {
            let error = (value - expected).abs() / expected.abs().max(1e-300);
            assert!(error <= allowed, "{}, {what}: {value} for {expected}, {error:e} > {allowed:e}", case.name);
        };
        let rho = fit.rho().map_or(0.0, |rho| rho[column]);
        if noise == Noise::Ar1 && numerics.rho == RhoRule::PerVoxel {
            let pairs: Vec<usize> = (1..kept.len()).filter(|&at| lags[at - 1] == 1).collect();
            let lagged: f64 = pairs.iter().map(|&at| e[at] * e[at - 1]).sum();
            let of_pairs = (n - 1.0) / pairs.len().max(1) as f64; // without pairs nothing is known, and rho is 0
            let expected = (lagged / squares * of_pairs).clamp(-0.99, 0.99);
            assert!((rho - expected).abs() <= 2.0 * allowed, "{}: rho {rho} for {expected}", case.name);
        }
        let wx = whitened(&x, &lags, rho, numerics);
        let wy = whitened(&y.clone().insert_axis(Axis(1)), &lags, rho, numerics).column(0).to_owned();
        let we = residual(&wx, &wy);
        close("sigma2", fit.sigma2[column], we.dot(&we) / (n - x.ncols() as f64));
        // the fitted values of the estimate, whose residuals r2 is of
        let unwhitened = &y - &x.dot(&fit.beta.column(column));
        let mean = z.mean().unwrap();
        let total: f64 = z.iter().map(|z| (z - mean).powi(2)).sum();
        let share = (1.0 - fit.r2[column]) * total / unwhitened.dot(&unwhitened) - 1.0;
        // beta is known to the rounding of y, which r2 is not
        let of_beta = 1e-13 * (y.dot(&y) / squares).sqrt() + 4.0 * f64::EPSILON * total / squares;
        assert!(share.abs() <= allowed + of_beta, "{}: r2 off by {share:e}", case.name);
    }
}

#[test]
fn sums_lose_no_more_than_derived() {
    for case in cases() {
        for (noise, numerics) in
            [(Noise::Ols, NATIVE), (Noise::Ar1, NATIVE), (Noise::Ols, NILEARN), (Noise::Ar1, NILEARN)]
        {
            let fit = fit(&case.data, &case.design, noise, &numerics).unwrap();
            check(&case, noise, &numerics, &fit);
        }
    }
}

#[test]
fn data_without_residuals_have_none() {
    // an exact ramp: what rounding leaves of z'z - g'g is not taken for noise
    let data = Array2::from_shape_fn((N_FRAMES, 3), |(frame, column)| (64 * frame * (column + 1)) as f32);
    let mut matrix = design_matrix(N_FRAMES);
    matrix.column_mut(2).iter_mut().enumerate().for_each(|(frame, value)| *value = frame as f64);
    for numerics in [NATIVE, NILEARN] {
        for noise in [Noise::Ols, Noise::Ar1] {
            let fit = fit(&data, &run_design(matrix.clone(), &[]), noise, &numerics).unwrap();
            assert_eq!(fit.sigma2, [0.0; 3]);
            assert!(fit.r2.iter().all(|r2| *r2 == 1.0));
            assert!(fit.rho().is_none_or(|rho| rho == [0.0; 3]));
        }
    }
}

#[test]
fn a_column_that_is_left_out_changes_no_other_and_is_zero() {
    let mut data = (Normal::new(9).array(N_FRAMES, 5) + 50.0).mapv(|value| value as f32);
    let design = run_design(design_matrix(N_FRAMES), &[7]);
    let whole = fit(&data, &design, Noise::Ar1, &NATIVE).unwrap();
    data.column_mut(1)[30] = f32::NAN;
    data.column_mut(2).fill(3.0);
    data[(7, 2)] = 4.0; // censored
    data.column_mut(3)[0] = f32::INFINITY;
    let series = glm_data::series(&data);
    let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames()).unwrap();
    let reasons = [ExclusionReason::NotFinite, ExclusionReason::Constant, ExclusionReason::NotFinite];
    assert_eq!([1, 2, 3].map(|column| statistics.unusable(column)), reasons.map(Some));
    assert!([0, 4].iter().all(|&column| statistics.unusable(column).is_none()));
    let scaler = Scaler::new(Scaling::None, NATIVE.scaling_arithmetic, &statistics, &[1, 2, 3]).unwrap();
    let cancel = CancelToken::new();
    let moments = Moments::new(&design, Noise::Ar1, &NATIVE, series.n_columns()).unwrap();
    let moments = moments.fed_by(&series, &scaler, &cancel).unwrap();
    let fit = moments.fit(&scaler, &cancel).unwrap();
    for column in 0..5 {
        if [0, 4].contains(&column) {
            assert_eq!(fit.beta.column(column), whole.beta.column(column));
            assert_eq!((fit.sigma2[column], fit.r2[column]), (whole.sigma2[column], whole.r2[column]));
        } else {
            assert!(fit.beta.column(column).iter().all(|beta| *beta == 0.0));
            assert_eq!((fit.sigma2[column], fit.r2[column], fit.noise.rho(column)), (0.0, 0.0, 0.0));
        }
    }
}

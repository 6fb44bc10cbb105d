use super::measured::lower_factor;
use super::*;
use crate::design::ColumnRole;
use crate::inputs::Timing;
use crate::model::random::Random;

const N: usize = 160;

/// A constant, eight cosines of drift, and blocks of ten frames.
fn design(n: usize) -> RunDesign {
    let value = |frame: usize, column: usize| match column {
        0 => 1.0,
        9 => f64::from(u8::from(frame / 10 % 2 == 1)),
        k => libm::cos(std::f64::consts::PI * k as f64 * (frame as f64 + 0.5) / n as f64),
    };
    RunDesign {
        run: "sub-01".to_owned(),
        names: (0..10).map(|column| format!("x{column}")).collect(),
        roles: vec![ColumnRole::Confound; 10],
        peak_heights: vec![1.0; 10],
        timing: Timing::new(2.0, n, 0, 0.0),
        matrix: Array2::from_shape_fn((n, 10), |(frame, column)| value(frame, column)),
    }
}

/// Correlations of two AR(1) processes of coefficients .9 and .3, summed.
fn correlation(lag: usize) -> f64 {
    0.4 * libm::pow(0.9, lag as f64) + 0.6 * libm::pow(0.3, lag as f64)
}

fn covariance(times: &[usize]) -> Array2<f64> {
    Array2::from_shape_fn((times.len(), times.len()), |(i, j)| correlation(times[i].abs_diff(times[j])))
}

fn basis(design: &RunDesign) -> RunBasis {
    RunBasis::new(design, &Numerics::of(crate::config::Profile::Native)).unwrap()
}

/// What is left after the design is what is estimated; drift is not. So truth and estimate are compared by what the design
/// leaves of them, entry by entry, with the exact covariance of residuals in place of sampled ones.
#[test]
fn the_covariance_of_residuals_is_restored() {
    let design = design(N);
    let run = basis(&design);
    let all: Vec<usize> = (0..N).collect();
    // a fifth of the frames lost
    let some: Vec<usize> = (0..N).filter(|frame| frame % 5 != 3).collect();
    for times in [all, some] {
        let q = run.basis.q.select(Axis(0), &times);
        let q = super::super::basis::Basis::new(&q).unwrap().q;
        let residualised = Residualised::new(&q, &times);
        let truth = residual_covariance(&covariance(&times), &q);
        let trace = truth.diag().sum();
        let found = residualised.correlations(&(&truth / trace));
        let expected =
            residual_covariance(&Array2::from_shape_fn(truth.dim(), |(i, j)| found[times[i].abs_diff(times[j])]), &q);
        let scaled = &expected * (trace / expected.diag().sum());
        let error = (&scaled - &truth).iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        // of a variance of .8 or so: tapers see a spectrum as finely as 1/64 of a cycle
        assert!(error < 0.06, "{error}");
        // what tests depend on: the variance of an effect
        let effect = truth.nrows() as f64;
        let task = Array2::from_shape_fn((times.len(), 1), |(frame, _)| libm::sin(0.31 * times[frame] as f64) / effect);
        let variance = |of: &Array2<f64>| transposed_product(&task, &product(of, &task))[(0, 0)];
        let ratio = variance(&scaled) / variance(&truth);
        assert!((ratio - 1.0).abs() < 0.03, "{ratio}");
    }
}

fn noise(random: &mut Random, factor: &Array2<f64>, n_columns: usize) -> Array2<f64> {
    let white = Array2::from_shape_simple_fn((factor.nrows(), n_columns), || random.normal());
    product(factor, &white)
}

fn null(n_columns: usize) -> (NullRun, Array2<f64>) {
    let times: Vec<usize> = (0..N).collect();
    let correlations: Vec<f64> = (0..N).map(correlation).collect();
    let factor = lower_factor(&correlations, &times).unwrap();
    let mut random = Random::new(7);
    let mut data = noise(&mut random, &factor, n_columns) * 3.0 + 100.0;
    // the second column is nearly the first, the last has no noise
    let twin = data.column(0).to_owned();
    data.column_mut(1).zip_mut_with(&twin, |value, twin| *value = 0.1 * *value + 0.9 * twin);
    data.column_mut(n_columns - 1).fill(5.0);
    let first: Vec<f32> = data.row(0).iter().map(|value| *value as f32).collect();
    let values = data.outer_iter().flat_map(|row| {
        row.iter().zip(&first).map(|(value, first)| (*value - f64::from(*first)) as f32).collect::<Vec<_>>()
    });
    let support = Support::Columns { names: (0..n_columns).map(|column| column.to_string()).collect() };
    let series = Series::new(support, first.clone(), values.collect());
    let design = design(N);
    let statistics = TimeStatistics::of_series(&series, &times).unwrap();
    let numerics = Numerics::of(crate::config::Profile::Native);
    let found = NullRun::new(&series, &statistics, &[n_columns - 1], &design, &numerics, &CancelToken::new()).unwrap();
    (found, covariance(&times))
}

/// Measured in few columns, again and again: the variance of the task's effect is right on average, and as uncertain as is said.
#[test]
fn the_variance_of_an_effect_is_unbiased_and_known_as_well_as_is_said() {
    let design = design(N);
    let run = basis(&design);
    let times: Vec<usize> = (0..N).collect();
    let residualised = Residualised::new(&run.basis.q, &times);
    let factor = lower_factor(&(0..N).map(correlation).collect::<Vec<f64>>(), &times).unwrap();
    // what is left of the task beside the others, and what noise makes of it
    let others = design.matrix.slice(ndarray::s![.., ..9]).to_owned();
    let others = super::super::basis::Basis::new(&others).unwrap().q;
    let task = design.matrix.column(9).insert_axis(Axis(1)).to_owned();
    let task = &task - &product(&others, &transposed_product(&others, &task));
    let variance = |factor: &Array2<f64>| {
        let left = residual_covariance(&product(factor, &factor.t()), &run.basis.q).diag().sum();
        transposed_product(factor, &task).iter().map(|value| value * value).sum::<f64>() / left
    };
    let truth = variance(&factor);
    let mut random = Random::new(11);
    for n_columns in [20, 200] {
        let n_repeats = 4000 / n_columns;
        let mut logs = Vec::new();
        let mut worth = 0.0;
        for _ in 0..n_repeats {
            let data = noise(&mut random, &factor, n_columns);
            let residuals = &data - &product(&run.basis.q, &transposed_product(&run.basis.q, &data));
            let directions = [normalised(residuals, &[1; N - 1]).directions];
            let members: Vec<usize> = (0..n_columns).collect();
            let first = Columns { directions: &directions, members: &members, scale: None };
            let first = Measured::new(&first, &residualised, &design).unwrap();
            let columns = Columns { directions: &directions, members: &members, scale: Some(&first.factor) };
            let found = Measured::new(&columns, &residualised, &design).unwrap();
            logs.push((variance(&found.factor) / truth).ln());
            worth += found.independent / (n_repeats as f64);
        }
        // columns are independent
        assert!((worth / (n_columns as f64) - 1.0).abs() < 0.15, "{worth} of {n_columns}");
        let mean = logs.iter().sum::<f64>() / (n_repeats as f64);
        let spread = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n_repeats - 1) as f64).sqrt();
        let said = UNCERTAINTY / (n_columns as f64).sqrt();
        assert!(spread < said && spread > 0.4 * said, "{n_columns}: {spread}, {said}");
        // four standard errors, and what the smoothing by tapers and their leakage do
        assert!(mean.abs() < 4.0 * spread / (n_repeats as f64).sqrt() + 0.02, "{n_columns}: {mean}");
    }
}

#[test]
fn draws_have_the_means_deviations_and_correlations_of_the_run() {
    let n_columns = 300;
    let (null, truth) = null(n_columns);
    let run = basis(&design(N));
    let n_draws = 200;
    let mut by_lag = [0.0; 4];
    let (mut together, mut squares) = (0.0, 0.0);
    for draw in 0..n_draws {
        let series = null.draw(draw);
        assert_eq!((series.n_frames, series.n_columns()), (N, n_columns));
        let mut values = Vec::new();
        series.read(0..N, 0..n_columns, &mut values).unwrap();
        let all = Array2::from_shape_fn((N, n_columns), |(frame, column)| {
            f64::from(values[frame * n_columns + column]) + f64::from(series.first[column])
        });
        assert!(all.column(n_columns - 1).iter().all(|value| (value - 5.0).abs() < 1e-6));
        let centred = all - 100.0;
        let left = &centred - &product(&run.basis.q, &transposed_product(&run.basis.q, &centred));
        for (lag, sum) in by_lag.iter_mut().enumerate() {
            *sum += (0..N - lag).map(|frame| left.row(frame).dot(&left.row(frame + lag))).sum::<f64>();
        }
        together += left.column(0).dot(&left.column(1));
        squares += left.column(0).dot(&left.column(0)).sqrt() * left.column(1).dot(&left.column(1)).sqrt();
    }
    let left = residual_covariance(&truth, &run.basis.q);
    for (lag, sum) in by_lag.into_iter().enumerate() {
        let expected: f64 = 9.0 * (0..N - lag).map(|frame| left[(frame, frame + lag)]).sum::<f64>();
        let found = sum / (n_draws as f64 * (n_columns - 1) as f64);
        // 300 columns of a run of 160 frames know their spectra to a percent or two
        let variance: f64 = 9.0 * left.diag().sum();
        assert!((found - expected).abs() < 0.04 * variance, "lag {lag}: {found}, {expected}");
    }
    // .9 / sqrt(.82) = .994
    assert!((together / squares - 0.994).abs() < 0.01, "{}", together / squares);
}

#[test]
fn a_draw_follows_from_its_seed_at_any_number_of_threads() {
    let (null, _) = null(120);
    let drawn = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let series = pool.install(|| null.draw(seed));
        let mut values = Vec::new();
        series.read(0..N, 0..120, &mut values).unwrap();
        (values, series.first)
    };
    assert_eq!(drawn(1, 3), drawn(3, 3));
    assert_ne!(drawn(1, 3), drawn(1, 4));
}

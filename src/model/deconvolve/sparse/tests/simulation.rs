//! Simulated activity of which the truth is known, and the random numbers behind the draws.

use super::super::selection::noise_level;
use super::*;
use crate::model::random::Random;

const LENGTH: usize = 300;

/// Causal convolution at TR 2 s with a response of peak 1; nothing before the run.
fn convolution() -> Operator {
    let peak = spm().value(5.0);
    let forward = Array2::from_shape_fn((LENGTH, LENGTH), |(frame, sample)| {
        if frame >= sample && frame - sample <= 16 { spm().value(2.0 * (frame - sample) as f64) / peak } else { 0.0 }
    });
    Operator { gram: forward.t().dot(&forward), forward, dof: LENGTH }
}

/// Twelve spikes of size 1, or six blocks of 6 to 15 samples.
fn truth(shape: Shape, random: &mut Random) -> Array1<f64> {
    let mut activity = Array1::zeros(LENGTH);
    match shape {
        Shape::Spikes => {
            while activity.sum() < 12.0 {
                activity[random.below(LENGTH)] = 1.0;
            }
        }
        Shape::Blocks => {
            for _ in 0..6 {
                let (length, start) = (6 + random.below(10), random.below(LENGTH - 15));
                activity.slice_mut(ndarray::s![start..start + length]).fill(1.0);
            }
        }
    }
    activity
}

/// Truth and data, a draw a column, at a ratio of the variances of signal and noise.
fn draws(operator: &Operator, shape: Shape, ratio: f64, count: usize) -> (Array2<f64>, Array2<f64>) {
    let mut random = Random::new(20);
    let mut activity = Array2::zeros((LENGTH, count));
    activity.columns_mut().into_iter().for_each(|mut column| column.assign(&truth(shape, &mut random)));
    let mut data = operator.forward.dot(&activity);
    for mut column in data.columns_mut() {
        let sd = (column.var(0.0) / ratio).sqrt();
        column.mapv_inplace(|value| value + sd * random.normal());
    }
    (activity, data)
}

/// Mean over draws of the correlation with the truth, and its standard error.
fn recovery(truth: &Array2<f64>, activity: &Array2<f64>) -> (f64, f64) {
    let correlation = |(a, b): (ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>)| {
        let (a, b) = (&a - a.mean().unwrap(), &b - b.mean().unwrap());
        a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt().max(f64::MIN_POSITIVE)
    };
    let values: Array1<f64> = truth.columns().into_iter().zip(activity.columns()).map(correlation).collect();
    (values.mean().unwrap(), (values.var(1.0) / values.len() as f64).sqrt())
}

#[test]
fn a_refit_recovers_as_much_as_plain_least_angle_regression_and_the_mean_over_supports_more() {
    let operator = convolution();
    let (spikes, blocks) = (Shape::Spikes, Shape::Blocks);
    // (truth, signal to noise, method, recovery of a path by numpy with the support of least BIC refitted)
    let rows = [
        (spikes, 1.0, spikes, 0.83),
        (spikes, 3.0, spikes, 0.956),
        (spikes, 10.0, spikes, 0.992),
        (blocks, 1.0, spikes, 0.50),
        (blocks, 1.0, blocks, 0.896),
        (blocks, 3.0, blocks, 0.957),
        (blocks, 10.0, blocks, 0.990),
    ];
    for (shape, ratio, method, expected) in rows {
        let (truth, data) = draws(&operator, shape, ratio, 60);
        let settings = SparseSettings { estimate: Estimate::Refitted, ..SparseSettings::new(method) };
        let (refitted, error) = recovery(&truth, &solve(&operator, settings, &data).activity);
        // two standard errors, of these draws and of the 500 of the other
        assert!(refitted > expected - 2.2 * error, "{shape:?} {ratio} {method:?}: {refitted} +- {error}");
        let settings = SparseSettings { estimate: Estimate::Averaged, ..settings };
        let (averaged, error) = recovery(&truth, &solve(&operator, settings, &data).activity);
        assert!(averaged > refitted - error, "{shape:?} {ratio} {method:?}: {averaged} {refitted}");
    }
}

/// The part of samples whose interval of two standard errors holds the truth, where `counts`.
fn coverage(truth: &Array2<f64>, found: &Solution, counts: impl Fn(f64) -> bool) -> f64 {
    let errors = found.standard_error.as_ref().unwrap();
    let (mut covered, mut all) = (0.0, 0.0);
    for ((truth, estimate), error) in truth.iter().zip(&found.activity).zip(errors) {
        if counts(*truth) {
            all += 1.0;
            covered += f64::from(u8::from((truth - estimate).abs() <= 1.96 * error));
        }
    }
    covered / all
}

#[test]
fn intervals_cover_the_truth() {
    let operator = convolution();
    for shape in [Shape::Spikes, Shape::Blocks] {
        for ratio in [1.0, 3.0, 10.0] {
            let (truth, data) = draws(&operator, shape, ratio, 60);
            for estimate in [Estimate::Averaged, Estimate::Refitted] {
                let settings = SparseSettings { estimate, ..SparseSettings::new(shape) };
                let found = Sparse::new(&operator, settings)
                    .solve(&data, Wanted { standard_errors: true, ..Wanted::default() });
                let all = coverage(&truth, &found, |_| true);
                let active = coverage(&truth, &found, |value| value != 0.0);
                // A sample that is surely at rest is covered more often than 95 times in 100: the interval about zero is
                // never empty. Of some 12 active samples a draw, at ratio 1 a tenth cannot be seen.
                assert!((0.93..1.0).contains(&all), "{shape:?} {ratio} {estimate:?}: {all}");
                assert!(active > 0.85, "{shape:?} {ratio} {estimate:?}: {active}");
                if shape == Shape::Blocks {
                    assert!(all < 0.99, "{ratio} {estimate:?}: {all}");
                }
            }
        }
    }
}

#[test]
fn errors_are_those_of_the_model_they_are_drawn_from() {
    let operator = convolution();
    let mut random = Random::new(31);
    for shape in [Shape::Spikes, Shape::Blocks] {
        // Sizes normal, of unit variance; a coefficient in 25 is not zero; noise of variance 1.
        let count = 60;
        let mut activity =
            Array2::from_shape_fn((LENGTH, count), |_| if random.uniform() < 0.04 { random.normal() } else { 0.0 });
        if shape == Shape::Blocks {
            activity.accumulate_axis_inplace(Axis(0), |before, value| *value += before);
        }
        let data = operator.forward.dot(&activity) + Array2::from_shape_fn((LENGTH, count), |_| random.normal());
        let settings = SparseSettings { estimate: Estimate::Averaged, ..SparseSettings::new(shape) };
        let found =
            Sparse::new(&operator, settings).solve(&data, Wanted { standard_errors: true, ..Wanted::default() });
        let errors = found.standard_error.as_ref().unwrap();
        // The last samples of blocks are hardly measured, and rule the sums: all but they.
        let last = LENGTH - 5;
        let square = |values: &Array2<f64>| values.slice(ndarray::s![..last, ..]).mapv(|value| value * value).sum();
        let ratio = square(&(&found.activity - &activity)) / square(errors);
        // Squared errors of a draw scatter by half and more, and 240 sweeps add a few per cent.
        assert!((0.8..1.25).contains(&ratio), "{shape:?}: {ratio}");
        let noise = found.sigma.iter().sum::<f64>() / count as f64;
        assert!((noise - 1.0).abs() < 0.06, "{noise}"); // 0.04 / sqrt(60), and the choice of a support that fits
        let covered = coverage(&activity, &found, |_| true);
        assert!((0.92..0.995).contains(&covered), "{shape:?}: {covered}");
    }
}

#[test]
fn positive_draws_are_positive_and_recover() {
    let operator = convolution();
    let (truth, data) = draws(&operator, Shape::Spikes, 1.0, 30);
    let settings =
        SparseSettings { non_negative: true, estimate: Estimate::Averaged, ..SparseSettings::new(Shape::Spikes) };
    let positive = solve(&operator, settings, &data);
    assert!(positive.activity.iter().all(|&value| value >= 0.0));
    let (with, _) = recovery(&truth, &positive.activity);
    let (without, _) =
        recovery(&truth, &solve(&operator, SparseSettings { non_negative: false, ..settings }, &data).activity);
    assert!(with > without, "{with} {without}"); // knowing the sign can but help
}

#[test]
fn random_numbers_have_their_moments() {
    let mut random = Random::new(1);
    let count = 200_000;
    let mut moments = |draw: &mut dyn FnMut(&mut Random) -> f64| {
        let values: Array1<f64> = (0..count).map(|_| draw(&mut random)).collect();
        (values.mean().unwrap(), values.var(0.0))
    };
    // Tolerances: four standard errors, sqrt(var / 2e5), and for variances sqrt((kurtosis - 1) / 2e5) of them.
    let mut check = |mean: f64, variance: f64, draw: &mut dyn FnMut(&mut Random) -> f64| {
        let (m, v) = moments(draw);
        assert!((m - mean).abs() < 4.0 * (variance / f64::from(count)).sqrt(), "{m} {mean}");
        assert!((v / variance - 1.0).abs() < 4.0 * (14.0 / f64::from(count)).sqrt(), "{v} {variance}");
    };
    check(0.5, 1.0 / 12.0, &mut Random::uniform);
    check(0.0, 1.0, &mut Random::normal);
    check(0.5, 0.5, &mut |random| random.gamma(0.5));
    check(7.5, 7.5, &mut |random| random.gamma(7.5));
    check(0.25, 0.1875 / 13.0, &mut |random| random.beta(3.0, 9.0));
    // Normal beyond `a`: mean `h = phi(a) / (1 - Phi(a))`, variance `1 - h (h - a)`.
    for a in [-1.0, 0.0, 2.0, 6.0] {
        let tail = 0.5 * libm::erfc(a / 2.0_f64.sqrt());
        let h = libm::exp(-0.5 * a * a) / (2.0 * std::f64::consts::PI).sqrt() / tail;
        check(2.0 * (h - a), 4.0 * (1.0 - h * (h - a)), &mut |random| random.positive_normal(-2.0 * a, 2.0));
    }
}

#[test]
fn the_noise_level_is_seen_through_activity_and_trends() {
    let mut random = Random::new(2);
    let trend = |frame: usize| 100.0 + 0.3 * frame as f64 + 0.01 * (frame * frame) as f64;
    let level = |random: &mut Random| {
        let data: Vec<f64> = (0..LENGTH).map(|frame| trend(frame) + 3.0 * random.normal()).collect();
        noise_level(&data, &mut Vec::new())
    };
    let mean = (0..200).map(|_| level(&mut random)).sum::<f64>() / 200.0;
    // A median of 295 neighbours that correlate scatters by 8 %, over sqrt(200); a small sample's bias is below 1 %.
    assert!((mean / 3.0 - 1.0).abs() < 0.025, "{mean}");
}

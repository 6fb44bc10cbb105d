//! Dense algebra, conditions of optimality and simulated truth.

use super::solver::Solver;
use super::*;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

mod dense;

/// Fluorescence with known spikes.
pub(super) struct Simulated {
    pub(super) y: Vec<f64>,
    pub(super) spikes: Vec<f64>,
}

fn uniform(random: &mut Xoshiro256PlusPlus) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - uniform(random)));
    radius * libm::cos(std::f64::consts::TAU * uniform(random))
}

/// Spikes of size 1 with this chance a sample, followed by another with chance `burst`; noise; a baseline of 0.3.
pub(super) fn simulate(
    kernel: &Coefficients,
    samples: usize,
    chance: f64,
    burst: f64,
    sigma: f64,
    seed: u64,
) -> Simulated {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut before = 0.0;
    let spikes: Vec<f64> = (0..samples)
        .map(|_| {
            let chance = if before > 0.0 { burst.max(chance) } else { chance };
            before = f64::from(u8::from(uniform(&mut random) < chance));
            before
        })
        .collect();
    let y = kernel.calcium(&spikes).iter().map(|c| 0.3 + c + sigma * normal(&mut random)).collect();
    Simulated { y, spikes }
}

/// Order 1 and order 2, of 10 samples and 30, with a rise of 2 and 5.
pub(super) fn kernels() -> [Coefficients; 4] {
    [(10.0, None), (30.0, None), (10.0, Some(2.0)), (30.0, Some(5.0))]
        .map(|(decay, rise)| Coefficients::of_time_constants(rise, decay, 1.0).unwrap())
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |x: &[f64], m: f64, y: &[f64], n: f64| x.iter().zip(y).map(|(x, y)| (x - m) * (y - n)).sum::<f64>();
    product(a, mean_a, b, mean_b) / (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt()
}

#[test]
fn long_series_meet_the_conditions_of_optimality() {
    for kernel in kernels() {
        for (seed, count) in [(1, 0.2), (2, 1.0), (3, 4.0)] {
            let y = simulate(&kernel, 20_000, 0.02, 0.3, 0.3, seed).y;
            let lambda = penalty::threshold(&kernel, y.len(), 0.3, count);
            let fit = Solver::new(kernel, &y).fit(lambda);
            assert!(fit.converged);
            let residual = fit.residual(&y);
            // Sums of 20,000 terms of size 1.
            assert!(residual.iter().sum::<f64>().abs() < 1e-9);
            let made = kernel.calcium(&fit.spikes);
            assert!(made.iter().zip(&fit.calcium).all(|(a, b)| (a - b).abs() < 1e-9));
            for (p, &spike) in kernel.correlation(&residual).iter().zip(&fit.spikes) {
                // p sums a few hundred residuals of size 0.3: rounding is 1e-13, and its tolerance 1e-11.
                let excess = p - lambda;
                assert!(spike >= 0.0 && excess < 1e-9, "excess {excess:e}");
                assert!(spike == 0.0 || excess.abs() < 1e-9, "slack {excess:e}");
            }
        }
    }
}

#[test]
fn pools_and_the_active_set_agree_on_order_one() {
    let kernel = kernels()[1];
    for seed in 0..3 {
        let y = simulate(&kernel, 5_000, 0.02, 0.3, 0.3, seed).y;
        let lambda = penalty::threshold(&kernel, y.len(), 0.3, 1.0);
        let pooled = pool::fit(&kernel, &y, lambda, 0.0);
        let active = active_set::fit(&kernel, &y, lambda, &vec![false; y.len()], 0.0);
        assert!(pooled.converged && active.converged);
        let furthest = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Two exact solvers: rounding of sums of 5,000 terms.
        assert!(furthest(&pooled.spikes, &active.spikes) < 1e-9);
        assert!(furthest(&pooled.by_lambda, &active.by_lambda) < 1e-9);
        assert!((pooled.baseline - active.baseline).abs() < 1e-10);
    }
}

#[test]
fn the_fit_moves_with_the_penalty_as_its_derivative_says() {
    for kernel in kernels() {
        let y = simulate(&kernel, 400, 0.02, 0.3, 0.3, 5).y;
        let mut solver = Solver::new(kernel, &y);
        let lambda = penalty::threshold(&kernel, y.len(), 0.3, 1.0);
        let change = 1e-6; // so small that no spike enters or leaves
        let (here, there) = (solver.fit(lambda), solver.fit(lambda + change));
        for t in 0..y.len() {
            let moved = there.calcium[t] + there.baseline - here.calcium[t] - here.baseline;
            let error = (moved / change - here.by_lambda[t]).abs() / (1.0 + here.by_lambda[t].abs());
            // The baseline is found to some 1e-12, where its slope is a hundredth of T: divided by the change.
            assert!(error < 1e-5, "{error:e}");
        }
    }
}

#[test]
fn the_residual_is_as_large_as_the_noise() {
    for kernel in kernels() {
        let y = simulate(&kernel, 10_000, 0.02, 0.3, 0.3, 7).y;
        let deconvolution = Calcium {
            kernel: CalciumKernel::Coefficients(kernel),
            penalty: CalciumPenalty::NoiseLevel,
            sigma: Some(0.3),
            ..Calcium::of_order(Order::One, 1.0)
        };
        let trace = deconvolution.solve(&y).unwrap();
        assert_eq!((trace.penalty, trace.converged), (PenaltyFound::Reached, true));
        let square: f64 = (0..y.len()).map(|t| (y[t] - trace.calcium[t] - trace.baseline[t]).powi(2)).sum();
        // The search ends at 1e-9 of the target.
        assert!((square / (0.09 * 10_000.0) - 1.0).abs() < 2e-9, "{square}");
        let silent = Calcium { sigma: Some(100.0), ..deconvolution }.solve(&y).unwrap();
        assert_eq!(silent.penalty, PenaltyFound::NoSignal);
        assert!(silent.spikes.iter().all(|&spike| spike == 0.0));
        let loud = Calcium { sigma: Some(0.01), ..deconvolution }.solve(&y).unwrap();
        assert_eq!((loud.penalty, loud.converged), (PenaltyFound::NoiseExceeded, true));
    }
}

#[test]
fn time_constants_are_recovered_from_isolated_spikes_and_from_bursts() {
    let [fast, slow, rising, slow_rising] = kernels();
    for (kernel, order) in [(fast, Order::One), (slow, Order::One), (rising, Order::Two), (slow_rising, Order::Two)] {
        for burst in [0.0, 0.7] {
            let simulated = simulate(&kernel, 10_000, 0.01, burst, 0.2, 11);
            let estimated = Calcium::of_order(order, 1.0);
            let trace = estimated.solve(&simulated.y).unwrap();
            let found = trace.coefficients.unwrap();
            let octaves = libm::log2(found.tau_decay_s(1.0) / kernel.tau_decay_s(1.0));
            // Steps of a quarter octave, and a criterion that likes few spikes and so slow decays: 0.43 is the most here.
            assert!((-0.25..0.5).contains(&octaves), "{octaves} octaves at {order:?}, bursts {burst}");
            let known =
                Calcium { kernel: CalciumKernel::Coefficients(kernel), ..estimated }.solve(&simulated.y).unwrap();
            let [r, r_known] = [&trace, &known].map(|trace| correlation(&trace.spikes, &simulated.spikes));
            // 0.037 is the most that it costs here: the true rise is a sixth of the decay, and the search ends at an eighth.
            assert!(trace.converged && r > r_known - 0.05, "{r} against {r_known}");
        }
    }
}

#[test]
fn autocovariance_recovers_white_spikes_and_is_biased_by_bursts() {
    let kernel = Coefficients::of_time_constants(None, 10.0, 1.0).unwrap();
    let found = |burst: f64| {
        let y = simulate(&kernel, 100_000, 0.02, burst, 0.2, 3).y;
        parameters::estimate(&y, 1, 0.2).unwrap().tau_decay_s(1.0)
    };
    // About 2,000 spikes: the autocovariance is known to some percent.
    assert!((found(0.0) / 10.0 - 1.0).abs() < 0.1, "{}", found(0.0));
    assert!(found(0.9) > 13.0, "{}", found(0.9)); // why it is not the default
}

#[test]
fn noise_is_measured_beside_calcium() {
    let kernel = kernels()[1];
    for (sigma, chance) in [(0.3, 0.0), (0.3, 0.005), (0.05, 0.0)] {
        let y = simulate(&kernel, 20_000, chance, 0.0, sigma, 13).y;
        // Some 10,000 squares in the band are known to 1 %. A slow decay has the power 1 / (2 - 2 cos w) there, on average 1 / pi.
        let expected = libm::sqrt(sigma * sigma + chance / std::f64::consts::PI);
        assert!((noise_sd(&y) / expected - 1.0).abs() < 0.03, "{} for {expected}", noise_sd(&y));
    }
    assert_eq!(noise_sd(&[1.0; 4]), 0.0);
}

#[test]
fn a_drift_is_taken_by_the_running_baseline() {
    let kernel = kernels()[0];
    let simulated = simulate(&kernel, 10_000, 0.01, 0.0, 0.2, 17);
    let drift = |t: usize| 2.0 * libm::sin(t as f64 / 1_000.0);
    let y: Vec<f64> = simulated.y.iter().enumerate().map(|(t, y)| y + drift(t)).collect();
    let constant = Calcium { kernel: CalciumKernel::Coefficients(kernel), ..Calcium::of_order(Order::One, 1.0) };
    let running = Calcium { baseline: CalciumBaseline::Running { window_s: 500.0 }, ..constant };
    let (constant, running) = (constant.solve(&y).unwrap(), running.solve(&y).unwrap());
    assert!(correlation(&running.spikes, &simulated.spikes) > correlation(&constant.spikes, &simulated.spikes));
    let error = (0..y.len()).map(|t| (running.baseline[t] - 0.3 - drift(t)).abs()).sum::<f64>() / 10_000.0;
    // Half of the noise; the constant's is 1.3.
    assert!(error < 0.1, "{error}");
}

#[test]
fn a_trace_adds_up_and_its_start_is_no_spike() {
    let kernel = kernels()[2];
    let y: Vec<f64> = simulate(&kernel, 1_000, 0.02, 0.0, 0.2, 19).y.split_off(500);
    let known = Calcium { kernel: CalciumKernel::Coefficients(kernel), ..Calcium::of_order(Order::Two, 1.0) };
    let trace = known.solve(&y).unwrap();
    assert_eq!(trace.spikes[0], 0.0);
    let mut spikes = trace.spikes.clone();
    spikes[0] = trace.initial;
    assert!(kernel.calcium(&spikes).iter().zip(&trace.calcium).all(|(a, b)| (a - b).abs() < 1e-12));
    assert_eq!(trace, known.solve(&y).unwrap());
}

#[test]
fn what_is_wrong_is_said() {
    let simple = Calcium::of_order(Order::One, 1.0);
    let mut y = simulate(&kernels()[0], 100, 0.05, 0.0, 0.1, 23).y;
    assert_eq!(simple.solve(&y[..9]), Err(CalciumError::TooShort { found: 9, fewest: 32 }));
    let setting = Calcium { penalty: CalciumPenalty::Threshold(0.0), ..simple }.solve(&y).unwrap_err();
    assert_eq!(setting.to_string(), "the threshold is 0; it must be a positive number");
    let line: Vec<f64> = (0..100).map(f64::from).collect();
    assert!(matches!(Calcium { sigma: Some(1e-30), ..simple }.solve(&line), Err(CalciumError::NoNoise { .. })));
    y[7] = f64::NAN;
    assert_eq!(simple.solve(&y).unwrap_err().to_string(), "sample 8 is not a finite number");
    let still = simple.solve(&[0.25; 64]).unwrap();
    assert!(still.spikes.iter().all(|&spike| spike == 0.0) && still.baseline == [0.25; 64]);
    let ringing: Vec<f64> = (0..1_000).map(|t| libm::sin(f64::from(t))).collect();
    let found = Calcium { kernel: CalciumKernel::Autocovariance(Order::Two), ..simple }.solve(&ringing);
    assert!(matches!(found, Err(CalciumError::Oscillating { .. })), "{found:?}");
}

#[test]
fn the_default_threshold_finds_spikes_as_well_as_the_noise_level() {
    for kernel in kernels() {
        for (sigma, burst) in [(0.1, 0.0), (0.1, 0.7), (0.3, 0.0), (0.3, 0.7), (0.6, 0.0), (0.6, 0.7)] {
            let simulated = simulate(&kernel, 20_000, 0.02, burst, sigma, 31);
            let default = Calcium { kernel: CalciumKernel::Coefficients(kernel), ..Calcium::of_order(Order::One, 1.0) };
            let published = Calcium { penalty: CalciumPenalty::NoiseLevel, ..default };
            let [r, r_published] =
                [default, published].map(|d| correlation(&d.solve(&simulated.y).unwrap().spikes, &simulated.spikes));
            // From 0.014 below to 0.015 above, on about 400 to 1,300 spikes.
            assert!(r > r_published - 0.02, "{r} against {r_published} at {sigma}, {burst}");
        }
    }
}

#[test]
fn units_and_offset_of_the_data_do_not_matter() {
    for (kernel, order) in [(kernels()[0], Order::One), (kernels()[2], Order::Two)] {
        let y = simulate(&kernel, 5_000, 0.02, 0.3, 0.3, 37).y;
        let counts: Vec<f64> = y.iter().map(|y| 1_000.0 * y + 50_000.0).collect();
        for penalty in [CalciumPenalty::Threshold(DEFAULT_THRESHOLD), CalciumPenalty::NoiseLevel] {
            let deconvolution = Calcium { penalty, ..Calcium::of_order(order, 1.0) };
            let (plain, scaled) = (deconvolution.solve(&y).unwrap(), deconvolution.solve(&counts).unwrap());
            assert_eq!(plain.coefficients, scaled.coefficients);
            assert!(plain.converged && scaled.converged);
            for (a, b) in plain.spikes.iter().zip(&scaled.spikes) {
                // The penalty of the noise level is found to 1e-9 of the residual; the rest is rounding of the offset.
                assert!((a - b / 1_000.0).abs() < 1e-6, "{a} {b}");
            }
        }
    }
}

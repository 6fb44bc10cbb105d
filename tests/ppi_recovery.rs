//! From a region's series to a psychophysiological interaction in another region, on simulated activity.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first surprise")]

use boldly::design::ppi::{PpiInput, PpiRegressors, SampleTimes, WeightedEvent, psychological_by_coverage};
use boldly::model::deconvolve::{Deconvolver, Operator, Peb, PebHyperparameters, Wanted};
use boldly::signal::hrf::{Kernel, spm};
use ndarray::Array2;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const FRAMES: usize = 240;
const REPETITION_TIME_S: f64 = 2.0;
const RUNS: usize = 60;
/// Standard deviations of noise in the region's series and in the target's.
const NOISE: [f64; 2] = [0.1, 0.3];

struct Normal(Xoshiro256PlusPlus);

impl Normal {
    fn draw(&mut self) -> f64 {
        let mut uniform = || ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    }
}

fn kernel() -> Vec<f64> {
    (0..=16).map(|delay| spm().value(f64::from(delay) * REPETITION_TIME_S) * REPETITION_TIME_S).collect()
}

/// Convolution of activity that begins 16 samples before the run.
fn operator() -> Operator {
    let kernel = kernel();
    let lead = kernel.len() - 1;
    let mut forward = Array2::zeros((FRAMES, FRAMES + lead));
    for frame in 0..FRAMES {
        for (delay, weight) in kernel.iter().enumerate() {
            forward[(frame, frame + lead - delay)] = *weight;
        }
    }
    let gram = forward.t().dot(&forward);
    Operator { forward, gram, dof: FRAMES }
}

/// Two conditions in turn, 20 s each: +1 and -1.
fn task(lead: usize) -> Vec<f64> {
    let events: Vec<WeightedEvent> = (0..24)
        .map(|block| WeightedEvent {
            onset_s: 20.0 * f64::from(block),
            duration_s: 20.0,
            weight: if block % 2 == 0 { 1.0 } else { -1.0 },
        })
        .collect();
    let first_s = -(lead as f64) * REPETITION_TIME_S;
    psychological_by_coverage(&events, SampleTimes::around(first_s, REPETITION_TIME_S, FRAMES + lead))
}

fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (of_left, of_right) = (mean(left), mean(right));
    let sum = |a: &[f64], of_a: f64, b: &[f64], of_b: f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - of_a) * (b - of_b)).sum()
    };
    sum(left, of_left, right, of_right)
        / (sum(left, of_left, left, of_left) * sum(right, of_right, right, of_right)).sqrt()
}

/// Coefficient of the interaction in the least-squares fit of `target` on the three regressors and a constant: the slope on
/// what the other columns leave of it.
fn interaction(regressors: &PpiRegressors, target: &[f64]) -> f64 {
    let [ppi, psychological, physiological] = regressors.columns().map(|(_, values)| values.to_vec());
    let mut columns = vec![vec![1.0; target.len()], psychological, physiological, ppi];
    boldly::signal::orthogonalise_in_order(&mut columns);
    let own = &columns[3];
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(own, target) / dot(own, own)
}

#[test]
fn an_interaction_between_regions_is_found_where_there_is_one() {
    let operator = operator();
    let lead = operator.forward.ncols() - FRAMES;
    let (task, kernel) = (task(lead), kernel());
    let frame_samples: Vec<usize> = (lead..lead + FRAMES).collect();
    let mut normal = Normal(Xoshiro256PlusPlus::seed_from_u64(20_261_127));
    let mut draw = |deviation: f64| deviation * normal.draw();
    let activity = Array2::from_shape_simple_fn((FRAMES + lead, RUNS), || draw(1.0));
    let series = operator.forward.dot(&activity) + Array2::from_shape_simple_fn((FRAMES, RUNS), || draw(NOISE[0]));
    let noise = Array2::from_shape_simple_fn((FRAMES, RUNS), || draw(NOISE[1]));
    let peb = Peb::new(&operator, FRAMES, PebHyperparameters::Evidence).unwrap();
    let found = peb.solve(&series, Wanted::default()).activity;

    let regressors = |activity: Vec<f64>| {
        let input =
            PpiInput { activity: &activity, psychological: &task, kernel: &kernel, frame_samples: &frame_samples };
        input.regressors().unwrap()
    };
    let mut correlations = Vec::new();
    for strength in [0.0, 0.4, -0.4] {
        let modulated = Array2::from_shape_fn(activity.dim(), |(sample, run)| {
            activity[(sample, run)] * (0.5 + strength * task[sample])
        });
        let targets = operator.forward.dot(&modulated) + &noise;
        let mut coefficients = Vec::new();
        for run in 0..RUNS {
            let of_estimate = regressors(found.column(run).to_vec());
            coefficients.push(interaction(&of_estimate, &targets.column(run).to_vec()));
            correlations.push(correlation(&of_estimate.ppi, &regressors(activity.column(run).to_vec()).ppi));
        }
        let mean = coefficients.iter().sum::<f64>() / RUNS as f64;
        let variance = coefficients.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / RUNS as f64;
        let standard_error = (variance / RUNS as f64).sqrt();
        // Three standard errors over runs. The estimated activity is the mean of the posterior, so that what it misses is
        // uncorrelated with it: regressors with such errors (Berkson's) do not bias a slope towards 0.
        assert!((mean - strength).abs() < 3.0 * standard_error, "{strength}: {mean} +- {standard_error}");
        assert!(standard_error < 0.01, "{standard_error}");
    }
    let mean = correlations.iter().sum::<f64>() / correlations.len() as f64;
    assert!(mean > 0.9, "{mean}");
}

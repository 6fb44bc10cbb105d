//! Against dense normal densities, simulated truth and closed forms.

use super::*;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const FRAMES: usize = 40;
const LEAD: usize = 12;
const WITH_ERRORS: Wanted = Wanted { standard_errors: true, log_evidence: true };

/// A smooth response over 12 samples, a sample a frame, 12 samples before the run; constant and trend projected out.
fn operator() -> Operator {
    let samples = FRAMES + LEAD;
    let mut forward = Array2::zeros((FRAMES, samples));
    for frame in 0..FRAMES {
        for delay in 0..LEAD {
            let t = 1.5 * delay as f64;
            forward[(frame, frame + LEAD - delay)] = t.powi(3) * (-t).exp() / 4.0;
        }
    }
    let forward = projected(&forward);
    let gram = transposed_product(&forward, &forward);
    Operator { forward, gram, dof: FRAMES - 2 }
}

/// Columns without their mean and trend.
fn projected(data: &Array2<f64>) -> Array2<f64> {
    let (n, middle) = (FRAMES as f64, (FRAMES - 1) as f64 / 2.0);
    let length = (n * (n * n - 1.0) / 12.0).sqrt();
    let span = Array2::from_shape_fn((FRAMES, 2), |(frame, column)| {
        if column == 0 { n.sqrt().recip() } else { (frame as f64 - middle) / length }
    });
    let along = transposed_product(&span, data);
    data - &product(&span, &along)
}

struct Normal(Xoshiro256PlusPlus);

impl Normal {
    fn draw(&mut self) -> f64 {
        let mut uniform = || ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    }

    fn array(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || self.draw())
    }
}

fn normal(seed: u64) -> Normal {
    Normal(Xoshiro256PlusPlus::seed_from_u64(seed))
}

/// Activity and data drawn from the model.
fn drawn(operator: &Operator, n_basis: usize, sigma: f64, tau: f64, columns: usize, seed: u64) -> [Array2<f64>; 2] {
    let mut normal = normal(seed);
    let basis = cosine_basis(operator.forward.ncols(), n_basis);
    let activity = product(&basis, &(normal.array(n_basis, columns) * tau));
    let noise = projected(&(normal.array(FRAMES, columns) * sigma));
    let data = product(&operator.forward, &activity) + noise;
    [activity, data]
}

/// Inverse and logarithm of the determinant of a positive definite matrix, by elimination.
fn inverse(a: &Array2<f64>) -> (Array2<f64>, f64) {
    let n = a.nrows();
    let (mut left, mut right, mut log_determinant) = (a.clone(), Array2::eye(n), 0.0);
    for step in 0..n {
        let pivot = left[(step, step)];
        log_determinant += pivot.ln();
        left.row_mut(step).mapv_inplace(|value| value / pivot);
        right.row_mut(step).mapv_inplace(|value| value / pivot);
        for row in (0..n).filter(|&row| row != step) {
            let factor = left[(row, step)];
            let (of_left, of_right) = (left.row(step).to_owned(), right.row(step).to_owned());
            left.row_mut(row).scaled_add(-factor, &of_left);
            right.row_mut(row).scaled_add(-factor, &of_right);
        }
    }
    (right, log_determinant)
}

/// The posterior and the evidence by the multivariate normal of all frames, written out.
struct Dense {
    mean: Array1<f64>,
    deviation: Array1<f64>,
    log_evidence: f64,
}

fn dense(operator: &Operator, n_basis: usize, data: &Array1<f64>, noise: f64, prior: f64) -> Dense {
    let basis = cosine_basis(operator.forward.ncols(), n_basis);
    let of_activity = product(&basis, &basis.t()) * prior;
    let shared = product(&of_activity, &operator.forward.t());
    let of_data = product(&operator.forward, &shared) + Array2::<f64>::eye(FRAMES) * noise;
    let (precision, log_determinant) = inverse(&of_data);
    let weighted = precision.dot(data);
    let posterior = &of_activity - &product(&product(&shared, &precision), &shared.t());
    let two_pi = std::f64::consts::TAU;
    // what was projected out holds noise of variance `noise` here, and nothing in the method: its density is divided out
    let out = (FRAMES - operator.dof) as f64 * (two_pi * noise).ln();
    let log_evidence = -0.5 * (FRAMES as f64 * two_pi.ln() + log_determinant + data.dot(&weighted) - out);
    Dense { mean: shared.dot(&weighted), deviation: posterior.diag().mapv(|v| v.max(0.0).sqrt()), log_evidence }
}

fn largest(difference: impl IntoIterator<Item = f64>) -> f64 {
    difference.into_iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

#[test]
fn given_variances_give_the_dense_posterior_and_evidence() {
    let operator = operator();
    // fewer functions than frames, and as many as there are samples, so that some of the activity is not seen at all
    for n_basis in [1, 15, FRAMES + LEAD] {
        let [_, data] = drawn(&operator, n_basis, 0.5, 1.5, 3, 5);
        let fixed = PebHyperparameters::Fixed { noise_variance: 0.3, prior_variance: 2.0 };
        let found = Peb::new(&operator, n_basis, fixed).unwrap().solve(&data, WITH_ERRORS);
        for column in 0..3 {
            let expected = dense(&operator, n_basis, &data.column(column).to_owned(), 0.3, 2.0);
            let own = |matrix: &Array2<f64>| matrix.column(column).to_owned();
            // rounding: variances of data reach 1e2 times that of noise
            assert!(largest(own(&found.activity) - &expected.mean) < 1e-11);
            assert!(largest(own(found.standard_error.as_ref().unwrap()) - &expected.deviation) < 1e-11);
            assert!((found.log_evidence[column] - expected.log_evidence).abs() < 1e-10);
            assert!((found.lambda[column] - 0.15).abs() < 1e-15);
            assert_eq!(found.sigma[column], 0.3_f64.sqrt());
        }
    }
}

#[test]
fn no_pair_of_variances_has_more_evidence_by_the_dense_density() {
    let operator = operator();
    let n_basis = 20;
    let [_, data] = drawn(&operator, n_basis, 0.4, 1.0, 3, 11);
    let found = Peb::new(&operator, n_basis, PebHyperparameters::Evidence).unwrap().solve(&data, WITH_ERRORS);
    for column in 0..3 {
        let own = data.column(column).to_owned();
        let noise = found.sigma[column] * found.sigma[column];
        let prior = noise / found.lambda[column];
        let at = |noise: f64, prior: f64| dense(&operator, n_basis, &own, noise, prior);
        let best = at(noise, prior);
        assert!((found.log_evidence[column] - best.log_evidence).abs() < 1e-10); // rounding of sums of size 100
        assert!(largest(found.activity.column(column).to_owned() - &best.mean) < 1e-10);
        for step in [0.01, 0.1, 0.5, 2.0, 5.0] {
            for angle in 0..8 {
                let (up, across) = (f64::from(angle) * std::f64::consts::FRAC_PI_4).sin_cos();
                let other = at(noise * (step * up).exp(), prior * (step * across).exp());
                assert!(other.log_evidence < best.log_evidence, "{step} {angle}");
            }
        }
    }
}

#[test]
fn simulated_variances_and_activity_are_recovered() {
    let operator = operator();
    let (n_basis, sigma, tau, columns) = (20, 0.4, 1.0, 600);
    let [truth, data] = drawn(&operator, n_basis, sigma, tau, columns, 3);
    let solve = |hyperparameters| Peb::new(&operator, n_basis, hyperparameters).unwrap().solve(&data, WITH_ERRORS);
    let found = solve(PebHyperparameters::Evidence);
    let noise: Vec<f64> = found.sigma.iter().map(|sigma| sigma * sigma).collect();
    let prior: Vec<f64> = noise.iter().zip(&found.lambda).map(|(noise, lambda)| noise / lambda).collect();
    for (name, values, expected) in [("noise", noise, sigma * sigma), ("prior", prior, tau * tau)] {
        let mean = values.iter().sum::<f64>() / columns as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / columns as f64;
        let standard_error = (variance / columns as f64).sqrt();
        // three standard errors of a mean over columns
        assert!((mean - expected).abs() < 3.0 * standard_error, "{name} {mean} +- {standard_error}");
        assert!(standard_error < 0.05 * expected);
    }
    let true_variances = PebHyperparameters::Fixed { noise_variance: sigma * sigma, prior_variance: tau * tau };
    let (given, estimated) = (coverage(&truth, &solve(true_variances)), coverage(&truth, &found));
    // sampling error: 600 columns of about 10 independent samples each, (.95 .05 / 6000)^1/2 = .0028, three of them
    assert!((given - 0.95).abs() < 0.0085, "{given}");
    // the uncertainty of variances estimated on 38 dimensions is not in the standard errors
    assert!((0.88..0.95).contains(&estimated), "{estimated}");
}

/// Part of the activity samples within 1.96 standard errors of the truth.
fn coverage(truth: &Array2<f64>, found: &Solution) -> f64 {
    let errors = found.standard_error.as_ref().unwrap();
    let within = truth.indexed_iter().filter(|(at, value)| (found.activity[*at] - **value).abs() < 1.96 * errors[*at]);
    within.count() as f64 / truth.len() as f64
}

#[test]
fn estimated_variances_beat_wrong_ones() {
    let operator = operator();
    let squared_error = |noise: f64, hyperparameters: PebHyperparameters| -> f64 {
        let [truth, data] = drawn(&operator, 20, noise, 1.0, 300, 7);
        let found = Peb::new(&operator, 20, hyperparameters).unwrap().solve(&data, Wanted::default());
        (&found.activity - &truth).iter().map(|value| value * value).sum()
    };
    for noise in [0.02, 3.0] {
        let estimated = squared_error(noise, PebHyperparameters::Evidence);
        let fixed = squared_error(noise, PebHyperparameters::OfSpm);
        let best = PebHyperparameters::Fixed { noise_variance: noise * noise, prior_variance: 1.0 };
        let oracle = squared_error(noise, best);
        assert!(oracle < estimated && estimated < fixed, "{noise}: {oracle} {estimated} {fixed}");
    }
}

#[test]
fn the_rule_of_spm_is_a_quarter_and_functions_over_trace() {
    let operator = operator();
    let [_, data] = drawn(&operator, 10, 0.4, 1.0, 1, 1);
    let found = Peb::new(&operator, 10, PebHyperparameters::OfSpm).unwrap().solve(&data, Wanted::default());
    let seen = product(&operator.forward, &cosine_basis(FRAMES + LEAD, 10));
    let trace: f64 = transposed_product(&seen, &seen).diag().sum();
    assert!((found.lambda[0] - 0.25 * trace / 10.0).abs() < 1e-13); // rounding
    assert_eq!(found.sigma, [0.5]);
    assert!(found.standard_error.is_none());
}

#[test]
fn data_without_noise_give_the_activity_back() {
    let operator = operator();
    let [truth, data] = drawn(&operator, 8, 0.0, 1.0, 2, 9);
    let peb = Peb::new(&operator, 8, PebHyperparameters::Evidence).unwrap();
    let found = peb.solve(&data, Wanted::default());
    // all but the constant, which is projected out; lambda ends at its lower end, and a coefficient, below 3, is shrunk by
    // lambda / s^2, most of all the cosine that is almost a trend
    let centred = |activity: &Array2<f64>| activity - &activity.mean_axis(Axis(0)).unwrap();
    let off = largest(centred(&found.activity) - centred(&truth));
    let shrunk = found.lambda[0] / peb.evidence.squares.last().unwrap();
    assert!(shrunk < 1e-4 && off < 3.0 * shrunk, "{off:e} {shrunk:e}");
    assert!((found.dof[0] - 7.0).abs() < 7.0 * shrunk, "{}", found.dof[0]);
}

#[test]
fn a_column_of_zeros_gives_zeros_and_columns_do_not_mix() {
    let operator = operator();
    let [_, mut data] = drawn(&operator, 12, 0.4, 1.0, 3, 2);
    data.column_mut(1).fill(0.0);
    let fixed = PebHyperparameters::Fixed { noise_variance: 1.0, prior_variance: 4.0 };
    for (hyperparameters, lambda) in [(PebHyperparameters::Evidence, f64::INFINITY), (fixed, 0.25)] {
        let peb = Peb::new(&operator, 12, hyperparameters).unwrap();
        let found = peb.solve(&data, WITH_ERRORS);
        let errors = found.standard_error.as_ref().unwrap();
        assert!(found.activity.column(1).iter().chain(errors.column(1)).all(|value| *value == 0.0));
        assert_eq!([found.lambda[1], found.sigma[1], found.dof[1], found.log_evidence[1]], [lambda, 0.0, 0.0, 0.0]);
        let alone = peb.solve(&data.select(Axis(1), &[2]), WITH_ERRORS);
        // the same numbers up to the order in which BLAS sums blocks of another shape
        assert!(largest(alone.activity.column(0).to_owned() - found.activity.column(2)) < 1e-9);
        assert!((alone.lambda[0] / found.lambda[2] - 1.0).abs() < 1e-9);
    }
}

#[test]
fn data_likeliest_without_activity_give_none() {
    let operator = operator();
    // noise in the directions that the response hides: the residuals of the fit of all that it shows
    let peb = Peb::new(&operator, 10, PebHyperparameters::Evidence).unwrap();
    let noise = projected(&normal(4).array(FRAMES, 1));
    let data = &noise - &product(&peb.left, &transposed_product(&peb.left, &noise)) * 0.9;
    let found = peb.solve(&data, WITH_ERRORS);
    assert_eq!((found.lambda[0], found.dof[0]), (f64::INFINITY, 0.0));
    assert!(found.activity.iter().chain(found.standard_error.as_ref().unwrap()).all(|value| *value == 0.0));
    let mean_square = data.iter().map(|value| value * value).sum::<f64>() / operator.dof as f64;
    assert!((found.sigma[0] - mean_square.sqrt()).abs() < 1e-14); // rounding
    let expected = -0.5 * operator.dof as f64 * ((std::f64::consts::TAU * mean_square).ln() + 1.0);
    assert!((found.log_evidence[0] - expected).abs() < 1e-12);
}

#[test]
fn scaling_the_data_scales_the_estimate_and_leaves_lambda() {
    let operator = operator();
    let [_, data] = drawn(&operator, 12, 0.4, 1.0, 4, 8);
    let peb = Peb::new(&operator, 12, PebHyperparameters::Evidence).unwrap();
    let (one, other) = (peb.solve(&data, WITH_ERRORS), peb.solve(&(&data * 1e3), WITH_ERRORS));
    for column in 0..4 {
        // bisection ends within 1e-10 on both sides
        assert!((one.lambda[column] / other.lambda[column] - 1.0).abs() < 1e-9);
        assert!((1e3 * one.sigma[column] / other.sigma[column] - 1.0).abs() < 1e-9);
        let shift = operator.dof as f64 * 1e3_f64.ln();
        assert!((one.log_evidence[column] - other.log_evidence[column] - shift).abs() < 1e-9);
    }
    assert!(largest((&one.activity * 1e3 - &other.activity).into_iter()) < 1e-6);
}

#[test]
fn what_cannot_be_prepared_says_why() {
    let operator = operator();
    let message = |operator: &Operator, n_basis: usize, hyperparameters: PebHyperparameters| {
        Peb::new(operator, n_basis, hyperparameters).unwrap_err().to_string()
    };
    let evidence = PebHyperparameters::Evidence;
    let found = message(&operator, 53, evidence);
    assert_eq!(found, "53 cosines were asked for over 52 activity samples: 1 to 52 are possible");
    assert!(message(&operator, 0, evidence).starts_with("0 cosines"));
    let none = PebHyperparameters::Fixed { noise_variance: 1.0, prior_variance: 0.0 };
    assert_eq!(message(&operator, 5, none), "the prior variance is 0: it must be positive and finite");
    let empty = Operator { forward: &operator.forward * 0.0, ..operator };
    assert_eq!(message(&empty, 5, evidence), "the operator is empty, zero or not finite");
}

//! Against dense algebra: normal equations with the differences written out, densities of multivariate normals, brute force.

use super::*;
use crate::signal::hrf::{Kernel, spm};
use ndarray::{Array1, Axis, concatenate, s};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Operators of the tests, all convolutions with SPM's response every 2 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// 24 frames of 40 samples, 16 of them before the run.
    Plain,
    /// The same without the constant in the data.
    NoConstant,
    /// 40 frames of 30 samples: the first 10 frames see nothing of the activity asked for.
    Tall,
}

/// Convolution with SPM's response of peak 1, every 2 s, for activity that starts `before` samples before the run.
pub(crate) fn convolution(frames: usize, before: usize) -> Array2<f64> {
    let peak = spm().value(5.0);
    Array2::from_shape_fn((frames, frames + before), |(frame, sample)| {
        let lag = (frame + before) as f64 - sample as f64;
        if (0.0..=16.0).contains(&lag) { spm().value(2.0 * lag) / peak } else { 0.0 }
    })
}

pub(crate) fn operator(problem: Problem) -> Operator {
    let mut forward = match problem {
        Problem::Tall => concatenate(Axis(0), &[Array2::zeros((10, 30)).view(), convolution(30, 0).view()]).unwrap(),
        Problem::Plain | Problem::NoConstant => convolution(24, 16),
    };
    let mut dof = forward.nrows();
    if problem == Problem::NoConstant {
        without_constant(&mut forward);
        dof -= 1;
    }
    Operator { gram: forward.t().dot(&forward), forward, dof }
}

fn without_constant(values: &mut Array2<f64>) {
    let mean = values.mean_axis(Axis(0)).unwrap();
    *values -= &mean;
}

/// Standard normal deviates.
pub(crate) fn normal(stream: &mut Xoshiro256PlusPlus, rows: usize, columns: usize) -> Array2<f64> {
    let mut uniform = || (stream.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    Array2::from_shape_simple_fn((rows, columns), || {
        (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    })
}

fn data(problem: Problem, operator: &Operator) -> Array2<f64> {
    let mut stream = Xoshiro256PlusPlus::seed_from_u64(11);
    let (frames, samples) = operator.forward.dim();
    let mut data = operator.forward.dot(&normal(&mut stream, samples, 8)) + normal(&mut stream, frames, 8);
    if problem == Problem::NoConstant {
        without_constant(&mut data);
    }
    data
}

/// The difference of this order, row by row.
fn differences(samples: usize, order: usize) -> Array2<f64> {
    let mut rows = Array2::eye(samples);
    for _ in 0..order {
        rows = &rows.slice(s![1.., ..]) - &rows.slice(s![..-1, ..]);
    }
    rows
}

/// Solution and log determinant of a symmetric positive definite system, by Gaussian elimination.
fn solve_dense(matrix: &Array2<f64>, right: &Array2<f64>) -> (Array2<f64>, f64) {
    let (n, mut matrix, mut right, mut log_determinant) = (matrix.nrows(), matrix.clone(), right.clone(), 0.0);
    for pivot in 0..n {
        log_determinant += matrix[(pivot, pivot)].ln();
        for row in (0..n).filter(|row| *row != pivot) {
            let factor = matrix[(row, pivot)] / matrix[(pivot, pivot)];
            let (of_matrix, of_right) = (matrix.row(pivot).to_owned(), right.row(pivot).to_owned());
            matrix.row_mut(row).scaled_add(-factor, &of_matrix);
            right.row_mut(row).scaled_add(-factor, &of_right);
        }
    }
    right /= &matrix.diag().to_owned().insert_axis(Axis(1));
    (right, log_determinant)
}

const PENALTIES: [(Penalty, usize); 3] =
    [(Penalty::VALUE, 0), (Penalty::FIRST_DIFFERENCE, 1), (Penalty::SECOND_DIFFERENCE, 2)];

/// `A'A + lambda D'D`; where both leave a constant free, plus the projector on it, which makes the solution that without one.
fn normal_matrix(problem: Problem, operator: &Operator, order: usize, lambda: f64) -> Array2<f64> {
    let samples = operator.forward.ncols();
    let rows = differences(samples, order);
    let mut matrix = &operator.gram + &(rows.t().dot(&rows) * lambda);
    if problem == Problem::NoConstant && order > 0 {
        matrix += 1.0 / samples as f64;
    }
    matrix
}

fn largest(values: &Array2<f64>) -> f64 {
    values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()))
}

#[test]
fn solves_the_normal_equations_with_their_posterior_variances() {
    for problem in [Problem::Plain, Problem::NoConstant, Problem::Tall] {
        let operator = operator(problem);
        let (data, samples) = (data(problem, &operator), operator.forward.ncols());
        for ((penalty, order), lambda) in PENALTIES.iter().flat_map(|p| [0.01, 1.0, 300.0].map(|l| (*p, l))) {
            let ridge = Ridge::new(&operator, penalty, LambdaChoice::Fixed(lambda)).unwrap();
            let solution = ridge.solve(&data, Wanted { standard_errors: true, ..Wanted::default() });
            let matrix = normal_matrix(problem, &operator, order, lambda);
            let (expected, _) = solve_dense(&matrix, &operator.forward.t().dot(&data));
            let error = largest(&(&solution.activity - &expected)) / largest(&expected);
            // 1e-16 times the condition of the normal equations, 1e5 at most here, with room for LAPACK's versions
            assert!(error < 1e-10, "{problem:?} {penalty:?} {lambda}: {error:e}");

            let (mut inverse, _) = solve_dense(&matrix, &Array2::eye(samples));
            let trace = inverse.dot(&operator.gram).diag().sum();
            assert!((solution.dof[0] - trace).abs() < 1e-9, "{}: {trace}", solution.dof[0]);
            let residuals = &data - &operator.forward.dot(&expected);
            if problem == Problem::NoConstant && order > 0 {
                inverse -= 1.0 / samples as f64; // the constant, of which nothing is known
            }
            for column in 0..data.ncols() {
                let squares: f64 = residuals.column(column).mapv(|value| value * value).sum();
                let variance = squares / (operator.dof as f64 - trace);
                assert!((solution.sigma[column] / variance.sqrt() - 1.0).abs() < 1e-9);
                for sample in 0..samples {
                    let expected = (variance * inverse[(sample, sample)]).sqrt();
                    let given = solution.standard_error.as_ref().unwrap()[(sample, column)];
                    assert!((given / expected - 1.0).abs() < 1e-8, "{problem:?} {penalty:?}: {given} {expected}");
                }
            }
        }
    }
}

/// The log marginal likelihood at the maximising variance: a Gaussian integral over activity, by determinants of dense matrices.
fn dense_evidence(problem: Problem, operator: &Operator, y: &Array1<f64>, order: usize, lambda: f64) -> f64 {
    let (frames, samples) = operator.forward.dim();
    let y = y.clone().insert_axis(Axis(1));
    let matrix = normal_matrix(problem, operator, order, lambda);
    let (solved, log_posterior) = solve_dense(&matrix, &operator.forward.t().dot(&y));
    let explained = operator.forward.dot(&solved);
    let least: f64 = (&y * &y).sum() - (&y * &explained).sum();
    // log |A'A + lambda P| - log |lambda P|+, the pseudo-determinant of differences being that of D D'
    let rows = differences(samples, order);
    let (_, log_prior) = solve_dense(&(rows.dot(&rows.t()) * lambda), &Array2::eye(samples - order));
    let hidden = usize::from(problem == Problem::NoConstant);
    let freedom = (frames - hidden - order + if order > 0 { hidden } else { 0 }) as f64;
    -0.5 * (freedom * ((std::f64::consts::TAU * least / freedom).ln() + 1.0) + log_posterior - log_prior)
}

#[test]
fn evidence_is_the_restricted_density_of_the_data() {
    for problem in [Problem::Plain, Problem::NoConstant, Problem::Tall] {
        let operator = operator(problem);
        let data = data(problem, &operator);
        for ((penalty, order), lambda) in PENALTIES.iter().flat_map(|p| [0.1, 3.0].map(|l| (*p, l))) {
            let ridge = Ridge::new(&operator, penalty, LambdaChoice::Fixed(lambda)).unwrap();
            let solution = ridge.solve(&data, Wanted::default());
            for (column, given) in solution.log_evidence.iter().enumerate() {
                let y = data.column(column).to_owned();
                let expected = dense_evidence(problem, &operator, &y, order, lambda);
                // rounding of log determinants of 40 pivots; values are some 50
                assert!((given - expected).abs() < 1e-8, "{problem:?} {penalty:?}: {given} {expected}");
            }
        }
    }
}

#[test]
fn evidence_of_a_proper_prior_is_a_multivariate_normal_density() {
    let operator = operator(Problem::Plain);
    let (data, lambda, n) = (data(Problem::Plain, &operator), 0.7, 24);
    let ridge = Ridge::new(&operator, Penalty::VALUE, LambdaChoice::Fixed(lambda)).unwrap();
    let solution = ridge.solve(&data, Wanted::default());
    let covariance = operator.forward.dot(&operator.forward.t()) / lambda + Array2::<f64>::eye(n);
    let (solved, log_determinant) = solve_dense(&covariance, &data);
    for column in 0..data.ncols() {
        let squares = data.column(column).dot(&solved.column(column));
        let density = |variance: f64| {
            -0.5 * (n as f64 * (std::f64::consts::TAU * variance).ln() + log_determinant + squares / variance)
        };
        let best = squares / n as f64;
        assert!((solution.log_evidence[column] - density(best)).abs() < 1e-10); // a few n eps of values near 50
        assert!(density(best) > density(1.01 * best).max(density(0.99 * best)));
    }
}

#[test]
fn evidence_with_the_documented_terms_is_the_restricted_likelihood_of_the_series() {
    // -1/2 [(n - p) log 2 pi + log |V| + log |X'V^-1 X| - log |X'X| + y'P y] (Harville 1974, doi 10.1093/biomet/61.2.383)
    let (n, lambda) = (24, 0.7);
    let kernel = convolution(n, 16);
    let nuisance = Array2::from_shape_fn((n, 2), |(frame, power)| if power == 0 { 1.0 } else { 0.1 * frame as f64 });
    let mut stream = Xoshiro256PlusPlus::seed_from_u64(21);
    let y = kernel.dot(&normal(&mut stream, 40, 1)) + normal(&mut stream, n, 1) + 3.0;
    for rho in [0.0_f64, 0.4, -0.3] {
        // an AR(1) series of innovation variance 1: the first frame has variance 1 / (1 - rho^2)
        let whitening = Array2::from_shape_fn((n, n), |(row, column)| match (row, row.wrapping_sub(column)) {
            (0, 0) => (1.0 - rho * rho).sqrt(),
            (_, 0) => 1.0,
            (_, 1) => -rho,
            _ => 0.0,
        });
        let white_nuisance = whitening.dot(&nuisance);
        let gram = white_nuisance.t().dot(&white_nuisance);
        let project = |values: &Array2<f64>| {
            let values = whitening.dot(values);
            let (along, _) = solve_dense(&gram, &white_nuisance.t().dot(&values));
            values - white_nuisance.dot(&along)
        };
        let forward = project(&kernel);
        let operator = Operator { gram: forward.t().dot(&forward), forward, dof: n - 2 };
        let ridge = Ridge::new(&operator, Penalty::VALUE, LambdaChoice::Fixed(lambda)).unwrap();
        let given = ridge.solve(&project(&y), Wanted::default()).log_evidence[0];
        let log_gram = solve_dense(&gram, &Array2::eye(2)).1;
        let given = given + 0.5 * (1.0 - rho * rho).ln() - 0.5 * log_gram;

        let (noise, _) = solve_dense(&whitening.t().dot(&whitening), &Array2::eye(n));
        let (inverse, log_covariance) = solve_dense(&(noise + kernel.dot(&kernel.t()) / lambda), &Array2::eye(n));
        let (of_nuisance, of_data) = (inverse.dot(&nuisance), inverse.dot(&y));
        let precision = nuisance.t().dot(&of_nuisance);
        let (fitted, log_precision) = solve_dense(&precision, &nuisance.t().dot(&of_data));
        let squares = y.t().dot(&of_data)[(0, 0)] - (nuisance.t().dot(&of_data) * fitted).sum();
        let freedom = (n - 2) as f64;
        let of_noise = freedom * ((std::f64::consts::TAU * squares / freedom).ln() + 1.0);
        let expected = -0.5 * (of_noise + log_covariance + log_precision);
        assert!((given - expected).abs() < 1e-9, "{rho}: {given} {expected}"); // some n eps of values near 50
    }
}

#[test]
fn a_column_does_not_depend_on_the_others() {
    let operator = operator(Problem::Plain);
    let (data, wanted) = (data(Problem::Plain, &operator), Wanted { standard_errors: true, ..Wanted::default() });
    let mut other = data.clone();
    other.slice_mut(s![.., 1..]).fill(f64::NAN);
    for choice in [LambdaChoice::Gcv, LambdaChoice::Evidence] {
        let ridge = Ridge::new(&operator, Penalty::FIRST_DIFFERENCE, choice).unwrap();
        let (first, second) = (ridge.solve(&data, wanted), ridge.solve(&other, wanted));
        assert_eq!(first.activity.column(0), second.activity.column(0));
        assert_eq!(first.standard_error.unwrap().column(0), second.standard_error.unwrap().column(0));
        assert_eq!((first.lambda[0], first.log_evidence[0]), (second.lambda[0], second.log_evidence[0]));
    }
}

/// GCV from the dense hat matrix.
fn dense_gcv(problem: Problem, operator: &Operator, y: &Array1<f64>, order: usize, lambda: f64) -> f64 {
    let matrix = normal_matrix(problem, operator, order, lambda);
    let (solver, _) = solve_dense(&matrix, &operator.forward.t().to_owned());
    let residual = y - &operator.forward.dot(&solver.dot(y));
    let trace: f64 = (&operator.forward * &solver.t()).sum();
    residual.dot(&residual) / (operator.dof as f64 - trace).powi(2)
}

#[test]
fn the_chosen_lambda_is_the_best_of_a_dense_search() {
    for problem in [Problem::Plain, Problem::NoConstant, Problem::Tall] {
        let operator = operator(problem);
        let data = data(problem, &operator);
        for (penalty, order) in PENALTIES {
            let gcv = Ridge::new(&operator, penalty, LambdaChoice::Gcv).unwrap().solve(&data, Wanted::default());
            let evidence = Ridge::new(&operator, penalty, LambdaChoice::Evidence).unwrap();
            let evidence = evidence.solve(&data, Wanted::default());
            for column in 0..2 {
                let y = data.column(column).to_owned();
                let of_gcv = |lambda: f64| dense_gcv(problem, &operator, &y, order, lambda).ln();
                let of_evidence = |lambda: f64| -dense_evidence(problem, &operator, &y, order, lambda);
                // 1e8 stands for infinity: dense algebra of differences loses its digits beyond
                let finite = |lambda: f64| lambda.min(1e8);
                let (a, b) = (of_gcv(finite(gcv.lambda[column])), of_evidence(finite(evidence.lambda[column])));
                for step in 0..=130 {
                    let lambda = 10.0_f64.powf(-5.0 + 0.1 * f64::from(step));
                    // dense rounding at the largest lambdas
                    assert!(of_gcv(lambda) > a - 1e-6, "{problem:?} {penalty:?} {lambda}");
                    assert!(of_evidence(lambda) > b - 1e-6, "{problem:?} {penalty:?} {lambda}");
                }
            }
        }
    }
}

#[test]
fn the_slope_is_zero_at_the_chosen_lambda() {
    let operator = operator(Problem::Plain);
    let data = data(Problem::Plain, &operator);
    for choice in [LambdaChoice::Gcv, LambdaChoice::Evidence] {
        let solution = Ridge::new(&operator, Penalty::VALUE, choice).unwrap().solve(&data, Wanted::default());
        let mut finite = 0;
        // the least point of the grid is a bound, which GCV meets where it would interpolate
        let inside = solution.lambda.iter().enumerate().filter(|(_, lambda)| lambda.is_finite() && **lambda > 1e-3);
        for (column, lambda) in inside {
            let y = data.column(column).to_owned();
            let score = |log: f64| match choice {
                LambdaChoice::Gcv => dense_gcv(Problem::Plain, &operator, &y, 0, log.exp()).ln(),
                _ => -dense_evidence(Problem::Plain, &operator, &y, 0, log.exp()),
            };
            let (at, step) = (lambda.ln(), 1e-3);
            let (low, middle, high) = (score(at - step), score(at), score(at + step));
            // the distance to the minimum by central differences, whose own error is some 1e-16 / 1e-3 over the bend,
            // and a third derivative times 1e-6
            let distance = 0.5 * step * (high - low) / (high - 2.0 * middle + low);
            assert!(distance.abs() < 1e-5, "{choice:?}: {distance:e}");
            finite += 1;
        }
        assert!(finite > 3, "{finite} of 8 columns have activity");
    }
}

#[test]
fn zeros_give_zeros_and_a_hopeless_column_none() {
    let operator = operator(Problem::NoConstant);
    let mut data = Array2::zeros((24, 3));
    // alternating signs are what the response passes least: no activity is the best account of them
    data.column_mut(1).iter_mut().enumerate().for_each(|(t, value)| *value = if t % 2 == 0 { 1.0 } else { -1.0 });
    let wanted = Wanted { standard_errors: true, ..Wanted::default() };
    for choice in [LambdaChoice::Gcv, LambdaChoice::Evidence, LambdaChoice::Fixed(2.0)] {
        for (penalty, _) in PENALTIES {
            let solution = Ridge::new(&operator, penalty, choice).unwrap().solve(&data, wanted);
            assert!(solution.activity.column(0).iter().all(|value| *value == 0.0));
            assert_eq!((solution.sigma[0], solution.log_evidence[0]), (0.0, 0.0));
            let errors = solution.standard_error.unwrap();
            assert!(errors.iter().chain(&solution.log_evidence).chain(&solution.dof).all(|value| value.is_finite()));
            if let LambdaChoice::Fixed(lambda) = choice {
                assert_eq!(solution.lambda, [lambda; 3]);
            } else {
                assert_eq!(solution.lambda[0], f64::INFINITY);
            }
        }
        if choice != LambdaChoice::Fixed(2.0) {
            let solution = Ridge::new(&operator, Penalty::VALUE, choice).unwrap().solve(&data, wanted);
            assert_eq!((solution.lambda[1], solution.dof[1]), (f64::INFINITY, 0.0));
            assert!(solution.activity.column(1).iter().all(|value| *value == 0.0));
            assert!((solution.sigma[1] - (24.0_f64 / 23.0).sqrt()).abs() < 1e-14);
        }
    }
}

#[test]
fn a_weight_must_be_positive() {
    for lambda in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = Ridge::new(&operator(Problem::Plain), Penalty::VALUE, LambdaChoice::Fixed(lambda));
        assert!(matches!(refused, Err(RidgeError::Lambda(_))));
    }
}

#[test]
fn posterior_intervals_cover_white_activity_at_their_rate() {
    let (forward, columns) = (convolution(120, 16), 100);
    let operator = Operator { gram: forward.t().dot(&forward), dof: 120, forward };
    let power = operator.gram.diag().sum() / 120.0; // variance of a frame for activity of variance 1
    for snr in [1.0, 3.0, 10.0] {
        let mut stream = Xoshiro256PlusPlus::seed_from_u64(5);
        let truth = normal(&mut stream, 136, columns);
        let data = operator.forward.dot(&truth) + normal(&mut stream, 120, columns) * (power / snr).sqrt();
        for choice in [LambdaChoice::Gcv, LambdaChoice::Evidence] {
            let ridge = Ridge::new(&operator, Penalty::VALUE, choice).unwrap();
            let solution = ridge.solve(&data, Wanted { standard_errors: true, ..Wanted::default() });
            let errors = solution.standard_error.unwrap();
            let covered = truth.iter().zip(&solution.activity).zip(&errors);
            let covered = covered.filter(|((truth, given), error)| (*truth - *given).abs() <= 1.96 * *error).count();
            let rate = covered as f64 / (136 * columns) as f64;
            // 95 % nominal; lambda and sigma are estimated from 120 frames a column, which the intervals leave out
            assert!((0.92..=0.98).contains(&rate), "{choice:?} at {snr}: {rate}");
        }
    }
}

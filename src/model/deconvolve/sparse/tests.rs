//! Solutions against an independent solver, the conditions of their optimality, and dense algebra.

mod afni;
mod knots;
mod simulation;

use super::{Choice, Estimate, Shape, Sparse, SparseSettings};
use crate::model::deconvolve::{Deconvolver, Operator, Solution, Wanted};
use crate::model::random::Random;
use crate::signal::hrf::{Kernel, spm};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT};
use ndarray::{Array1, Array2, Axis};

const FRAMES: usize = 70;
const HISTORY: usize = 16;

/// Convolution of samples that begin before the run, frames left out, a constant projected out, as the flags say.
pub(super) fn operator(gaps: bool, constant: bool) -> Operator {
    let value = |lag: usize| spm().value(2.0 * lag as f64) / spm().value(5.0);
    let kept: Vec<usize> = (0..FRAMES).filter(|frame| !gaps || frame % 9 > 1).collect();
    let mut forward = Array2::from_shape_fn((kept.len(), FRAMES + HISTORY), |(row, sample)| {
        let frame = kept[row] + HISTORY;
        if frame >= sample && frame - sample <= HISTORY { value(frame - sample) } else { 0.0 }
    });
    if constant {
        project(&mut forward);
    }
    Operator { gram: forward.t().dot(&forward), dof: kept.len() - usize::from(constant), forward }
}

fn project(matrix: &mut Array2<f64>) {
    let mean = matrix.mean_axis(Axis(0)).unwrap();
    *matrix -= &mean;
}

/// Six spikes of either sign, and noise.
fn data(operator: &Operator, columns: usize, seed: u64) -> Array2<f64> {
    let mut random = Random::new(seed);
    let (frames, samples) = operator.forward.dim();
    let mut activity = Array2::<f64>::zeros((samples, columns));
    for mut column in activity.columns_mut() {
        for _ in 0..6 {
            column[random.below(samples)] += 1.0 + random.normal();
        }
    }
    let noise = Array2::from_shape_fn((frames, columns), |_| 0.3 * random.normal());
    let mut data = operator.forward.dot(&activity) + noise;
    if operator.dof < frames {
        project(&mut data);
    }
    data
}

fn solve(operator: &Operator, settings: SparseSettings, data: &Array2<f64>) -> Solution {
    Sparse::new(operator, settings).solve(data, Wanted { log_evidence: true, ..Wanted::default() })
}

/// Design of the coefficients, worked out densely.
fn design(operator: &Operator, shape: Shape) -> Array2<f64> {
    let samples = operator.forward.ncols();
    match shape {
        Shape::Spikes => operator.forward.clone(),
        Shape::Blocks => {
            operator.forward.dot(&Array2::from_shape_fn((samples, samples), |(i, j)| f64::from(u8::from(i >= j))))
        }
    }
}

/// Coefficients of an activity.
fn coefficients(activity: &Array1<f64>, shape: Shape) -> Array1<f64> {
    let before = |i: usize| if i == 0 { 0.0 } else { activity[i - 1] };
    match shape {
        Shape::Spikes => activity.clone(),
        Shape::Blocks => (0..activity.len()).map(|i| activity[i] - before(i)).collect(),
    }
}

fn objective(x: &Array2<f64>, y: &Array1<f64>, u: &Array1<f64>, lambda: f64, ridge: f64) -> f64 {
    let residual = y - &x.dot(u);
    0.5 * residual.dot(&residual) + lambda * u.mapv(f64::abs).sum() + 0.5 * ridge * u.dot(u)
}

/// Columns of a dense matrix; with `upper`, of its upper triangle.
fn compressed(matrix: &Array2<f64>, upper: bool) -> CscMatrix<f64> {
    let (mut starts, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
    for (j, column) in matrix.columns().into_iter().enumerate() {
        for (i, &value) in column.iter().enumerate().filter(|(i, value)| **value != 0.0 && (!upper || *i <= j)) {
            rows.push(i);
            values.push(value);
        }
        starts.push(rows.len());
    }
    CscMatrix::new(matrix.nrows(), matrix.ncols(), starts, rows, values)
}

/// The minimum by an interior-point method: `x = p - n`, both positive (`n` left out if `x` must be).
fn interior_point(x: &Array2<f64>, y: &Array1<f64>, lambda: f64, ridge: f64, non_negative: bool) -> Array1<f64> {
    let size = x.ncols();
    let signs: &[f64] = if non_negative { &[1.0] } else { &[1.0, -1.0] };
    let gram = x.t().dot(x) + Array2::<f64>::eye(size) * ridge;
    let total = size * signs.len();
    let quadratic =
        Array2::from_shape_fn((total, total), |(i, j)| signs[i / size] * signs[j / size] * gram[(i % size, j % size)]);
    let products = x.t().dot(y);
    let linear: Vec<f64> = (0..total).map(|i| lambda - signs[i / size] * products[i % size]).collect();
    let minus = compressed(&(-Array2::<f64>::eye(total)), false);
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .tol_gap_abs(1e-11)
        .tol_gap_rel(1e-11)
        .tol_feas(1e-11)
        .build()
        .unwrap();
    let cones = [NonnegativeConeT(total)];
    let zeros = vec![0.0; total];
    let mut solver =
        DefaultSolver::new(&compressed(&quadratic, true), &linear, &minus, &zeros, &cones, settings).unwrap();
    solver.solve();
    let halves = &solver.solution.x;
    (0..size).map(|i| signs.iter().enumerate().map(|(half, sign)| sign * halves[half * size + i]).sum()).collect()
}

/// Every combination of shape, design, sign and elastic net, at several weights.
fn for_all_problems(mut check: impl FnMut(&Operator, SparseSettings, f64)) {
    for shape in [Shape::Spikes, Shape::Blocks] {
        for (gaps, constant) in [(false, false), (false, true), (true, true)] {
            let operator = operator(gaps, constant);
            for (non_negative, ridge) in [(false, 0.0), (true, 0.0), (false, 0.7), (true, 0.7)] {
                for part in [0.5, 0.1, 0.01] {
                    let settings = SparseSettings {
                        estimate: Estimate::Shrunken,
                        non_negative,
                        ridge,
                        ..SparseSettings::new(shape)
                    };
                    check(&operator, settings, part);
                }
            }
        }
    }
}

/// Data, largest correlation, and the solution at a part of it.
fn at_part(
    operator: &Operator,
    settings: SparseSettings,
    part: f64,
) -> (Array2<f64>, Array1<f64>, f64, f64, Array1<f64>) {
    let x = design(operator, settings.shape);
    let y = data(operator, 1, 3);
    let largest = x.t().dot(&y.column(0)).fold(0.0, |m: f64, v| m.max(v.abs()));
    let settings = SparseSettings { choice: Choice::Fixed(part * largest), ..settings };
    let found = solve(operator, settings, &y);
    let u = coefficients(&found.activity.column(0).to_owned(), settings.shape);
    (x, y.column(0).to_owned(), largest, part * largest, u)
}

#[test]
fn the_objective_is_that_of_an_interior_point_method() {
    for_all_problems(|operator, settings, part| {
        let (x, y, _, lambda, u) = at_part(operator, settings, part);
        let other = interior_point(&x, &y, lambda, settings.ridge, settings.non_negative);
        let ours = objective(&x, &y, &u, lambda, settings.ridge);
        let theirs = objective(&x, &y, &other, lambda, settings.ridge);
        // The interior point stops at a gap of 1e-11, its objective lies above the minimum, ours may lie below it.
        assert!((ours - theirs).abs() < 1e-6 * theirs, "{settings:?} {part}: {ours} {theirs}");
        assert!(ours < theirs * (1.0 + 1e-9), "{settings:?} {part}: {ours} {theirs}");
    });
}

#[test]
fn solutions_meet_the_conditions_of_optimality() {
    let mut worst: f64 = 0.0;
    for_all_problems(|operator, settings, part| {
        let (x, y, largest, lambda, u) = at_part(operator, settings, part);
        let correlation = x.t().dot(&(&y - &x.dot(&u))) - &u * settings.ridge;
        // A coefficient made of the differences of an accumulated activity is zero up to its rounding.
        let zero = 1e-12 * u.fold(0.0, |m: f64, v| m.max(v.abs()));
        for (c, u) in correlation.iter().zip(&u) {
            let excess = match (u.abs() <= zero, settings.non_negative) {
                (true, true) => c - lambda,
                (true, false) => c.abs() - lambda,
                (false, _) => (c - lambda * u.signum()).abs(),
            };
            worst = worst.max(excess / largest);
            assert!(!settings.non_negative || *u >= -zero);
        }
    });
    assert!(worst < 1e-10, "{worst}"); // normal equations of a support, conditions up to some 1e5
}

#[test]
fn a_refit_leaves_residuals_orthogonal_to_its_support() {
    for shape in [Shape::Spikes, Shape::Blocks] {
        let operator = operator(true, true);
        let x = design(&operator, shape);
        let y = data(&operator, 8, 5);
        let settings = SparseSettings { estimate: Estimate::Refitted, ..SparseSettings::new(shape) };
        let found = solve(&operator, settings, &y);
        for (index, y) in y.columns().into_iter().enumerate() {
            let activity = found.activity.column(index).to_owned();
            let residual = &y - &operator.forward.dot(&activity);
            let u = coefficients(&activity, shape);
            let members: Vec<usize> = (0..u.len()).filter(|&j| u[j].abs() > 1e-12).collect();
            assert_eq!(members.len() as f64, found.dof[index]);
            let scale = y.dot(&y).sqrt();
            for j in members {
                let column = x.column(j);
                // rounding, times the condition of the normal equations
                assert!(column.dot(&residual).abs() < 1e-9 * scale * column.dot(&column).sqrt());
            }
            let sigma = (residual.dot(&residual) / (operator.dof as f64 - found.dof[index])).sqrt();
            assert!((found.sigma[index] / sigma - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn a_non_negative_refit_is_the_least_squares_of_its_kind() {
    let operator = operator(false, true);
    let y = data(&operator, 8, 6);
    let settings =
        SparseSettings { estimate: Estimate::Refitted, non_negative: true, ..SparseSettings::new(Shape::Spikes) };
    for choice in [Choice::Fixed(1.0), Choice::Fixed(0.3)] {
        let settings = SparseSettings { choice, ..settings };
        let found = solve(&operator, settings, &y);
        let supports = solve(&operator, SparseSettings { estimate: Estimate::Shrunken, ..settings }, &y);
        for (index, y) in y.columns().into_iter().enumerate() {
            let support: Vec<usize> =
                (0..operator.forward.ncols()).filter(|&j| supports.activity[(j, index)] > 0.0).collect();
            let x = operator.forward.select(Axis(1), &support);
            let best = interior_point(&x, &y.to_owned(), 0.0, 0.0, true);
            let found = found.activity.column(index).select(Axis(0), &support);
            let (ours, theirs) =
                (objective(&x, &y.to_owned(), &found, 0.0, 0.0), objective(&x, &y.to_owned(), &best, 0.0, 0.0));
            assert!(found.iter().all(|&value| value >= 0.0));
            assert!((ours / theirs - 1.0).abs() < 1e-6, "{ours} {theirs}"); // the interior point's gap
        }
    }
}

#[test]
fn no_weight_has_a_lower_criterion_than_the_one_chosen() {
    let operator = operator(false, true);
    let y = data(&operator, 6, 8);
    for shape in [Shape::Spikes, Shape::Blocks] {
        let refitted = SparseSettings { estimate: Estimate::Refitted, ..SparseSettings::new(shape) };
        let dof = operator.dof as f64;
        let criterion = |found: &Solution, index: usize| {
            let square = found.sigma[index].powi(2) * (dof - found.dof[index]);
            dof * (square / dof).ln() + found.dof[index] * dof.ln()
        };
        let chosen = solve(&operator, refitted, &y);
        // Not to where 40 knots have passed without a lower one, which is where the search ends.
        for step in 1..60 {
            let lambda = 20.0 * 0.94_f64.powi(step);
            let other = solve(&operator, SparseSettings { choice: Choice::Fixed(lambda), ..refitted }, &y);
            for index in 0..y.ncols() {
                let (best, other) = (criterion(&chosen, index), criterion(&other, index));
                assert!(best < other + 1e-6, "{shape:?} {index} {lambda}: {best} {other}"); // rounding of sums of squares
            }
        }
    }
}

#[test]
fn a_column_of_zeros_gives_zeros_and_minds_no_neighbour() {
    let operator = operator(true, true);
    let mut y = data(&operator, 3, 9);
    y.column_mut(1).fill(0.0);
    for shape in [Shape::Spikes, Shape::Blocks] {
        for estimate in [Estimate::Shrunken, Estimate::Refitted, Estimate::Averaged] {
            for choice in [Choice::Bic, Choice::Mad, Choice::Fixed(0.0), Choice::Fixed(1.0)] {
                let settings = SparseSettings { choice, estimate, ..SparseSettings::new(shape) };
                let sparse = Sparse::new(&operator, settings);
                let found = sparse.solve(&y, Wanted { standard_errors: true, log_evidence: true });
                let errors = found.standard_error.as_ref().unwrap();
                assert!(found.activity.column(1).iter().chain(errors.column(1)).all(|&value| value == 0.0));
                assert!(found.activity.iter().chain(errors).all(|value| value.is_finite()));
                assert!(found.log_evidence.iter().chain(&found.sigma).all(|value| value.is_finite()));
                let mut other = y.clone();
                other.column_mut(0).mapv_inplace(|value| 3.0 - value);
                let again = sparse.solve(&other, Wanted { standard_errors: true, ..Wanted::default() });
                assert_eq!(again.activity.column(2), found.activity.column(2));
            }
        }
    }
}

#[test]
fn a_universal_weight_lets_noise_in_rarely() {
    let operator = operator(false, false);
    let mut random = Random::new(4);
    let noise = Array2::from_shape_fn((FRAMES, 400), |_| 2.0 * random.normal());
    for shape in [Shape::Spikes, Shape::Blocks] {
        let settings =
            SparseSettings { choice: Choice::Mad, estimate: Estimate::Refitted, ..SparseSettings::new(shape) };
        let found = solve(&operator, settings, &noise);
        let empty = found.dof.iter().filter(|&&size| size == 0.0).count();
        assert!(empty > 300, "{shape:?} {empty}"); // sigma is known to 15 % from 65 differences
        let largest = design(&operator, shape).map_axis(Axis(0), |column| column.dot(&column).sqrt());
        let largest = largest.fold(0.0, |m: f64, v| m.max(*v));
        let seen = (FRAMES + HISTORY - 1) as f64; // the last sample meets the kernel's zero
        let mean = found.lambda.iter().sum::<f64>() / 400.0;
        // 0.15 / sqrt(400)
        assert!((mean / (2.0 * (2.0 * seen.ln()).sqrt() * largest) - 1.0).abs() < 0.03, "{mean}");
    }
}

//! The path against all supports and signs of a small problem, and its parts against dense algebra.

use super::super::evidence::evidence;
use super::super::factor::Factor;
use super::super::gram::Gram;
use super::super::lars::{Penalty, Step, Walk};
use super::super::refit::{Column, Refit};
use super::super::selection::log_choices;
use super::*;

const SIZE: usize = 6;

/// Correlated columns, among them a null one and a copy.
fn small(seed: u64, degenerate: bool) -> (Operator, Array1<f64>) {
    let mut random = Random::new(seed);
    let mut forward = Array2::from_shape_fn((9, SIZE), |_| random.normal());
    let common = Array1::from_shape_fn(9, |_| 2.0 * random.normal());
    forward.columns_mut().into_iter().for_each(|mut column| column += &common);
    if degenerate {
        forward.column_mut(2).fill(0.0);
        let copied = forward.column(4).to_owned();
        forward.column_mut(5).assign(&copied);
    }
    let y = &forward.column(0) - &forward.column(3) + 2.0 * &forward.column(4);
    let y = y.mapv(|value| value + random.normal());
    (Operator { gram: forward.t().dot(&forward), forward, dof: 9 }, y)
}

/// `a^-1 b` by elimination with pivots.
fn eliminate(mut a: Array2<f64>, mut b: Array1<f64>) -> Array1<f64> {
    let size = b.len();
    for i in 0..size {
        let pivot = (i..size).max_by(|&p, &q| a[(p, i)].abs().total_cmp(&a[(q, i)].abs())).unwrap();
        for j in 0..size {
            a.swap((i, j), (pivot, j));
        }
        b.swap(i, pivot);
        for row in i + 1..size {
            let factor = a[(row, i)] / a[(i, i)];
            for j in i..size {
                a[(row, j)] -= factor * a[(i, j)];
            }
            b[row] -= factor * b[i];
        }
    }
    for i in (0..size).rev() {
        let sum: f64 = (i + 1..size).map(|j| a[(i, j)] * b[j]).sum();
        b[i] = (b[i] - sum) / a[(i, i)];
    }
    b
}

/// The solution by trying every support with every pattern of signs.
fn by_trial(operator: &Operator, y: &Array1<f64>, lambda: f64, non_negative: bool) -> Array1<f64> {
    let b = operator.forward.t().dot(y);
    for pattern in 0..3_usize.pow(SIZE as u32) {
        let sign = |j: usize| [0.0, 1.0, -1.0][pattern / 3_usize.pow(j as u32) % 3];
        let support: Vec<usize> = (0..SIZE).filter(|&j| sign(j) != 0.0).collect();
        if non_negative && support.iter().any(|&j| sign(j) < 0.0) {
            continue;
        }
        let gram = operator.gram.select(Axis(0), &support).select(Axis(1), &support);
        let values = eliminate(gram, support.iter().map(|&j| b[j] - lambda * sign(j)).collect());
        if support.iter().zip(&values).any(|(&j, value)| value.is_nan() || value * sign(j) <= 0.0) {
            continue;
        }
        let mut x = Array1::zeros(SIZE);
        support.iter().zip(&values).for_each(|(&j, value)| x[j] = *value);
        let correlation = &b - &operator.gram.dot(&x);
        let within = |c: &f64| *c <= lambda * (1.0 + 1e-9) && (non_negative || *c >= -lambda * (1.0 + 1e-9));
        if correlation.iter().all(within) {
            return x;
        }
    }
    panic!("no pattern of signs is optimal");
}

#[test]
fn knots_lie_where_the_best_pattern_of_signs_changes() {
    let mut drops = 0;
    for seed in 0..40 {
        for non_negative in [false, true] {
            let (operator, y) = small(seed, false);
            let gram = Gram::new(&operator, Shape::Spikes);
            let b = operator.forward.t().dot(&y).to_vec();
            let mut walk = Walk::new(Penalty { ridge: 0.0, non_negative });
            walk.start(&gram, &b);
            assert!(by_trial(&operator, &y, walk.lambda() * (1.0 + 1e-6), non_negative).iter().all(|&x| x == 0.0));
            loop {
                let (from, mut members) = (walk.lambda(), walk.support().to_vec());
                members.sort_unstable();
                let step = walk.advance(&gram, 1e-3);
                let to = walk.lambda();
                // Just inside either end of the stretch, and in its middle.
                for lambda in [from * (1.0 - 1e-6), 0.5 * (from + to), to * (1.0 + 1e-6)] {
                    if from > to * (1.0 + 1e-5) {
                        let x = by_trial(&operator, &y, lambda, non_negative);
                        let support: Vec<usize> = (0..SIZE).filter(|&j| x[j] != 0.0).collect();
                        assert_eq!(support, members, "seed {seed}, lambda {lambda} of {from} to {to}");
                    }
                }
                match step {
                    Step::Reached | Step::Exhausted => break,
                    Step::Dropped(_) => drops += 1,
                    Step::Joined(_) => {}
                }
            }
        }
    }
    assert!(drops > 5, "{drops}");
}

#[test]
fn null_and_repeated_columns_are_borne() {
    for seed in 0..40 {
        let (operator, y) = small(seed, true);
        let column = y.clone().insert_axis(Axis(1));
        for lambda in [10.0, 1.0, 1e-3] {
            let settings = SparseSettings {
                choice: Choice::Fixed(lambda),
                estimate: Estimate::Shrunken,
                ..SparseSettings::new(Shape::Spikes)
            };
            let x = solve(&operator, settings, &column).activity.column(0).to_owned();
            let correlation = operator.forward.t().dot(&(&y - &operator.forward.dot(&x)));
            assert!(x[2] == 0.0 && x[4] * x[5] == 0.0);
            assert!(correlation.iter().all(|c| c.abs() < lambda + 1e-10 * y.dot(&y))); // rounding of normal equations
        }
    }
}

#[test]
fn a_factor_without_a_member_is_that_of_the_others() {
    let operator = operator(false, true);
    let gram = Gram::new(&operator, Shape::Blocks);
    let (mut shrunk, mut fresh) = (Factor::default(), Factor::default());
    for j in [40, 7, 22, 61, 23, 9] {
        assert!(shrunk.push(&gram, j, 0.0));
    }
    assert!(!shrunk.push(&gram, 22, 0.0));
    shrunk.remove(&gram, 2, 0.0, &mut Vec::new());
    for j in [40, 7, 61, 23, 9] {
        fresh.push(&gram, j, 0.0);
    }
    assert_eq!(shrunk.support(), fresh.support());
    assert!((0..5).all(|i| shrunk.row(i) == fresh.row(i)));
}

#[test]
fn the_evidence_is_the_largest_density_of_the_data() {
    let (operator, y) = small(11, false);
    let gram = Gram::new(&operator, Shape::Spikes);
    let b = operator.forward.t().dot(&y).to_vec();
    let support = [0, 3, 4];
    let found = evidence(&gram, Column { b: &b, square: y.dot(&y) }, &support, 9, 4, &mut Refit::default());
    let x = operator.forward.select(Axis(1), &support);
    let density = |ratio: f64| {
        let covariance = Array2::<f64>::eye(9) + x.dot(&x.t()) * ratio;
        let variance = y.dot(&eliminate(covariance.clone(), y.clone())) / 9.0;
        // The determinant, by growing the matrix: each Schur complement is a pivot.
        let pivot = |i: usize| {
            let part = covariance.slice(ndarray::s![..i, ..i]).to_owned();
            let cross = covariance.slice(ndarray::s![..i, i]).to_owned();
            covariance[(i, i)] - cross.dot(&eliminate(part, cross.clone()))
        };
        let determinant: f64 = (0..9).map(|i| pivot(i).ln()).sum();
        -4.5 * ((2.0 * std::f64::consts::PI * variance).ln() + 1.0) - 0.5 * determinant
    };
    let prior = log_choices(6, 3) + 5.0_f64.ln();
    assert!((log_choices(6, 3) - 20.0_f64.ln()).abs() < 1e-12); // rounding of lgamma
    assert!((found.log - (density(found.ratio) - prior)).abs() < 1e-9, "rounding");
    // Flat at its maximum: the ratio is found to 2 %.
    assert!(density(found.ratio * 1.1) < density(found.ratio) && density(found.ratio / 1.1) < density(found.ratio));
}

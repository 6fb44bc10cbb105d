//! Moves and places against all supports of a small problem, and against a factor of each support.

use super::super::Shape;
use super::*;
use crate::model::deconvolve::Operator;
use crate::model::random::Random;
use ndarray::{Array1, Array2};

const COEFFICIENTS: usize = 8;
const FRAMES: usize = 14;

/// Overlapping responses, one coefficient without a trace, data of two of them.
fn problem(seed: u64) -> (Gram, Vec<f64>, f64) {
    let mut random = Random::new(seed);
    let response = |lag: f64| if lag > 0.0 { lag * (-lag / 2.0).exp() } else { 0.0 };
    let mut forward = Array2::from_shape_fn((FRAMES, COEFFICIENTS), |(frame, at)| response(frame as f64 - at as f64));
    forward.column_mut(6).fill(0.0);
    let noise = Array1::from_shape_fn(FRAMES, |_| 0.3 * random.normal());
    let y = &forward.column(1) * 2.0 - forward.column(4) + noise;
    let b = forward.t().dot(&y).to_vec();
    let gram = Gram::new(&Operator { gram: forward.t().dot(&forward), forward, dof: FRAMES }, Shape::Spikes);
    (gram, b, y.dot(&y))
}

/// Logarithm of the evidence at a ratio, but for a constant, from a factor of its own.
fn at_ratio(gram: &Gram, column: Column<'_>, support: &[usize], ratio: f64) -> f64 {
    let mut refit = Refit::default();
    refit.start(1.0 / ratio);
    refit.set(gram, column, support);
    let pivots: f64 = (0..support.len()).map(|i| refit.factor().pivot(i).ln()).sum();
    let volume = 2.0 * pivots + support.len() as f64 * ratio.ln();
    let penalty = log_choices(gram.seen_count(), support.len());
    -0.5 * (FRAMES as f64 * refit.residual_square(column).ln() + volume) - penalty
}

fn all_supports(gram: &Gram) -> Vec<Vec<usize>> {
    let members = |pattern: usize| (0..COEFFICIENTS).filter(|j| pattern >> j & 1 == 1).collect::<Vec<_>>();
    let supports = (0..1 << COEFFICIENTS).map(members);
    supports.filter(|support| support.len() <= 5 && support.iter().all(|&j| gram.is_seen(j))).collect()
}

/// Everything that one move makes of a support.
fn neighbours(gram: &Gram, support: &[usize]) -> Vec<Vec<usize>> {
    let near = |other: &Vec<usize>| {
        let shared = other.iter().filter(|j| support.contains(j)).count();
        let (out, added) = (support.len() - shared, other.len() - shared);
        out <= 1 && added <= 1 && out + added > 0
    };
    all_supports(gram).into_iter().filter(near).collect()
}

#[test]
fn no_move_raises_what_was_found() {
    let mut moved = 0;
    for seed in 0..20 {
        let (gram, b, square) = problem(seed);
        let column = Column { b: &b, square };
        for start in [vec![], vec![5], vec![0, 2, 3, 5, 7]] {
            let of = |support: &[usize]| evidence(&gram, column, support, FRAMES, 5, &mut Refit::default());
            let mut search = Likeliest::default();
            let bounds = (FRAMES, 5);
            search.log_evidence(&gram, column, (&start, of(&start)), bounds, &mut Refit::default());
            let found = &search.support;
            moved += usize::from(*found != start);
            let ratio = if found.is_empty() { 1.0 / mean_square(&gram) } else { of(found).ratio };
            let now = at_ratio(&gram, column, found, ratio);
            for other in neighbours(&gram, found) {
                // what the search asks of a move, and rounding
                let rise = at_ratio(&gram, column, &other, ratio) - now;
                assert!(rise < LEAST_RISE + 1e-9, "{seed}: {found:?} to {other:?} gains {rise}");
            }
        }
    }
    assert!(moved > 50, "nearly every search of the 60 moves: {moved}");
}

#[test]
fn a_strong_signal_is_found_from_nothing_and_from_everything() {
    let (gram, _, _) = problem(0);
    // data without noise, but for what keeps the residual from zero
    let b: Vec<f64> = (0..COEFFICIENTS).map(|j| 2.0 * gram.row(j)[1] - gram.row(j)[4]).collect();
    let column = Column { b: &b, square: 2.0 * b[1] - b[4] + 1e-3 };
    let of = |support: &[usize]| evidence(&gram, column, support, FRAMES, 5, &mut Refit::default());
    for start in [vec![], vec![0, 2, 3, 5, 7]] {
        let mut search = Likeliest::default();
        search.log_evidence(&gram, column, (&start, of(&start)), (FRAMES, 5), &mut Refit::default());
        assert_eq!(search.support, [1, 4]);
    }
}

#[test]
fn places_are_summed_between_the_neighbours() {
    for seed in 0..10 {
        let (gram, b, square) = problem(seed);
        let column = Column { b: &b, square };
        let start = [1, 4];
        let of_start = evidence(&gram, column, &start, FRAMES, 5, &mut Refit::default());
        let mut search = Likeliest::default();
        let bounds = (FRAMES, 5);
        let found = search.log_evidence(&gram, column, (&start, of_start), bounds, &mut Refit::default());
        let best = search.support.clone();
        let Evidence { log, ratio } = evidence(&gram, column, &best, FRAMES, 5, &mut Refit::default());
        let now = at_ratio(&gram, column, &best, ratio);
        let mut expected = log;
        for (i, _) in best.iter().enumerate() {
            let first = if i == 0 { 0 } else { best[i - 1] + 1 };
            let end = best.get(i + 1).copied().unwrap_or(COEFFICIENTS);
            let moved = |l: usize| {
                let mut other = best.clone();
                other[i] = l;
                (at_ratio(&gram, column, &other, ratio) - now).exp()
            };
            expected += (first..end).filter(|&l| gram.is_seen(l)).map(moved).sum::<f64>().ln();
        }
        // rounding of an inverse of condition below 1e5
        assert!((found - expected).abs() < 1e-9, "{seed}: {found}, {expected}");
        assert!(found > log, "the places are certain");
    }
}

//! An independent solver: Lawson and Hanson's on dense matrices, with a free constant beside the spikes.

use super::super::solver::Solver;
use super::super::{Coefficients, penalty};
use super::{kernels, simulate};

/// Solves `a x = b` by elimination with partial pivoting.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).unwrap();
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            let pivot_row = a[k].clone();
            for (a, pivot) in a[i].iter_mut().zip(&pivot_row) {
                *a -= factor * pivot;
            }
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        b[k] = (b[k] - (k + 1..n).map(|j| a[k][j] * b[j]).sum::<f64>()) / a[k][k];
    }
    b
}

/// Least of `1/2 |y - b - G s|^2 + lambda sum s`, over `s >= 0` and `b`.
fn least(kernel: &Coefficients, y: &[f64], lambda: f64) -> f64 {
    let samples = y.len();
    // Columns of G, with their means taken out: that is the best b.
    let centred = |x: &[f64]| -> Vec<f64> {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.iter().map(|x| x - mean).collect()
    };
    let columns: Vec<Vec<f64>> = (0..samples)
        .map(|t| {
            let impulse: Vec<f64> = (0..samples).map(|u| f64::from(u8::from(u == t))).collect();
            centred(&kernel.calcium(&impulse))
        })
        .collect();
    let y = centred(y);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let gram: Vec<Vec<f64>> = columns.iter().map(|a| columns.iter().map(|b| dot(a, b)).collect()).collect();
    let pull: Vec<f64> = columns.iter().map(|a| dot(a, &y) - lambda).collect();
    let mut s = vec![0.0; samples];
    let mut free: Vec<usize> = Vec::new();
    for _ in 0..20 * samples {
        let gradient = |t: usize| pull[t] - dot(&gram[t], &s);
        let worst = (0..samples).filter(|t| !free.contains(t)).max_by(|&a, &b| gradient(a).total_cmp(&gradient(b)));
        let Some(worst) = worst.filter(|&t| gradient(t) > 1e-10) else {
            let made: Vec<f64> = (0..samples).map(|u| (0..samples).map(|t| columns[t][u] * s[t]).sum()).collect();
            return 0.5 * y.iter().zip(&made).map(|(y, c)| (y - c) * (y - c)).sum::<f64>()
                + lambda * s.iter().sum::<f64>();
        };
        free.push(worst);
        loop {
            let a = free.iter().map(|&i| free.iter().map(|&j| gram[i][j]).collect()).collect();
            let target = solve(a, free.iter().map(|&i| pull[i]).collect());
            let share = free.iter().zip(&target).filter(|(_, target)| **target <= 0.0);
            let share = share.map(|(&t, target)| s[t] / (s[t] - target)).fold(1.0, f64::min);
            for (&t, target) in free.iter().zip(&target) {
                s[t] += share * (target - s[t]);
            }
            if share >= 1.0 {
                break;
            }
            free.retain(|&t| {
                let stays = s[t] > 1e-14;
                s[t] = if stays { s[t] } else { 0.0 };
                stays
            });
        }
    }
    panic!("the dense solver did not end");
}

#[test]
fn the_minimum_is_that_of_dense_least_squares() {
    let mut furthest = 0.0_f64;
    for kernel in kernels() {
        for (samples, seed) in [(30, 1), (80, 2), (80, 3), (160, 4)] {
            let y = simulate(&kernel, samples, 0.08, 0.3, 0.3, seed).y;
            let mut solver = Solver::new(kernel, &y);
            for count in [0.05, 0.3, 1.0, 3.0] {
                let lambda = penalty::threshold(&kernel, samples, 0.3, count);
                let fit = solver.fit(lambda);
                let square: f64 = fit.residual(&y).iter().map(|r| r * r).sum();
                let ours = 0.5 * square + lambda * fit.spikes.iter().sum::<f64>();
                let difference = (ours / least(&kernel, &y, lambda) - 1.0).abs();
                assert!(fit.converged && difference < 1e-8, "{difference:e} at {samples} samples, {count}, {kernel:?}");
                furthest = furthest.max(difference);
            }
        }
    }
}

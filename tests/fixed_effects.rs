//! Fixed effects over runs: against their formulas, and their false-positive rates.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/dense.rs"]
mod dense;
#[path = "support/glm_data.rs"]
mod glm_data;
#[path = "support/random_run.rs"]
mod random_run;

use boldly::config::{ContrastKind, FixedEffects, Noise, Numerics, Profile};
use boldly::design::ContrastMatrix;
use boldly::inference::{Dof, StatMap};
use boldly::model::RunFit;
use glm_data::{contrast, run_design};
use ndarray::{Array1, Array2, array};
use random_run::{Normal, close, design_matrix, fit, statistics};

const NATIVE: Numerics = Numerics::of(Profile::Native);

/// Three runs of unequal length and noise, without effect.
fn null_fits(voxels: usize, noise: Noise, numerics: &Numerics, seed: u64) -> Vec<RunFit> {
    let mut normal = Normal::new(seed);
    [(40, 1.0), (60, 2.0), (50, 0.7)]
        .into_iter()
        .map(|(n, sigma)| {
            let data = (normal.array(n, voxels) * sigma + 100.0).mapv(|value| value as f32);
            fit(&data, &run_design(design_matrix(n), &[]), noise, numerics).unwrap()
        })
        .collect()
}

#[test]
fn fixed_effects_equal_their_formulas() {
    let fits = null_fits(4, Noise::Ar1, &NATIVE, 6);
    let one = contrast(ContrastKind::T, array![[1.0, -0.5, 0.0, 0.0]]);
    let two = contrast(ContrastKind::F, array![[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
    let single = |test: &ContrastMatrix| -> Vec<StatMap> {
        fits.iter().map(|fit| statistics(std::slice::from_ref(fit), test, FixedEffects::Mean, &NATIVE)).collect()
    };
    let runs = single(&one);
    let dof = [36.0, 56.0, 46.0];
    let precision = statistics(&fits, &one, FixedEffects::Precision, &NATIVE);
    let mean = statistics(&fits, &one, FixedEffects::Mean, &NATIVE);
    for voxel in 0..4 {
        let e: Vec<f64> = runs.iter().map(|run| run.effect[(0, voxel)]).collect();
        let v: Vec<f64> = runs.iter().map(|run| run.variance[(0, voxel)]).collect();
        let total: f64 = v.iter().map(|v| 1.0 / v).sum();
        let share: Vec<f64> = v.iter().map(|v| 1.0 / v / total).collect();
        close(precision.effect[(0, voxel)], (0..3).map(|run| share[run] * e[run]).sum(), 1e-13);
        let meier: f64 = (0..3).map(|run| share[run] * (1.0 - share[run]) / dof[run]).sum();
        close(precision.variance[(0, voxel)], (1.0 + 4.0 * meier) / total, 1e-13);
        assert_eq!(precision.dof, Dof::Same(138.0));
        close(mean.effect[(0, voxel)], e.iter().sum::<f64>() / 3.0, 1e-13);
        close(mean.variance[(0, voxel)], v.iter().sum::<f64>() / 9.0, 1e-13);
        let satterthwaite = v.iter().sum::<f64>().powi(2) / v.iter().zip(dof).map(|(v, dof)| v * v / dof).sum::<f64>();
        close(mean.dof.at(voxel), satterthwaite, 1e-13);
        assert!(satterthwaite > 36.0 && satterthwaite < 138.0);
    }
    // F: the Wald statistic from each run's covariance, rebuilt from the variances of rows, their sum and difference
    let plus = single(&contrast(ContrastKind::T, array![[1.0, 1.0, 0.0, 0.0]]));
    let first = single(&contrast(ContrastKind::T, array![[1.0, 0.0, 0.0, 0.0]]));
    let second = single(&contrast(ContrastKind::T, array![[0.0, 1.0, 0.0, 0.0]]));
    let pooled = statistics(&fits, &two, FixedEffects::Precision, &NATIVE);
    let averaged = statistics(&fits, &two, FixedEffects::Mean, &NATIVE);
    for voxel in 0..4 {
        let (mut weighted, mut inverses) = (Array1::zeros(2), Array2::zeros((2, 2)));
        let mut of_runs = Vec::new();
        let (mut sum, mut covariances) = (Array1::zeros(2), Array2::zeros((2, 2)));
        for run in 0..3 {
            let (a, b) = (first[run].variance[(0, voxel)], second[run].variance[(0, voxel)]);
            let c = 0.5 * (plus[run].variance[(0, voxel)] - a - b);
            let v = array![[a, c], [c, b]];
            let e = array![first[run].effect[(0, voxel)], second[run].effect[(0, voxel)]];
            weighted = weighted + dense::inverse(&v).dot(&e);
            inverses = inverses + dense::inverse(&v);
            sum = sum + e;
            covariances += &v;
            of_runs.push(v);
        }
        let plain = dense::inverse(&inverses);
        let effect = plain.dot(&weighted);
        let mut covariance = plain.clone();
        for (v, dof) in of_runs.iter().zip(dof) {
            let share = plain.dot(&dense::inverse(v));
            covariance = covariance + (&share - &share.dot(&share)).dot(&plain) * (4.0 / dof);
        }
        close(pooled.stat[voxel], effect.dot(&dense::inverse(&covariance).dot(&effect)) / 2.0, 1e-11);
        close(pooled.effect[(1, voxel)], effect[1], 1e-11);
        close(pooled.variance[(1, voxel)], covariance[(1, 1)], 1e-11);
        let (effect, covariance) = (sum / 3.0, covariances / 9.0);
        close(averaged.stat[voxel], effect.dot(&dense::inverse(&covariance).dot(&effect)) / 2.0, 1e-11);
        assert_eq!(averaged.dof, Dof::Same(138.0));
    }
}

#[test]
fn fixed_effects_over_null_runs_hold_their_rates() {
    let voxels = 60_000;
    let fits = null_fits(voxels, Noise::Ols, &NATIVE, 7);
    let t = contrast(ContrastKind::T, array![[1.0, -1.0, 0.0, 0.0]]);
    let f = contrast(ContrastKind::F, array![[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
    for (name, test, method) in [
        ("t precision", &t, FixedEffects::Precision),
        ("t mean", &t, FixedEffects::Mean),
        ("F mean", &f, FixedEffects::Mean),
        ("F precision", &f, FixedEffects::Precision),
    ] {
        let map = statistics(&fits, test, method, &NATIVE);
        for level in [0.05_f64, 0.001] {
            let rate = map.p(&NATIVE).iter().filter(|&&p| p < level).count() as f64 / voxels as f64;
            // four standard errors of the binomial
            let interval = 4.0 * (level * (1.0 - level) / voxels as f64).sqrt();
            assert!((rate - level).abs() < interval, "{name}: {rate} at {level}, allowed {interval}");
        }
        let variance = map.z.iter().map(|z| z * z).sum::<f64>() / voxels as f64;
        if test.kind == ContrastKind::T {
            // z has unit variance; its estimate a standard error of sqrt(2 / n)
            assert!((variance - 1.0).abs() < 4.0 * (2.0 / voxels as f64).sqrt(), "{name}: {variance}");
        }
    }
}

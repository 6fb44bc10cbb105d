//! One cell: its rates under every method.

use crate::cells::Cell;
use crate::design::design;
use crate::methods::{Estimates, Method, columns, run_design, series};
use crate::rates::{Rate, Voxel, power, rates};
use crate::simulation::{Run, Shape};
use boldly::config::FixedEffects;
use boldly::model::RunFit;
use ndarray::Axis;

/// About how many voxels stand for all in [`Method::is_sampled`].
const SAMPLE: usize = 8192;

/// What came of a method in a cell.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub method: &'static str,
    pub n_voxels: usize,
    pub rates: [Rate; 2],
    /// Relative to the oracle's.
    pub power: f64,
}

/// What came of a cell.
#[derive(Debug, Clone)]
pub struct Row {
    pub cell: Cell,
    pub n_runs: usize,
    pub outcomes: Vec<Outcome>,
}

impl Row {
    pub fn of(&self, method: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.method == method)
    }
}

/// Voxels as seen by a method: `voxels` of `run`, in the order of `estimates`.
fn seen(run: &Run, voxels: &[usize], estimates: &Estimates) -> Vec<Voxel> {
    let of_voxel = |(place, &voxel): (usize, &usize)| {
        let deviation = run.variance[voxel].sqrt();
        Voxel {
            shift: (estimates.effect[place] - run.effect[voxel]) / deviation,
            error: estimates.variance[place].sqrt() / deviation,
            dof: estimates.dof[place],
            part: run.shape.part(voxel),
        }
    };
    voxels.iter().enumerate().map(of_voxel).collect()
}

fn oracle(run: &Run, voxels: &[usize], dof: f64) -> Vec<Voxel> {
    let of_voxel = |&voxel: &usize| {
        let error = run.standard_error[voxel] / run.variance[voxel].sqrt();
        Voxel { shift: 0.0, error, dof, part: run.shape.part(voxel) }
    };
    voxels.iter().map(of_voxel).collect()
}

/// Run number `number`.
pub fn single(cell: Cell, n_voxels: usize, methods: &[Method], number: u64) -> Row {
    let matrix = design(&cell);
    let run = Run::draw(&cell, &matrix, Shape::of(n_voxels), number);
    let dof = (matrix.nrows() - matrix.ncols()) as f64;
    let design = run_design(matrix, cell.tr_s);
    let n_voxels = run.shape.n_voxels();
    let all: Vec<usize> = (0..n_voxels).collect();
    // an odd step, so that the sample has every place of a cube
    let sample: Vec<usize> = all.iter().copied().step_by((n_voxels / SAMPLE).max(1) | 1).collect();
    let every = series(&run.data, run.shape);
    let some = columns(&run.data.select(Axis(1), &sample));
    let n_parts = run.shape.n_parts();
    let best = oracle(&run, &all, dof);
    let best_of_sample = oracle(&run, &sample, dof);
    let mut outcomes = vec![Outcome { method: "oracle", n_voxels, rates: rates(&best, n_parts), power: 1.0 }];
    for &method in methods {
        let (series, voxels, best) =
            if method.is_sampled() { (&some, &sample, &best_of_sample) } else { (&every, &all, &best) };
        let fit = method.fit(series, &design);
        let seen = seen(&run, voxels, &Estimates::of(&[fit], FixedEffects::Precision, &method.numerics()));
        let power = power(&seen, best);
        outcomes.push(Outcome { method: method.name(), n_voxels: voxels.len(), rates: rates(&seen, n_parts), power });
    }
    Row { cell, n_runs: 1, outcomes }
}

/// Fixed effects over runs, by precision and by mean, of the methods that see all voxels.
pub fn several(cell: Cell, n_voxels: usize, n_runs: usize) -> Row {
    let matrix = design(&cell);
    let design = run_design(matrix.clone(), cell.tr_s);
    let runs: Vec<Run> =
        (0..n_runs).map(|run| Run::draw(&cell, &matrix, Shape::of(n_voxels), 1 + run as u64)).collect();
    let n_voxels = runs[0].shape.n_voxels();
    let mut outcomes = Vec::new();
    for (method, combination, name) in [
        (Method::Ols, FixedEffects::Precision, "ols precision"),
        (Method::NilearnAr1, FixedEffects::Precision, "nilearn-ar1 precision"),
        (Method::PooledAr, FixedEffects::Precision, "pooled-ar precision"),
        (Method::PooledAr, FixedEffects::Mean, "pooled-ar mean"),
    ] {
        let fits: Vec<RunFit> = runs.iter().map(|run| method.fit(&series(&run.data, run.shape), &design)).collect();
        let numerics = method.numerics();
        let each: Vec<Estimates> =
            fits.iter().map(|fit| Estimates::of(std::slice::from_ref(fit), combination, &numerics)).collect();
        let together = Estimates::of(&fits, combination, &numerics);
        let of_voxel = |voxel: usize| {
            let mut weights: Vec<f64> = match combination {
                FixedEffects::Precision => each.iter().map(|run| run.variance[voxel].recip()).collect(),
                FixedEffects::Mean => vec![1.0; n_runs],
            };
            let total: f64 = weights.iter().sum();
            for weight in &mut weights {
                *weight /= total;
            }
            // weights come from residuals alone: given those, the effect is normal about its distance from the truth
            let of_runs = || weights.iter().zip(&runs).zip(&each);
            let effect: f64 = of_runs().map(|((weight, _), run)| weight * run.effect[voxel]).sum();
            assert!((effect - together.effect[voxel]).abs() < 1e-6 * (1.0 + effect.abs()), "{effect}");
            let best: f64 = of_runs().map(|((weight, run), _)| weight * run.effect[voxel]).sum();
            let variance: f64 = of_runs().map(|((weight, run), _)| weight * weight * run.variance[voxel]).sum();
            let deviation = variance.sqrt();
            Voxel {
                shift: (effect - best) / deviation,
                error: together.variance[voxel].sqrt() / deviation,
                dof: together.dof[voxel],
                part: runs[0].shape.part(voxel),
            }
        };
        let seen: Vec<Voxel> = (0..n_voxels).map(of_voxel).collect();
        outcomes.push(Outcome {
            method: name,
            n_voxels,
            rates: rates(&seen, runs[0].shape.n_parts()),
            power: f64::NAN,
        });
    }
    Row { cell, n_runs, outcomes }
}

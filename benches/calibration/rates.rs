//! Exact rates of a method given what it computes.
//!
//! The estimate under the true covariance is independent of the residuals, and so of everything that a noise model makes of
//! them: its variance, and how far its effect is from that estimate. Given those, the effect is normal about that distance
//! with the true variance, and the probability that a voxel is called active is known; no draw is thrown away on coin
//! flips (Rao-Blackwell).

use libm::erfc;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Two-sided levels.
pub const LEVELS: [f64; 2] = [0.05, 0.001];

/// What a voxel's rate depends on.
#[derive(Debug, Clone, Copy)]
pub struct Voxel {
    /// The effect minus that under the true covariance, in true standard deviations.
    pub shift: f64,
    /// The standard error that was estimated over the true one.
    pub error: f64,
    pub dof: f64,
    /// Part of the box that it is in.
    pub part: usize,
}

impl Voxel {
    /// Probability that |t| exceeds `threshold`, the true effect being `effect` standard deviations.
    fn exceeds(&self, threshold: f64, effect: f64) -> f64 {
        let upper = |z: f64| 0.5 * erfc(z * std::f64::consts::FRAC_1_SQRT_2);
        let (width, centre) = (threshold * self.error, self.shift + effect);
        upper(width - centre) + upper(width + centre)
    }
}

/// A rate and its standard error.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub value: f64,
    pub error: f64,
}

/// Upper quantile of t for a two-sided level.
fn critical(level: f64, dof: f64) -> f64 {
    StudentsT::new(0.0, 1.0, dof).unwrap().inverse_cdf(1.0 - level / 2.0)
}

/// Rates of false positives at [`LEVELS`]; that of the first level is one minus the coverage of the 95 % interval.
pub fn rates(voxels: &[Voxel], n_parts: usize) -> [Rate; 2] {
    LEVELS.map(|level| {
        let dof: Vec<f64> = voxels.iter().map(|voxel| voxel.dof).collect();
        let thresholds = Thresholds::of_level(level, &dof);
        let of_voxel = |voxel: &Voxel| voxel.exceeds(thresholds.at(voxel.dof), 0.0);
        let each: Vec<f64> = voxels.par_iter().with_min_len(1024).map(of_voxel).collect();
        let (mut sums, mut counts) = (vec![0.0; n_parts], vec![0.0_f64; n_parts]);
        for (voxel, rate) in voxels.iter().zip(&each) {
            sums[voxel.part] += rate;
            counts[voxel.part] += 1.0;
        }
        let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
        let n = n_parts as f64;
        let mean = means.iter().sum::<f64>() / n;
        let squares = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        Rate { value: each.iter().sum::<f64>() / each.len() as f64, error: (squares / (n - 1.0) / n).sqrt() }
    })
}

/// Share of the oracle's sensitivity at the effect where it finds half, both at the p whose true rate is .001.
pub fn power(voxels: &[Voxel], oracle: &[Voxel]) -> f64 {
    let of_oracle = threshold(oracle);
    let effect = root(|effect| mean(oracle, of_oracle, effect).ln() - 0.5_f64.ln(), of_oracle - 0.5, of_oracle + 0.5);
    mean(voxels, threshold(voxels), effect) / 0.5
}

/// In units of t of the first voxel.
fn threshold(voxels: &[Voxel]) -> f64 {
    root(|threshold| mean(voxels, threshold, 0.0).ln() - LEVELS[1].ln(), 3.2, 3.6)
}

/// Share of voxels whose p is below that of a `threshold` of the first.
fn mean(voxels: &[Voxel], threshold: f64, effect: f64) -> f64 {
    let dof: Vec<f64> = voxels.iter().map(|voxel| voxel.dof).collect();
    let thresholds = Thresholds::new(&dof, threshold);
    let exceeds = |voxel: &Voxel| voxel.exceeds(thresholds.at(voxel.dof), effect);
    let each: Vec<f64> = voxels.par_iter().with_min_len(1024).map(exceeds).collect();
    each.iter().sum::<f64>() / each.len() as f64
}

/// t of one p by degrees of freedom: straight lines in one over them, in which t is nearly straight itself.
pub struct Thresholds {
    /// Least and largest of one over the degrees of freedom.
    range: [f64; 2],
    values: Vec<f64>,
}

impl Thresholds {
    const NODES: usize = 200;

    /// Of a two-sided level.
    pub fn of_level(level: f64, dof: &[f64]) -> Self {
        Self::new(dof, critical(level, dof[0]))
    }

    /// Of the p that the t `of_first` has at the first of `dof`.
    fn new(dof: &[f64], of_first: f64) -> Self {
        let inverse = || dof.iter().map(|dof| dof.recip());
        let range = [inverse().fold(f64::INFINITY, f64::min), inverse().fold(0.0, f64::max)];
        if range[0] == range[1] {
            return Self { range, values: vec![of_first] };
        }
        let level = 2.0 * StudentsT::new(0.0, 1.0, dof[0]).unwrap().sf(of_first);
        let node = |node: usize| range[0] + (range[1] - range[0]) * node as f64 / Self::NODES as f64;
        Self { range, values: (0..=Self::NODES).map(|at| critical(level, node(at).recip())).collect() }
    }

    pub fn at(&self, dof: f64) -> f64 {
        if self.values.len() == 1 {
            return self.values[0];
        }
        let place = (dof.recip() - self.range[0]) / (self.range[1] - self.range[0]) * Self::NODES as f64;
        let below = (place as usize).min(Self::NODES - 1);
        self.values[below] + (place - below as f64) * (self.values[below + 1] - self.values[below])
    }
}

/// Zero of a monotonic function, by secants.
fn root(f: impl Fn(f64) -> f64, mut a: f64, mut b: f64) -> f64 {
    let (mut fa, mut fb) = (f(a), f(b));
    for _ in 0..20 {
        if fb.abs() < 1e-7 || fa == fb {
            break;
        }
        let step = (fb * (b - a) / (fb - fa)).clamp(-2.0, 2.0);
        (a, fa) = (b, fb);
        b -= step;
        fb = f(b);
    }
    b
}

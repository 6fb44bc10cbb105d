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
pub fn critical(level: f64, dof: f64) -> f64 {
    StudentsT::new(0.0, 1.0, dof).unwrap().inverse_cdf(1.0 - level / 2.0)
}

/// Rates of false positives at [`LEVELS`]; that of the first level is one minus the coverage of the 95 % interval.
pub fn rates(voxels: &[Voxel], n_parts: usize) -> [Rate; 2] {
    LEVELS.map(|level| {
        let same = voxels.iter().all(|voxel| voxel.dof == voxels[0].dof);
        let common = critical(level, voxels[0].dof);
        let of_voxel = |voxel: &Voxel| voxel.exceeds(if same { common } else { critical(level, voxel.dof) }, 0.0);
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

/// Share of the oracle's sensitivity at the effect where it finds half, both at the threshold whose true rate is .001.
pub fn power(voxels: &[Voxel], oracle: &[Voxel]) -> f64 {
    let of_oracle = threshold(oracle);
    let effect = root(|effect| mean(oracle, of_oracle, effect).ln() - 0.5_f64.ln(), of_oracle - 0.5, of_oracle + 0.5);
    mean(voxels, threshold(voxels), effect) / 0.5
}

fn threshold(voxels: &[Voxel]) -> f64 {
    root(|threshold| mean(voxels, threshold, 0.0).ln() - LEVELS[1].ln(), 3.2, 3.6)
}

fn mean(voxels: &[Voxel], threshold: f64, effect: f64) -> f64 {
    let each: Vec<f64> = voxels.par_iter().with_min_len(1024).map(|voxel| voxel.exceeds(threshold, effect)).collect();
    each.iter().sum::<f64>() / each.len() as f64
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

//! Exact autocovariances of the noise, and what they say of a design.

use crate::cells::Spectrum;
use ndarray::Array2;

/// Period of the 1/f noise, frames.
const PERIOD: usize = 4096;

/// Autocovariances at lags of 0 to `n - 1` frames, that at 0 being 1.
pub fn autocovariances(spectrum: Spectrum, strength: f64, n: usize) -> Vec<f64> {
    match spectrum {
        Spectrum::White => normalised(&[1.0], n),
        Spectrum::Ar1 => arma(&[0.6 * strength], 0.0, n),
        Spectrum::Arma11 => arma(&[0.8], -0.8 + 0.3 * strength, n),
        Spectrum::Ar2 => arma(&[0.5 * strength, 0.3 * strength], 0.0, n),
        Spectrum::Pink => {
            let share = 0.5 * strength;
            let mut all: Vec<f64> = one_over_f(n).into_iter().map(|at| share * at).collect();
            all[0] = 1.0;
            all
        }
    }
}

/// Of an ARMA process, from its response to an impulse, which is 0 after 2048 frames to all digits.
fn arma(phi: &[f64], theta: f64, n: usize) -> Vec<f64> {
    let mut impulse = vec![0.0; 2048];
    for t in 0..impulse.len() {
        let innovation = [1.0, theta].get(t).copied().unwrap_or(0.0);
        let past: f64 = phi.iter().enumerate().filter(|(i, _)| *i < t).map(|(i, phi)| phi * impulse[t - i - 1]).sum();
        impulse[t] = innovation + past;
    }
    normalised(&impulse, n)
}

fn normalised(impulse: &[f64], n: usize) -> Vec<f64> {
    let at = |lag: usize| impulse.iter().zip(impulse.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
    let variance = at(0);
    (0..n).map(|lag| at(lag) / variance).collect()
}

/// Of noise whose power is 1/k at k cycles a period, none at 0.
fn one_over_f(n: usize) -> Vec<f64> {
    let half = PERIOD / 2;
    let at = |lag: usize| -> f64 {
        let turn = |k: usize| std::f64::consts::TAU * ((k * lag) % PERIOD) as f64 / PERIOD as f64;
        (1..half).map(|k| 2.0 * turn(k).cos() / k as f64).sum::<f64>() + turn(half).cos() / half as f64
    };
    let variance = at(0);
    (0..n).map(|lag| at(lag) / variance).collect()
}

/// Lower Cholesky factor of a Toeplitz matrix.
pub fn factor(autocovariances: &[f64]) -> Array2<f64> {
    let v = Array2::from_shape_fn((autocovariances.len(), autocovariances.len()), |(s, t)| {
        autocovariances[usize::abs_diff(s, t)]
    });
    cholesky(&v)
}

fn cholesky(v: &Array2<f64>) -> Array2<f64> {
    let n = v.nrows();
    let mut l = Array2::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = l.row(i).iter().zip(l.row(j)).take(j).map(|(a, b): (&f64, &f64)| a * b).sum();
            l[(i, j)] = if i == j { (v[(i, i)] - sum).sqrt() } else { (v[(i, j)] - sum) / l[(j, j)] };
        }
    }
    l
}

/// Generalised least squares under the true covariance `L L'`, in terms of the white innovations `e`, `y = L e`.
pub struct Oracle {
    /// The estimate of the first coefficient is `weights' e`.
    pub weights: Vec<f64>,
    /// Its variance.
    pub variance: f64,
    /// Orthonormal basis of the whitened design, frame x rank.
    pub basis: Array2<f64>,
}

impl Oracle {
    pub fn new(design: &Array2<f64>, factor: &Array2<f64>) -> Self {
        let (n, k) = design.dim();
        let mut white = design.clone();
        for column in 0..k {
            for t in 0..n {
                let past: f64 = (0..t).map(|s| factor[(t, s)] * white[(s, column)]).sum();
                white[(t, column)] = (white[(t, column)] - past) / factor[(t, t)];
            }
        }
        // the task last: what is left of it beside the others carries its estimate
        let mut basis = Array2::zeros((n, k));
        let mut left = 0.0;
        for (place, column) in (1..k).chain([0]).enumerate() {
            let mut rest = white.column(column).to_owned();
            for _ in 0..2 {
                for before in 0..place {
                    let before = basis.column(before);
                    let along = before.dot(&rest);
                    rest.scaled_add(-along, &before);
                }
            }
            left = rest.dot(&rest).sqrt();
            basis.column_mut(place).assign(&(rest / left));
        }
        let weights = basis.column(k - 1).iter().map(|q: &f64| q / left).collect();
        Self { weights, variance: left.powi(-2), basis }
    }
}

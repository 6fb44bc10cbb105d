//! The documented estimator written out: dense designs, the true variance of a contrast, and its null distribution.

use crate::dense::inverse;
use ndarray::{Array1, Array2, s};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A design: conditions first, then what else is known to be in the data.
pub(crate) struct Design {
    x: Array2<f64>,
    /// The same, frame by frame.
    rows: Vec<Vec<f64>>,
    /// (X'X)^-1 X'.
    pseudo_inverse: Array2<f64>,
    conditions: usize,
}

impl Design {
    /// Conditions as they are; nuisance columns scaled to length 1; cosines up to `high_pass_hz`; a constant.
    pub(crate) fn new(conditions: &[Vec<f64>], nuisance: &[Vec<f64>], tr_s: f64, high_pass_hz: f64) -> Self {
        let n = conditions[0].len();
        let mut columns = conditions.to_vec();
        for column in nuisance {
            let length = column.iter().map(|value| value * value).sum::<f64>().sqrt();
            columns.push(column.iter().map(|value| value / length).collect());
        }
        let cosines = (2.0 * n as f64 * high_pass_hz * tr_s).floor() as usize;
        for order in 1..=cosines {
            let angle = |frame: usize| std::f64::consts::PI * order as f64 * (frame as f64 + 0.5) / n as f64;
            columns.push((0..n).map(|frame| angle(frame).cos()).collect());
        }
        columns.push(vec![1.0; n]);
        let x = Array2::from_shape_fn((n, columns.len()), |(frame, column)| columns[column][frame]);
        let pseudo_inverse = inverse(&x.t().dot(&x)).dot(&x.t());
        let rows = x.outer_iter().map(|row| row.to_vec()).collect();
        Self { x, rows, pseudo_inverse, conditions: conditions.len() }
    }

    pub(crate) fn dof(&self) -> f64 {
        (self.x.nrows() - self.x.ncols()) as f64
    }

    /// What least squares multiplies each frame with to get a contrast of the conditions.
    pub(crate) fn frame_weights(&self, contrast: &[f64]) -> Array1<f64> {
        Array1::from(contrast.to_vec()).dot(&self.pseudo_inverse.slice(s![..self.conditions, ..]))
    }

    /// Variance of the least-squares contrast for AR(1) noise of variance 1: sums of products of its frame weights,
    /// lag by lag.
    pub(crate) fn least_squares_variance(&self, contrast: &[f64]) -> impl Fn(f64) -> f64 + use<> {
        let a = self.frame_weights(contrast);
        let lags: Vec<f64> = (0..a.len()).map(|lag| a.slice(s![lag..]).dot(&a.slice(s![..a.len() - lag]))).collect();
        move |rho| lags[0] + 2.0 * lags.iter().skip(1).rev().fold(0.0, |sum, lag| (sum + lag) * rho)
    }

    /// Variance of the contrast for the same noise by generalised least squares that knows rho.
    pub(crate) fn generalised_variance(&self, contrast: &[f64], rho: f64) -> f64 {
        let whitened = whiten(&self.x, rho);
        let covariance = inverse(&whitened.t().dot(&whitened)) * (1.0 - rho * rho);
        quadratic(contrast, &covariance)
    }

    /// Lag-1 autocorrelation of least-squares residuals for AR(1) noise: the ratio of expectations, from R V R with R
    /// what makes residuals of data.
    pub(crate) fn expected_residual_correlation(&self, rho: f64) -> f64 {
        let n = self.x.nrows();
        let residual = Array2::eye(n) - self.x.dot(&self.pseudo_inverse);
        let noise = Array2::from_shape_fn((n, n), |(a, b)| rho.powf(a.abs_diff(b) as f64));
        let covariance = residual.dot(&noise).dot(&residual);
        (1..n).map(|frame| covariance[(frame - 1, frame)]).sum::<f64>() / covariance.diag().sum()
    }

    /// Estimates of the conditions from one series, with their covariance.
    fn fit(&self, y: &[f64], autoregressive: bool) -> Fit {
        let residuals = |beta: &[f64]| -> Vec<f64> {
            let fitted = |row: &[f64]| row.iter().zip(beta).map(|(x, beta)| x * beta).sum::<f64>();
            self.rows.iter().zip(y).map(|(row, y)| y - fitted(row)).collect()
        };
        let mut whitened = Whitened::new(&self.rows, y, 0.0);
        let mut rho = 0.0;
        if autoregressive {
            let e = residuals(&whitened.solve());
            rho = e.windows(2).map(|e| e[0] * e[1]).sum::<f64>() / e.iter().map(|e| e * e).sum::<f64>();
            whitened = Whitened::new(&self.rows, y, rho);
        }
        let beta = whitened.solve();
        let e = residuals(&beta);
        let squares = (1.0 - rho * rho) * e[0] * e[0] + e.windows(2).map(|e| (e[1] - rho * e[0]).powi(2)).sum::<f64>();
        let covariance = whitened.inverse(self.conditions) * (squares / self.dof());
        Fit { beta, covariance, dof: self.dof() }
    }
}

/// Normal equations of whitened rows, factored: L L' = X' V^-1 X up to a scale.
struct Whitened {
    lower: Vec<Vec<f64>>,
    right: Vec<f64>,
}

impl Whitened {
    fn new(rows: &[Vec<f64>], y: &[f64], rho: f64) -> Self {
        let p = rows[0].len();
        let (mut gram, mut right) = (vec![vec![0.0; p]; p], vec![0.0; p]);
        let first = (1.0 - rho * rho).sqrt();
        let mut row = vec![0.0; p];
        for frame in 0..y.len() {
            let white = if frame == 0 {
                row.iter_mut().zip(&rows[0]).for_each(|(row, x)| *row = first * x);
                first * y[0]
            } else {
                let pair = rows[frame].iter().zip(&rows[frame - 1]);
                row.iter_mut().zip(pair).for_each(|(row, (x, before))| *row = x - rho * before);
                y[frame] - rho * y[frame - 1]
            };
            for (i, &x) in row.iter().enumerate() {
                right[i] += x * white;
                gram[i][..=i].iter_mut().zip(&row).for_each(|(sum, other)| *sum += x * other);
            }
        }
        // Cholesky, row by row
        for i in 0..p {
            for j in 0..=i {
                let (done, this) = gram.split_at_mut(i);
                let other = if j < i { &done[j] } else { &this[0].clone() };
                let rest = this[0][j] - this[0][..j].iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
                this[0][j] = if j < i { rest / other[j] } else { rest.sqrt() };
            }
        }
        Self { lower: gram, right }
    }

    fn solve_for(&self, right: &[f64]) -> Vec<f64> {
        let p = right.len();
        let mut out = right.to_vec();
        for i in 0..p {
            let known: f64 = (0..i).map(|j| self.lower[i][j] * out[j]).sum();
            out[i] = (out[i] - known) / self.lower[i][i];
        }
        for i in (0..p).rev() {
            let known: f64 = (i + 1..p).map(|j| self.lower[j][i] * out[j]).sum();
            out[i] = (out[i] - known) / self.lower[i][i];
        }
        out
    }

    fn solve(&self) -> Vec<f64> {
        self.solve_for(&self.right)
    }

    /// The first rows and columns of the inverse.
    fn inverse(&self, size: usize) -> Array2<f64> {
        let p = self.right.len();
        let column = |at: usize| self.solve_for(&(0..p).map(|i| f64::from(u8::from(i == at))).collect::<Vec<_>>());
        let columns: Vec<Vec<f64>> = (0..size).map(column).collect();
        Array2::from_shape_fn((size, size), |(i, j)| columns[j][i])
    }
}

struct Fit {
    beta: Vec<f64>,
    covariance: Array2<f64>,
    dof: f64,
}

/// Rows of AR(1) made white: the first scaled by sqrt(1 - rho^2), the others less rho times the one before.
fn whiten(rows: &Array2<f64>, rho: f64) -> Array2<f64> {
    let mut white = rows.clone();
    let n = rows.nrows();
    white.slice_mut(s![1.., ..]).scaled_add(-rho, &rows.slice(s![..n - 1, ..]));
    white.row_mut(0).mapv_inplace(|value| value * (1.0 - rho * rho).sqrt());
    white
}

/// c V c' for a contrast of the first columns.
fn quadratic(contrast: &[f64], covariance: &Array2<f64>) -> f64 {
    let n = contrast.len();
    (0..n * n).map(|at| (at / n, at % n)).map(|(i, j)| contrast[i] * contrast[j] * covariance[(i, j)]).sum()
}

/// Combination of runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Combine {
    Precision,
    Mean,
}

/// Two-sided p of null voxels: for each contrast one p a voxel. The noise of a voxel is AR(1) with its `rho` in every
/// run, voxels are independent, and the estimator is the documented one.
pub(crate) fn null_p(
    runs: &[Design],
    contrasts: &[Vec<f64>],
    rho: impl Iterator<Item = f64>,
    autoregressive: bool,
    combine: Combine,
    seed: u64,
) -> Vec<Vec<f64>> {
    let mut normal = Normal(Xoshiro256PlusPlus::seed_from_u64(seed));
    let mut p = vec![Vec::new(); contrasts.len()];
    for rho in rho {
        let fits: Vec<Fit> =
            runs.iter().map(|run| run.fit(&normal.series(run.x.nrows(), rho), autoregressive)).collect();
        for (contrast, p) in contrasts.iter().zip(&mut p) {
            let effects: Vec<f64> =
                fits.iter().map(|fit| contrast.iter().zip(&fit.beta).map(|(c, beta)| c * beta).sum()).collect();
            let variances: Vec<f64> = fits.iter().map(|fit| quadratic(contrast, &fit.covariance)).collect();
            let dof: Vec<f64> = fits.iter().map(|fit| fit.dof).collect();
            p.push(combined_p(&effects, &variances, &dof, combine));
        }
    }
    p
}

fn combined_p(effects: &[f64], variances: &[f64], dof: &[f64], combine: Combine) -> f64 {
    let runs = effects.len() as f64;
    let (effect, variance, dof) = match combine {
        Combine::Precision => {
            let total: f64 = variances.iter().map(|v| 1.0 / v).sum();
            let effect = effects.iter().zip(variances).map(|(e, v)| e / v).sum::<f64>() / total;
            let share = variances.iter().map(|v| 1.0 / v / total);
            let meier: f64 = share.zip(dof).map(|(share, dof)| share * (1.0 - share) / dof).sum();
            (effect, (1.0 + 4.0 * meier) / total, dof.iter().sum::<f64>())
        }
        Combine::Mean => {
            let sum: f64 = variances.iter().sum();
            let satterthwaite = sum * sum / variances.iter().zip(dof).map(|(v, dof)| v * v / dof).sum::<f64>();
            (effects.iter().sum::<f64>() / runs, sum / (runs * runs), satterthwaite)
        }
    };
    2.0 * StudentsT::new(0.0, 1.0, dof).unwrap().sf((effect / variance.sqrt()).abs())
}

/// Seeded normal numbers (Box and Muller).
struct Normal(Xoshiro256PlusPlus);

impl Normal {
    fn draw(&mut self) -> f64 {
        let mut uniform = || (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    }

    /// Stationary AR(1) of variance 1.
    fn series(&mut self, n: usize, rho: f64) -> Vec<f64> {
        let innovation = (1.0 - rho * rho).sqrt();
        let mut series = vec![self.draw()];
        while series.len() < n {
            let next = rho * series[series.len() - 1] + innovation * self.draw();
            series.push(next);
        }
        series
    }
}

//! The one direction of lag products in which voxels differ most beyond noise, and its noise measured.
//!
//! The halves of a run have noise of their own, so what covaries between them over voxels is real. With `u_1`, `u_2` the lag
//! products of the halves (mean over voxels removed), `C` their covariance between halves and `N` that of `(u_1 - u_2) / 2`,
//! the feature is `w'(u_1 + u_2) / 2` for the w of the largest `w'Cw / w'Nw`; `w'(u_1 - u_2) / 2` is a twin with the same noise
//! and nothing else, by which every noise level is measured, whatever the smoothness of the data.

use super::cascade::Neighbourhood;
use crate::model::cholesky::{factor_packed, solve_lower_packed, solve_upper_packed};
use crate::model::linalg::symmetric_eigen;
use crate::model::noise::lag_products::LagProducts;
use ndarray::Array2;

/// Added to the noise's covariance, relative to its mean diagonal.
const RIDGE: f64 = 1e-6;

/// The feature of each column.
pub(super) struct Feature {
    /// Feature and twin of each column.
    pub(super) signal: Vec<f32>,
    pub(super) twin: Vec<f32>,
    /// Lag products of the halves, their noise made white: column x (lag of the first half, of the second).
    white: Vec<f32>,
    n_lags: usize,
}

impl Feature {
    /// Of lag products over `scales`.
    pub(super) fn new(products: &LagProducts, scales: &[f64]) -> Self {
        let m = products.compared + 1;
        let [first, second] = [0, 1].map(|half| centred(&products.half_relative_to(half, scales), m));
        let n_columns = (first.len() / m) as f64;
        let mut between = Array2::<f64>::zeros((m, m));
        let mut noise = Array2::<f64>::zeros((m, m));
        for (u, v) in first.chunks_exact(m).zip(second.chunks_exact(m)) {
            for i in 0..m {
                for j in 0..m {
                    between[(i, j)] += u[i] * v[j] / n_columns;
                    noise[(i, j)] += (u[i] - v[i]) * (u[j] - v[j]) / (4.0 * n_columns);
                }
            }
        }
        let ridge = RIDGE * noise.diag().sum() / m as f64;
        let pack = |added: f64| -> Vec<f64> {
            let entry = |i: usize, j: usize| noise[(i, j)] + if i == j { added } else { 0.0 };
            (0..m).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
        };
        let mut factor = pack(ridge);
        let direction = factor_packed(&mut factor, m).then(|| leading(&between, &factor)).flatten();
        let direction = direction.unwrap_or_else(|| vec![0.0; m]); // of too few voxels: all alike
        let along = |u: &[f64], v: &[f64], sign: f64| {
            let terms = direction.iter().zip(u.iter().zip(v));
            (0.5 * terms.map(|(w, (u, v))| w * (u + sign * v)).sum::<f64>()) as f32
        };
        let columns = || first.chunks_exact(m).zip(second.chunks_exact(m));
        let signal = columns().map(|(u, v)| along(u, v, 1.0)).collect();
        let twin = columns().map(|(u, v)| along(u, v, -1.0)).collect();
        let mut whitening = pack(0.0);
        let regular = factor_packed(&mut whitening, m);
        let whiten = |u: &[f64]| {
            let mut x = u.to_vec();
            if regular {
                solve_lower_packed(&whitening, &mut x);
            }
            x.into_iter().map(|value| value as f32).collect::<Vec<f32>>()
        };
        let white = columns().flat_map(|(u, v)| [whiten(u), whiten(v)]).flatten().collect();
        Self { signal, twin, white, n_lags: m }
    }

    /// After how many of the averages `steps` one half's lag products foretell the other half's best, among those after
    /// `least_steps` into which `least_voxels` independent voxels went; all where none did.
    ///
    /// Averages without regard to the feature: those with it follow the noise they were chosen by. With unit noise the risk is
    /// the mean square about the other half, less its noise, less what the average's own noise gains from half to all data.
    pub(super) fn best_steps(
        &self,
        around: &Neighbourhood,
        steps: &[usize],
        least_steps: usize,
        least_voxels: f64,
    ) -> usize {
        let m = self.n_lags;
        let n_values = (self.white.len() / 2) as f64;
        let mut averaged = self.white.clone();
        let mut best = (f64::INFINITY, steps.len());
        for (at, &step) in steps.iter().enumerate() {
            averaged = around.averaged(averaged, 2 * m, &[step], None);
            let (mut risk, mut own) = (0.0, 0.0);
            for (x, g) in self.white.chunks_exact(2 * m).zip(averaged.chunks_exact(2 * m)) {
                for lag in 0..m {
                    let [x1, x2, g1, g2] = [x[lag], x[m + lag], g[lag], g[m + lag]].map(f64::from);
                    risk += 0.5 * ((x1 - g2).powi(2) + (x2 - g1).powi(2));
                    own += 0.25 * (g1 - g2).powi(2);
                }
            }
            let (risk, own) = (risk / n_values, own / n_values);
            if at + 1 >= least_steps && least_voxels * own <= 1.0 && risk - own < best.0 {
                best = (risk - own, at + 1);
            }
        }
        best.1
    }
}

/// Values (column x lag) less their mean over columns.
fn centred(values: &[f32], n_lags: usize) -> Vec<f64> {
    let n_columns = (values.len() / n_lags) as f64;
    let mut mean = vec![0.0; n_lags];
    for lags in values.chunks_exact(n_lags) {
        mean.iter_mut().zip(lags).for_each(|(mean, value)| *mean += f64::from(*value) / n_columns);
    }
    values
        .chunks_exact(n_lags)
        .flat_map(|lags| lags.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean))
        .collect()
}

/// The w of the largest `w'Cw` among those of `w'Nw = 1`, `C` the symmetric part of `between`, N by its Cholesky factor.
fn leading(between: &Array2<f64>, factor: &[f64]) -> Option<Vec<f64>> {
    let m = between.nrows();
    // L^-1 C L'^-1, column by column, then row by row
    let mut c = 0.5 * (between + &between.t());
    for _ in 0..2 {
        for mut column in c.columns_mut() {
            let mut solved = column.to_vec();
            solve_lower_packed(factor, &mut solved);
            column.iter_mut().zip(solved).for_each(|(value, solved)| *value = solved);
        }
        c = c.reversed_axes().as_standard_layout().to_owned();
    }
    let (_, vectors) = symmetric_eigen(&c).ok()?;
    let mut w = vectors.column(m - 1).to_vec();
    solve_upper_packed(factor, &mut w);
    Some(w)
}

//! Sums over time of residuals times themselves some rows later, of each column.

use crate::signal::widest::{AddProducts, widest};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;

/// Columns worked on at once: their sums stay in a core's nearest cache.
const TILE_COLUMNS: usize = 128;

/// Lag products of `residuals` (row x column) into `measures` (lag 0 to the largest x column).
pub(super) fn measure(residuals: &Array2<f64>, mut measures: ArrayViewMut2<'_, f32>) {
    let n_lags = measures.nrows();
    let n_columns = residuals.ncols();
    for start in (0..n_columns).step_by(TILE_COLUMNS) {
        let columns = start..(start + TILE_COLUMNS).min(n_columns);
        let width = columns.len();
        let tile = residuals.slice(s![.., columns.clone()]).as_standard_layout().to_owned();
        let Some(rows) = tile.as_slice() else { continue }; // in standard order
        let mut sums = vec![0.0; n_lags * width];
        for (now, row) in rows.chunks_exact(width).enumerate() {
            for (lag, sums) in sums.chunks_exact_mut(width).enumerate().take(now + 1) {
                let before = &rows[(now - lag) * width..][..width];
                widest(AddProducts { sums, a: row, b: before });
            }
        }
        for (mut row, sums) in measures.outer_iter_mut().zip(sums.chunks_exact(width)) {
            row.slice_mut(s![columns.clone()]).iter_mut().zip(sums).for_each(|(to, sum)| *to = *sum as f32);
        }
    }
}

/// Lag products of the columns that are used: column x lag.
pub(super) struct LagProducts {
    pub(super) values: Vec<f32>,
    /// Lags, from 0 on.
    pub(super) n_lags: usize,
}

/// Those of a run and of its halves, to the same lag.
pub(super) struct RunProducts {
    pub(super) whole: LagProducts,
    pub(super) halves: [LagProducts; 2],
}

impl LagProducts {
    /// Of `measures` (lag x column) at the columns `used`.
    pub(super) fn new(measures: &ArrayView2<'_, f32>, used: impl IntoIterator<Item = usize>) -> Self {
        let values = used.into_iter().flat_map(|column| measures.column(column).to_vec()).collect();
        Self { values, n_lags: measures.nrows() }
    }

    /// The lags of each column.
    pub(super) fn columns(&self) -> impl IndexedParallelIterator<Item = &[f32]> {
        self.values.par_chunks(self.n_lags)
    }

    /// Mean over columns of lag products relative to that at lag 0.
    pub(super) fn mean_relative(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.n_lags];
        let varying = || self.values.chunks_exact(self.n_lags).filter(|lags| lags[0] > 0.0);
        for lags in varying() {
            mean.iter_mut().zip(lags).for_each(|(sum, lag)| *sum += f64::from(*lag) / f64::from(lags[0]));
        }
        let n_columns = varying().count().max(1) as f64;
        for sum in &mut mean {
            *sum /= n_columns;
        }
        mean
    }

    /// Lag products over each column's scale: column x lag; 0 where that is none.
    pub(super) fn relative_to(&self, scales: &[f64]) -> Vec<f32> {
        let mut out = self.values.clone();
        for (values, &scale) in out.chunks_exact_mut(self.n_lags).zip(scales) {
            let factor = one_over(scale);
            for value in values {
                *value = (f64::from(*value) * factor) as f32;
            }
        }
        out
    }

    /// The first lags of each column over its scale, less their mean over columns: column x `n_lags`.
    pub(super) fn centred(&self, scales: &[f64], n_lags: usize) -> Vec<f64> {
        let relative = |lags: &[f32], scale: f64| {
            let factor = one_over(scale);
            lags[..n_lags].iter().map(move |&lag| f64::from(lag) * factor).collect::<Vec<_>>()
        };
        let columns = self.values.chunks_exact(self.n_lags).zip(scales);
        let mut values: Vec<f64> = columns.flat_map(|(lags, &scale)| relative(lags, scale)).collect();
        let mut mean = vec![0.0; n_lags];
        for lags in values.chunks_exact(n_lags) {
            mean.iter_mut().zip(lags).for_each(|(mean, value)| *mean += value / scales.len() as f64);
        }
        for lags in values.chunks_exact_mut(n_lags) {
            lags.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        values
    }

    /// `direction`' a of each column's lag products a over its scale; lags beyond the direction's do not count.
    pub(super) fn along(&self, direction: &[f64], scales: &[f64]) -> Vec<f32> {
        let of_column = |(lags, scale): (&[f32], &f64)| {
            let along: f64 = direction.iter().zip(lags).map(|(w, lag)| w * f64::from(*lag)).sum();
            if *scale > 0.0 { (along / scale) as f32 } else { 0.0 }
        };
        self.values.chunks_exact(self.n_lags).zip(scales).map(of_column).collect()
    }
}

/// One over a scale; 0 where that is none.
fn one_over(scale: f64) -> f64 {
    if scale > 0.0 { scale.recip() } else { 0.0 }
}

impl RunProducts {
    /// Lag products of the run over `scales`, less what its halves differ by (half the difference, about its mean, times `level`), then with
    /// that added: column x lag, twice.
    ///
    /// With that much of it, these two have noise independent of that of a feature with the same taken the other way.
    pub(super) fn apart(&self, scales: &[f64], level: f64) -> Vec<f32> {
        let n_lags = self.whole.n_lags;
        let [first, second] = self.halves.each_ref().map(|half| half.values.as_slice());
        let half_difference = |column: usize| {
            let factor = if scales[column] > 0.0 { 0.5 * level / scales[column] } else { 0.0 };
            let values = column * n_lags..(column + 1) * n_lags;
            let pairs = first[values.clone()].iter().zip(&second[values]);
            pairs.map(move |(first, second)| factor * (f64::from(*first) - f64::from(*second)))
        };
        let mut mean = vec![0.0; n_lags];
        for column in 0..scales.len() {
            mean.iter_mut().zip(half_difference(column)).for_each(|(mean, value)| *mean += value / scales.len() as f64);
        }
        let relative = self.whole.relative_to(scales);
        let mut apart = [relative.clone(), relative].concat();
        let (less, more) = apart.split_at_mut(scales.len() * n_lags);
        let columns = less.par_chunks_exact_mut(n_lags).zip(more.par_chunks_exact_mut(n_lags));
        columns.with_min_len(256).enumerate().for_each(|(column, (less, more))| {
            let differences = half_difference(column).zip(&mean).map(|(difference, mean)| difference - mean);
            for ((less, more), difference) in less.iter_mut().zip(more).zip(differences) {
                let value = f64::from(*less);
                *less = (value - difference) as f32;
                *more = (value + difference) as f32;
            }
        });
        apart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_sums_over_rows_so_far_apart() {
        let e = Array2::from_shape_fn((11, 150), |(t, j)| ((t * t + 3 * j) as f64 * 0.7).sin());
        let mut measures = Array2::zeros((13, 150));
        measure(&e, measures.view_mut());
        for column in [0, 77, 149] {
            for lag in 0..13 {
                let expected: f64 = (lag..11).map(|t| e[(t, column)] * e[(t - lag, column)]).sum();
                let found = f64::from(measures[(lag, column)]);
                // of single precision
                assert!((found - expected).abs() < 1e-6 * 11.0, "{lag}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn halves_differ_about_their_mean() {
        let of_lags = |values: [f32; 4]| LagProducts { values: values.to_vec(), n_lags: 2 };
        let [whole, first, second] = [[8.0, 2.0, 4.0, 1.0], [4.0, 3.0, 1.0, 1.0], [4.0, -1.0, 3.0, 1.0]].map(of_lags);
        let products = RunProducts { whole, halves: [first, second] };
        // of lag 0: 0 and -1, over scales of 2 and 1; of lag 1: 1 and 0
        let apart = products.apart(&[2.0, 1.0], 1.0);
        assert_eq!(apart, [4.0 - 0.5, 1.0 - 0.5, 4.0 + 0.5, 1.0 + 0.5, 4.0 + 0.5, 1.0 + 0.5, 4.0 - 0.5, 1.0 - 0.5]);
    }
}

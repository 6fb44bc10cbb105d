//! Sums over time of residuals times themselves some rows later, of each column.

use crate::signal::widest::{AddProducts, widest};
use ndarray::{Array2, ArrayViewMut2, s};

/// Columns worked on at once: their sums stay in a core's nearest cache.
const TILE_COLUMNS: usize = 128;

/// Numbers measured on each column: of the whole run at lags 0 to `order`, of each half at lags 0 to `compared`.
pub(super) const fn n_measures(order: usize, compared: usize) -> usize {
    order + 1 + 2 * (compared + 1)
}

/// Lag products of `residuals` (row x column) into `measures` (measure x column).
pub(super) fn measure(residuals: &Array2<f64>, order: usize, compared: usize, mut measures: ArrayViewMut2<'_, f32>) {
    let half = residuals.nrows() / 2;
    // pairs within the first half, within the second, across
    let part = |now: usize, lag: usize| if now < half { 0 } else { 1 + usize::from(now - lag < half) };
    sum_products(residuals, order, (3, part), |column, sums| {
        for lag in 0..=order {
            measures[(lag, column)] = (0..3).map(|part| sums(part, lag)).sum::<f64>() as f32;
        }
        for part in 0..2 {
            for lag in 0..=compared {
                measures[(order + 1 + part * (compared + 1) + lag, column)] = sums(part, lag) as f32;
            }
        }
    });
}

/// Lag products of whole `residuals` (row x column) into `measures` (lag 0 to the order x column).
pub(super) fn measure_whole(residuals: &Array2<f64>, order: usize, mut measures: ArrayViewMut2<'_, f32>) {
    sum_products(residuals, order, (1, |_, _| 0), |column, sums| {
        (0..=order).for_each(|lag| measures[(lag, column)] = sums(0, lag) as f32);
    });
}

/// Gives `take` each column with its sums by part and lag, `part` saying to which of `n_parts` a row and a lag belong.
fn sum_products(
    residuals: &Array2<f64>,
    order: usize,
    (n_parts, part): (usize, impl Fn(usize, usize) -> usize),
    mut take: impl FnMut(usize, &dyn Fn(usize, usize) -> f64),
) {
    let n_columns = residuals.ncols();
    for start in (0..n_columns).step_by(TILE_COLUMNS) {
        let columns = start..(start + TILE_COLUMNS).min(n_columns);
        let width = columns.len();
        let tile = residuals.slice(s![.., columns.clone()]).as_standard_layout().to_owned();
        let Some(rows) = tile.as_slice() else { continue }; // in standard order
        let mut sums = vec![0.0; n_parts * (order + 1) * width];
        for (now, row) in rows.chunks_exact(width).enumerate() {
            for lag in 0..=order.min(now) {
                let before = &rows[(now - lag) * width..][..width];
                let place = (part(now, lag) * (order + 1) + lag) * width;
                widest(AddProducts { sums: &mut sums[place..][..width], a: row, b: before });
            }
        }
        for (at, column) in columns.enumerate() {
            take(column, &|part, lag| sums[(part * (order + 1) + lag) * width + at]);
        }
    }
}

/// Lag products of the columns that are used, column by column.
pub(super) struct LagProducts {
    /// Of the whole run: column x lag.
    pub(super) whole: Vec<f32>,
    /// Of its halves: column x lag.
    pub(super) halves: [Vec<f32>; 2],
    /// Largest lag of the whole run, and of halves.
    pub(super) order: usize,
    pub(super) compared: usize,
}

impl LagProducts {
    /// Of `measures` (measure x column) at the columns `used`.
    pub(super) fn new(measures: &Array2<f32>, used: &[usize], order: usize, compared: usize) -> Self {
        let rows = |from: usize, count: usize| {
            let of_column = |&column: &usize| measures.slice(s![from..from + count, column]).to_vec();
            used.iter().flat_map(of_column).collect::<Vec<f32>>()
        };
        let halves = [0, 1].map(|part| rows(order + 1 + part * (compared + 1), compared + 1));
        Self { whole: rows(0, order + 1), halves, order, compared }
    }

    /// Mean over columns of lag products relative to that at lag 0.
    pub(super) fn mean_relative(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.order + 1];
        for lags in self.whole.chunks_exact(self.order + 1) {
            mean.iter_mut().zip(lags).for_each(|(sum, lag)| *sum += f64::from(*lag) / f64::from(lags[0]));
        }
        let n_columns = (self.whole.len() / (self.order + 1)) as f64;
        for sum in &mut mean {
            *sum /= n_columns;
        }
        mean
    }

    /// Lag products over each column's scale: column x lag.
    pub(super) fn relative_to(&self, scales: &[f64]) -> Vec<f32> {
        relative(&self.whole, self.order + 1, scales)
    }

    /// Those of a half.
    pub(super) fn half_relative_to(&self, half: usize, scales: &[f64]) -> Vec<f32> {
        relative(&self.halves[half], self.compared + 1, scales)
    }
}

/// Values over the scale of their column; 0 where that is none.
fn relative(values: &[f32], of_column: usize, scales: &[f64]) -> Vec<f32> {
    let mut out = values.to_vec();
    for (values, &scale) in out.chunks_exact_mut(of_column).zip(scales) {
        let factor = if scale > 0.0 { scale.recip() } else { 0.0 };
        for value in values {
            *value = (f64::from(*value) * factor) as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_run_and_of_its_halves() {
        let (n, order, compared) = (11, 4, 2);
        let e = Array2::from_shape_fn((n, 150), |(t, j)| ((t * t + 3 * j) as f64 * 0.7).sin());
        let mut measures = Array2::zeros((n_measures(order, compared), 150));
        measure(&e, order, compared, measures.view_mut());
        let sum = |rows: std::ops::Range<usize>, lag: usize, column: usize| {
            (rows.start + lag..rows.end).map(|t| e[(t, column)] * e[(t - lag, column)]).sum::<f64>()
        };
        for column in [0, 77, 149] {
            // of single precision
            let close = |row: usize, expected: f64| {
                let found = f64::from(measures[(row, column)]);
                assert!((found - expected).abs() < 1e-6 * n as f64, "{row}: {found}, {expected}");
            };
            (0..=order).for_each(|lag| close(lag, sum(0..n, lag, column)));
            (0..=compared).for_each(|lag| close(order + 1 + lag, sum(0..n / 2, lag, column)));
            (0..=compared).for_each(|lag| close(order + compared + 2 + lag, sum(n / 2..n, lag, column)));
        }
        let mut whole = Array2::zeros((order + 1, 150));
        measure_whole(&e, order, whole.view_mut());
        for (found, of_parts) in whole.iter().zip(&measures) {
            assert!((found - of_parts).abs() < 1e-5, "{found}, {of_parts}"); // of single precision
        }
    }
}

//! What a model remembers of its data: sums over time of each column, from which the residuals of ordinary least
//! squares are known as far as any fit asks.
//!
//! Data relative to the first frame are `z`, scaled data `y = b z + a`. `B` is an orthonormal basis of the design and
//! of the constant: that of the design, `Q`, and where the constant is not in its span the unit vector `u` of what is
//! missing, `1 = Q h + s u`. The sums are `g = B'z`, `l = (M B)'z` with `M` the neighbours one frame apart, `z'z`,
//! `z'M z / 2` and single samples. With `r = z - B g` the residuals of `y` are `e = b r + c u`, `c = b g_u + a s`, so
//!
//! ```text
//! Q'y = b g + a h         e'e  = b^2 (z'z - g'g) + c^2
//! (M B)'r = l - (B'MB) g =: d      r'Mr = z'Mz - g'(l + d)
//! (M Q)'e = b d + c (M Q)'u        e'Me = b^2 r'Mr + 2 b c d_u + c^2 u'Mu
//! ```
//!
//! All in f64. What cancels is `z'z - g'g`: its relative error is some n eps z'z / r'r. Storing z in f32 alone costs
//! 2^-24 |z| a sample, which is more as long as |z| / |r| is below 2^24, the most that f32 can hold at all. Residuals
//! below what the sum resolves, `z'z - g'g <= n eps z'z`, are 0.

use super::linalg::{add_transposed_product, subtract_product, transposed_product};
use super::whitening::neighbours_of;
use crate::signal::widest::{Loop, widest};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis, s};
use std::ops::Range;

/// Where the constant stops being in the span of a design: what is missing of it, relative to its length. Above the
/// rounding of a basis, 1e-15; a baseline of 10^4 times the noise times this is nothing.
const LEAST_MISSING: f64 = 1e-12;

/// Columns summed at once: their sums and 32 frames of them stay in a core's cache.
const TILE_COLUMNS: usize = 512;

/// What to sum over the kept frames of a run.
#[derive(Debug)]
pub(super) struct SumPlan {
    rank: usize,
    /// Kept frame x (columns of B, then of M B where the noise needs them).
    weights: Array2<f64>,
    /// `B' M B`.
    gram: Array2<f64>,
    /// `B` at the held frames.
    held_rows: Array2<f64>,
    /// `h` and `s`.
    constant: (Array1<f64>, f64),
    /// `u` is the last column of `B`.
    extended: bool,
    /// Whether a kept frame is one after the kept frame before it; empty where that does not matter.
    after_neighbour: Vec<bool>,
    /// Kept frames whose samples are held, ascending; the first is among them.
    held: Vec<usize>,
}

impl SumPlan {
    /// For the basis `q` (kept frame x rank); `lags` between kept frames where neighbours matter; `held` is the
    /// samples to hold, the first at least.
    pub(super) fn new(q: &Array2<f64>, lags: Option<&[usize]>, held: &[usize]) -> Self {
        let (n_kept, rank) = q.dim();
        let ones = Array2::ones((n_kept, 1));
        let h = transposed_product(q, &ones);
        let mut missing = ones;
        subtract_product(&mut missing, q, &h);
        // once more: what rounding left of the span
        let rest = transposed_product(q, &missing);
        subtract_product(&mut missing, q, &rest);
        let length = missing.iter().map(|value| value * value).sum::<f64>().sqrt();
        let extended = length > LEAST_MISSING * (n_kept as f64).sqrt();
        let basis = if extended { ndarray::concatenate![Axis(1), *q, missing / length] } else { q.clone() };
        let after_neighbour: Vec<bool> =
            lags.map_or_else(Vec::new, |lags| std::iter::once(false).chain(lags.iter().map(|lag| *lag == 1)).collect());
        let (weights, gram) = if lags.is_some() {
            let pairs: Vec<_> = (1..n_kept).filter(|&t| after_neighbour[t]).map(|t| (t, t - 1)).collect();
            let applied = neighbours_of(&basis, &pairs);
            let gram = transposed_product(&basis, &applied);
            (ndarray::concatenate![Axis(1), basis, applied], gram)
        } else {
            (basis.clone(), Array2::zeros((0, 0)))
        };
        Self {
            rank,
            weights: weights.as_standard_layout().to_owned(),
            gram,
            held_rows: basis.select(Axis(0), held),
            constant: (h.column(0).to_owned(), if extended { length } else { 0.0 }),
            extended,
            after_neighbour,
            held: held.to_vec(),
        }
    }

    /// Columns of `B`.
    fn n_basis(&self) -> usize {
        self.rank + usize::from(self.extended)
    }
}

/// Sums over time of one block of columns.
#[derive(Debug)]
pub(super) struct Sums {
    /// `[B | M B]' z`: weight x column.
    linear: Array2<f64>,
    /// `1'z`, `z'z` and `z'M z / 2` of each column.
    sum: Vec<f64>,
    squares: Vec<f64>,
    lagged: Vec<f64>,
    /// The kept frame before the next.
    previous: Vec<f32>,
    /// Held frame x column.
    held: Array2<f32>,
}

impl Sums {
    pub(super) fn new(plan: &SumPlan, n_columns: usize) -> Self {
        let lagged = if plan.after_neighbour.is_empty() { 0 } else { n_columns };
        Self {
            linear: Array2::zeros((plan.weights.ncols(), n_columns)),
            sum: vec![0.0; n_columns],
            squares: vec![0.0; n_columns],
            lagged: vec![0.0; lagged],
            previous: vec![0.0; lagged],
            held: Array2::zeros((plan.held.len(), n_columns)),
        }
    }

    /// Adds the kept frames `kept..` (as counted among the kept), one of `rows` each; the rows hold this block's
    /// columns alone.
    pub(super) fn add(&mut self, plan: &SumPlan, kept: usize, rows: &[&[f32]], buffer: &mut Vec<f64>) {
        let n_columns = self.sum.len();
        for start in (0..n_columns).step_by(TILE_COLUMNS) {
            self.add_tile(plan, kept, rows, start..(start + TILE_COLUMNS).min(n_columns), buffer);
        }
    }

    fn add_tile(&mut self, plan: &SumPlan, kept: usize, rows: &[&[f32]], tile: Range<usize>, buffer: &mut Vec<f64>) {
        let width = tile.len();
        // a row for the frame before, one a frame
        buffer.resize((rows.len() + 1) * width, 0.0);
        let lagging = !plan.after_neighbour.is_empty();
        if lagging {
            buffer[..width]
                .iter_mut()
                .zip(&self.previous[tile.clone()])
                .for_each(|(out, value)| *out = f64::from(*value));
        }
        for (at, row) in rows.iter().enumerate() {
            let values = &row[tile.clone()];
            let (before, now) = buffer[at * width..(at + 2) * width].split_at_mut(width);
            let lagged = (lagging && plan.after_neighbour[kept + at]).then(|| &mut self.lagged[tile.clone()]);
            widest(AddRow {
                values,
                before,
                now,
                sum: &mut self.sum[tile.clone()],
                squares: &mut self.squares[tile.clone()],
                lagged,
            });
            if let Ok(place) = plan.held.binary_search(&(kept + at)) {
                self.held.row_mut(place).slice_mut(s![tile.clone()]).iter_mut().zip(values).for_each(|(h, v)| *h = *v);
            }
        }
        if lagging && let Some(last) = rows.last() {
            self.previous[tile.clone()].copy_from_slice(&last[tile.clone()]);
        }
        let weights = plan.weights.slice(s![kept..kept + rows.len(), ..]);
        // the buffer is as long as this shape says
        if let Ok(values) = ArrayView2::from_shape((rows.len(), width), &buffer[width..]) {
            // of zeros that were never touched, sums that are read first would be a page fault twice
            add_transposed_product(&weights, &values, self.linear.slice_mut(s![.., tile]), kept == 0);
        }
    }

    /// The residuals of ordinary least squares of this block, its data scaled as `(z + offset) * factor`.
    pub(super) fn residuals(&self, plan: &SumPlan, offset: &[f64], factor: &[f64]) -> Residuals {
        let (n_basis, rank, n_columns) = (plan.n_basis(), plan.rank, factor.len());
        let g = self.linear.slice(s![..n_basis, ..]);
        let n_kept = plan.weights.nrows() as f64;
        let (h, missing) = &plan.constant;
        let mut projections = g.slice(s![..rank, ..]).to_owned();
        for (mut row, h) in projections.outer_iter_mut().zip(h) {
            for (value, (offset, factor)) in row.iter_mut().zip(offset.iter().zip(factor)) {
                *value = factor * (*value + h * offset);
            }
        }
        let mut explained = vec![0.0; n_columns];
        for row in g.outer_iter() {
            explained.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
        }
        // b, and c; b is 0 where rounding leaves nothing of r
        let mut along = factor.to_vec();
        let mut beside = vec![0.0; n_columns];
        let mut squares = vec![0.0; n_columns];
        for column in 0..n_columns {
            let rest = self.squares[column] - explained[column];
            if rest <= n_kept * f64::EPSILON * self.squares[column] {
                along[column] = 0.0;
            }
            if plan.extended {
                beside[column] = factor[column] * (g[(rank, column)] + missing * offset[column]);
            }
            squares[column] = along[column].powi(2) * rest + beside[column].powi(2);
        }
        let total = |column: usize| {
            let about_mean = self.squares[column] - self.sum[column].powi(2) / n_kept;
            factor[column].powi(2) * about_mean.max(0.0)
        };
        let mut residuals = Residuals {
            projections,
            squares,
            total_squares: (0..n_columns).map(total).collect(),
            sum: beside.iter().map(|beside| beside * missing).collect(),
            neighbours: Array2::zeros((0, n_columns)),
            lagged: Vec::new(),
            held: Array2::zeros((0, n_columns)),
        };
        if !plan.after_neighbour.is_empty() {
            self.add_neighbours(plan, &along, &beside, &mut residuals);
        }
        residuals
    }

    /// Products of neighbours, and the residuals at held frames.
    fn add_neighbours(&self, plan: &SumPlan, along: &[f64], beside: &[f64], residuals: &mut Residuals) {
        let (n_basis, rank) = (plan.n_basis(), plan.rank);
        let (g, l) = self.linear.view().split_at(Axis(0), n_basis);
        let mut d = l.to_owned();
        subtract_product(&mut d, &plan.gram, &g);
        let mut lagged: Vec<f64> = self.lagged.iter().map(|lagged| 2.0 * lagged).collect();
        for (g, (l, d)) in g.outer_iter().zip(l.outer_iter().zip(d.outer_iter())) {
            for (sum, (g, (l, d))) in lagged.iter_mut().zip(g.iter().zip(l.iter().zip(d))) {
                *sum -= g * (l + d);
            }
        }
        let mut held = self.held.mapv(f64::from);
        subtract_product(&mut held, &plan.held_rows, &g);
        scale_columns(held.view_mut(), along);
        lagged.iter_mut().zip(along).for_each(|(lagged, along)| *lagged *= along * along);
        if plan.extended {
            for (column, lagged) in lagged.iter_mut().enumerate() {
                let (b, c) = (along[column], beside[column]);
                *lagged += 2.0 * b * c * d[(rank, column)] + c * c * plan.gram[(rank, rank)];
            }
            add_outer(held.view_mut(), &plan.held_rows.column(rank).to_vec(), beside);
        }
        d.slice_collapse(s![..rank, ..]);
        scale_columns(d.view_mut(), along);
        if plan.extended {
            add_outer(d.view_mut(), &plan.gram.column(rank).to_vec(), beside);
        }
        residuals.neighbours = d;
        residuals.lagged = lagged.into_iter().map(|twice| 0.5 * twice).collect();
        residuals.held = held;
    }
}

/// Residuals of ordinary least squares of a block of columns, as far as a fit asks: `e = y - Q Q'y`.
#[derive(Debug)]
pub(crate) struct Residuals {
    /// `Q'Y`: rank x column.
    pub(crate) projections: Array2<f64>,
    /// `e'e` of each column.
    pub(crate) squares: Vec<f64>,
    /// Sum of squares of the data about their mean.
    pub(crate) total_squares: Vec<f64>,
    /// Sum of the residuals.
    pub(crate) sum: Vec<f64>,
    /// `(M Q)'E` with `M` the neighbours one frame apart: rank x column.
    pub(crate) neighbours: Array2<f64>,
    /// Sum of products of neighbours one frame apart.
    pub(crate) lagged: Vec<f64>,
    /// At the held frames (the first, the last and those beside gaps): frame x column.
    pub(crate) held: Array2<f64>,
}

impl Residuals {
    /// Sets these columns to 0, whatever they hold.
    pub(super) fn clear(&mut self, columns: impl Iterator<Item = usize>) {
        for column in columns {
            self.projections.column_mut(column).fill(0.0);
            self.neighbours.column_mut(column).fill(0.0);
            self.held.column_mut(column).fill(0.0);
            for values in [&mut self.squares, &mut self.total_squares, &mut self.sum, &mut self.lagged] {
                if let Some(value) = values.get_mut(column) {
                    *value = 0.0;
                }
            }
        }
    }
}

/// Widens one row and adds it to the running sums.
struct AddRow<'a> {
    values: &'a [f32],
    /// The row before, widened.
    before: &'a [f64],
    now: &'a mut [f64],
    sum: &'a mut [f64],
    squares: &'a mut [f64],
    lagged: Option<&'a mut [f64]>,
}

impl Loop for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let sums = self.sum.iter_mut().zip(self.squares);
        for ((now, value), (sum, square)) in self.now.iter_mut().zip(self.values).zip(sums) {
            let wide = f64::from(*value);
            *now = wide;
            *sum += wide;
            *square += wide * wide;
        }
        if let Some(lagged) = self.lagged {
            for (lagged, (before, now)) in lagged.iter_mut().zip(self.before.iter().zip(&*self.now)) {
                *lagged += before * now;
            }
        }
    }
}

/// Multiplies each column by its factor.
fn scale_columns(mut values: ArrayViewMut2<'_, f64>, factors: &[f64]) {
    for mut row in values.outer_iter_mut() {
        row.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
    }
}

/// Adds `rows[i] columns[j]` to each entry; `values` may have fewer rows.
fn add_outer(mut values: ArrayViewMut2<'_, f64>, rows: &[f64], columns: &[f64]) {
    for (mut row, of_row) in values.outer_iter_mut().zip(rows) {
        row.iter_mut().zip(columns).for_each(|(value, of_column)| *value += of_row * of_column);
    }
}

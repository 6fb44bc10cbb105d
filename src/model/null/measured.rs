//! The noise of some columns of a run in time.

use super::spectrum::Residualised;
use super::strata::place;
use super::{inverse_of_lower, packed_length};
use crate::design::RunDesign;
use crate::model::cholesky::factor_packed;
use crate::model::linalg::product;
use crate::model::problem::ModelError;
use crate::model::run_basis::singular;
use ndarray::{Array2, Axis};

/// Columns that a spectrum is measured in at most: beyond, nothing is gained.
const MOST: usize = 4096;

/// Columns at a time, so that doubles are held of a few.
const PIECE: usize = 512;

/// Columns to measure.
pub(super) struct Columns<'a> {
    /// Residuals of each block, as long as 1: kept frame x column.
    pub(super) directions: &'a [Array2<f32>],
    /// Those meant, ascending.
    pub(super) members: &'a [usize],
    /// Factor of the correlations by which residuals are whitened before their length is taken, if any. A length taken of
    /// residuals as they are depends on their slow part above all, so that columns where chance made it strong would count less.
    pub(super) scale: Option<&'a Array2<f64>>,
}

/// What was found.
pub(super) struct Measured {
    /// Lower factor of the correlations in time, kept frame x kept frame.
    pub(super) factor: Array2<f64>,
    /// Sum of the variances of residuals, of noise of variance 1.
    pub(super) trace_left: f64,
    /// As many independent columns would tell as much.
    pub(super) independent: f64,
}

impl Measured {
    /// # Errors
    /// Correlations that are singular to working precision.
    pub(super) fn new(
        columns: &Columns<'_>,
        residualised: &Residualised<'_>,
        design: &RunDesign,
    ) -> Result<Self, ModelError> {
        let step = columns.members.len().div_ceil(MOST).max(1);
        let chosen: Vec<usize> = columns.members.iter().copied().step_by(step).collect();
        let to_scale = columns.scale.map(inverse_of_lower);
        let outer = columns.mean_outer_product(&chosen, to_scale.as_ref());
        let correlations = residualised.correlations(&outer);
        let factor = lower_factor(&correlations, residualised.times()).ok_or_else(|| singular(design))?;
        let white = columns.mean_outer_product_of_white(&chosen, &inverse_of_lower(&factor));
        let n_kept = white.nrows() as f64;
        // of independent columns: 1 / n + (1 - 1 / n) / columns
        let excess = white.iter().map(|value| value * value).sum::<f64>() - 1.0 / n_kept;
        let independent = ((1.0 - 1.0 / n_kept) / excess.max(f64::MIN_POSITIVE)).clamp(1.0, chosen.len() as f64);
        Ok(Self { trace_left: residualised.trace_left(&correlations), factor, independent })
    }
}

impl Columns<'_> {
    fn piece(&self, chosen: &[usize]) -> Array2<f64> {
        let n_kept = self.directions.first().map_or(0, Array2::nrows);
        let of = |frame: usize, at: usize| {
            let (block, column) = place(chosen[at]);
            f64::from(self.directions[block][(frame, column)])
        };
        Array2::from_shape_fn((n_kept, chosen.len()), |(frame, at)| of(frame, at))
    }

    /// Mean of `u u'`, each `u` divided by its length once whitened.
    fn mean_outer_product(&self, chosen: &[usize], to_scale: Option<&Array2<f64>>) -> Array2<f64> {
        self.sum_over_pieces(chosen, |values| {
            if let Some(whiten) = to_scale {
                let white = product(whiten, values);
                divide_by_lengths(values, &white);
            }
        })
    }

    /// Mean of `w w'`, each `w` whitened and as long as 1.
    fn mean_outer_product_of_white(&self, chosen: &[usize], whiten: &Array2<f64>) -> Array2<f64> {
        self.sum_over_pieces(chosen, |values| {
            let mut white = product(whiten, values);
            let lengths = white.clone();
            divide_by_lengths(&mut white, &lengths);
            *values = white;
        })
    }

    fn sum_over_pieces(&self, chosen: &[usize], change: impl Fn(&mut Array2<f64>)) -> Array2<f64> {
        let n_kept = self.directions.first().map_or(0, Array2::nrows);
        let mut sum = Array2::zeros((n_kept, n_kept));
        for piece in chosen.chunks(PIECE) {
            let mut values = self.piece(piece);
            change(&mut values);
            sum += &product(&values, &values.t());
        }
        sum / chosen.len().max(1) as f64
    }
}

/// Divides each column of `values` by the length of that of `of`.
fn divide_by_lengths(values: &mut Array2<f64>, of: &Array2<f64>) {
    for (mut column, of) in values.columns_mut().into_iter().zip(of.axis_iter(Axis(1))) {
        let length = of.dot(&of).sqrt();
        if length > 0.0 {
            column /= length;
        }
    }
}

/// Lower factor of correlations at these times; `None` where they are singular to working precision.
pub(super) fn lower_factor(correlations: &[f64], times: &[usize]) -> Option<Array2<f64>> {
    let n = times.len();
    let mut packed = Vec::with_capacity(packed_length(n));
    for (i, now) in times.iter().enumerate() {
        packed.extend(times[..=i].iter().map(|before| correlations[now - before]));
    }
    if !factor_packed(&mut packed, n) {
        return None;
    }
    let entry = |(i, j)| if j <= i { packed[packed_length(i) + j] } else { 0.0 };
    Some(Array2::from_shape_fn((n, n), entry))
}

//! What all columns share: the design `X` of the coefficients and its gram `G = X'X`, and sums over rows of `G`.

use super::Shape;
use crate::model::deconvolve::Operator;
use crate::model::linalg::transposed_product;
use crate::signal::widest::{Loop, widest};
use ndarray::Array2;

/// A column whose squared norm is below this part of the largest leaves no trace in the data: rounding left by a projection
/// is some 1e-28 of it, the faintest response that could be told from noise some 1e-8.
const NO_TRACE: f64 = 1e-12;

/// The design of the coefficients, and its gram.
#[derive(Debug)]
pub(super) struct Gram {
    /// Kept frame x coefficient.
    pub(super) design: Array2<f64>,
    values: Vec<f64>,
    coefficients: usize,
    seen: Vec<bool>,
    seen_count: usize,
}

impl Gram {
    /// Spikes: the coefficients are the activity. Blocks: they are its changes, `s = L u`, and `X = A L`.
    pub(super) fn new(operator: &Operator, shape: Shape) -> Gram {
        let mut design = operator.forward.clone();
        let gram = match shape {
            Shape::Spikes => operator.gram.clone(),
            Shape::Blocks => {
                for mut row in design.rows_mut() {
                    let mut sum = 0.0;
                    for value in row.iter_mut().rev() {
                        sum += *value;
                        *value = sum;
                    }
                }
                transposed_product(&design, &design)
            }
        };
        let coefficients = design.ncols();
        let values: Vec<f64> = gram.iter().copied().collect();
        let largest = (0..coefficients).map(|j| values[j * (coefficients + 1)]).fold(0.0, f64::max);
        let seen: Vec<bool> = (0..coefficients).map(|j| values[j * (coefficients + 1)] > NO_TRACE * largest).collect();
        let seen_count = seen.iter().filter(|&&seen| seen).count();
        Gram { design, values, coefficients, seen, seen_count }
    }

    pub(super) fn coefficients(&self) -> usize {
        self.coefficients
    }

    /// Row `j`, which is column `j` too.
    pub(super) fn row(&self, j: usize) -> &[f64] {
        &self.values[j * self.coefficients..(j + 1) * self.coefficients]
    }

    /// Squared norm of column `j` of the design.
    pub(super) fn square(&self, j: usize) -> f64 {
        self.values[j * (self.coefficients + 1)]
    }

    /// Whether the data can tell anything of coefficient `j`.
    pub(super) fn is_seen(&self, j: usize) -> bool {
        self.seen[j]
    }

    /// How many coefficients the data can tell of.
    pub(super) fn seen_count(&self) -> usize {
        self.seen_count
    }

    /// Largest norm of a column.
    pub(super) fn largest_norm(&self) -> f64 {
        (0..self.coefficients).map(|j| self.square(j)).fold(0.0, f64::max).sqrt()
    }

    /// `y += sum_i factors[i] G[rows[i], :]`.
    pub(super) fn add_rows(&self, rows: &[usize], factors: &[f64], y: &mut [f64]) {
        widest(AddRows { gram: self, rows, factors, y });
    }
}

struct AddRows<'a> {
    gram: &'a Gram,
    rows: &'a [usize],
    factors: &'a [f64],
    y: &'a mut [f64],
}

impl Loop for AddRows<'_> {
    type Output = ();

    /// Four rows a pass: `y` is read and written a quarter as often.
    #[inline(always)]
    fn run(self) {
        let (rows, factors) = (self.rows.chunks_exact(4), self.factors.chunks_exact(4));
        for (&row, &factor) in rows.remainder().iter().zip(factors.remainder()) {
            for (y, a) in self.y.iter_mut().zip(self.gram.row(row)) {
                *y += factor * a;
            }
        }
        for (row, factor) in rows.zip(factors) {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.gram.row(row[i]));
            for ((((y, a), b), c), d) in self.y.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *y += (factor[0] * a + factor[1] * b) + (factor[2] * c + factor[3] * d);
            }
        }
    }
}

//! Where the search of a likeliest process begins: the points that are likeliest as far as lag products tell.
//!
//! `e'V^-1 e` of residuals e is about the sum of their lag products times the autocorrelation of `1, -(a + b), (a + b) b,
//! -(a + b) b^2, ...`, the filter that leaves the innovations of a process. Ends of a run are left out, and what the whitened
//! design explains of e; frames to both sides of a gap are taken for neighbours. All points together cost about as much as the
//! likelihood of two.

use super::super::lag_products;
use super::Point;
use crate::model::linalg::product;
use crate::model::process::Arma11;
use ndarray::{Array2, s};

/// Lags looked at: of the largest b the 31st power is .04.
const LAGS: usize = 32;

/// Steps along either axis that the second start of a column is further than from its first: there may be another maximum.
const APART: i32 = 3;

/// The points of a grid that searches may begin at.
pub(super) struct Starts {
    points: Vec<Point>,
    /// Of lag products, point x lag: the least sum is the likeliest.
    weights: Array2<f64>,
}

impl Starts {
    /// Of points with their processes and what multiplies `e'V^-1 e` in their likelihood: the determinants, to the power of one
    /// over the degrees of freedom.
    pub(super) fn new(points: impl IntoIterator<Item = (Point, Arma11, f64)>) -> Self {
        let (mut of, mut weights) = (Vec::new(), Vec::new());
        for (point, process, factor) in points {
            of.push(point);
            weights.extend(precision(process).map(|weight| factor * weight));
        }
        Self { weights: Array2::from_shape_vec((of.len(), LAGS), weights).unwrap_or_default(), points: of }
    }

    /// Where to begin for each column of residuals (row x column): at one point or at two.
    pub(super) fn of(&self, residuals: &Array2<f64>) -> Vec<(Point, Option<Point>)> {
        let mut products = Array2::zeros((LAGS.min(residuals.nrows()), residuals.ncols()));
        lag_products::measure(residuals, products.view_mut());
        let sums = product(&self.weights.slice(s![.., ..products.nrows()]), &products.mapv(f64::from));
        let first = self.least(&sums, |_, _| true);
        let far = |column: usize, (a, b): Point| {
            first[column].is_some_and(|(at_a, at_b)| (a - at_a).abs() > APART || (b - at_b).abs() > APART)
        };
        let second = self.least(&sums, far);
        // without any residual all are the same, and white will do
        first.iter().zip(second).map(|(first, second)| (first.unwrap_or((0, 0)), second)).collect()
    }

    /// The point of the least positive sum (point x column) of each column, of those admitted. Few lags can make a sum negative where
    /// the process does not fit at all.
    fn least(&self, sums: &Array2<f64>, admitted: impl Fn(usize, Point) -> bool) -> Vec<Option<Point>> {
        let mut least = vec![(f64::INFINITY, None); sums.ncols()];
        for (&point, sums) in self.points.iter().zip(sums.outer_iter()) {
            for (column, (least, &sum)) in least.iter_mut().zip(sums).enumerate() {
                if sum > 0.0 && sum < least.0 && admitted(column, point) {
                    *least = (sum, Some(point));
                }
            }
        }
        least.into_iter().map(|(_, point)| point).collect()
    }
}

/// What lag products are multiplied with: the autocorrelation of the filter, and twice that beyond lag 0, since pairs have two orders.
fn precision(Arma11 { a, b }: Arma11) -> [f64; LAGS] {
    let (sum, around) = (a + b, (a + b).powi(2) / (1.0 - b * b));
    let (mut power, mut before) = (1.0, 0.0); // of -b, and the one before
    std::array::from_fn(|lag| {
        let weight = if lag == 0 { 1.0 + around } else { 2.0 * (around * power - sum * before) };
        (before, power) = (power, power * -b);
        weight
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::{Layout, Process};

    /// The middle row of the precision of a long run, whitened frame by frame.
    #[test]
    fn weights_are_the_precision_far_from_the_ends() {
        const N: usize = 400;
        for process in [Arma11 { a: 0.8, b: -0.5 }, Arma11 { a: 0.9, b: 0.9 }, Arma11 { a: 0.5, b: -0.9 }] {
            let whitener = Process::Arma11(process).whitener(&Layout::of_kept(&[1; N - 1]));
            let identity: Array2<f64> = Array2::eye(N);
            let mut w = Array2::zeros((N, N));
            whitener.whiten(identity.as_slice().unwrap(), N, &(0..N), w.as_slice_mut().unwrap());
            let weights = precision(process);
            for (lag, weight) in weights.into_iter().enumerate() {
                let expected = w.column(N / 2).dot(&w.column(N / 2 + lag)) * if lag == 0 { 1.0 } else { 2.0 };
                // .9^200 is what is left of the ends
                assert!((weight - expected).abs() < 1e-8, "{process:?} at lag {lag}: {weight}, not {expected}");
            }
        }
    }
}

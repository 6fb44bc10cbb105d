//! Quadratic penalties on the differences of activity: `w0 |s|^2 + w1 |D1 s|^2 + w2 |D2 s|^2 + w3 |D3 s|^2`.
//!
//! A difference has a row wherever all its samples lie inside the series: `samples - order` rows. Activity before and
//! after the series is not taken to be zero.

use crate::model::linalg::{LinalgError, ThinSvd, thin_svd};
use ndarray::{Array2, s};

/// Stencils of the differences of order 0 to 3.
const STENCILS: [&[f64]; 4] = [&[1.0], &[-1.0, 1.0], &[1.0, -2.0, 1.0], &[-1.0, 3.0, -3.0, 1.0]];

/// A sum of squared differences of orders 0 to 3; what it leaves free is a polynomial of less than its lowest order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    weights: [f64; 4],
}

/// A penalty `|D s|^2` as coordinates of activity: `s = shape z + null c` has the penalty `|z|^2`.
pub(super) struct Split {
    /// Pseudo-inverse of `D` up to a rotation: activity sample x rank.
    pub(super) shape: Array2<f64>,
    /// Orthonormal basis of what is not penalised: activity sample x dimension.
    pub(super) null: Array2<f64>,
}

impl Penalty {
    /// Squares of the activity itself: small activity.
    pub const VALUE: Self = Self { weights: [1.0, 0.0, 0.0, 0.0] };
    /// Squares of steps: steady activity.
    pub const FIRST_DIFFERENCE: Self = Self { weights: [0.0, 1.0, 0.0, 0.0] };
    /// Squares of bends: straight activity.
    pub const SECOND_DIFFERENCE: Self = Self { weights: [0.0, 0.0, 1.0, 0.0] };
    /// Squares of third differences: parabolic activity.
    pub const THIRD_DIFFERENCE: Self = Self { weights: [0.0, 0.0, 0.0, 1.0] };

    /// Squares of `s_t - phi s_(t-1)`, over `phi`: activity that is an AR(1) process with the autocorrelation `phi`, between 0 and
    /// 1 exclusive, from one sample to the next. `(1 - phi)^2 / phi |s|^2 + |D1 s|^2` but for the ends, where it is a little weaker.
    #[must_use]
    pub fn autoregressive(phi: f64) -> Self {
        Self::FIRST_DIFFERENCE.plus(Self::VALUE.times((1.0 - phi) * (1.0 - phi) / phi))
    }

    /// The sum of both penalties.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { weights: std::array::from_fn(|order| self.weights[order] + other.weights[order]) }
    }

    /// The penalty, weighed by `factor`; positive.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { weights: self.weights.map(|weight| weight * factor) }
    }

    /// Coordinates in which the penalty is a sum of squares.
    ///
    /// From the singular values of `D`, not from those of `D'D`: the smallest of second differences is of order
    /// `samples^-2`, and its square would lose half the digits.
    ///
    /// # Errors
    /// What LAPACK reports.
    pub(super) fn split(&self, samples: usize) -> Result<Split, LinalgError> {
        let lowest = self.weights.iter().take_while(|weight| **weight == 0.0).count().min(samples);
        if self.weights[1..].iter().all(|weight| *weight == 0.0) && lowest == 0 {
            let shape = Array2::eye(samples) / self.weights[0].sqrt();
            return Ok(Split { shape, null: Array2::zeros((samples, 0)) });
        }
        let ThinSvd { s: sizes, vt, .. } = thin_svd(&self.rows(samples))?;
        let rank = samples - lowest;
        let mut shape = vt.slice(s![..rank, ..]).t().as_standard_layout().to_owned();
        shape /= &sizes.slice(s![..rank]);
        Ok(Split { shape, null: vt.slice(s![rank.., ..]).t().as_standard_layout().to_owned() })
    }

    /// `D`, with rows of zeros below where it has fewer rows than columns, so that its decomposition is complete.
    fn rows(&self, samples: usize) -> Array2<f64> {
        let present = STENCILS.iter().zip(self.weights).filter(|(_, weight)| *weight != 0.0);
        let height: usize = present.clone().map(|(stencil, _)| (samples + 1).saturating_sub(stencil.len())).sum();
        let mut rows = Array2::zeros((height.max(samples), samples));
        let mut next = 0;
        for (stencil, weight) in present {
            for first in 0..(samples + 1).saturating_sub(stencil.len()) {
                for (at, value) in stencil.iter().enumerate() {
                    rows[(next, first + at)] = weight.sqrt() * value;
                }
                next += 1;
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_have_the_penalty_as_their_squares_and_polynomials_have_none() {
        let n = 23;
        let cases = [
            (Penalty::VALUE, 0),
            (Penalty::FIRST_DIFFERENCE, 1),
            (Penalty::SECOND_DIFFERENCE, 2),
            (Penalty::THIRD_DIFFERENCE, 3),
            (Penalty::VALUE.plus(Penalty::SECOND_DIFFERENCE), 0),
            (Penalty::FIRST_DIFFERENCE.plus(Penalty::SECOND_DIFFERENCE), 1),
        ];
        for (penalty, free) in cases {
            let Split { shape, null } = penalty.split(n).unwrap();
            assert_eq!((shape.ncols(), null.ncols()), (n - free, free));
            let rows = penalty.rows(n);
            let gram = rows.dot(&shape).t().dot(&rows.dot(&shape));
            // rounding of 23 terms, times the condition of D, at most 23^3 for third differences
            assert!((&gram - &Array2::<f64>::eye(n - free)).iter().all(|error| error.abs() < 1e-11), "{penalty:?}");
            assert!(rows.dot(&null).iter().all(|error| error.abs() < 1e-14), "{penalty:?}"); // a few ulp of 8
        }
    }

    #[test]
    fn smooth_activity_is_an_autoregressive_process() {
        let phi = 0.8;
        let rows = Penalty::autoregressive(phi).rows(9);
        // precision of s_t = phi s_(t-1) + e_t over phi: 1 + phi^2 on the diagonal, -phi beside it
        let precision = rows.t().dot(&rows) * phi;
        for (t, other) in (1..8_usize).flat_map(|t| (1..8_usize).map(move |other| (t, other))) {
            let expected = [1.0 + phi * phi, -phi, 0.0][t.abs_diff(other).min(2)];
            assert!((precision[(t, other)] - expected).abs() < 1e-14, "{t}, {other}"); // some ulp of 1.64
        }
        // at the ends 1 in the process: 1 - phi (1 - phi) here
        assert!((precision[(0, 0)] - (1.0 - phi * (1.0 - phi))).abs() < 1e-14);
    }

    #[test]
    fn rows_lie_inside_the_series() {
        let rows = Penalty::SECOND_DIFFERENCE.rows(4);
        assert_eq!(rows, ndarray::array![[1., -2., 1., 0.], [0., 1., -2., 1.], [0.; 4], [0.; 4]]);
    }

    #[test]
    fn a_series_shorter_than_the_difference_is_free() {
        let Split { shape, null } = Penalty::THIRD_DIFFERENCE.split(2).unwrap();
        assert_eq!((shape.ncols(), null.ncols()), (0, 2));
    }
}

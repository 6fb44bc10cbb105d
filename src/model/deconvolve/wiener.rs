//! The Wiener filter in the time domain: the linear estimate of least mean square error for white activity in white noise.
//!
//! ```text
//! s = tau^2 A' (tau^2 A A' + sigma^2 I)^-1 y = (A'A + lambda I)^-1 A'y,   lambda = sigma^2 / tau^2
//! ```
//!
//! (Wiener 1949; over Fourier frequencies Glover 1999, doi 10.1006/nimg.1998.0419.) Unlike the filter over frequencies it
//! is exact at both ends of the run, over gaps, and with drift projected out. It is the ridge with the penalty
//! [`Penalty::VALUE`] and a lambda of its own.
//!
//! # Variances
//!
//! By moments, column by column. In the operator's singular basis, `A = U G V'`, the squares of data have the expectation
//!
//! ```text
//! E b_i^2 = sigma^2 + tau^2 g_i^2
//! ```
//!
//! with `g = 0` in the dimensions of the data that `A` does not reach. The half of the dimensions with the least gain tells
//! about noise: a kernel as slow as the haemodynamic response leaves next to no signal there. The other half tells about the
//! signal. Two moments make two linear equations, so that what signal the first half has is accounted for:
//!
//! ```text
//! sum over the least half    b_i^2 = count sigma^2   + tau^2 sum g_i^2
//! sum over the rest      w_i b_i^2 = sigma^2 sum w_i + tau^2 sum w_i g_i^2
//! ```
//!
//! for any weights `w`. They are solved twice: with `w = g^2`, the best for weak activity, and then with
//! `w = g^2 / (sigma^2 + tau^2 g^2)^2` of the first solution, the slope of the expectation over the variance of `b^2`, so that
//! strong activity is not told from the few largest gains alone. Where `tau^2` comes out negative there is no activity: it is
//! 0, lambda is infinite, and `sigma^2` is the mean of all squares. Where `sigma^2` comes out negative, lambda is 1e-16 of the
//! largest squared gain.

use super::ridge::diagonal::{Coordinates, Diagonal};
use super::ridge::fit::{Noise, fit};
use super::ridge::{Penalty, RidgeError};
use super::{Deconvolver, Operator, Solution, Wanted};
use ndarray::{Array2, ArrayView1};

/// Least lambda, relative to the largest squared gain.
const LEAST: f64 = 1e-16;

/// The Wiener filter, prepared for one operator.
///
/// Of a [`Solution`]: `lambda` is the ratio of the variances of noise and activity, infinite where no activity is found and
/// for a column of zeros; `sigma` is the moments' estimate; `dof` and `log_evidence` are those of the ridge at this lambda
/// ([`Ridge`](super::Ridge)).
#[derive(Debug, Clone)]
pub struct Wiener {
    diagonal: Diagonal,
    /// Directions of the larger half of the gains.
    strong: usize,
}

/// Variances of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Variances {
    noise: f64,
    activity: f64,
}

impl Wiener {
    /// Factorises the operator.
    ///
    /// # Errors
    /// An operator that is not finite, no dimension of data, or a factorisation that fails.
    pub fn new(operator: &Operator) -> Result<Self, RidgeError> {
        let diagonal = Diagonal::new(operator, Penalty::VALUE)?;
        let strong = diagonal.gains.len().min(diagonal.dof / 2);
        Ok(Self { diagonal, strong })
    }

    /// Both variances, neither negative.
    fn variances(&self, squares: &ArrayView1<'_, f64>, rest: f64) -> Variances {
        let first = self.moments(squares, rest, |squared| squared);
        let found = match first {
            Variances { activity, .. } if activity <= 0.0 => first,
            Variances { noise, activity } => {
                let noise = noise.max(0.0);
                self.moments(squares, rest, |squared| squared / (noise + activity * squared).powi(2))
            }
        };
        if found.activity > 0.0 {
            return Variances { noise: found.noise.max(0.0), ..found };
        }
        Variances { noise: (squares.sum() + rest) / self.diagonal.dof as f64, activity: 0.0 }
    }

    /// Solves the two equations with these weights of the strong directions, functions of the squared gain.
    fn moments(&self, squares: &ArrayView1<'_, f64>, rest: f64, weight: impl Fn(f64) -> f64) -> Variances {
        let squared = &self.diagonal.squared;
        let mut weak = [rest, (self.diagonal.dof - self.strong) as f64, 0.0];
        let mut strong = [0.0; 3];
        for (direction, (square, squared)) in squares.iter().zip(squared).enumerate() {
            if direction < self.strong {
                let weight = weight(*squared);
                let weighted = [weight * square, weight, weight * squared];
                strong.iter_mut().zip(weighted).for_each(|(sum, value)| *sum += value);
            } else {
                weak[0] += square;
                weak[2] += squared;
            }
        }
        let determinant = weak[1] * strong[2] - weak[2] * strong[1];
        // gains all alike do not tell activity from noise: then all is noise
        if determinant <= 1e-12 * weak[1] * strong[2] {
            return Variances { noise: 0.0, activity: 0.0 };
        }
        Variances {
            noise: (weak[0] * strong[2] - weak[2] * strong[0]) / determinant,
            activity: (weak[1] * strong[0] - weak[0] * strong[1]) / determinant,
        }
    }

    fn lambda(&self, variances: Variances) -> f64 {
        let least = LEAST * self.diagonal.squared.first().copied().unwrap_or(1.0);
        if variances.activity > 0.0 { (variances.noise / variances.activity).max(least) } else { f64::INFINITY }
    }
}

impl Deconvolver for Wiener {
    fn solve(&self, data: &Array2<f64>, wanted: Wanted) -> Solution {
        let coordinates = self.diagonal.coordinates(data);
        let Coordinates { squares, rest, .. } = &coordinates;
        let variances: Vec<Variances> =
            squares.outer_iter().zip(rest).map(|(squares, rest)| self.variances(&squares, *rest)).collect();
        let lambda = variances.iter().map(|variances| self.lambda(*variances)).collect();
        let noise = Noise::Given(variances.iter().map(|variances| variances.noise.sqrt()).collect());
        fit(&self.diagonal, coordinates, lambda, &noise, wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ridge::tests::{Problem, convolution, normal, operator};
    use super::super::{LambdaChoice, Ridge};
    use super::*;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    #[test]
    fn expected_squares_give_their_variances_back() {
        // squares equal to their expectation: the equations are then exact, whatever their weights
        let wiener = Wiener::new(&operator(Problem::NoConstant)).unwrap();
        for (noise, activity) in [(1.0, 2.0), (0.3, 0.01), (5.0, 0.0), (0.0, 1.5)] {
            let squares: ndarray::Array1<f64> =
                wiener.diagonal.squared.iter().map(|squared| noise + activity * squared).collect();
            let rest = noise * wiener.diagonal.dimensions_of_rest() as f64;
            let found = wiener.variances(&squares.view(), rest);
            // rounding of two 2 x 2 equations
            assert!((found.noise - noise).abs() < 1e-12 && (found.activity - activity).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn is_the_estimate_of_least_mean_square_error_at_the_ratio_it_finds() {
        // the filter written with the covariance of the data, s = A' (A A' + lambda I)^-1 y, is the ridge at that lambda
        let operator = operator(Problem::Plain);
        let mut stream = Xoshiro256PlusPlus::seed_from_u64(3);
        let data = operator.forward.dot(&normal(&mut stream, 40, 6)) + normal(&mut stream, 24, 6);
        let wanted = Wanted { standard_errors: true, ..Wanted::default() };
        let found = Wiener::new(&operator).unwrap().solve(&data, wanted);
        for column in (0..6).filter(|column| found.lambda[*column].is_finite()) {
            let ridge = Ridge::new(&operator, Penalty::VALUE, LambdaChoice::Fixed(found.lambda[column])).unwrap();
            let expected = ridge.solve(&data, wanted);
            let differences = found.activity.column(column).to_owned() - expected.activity.column(column);
            assert!(differences.iter().all(|difference| difference.abs() < 1e-12)); // the same operations
            assert!((found.log_evidence[column] - expected.log_evidence[column]).abs() < 1e-10);
        }
        assert!(found.lambda.iter().any(|lambda| lambda.is_finite()));
    }

    #[test]
    fn variances_are_recovered_without_bias() {
        let forward = convolution(150, 16);
        let operator = Operator { gram: forward.t().dot(&forward), dof: 150, forward };
        let wiener = Wiener::new(&operator).unwrap();
        let (columns, noise, activity) = (400, 4.0_f64, 2.25_f64);
        let mut stream = Xoshiro256PlusPlus::seed_from_u64(8);
        let data = operator.forward.dot(&normal(&mut stream, 166, columns)) * activity.sqrt()
            + normal(&mut stream, 150, columns) * noise.sqrt();
        let solution = wiener.solve(&data, Wanted::default());
        let of = |column: usize| solution.sigma[column].powi(2);
        let mean_noise = (0..columns).map(of).sum::<f64>() / columns as f64;
        let mean_activity =
            (0..columns).map(|column| of(column) / solution.lambda[column]).sum::<f64>() / columns as f64;
        // 75 dimensions tell about each: a standard error of sqrt(2 / 75 / 400) = 0.8 %; four of them. For activity twice
        // that, because its directions hold noise too and the weights of the second step are estimated
        assert!((mean_noise / noise - 1.0).abs() < 0.033, "{mean_noise}");
        assert!((mean_activity / activity - 1.0).abs() < 0.066, "{mean_activity}");
    }

    #[test]
    fn zeros_give_zeros() {
        let operator = operator(Problem::NoConstant);
        let solution = Wiener::new(&operator)
            .unwrap()
            .solve(&Array2::zeros((24, 2)), Wanted { standard_errors: true, ..Wanted::default() });
        assert_eq!((solution.lambda[0], solution.sigma[0], solution.dof[0]), (f64::INFINITY, 0.0, 0.0));
        assert!(solution.activity.iter().chain(&solution.standard_error.unwrap()).all(|value| *value == 0.0));
    }
}

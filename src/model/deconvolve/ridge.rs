//! Linear deconvolution with a quadratic penalty, its weight chosen for each column.
//!
//! ```text
//! minimise |y - A s|^2 + lambda |D s|^2
//! ```
//!
//! for each column `y`, `A` being the operator and `D` differences of activity ([`Penalty`]). Where a direction is neither
//! seen by `A` nor penalised (a constant, when the constant is projected out of data and steps are penalised), the solution
//! is the one of least norm. One factorisation an operator; then two matrix products a block of columns, and some
//! thousand operations a column for each step of the search for lambda.
//!
//! As Gaussian process: the prior of `s` has the covariance `sigma^2 / lambda (D'D)^+`, flat where `D` is zero; the solution
//! is the posterior mean. [`Solution::standard_error`] is the posterior standard deviation at the lambda and sigma given;
//! intervals from it cover the truth at their nominal rate on the average over samples, not at each (Wahba 1983,
//! doi 10.1111/j.2517-6161.1983.tb01239.x; Nychka 1988, doi 10.1080/01621459.1988.10478711). It leaves out directions
//! that are neither seen nor penalised, of which nothing is known.
//!
//! # Evidence
//!
//! [`Solution::log_evidence`] is the logarithm of the marginal likelihood of the whitened, projected column, all constants
//! in, at the lambda given and the `sigma^2` that maximises it. Unpenalised activity that data see is integrated out with a flat
//! prior of unit density in units of activity: with such a penalty it is comparable between operators and noise models
//! under the same penalty, not between penalties of different order.
//!
//! To compare noise models, say autocorrelations rho, on one column, the data must be the same: with `W` the whitening of the
//! kept frames (square) and `X` drift and confounds before whitening (independent columns), the restricted likelihood of the
//! column itself is
//!
//! ```text
//! log p(y | rho) = log_evidence + log |det W| - 1/2 log |X'W'W X|
//! ```
//!
//! up to `1/2 log |X'X|`, the same for all rho. Add the last two terms, take the rho with the largest sum.

pub(crate) mod diagonal;
pub(crate) mod fit;
mod penalty;
mod selection;
#[cfg(test)]
pub(crate) mod tests;

use super::{Deconvolver, Operator, Solution, Wanted};
use crate::model::linalg::LinalgError;
use diagonal::Diagonal;
use fit::{Noise, fit};
use ndarray::Array2;
pub use penalty::Penalty;
use selection::{Criterion, Selection};

/// How the weight of the penalty is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LambdaChoice {
    /// This weight for every column; positive.
    Fixed(f64),
    /// The least generalised cross-validation score, `RSS / (dof - tr H)^2` (Golub, Heath & Wahba 1979,
    /// doi 10.1080/00401706.1979.10489751).
    Gcv,
    /// The largest marginal likelihood over lambda and sigma.
    Evidence,
}

/// Why a linear method cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum RidgeError {
    /// The operator holds NaN or infinity.
    #[error("the operator of the deconvolution is not finite")]
    NotFinite,
    /// Unpenalised activity takes all of the data.
    #[error("{dof} dimensions of data for {free} of unpenalised activity: none is left for the noise")]
    NoFreedom {
        /// Dimension of the data space.
        dof: usize,
        /// Unpenalised dimensions of activity.
        free: usize,
    },
    /// A weight that is no positive number.
    #[error("the weight of the penalty is {0}: it must be a positive number")]
    Lambda(f64),
    /// LAPACK gave up.
    #[error("the operator of the deconvolution cannot be factorised")]
    Factorisation(#[from] LinalgError),
}

/// Penalised least squares, prepared for one operator.
///
/// Of a [`Solution`]: `lambda` is infinite where no penalised activity at all is the best choice, and for a column of zeros
/// (unless it is fixed); the penalised activity is then zero. `sigma` is from `RSS / (dof - tr H)` for a fixed lambda and
/// GCV, from the maximum of the evidence for that choice. `log_evidence` of a column of zeros is 0.
#[derive(Debug, Clone)]
pub struct Ridge {
    diagonal: Diagonal,
    choice: Prepared,
}

#[derive(Debug, Clone)]
enum Prepared {
    Fixed(f64),
    Searched(Selection),
}

impl Ridge {
    /// Factorises the operator under the penalty.
    ///
    /// # Errors
    /// An operator that is not finite or leaves nothing for the noise, a fixed lambda that is not positive, or a
    /// factorisation that fails.
    pub fn new(operator: &Operator, penalty: Penalty, choice: LambdaChoice) -> Result<Self, RidgeError> {
        if let LambdaChoice::Fixed(lambda) = choice
            && !(lambda.is_normal() && lambda > 0.0)
        {
            return Err(RidgeError::Lambda(lambda));
        }
        let diagonal = Diagonal::new(operator, penalty)?;
        let choice = match choice {
            LambdaChoice::Fixed(lambda) => Prepared::Fixed(lambda),
            LambdaChoice::Gcv => Prepared::Searched(Selection::new(&diagonal, Criterion::Gcv)),
            LambdaChoice::Evidence => Prepared::Searched(Selection::new(&diagonal, Criterion::Evidence)),
        };
        Ok(Self { diagonal, choice })
    }
}

impl Deconvolver for Ridge {
    fn solve(&self, data: &Array2<f64>, wanted: Wanted) -> Solution {
        let coordinates = self.diagonal.coordinates(data);
        let (lambda, noise) = match &self.choice {
            Prepared::Fixed(lambda) => (vec![*lambda; data.ncols()], Noise::Residual),
            Prepared::Searched(selection) => {
                let noise = match selection.criterion() {
                    Criterion::Gcv => Noise::Residual,
                    Criterion::Evidence => Noise::Evidence,
                };
                (selection.lambdas(&self.diagonal, &coordinates), noise)
            }
        };
        fit(&self.diagonal, coordinates, lambda, &noise, wanted)
    }
}

//! The precision of a design's projections under the noise of each column, in whichever form the noise model has it.

use super::cholesky::solve_lower_packed;
use super::gls::{Gls, GlsInverse};
use super::noise::NoiseAt;
use super::process::{ArPrecision, ArScratch};

/// `Q'V^-1Q` for every noise that a column may have.
#[derive(Debug, Clone)]
pub(crate) enum Precision {
    /// White noise: the identity.
    White,
    /// AR(1).
    Ar1(Gls),
    /// A process a class of columns: packed Cholesky factors.
    Classes(Vec<Vec<f64>>),
    /// An autoregression a column.
    Own(ArPrecision),
}

/// Working space of [`Precision::invert`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Inverse {
    ar1: GlsInverse,
    own: ArScratch,
}

impl Precision {
    /// Makes ready the inverse for the noise `at`; `inverse` is working space.
    pub(crate) fn invert(&self, at: NoiseAt<'_>, inverse: &mut Inverse) {
        match (self, at) {
            (Self::Ar1(gls), NoiseAt::Rho(rho)) => gls.invert(rho, &mut inverse.ar1),
            // that it is regular was seen in the fit
            (Self::Own(precision), NoiseAt::Own(process)) => {
                precision.factor(process, &mut inverse.own);
            }
            _ => {}
        }
    }

    /// Length of what [`Self::halve`] gives for a design of this rank.
    pub(crate) fn half_length(&self, rank: usize) -> usize {
        match self {
            Self::Ar1(gls) => gls.half_length(),
            Self::White | Self::Classes(_) | Self::Own(_) => rank,
        }
    }

    /// `z` such that `z_a' z_b = a' (Q'V^-1Q)^-1 b` for the noise `at` that was inverted, into `half`.
    pub(crate) fn halve(&self, at: NoiseAt<'_>, inverse: &Inverse, vector: &[f64], half: &mut [f64]) {
        match (self, at) {
            (Self::Ar1(gls), _) => gls.halve(&inverse.ar1, vector, half),
            (Self::Classes(factors), NoiseAt::Class(class)) => {
                half.copy_from_slice(vector);
                solve_lower_packed(&factors[class], half);
            }
            (Self::Own(_), _) => {
                half.copy_from_slice(vector);
                solve_lower_packed(inverse.own.factor(), half);
            }
            _ => half.copy_from_slice(vector),
        }
    }
}

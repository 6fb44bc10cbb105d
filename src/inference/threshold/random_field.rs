//! Height of a smooth random field: the error over the family from its expected Euler characteristic.
//!
//! ```text
//! P(max > u) = 1 - exp(-sum over d = 0..3 of R_d rho_d(u))
//! ```
//!
//! with the resels `R_d` of the mask and the densities `rho_d` of a field of t, F or z in units of FWHM (Worsley, Marrett,
//! Neelin, Vandal, Friston & Evans 1996, doi 10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O; Poisson clumping as
//! in Friston and others 1996, doi 10.1006/nimg.1996.0074). It holds for heights well up in the tail, and for a field that is
//! smooth against the voxels; where the FWHM is below some 3 voxels it is more careful than Bonferroni.

use super::smoothness::Resels;
use crate::config::PValueSides;
use crate::inference::{FisherF, StudentT};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{LN_2, TAU};

/// Which statistic the field is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldOf {
    /// Student's t of these degrees of freedom.
    T {
        /// Degrees of freedom.
        dof: f64,
    },
    /// Fisher's F.
    F {
        /// Rows of the contrast.
        numerator_dof: f64,
        /// Degrees of freedom.
        dof: f64,
    },
}

impl FieldOf {
    /// Densities of the Euler characteristic at a height, in 0 to 3 dimensions.
    fn densities(self, u: f64) -> [f64; 4] {
        let four_ln_2 = 4.0 * LN_2;
        match self {
            Self::T { dof } => {
                let tail = StudentT::new(dof, PValueSides::UpperTail, None).p(u);
                let q = (-0.5 * (dof - 1.0) * (u * u / dof).ln_1p()).exp();
                let g = (ln_gamma(0.5 * (dof + 1.0)) - ln_gamma(0.5 * dof)).exp() / (0.5 * dof).sqrt();
                [
                    tail,
                    four_ln_2.sqrt() / TAU * q,
                    four_ln_2 / TAU.powf(1.5) * g * u * q,
                    four_ln_2.powf(1.5) / TAU.powi(2) * ((dof - 1.0) / dof * u * u - 1.0) * q,
                ]
            }
            Self::F { numerator_dof: k, dof: v } => {
                let tail = FisherF::new(k, v, None).p(u);
                let r = k * u / v;
                let q = (-0.5 * (v + k - 2.0) * r.ln_1p()).exp();
                let g = |d: f64| (ln_gamma(0.5 * (v + k - d)) - ln_gamma(0.5 * v) - ln_gamma(0.5 * k)).exp();
                let a = four_ln_2 / TAU;
                let power = |d: f64| r.powf(0.5 * (k - d));
                [
                    tail,
                    (2.0 * a).sqrt() * g(1.0) * power(1.0) * q,
                    a * g(2.0) * power(2.0) * q * ((v - 1.0) * r - (k - 1.0)),
                    a.powf(1.5) / 2.0_f64.sqrt()
                        * g(3.0)
                        * power(3.0)
                        * q
                        * ((v - 1.0) * (v - 2.0) * r * r - (2.0 * v * k - v - k - 1.0) * r + (k - 1.0) * (k - 2.0)),
                ]
            }
        }
    }

    /// z of the same tail probability as a statistic.
    pub fn z(self, statistic: f64) -> f64 {
        match self {
            Self::T { dof } => StudentT::new(dof, PValueSides::UpperTail, None).z(statistic),
            Self::F { numerator_dof, dof } => FisherF::new(numerator_dof, dof, None).z(statistic),
        }
    }

    /// The statistic of the same tail probability as a z, by bisection; 0 at most for z below 0.
    pub fn statistic(self, z: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        while self.z(high) < z && high < 1e100 {
            high *= 2.0;
        }
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if self.z(middle) < z { low = middle } else { high = middle }
        }
        high
    }

    /// Probability that the largest value of a field without effect exceeds `u`, one-sided.
    pub fn exceedance(self, u: f64, resels: &Resels) -> f64 {
        let expected: f64 = resels.iter().zip(self.densities(u)).map(|(resels, density)| resels * density).sum();
        -(-expected.max(0.0)).exp_m1()
    }

    /// The height that the largest value of a field exceeds with a probability of `alpha`, one-sided.
    pub fn height(self, alpha: f64, resels: &Resels) -> f64 {
        // above every local maximum of the expectation, and then bisected
        let mut high = 4.0;
        while high < 1e6 && self.exceedance(high, resels) > 0.1 * alpha {
            high *= 1.5;
        }
        let mut low = high;
        while low > 0.5 && self.exceedance(low, resels) <= alpha {
            low -= 0.01 * high.min(10.0);
        }
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if self.exceedance(middle, resels) > alpha { low = middle } else { high = middle }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_f_of_one_row_is_a_t_on_both_sides() {
        let (t, f) = (FieldOf::T { dof: 37.0 }, FieldOf::F { numerator_dof: 1.0, dof: 37.0 });
        for u in [1.5, 3.0, 4.7, 9.0] {
            for (of_t, of_f) in t.densities(u).into_iter().zip(f.densities(u * u)) {
                assert!((2.0 * of_t - of_f).abs() < 1e-12 * of_f.abs().max(1e-12), "at {u}: {of_t} {of_f}");
            }
        }
    }

    #[test]
    fn with_many_degrees_of_freedom_a_t_field_is_gaussian() {
        let four_ln_2 = 4.0 * LN_2;
        let found = FieldOf::T { dof: 1e8 }.densities(4.0);
        let bell = (-8.0_f64).exp();
        let expected = [
            four_ln_2.sqrt() / TAU * bell,
            four_ln_2 / TAU.powf(1.5) * 4.0 * bell,
            four_ln_2.powf(1.5) / TAU.powi(2) * 15.0 * bell,
        ];
        for (found, expected) in found[1..].iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-5, "{found}, not {expected}");
        }
    }

    #[test]
    fn heights_rise_with_the_volume_and_fall_with_alpha() {
        let field = FieldOf::T { dof: 60.0 };
        let heights = |alpha| [1.0, 100.0, 1000.0].map(|volume| field.height(alpha, &[1.0, 0.0, 0.0, volume]));
        let (loose, strict) = (heights(0.05), heights(0.001));
        assert!(loose.is_sorted() && strict.is_sorted() && (0..3).all(|at| loose[at] < strict[at]));
        // one point alone: the quantile of t, scipy.stats.t.isf(-log(.95), 60)
        let point = field.height(0.05, &[1.0, 0.0, 0.0, 0.0]);
        assert!((field.exceedance(point, &[1.0, 0.0, 0.0, 0.0]) - 0.05).abs() < 1e-12);
        for z in [0.5, 3.0, 8.0, 20.0] {
            assert!((field.z(field.statistic(z)) - z).abs() < 1e-9);
        }
    }
}

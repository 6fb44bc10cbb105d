//! t and F to p and z, never through the wrong tail.
//!
//! z has the same tail probability as the statistic: of t, `sign(t) isf(sf(|t|))`; of F, `isf(sf)` where F is above
//! its median, else `-isf(cdf)`. Where p underflows (z beyond 37) z comes from its logarithm.

use super::incomplete_beta::IncompleteBeta;
use super::normal_tail::{upper_quantile, upper_quantile_of_log};
use crate::config::PValueSides;
use std::f64::consts::LN_2;

/// p and z of a statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// Probability of a statistic at least as extreme, on the sides asked for.
    pub p: f64,
    /// Standard normal deviate of the same tail probability.
    pub z: f64,
}

const NOT_A_NUMBER: Tail = Tail { p: f64::NAN, z: f64::NAN };

/// Student's t.
#[derive(Debug, Clone, Copy)]
pub struct StudentT {
    dof: f64,
    beta: IncompleteBeta,
    sides: PValueSides,
    clip: Option<(f64, f64)>,
}

impl StudentT {
    /// With `dof` degrees of freedom; p on `sides`; probabilities clipped to `clip` before z is taken.
    pub fn new(dof: f64, sides: PValueSides, clip: Option<(f64, f64)>) -> Self {
        Self { dof, beta: IncompleteBeta::new(0.5 * dof, 0.5), sides, clip }
    }

    /// p and z of `t`.
    pub fn tail(&self, t: f64) -> Tail {
        if t.is_nan() {
            return NOT_A_NUMBER;
        }
        let both = self.beta.split(t * t / self.dof);
        let beyond = 0.5 * both.upper;
        let p = match self.sides {
            PValueSides::TwoSided => both.upper,
            PValueSides::UpperTail if t >= 0.0 => beyond,
            PValueSides::UpperTail => 0.5 + 0.5 * both.lower,
        };
        let z = match self.clip {
            Some((smallest, _)) => upper_quantile(beyond.max(smallest)),
            None => upper_quantile_of_log(both.ln_upper - LN_2),
        };
        Tail { p, z: if t < 0.0 { -z } else { z } }
    }
}

/// Fisher's F.
#[derive(Debug, Clone, Copy)]
pub struct FisherF {
    ratio: f64,
    beta: IncompleteBeta,
    complement: IncompleteBeta,
    clip: Option<(f64, f64)>,
}

impl FisherF {
    /// With `numerator_dof` and `dof` degrees of freedom; probabilities clipped to `clip` before z is taken.
    pub fn new(numerator_dof: f64, dof: f64, clip: Option<(f64, f64)>) -> Self {
        let (a, b) = (0.5 * dof, 0.5 * numerator_dof);
        let (beta, complement) = (IncompleteBeta::new(a, b), IncompleteBeta::new(b, a));
        Self { ratio: numerator_dof / dof, beta, complement, clip }
    }

    /// p (upper tail) and z of `f`.
    pub fn tail(&self, f: f64) -> Tail {
        if f.is_nan() {
            return NOT_A_NUMBER;
        }
        let w = self.ratio * f.max(0.0);
        let split = self.beta.split(w);
        let z = match self.clip {
            Some((smallest, largest)) => {
                let z = upper_quantile(split.upper.clamp(smallest, largest));
                if z < 0.0 { -upper_quantile(split.lower.clamp(smallest, largest)) } else { z }
            }
            None if split.upper <= 0.5 => upper_quantile_of_log(split.ln_upper),
            // the lower tail in logarithms: I_(1-x)(b, a), so w is inverted
            None => -upper_quantile_of_log(self.complement.split(w.recip()).ln_upper),
        };
        Tail { p: split.upper, z }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the 50-digit expectations: kind, numerator dof, dof, statistic, natural logarithm of the upper tail, z.
    fn expectations() -> Vec<(String, [f64; 5])> {
        include_str!("../../tests/expectations/distributions.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .skip(1)
            .map(|line| {
                let mut cells = line.split('\t');
                let kind = cells.next().unwrap().to_owned();
                (kind, std::array::from_fn(|_| cells.next().unwrap().parse().unwrap()))
            })
            .collect()
    }

    /// Relative error of p: rounding of ln p, whose size is up to 740 where p is not yet 0, leaves 1e-13.
    const P_TOLERANCE: f64 = 5e-13;
    /// Error of z, relative beyond 1: an error of ln p is one of z^2 / 2, so z has less of it.
    const Z_TOLERANCE: f64 = 2e-13;

    #[test]
    fn tails_agree_with_fifty_digits() {
        let mut count = 0;
        for (kind, [q, dof, statistic, ln_upper, z]) in expectations() {
            let tail = match kind.as_str() {
                "t" => StudentT::new(dof, PValueSides::UpperTail, None).tail(statistic),
                _ => FisherF::new(q, dof, None).tail(statistic),
            };
            let p = ln_upper.exp();
            let what = format!("{kind} {q} {dof} {statistic}: p {} ({p}), z {} ({z})", tail.p, tail.z);
            assert!((tail.p - p).abs() <= P_TOLERANCE * p + 1e-307, "{what}");
            assert!((tail.z - z).abs() <= Z_TOLERANCE * z.abs().max(1.0), "{what}");
            count += 1;
        }
        assert!(count > 200);
    }

    #[test]
    fn both_sides_of_t() {
        let two = StudentT::new(10.0, PValueSides::TwoSided, None);
        let upper = StudentT::new(10.0, PValueSides::UpperTail, None);
        let (above, below) = (two.tail(2.5), two.tail(-2.5));
        assert_eq!((above.p, above.z), (below.p, -below.z));
        assert_eq!(above.p, 2.0 * upper.tail(2.5).p);
        assert!((upper.tail(-2.5).p + upper.tail(2.5).p - 1.0).abs() < 1e-16);
        assert_eq!(two.tail(0.0), Tail { p: 1.0, z: 0.0 });
    }

    #[test]
    fn the_clipped_profile_stops_at_37_and_the_exact_one_does_not() {
        let clip = Some((1e-300, 1.0 - 1e-16));
        // scipy.stats.norm.isf(1e-300)
        let bound: f64 = 37.047_096_299_361_2;
        for t in [200.0, -200.0] {
            let z = StudentT::new(1000.0, PValueSides::UpperTail, clip).tail(t).z;
            assert!((z - bound.copysign(t)).abs() < 1e-12);
            assert!(StudentT::new(1000.0, PValueSides::UpperTail, None).tail(t).z.abs() > 60.0);
        }
        assert!((FisherF::new(3.0, 1000.0, clip).tail(0.0).z + bound).abs() < 1e-12);
        assert_eq!(FisherF::new(3.0, 1000.0, None).tail(f64::INFINITY), Tail { p: 0.0, z: f64::INFINITY });
    }

    #[test]
    fn z_grows_with_the_statistic_without_a_step() {
        let t = StudentT::new(300.0, PValueSides::TwoSided, None);
        let f = FisherF::new(4.0, 300.0, None);
        let mut before = (t.tail(-60.0).z, f.tail(1e-6).z);
        for step in 1..60_000 {
            let now = (t.tail(-60.0 + f64::from(step) * 0.002).z, f.tail(f64::from(step) * 0.05).z);
            assert!(now.0 > before.0 && now.1 > before.1, "at step {step}");
            assert!(now.0 - before.0 < 0.0021, "at step {step}");
            before = now;
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        assert!(StudentT::new(5.0, PValueSides::TwoSided, None).tail(f64::NAN).z.is_nan());
        assert!(FisherF::new(2.0, 5.0, None).tail(f64::NAN).p.is_nan());
    }
}

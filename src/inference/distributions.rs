//! t and F to p and z, never through the wrong tail.
//!
//! z has the same tail probability as the statistic: of t, `sign(t) isf(sf(|t|))`; of F, `isf(sf)` where F is above
//! its median, else `-isf(cdf)`. Where p underflows (z beyond 37) z comes from its logarithm.

use super::incomplete_beta::IncompleteBeta;
use super::normal_tail::{upper_quantile, upper_quantile_of_log};
use crate::config::PValueSides;
use std::f64::consts::{LN_2, TAU};

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

    /// Bounds of the probabilities from which z is taken.
    pub(super) fn clip(&self) -> Option<(f64, f64)> {
        self.clip
    }

    /// Probability of a statistic at least as extreme as `t`, on the sides asked for.
    pub fn p(&self, t: f64) -> f64 {
        if t.is_nan() {
            return f64::NAN;
        }
        let both = self.beta.split(t * t / self.dof);
        match self.sides {
            PValueSides::TwoSided => both.upper,
            PValueSides::UpperTail if t >= 0.0 => 0.5 * both.upper,
            PValueSides::UpperTail => 0.5 + 0.5 * both.lower,
        }
    }

    /// Standard normal deviate of the same tail probability as `t`.
    pub fn z(&self, t: f64) -> f64 {
        if t.is_nan() {
            return f64::NAN;
        }
        let both = self.beta.split(t * t / self.dof);
        let z = match self.clip {
            Some((smallest, _)) => upper_quantile((0.5 * both.upper).max(smallest)),
            None => upper_quantile_of_log(both.ln_upper - LN_2),
        };
        if t < 0.0 { -z } else { z }
    }

    /// The variable `w` in which z is tabulated, `sqrt(dof ln(1 + t^2 / dof))`: z is almost proportional to it at any
    /// dof (Wallace 1959, Annals of Mathematical Statistics 30, 1121).
    pub(super) fn abscissa(&self, t: f64) -> f64 {
        (self.dof * (t * t / self.dof).ln_1p()).sqrt()
    }

    /// z, unclipped, and its first two derivatives by `w`, at `w >= 0`.
    ///
    /// The slope is `f(t) (dt / dw) / phi(z)` with the densities f of t and phi of z, in which `1 + t^2 / dof` is
    /// `exp(w^2 / dof)`; the curvature is the slope times the derivative of its logarithm.
    pub(super) fn curve(&self, w: f64) -> [f64; 3] {
        let at_zero = (0.5 * (TAU / self.dof).ln() - self.beta.ln_beta()).exp();
        if w == 0.0 {
            return [0.0, at_zero, 0.0];
        }
        let share = w * w / self.dof;
        let z = upper_quantile_of_log(self.beta.split(share.exp_m1()).ln_upper - LN_2);
        let slope = at_zero * (0.5 * (z - w) * (z + w)).exp() * w / (-self.dof * (-share).exp_m1()).sqrt();
        [z, slope, slope * (z * slope - w + w.recip() - w / (self.dof * share.exp_m1()))]
    }
}

/// Fisher's F.
#[derive(Debug, Clone, Copy)]
pub struct FisherF {
    numerator_dof: f64,
    dof: f64,
    beta: IncompleteBeta,
    complement: IncompleteBeta,
    clip: Option<(f64, f64)>,
}

impl FisherF {
    /// With `numerator_dof` and `dof` degrees of freedom; probabilities clipped to `clip` before z is taken.
    pub fn new(numerator_dof: f64, dof: f64, clip: Option<(f64, f64)>) -> Self {
        let (a, b) = (0.5 * dof, 0.5 * numerator_dof);
        let (beta, complement) = (IncompleteBeta::new(a, b), IncompleteBeta::new(b, a));
        Self { numerator_dof, dof, beta, complement, clip }
    }

    /// Bounds of the probabilities from which z is taken.
    pub(super) fn clip(&self) -> Option<(f64, f64)> {
        self.clip
    }

    /// `numerator_dof f / dof`, the odds of the beta distribution.
    fn odds(&self, f: f64) -> f64 {
        self.numerator_dof / self.dof * f.max(0.0)
    }

    /// Probability of a statistic at least as large as `f`.
    pub fn p(&self, f: f64) -> f64 {
        if f.is_nan() { f64::NAN } else { self.beta.split(self.odds(f)).upper }
    }

    /// Standard normal deviate of the same tail probability as `f`.
    pub fn z(&self, f: f64) -> f64 {
        if f.is_nan() {
            return f64::NAN;
        }
        let Some((smallest, largest)) = self.clip else { return self.unclipped_z(self.odds(f)) };
        let split = self.beta.split(self.odds(f));
        let z = upper_quantile(split.upper.clamp(smallest, largest));
        if z < 0.0 { -upper_quantile(split.lower.clamp(smallest, largest)) } else { z }
    }

    fn unclipped_z(&self, odds: f64) -> f64 {
        let split = self.beta.split(odds);
        if split.upper <= 0.5 {
            upper_quantile_of_log(split.ln_upper)
        } else {
            // the lower tail in logarithms: I_(1-x)(b, a), so the odds are inverted
            -upper_quantile_of_log(self.complement.split(odds.recip()).ln_upper)
        }
    }

    /// z, unclipped, and its first two derivatives by `ln F`: the slope is `F f(F) / phi(z)`, with the densities f of F
    /// and phi of z.
    pub(super) fn curve(&self, ln_f: f64) -> [f64; 3] {
        let odds = self.odds(ln_f.exp());
        let z = self.unclipped_z(odds);
        let (a, b) = (0.5 * self.dof, 0.5 * self.numerator_dof);
        let ln_density = b * odds.ln() - (a + b) * odds.ln_1p() - self.beta.ln_beta();
        let slope = (ln_density + 0.5 * z * z + 0.5 * TAU.ln()).exp();
        [z, slope, slope * (z * slope + b - (a + b) / (1.0 + odds.recip()))]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Rows of the 50-digit expectations: kind, numerator dof, dof, statistic, natural logarithm of the upper tail, z.
    pub(in super::super) fn expectations() -> Vec<(String, [f64; 5])> {
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
            let (t, f) = (StudentT::new(dof, PValueSides::UpperTail, None), FisherF::new(q, dof, None));
            let [own_p, own_z] = match kind.as_str() {
                "t" => [t.p(statistic), t.z(statistic)],
                _ => [f.p(statistic), f.z(statistic)],
            };
            let p = ln_upper.exp();
            let what = format!("{kind} {q} {dof} {statistic}: p {own_p} ({p}), z {own_z} ({z})");
            assert!((own_p - p).abs() <= P_TOLERANCE * p + 1e-307, "{what}");
            assert!((own_z - z).abs() <= Z_TOLERANCE * z.abs().max(1.0), "{what}");
            count += 1;
        }
        assert!(count > 200);
    }

    #[test]
    fn both_sides_of_t() {
        let two = StudentT::new(10.0, PValueSides::TwoSided, None);
        let upper = StudentT::new(10.0, PValueSides::UpperTail, None);
        assert_eq!((two.p(2.5), two.z(2.5)), (two.p(-2.5), -two.z(-2.5)));
        assert_eq!(two.p(2.5), 2.0 * upper.p(2.5));
        assert!((upper.p(-2.5) + upper.p(2.5) - 1.0).abs() < 1e-16);
        assert_eq!((two.p(0.0), two.z(0.0)), (1.0, 0.0));
    }

    #[test]
    fn the_clipped_profile_stops_at_37_and_the_exact_one_does_not() {
        let clip = Some((1e-300, 1.0 - 1e-16));
        // scipy.stats.norm.isf(1e-300)
        let bound: f64 = 37.047_096_299_361_2;
        for t in [200.0, -200.0] {
            let z = StudentT::new(1000.0, PValueSides::UpperTail, clip).z(t);
            assert!((z - bound.copysign(t)).abs() < 1e-12);
            assert!(StudentT::new(1000.0, PValueSides::UpperTail, None).z(t).abs() > 60.0);
        }
        assert!((FisherF::new(3.0, 1000.0, clip).z(0.0) + bound).abs() < 1e-12);
        let exact = FisherF::new(3.0, 1000.0, None);
        assert_eq!((exact.p(f64::INFINITY), exact.z(f64::INFINITY)), (0.0, f64::INFINITY));
    }

    #[test]
    fn z_grows_with_the_statistic_without_a_step() {
        let t = StudentT::new(300.0, PValueSides::TwoSided, None);
        let f = FisherF::new(4.0, 300.0, None);
        let mut before = (t.z(-60.0), f.z(1e-6));
        for step in 1..60_000 {
            let now = (t.z(-60.0 + f64::from(step) * 0.002), f.z(f64::from(step) * 0.05));
            assert!(now.0 > before.0 && now.1 > before.1, "at step {step}");
            assert!(now.0 - before.0 < 0.0021, "at step {step}");
            before = now;
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        assert!(StudentT::new(5.0, PValueSides::TwoSided, None).z(f64::NAN).is_nan());
        assert!(FisherF::new(2.0, 5.0, None).p(f64::NAN).is_nan());
    }
}

//! How much of a cluster is true: all-resolution inference.
//!
//! With probability `1 - alpha`, at the same time for every set `S` of voxels that anyone may choose after looking, at
//! least `d(S)` voxels of `S` are not null:
//!
//! ```text
//! d(S) = max over u in 1..|S| of  1 - u + #{ p_i in S : h p_i <= u alpha }
//! ```
//!
//! `h` is Hommel's: the largest number of null hypotheses that Simes' test does not refuse,
//! `max { i : i p_(n - i + j) > j alpha for all j }`. With `m = min over k < n, p_(k) < alpha, of
//! alpha (n - k) / (alpha - p_(k))` it is `floor(m)`, at most `n`; 0 where every p is below alpha.
//!
//! Rosenblatt, Finos, Weeda, Solari & Goeman 2018, doi 10.1016/j.neuroimage.2018.07.060; Goeman, Meijer, Krebs & Solari
//! 2019, doi 10.1093/biomet/asz041. Simes' test holds where values are positively dependent.

use super::heights::p_of;
use crate::config::Sides;

/// What can be said of any set of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueDiscoveries {
    hommel: f64,
    alpha: f64,
    sides: Sides,
}

impl TrueDiscoveries {
    /// In a family of z, wrong about any of its sets with a probability of at most `alpha`.
    pub fn new(family: &[f64], alpha: f64, sides: Sides) -> Self {
        let mut p: Vec<f64> = family.iter().map(|z| p_of(*z, sides)).collect();
        p.sort_by(f64::total_cmp);
        let n = p.len();
        let hommel = match (p.first(), p.last()) {
            (Some(smallest), _) if *smallest > alpha => n as f64,
            (_, Some(largest)) if *largest < alpha => 0.0,
            _ => {
                let bound = |(at, p): (usize, &f64)| alpha * (n - at - 1) as f64 / (alpha - p);
                let below = p.iter().take(n.saturating_sub(1)).enumerate().filter(|(_, p)| **p < alpha);
                below.map(bound).fold(n as f64, f64::min).floor()
            }
        };
        Self { hommel, alpha, sides }
    }

    /// The least number of values of a set that are not null.
    pub fn at_least(&self, set: &[f64]) -> usize {
        // for each p the first u at which it counts
        let mut from: Vec<usize> = set
            .iter()
            .map(|z| (self.hommel * p_of(*z, self.sides) / self.alpha).ceil().max(1.0))
            .filter(|from| *from <= set.len() as f64)
            .map(|from| from as usize)
            .collect();
        from.sort_unstable();
        from.iter().enumerate().map(|(at, u)| (at + 2).saturating_sub(*u)).max().unwrap_or(0)
    }

    /// The least share of a set that is not null.
    pub fn proportion(&self, set: &[f64]) -> f64 {
        self.at_least(set) as f64 / set.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed testing with Simes' test over all intersections.
    fn by_closed_testing(p: &[f64], set: u32, alpha: f64) -> usize {
        let n = p.len();
        let refused = |hypotheses: u32| {
            let mut of: Vec<f64> = (0..n).filter(|at| hypotheses >> at & 1 == 1).map(|at| p[at]).collect();
            of.sort_by(f64::total_cmp);
            let m = of.len() as f64;
            of.iter().enumerate().any(|(at, p)| m * p <= (at + 1) as f64 * alpha)
        };
        let kept: Vec<u32> = (1..1 << n).filter(|hypotheses| !refused(*hypotheses)).collect();
        let most_null = kept.iter().map(|hypotheses| (hypotheses & set).count_ones()).max().unwrap_or(0);
        (set.count_ones() - most_null) as usize
    }

    #[test]
    fn discoveries_are_those_of_closed_testing() {
        let mut state = 11_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let (mut found_any, mut compared) = (0, 0);
        for trial in 0..120 {
            let n = 1 + trial % 8;
            let family: Vec<f64> = (0..n).map(|_| uniform() * 5.0 - 0.5).collect();
            for sides in [Sides::One, Sides::Two] {
                let p: Vec<f64> = family.iter().map(|z| p_of(*z, sides)).collect();
                let discoveries = TrueDiscoveries::new(&family, 0.05, sides);
                for set in 1..1_u32 << n {
                    let members: Vec<f64> = (0..n).filter(|at| set >> at & 1 == 1).map(|at| family[at]).collect();
                    let expected = by_closed_testing(&p, set, 0.05);
                    assert_eq!(discoveries.at_least(&members), expected, "{members:?} of {family:?}");
                    found_any += usize::from(expected > 0);
                    compared += 1;
                }
            }
        }
        assert!(found_any > 1000 && compared > 5000, "{found_any} of {compared}");
    }

    #[test]
    fn certain_and_hopeless_families() {
        let certain = TrueDiscoveries::new(&[40.0; 5], 0.05, Sides::Two);
        assert_eq!((certain.at_least(&[40.0; 3]), certain.proportion(&[])), (3, 0.0));
        assert_eq!(TrueDiscoveries::new(&[0.1; 5], 0.05, Sides::Two).at_least(&[0.1; 5]), 0);
        let some = TrueDiscoveries::new(&[40.0, 40.0, 0.0, 0.0], 0.05, Sides::Two);
        assert_eq!((some.at_least(&[40.0, 40.0, 0.0]), some.proportion(&[0.0])), (2, 0.0));
    }
}

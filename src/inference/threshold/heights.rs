//! Heights of z: uncorrected, Bonferroni, and those of a false discovery rate.
//!
//! A value passes a height where it is at least as large (on two sides: its absolute value). `p` below is the tail
//! probability of z on the sides asked for, `V` the number of values in the family:
//!
//! ```text
//! uncorrected   p <= alpha
//! Bonferroni    p <= alpha / V
//! BH            p <= p_(k), the largest of the sorted p with p_(k) <= alpha k / V
//! BY            the same with alpha / (1 + 1/2 + ... + 1/V)
//! ```
//!
//! Benjamini & Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x; Benjamini & Yekutieli 2001, doi
//! 10.1214/aos/1013699998; for images, Genovese, Lazar & Nichols 2002, doi 10.1006/nimg.2001.1037.

use crate::config::Sides;
use crate::inference::normal_tail::upper_quantile;
use std::f64::consts::FRAC_1_SQRT_2;

/// Tail probability of a z: above it, or on two sides beyond it. 1 of what is not a number.
pub fn p_of(z: f64, sides: Sides) -> f64 {
    let p = match sides {
        Sides::One => 0.5 * libm::erfc(z * FRAC_1_SQRT_2),
        Sides::Two => libm::erfc(z.abs() * FRAC_1_SQRT_2),
    };
    if p.is_nan() { 1.0 } else { p }
}

/// The z whose tail probability is `alpha`.
pub fn uncorrected(alpha: f64, sides: Sides) -> f64 {
    let upper = alpha / f64::from(sides.count());
    if upper <= 0.5 { upper_quantile(upper) } else { -upper_quantile(1.0 - upper) }
}

/// The z whose tail probability is `alpha` over the family's size.
pub fn bonferroni(alpha: f64, n_values: usize, sides: Sides) -> f64 {
    uncorrected(alpha / n_values.max(1) as f64, sides)
}

/// The smallest z of the family that passes at a false discovery rate of `alpha`, where values are independent or
/// positively dependent; infinite where none does.
pub fn benjamini_hochberg(family: &[f64], alpha: f64, sides: Sides) -> f64 {
    let sorted = sorted_from_the_top(family, sides);
    let n = sorted.len() as f64;
    let passes = |(at, z): &(usize, f64)| p_of(*z, sides) <= alpha * (at + 1) as f64 / n;
    sorted.into_iter().enumerate().rfind(passes).map_or(f64::INFINITY, |(_, z)| z)
}

/// A family, on two sides its absolute values, from the highest on.
pub(super) fn sorted_from_the_top(family: &[f64], sides: Sides) -> Vec<f64> {
    let mut sorted: Vec<f64> = family
        .iter()
        .map(|z| match sides {
            Sides::One if z.is_nan() => f64::NEG_INFINITY,
            Sides::Two if z.is_nan() => 0.0,
            Sides::One => *z,
            Sides::Two => z.abs(),
        })
        .collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted
}

/// As [`benjamini_hochberg`], whatever the dependence.
pub fn benjamini_yekutieli(family: &[f64], alpha: f64, sides: Sides) -> f64 {
    benjamini_hochberg(family, alpha / harmonic(family.len()).max(1.0), sides)
}

/// `1 + 1/2 + ... + 1/n`.
pub(super) fn harmonic(n: usize) -> f64 {
    (1..=n).rev().map(|k| (k as f64).recip()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_quantiles() {
        // scipy.stats.norm.isf
        for (found, expected) in [
            (uncorrected(0.001, Sides::One), 3.090_232_306_167_813_5),
            (uncorrected(0.001, Sides::Two), 3.290_526_731_491_895),
            (bonferroni(0.05, 6443, Sides::One), 4.321_165_501_788_192),
            (bonferroni(0.05, 6443, Sides::Two), 4.471_690_735_613_378),
            (uncorrected(0.75, Sides::One), -0.674_489_750_196_081_7),
        ] {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
        for (alpha, sides) in [(0.001, Sides::One), (1e-12, Sides::Two), (0.9, Sides::One)] {
            assert!((p_of(uncorrected(alpha, sides), sides) / alpha - 1.0).abs() < 1e-13);
        }
        assert_eq!(
            (p_of(0.0, Sides::Two), p_of(f64::NAN, Sides::One), p_of(f64::INFINITY, Sides::Two)),
            (1.0, 1.0, 0.0)
        );
    }

    /// By the definition, over every candidate.
    fn by_definition(family: &[f64], alpha: f64, sides: Sides) -> f64 {
        let n = family.len() as f64;
        let candidates = family.iter().map(|z| if sides == Sides::Two { z.abs() } else { *z });
        candidates
            .filter(|height| {
                let as_high = |z: &&f64| if sides == Sides::Two { z.abs() >= *height } else { **z >= *height };
                p_of(*height, sides) * n <= alpha * family.iter().filter(as_high).count() as f64
            })
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn a_false_discovery_rate_is_that_of_the_definition() {
        let mut state = 7_u64;
        for trial in 0..300 {
            let n = 1 + trial % 40;
            let family: Vec<f64> = (0..n)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 40) as f64 / f64::from(1 << 24) * 9.0 - 4.0
                })
                .collect();
            for sides in [Sides::One, Sides::Two] {
                let expected = by_definition(&family, 0.1, sides);
                assert_eq!(benjamini_hochberg(&family, 0.1, sides), expected, "{family:?}");
                let harmonic: f64 = (1..=n).map(|k| f64::from(k).recip()).sum();
                let expected = by_definition(&family, 0.1 / harmonic, sides);
                assert_eq!(benjamini_yekutieli(&family, 0.1, sides), expected, "{family:?}");
            }
        }
        assert_eq!(benjamini_hochberg(&[], 0.05, Sides::One), f64::INFINITY);
        assert_eq!(benjamini_hochberg(&[f64::NAN, 6.0], 0.05, Sides::One), 6.0);
    }
}

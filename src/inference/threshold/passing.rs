//! A height that was found for a family, and what it says of a value.

use super::heights::{
    benjamini_hochberg, benjamini_yekutieli, bonferroni, harmonic, p_of, sorted_from_the_top, uncorrected,
};
use super::random_field::FieldOf;
use super::smoothness::Resels;
use crate::config::{Height, Sides};

/// A height, with p corrected in its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Passing {
    /// The z that must be reached; infinite where no value does.
    pub height: f64,
    /// Sides looked at.
    pub sides: Sides,
    corrected: Corrected,
}

/// How p is corrected.
#[derive(Debug, Clone, PartialEq)]
enum Corrected {
    Not,
    /// Times this many.
    Times(f64),
    /// The smallest rate at which each value of the family passes, with the value, from the highest on.
    Rates(Vec<(f64, f64)>),
    /// By a random field.
    Field(FieldOf, Resels),
}

impl Passing {
    /// The height of a random field: z of the same tail probability as the statistic's height.
    pub fn of_field(field: FieldOf, resels: Resels, alpha: f64, sides: Sides) -> Self {
        let height = field.z(field.height(alpha / f64::from(sides.count()), &resels));
        Self { height, sides, corrected: Corrected::Field(field, resels) }
    }

    /// The height of voxels that form clusters; what is corrected there is the size of a cluster.
    pub fn of_clusters(cluster_forming_p: f64, sides: Sides) -> Self {
        Self { height: uncorrected(cluster_forming_p, sides), sides, corrected: Corrected::Not }
    }

    /// The height of a family of z; nothing passes where it does not follow from z alone, for which there are
    /// [`of_field`](Self::of_field) and [`of_clusters`](Self::of_clusters).
    pub fn new(height: Height, alpha: f64, sides: Sides, family: &[f64]) -> Self {
        let n = family.len() as f64;
        let (height, corrected) = match height {
            Height::Uncorrected => (uncorrected(alpha, sides), Corrected::Not),
            Height::Bonferroni => (bonferroni(alpha, family.len(), sides), Corrected::Times(n)),
            Height::Fdr => (benjamini_hochberg(family, alpha, sides), rates(family, sides, 1.0)),
            Height::FdrBy => (benjamini_yekutieli(family, alpha, sides), rates(family, sides, harmonic(family.len()))),
            Height::Rft | Height::Cluster => (f64::INFINITY, Corrected::Not),
        };
        Self { height, sides, corrected }
    }

    /// Whether a z passes.
    pub fn passes(&self, z: f64) -> bool {
        match self.sides {
            Sides::One => z >= self.height,
            Sides::Two => z.abs() >= self.height,
        }
    }

    /// Tail probability of a z, uncorrected.
    pub fn p(&self, z: f64) -> f64 {
        p_of(z, self.sides)
    }

    /// p of a value of the family, corrected as the height is; `None` where nothing is corrected.
    pub fn corrected_p(&self, z: f64) -> Option<f64> {
        match &self.corrected {
            Corrected::Not => None,
            Corrected::Times(n) => Some((n * self.p(z)).min(1.0)),
            Corrected::Field(field, resels) => {
                let z = if self.sides == Sides::Two { z.abs() } else { z };
                let p = field.exceedance(field.statistic(z), resels) * f64::from(self.sides.count());
                Some(p.min(1.0))
            }
            Corrected::Rates(rates) => {
                let z = if self.sides == Sides::Two { z.abs() } else { z };
                // the last that is at least as high
                let after = rates.partition_point(|(value, _)| *value >= z);
                Some(after.checked_sub(1).map_or(1.0, |at| rates[at].1))
            }
        }
    }
}

fn rates(family: &[f64], sides: Sides, penalty: f64) -> Corrected {
    let n = family.len() as f64;
    let mut rates: Vec<(f64, f64)> = sorted_from_the_top(family, sides).into_iter().map(|z| (z, 1.0)).collect();
    let mut smallest = 1.0_f64;
    for (at, (z, rate)) in rates.iter_mut().enumerate().rev() {
        smallest = smallest.min(p_of(*z, sides) * n * penalty / (at + 1) as f64);
        *rate = smallest;
    }
    Corrected::Rates(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrected_p_is_below_alpha_where_a_value_passes() {
        let family: Vec<f64> = (0..400).map(|k| f64::from(k * 37 % 400) * 0.022 - 4.4).collect();
        for height in [Height::Bonferroni, Height::Fdr, Height::FdrBy] {
            for sides in [Sides::One, Sides::Two] {
                let mut n_passing = 0;
                for alpha in [0.01, 0.05, 0.3] {
                    let passing = Passing::new(height, alpha, sides, &family);
                    for &z in &family {
                        let p = passing.corrected_p(z).unwrap();
                        assert_eq!(p <= alpha, passing.passes(z), "{height:?} {sides:?} {z}: {p}");
                        assert!(p >= passing.p(z) && p <= 1.0);
                        n_passing += usize::from(passing.passes(z));
                    }
                }
                assert!(n_passing > 3);
            }
        }
        let uncorrected = Passing::new(Height::Uncorrected, 0.001, Sides::Two, &family);
        assert_eq!(
            (uncorrected.corrected_p(5.0), uncorrected.passes(-3.3), uncorrected.passes(3.2)),
            (None, true, false)
        );
        assert!(!Passing::new(Height::Fdr, 0.05, Sides::One, &[-6.0, f64::NAN]).passes(-6.0));
    }
}

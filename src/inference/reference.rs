//! The distribution of a statistic without effect, and z of a whole map from it.

use super::distributions::{FisherF, StudentT};
use super::normal_tail::upper_quantile;
use super::quintic_table::QuinticTable;
use crate::config::{ContrastKind, Numerics};

/// z up to which a table goes: beyond the 37.05 to which the nilearn profile clips.
const LARGEST_Z: f64 = 38.0;

/// Length of the table of t in `w`, in which z is at most 1 of it.
const LENGTH_OF_T: u32 = 40;

/// The table of F begins at `ln F` of this: an F of 6e-6 ...
const START_OF_F: f64 = -12.0;

/// ... and ends at most so much further, at an F of 3000.
const LENGTH_OF_F: u32 = 20;

/// The distribution of a statistic without effect.
#[derive(Debug, Clone, Copy)]
pub enum Reference {
    /// Of a t.
    T(StudentT),
    /// Of an F.
    F(FisherF),
}

impl Reference {
    /// Of a contrast of `n_rows` rows whose uncertainty has `dof` degrees of freedom.
    pub fn new(kind: ContrastKind, n_rows: usize, dof: f64, numerics: &Numerics) -> Self {
        match kind {
            ContrastKind::T => Self::T(StudentT::new(dof, numerics.p_sides, numerics.p_clip)),
            ContrastKind::F => Self::F(FisherF::new(n_rows as f64, dof, numerics.p_clip)),
        }
    }

    /// p of a statistic.
    pub fn p(&self, statistic: f64) -> f64 {
        match self {
            Self::T(t) => t.p(statistic),
            Self::F(f) => f.p(statistic),
        }
    }

    /// z of a statistic.
    pub fn z(&self, statistic: f64) -> f64 {
        match self {
            Self::T(t) => t.z(statistic),
            Self::F(f) => f.z(statistic),
        }
    }
}

/// z of many statistics of one distribution: interpolated between exact z, in about a tenth of the time.
///
/// An exact z is an incomplete beta function and a normal quantile. Its derivatives are known in closed form, so that
/// polynomials of degree 5 reproduce z to 6e-13 (relative beyond 1). Where a table ends, z is exact.
#[derive(Debug, Clone)]
pub struct ZTable {
    reference: Reference,
    table: QuinticTable,
    /// Where clipping of p stops z.
    largest: f64,
}

impl ZTable {
    /// Whether a map of `n_columns` takes longer than a table.
    pub fn pays(reference: &Reference, n_columns: usize) -> bool {
        let length = match reference {
            Reference::T(_) => LENGTH_OF_T,
            Reference::F(_) => LENGTH_OF_F,
        };
        n_columns > QuinticTable::n_nodes(length)
    }

    /// Of `reference`.
    pub fn new(reference: Reference) -> Self {
        let (table, clip) = match &reference {
            Reference::T(t) => (QuinticTable::new(0.0, LENGTH_OF_T, LARGEST_Z, |w| t.curve(w)), t.clip()),
            Reference::F(f) => (QuinticTable::new(START_OF_F, LENGTH_OF_F, LARGEST_Z, |ln_f| f.curve(ln_f)), f.clip()),
        };
        let largest = clip.map_or(f64::INFINITY, |(smallest, _)| upper_quantile(smallest));
        Self { reference, table, largest }
    }

    /// z of a statistic.
    pub fn z(&self, statistic: f64) -> f64 {
        let tabulated = match &self.reference {
            Reference::T(t) => {
                let z = self.table.at(t.abscissa(statistic));
                z.map(|z| if statistic < 0.0 { -z.min(self.largest) } else { z.min(self.largest) })
            }
            Reference::F(_) => self.table.at(statistic.ln()).map(|z| z.clamp(-self.largest, self.largest)),
        };
        tabulated.unwrap_or_else(|| self.reference.z(statistic))
    }
}

#[cfg(test)]
mod tests {
    use super::super::distributions::tests::expectations;
    use super::*;
    use crate::config::Profile;

    /// Error of z, relative beyond 1. With few degrees of freedom 6e-14 are interpolation; with many the exact z
    /// jitters by 3e-13 itself (F of 48 rows on 10^5: ln p is a difference of terms near 200), which the table smooths.
    const TOLERANCE: f64 = 6e-13;

    fn both(kind: ContrastKind, n_rows: usize, dof: f64, profile: Profile) -> (Reference, ZTable) {
        let reference = Reference::new(kind, n_rows, dof, &Numerics::of(profile));
        (reference, ZTable::new(reference))
    }

    fn error(z: f64, expected: f64) -> f64 {
        if z == expected { 0.0 } else { (z - expected).abs() / expected.abs().max(1.0) }
    }

    #[test]
    fn tables_agree_with_fifty_digits() {
        for (kind, [q, dof, statistic, _, expected]) in expectations() {
            let kind = if kind == "t" { ContrastKind::T } else { ContrastKind::F };
            let (_, table) = both(kind, q as usize, dof, Profile::Native);
            let z = table.z(statistic);
            assert!(error(z, expected) <= TOLERANCE, "{kind:?} {q} {dof} {statistic}: {z}, not {expected}");
        }
    }

    #[test]
    fn tables_agree_with_the_exact_functions_between_their_nodes() {
        for profile in [Profile::Native, Profile::Nilearn] {
            for dof in [0.6, 1.0, 2.0, 3.0, 4.5, 10.0, 68.3, 281.0, 5000.0, 1e5] {
                let (exact, table) = both(ContrastKind::T, 1, dof, profile);
                let mut worst = (0.0_f64, 0.0);
                for step in 0..40_000 {
                    // far into the tail by equal ratios, and close in by equal steps
                    for t in [1e-6 * (f64::from(step) * 8e-4).exp(), f64::from(step) * 1.234e-3] {
                        let of_t = error(table.z(t), exact.z(t));
                        worst = if of_t > worst.0 { (of_t, t) } else { worst };
                        assert_eq!(table.z(-t), -table.z(t));
                    }
                }
                assert!(worst.0 <= TOLERANCE, "dof {dof}, {profile:?}: {worst:?}");
            }
            for (n_rows, dof) in
                [(1, 1.0), (1, 281.0), (2, 3.0), (2, 68.3), (4, 281.0), (7, 5000.0), (48, 1e5), (300, 20.0)]
            {
                let (exact, table) = both(ContrastKind::F, n_rows, dof, profile);
                let mut worst = (0.0_f64, 0.0);
                for step in 0..40_000 {
                    let f = 1e-7 * (f64::from(step) * 6e-4).exp();
                    let of_f = error(table.z(f), exact.z(f));
                    worst = if of_f > worst.0 { (of_f, f) } else { worst };
                }
                assert!(worst.0 <= TOLERANCE, "F of {n_rows} rows, dof {dof}, {profile:?}: {worst:?}");
            }
        }
    }

    #[test]
    fn z_rises_through_nodes_and_past_the_ends_of_a_table() {
        let n_nodes = u32::try_from(QuinticTable::n_nodes(LENGTH_OF_T)).unwrap();
        for dof in [1.0, 3.0, 281.0, 1e5] {
            let (_, table) = both(ContrastKind::T, 1, dof, Profile::Native);
            for node in 1..=n_nodes + 8 {
                // t of the node, and its neighbours at a distance that the smallest slope shows
                let t = (dof * ((f64::from(node) / 32.0).powi(2) / dof).exp_m1()).sqrt();
                if t > 1e150 {
                    continue; // its square is infinite
                }
                let [below, at, above] = [t * (1.0 - 1e-9), t, t * (1.0 + 1e-9)].map(|t| table.z(t));
                assert!(below < at && at < above, "dof {dof}, t {t}: {below} {at} {above}");
            }
        }
    }

    #[test]
    fn what_a_table_cannot_hold_is_exact() {
        for (kind, n_rows) in [(ContrastKind::T, 1), (ContrastKind::F, 4)] {
            for profile in [Profile::Native, Profile::Nilearn] {
                let (exact, table) = both(kind, n_rows, 281.0, profile);
                for statistic in [0.0, f64::INFINITY, 1e200, 1e4] {
                    assert_eq!(table.z(statistic), exact.z(statistic), "{kind:?} {statistic}");
                }
                assert!(table.z(f64::NAN).is_nan());
            }
        }
    }
}

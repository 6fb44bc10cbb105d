//! The tolerance, and the running count of values beyond it with the farthest of them.

use super::Difference;
use serde::Serialize;
use std::cmp::Ordering;

/// What counts as equal: |a - b| <= max(atol, rtol max(|a|, |b|)). A value that is not a number equals another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tolerance {
    /// Absolute.
    pub atol: f64,
    /// Relative to the larger of the two.
    pub rtol: f64,
}

impl Default for Tolerance {
    /// 1e-6 max(1, |x|): what results of two machines agree within.
    fn default() -> Self {
        Self { atol: 1e-6, rtol: 1e-6 }
    }
}

impl Tolerance {
    /// How far two values may be apart.
    pub fn allowed(&self, a: f64, b: f64) -> f64 {
        self.atol.max(self.rtol * a.abs().max(b.abs()))
    }

    /// Whether two values are equal: both not a number, both the same infinity, or within the tolerance.
    pub fn holds(&self, a: f64, b: f64) -> bool {
        a == b || (a.is_nan() && b.is_nan()) || (a.is_finite() && b.is_finite() && (a - b).abs() <= self.allowed(a, b))
    }
}

/// Where two files differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In an image.
    Voxel {
        /// Its indices, from 0.
        ijk: [usize; 3],
        /// Its volume, from 0, where there are several.
        volume: Option<usize>,
    },
    /// In a table.
    Cell {
        /// 1-based line, header included.
        line: u64,
        /// The column's name.
        column: String,
    },
    /// In JSON: a pointer (RFC 6901).
    Entry(String),
    /// In any other file: offset of the first byte that differs.
    Byte(usize),
}

/// The difference farthest beyond the tolerance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worst {
    /// Where.
    pub place: Place,
    /// One value, as text.
    pub a: String,
    /// The other.
    pub b: String,
    /// How far they are apart; `None` where that is no number.
    pub apart: Option<f64>,
    /// How far they may be.
    pub allowed: Option<f64>,
}

/// Counts differences and keeps the worst, the first of equals.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) n_values: usize,
    n_different: usize,
    worst: Option<(Rank, Worst)>,
}

/// Order of badness: distance in units of what is allowed, then distance; both infinite where there is none.
#[derive(Debug, PartialEq)]
struct Rank(f64, f64);

impl Rank {
    fn exceeds(&self, other: &Self) -> bool {
        self.0.total_cmp(&other.0).then(self.1.total_cmp(&other.1)) == Ordering::Greater
    }
}

impl Tally {
    /// Compares two numbers.
    pub(super) fn numbers(&mut self, tolerance: Tolerance, a: f64, b: f64, place: impl FnOnce() -> Place) {
        self.n_values += 1;
        if tolerance.holds(a, b) {
            return;
        }
        let finite = a.is_finite() && b.is_finite();
        let (apart, allowed) = ((a - b).abs(), tolerance.allowed(a, b));
        let rank = if finite { Rank(apart / allowed, apart) } else { Rank(f64::INFINITY, f64::INFINITY) };
        self.differs(rank, || Worst {
            place: place(),
            a: format!("{a:?}"),
            b: format!("{b:?}"),
            apart: finite.then_some(apart),
            allowed: finite.then_some(allowed),
        });
    }

    /// Compares two texts.
    pub(super) fn texts(&mut self, a: &str, b: &str, place: impl FnOnce() -> Place) {
        self.n_values += 1;
        if a != b {
            self.differs(Rank(f64::INFINITY, f64::INFINITY), || Worst {
                place: place(),
                a: a.to_owned(),
                b: b.to_owned(),
                apart: None,
                allowed: None,
            });
        }
    }

    fn differs(&mut self, rank: Rank, worst: impl FnOnce() -> Worst) {
        self.n_different += 1;
        if self.worst.as_ref().is_none_or(|(known, _)| rank.exceeds(known)) {
            self.worst = Some((rank, worst()));
        }
    }

    /// The count of values, and the difference.
    pub(super) fn finish(self) -> (usize, Option<Difference>) {
        let n_different = self.n_different;
        (self.n_values, self.worst.map(|(_, worst)| Difference::Values { n_different, worst }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_1e_6_of_the_larger_of_one_and_the_value() {
        let tolerance = Tolerance::default();
        for (a, b, equal) in [
            (0.0, 9e-7, true),
            (0.0, 1.1e-6, false),
            (1000.0, 1000.0009, true),
            (1000.0, 1000.0011, false),
            (-1000.0, 1000.0, false),
            (f64::NAN, f64::NAN, true),
            (f64::NAN, 0.0, false),
            (f64::INFINITY, f64::INFINITY, true),
            (f64::INFINITY, f64::NEG_INFINITY, false),
            (f64::INFINITY, 1e300, false),
            (f64::MAX, f64::MIN, false),
            (0.0, -0.0, true),
        ] {
            assert_eq!((tolerance.holds(a, b), tolerance.holds(b, a)), (equal, equal), "{a} {b}");
        }
        let exact = Tolerance { atol: 0.0, rtol: 0.0 };
        assert!(exact.holds(0.1, 0.1) && !exact.holds(0.1, 0.1 + f64::EPSILON));
    }

    #[test]
    fn the_worst_is_the_farthest_beyond_what_is_allowed() {
        let mut tally = Tally::default();
        for (at, (a, b)) in [(1e6, 1e6 + 2.0), (0.0, 1e-5), (1.0, 1.0), (0.0, -1e-5)].into_iter().enumerate() {
            tally.numbers(Tolerance::default(), a, b, || Place::Byte(at));
        }
        let (n_values, Some(Difference::Values { n_different, worst })) = tally.finish() else { panic!() };
        assert_eq!((n_values, n_different, worst.place), (4, 3, Place::Byte(1)), "ten times, not twice, the allowed");
    }
}

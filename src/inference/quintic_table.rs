//! A function of one variable from its values and two derivatives at evenly spaced places.

/// Cells per unit of the variable: a power of two, so that places are exact.
const PER_UNIT: f64 = 32.0;

/// Piecewise polynomials of degree 5 that have the function's value, slope and curvature at both ends of each cell.
///
/// Over a cell of width `h` the error is at most `h^6 / 46080` times the sixth derivative.
#[derive(Debug, Clone)]
pub(super) struct QuinticTable {
    start: f64,
    /// Coefficients in the place within the cell, from 0 to 1, the constant first.
    cells: Vec<[f64; 6]>,
}

impl QuinticTable {
    /// How many nodes [`Self::new`] asks for over `length` units.
    pub(super) fn n_nodes(length: u32) -> usize {
        (f64::from(length) * PER_UNIT) as usize + 1
    }

    /// Of `curve`, which gives value, slope and curvature and rises, over `length` units from `start`, where its
    /// value is within `largest` of 0.
    pub(super) fn new(start: f64, length: u32, largest: f64, curve: impl Fn(f64) -> [f64; 3]) -> Self {
        let nodes: Vec<(f64, [f64; 3])> = (0..Self::n_nodes(length))
            .map(|node| start + node as f64 / PER_UNIT)
            .map(|x| (x, curve(x)))
            .filter(|(_, [value, ..])| value.abs() <= largest)
            .collect();
        let start = nodes.first().map_or(start, |(x, _)| *x);
        Self { start, cells: nodes.windows(2).map(|ends| cell(ends[0].1, ends[1].1)).collect() }
    }

    /// Its value at `x`; `None` outside the table.
    pub(super) fn at(&self, x: f64) -> Option<f64> {
        let place = (x - self.start) * PER_UNIT;
        if place.is_nan() || place < 0.0 {
            return None;
        }
        let at = place as usize;
        let within = place - at as f64;
        Some(self.cells.get(at)?.iter().rev().fold(0.0, |sum, coefficient| sum * within + coefficient))
    }
}

/// The polynomial that meets value, slope and curvature at both ends.
fn cell(left: [f64; 3], right: [f64; 3]) -> [f64; 6] {
    let scaled = |[value, slope, curvature]: [f64; 3]| [value, slope / PER_UNIT, curvature / (PER_UNIT * PER_UNIT)];
    let ([value, slope, curvature], right) = (scaled(left), scaled(right));
    // what is left to reach at the right end by the powers 3 to 5
    let of_value = right[0] - value - slope - 0.5 * curvature;
    let of_slope = right[1] - slope - curvature;
    let of_curvature = right[2] - curvature;
    [
        value,
        slope,
        0.5 * curvature,
        10.0 * of_value - 4.0 * of_slope + 0.5 * of_curvature,
        -15.0 * of_value + 7.0 * of_slope - of_curvature,
        6.0 * of_value - 3.0 * of_slope + 0.5 * of_curvature,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_of_degree_five_is_itself() {
        let curve = |x: f64| {
            let value = x.powi(5) + x.powi(3) + x;
            [value, 5.0 * x.powi(4) + 3.0 * x * x + 1.0, 20.0 * x.powi(3) + 6.0 * x]
        };
        let table = QuinticTable::new(-2.0, 4, f64::INFINITY, curve);
        for step in 0..4000 {
            let x = -2.0 + f64::from(step) * 0.001;
            assert!((table.at(x).unwrap() - curve(x)[0]).abs() < 1e-14 * 42.0, "at {x}");
        }
    }

    #[test]
    fn the_error_is_what_the_sixth_derivative_says() {
        let table = QuinticTable::new(0.0, 2, f64::INFINITY, |x| [x.exp(); 3]);
        let middle = 1.0 + 0.5 / PER_UNIT;
        let expected = middle.exp() / 46_080.0 / PER_UNIT.powi(6);
        // 6e-14, of which rounding of e leaves a hundredth open; and the sixth derivative varies by a thirtieth
        assert!(((table.at(middle).unwrap() - middle.exp()).abs() / expected - 1.0).abs() < 0.1);
    }

    #[test]
    fn outside_there_is_nothing() {
        let table = QuinticTable::new(-3.0, 6, 2.0, |x| [x, 1.0, 0.0]);
        for (x, inside) in [(-2.5, false), (-2.0, true), (0.3, true), (1.999, true), (2.5, false)] {
            assert_eq!(table.at(x).is_some(), inside, "at {x}");
        }
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(table.at(x), None);
        }
    }
}

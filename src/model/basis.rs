//! An orthonormal basis of the columns of a design, and the way back to its coefficients.

use super::linalg::{LinalgError, ThinSvd, product, thin_svd};
use ndarray::{Array1, Array2, Axis, s};

/// `X = Q R` with orthonormal `Q` (frame x rank), and `T` (column x rank) such that `B = T G` are the
/// coefficients of the fit `Q G`: the only ones where `X` has full rank, else those of least norm.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    /// Frame x rank.
    pub(crate) q: Array2<f64>,
    /// Column x rank.
    pub(crate) to_coefficients: Array2<f64>,
}

impl Basis {
    /// The basis of `design` (frame x column).
    ///
    /// Rank is that of the design with columns scaled to unit length, so that units do not matter: the number
    /// of singular values above `max(frames, columns) eps` of the largest.
    ///
    /// # Errors
    /// What LAPACK reports.
    pub(crate) fn new(design: &Array2<f64>) -> Result<Self, LinalgError> {
        let lengths: Array1<f64> = design.axis_iter(Axis(1)).map(|column| column.dot(&column).sqrt()).collect();
        let scale = lengths.mapv(|length| if length > 0.0 { length.recip() } else { 1.0 });
        let ThinSvd { u, s: singular, vt } = thin_svd(&(design * &scale))?;
        let largest = singular.first().copied().unwrap_or(0.0);
        let tolerance = design.nrows().max(design.ncols()) as f64 * f64::EPSILON * largest;
        let rank = singular.iter().filter(|&&value| value > tolerance).count();
        let inverse = singular.slice(s![..rank]).mapv(f64::recip);
        let mut to_coefficients = &vt.slice(s![..rank, ..]).t() * &inverse;
        to_coefficients *= &scale.view().insert_axis(Axis(1));
        if rank < design.ncols() && vt.nrows() == design.ncols() {
            // coefficients that change nothing: remove them, which leaves those of least norm
            let silent = &vt.slice(s![rank.., ..]).t() * &scale.view().insert_axis(Axis(1));
            let silent = thin_svd(&silent.as_standard_layout().to_owned())?.u;
            let component = product(&silent.t(), &to_coefficients);
            to_coefficients -= &product(&silent, &component);
        }
        let q = u.slice(s![.., ..rank]).as_standard_layout().to_owned();
        Ok(Self { q, to_coefficients })
    }

    /// Rank of the design.
    pub(crate) fn rank(&self) -> usize {
        self.q.ncols()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design() -> Array2<f64> {
        Array2::from_shape_fn((40, 5), |(frame, column)| match column {
            0 => 1.0,
            1 => (frame as f64 * 0.7).sin(),
            2 => 1e6 * (frame as f64 * 0.3).cos(),
            3 => 1e-8 * ((frame * frame) as f64 * 0.11).sin(),
            _ => frame as f64 / 40.0,
        })
    }

    #[test]
    fn rank_does_not_depend_on_units() {
        assert_eq!(Basis::new(&design()).unwrap().rank(), 5);
    }

    #[test]
    fn coefficients_restore_the_design() {
        let design = design();
        let basis = Basis::new(&design).unwrap();
        let identity = basis.to_coefficients.dot(&basis.q.t().dot(&design));
        // B = X^+ X = I entry by entry, each on the scale of its units (condition number below 10)
        for ((i, j), value) in identity.indexed_iter() {
            let units = design.column(j).dot(&design.column(j)).sqrt() / design.column(i).dot(&design.column(i)).sqrt();
            let expected = f64::from(u8::from(i == j));
            assert!((value - expected).abs() < 1e-13 * units, "({i}, {j}): {value}");
        }
    }

    #[test]
    fn deficient_designs_get_the_least_norm_solution() {
        let full = design().slice(s![.., ..2]).to_owned();
        // a zero column, a copy of column 1 and the sum of columns 0 and 1
        let deficient = ndarray::concatenate![
            Axis(1),
            full,
            Array2::zeros((40, 1)),
            full.slice(s![.., 1..2]),
            (&full.column(0) + &full.column(1)).insert_axis(Axis(1))
        ];
        let basis = Basis::new(&deficient).unwrap();
        assert_eq!(basis.rank(), 2);
        let signal = &full.column(0) * 2.0 + &full.column(1) * 3.0;
        let coefficients = basis.to_coefficients.dot(&basis.q.t().dot(&signal));
        // least squares of (a, b, c): a + c = 2, b + d + c = 3, minimal a^2 + b^2 + c^2 + d^2 has b = d:
        // a = 2 - c, b = d = (3 - c) / 2, so c = (2 + 1.5) / (1 + 1 + 0.5) = 1.4
        for (value, expected) in coefficients.iter().zip([0.6, 0.8, 0.0, 0.8, 1.4]) {
            assert!((value - expected).abs() < 1e-14, "{coefficients}"); // a few ulp
        }
    }
}

//! From the fit of ordinary least squares to that under AR(1): the way that frames without gaps allow, or the general one.

use super::basis::Basis;
use super::cholesky::{factor_packed, packed_length, solve_lower_packed, solve_upper_packed};
use super::linalg::{LinalgError, product, symmetric_eigen, transposed_product};
use super::noise::NoiseField;
use super::sums::Residuals;
use super::unbroken::{Inverse, Unbroken};
use super::whitening::{Whitening, neighbours_of};
use crate::config::FirstSample;
use ndarray::Array2;
use std::ops::Range;

/// The precision matrix of an AR(1) process, seen through the basis of a design.
#[derive(Debug, Clone)]
pub(crate) enum Gls {
    /// Every kept frame follows the one before: O(rank) a column.
    Unbroken(Unbroken),
    /// There are gaps: a Cholesky factor for each rho.
    Broken(Whitening),
}

/// `(Q'PQ)^-1` at one rho, in the form that each way has.
#[derive(Debug, Clone, Default)]
pub(crate) struct GlsInverse {
    unbroken: Inverse,
    /// Packed Cholesky factor of `Q'PQ`.
    factor: Vec<f64>,
}

impl Gls {
    /// For frames `lags` repetition times after one another. Without gaps the basis is turned, within the span it has,
    /// into that which diagonalises neighbours.
    ///
    /// # Errors
    /// What LAPACK reports.
    pub(crate) fn new(basis: Basis, lags: &[usize], first_sample: FirstSample) -> Result<(Self, Basis), LinalgError> {
        if lags.iter().any(|&lag| lag > 1) || lags.is_empty() {
            let whitening = Whitening::new(&basis.q, lags, first_sample);
            return Ok((Self::Broken(whitening), basis));
        }
        let pairs: Vec<(usize, usize)> = (1..=lags.len()).map(|later| (later, later - 1)).collect();
        let gram = transposed_product(&basis.q, &neighbours_of(&basis.q, &pairs));
        let (lambda, turn) = symmetric_eigen(&gram)?;
        let basis = Basis { q: product(&basis.q, &turn), to_coefficients: product(&basis.to_coefficients, &turn) };
        Ok((Self::Unbroken(Unbroken::new(&basis.q, lambda, first_sample)), basis))
    }

    /// The frames whose residuals are needed one by one, ascending: the first, the last and those beside gaps.
    pub(crate) fn held(&self) -> &[usize] {
        match self {
            Self::Unbroken(unbroken) => unbroken.held(),
            Self::Broken(whitening) => whitening.held(),
        }
    }

    /// `(Q'PQ)^-1` at `rho` into `inverse`. It always exists: `P` is positive definite for every admitted rho.
    pub(crate) fn invert(&self, rho: f64, inverse: &mut GlsInverse) {
        match self {
            Self::Unbroken(unbroken) => unbroken.invert(rho, &mut inverse.unbroken),
            Self::Broken(whitening) => {
                inverse.factor.resize(packed_length(whitening.rank()), 0.0);
                whitening.gram(rho, &mut inverse.factor);
                factor_packed(&mut inverse.factor, whitening.rank());
            }
        }
    }

    /// Length of what [`Self::halve`] gives.
    pub(crate) fn half_length(&self) -> usize {
        match self {
            Self::Unbroken(unbroken) => unbroken.half_length(),
            Self::Broken(whitening) => whitening.rank(),
        }
    }

    /// `z` such that `z_a' z_b = a' (Q'PQ)^-1 b`, into `half`.
    pub(crate) fn halve(&self, inverse: &GlsInverse, vector: &[f64], half: &mut [f64]) {
        match self {
            Self::Unbroken(_) => inverse.unbroken.halve(vector, half),
            Self::Broken(_) => {
                half.copy_from_slice(vector);
                solve_lower_packed(&inverse.factor, half);
            }
        }
    }

    /// Ready to fit columns whose noise is `field`.
    pub(crate) fn with<'a>(&'a self, field: &'a NoiseField) -> GlsFit<'a> {
        let factors = match (self, field) {
            (Self::Broken(_), NoiseField::Binned { values, .. }) => values
                .iter()
                .map(|&rho| {
                    let mut inverse = GlsInverse::default();
                    self.invert(rho, &mut inverse);
                    inverse.factor
                })
                .collect(),
            _ => Vec::new(),
        };
        GlsFit { gls: self, field, factors }
    }
}

/// The noise of every column, and what columns with gaps share of it.
pub(crate) struct GlsFit<'a> {
    gls: &'a Gls,
    field: &'a NoiseField,
    /// Of every shared rho.
    factors: Vec<Vec<f64>>,
}

impl GlsFit<'_> {
    /// Turns the ordinary into the generalised fit of each column: with `d` the solution of `Q'PQ d = Q'Pe`, the
    /// projections grow by `d`, the unwhitened squares by `d'd`. Gives the whitened residual squares,
    /// `e'Pe - d'Q'Pe`.
    pub(crate) fn whiten_fit(&self, residuals: &mut Residuals, columns: Range<usize>) -> Vec<f64> {
        match self.gls {
            Gls::Unbroken(unbroken) => {
                let rho: Vec<f64> = columns.map(|column| self.field.rho(column)).collect();
                unbroken.whiten_fit(&rho, residuals)
            }
            Gls::Broken(whitening) => self.whiten_fit_by_factors(whitening, residuals, columns),
        }
    }

    fn whiten_fit_by_factors(
        &self,
        whitening: &Whitening,
        residuals: &mut Residuals,
        columns: Range<usize>,
    ) -> Vec<f64> {
        let rank = whitening.rank();
        let products = whitening.products(residuals);
        let mut steps = Array2::zeros((columns.len(), rank));
        let mut own = GlsInverse::default();
        let mut linear = vec![0.0; rank];
        let mut whitened_squares = Vec::with_capacity(columns.len());
        for ((at, column), mut step) in columns.enumerate().zip(steps.outer_iter_mut()) {
            let rho = self.field.rho(column);
            let quadratic = whitening.apply(rho, &products, at, &mut linear);
            let shared = self.field.index().and_then(|index| self.factors.get(*index.get(column)? as usize));
            let factor = if let Some(shared) = shared {
                shared
            } else {
                self.gls.invert(rho, &mut own);
                &own.factor
            };
            let Some(step) = step.as_slice_mut() else { continue }; // rows are contiguous
            step.copy_from_slice(&linear);
            solve_lower_packed(factor, step);
            solve_upper_packed(factor, step);
            let explained: f64 = step.iter().zip(&linear).map(|(step, linear)| step * linear).sum();
            whitened_squares.push((quadratic - explained).max(0.0));
        }
        residuals.projections += &steps.t();
        for (squares, step) in residuals.squares.iter_mut().zip(steps.outer_iter()) {
            *squares += step.dot(&step);
        }
        whitened_squares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::linalg::subtract_product;
    use ndarray::{Axis, s};

    const RHO: [f64; 8] = [-0.99, -0.5, 0.0, 0.01, 0.3, 0.7, 0.95, 0.99];

    /// Residuals of `data` about the basis, and what a fit asks of them.
    fn residuals(q: &Array2<f64>, data: &Array2<f64>) -> Residuals {
        let n = q.nrows();
        let projections = transposed_product(q, data);
        let mut e = data.clone();
        subtract_product(&mut e, q, &projections);
        let pairs: Vec<(usize, usize)> = (1..n).map(|t| (t, t - 1)).collect();
        let lagged = (&e.slice(s![1.., ..]) * &e.slice(s![..-1, ..])).sum_axis(Axis(0));
        Residuals {
            projections,
            squares: e.mapv(|value| value * value).sum_axis(Axis(0)).to_vec(),
            total_squares: Vec::new(),
            sum: Vec::new(),
            neighbours: transposed_product(&neighbours_of(q, &pairs), &e),
            lagged: lagged.to_vec(),
            held: e.select(Axis(0), &[0, n - 1]),
        }
    }

    /// Both ways on frames without gaps, where the general one knows no more than the other.
    #[test]
    fn without_gaps_both_ways_agree() {
        let n = 60;
        let design =
            Array2::from_shape_fn((n, 5), |(t, j)| ((t * j) as f64 * 0.21).cos() + 0.1 * (t as f64 / 9.0).sin());
        let data =
            Array2::from_shape_fn((n, RHO.len()), |(t, j)| ((t * t + 5 * j) as f64 * 0.7).sin() + 0.05 * t as f64);
        let lags = vec![1; n - 1];
        for first_sample in [FirstSample::Scaled, FirstSample::Unscaled] {
            let (unbroken, basis) = Gls::new(Basis::new(&design).unwrap(), &lags, first_sample).unwrap();
            assert!(matches!(unbroken, Gls::Unbroken(_)));
            let restored = product(&design, &product(&basis.to_coefficients, &basis.q.t()));
            let span = product(&basis.q, &basis.q.t());
            assert!(
                (&restored - &span).iter().all(|difference| difference.abs() < 1e-12),
                "the turned basis is the design's"
            );
            let broken = Gls::Broken(Whitening::new(&basis.q, &lags, first_sample));
            // nilearn's rho, whose first sample is not whitened, may pass 1 in a short run
            let mut rho = RHO;
            if first_sample == FirstSample::Unscaled {
                (rho[0], rho[7]) = (-1.0, 1.05);
            }
            let field = NoiseField::PerColumn(rho.to_vec());
            let fit = |gls: &Gls| {
                let mut residuals = residuals(&basis.q, &data);
                let squares = gls.with(&field).whiten_fit(&mut residuals, 0..RHO.len());
                (squares, residuals.projections, residuals.squares)
            };
            let ((whitened, projections, squares), (expected_whitened, expected, expected_squares)) =
                (fit(&unbroken), fit(&broken));
            // condition of Q'PQ at |rho| = .99: up to (1.99 / .01)^2 = 4e4 times eps, some tens of terms
            let close = |value: f64, expected: f64| {
                assert!((value - expected).abs() < 1e-10 * expected.abs().max(1.0), "{value} is not {expected}");
            };
            whitened.iter().zip(&expected_whitened).for_each(|(a, b)| close(*a, *b));
            squares.iter().zip(&expected_squares).for_each(|(a, b)| close(*a, *b));
            projections.iter().zip(&expected).for_each(|(a, b)| close(*a, *b));

            let vectors = [[0.3, -1.0, 0.5, 2.0, 0.1], [1.0, 0.0, -0.4, 0.2, 0.9]];
            for rho in rho {
                let products = |gls: &Gls| {
                    let mut inverse = GlsInverse::default();
                    gls.invert(rho, &mut inverse);
                    let halves = vectors.map(|vector| {
                        let mut half = vec![0.0; gls.half_length()];
                        gls.halve(&inverse, &vector, &mut half);
                        half
                    });
                    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                    [dot(&halves[0], &halves[0]), dot(&halves[1], &halves[0]), dot(&halves[1], &halves[1])]
                };
                products(&unbroken).iter().zip(products(&broken)).for_each(|(a, b)| close(*a, b));
            }
        }
    }
}

//! Autoregression of order 1, its coefficient from the residuals of ordinary least squares.
//!
//! Per voxel: `rho = (n - 1)/m sum' e_t e_(t-1) / sum e_t^2`, the sum in the numerator over the m pairs of frames
//! that are neighbours in time, so that a gap contributes nothing; without gaps, the lag-1 autocorrelation.
//!
//! Truncated (as nilearn 0.14): the mean of all residuals of the run is subtracted, `r_0` and `r_1` are divided by n
//! and n - 1, and `r_1 / r_0` is truncated toward zero to a multiple of 1 / bins.

use super::{NoiseField, NoiseModel, Residuals, distinct};
use crate::config::{FirstSample, Numerics, RhoRule};
use ndarray::{Array2, ArrayViewMut2, Axis};

/// Largest |rho|: exact whitening divides by 1 - rho^2.
const LARGEST_RHO: f64 = 0.99;

/// Rows of the measures.
const SQUARES: usize = 0;
const LAGGED: usize = 1;
const SUM: usize = 2;
const FIRST: usize = 3;
const LAST: usize = 4;

pub(super) struct Ar1 {
    n_frames: usize,
    /// Number of frames whose predecessor is one repetition time before.
    n_pairs: usize,
    rule: RhoRule,
    largest_rho: f64,
}

impl Ar1 {
    pub(super) fn new(lags: &[usize], numerics: &Numerics) -> Self {
        let exact = numerics.first_sample == FirstSample::Scaled || lags.iter().any(|&lag| lag > 1);
        Self {
            n_frames: lags.len() + 1,
            n_pairs: lags.iter().filter(|lag| **lag == 1).count(),
            rule: numerics.rho,
            largest_rho: if exact { LARGEST_RHO } else { f64::INFINITY },
        }
    }

    /// Coefficient of each column from its measures, `mean` being subtracted from the residuals.
    fn coefficients(&self, measures: &Array2<f64>, mean: f64) -> Vec<f64> {
        let n = self.n_frames as f64;
        let pairs = self.n_pairs as f64;
        let of_column = |column: ndarray::ArrayView1<'_, f64>| {
            let squares = column[SQUARES] - 2.0 * mean * column[SUM] + n * mean * mean;
            // both ends of each pair; exact without gaps, and the mean is 0 but for rounding where there are any
            let ends = 2.0 * column[SUM] - column[FIRST] - column[LAST];
            let lagged = column[LAGGED] - mean * ends + pairs * mean * mean;
            if squares > 0.0 && pairs > 0.0 { lagged / squares } else { 0.0 }
        };
        measures.axis_iter(Axis(1)).map(of_column).collect()
    }
}

impl NoiseModel for Ar1 {
    fn n_measures(&self) -> usize {
        5
    }

    fn measure(&self, residuals: &Residuals, mut measures: ArrayViewMut2<'_, f64>) {
        let mut set = |row: usize, values: &mut dyn Iterator<Item = &f64>| {
            measures.row_mut(row).iter_mut().zip(values).for_each(|(measure, value)| *measure = *value);
        };
        set(SQUARES, &mut residuals.squares.iter());
        set(LAGGED, &mut residuals.lagged.iter());
        set(SUM, &mut residuals.sum.iter());
        set(FIRST, &mut residuals.held.row(0).iter());
        set(LAST, &mut residuals.held.row(residuals.held.nrows() - 1).iter());
    }

    fn settle(&self, measures: &Array2<f64>) -> NoiseField {
        let n = self.n_frames as f64;
        let largest = self.largest_rho;
        match self.rule {
            RhoRule::PerVoxel => {
                let pairs = self.n_pairs.max(1) as f64;
                let rho = self.coefficients(measures, 0.0).into_iter();
                NoiseField::PerColumn(rho.map(|rho| (rho * (n - 1.0) / pairs).clamp(-largest, largest)).collect())
            }
            RhoRule::Truncated { bins } => {
                let bins = f64::from(bins);
                let mean = measures.row(SUM).sum() / (n * measures.ncols().max(1) as f64);
                let rho = self.coefficients(measures, mean).into_iter().map(|rho| rho * n / (n - 1.0));
                // of integers, so that equal bins are equal and no -0 is among them
                let bin: Vec<i64> = rho.map(|rho| (rho.clamp(-largest, largest) * bins).trunc() as i64).collect();
                let (distinct, index) = distinct(&bin);
                NoiseField::Binned { values: distinct.into_iter().map(|bin| bin as f64 / bins).collect(), index }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Profile;

    fn settle(residuals: &Array2<f64>, lags: &[usize], profile: Profile) -> NoiseField {
        let model = Ar1::new(lags, &Numerics::of(profile));
        let mut measures = Array2::zeros((model.n_measures(), residuals.ncols()));
        let sum = |of: &dyn Fn(usize) -> f64| (0..residuals.nrows()).map(of).sum::<f64>();
        let each = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..residuals.ncols()).map(|column| sum(&|t| of(t, column))).collect()
        };
        let e = |t: usize, column: usize| residuals[(t, column)];
        let measured = Residuals {
            projections: Array2::zeros((0, 0)),
            squares: each(&|t, column| e(t, column).powi(2)),
            total_squares: Vec::new(),
            sum: each(&e),
            neighbours: Array2::zeros((0, 0)),
            lagged: each(&|t, j| if t > 0 && lags[t - 1] == 1 { e(t, j) * e(t - 1, j) } else { 0.0 }),
            held: residuals.select(Axis(0), &[0, residuals.nrows() - 1]),
        };
        model.measure(&measured, measures.view_mut());
        model.settle(&measures)
    }

    fn residuals() -> Array2<f64> {
        Array2::from_shape_fn((20, 6), |(t, j)| ((t * (j + 1)) as f64 * 0.37).sin() + 0.3 * ((t * t + j) as f64).cos())
    }

    #[test]
    fn truncated_rule_equals_its_definition() {
        let e = residuals() + 0.2; // the global mean matters
        let mean = e.mean().unwrap();
        let field = settle(&e, &[1; 19], Profile::Nilearn);
        for column in 0..6 {
            let y: Vec<f64> = e.column(column).iter().map(|value| value - mean).collect();
            let r0 = y.iter().map(|y| y * y).sum::<f64>() / 20.0;
            let r1 = y.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / 19.0;
            assert_eq!(field.rho(column), (r1 / r0 * 100.0).trunc() / 100.0);
        }
    }

    #[test]
    fn truncation_is_toward_zero_and_gives_no_negative_zero() {
        // r1 / r0 of (1, -0.001, 0, ...) is slightly negative
        let mut e = Array2::zeros((10, 1));
        e[(0, 0)] = 1.0;
        e[(1, 0)] = -0.001;
        e[(9, 0)] = -0.999;
        let rho = settle(&e, &[1; 9], Profile::Nilearn).rho(0);
        assert!(rho == 0.0 && rho.is_sign_positive());
    }

    #[test]
    fn pairs_across_a_gap_do_not_count() {
        let e = residuals();
        let mut lags = [1; 19];
        (lags[4], lags[11]) = (3, 2);
        let field = settle(&e, &lags, Profile::Native);
        for column in 0..6 {
            let y = e.column(column);
            let products = (1..20).filter(|t| ![5, 12].contains(t)).map(|t| y[t] * y[t - 1]).sum::<f64>();
            let expected = products / y.dot(&y) * 19.0 / 17.0;
            assert!((field.rho(column) - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn a_column_without_residuals_is_white() {
        for profile in [Profile::Native, Profile::Nilearn] {
            assert_eq!(settle(&Array2::zeros((20, 2)), &[1; 19], profile).rho(1), 0.0);
        }
    }

    #[test]
    fn a_trend_is_held_below_one() {
        let e = Array2::from_shape_fn((400, 1), |(t, _)| t as f64);
        assert_eq!(settle(&e, &[1; 399], Profile::Native).rho(0), LARGEST_RHO);
    }
}

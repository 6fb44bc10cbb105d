//! A contrast of one run: effects and their covariance, column by column.

use super::problem::InferenceError;
use crate::config::{ContrastKind, FOverRuns, Numerics};
use crate::design::ContrastMatrix;
use crate::model::{RunFit, UnitCovariance, factor_packed, inverse_square_root, packed_length, unpack};
use ndarray::{Array2, s};
use std::ops::Range;

/// Largest relative variance that doubt counts for, which leaves 4 degrees of freedom: where variances are more uncertain yet, a
/// chi-square is no picture of them.
const LARGEST_DOUBT: f64 = 0.5;

/// Effects of a contrast over a range of columns.
#[derive(Debug, Clone)]
pub struct ContrastField {
    /// t or F.
    pub kind: ContrastKind,
    /// Row of the contrast x column; whitened where the spread is a [`Spread::Dispersion`].
    pub effect: Array2<f64>,
    /// How uncertain they are.
    pub spread: Spread,
    /// Degrees of freedom of that uncertainty.
    pub dof: Dof,
}

/// Uncertainty of the effects of a contrast.
#[derive(Debug, Clone)]
pub enum Spread {
    /// Covariance of the effects: packed lower triangle by rows, q (q + 1) / 2 x column.
    Covariance(Array2<f64>),
    /// The effects were whitened; each has this variance and no covariance.
    Dispersion(Vec<f64>),
}

/// Degrees of freedom, of all columns or of each.
#[derive(Debug, Clone, PartialEq)]
pub enum Dof {
    /// The same for all.
    Same(f64),
    /// One a column.
    PerColumn(Vec<f64>),
}

impl Dof {
    /// Of a column.
    pub fn at(&self, column: usize) -> f64 {
        match self {
            Self::Same(dof) => *dof,
            Self::PerColumn(dof) => dof[column],
        }
    }

    /// Of each of so many columns.
    pub fn each(&self, n_columns: usize) -> Vec<f64> {
        (0..n_columns).map(|column| self.at(column)).collect()
    }

    /// Of `columns` together.
    pub fn harmonic_mean(&self, columns: &[usize]) -> f64 {
        match self {
            Self::Same(dof) => *dof,
            Self::PerColumn(dof) => {
                columns.len() as f64 / columns.iter().map(|&column| dof[column].recip()).sum::<f64>()
            }
        }
    }
}

/// A contrast of one run made ready: all that needs LAPACK is done, the rest runs in parallel over blocks.
#[derive(Debug)]
pub struct PreparedContrast<'a> {
    fit: &'a RunFit,
    contrast: &'a ContrastMatrix,
    covariance: UnitCovariance<'a>,
    /// Inverse square roots of the covariance, where effects are whitened: of each shared noise parameter, or of
    /// each column.
    whiteners: Option<Vec<Array2<f64>>>,
}

impl<'a> PreparedContrast<'a> {
    /// `contrast` in the run of `fit`.
    ///
    /// # Errors
    /// [`InferenceError`]: weights of other columns, several rows of a t, rows that are linearly dependent.
    pub fn new(fit: &'a RunFit, contrast: &'a ContrastMatrix, numerics: &Numerics) -> Result<Self, InferenceError> {
        let (rows, columns) = contrast.weights.dim();
        let (name, run) = (|| contrast.name.clone(), || fit.run.clone());
        if columns != fit.beta.nrows() {
            let columns_of_design = fit.beta.nrows();
            return Err(InferenceError::Columns {
                contrast: name(),
                run: run(),
                weights: columns,
                columns: columns_of_design,
            });
        }
        if rows == 0 || (contrast.kind == ContrastKind::T && rows > 1) {
            return Err(InferenceError::Rows { contrast: name(), run: run(), rows, expected: 1 });
        }
        let covariance = UnitCovariance::new(fit, &contrast.weights);
        let mut scratch = covariance.scratch();
        // whether rows are dependent does not change with the noise: one column tells
        let dependent = fit.n_columns() > 0 && !factor_packed(&mut covariance.at(0, &mut scratch).to_vec(), rows);
        if dependent {
            return Err(InferenceError::DependentRows { contrast: name(), run: run() });
        }
        let whitened = contrast.kind == ContrastKind::F && numerics.f_over_runs == FOverRuns::SummedWhitened;
        let whitener = |packed: &[f64]| {
            inverse_square_root(&unpack(packed, rows)).map_err(|cause| InferenceError::Decomposition {
                contrast: name(),
                run: run(),
                cause: cause.to_string(),
            })
        };
        let whiteners = if !whitened {
            None
        } else if covariance.shared().is_empty() {
            let each = (0..fit.n_columns()).map(|column| whitener(covariance.at(column, &mut scratch)));
            Some(each.collect::<Result<_, _>>()?)
        } else {
            Some(covariance.shared().iter().map(|packed| whitener(packed)).collect::<Result<_, _>>()?)
        };
        Ok(Self { fit, contrast, covariance, whiteners })
    }

    /// Rows of the contrast.
    pub fn n_rows(&self) -> usize {
        self.contrast.weights.nrows()
    }

    /// Variances a column has: one of each row, or that of all whitened rows.
    pub fn n_variances(&self) -> usize {
        if self.whiteners.is_some() { 1 } else { self.n_rows() }
    }

    /// The fit it is a contrast of.
    pub fn fit(&self) -> &RunFit {
        self.fit
    }

    /// Weighted sums of the coefficients that have a weight: most have none, and would only be read.
    fn effects(&self, columns: Range<usize>) -> Array2<f64> {
        let mut effect = Array2::zeros((self.n_rows(), columns.len()));
        for (mut sums, weights) in effect.outer_iter_mut().zip(self.contrast.weights.outer_iter()) {
            for (weight, beta) in weights.iter().zip(self.fit.beta.outer_iter()) {
                if *weight != 0.0 {
                    sums.scaled_add(*weight, &beta.slice(s![columns.clone()]));
                }
            }
        }
        effect
    }

    /// Those of the residuals, fewer where there is doubt about the process.
    fn dof(&self, columns: Range<usize>) -> Dof {
        let residual = self.fit.dof;
        let of_column = |column| self.covariance.doubt(column).map(|doubt| effective_dof(residual, doubt));
        columns.map(of_column).collect::<Option<Vec<f64>>>().map_or(Dof::Same(residual), Dof::PerColumn)
    }

    /// Effects and uncertainty over `columns`.
    pub fn field(&self, columns: Range<usize>) -> ContrastField {
        let effect = self.effects(columns.clone());
        let sigma2 = &self.fit.sigma2[columns.clone()];
        let kind = self.contrast.kind;
        let dof = self.dof(columns.clone());
        if let Some(whiteners) = &self.whiteners {
            let mut whitened = Array2::zeros(effect.dim());
            for (at, column) in columns.enumerate() {
                let whitener = &whiteners[self.covariance.shared_index(column).unwrap_or(column)];
                whitened.column_mut(at).assign(&whitener.dot(&effect.column(at)));
            }
            return ContrastField { kind, effect: whitened, spread: Spread::Dispersion(sigma2.to_vec()), dof };
        }
        let mut packed = Array2::zeros((packed_length(self.n_rows()), columns.len()));
        let mut scratch = self.covariance.scratch();
        for (at, (column, variance)) in columns.zip(sigma2).enumerate() {
            let unit = self.covariance.at(column, &mut scratch);
            packed.column_mut(at).iter_mut().zip(unit).for_each(|(entry, unit)| *entry = unit * variance);
        }
        ContrastField { kind, effect, spread: Spread::Covariance(packed), dof }
    }
}

/// Degrees of freedom of a variance that has the relative variance `2 / residual` from its residuals and `doubt` from what else is not
/// known: two over their sum (Satterthwaite 1946, doi 10.2307/3002019; of processes by likelihood so Kenward & Roger 1997, doi
/// 10.2307/2533558).
fn effective_dof(residual: f64, doubt: f64) -> f64 {
    residual / (1.0 + 0.5 * residual * doubt.min(LARGEST_DOUBT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_takes_degrees_of_freedom_away() {
        assert_eq!(effective_dof(200.0, 0.0), 200.0);
        // a standard error of a tenth from the residuals, and another tenth
        assert!((effective_dof(200.0, 0.01) - 100.0).abs() < 1e-12);
        assert!((effective_dof(1e9, 1e9) - 4.0).abs() < 1e-6);
    }

    #[test]
    fn degrees_of_freedom_of_many_are_their_harmonic_mean() {
        let each = Dof::PerColumn(vec![60.0, 1.0, 20.0]);
        assert!((each.harmonic_mean(&[0, 2]) - 30.0).abs() < 1e-12);
        assert_eq!((Dof::Same(7.0).harmonic_mean(&[0, 2]), Dof::Same(7.0).each(2)), (7.0, vec![7.0; 2]));
    }
}

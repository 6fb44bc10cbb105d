//! The covariance of residuals over time, pooled over the columns that respond.

use crate::design::{ColumnRole, RunDesign};
use crate::error::CancelToken;
use crate::model::basis::Basis;
use crate::model::linalg::{product, subtract_product, transposed_product};
use crate::model::problem::ModelError;
use crate::model::process::gathered;
use crate::model::run_basis::decomposition;
use crate::model::samples::{BlockResiduals, Samples, column_squares};
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

/// A column is pooled where its F of the effects of interest is less likely than this.
const ALPHA: f64 = 0.001;

/// Residual covariance over columns.
pub(super) struct Pooled {
    /// `E E' / s` (row x row) of the residuals E of the `s` pooled columns, each divided by its standard deviation. Of data
    /// instead of residuals restricted likelihood would be the same: it sees them after the design is projected out.
    pub(super) covariance: Array2<f64>,
    /// Columns that were pooled.
    pub(super) n_columns: usize,
}

/// Which columns respond.
struct Selection {
    /// Orthonormal coordinates of constant and drift in the basis of the design: rank x rank of those.
    of_nuisance: Array2<f64>,
    /// Degrees of freedom of the effects of interest, and those of residuals.
    dof: (f64, f64),
    /// Tail of F; `None` where the design has no effect of interest.
    reference: Option<FisherSnedecor>,
}

impl Selection {
    /// Effects of interest are all columns but constant and drift. As for SPM, whose drift is a filter and no regressor, the
    /// degrees of freedom count no drift.
    fn new(samples: &Samples<'_>, design: &RunDesign) -> Result<Self, ModelError> {
        let basis_of = |admitted: &dyn Fn(&ColumnRole) -> bool| {
            let columns: Vec<usize> = (0..design.n_columns()).filter(|&at| admitted(&design.roles[at])).collect();
            Basis::new(&design.kept_matrix().select(Axis(1), &columns)).map_err(|cause| decomposition(design, &cause))
        };
        let drift = basis_of(&|role| *role == ColumnRole::Drift)?.rank();
        let nuisance = basis_of(&|role| matches!(role, ColumnRole::Drift | ColumnRole::Constant))?;
        let of_nuisance = transposed_product(&samples.run.basis.q, &nuisance.q);
        let rank = samples.run.basis.rank();
        let dof = ((rank - nuisance.rank()) as f64, (samples.run.kept.len() + drift - rank) as f64);
        // there are residual degrees of freedom, so it fails where there is no effect
        let reference = FisherSnedecor::new(dof.0, dof.1).ok();
        Ok(Self { of_nuisance, dof, reference })
    }

    /// The columns of a block that respond, and one over the standard deviation of the residuals of each.
    fn responding(&self, block: &mut BlockResiduals) -> (Vec<usize>, Vec<f64>) {
        let coordinates = transposed_product(&self.of_nuisance, &block.projections);
        subtract_product(&mut block.projections, &self.of_nuisance, &coordinates);
        let of_interest = column_squares(&block.projections);
        let squares = column_squares(&block.residuals);
        let (of_effects, of_residuals) = self.dof;
        let responds = |effect: f64, variance: f64| {
            self.reference.as_ref().is_none_or(|reference| reference.sf(effect / of_effects / variance) < ALPHA)
        };
        let chosen = of_interest.iter().zip(squares).enumerate().filter_map(|(column, (effect, squares))| {
            let variance = squares / of_residuals;
            (variance > 0.0 && responds(*effect, variance)).then(|| (column, variance.sqrt().recip()))
        });
        chosen.unzip()
    }
}

impl Pooled {
    /// # Errors
    /// [`ModelError`]: no column responds; samples cannot be read back; interruption.
    pub(super) fn new(samples: &Samples<'_>, design: &RunDesign, cancel: &CancelToken) -> Result<Self, ModelError> {
        let selection = Selection::new(samples, design)?;
        let n_rows = samples.layout.n_rows();
        let mut pooled = Self { covariance: Array2::zeros((n_rows, n_rows)), n_columns: 0 };
        let blocks: Vec<_> = samples.series.blocks().collect();
        // as many matrices as threads at a time, always added in the order of the blocks
        for blocks in blocks.chunks(rayon::current_num_threads().max(1)) {
            let of_blocks = blocks.par_iter().map_init(Vec::new, |rows, columns| {
                cancel.check()?;
                let mut block = samples.block_residuals(columns, rows)?;
                let (chosen, scales) = selection.responding(&mut block);
                if chosen.is_empty() {
                    return Ok(None);
                }
                let mut residuals = gathered(&block.residuals, &chosen);
                for mut row in residuals.outer_iter_mut() {
                    row.iter_mut().zip(&scales).for_each(|(value, scale)| *value *= scale);
                }
                Ok(Some((product(&residuals, &residuals.t()), chosen.len())))
            });
            for (covariance, n_columns) in of_blocks.collect::<Result<Vec<_>, ModelError>>()?.into_iter().flatten() {
                pooled.covariance += &covariance;
                pooled.n_columns += n_columns;
            }
        }
        if pooled.n_columns == 0 {
            return Err(ModelError::NoResponse { run: design.run.clone(), n_columns: samples.series.n_columns() });
        }
        pooled.covariance /= pooled.n_columns as f64;
        Ok(pooled)
    }
}

//! From effects to t or F, p and z.

use super::combine::combine_runs;
use super::field::{ContrastField, Dof, PreparedContrast, Spread};
use super::problem::InferenceError;
use super::reference::{Reference, ZTable};
use crate::config::{ContrastKind, FixedEffects, Numerics};
use crate::design::ContrastMatrix;
use crate::error::CancelToken;
use crate::model::{RunFit, factor_packed, packed_length, solve_lower_packed};
use crate::preprocess::BLOCK_COLUMNS;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Columns below which tails are not shared out to threads.
const COLUMNS_OF_A_TASK: usize = 256;

/// Statistics of a contrast.
///
/// A column without variance and without effect (one that was excluded) has statistic 0, z 0 and p 1; one with an
/// effect but no variance has an infinite statistic.
#[derive(Debug, Clone)]
pub struct StatMap {
    /// The contrast's name.
    pub name: String,
    /// t or F.
    pub kind: ContrastKind,
    /// Row x column, in units of the scaled data; whitened rows where numerics sum whitened effects.
    pub effect: Array2<f64>,
    /// Variance of each row's effect: row x column; one row, the dispersion, where effects are whitened.
    pub variance: Array2<f64>,
    /// t or F of each column.
    pub stat: Vec<f64>,
    /// z of each column.
    pub z: Vec<f64>,
    /// Degrees of freedom, of an F those of the denominator.
    pub dof: Dof,
}

/// A contrast of one run, to be combined with others.
#[derive(Debug, Clone, Copy)]
pub struct RunContrast<'a> {
    /// The run's fit.
    pub fit: &'a RunFit,
    /// The contrast in the run's design columns.
    pub contrast: &'a ContrastMatrix,
}

/// Statistics of a contrast over `runs` (fixed effects where there are several), in parallel over blocks of columns.
///
/// A run in which the contrast is not estimable must not be among them; a column excluded from one run must be
/// excluded from all.
///
/// # Errors
/// [`InferenceError`]: no run, runs of other columns, rows that are linearly dependent, interruption.
pub fn contrast_statistics(
    runs: &[RunContrast<'_>],
    method: FixedEffects,
    numerics: &Numerics,
    cancel: &CancelToken,
) -> Result<StatMap, InferenceError> {
    let prepared: Vec<PreparedContrast<'_>> =
        runs.iter().map(|run| PreparedContrast::new(run.fit, run.contrast, numerics)).collect::<Result<_, _>>()?;
    let Some(first) = runs.first() else { return Err(InferenceError::NoRun { contrast: String::new() }) };
    let name = &first.contrast.name;
    let n_columns = first.fit.n_columns();
    let rows = first.contrast.weights.nrows();
    for run in runs {
        if run.fit.n_columns() != n_columns {
            let other = run.fit.n_columns();
            return Err(InferenceError::Supports { contrast: name.clone(), first: n_columns, other });
        }
        if run.contrast.weights.nrows() != rows {
            return Err(InferenceError::Rows {
                contrast: name.clone(),
                run: run.fit.run.clone(),
                rows: run.contrast.weights.nrows(),
                expected: rows,
            });
        }
    }
    let mut map = StatMap {
        name: name.clone(),
        kind: first.contrast.kind,
        effect: Array2::zeros((rows, n_columns)),
        variance: Array2::zeros((prepared[0].n_variances(), n_columns)),
        stat: vec![0.0; n_columns],
        z: Vec::new(),
        dof: Dof::Same(first.fit.dof),
    };
    let effects = map.effect.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS);
    let variances = map.variance.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS);
    let outputs = effects.zip(variances).zip(map.stat.chunks_mut(BLOCK_COLUMNS));
    let blocks: Vec<_> = outputs.enumerate().collect();
    let dof: Vec<Dof> = blocks
        .into_par_iter()
        .map(|(block, ((mut effect, mut variance), stat))| {
            cancel.check()?;
            let start = block * BLOCK_COLUMNS;
            let columns = start..start + stat.len();
            let fields: Vec<ContrastField> = prepared.iter().map(|run| run.field(columns.clone())).collect();
            let field = combine_runs(fields, method, numerics)
                .ok_or_else(|| InferenceError::NoRun { contrast: name.clone() })?;
            effect.assign(&field.effect);
            for (row, mut of_row) in variance.outer_iter_mut().enumerate() {
                of_row.assign(&field.variances(row));
            }
            statistics(&field, numerics, stat);
            Ok(field.dof)
        })
        .collect::<Result<_, InferenceError>>()?;
    map.dof = join(dof).unwrap_or(map.dof);
    map.z = map.z_scores(numerics);
    Ok(map)
}

/// t or F of each column.
fn statistics(field: &ContrastField, numerics: &Numerics, stat: &mut [f64]) {
    let floor = numerics.variance_floor;
    match (field.kind, &field.spread) {
        (ContrastKind::T, _) => {
            let columns = stat.iter_mut().zip(field.effect.row(0)).zip(field.variances(0));
            columns.for_each(|((stat, effect), variance)| *stat = ratio(*effect, variance.max(floor).sqrt()));
        }
        (ContrastKind::F, Spread::Dispersion(dispersion)) => {
            let columns = stat.iter_mut().zip(field.effect.columns()).zip(dispersion);
            for ((stat, effect), variance) in columns {
                let squares: f64 = effect.iter().map(|effect| effect * effect).sum();
                *stat = ratio(squares / effect.len() as f64, variance.max(floor));
            }
        }
        (ContrastKind::F, Spread::Covariance(packed)) => wald(&field.effect, packed, stat),
    }
}

/// `effect / scale`; 0 where both are 0.
fn ratio(effect: f64, scale: f64) -> f64 {
    if effect == 0.0 && scale == 0.0 { 0.0 } else { effect / scale }
}

/// `e' V^-1 e / q` of each column.
fn wald(effect: &Array2<f64>, packed: &Array2<f64>, stat: &mut [f64]) {
    let q = effect.nrows();
    let mut factor = vec![0.0; packed_length(q)];
    let mut solved = vec![0.0; q];
    let of_column = |column: usize| {
        factor.iter_mut().zip(packed.column(column)).for_each(|(factor, entry)| *factor = *entry);
        solved.iter_mut().zip(effect.column(column)).for_each(|(solved, effect)| *solved = *effect);
        if !factor_packed(&mut factor, q) {
            let squares: f64 = solved.iter().map(|effect| effect * effect).sum();
            return ratio(squares, 0.0); // rows are independent, so the variance itself is 0
        }
        solve_lower_packed(&factor, &mut solved);
        solved.iter().map(|value| value * value).sum::<f64>() / q as f64
    };
    stat.iter_mut().zip((0..effect.ncols()).map(of_column)).for_each(|(stat, value)| *stat = value);
}

impl StatMap {
    /// p of each column, on the sides that `numerics` asks for: computed when asked for, few want it of every voxel.
    pub fn p(&self, numerics: &Numerics) -> Vec<f64> {
        match &self.dof {
            Dof::Same(dof) => {
                let reference = self.reference(*dof, numerics);
                self.of_columns(1.0, |_, stat| reference.p(stat))
            }
            Dof::PerColumn(dof) => self.of_columns(1.0, |column, stat| self.reference(dof[column], numerics).p(stat)),
        }
    }

    /// z of each column, from a table where all share their dof and are more than its nodes.
    fn z_scores(&self, numerics: &Numerics) -> Vec<f64> {
        match &self.dof {
            Dof::Same(dof) => {
                let reference = self.reference(*dof, numerics);
                if ZTable::pays(&reference, self.stat.len()) {
                    let table = ZTable::new(reference);
                    self.of_columns(0.0, |_, stat| table.z(stat))
                } else {
                    self.of_columns(0.0, |_, stat| reference.z(stat))
                }
            }
            Dof::PerColumn(dof) => self.of_columns(0.0, |column, stat| self.reference(dof[column], numerics).z(stat)),
        }
    }

    fn reference(&self, dof: f64, numerics: &Numerics) -> Reference {
        Reference::new(self.kind, self.effect.nrows(), dof, numerics)
    }

    /// `of` the number and the statistic of each column; `nothing` where there is neither effect nor variance.
    fn of_columns(&self, nothing: f64, of: impl Fn(usize, f64) -> f64 + Sync) -> Vec<f64> {
        let of_column = |(column, &stat): (usize, &f64)| {
            if stat == 0.0 && self.variance[(0, column)] == 0.0 { nothing } else { of(column, stat) }
        };
        self.stat.par_iter().enumerate().with_min_len(COLUMNS_OF_A_TASK).map(of_column).collect()
    }
}

/// The blocks' dof, which are of one kind, side by side.
fn join(blocks: Vec<Dof>) -> Option<Dof> {
    blocks.into_iter().reduce(|joined, block| match (joined, block) {
        (Dof::PerColumn(mut joined), Dof::PerColumn(block)) => {
            joined.extend(block);
            Dof::PerColumn(joined)
        }
        (joined, _) => joined,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Profile;

    #[test]
    fn z_of_few_columns_is_exact_and_of_many_the_same() {
        let numerics = Numerics::of(Profile::Native);
        let map = |kind, n_columns: usize, dof| {
            let stat: Vec<f64> = (0..n_columns).map(|column| (column as f64 * 0.7).rem_euclid(9.0)).collect();
            let (effect, variance) = (Array2::zeros((1, n_columns)), Array2::ones((1, n_columns)));
            let mut map = StatMap { name: String::new(), kind, effect, variance, stat, z: Vec::new(), dof };
            map.variance[(0, 0)] = 0.0;
            map.z = map.z_scores(&numerics);
            map
        };
        for kind in [ContrastKind::T, ContrastKind::F] {
            let (few, many) = (map(kind, 500, Dof::Same(68.0)), map(kind, 5000, Dof::Same(68.0)));
            let each = map(kind, 5000, Dof::PerColumn(vec![68.0; 5000]));
            let (of_many, of_each) = (many.p(&numerics), each.p(&numerics));
            let reference = Reference::new(kind, 1, 68.0, &numerics);
            for (column, &stat) in many.stat.iter().enumerate() {
                // the first has neither effect nor variance
                let (z, p) = if column == 0 { (0.0, 1.0) } else { (reference.z(stat), reference.p(stat)) };
                assert_eq!(each.z[column], z);
                assert!(few.z.get(column).is_none_or(|of_few| *of_few == z));
                // the tolerance of tables
                let of_table = many.z[column];
                assert!(of_table == z || (of_table - z).abs() < 6e-13 * z.abs().max(1.0));
                assert_eq!([of_many[column], of_each[column]], [p; 2]);
            }
            assert!(many.z.iter().zip(&each.z).any(|(tabulated, exact)| tabulated != exact));
        }
    }
}

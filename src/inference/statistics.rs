//! From effects to t or F, p and z.

use super::combine::combine_runs;
use super::distributions::{FisherF, StudentT, Tail};
use super::field::{ContrastField, Dof, PreparedContrast, Spread};
use super::problem::InferenceError;
use crate::config::{ContrastKind, FixedEffects, Numerics};
use crate::design::ContrastMatrix;
use crate::error::CancelToken;
use crate::model::{RunFit, factor_packed, packed_length, solve_lower_packed};
use crate::preprocess::BLOCK_COLUMNS;
use ndarray::{Array2, Axis, s};
use rayon::prelude::*;

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
    /// p of each column.
    pub p: Vec<f64>,
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
    let starts: Vec<usize> = (0..n_columns.max(1)).step_by(BLOCK_COLUMNS).collect();
    let blocks: Vec<StatMap> = starts
        .into_par_iter()
        .map(|start| {
            cancel.check()?;
            let columns = start..(start + BLOCK_COLUMNS).min(n_columns);
            let fields: Vec<ContrastField> = prepared.iter().map(|run| run.field(columns.clone())).collect();
            combine_runs(&fields, method, numerics)
                .map(|field| statistics(name, &field, numerics))
                .ok_or_else(|| InferenceError::NoRun { contrast: name.clone() })
        })
        .collect::<Result<_, _>>()?;
    Ok(join(name, blocks, n_columns))
}

/// Statistics of one field.
pub fn statistics(name: &str, field: &ContrastField, numerics: &Numerics) -> StatMap {
    let (q, n_columns) = field.effect.dim();
    let floor = numerics.variance_floor;
    let stat: Vec<f64> = match (field.kind, &field.spread) {
        (ContrastKind::T, _) => (0..n_columns)
            .map(|column| ratio(field.effect[(0, column)], field.variance(0, column).max(floor).sqrt()))
            .collect(),
        (ContrastKind::F, Spread::Dispersion(dispersion)) => (0..n_columns)
            .map(|column| {
                let squares: f64 = field.effect.column(column).iter().map(|effect| effect * effect).sum();
                ratio(squares / q as f64, dispersion[column].max(floor))
            })
            .collect(),
        (ContrastKind::F, Spread::Covariance(packed)) => wald(&field.effect, packed),
    };
    let tails = tails(field, &stat, numerics);
    let variance_rows = if matches!(field.spread, Spread::Dispersion(_)) { 1 } else { q };
    StatMap {
        name: name.to_owned(),
        kind: field.kind,
        effect: field.effect.clone(),
        variance: Array2::from_shape_fn((variance_rows, n_columns), |(row, column)| field.variance(row, column)),
        p: tails.iter().map(|tail| tail.p).collect(),
        z: tails.iter().map(|tail| tail.z).collect(),
        stat,
        dof: field.dof.clone(),
    }
}

/// `effect / scale`; 0 where both are 0.
fn ratio(effect: f64, scale: f64) -> f64 {
    if effect == 0.0 && scale == 0.0 { 0.0 } else { effect / scale }
}

/// `e' V^-1 e / q` of each column.
fn wald(effect: &Array2<f64>, packed: &Array2<f64>) -> Vec<f64> {
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
    (0..effect.ncols()).map(of_column).collect()
}

/// The distribution of a statistic without effect.
#[derive(Clone, Copy)]
enum Reference {
    T(StudentT),
    F(FisherF),
}

/// p and z of each column. The distribution is made once where all columns share its dof.
fn tails(field: &ContrastField, stat: &[f64], numerics: &Numerics) -> Vec<Tail> {
    let reference = |dof: f64| match field.kind {
        ContrastKind::T => Reference::T(StudentT::new(dof, numerics.p_sides, numerics.p_clip)),
        ContrastKind::F => Reference::F(FisherF::new(field.effect.nrows() as f64, dof, numerics.p_clip)),
    };
    let shared = match field.dof {
        Dof::Same(dof) => Some(reference(dof)),
        Dof::PerColumn(_) => None,
    };
    let tail = |(column, &stat): (usize, &f64)| {
        if stat == 0.0 && field.variance(0, column) == 0.0 {
            return Tail { p: 1.0, z: 0.0 };
        }
        match shared.unwrap_or_else(|| reference(field.dof.at(column))) {
            Reference::T(t) => t.tail(stat),
            Reference::F(f) => f.tail(stat),
        }
    };
    stat.iter().enumerate().map(tail).collect()
}

/// The blocks' maps side by side.
fn join(name: &str, blocks: Vec<StatMap>, n_columns: usize) -> StatMap {
    let rows = |of: fn(&StatMap) -> &Array2<f64>| blocks.first().map_or(0, |block| of(block).nrows());
    let mut joined = StatMap {
        name: name.to_owned(),
        kind: blocks.first().map_or(ContrastKind::T, |block| block.kind),
        effect: Array2::zeros((rows(|block| &block.effect), n_columns)),
        variance: Array2::zeros((rows(|block| &block.variance), n_columns)),
        stat: Vec::with_capacity(n_columns),
        p: Vec::with_capacity(n_columns),
        z: Vec::with_capacity(n_columns),
        dof: Dof::Same(0.0),
    };
    let mut dof = Vec::new();
    for block in blocks {
        let columns = joined.stat.len()..joined.stat.len() + block.stat.len();
        joined.effect.slice_mut(s![.., columns.clone()]).assign(&block.effect);
        joined.variance.slice_mut(s![.., columns]).assign(&block.variance);
        joined.stat.extend(block.stat);
        joined.p.extend(block.p);
        joined.z.extend(block.z);
        match block.dof {
            Dof::Same(_) => joined.dof = block.dof,
            Dof::PerColumn(of_block) => dof.extend(of_block),
        }
    }
    if !dof.is_empty() {
        joined.dof = Dof::PerColumn(dof);
    }
    debug_assert_eq!(joined.effect.len_of(Axis(1)), joined.stat.len());
    joined
}

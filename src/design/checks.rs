//! What a design can and cannot tell: rank, estimability, collinearity, and what drift and confounds take away.
//!
//! All of it concerns the frames that enter the model, and none of it depends on the units of a column.

pub use super::orthogonal_basis::DEPENDENCE_TOLERANCE;
use super::orthogonal_basis::OrthogonalBasis;
use super::run_design::{ColumnRole, ContrastMatrix, RunDesign};
use crate::error::{Diagnostic, Diagnostics};

/// Share of a regressor's variance that drift and confounds may remove before it is a warning.
pub const MOST_VARIANCE_REMOVED: f64 = 0.2;

/// A contrast (or a null vector) has an entry where it exceeds this share of the vector's length. Null vectors carry
/// the rounding of a triangular solve with pivots down to [`DEPENDENCE_TOLERANCE`].
const ENTRY_TOLERANCE: f64 = 1e-8;

/// Number of independent columns over the frames in the model.
pub fn rank(design: &RunDesign) -> usize {
    OrthogonalBasis::of(&design.kept_matrix()).rank()
}

/// Whether a contrast has an estimate that does not depend on which of the many least-squares solutions is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Estimability {
    /// It has.
    Estimable,
    /// It has not: these columns are linearly dependent, and the contrast does not cancel over them.
    NotEstimable {
        /// The columns, in the design's order.
        columns: Vec<String>,
    },
}

impl Estimability {
    /// Whether the contrast is estimable.
    pub fn is_estimable(&self) -> bool {
        *self == Self::Estimable
    }
}

/// Whether every row of a contrast is estimable in a design: orthogonal to every combination of columns that is zero.
pub fn estimable(design: &RunDesign, contrast: &ContrastMatrix) -> Estimability {
    let basis = OrthogonalBasis::of(&design.kept_matrix());
    let mut guilty = vec![false; design.n_columns()];
    for vector in basis.null_vectors() {
        let longest = norm(vector.iter().copied());
        let touches = contrast.weights.rows().into_iter().any(|row| {
            // weights of unit-length columns; those of a column that is 0 throughout stand as they are
            let scaled = row.iter().enumerate().map(|(j, weight)| match basis.length(j) {
                length if length > 0.0 => weight / length,
                _ => *weight,
            });
            let product: f64 = scaled.clone().zip(&vector).map(|(weight, entry)| weight * entry).sum();
            product.abs() > ENTRY_TOLERANCE * longest * norm(scaled)
        });
        if touches {
            for (flag, entry) in guilty.iter_mut().zip(&vector) {
                *flag |= entry.abs() > ENTRY_TOLERANCE * longest;
            }
        }
    }
    if guilty.contains(&true) {
        let columns = design.names.iter().zip(guilty).filter(|(_, guilty)| *guilty).map(|(name, _)| name.clone());
        Estimability::NotEstimable { columns: columns.collect() }
    } else {
        Estimability::Estimable
    }
}

/// Variance inflation of each task regressor: the variance of its coefficient over what it would be, were the
/// regressor orthogonal to all other columns but the constant. 1 is best; infinite where it is a combination of others
/// (Marquardt 1970, doi 10.1080/00401706.1970.10488699).
pub fn variance_inflation(design: &RunDesign) -> Vec<(String, f64)> {
    let matrix = design.kept_matrix();
    let basis = OrthogonalBasis::of(&matrix);
    let dependent: Vec<Vec<f64>> = basis.null_vectors();
    task_columns(design)
        .map(|column| {
            let in_null_space = dependent.iter().any(|vector| vector[column].abs() > ENTRY_TOLERANCE);
            let inflation = match basis.inflation(column) {
                Some(inflation) if !in_null_space => {
                    let squares = basis.length(column) * basis.length(column);
                    inflation * squares_about_mean(matrix.column(column).iter().copied()) / squares
                }
                _ => f64::INFINITY,
            };
            (design.names[column].clone(), inflation)
        })
        .collect()
}

/// Share (0 to 1) of each task regressor's variance that drift and confounds explain, and so remove from it.
pub fn variance_removed(design: &RunDesign) -> Vec<(String, f64)> {
    let matrix = design.kept_matrix();
    let nuisance: Vec<usize> =
        (0..design.n_columns()).filter(|&j| !matches!(design.roles[j], ColumnRole::Task { .. })).collect();
    let basis = OrthogonalBasis::of(&matrix.select(ndarray::Axis(1), &nuisance));
    task_columns(design)
        .map(|column| {
            let values = matrix.column(column).to_vec();
            let total = squares_about_mean(values.iter().copied());
            let left = basis.residual_squares(&values);
            let removed = if total > 0.0 { (1.0 - left / total).clamp(0.0, 1.0) } else { 1.0 };
            (design.names[column].clone(), removed)
        })
        .collect()
}

/// Warnings about a design: regressors that lose more than [`MOST_VARIANCE_REMOVED`] of their variance.
pub fn warnings(design: &RunDesign) -> Diagnostics {
    let lost: Vec<String> = variance_removed(design)
        .into_iter()
        .filter(|(_, removed)| *removed > MOST_VARIANCE_REMOVED)
        .map(|(name, removed)| format!("`{name}` {:.0} %", 100.0 * removed))
        .collect();
    if lost.is_empty() {
        return Diagnostics::new();
    }
    Diagnostic::warning("variance-removed", "drift and confounds remove much of the variance of regressors")
        .note(format!("removed in {}: {}", design.run, lost.join(", ")))
        .hint("a lower `high_pass_hz` or fewer confounds leave more of it")
        .into()
}

fn task_columns(design: &RunDesign) -> impl Iterator<Item = usize> + '_ {
    (0..design.n_columns()).filter(|&j| matches!(design.roles[j], ColumnRole::Task { .. }))
}

fn squares_about_mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (sum, count) = values.clone().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    let mean = sum / count;
    values.map(|value| (value - mean) * (value - mean)).sum()
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::run_design::tests::{design_of, small_design};
    use super::*;
    use crate::config::ContrastKind;
    use ndarray::{Array2, array};

    fn contrast(weights: Array2<f64>) -> ContrastMatrix {
        ContrastMatrix { name: "x".to_owned(), kind: ContrastKind::T, weights }
    }

    #[test]
    fn a_design_of_full_rank_estimates_everything() {
        let design = small_design();
        assert_eq!(rank(&design), design.n_columns());
        for column in 0..design.n_columns() {
            let mut weights = Array2::zeros((1, design.n_columns()));
            weights[[0, column]] = 1.0;
            assert!(estimable(&design, &contrast(weights)).is_estimable());
        }
    }

    #[test]
    fn differences_of_dependent_columns_are_estimable_and_single_ones_are_not() {
        // two conditions that fill the run between them add up to the constant
        let design = design_of(
            &["a", "b", "constant", "drift_1"],
            array![
                [1.0, 0.0, 1.0, 0.5e-6],
                [1.0, 0.0, 1.0, -1e-6],
                [0.0, 1.0, 1.0, 0.2e-6],
                [0.0, 1.0, 1.0, 3e-6],
                [0.0, 1.0, 1.0, -2e-6]
            ],
        );
        assert_eq!(rank(&design), 3);
        assert!(estimable(&design, &contrast(array![[1.0, -1.0, 0.0, 0.0]])).is_estimable());
        assert!(estimable(&design, &contrast(array![[0.0, 0.0, 0.0, 1.0]])).is_estimable());
        assert_eq!(
            estimable(&design, &contrast(array![[1.0, 0.0, 0.0, 0.0]])),
            Estimability::NotEstimable { columns: ["a", "b", "constant"].map(str::to_owned).to_vec() }
        );
        let both = contrast(array![[1.0, -1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
        assert!(!estimable(&design, &both).is_estimable(), "an F needs all its rows");
        assert!(variance_inflation(&design).iter().all(|(_, inflation)| inflation.is_infinite()));
    }

    #[test]
    fn a_column_of_zeros_is_not_estimable() {
        let design = design_of(&["a", "b", "constant"], array![[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [2.0, 0.0, 1.0]]);
        assert!(estimable(&design, &contrast(array![[1.0, 0.0, 0.0]])).is_estimable());
        assert_eq!(
            estimable(&design, &contrast(array![[1.0, 1.0, 0.0]])),
            Estimability::NotEstimable { columns: vec!["b".to_owned()] }
        );
    }

    #[test]
    fn censoring_can_make_a_contrast_inestimable() {
        let mut design = design_of(
            &["a", "b", "constant"],
            array![[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]],
        );
        let only_b = contrast(array![[0.0, 1.0, 0.0]]);
        assert!(estimable(&design, &only_b).is_estimable());
        design.timing.kept[2] = false;
        assert!(!estimable(&design, &only_b).is_estimable());
    }

    #[test]
    fn inflation_follows_the_correlation_and_ignores_units() {
        // centred regressors with correlation 0.5: VIF 1/(1 - 0.25)
        for scale in [1.0, 1e8] {
            let design =
                design_of(&["a", "b", "constant"], array![[scale, 1.0, 1.0], [-scale, 0.0, 1.0], [0.0, -1.0, 1.0]]);
            for (name, inflation) in variance_inflation(&design) {
                assert!((inflation - 4.0 / 3.0).abs() < 1e-12, "{name}: {inflation}");
            }
        }
    }

    #[test]
    fn variance_removed_is_the_share_explained_by_drift_and_confounds() {
        // `a` has correlation 0.5 with the drift: a quarter of its variance goes
        let design =
            design_of(&["a", "drift_1", "constant"], array![[1.0, 1.0, 1.0], [-1.0, 0.0, 1.0], [0.0, -1.0, 1.0]]);
        let removed = variance_removed(&design);
        assert_eq!(removed[0].0, "a");
        assert!((removed[0].1 - 0.25).abs() < 1e-14);
        insta::assert_snapshot!(warnings(&design), @"
    warning[variance-removed]: drift and confounds remove much of the variance of regressors
       = note: removed in sub-01 run-01: `a` 25 %
       = hint: a lower `high_pass_hz` or fewer confounds leave more of it
    ");
    }
}

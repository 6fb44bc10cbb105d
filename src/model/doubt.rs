//! What is not known of the processes of a fit, as the covariance of its design's projections shows it.

use super::cholesky::{factor_packed, pack, packed_length, solve_both_sides_packed, solve_columns_packed, unpack};
use super::linalg::{product, transposed_product};
use super::noise::{Doubt, LineDoubt, NoiseClasses};
use super::process::{Layout, Process, Whitened, changes_of_variance};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// By how much the covariance of projections may be off, of every class of columns.
#[derive(Debug, Clone)]
pub(super) struct CovarianceDoubt {
    /// Of each class, along each line of its doubt, M packed: with `D D'` the precision of projections, the covariance changes by
    /// `D'^-1 M D^-1` a step.
    changes: Vec<Vec<Vec<f64>>>,
    /// Standard deviation of each column along these lines, in steps; `None`: one.
    of_column: Option<Vec<f32>>,
}

impl CovarianceDoubt {
    /// Of `doubt` about `classes`, under which the design of the orthonormal `basis` over the rows of `layout` was `whitened`.
    pub(super) fn new(
        doubt: Doubt,
        classes: &NoiseClasses,
        whitened: &[Whitened],
        (basis, layout): (&Array2<f64>, &Layout),
    ) -> Self {
        match doubt {
            Doubt::Line(LineDoubt { sides: [before, after], of_column }) => {
                let of_class = whitened.par_iter().zip(before.par_iter().zip(&after));
                let change = |(whitened, (before, after)): (&Whitened, (&Process, &Process))| {
                    let side = |process| Whitened::new(basis, process, layout).map(|side| covariance(whitened, &side));
                    let own = || Array2::eye(whitened.rank());
                    let change = match (side(before), side(after)) {
                        (Some(before), Some(after)) => 0.5 * (after - before),
                        // the other is too far to say anything of the design
                        (Some(before), None) => own() - before,
                        (None, Some(after)) => after - own(),
                        (None, None) => return Vec::new(),
                    };
                    vec![pack(&change)]
                };
                Self { changes: of_class.map(change).collect(), of_column: Some(of_column) }
            }
            Doubt::Likelihood => {
                let of_class = whitened.par_iter().zip(&classes.processes);
                let change = |(whitened, process): (&Whitened, &Process)| match process {
                    Process::Arma11(process) => {
                        changes_of_variance(*process, whitened.basis()).iter().map(pack).collect()
                    }
                    Process::Autoregression(_) => Vec::new(), // is none of a likelihood's
                };
                Self { changes: of_class.map(change).collect(), of_column: None }
            }
        }
    }

    /// Of a contrast whose q rows have `halves` (`D^-1 c`, row by row) and with them the packed `covariance` in a class: the mean square over its
    /// principal directions of the relative change of their variance a step along each line, summed over lines. 0 of rows without variance:
    /// there is nothing to be sure of.
    pub(super) fn mean_square_change(&self, class: usize, halves: &[f64], covariance: &[f64], q: usize) -> f64 {
        let rank = halves.len() / q.max(1);
        let Ok(halves) = ArrayView2::from_shape((q, rank), halves) else { return 0.0 }; // rows of one length
        let mut factor = covariance.to_vec();
        if !factor_packed(&mut factor, q) {
            return 0.0;
        }
        let of_line = |change: &Vec<f64>| {
            let change = product(&product(&halves, &unpack(change, rank)), &halves.t());
            let relative = solve_both_sides_packed(&factor, change);
            relative.iter().map(|entry| entry * entry).sum::<f64>() / q as f64
        };
        self.changes[class].iter().map(of_line).sum()
    }

    /// Standard deviation of a column, in steps.
    pub(super) fn steps(&self, column: usize) -> f64 {
        self.of_column.as_ref().map_or(1.0, |steps| f64::from(steps[column]))
    }
}

/// The covariance of projections under a process aside, in the coordinates in which it is the identity under their own: `S'S` with
/// `S = D_s^-1 D`.
fn covariance(own: &Whitened, side: &Whitened) -> Array2<f64> {
    let rank = own.rank();
    let packed = own.factor();
    let mut s = Array2::from_shape_fn((rank, rank), |(i, j)| if j <= i { packed[packed_length(i) + j] } else { 0.0 });
    solve_columns_packed(side.factor(), &mut s);
    transposed_product(&s, &s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::Basis;
    use crate::model::cholesky::solve_lower_packed;
    use crate::model::process::Autoregression;

    /// Variances 4 and 9 of which one grows by a tenth and the other shrinks by a fifth.
    #[test]
    fn change_is_the_mean_square_over_principal_directions() {
        let change = vec![0.1, 0.0, -0.2];
        let doubt = |lines: usize| CovarianceDoubt { changes: vec![vec![change.clone(); lines]], of_column: None };
        let of = |halves: &[f64], covariance: &[f64], q| doubt(1).mean_square_change(0, halves, covariance, q);
        assert!((of(&[2.0, 0.0, 0.0, 3.0], &[4.0, 0.0, 9.0], 2) - 0.025).abs() < 1e-12);
        // the same two effects, added and subtracted
        assert!((of(&[2.0, 3.0, 2.0, -3.0], &[13.0, -5.0, 13.0], 2) - 0.025).abs() < 1e-12);
        assert!((of(&[2.0, 0.0], &[4.0], 1) - 0.01).abs() < 1e-12);
        // 4 of 13 parts grow, 9 shrink
        assert!((of(&[2.0, 3.0], &[13.0], 1) - ((0.4 - 1.8) / 13.0_f64).powi(2)).abs() < 1e-12);
        assert!((doubt(2).mean_square_change(0, &[2.0, 0.0], &[4.0], 1) - 0.02).abs() < 1e-12);
        assert_eq!(of(&[0.0, 0.0], &[0.0], 1), 0.0);
    }

    /// Half the relative difference of an effect's variance under two processes, with a gap of two frames and without.
    #[test]
    fn a_line_changes_variances_as_its_sides_have_them() {
        for lags in [vec![1; 39], [vec![1; 19], vec![3], vec![1; 19]].concat()] {
            let n = lags.len() + 1;
            let design = Array2::from_shape_fn((n, 3), |(t, j)| ((t * (j + 1)) as f64 * 0.37).sin() + j as f64);
            let q = Basis::new(&design).unwrap().q;
            let layout = Layout::filled(&lags);
            let basis = layout.basis(&q);
            let ar = |c: f64| Process::Autoregression(Autoregression::of_partial(vec![c, 0.2]));
            let whitened = |c: f64| Whitened::new(&basis, &ar(c), &layout).unwrap();
            let own = whitened(0.5);
            let classes = NoiseClasses { processes: vec![ar(0.5)], index: vec![0, 0] };
            let line = LineDoubt { sides: [vec![ar(0.4)], vec![ar(0.6)]], of_column: vec![1.0, 2.0] };
            let doubt =
                CovarianceDoubt::new(Doubt::Line(line), &classes, std::slice::from_ref(&own), (&basis, &layout));
            let half = |of: &Whitened| {
                let mut half = vec![0.3, -1.0, 0.7];
                solve_lower_packed(of.factor(), &mut half);
                half
            };
            let variance = |of: &Whitened| half(of).iter().map(|value| value * value).sum::<f64>();
            let [before, after] = [0.4, 0.6].map(|c| variance(&whitened(c)));
            let expected = (0.5 * (after - before) / variance(&own)).powi(2);
            let found = doubt.mean_square_change(0, &half(&own), &[variance(&own)], 1);
            assert!(expected > 1e-4 && (found / expected - 1.0).abs() < 1e-9, "{found}, {expected}");
            assert_eq!([0, 1].map(|column| doubt.steps(column)), [1.0, 2.0]);
        }
    }
}

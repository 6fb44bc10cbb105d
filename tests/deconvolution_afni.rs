//! Ridge deconvolution against AFNI's 3dTfitter -FALTUNG with quadratic penalties, stored beside the package.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use boldly::model::deconvolve::{Deconvolver, LambdaChoice, Operator, Penalty, Ridge, Wanted};
use ndarray::Array2;
use std::path::Path;

/// A table of numbers, with a line of names above it or none.
fn table(path: &Path) -> Array2<f64> {
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<f64>> =
        text.lines().filter_map(|line| line.split_whitespace().map(|word| word.parse().ok()).collect()).collect();
    let width = rows[0].len();
    Array2::from_shape_vec((rows.len(), width), rows.concat()).unwrap()
}

/// 3dTfitter solves `(K'K + factor^2 sum D'D) s = K'y`, activity before the run being zero.
#[test]
fn penalised_least_squares_are_those_of_3dtfitter() {
    let Some(shared) = support::shared() else { return };
    let folder = shared.join("refs/afni_programs/faltung");
    let (kernel, data) = (table(&folder.join("kernel.1D")), table(&folder.join("in_bold.tsv")));
    let forward = Array2::from_shape_fn((data.nrows(), data.nrows()), |(frame, sample)| {
        frame.checked_sub(sample).and_then(|lag| kernel.get((lag, 0))).copied().unwrap_or(0.0)
    });
    let operator = Operator { gram: forward.t().dot(&forward), dof: forward.nrows(), forward };
    let (value, first, second) = (Penalty::VALUE, Penalty::FIRST_DIFFERENCE, Penalty::SECOND_DIFFERENCE);
    let cases = [
        ("pen0_fac1", value, 1.0),
        ("pen1_fac1", first, 1.0),
        ("pen2_fac1", second, 1.0),
        ("pen3_fac1", Penalty::THIRD_DIFFERENCE, 1.0),
        ("pen01_fac1", value.plus(first), 1.0),
        ("pen012_fac1", value.plus(first).plus(second), 1.0),
        ("pen012_fac0.3", value.plus(first).plus(second), 0.3),
    ];
    for (name, penalty, factor) in cases {
        let expected = table(&folder.join(format!("est_{name}.tsv")));
        let ridge = Ridge::new(&operator, penalty, LambdaChoice::Fixed(factor * factor)).unwrap();
        let given = ridge.solve(&data, Wanted::default()).activity;
        let error = (&given - &expected).iter().fold(0.0, |largest: f64, error| largest.max(error.abs()));
        let size = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        // 3dTfitter reads and writes float: 1e-7 of the largest, times what the normal equations make of it
        assert!(error < 1e-5 * size, "{name}: {error} of {size}");
    }
}

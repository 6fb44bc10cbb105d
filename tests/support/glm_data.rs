//! Series and designs made by hand, shared by the tests of the model.

use boldly::config::ContrastKind;
use boldly::design::{ColumnRole, ContrastMatrix, RunDesign};
use boldly::inputs::{Support, Timing};
use boldly::preprocess::Series;
use ndarray::Array2;

/// A series of table columns from data, frame x column.
pub(crate) fn series(data: &Array2<f32>) -> Series {
    let differences = data - &data.row(0);
    let support = Support::Columns { names: (0..data.ncols()).map(|column| format!("c{column}")).collect() };
    Series::new(support, data.row(0).to_vec(), differences.as_standard_layout().iter().copied().collect())
}

/// A design, frame x regressor, without the frames `censored`.
pub(crate) fn run_design(matrix: Array2<f64>, censored: &[usize]) -> RunDesign {
    let mut timing = Timing::new(2.0, matrix.nrows(), 0, 0.0);
    for &frame in censored {
        timing.kept[frame] = false;
    }
    RunDesign {
        run: "sub-01 run-01".to_owned(),
        names: (0..matrix.ncols()).map(|column| format!("x{column}")).collect(),
        roles: vec![ColumnRole::Confound; matrix.ncols()],
        peak_heights: vec![1.0; matrix.ncols()],
        matrix,
        timing,
    }
}

/// A contrast; one row is a t.
pub(crate) fn contrast(kind: ContrastKind, weights: Array2<f64>) -> ContrastMatrix {
    ContrastMatrix { name: "effect".to_owned(), kind, weights }
}

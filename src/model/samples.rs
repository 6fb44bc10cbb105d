//! The samples of a run as its design sees them: residuals of ordinary least squares, block by block.

use super::linalg::{subtract_product, transposed_product};
use super::problem::ModelError;
use super::process::Layout;
use super::run_basis::RunBasis;
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{BLOCK_COLUMNS, CHUNK_FRAMES, Scaler, Series, kept_among, parts_of};
use ndarray::{Array2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Residuals of ordinary least squares of a block of columns.
pub(super) struct BlockResiduals {
    /// `Q'Y`: rank x column.
    pub(super) projections: Array2<f64>,
    /// Row of the noise model x column.
    pub(super) residuals: Array2<f64>,
    /// Sum of squares of the data about their mean, of each column.
    pub(super) total_squares: Vec<f64>,
}

/// What a fit reads.
pub(super) struct Samples<'a> {
    pub(super) series: &'a Series,
    pub(super) scaler: &'a Scaler,
    pub(super) run: &'a RunBasis,
    pub(super) layout: &'a Layout,
    /// How messages call the run.
    pub(super) name: &'a str,
}

impl<'a> Samples<'a> {
    /// # Errors
    /// [`ModelError::FramesDiffer`]: data and scaling are not of the design's frames.
    pub(super) fn new(
        series: &'a Series,
        scaler: &'a Scaler,
        design: &'a RunDesign,
        run: &'a RunBasis,
        layout: &'a Layout,
    ) -> Result<Self, ModelError> {
        if series.n_frames != design.matrix.nrows() || run.kept != scaler.kept() {
            let (design_frames, data) = (run.kept.len(), scaler.kept().len());
            return Err(ModelError::FramesDiffer { run: design.run.clone(), design: design_frames, data });
        }
        Ok(Self { series, scaler, run, layout, name: &design.run })
    }

    /// Residuals of `columns`: row of the noise model x column.
    pub(super) fn residuals(&self, columns: &Range<usize>) -> Result<Array2<f64>, ModelError> {
        Ok(self.off_design(self.scaled(columns, &mut Vec::new())?).1)
    }

    /// The same with what a fit needs beside them; `rows` is working space.
    pub(super) fn block_residuals(
        &self,
        columns: &Range<usize>,
        rows: &mut Vec<f32>,
    ) -> Result<BlockResiduals, ModelError> {
        let values = self.scaled(columns, rows)?;
        let total_squares = squares_about_mean(&values);
        let (projections, residuals) = self.off_design(values);
        Ok(BlockResiduals { projections, residuals, total_squares })
    }

    /// Scaled values of `columns`: kept frame x column.
    fn scaled(&self, columns: &Range<usize>, rows: &mut Vec<f32>) -> Result<Array2<f64>, ModelError> {
        let mut values = Vec::with_capacity(self.run.kept.len() * columns.len());
        self.each_kept(columns, rows, |stored| {
            values.extend(self.scaler.scale_rows(columns, stored));
        })?;
        self.matrix(values)
    }

    /// Gives `take` the stored values at `columns` of each kept frame in turn; `rows` is working space.
    pub(super) fn each_kept(
        &self,
        columns: &Range<usize>,
        rows: &mut Vec<f32>,
        mut take: impl FnMut(&[f32]),
    ) -> Result<(), ModelError> {
        for start in (0..self.series.n_frames).step_by(CHUNK_FRAMES) {
            let frames = start..(start + CHUNK_FRAMES).min(self.series.n_frames);
            self.series
                .read(frames.clone(), columns.clone(), rows)
                .map_err(|problem| ModelError::Samples { run: self.name.to_owned(), cause: problem.to_string() })?;
            for place in kept_among(&self.run.kept, &frames).1 {
                take(&rows[place * columns.len()..][..columns.len()]);
            }
        }
        Ok(())
    }

    /// Values of kept frames, row by row, as a matrix.
    pub(super) fn matrix<T>(&self, values: Vec<T>) -> Result<Array2<T>, ModelError> {
        let n_kept = self.run.kept.len();
        let frames_differ =
            |_| ModelError::FramesDiffer { run: self.name.to_owned(), design: n_kept, data: self.series.n_frames };
        Array2::from_shape_vec((n_kept, values.len() / n_kept.max(1)), values).map_err(frames_differ)
    }

    /// `Q'V` (rank x column) and residuals (row of the noise model x column) of values V (kept frame x column).
    pub(super) fn off_design(&self, mut values: Array2<f64>) -> (Array2<f64>, Array2<f64>) {
        let given = column_squares(&values);
        let q = &self.run.basis.q;
        let projections = transposed_product(q, &values);
        subtract_product(&mut values, q, &projections);
        // what is below the rounding of the data is none
        let smallest = values.nrows() as f64 * f64::EPSILON;
        for (column, (left, given)) in column_squares(&values).into_iter().zip(given).enumerate() {
            if left <= smallest * given {
                values.column_mut(column).fill(0.0);
            }
        }
        (projections, self.layout.spread(values))
    }

    /// What `measure` says of the residuals (row x column) of each block of `columns`: measure x column.
    ///
    /// # Errors
    /// [`ModelError`]: samples cannot be read back; interruption.
    pub(super) fn measured(
        &self,
        columns: Range<usize>,
        n_measures: usize,
        cancel: &CancelToken,
        measure: impl Fn(&Array2<f64>, ArrayViewMut2<'_, f32>) + Sync,
    ) -> Result<Array2<f32>, ModelError> {
        measured_in_parts((columns, BLOCK_COLUMNS), n_measures, cancel, |columns, measures| {
            measure(&self.residuals(columns)?, measures);
            Ok(())
        })
    }
}

/// What `measure` writes of columns (a range of them, in parts of this length), part by part in parallel: measure x column.
///
/// # Errors
/// Those of `measure`; interruption.
pub(super) fn measured_in_parts(
    (columns, length): (Range<usize>, usize),
    n_measures: usize,
    cancel: &CancelToken,
    measure: impl Fn(&Range<usize>, ArrayViewMut2<'_, f32>) -> Result<(), ModelError> + Sync,
) -> Result<Array2<f32>, ModelError> {
    let mut measures = Array2::zeros((n_measures, columns.len()));
    let parts: Vec<_> = parts_of(columns, length).zip(measures.axis_chunks_iter_mut(Axis(1), length)).collect();
    parts.into_par_iter().try_for_each(|(columns, measures)| {
        cancel.check()?;
        measure(&columns, measures)
    })?;
    Ok(measures)
}

/// Sum of squares of each column, row by row.
pub(super) fn column_squares(values: &Array2<f64>) -> Vec<f64> {
    let mut squares = vec![0.0; values.ncols()];
    for row in values.outer_iter() {
        squares.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
    }
    squares
}

/// Sum of squares of each column's values about their mean, row by row.
fn squares_about_mean(values: &Array2<f64>) -> Vec<f64> {
    let mut means = vec![0.0; values.ncols()];
    for row in values.outer_iter() {
        means.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    for sum in &mut means {
        *sum /= values.nrows() as f64;
    }
    let mut squares = vec![0.0; values.ncols()];
    for row in values.outer_iter() {
        squares.iter_mut().zip(row).zip(&means).for_each(|((sum, value), mean)| *sum += (value - mean).powi(2));
    }
    squares
}

//! The rows over which noise is modelled: the kept frames with their lags, or every frame, the censored ones filled.

use ndarray::{Array2, Axis, s};

/// Rows of residuals and design, as a noise process sees them.
///
/// A process that is whitened at any lags has a row a kept frame. One that is whitened only at even spacing has a row a
/// repetition time from the first kept frame to the last. A row without a frame is 0 in data and design and has a regressor of
/// its own, 1 there and 0 elsewhere: whatever stands in that row is then explained, and generalised least squares with the
/// full covariance equals that of the kept frames with their own, likelihood included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Row of each kept frame.
    rows: Vec<usize>,
    /// Repetition times from each row to the next.
    lags: Vec<usize>,
    /// Rows without a frame.
    gaps: Vec<usize>,
}

impl Layout {
    /// A row a kept frame, which are `lags` repetition times after one another.
    pub(crate) fn of_kept(lags: &[usize]) -> Self {
        Self { rows: (0..=lags.len()).collect(), lags: lags.to_vec(), gaps: Vec::new() }
    }

    /// A row a repetition time.
    pub(crate) fn filled(lags: &[usize]) -> Self {
        let mut rows = vec![0];
        let mut last = 0;
        for lag in lags {
            last += lag;
            rows.push(last);
        }
        let gaps = (0..=last).filter(|row| rows.binary_search(row).is_err()).collect();
        Self { rows, lags: vec![1; last], gaps }
    }

    /// Number of rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.lags.len() + 1
    }

    /// Number of rows without a frame.
    pub(crate) fn n_gaps(&self) -> usize {
        self.gaps.len()
    }

    /// Whether each row has a frame.
    pub(crate) fn present(&self) -> Vec<bool> {
        let mut present = vec![true; self.n_rows()];
        self.gaps.iter().for_each(|&row| present[row] = false);
        present
    }

    /// Repetition times from each row to the next.
    pub(crate) fn lags(&self) -> &[usize] {
        &self.lags
    }

    /// Values of kept frames (kept frame x column) at their rows, 0 elsewhere.
    pub(crate) fn spread(&self, values: Array2<f64>) -> Array2<f64> {
        if self.gaps.is_empty() {
            return values;
        }
        let mut spread = Array2::zeros((self.n_rows(), values.ncols()));
        for (&row, of_frame) in self.rows.iter().zip(values.axis_iter(Axis(0))) {
            spread.row_mut(row).assign(&of_frame);
        }
        spread
    }

    /// An orthonormal basis of the design over these rows from that over kept frames, `q` (kept frame x rank): the
    /// regressors of the gaps first, then `q`.
    pub(crate) fn basis(&self, q: &Array2<f64>) -> Array2<f64> {
        let n_gaps = self.n_gaps();
        let mut basis = Array2::zeros((self.n_rows(), n_gaps + q.ncols()));
        for (column, &row) in self.gaps.iter().enumerate() {
            basis[(row, column)] = 1.0;
        }
        for (&row, of_frame) in self.rows.iter().zip(q.axis_iter(Axis(0))) {
            basis.slice_mut(s![row, n_gaps..]).assign(&of_frame);
        }
        basis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_rows_with_regressors_of_their_own() {
        let layout = Layout::filled(&[1, 3, 1]);
        assert_eq!((layout.n_rows(), layout.n_gaps(), layout.lags()), (6, 2, &[1, 1, 1, 1, 1][..]));
        assert_eq!(layout.present(), [true, true, false, false, true, true]);
        let values = ndarray::array![[1.0], [2.0], [3.0], [4.0]];
        assert_eq!(layout.spread(values.clone()).column(0).to_vec(), [1.0, 2.0, 0.0, 0.0, 3.0, 4.0]);
        let basis = layout.basis(&values);
        assert_eq!(basis.column(0).to_vec(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(basis.column(1).to_vec(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(basis.column(2).to_vec(), [1.0, 2.0, 0.0, 0.0, 3.0, 4.0]);
    }

    #[test]
    fn kept_frames_stay_as_they_are() {
        let layout = Layout::of_kept(&[1, 3, 1]);
        assert_eq!((layout.n_rows(), layout.n_gaps(), layout.lags()), (4, 0, &[1, 3, 1][..]));
    }
}

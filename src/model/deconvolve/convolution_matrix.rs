//! Convolution with a kernel as a matrix, from activity on its own grid to the frames of a run.
//!
//! `data[f] = sum_j kernel[u f + L - 1 - j] activity[j]`, with `u` activity samples in each repetition time and a kernel of `L`
//! samples. Activity begins `L - 1` samples before the first frame: what is measured first is the response to that too.
//! Taking it to be 0 would press the response to it into the first seconds of the run.

use ndarray::{Array2, Axis, s};

/// A kernel on the grid of the activity.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvolutionMatrix {
    /// Frame x activity sample.
    pub(super) matrix: Array2<f64>,
    n_before: usize,
}

impl ConvolutionMatrix {
    /// For `n_frames` frames, `upsample` activity samples apart; the kernel is at 0, 1, ... samples after an activity.
    pub fn new(kernel: &[f64], n_frames: usize, upsample: usize) -> Self {
        let n_before = kernel.len().saturating_sub(1);
        let mut matrix = Array2::zeros((n_frames, n_before + n_frames * upsample));
        for (frame, mut row) in matrix.axis_iter_mut(Axis(0)).enumerate() {
            let first = frame * upsample;
            for (value, weight) in row.slice_mut(s![first..first + kernel.len()]).iter_mut().zip(kernel.iter().rev()) {
                *value = *weight;
            }
        }
        Self { matrix, n_before }
    }

    /// Activity samples before the first frame, which are estimated and dropped.
    pub fn n_before(&self) -> usize {
        self.n_before
    }

    /// Activity samples, those before the run included.
    pub fn n_activity(&self) -> usize {
        self.matrix.ncols()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_the_sum_of_the_responses_to_what_came_before_it() {
        let kernel = [1.0, 3.0, 2.0];
        let convolution = ConvolutionMatrix::new(&kernel, 4, 2);
        assert_eq!((convolution.n_before(), convolution.n_activity()), (2, 10));
        let activity = [5.0, 0.0, 1.0, -1.0, 0.5, 2.0, 0.0, 0.0, 4.0, 7.0];
        let data = convolution.matrix.dot(&ndarray::arr1(&activity));
        // frame f is at activity sample 2 + 2f: a[t] + 3 a[t-1] + 2 a[t-2]
        let expected: Vec<f64> =
            (0..4).map(|f| 2 + 2 * f).map(|t| activity[t] + 3.0 * activity[t - 1] + 2.0 * activity[t - 2]).collect();
        assert_eq!(data.to_vec(), expected);
    }
}

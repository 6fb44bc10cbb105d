//! Activity that follows the drift: what no data tell from the drift itself once that is projected out.
//!
//! A response smooths over seconds, the drift runs over minutes: activity in the form of a drift column gives data in that
//! form. Where a penalty leaves such activity free (sustained levels), least squares may give it any size. It is taken off
//! what is reported, so that levels are relative to the drift, as the data are.

use super::ConvolutionMatrix;
use crate::config::Drift;
use crate::design::{ColumnRole, RunDesign};
use crate::model::basis::Basis;
use crate::model::linalg::{LinalgError, product};
use ndarray::{Array2, Axis, s};

/// Drift and constant at the samples of activity, with a scalar product over those of the run.
#[derive(Debug, Clone)]
pub struct DriftActivity {
    /// Direction x activity sample; orthonormal over the samples from `n_before` on.
    directions: Array2<f64>,
    n_before: usize,
}

impl DriftActivity {
    /// From the drift columns of a run. Between frames they are straight lines; before the run cosines go on as they do, mirrored,
    /// and polynomials as their first two frames do.
    ///
    /// # Errors
    /// What LAPACK reports.
    pub fn new(
        nuisance: &RunDesign,
        drift: Drift,
        convolution: &ConvolutionMatrix,
        upsample: usize,
    ) -> Result<Self, LinalgError> {
        let slow = |role: &ColumnRole| matches!(role, ColumnRole::Drift | ColumnRole::Constant);
        let columns: Vec<usize> = (0..nuisance.n_columns()).filter(|&at| slow(&nuisance.roles[at])).collect();
        let at_frames = nuisance.matrix.select(Axis(1), &columns);
        let n_before = convolution.n_before();
        let last = at_frames.nrows().saturating_sub(1) as f64;
        let at_samples = Array2::from_shape_fn((convolution.n_activity(), columns.len()), |(sample, column)| {
            let frame = (sample as f64 - n_before as f64) / upsample as f64;
            let value = |frame: f64| at_frames[(frame.clamp(0.0, last) as usize, column)];
            if frame < 0.0 && matches!(drift, Drift::Polynomial { .. }) {
                return value(0.0) + frame * (value(1.0) - value(0.0));
            }
            let mirrored = if frame < 0.0 { -1.0 - frame } else { frame }.clamp(0.0, last);
            let (before, share) = (mirrored.floor(), mirrored.fract());
            (1.0 - share) * value(before) + share * value(before + 1.0)
        });
        let of_run = at_samples.slice(s![n_before.., ..]).to_owned();
        let directions = product(&at_samples, &Basis::new(&of_run)?.to_coefficients);
        Ok(Self { directions: directions.t().as_standard_layout().into_owned(), n_before })
    }

    /// Takes off an activity, of as many samples, what of it follows the drift over the run.
    pub fn take_off(&self, activity: &mut [f64]) {
        for direction in self.directions.rows() {
            let along: f64 =
                direction.iter().zip(activity.iter()).skip(self.n_before).map(|(one, other)| one * other).sum();
            activity.iter_mut().zip(direction).for_each(|(value, direction)| *value -= along * direction);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Timing;

    const COSINE: Drift = Drift::Cosine { high_pass_hz: 0.01 };

    fn nuisance(n_frames: usize) -> RunDesign {
        let column = |frame: usize, at: usize| match at {
            0 => (std::f64::consts::PI * (frame as f64 + 0.5) / n_frames as f64).cos(),
            1 => ((frame * frame) % 7) as f64, // a confound, which activity may follow
            _ => 1.0,
        };
        RunDesign {
            run: "sub-01".to_owned(),
            names: ["drift_1", "confound", "constant"].map(str::to_owned).to_vec(),
            roles: vec![ColumnRole::Drift, ColumnRole::Confound, ColumnRole::Constant],
            matrix: Array2::from_shape_fn((n_frames, 3), |(frame, at)| column(frame, at)),
            timing: Timing::new(2.0, n_frames, 0, 0.0),
            peak_heights: vec![1.0; 3],
        }
    }

    #[test]
    fn what_follows_the_drift_goes_and_nothing_else() {
        let n_frames = 40;
        let convolution = ConvolutionMatrix::new(&[0.0, 1.0, 0.5, 0.2], n_frames, 1);
        let drift = DriftActivity::new(&nuisance(n_frames), COSINE, &convolution, 1).unwrap();
        let cosine = |sample: usize| (std::f64::consts::PI * (sample as f64 - 2.5) / n_frames as f64).cos();
        let mut following: Vec<f64> = (0..43).map(|sample| 3.0 - 2.0 * cosine(sample)).collect();
        drift.take_off(&mut following);
        assert!(following.iter().all(|value| value.abs() < 1e-13), "{following:?}"); // before the run too: cosines are even
        let mut spikes: Vec<f64> = (0..43).map(|sample| f64::from(u8::from(sample % 9 == 4))).collect();
        drift.take_off(&mut spikes);
        let once = spikes.clone();
        drift.take_off(&mut spikes);
        // a projection: the second time changes nothing but by rounding
        assert!(spikes.iter().zip(&once).all(|(twice, once)| (twice - once).abs() < 1e-14));
        assert!(once[3..].iter().sum::<f64>().abs() < 1e-13, "the mean is gone");
    }

    #[test]
    fn between_frames_the_drift_is_a_straight_line() {
        let convolution = ConvolutionMatrix::new(&[1.0, 0.5], 10, 2);
        let drift = DriftActivity::new(&nuisance(10), COSINE, &convolution, 2).unwrap();
        let frames = nuisance(10).matrix.column(0).to_vec();
        let at = |sample: usize| {
            let (frame, half) = (sample / 2, sample % 2);
            0.5 * (frames[frame] + frames[(frame + half).min(9)])
        };
        let mut activity: Vec<f64> = std::iter::once(0.0).chain((0..20).map(at)).collect();
        drift.take_off(&mut activity);
        assert!(activity[1..].iter().all(|value| value.abs() < 1e-14), "{activity:?}");
    }

    #[test]
    fn a_line_goes_on_before_the_run() {
        let convolution = ConvolutionMatrix::new(&[1.0, 0.5, 0.2], 10, 1);
        let mut line = nuisance(10);
        line.matrix.column_mut(0).iter_mut().enumerate().for_each(|(frame, value)| *value = frame as f64);
        let drift = DriftActivity::new(&line, Drift::Polynomial { order: 1 }, &convolution, 1).unwrap();
        let mut activity: Vec<f64> = (0..12).map(|sample| 4.0 - 0.5 * f64::from(sample)).collect();
        drift.take_off(&mut activity);
        assert!(activity.iter().all(|value| value.abs() < 1e-13), "{activity:?}");
    }
}

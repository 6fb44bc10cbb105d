//! Regressors of a psychophysiological interaction: how the effect of a region's activity changes with the task.
//!
//! ```text
//! ppi           = h * ((x - mean x) (p - mean p)),  its mean over frames removed
//! psychological = h * (p - mean p)
//! physiological = h * (x - mean x), or the region's own series
//! ```
//!
//! `x` is the activity deconvolved from the region, `p` the psychological variable (conditions times their weights), both on
//! one grid of samples; `h *` is convolution with the response, read at the frames. The product is made before the
//! convolution, since it is activity that the task modulates (Gitelman et al. 2003, doi 10.1016/S1053-8119(03)00058-2).
//! Means are removed first, so that the product says least of the two main effects.

mod psychological;

pub use psychological::{SampleTimes, WeightedEvent, psychological_by_coverage, psychological_of_spm};

use crate::error::Diagnostic;

/// Names of the columns, in the order of [`PpiRegressors::columns`].
pub const PPI_COLUMNS: [&str; 3] = ["ppi", "psychological", "physiological"];

/// What the regressors are made of. Nothing precedes the first sample: the grid starts before the run by the length of the
/// kernel where the activity then is known.
#[derive(Debug, Clone, Copy)]
pub struct PpiInput<'a> {
    /// Activity, a value a sample.
    pub activity: &'a [f64],
    /// Psychological variable, a value a sample.
    pub psychological: &'a [f64],
    /// Response to an activity of 1 in one sample, a value a sample after it, the first at no delay: unit sum is SPM's
    /// scale, `h(t) dt` the same in continuous time.
    pub kernel: &'a [f64],
    /// The sample at which each frame is read. SPM's: `frame bins_a_frame + T0 - 1`.
    pub frame_samples: &'a [usize],
}

/// Three columns, a value a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct PpiRegressors {
    /// The interaction.
    pub ppi: Vec<f64>,
    /// Main effect of the task.
    pub psychological: Vec<f64>,
    /// Main effect of the region.
    pub physiological: Vec<f64>,
}

/// Why there are no regressors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PpiError {
    /// Activity and psychological variable are on different grids.
    #[error("the activity has {activity} samples, the psychological variable {psychological}")]
    LengthsDiffer {
        /// Samples of activity.
        activity: usize,
        /// Samples of the variable.
        psychological: usize,
    },
    /// A frame is read where there is no sample.
    #[error("frame {frame} is read at sample {sample}, of {samples}")]
    FrameBeyondSamples {
        /// 0-based.
        frame: usize,
        /// 0-based.
        sample: usize,
        /// Samples there are.
        samples: usize,
    },
    /// The region's own series has another length than the run.
    #[error("the region's series has {series} frames, the regressors {frames}")]
    SeriesLength {
        /// Frames of the series.
        series: usize,
        /// Frames of the regressors.
        frames: usize,
    },
    /// A value is NaN or infinite.
    #[error("the {0} is not finite")]
    NotFinite(&'static str),
    /// The psychological variable is the same everywhere, so that there is no interaction.
    #[error(
        "the psychological variable does not vary: its conditions have no event in the run, or their weights cancel"
    )]
    Constant,
}

impl From<PpiError> for Diagnostic {
    fn from(error: PpiError) -> Self {
        let diagnostic = Self::error("ppi-impossible", error.to_string());
        match error {
            PpiError::Constant => diagnostic.hint("look for events of its conditions in the run's event table"),
            _ => diagnostic,
        }
    }
}

impl PpiInput<'_> {
    /// The regressors, with the activity convolved again as the physiological one.
    ///
    /// # Errors
    /// Grids that differ, frames beyond them, values that are not finite, or a psychological variable that does not vary.
    pub fn regressors(&self) -> Result<PpiRegressors, PpiError> {
        self.check()?;
        let (activity, psychological) = (centred(self.activity), centred(self.psychological));
        let interaction: Vec<f64> = activity.iter().zip(&psychological).map(|(x, p)| x * p).collect();
        Ok(PpiRegressors {
            ppi: centred(&self.convolved(&interaction)),
            psychological: self.convolved(&psychological),
            physiological: self.convolved(&activity),
        })
    }

    fn check(&self) -> Result<(), PpiError> {
        let (activity, psychological) = (self.activity.len(), self.psychological.len());
        if activity != psychological {
            return Err(PpiError::LengthsDiffer { activity, psychological });
        }
        for (frame, sample) in self.frame_samples.iter().copied().enumerate() {
            if sample >= activity {
                return Err(PpiError::FrameBeyondSamples { frame, sample, samples: activity });
            }
        }
        let inputs =
            [("activity", self.activity), ("psychological variable", self.psychological), ("kernel", self.kernel)];
        for (what, values) in inputs {
            if !values.iter().all(|value| value.is_finite()) {
                return Err(PpiError::NotFinite(what));
            }
        }
        if self.psychological.windows(2).all(|pair| pair[0] == pair[1]) {
            return Err(PpiError::Constant);
        }
        Ok(())
    }

    /// `sum_k kernel[k] values[sample - k]` at the sample of each frame.
    fn convolved(&self, values: &[f64]) -> Vec<f64> {
        let at = |sample: usize| {
            let past = values.iter().take(sample + 1).rev();
            past.zip(self.kernel).map(|(value, weight)| value * weight).sum()
        };
        self.frame_samples.iter().map(|sample| at(*sample)).collect()
    }
}

impl PpiRegressors {
    /// The same with the region's own series, less its confounds, as the physiological regressor, as SPM has it.
    ///
    /// # Errors
    /// A series of another length.
    pub fn with_series(self, series: &[f64]) -> Result<Self, PpiError> {
        let frames = self.ppi.len();
        if series.len() != frames {
            return Err(PpiError::SeriesLength { series: series.len(), frames });
        }
        Ok(Self { physiological: series.to_vec(), ..self })
    }

    /// Names and values of the columns, in their order in a table.
    pub fn columns(&self) -> [(&'static str, &[f64]); 3] {
        let [ppi, psychological, physiological] = PPI_COLUMNS;
        [(ppi, &self.ppi), (psychological, &self.psychological), (physiological, &self.physiological)]
    }
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(|value| value - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: [f64; 4] = [0.0, 0.5, 0.25, 0.125];

    /// An impulse of 1 at a sample of twenty.
    fn impulse(at: usize) -> Vec<f64> {
        (0..20).map(|sample| f64::from(u8::from(sample == at))).collect()
    }

    /// 1 at samples 4 to 11 of twenty.
    fn boxcar() -> Vec<f64> {
        (0..20).map(|sample| f64::from(u8::from((4..12).contains(&sample)))).collect()
    }

    fn regressors(activity: &[f64], psychological: &[f64]) -> PpiRegressors {
        let frames: Vec<usize> = (0..20).collect();
        PpiInput { activity, psychological, kernel: &KERNEL, frame_samples: &frames }.regressors().unwrap()
    }

    /// Sum of the kernel's first `n + 1` values.
    fn step(n: usize) -> f64 {
        KERNEL.iter().take(n + 1).sum()
    }

    #[test]
    fn an_impulse_within_a_boxcar_gives_the_closed_form() {
        // x - 1/20 and p - 2/5: their product is .6 (1 - 1/20) at sample 7, -.6/20 in the rest of the box, .4/20 outside
        let found = regressors(&impulse(7), &boxcar());
        let response = |delay: isize| usize::try_from(delay).map_or(0.0, |n| KERNEL.get(n).copied().unwrap_or(0.0));
        let from = |start: usize, t: usize| if t >= start { step(t - start) } else { 0.0 };
        let raw = |t: usize| {
            let box_response = from(4, t) - from(12, t);
            let outside = from(0, t) - box_response;
            0.6 * response(t.cast_signed() - 7) - 0.03 * box_response + 0.02 * outside
        };
        let mean = (0..20).map(raw).sum::<f64>() / 20.0;
        for t in 0..20 {
            // rounding of a few terms below 1
            assert!((found.ppi[t] - (raw(t) - mean)).abs() < 1e-15, "{t}");
            assert!((found.psychological[t] - (from(4, t) - from(12, t) - 0.4 * from(0, t))).abs() < 1e-15);
            assert!((found.physiological[t] - (response(t.cast_signed() - 7) - 0.05 * from(0, t))).abs() < 1e-15);
        }
    }

    #[test]
    fn the_condition_decides_the_sign_of_the_interaction() {
        let variable: Vec<f64> = (0..20).map(|sample| if sample < 10 { 1.0 } else { -1.0 }).collect();
        let reversed: Vec<f64> = variable.iter().map(|value| -value).collect();
        let (plus, minus) = (regressors(&impulse(5), &variable), regressors(&impulse(5), &reversed));
        for (a, b) in plus.ppi.iter().zip(&minus.ppi) {
            assert_eq!(*a, -b);
        }
        assert_eq!(plus.physiological, minus.physiological);
        assert!(plus.ppi[6] > 0.4); // the kernel's peak of .5 less means
    }

    #[test]
    fn neither_level_of_the_inputs_matters() {
        let raised = |values: Vec<f64>, by: f64| values.into_iter().map(|value| value + by).collect::<Vec<f64>>();
        let (one, other) =
            (regressors(&impulse(7), &boxcar()), regressors(&raised(impulse(7), 8.0), &raised(boxcar(), -4.0)));
        for (a, b) in one.ppi.iter().zip(&other.ppi) {
            assert!((a - b).abs() < 1e-14); // rounding at 8
        }
    }

    #[test]
    fn frames_read_the_samples_they_name() {
        let (activity, psychological) = (impulse(7), boxcar());
        let all = regressors(&activity, &psychological);
        let frames = [3, 8, 13, 18];
        let input =
            PpiInput { activity: &activity, psychological: &psychological, kernel: &KERNEL, frame_samples: &frames };
        let found = input.regressors().unwrap();
        assert_eq!(found.psychological, frames.map(|frame| all.psychological[frame]));
        assert!(found.ppi.iter().sum::<f64>().abs() < 1e-15); // centred over its own frames
        let swapped = found.clone().with_series(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(swapped.columns()[2], ("physiological", [1.0, 2.0, 3.0, 4.0].as_slice()));
        assert_eq!(swapped.ppi, found.ppi);
        assert_eq!(found.with_series(&[1.0]), Err(PpiError::SeriesLength { series: 1, frames: 4 }));
    }

    #[test]
    fn what_cannot_be_multiplied_is_refused() {
        let attempt = |activity: &[f64], psychological: &[f64], frames: &[usize]| {
            PpiInput { activity, psychological, kernel: &KERNEL, frame_samples: frames }.regressors().unwrap_err()
        };
        let differ = PpiError::LengthsDiffer { activity: 20, psychological: 3 };
        assert_eq!(attempt(&impulse(1), &[0.0, 1.0, 0.0], &[0]), differ);
        let beyond = PpiError::FrameBeyondSamples { frame: 1, sample: 20, samples: 20 };
        assert_eq!(attempt(&impulse(1), &boxcar(), &[0, 20]), beyond);
        assert_eq!(attempt(&[f64::NAN; 20], &boxcar(), &[0]), PpiError::NotFinite("activity"));
        assert_eq!(attempt(&impulse(1), &[1.0; 20], &[0]), PpiError::Constant);
        let diagnostic = Diagnostic::from(PpiError::Constant);
        assert!(diagnostic.message.starts_with("the psychological variable does not vary"), "{}", diagnostic.message);
    }
}

//! Deconvolution as SPM computes it for psychophysiological interactions, to SPM's own digits.
//!
//! ```text
//! u = W H c + X0 b + e,  H = convolved cosines at the first bin of every frame
//! e ~ N(0, 1/4 I),  c ~ N(0, N / trace(H' H) I),  b ~ N(0, 10^6 I)
//! ```
//!
//! There are as many cosines as frames `N`, over `N` times `bins_a_frame` bins of activity and 128 bins before them; the
//! activity is their sum over the bins of the run, its mean removed. Nothing is estimated. Whatever bin the design is
//! sampled at, this samples the first of each frame.
//!
//! The model is that of Gitelman et al. 2003 (doi 10.1016/S1053-8119(03)00058-2). SPM26's numerical safeguards move the
//! answer by 6e-6 and are kept for its digits: they were inferred from its outputs alone, which they reproduce to 1e-14.

use super::{NOISE_VARIANCE_OF_SPM, PebError, cosine_basis};
use crate::model::cholesky::{factor_packed, packed_length, solve_lower_packed, solve_upper_packed};
use crate::model::linalg::{product, subtract_product, thin_svd, transposed_product};
use ndarray::{Array2, Axis, concatenate};

/// Bins of activity before the run.
const LEAD_BINS: usize = 128;
/// Prior variance of a confound's coefficient: practically flat.
const CONFOUND_VARIANCE: f64 = 1e6;
/// What SPM adds to every variance, beside `e^-16` before it inverts one.
const ADDED_VARIANCE: f64 = 1e-6;
/// `e^-16`, as a power of e.
const LOG_SMALLEST_VARIANCE: f64 = -16.0;
/// What SPM adds to the diagonal of the normal matrix, for each of its rows and one more: the distance between doubles at
/// `e^16`, the largest precision, which is `2^(23 - 52)`.
const ADDED_PRECISION: f64 = 1.0 / (1_u64 << 29) as f64;

/// What is deconvolved.
#[derive(Debug, Clone, Copy)]
pub struct SpmDeconvolution<'a> {
    /// The series of a region, filtered and whitened as the model is: a value a frame.
    pub series: &'a [f64],
    /// Frame x confound, with constant and drift, whitened too.
    pub confounds: &'a Array2<f64>,
    /// Frame x frame: what whitened them; `None` where nothing did.
    pub whitening: Option<&'a Array2<f64>>,
    /// The response, sampled at bins and of unit sum.
    pub kernel: &'a [f64],
    /// Bins of activity a frame; SPM's default is 16.
    pub bins_a_frame: usize,
}

/// What comes out.
#[derive(Debug, Clone, PartialEq)]
pub struct SpmActivity {
    /// Activity in each bin of the run, of mean 0 (SPM's `PPI.xn`).
    pub activity: Vec<f64>,
    /// The series less what confounds explain by least squares (SPM's `PPI.Y`).
    pub adjusted: Vec<f64>,
}

impl SpmDeconvolution<'_> {
    /// Deconvolves.
    ///
    /// # Errors
    /// Inputs that are empty, not finite or of unlike length, or a normal matrix that LAPACK cannot handle.
    pub fn solve(&self) -> Result<SpmActivity, PebError> {
        self.check()?;
        let frames = self.series.len();
        let basis = cosine_basis(frames * self.bins_a_frame + LEAD_BINS, frames);
        let convolved = self.convolved(&basis);
        let trace: f64 = convolved.iter().map(|value| value * value).sum();
        if !(trace > 0.0 && trace.is_finite()) {
            return Err(PebError::Degenerate("the kernel"));
        }
        let seen = self.whitening.map_or_else(|| convolved.clone(), |whitening| product(whitening, &convolved));
        let coefficients = self.coefficients(&seen, frames as f64 / trace)?;
        let mut activity: Vec<f64> = basis
            .rows()
            .into_iter()
            .skip(LEAD_BINS)
            .map(|row| row.iter().zip(&coefficients).map(|(cosine, coefficient)| cosine * coefficient).sum())
            .collect();
        let mean = activity.iter().sum::<f64>() / activity.len() as f64;
        for value in &mut activity {
            *value -= mean;
        }
        Ok(SpmActivity { activity, adjusted: self.adjusted()? })
    }

    fn check(&self) -> Result<(), PebError> {
        let expected = self.series.len();
        let rows = self.whitening.map_or(expected, Array2::nrows);
        let columns = self.whitening.map_or(expected, Array2::ncols);
        let sizes = [
            ("the confounds' table", self.confounds.nrows()),
            ("the whitening matrix", rows),
            ("the whitening matrix", columns),
        ];
        for (what, found) in sizes {
            if found != expected {
                return Err(PebError::Frames { what, found, expected });
            }
        }
        for (what, is_sound) in [
            ("the series", expected > 0 && are_finite(self.series)),
            ("the confounds' table", are_finite(self.confounds)),
            ("the whitening matrix", self.whitening.is_none_or(are_finite)),
            ("the kernel", !self.kernel.is_empty() && are_finite(self.kernel)),
            ("the number of bins a frame", self.bins_a_frame > 0),
        ] {
            if !is_sound {
                return Err(PebError::Degenerate(what));
            }
        }
        Ok(())
    }

    /// `H`: every column of the basis convolved with the kernel, at the first bin of each frame.
    fn convolved(&self, basis: &Array2<f64>) -> Array2<f64> {
        let frames = self.series.len();
        let mut spread = Array2::zeros((frames, basis.nrows()));
        for (frame, mut row) in spread.rows_mut().into_iter().enumerate() {
            let bin = LEAD_BINS + frame * self.bins_a_frame;
            for (delay, weight) in self.kernel.iter().enumerate().take(bin + 1) {
                row[bin - delay] = *weight;
            }
        }
        product(&spread, basis)
    }

    /// Posterior mean of the cosines' coefficients.
    fn coefficients(&self, seen: &Array2<f64>, prior_variance: f64) -> Result<Vec<f64>, PebError> {
        let precision = |variance: f64| (variance + ADDED_VARIANCE + libm::exp(LOG_SMALLEST_VARIANCE)).recip();
        let design = concatenate(Axis(1), &[seen.view(), self.confounds.view()])
            .map_err(|error| PebError::Decomposition(error.to_string()))?;
        let noise_precision = precision(NOISE_VARIANCE_OF_SPM);
        let (cosines, columns) = (seen.ncols(), design.ncols());
        let squares = transposed_product(&design, &design);
        let mut packed = Vec::with_capacity(packed_length(columns));
        for row in 0..columns {
            packed.extend(squares.row(row).iter().take(row + 1).map(|value| value * noise_precision));
            let prior = precision(if row < cosines { prior_variance } else { CONFOUND_VARIANCE });
            if let Some(diagonal) = packed.last_mut() {
                *diagonal += prior + (columns + 1) as f64 * ADDED_PRECISION;
            }
        }
        if !factor_packed(&mut packed, columns) {
            return Err(PebError::Decomposition("the normal matrix is not positive definite".to_owned()));
        }
        let mut solution: Vec<f64> = design
            .columns()
            .into_iter()
            .map(|column| noise_precision * column.iter().zip(self.series).map(|(x, u)| x * u).sum::<f64>())
            .collect();
        solve_lower_packed(&packed, &mut solution);
        solve_upper_packed(&packed, &mut solution);
        solution.truncate(cosines);
        Ok(solution)
    }

    /// Residuals of the series on the confounds.
    fn adjusted(&self) -> Result<Vec<f64>, PebError> {
        let mut column = Array2::from_shape_fn((self.series.len(), 1), |(frame, _)| self.series[frame]);
        if self.confounds.ncols() > 0 {
            let svd = thin_svd(self.confounds)?;
            let floor = svd.s.first().copied().unwrap_or(0.0) * self.series.len() as f64 * f64::EPSILON;
            let kept: Vec<usize> = (0..svd.s.len()).filter(|direction| svd.s[*direction] > floor).collect();
            let span = svd.u.select(Axis(1), &kept);
            let along = transposed_product(&span, &column);
            subtract_product(&mut column, &span, &along);
        }
        Ok(column.into_iter().collect())
    }
}

fn are_finite<'a>(values: impl IntoIterator<Item = &'a f64>) -> bool {
    values.into_iter().all(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confounds(frames: usize) -> Array2<f64> {
        Array2::from_shape_fn((frames, 2), |(frame, column)| if column == 0 { 1.0 } else { frame as f64 / 10.0 })
    }

    fn solve(series: &[f64], confounds: &Array2<f64>, kernel: &[f64]) -> SpmActivity {
        SpmDeconvolution { series, confounds, whitening: None, kernel, bins_a_frame: 4 }.solve().unwrap()
    }

    #[test]
    fn a_whitened_series_gives_the_dense_posterior_mean() {
        // scripts/expectations/peb_spm.py: the same posterior by least squares
        let series: Vec<f64> =
            (0..12).map(f64::from).map(|frame| libm::sin(0.9 * frame) + 0.3 * libm::cos(2.0 * frame)).collect();
        let whitening = Array2::from_shape_fn((12, 12), |(row, column): (usize, usize)| match row.abs_diff(column) {
            0 => 1.1,
            1 => -0.25,
            _ => 0.0,
        });
        let (confounds, kernel) = (confounds(12), [0.0, 0.2, 0.4, 0.3, 0.1]);
        let input = SpmDeconvolution {
            series: &series,
            confounds: &confounds,
            whitening: Some(&whitening),
            kernel: &kernel,
            bins_a_frame: 4,
        };
        let found = input.solve().unwrap();
        let activity = [
            1.125_863_399_215,
            0.795_613_109_597,
            -0.013_056_054_504,
            -0.622_977_895_334,
            -0.592_697_462_441,
            -0.068_287_228_675,
            0.388_803_735_694,
            0.325_762_612_614,
            -0.200_064_565_297,
            -0.694_351_623_154,
        ];
        let adjusted = [-0.011_517_812_432, -0.675_726_639_304, 0.438_775_460_451];
        assert_eq!(found.activity.len(), 48);
        for (value, expected) in found.activity.iter().step_by(5).zip(activity) {
            assert!((value - expected).abs() < 2e-12, "{value} {expected}"); // printed to 12 places
        }
        for (value, expected) in found.adjusted.iter().step_by(4).zip(adjusted) {
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
    }

    #[test]
    fn what_confounds_explain_is_taken_out_and_deconvolves_to_nothing() {
        let series: Vec<f64> = (0..20).map(|frame| 3.0 - 0.4 * f64::from(frame)).collect();
        let found = solve(&series, &confounds(20), &[0.0, 0.2, 0.4, 0.3, 0.1]);
        assert!(found.adjusted.iter().all(|value| value.abs() < 1e-13)); // rounding of 20 terms below 10
        // SPM's flat prior is not quite flat, and the constant and line are also in the span of the cosines
        assert!(found.activity.iter().all(|value| value.abs() < 1e-4));
    }

    #[test]
    fn the_answer_is_linear_in_the_series() {
        let series: Vec<f64> = (0..24).map(|frame| libm::sin(0.9 * f64::from(frame))).collect();
        let larger: Vec<f64> = series.iter().map(|value| 1000.0 * value).collect();
        let kernel = [0.0, 0.2, 0.4, 0.3, 0.1];
        let (one, other) = (solve(&series, &confounds(24), &kernel), solve(&larger, &confounds(24), &kernel));
        for (a, b) in one.activity.iter().zip(&other.activity) {
            assert!((1000.0 * a - b).abs() < 1e-9 * 1000.0); // rounding: condition of the normal matrix below 1e6
        }
        assert!(one.activity.iter().any(|value| value.abs() > 0.1));
    }

    #[test]
    fn unlike_lengths_and_unusable_values_are_refused() {
        let (three, none) = (confounds(3), Array2::zeros((4, 0)));
        let of = |series: &[f64], confounds: &Array2<f64>, whitening: Option<&Array2<f64>>, kernel: &[f64]| {
            SpmDeconvolution { series, confounds, whitening, kernel, bins_a_frame: 16 }.solve().unwrap_err().to_string()
        };
        assert_eq!(of(&[1.0; 4], &three, None, &[1.0]), "the confounds' table has 3 frames, the series 4");
        assert_eq!(
            of(&[1.0; 4], &none, Some(&Array2::eye(5)), &[1.0]),
            "the whitening matrix has 5 frames, the series 4"
        );
        assert_eq!(of(&[f64::NAN; 4], &none, None, &[1.0]), "the series is empty, zero or not finite");
        assert_eq!(of(&[1.0; 4], &none, None, &[0.0]), "the kernel is empty, zero or not finite");
        assert_eq!(of(&[], &Array2::zeros((0, 0)), None, &[1.0]), "the series is empty, zero or not finite");
    }
}

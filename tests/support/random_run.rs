//! Small random runs, fitted and tested, shared by the tests of model and inference.

use super::glm_data::series;
use boldly::config::{FixedEffects, Noise, Numerics, Scaling};
use boldly::design::{ContrastMatrix, RunDesign};
use boldly::error::CancelToken;
use boldly::inference::{RunContrast, StatMap, contrast_statistics};
use boldly::model::{ModelError, RunFit, fit_run};
use boldly::preprocess::{Scaler, TimeStatistics};
use ndarray::Array2;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Seeded standard normal numbers.
pub(crate) struct Normal(Xoshiro256PlusPlus);

impl Normal {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn draw(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(crate) fn array(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || self.draw())
    }
}

/// Two slow regressors, a trend and a constant.
#[allow(dead_code, reason = "not every test program makes a design of its own")]
pub(crate) fn design_matrix(n_frames: usize) -> Array2<f64> {
    Array2::from_shape_fn((n_frames, 4), |(frame, column)| match column {
        0 => (frame as f64 * 0.41).sin(),
        1 => (frame as f64 * 0.23).cos() + 0.3 * (frame as f64 * 0.41).sin(),
        2 => frame as f64 / n_frames as f64,
        _ => 1.0,
    })
}

/// Fits unscaled data, frame x column.
pub(crate) fn fit(
    data: &Array2<f32>,
    design: &RunDesign,
    noise: Noise,
    numerics: &Numerics,
) -> Result<RunFit, ModelError> {
    let series = series(data);
    let kept = design.timing.kept_frames();
    let scaler = Scaler::new(
        Scaling::None,
        numerics.scaling_arithmetic,
        &TimeStatistics::of_series(&series, &kept).unwrap(),
        &[],
    )
    .unwrap();
    fit_run(&series, &scaler, design, noise, numerics, &CancelToken::new())
}

/// Statistics over runs.
pub(crate) fn statistics(
    fits: &[RunFit],
    contrast: &ContrastMatrix,
    method: FixedEffects,
    numerics: &Numerics,
) -> StatMap {
    let runs: Vec<RunContrast<'_>> = fits.iter().map(|fit| RunContrast { fit, contrast }).collect();
    contrast_statistics(&runs, method, numerics, &CancelToken::new()).unwrap()
}

/// Asserts equality within `relative` of the larger of 1 and the expected value.
pub(crate) fn close(value: f64, expected: f64, relative: f64) {
    let error = (value - expected).abs();
    assert!(error <= relative * expected.abs().max(1.0), "{value} is not {expected}");
}

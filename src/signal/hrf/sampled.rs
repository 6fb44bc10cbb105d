//! Responses sampled on a fine grid, as nilearn samples them.

use super::{DoubleGamma, Kernel};

/// Length of the sampled response, seconds.
const LENGTH_S: f64 = 32.0;
/// Step of the temporal derivative, seconds.
const TEMPORAL_STEP_S: f64 = 0.1;
/// Step of the dispersion derivative, seconds.
const DISPERSION_STEP_S: f64 = 0.01;

/// nilearn's grid for responses: `rint(32 / dt)` samples from 0 to 32 s, both included, so that their spacing is a
/// little more than `dt`; the response starts one `dt` late. Both are nilearn's, kept for its digits.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleGrid {
    interval_s: f64,
    times_s: Vec<f64>,
}

impl SampleGrid {
    /// The grid for samples `interval_s` apart.
    pub fn new(interval_s: f64) -> Self {
        let samples = (LENGTH_S / interval_s).round_ties_even().max(2.0) as usize;
        let spacing_s = LENGTH_S / (samples - 1) as f64;
        let mut times_s: Vec<f64> = (0..samples).map(|sample| sample as f64 * spacing_s).collect();
        times_s[samples - 1] = LENGTH_S;
        Self { interval_s, times_s }
    }

    /// The response, its samples summing to 1.
    pub fn response(&self, response: &DoubleGamma) -> Vec<f64> {
        self.delayed(response, 0.0)
    }

    /// `(h - h delayed by 0.1 s) / 0.1`, both summing to 1.
    pub fn temporal_slope(&self, response: &DoubleGamma) -> Vec<f64> {
        difference(&self.delayed(response, 0.0), &self.delayed(response, TEMPORAL_STEP_S), TEMPORAL_STEP_S)
    }

    /// `(h - h with 0.01 s more dispersion) / 0.01`, both summing to 1.
    pub fn dispersion_slope(&self, response: &DoubleGamma) -> Vec<f64> {
        let wider = response.with_dispersion(response.dispersion_s() + DISPERSION_STEP_S);
        difference(&self.delayed(response, 0.0), &self.delayed(&wider, 0.0), DISPERSION_STEP_S)
    }

    fn delayed(&self, response: &DoubleGamma, delay_s: f64) -> Vec<f64> {
        to_unit_sum(self.times_s.iter().map(|time| response.value(time - delay_s - self.interval_s)).collect())
    }

    /// Any other kernel at 0, dt, 2 dt, ... up to `stop_s`, summing to 1 where it does not sum to 0.
    pub fn plain(&self, kernel: &dyn Kernel, stop_s: f64) -> Vec<f64> {
        let last = (stop_s / self.interval_s).round_ties_even().max(0.0) as usize;
        to_unit_sum((0..=last).map(|sample| kernel.value(sample as f64 * self.interval_s)).collect())
    }
}

fn to_unit_sum(mut samples: Vec<f64>) -> Vec<f64> {
    let sum: f64 = samples.iter().sum();
    if sum != 0.0 {
        for sample in &mut samples {
            *sample /= sum;
        }
    }
    samples
}

fn difference(left: &[f64], right: &[f64], step: f64) -> Vec<f64> {
    left.iter().zip(right).map(|(a, b)| 1.0 / step * (a - b)).collect()
}

/// Running sums of a sampled kernel: `sums[m]` is the response at sample `m` to a step at sample 0.
pub fn kernel_sums(samples: &[f64]) -> Vec<f64> {
    samples
        .iter()
        .scan(0.0, |sum, sample| {
            *sum += sample;
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{PiecewiseLinear, glover_of_nilearn, glover_of_nilearn_for_dispersion, spm_of_nilearn};
    use super::*;

    #[test]
    fn the_grid_includes_its_end_and_samples_sum_to_one() {
        let grid = SampleGrid::new(2.0 / 50.0);
        assert_eq!(grid.times_s.len(), 800);
        assert_eq!(grid.times_s[799], 32.0);
        let samples = grid.response(&spm_of_nilearn());
        assert_eq!(samples[0], 0.0);
        assert!((samples.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        assert!(grid.temporal_slope(&spm_of_nilearn()).iter().sum::<f64>().abs() < 1e-12);
    }

    #[test]
    fn samples_are_nilearns() {
        // nilearn 0.14.1, hemodynamic_models.*(t_r=2.0, oversampling=1): samples 2, 5, 9 and 15 of 16
        let grid = SampleGrid::new(2.0);
        let (spm, glover, odd) = (spm_of_nilearn(), glover_of_nilearn(), glover_of_nilearn_for_dispersion());
        let cases = [
            (
                grid.response(&spm),
                [
                    0.132_086_785_867_296_36,
                    0.172_777_379_815_439_97,
                    -0.036_651_567_435_515_86,
                    -0.000_438_183_890_019_731_3,
                ],
            ),
            (
                grid.temporal_slope(&spm),
                [
                    0.155_152_504_308_366_38,
                    -0.082_743_499_524_459_42,
                    0.004_203_120_153_931_303,
                    0.000_227_245_884_253_043_67,
                ],
            ),
            (
                grid.dispersion_slope(&spm),
                [
                    -0.207_885_094_862_961_25,
                    0.012_307_025_821_470_252,
                    -0.005_294_259_303_893_767,
                    -6.640_377_603_404_739e-6,
                ],
            ),
            (
                grid.response(&glover),
                [
                    0.176_964_691_376_398_11,
                    0.114_403_962_312_777_97,
                    -0.061_235_561_767_052_08,
                    -3.956_897_377_212_847e-5,
                ],
            ),
            (
                grid.temporal_slope(&glover),
                [
                    0.236_474_951_434_026_14,
                    -0.190_231_477_449_511_2,
                    0.024_744_252_393_671_81,
                    2.912_867_849_691_953_3e-5,
                ],
            ),
            (
                grid.dispersion_slope(&odd),
                [
                    -0.354_244_516_249_935_25,
                    0.004_040_562_738_333_309,
                    -0.007_519_624_083_744_68,
                    -2.338_922_437_837_76e-6,
                ],
            ),
        ];
        for (samples, expected) in cases {
            assert_eq!(samples.len(), 16);
            for (sample, value) in [2, 5, 9, 15].into_iter().zip(expected) {
                // the differences divide two rounding errors of 1e-16 by 0.01
                assert!((samples[sample] - value).abs() < 1e-13, "sample {sample}: {} {value}", samples[sample]);
            }
        }
    }

    #[test]
    fn a_table_is_sampled_at_whole_steps() {
        let hat = PiecewiseLinear::through(&[0.0, 1.0, 2.0], &[0.0, 1.0, 0.0]).unwrap();
        assert_eq!(SampleGrid::new(0.5).plain(&hat, hat.stop_s()), [0.0, 0.25, 0.5, 0.25, 0.0]);
        assert_eq!(kernel_sums(&[0.5, 0.25, 0.25]), [0.5, 0.75, 1.0]);
    }
}

//! Rates over all draws, and what is asked of them.

use super::draw::{DrawFound, NoiseFound};
use super::job::ModelCalibration;
use crate::config::{ContrastKind, Height, Noise, Sides, ThresholdSettings};
use crate::inference::threshold::uncorrected;
use crate::inference::{Bounds, ErrorRate};
use crate::outputs::calibration::{CalibrationRow, Counted};

/// Two-sided levels, and rates that are right enough there. The bounds are those within which the default noise model keeps in
/// simulations of short runs and of noise that changes abruptly in space (`docs/noise.md`).
pub(super) const LEVELS: [(f64, Bounds); 3] = [
    (0.05, Bounds { low: 0.043, high: 0.065 }),
    (0.01, Bounds { low: 0.0065, high: 0.0165 }),
    (0.001, Bounds { low: 0.0004, high: 0.0025 }),
];

/// A familywise rate may be that much larger than what is meant, as a rate at .05 may.
const FAMILYWISE_EXCESS: f64 = 1.3;

/// Level of the test of whiteness.
pub(super) const NOT_WHITE: f64 = 0.05;

/// Whether an error over the family is meant by a threshold: a false discovery rate is one where there is no effect at all.
pub(super) fn has_family(threshold: &ThresholdSettings) -> bool {
    threshold.height != Height::Uncorrected
}

/// How fast a two-sided rate grows with the logarithm of an effect's variance: `z phi(z)`.
fn slope(level: f64) -> f64 {
    let z = uncorrected(level, Sides::Two);
    z * libm::exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt()
}

impl ModelCalibration<'_> {
    /// The rows of the table. `clusters` are draws that are not independent of each other, the draws of each;
    /// `variance_of_log_variance` says how well the noise of the data is known.
    pub(super) fn rows(
        &self,
        noises: &[Noise],
        found: &[DrawFound],
        clusters: &[Vec<usize>],
        variance_of_log_variance: f64,
    ) -> Vec<CalibrationRow> {
        let over_draws = |found: &[&NoiseFound], more_variance: f64, share: &dyn Fn(&NoiseFound) -> f64| {
            let mean =
                |draws: &Vec<usize>| draws.iter().map(|&draw| share(found[draw])).sum::<f64>() / draws.len() as f64;
            ErrorRate::of_shares(&clusters.iter().map(mean).collect::<Vec<f64>>(), more_variance)
        };
        let mut rows = Vec::new();
        for (number, &noise) in noises.iter().enumerate() {
            // alternatives that some data could not be fitted with have no rates
            let all = found.iter().map(|draw| draw.models[number].as_ref().ok()).collect::<Option<Vec<&NoiseFound>>>();
            let Some(found) = all else { continue };
            let row = |contrast: Option<&str>, counted, level, rate, bounds| CalibrationRow {
                contrast: contrast.map(str::to_owned),
                noise,
                declared: number == 0,
                counted,
                level,
                threshold: None,
                rate,
                bounds,
            };
            for (at, contrast) in self.plan.contrasts[self.model].iter().enumerate() {
                let name = contrast.settings.name.as_str();
                let of_contrast = |draw: &NoiseFound| draw.contrasts[at].as_ref().map(|found| found.shares);
                if found.first().copied().and_then(of_contrast).is_none() {
                    continue;
                }
                for (place, (level, bounds)) in LEVELS.into_iter().enumerate() {
                    let more = variance_of_log_variance * slope(level).powi(2);
                    let rate =
                        over_draws(&found, more, &|draw| of_contrast(draw).map_or(f64::NAN, |shares| shares[place]));
                    rows.push(row(Some(name), Counted::FalsePositives, level, rate, Some(bounds)));
                    // the other side of the same coin, so without bounds of its own; an F has no interval
                    if place == 0 && contrast.settings.kind == ContrastKind::T {
                        rows.push(row(Some(name), Counted::Coverage, 1.0 - level, rate.complement(), None));
                    }
                }
                let thresholds = &self.plan.settings.glms[self.model].thresholds;
                let own = thresholds.iter().filter(|own| own.contrast.as_str() == name && has_family(own));
                for (place, threshold) in own.enumerate() {
                    let passed = |draw: &NoiseFound| draw.contrasts[at].as_ref()?.passed[place];
                    let Some(passed) = found.iter().copied().map(passed).collect::<Option<Vec<bool>>>() else {
                        continue;
                    };
                    let rate = ErrorRate::of_count(passed.iter().filter(|passed| **passed).count(), found.len());
                    let bounds = Bounds { low: 0.0, high: FAMILYWISE_EXCESS * threshold.alpha };
                    let row = row(Some(name), Counted::Familywise, threshold.alpha, rate, Some(bounds));
                    rows.push(CalibrationRow { threshold: Some(threshold.name.value.clone()), ..row });
                }
            }
            let rate = over_draws(&found, 0.0, &|draw| draw.not_white);
            rows.push(row(None, Counted::NotWhite, NOT_WHITE, rate, None));
        }
        rows
    }

    /// The declared noise model, then the others.
    pub(super) fn noises(&self) -> Vec<Noise> {
        let settings = &self.plan.settings;
        let others = settings.calibrate.alternatives.iter().copied();
        let all = std::iter::once(settings.glms[self.model].noise).chain(others);
        let mut noises = Vec::new();
        for noise in all.map(|noise| noise.of_support(self.support.grid().is_some())) {
            if !noises.contains(&noise) {
                noises.push(noise);
            }
        }
        noises
    }
}

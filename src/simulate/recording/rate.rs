//! The declared rate of a unit and its integral.
//!
//! `r(t) = base + wave cos(2 pi t / period) + evoked sum_u exp(-(t - u - latency)^2 / (2 width^2))`, in spikes a second.

use super::spec::{SpikeUnitSpec, SpikesSpec};

/// More than the sum of responses ten standard deviations apart exceeds the largest: `2 exp(-50)` and less.
const OVERLAP: f64 = 1.0 + 1e-12;

/// A rate in time.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    base_hz: f64,
    wave_hz: f64,
    wave_period_s: f64,
    evoked_hz: f64,
    width_s: f64,
    /// When each response peaks, seconds.
    peaks_s: Vec<f64>,
}

/// Onsets of the stimulus in the recording, seconds.
pub(super) fn onsets_s(spikes: &SpikesSpec) -> Vec<f64> {
    let Some(stimulus) = &spikes.stimulus else { return Vec::new() };
    let at = |index: usize| {
        let onset_s = stimulus.first_s + index as f64 * stimulus.interval_s;
        libm::round(onset_s * 1000.0) / 1000.0
    };
    let most = libm::ceil(spikes.duration_s / stimulus.interval_s) as usize;
    (0..=most).map(at).take_while(|onset_s| *onset_s < spikes.duration_s).collect()
}

impl Rate {
    /// The rate of a unit.
    pub(super) fn new(unit: &SpikeUnitSpec, onsets_s: &[f64]) -> Self {
        Self {
            base_hz: unit.base_hz,
            wave_hz: unit.wave_hz,
            wave_period_s: unit.wave_period_s,
            evoked_hz: unit.evoked_hz,
            width_s: unit.width_s,
            peaks_s: onsets_s.iter().map(|onset_s| onset_s + unit.latency_s).collect(),
        }
    }

    /// A rate that does not change.
    pub(super) fn constant(base_hz: f64) -> Self {
        Self { base_hz, wave_hz: 0.0, wave_period_s: 1.0, evoked_hz: 0.0, width_s: 1.0, peaks_s: Vec::new() }
    }

    /// No rate is higher.
    pub(super) fn bound_hz(&self) -> f64 {
        self.base_hz + self.wave_hz + self.evoked_hz * OVERLAP
    }

    /// The rate at a time.
    pub(super) fn at(&self, time_s: f64) -> f64 {
        let wave = self.wave_hz * libm::cos(std::f64::consts::TAU * time_s / self.wave_period_s);
        let one = |peak_s: &f64| {
            let widths = (time_s - peak_s) / self.width_s;
            libm::exp(-0.5 * widths * widths)
        };
        self.base_hz + wave + self.evoked_hz * self.peaks_s.iter().map(one).sum::<f64>()
    }

    /// Spikes expected between two times.
    pub(super) fn integral(&self, from_s: f64, to_s: f64) -> f64 {
        let turns = std::f64::consts::TAU / self.wave_period_s;
        let wave = self.wave_hz / turns * (libm::sin(turns * to_s) - libm::sin(turns * from_s));
        let scale_s = self.width_s * std::f64::consts::SQRT_2;
        let one = |peak_s: &f64| libm::erf((to_s - peak_s) / scale_s) - libm::erf((from_s - peak_s) / scale_s);
        let area_s = self.width_s * libm::sqrt(std::f64::consts::FRAC_PI_2);
        self.base_hz * (to_s - from_s) + wave + self.evoked_hz * area_s * self.peaks_s.iter().map(one).sum::<f64>()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::simulate::StimulusSpec;

    /// Base, wave and responses together.
    pub(in crate::simulate::recording) fn varied() -> (SpikesSpec, Rate) {
        let unit = SpikeUnitSpec {
            name: "a".to_owned(),
            base_hz: 8.0,
            wave_hz: 6.0,
            wave_period_s: 7.0,
            evoked_hz: 60.0,
            latency_s: 0.15,
            width_s: 0.06,
        };
        let stimulus = StimulusSpec { name: "flash".to_owned(), first_s: 1.0, interval_s: 2.5 };
        let spikes = SpikesSpec {
            duration_s: 20.0,
            refractory_s: 0.003,
            rate_step_s: 0.05,
            stimulus: Some(stimulus),
            units: vec![unit],
        };
        let rate = Rate::new(&spikes.units[0], &onsets_s(&spikes));
        (spikes, rate)
    }

    #[test]
    fn the_integral_is_that_of_the_rate_and_the_bound_holds() {
        let (spikes, rate) = varied();
        assert_eq!(onsets_s(&spikes), [1.0, 3.5, 6.0, 8.5, 11.0, 13.5, 16.0, 18.5]);
        for (from_s, to_s) in [(0.0, 20.0), (1.1, 1.2), (5.0, 5.003)] {
            // midpoint rule: step^2 / 24 * max |r''| (evoked / width^2 = 2e4) * length is below 1e-6 here
            let n = 400_000;
            let step_s = (to_s - from_s) / f64::from(n);
            let sum: f64 = (0..n).map(|k| rate.at(from_s + step_s * (f64::from(k) + 0.5)) * step_s).sum();
            assert!((rate.integral(from_s, to_s) - sum).abs() < 1e-6, "{from_s} {to_s}");
        }
        let peak = rate.at(13.5 + 0.15);
        assert!((peak - (8.0 + 6.0 * (std::f64::consts::TAU * 13.65 / 7.0).cos() + 60.0)).abs() < 1e-9);
        assert!((0..20_000).all(|k| rate.at(f64::from(k) * 1e-3) <= rate.bound_hz()));
    }
}

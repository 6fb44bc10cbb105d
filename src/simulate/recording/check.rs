//! Which specifications of recordings can be simulated.

use super::calcium::REFRACTORY_S;
use super::spec::{CalciumCellSpec, CalciumSpec, RecordingSpec, SpikeUnitSpec, SpikesSpec};
use crate::simulate::fault::{Fault, Faults, Index, Key, Step};

/// Samples a table may have, and spikes that may be expected of a unit.
const MOST_SAMPLES: f64 = 1e7;
/// Frames of the longest time constant: beyond it the peak of a transient takes long to reach.
const SLOWEST_DECAY: f64 = 1e6;

impl RecordingSpec {
    /// All values that cannot be simulated.
    pub(in crate::simulate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        let sections = [self.calcium.is_some(), self.spikes.is_some(), self.binary.is_some(), self.slice.is_some()];
        let message = "no section is given".to_owned();
        faults.require(sections.contains(&true), &[Key("name")], message, "[calcium], [spikes], [binary] or [slice]");
        if self.calcium.is_some() || self.spikes.is_some() {
            let label = !self.task.is_empty() && self.task.chars().all(|c| c.is_ascii_alphanumeric());
            faults.require(label, &[Key("task")], format!("`{}` is no BIDS label", self.task), "letters and digits");
        }
        // both would write the table of spikes, one as data and one as truth
        let both = self.calcium.is_some() && self.spikes.is_some();
        let message = "[spikes] stands beside [calcium]".to_owned();
        faults.require(!both, &[Key("spikes")], message, "one of them a file");
        if let Some(calcium) = &self.calcium {
            check_calcium(calcium, &mut faults);
        }
        if let Some(spikes) = &self.spikes {
            check_spikes(spikes, &mut faults);
        }
        self.check_small(&mut faults);
        faults.0
    }

    /// The binary series and the slice.
    fn check_small(&self, faults: &mut Faults) {
        if let Some(binary) = &self.binary {
            let at = |key| [Key("binary"), Key(key)];
            faults.count(binary.samples, 2..=1_000_000, &at("samples"), "2 to 1000000");
            faults.positive(binary.interval_s, &at("interval_s"));
            faults.count(binary.pulses, 1..=32767, &at("pulses"), "1 to 32767");
            let [shortest, longest] = binary.pulse_samples;
            let message = format!("pulses of {shortest} to {longest} samples");
            faults.require(1 <= shortest && shortest <= longest, &at("pulse_samples"), message, "1 or more, ascending");
            let needed = binary.pulses.saturating_mul(longest.saturating_add(binary.gap_samples));
            let needed = needed.saturating_sub(binary.gap_samples);
            let message = format!("the pulses take up to {needed} of {} samples", binary.samples);
            faults.require(needed <= binary.samples, &at("pulses"), message, "a number that fits");
        }
        if let Some(slice) = &self.slice {
            let at = |key| [Key("slice"), Key(key)];
            for (axis, &n) in slice.shape.iter().enumerate() {
                let at = [Key("slice"), Key("shape"), Index(axis)];
                faults.require((1..=1024).contains(&n), &at, format!("{n} voxels along axis {axis}"), "1 to 1024");
            }
            for (axis, &edge_mm) in slice.voxel_mm.iter().enumerate() {
                faults.positive(edge_mm, &[Key("slice"), Key("voxel_mm"), Index(axis)]);
            }
            faults.positive(slice.brightness, &at("brightness"));
            faults.not_negative(slice.noise_sd, &at("noise_sd"));
        }
    }
}

fn check_calcium(calcium: &CalciumSpec, faults: &mut Faults) {
    let at = |key| [Key("calcium"), Key(key)];
    faults.positive(calcium.duration_s, &at("duration_s"));
    faults.positive(calcium.frame_hz, &at("frame_hz"));
    let frames = calcium.duration_s * calcium.frame_hz;
    let message = format!("{frames} frames");
    faults.require((2.0..=MOST_SAMPLES).contains(&frames), &at("duration_s"), message, "2 to 10000000 frames");
    faults.require(!calcium.cells.is_empty(), &at("cell"), "there is no cell".to_owned(), "[[calcium.cell]]");
    let mut taken = Vec::new();
    for (index, cell) in calcium.cells.iter().enumerate() {
        let at = |key| [Key("calcium"), Key("cell"), Index(index), Key(key)];
        faults.name(&cell.name, &mut taken, &at("name"));
        check_cell(cell, calcium, &at, faults);
    }
}

fn check_cell(
    cell: &CalciumCellSpec,
    calcium: &CalciumSpec,
    at: &impl Fn(&'static str) -> [Step; 4],
    faults: &mut Faults,
) {
    faults.not_negative(cell.spikes_hz, &at("spikes_hz"));
    // beyond this the refractory period would leave no room
    let most_hz = 0.5 / REFRACTORY_S;
    let fits = cell.spikes_hz <= most_hz && cell.spikes_hz * calcium.duration_s <= MOST_SAMPLES;
    faults.require(fits, &at("spikes_hz"), format!("{} spikes a second", cell.spikes_hz), "at most 500 a second");
    faults.count(cell.spikes_per_burst, 1..=1000, &at("spikes_per_burst"), "1 to 1000");
    faults.positive(cell.burst_interval_s, &at("burst_interval_s"));
    faults.not_negative(cell.rise_s, &at("rise_s"));
    faults.positive(cell.decay_s, &at("decay_s"));
    let frames = cell.decay_s * calcium.frame_hz;
    let message = format!("a decay over {frames} frames");
    faults.require(frames <= SLOWEST_DECAY, &at("decay_s"), message, "at most 1000000 frames");
    let message = format!("`rise_s` is {}, `decay_s` {}", cell.rise_s, cell.decay_s);
    faults.require(cell.rise_s < cell.decay_s, &at("rise_s"), message, "a rise that is faster than the decay");
    faults.positive(cell.amplitude, &at("amplitude"));
    faults.finite(&[cell.baseline], &at("baseline"));
    faults.not_negative(cell.noise_sd, &at("noise_sd"));
}

fn check_spikes(spikes: &SpikesSpec, faults: &mut Faults) {
    let at = |key| [Key("spikes"), Key(key)];
    faults.positive(spikes.duration_s, &at("duration_s"));
    faults.not_negative(spikes.refractory_s, &at("refractory_s"));
    faults.positive(spikes.rate_step_s, &at("rate_step_s"));
    let rows = spikes.duration_s / spikes.rate_step_s;
    let message = format!("{rows} steps of rates");
    faults.require(rows <= MOST_SAMPLES, &at("rate_step_s"), message, "at most 10000000 steps");
    faults.require(!spikes.units.is_empty(), &at("unit"), "there is no unit".to_owned(), "[[spikes.unit]]");
    if let Some(stimulus) = &spikes.stimulus {
        let at = |key| [Key("spikes"), Key("stimulus"), Key(key)];
        faults.name(&stimulus.name, &mut Vec::new(), &at("name"));
        faults.not_negative(stimulus.first_s, &at("first_s"));
        faults.positive(stimulus.interval_s, &at("interval_s"));
        let onsets = spikes.duration_s / stimulus.interval_s;
        faults.require(onsets <= 32767.0, &at("interval_s"), format!("{onsets} onsets"), "at most 32767 onsets");
    }
    let mut taken = Vec::new();
    for (index, unit) in spikes.units.iter().enumerate() {
        let at = |key| [Key("spikes"), Key("unit"), Index(index), Key(key)];
        faults.name(&unit.name, &mut taken, &at("name"));
        check_unit(unit, spikes, &at, faults);
    }
}

fn check_unit(unit: &SpikeUnitSpec, spikes: &SpikesSpec, at: &impl Fn(&'static str) -> [Step; 4], faults: &mut Faults) {
    for (key, value) in [("base_hz", unit.base_hz), ("wave_hz", unit.wave_hz), ("evoked_hz", unit.evoked_hz)] {
        faults.not_negative(value, &at(key));
    }
    faults.not_negative(unit.latency_s, &at("latency_s"));
    faults.positive(unit.wave_period_s, &at("wave_period_s"));
    faults.positive(unit.width_s, &at("width_s"));
    let message = format!("`wave_hz` is {}, `base_hz` {}", unit.wave_hz, unit.base_hz);
    faults.require(unit.wave_hz <= unit.base_hz, &at("wave_hz"), message, "at most `base_hz`: no rate is negative");
    let highest_hz = unit.base_hz + unit.wave_hz + unit.evoked_hz;
    let message = format!("up to {highest_hz} spikes a second");
    let holds = highest_hz * spikes.duration_s <= MOST_SAMPLES;
    faults.require(holds, &at("base_hz"), message, "at most 10000000 in the recording");
    let message = format!("up to {highest_hz} spikes a second, none within {} s of another", spikes.refractory_s);
    let holds = highest_hz * spikes.refractory_s <= 0.5;
    faults.require(holds, &at("base_hz"), message, "rates that leave half of the time free");
    let apart = spikes.stimulus.as_ref().is_none_or(|stimulus| stimulus.interval_s >= 10.0 * unit.width_s);
    let message = format!("`width_s` is {}", unit.width_s);
    faults.require(apart, &at("width_s"), message, "at most a tenth of the stimulus' `interval_s`");
}

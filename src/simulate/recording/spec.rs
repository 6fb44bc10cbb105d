//! What a simulation file of a recording says.

use serde::{Deserialize, Serialize};

/// A recording of one subject: any of the sections, at least one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingSpec {
    /// Name of the dataset.
    pub name: String,
    /// BIDS label of the task, `[A-Za-z0-9]+`; names the files of traces and spikes.
    #[serde(default)]
    pub task: String,
    /// Every random number follows from it.
    pub seed: u64,
    /// Fluorescence traces of cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calcium: Option<CalciumSpec>,
    /// Spike trains of units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spikes: Option<SpikesSpec>,
    /// A series of zeros and ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<BinarySpec>,
    /// One slice of a head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<SliceSpec>,
}

impl RecordingSpec {
    /// The keys of the sections, which tell this kind of file from one that declares runs of volumes.
    pub(in crate::simulate) const SECTIONS: [&'static str; 4] = ["calcium", "spikes", "binary", "slice"];
}

/// Fluorescence traces, in units of ΔF/F.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalciumSpec {
    /// Length of the recording, seconds; the first frame is at 0.
    pub duration_s: f64,
    /// Frames a second.
    pub frame_hz: f64,
    /// The cells.
    #[serde(rename = "cell")]
    pub cells: Vec<CalciumCellSpec>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalciumCellSpec {
    /// Name of its column, `[A-Za-z][A-Za-z0-9]*`.
    pub name: String,
    /// Mean rate, spikes a second.
    pub spikes_hz: f64,
    /// Spikes a burst; 1: a Poisson process. Bursts begin as a Poisson process.
    #[serde(default = "CalciumCellSpec::default_spikes_per_burst")]
    pub spikes_per_burst: usize,
    /// Mean (exponential) interval between spikes of a burst, seconds.
    #[serde(default = "CalciumCellSpec::default_burst_interval_s")]
    pub burst_interval_s: f64,
    /// Time constant of the rise, seconds; 0: at once, so that calcium is first-order autoregressive, else second-order.
    #[serde(default)]
    pub rise_s: f64,
    /// Time constant of the decay, seconds.
    pub decay_s: f64,
    /// Height of the transient of one spike in its highest frame.
    #[serde(default = "CalciumCellSpec::default_amplitude")]
    pub amplitude: f64,
    /// Fluorescence without calcium.
    #[serde(default)]
    pub baseline: f64,
    /// Standard deviation of the white noise.
    pub noise_sd: f64,
}

impl CalciumCellSpec {
    fn default_spikes_per_burst() -> usize {
        1
    }
    fn default_burst_interval_s() -> f64 {
        0.03
    }
    fn default_amplitude() -> f64 {
        1.0
    }
}

/// Spike trains of units with known rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikesSpec {
    /// Length of the recording, seconds.
    pub duration_s: f64,
    /// Shortest time between two spikes of a unit, seconds.
    #[serde(default)]
    pub refractory_s: f64,
    /// Step of the table of true rates, seconds.
    #[serde(default = "SpikesSpec::default_rate_step_s")]
    pub rate_step_s: f64,
    /// What evokes spikes; none: nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stimulus: Option<StimulusSpec>,
    /// The units.
    #[serde(rename = "unit")]
    pub units: Vec<SpikeUnitSpec>,
}

impl SpikesSpec {
    fn default_rate_step_s() -> f64 {
        0.05
    }
}

/// A stimulus that recurs; its onsets are written as an events table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StimulusSpec {
    /// What the events table calls it, `[A-Za-z][A-Za-z0-9]*`.
    pub name: String,
    /// First onset, seconds.
    pub first_s: f64,
    /// From onset to onset, seconds.
    pub interval_s: f64,
}

/// One unit: its rate is `base_hz + wave_hz cos(2 pi t / wave_period_s)`, plus, for each onset u of the stimulus,
/// `evoked_hz exp(-(t - u - latency_s)^2 / (2 width_s^2))`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeUnitSpec {
    /// Its name, `[A-Za-z][A-Za-z0-9]*`.
    pub name: String,
    /// Mean of the slow part, spikes a second.
    pub base_hz: f64,
    /// Amplitude of the slow part, spikes a second, at most `base_hz`.
    #[serde(default)]
    pub wave_hz: f64,
    /// Period of the slow part, seconds.
    #[serde(default = "SpikeUnitSpec::default_wave_period_s")]
    pub wave_period_s: f64,
    /// Peak of the response to the stimulus, spikes a second.
    #[serde(default)]
    pub evoked_hz: f64,
    /// From the stimulus to the peak, seconds.
    #[serde(default)]
    pub latency_s: f64,
    /// Standard deviation of the response in time, seconds.
    #[serde(default = "SpikeUnitSpec::default_width_s")]
    pub width_s: f64,
}

impl SpikeUnitSpec {
    fn default_wave_period_s() -> f64 {
        10.0
    }
    fn default_width_s() -> f64 {
        0.05
    }
}

/// Pulses of random length at random times, `binary.tsv`: columns `time_s` and `signal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinarySpec {
    /// Number of samples.
    pub samples: usize,
    /// Sampling interval, seconds.
    pub interval_s: f64,
    /// Number of pulses.
    pub pulses: usize,
    /// Samples of the shortest and the longest pulse.
    pub pulse_samples: [usize; 2],
    /// Least number of zeros between pulses.
    pub gap_samples: usize,
}

/// A slice through the ellipses of Shepp and Logan's head, `slice.nii.gz`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceSpec {
    /// Voxels along both axes.
    pub shape: [usize; 2],
    /// Voxel edges, mm.
    pub voxel_mm: [f64; 3],
    /// Stored value of the skull, the brightest tissue.
    pub brightness: f64,
    /// Standard deviation of each channel of the complex noise whose magnitude is stored.
    pub noise_sd: f64,
}

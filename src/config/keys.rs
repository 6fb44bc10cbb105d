//! What a pipeline file may say: one struct a table, one field a key.
//!
//! A field's documentation is its entry in the manual and in the JSON Schema, which in turn is what checks the
//! file (`shape`): meaning, unit and source stand here, types and ranges in the declaration, defaults in
//! [`super::Defaults`]. Every field is optional here; a key the format requires is marked `required`.

mod bids;
mod calibrate;
mod confounds;
mod deconvolve;
mod filters;
mod glm;
mod inputs;
mod stages;

pub use bids::*;
pub use calibrate::*;
pub use confounds::*;
pub use deconvolve::*;
pub use filters::*;
pub use glm::*;
pub use inputs::*;
pub use stages::*;

use super::Profile;
use super::placed::Placed;
use schemars::JsonSchema;
use serde::Deserialize;

/// A declared fMRI analysis, read by `boldly run`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "boldly pipeline")]
pub struct Config {
    /// Version of the format.
    #[schemars(required, extend("enum" = [1]))]
    pub schema: Option<u32>,
    /// Name of the pipeline, free text; shown in reports and provenance.
    #[schemars(required, length(min = 1))]
    pub name: Option<Placed<String>>,
    /// Sets the defaults of all other keys, and the numerics that are no keys (convolution grid, binning of noise
    /// parameters, which p a map holds).
    pub profile: Option<Profile>,
    /// The runs of a BIDS dataset, found by their names. `[bids]`, `[[run]]`, `[[timeseries]]` and `[[spikes]]` do not mix.
    pub bids: Option<Placed<BidsConfig>>,
    /// A 4-D image with what belongs to it.
    #[serde(default)]
    pub run: Vec<Placed<RunConfig>>,
    /// A table of series of regions or sensors, one column each, one row a sample.
    #[serde(default)]
    pub timeseries: Vec<Placed<TimeseriesConfig>>,
    /// A table of spike times, for `[[rate]]`.
    #[serde(default)]
    pub spikes: Vec<Placed<SpikesConfig>>,
    /// Which voxels are analysed. Tables ignore it.
    pub mask: Option<Placed<MaskConfig>>,
    /// A region, or the regions of an atlas, whose mean series and effects are written as tables beside the maps.
    #[serde(default)]
    pub roi: Vec<Placed<RoiConfig>>,
    /// What happens to the data before the model.
    #[serde(default)]
    pub preprocess: PreprocessConfig,
    /// Which columns of the confound tables enter the design, and which volumes are censored.
    #[serde(default)]
    pub confounds: ConfoundsConfig,
    /// How event tables are read, and what becomes of odd rows.
    #[serde(default)]
    pub events: EventsConfig,
    /// How events become regressors, and what models slow drift.
    #[serde(default)]
    pub design: DesignConfig,
    /// A voxelwise general linear model; as many models as wanted, all over one pass of the data. A pipeline has at least one
    /// of `[[glm]]`, `[[deconvolve]]`, `[[convolve]]` and `[[rate]]`.
    #[serde(default)]
    pub glm: Vec<Placed<GlmConfig>>,
    /// Estimates the activity behind the data, voxel by voxel or column by column.
    #[serde(default)]
    pub deconvolve: Vec<Placed<DeconvolveConfig>>,
    /// A plain convolution: of the columns of `[[timeseries]]` in time, or of the volumes of `[[run]]` in space.
    #[serde(default)]
    pub convolve: Vec<Placed<ConvolveConfig>>,
    /// Firing rates from the spike times of `[[spikes]]`.
    #[serde(default)]
    pub rate: Vec<Placed<RateConfig>>,
    /// What `boldly calibrate` does. No result of `boldly run` depends on it.
    #[serde(default)]
    pub calibrate: CalibrateConfig,
    /// Where and how results are written.
    #[serde(default)]
    pub output: OutputConfig,
}

/// `[output]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputConfig {
    /// Folder of the results, relative to the pipeline file. `--out` wins.
    #[schemars(length(min = 1))]
    pub dir: Option<Placed<String>>,
    /// gzip level of the maps: larger is smaller and slower.
    #[schemars(range(max = 9))]
    pub compression_level: Option<u32>,
    /// Whether HTML reports are made: of each subject once it is done, and of the dataset at the end. `boldly report`
    /// makes the same ones at any time.
    pub report: Option<bool>,
}

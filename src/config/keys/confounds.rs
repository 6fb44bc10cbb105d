//! `[confounds]`, also `[glm.confounds]` and `[deconvolve.confounds]`.

use crate::config::placed::{Placed, TextOr};
use crate::config::{Compcor, Expansion, FirstRowNan, IcaAroma};
use schemars::JsonSchema;
use serde::Deserialize;

/// A strategy: the name of a preset, or components.
pub type StrategyText = TextOr<StrategyPreset, Vec<Placed<NoiseComponent>>>;

/// `[confounds]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfoundsConfig {
    /// Globs of the columns that enter the design, such as `trans_*`. A confound file from which nothing is taken is an error.
    pub columns: Option<Placed<Vec<Placed<String>>>>,
    /// Columns of fMRIPrep's table (1.2 and later) by what they are of, as nilearn's `load_confounds` takes them: an array of
    /// components, or the name of a preset. Those that `columns` matches follow. Every strategy also censors the volumes that
    /// fMRIPrep marks as before the steady state.
    pub strategy: Option<Placed<StrategyText>>,
    /// What is taken of head motion: 6, 12, 12 or 24 columns (Friston et al. 1996, doi 10.1002/mrm.1910350312).
    pub motion: Option<Placed<Expansion>>,
    /// What is taken of the mean signals of white matter and CSF. Under the preset `scrubbing` the default is `full`.
    pub wm_csf: Option<Placed<Expansion>>,
    /// What is taken of the brain's mean signal. Beside a preset, which has none of it, the key adds it.
    pub global_signal: Option<Placed<Expansion>>,
    /// Which CompCor components are taken (Behzadi et al. 2007, doi 10.1016/j.neuroimage.2007.04.042), fMRIPrep 1.4 and
    /// later. The JSON file beside the table says of which mask each is.
    pub compcor: Option<Placed<Compcor>>,
    /// How many CompCor components are taken of each mask, the first ones; `all` is those that fMRIPrep kept.
    pub n_compcor: Option<Placed<TextOr<AllWord, ComponentCount>>>,
    /// How ICA-AROMA is used (Pruim et al. 2015, doi 10.1016/j.neuroimage.2015.02.064).
    pub ica_aroma: Option<Placed<IcaAroma>>,
    /// What becomes of n/a in a column's first row, where fMRIPrep writes it for derivatives and framewise displacement.
    /// With a strategy the default is `copy-next`.
    pub first_row_nan: Option<FirstRowNan>,
    /// Censors volumes: they leave gaps in time, in the design and in the noise model. With `scrub` in the strategy, limits
    /// that are not given are nilearn's: 0.5 mm and 1.5.
    pub scrub: Option<Placed<ScrubConfig>>,
}

/// A component of a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseComponent {
    /// Head motion.
    Motion,
    /// Mean signals of white matter and CSF.
    WmCsf,
    /// The brain's mean signal.
    GlobalSignal,
    /// fMRIPrep's discrete cosines; beside them the design has `drift = "none"`.
    HighPass,
    /// CompCor components.
    Compcor,
    /// ICA-AROMA.
    IcaAroma,
    /// Censoring of volumes with motion.
    Scrub,
    /// Censoring of fMRIPrep's non-steady-state volumes, which every strategy does.
    NonSteadyState,
}

/// A named strategy, as in nilearn's `load_confounds_strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyPreset {
    /// `high_pass`, `motion`, `wm_csf`.
    Simple,
    /// `high_pass`, `motion`, `wm_csf` in full, `scrub`.
    Scrubbing,
    /// `high_pass`, `motion`, `compcor`.
    Compcor,
    /// `high_pass`, `wm_csf`, `ica_aroma` in full.
    IcaAroma,
}

/// `confounds.n_compcor` as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllWord {
    /// Every one.
    All,
}

/// A number of components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ComponentCount(#[schemars(range(min = 1, max = 10_000))] pub usize);

/// `confounds.scrub`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrubConfig {
    /// Volumes whose `framewise_displacement` is larger are censored, mm (Power et al. 2012,
    /// doi 10.1016/j.neuroimage.2011.10.018). At least one of it and `std_dvars` is needed, unless `scrub` is in the strategy.
    #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0))]
    pub fd_mm: Option<f64>,
    /// Volumes whose standardised DVARS (`std_dvars`) is larger are censored.
    #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0))]
    pub std_dvars: Option<f64>,
    /// Stretches of kept volumes shorter than this are censored too; 1 keeps all.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_segment: Option<usize>,
}

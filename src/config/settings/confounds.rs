//! `[confounds]`, resolved: what is taken of a confound table, and which volumes are censored.

use crate::config::Located;
use serde::{Deserialize, Serialize};

/// `[confounds]`, resolved for one model.
#[derive(Debug, Clone, Serialize)]
pub struct ConfoundSettings {
    /// Globs of the columns taken.
    pub columns: Vec<Located<String>>,
    /// Columns of fMRIPrep taken by what they are of. None leaves no trace in digests, so that older results stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<ConfoundStrategy>,
    /// n/a in the first row.
    pub first_row_nan: FirstRowNan,
    /// Censoring by motion.
    pub scrub: Option<ScrubSettings>,
}

impl ConfoundSettings {
    /// Whether anything is taken of a confound table.
    #[must_use]
    pub fn reads_a_table(&self) -> bool {
        self.takes_columns() || self.scrub.is_some()
    }

    /// Whether columns may be taken of a confound table.
    #[must_use]
    pub fn takes_columns(&self) -> bool {
        !self.columns.is_empty() || self.strategy.is_some()
    }
}

/// What is taken of fMRIPrep's table: components in the words of nilearn's `load_confounds`. Non-steady-state volumes
/// are censored under each; scrubbing is in [`ConfoundSettings::scrub`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ConfoundStrategy {
    /// Head motion, translations and rotations.
    pub motion: Option<Expansion>,
    /// Mean signals of white matter and cerebrospinal fluid.
    pub wm_csf: Option<Expansion>,
    /// The mean signal of the brain.
    pub global_signal: Option<Expansion>,
    /// fMRIPrep's discrete cosines.
    pub high_pass: bool,
    /// Principal components of noise regions.
    pub compcor: Option<CompcorSettings>,
    /// Components that ICA-AROMA takes for noise.
    pub ica_aroma: Option<IcaAroma>,
}

/// Which CompCor components are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CompcorSettings {
    /// Where they are from.
    pub kind: Compcor,
    /// At most this many of each mask; `None`: all.
    pub most: Option<usize>,
}

/// Which columns made from a signal are taken beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expansion {
    /// The signal alone.
    Basic,
    /// The signal and its square.
    Power2,
    /// The signal and its temporal derivative.
    Derivatives,
    /// The signal, its square, its derivative and the derivative's square.
    Full,
}

/// Where CompCor components are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compcor {
    /// Of one mask, white matter and CSF together.
    AnatCombined,
    /// Of white matter and of CSF.
    AnatSeparated,
    /// Of the voxels that vary most.
    Temporal,
    /// `temporal` and `anat_combined`.
    TemporalAnatCombined,
    /// `temporal` and `anat_separated`.
    TemporalAnatSeparated,
}

/// How ICA-AROMA is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IcaAroma {
    /// The image is fMRIPrep's denoised one, `desc-smoothAROMAnonaggr`; no column is taken.
    Full,
    /// The noise components are columns.
    Basic,
}

/// n/a in the first row of a confound column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FirstRowNan {
    /// It is an error.
    Error,
    /// It is 0.
    Zero,
    /// It is the second row's value.
    CopyNext,
}

/// Censoring of volumes by fMRIPrep's quality columns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScrubSettings {
    /// Volumes with `framewise_displacement` above this are censored, mm.
    pub fd_mm: Option<f64>,
    /// Volumes with `std_dvars` above this are censored.
    pub std_dvars: Option<f64>,
    /// Runs of kept volumes shorter than this are censored too.
    pub min_segment: usize,
}

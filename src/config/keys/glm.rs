//! `[[glm]]`: one model and its contrasts.

use super::{ConfoundsConfig, DesignConfig};
use crate::config::placed::{Placed, TextOr};
use crate::config::{FixedEffects, Height, MapKind, Noise};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[[glm]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GlmConfig {
    /// Name of the model and of its folder, letters and digits, unique ignoring case.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// Model of the noise. `ar2` to `ar30` are autoregressive of that order, from each voxel's own autocovariances, the design's
    /// bias removed; a run needs six residual degrees of freedom a lag. Tables and means of regions have no neighbours to pool
    /// over: where `pooled-ar` is the default, or is stated, they have `arma11`. `global-ar1` pools over all columns of a run, of
    /// tables and regions too.
    pub noise: Option<Placed<Noise>>,
    /// How effects are combined over the runs of a subject, session, task and space.
    pub fixed_effects: Option<FixedEffects>,
    /// Whether each condition is a contrast too, besides those declared.
    pub condition_contrasts: Option<bool>,
    /// What is written. `t` belongs to t contrasts and `F` to F contrasts, `rho` to every noise but `ols`, `a` and `b` to `arma11`;
    /// `beta`, `r2`, `residuals`, `sigma`, `rho`, `a`, `b` and `whiteness` are written once a run. Where an F contrast is declared the default has `F` too.
    #[schemars(length(min = 1))]
    pub maps: Option<Vec<Placed<MapKind>>>,
    /// Overrides `[design]` for this model, key by key.
    #[serde(default)]
    pub design: DesignConfig,
    /// Overrides `[confounds]` for this model, key by key.
    #[serde(default)]
    pub confounds: ConfoundsConfig,
    /// A contrast of the model's columns. Each model needs one, or `condition_contrasts = true`.
    #[serde(default)]
    pub contrast: Vec<Placed<ContrastConfig>>,
    /// A threshold of a contrast's z over the runs: a thresholded map and a table of clusters and peaks. Several of one
    /// contrast are several files.
    #[serde(default)]
    pub threshold: Vec<Placed<ThresholdConfig>>,
}

/// `[[glm.contrast]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContrastConfig {
    /// Name of the contrast in file names, letters and digits, unique ignoring case within its model.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// The contrast: text is a t contrast, such as `house - face`; an array of texts an F contrast, one row each.
    #[schemars(required)]
    pub expr: Option<Placed<TextOr<String, ExprRows>>>,
}

/// `glm.contrast.expr` as the rows of an F contrast.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ExprRows(#[schemars(length(min = 1))] pub Vec<Placed<String>>);

/// `[[glm.threshold]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdConfig {
    /// The contrast, declared in this model or made by `condition_contrasts`.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub contrast: Option<Placed<String>>,
    /// Name of the threshold in file names, letters and digits. Where it is left out: height and decimals of alpha, such as
    /// `fdr05`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// How the height of z is found that a voxel must reach. The family is all analysed voxels: of the mask, without those
    /// that were left out; of a table its columns.
    pub height: Option<Placed<Height>>,
    /// Error rate: of each voxel, of the family, or of the discoveries, as `height` says; of the clusters where it is
    /// `cluster`. Where it is left out beside `height = "uncorrected"`: 0.001.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub alpha: Option<f64>,
    /// p of each voxel of a cluster, where `height = "cluster"`; the sides together.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub cluster_forming_p: Option<Placed<f64>>,
    /// Clusters of fewer voxels are left out. That keeps an error over the family and uncorrected rates (fewer pass), but not
    /// strictly a false discovery rate.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_cluster_voxels: Option<Placed<usize>>,
    /// Sides: 2 looks at positive and negative values alike, with alpha for both together; 1 at positive values. An F
    /// contrast has no sides: its large values are looked at.
    #[schemars(extend("enum" = [1, 2]))]
    pub sides: Option<Placed<u8>>,
    /// Which voxels hang together in a cluster: 6, those that share a face; 18, also an edge; 26, also a corner. Positive and
    /// negative values form clusters of their own.
    #[schemars(extend("enum" = [6, 18, 26]))]
    pub neighbours: Option<Placed<u8>>,
}

//! `[[glm]]`: one model and its contrasts.

use super::{ConfoundsConfig, DesignConfig};
use crate::config::placed::{Placed, TextOr};
use crate::config::{FixedEffects, MapKind, Noise};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[[glm]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GlmConfig {
    /// Name of the model and of its folder, letters and digits, unique ignoring case.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// Model of the noise. Tables and means of regions have no neighbours to pool over: where `pooled-ar` is the default, or is
    /// stated, they have `arma11`.
    pub noise: Option<Placed<Noise>>,
    /// How effects are combined over the runs of a subject, session, task and space.
    pub fixed_effects: Option<FixedEffects>,
    /// Whether each condition is a contrast too, besides those declared.
    pub condition_contrasts: Option<bool>,
    /// What is written. `t` belongs to t contrasts and `F` to F contrasts, `rho` to every noise but `ols`; `beta`, `r2`,
    /// `residuals`, `sigma`, `rho` and `whiteness` are written once a run. Where an F contrast is declared the default has `F` too.
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

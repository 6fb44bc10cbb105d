//! The JSON beside a map: what it is, of which model, in which units.

use super::image_sidecar::ImageFields;
use super::names::stat_label;
use super::threshold_sidecar::ThresholdEntry;
use crate::config::{ContrastKind, FixedEffects, MapKind, Noise, PValueSides, Profile, Scaling};
use crate::design::{ColumnRole, ContrastMatrix, RunDesign};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The sidecar of a map or table, with BIDS's spelling of keys. Fields that do not apply are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sidecar {
    /// What the values are, in a sentence.
    pub description: String,
    /// The model's name.
    pub model: String,
    /// Label of the statistic, as in the file's name.
    pub statistic: String,
    /// Units of the values; `arbitrary` for statistics without any.
    pub units: String,
    /// The contrast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<ContrastEntry>,
    /// Degrees of freedom of a contrast's maps: one number for a t, two for an F.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub degrees_of_freedom: Vec<f64>,
    /// Whether each voxel has degrees of freedom of its own, whose median is the number given.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub degrees_of_freedom_vary: bool,
    /// The threshold that the values passed; voxels that did not are 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdEntry>,
    /// Which p a p map holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value_sides: Option<PValueSides>,
    /// The noise model.
    pub noise_model: Noise,
    /// How several runs were combined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_effects: Option<FixedEffects>,
    /// The numerics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Full width at half maximum of the smoothing along each axis, mm; none where the data were not smoothed.
    #[serde(skip_serializing_if = "Vec::is_empty", rename = "SmoothingFwhmMm")]
    pub smoothing_fwhm_mm: Vec<f64>,
    /// Which runs enter.
    pub runs: Vec<String>,
    /// Names along the fourth axis of a 4-D map.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Seconds between the volumes of a series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_time: Option<f64>,
    /// Time of the first volume of a series, seconds from the start of the first acquired one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<f64>,
    /// What a series of volumes has to say beside.
    #[serde(flatten)]
    pub image: Option<ImageFields>,
    /// Largest absolute value of each regressor of interest, run by run: multiplies an effect to the peak response.
    pub regressor_peak_heights: Map<String, Value>,
    /// What wrote it.
    pub generated_by: Vec<Software>,
}

/// The contrast of a map.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContrastEntry {
    /// Its name.
    pub name: String,
    /// t or F.
    pub kind: ContrastKind,
    /// As declared, a row each.
    pub expression: Vec<String>,
    /// Run by run, the columns with a weight that is not zero, and the weight in each row.
    pub weights: Map<String, Value>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Software {
    /// This program.
    pub fn boldly() -> Self {
        Self { name: "boldly".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

impl ContrastEntry {
    /// The contrast `expression` in the columns of the runs that enter; `runs` pairs each run's design with the
    /// contrast's matrix there.
    pub fn new(name: &str, kind: ContrastKind, expression: &[&str], runs: &[(&RunDesign, &ContrastMatrix)]) -> Self {
        let weights = runs.iter().map(|(design, contrast)| {
            let columns = design.names.iter().zip(contrast.weights.columns());
            let weighted = columns.filter(|(_, weights)| weights.iter().any(|weight| *weight != 0.0));
            let weighted: Map<String, Value> =
                weighted.map(|(name, weights)| (name.clone(), json!(weights.to_vec()))).collect();
            (design.run.clone(), Value::Object(weighted))
        });
        Self {
            name: name.to_owned(),
            kind,
            expression: expression.iter().map(|row| (*row).to_owned()).collect(),
            weights: weights.collect(),
        }
    }
}

impl Sidecar {
    /// A sidecar without contrast, degrees of freedom and volumes, to be filled in by struct update.
    pub fn new(model: &str, map: MapKind, noise: Noise, scaling: Scaling, runs: &[&RunDesign]) -> Self {
        Self {
            description: description(map).to_owned(),
            model: model.to_owned(),
            statistic: stat_label(map).to_owned(),
            units: units(map, scaling).to_owned(),
            contrast: None,
            degrees_of_freedom: Vec::new(),
            degrees_of_freedom_vary: false,
            threshold: None,
            p_value_sides: None,
            noise_model: noise,
            fixed_effects: None,
            profile: None,
            smoothing_fwhm_mm: Vec::new(),
            runs: runs.iter().map(|design| design.run.clone()).collect(),
            volumes: Vec::new(),
            repetition_time: None,
            start_time: None,
            image: None,
            regressor_peak_heights: peak_heights(runs),
            generated_by: vec![Software::boldly()],
        }
    }
}

fn peak_heights(runs: &[&RunDesign]) -> Map<String, Value> {
    let of_run = |design: &RunDesign| -> Map<String, Value> {
        let columns = design.names.iter().zip(&design.roles).zip(&design.peak_heights);
        columns
            .filter(|((_, role), _)| matches!(role, ColumnRole::Task { .. }))
            .map(|((name, _), height)| (name.clone(), json!(height)))
            .collect()
    };
    runs.iter().map(|design| (design.run.clone(), Value::Object(of_run(design)))).collect()
}

/// Units of a map's values under a scaling of the data.
pub fn units(map: MapKind, scaling: Scaling) -> &'static str {
    let scaled = match scaling {
        Scaling::VoxelMean => ["percent of the voxel's mean", "squared percent of the voxel's mean"],
        Scaling::GrandMean => ["percent of the grand mean", "squared percent of the grand mean"],
        Scaling::None => ["units of the input", "squared units of the input"],
    };
    match map {
        MapKind::Effect | MapKind::Beta | MapKind::Residuals | MapKind::Sigma => scaled[0],
        MapKind::Variance => scaled[1],
        MapKind::T
        | MapKind::F
        | MapKind::Z
        | MapKind::P
        | MapKind::Dof
        | MapKind::R2
        | MapKind::Rho
        | MapKind::ArmaA
        | MapKind::ArmaB
        | MapKind::Whiteness => "arbitrary",
    }
}

fn description(map: MapKind) -> &'static str {
    match map {
        MapKind::Effect => "contrast of regression coefficients",
        MapKind::Variance => "variance of the contrast's estimate",
        MapKind::T => "t statistic of the contrast",
        MapKind::F => "F statistic of the contrast",
        MapKind::Z => "z score of the contrast's statistic",
        MapKind::P => "p value of the contrast's statistic, float64",
        MapKind::Dof => "degrees of freedom of the contrast's statistic, of an F those of its denominator",
        MapKind::Beta => "regression coefficients, one volume a column of the design",
        MapKind::R2 => "share of the variance about the mean that the model explains",
        MapKind::Residuals => "data minus fitted values, not whitened",
        MapKind::Sigma => "standard deviation of the noise; of its innovations where it is autocorrelated",
        MapKind::Rho => "lag-one autocorrelation of the noise",
        MapKind::ArmaA => "autoregressive coefficient of the ARMA(1,1) noise",
        MapKind::ArmaB => "moving average coefficient of the ARMA(1,1) noise",
        MapKind::Whiteness => {
            "Ljung-Box statistic of the whitened residuals, about chi-squared where they are white; summary.json has its lags"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Timing;
    use ndarray::array;

    #[test]
    fn a_sidecar_says_what_a_reader_needs() {
        let task =
            |condition: &str| ColumnRole::Task { condition: condition.into(), part: String::new(), delay_s: None };
        let design = RunDesign {
            run: "sub-01 run-01".into(),
            names: ["face", "house", "constant"].map(str::to_owned).to_vec(),
            roles: vec![task("face"), task("house"), ColumnRole::Constant],
            matrix: array![[1.0, 0.0, 1.0], [0.0, 0.5, 1.0]],
            timing: Timing::new(2.0, 2, 0, 0.0),
            peak_heights: vec![1.0, 0.5, 1.0],
        };
        let contrast =
            ContrastMatrix { name: "houseVsFace".into(), kind: ContrastKind::T, weights: array![[-1.0, 1.0, 0.0]] };
        let entry = ContrastEntry::new("houseVsFace", ContrastKind::T, &["house - face"], &[(&design, &contrast)]);
        let sidecar = Sidecar {
            contrast: Some(entry),
            degrees_of_freedom: vec![97.0],
            ..Sidecar::new("objects", MapKind::T, Noise::Ar1, Scaling::VoxelMean, &[&design])
        };
        let shown = serde_json::to_string_pretty(&sidecar).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(shown, @r#"
        {
          "Description": "t statistic of the contrast",
          "Model": "objects",
          "Statistic": "t",
          "Units": "arbitrary",
          "Contrast": {
            "Name": "houseVsFace",
            "Kind": "t",
            "Expression": [
              "house - face"
            ],
            "Weights": {
              "sub-01 run-01": {
                "face": [
                  -1.0
                ],
                "house": [
                  1.0
                ]
              }
            }
          },
          "DegreesOfFreedom": [
            97.0
          ],
          "NoiseModel": "ar1",
          "Runs": [
            "sub-01 run-01"
          ],
          "RegressorPeakHeights": {
            "sub-01 run-01": {
              "face": 1.0,
              "house": 0.5
            }
          },
          "GeneratedBy": [
            {
              "Name": "boldly",
              "Version": "VERSION"
            }
          ]
        }
        "#);
    }
}

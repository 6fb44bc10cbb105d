//! Error rates of a model on null data, as a table and its sidecar.

use super::tables::{Column, write_table};
use crate::config::Noise;
use crate::inference::{Bounds, ErrorRate, Verdict};
use serde::Serialize;
use std::io::{self, Write};

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Columns whose two-sided p is below the level.
    FalsePositives,
    /// Columns whose interval of 95 % holds the true effect, which is 0.
    Coverage,
    /// Draws in which anything passed a threshold.
    Familywise,
    /// Columns whose whitened residuals the test of Ljung and Box finds not white at the level.
    NotWhite,
}

/// A rate that was counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationRow {
    /// The contrast; none where the rate is of the model.
    pub contrast: Option<String>,
    /// The noise model.
    pub noise: Noise,
    /// Whether it is the one that the model states.
    pub declared: bool,
    /// What was counted.
    pub counted: Counted,
    /// The rate that is meant: of false positives, of a family, of residuals taken for not white; of coverage .95.
    pub level: f64,
    /// Name of the threshold of a familywise rate.
    pub threshold: Option<String>,
    /// What was found.
    pub rate: ErrorRate,
    /// Within which it is right enough, where anything is asked of it.
    pub bounds: Option<Bounds>,
}

impl CalibrationRow {
    /// Whether the rate is right enough; of the declared noise model alone.
    pub fn verdict(&self) -> Option<Verdict> {
        self.bounds.filter(|_| self.declared).map(|bounds| self.rate.verdict(bounds))
    }
}

/// Where the numbers of a table come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CalibrationSidecar {
    /// In a sentence.
    pub description: &'static str,
    /// The model.
    pub model: String,
    /// `simulated` or `rest`.
    pub data: &'static str,
    /// Sets of null data.
    pub draws: usize,
    /// Where random numbers began; none of rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Columns that were analysed in each.
    pub analysed_columns: usize,
    /// Spectra that noise was drawn from, run by run; none of rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spectra: Vec<usize>,
    /// All rows, with more digits than anyone needs.
    pub rates: Vec<CalibrationRow>,
}

/// What a sidecar says.
pub const DESCRIPTION: &str =
    "How often the model finds an effect where there is none, on data with the noise of these runs and no effect.";

/// Writes `contrast noise declared counted level threshold value low high lowest highest verdict`, a row a rate.
///
/// # Errors
/// The sink fails.
pub fn write_calibration(sink: impl Write, rows: &[CalibrationRow]) -> io::Result<()> {
    let text = |of: &dyn Fn(&CalibrationRow) -> String| rows.iter().map(of).collect::<Vec<String>>();
    let numbers = |of: &dyn Fn(&CalibrationRow) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    let missing = || "n/a".to_owned();
    let contrast = text(&|row| row.contrast.clone().unwrap_or_else(missing));
    let noise = text(&|row| word(&row.noise));
    let declared = text(&|row| row.declared.to_string());
    let counted = text(&|row| word(&row.counted));
    let threshold = text(&|row| row.threshold.clone().unwrap_or_else(missing));
    let verdict = text(&|row| row.verdict().map_or_else(missing, |verdict| word(&verdict)));
    let bound = |of: fn(Bounds) -> f64| numbers(&|row| row.bounds.map_or(f64::NAN, of));
    write_table(
        sink,
        &[
            ("contrast", Column::Text(&contrast)),
            ("noise", Column::Text(&noise)),
            ("declared", Column::Text(&declared)),
            ("counted", Column::Text(&counted)),
            ("level", Column::Numbers(&numbers(&|row| row.level))),
            ("threshold", Column::Text(&threshold)),
            ("value", Column::Numbers(&numbers(&|row| row.rate.value))),
            ("low", Column::Numbers(&numbers(&|row| row.rate.low))),
            ("high", Column::Numbers(&numbers(&|row| row.rate.high))),
            ("lowest", Column::Numbers(&bound(|bounds| bounds.low))),
            ("highest", Column::Numbers(&bound(|bounds| bounds.high))),
            ("verdict", Column::Text(&verdict)),
        ],
    )
}

/// A value as its configuration or JSON spells it.
pub fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_was_counted_and_whether_it_is_right() {
        let rate = ErrorRate { value: 0.05, low: 0.045, high: 0.055 };
        let bounds = Some(Bounds { low: 0.043, high: 0.065 });
        let row = CalibrationRow {
            contrast: Some("faceVsHouse".to_owned()),
            noise: Noise::PooledAr,
            declared: true,
            counted: Counted::FalsePositives,
            level: 0.05,
            threshold: None,
            rate,
            bounds,
        };
        let other = CalibrationRow { noise: Noise::Ols, declared: false, bounds: None, ..row.clone() };
        let mut written = Vec::new();
        write_calibration(&mut written, &[row, other]).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "contrast\tnoise\tdeclared\tcounted\tlevel\tthreshold\tvalue\tlow\thigh\tlowest\thighest\tverdict\n\
             faceVsHouse\tpooled-ar\ttrue\tfalse_positives\t0.05\tn/a\t0.05\t0.045\t0.055\t0.043\t0.065\tinside\n\
             faceVsHouse\tols\tfalse\tfalse_positives\t0.05\tn/a\t0.05\t0.045\t0.055\tn/a\tn/a\tn/a\n"
        );
    }
}

//! Rates as a person reads them.

use super::{CalibratedModel, CalibrationOutcome};
use crate::error::counted;
use crate::inference::Verdict;
use crate::outputs::calibration::{CalibrationRow, Counted, word};
use std::fmt::Write as _;

impl CalibrationOutcome {
    /// All tables.
    pub fn text(&self) -> String {
        self.models.iter().map(CalibratedModel::text).collect::<Vec<_>>().join("\n")
    }
}

impl CalibratedModel {
    /// The table of a model: a line a contrast and noise model, a line a threshold.
    fn text(&self) -> String {
        let table = &self.table;
        let sets = counted(table.draws, if table.data == "rest" { "rest data set" } else { "null data set" });
        let columns = counted(table.analysed_columns, "column");
        let mut text = format!("{}, model {}: {sets}, {columns}\n", self.runs, table.model);
        let mut lines = vec![["contrast", "noise", "at .05", "at .01", "at .001", "coverage"].map(str::to_owned)];
        let mut others = String::new();
        let rows = &table.rates;
        for (at, row) in rows.iter().enumerate() {
            let noise = format!("{}{}", word(&row.noise), if row.declared { " *" } else { "" });
            match (row.counted, &row.contrast) {
                (Counted::FalsePositives, Some(contrast)) if (row.level - 0.05).abs() < 1e-9 => {
                    let of_line = |counted: Counted, level: f64| {
                        let own = rows[at..].iter().take_while(|other| other.contrast == row.contrast);
                        let mut own = own.filter(|other| other.noise == row.noise && other.counted == counted);
                        own.find(|other| (other.level - level).abs() < 1e-9).map(shown).unwrap_or_default()
                    };
                    lines.push([
                        contrast.clone(),
                        noise,
                        of_line(Counted::FalsePositives, 0.05),
                        of_line(Counted::FalsePositives, 0.01),
                        of_line(Counted::FalsePositives, 0.001),
                        of_line(Counted::Coverage, 0.95),
                    ]);
                }
                (Counted::Familywise, Some(contrast)) => {
                    let threshold = row.threshold.as_deref().unwrap_or_default();
                    let count = (row.rate.value * table.draws as f64).round() as usize;
                    // a String takes all
                    let _ = writeln!(
                        others,
                        "  {contrast}, {threshold}, {noise}: something passed in {count} of {}, {} (meant: {})",
                        counted(table.draws, "set"),
                        shown(row),
                        row.level
                    );
                }
                (Counted::NotWhite, _) => {
                    let _ = writeln!(others, "  {noise}: {} of columns are not white at .05", shown(row));
                }
                _ => {}
            }
        }
        let widths: [usize; 6] =
            std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0));
        for line in &lines {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        text + &others
    }
}

/// The rate with its interval, and whether it is right where that is asked: `!` it is not, `?` more draws would tell.
fn shown(row: &CalibrationRow) -> String {
    let digits = if row.level < 0.005 { 5 } else { 4 };
    let mark = match row.verdict() {
        Some(Verdict::Outside) => " !",
        Some(Verdict::Undecided) => " ?",
        Some(Verdict::Inside) | None => "",
    };
    format!("{:.digits$} ({:.digits$}-{:.digits$}){mark}", row.rate.value, row.rate.low, row.rate.high)
}

//! Error rates on null data, as `boldly calibrate` saved them.

use super::html::Html;
use super::saved::{Saved, SavedFile};
use super::table::{Align, Table};
use crate::outputs::Manifest;

/// The section of a subject; empty where nothing was calibrated. `results` is the manifest of what the page is about.
pub(super) fn section(saved: &Saved<'_>, results: &Manifest) -> Html {
    let is_of_rates = |file: &&SavedFile| file.is("stats.tsv", &[("desc", "calibration")]);
    let mut html = Html::default();
    for file in saved.files.iter().filter(is_of_rates) {
        let Some((columns, rows)) = saved.table(file) else { continue };
        let rates = Rates { columns: &columns, rows: &rows };
        let title = [file.model.as_str(), &file.level.name()].join(" ");
        html.push(Html::element("h3", &[], Html::text(title.trim_end())));
        html.push(rates.of_levels().html());
        let others = rates.others();
        if !others.is_empty() {
            html.push(others.html());
        }
    }
    if html.is_empty() {
        return html;
    }
    let mut with_words = Html::default();
    let (own, of_results) = (&saved.manifest.key, &results.key);
    if (own.plan, own.numerics_version, &own.inputs)
        != (of_results.plan, of_results.numerics_version, &of_results.inputs)
    {
        let stale = "These rates are of another state of the pipeline or its inputs: calibrate again.";
        with_words.push(Html::element("p", &[], Html::element("b", &[], Html::text(stale))));
    }
    let meaning = "How often the models find an effect where there is none: on data with the noise of these runs in time and in \
                   space (or on scans at rest) and the design as it is. Rates with 95 % intervals; of the declared noise model \
                   a verdict, where the whole interval is inside or outside what is right enough.";
    with_words.push(Html::element("p", &[], Html::text(meaning)));
    with_words.push(html);
    with_words
}

/// A saved table of rates.
struct Rates<'a> {
    columns: &'a [String],
    rows: &'a [Vec<String>],
}

impl Rates<'_> {
    fn cell<'r>(&self, row: &'r [String], column: &str) -> &'r str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| row.get(at)).map_or("", String::as_str)
    }

    fn number(&self, row: &[String], column: &str) -> f64 {
        self.cell(row, column).parse().unwrap_or(f64::NAN)
    }

    /// The rate with its interval and its verdict.
    fn shown(&self, row: &[String]) -> String {
        let digits = if self.number(row, "level") < 0.005 { 5 } else { 4 };
        let [value, low, high] = ["value", "low", "high"].map(|column| self.number(row, column));
        let verdict = match self.cell(row, "verdict") {
            "n/a" | "" => String::new(),
            verdict => format!(", {verdict}"),
        };
        format!("{value:.digits$} ({low:.digits$} to {high:.digits$}){verdict}")
    }

    fn noise(&self, row: &[String]) -> String {
        let declared = if self.cell(row, "declared") == "true" { " (declared)" } else { "" };
        format!("{}{declared}", self.cell(row, "noise"))
    }

    /// The contrast and the noise model that a row is of.
    fn key<'r>(&self, row: &'r [String]) -> (&'r str, &'r str) {
        (self.cell(row, "contrast"), self.cell(row, "noise"))
    }

    /// A row a contrast and noise model.
    fn of_levels(&self) -> Table {
        let heads = ["contrast", "noise", "false positives at .05", "at .01", "at .001", "coverage of 95 % intervals"];
        let mut table = Table::new("False positives and coverage", &heads.map(|head| (head, Align::Left)));
        let mut done: Vec<(&str, &str)> = Vec::new();
        for row in self.rows {
            let key = self.key(row);
            if self.cell(row, "counted") != "false_positives" || done.contains(&key) {
                continue;
            }
            done.push(key);
            let own = |counted: &str, level: f64| {
                let found = self.rows.iter().find(|other| {
                    self.key(other) == key
                        && self.cell(other, "counted") == counted
                        && (self.number(other, "level") - level).abs() < 1e-9
                });
                Html::text(&found.map(|found| self.shown(found)).unwrap_or_default())
            };
            table.row(vec![
                Html::text(key.0),
                Html::text(&self.noise(row)),
                own("false_positives", 0.05),
                own("false_positives", 0.01),
                own("false_positives", 0.001),
                own("coverage", 0.95),
            ]);
        }
        table
    }

    /// Errors over the family and whiteness.
    fn others(&self) -> Table {
        let heads = ["of", "noise", "what is meant", "found"];
        let mut table = Table::new(
            "Errors over the family, and residuals that are not white",
            &heads.map(|head| (head, Align::Left)),
        );
        for row in self.rows {
            let of = match self.cell(row, "counted") {
                "familywise" => {
                    format!("{}, {}: anything passes", self.cell(row, "contrast"), self.cell(row, "threshold"))
                }
                "not_white" => "columns that Ljung and Box's test finds not white".to_owned(),
                _ => continue,
            };
            let cells = [of, self.noise(row), self.cell(row, "level").to_owned(), self.shown(row)];
            table.row(cells.iter().map(|cell| Html::text(cell)).collect());
        }
        table
    }
}

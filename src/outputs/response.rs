//! Responses to conditions, delay by delay: a table of all, and a figure of each column of the data.

use super::line_figure::{Band, Ink, Line, LineFigure, LineStyle, Panel, Times, XUnits};
use super::tables::{Column, write_table};
use crate::inference::Response;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Characters of a name that go into the name of a figure.
const LABEL_LENGTH: usize = 60;

/// Writes `name condition delay_s estimate standard_error dof`: a row for each column of the data (`names`), condition and
/// delay, in this order.
///
/// # Errors
/// The sink fails.
pub fn write_responses(sink: impl Write, names: &[String], responses: &[Response]) -> io::Result<()> {
    let (mut rows, mut conditions) = (Vec::new(), Vec::new());
    let [mut delays, mut estimates, mut errors, mut dof] = [const { Vec::new() }; 4];
    for (column, name) in names.iter().enumerate() {
        for response in responses {
            for delay in &response.delays {
                rows.push(name.clone());
                conditions.push(response.condition.clone());
                delays.push(delay.delay_s);
                estimates.push(delay.estimate[column]);
                errors.push(delay.standard_error[column]);
                dof.push(delay.dof.at(column));
            }
        }
    }
    write_table(
        sink,
        &[
            ("name", Column::Text(&rows)),
            ("condition", Column::Text(&conditions)),
            ("delay_s", Column::Numbers(&delays)),
            ("estimate", Column::Numbers(&estimates)),
            ("standard_error", Column::Numbers(&errors)),
            ("dof", Column::Numbers(&dof)),
        ],
    )
}

/// The responses of one column of the data, `units` being those of a coefficient: a curve a condition over the delay, in
/// a band of one standard error to each side.
pub fn response_figure(title: &str, units: &str, responses: &[Response], column: usize) -> LineFigure {
    let mut panel =
        Panel { label: "coefficient \u{b1} standard error".to_owned(), units: units.to_owned(), ..Panel::default() };
    for (number, response) in responses.iter().enumerate() {
        let of_delays = |value: &dyn Fn(usize) -> f64| (0..response.delays.len()).map(value).collect::<Vec<f64>>();
        let times = Times::At(of_delays(&|at| response.delays[at].delay_s));
        let values = of_delays(&|at| response.delays[at].estimate[column]);
        let ink = Ink::Palette(number);
        panel.bands.push(Band {
            name: String::new(),
            times: times.clone(),
            centre: values.clone(),
            half_width: of_delays(&|at| response.delays[at].standard_error[column]),
            ink,
        });
        panel.lines.push(Line { name: response.condition.clone(), times, values, style: LineStyle::Dotted, ink });
    }
    LineFigure {
        title: title.to_owned(),
        panels: vec![panel],
        x_label: "delay after onset".to_owned(),
        x_units: XUnits::Seconds,
    }
}

/// Labels by which the figures of columns are named: the letters and digits of their names, numbered where two would be
/// one file, also on disks that do not tell capitals apart.
pub fn figure_labels(names: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let kept: String = name.chars().filter(char::is_ascii_alphanumeric).take(LABEL_LENGTH).collect();
            let stem = if kept.is_empty() { "column".to_owned() } else { kept };
            let numbered = (at + 1..).map(|number| format!("{stem}{number}"));
            let free = std::iter::once(stem.clone()).chain(numbered).find(|label| taken.insert(label.to_lowercase()));
            free.unwrap_or(stem)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::{DelayEstimate, Dof};

    fn responses() -> Vec<Response> {
        let delay = |delay_s: f64, sign: f64| DelayEstimate {
            delay_s,
            estimate: vec![sign * delay_s, f64::NAN],
            standard_error: vec![0.5, f64::NAN],
            dof: Dof::PerColumn(vec![97.0, 96.5]),
            runs: vec![0],
        };
        [("face", 1.0), ("house:rt", -1.0)]
            .map(|(condition, sign)| Response {
                condition: condition.to_owned(),
                delays: vec![delay(0.0, sign), delay(2.5, sign)],
            })
            .to_vec()
    }

    #[test]
    fn the_table_has_a_row_for_each_column_condition_and_delay() {
        let mut bytes = Vec::new();
        write_responses(&mut bytes, &["left".to_owned(), "right".to_owned()], &responses()).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap().replace('\t', " "), @r"
        name condition delay_s estimate standard_error dof
        left face 0.0 0.0 0.5 97.0
        left face 2.5 2.5 0.5 97.0
        left house:rt 0.0 -0.0 0.5 97.0
        left house:rt 2.5 -2.5 0.5 97.0
        right face 0.0 n/a n/a 96.5
        right face 2.5 n/a n/a 96.5
        right house:rt 0.0 n/a n/a 96.5
        right house:rt 2.5 n/a n/a 96.5
        ");
    }

    #[test]
    fn the_figure_holds_a_curve_and_a_band_a_condition() {
        let figure = response_figure("left", "percent", &responses(), 0);
        let panel = &figure.panels[0];
        assert_eq!(panel.lines[1].values, [0.0, -2.5]);
        assert_eq!(panel.lines[1].times, Times::At(vec![0.0, 2.5]));
        assert_eq!((&panel.bands[1].centre, &panel.bands[1].half_width), (&panel.lines[1].values, &vec![0.5, 0.5]));
        let svg = figure.svg();
        assert!(svg.contains(">house:rt</text>") && svg.contains(">delay after onset (s)</text>"));
        assert!(response_figure("right", "percent", &responses(), 1).svg().contains(">no values<"));
    }

    #[test]
    fn labels_of_figures_are_letters_and_digits_and_differ() {
        let names = ["left V1", "Left-v1", "leftV12", "\u{5de6}", "", "a"].map(str::to_owned);
        assert_eq!(figure_labels(&names), ["leftV1", "Leftv12", "leftV123", "column", "column5", "a"]);
        assert_eq!(figure_labels(&["x".repeat(300)])[0].len(), LABEL_LENGTH);
    }
}

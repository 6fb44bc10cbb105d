//! The spectrum of whitened residuals, as a table and as a figure.

use super::line_figure::{Ink, Line, LineFigure, LineStyle, Panel, Times, XUnits};
use super::tables::{Column, write_table};
use crate::model::SpectrumPoint;
use std::io::{self, Write};

/// Spectrum of a run.
pub struct RunSpectrum<'a> {
    /// How messages call the run.
    pub run: String,
    /// Ascending frequencies.
    pub points: &'a [SpectrumPoint],
}

/// Writes `run frequency_hz power task_share`: a row for each run and frequency.
///
/// # Errors
/// The sink fails.
pub fn write_spectra(sink: impl Write, runs: &[RunSpectrum<'_>]) -> io::Result<()> {
    let points = || runs.iter().flat_map(|run| run.points);
    let names: Vec<String> = runs.iter().flat_map(|run| run.points.iter().map(|_| run.run.clone())).collect();
    let of = |value: &dyn Fn(&SpectrumPoint) -> f64| points().map(value).collect::<Vec<f64>>();
    let (frequency, power, task) = (of(&|point| point.frequency_hz), of(&|point| point.power), of(&|point| point.task));
    write_table(
        sink,
        &[
            ("run", Column::Text(&names)),
            ("frequency_hz", Column::Numbers(&frequency)),
            ("power", Column::Numbers(&power)),
            ("task_share", Column::Numbers(&task)),
        ],
    )
}

/// Power of whitened residuals over frequency, a curve a run, 1 where they are white; below, where the task is.
pub fn whiteness_figure(title: &str, runs: &[RunSpectrum<'_>]) -> LineFigure {
    let mut power = Panel { label: "power, white = 1".to_owned(), ..Panel::default() };
    let mut task = Panel { label: "share of the task".to_owned(), ..Panel::default() };
    for (number, run) in runs.iter().enumerate() {
        let of = |value: &dyn Fn(&SpectrumPoint) -> f64| run.points.iter().map(value).collect::<Vec<f64>>();
        let line = |name: &str, values: Vec<f64>| Line {
            name: name.to_owned(),
            times: Times::At(of(&|point| point.frequency_hz)),
            values,
            style: LineStyle::Solid,
            ink: Ink::Palette(number),
        };
        power.lines.push(line(&run.run, of(&|point| point.power)));
        task.lines.push(line("", of(&|point| point.task)));
    }
    let panels = vec![power, task];
    LineFigure { title: title.to_owned(), panels, x_label: "frequency".to_owned(), x_units: XUnits::Hertz }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: [SpectrumPoint; 2] = [
        SpectrumPoint { frequency_hz: 0.01, power: 1.5, task: 0.25 },
        SpectrumPoint { frequency_hz: 0.02, power: 1.0, task: 0.75 },
    ];

    #[test]
    fn the_table_has_a_row_for_each_run_and_frequency() {
        let mut bytes = Vec::new();
        write_spectra(&mut bytes, &[RunSpectrum { run: "run-01".to_owned(), points: &POINTS }]).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap().replace('\t', " "), @r"
        run frequency_hz power task_share
        run-01 0.01 1.5 0.25
        run-01 0.02 1.0 0.75
        ");
    }

    #[test]
    fn the_figure_runs_along_frequency() {
        let figure = whiteness_figure("m", &[RunSpectrum { run: "run-01".to_owned(), points: &POINTS }]);
        assert_eq!(figure.panels[0].lines[0].values, [1.5, 1.0]);
        assert!(figure.svg().contains(">frequency (Hz)</text>"));
    }
}

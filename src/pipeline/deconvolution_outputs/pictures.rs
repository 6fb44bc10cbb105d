//! Pictures of what was measured and what came of it: data and fit above activity, with the events that are known.

use super::{DeconvolutionOutputs, Deconvolved};
use crate::config::FigureOf;
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::{EventTable, Support};
use crate::outputs::deconvolution_sidecar::units;
use crate::outputs::line_figure::{Band, Ink, Line, LineFigure, LineStyle, MarkStyle, Marks, Panel, Times, XUnits};
use crate::outputs::response::figure_labels;
use crate::pipeline::failure::Failure;
use crate::pipeline::regions::RegionSet;
use crate::preprocess::PassError;
use std::collections::BTreeSet;
use std::io::Write;

/// A column to be drawn: its place, what the file's name and the title call it.
struct Drawn {
    column: usize,
    label: String,
    title: String,
}

impl DeconvolutionOutputs<'_> {
    pub(super) fn write_pictures(
        &self,
        deconvolved: &Deconvolved<'_>,
        regions: Option<&RegionSet>,
        warnings: &mut Diagnostics,
    ) -> Result<(), Failure> {
        let roi = regions.map(|set| set.name.as_str());
        for drawn in self.drawn(&deconvolved.series.support, warnings) {
            let svg = self.figure(deconvolved, &drawn)?.svg();
            let path = self.names()?.deconvolution_figure(&drawn.label, roi)?;
            self.run.space.staged.write(&path, |file| file.write_all(svg.as_bytes()))?;
        }
        Ok(())
    }

    /// The columns that `figures` names among those of `support`.
    fn drawn(&self, support: &Support, warnings: &mut Diagnostics) -> Vec<Drawn> {
        let mut drawn = Vec::new();
        match support {
            Support::Columns { names } => {
                let labels = figure_labels(names);
                for (column, (name, label)) in names.iter().zip(labels).enumerate() {
                    let wanted = |figure: &FigureOf| matches!(figure, FigureOf::Named(wanted) if wanted.value == *name);
                    if self.settings.figures.iter().any(wanted) {
                        drawn.push(Drawn { column, label, title: name.clone() });
                    }
                }
            }
            Support::Voxels { grid, index } => {
                for figure in &self.settings.figures {
                    let FigureOf::Voxel(place) = figure else { continue };
                    let [i, j, k] = place.value;
                    let voxel = i + grid.shape[0] * (j + grid.shape[1] * k);
                    let title = format!("voxel ({i}, {j}, {k})");
                    if let Ok(column) = index.binary_search(&(voxel as u32)) {
                        drawn.push(Drawn { column, label: format!("i{i}j{j}k{k}"), title });
                    } else {
                        let message = format!("{title} is outside the mask: there is no picture of it");
                        let warning = Diagnostic::warning("figure-outside-mask", message);
                        warnings.push(Diagnostic { place: place.place(), ..warning });
                    }
                }
            }
        }
        drawn
    }

    fn figure(&self, deconvolved: &Deconvolved<'_>, drawn: &Drawn) -> Result<LineFigure, Failure> {
        let column = drawn.column;
        let data = column_of(deconvolved, column)?;
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
        let tr_s = self.run.run.tr_s;
        let start_s = self.start_s();
        let frames = Times::Even { start_s, step_s: tr_s };
        let samples = Times::Even { start_s, step_s: self.step_s() };
        let line = |name: &str, times: &Times, values, style, ink| Line {
            name: name.to_owned(),
            times: times.clone(),
            values,
            style,
            ink,
        };
        let mut lines = vec![line("data", &frames, data, LineStyle::Fine, Ink::Data)];
        if let Some(fitted) = &deconvolved.activity.fitted {
            lines.push(line("fitted", &frames, wide(fitted.column(column)?), LineStyle::Solid, Ink::Palette(1)));
        }
        let units = units(self.run.space.plan.settings.preprocess.scaling).to_owned();
        let marks = self.run.run.events.as_ref().map(marks).unwrap_or_default();
        let above =
            Panel { label: "signal".to_owned(), units: units.clone(), lines, marks: marks.clone(), ..Panel::default() };
        let of_run = |values: Vec<f32>| wide(values.into_iter().skip(deconvolved.activity.n_before).collect());
        let activity = of_run(deconvolved.activity.activity.column(column)?);
        let mut bands = Vec::new();
        if let Some(standard_error) = &deconvolved.activity.standard_error {
            bands.push(Band {
                name: "± 1 standard error".to_owned(),
                times: samples.clone(),
                centre: activity.clone(),
                half_width: of_run(standard_error.column(column)?),
                ink: Ink::Palette(0),
            });
        }
        let is_calcium = self.settings.kernel.is_calcium();
        let (name, style) = if is_calcium { ("spikes", LineStyle::Stems) } else { ("activity", LineStyle::Solid) };
        let lines = vec![line(name, &samples, activity, style, Ink::Palette(0))];
        let below = Panel { label: name.to_owned(), units, bands, lines, marks };
        let title = format!("{} in {}: {}", drawn.title, self.run.run.display_name(), *self.settings.name);
        Ok(LineFigure { title, panels: vec![above, below], x_label: "time".to_owned(), x_units: XUnits::Seconds })
    }
}

/// The scaled data of a column, censored frames too.
fn column_of(deconvolved: &Deconvolved<'_>, column: usize) -> Result<Vec<f64>, PassError> {
    let mut values = Vec::new();
    deconvolved.series.read(0..deconvolved.series.n_frames, column..column + 1, &mut values)?;
    Ok(deconvolved.scaler.scale_rows(&(column..column + 1), &values))
}

/// The events of each condition, each in a colour of its own.
fn marks(events: &EventTable) -> Vec<Marks> {
    let conditions: BTreeSet<&str> = events.events.iter().map(|event| event.condition.as_str()).collect();
    let of_condition = |(at, condition): (usize, &str)| {
        let own = events.events.iter().filter(|event| event.condition == condition);
        let events: Vec<(f64, f64)> = own.map(|event| (event.onset_s, event.duration_s)).collect();
        let is_brief = events.iter().all(|(_, duration)| *duration == 0.0);
        let style = if is_brief { MarkStyle::Ticks } else { MarkStyle::Span };
        // the first two colours are those of the curves
        Marks { name: condition.to_owned(), events, style, ink: Ink::Palette(2 + at) }
    };
    conditions.into_iter().enumerate().map(of_condition).collect()
}

//! Courses in time of a run: its regressors with the events behind them, and how the head moved.

use super::design::SavedDesign;
use super::quantity::{counted, decimal};
use crate::design::{ColumnRole, RunDesign};
use crate::outputs::design_sidecar::DesignSidecar;
use crate::outputs::line_figure::{Ink, Line, LineFigure, LineStyle, MarkStyle, Marks, Panel, Times, XUnits};
use ndarray::Array2;

/// Most panels of a figure: more conditions are in the heat map alone.
const MOST_PANELS: usize = 12;
/// Most curves of a panel.
const MOST_CURVES: usize = 8;
/// Radius of the sphere on which a rotation moves a voxel, mm (Power et al. 2012, doi 10.1016/j.neuroimage.2011.10.018).
const RADIUS_MM: f64 = 50.0;

/// The task regressors, a panel a condition, with its events; `None` where there are none.
pub(super) fn regressors(design: &RunDesign, sidecar: &DesignSidecar) -> Option<(LineFigure, String)> {
    let times = Times::At(design.timing.frame_times_s.clone());
    let mut panels: Vec<Panel> = Vec::new();
    let mut curves_left_out = 0;
    for (column, role) in design.roles.iter().enumerate() {
        let ColumnRole::Task { condition, .. } = role else { continue };
        let at = panels.iter().position(|panel| panel.label == *condition).unwrap_or_else(|| {
            panels.push(panel_of(condition, sidecar));
            panels.len() - 1
        });
        let panel = &mut panels[at];
        if panel.lines.len() == MOST_CURVES {
            curves_left_out += 1;
            continue;
        }
        panel.lines.push(Line {
            name: design.names[column].clone(),
            times: times.clone(),
            values: design.matrix.column(column).to_vec(),
            style: LineStyle::Solid,
            ink: Ink::Palette(panel.lines.len()),
        });
    }
    let panels_left_out = panels.len().saturating_sub(MOST_PANELS);
    panels.truncate(MOST_PANELS);
    if panels.is_empty() {
        return None;
    }
    let mut caption = "Regressors over time; columns behind them are the events.".to_owned();
    if panels_left_out + curves_left_out > 0 {
        caption.push_str(" Not all are drawn; the heat map has all of them.");
    }
    let title = format!("Task regressors of {}", design.run);
    Some((LineFigure { title, panels, x_label: "time".to_owned(), x_units: XUnits::Seconds }, caption))
}

fn panel_of(condition: &str, sidecar: &DesignSidecar) -> Panel {
    let own = sidecar.events.iter().filter(|events| events.condition == condition);
    let events: Vec<(f64, f64)> =
        own.flat_map(|events| events.onsets.iter().copied().zip(events.durations.iter().copied())).collect();
    let marks = Marks { name: "events".to_owned(), events, style: MarkStyle::Span, ink: Ink::Data };
    let marks = if marks.events.is_empty() { Vec::new() } else { vec![marks] };
    Panel { label: condition.to_owned(), marks, ..Panel::default() }
}

/// How the head moved in a run.
pub(super) struct Motion {
    /// The courses.
    pub(super) figure: LineFigure,
    /// What is drawn, and where displacements come from.
    pub(super) caption: String,
    /// In figures.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// Motion parameters among the columns of the design, framewise displacement, DVARS and censored volumes, as far as
/// they are saved; `None` where nothing is.
pub(super) fn motion(design: &SavedDesign<'_>) -> Option<Motion> {
    let sidecar = design.sidecar.as_ref()?;
    let (names, matrix) = design.table.as_ref()?;
    let row_time = |row: usize| sidecar.start_time + row as f64 * sidecar.repetition_time;
    let times = Times::At((0..matrix.nrows()).map(row_time).collect());
    let tr_s = sidecar.repetition_time;
    let censored: Vec<(f64, f64)> =
        sidecar.censored_rows.iter().map(|&row| (row_time(row) - tr_s / 2.0, tr_s)).collect();
    let marks = if censored.is_empty() {
        Vec::new()
    } else {
        vec![Marks { name: "censored".to_owned(), events: censored, style: MarkStyle::Span, ink: Ink::Palette(1) }]
    };
    let panel = |label: &str, units: &str, curves: Vec<(&str, Vec<f64>)>| Panel {
        label: label.to_owned(),
        units: units.to_owned(),
        lines: curves
            .into_iter()
            .enumerate()
            .map(|(at, (name, values))| Line {
                name: name.to_owned(),
                times: times.clone(),
                values,
                style: LineStyle::Solid,
                ink: Ink::Palette(at),
            })
            .collect(),
        marks: marks.clone(),
        ..Panel::default()
    };
    let group = |wanted: [&'static str; 3]| -> Vec<(&'static str, Vec<f64>)> {
        let of = |name: &'static str| {
            let at = names.iter().position(|column| column == name)?;
            Some((name, matrix.column(at).to_vec()))
        };
        wanted.into_iter().filter_map(of).collect()
    };
    let (moved, turned) = (group(["trans_x", "trans_y", "trans_z"]), group(["rot_x", "rot_y", "rot_z"]));
    let saved: Vec<f64> = sidecar.framewise_displacement.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let (displacement, source) = if saved.is_empty() {
        (
            displacement(names, matrix),
            "computed from the six motion parameters as sum of absolute differences, rotations (radians) at 50 mm",
        )
    } else {
        (Some(saved), "as in the confound table")
    };
    let mut panels = Vec::new();
    let mut facts = Vec::new();
    let mut caption = "Head motion of the run.".to_owned();
    if let Some(values) = displacement {
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let mean = finite.iter().sum::<f64>() / finite.len().max(1) as f64;
        let largest = finite.iter().copied().fold(0.0, f64::max);
        facts.push(("mean framewise displacement", format!("{} mm", decimal(mean, 3))));
        facts.push(("largest framewise displacement", format!("{} mm", decimal(largest, 3))));
        caption = format!("Head motion of the run. Framewise displacement {source}.");
        panels.push(panel("framewise displacement", "mm", vec![("framewise displacement", values)]));
    }
    if !sidecar.std_dvars.is_empty() {
        let values = sidecar.std_dvars.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        panels.push(panel("standardised DVARS", "", vec![("standardised DVARS", values)]));
    }
    if !moved.is_empty() {
        panels.push(panel("translations", "mm", moved));
    }
    if !turned.is_empty() {
        panels.push(panel("rotations", "radians", turned));
    }
    facts.push((
        "censored volumes",
        format!("{} of {}", sidecar.censored_rows.len(), counted(matrix.nrows(), "volume")),
    ));
    if panels.is_empty() {
        return None;
    }
    let title = format!("Motion in {}", sidecar.run);
    Some(Motion {
        figure: LineFigure { title, panels, x_label: "time".to_owned(), x_units: XUnits::Seconds },
        caption,
        facts,
    })
}

/// Framewise displacement from six motion parameters, where all of them are columns; the first frame has none.
fn displacement(names: &[String], matrix: &Array2<f64>) -> Option<Vec<f64>> {
    let mut total = vec![0.0; matrix.nrows()];
    let parameters = [
        ("trans_x", 1.0),
        ("trans_y", 1.0),
        ("trans_z", 1.0),
        ("rot_x", RADIUS_MM),
        ("rot_y", RADIUS_MM),
        ("rot_z", RADIUS_MM),
    ];
    for (name, mm) in parameters {
        let column = matrix.column(names.iter().position(|column| column == name)?);
        for (frame, total) in total.iter_mut().enumerate().skip(1) {
            *total += mm * (column[frame] - column[frame - 1]).abs();
        }
    }
    if let Some(first) = total.first_mut() {
        *first = f64::NAN;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn displacement_adds_translations_and_arcs() {
        let names = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"].map(str::to_owned).to_vec();
        let matrix = array![
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.1, -0.2, 0.0, 0.01, 0.0, 0.0],
            [0.1, -0.2, 0.3, 0.01, 0.0, -0.002]
        ];
        let found = displacement(&names, &matrix).unwrap();
        assert!(found[0].is_nan() && (found[1] - 0.8).abs() < 1e-12 && (found[2] - 0.4).abs() < 1e-12, "{found:?}");
        assert_eq!(displacement(&names[..5], &matrix), None);
    }
}

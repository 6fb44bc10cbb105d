//! Firing rates: the spikes of one recording, counted in bins and convolved with a kernel.

use super::failure::Failure;
use super::plan::Plan;
use crate::config::{Labels, RateKernel as Shape, RateSettings, SpikesSettings};
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use crate::inputs::{self, SpikeTable};
use crate::outputs::line_figure::{Ink, Line, LineFigure, LineStyle, MarkStyle, Marks, Panel, Times, XUnits};
use crate::outputs::rate_sidecar::RateSidecar;
use crate::outputs::{OutputNames, StagedOutputs, tables};
use crate::signal::rates::{RateKernel, SpikeCounts};
use std::io::Write;

/// Units that one picture shows.
const UNITS_DRAWN: usize = 6;

/// One recording, read.
#[derive(Debug)]
pub struct SpikesPlan {
    /// Its labels.
    pub labels: Labels,
    /// Its spikes.
    pub table: SpikeTable,
}

impl SpikesPlan {
    /// Reads the table, and makes sure that its spikes can be binned as every `[[rate]]` says.
    pub(super) fn new(
        plan_rates: &[RateSettings],
        spikes: &SpikesSettings,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        let unit_column = spikes.unit_column.as_ref().map(|name| name.value.as_str());
        let read = inputs::read_spikes(&spikes.table, &spikes.time_column, unit_column, spikes.duration_s.value);
        let (table, mut problems) = read.map_err(|found| super::plan_run::found_from(found, &spikes.table))?;
        for rate in plan_rates {
            let (bin_s, duration_s) = (rate.bin_s.value, spikes.duration_s.value);
            if bin_s > duration_s {
                let message = format!("a bin of {bin_s} s is longer than the recording of {duration_s} s");
                let problem = Diagnostic::error("rate-bin", message).hint("give a smaller `bin_s`, in seconds");
                problems.push(Diagnostic { place: rate.bin_s.place(), ..problem });
            } else if let Err(problem) =
                SpikeCounts::of_spikes(&[], duration_s, bin_s).and_then(|counts| counts.rates_smoothed(kernel(rate)))
            {
                let problem = Diagnostic::error("rate-bin", problem.to_string());
                problems.push(Diagnostic { place: rate.bin_s.place(), ..problem });
            }
        }
        problems.finish(Self { labels: spikes.labels.clone(), table })
    }
}

fn kernel(rate: &RateSettings) -> RateKernel {
    let width_s = rate.sigma_s.value;
    match rate.kernel {
        Shape::Box => RateKernel::Box { width_s },
        Shape::Gaussian => RateKernel::Gaussian { sigma_s: width_s },
        Shape::HalfGaussian => RateKernel::HalfGaussian { sigma_s: width_s },
        Shape::Exponential => RateKernel::Exponential { tau_s: width_s },
    }
}

/// Estimates and writes the rates of one recording: counts and rates as tables with a column a unit, and a picture.
pub(super) fn run(
    plan: &Plan,
    spikes: &SpikesPlan,
    staged: &StagedOutputs,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    for settings in &plan.settings.rates {
        let names = OutputNames::of_run(&settings.name, &spikes.labels)?;
        let mut counted = Vec::new();
        let mut rates = Vec::new();
        for unit in &spikes.table.units {
            cancel.check()?;
            let problem = |error: crate::signal::rates::RateError| {
                Diagnostic::error("rate-bin", format!("unit `{}`: {error}", unit.unit))
            };
            let counts = SpikeCounts::of_spikes(&unit.times_s, spikes.table.duration_s, settings.bin_s.value)
                .map_err(problem)?;
            rates.push(counts.rates_smoothed(kernel(settings)).map_err(problem)?);
            counted.push(counts);
        }
        let Some(first) = counted.first() else { continue };
        let times_s = first.centres_s();
        let header: Vec<String> = std::iter::once("time_s".to_owned())
            .chain(spikes.table.units.iter().map(|unit| unit.unit.clone()))
            .collect();
        let rows = |values: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            let row = |bin: usize| {
                std::iter::once(times_s[bin]).chain((0..counted.len()).map(|unit| values(unit, bin))).collect()
            };
            (0..times_s.len()).map(row).collect()
        };
        for (what, table) in [
            ("counts", rows(&|unit, bin| f64::from(counted[unit].counts()[bin]))),
            ("rate", rows(&|unit, bin| rates[unit][bin])),
        ] {
            let path = names.rate_table(what)?;
            staged.write(&path, |file| tables::write_series(file, &header, table))?;
            staged.write_json(&path.sidecar(), &RateSidecar::new(what, settings, spikes.table.duration_s))?;
        }
        let svg = figure(settings, spikes, &times_s, &rates).svg();
        staged.write(&names.rate_figure()?, |file| file.write_all(svg.as_bytes()))?;
    }
    Ok(())
}

/// Ticks of the spikes above the rate, a panel a unit.
fn figure(settings: &RateSettings, spikes: &SpikesPlan, times_s: &[f64], rates: &[Vec<f64>]) -> LineFigure {
    let panel = |(at, (unit, rate)): (usize, (&inputs::SpikeTrain, &Vec<f64>))| Panel {
        label: unit.unit.clone(),
        units: "spikes/s".to_owned(),
        lines: vec![Line {
            name: "rate".to_owned(),
            times: Times::At(times_s.to_vec()),
            values: rate.clone(),
            style: LineStyle::Solid,
            ink: Ink::Palette(at),
        }],
        marks: vec![Marks {
            name: String::new(),
            events: unit.times_s.iter().map(|time_s| (*time_s, 0.0)).collect(),
            style: MarkStyle::Ticks,
            ink: Ink::Data,
        }],
        ..Panel::default()
    };
    let drawn = spikes.table.units.iter().zip(rates).take(UNITS_DRAWN);
    let title = format!("{}: {}", super::plan_run::display_name(&spikes.labels), *settings.name);
    LineFigure {
        title,
        panels: drawn.enumerate().map(panel).collect(),
        x_label: "time".to_owned(),
        x_units: XUnits::Seconds,
    }
}

//! Series as a line figure: panels above one time axis, as SVG text.
//!
//! Written by hand, without script and without fonts of its own: the same figure is the same bytes on every machine,
//! and any browser or vector editor opens it. Times are seconds; an axis longer than ten minutes is in minutes.

mod axis;
mod ink;
mod legend;
mod panel;
#[cfg(test)]
mod tests;
mod thin;

use crate::design::xml::escape;
use axis::{Range, Ticks};
pub use ink::Ink;
use legend::Legend;
use panel::Frame;
use std::fmt::Write as _;

/// Pixels the figure is wide.
const WIDTH: f64 = 960.0;
/// Pixels left of the curves, for the numbers of the value axis.
const LEFT: f64 = 64.0;
/// Pixels right of the curves.
const RIGHT: f64 = 24.0;
/// Pixels above the first panel, for the title.
const TOP: f64 = 44.0;
/// Pixels between two panels.
const BETWEEN: f64 = 18.0;
/// Pixels below the last panel, for the time axis.
const BOTTOM: f64 = 46.0;
/// Pixels that all panels share for their curves, and the least and the most one of them gets.
const CURVES: f64 = 480.0;
const LOWEST_PANEL: f64 = 110.0;
const HIGHEST_PANEL: f64 = 300.0;
/// Seconds from which on the time axis is in minutes.
const LONG_S: f64 = 600.0;
/// Most ticks of the time axis.
const TIME_TICKS: usize = 12;
/// Characters of a title that fit.
const TITLE_LENGTH: usize = 100;

/// Panels above one time axis.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFigure {
    /// What is shown, in words.
    pub title: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
    /// What time counts from, without its unit: `time`, `delay after onset`.
    pub x_label: String,
    /// Its units.
    pub x_units: XUnits,
}

/// Curves with one value axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// What the values are.
    pub label: String,
    /// Their units; empty where they have none.
    pub units: String,
    /// Behind the lines.
    pub bands: Vec<Band>,
    /// The later ones lie on top.
    pub lines: Vec<Line>,
    /// Events, behind all.
    pub marks: Vec<Marks>,
}

/// When the values of a curve are.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// Evenly spaced.
    Even {
        /// Time of the first, seconds.
        start_s: f64,
        /// Between neighbours, seconds.
        step_s: f64,
    },
    /// Each on its own, seconds, ascending.
    At(Vec<f64>),
}

impl Times {
    /// Of the value with this index; not a number beyond the last.
    fn at(&self, index: usize) -> f64 {
        match self {
            Self::Even { start_s, step_s } => start_s + index as f64 * step_s,
            Self::At(times) => times.get(index).copied().unwrap_or(f64::NAN),
        }
    }
}

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// As the legend calls it; the legend leaves out what has no name.
    pub name: String,
    /// When.
    pub times: Times,
    /// What; a value that is not finite is a gap.
    pub values: Vec<f64>,
    /// How.
    pub style: LineStyle,
    /// In which colour.
    pub ink: Ink,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStyle {
    /// A line.
    Solid,
    /// A thinner one, for measurements behind an estimate.
    Fine,
    /// A broken one, for the truth beside an estimate.
    Dashed,
    /// A line with a dot at each value.
    Dotted,
    /// Dots alone.
    Points,
    /// A stem from zero to each value that is not zero: spikes.
    Stems,
}

/// An area around a curve: its uncertainty.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// As the legend calls it; the legend leaves out what has no name.
    pub name: String,
    /// When.
    pub times: Times,
    /// Middle of the band.
    pub centre: Vec<f64>,
    /// Half its height, such as a standard error; one that is not finite is a gap, like a middle.
    pub half_width: Vec<f64>,
    /// In which colour.
    pub ink: Ink,
}

impl Band {
    fn edge(&self, sign: f64) -> impl Iterator<Item = (f64, f64)> {
        let values = self.centre.iter().zip(&self.half_width).enumerate();
        values.map(move |(at, (centre, half))| (self.times.at(at), centre + sign * half))
    }
}

/// Events of one kind, such as a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    /// As the legend calls it; the legend leaves out what has no name.
    pub name: String,
    /// Onset and duration of each, seconds.
    pub events: Vec<(f64, f64)>,
    /// How they are drawn.
    pub style: MarkStyle,
    /// In which colour.
    pub ink: Ink,
}

/// What runs along the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XUnits {
    /// Time: seconds, or minutes where there are many.
    Seconds,
    /// Frequency.
    Hertz,
}

/// How events are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkStyle {
    /// A light column behind the curves, as wide as the event is long.
    Span,
    /// A tick at each onset, in a row of its own above the curves: spikes.
    Ticks,
}

impl LineFigure {
    /// The figure as SVG text on a white background. The same figure gives the same bytes; a curve takes at most some
    /// 20 kB, whatever its length.
    pub fn svg(&self) -> String {
        let times = self.times();
        let (unit_s, unit) = match self.x_units {
            XUnits::Seconds if times.length() > LONG_S => (60.0, "min"),
            XUnits::Seconds => (1.0, "s"),
            XUnits::Hertz => (1.0, "Hz"),
        };
        let scaled = Range { low: times.low / unit_s, high: times.high / unit_s };
        let ticks = Ticks::of(scaled, TIME_TICKS);
        let marked: Vec<f64> = ticks.values.iter().map(|value| value * unit_s).collect();
        let mut body = String::new();
        let mut legend = Legend::default();
        let mut top = TOP;
        let curves = self.panels.iter().filter(|panel| panel.has_curves()).count().max(1);
        let height = (CURVES / curves as f64).clamp(LOWEST_PANEL, HIGHEST_PANEL);
        for panel in &self.panels {
            let frame = Frame { times, ticks: &marked, left: LEFT, width: WIDTH - LEFT - RIGHT };
            top = panel.draw(&mut body, &frame, &mut legend, top, height) + BETWEEN;
        }
        let bottom = if self.panels.is_empty() { TOP } else { top - BETWEEN };
        let frame = Frame { times, ticks: &marked, left: LEFT, width: WIDTH - LEFT - RIGHT };
        for (value, time) in ticks.values.iter().zip(&marked) {
            let (x, label) = (pixel(frame.x(*time)), ticks.label(*value));
            let _ =
                writeln!(body, "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", pixel(bottom + 18.0));
        }
        let (x, y) = (pixel(LEFT + frame.width / 2.0), pixel(bottom + 36.0));
        let unit = with_exponent(unit, ticks.exponent);
        let _ = writeln!(
            body,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"12\">{} ({unit})</text>",
            escape(&self.x_label)
        );
        self.framed(&body, bottom + BOTTOM)
    }

    fn framed(&self, body: &str, height: f64) -> String {
        let (width, height) = (pixel(WIDTH), pixel(height));
        let (title, shown) = (escape(&self.title), escape(&shortened(&self.title, TITLE_LENGTH)));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#333\" \
             stroke-linejoin=\"round\">\n<title>{title}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
             <text x=\"16\" y=\"26\" font-size=\"15\" font-weight=\"bold\" fill=\"#111\">{shown}</text>\n{body}</svg>\n"
        )
    }

    /// From the first to the last time of all curves, or of all events where there are no curves.
    fn times(&self) -> Range {
        let ends = |times: &Times, length: usize| {
            // a table's times are looked at one by one: what has no time is not drawn
            let of_table = match times {
                Times::Even { .. } => [0, length.saturating_sub(1)].into_iter().take(length).collect(),
                Times::At(_) => (0..length).collect::<Vec<usize>>(),
            };
            Range::of(of_table.into_iter().map(|at| times.at(at)))
        };
        let of_panel = |panel: &Panel| -> Vec<Range> {
            let lines = panel.lines.iter().filter_map(|line| ends(&line.times, line.values.len()));
            lines.chain(panel.bands.iter().filter_map(|band| ends(&band.times, band.centre.len()))).collect()
        };
        let curves: Vec<Range> = self.panels.iter().flat_map(of_panel).collect();
        let events = self.panels.iter().flat_map(|panel| &panel.marks).flat_map(|marks| &marks.events);
        Range::of(curves.iter().flat_map(|range| [range.low, range.high]))
            .or_else(|| Range::of(events.flat_map(|(onset, duration)| [*onset, onset + duration])))
            .unwrap_or(Range { low: 0.0, high: 1.0 })
            .widened()
    }
}

/// A coordinate to a tenth of a pixel.
pub(crate) fn pixel(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0 + 0.0; // + 0.0 turns -0 into 0
    format!("{tenths}")
}

/// A unit with the power of ten that the numbers leave out.
fn with_exponent(units: &str, exponent: i32) -> String {
    if exponent == 0 {
        return units.to_owned();
    }
    let raised = |digit: char| match digit {
        '-' => '\u{207b}',
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        digit => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
    };
    let power: String = exponent.to_string().chars().map(raised).collect();
    format!("\u{d7}10{power} {units}").trim_end().to_owned()
}

/// Text of at most `most` characters, the last of them an ellipsis where it was longer.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect()
}

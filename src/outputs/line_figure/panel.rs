//! One panel: rows of ticks, then the plane with its grid, events, bands and curves.

use super::axis::{Range, Ticks};
use super::ink::Ink;
use super::legend::Legend;
use super::thin::{Stretch, stretches};
use super::{Band, Line, LineStyle, MarkStyle, Marks, Panel, pixel, with_exponent};
use std::fmt::Write as _;

/// Opacity of a band, and of the column behind an event.
pub(super) const BAND_OPACITY: &str = "0.22";
pub(super) const SPAN_OPACITY: &str = "0.13";
/// Pixels from one row of ticks to the next, at most; and that all rows of a panel share.
const ROW: f64 = 14.0;
const ROWS: f64 = 240.0;
/// Pixels between two ticks of the value axis, at least.
const TICK_DISTANCE: f64 = 26.0;
/// Most ticks of the value axis.
const MOST_TICKS: usize = 8;
/// Pixels a plane without curves is high: it shows events alone.
const BARE_PLANE: f64 = 18.0;
/// Pixels below which an event's column would be too faint; its line is darker instead.
const NARROW: f64 = 2.5;

/// The time axis that all panels share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) times: Range,
    /// Seconds.
    pub(super) ticks: &'a [f64],
    pub(super) left: f64,
    pub(super) width: f64,
}

impl Frame<'_> {
    /// Pixel of a time.
    pub(super) fn x(&self, time_s: f64) -> f64 {
        self.left + self.width * self.times.share(time_s)
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }
}

/// Where the values of a panel are.
struct Plane<'a> {
    frame: &'a Frame<'a>,
    values: Range,
    top: f64,
    height: f64,
}

impl Panel {
    pub(super) fn has_curves(&self) -> bool {
        !self.lines.is_empty() || !self.bands.is_empty()
    }

    /// Draws the panel from `top` on, its curves `height` pixels high; gives where it ends.
    pub(super) fn draw(&self, out: &mut String, frame: &Frame<'_>, legend: &mut Legend, top: f64, height: f64) -> f64 {
        let found = self.values();
        let values = found.unwrap_or(Range { low: 0.0, high: 1.0 });
        let mut ticks = Ticks::of(values, MOST_TICKS.min((height / TICK_DISTANCE) as usize));
        if found.is_none() {
            ticks.values.clear(); // numbers would speak of values that are not there
        }
        let units = with_exponent(&self.units, ticks.exponent);
        let heading = if units.is_empty() { self.label.clone() } else { format!("{} ({units})", self.label) };
        let mut top = legend.draw(out, self, &heading, [frame.left, frame.right()], top);
        let rows: Vec<&Marks> = self.marks.iter().filter(|marks| marks.style == MarkStyle::Ticks).collect();
        let row = ROW.min(ROWS / rows.len().max(1) as f64);
        for marks in rows {
            draw_ticks(out, frame, marks, top, row);
            top += row;
        }
        let spans = self.marks.iter().filter(|marks| marks.style == MarkStyle::Span);
        let height = match self.has_curves() {
            true => height,
            false if spans.clone().next().is_some() => BARE_PLANE,
            false => 0.0,
        };
        let plane = Plane { frame, values, top, height };
        spans.for_each(|marks| plane.draw_spans(out, marks));
        plane.draw_grid(out, &ticks);
        if found.is_none() && self.has_curves() {
            let (x, y) = (pixel(frame.left + frame.width / 2.0), pixel(top + height / 2.0 + 4.0));
            let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#777\">no values</text>");
        }
        self.bands.iter().for_each(|band| plane.draw_band(out, band));
        self.lines.iter().for_each(|line| plane.draw_line(out, line));
        top + height
    }

    /// What the value axis spans; `None` where there are no values.
    fn values(&self) -> Option<Range> {
        let lines = self.lines.iter().flat_map(|line| line.values.iter().copied());
        let bands = self.bands.iter().flat_map(|band| band.edge(1.0).chain(band.edge(-1.0)).map(|(_, value)| value));
        let range = Range::of(lines.chain(bands))?;
        let stems = self.lines.iter().any(|line| line.style == LineStyle::Stems);
        let range = if stems { Range { low: range.low.min(0.0), high: range.high.max(0.0) } } else { range };
        Some(range.widened().padded())
    }
}

impl LineStyle {
    pub(super) fn width(self) -> &'static str {
        if self == Self::Fine { "1" } else { "1.8" }
    }

    pub(super) fn dashes(self, ink: Ink) -> &'static str {
        if self == Self::Dashed { "5 3" } else { ink.dashes() }
    }
}

impl Plane<'_> {
    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - self.values.share(value))
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Light lines at the ticks, a darker one at zero, and the time axis below.
    fn draw_grid(&self, out: &mut String, ticks: &Ticks) {
        let (left, width, bottom) = (pixel(self.frame.left), pixel(self.frame.width), pixel(self.bottom()));
        let mut lines = String::new();
        for time in self.frame.ticks {
            let _ = write!(lines, "M{},{}V{bottom}", pixel(self.frame.x(*time)), pixel(self.top));
        }
        for value in &ticks.values {
            let y = self.y(*value);
            let _ = write!(lines, "M{left},{}h{width}", pixel(y));
            let (x, y, label) = (pixel(self.frame.left - 8.0), pixel(y + 4.0), ticks.label(*value));
            let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{label}</text>");
        }
        path(out, &lines, "0.7", "#e4e4e4", "");
        if !ticks.values.is_empty() && self.values.holds(0.0) {
            path(out, &format!("M{left},{}h{width}", pixel(self.y(0.0))), "0.9", "#a8a8a8", "");
        }
        let mut axis = format!("M{left},{bottom}h{width}");
        for time in self.frame.ticks {
            let _ = write!(axis, "M{},{bottom}v4", pixel(self.frame.x(*time)));
        }
        path(out, &axis, "0.9", "#777777", "");
    }

    /// A light column for each event that the time axis shows, with a bar on top that tells short and overlapping ones.
    fn draw_spans(&self, out: &mut String, marks: &Marks) {
        let (mut columns, mut lines, mut bars) = (String::new(), String::new(), String::new());
        let (top, bottom) = (pixel(self.top), pixel(self.bottom()));
        for (from, to) in visible(self.frame, marks) {
            let (x, width) = (pixel(from), pixel(to - from));
            if to - from < NARROW {
                let _ = write!(lines, "M{x},{top}V{bottom}");
            } else {
                let _ = write!(columns, "M{x},{top}h{width}V{bottom}h-{width}z");
            }
            let _ = write!(bars, "M{x},{}h{}", pixel(self.top + 1.5), pixel((to - from).max(NARROW)));
        }
        area(out, &columns, marks.ink, SPAN_OPACITY);
        path(out, &lines, "0.6", marks.ink.colour(), "");
        path(out, &bars, "3", marks.ink.colour(), "");
    }

    fn draw_band(&self, out: &mut String, band: &Band) {
        let edge = |sign| stretches(band.edge(sign).map(|(time, value)| self.point(time, value)));
        let mut areas = String::new();
        for (upper, lower) in edge(1.0).iter().zip(&edge(-1.0)) {
            trace(&mut areas, upper.iter().chain(lower.iter().rev()));
            areas.push('z');
        }
        area(out, &areas, band.ink, BAND_OPACITY);
    }

    fn draw_line(&self, out: &mut String, line: &Line) {
        let values = line.values.iter().enumerate();
        // a stem of no height is no spike
        let drawn = values.filter(|(_, value)| line.style != LineStyle::Stems || **value != 0.0);
        let pieces = stretches(drawn.map(|(at, value)| self.point(line.times.at(at), *value)));
        if line.style == LineStyle::Stems {
            let foot = pixel(self.y(0.0));
            let mut stems = String::new();
            for (x, y) in pieces.iter().flatten() {
                let _ = write!(stems, "M{},{foot}V{}", pixel(*x), pixel(*y));
            }
            path(out, &stems, "1.5", line.ink.colour(), "");
            return;
        }
        if line.style != LineStyle::Points {
            let (mut traced, mut lone) = (String::new(), String::new());
            for piece in &pieces {
                if let [(x, y)] = piece[..] {
                    let _ = write!(lone, "M{},{}h0", pixel(x), pixel(y)); // round ends make a dot of it
                } else {
                    trace(&mut traced, piece.iter());
                }
            }
            path(out, &traced, line.style.width(), line.ink.colour(), line.style.dashes(line.ink));
            path(out, &lone, "3.2", line.ink.colour(), "");
        }
        if matches!(line.style, LineStyle::Points | LineStyle::Dotted) {
            dots(out, &pieces, line.ink);
        }
    }

    fn point(&self, time_s: f64, value: f64) -> (f64, f64) {
        (self.frame.x(time_s), self.y(value))
    }
}

/// A row of ticks, one an onset; those that fall on one half pixel are one.
fn draw_ticks(out: &mut String, frame: &Frame<'_>, marks: &Marks, top: f64, row: f64) {
    let tall = pixel(0.75 * row);
    let mut places: Vec<i64> = visible(frame, marks).map(|(x, _)| (2.0 * x).round() as i64).collect();
    places.sort_unstable();
    places.dedup();
    let (mut ticks, top) = (String::new(), pixel(top));
    for half in places {
        let _ = write!(ticks, "M{},{top}v{tall}", half as f64 / 2.0);
    }
    path(out, &ticks, "1.2", marks.ink.colour(), "");
}

/// Pixels at which the events begin and end, as far as the time axis shows them.
fn visible(frame: &Frame<'_>, marks: &Marks) -> impl Iterator<Item = (f64, f64)> {
    let Range { low, high } = frame.times;
    let ends = marks.events.iter().map(|(onset, duration)| (*onset, onset + duration.max(0.0)));
    ends.filter(move |(from, to)| *from <= high && *to >= low)
        .map(move |(from, to)| (frame.x(from.max(low)), frame.x(to.min(high))))
}

/// Appends a line through points to a path.
fn trace<'a>(path: &mut String, points: impl Iterator<Item = &'a (f64, f64)>) {
    for (at, (x, y)) in points.enumerate() {
        // what follows the point after M is a line to it
        path.push(if at == 0 { 'M' } else { ' ' });
        let _ = write!(path, "{},{}", pixel(*x), pixel(*y));
    }
}

/// Writes a line; nothing where there is none.
pub(super) fn path(out: &mut String, traced: &str, width: &str, colour: &str, dashes: &str) {
    if traced.is_empty() {
        return;
    }
    let _ = write!(out, "<path d=\"{traced}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"");
    let _ = match dashes {
        "" => writeln!(out, " stroke-linecap=\"{}\"/>", if width == "3" { "butt" } else { "round" }),
        dashes => writeln!(out, " stroke-dasharray=\"{dashes}\"/>"),
    };
}

fn area(out: &mut String, traced: &str, ink: Ink, opacity: &str) {
    if !traced.is_empty() {
        let colour = ink.colour();
        let _ = writeln!(out, "<path d=\"{traced}\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>");
    }
}

/// Writes a dot at each point, set off from what lies behind it.
pub(super) fn dots(out: &mut String, pieces: &[Stretch], ink: Ink) {
    let mut places = String::new();
    for (x, y) in pieces.iter().flatten() {
        let _ = write!(places, "M{},{}h0", pixel(*x), pixel(*y));
    }
    path(out, &places, "7", "#ffffff", "");
    path(out, &places, "5", ink.colour(), "");
}

//! What the colours mean: beside each panel's name, every look once in a figure.

use super::ink::Ink;
use super::{LineStyle, MarkStyle, Panel, pixel, shortened};
use crate::design::xml::escape;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Pixels from one line of the legend to the next.
pub(super) const LEGEND_LINE: f64 = 18.0;
/// Pixels a sample is wide, and from it to its words.
const SAMPLE: f64 = 22.0;
const TO_WORDS: f64 = 6.0;
/// Pixels between two entries.
const BETWEEN: f64 = 18.0;
/// Characters of a name that are shown.
const NAME_LENGTH: usize = 40;
/// Pixels a character of the legend takes on average; of the panel's bold name. Generous: overlap is worse than space.
const CHARACTER: f64 = 6.2;
const BOLD_CHARACTER: f64 = 7.4;

/// What an entry's sample looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Line(LineStyle),
    Band,
    Marks(MarkStyle),
}

/// Which entries the figure has shown so far.
#[derive(Debug, Default)]
pub(super) struct Legend {
    shown: BTreeSet<String>,
}

impl Legend {
    /// Writes a panel's name and what of its legend is new; gives the y below.
    pub(super) fn draw(
        &mut self,
        out: &mut String,
        panel: &Panel,
        heading: &str,
        [left, right]: [f64; 2],
        top: f64,
    ) -> f64 {
        let mut y = top + 12.0;
        let heading = shortened(heading, 80);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" font-size=\"12\" font-weight=\"bold\">{}</text>",
            pixel(left),
            pixel(y),
            escape(&heading)
        );
        let mut x = left + heading.chars().count() as f64 * BOLD_CHARACTER + BETWEEN;
        for (name, look, ink) in entries(panel) {
            if name.is_empty() || !self.shown.insert(format!("{name}\u{0}{look:?}{ink:?}")) {
                continue;
            }
            let name = shortened(name, NAME_LENGTH);
            let width = SAMPLE + TO_WORDS + name.chars().count() as f64 * CHARACTER;
            if x + width > right && x > left {
                (x, y) = (left, y + LEGEND_LINE);
            }
            draw_sample(out, look, ink, x, y - 4.0);
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\">{}</text>",
                pixel(x + SAMPLE + TO_WORDS),
                pixel(y),
                escape(&name)
            );
            x += width + BETWEEN;
        }
        y + 10.0
    }
}

fn entries(panel: &Panel) -> impl Iterator<Item = (&str, Look, Ink)> {
    let lines = panel.lines.iter().map(|line| (line.name.as_str(), Look::Line(line.style), line.ink));
    let bands = panel.bands.iter().map(|band| (band.name.as_str(), Look::Band, band.ink));
    let marks = panel.marks.iter().map(|marks| (marks.name.as_str(), Look::Marks(marks.style), marks.ink));
    lines.chain(bands).chain(marks)
}

/// A sample from `x` on, around the height `y`.
fn draw_sample(out: &mut String, look: Look, ink: Ink, x: f64, y: f64) {
    let block = |out: &mut String, opacity: &str| {
        let (x, y, colour) = (pixel(x), pixel(y - 6.0), ink.colour());
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{SAMPLE}\" height=\"12\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>"
        );
    };
    let middle = x + SAMPLE / 2.0;
    match look {
        Look::Line(LineStyle::Points) => super::panel::dots(out, &[vec![(middle, y)]], ink),
        Look::Line(LineStyle::Stems) => {
            super::panel::path(out, &format!("M{},{}v-11", pixel(middle), pixel(y + 5.0)), "1.5", ink.colour(), "");
        }
        Look::Line(style) => {
            let path = format!("M{},{}h{SAMPLE}", pixel(x), pixel(y));
            super::panel::path(out, &path, style.width(), ink.colour(), style.dashes(ink));
            if style == LineStyle::Dotted {
                super::panel::dots(out, &[vec![(middle, y)]], ink);
            }
        }
        Look::Band => block(out, super::panel::BAND_OPACITY),
        Look::Marks(MarkStyle::Span) => {
            block(out, super::panel::SPAN_OPACITY);
            let path = format!("M{},{}h{SAMPLE}", pixel(x), pixel(y - 5.0));
            super::panel::path(out, &path, "2.5", ink.colour(), "");
        }
        Look::Marks(MarkStyle::Ticks) => {
            let top = pixel(y - 5.0);
            let [left, inner, right] = [-6.0, 1.0, 5.0].map(|to| pixel(middle + to));
            let ticks = format!("M{left},{top}v10M{inner},{top}v10M{right},{top}v10");
            super::panel::path(out, &ticks, "1.2", ink.colour(), "");
        }
    }
}

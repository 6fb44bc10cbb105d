//! The design matrix as a picture: a heat map, one column a regressor, time downwards.

use super::RunDesign;
use super::xml::escape;
use std::fmt::Write as _;

/// Pixels a column is wide.
const COLUMN_WIDTH: usize = 18;
/// Pixels the matrix is high.
const HEIGHT: f64 = 480.0;
/// Pixels left of the matrix, for frame numbers.
const LEFT: usize = 56;
/// Steps of colour to either side of zero.
const SHADES: i32 = 16;
/// Colour of the largest positive and negative value; zero is white. Told apart by all common kinds of colour vision.
const POSITIVE: [f64; 3] = [178.0, 24.0, 43.0];
const NEGATIVE: [f64; 3] = [33.0, 102.0, 172.0];

/// The design as SVG text on a light background. Each column is coloured by its own largest absolute value; censored
/// frames have a grey mark at the left. The same design gives the same bytes.
pub fn svg(design: &RunDesign) -> String {
    let (frames, columns) = design.matrix.dim();
    let longest = design.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    // slanted by 45 degrees, a character of 11 px type rises about 4.8 px
    let top = 40 + longest * 5;
    let width = LEFT + columns * COLUMN_WIDTH + 20 + longest * 5;
    let height = top + HEIGHT as usize + 24;
    let row = |frame: usize| top as f64 + HEIGHT * frame as f64 / frames.max(1) as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\" \
         shape-rendering=\"crispEdges\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"13\">design of {}</text>\n",
        escape(&design.run)
    );
    for (column, name) in design.names.iter().enumerate() {
        let x = LEFT + column * COLUMN_WIDTH + COLUMN_WIDTH / 2;
        let y = top - 6;
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" transform=\"rotate(-45 {x} {y})\">{}</text>", escape(name));
    }
    for column in 0..columns {
        let x = LEFT + column * COLUMN_WIDTH;
        let peak = design.peak_heights[column];
        let shade = |frame: usize| shade(design.matrix[[frame, column]], peak);
        // neighbouring frames of one shade are one rectangle: pictures of long runs stay small
        let mut from = 0;
        for frame in 1..=frames {
            if frame == frames || shade(frame) != shade(from) {
                if shade(from) != 0 {
                    let (y, tall) = (row(from), row(frame) - row(from));
                    let fill = colour(shade(from));
                    let _ = writeln!(
                        out,
                        "<rect x=\"{x}\" y=\"{y:.2}\" width=\"{COLUMN_WIDTH}\" height=\"{tall:.2}\" fill=\"{fill}\"/>"
                    );
                }
                from = frame;
            }
        }
    }
    let across = columns * COLUMN_WIDTH;
    let _ = writeln!(
        out,
        "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{across}\" height=\"{HEIGHT}\" fill=\"none\" stroke=\"#999\"/>"
    );
    for (frame, _) in design.timing.kept.iter().enumerate().filter(|(_, kept)| !**kept) {
        let (x, y, tall) = (LEFT - 6, row(frame), row(frame + 1) - row(frame));
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y:.2}\" width=\"5\" height=\"{tall:.2}\" fill=\"#888\"/>");
    }
    for tick in 0..=4 {
        let frame = tick * frames.saturating_sub(1) / 4;
        let (x, y) = (LEFT - 10, row(frame) + 4.0);
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{y:.2}\" text-anchor=\"end\">{frame}</text>");
    }
    out.push_str("</svg>\n");
    out
}

/// The colour of a value of a scale that is white at 0 and ends at `peak` and `-peak`.
pub fn colour_of(value: f64, peak: f64) -> String {
    colour(shade(value, peak))
}

/// A value in steps from `-SHADES` to `SHADES` of its column's peak.
fn shade(value: f64, peak: f64) -> i32 {
    if peak > 0.0 { (f64::from(SHADES) * value / peak).round() as i32 } else { 0 }
}

fn colour(shade: i32) -> String {
    let end = if shade > 0 { POSITIVE } else { NEGATIVE };
    let share = f64::from(shade.abs().min(SHADES)) / f64::from(SHADES);
    let [red, green, blue] = end.map(|channel| (255.0 + share * (channel - 255.0)).round() as u8);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::super::run_design::tests::{design_of, small_design};
    use super::*;

    #[test]
    fn names_are_escaped() {
        let design = design_of(&["<a & \"b\">\u{7}", "constant"], ndarray::array![[0.5, 1.0], [-1.0, 1.0]]);
        let text = svg(&design);
        assert!(text.contains("&lt;a &amp; &quot;b&quot;&gt; </text>"), "{text}");
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        assert_eq!(text.matches('<').count(), text.matches('>').count());
    }

    #[test]
    fn values_have_the_colours_of_their_sign_and_size() {
        let text = svg(&design_of(&["a", "constant"], ndarray::array![[2.0, 1.0], [-2.0, 1.0], [0.0, 1.0]]));
        assert_eq!(text.matches("fill=\"#b2182b\"").count(), 2, "the peak of `a`, and all of `constant` in one");
        assert_eq!(text.matches("fill=\"#2166ac\"").count(), 1);
        assert_eq!(colour(8), "#d98c95");
    }

    #[test]
    fn censored_frames_are_marked() {
        let mut design = small_design();
        assert_eq!(svg(&design).matches("fill=\"#888\"").count(), 0);
        design.timing.kept[2] = false;
        assert_eq!(svg(&design).matches("fill=\"#888\"").count(), 1);
    }
}

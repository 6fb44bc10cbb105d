//! How a z map's values are distributed, beside what they would be were there nothing.

use super::figures::{canvas, framed, label};
use super::html::Html;
use super::quantity::{counted, decimal};
use crate::outputs::line_figure::pixel;
use std::fmt::Write as _;

/// Size of the drawing and its margins, pixels.
const SIZE: [f64; 2] = [460.0, 230.0];
const LEFT: f64 = 10.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// Bins a unit of z, and the largest |z| that has a bin of its own; what is beyond is in the last one.
const BINS_A_UNIT: f64 = 4.0;
const LARGEST: f64 = 20.0;

/// The histogram of `values` with the standard normal density and the threshold.
pub(super) fn histogram(values: &[f32], threshold: f32) -> Html {
    let finite = || values.iter().map(|value| f64::from(*value)).filter(|value| value.is_finite());
    let n = finite().count();
    if n == 0 {
        return Html::default();
    }
    let clamped = |value: f64| value.clamp(-LARGEST, LARGEST);
    let reach = finite().map(|value| clamped(value).abs()).fold(f64::from(threshold), f64::max).ceil().max(4.0);
    let counts = counts(finite().map(clamped), reach);
    let density = |z: f64| n as f64 / BINS_A_UNIT * libm::exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
    let most = counts.iter().map(|count| *count as f64).fold(density(0.0), f64::max);
    let x = |z: f64| LEFT + (SIZE[0] - LEFT - RIGHT) * (z + reach) / (2.0 * reach);
    let bottom = SIZE[1] - BOTTOM;
    let y = |count: f64| bottom - (bottom - TOP) * count / most;
    let mut content = Html::default();
    for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let from = bin as f64 / BINS_A_UNIT - reach;
        let [left, right] = [x(from), x(from + 1.0 / BINS_A_UNIT)];
        let title = format!(
            "{} from z = {} to {}",
            counted(*count, "voxel"),
            decimal(from, 2),
            decimal(from + 1.0 / BINS_A_UNIT, 2)
        );
        let beyond = from >= f64::from(threshold) || from + 1.0 / BINS_A_UNIT <= -f64::from(threshold);
        let class = if beyond { "bar beyond" } else { "bar" };
        // at least a line: a voxel far out is the point of the picture
        let top = y(*count as f64).min(bottom - 1.0);
        let place = [left, top, right - left - 0.6, bottom - top].map(pixel);
        let attributes =
            [("x", &*place[0]), ("y", &place[1]), ("width", &place[2]), ("height", &place[3]), ("class", class)];
        content.push(Html::element("rect", &attributes, Html::element("title", &[], Html::text(&title))));
    }
    let mut path = String::new();
    for step in 0..=120 {
        let z = reach.min(4.5) * (f64::from(step) / 60.0 - 1.0);
        let letter = if step == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{},{}", pixel(x(z)), pixel(y(density(z)))); // a String takes all
    }
    content.push(Html::element("path", &[("d", &path), ("class", "curve")], Html::default()));
    for z in [-threshold, threshold] {
        let line = format!("M{},{}V{}", pixel(x(f64::from(z))), pixel(TOP), pixel(bottom));
        content.push(Html::element("path", &[("d", &line), ("class", "limit")], Html::default()));
    }
    let axis = format!("M{},{}H{}", pixel(LEFT), pixel(bottom), pixel(SIZE[0] - RIGHT));
    content.push(Html::element("path", &[("d", &axis), ("class", "axis")], Html::default()));
    let step = if reach > 10.0 { 5.0 } else { 2.0 };
    let ticks = (reach / step).floor() as i32;
    for tick in -ticks..=ticks {
        let z = f64::from(tick) * step;
        content.push(label(x(z), bottom + 16.0, "middle", &decimal(z, 0)));
    }
    content.push(label(SIZE[0] / 2.0, SIZE[1] - 6.0, "middle", "z"));
    let alt =
        format!("histogram of z in {}, mean {}", counted(n, "voxel"), decimal(finite().sum::<f64>() / n as f64, 2));
    let caption = "Distribution of z over the mask (bars), the standard normal one (line), the threshold (dashed).";
    framed("chart", canvas(SIZE[0], SIZE[1], &alt, content), caption)
}

/// Values in each bin from `-reach` to `reach`; the last bin takes `reach` too.
fn counts(values: impl Iterator<Item = f64>, reach: f64) -> Vec<usize> {
    let n_bins = (2.0 * reach * BINS_A_UNIT) as usize;
    let mut counts = vec![0; n_bins];
    for value in values {
        let bin = ((value + reach) * BINS_A_UNIT).floor().max(0.0) as usize;
        counts[bin.min(n_bins - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bin() {
        let counts = counts([-4.0, -0.01, 0.0, 0.24, 0.25, 4.0].into_iter(), 4.0);
        assert_eq!((counts.len(), counts.iter().sum::<usize>()), (32, 6));
        assert_eq!([counts[0], counts[15], counts[16], counts[17], counts[31]], [1, 1, 2, 1, 1]);
        let html = histogram(&[0.1, 0.2, f32::NAN, 400.0], 3.1).into_string();
        assert!(html.contains("1 voxel from z = 19.75 to 20.00") && html.contains("in 3 voxels"), "{html}");
        assert!(histogram(&[f32::NAN], 3.1).is_empty());
    }
}

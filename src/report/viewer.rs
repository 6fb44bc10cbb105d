//! The viewer of a group's maps: slices along three axes, in a script of our own that asks for no other file.
//!
//! Volumes are cut to the box of the mask, walk from left to right, posterior to anterior, inferior to superior, and
//! are compressed: the mean image in a byte a voxel, z in steps of [`STEP`] in two. Outside the mask z is [`OUTSIDE`].

use super::base64::base64;
use super::html::Html;
use super::saved::Volume;
use crate::outputs::picture::{AnatomicalView, Greys, statistic_colour};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

/// z of one step of the numbers in the page: a hundredth, as shown.
const STEP: f32 = 0.01;
/// The number of a voxel outside the mask.
const OUTSIDE: i16 = i16::MIN;
/// Colours of a scale.
const COLOURS: usize = 64;

/// The script of all viewers of a page.
pub(super) const SCRIPT: &str = include_str!("assets/viewer.js");

/// A viewer in the making: what all its maps have in common.
pub(super) struct Viewer<'a> {
    number: usize,
    background: &'a Volume,
    inside: &'a [bool],
    cut: Cut,
}

impl<'a> Viewer<'a> {
    /// The viewer with this number of the page; `None` where nothing is inside the mask.
    pub(super) fn new(number: usize, background: &'a Volume, inside: &'a [bool]) -> Option<Self> {
        Some(Self { number, background, inside, cut: Cut::of(background, inside)? })
    }

    /// Its number in the page.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// A map as the page holds it: by its `number` in this viewer peaks in tables call it.
    pub(super) fn map(&self, number: usize, name: &str, z: &[f32]) -> Value {
        let inside = self.inside;
        let numbers = self.cut.voxels(|voxel| if inside[voxel] { steps(z[voxel]) } else { OUTSIDE });
        let largest = z.iter().filter(|z| z.is_finite()).fold(0.0_f32, |most, z| most.max(z.abs()));
        let bytes: Vec<u8> = numbers.into_iter().flat_map(i16::to_le_bytes).collect();
        json!({ "number": number, "name": name, "largest": round(f64::from(largest)), "data": packed(&bytes) })
    }

    /// Its place in the page, and its data.
    pub(super) fn html(self, title: &str, maps: &[Value], threshold: f32) -> Html {
        let Self { number, background, inside, cut } = self;
        let greys = Greys::of(&background.values);
        let mean = cut.voxels(|voxel| if inside[voxel] { greys.level(background.values[voxel]) } else { 0 });
        let colours = |sign: f32| -> Vec<[u8; 3]> {
            let of = |at: usize| statistic_colour(sign * (1.0 + at as f32 / (COLOURS - 1) as f32), 1.0, 2.0);
            (0..COLOURS).filter_map(of).collect()
        };
        let data = json!({
            "title": title,
            "shape": cut.shape,
            "sizes": cut.sizes_mm,
            "affine": cut.affine,
            "step": round(f64::from(STEP)),
            "outside": OUTSIDE,
            "threshold": round(f64::from(threshold)),
            "positive": colours(1.0),
            "negative": colours(-1.0),
            "mean": packed(&mean),
            "maps": maps,
        });
        let id = format!("viewer-{number}");
        let mut html = Html::element("h3", &[], Html::text(&format!("Viewer: {title}")));
        let note = Html::of_source(
            "<noscript><p class=\"note\">The viewer needs JavaScript; the pictures below do not.</p></noscript>",
        );
        html.push(Html::element("div", &[("class", "viewer"), ("id", &id)], note));
        html.push(Html::data(&format!("{id}-data"), &data));
        Html::element("section", &[("class", "viewing")], html)
    }
}

/// To six significant digits or so: what single precision means by 3.1 is 3.1.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn steps(z: f32) -> i16 {
    if z.is_nan() {
        return 0;
    }
    (z / STEP).round().clamp(f32::from(-i16::MAX), f32::from(i16::MAX)) as i16
}

/// Compressed without name or time, as text.
fn packed(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    // a vector takes all
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    base64(&written.unwrap_or_default())
}

/// The box of the mask in an anatomical view.
struct Cut {
    view: AnatomicalView,
    first: [usize; 3],
    shape: [usize; 3],
    sizes_mm: [f64; 3],
    /// From a place in the box to mm.
    affine: [[f64; 4]; 3],
}

impl Cut {
    /// `None` where nothing is inside.
    fn of(volume: &Volume, inside: &[bool]) -> Option<Self> {
        let view = AnatomicalView::of(&volume.grid);
        let extent = view.extent();
        let (mut first, mut last) = (extent, [0; 3]);
        for z in 0..extent[2] {
            for y in 0..extent[1] {
                for x in 0..extent[0] {
                    let place = [x, y, z];
                    if inside[view.voxel(place)] {
                        for (axis, at) in place.into_iter().enumerate() {
                            first[axis] = first[axis].min(at);
                            last[axis] = last[axis].max(at + 1);
                        }
                    }
                }
            }
        }
        if last[0] == 0 {
            return None;
        }
        let whole = view.affine(&volume.grid);
        let affine = std::array::from_fn(|row| {
            let [a, b, c, offset] = whole[row];
            let moved = offset + a * first[0] as f64 + b * first[1] as f64 + c * first[2] as f64;
            [a, b, c, moved].map(round)
        });
        let sizes_mm = view.sizes_mm(&volume.grid).map(round);
        Some(Self { view, first, shape: std::array::from_fn(|axis| last[axis] - first[axis]), sizes_mm, affine })
    }

    /// Something of each voxel of the box, from left to right fastest.
    fn voxels<T>(&self, of: impl Fn(usize) -> T) -> Vec<T> {
        let [nx, ny, nz] = self.shape;
        let mut all = Vec::with_capacity(nx * ny * nz);
        for z in 0..nz {
            for y in 0..ny {
                for x in 0..nx {
                    let place = [x + self.first[0], y + self.first[1], z + self.first[2]];
                    all.push(of(self.view.voxel(place)));
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Grid;

    #[test]
    fn the_box_of_the_mask_walks_from_left_to_right() {
        let affine = [[-2.0, 0.0, 0.0, 10.0], [0.0, 3.0, 0.0, -5.0], [0.0, 0.0, 4.0, 1.0], [0.0, 0.0, 0.0, 1.0]];
        let grid = Grid { shape: [4, 3, 2], affine };
        let volume = Volume { grid, values: (0..24).map(|voxel| voxel as f32).collect() };
        let mut inside = vec![false; 24];
        (inside[1 + 4], inside[2 + 4]) = (true, true);
        let cut = Cut::of(&volume, &inside).unwrap();
        assert_eq!((cut.shape, cut.first), ([2, 1, 1], [1, 1, 0]));
        assert_eq!(cut.voxels(|voxel| voxel), [6, 5], "axis 0 runs to the left");
        // voxel (2, 1, 0) is at 10 - 4, -5 + 3, 1 mm
        assert_eq!(cut.affine.map(|row| row[3]), [6.0, -2.0, 1.0]);
        assert!(Cut::of(&volume, &[false; 24]).is_none());
    }

    #[test]
    fn z_is_kept_to_a_hundredth() {
        let shown = [0.0, 3.104, -2.996, f32::NAN, f32::INFINITY, -1e9].map(steps);
        assert_eq!(shown, [0, 310, -300, 0, i16::MAX, -i16::MAX]);
    }

    #[test]
    fn volumes_read_back_from_the_page() {
        let text = packed(&[1, 2, 3, 250]);
        assert!(text.starts_with("H4sIAAAAAAA"), "no time in the header: {text}");
        assert_eq!(packed(&[1, 2, 3, 250]), text);
    }
}

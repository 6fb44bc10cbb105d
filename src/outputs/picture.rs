//! A statistic map as a picture: axial slices over the mean image, as a PNG file; and a slice before and after a filter.
//!
//! Slices run from inferior to superior, anterior is up, and the left of the head is on the left
//! (neurological convention), whatever the storage order of the axes. Positive values go from dark red to
//! yellow, negative ones from dark blue to cyan: told apart by lightness too, for colour-blind readers.

mod layout;
mod projection;
mod view;

use crate::inputs::Grid;
use layout::Tiles;
pub use projection::Projections;
pub use view::AnatomicalView;

/// What a mosaic shows.
#[derive(Debug, Clone, Copy)]
pub struct Mosaic<'a> {
    /// The grid of both images.
    pub grid: &'a Grid,
    /// Background, one value a voxel of the grid (axis 0 fastest).
    pub background: &'a [f32],
    /// Statistic, one value a voxel; 0 outside the mask.
    pub statistic: &'a [f32],
    /// Smallest absolute statistic that is coloured.
    pub threshold: f32,
}

/// The voxels of a mask on a background.
#[derive(Debug, Clone, Copy)]
pub struct Outline<'a> {
    /// The grid of both.
    pub grid: &'a Grid,
    /// Background, one value a voxel of the grid (axis 0 fastest).
    pub background: &'a [f32],
    /// Whether each voxel is inside.
    pub inside: &'a [bool],
}

impl Mosaic<'_> {
    /// Encodes the mosaic as a PNG file's bytes; the same input gives the same bytes.
    ///
    /// # Errors
    /// The encoder's own, for a picture larger than the format can hold.
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let view = AnatomicalView::of(self.grid);
        let tiles = Tiles::of(&view, self.background);
        let grey = Greys::of(self.background);
        let strongest = self.strongest();
        tiles.png(|pixel| {
            let voxel = view.voxel(pixel.place);
            statistic_colour(self.statistic[voxel], self.threshold, strongest)
                .unwrap_or_else(|| grey.colour(self.background[voxel]))
        })
    }

    /// The absolute statistic that has the brightest colour.
    pub fn strongest(&self) -> f32 {
        let finite = self.statistic.iter().map(|value| value.abs()).filter(|value| value.is_finite());
        finite.fold(self.threshold, f32::max)
    }
}

impl Outline<'_> {
    /// Encodes the mosaic as a PNG file's bytes: the background in greys, the edge of the mask in colour.
    ///
    /// # Errors
    /// As [`Mosaic::png`].
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let view = AnatomicalView::of(self.grid);
        let tiles = Tiles::of(&view, self.background);
        let grey = Greys::of(self.background);
        let inside = |place: [usize; 3]| self.inside[view.voxel(place)];
        tiles.png(|pixel| {
            if inside(pixel.place) && pixel.neighbours().any(|place| place.is_none_or(|place| !inside(place))) {
                EDGE
            } else {
                grey.colour(self.background[view.voxel(pixel.place)])
            }
        })
    }
}

/// Colour of a mask's edge: the orange of Okabe and Ito, which stands out from every grey.
const EDGE: [u8; 3] = [230, 159, 0];

/// The colour of a statistic: none below the threshold, brightest from `strongest` on.
pub fn statistic_colour(statistic: f32, threshold: f32, strongest: f32) -> Option<[u8; 3]> {
    if statistic.abs() < threshold || statistic == 0.0 || !statistic.is_finite() {
        return None;
    }
    let range = (strongest - threshold).max(f32::MIN_POSITIVE);
    let strength = ((statistic.abs() - threshold) / range).clamp(0.0, 1.0);
    let ramp = |from: f32, to: f32| (from + strength * (to - from)) as u8;
    Some(if statistic > 0.0 {
        [ramp(170.0, 255.0), ramp(20.0, 240.0), ramp(10.0, 80.0)]
    } else {
        [ramp(10.0, 120.0), ramp(60.0, 250.0), ramp(190.0, 255.0)]
    })
}

/// A scale of greys from 0 to the value below which 99 % of the positive ones lie.
pub struct Greys {
    scale: f32,
}

impl Greys {
    /// The scale of an image.
    pub fn of(values: &[f32]) -> Self {
        Self { scale: 255.0 / high_quantile(values) }
    }

    /// The grey of a value.
    pub fn level(&self, value: f32) -> u8 {
        (value * self.scale).clamp(0.0, 255.0) as u8
    }

    fn colour(&self, value: f32) -> [u8; 3] {
        [self.level(value); 3]
    }
}

/// The middle axial slice of two images on one grid side by side, in one scale of greys: before and after a filter.
///
/// # Errors
/// As [`Mosaic::png`].
pub fn slice_pair_png(grid: &Grid, before: &[f32], after: &[f64]) -> Result<Vec<u8>, png::EncodingError> {
    const WIDTH: usize = 256;
    let view = AnatomicalView::of(grid);
    let [columns, _, slices] = view.extent();
    let middle = slices / 2;
    let tiles = Tiles::new(&view, vec![middle; 2], 2, WIDTH.div_ceil(columns));
    let scale = 255.0 / f64::from(high_quantile(before));
    tiles.png(|pixel| {
        let voxel = view.voxel(pixel.place);
        let value = if pixel.tile == 0 { f64::from(before[voxel]) } else { after[voxel] };
        [(value * scale).round().clamp(0.0, 255.0) as u8; 3]
    })
}

fn encoded(pixels: &[u8], width: usize, height: usize, colours: png::ColorType) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(colours);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Value below which 99 % of the positive ones lie; 1 where there are none.
fn high_quantile(values: &[f32]) -> f32 {
    let mut positive: Vec<f32> = values.iter().copied().filter(|value| value.is_finite() && *value > 0.0).collect();
    if positive.is_empty() {
        return 1.0;
    }
    let at = (positive.len() - 1) * 99 / 100;
    *positive.select_nth_unstable_by(at, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::view::tests::grid;
    use super::*;

    #[test]
    fn an_active_voxel_is_coloured_and_the_file_is_a_png() {
        let grid = grid([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]);
        let background = vec![100.0; 120];
        let mut statistic = vec![0.0; 120];
        let quiet =
            Mosaic { grid: &grid, background: &background, statistic: &statistic, threshold: 3.0 }.png().unwrap();
        statistic[60] = 5.0;
        let active =
            Mosaic { grid: &grid, background: &background, statistic: &statistic, threshold: 3.0 }.png().unwrap();
        assert_eq!(&active[1..4], b"PNG");
        assert_ne!(quiet, active);
        let decoded = |bytes: &[u8]| {
            let mut reader = png::Decoder::new(std::io::Cursor::new(bytes.to_vec())).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            pixels
        };
        let coloured = |pixels: &[u8]| pixels.chunks(3).filter(|rgb| rgb[0] != rgb[1]).count();
        assert_eq!(coloured(&decoded(&quiet)), 0);
        assert_eq!(coloured(&decoded(&active)), (layout::MIN_TILE_WIDTH / 4).pow(2));
    }

    #[test]
    fn a_slice_is_shown_before_and_after_in_one_scale() {
        let grid = grid([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]);
        let (before, after) = (vec![100.0_f32; 120], vec![50.0; 120]);
        let png = slice_pair_png(&grid, &before, &after).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (2 * 256 + 6, 320 + 4)); // 4 x 5 voxels, magnified 64 times
        let at = |x: usize| pixels[(10 * info.width as usize + x) * 3];
        assert_eq!((at(10), at(300), at(0)), (255, 127, 0));
    }

    #[test]
    fn the_edge_of_a_mask_is_one_pixel_wide() {
        let grid = grid([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]);
        let mut inside = vec![false; 120];
        inside[1 + 4 * (2 + 5 * 3)] = true;
        let png = Outline { grid: &grid, background: &[100.0; 120], inside: &inside }.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        // a voxel is 20 pixels wide
        assert_eq!(pixels.chunks(3).filter(|pixel| **pixel == EDGE).count(), 4 * 20 - 4);
    }

    #[test]
    fn damaged_values_do_not_break_the_scale() {
        assert_eq!(high_quantile(&[f32::NAN, -1.0, 0.0]), 1.0);
        assert_eq!(high_quantile(&[f32::INFINITY, 2.0]), 2.0);
    }
}

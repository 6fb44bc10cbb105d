//! A statistic map as a picture: axial slices over the mean image, as a PNG file; and a slice before and after a filter.
//!
//! Slices run from inferior to superior, anterior is up, and the left of the head is on the left
//! (neurological convention), whatever the storage order of the axes. Positive values go from dark red to
//! yellow, negative ones from dark blue to cyan: told apart by lightness too, for colour-blind readers.

use crate::inputs::Grid;

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

/// Most slices a mosaic shows; a taller image is sampled evenly.
const MAX_SLICES: usize = 24;
/// Smallest width of a tile, pixels: small grids are magnified by a whole number.
const MIN_TILE_WIDTH: usize = 80;
/// Space between tiles, pixels.
const GAP: usize = 2;

impl Mosaic<'_> {
    /// Encodes the mosaic as a PNG file's bytes; the same input gives the same bytes.
    ///
    /// # Errors
    /// The encoder's own, for a picture larger than the format can hold.
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let view = AxialView::of(self.grid);
        let slices = view.chosen_slices(self.background);
        let columns = (slices.len() as f64).sqrt().ceil() as usize;
        let rows = slices.len().div_ceil(columns.max(1));
        let zoom = MIN_TILE_WIDTH.div_ceil(view.width).max(1);
        let (tile_width, tile_height) = (view.width * zoom, view.height * zoom);
        let width = columns * (tile_width + GAP) + GAP;
        let height = rows * (tile_height + GAP) + GAP;
        let mut pixels = vec![0_u8; width * height * 3];
        let background_scale = 255.0 / high_quantile(self.background);
        let strongest = self.statistic.iter().fold(self.threshold, |top, value| top.max(value.abs()));
        for (tile, &slice) in slices.iter().enumerate() {
            let left = GAP + tile % columns * (tile_width + GAP);
            let top = GAP + tile / columns * (tile_height + GAP);
            for y in 0..tile_height {
                for x in 0..tile_width {
                    let voxel = view.voxel(x / zoom, y / zoom, slice);
                    let grey = (self.background[voxel] * background_scale).clamp(0.0, 255.0) as u8;
                    let colour = self.colour(self.statistic[voxel], strongest).unwrap_or([grey; 3]);
                    let at = ((top + y) * width + left + x) * 3;
                    pixels[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
        encoded(&pixels, width, height)
    }

    fn colour(&self, statistic: f32, strongest: f32) -> Option<[u8; 3]> {
        if statistic.abs() < self.threshold || statistic == 0.0 || !statistic.is_finite() {
            return None;
        }
        let strength =
            ((statistic.abs() - self.threshold) / (strongest - self.threshold).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
        let ramp = |from: f32, to: f32| (from + strength * (to - from)) as u8;
        Some(if statistic > 0.0 {
            [ramp(170.0, 255.0), ramp(20.0, 240.0), ramp(10.0, 80.0)]
        } else {
            [ramp(10.0, 120.0), ramp(60.0, 250.0), ramp(190.0, 255.0)]
        })
    }
}

/// The middle axial slice of two images on one grid side by side, in one scale of greys: before and after a filter.
///
/// # Errors
/// As [`Mosaic::png`].
pub fn slice_pair_png(grid: &Grid, before: &[f32], after: &[f64]) -> Result<Vec<u8>, png::EncodingError> {
    const WIDTH: usize = 256;
    let view = AxialView::of(grid);
    let slice = grid.shape[view.axes[2]] / 2;
    let zoom = WIDTH.div_ceil(view.width).max(1);
    let (tile_width, tile_height) = (view.width * zoom, view.height * zoom);
    let (width, height) = (2 * tile_width + 3 * GAP, tile_height + 2 * GAP);
    let scale = 255.0 / f64::from(high_quantile(before));
    let mut pixels = vec![0_u8; width * height * 3];
    let values: [&dyn Fn(usize) -> f64; 2] = [&|voxel| f64::from(before[voxel]), &|voxel| after[voxel]];
    for (tile, value) in values.into_iter().enumerate() {
        let left = GAP + tile * (tile_width + GAP);
        for y in 0..tile_height {
            for x in 0..tile_width {
                let grey = (value(view.voxel(x / zoom, y / zoom, slice)) * scale).round().clamp(0.0, 255.0) as u8;
                let at = ((GAP + y) * width + left + x) * 3;
                pixels[at..at + 3].copy_from_slice(&[grey; 3]);
            }
        }
    }
    encoded(&pixels, width, height)
}

fn encoded(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
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

/// How to walk a grid's voxels as axial slices seen from above, left on the left.
struct AxialView {
    shape: [usize; 3],
    /// Voxel axis that runs left-right, posterior-anterior, inferior-superior.
    axes: [usize; 3],
    /// Whether that axis runs against it.
    flipped: [bool; 3],
    width: usize,
    height: usize,
}

impl AxialView {
    fn of(grid: &Grid) -> Self {
        let mut axes = [0, 1, 2];
        let mut best = -1.0;
        // The assignment of voxel axes to world axes with the largest sum of direction cosines.
        let sizes = grid.voxel_sizes_mm();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let score: f64 = (0..3)
                .map(|world| grid.affine[world][order[world]].abs() / sizes[order[world]].max(f64::MIN_POSITIVE))
                .sum();
            if score > best {
                (best, axes) = (score, order);
            }
        }
        let flipped = std::array::from_fn(|world| grid.affine[world][axes[world]] < 0.0);
        Self { shape: grid.shape, axes, flipped, width: grid.shape[axes[0]], height: grid.shape[axes[1]] }
    }

    /// Slices shown, evenly spaced over those that hold background.
    fn chosen_slices(&self, background: &[f32]) -> Vec<usize> {
        let shows_something = |slice: &usize| {
            (0..self.height).any(|y| (0..self.width).any(|x| background[self.voxel(x, y, *slice)] > 0.0))
        };
        let all: Vec<usize> = (0..self.shape[self.axes[2]]).collect();
        let lit: Vec<usize> = all.iter().copied().filter(shows_something).collect();
        let slices = if lit.is_empty() { all } else { lit };
        let count = slices.len().min(MAX_SLICES);
        (0..count).map(|tile| slices[(2 * tile + 1) * slices.len() / (2 * count)]).collect()
    }

    /// Linear index of the voxel shown at `x` from the left and `y` from the top of a slice.
    fn voxel(&self, x: usize, y: usize, slice: usize) -> usize {
        let from_left_posterior_bottom = [x, self.height - 1 - y, slice];
        let mut index = [0; 3];
        for ((axis, flipped), at) in self.axes.into_iter().zip(self.flipped).zip(from_left_posterior_bottom) {
            index[axis] = if flipped { self.shape[axis] - 1 - at } else { at };
        }
        index[0] + self.shape[0] * (index[1] + self.shape[1] * index[2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(affine_columns: [[f64; 3]; 3]) -> Grid {
        let mut affine = [[0.0; 4]; 4];
        for (column, values) in affine_columns.iter().enumerate() {
            for row in 0..3 {
                affine[row][column] = values[row];
            }
        }
        affine[3][3] = 1.0;
        Grid { shape: [4, 5, 6], affine }
    }

    #[test]
    fn the_same_place_is_shown_whatever_the_storage_order() {
        let plain = AxialView::of(&grid([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]));
        assert_eq!(plain.voxel(0, plain.height - 1, 0), 0, "left, posterior, inferior is the first voxel");
        let flipped = AxialView::of(&grid([[-2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]));
        assert_eq!(flipped.voxel(3, flipped.height - 1, 0), 0, "x runs from right to left");
        let turned = AxialView::of(&grid([[0.0, 0.0, 2.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]));
        assert_eq!((turned.width, turned.height, turned.chosen_slices(&[0.0; 120]).len()), (5, 6, 4));
    }

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
        assert_eq!(coloured(&decoded(&active)), (MIN_TILE_WIDTH / 4).pow(2));
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
    fn damaged_values_do_not_break_the_scale() {
        assert_eq!(high_quantile(&[f32::NAN, -1.0, 0.0]), 1.0);
        assert_eq!(high_quantile(&[f32::INFINITY, 2.0]), 2.0);
    }
}

//! Axial slices as tiles beside and below each other.

use super::{AnatomicalView, encoded};

/// Most slices a mosaic shows; a taller image is sampled evenly.
const MAX_SLICES: usize = 24;
/// Smallest width of a tile, pixels: small grids are magnified by a whole number.
pub(super) const MIN_TILE_WIDTH: usize = 80;
/// Space between tiles, pixels.
const GAP: usize = 2;

/// Where the slices are.
pub(super) struct Tiles {
    slices: Vec<usize>,
    columns: usize,
    zoom: usize,
    /// Voxels from left to right and from top to bottom.
    extent: [usize; 2],
}

/// A pixel of a tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixel {
    /// Number of its tile.
    pub(super) tile: usize,
    /// What it shows: voxels from the left, from posterior, from inferior.
    pub(super) place: [usize; 3],
    x: usize,
    y: usize,
    zoom: usize,
    extent: [usize; 2],
}

impl Tiles {
    /// The slices that hold background, evenly chosen, in about as many rows as columns.
    pub(super) fn of(view: &AnatomicalView, background: &[f32]) -> Self {
        let slices = chosen_slices(view, background);
        let columns = (slices.len() as f64).sqrt().ceil() as usize;
        Self::new(view, slices, columns, MIN_TILE_WIDTH.div_ceil(view.extent()[0]))
    }

    /// These slices in rows of `columns`, each voxel `zoom` pixels wide.
    pub(super) fn new(view: &AnatomicalView, slices: Vec<usize>, columns: usize, zoom: usize) -> Self {
        let [width, height, _] = view.extent();
        Self { slices, columns: columns.max(1), zoom: zoom.max(1), extent: [width, height] }
    }

    /// The mosaic as a PNG file's bytes.
    pub(super) fn png(&self, colour: impl Fn(&Pixel) -> [u8; 3]) -> Result<Vec<u8>, png::EncodingError> {
        let Self { columns, zoom, extent, .. } = *self;
        let [tile_width, tile_height] = extent.map(|voxels| voxels * zoom);
        let width = columns * (tile_width + GAP) + GAP;
        let height = self.slices.len().div_ceil(columns) * (tile_height + GAP) + GAP;
        let mut pixels = vec![0_u8; width * height * 3];
        for (tile, &slice) in self.slices.iter().enumerate() {
            let left = GAP + tile % columns * (tile_width + GAP);
            let top = GAP + tile / columns * (tile_height + GAP);
            for y in 0..tile_height {
                for x in 0..tile_width {
                    let place = [x / zoom, extent[1] - 1 - y / zoom, slice];
                    let at = ((top + y) * width + left + x) * 3;
                    pixels[at..at + 3].copy_from_slice(&colour(&Pixel { tile, place, x, y, zoom, extent }));
                }
            }
        }
        encoded(&pixels, width, height, png::ColorType::Rgb)
    }
}

impl Pixel {
    /// What the four pixels beside it show; `None` beyond the slice.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = Option<[usize; 3]>> {
        let Self { x, y, zoom, extent, place, .. } = *self;
        let steps =
            [(x.checked_sub(1), Some(y)), (Some(x + 1), Some(y)), (Some(x), y.checked_sub(1)), (Some(x), Some(y + 1))];
        steps.into_iter().map(move |(x, y)| {
            let (x, y) = (x? / zoom, y? / zoom);
            (x < extent[0] && y < extent[1]).then(|| [x, extent[1] - 1 - y, place[2]])
        })
    }
}

/// Evenly spaced over the slices that hold background.
fn chosen_slices(view: &AnatomicalView, background: &[f32]) -> Vec<usize> {
    let [width, height, n_slices] = view.extent();
    let shows_something =
        |slice: &usize| (0..height).any(|y| (0..width).any(|x| background[view.voxel([x, y, *slice])] > 0.0));
    let all: Vec<usize> = (0..n_slices).collect();
    let lit: Vec<usize> = all.iter().copied().filter(shows_something).collect();
    let slices = if lit.is_empty() { all } else { lit };
    let count = slices.len().min(MAX_SLICES);
    (0..count).map(|tile| slices[(2 * tile + 1) * slices.len() / (2 * count)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Grid;

    #[test]
    fn a_tall_image_is_sampled_where_it_holds_something() {
        let affine = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
        let view = AnatomicalView::of(&Grid { shape: [1, 1, 100], affine });
        let background: Vec<f32> = (0..100).map(|slice| if (20..68).contains(&slice) { 1.0 } else { 0.0 }).collect();
        let chosen = chosen_slices(&view, &background);
        assert_eq!(chosen, (0..24).map(|tile| 21 + 2 * tile).collect::<Vec<_>>());
        assert_eq!(chosen_slices(&view, &[0.0; 100]).len(), MAX_SLICES);
    }
}

//! The strongest statistic along each axis of the body: three projections beside each other.

use super::{AnatomicalView, encoded, statistic_colour};
use crate::inputs::Grid;

/// What is projected.
#[derive(Debug, Clone, Copy)]
pub struct Projections<'a> {
    /// The grid.
    pub grid: &'a Grid,
    /// Background, one value a voxel (axis 0 fastest): its mean along the line of sight is a shade.
    pub background: &'a [f32],
    /// Statistic; 0 outside the mask.
    pub statistic: &'a [f32],
    /// Smallest absolute statistic that is coloured.
    pub threshold: f32,
    /// Absolute statistic that has the brightest colour.
    pub strongest: f32,
}

/// Pixels of the longest edge of a head.
const LONGEST: f64 = 260.0;
/// Pixels between two projections.
const GAP: usize = 12;
/// Greys of shade and outline: visible on black and on white.
const SHADE: u8 = 140;

/// One projection: along which axis, and which axes run to the right and upwards.
const VIEWS: [(usize, usize, usize); 3] = [(0, 1, 2), (1, 0, 2), (2, 0, 1)];

/// A line of sight: how much background it meets, and the statistic furthest from zero.
#[derive(Debug, Clone, Copy, Default)]
struct Sight {
    shade: f32,
    statistic: f32,
}

impl Projections<'_> {
    /// Sagittal (anterior on the right), coronal and axial (left on the left), as a PNG file's bytes; what is outside
    /// the head is transparent.
    ///
    /// # Errors
    /// The encoder's own, for a picture larger than the format can hold.
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let view = AnatomicalView::of(self.grid);
        let (extent, sizes) = (view.extent(), view.sizes_mm(self.grid));
        let lengths: [f64; 3] = std::array::from_fn(|axis| extent[axis] as f64 * sizes[axis]);
        let per_mm = LONGEST / lengths.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let pixels_of = |axis: usize| ((lengths[axis] * per_mm).round() as usize).max(1);
        let width = VIEWS.iter().map(|view| pixels_of(view.1)).sum::<usize>() + GAP * (VIEWS.len() - 1);
        let height = VIEWS.iter().map(|view| pixels_of(view.2)).max().unwrap_or(1);
        let mut pixels = vec![0_u8; width * height * 4];
        let mut left = 0;
        for (along, right, up) in VIEWS {
            let sights = self.sights(&view, along, right, up);
            let [across, high] = [pixels_of(right), pixels_of(up)];
            let top = height - high;
            let at = |x: usize, y: usize| {
                let (column, row) = (x * extent[right] / across, (high - 1 - y) * extent[up] / high);
                sights[column + extent[right] * row]
            };
            let is_head = |x: Option<usize>, y: Option<usize>| matches!((x, y), (Some(x), Some(y)) if x < across && y < high && at(x, y).shade > 0.0);
            let deepest = sights.iter().map(|sight| sight.shade).fold(f32::MIN_POSITIVE, f32::max);
            for y in 0..high {
                for x in 0..across {
                    let sight = at(x, y);
                    let beside = [
                        (x.checked_sub(1), Some(y)),
                        (Some(x + 1), Some(y)),
                        (Some(x), y.checked_sub(1)),
                        (Some(x), Some(y + 1)),
                    ];
                    let is_edge = sight.shade > 0.0 && beside.iter().any(|(x, y)| !is_head(*x, *y));
                    let colour = match statistic_colour(sight.statistic, self.threshold, self.strongest) {
                        Some([red, green, blue]) => [red, green, blue, 255],
                        None if is_edge => [SHADE, SHADE, SHADE, 255],
                        None => [SHADE, SHADE, SHADE, (110.0 * (sight.shade / deepest).clamp(0.0, 1.0)) as u8],
                    };
                    let place = ((top + y) * width + left + x) * 4;
                    pixels[place..place + 4].copy_from_slice(&colour);
                }
            }
            left += across + GAP;
        }
        encoded(&pixels, width, height, png::ColorType::Rgba)
    }

    /// Every line of sight along an axis, those to the right fastest.
    fn sights(&self, view: &AnatomicalView, along: usize, right: usize, up: usize) -> Vec<Sight> {
        let extent = view.extent();
        let mut sights = vec![Sight::default(); extent[right] * extent[up]];
        for row in 0..extent[up] {
            for column in 0..extent[right] {
                let sight = &mut sights[column + extent[right] * row];
                for depth in 0..extent[along] {
                    let mut place = [0; 3];
                    (place[along], place[right], place[up]) = (depth, column, row);
                    let voxel = view.voxel(place);
                    let (background, statistic) = (self.background[voxel], self.statistic[voxel]);
                    if background.is_finite() {
                        sight.shade += background.max(0.0);
                    }
                    if statistic.is_finite() && statistic.abs() > sight.statistic.abs() {
                        sight.statistic = statistic;
                    }
                }
            }
        }
        sights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_value_of_either_sign_is_seen_from_three_sides() {
        let affine = [[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
        let grid = Grid { shape: [5, 5, 5], affine };
        let mut background = vec![0.0_f32; 125];
        (0..125).filter(|voxel| voxel % 5 > 0).for_each(|voxel| background[voxel] = 10.0);
        let mut statistic = vec![0.0_f32; 125];
        (statistic[2 + 5 * (1 + 5 * 3)], statistic[3 + 5 * (1 + 5 * 3)]) = (4.0, -6.0);
        let projections =
            Projections { grid: &grid, background: &background, statistic: &statistic, threshold: 3.0, strongest: 6.0 };
        let view = AnatomicalView::of(&grid);
        let sagittal = projections.sights(&view, 0, 1, 2);
        assert_eq!(sagittal[1 + 5 * 3].statistic, -6.0, "the one further from zero hides the other");
        let axial = projections.sights(&view, 2, 0, 1);
        assert_eq!((axial[2 + 5].statistic, axial[3 + 5].statistic), (4.0, -6.0));
        assert_eq!((axial[0].shade, axial[1].shade), (0.0, 50.0));
        let png = projections.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (3 * 260 + 24, 260, png::ColorType::Rgba));
        let opaque_blue = pixels.chunks(4).filter(|pixel| pixel[2] > pixel[0] && pixel[3] == 255).count();
        assert_eq!(opaque_blue, 3 * 52 * 52, "one voxel from three sides");
        let transparent = pixels.chunks(4).filter(|pixel| pixel[3] == 0).count();
        assert_eq!(transparent, 2 * 52 * 260 + 2 * 12 * 260, "no head there, and the gaps");
    }
}

//! A grid seen along the axes of the body, whatever the storage order of its axes.

use crate::inputs::Grid;

/// How to walk a grid's voxels from left to right, posterior to anterior, inferior to superior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnatomicalView {
    shape: [usize; 3],
    /// Voxel axis that runs left-right, posterior-anterior, inferior-superior.
    axes: [usize; 3],
    /// Whether that axis runs against it.
    flipped: [bool; 3],
}

impl AnatomicalView {
    /// The voxel axes closest to those of the body.
    pub fn of(grid: &Grid) -> Self {
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
        Self { shape: grid.shape, axes, flipped }
    }

    /// Voxels along each axis of the body.
    pub fn extent(&self) -> [usize; 3] {
        self.axes.map(|axis| self.shape[axis])
    }

    /// Linear index of the voxel at this place: from the left, from posterior, from inferior.
    pub fn voxel(&self, place: [usize; 3]) -> usize {
        let mut index = [0; 3];
        for ((axis, flipped), at) in self.axes.into_iter().zip(self.flipped).zip(place) {
            index[axis] = if flipped { self.shape[axis] - 1 - at } else { at };
        }
        index[0] + self.shape[0] * (index[1] + self.shape[1] * index[2])
    }

    /// From a place (x, y, z, 1) of this view to mm.
    pub fn affine(&self, grid: &Grid) -> [[f64; 4]; 4] {
        let mut affine = [[0.0, 0.0, 0.0, 0.0], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
        for (own, stored) in affine.iter_mut().zip(&grid.affine).take(3) {
            own[3] = stored[3];
            for (world, (axis, flipped)) in self.axes.into_iter().zip(self.flipped).enumerate() {
                let step = stored[axis];
                let last = self.shape[axis].saturating_sub(1) as f64;
                own[world] = if flipped { -step } else { step };
                own[3] += if flipped { step * last } else { 0.0 };
            }
        }
        affine
    }

    /// Length of a voxel along each axis of the body, mm.
    pub fn sizes_mm(&self, grid: &Grid) -> [f64; 3] {
        let sizes = grid.voxel_sizes_mm();
        self.axes.map(|axis| sizes[axis])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A grid of 4 x 5 x 6 voxels with these columns of its affine.
    pub(in crate::outputs::picture) fn grid(affine_columns: [[f64; 3]; 3]) -> Grid {
        let mut affine = [[0.0; 4]; 4];
        for (column, values) in affine_columns.iter().enumerate() {
            for row in 0..3 {
                affine[row][column] = values[row];
            }
        }
        affine[0][3] = -7.0;
        affine[3][3] = 1.0;
        Grid { shape: [4, 5, 6], affine }
    }

    #[test]
    fn the_same_place_is_shown_whatever_the_storage_order() {
        let plain = AnatomicalView::of(&grid([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]));
        assert_eq!(plain.voxel([0; 3]), 0, "left, posterior, inferior is the first voxel");
        let flipped = AnatomicalView::of(&grid([[-2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]));
        assert_eq!(flipped.voxel([3, 0, 0]), 0, "x runs from right to left");
        let turned = AnatomicalView::of(&grid([[0.0, 0.0, 2.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]));
        assert_eq!(turned.extent(), [5, 6, 4]);
    }

    #[test]
    fn places_have_the_mm_of_their_voxels() {
        for columns in [
            [[-2.0, 0.1, 0.0], [0.0, 3.0, 0.0], [0.0, 0.2, -4.0]],
            [[0.0, 0.0, 2.0], [-3.0, 0.0, 0.0], [0.0, 4.0, 0.1]],
        ] {
            let grid = grid(columns);
            let view = AnatomicalView::of(&grid);
            let mm = |affine: &[[f64; 4]; 4], at: [usize; 3]| {
                [0, 1, 2].map(|row| (0..3).map(|k| affine[row][k] * at[k] as f64).sum::<f64>() + affine[row][3])
            };
            for place in [[0, 0, 0], [3, 2, 1], [1, 3, 3]] {
                let voxel = view.voxel(place);
                let index = [voxel % 4, voxel / 4 % 5, voxel / 20];
                let (shown, expected) = (mm(&view.affine(&grid), place), mm(&grid.affine, index));
                assert!(shown.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{shown:?} {expected:?}");
            }
        }
    }
}

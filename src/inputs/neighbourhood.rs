//! The neighbourhood of a column: the voxels around a voxel. The columns of a table have none.

use super::{NO_COLUMN, Support, columns_of_voxels, place_in};
use rayon::prelude::*;

/// The mean of a field (an entry a column) over each column's neighbourhood: the analysed voxels among the 3 x 3 x 3 around
/// it, itself included; the field itself for a table. Sums are in the order of the voxels.
pub fn average_around(support: &Support, field: &[f64]) -> Vec<f64> {
    let Support::Voxels { grid, index } = support else { return field.to_vec() };
    let column_of = columns_of_voxels(grid, index);
    let [nx, ny, nz] = grid.shape;
    let around = |at: usize, length: usize| at.saturating_sub(1)..(at + 2).min(length);
    let mean = |&voxel: &u32| {
        let [x, y, z] = place_in(grid.shape, voxel as usize);
        let (mut sum, mut count) = (0.0, 0_usize);
        for z in around(z, nz) {
            for y in around(y, ny) {
                for x in around(x, nx) {
                    let column = column_of[x + nx * (y + ny * z)];
                    if column != NO_COLUMN {
                        sum += field[column as usize];
                        count += 1;
                    }
                }
            }
        }
        sum / count as f64
    };
    index.par_iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Grid;

    #[test]
    fn a_voxel_takes_the_mean_of_the_analysed_ones_around_it() {
        let affine = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
        let grid = Grid { shape: [4, 2, 1], affine };
        let mask = [true, true, false, true, false, true, true, true];
        let support = Support::from_mask(grid, &mask);
        let field = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
        // voxels (0,0) (1,0) (3,0) (1,1) (2,1) (3,1)
        let expected = [
            (1.0 + 2.0 + 8.0) / 3.0,
            (1.0 + 2.0 + 8.0 + 16.0) / 4.0,
            (4.0 + 16.0 + 32.0) / 3.0,
            (1.0 + 2.0 + 8.0 + 16.0) / 4.0,
            (2.0 + 4.0 + 8.0 + 16.0 + 32.0) / 5.0,
            (4.0 + 16.0 + 32.0) / 3.0,
        ];
        assert_eq!(average_around(&support, &field), expected);
    }

    #[test]
    fn the_columns_of_a_table_stand_alone() {
        let support = Support::Columns { names: vec!["a".to_owned(), "b".to_owned()] };
        assert_eq!(average_around(&support, &[1.0, 2.0]), [1.0, 2.0]);
    }
}

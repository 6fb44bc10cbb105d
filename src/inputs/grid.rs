//! The voxel grid of an image: its shape and where it lies in scanner or template space.

use std::fmt;

/// Largest difference of affine entries, mm, at which two grids are the same: far below any voxel, above
/// what rounding of quaternions and f32 headers leaves.
pub const AFFINE_TOLERANCE_MM: f64 = 1e-3;

/// Shape and affine of a 3-D grid; axis 0 varies fastest in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Voxels along each axis.
    pub shape: [usize; 3],
    /// Voxel index (i, j, k, 1) to mm, the last row (0, 0, 0, 1).
    pub affine: [[f64; 4]; 4],
}

/// Place along each axis of the voxel at `index` of an array of this shape, axis 0 fastest.
pub const fn place_in(shape: [usize; 3], index: usize) -> [usize; 3] {
    [index % shape[0], index / shape[0] % shape[1], index / (shape[0] * shape[1])]
}

impl Grid {
    /// Number of voxels.
    pub fn n_voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// Length of each voxel edge, mm: the norms of the affine's columns.
    pub fn voxel_sizes_mm(&self) -> [f64; 3] {
        std::array::from_fn(|axis| (0..3).map(|row| self.affine[row][axis].powi(2)).sum::<f64>().sqrt())
    }

    /// Whether both mean the same voxels: equal shapes, affines within [`AFFINE_TOLERANCE_MM`].
    pub fn same_as(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self
                .affine
                .iter()
                .flatten()
                .zip(other.affine.iter().flatten())
                .all(|(a, b)| (a - b).abs() <= AFFINE_TOLERANCE_MM)
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.shape;
        let [dx, dy, dz] = self.voxel_sizes_mm();
        write!(formatter, "{x}x{y}x{z} voxels of {dx:.3}x{dy:.3}x{dz:.3} mm, affine")?;
        for row in &self.affine[..3] {
            write!(formatter, " [{:.4} {:.4} {:.4} {:.4}]", row[0], row[1], row[2], row[3])?;
        }
        Ok(())
    }
}

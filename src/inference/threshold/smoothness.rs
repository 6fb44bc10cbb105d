//! How smooth the noise is, from residuals frame by frame.
//!
//! With standardised residuals `e / sqrt(RSS / dof)` of n frames and forward differences `d_k` along the axes of the grid, in
//! voxels that have a whole cell of 2 x 2 x 2 analysed voxels before them:
//!
//! ```text
//! Lambda_jk = sum over frames d_j d_k / dof
//! resels a voxel    r   = mean sqrt(det Lambda / (4 ln 2)^3)      r_k = mean sqrt(Lambda_kk / (4 ln 2))
//! FWHM_k            1 / (r^(1/3) r_k / (r_x r_y r_z)^(1/3))
//! ```
//!
//! Past the last plane of the image a cell is not whole, unless [`PastLastPlane`] says otherwise.
//!
//! Kiebel, Poline, Friston, Holmes & Worsley 1999, doi 10.1006/nimg.1999.0508, with the determinant voxel by voxel as SPM12
//! and later have it. An axis of one voxel is left out: the field has a dimension less.

use crate::inputs::{Grid, NO_COLUMN, columns_of_voxels, place_in};
use std::f64::consts::LN_2;

/// Sums over frames from which smoothness follows.
#[derive(Debug, Clone)]
pub struct Smoothness {
    /// Axes of more than one voxel.
    axes: Vec<usize>,
    /// For each voxel with a whole cell: its column, and the next column along each of the axes.
    cells: Vec<[u32; 4]>,
    /// For each cell the packed lower triangle of sums of products of differences.
    products: Vec<f64>,
    /// Frames added.
    frames: usize,
}

/// What is the next voxel of one in the last plane of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastLastPlane {
    /// None, so that it has no whole cell.
    Nothing,
    /// It itself, as in SPM. Differences of 0 make noise look smoother than it is where the mask reaches the last planes, and
    /// heights of random fields too low.
    Itself,
}

/// Full width at half maximum of the noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fwhm {
    /// Along each axis of the grid, voxels; 1 along an axis of one voxel.
    pub voxels: [f64; 3],
}

impl Fwhm {
    /// Geometric mean over the axes of more than one voxel, mm.
    pub fn mean_mm(self, grid: &Grid) -> f64 {
        let sizes = grid.voxel_sizes_mm();
        let logs: Vec<f64> =
            (0..3).filter(|axis| grid.shape[*axis] > 1).map(|axis| (self.voxels[axis] * sizes[axis]).ln()).collect();
        (logs.iter().sum::<f64>() / logs.len().max(1) as f64).exp()
    }
}

/// Counts of resolution elements of a mask, by dimension.
pub type Resels = [f64; 4];

impl Smoothness {
    /// Of the voxels `index` of a grid, ascending.
    pub fn new(grid: &Grid, index: &[u32], past_last_plane: PastLastPlane) -> Self {
        let [nx, ny, _] = grid.shape;
        let column_of = columns_of_voxels(grid, index);
        let axes: Vec<usize> = (0..3).filter(|axis| grid.shape[*axis] > 1).collect();
        let mut cells = Vec::new();
        for (column, &voxel) in index.iter().enumerate() {
            let voxel = voxel as usize;
            let at = place_in(grid.shape, voxel);
            let leaves = axes.iter().any(|&axis| at[axis] + 1 == grid.shape[axis]);
            if leaves && past_last_plane == PastLastPlane::Nothing {
                continue;
            }
            let moved = |steps: usize| {
                // an axis of one voxel is not moved along
                let to = |axis: usize| (at[axis] + (steps >> axis & 1)).min(grid.shape[axis] - 1);
                column_of[to(0) + nx * (to(1) + ny * to(2))]
            };
            if (0..8).all(|steps| moved(steps) != NO_COLUMN) {
                cells.push([column as u32, moved(1), moved(2), moved(4)]);
            }
        }
        let n_products = axes.len() * (axes.len() + 1) / 2;
        let products = vec![0.0; cells.len() * n_products];
        Self { axes, cells, products, frames: 0 }
    }

    /// Adds a frame of residuals, one a column, in units of each column's standard deviation.
    pub fn add(&mut self, standardised: &[f64]) {
        let n_axes = self.axes.len();
        let mut differences = [0.0; 3];
        for (cell, sums) in self.cells.iter().zip(self.products.chunks_mut((n_axes * (n_axes + 1) / 2).max(1))) {
            let own = standardised[cell[0] as usize];
            for (difference, &axis) in differences.iter_mut().zip(&self.axes) {
                *difference = standardised[cell[axis + 1] as usize] - own;
            }
            let mut sums = sums.iter_mut();
            for j in 0..n_axes {
                for k in 0..=j {
                    if let Some(sum) = sums.next() {
                        *sum += differences[j] * differences[k];
                    }
                }
            }
        }
        self.frames += 1;
    }

    /// The FWHM. `weight` is what a sum over frames of squared residuals comes to in each voxel: the degrees of freedom where
    /// all frames were added in units of `sqrt(RSS / dof)`, summed over runs; `n_added / n_frames` of that where only some
    /// were. `None` where no cell is whole, or nothing varies.
    pub fn fwhm(&self, weight: f64) -> Option<Fwhm> {
        let n_axes = self.axes.len();
        if self.cells.is_empty() || self.frames == 0 || n_axes == 0 {
            return None;
        }
        let scale = weight.recip();
        let per_axis = |product: f64| (product * scale).max(0.0) / (4.0 * LN_2);
        let (mut volume, mut lengths) = (0.0, [0.0; 3]);
        for sums in self.products.chunks(n_axes * (n_axes + 1) / 2) {
            let at = |j: usize, k: usize| sums[j * (j + 1) / 2 + k] * scale;
            let determinant = match n_axes {
                1 => at(0, 0),
                2 => at(0, 0) * at(1, 1) - at(1, 0) * at(1, 0),
                _ => {
                    at(0, 0) * (at(1, 1) * at(2, 2) - at(2, 1) * at(2, 1))
                        - at(1, 0) * (at(1, 0) * at(2, 2) - at(2, 1) * at(2, 0))
                        + at(2, 0) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0))
                }
            };
            volume += (determinant.max(0.0) / (4.0 * LN_2).powf(n_axes as f64)).sqrt();
            for j in 0..n_axes {
                lengths[j] += per_axis(sums[j * (j + 1) / 2 + j]).sqrt();
            }
        }
        let n = self.cells.len() as f64;
        let root = |value: f64| value.powf((n_axes as f64).recip());
        let product: f64 = lengths[..n_axes].iter().map(|length| length / n).product();
        let mut voxels = [1.0; 3];
        for (length, &axis) in lengths.iter().zip(&self.axes) {
            voxels[axis] = (root(volume / n) * (length / n) / root(product)).recip();
        }
        voxels.iter().all(|width| width.is_finite() && *width > 0.0).then_some(Fwhm { voxels })
    }

    /// Voxels with a whole cell.
    pub fn n_cells(&self) -> usize {
        self.cells.len()
    }
}

/// Resolution elements of the voxels `index`: points, lengths, areas and volume of the mask in units of the FWHM (Worsley
/// and others 1996, doi 10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O).
pub fn resels(grid: &Grid, index: &[u32], fwhm: Fwhm) -> Resels {
    let [nx, ny, _] = grid.shape;
    let mut inside = vec![false; grid.n_voxels()];
    for &voxel in index {
        inside[voxel as usize] = true;
    }
    // how often all corners of a voxel's point, edges, faces and cube are inside, by the axes they extend along
    let mut counts = [0.0_f64; 8];
    for &voxel in index {
        let voxel = voxel as usize;
        let at = place_in(grid.shape, voxel);
        let has = |steps: usize| {
            let to: [usize; 3] = std::array::from_fn(|axis| at[axis] + (steps >> axis & 1));
            (0..3).all(|axis| to[axis] < grid.shape[axis]) && inside[to[0] + nx * (to[1] + ny * to[2])]
        };
        for (extent, count) in counts.iter_mut().enumerate() {
            *count += f64::from(u8::from((0..8).filter(|steps| steps & !extent == 0).all(has)));
        }
    }
    let [points, x, y, xy, z, xz, yz, cubes] = counts;
    let r = fwhm.voxels.map(f64::recip);
    [
        points - (x + y + z) + (xy + xz + yz) - cubes,
        (x - xy - xz + cubes) * r[0] + (y - xy - yz + cubes) * r[1] + (z - xz - yz + cubes) * r[2],
        (xy - cubes) * r[0] * r[1] + (xz - cubes) * r[0] * r[2] + (yz - cubes) * r[1] * r[2],
        cubes * r[0] * r[1] * r[2],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(shape: [usize; 3]) -> Grid {
        let affine = [[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
        Grid { shape, affine }
    }

    #[test]
    fn resels_of_a_box_are_its_edges() {
        let grid = grid([9, 6, 5]);
        let index: Vec<u32> = (0..270).collect();
        let found = resels(&grid, &index, Fwhm { voxels: [4.0, 2.0, 1.0] });
        // a box of 8 x 5 x 4 steps
        let [x, y, z] = [8.0 / 4.0, 5.0 / 2.0, 4.0];
        assert_eq!(found, [1.0, x + y + z, x * y + x * z + y * z, x * y * z]);
        let one = resels(&grid, &[100], Fwhm { voxels: [4.0; 3] });
        assert_eq!(one, [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_plane_has_two_dimensions() {
        // frames of two slopes: differences along x are 0.3 or 0, along y 0 or 0.2
        let grid = grid([5, 4, 1]);
        let index: Vec<u32> = (0..20).collect();
        let of_slopes = |past_last_plane| {
            let mut smoothness = Smoothness::new(&grid, &index, past_last_plane);
            for slope in [[0.3, 0.0], [0.0, 0.2]] {
                let at = |voxel: u32| slope[0] * f64::from(voxel % 5) + slope[1] * f64::from(voxel / 5);
                smoothness.add(&index.iter().map(|&voxel| at(voxel)).collect::<Vec<f64>>());
            }
            (smoothness.fwhm(1.0).unwrap(), smoothness.n_cells())
        };
        // differences are those of the slopes wherever there are any
        let (fwhm, n_cells) = of_slopes(PastLastPlane::Nothing);
        assert_eq!((fwhm.voxels[2], n_cells), (1.0, 12));
        for (width, slope) in fwhm.voxels.iter().zip([0.3, 0.2]) {
            assert!((width * slope / (4.0 * LN_2).sqrt() - 1.0).abs() < 1e-12);
        }
        let (fwhm, n_cells) = of_slopes(PastLastPlane::Itself);
        // at the last row and column differences are 0, as in SPM: 12 of 20 voxels have both
        let share = [16.0 / 20.0, 15.0 / 20.0];
        let root = (4.0 * LN_2).sqrt();
        let lengths = [0.3 / root * share[0], 0.2 / root * share[1]];
        let area = 0.3 * 0.2 / root.powi(2) * 12.0 / 20.0;
        let scale = (area / (lengths[0] * lengths[1])).sqrt();
        for (width, length) in fwhm.voxels.iter().zip(lengths) {
            assert!((width * length * scale - 1.0).abs() < 1e-12);
        }
        assert_eq!((fwhm.voxels[2], n_cells), (1.0, 20));
        assert_eq!(Smoothness::new(&grid, &[], PastLastPlane::Nothing).fwhm(1.0), None);
    }
}

//! Which part of each row every pass must compute so that the wanted voxels come out right.

use std::ops::Range;

/// Ranges along axis 0 for each row (j, k) of the grid, at `j + k * n_y`; an empty range: the row is not needed.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// After the pass along axis 2: the wanted voxels themselves.
    pub(super) wanted: Vec<Range<usize>>,
    /// After the pass along axis 1: what the pass along axis 2 reads.
    pub(super) after_y: Vec<Range<usize>>,
    /// After the pass along axis 0: what the pass along axis 1 reads.
    pub(super) after_x: Vec<Range<usize>>,
}

impl Reach {
    /// Every voxel of the grid.
    pub(super) fn everywhere(shape: [usize; 3]) -> Self {
        let rows = vec![0..shape[0]; shape[1] * shape[2]];
        Self { wanted: rows.clone(), after_y: rows.clone(), after_x: rows }
    }

    /// The voxels of `index` (linear, axis 0 fastest); `mirrored_y[j]` and `mirrored_z[k]` list the positions
    /// that the kernel reads around each position of its axis.
    pub(super) fn of(
        index: &[u32],
        shape: [usize; 3],
        mirrored_y: &[Vec<(usize, usize)>],
        mirrored_z: &[Vec<(usize, usize)>],
    ) -> Self {
        let [n_x, n_y, n_z] = shape;
        let nothing = vec![0..0; n_y * n_z];
        let (mut wanted, mut after_y, mut after_x) = (nothing.clone(), nothing.clone(), nothing);
        for &voxel in index {
            let (row, x) = (voxel as usize / n_x, voxel as usize % n_x);
            join(&mut wanted[row], &(x..x + 1));
        }
        for k in 0..n_z {
            for j in 0..n_y {
                let range = wanted[j + k * n_y].clone();
                join(&mut after_y[j + k * n_y], &range);
                for &(below, above) in &mirrored_z[k] {
                    join(&mut after_y[j + below * n_y], &range);
                    join(&mut after_y[j + above * n_y], &range);
                }
            }
        }
        for k in 0..n_z {
            for j in 0..n_y {
                let range = after_y[j + k * n_y].clone();
                join(&mut after_x[j + k * n_y], &range);
                for &(below, above) in &mirrored_y[j] {
                    join(&mut after_x[below + k * n_y], &range);
                    join(&mut after_x[above + k * n_y], &range);
                }
            }
        }
        Self { wanted, after_y, after_x }
    }
}

/// Widens `range` to hold `other` too.
fn join(range: &mut Range<usize>, other: &Range<usize>) {
    if Range::is_empty(other) {
        return;
    }
    *range =
        if Range::is_empty(range) { other.clone() } else { range.start.min(other.start)..range.end.max(other.end) };
}

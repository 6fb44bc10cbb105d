//! Clusters of voxels above a height, and the peaks in them.
//!
//! Two voxels are neighbours where they share a face or an edge (18 neighbours); positive and negative values form
//! clusters of their own. Clusters are found by joining each voxel with the neighbours before it (union-find).

use crate::inputs::Grid;

/// Peaks shown of a cluster, and how far they are apart at least, mm.
const PEAKS: usize = 3;
const APART_MM: f64 = 8.0;

/// Voxels of one sign above the height that hang together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cluster {
    /// Voxels.
    pub(super) n_voxels: usize,
    /// The highest first; at least one.
    pub(super) peaks: Vec<Peak>,
}

/// A voxel that is not below any of its neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Peak {
    /// Its index in the grid (axis 0 fastest).
    pub(super) voxel: usize,
    /// Its value.
    pub(super) value: f32,
    /// Where its centre is.
    pub(super) place_mm: [f64; 3],
}

/// The clusters of `values` (one a voxel of the grid) where `|value| > height`: the largest first.
pub(super) fn clusters(grid: &Grid, values: &[f32], height: f32) -> Vec<Cluster> {
    let above = |voxel: usize| values[voxel].is_finite() && values[voxel].abs() > height;
    let mut roots = Roots { parents: vec![NONE; values.len()] };
    for voxel in (0..values.len()).filter(|&voxel| above(voxel)) {
        roots.parents[voxel] = voxel as u32;
        for neighbour in neighbours(grid, voxel).filter(|&neighbour| neighbour < voxel && above(neighbour)) {
            if (values[neighbour] > 0.0) == (values[voxel] > 0.0) {
                roots.join(neighbour, voxel);
            }
        }
    }
    let mut members: std::collections::BTreeMap<usize, Vec<usize>> = std::collections::BTreeMap::new();
    for voxel in 0..values.len() {
        if roots.parents[voxel] != NONE {
            members.entry(roots.root(voxel)).or_default().push(voxel);
        }
    }
    let cluster = |members: Vec<usize>| Cluster { n_voxels: members.len(), peaks: peaks(grid, values, members) };
    let mut found: Vec<Cluster> = members.into_values().map(cluster).collect();
    // of equal size: the higher peak, then the earlier voxel
    found.sort_by(|a, b| {
        let height = |cluster: &Cluster| cluster.peaks.first().map_or(0.0, |peak| peak.value.abs());
        b.n_voxels.cmp(&a.n_voxels).then(height(b).total_cmp(&height(a)))
    });
    found
}

/// The peaks of a cluster: local maxima, each more than [`APART_MM`] from those before it.
fn peaks(grid: &Grid, values: &[f32], mut members: Vec<usize>) -> Vec<Peak> {
    members.sort_by(|a, b| values[*b].abs().total_cmp(&values[*a].abs()).then(a.cmp(b)));
    let mut found: Vec<Peak> = Vec::new();
    for voxel in members {
        let sign = values[voxel].signum();
        if neighbours(grid, voxel).any(|neighbour| values[neighbour] * sign > values[voxel] * sign) {
            continue;
        }
        let place_mm = place_mm(grid, voxel);
        let distance = |peak: &Peak| (0..3).map(|k| (peak.place_mm[k] - place_mm[k]).powi(2)).sum::<f64>().sqrt();
        if found.iter().all(|peak| distance(peak) > APART_MM) {
            found.push(Peak { voxel, value: values[voxel], place_mm });
        }
        if found.len() == PEAKS {
            break;
        }
    }
    found
}

/// Where the centre of a voxel is.
pub(super) fn place_mm(grid: &Grid, voxel: usize) -> [f64; 3] {
    let index = index_of(grid, voxel);
    std::array::from_fn(|row| (0..3).map(|k| grid.affine[row][k] * index[k] as f64).sum::<f64>() + grid.affine[row][3])
}

fn index_of(grid: &Grid, voxel: usize) -> [usize; 3] {
    let [nx, ny, _] = grid.shape;
    [voxel % nx, voxel / nx % ny, voxel / (nx * ny)]
}

/// The voxels that share a face or an edge with this one.
fn neighbours(grid: &Grid, voxel: usize) -> impl Iterator<Item = usize> {
    let (shape, index) = (grid.shape, index_of(grid, voxel));
    (0..27_usize).filter_map(move |step| {
        let steps = [step % 3, step / 3 % 3, step / 9];
        let moved = steps.iter().filter(|step| **step != 1).count();
        if moved == 0 || moved == 3 {
            return None;
        }
        let mut at = [0; 3];
        for (axis, at) in at.iter_mut().enumerate() {
            *at = (index[axis] + steps[axis]).checked_sub(1).filter(|at| *at < shape[axis])?;
        }
        Some(at[0] + shape[0] * (at[1] + shape[1] * at[2]))
    })
}

const NONE: u32 = u32::MAX;

/// For each voxel another one of its cluster, nearer to the one that stands for it.
struct Roots {
    parents: Vec<u32>,
}

impl Roots {
    fn root(&mut self, mut voxel: usize) -> usize {
        while self.parents[voxel] as usize != voxel {
            let parent = self.parents[voxel] as usize;
            self.parents[voxel] = self.parents[parent]; // the next walk is half as long
            voxel = parent;
        }
        voxel
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(shape: [usize; 3]) -> Grid {
        let affine = [[-3.0, 0.0, 0.0, 30.0], [0.0, 3.0, 0.0, -20.0], [0.0, 0.0, 3.5, 5.0], [0.0, 0.0, 0.0, 1.0]];
        Grid { shape, affine }
    }

    #[test]
    fn an_edge_joins_a_corner_does_not_and_signs_stay_apart() {
        let grid = grid([4, 4, 4]);
        let at = |i: usize, j: usize, k: usize| i + 4 * (j + 4 * k);
        let mut values = vec![0.0; 64];
        (values[at(0, 0, 0)], values[at(1, 1, 0)]) = (4.0, 5.0); // an edge
        values[at(2, 2, 1)] = 3.5; // a corner
        values[at(2, 1, 0)] = -6.0;
        (values[at(3, 3, 3)], values[at(0, 3, 3)], values[at(1, 3, 3)]) = (3.1, f32::NAN, f32::INFINITY);
        let found = clusters(&grid, &values, 3.1);
        let shown: Vec<(usize, f32)> = found.iter().map(|cluster| (cluster.n_voxels, cluster.peaks[0].value)).collect();
        assert_eq!(shown, [(2, 5.0), (1, -6.0), (1, 3.5)]);
        assert_eq!(found[0].peaks[0].place_mm, [27.0, -17.0, 5.0]);
    }

    #[test]
    fn peaks_of_a_cluster_are_apart() {
        let grid = grid([9, 1, 1]);
        let values = [5.0, 4.0, 6.0, 4.0, 4.0, 4.5, 4.0, 4.0, 4.25];
        let found = clusters(&grid, &values, 3.0);
        let shown: Vec<usize> = found[0].peaks.iter().map(|peak| peak.voxel).collect();
        assert_eq!((found.len(), shown), (1, vec![2, 5, 8]), "the one at 0 is 6 mm from that at 2");
    }

    /// `scripts/expectations/clusters.py`: the same numbers, labelled by scipy.
    #[test]
    fn scipy_finds_the_same_clusters() {
        let expected: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/expectations/clusters.json")).unwrap();
        let grid = grid([17, 13, 11]);
        let mut state = 12_345_u32;
        let values: Vec<f32> = (0..17 * 13 * 11)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as f32 / 8192.0 - 4.0
            })
            .collect();
        for case in expected.as_array().unwrap() {
            let height = case["height"].as_f64().unwrap() as f32;
            let found = clusters(&grid, &values, height);
            let mut shown: Vec<(u64, u64)> =
                found.iter().map(|cluster| (cluster.n_voxels as u64, cluster.peaks[0].voxel as u64)).collect();
            shown.sort_unstable();
            let expected: Vec<(u64, u64)> = serde_json::from_value(case["clusters"].clone()).unwrap();
            assert_eq!(shown, expected, "above {height}");
        }
    }
}

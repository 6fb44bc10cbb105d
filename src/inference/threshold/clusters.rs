//! Clusters of voxels that pass a height, and the peaks in them.
//!
//! Positive and negative values form clusters of their own. A peak is a voxel that none of its 26 neighbours in the
//! cluster exceeds; peaks lie more than [`APART_MM`] from those of the same cluster that are higher.

use crate::config::Neighbours;
use crate::inputs::{Connected, Grid, place_in};

/// How far the peaks of a cluster are apart at least, mm.
const APART_MM: f64 = 8.0;

/// Voxels of one sign that pass and hang together.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its voxels, as places in the values that were given, ascending.
    pub members: Vec<usize>,
    /// The highest first; at least one.
    pub peaks: Vec<Peak>,
    /// The mean of its voxels' centres.
    pub centre_mm: [f64; 3],
}

/// A voxel that no neighbour exceeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Its index in the grid (axis 0 fastest).
    pub voxel: usize,
    /// Its value.
    pub value: f64,
    /// Where its centre is.
    pub place_mm: [f64; 3],
}

/// The clusters of the values that pass, the largest first (of equal size: the higher peak, then the earlier voxel), each
/// with at most `most_peaks` peaks.
///
/// `values` are those of the voxels `index` of the grid, which ascend. 0 and what is not finite never pass.
pub fn clusters(
    grid: &Grid,
    index: &[u32],
    values: &[f64],
    passes: impl Fn(f64) -> bool,
    neighbours: Neighbours,
    most_peaks: usize,
) -> Vec<Cluster> {
    let above = |value: f64| value.is_finite() && value != 0.0 && passes(value);
    let columns: Vec<usize> = (0..values.len()).filter(|&column| above(values[column])).collect();
    let voxels: Vec<u32> = columns.iter().map(|&column| index[column]).collect();
    let is_positive = |place: usize| values[columns[place]] > 0.0;
    let sets = Connected::new(grid.shape, neighbours).components(&voxels, |a, b| is_positive(a) == is_positive(b));
    let mut members: Vec<Vec<usize>> = sets.sizes.iter().map(|size| Vec::with_capacity(*size)).collect();
    for (place, label) in sets.labels.iter().enumerate() {
        members[*label as usize].push(place);
    }
    let mut place_of = vec![NONE; grid.n_voxels()];
    voxels.iter().enumerate().for_each(|(place, &voxel)| place_of[voxel as usize] = place as u32);
    let neighbour_in =
        |label: u32, voxel: usize| place_of[voxel] != NONE && sets.labels[place_of[voxel] as usize] == label;
    let magnitude = |place: usize| values[columns[place]].abs();
    let is_peak = |place: usize| {
        let around = Neighbours::Corners.of(grid.shape, voxels[place] as usize);
        let mut own = around.filter(|&voxel| neighbour_in(sets.labels[place], voxel));
        own.all(|voxel| magnitude(place_of[voxel] as usize) <= magnitude(place))
    };
    let mut found: Vec<Cluster> = members
        .into_iter()
        .map(|places| {
            let mut ranked: Vec<usize> = places.iter().copied().filter(|&place| is_peak(place)).collect();
            ranked.sort_by(|a, b| magnitude(*b).total_cmp(&magnitude(*a)).then(a.cmp(b)));
            let mut peaks: Vec<Peak> = Vec::new();
            for place in ranked {
                let (voxel, value) = (voxels[place] as usize, values[columns[place]]);
                let place_mm = place_mm(grid, voxel);
                if peaks.len() < most_peaks && peaks.iter().all(|peak| distance(peak.place_mm, place_mm) > APART_MM) {
                    peaks.push(Peak { voxel, value, place_mm });
                }
            }
            let mut centre_mm = [0.0; 3];
            for &place in &places {
                let at = self::place_mm(grid, voxels[place] as usize);
                centre_mm.iter_mut().zip(at).for_each(|(sum, at)| *sum += at / places.len() as f64);
            }
            Cluster { members: places.into_iter().map(|place| columns[place]).collect(), peaks, centre_mm }
        })
        .collect();
    found.sort_by(|a, b| {
        let height = |cluster: &Cluster| cluster.peaks.first().map_or(0.0, |peak| peak.value.abs());
        b.members.len().cmp(&a.members.len()).then(height(b).total_cmp(&height(a)))
    });
    found
}

const NONE: u32 = u32::MAX;

/// Where the centre of a voxel is.
fn place_mm(grid: &Grid, voxel: usize) -> [f64; 3] {
    let index = place_in(grid.shape, voxel);
    std::array::from_fn(|row| (0..3).map(|k| grid.affine[row][k] * index[k] as f64).sum::<f64>() + grid.affine[row][3])
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(shape: [usize; 3]) -> Grid {
        let affine = [[-3.0, 0.0, 0.0, 30.0], [0.0, 3.0, 0.0, -20.0], [0.0, 0.0, 3.5, 5.0], [0.0, 0.0, 0.0, 1.0]];
        Grid { shape, affine }
    }

    fn found(grid: &Grid, values: &[f64], height: f64, neighbours: Neighbours) -> Vec<Cluster> {
        let index: Vec<u32> = (0..values.len() as u32).collect();
        clusters(grid, &index, values, |value| value.abs() > height, neighbours, 3)
    }

    #[test]
    fn an_edge_joins_a_corner_does_not_and_signs_stay_apart() {
        let grid = grid([4, 4, 4]);
        let at = |i: usize, j: usize, k: usize| i + 4 * (j + 4 * k);
        let mut values = vec![0.0; 64];
        (values[at(0, 0, 0)], values[at(1, 1, 0)]) = (4.0, 5.0); // an edge
        values[at(2, 2, 1)] = 3.5; // a corner
        values[at(2, 1, 0)] = -6.0;
        (values[at(3, 3, 3)], values[at(0, 3, 3)], values[at(1, 3, 3)]) = (3.1, f64::NAN, f64::INFINITY);
        let shown = |neighbours| -> Vec<(usize, f64)> {
            let found = found(&grid, &values, 3.1, neighbours);
            found.iter().map(|cluster| (cluster.members.len(), cluster.peaks[0].value)).collect()
        };
        assert_eq!(shown(Neighbours::Edges), [(2, 5.0), (1, -6.0), (1, 3.5)]);
        assert_eq!(shown(Neighbours::Faces), [(1, -6.0), (1, 5.0), (1, 4.0), (1, 3.5)]);
        assert_eq!(shown(Neighbours::Corners), [(3, 5.0), (1, -6.0)]);
        let first = &found(&grid, &values, 3.1, Neighbours::Edges)[0];
        assert_eq!((first.peaks[0].place_mm, first.centre_mm), ([27.0, -17.0, 5.0], [28.5, -18.5, 5.0]));
    }

    #[test]
    fn peaks_of_a_cluster_are_apart() {
        let grid = grid([9, 1, 1]);
        let values = [5.0, 4.0, 6.0, 4.0, 4.0, 4.5, 4.0, 4.0, 4.25];
        let found = found(&grid, &values, 3.0, Neighbours::Faces);
        let shown: Vec<usize> = found[0].peaks.iter().map(|peak| peak.voxel).collect();
        assert_eq!((found.len(), shown), (1, vec![2, 5, 8]), "the one at 0 is 6 mm from that at 2");
    }

    #[test]
    fn voxels_that_were_not_analysed_part_clusters() {
        let grid = grid([5, 1, 1]);
        let found = clusters(&grid, &[0, 1, 3, 4], &[4.0, 4.0, 4.0, 5.0], |z| z > 3.0, Neighbours::Corners, 1);
        let members: Vec<&[usize]> = found.iter().map(|cluster| &*cluster.members).collect();
        assert_eq!(members, [[2, 3], [0, 1]]);
    }

    /// `scripts/expectations/clusters.py`: the same numbers, labelled by scipy.
    #[test]
    fn scipy_finds_the_same_clusters() {
        let expected: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/expectations/clusters.json")).unwrap();
        let grid = grid([17, 13, 11]);
        let mut state = 12_345_u32;
        let values: Vec<f64> = (0..17 * 13 * 11)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(state >> 16) / 8192.0 - 4.0
            })
            .collect();
        for case in expected.as_array().unwrap() {
            let height = case["height"].as_f64().unwrap();
            let neighbours = [Neighbours::Faces, Neighbours::Edges, Neighbours::Corners];
            let neighbours = neighbours.into_iter().find(|kind| case["neighbours"] == kind.count()).unwrap();
            let found = found(&grid, &values, height, neighbours);
            let mut shown: Vec<(u64, u64)> =
                found.iter().map(|cluster| (cluster.members.len() as u64, cluster.peaks[0].voxel as u64)).collect();
            shown.sort_unstable();
            let expected: Vec<(u64, u64)> = serde_json::from_value(case["clusters"].clone()).unwrap();
            assert_eq!(shown, expected, "above {height}, {neighbours:?}");
        }
    }
}

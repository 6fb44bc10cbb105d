//! Binary morphology on volumes with the six face neighbours: erosion, dilation, largest component.
//!
//! Masks hold one entry a voxel, axis 0 fastest. What lies outside the grid is outside the mask.

use crate::config::Neighbours;
use crate::inputs::Connected;
use std::cmp::Reverse;

/// Voxels all of whose face neighbours are inside too, `iterations` times; the grid's border erodes.
pub(super) fn erode(mask: &[bool], shape: [usize; 3], iterations: usize) -> Vec<bool> {
    repeat(mask, iterations, |mask, voxel| {
        mask[voxel] && neighbours(voxel, shape).iter().all(|at| at.is_some_and(|at| mask[at]))
    })
}

/// Voxels that are inside or have a face neighbour inside, `iterations` times.
pub(super) fn dilate(mask: &[bool], shape: [usize; 3], iterations: usize) -> Vec<bool> {
    repeat(mask, iterations, |mask, voxel| {
        mask[voxel] || neighbours(voxel, shape).iter().any(|at| at.is_some_and(|at| mask[at]))
    })
}

/// The largest set of voxels connected through faces; of several of the same size the one that holds the voxel
/// (i, j, k) first in lexicographic order. Empty for an empty mask.
pub(super) fn largest_component(mask: &[bool], shape: [usize; 3]) -> Vec<bool> {
    let voxels: Vec<u32> = (0..mask.len()).filter(|&voxel| mask[voxel]).map(|voxel| voxel as u32).collect();
    let found = Connected::new(shape, Neighbours::Faces).components(&voxels, |_, _| true);
    let [n_x, n_y, _] = shape;
    let lexicographic = |voxel: u32| {
        let voxel = voxel as usize;
        (voxel % n_x, voxel / n_x % n_y, voxel / (n_x * n_y))
    };
    let size = |place: &usize| found.sizes[found.labels[*place] as usize];
    let best = (0..voxels.len()).max_by_key(|place| (size(place), Reverse(lexicographic(voxels[*place]))));
    let mut inside = vec![false; mask.len()];
    if let Some(best) = best {
        let members = voxels.iter().zip(&found.labels).filter(|(_, label)| **label == found.labels[best]);
        members.for_each(|(&voxel, _)| inside[voxel as usize] = true);
    }
    inside
}

/// Applies a rule of a mask and a voxel to every voxel, `iterations` times.
fn repeat(mask: &[bool], iterations: usize, rule: impl Fn(&[bool], usize) -> bool) -> Vec<bool> {
    (0..iterations).fold(mask.to_vec(), |mask, _| (0..mask.len()).map(|voxel| rule(&mask, voxel)).collect())
}

/// The six face neighbours of a voxel; `None` outside the grid.
fn neighbours(voxel: usize, [n_x, n_y, n_z]: [usize; 3]) -> [Option<usize>; 6] {
    let (i, j, k) = (voxel % n_x, voxel / n_x % n_y, voxel / (n_x * n_y));
    let plane = n_x * n_y;
    [
        (i > 0).then(|| voxel - 1),
        (i + 1 < n_x).then(|| voxel + 1),
        (j > 0).then(|| voxel - n_x),
        (j + 1 < n_y).then(|| voxel + n_x),
        (k > 0).then(|| voxel - plane),
        (k + 1 < n_z).then(|| voxel + plane),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Oracle {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        shape: [usize; 3],
        mask: String,
        largest: String,
        eroded_1: Option<String>,
        eroded_2: Option<String>,
        dilated_1: Option<String>,
        dilated_4: Option<String>,
    }

    fn mask_of(bits: &str) -> Vec<bool> {
        bits.bytes().map(|bit| bit == b'1').collect()
    }

    #[test]
    fn all_operations_equal_scipy() {
        let oracle: Oracle =
            serde_json::from_str(include_str!("../../tests/oracles/preprocess/morphology.json")).unwrap();
        assert_eq!(oracle.cases.len(), 22);
        for case in oracle.cases {
            let (mask, shape) = (mask_of(&case.mask), case.shape);
            assert_eq!(largest_component(&mask, shape), mask_of(&case.largest), "{shape:?}");
            for (found, expected) in [
                (erode(&mask, shape, 1), case.eroded_1),
                (erode(&mask, shape, 2), case.eroded_2),
                (dilate(&mask, shape, 1), case.dilated_1),
                (dilate(&mask, shape, 4), case.dilated_4),
            ] {
                if let Some(expected) = expected {
                    assert_eq!(found, mask_of(&expected), "{shape:?}");
                }
            }
        }
    }
}

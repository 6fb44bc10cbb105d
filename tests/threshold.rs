//! Thresholds against nilearn: heights, cluster tables, true-discovery proportions (`tests/oracles/threshold`).
#![allow(clippy::unwrap_used, clippy::panic)]

use boldly::config::{Neighbours, Sides};
use boldly::inference::threshold::{self, TrueDiscoveries, clusters};
use boldly::inputs::Grid;
use serde::Deserialize;

const SHAPE: [usize; 3] = [12, 10, 9];

#[derive(Deserialize)]
struct Oracle {
    first: f64,
    sum: f64,
    heights: Vec<HeightCase>,
    tables: Vec<TableCase>,
    proportions: Vec<ProportionCase>,
}

#[derive(Deserialize)]
struct HeightCase {
    height: String,
    alpha: f64,
    sides: u8,
    min_cluster_voxels: usize,
    /// `None`: nothing passes.
    threshold: Option<f64>,
    n_kept: usize,
    sum_kept: f64,
}

#[derive(Deserialize)]
struct TableCase {
    height: f64,
    min_cluster_voxels: usize,
    sides: u8,
    rows: Vec<Row>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Row {
    first: bool,
    xyz: [f64; 3],
    z: f64,
    mm3: f64,
}

#[derive(Deserialize)]
struct ProportionCase {
    height: f64,
    alpha: f64,
    largest: f64,
    sum: f64,
    n: usize,
}

/// The map that `generate.py` describes: voxels of the mask and their z.
struct Map {
    grid: Grid,
    index: Vec<u32>,
    z: Vec<f64>,
}

fn averaged(values: &[f64]) -> Vec<f64> {
    let around = |at: usize, length: usize| at.saturating_sub(1)..(at + 2).min(length);
    let place = |i: usize, j: usize, k: usize| i + SHAPE[0] * (j + SHAPE[1] * k);
    (0..values.len())
        .map(|voxel| {
            let (i, j, k) = (voxel % 12, voxel / 12 % 10, voxel / 120);
            let (mut total, mut count) = (0.0, 0.0);
            for c in around(k, SHAPE[2]) {
                for b in around(j, SHAPE[1]) {
                    for a in around(i, SHAPE[0]) {
                        total += values[place(a, b, c)];
                        count += 1.0;
                    }
                }
            }
            total / count
        })
        .collect()
}

fn map(oracle: &Oracle) -> Map {
    let mut state = 987_654_321_u32;
    let values: Vec<f64> = (0..SHAPE.iter().product())
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 23) - 1.0
        })
        .collect();
    let mut z: Vec<f64> = averaged(&averaged(&values)).into_iter().map(|value| 12.0 * value).collect();
    for (centre, added) in [([3, 3, 4], 3.0), ([8, 6, 5], -3.0)] {
        for (voxel, z) in z.iter_mut().enumerate() {
            let at = [voxel % 12, voxel / 12 % 10, voxel / 120];
            if at.iter().zip(centre).map(|(a, b): (&usize, usize)| a.abs_diff(b).pow(2)).sum::<usize>() <= 5 {
                *z += added;
            }
        }
    }
    let index: Vec<u32> = (0..z.len() as u32).filter(|voxel| !(voxel % 7 == 0 && *voxel < 200)).collect();
    let z: Vec<f64> = index.iter().map(|&voxel| z[voxel as usize]).collect();
    assert_eq!(index[0], 1);
    assert!((z[0] - oracle.first).abs() < 1e-13 && (z.iter().sum::<f64>() - oracle.sum).abs() < 1e-10);
    let affine = [[-3.0, 0.0, 0.0, 30.0], [0.0, 3.0, 0.0, -20.0], [0.0, 0.0, 3.5, 5.0], [0.0, 0.0, 0.0, 1.0]];
    Map { grid: Grid { shape: SHAPE, affine }, index, z }
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("oracles/threshold/nilearn.json")).unwrap()
}

fn sides(count: u8) -> Sides {
    if count == 2 { Sides::Two } else { Sides::One }
}

fn passes(height: f64, sides: Sides) -> impl Fn(f64) -> bool {
    move |z| if sides == Sides::Two { z.abs() >= height } else { z >= height }
}

#[test]
fn heights_and_maps_are_those_of_threshold_stats_img() {
    let oracle = oracle();
    let map = map(&oracle);
    assert_eq!(oracle.heights.len(), 16);
    for case in &oracle.heights {
        let sides = sides(case.sides);
        let height = match &*case.height {
            "fpr" => threshold::uncorrected(case.alpha, sides),
            "fdr" => threshold::benjamini_hochberg(&map.z, case.alpha, sides),
            "bonferroni" => threshold::bonferroni(case.alpha, map.z.len(), sides),
            other => panic!("{other}"),
        };
        match case.threshold {
            None => assert_eq!(height, f64::INFINITY),
            // nilearn puts its height of a false discovery rate 1e-12 below the last value that passes
            Some(expected) => assert!((height - expected).abs() < 2e-12, "{height}, not {expected}"),
        }
        let found = clusters(&map.grid, &map.index, &map.z, passes(height, sides), Neighbours::Faces, 1);
        let kept: Vec<f64> = found
            .iter()
            .filter(|cluster| cluster.members.len() >= case.min_cluster_voxels)
            .flat_map(|cluster| cluster.members.iter().map(|&column| map.z[column]))
            .collect();
        assert_eq!(kept.len(), case.n_kept, "{} {} {:?}", case.height, case.alpha, sides);
        assert!((kept.iter().sum::<f64>() - case.sum_kept).abs() < 1e-9);
    }
}

#[test]
fn clusters_and_peaks_are_those_of_get_clusters_table() {
    let oracle = oracle();
    let map = map(&oracle);
    let voxel_mm3: f64 = map.grid.voxel_sizes_mm().iter().product();
    for case in &oracle.tables {
        let sides = sides(case.sides);
        let found = clusters(&map.grid, &map.index, &map.z, passes(case.height, sides), Neighbours::Faces, 4);
        let mut rows: Vec<Vec<Row>> = found
            .iter()
            .filter(|cluster| cluster.members.len() >= case.min_cluster_voxels)
            .map(|cluster| {
                // nilearn cuts the size to whole mm3
                let mm3 = (cluster.members.len() as f64 * voxel_mm3).trunc();
                let row = |(at, peak): (usize, &threshold::Peak)| Row {
                    first: at == 0,
                    xyz: peak.place_mm,
                    z: peak.value,
                    mm3,
                };
                cluster.peaks.iter().enumerate().map(row).collect()
            })
            .collect();
        // positive ones first, each sign by its peaks
        rows.sort_by(|a, b| (b[0].z > 0.0).cmp(&(a[0].z > 0.0)).then(b[0].z.abs().total_cmp(&a[0].z.abs())));
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        assert_eq!(rows.len(), case.rows.len(), "above {}", case.height);
        for (row, expected) in rows.iter().zip(&case.rows) {
            let same = row.first == expected.first && row.xyz == expected.xyz && row.mm3 == expected.mm3;
            assert!(same && (row.z - expected.z).abs() < 1e-12, "{row:?}, not {expected:?}");
        }
    }
}

#[test]
fn proportions_are_those_of_cluster_level_inference() {
    let oracle = oracle();
    let map = map(&oracle);
    for case in &oracle.proportions {
        let discoveries = TrueDiscoveries::new(&map.z, case.alpha, Sides::One);
        let found = clusters(&map.grid, &map.index, &map.z, |z| z > case.height, Neighbours::Faces, 1);
        let (mut largest, mut sum, mut n) = (0.0_f64, 0.0, 0);
        for cluster in &found {
            let values: Vec<f64> = cluster.members.iter().map(|&column| map.z[column]).collect();
            let share = discoveries.proportion(&values);
            largest = largest.max(share);
            sum += share * values.len() as f64;
            n += if share > 0.0 { values.len() } else { 0 };
        }
        assert!((largest - case.largest).abs() < 1e-12 && (sum - case.sum).abs() < 1e-9, "{largest} {sum}");
        assert_eq!(n, case.n);
    }
}

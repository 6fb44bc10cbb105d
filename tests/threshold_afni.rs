//! Spatial autocorrelation and cluster sizes against AFNI's 3dFWHMx and 3dClustSim.
//!
//! Reference data lie in `BOLDLY_TEST_DATA`, or in `../shared` beside the package; without them the test says so and passes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "docs/thresholds.md quotes what they measure")]

mod support;

use boldly::config::{Neighbours, Sides};
use boldly::error::CancelToken;
use boldly::inference::threshold::{Autocorrelation, ClusterNull, Distances, MixedAcf};
use boldly::inputs::{Grid, read_frames_f64};
use std::path::Path;

/// AFNI's own starts are random: a, b and c of repeated runs differ by up to 5e-5.
const FIT_TOLERANCE: f64 = 1e-3;

fn rows(path: &Path) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let row = |line: &str| -> Option<Vec<f64>> { line.split_whitespace().map(|cell| cell.parse().ok()).collect() };
    text.lines().filter_map(row).filter(|row| !row.is_empty()).collect()
}

#[test]
fn the_autocorrelation_of_residuals_is_that_of_3dfwhmx() {
    let Some(shared) = support::shared() else { return };
    let refs = shared.join("refs/afni_programs");
    let bold = shared.join("data/localizer/sub-01/func/sub-01_task-localizer_space-MNI_bold.nii.gz");
    let (header, values, _) = read_frames_f64(&bold).unwrap_or_else(|problems| panic!("{problems}"));
    let inside = support::image(&refs.join("smoothness_clusters/mask.nii.gz"));
    let index: Vec<u32> = (0..inside.len() as u32).filter(|voxel| inside[*voxel as usize] > 0.0).collect();
    let beta = support::image(&refs.join("glm_localizer/reml_spmg1_beta.nii.gz"));
    let design = rows(&refs.join("glm_localizer/X_spmg1.tsv"));
    let n = inside.len();
    let mut found = Autocorrelation::new(&header.grid, &index, 9.4);
    for (frame, weights) in design.iter().enumerate() {
        let residual = |voxel: &u32| {
            let voxel = *voxel as usize;
            let fitted: f64 = weights.iter().enumerate().map(|(column, x)| x * beta[column * n + voxel]).sum();
            values[frame * n + voxel] - fitted
        };
        found.add(&index.iter().map(residual).collect::<Vec<f64>>());
    }
    let by_length = found.by_length();
    // beyond them AFNI averages over lengths that are nearly the same
    let expected: Vec<Vec<f64>> = rows(&refs.join("smoothness_clusters/fwhmx_rerrts_acf.1D"));
    let apart: Vec<&Vec<f64>> = expected.iter().filter(|row| row[0] < 8.3).collect();
    let same_length = |row: &&Vec<f64>| {
        let found = by_length.iter().find(|(length, _)| (length - row[0]).abs() < 1e-4);
        *found.unwrap_or_else(|| panic!("no {} among {by_length:?}", row[0]))
    };
    let at_lengths: Vec<(f64, f64)> = apart.iter().map(same_length).collect();
    let differences = at_lengths.iter().zip(&apart).map(|((_, acf), row)| (acf - row[1]).abs());
    let worst = differences.fold(0.0_f64, f64::max);
    println!("autocorrelation: off by at most {worst:.1e} at {} lengths", apart.len());
    assert!(worst < 2e-6, "six digits are written, of residuals in float32: {worst}");
    let stdout = rows(&refs.join("smoothness_clusters/fwhmx_rerrts_stdout.1D"));
    let of_rows: Vec<(f64, f64)> = expected.iter().map(|row| (row[0], row[1])).collect();
    for (what, by_length, tolerance) in [("AFNI's lengths", &of_rows, FIT_TOLERANCE), ("all lengths", &by_length, 0.1)]
    {
        let fit = MixedAcf::fit(by_length, &Distances::default()).unwrap();
        println!("model of {what}: {fit:?}, AFNI {:?}", &stdout[1][..3]);
        for (found, expected) in [fit.a, fit.b_mm, fit.c_mm].iter().zip(&stdout[1]) {
            assert!((found - expected).abs() < tolerance, "{fit:?}, not {:?}", &stdout[1]);
        }
    }
}

#[test]
fn clusters_of_noise_are_as_large_as_those_of_3dclustsim() {
    let Some(shared) = support::shared() else { return };
    let refs = shared.join("refs/afni_programs/smoothness_clusters");
    let mask = support::image(&refs.join("mask.nii.gz"));
    let in_mask: Vec<u32> = (0..mask.len() as u32).filter(|voxel| mask[*voxel as usize] > 0.0).collect();
    let grid = |shape, sizes: [f64; 3]| {
        let mut affine = [[0.0; 4]; 4];
        (0..3).for_each(|axis| affine[axis][axis] = sizes[axis]);
        affine[3][3] = 1.0;
        Grid { shape, affine }
    };
    let localizer = (grid([79, 95, 46], [2.0, 2.0, 3.0]), in_mask);
    let cube = (grid([40, 40, 20], [3.0; 3]), (0..32_000).collect());
    let measured = MixedAcf { a: 0.436_547, b_mm: 1.929_18, c_mm: 3.054_87 };
    let long_tailed = MixedAcf { a: 0.6, b_mm: 3.0, c_mm: 8.0 };
    let n_fields = 1000;
    for (name, (grid, index), acf) in
        [("clustsim_acf", &localizer, measured), ("clustsim_box40x40x20_acf0.6_3_8", &cube, long_tailed)]
    {
        for (neighbours, nn, sides, label, p) in [
            (Neighbours::Faces, 1, Sides::Two, "bisided", 0.001),
            (Neighbours::Edges, 2, Sides::One, "1sided", 0.01),
            (Neighbours::Corners, 3, Sides::Two, "bisided", 0.005),
        ] {
            let seed = ClusterNull::SEED;
            let null = ClusterNull { acf, cluster_forming_p: p, sides, neighbours, n_fields, seed };
            let largest = null.simulate(grid, index, &CancelToken::new()).unwrap();
            let table = rows(&refs.join(format!("{name}.NN{nn}_{label}.1D")));
            let row = table.iter().find(|row| row[0] == p).unwrap();
            for (alpha, size) in [0.10, 0.05, 0.02, 0.01].iter().zip(&row[1..]) {
                // AFNI interpolates between sizes, and has 2000 fields
                let chance = (alpha * (1.0 - alpha) * (1.0 / 2000.0 + 1.0 / f64::from(n_fields as u32))).sqrt();
                let (at_floor, at_ceiling) =
                    (largest.share(size.floor() as usize), largest.share(size.ceil() as usize));
                println!("{name} NN{nn} {label} p {p}: AFNI {alpha} at {size}; here {at_floor:.4} to {at_ceiling:.4}");
                assert!(at_floor > alpha - 4.0 * chance, "{name} NN{nn} {label} {alpha}: {at_floor} at {size}");
                // it also divides each field by its own standard deviation, which takes out what a long tail moves as a whole
                let divided = if name == "clustsim_acf" { 1.0 } else { 1.5 };
                assert!(
                    at_ceiling < divided * alpha + 4.0 * chance,
                    "{name} NN{nn} {label} {alpha}: {at_ceiling} at {size}"
                );
            }
        }
    }
}

#[test]
fn simulations_are_the_same_with_any_number_of_threads() {
    let grid = Grid {
        shape: [12, 9, 8],
        affine: [[3.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
    };
    let index: Vec<u32> = (0..864).filter(|voxel| voxel % 5 != 0).collect();
    let null = ClusterNull {
        acf: MixedAcf { a: 0.7, b_mm: 3.0, c_mm: 6.0 },
        cluster_forming_p: 0.01,
        sides: Sides::Two,
        neighbours: Neighbours::Faces,
        n_fields: 60,
        seed: ClusterNull::SEED,
    };
    let with = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| null.simulate(&grid, &index, &CancelToken::new()).unwrap())
    };
    let one = with(1);
    assert_eq!(one, with(3));
    assert!(one.sizes()[59] > 2 && one.share(1) > 0.5 && one.share(usize::MAX) < 0.02);
    assert_eq!(one.p(one.least_size(0.05)).max(0.05), 0.05);
}

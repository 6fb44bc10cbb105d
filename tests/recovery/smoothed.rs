//! The sample data, smoothed: the truth is then the smoothed truth.

use crate::made::{Made, Model, mean};
use crate::sample_data::{
    ACTIVE_PERCENT, CONTRASTS, Found, NULL_PERCENT, Subjects, coverage, expected_p, holding_threshold, mean_error,
    null_z, read, sensitivity, slope, true_variance,
};
use crate::space::{Correlation, convolve, gaussian};
use crate::support::Project;

const SHAPE: [usize; 3] = [20, 24, 18];
const FWHM_MM: f64 = 10.0;

/// Voxels around one with their weights; beyond an edge the image is mirrored.
fn neighbours(voxel: usize, kernel: &[f64]) -> Vec<(usize, f64)> {
    let radius = kernel.len() / 2;
    let place = [voxel % SHAPE[0], voxel / SHAPE[0] % SHAPE[1], voxel / (SHAPE[0] * SHAPE[1])];
    let along = |axis: usize| -> Vec<(usize, f64)> {
        let n = SHAPE[axis];
        // places shifted by the grid's length, so that none is negative
        let mirrored = |at: usize| if at < n { n - 1 - at } else { (at - n).min(3 * n - 1 - at) };
        kernel.iter().enumerate().map(|(tap, weight)| (mirrored(n + place[axis] + tap - radius), *weight)).collect()
    };
    let (x, y, z) = (along(0), along(1), along(2));
    let mut all = Vec::new();
    for &(k, c) in &z {
        for &(j, b) in &y {
            all.extend(x.iter().map(|&(i, a)| (i + SHAPE[0] * (j + SHAPE[1] * k), a * b * c)));
        }
    }
    all
}

#[test]
fn smoothing_gives_the_smoothed_truth_and_finds_more_of_it() {
    let made = Made::sample_data();
    let names: Vec<(&str, &str)> = CONTRASTS.iter().map(|contrast| (contrast.0, contrast.1)).collect();
    let models = [Model { name: "ar1", settings: "noise = \"ar1\"", contrasts: &names }];
    let head = format!("[preprocess]\nsmooth_fwhm_mm = {FWHM_MM:.1}");
    let run = |head: &str| {
        let project = Project::new(&made.pipeline(&[1, 2], head, true, &models));
        project.succeed(&["run", "pipeline.toml"]);
        let found: Vec<Subjects> = CONTRASTS
            .iter()
            .map(|contrast| read(&made, project.path(), "ar1", *contrast, &true_variance(true)))
            .collect();
        found
    };
    let plain = run("");
    let declared = run(&head);
    let (noise, kernel) = (gaussian(10.0, 7.5), gaussian(FWHM_MM, 7.5));
    let unsmoothed_space = Correlation::of_kernel(&noise, SHAPE);
    let space = Correlation::of_kernel(&convolve(&noise, &kernel), SHAPE);
    let baseline = made.truth("baseline");
    // the background's mean is that of a magnitude of two channels of standard deviation 3
    let background = 3.0 * (std::f64::consts::PI / 2.0).sqrt();
    let brightness: Vec<f64> = baseline.iter().map(|&b| if b > 0.0 { b } else { background }).collect();
    let mut smoothed = declared.clone();
    for found in smoothed.iter_mut().flatten() {
        let mut truth = vec![0.0; baseline.len()];
        let mut sd_of = vec![0.0; baseline.len()];
        for found in found.iter() {
            truth[found.voxel] = found.truth;
            sd_of[found.voxel] = found.sd;
        }
        for Found { voxel, truth: own_truth, sd: own_sd, .. } in found.iter_mut() {
            let around = neighbours(*voxel, &kernel);
            let total: f64 = around.iter().map(|(at, weight)| weight * brightness[*at]).sum();
            *own_truth = around.iter().map(|(at, weight)| weight * baseline[*at] * truth[*at]).sum::<f64>() / total;
            let voxels: Vec<usize> = around.iter().map(|(at, _)| *at).collect();
            let terms: Vec<f64> = around.iter().map(|(at, weight)| weight * baseline[*at] * sd_of[*at]).collect();
            *own_sd = unsmoothed_space.sd_of_sum(&voxels, &terms, 1) / total;
        }
    }
    let expected = expected_p(&made, true);
    for ((found, (contrast, ..)), expected) in smoothed.iter().zip(CONTRASTS).zip(&expected) {
        for (class, keep) in [
            ("active", &(|found: &Found| found.truth.abs() >= ACTIVE_PERCENT) as &dyn Fn(&Found) -> bool),
            ("null", &|found: &Found| found.truth.abs() < NULL_PERCENT),
        ] {
            let (error, se, n) = mean_error(found, &space, keep);
            if n > 0 {
                println!(
                    "smoothed {contrast}: mean error over {n} {class} voxels {error:+.4} % signal = {:+.2} se",
                    error / se
                );
                assert!(error.abs() < 4.0 * se, "{contrast}: mean error over {class} voxels {error}, se {se}");
            }
        }
        if contrast != "blank" {
            let (slope, se) = slope(found, &space);
            println!("smoothed {contrast}: slope on the smoothed truth {slope:.4}, se {se:.4}");
            assert!((slope - 1.0).abs() < 4.0 * se, "{contrast}: slope {slope}, standard error {se}");
        }
        // the 97.5 % point of t with 230 degrees of freedom
        let (share, se) = coverage(found, &space, 1.970_33);
        // smoothing mixes voxels whose rho differ little, so the unsmoothed estimator's expectation stands
        let of_estimator = mean(expected.iter().map(|&p| f64::from(u8::from(p >= 0.05))));
        println!("smoothed {contrast}: coverage {share:.4}, expected {of_estimator:.4}, se {se:.4}");
        assert!((share - of_estimator).abs() < 4.0 * se, "{contrast}: coverage {share} for {of_estimator}");
    }
    // active by the unsmoothed truth in both; each at its own threshold
    let null: Vec<f64> = null_z(&smoothed);
    let n_null = null.len();
    let threshold = holding_threshold(null, 0.001);
    let (_, predicted, se) = sensitivity(&smoothed, &space, threshold, 230.0);
    let (share_of_smoothed, ..) = sensitivity(&smoothed, &space, threshold, 230.0);
    let (share, ..) = sensitivity(&declared, &space, threshold, 230.0);
    let (unsmoothed, ..) = sensitivity(&plain, &unsmoothed_space, holding_threshold(null_z(&plain), 0.001), 230.0);
    println!(
        "smoothed: z > {threshold:.3} holds .001 of {n_null}; sensitivity to the smoothed truth {share_of_smoothed:.4} \
         (expected {predicted:.4}, se {se:.4}), to the truth {share:.4} (unsmoothed {unsmoothed:.4})"
    );
    assert!((share_of_smoothed - predicted).abs() < 4.0 * se, "sensitivity {share_of_smoothed} for {predicted}");
    // blobs of 28 mm and more in noise of 10 mm: smoothing by 10 mm loses little signal and much noise
    assert!(share > unsmoothed, "smoothing lowered sensitivity: {share} from {unsmoothed}");
}

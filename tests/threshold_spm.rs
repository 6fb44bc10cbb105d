//! Smoothness, resels and heights of random fields against SPM26's own output.
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

use boldly::inference::threshold::{FieldOf, Fwhm, PastLastPlane, Smoothness, resels};
use boldly::inputs::{Grid, read_frames_f64};
use ndarray::{Array2, s};
use serde_json::Value;
use std::path::Path;
use support::table;

const CASES: [&str; 6] = [
    "A_localizer_hrf_none",
    "A_localizer_hrf_ar1",
    "A_localizer_hrf_fast",
    "C_haxby_hrf_none",
    "C_haxby_hrf_ar1",
    "C_haxby_hrf_fast",
];

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs()
}

/// An orthonormal basis of the columns (Gram & Schmidt, twice).
fn orthonormal(columns: &Array2<f64>) -> Array2<f64> {
    let mut basis = columns.clone();
    for column in 0..basis.ncols() {
        for _ in 0..2 {
            for before in 0..column {
                let other = basis.column(before).to_owned();
                let share = other.dot(&basis.column(column));
                basis.column_mut(column).scaled_add(-share, &other);
            }
        }
        let length = basis.column(column).dot(&basis.column(column)).sqrt();
        basis.column_mut(column).mapv_inplace(|value| value / length);
    }
    basis
}

/// Residuals of SPM's model, frame x voxel, in units of their standard deviation: data and design whitened by W, the drift of
/// the filter beside the design.
fn standardised_residuals(case: &Path, data: &Array2<f64>, dof: f64) -> Array2<f64> {
    let whitened = |values: &Array2<f64>| match case.join("W.tsv.gz") {
        path if path.exists() => table(&path).dot(values),
        _ => values.clone(),
    };
    let (design, drift) = (whitened(&table(&case.join("X.tsv"))), table(&case.join("K_X0.tsv")));
    let mut columns = Array2::zeros((design.nrows(), design.ncols() + drift.ncols()));
    columns.slice_mut(s![.., ..design.ncols()]).assign(&design);
    columns.slice_mut(s![.., design.ncols()..]).assign(&drift);
    let basis = orthonormal(&columns);
    let data = whitened(data);
    let mut residuals = &data - &basis.dot(&basis.t().dot(&data));
    for mut voxel in residuals.columns_mut() {
        let scale = (voxel.dot(&voxel) / dof).sqrt();
        voxel.mapv_inplace(|value| value / scale);
    }
    residuals
}

#[test]
fn smoothness_and_resels_are_those_of_spm() {
    let Some(shared) = support::shared() else { return };
    let spm = shared.join("refs/spm");
    let rft: Value = serde_json::from_slice(&std::fs::read(spm.join("F_rft/rft.json")).unwrap()).unwrap();
    let inputs = [
        ("localizer", "data/localizer/sub-01/func/sub-01_task-localizer_space-MNI_bold.nii.gz"),
        ("haxby", "data/haxby2001/sub-01/func/sub-01_task-objectviewing_run-01_desc-25mm_bold.nii.gz"),
    ];
    for (name, bold) in inputs {
        let (header, values, _) = read_frames_f64(&shared.join(bold)).unwrap_or_else(|problems| panic!("{problems}"));
        for case in CASES.iter().filter(|case| case.contains(name)) {
            let folder = spm.join(case);
            let inside = support::image(&folder.join("mask.nii.gz"));
            let index: Vec<u32> = (0..inside.len() as u32).filter(|voxel| inside[*voxel as usize] > 0.0).collect();
            let n_frames = values.len() / inside.len();
            let grid: Grid = header.grid.clone();
            let data = Array2::from_shape_fn((n_frames, index.len()), |(frame, column)| {
                values[frame * inside.len() + index[column] as usize]
            });
            let (expected, dof) = (&rft[*case], rft[*case]["erdf"].as_f64().unwrap());
            let residuals = standardised_residuals(&folder, &data, dof);
            let mut smoothness = Smoothness::new(&grid, &index, PastLastPlane::Itself);
            // SPM takes 64 of them
            for k in 0..64 {
                let frame = (f64::from(k) * (n_frames - 1) as f64 / 63.0 + 0.5).floor() as usize;
                smoothness.add(&residuals.row(frame).to_vec());
            }
            let fwhm = smoothness.fwhm(64.0 * dof / n_frames as f64).unwrap();
            let of_fwhm = numbers(&expected["FWHM_voxels"]);
            let fwhm_error = (0..3).map(|k| relative(fwhm.voxels[k], of_fwhm[k])).fold(0.0, f64::max);
            let of_resels = numbers(&expected["R_resels"]);
            let found = resels(&grid, &index, fwhm);
            let resels_error = (0..4).map(|k| relative(found[k], of_resels[k])).fold(0.0, f64::max);
            println!("{case}: FWHM {:?}, off by {fwhm_error:.1e}; resels off by {resels_error:.1e}", fwhm.voxels);
            assert!(
                fwhm_error < 1e-6 && resels_error < 1e-6,
                "{case}: {fwhm:?} {found:?}, not {of_fwhm:?} {of_resels:?}"
            );
            let exact = Fwhm { voxels: [of_fwhm[0], of_fwhm[1], of_fwhm[2]] };
            assert!((0..4).all(|k| relative(resels(&grid, &index, exact)[k], of_resels[k]) < 1e-12));
        }
    }
}

#[test]
fn heights_of_random_fields_are_those_of_spm() {
    let Some(shared) = support::shared() else { return };
    let rft: Value = serde_json::from_slice(&std::fs::read(shared.join("refs/spm/F_rft/rft.json")).unwrap()).unwrap();
    let (mut worst, mut count) = (0.0_f64, 0);
    for (case, entry) in rft.as_object().unwrap() {
        let Some(contrasts) = entry.get("contrasts").and_then(Value::as_object) else { continue };
        let dof = entry["erdf"].as_f64().unwrap();
        let of_resels = numbers(&entry["R_resels"]);
        let of_resels = [of_resels[0], of_resels[1], of_resels[2], of_resels[3]];
        for (name, contrast) in contrasts {
            let field = match contrast["STAT"].as_str().unwrap() {
                "T" => FieldOf::T { dof },
                _ => FieldOf::F { numerator_dof: contrast["eidf"].as_f64().unwrap(), dof },
            };
            for (alpha, key) in [(0.05, "u_FWE_RFT_only_p05"), (0.01, "u_FWE_RFT_only_p01")] {
                let Some(expected) = contrast[key].as_f64() else { continue };
                let found = field.height(alpha, &of_resels);
                worst = worst.max(relative(found, expected));
                count += 1;
                // SPM's Newton steps end at 1e-6
                assert!((found - expected).abs() < 1e-6 * expected, "{case} {name}: {found}, not {expected}");
                assert!((field.exceedance(found, &of_resels) / alpha - 1.0).abs() < 1e-9);
            }
        }
    }
    println!("{count} heights, off by at most {worst:.1e}");
    assert!(count >= 30, "{count}");
}

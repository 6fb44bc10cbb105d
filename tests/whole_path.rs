//! `boldly run` on the shipped sample data, from files to maps, against two other programs: nilearn 0.14.1
//! (`profile = "nilearn"`) and the formulas of `docs/numerics.md` written once more in numpy (`native`), both with the
//! automatic mask, smoothing, frames at the middle of the repetition time, motion confounds and AR(1); the native
//! pipeline also with discarded and censored volumes.
//!
//! `scripts/expectations/whole_path.py` made the expectations. Masks must be equal voxel by voxel. Tolerances, in
//! units of max(1, |value|): native 1e-5 (f32 maps, and smoothing in f32 of differences to the first frame); nilearn
//! 1e-4, twice what is found (it smooths in f32 images of 1000 units, we the differences; a noise bin that flipped
//! would show as .01).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{Project, image};

const STEM: &str = "sub-01_task-objects";

/// A pipeline over both runs of the first subject.
fn pipeline(profile: &str, rest: &str) -> String {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/dataset/sub-01/func");
    let run = |run: usize| {
        let stem = data.join(format!("{STEM}_run-0{run}"));
        let stem = stem.display();
        format!(
            "[[run]]\nbold = '{stem}_bold.nii.gz'\nevents = '{stem}_events.tsv'\n\
             confounds = '{stem}_desc-confounds_timeseries.tsv'\n"
        )
    };
    let runs = run(1) + &run(2);
    format!(
        "schema = 1\nname = \"whole path\"\nprofile = \"{profile}\"\n{runs}\
         [design]\nslice_time_ref = 0.5\n[confounds]\ncolumns = [\"trans_*\", \"rot_*\"]\n{rest}"
    )
}

fn model(name: &str, keys: &str) -> String {
    format!(
        "[[glm]]\nname = \"{name}\"\n{keys}\n[[glm.contrast]]\nname = \"faceMinusHouse\"\nexpr = \"face - house\"\n\
         [[glm.contrast]]\nname = \"anyObject\"\nexpr = [\"face\", \"house\"]\n"
    )
}

fn expectations() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expectations/whole_path.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Which voxels of the packed mask are inside.
fn mask_of(expected: &Value) -> Vec<f64> {
    let digits = expected["mask"].as_str().unwrap();
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
    bytes.flat_map(|byte| (0..8).rev().map(move |bit| f64::from(byte >> bit & 1))).collect()
}

/// Compares every map of `expected` with the image that `file` names for it.
fn compare(expected: &Value, mask: &Path, tolerance: f64, file: impl Fn(&str) -> PathBuf) {
    assert_eq!(image(mask), mask_of(expected), "the masks differ");
    let voxels: Vec<usize> =
        expected["voxels"].as_array().unwrap().iter().map(|voxel| voxel.as_u64().unwrap() as usize).collect();
    let mut failures = Vec::new();
    for (name, values) in expected["maps"].as_object().unwrap() {
        let found = image(&file(name));
        let worst = voxels
            .iter()
            .zip(values.as_array().unwrap())
            .map(|(&voxel, value)| {
                let value = value.as_f64().unwrap();
                ((found[voxel] - value).abs() / value.abs().max(1.0), voxel, found[voxel], value)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap();
        if worst.0.is_nan() || worst.0 > tolerance {
            failures.push(format!("{name}: voxel {} is {} for {} ({:.1e})", worst.1, worst.2, worst.3, worst.0));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_nilearn_profile_gives_nilearns_maps_from_files_on() {
    let rest = format!(
        "[preprocess]\nsmooth_fwhm_mm = 12\n{}",
        model("objects", "maps = [\"effect\", \"variance\", \"t\", \"F\", \"z\", \"p\"]")
    );
    let project = Project::new(&pipeline("nilearn", &rest));
    project.succeed(&["run", "pipeline.toml"]);
    let folder = project.path().join("results/objects/sub-01/func");
    compare(&expectations()["nilearn"], &folder.join(format!("{STEM}_desc-brain_mask.nii.gz")), 1e-4, |name| {
        let (contrast, map) = name.split_once(' ').unwrap();
        folder.join(format!("{STEM}_contrast-{contrast}_stat-{map}_statmap.nii.gz"))
    });
}

#[test]
fn the_native_profile_gives_what_its_formulas_say_from_files_on() {
    let maps = "maps = [\"effect\", \"variance\", \"t\", \"F\", \"z\", \"p\", \"rho\", \"sigma\", \"r2\"]";
    let rest = format!(
        "scrub = {{ fd_mm = 0.9, min_segment = 5 }}\n[preprocess]\nsmooth_fwhm_mm = 12\ndiscard_volumes = 4\n{}{}",
        model(
            "precision",
            &format!("fixed_effects = \"precision\"\n{maps}\nnoise = \"ar1\"\ndesign.hrf = \"glover + derivative\"")
        ),
        model(
            "mean",
            &format!("fixed_effects = \"mean\"\n{maps}\nnoise = \"ar1\"\ndesign.hrf = \"glover + derivative\"")
        ),
    );
    let project = Project::new(&pipeline("native", &rest));
    project.succeed(&["run", "pipeline.toml"]);
    let folder = |model: &str| project.path().join(format!("results/{model}/sub-01/func"));
    let mask = folder("precision").join(format!("{STEM}_desc-brain_mask.nii.gz"));
    compare(&expectations()["native"], &mask, 1e-5, |name| match *name.split(' ').collect::<Vec<_>>() {
        [run, map] => folder("precision").join(format!("{STEM}_{run}_stat-{map}_statmap.nii.gz")),
        [run, contrast, map] if run.starts_with("run-") => {
            folder("precision").join(format!("{STEM}_{run}_contrast-{contrast}_stat-{map}_statmap.nii.gz"))
        }
        [model, contrast, map] => folder(model).join(format!("{STEM}_contrast-{contrast}_stat-{map}_statmap.nii.gz")),
        _ => panic!("{name}"),
    });
}

//! The same bytes whatever the threads, the memory, the order of work and the place it is done from.

use crate::image_forms::Image16;
use crate::sample::{ALL, assert_same_bytes, digests, project, with_confounds};
use crate::support::{Project, boldly};
use std::collections::BTreeMap;
use std::fs;

/// Every kind of output: all maps, t and F, two models, smoothing, regions by mask and by atlas, the automatic mask.
const COMPLETE: &str = r#"
[preprocess]
smooth_fwhm_mm = [10.0, 9.0, 11.0]

[confounds]
columns = ["trans_*", "rot_*"]

[[roi]]
name = "box"
mask = "data/box.nii.gz"

[[roi]]
name = "halves"
atlas = "data/halves.nii.gz"
labels = "data/halves.tsv"

[[glm]]
name = "objects"
maps = ["effect", "variance", "t", "F", "z", "p", "dof", "beta", "r2", "residuals", "sigma", "rho"]
[[glm.contrast]]
name = "faceVsHouse"
expr = "face - house"
[[glm.contrast]]
name = "anyObject"
expr = ["face", "house"]

[[glm]]
name = "shapes"
noise = "ols"
condition_contrasts = true
[glm.design]
hrf = "glover + derivative"
"#;

/// A project with masks and an atlas beside the data.
pub(crate) fn complete(runs: &[(&str, &str)]) -> Project {
    let project = project(&with_confounds(runs, COMPLETE));
    let data = project.path().join("data");
    let mask = Image16::read(&data.join("mask.nii.gz"));
    mask.with_values(|at, inside| i16::from(inside != 0 && at % 20 < 9)).write_gz(&data.join("box.nii.gz"));
    mask.with_values(|at, inside| inside * (1 + i16::from(at % 20 < 10))).write_gz(&data.join("halves.nii.gz"));
    fs::write(data.join("halves.tsv"), "index\tname\n1\tright\n2\tleft\n").unwrap();
    project
}

fn run(project: &Project, words: &[&str]) -> BTreeMap<String, String> {
    project.succeed(&[&["run", "pipeline.toml", "--progress", "never"], words].concat());
    let out = words.iter().skip_while(|word| **word != "--out").nth(1).unwrap_or(&"results");
    digests(&project.path().join(out))
}

/// A run that is given no more than `check` says it needs at least: samples go to the disk.
fn run_in_least_memory(project: &Project) -> BTreeMap<String, String> {
    let needs = project.boldly(&["check", "pipeline.toml", "--json", "--threads", "2"]);
    let needs: serde_json::Value = serde_json::from_slice(&needs.stdout).unwrap();
    let least = needs["needs"]["least_memory_bytes"].to_string();
    run(project, &["--out", "less", "--threads", "2", "--max-memory", &least])
}

#[test]
fn results_are_the_same_bytes_however_they_are_made() {
    let project = complete(&ALL);
    let expected = run(&project, &["--threads", "1"]);
    assert!(expected.len() > 150, "{} files", expected.len());
    assert_same_bytes(&expected, &run(&project, &["--force", "--threads", "2"]), "--force into the same folder");
    assert_same_bytes(&expected, &run(&project, &["--out", "three", "--threads", "3"]), "three threads");
    assert_same_bytes(&expected, &run_in_least_memory(&project), "samples on disk");
    for subject in ["02", "01"] {
        run(&project, &["--out", "each", "--subject", subject]);
    }
    assert_same_bytes(&expected, &digests(&project.path().join("each")), "subject by subject");
}

/// Linear and sparse methods, noise of each kind, every series that is written.
const DECONVOLVED: &str = r#"
[confounds]
columns = ["trans_*"]

[[glm]]
name = "objects"
noise = "ar1"
[[glm.contrast]]
name = "face"
expr = "face"

[[deconvolve]]
name = "linear"
noise = "from-glm:objects"
maps = ["activity", "fitted", "standard-error", "lambda", "sigma", "rho", "dof", "held-out-r2"]

[[deconvolve]]
name = "spikes"
method = "spike"
maps = ["activity", "fitted", "lambda", "sigma", "dof"]
"#;

#[test]
fn activity_is_the_same_bytes_however_it_is_made() {
    let project = project(&with_confounds(&ALL[..1], DECONVOLVED));
    let expected = run(&project, &["--threads", "1"]);
    assert_same_bytes(&expected, &run(&project, &["--out", "three", "--threads", "3"]), "three threads");
    assert_same_bytes(&expected, &run_in_least_memory(&project), "samples on disk");
}

#[test]
fn results_do_not_say_where_they_were_made() {
    let (here, there) = (complete(&ALL[..2]), complete(&ALL[..2]));
    let expected = run(&here, &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let pipeline = there.path().join("pipeline.toml");
    let output = boldly(elsewhere.path(), &["run", pipeline.to_str().unwrap()]);
    assert!(output.status.success());
    assert_same_bytes(&expected, &digests(&there.path().join("results")), "another working directory");
    let through_parent = here.path().join("data");
    let output = boldly(&through_parent, &["run", "../pipeline.toml", "--out", "../again"]);
    assert!(output.status.success());
    assert_same_bytes(&expected, &digests(&here.path().join("again")), "from a sibling folder");
}

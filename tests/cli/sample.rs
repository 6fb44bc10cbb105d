//! Scratch projects on copies of the sample data, and what tests ask of results and messages.

use crate::support::Project;
use boldly::outputs::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Both runs of both subjects.
pub(crate) const ALL: [(&str, &str); 4] = [("01", "01"), ("01", "02"), ("02", "01"), ("02", "02")];
/// One run of one subject: enough where runs are not the point.
pub(crate) const ONE: [(&str, &str); 1] = [("01", "01")];
/// One contrast, the mask from a file: the smallest pipeline.
pub(crate) const SMALL: &str = r#"
[mask]
path = "data/mask.nii.gz"

[[glm]]
name = "objects"

[[glm.contrast]]
name = "faceVsHouse"
expr = "face - house"
"#;

fn dataset() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/dataset")
}

/// `sub-01_task-objects_run-01` and what follows.
pub(crate) fn file(run: (&str, &str), suffix: &str) -> String {
    format!("data/sub-{}_task-objects_run-{}_{suffix}", run.0, run.1)
}

/// A `[[run]]` with its events, and further lines.
pub(crate) fn run_entry(run: (&str, &str), more: &str) -> String {
    let (bold, events) = (file(run, "bold.nii.gz"), file(run, "events.tsv"));
    format!("[[run]]\nbold = \"{bold}\"\nevents = \"{events}\"\n{more}\n")
}

/// The top of a pipeline file.
pub(crate) fn head() -> String {
    "schema = 1\nname = \"test\"\n\n".to_owned()
}

/// A pipeline of these runs; `settings` follows them.
pub(crate) fn pipeline(runs: &[(&str, &str)], settings: &str) -> String {
    head() + &runs.iter().map(|run| run_entry(*run, "")).collect::<String>() + settings
}

/// As [`pipeline`], with the runs' confound tables.
pub(crate) fn with_confounds(runs: &[(&str, &str)], settings: &str) -> String {
    let entry = |run: &(&str, &str)| {
        run_entry(*run, &format!("confounds = \"{}\"", file(*run, "desc-confounds_timeseries.tsv")))
    };
    head() + &runs.iter().map(entry).collect::<String>() + settings
}

/// A scratch project with this pipeline and a copy of the sample data under `data/`.
pub(crate) fn project(pipeline: &str) -> Project {
    let project = Project::new(pipeline);
    let data = project.path().join("data");
    fs::create_dir(&data).unwrap();
    for subject in ["01", "02"] {
        let folder = dataset().join(format!("sub-{subject}/func"));
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), data.join(entry.file_name())).unwrap();
        }
    }
    fs::copy(dataset().join("truth/mask.nii.gz"), data.join("mask.nii.gz")).unwrap();
    project
}

/// Digest of every file below `root` but for `.boldly/`, by its path.
pub(crate) fn digests(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.extend((!path.ends_with(".boldly")).then_some(path));
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, Digest::of_bytes(&fs::read(&path).unwrap()).to_string());
            }
        }
    }
    found
}

/// Both folders hold the same files with the same bytes.
pub(crate) fn assert_same_bytes(expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>, what: &str) {
    let names = expected.keys().chain(found.keys());
    let different: Vec<&String> = names.filter(|name| expected.get(*name) != found.get(*name)).collect();
    assert!(different.is_empty(), "{what}: different files: {different:?}");
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Codes of all errors and warnings on stderr, in order.
pub(crate) fn codes(output: &Output) -> Vec<String> {
    let code = |line: &str| {
        let rest = line.strip_prefix("error[").or_else(|| line.strip_prefix("warning["))?;
        Some(rest.split(']').next()?.to_owned())
    };
    stderr(output).lines().filter_map(code).collect()
}

/// Ended with this code, and stdout, which is for data, is empty.
pub(crate) fn assert_exit(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
    assert_eq!(stdout(output), "");
}

/// Changes a text file of the project.
pub(crate) fn edit(project: &Project, name: &str, change: impl FnOnce(String) -> String) {
    let path = project.path().join(name);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, change(text)).unwrap();
}

/// A map of the first subject's first run.
pub(crate) fn map(results: &Path, model: &str, name: &str) -> Vec<f64> {
    crate::support::image(&results.join(format!("{model}/sub-01/func/sub-01_task-objects_{name}.nii.gz")))
}

/// Two maps agree within float32's rounding of values computed along another path: 1e-5 of the larger of 1 and the value.
pub(crate) fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    assert!(expected.iter().any(|value| *value != 0.0), "{what}: nothing to compare");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{what}: {found} for {expected} at {at}");
    }
}

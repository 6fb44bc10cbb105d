//! A dataset as fMRIPrep leaves it, made of the sample data.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "part of several test binaries")]

use std::fs;
use std::path::{Path, PathBuf};

/// A pipeline for the dataset in `ds`: each condition a contrast.
pub const CONDITIONS: &str = r#"
schema = 1
name   = "objects"

[bids]
root        = "ds"
derivatives = "ds/derivatives/fmriprep"

[[glm]]
name = "objects"
condition_contrasts = true
"#;

pub const SPACE: &str = "space-MNI152NLin2009cAsym";

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn sample(name: &str) -> PathBuf {
    repository(&format!("sample_data/dataset/sub-01/func/sub-01_task-objects_{name}"))
}

fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    // one copy on disk for all subjects, where the file system can
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).unwrap();
    }
}

/// A raw dataset with events, and images, masks and confounds as fMRIPrep lays them out; every run is the first one of the
/// sample data. Subjects are given with their number of runs.
pub fn write_dataset(root: &Path, subjects: &[(&str, usize)]) {
    fs::create_dir_all(root).unwrap();
    let description = r#"{"Name": "test", "BIDSVersion": "1.10.0"}"#;
    fs::write(root.join("dataset_description.json"), description).unwrap();
    fs::write(root.join("task-objects_bold.json"), r#"{"RepetitionTime": 2.0, "TaskName": "objects"}"#).unwrap();
    let mut participants = "participant_id\n".to_owned();
    let copies = root.join("derivatives/copies");
    fs::create_dir_all(&copies).unwrap();
    let mask = repository("sample_data/dataset/truth/mask.nii.gz");
    for (from, name) in [
        (sample("run-01_bold.nii.gz"), "bold"),
        (sample("run-01_events.tsv"), "events"),
        (sample("run-01_desc-confounds_timeseries.tsv"), "confounds"),
        (mask, "mask"),
    ] {
        fs::copy(from, copies.join(name)).unwrap();
    }
    for (subject, runs) in subjects {
        participants.extend(["sub-", subject, "\n"]);
        for run in 1..=*runs {
            let entities = format!("sub-{subject}_task-objects_run-{run:02}");
            let raw = root.join(format!("sub-{subject}/func"));
            let prep = root.join(format!("derivatives/fmriprep/sub-{subject}/func"));
            link(&copies.join("events"), &raw.join(format!("{entities}_events.tsv")));
            link(&copies.join("bold"), &prep.join(format!("{entities}_{SPACE}_desc-preproc_bold.nii.gz")));
            link(&copies.join("mask"), &prep.join(format!("{entities}_{SPACE}_desc-brain_mask.nii.gz")));
            link(&copies.join("confounds"), &prep.join(format!("{entities}_desc-confounds_timeseries.tsv")));
            let sidecar = r#"{"RepetitionTime": 2.0, "StartTime": 0.95, "SliceTimingCorrected": true}"#;
            fs::write(prep.join(format!("{entities}_{SPACE}_desc-preproc_bold.json")), sidecar).unwrap();
        }
    }
    fs::write(root.join("derivatives/fmriprep/dataset_description.json"), description).unwrap();
    fs::write(root.join("participants.tsv"), participants).unwrap();
}

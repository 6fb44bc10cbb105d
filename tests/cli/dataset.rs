//! `[bids]`: a dataset with preprocessed images from end to end, with one command.

use crate::prepared::{SPACE, repository, write_dataset};
use crate::sample::{assert_exit, assert_same_bytes, codes, digests, edit, stderr, stdout};
use crate::support::{Project, shared};
use serde_json::json;
use std::fs;
use std::path::Path;

const PIPELINE: &str = r#"
schema = 1
name   = "objects"

[bids]
root        = "ds"
derivatives = "ds/derivatives/fmriprep"

[confounds]
columns = ["trans_?", "rot_?"]

[[glm]]
name = "objects"

[[glm.contrast]]
name = "faceVsHouse"
expr = "face - house"
"#;

fn project(subjects: usize) -> Project {
    let project = Project::new(PIPELINE);
    let labels: Vec<String> = (1..=subjects).map(|subject| format!("{subject:02}")).collect();
    let subjects: Vec<(&str, usize)> = labels.iter().map(|label| (label.as_str(), 1)).collect();
    write_dataset(&project.path().join("ds"), &subjects);
    project
}

/// Replaces a file that other subjects share.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn outcomes(text: &str, word: &str) -> usize {
    text.lines().filter(|line| line.starts_with("sub-") && line.contains(&format!(": {word},"))).count()
}

#[test]
fn three_bad_subjects_of_twenty_are_named_and_redone_alone_when_mended() {
    let project = project(20);
    let prep = |subject: &str, suffix: &str| {
        project
            .path()
            .join(format!("ds/derivatives/fmriprep/sub-{subject}/func/sub-{subject}_task-objects_run-01_{suffix}"))
    };
    let bold = prep("03", &format!("{SPACE}_desc-preproc_bold.nii.gz"));
    let whole = fs::read(&bold).unwrap();
    replace(&bold, &whole[..whole.len() / 2]);
    let events = project.path().join("ds/sub-07/func/sub-07_task-objects_run-01_events.tsv");
    let table = fs::read(&events).unwrap();
    fs::remove_file(&events).unwrap();
    let mask = prep("11", &format!("{SPACE}_desc-brain_mask.nii.gz"));
    let own_mask = fs::read(&mask).unwrap();
    // a slice, on another grid
    let other = repository("sample_data/convolution/slice.nii.gz");
    replace(&mask, &fs::read(other).unwrap());

    let first = project.boldly(&["run", "pipeline.toml", "--progress", "never"]);
    assert_exit(&first, 4);
    let mut found = codes(&first);
    found.sort();
    found.dedup();
    for code in ["bids-no-events", "grid-mismatch", "image-truncated"] {
        assert!(found.iter().any(|found| found == code), "{code} in {found:?}: {}", stderr(&first));
    }
    assert!(stderr(&first).contains("17 of 20 subjects complete"), "{}", stderr(&first));
    let status = project.boldly(&["status", "results"]);
    assert_eq!(status.status.code(), Some(4));
    assert!(stdout(&status).starts_with("20 subjects: 17 done, 3 failed\n"), "{}", stdout(&status));
    for subject in ["03", "07", "11"] {
        assert!(stdout(&status).contains(&format!("sub-{subject}: failed\n  error[")), "{}", stdout(&status));
        assert!(!project.path().join(format!("results/objects/sub-{subject}")).exists());
    }

    replace(&bold, &whole);
    fs::write(&events, table).unwrap();
    replace(&mask, &own_mask);
    let second = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&second, 0);
    let text = stderr(&second);
    assert_eq!((outcomes(&text, "done"), outcomes(&text, "unchanged")), (3, 17), "{text}");
    let status = project.boldly(&["status", "results", "--json"]);
    assert_eq!(status.status.code(), Some(0));
    let states: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
    assert_eq!(states["11"]["done"]["n_files"].as_u64(), states["12"]["done"]["n_files"].as_u64());
}

#[test]
fn a_dataset_gives_what_its_runs_give_when_each_is_written() {
    let project = project(1);
    project.succeed(&["run", "pipeline.toml"]);
    let mut of_dataset = digests(&project.path().join("results/objects"));
    // it alone says where the dataset lies
    let description = project.path().join("results/objects/dataset_description.json");
    let said: serde_json::Value = serde_json::from_str(&fs::read_to_string(&description).unwrap()).unwrap();
    let sources = [json!({"URL": "../../ds"}), json!({"URL": "../../ds/derivatives/fmriprep"})];
    assert_eq!(said["SourceDatasets"], json!(sources));
    assert!(of_dataset.remove("dataset_description.json").is_some());
    let written = r#"
[[run]]
bold = "ds/derivatives/fmriprep/sub-01/func/sub-01_task-objects_run-01_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
events = "ds/sub-01/func/sub-01_task-objects_run-01_events.tsv"
confounds = "ds/derivatives/fmriprep/sub-01/func/sub-01_task-objects_run-01_desc-confounds_timeseries.tsv"
mask = "ds/derivatives/fmriprep/sub-01/func/sub-01_task-objects_run-01_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz"
"#;
    let dataset = "[bids]\nroot        = \"ds\"\nderivatives = \"ds/derivatives/fmriprep\"\n";
    edit(&project, "pipeline.toml", |text| {
        assert!(text.contains(dataset));
        text.replace(dataset, written)
    });
    project.succeed(&["run", "pipeline.toml", "--force"]);
    let said: serde_json::Value = serde_json::from_str(&fs::read_to_string(&description).unwrap()).unwrap();
    assert_eq!(said.get("SourceDatasets"), None);
    let mut written = digests(&project.path().join("results/objects"));
    written.remove("dataset_description.json");
    assert_same_bytes(&of_dataset, &written, "runs written one by one");
}

#[test]
fn the_frame_time_is_that_of_the_sidecar() {
    let project = project(1);
    let check = project.boldly(&["check", "pipeline.toml", "--json"]);
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    let sidecar = "ds/derivatives/fmriprep/sub-01/func/sub-01_task-objects_run-01_space-MNI152NLin2009cAsym_desc-preproc_bold.json";
    edit(&project, sidecar, |text| text.replace("\"StartTime\": 0.95, ", ""));
    let unclear = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&unclear, 2);
    assert_eq!(codes(&unclear), ["bids-frame-time-unclear"]);
    let stated = project.boldly(&["run", "pipeline.toml", "--set", "design.slice_time_ref=0.5"]);
    assert_exit(&stated, 0);
}

#[test]
fn a_wrong_label_says_what_there_is() {
    let project = project(2);
    let wrong = project.boldly(&["run", "pipeline.toml", "--set", "bids.space=MNI152NLin2009"]);
    assert_exit(&wrong, 2);
    assert_eq!(codes(&wrong), ["bids-unknown-label"]);
    assert!(stderr(&wrong).contains("MNI152NLin2009cAsym (2)"), "{}", stderr(&wrong));
    let subject = project.boldly(&["run", "pipeline.toml", "--subject", "09"]);
    assert_exit(&subject, 2);
    assert_eq!(codes(&subject), ["subject-unknown"]);
}

#[test]
fn a_proposed_pipeline_runs_as_it_is() {
    let project = project(2);
    project.succeed(&["init", "ds", "--out", "mine.toml"]);
    let text = fs::read_to_string(project.path().join("mine.toml")).unwrap();
    for words in
        ["root        = \"ds\"", "task        = \"objects\"", "# face: ", "[[glm.contrast]]\nname = \"faceVsHouse\""]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    project.succeed(&["run", "mine.toml"]);
    let again = project.boldly(&["init", "ds", "--out", "mine.toml"]);
    assert_exit(&again, 2);
    assert_eq!(codes(&again), ["init-file-exists"]);
    let nothing = project.boldly(&["init", "ds", "--task", "rest", "--out", "-"]);
    assert_exit(&nothing, 2);
    assert_eq!(codes(&nothing), ["bids-unknown-label"]);
}

#[test]
fn a_raw_dataset_with_two_images_a_run_gets_a_pipeline_that_runs() {
    let Some(shared) = shared() else { return };
    let project = Project::new("");
    let haxby = fs::canonicalize(shared.join("data/haxby2001")).unwrap();
    let haxby = haxby.to_str().unwrap();
    project.succeed(&["init", haxby, "--out", "haxby.toml"]);
    let text = fs::read_to_string(project.path().join("haxby.toml")).unwrap();
    assert!(text.contains("desc        = \"25mm\"\n# desc      = \"1slice\""), "{text}");
    project.succeed(&["run", "haxby.toml", "--out", "results"]);
    assert!(project.path().join("results/objectviewing/sub-01/func").is_dir());
}

#[test]
fn the_bids_app_convention() {
    let project = project(3);
    let app = ["bids", "ds", "out", "participant", "--participant-label", "01", "03", "--task-label", "objects"];
    project.succeed(&app);
    assert!(project.path().join("out/objects/sub-03").is_dir());
    assert!(!project.path().join("out/objects/sub-02").exists());
    let own = project.boldly(&[
        "bids",
        "ds",
        "own",
        "participant",
        "--pipeline",
        "pipeline.toml",
        "--participant_label",
        "sub-02",
    ]);
    assert_exit(&own, 0);
    let none = project.boldly(&["bids", "ds", "own", "participant", "--participant-label", "99"]);
    assert_exit(&none, 2);
}

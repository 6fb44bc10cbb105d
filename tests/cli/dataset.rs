//! `[bids]`: a dataset with preprocessed images from end to end, with one command.

use crate::prepared::{SPACE, repository, write_dataset};
use crate::sample::{assert_exit, assert_same_bytes, codes, digests, edit, stderr, stdout};
use crate::support::{Project, shared};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

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

fn prep(project: &Project, subject: &str, suffix: &str) -> PathBuf {
    let name = format!("sub-{subject}_task-objects_run-01_{suffix}");
    project.path().join(format!("ds/derivatives/fmriprep/sub-{subject}/func/{name}"))
}

#[test]
fn the_bids_app_writes_nothing_before_its_checks_pass_and_speaks_its_own_words() {
    let project = project(2);
    let bids = |out: &str, more: &[&str]| {
        let words: Vec<&str> = ["bids", "ds", out, "participant"].iter().chain(more).copied().collect();
        project.boldly(&words)
    };
    for (words, code, option) in [
        (["--participant-label", "99"], "subject-unknown", "`--participant-label`"),
        (["--task-label", "rest"], "bids-unknown-label", "`--task-label`"),
    ] {
        let output = bids("out", &words);
        assert_exit(&output, 2);
        assert_eq!(codes(&output), [code]);
        assert!(stderr(&output).contains(option), "{}", stderr(&output));
        assert!(!project.path().join("out").exists());
    }
    fs::create_dir(project.path().join("thesis")).unwrap();
    fs::write(project.path().join("thesis/thesis.docx"), "").unwrap();
    assert_eq!(codes(&bids("thesis", &[])), ["output-folder-foreign"]);
    assert_eq!(fs::read_dir(project.path().join("thesis")).unwrap().count(), 1);

    project.succeed(&["bids", "ds", "out", "participant", "--participant-label", "02"]);
    let kept = project.path().join("out/.boldly/pipeline.toml");
    let text = fs::read_to_string(&kept).unwrap();
    assert!(text.contains("root        = \"../../ds\""), "{text}");
    project.succeed(&["check", kept.to_str().unwrap()]);
    fs::write(&kept, "mine").unwrap();
    assert_exit(&bids("out", &["--participant-label", "99"]), 2);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
}

#[test]
fn status_knows_the_subjects_that_no_run_was_asked_for() {
    let project = project(3);
    project.succeed(&["run", "pipeline.toml", "--subject", "02"]);
    let status = project.boldly(&["status", "results"]);
    assert_eq!(status.status.code(), Some(1));
    assert_eq!(stdout(&status), "3 subjects: 1 done, 2 not started\nsub-01: not started\nsub-03: not started\n");
    project.succeed(&["run", "pipeline.toml"]);
    assert_eq!(stdout(&project.boldly(&["status", "results"])), "3 subjects: 3 done\n");
}

#[test]
fn another_repetition_time_of_the_raw_dataset_is_said_once_with_both_files() {
    let project = project(2);
    edit(&project, "ds/task-objects_bold.json", |text| text.replace("2.0", "2.5"));
    let check = project.boldly(&["check", "pipeline.toml"]);
    assert_eq!(check.status.code(), Some(0));
    let said = stderr(&check);
    assert_eq!(said.matches("warning[bids-tr-differs]").count(), 1, "{said}");
    for words in
        ["2.5 s in the raw dataset, 2 s in the derivative", "ds/task-objects_bold.json, field `RepetitionTime`"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    for subject in ["01", "02"] {
        let sidecar = format!("sub-{subject}_task-objects_run-01_{SPACE}_desc-preproc_bold.json");
        assert!(said.contains(&sidecar), "{said}");
    }
    let settled = project.boldly(&["check", "pipeline.toml", "--set", "bids.tr_s=2.0"]);
    assert!(!stderr(&settled).contains("bids-tr-differs"), "{}", stderr(&settled));
    let other = project.boldly(&["check", "pipeline.toml", "--set", "bids.tr_s=2.5"]);
    assert!(codes(&other).iter().any(|code| code == "tr-conflict"), "{}", stderr(&other));
}

#[test]
fn warnings_of_runs_are_said_together_and_all_that_was_said_is_counted() {
    let project = project(3);
    let slow = ["--set", "design.high_pass_hz=0.02"];
    let check = project.boldly(&["check", "pipeline.toml", slow[0], slow[1]]);
    let said = stderr(&check);
    assert_eq!(codes(&check), ["variance-removed"], "{said}");
    assert_eq!(said.matches("note: removed in sub-").count(), 3, "{said}");
    assert!(said.ends_with("3 of 3 subjects can be analysed, 1 warning\n"), "{said}");

    // a mask is missing of each, and events of two, beside the same oddity
    for subject in ["01", "02", "03"] {
        fs::remove_file(prep(&project, subject, &format!("{SPACE}_desc-brain_mask.nii.gz"))).unwrap();
    }
    for subject in ["01", "02"] {
        let events = format!("ds/sub-{subject}/func/sub-{subject}_task-objects_run-01_events.tsv");
        fs::remove_file(project.path().join(events)).unwrap();
    }
    edit(&project, "ds/task-objects_bold.json", |text| text.replace("2.0", "2.5"));
    let check = project.boldly(&["check", "pipeline.toml"]);
    let said = stderr(&check);
    let warnings = said.matches("warning[").count();
    assert!(warnings > 0 && said.contains(&format!("0 of 3 subjects can be analysed, {warnings} warning")), "{said}");
    for subject in ["01", "02"] {
        assert!(said.contains(&format!("\nsub-{subject}: 2 errors\n")), "{said}");
    }
}

#[test]
fn a_choice_that_is_needed_can_be_pasted_where_the_message_points() {
    let project = project(1);
    let other = prep(&project, "01", "space-T1w_desc-preproc_bold.nii.gz");
    fs::copy(prep(&project, "01", &format!("{SPACE}_desc-preproc_bold.nii.gz")), other).unwrap();
    let check = project.boldly(&["check", "pipeline.toml"]);
    assert_exit(&check, 2);
    assert_eq!(codes(&check), ["bids-choice-needed"]);
    let said = stderr(&check);
    assert!(said.contains("--> pipeline.toml:7:"), "{said}");
    let line = said.split("such as: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    edit(&project, "pipeline.toml", |text| text.replace("[bids]\n", &format!("[bids]\n{line}\n")));
    assert_eq!(project.boldly(&["check", "pipeline.toml"]).status.code(), Some(0));
}

#[test]
fn a_derivative_dataset_in_the_place_of_the_raw_one_is_pointed_out() {
    let project = project(1);
    let derivative = "ds/derivatives/fmriprep";
    for described in [false, true] {
        if described {
            edit(&project, &format!("{derivative}/dataset_description.json"), |text| {
                text.replace("\"Name\"", "\"DatasetType\": \"derivative\", \"Name\"")
            });
        }
        for words in [
            &[
                "check",
                "pipeline.toml",
                "--set",
                "bids.root=\"ds/derivatives/fmriprep\"",
                "--set",
                "bids.derivatives=[]",
            ][..],
            &["init", derivative, "--out", "-"],
            &["init", derivative, "--task", "rest", "--out", "-"],
        ] {
            let output = project.boldly(words);
            let said = stderr(&output);
            assert!(said.contains("warning[bids-root-derivative]"), "{words:?}: {said}");
            assert!(said.contains("named by `derivatives` under `[bids]`, or `--derivatives DIR`"), "{said}");
            let reason = if described { "`DatasetType` is `derivative`" } else { "have `desc-preproc`" };
            assert!(said.contains(reason), "{said}");
        }
    }
}

#[test]
fn a_proposed_pipeline_has_no_very_long_lines() {
    let project = project(1);
    let columns: Vec<String> = (0..60).map(|column| format!("a_rather_long_name_of_a_column_{column:02}")).collect();
    let values = vec!["0.5"; columns.len()].join("\t");
    let table = prep(&project, "01", "desc-confounds_timeseries.tsv");
    let rows = fs::read_to_string(&table).unwrap().lines().count() - 1;
    replace(&table, (columns.join("\t") + "\n" + &(values + "\n").repeat(rows)).as_bytes());
    let text = stdout(&project.succeed(&["init", "ds", "--out", "-"]));
    assert!(text.contains("# columns there are: a_rather_long_name_of_a_column_00,"), "{text}");
    assert!(text.contains("and 20 more"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
}

#[test]
fn raw_images_beside_preprocessed_ones_are_still_pointed_out() {
    let project = project(1);
    fs::copy(
        prep(&project, "01", &format!("{SPACE}_desc-preproc_bold.nii.gz")),
        project.path().join("ds/sub-01/func/sub-01_task-objects_run-01_bold.nii.gz"),
    )
    .unwrap();
    let raw = ["check", "pipeline.toml", "--set", "bids.derivatives=[]", "--set", "confounds.columns=[]"];
    let output = project.boldly(&raw);
    assert!(codes(&output).iter().any(|code| code == "bids-raw-analysed"), "{}", stderr(&output));
    assert!(stderr(&output).contains("preprocessed images are in `ds/derivatives/fmriprep`"), "{}", stderr(&output));
}

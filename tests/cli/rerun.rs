//! What is redone, what is not, and whose folder it is.

use crate::sample::{ONE, SMALL, assert_exit, codes, digests, edit, file, pipeline, project, stderr};
use crate::support::Project;
use std::fs;
use std::path::PathBuf;

const RUNS: [(&str, &str); 2] = [("01", "01"), ("02", "01")];

fn two_subjects() -> Project {
    let project = project(&pipeline(&RUNS, SMALL));
    project.succeed(&["run", "pipeline.toml"]);
    project
}

/// The outcome of each subject, in order: `done` or `unchanged`.
fn rerun(project: &Project, words: &[&str]) -> Vec<String> {
    let output = project.succeed(&[&["run", "pipeline.toml"], words].concat());
    let outcome = |line: &str| Some(line.strip_prefix("sub-")?.split(": ").nth(1)?.split(',').next()?.to_owned());
    stderr(&output).lines().filter_map(outcome).collect()
}

fn z_map(project: &Project) -> PathBuf {
    project
        .path()
        .join("results/objects/sub-02/func/sub-02_task-objects_run-01_contrast-faceVsHouse_stat-z_statmap.nii.gz")
}

#[test]
fn what_is_unchanged_is_not_redone() {
    let project = two_subjects();
    let before = fs::metadata(z_map(&project)).unwrap().modified().unwrap();
    assert_eq!(rerun(&project, &[]), ["unchanged", "unchanged"]);
    assert_eq!(rerun(&project, &["--threads", "1", "--max-memory", "1GiB"]), ["unchanged", "unchanged"]);
    edit(&project, "pipeline.toml", |text| format!("# a comment\n{text}\n"));
    assert_eq!(rerun(&project, &[]), ["unchanged", "unchanged"]);
    assert_eq!(fs::metadata(z_map(&project)).unwrap().modified().unwrap(), before);
    assert_eq!(rerun(&project, &["--force", "--subject", "02"]), ["done"]);
}

#[test]
fn an_input_that_was_only_touched_is_not_redone() {
    let project = two_subjects();
    let bold = project.path().join(file(("01", "01"), "bold.nii.gz"));
    let bytes = fs::read(&bold).unwrap();
    fs::remove_file(&bold).unwrap();
    fs::write(&bold, bytes).unwrap();
    assert_eq!(rerun(&project, &[]), ["unchanged", "unchanged"]);
}

#[test]
fn a_changed_input_is_redone_for_its_subject_alone() {
    let project = two_subjects();
    edit(&project, &file(("02", "01"), "events.tsv"), |text| text.replacen("\t2\tface", "\t2.5\tface", 1));
    assert_eq!(rerun(&project, &[]), ["unchanged", "done"]);
    edit(&project, &file(("01", "01"), "bold.json"), |text| text.replace("objects", "things"));
    assert_eq!(rerun(&project, &[]), ["done", "unchanged"]);
}

#[test]
fn both_files_of_a_pair_are_inputs() {
    let project = project(&pipeline(&ONE, SMALL).replace("bold.nii.gz", "bold.hdr"));
    let image = crate::image_forms::Image16::read(&project.path().join(file(ONE[0], "bold.nii.gz")));
    let [header, mut voxels] = image.pair();
    fs::write(project.path().join(file(ONE[0], "bold.hdr")), header).unwrap();
    fs::write(project.path().join(file(ONE[0], "bold.img")), &voxels).unwrap();
    assert_eq!(rerun(&project, &[]), ["done"]);
    let middle = voxels.len() / 2;
    voxels[middle] ^= 1;
    fs::write(project.path().join(file(ONE[0], "bold.img")), &voxels).unwrap();
    assert_eq!(rerun(&project, &[]), ["done"]);
    assert_eq!(rerun(&project, &[]), ["unchanged"]);
}

#[test]
fn what_other_subjects_did_changes_nothing() {
    let all = SMALL.split_once("[[glm.contrast]]").unwrap().0.to_owned() + "condition_contrasts = true\n";
    let project = project(&pipeline(&RUNS, &all));
    edit(&project, &file(("02", "01"), "events.tsv"), |text| text.replacen("\tface", "\tchair", 4));
    assert_eq!(rerun(&project, &[]), ["done", "done"]);
    let before = digests(&project.path().join("results"));
    assert_eq!(rerun(&project, &["--subject", "01"]), ["unchanged"]);
    crate::sample::assert_same_bytes(&before, &digests(&project.path().join("results")), "sub-01 alone");
}

#[test]
fn a_changed_shared_input_is_redone_for_all() {
    let project = two_subjects();
    let mask = project.path().join("data/mask.nii.gz");
    let image = crate::image_forms::Image16::read(&mask);
    image.with_values(|at, inside| inside * i16::from(at % 7 > 0)).write_gz(&mask);
    assert_eq!(rerun(&project, &[]), ["done", "done"]);
}

#[test]
fn changed_settings_and_missing_outputs_are_redone() {
    let project = two_subjects();
    assert_eq!(rerun(&project, &["--set", "preprocess.smooth_fwhm_mm=8"]), ["done", "done"]);
    assert_eq!(rerun(&project, &["--set", "preprocess.smooth_fwhm_mm=8"]), ["unchanged", "unchanged"]);
    fs::remove_file(z_map(&project)).unwrap();
    assert_eq!(rerun(&project, &["--set", "preprocess.smooth_fwhm_mm=8"]), ["unchanged", "done"]);
    fs::write(z_map(&project), b"short").unwrap();
    assert_eq!(rerun(&project, &["--set", "preprocess.smooth_fwhm_mm=8"]), ["unchanged", "done"]);
    assert!(crate::support::image(&z_map(&project)).iter().any(|z| *z != 0.0));
}

#[test]
fn files_of_a_removed_contrast_and_model_disappear() {
    let project = two_subjects();
    let alone = digests(&project.path().join("results"));
    let more =
        "[[glm.contrast]]\nname = \"face\"\nexpr = \"face\"\n\n[[glm]]\nname = \"other\"\ncondition_contrasts = true\n";
    edit(&project, "pipeline.toml", |text| text + more);
    rerun(&project, &[]);
    let both = digests(&project.path().join("results"));
    assert!(
        both.keys().any(|name| name.contains("contrast-face_")) && both.keys().any(|name| name.starts_with("other/"))
    );
    edit(&project, "pipeline.toml", |text| text.replace(more, ""));
    rerun(&project, &[]);
    crate::sample::assert_same_bytes(&alone, &digests(&project.path().join("results")), "as if never declared");
    assert!(!project.path().join("results/other").exists(), "an empty folder is left");
}

#[test]
fn a_subject_that_left_the_pipeline_keeps_its_results() {
    let project = two_subjects();
    let before = digests(&project.path().join("results"));
    assert_eq!(rerun(&project, &["--subject", "01"]), ["unchanged"]);
    crate::sample::assert_same_bytes(&before, &digests(&project.path().join("results")), "the other subject");
}

#[test]
fn a_folder_of_someone_else_is_refused() {
    let project = project(&pipeline(&ONE, SMALL));
    let output = project.boldly(&["run", "pipeline.toml", "--out", "data"]);
    assert_exit(&output, 2);
    assert!(stderr(&output).contains("`data` is not empty and was not made by boldly"), "{}", stderr(&output));
}

#[test]
fn a_second_process_is_told_who_holds_the_lock() {
    let project = two_subjects();
    let lock = fs::File::open(project.path().join("results/.boldly/locks/sub-01.lock")).unwrap();
    lock.lock().unwrap();
    let output = project.boldly(&["run", "pipeline.toml", "--force"]);
    assert_exit(&output, 4);
    assert_eq!(codes(&output), ["output-locked"]);
    assert!(stderr(&output).contains("another process is writing the results of sub-01"), "{}", stderr(&output));
    assert!(stderr(&output).contains("sub-02: done"));
    let output = project.boldly(&["run", "pipeline.toml", "--force", "--subject", "01"]);
    assert_ne!(output.status.code(), Some(0));
}

//! `[bids]`: what it resolves to, and what it may not say.

use super::*;

const DATASET: &str = r#"
schema = 1
name   = "objects"

[bids]
root        = "ds"
derivatives = "ds/derivatives/fmriprep"
task        = "objects"
subjects    = ["01", "02"]
runs        = ["1"]

[[glm]]
name = "objects"
condition_contrasts = true
"#;

fn settings(text: &str) -> Settings {
    load_as_study(text, &[]).unwrap().0
}

fn refused(from: &str, to: &str) -> Vec<(&'static str, String)> {
    assert!(DATASET.contains(from), "{from}");
    pointed(&load_as_study(&DATASET.replacen(from, to, 1), &[]).unwrap_err())
}

fn one(code: &'static str, words: &str) -> Vec<(&'static str, String)> {
    vec![(code, words.to_owned())]
}

#[test]
fn labels_and_folders_are_as_written() {
    let bids = settings(DATASET).bids.unwrap();
    assert_eq!(bids.root.value, Path::new("study/ds"));
    assert_eq!(bids.derivatives.len(), 1);
    assert_eq!(bids.task.as_ref().map(|task| task.as_str()), Some("objects"));
    assert_eq!(bids.subjects.iter().map(|subject| subject.as_str()).collect::<Vec<_>>(), ["01", "02"]);
    assert!(bids.sessions.is_empty() && bids.space.is_none());
    let two = DATASET.replace("derivatives = \"ds/derivatives/fmriprep\"", "derivatives = [\"a\", \"/b\"]");
    let folders = settings(&two).bids.unwrap().derivatives;
    assert_eq!(
        folders.iter().map(|folder| folder.value.as_path()).collect::<Vec<_>>(),
        [Path::new("study/a"), Path::new("/b")]
    );
}

#[test]
fn masks_of_derivatives_are_combined_unless_told_otherwise() {
    assert!(matches!(settings(DATASET).mask, MaskSettings::PerRun(MaskCombination::Intersection)));
    let with = |mask: &str| settings(&format!("{DATASET}\n[mask]\n{mask}")).mask;
    assert!(matches!(with("combine = 'majority'"), MaskSettings::PerRun(MaskCombination::Majority)));
    assert!(matches!(with("kind = 'file'"), MaskSettings::PerRun(_)));
    assert!(matches!(with("kind = 'auto'"), MaskSettings::Auto));
    assert!(matches!(with("kind = 'all'"), MaskSettings::All));
    assert!(matches!(with("path = 'mask.nii.gz'"), MaskSettings::File(_)));
    let raw = DATASET.replace("derivatives = \"ds/derivatives/fmriprep\"", "");
    assert!(matches!(settings(&raw).mask, MaskSettings::Auto));
}

#[test]
fn mistakes_are_pointed_at() {
    assert_eq!(refused("root        = \"ds\"\n", ""), one("config-missing-key", "[bids]"));
    assert_eq!(refused("\"objects\"\nsubjects", "\"task-objects\"\nsubjects"), one("config-label", "task-objects"));
    assert_eq!(refused("\"01\", \"02\"", "\"sub-01\""), one("config-label", "sub-01"));
    assert_eq!(refused("\"01\", \"02\"", "\"01\", \"01\""), one("bids-label-twice", "01"));
    assert_eq!(refused("\"01\", \"02\"", ""), one("config-wrong-length", "[]"));
    assert_eq!(refused("\"01\", \"02\"", "1"), one("config-wrong-type", "1"));
    assert_eq!(
        refused("[bids]", "[[run]]\nbold = 'sub-1.nii'\nevents = 'e.tsv'\n[bids]"),
        one("inputs-mixed", "[bids]")
    );
    assert_eq!(refused("task        =", "taks        ="), one("config-unknown-key", "taks"));
}

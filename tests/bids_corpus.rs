//! BIDS datasets against pybids: the events table, the repetition time and the merged sidecar of each image.
//!
//! `scripts/expectations/bids_datasets.py` wrote what pybids finds, and says how the datasets were made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may stop at the first surprise")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use boldly::inputs::bids::{BidsDataset, Origin, Query, Selection};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

fn data() -> PathBuf {
    std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("data")
}

fn expectations(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expectations/bids").join(name);
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn make(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// One image of the archive's datasets and what pybids finds for it.
struct Row {
    bold: String,
    events: Option<String>,
    repetition_time_s: Option<f64>,
}

/// The rows of each dataset.
fn rows() -> BTreeMap<String, Vec<Row>> {
    let mut datasets: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for line in expectations("corpus.tsv.gz").lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let &[dataset, bold, events, tr_s] = cells.as_slice() else { panic!("{line}") };
        let stated = |cell: &str| (cell != "-").then(|| cell.to_owned());
        datasets.entry(dataset.to_owned()).or_default().push(Row {
            bold: bold.to_owned(),
            events: stated(events),
            repetition_time_s: stated(tr_s).map(|tr_s| tr_s.parse().unwrap()),
        });
    }
    datasets
}

#[test]
fn events_and_repetition_times_of_the_bids_examples_are_those_of_pybids() {
    let archive = data().join("events/all_events_and_sidecars.tar.xz");
    if !archive.is_file() {
        eprintln!("skipped: no {}", archive.display());
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let status = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(directory.path()).status();
    if !status.is_ok_and(|status| status.success()) {
        eprintln!("skipped: tar cannot unpack {}", archive.display());
        return;
    }
    let rows = rows();
    let (mut images, mut with_events, mut with_times) = (0, 0, 0);
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let root = entry.unwrap().path();
        let name = root.file_name().unwrap().to_str().unwrap();
        let expected = rows.get(name).map_or(&[][..], Vec::as_slice);
        for row in expected {
            make(&root.join(&row.bold), "");
        }
        let derived = root.join("derivatives/fmriprep");
        let derivatives = if derived.is_dir() { vec![derived] } else { Vec::new() };
        let dataset = match BidsDataset::open(&root, &derivatives) {
            Ok(dataset) => dataset,
            Err(problems) => {
                // the archive has nothing of their subjects
                assert!(expected.is_empty(), "{name}: {problems}");
                assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["bids-no-subjects"]);
                continue;
            }
        };
        let found = dataset.find(&Query::new().suffix("bold").images());
        let below = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let names: BTreeSet<String> = found.iter().map(|file| below(&file.path())).collect();
        assert_eq!(names, expected.iter().map(|row| row.bold.clone()).collect(), "{name}");
        for file in found {
            let row = expected.iter().find(|row| row.bold == below(&file.path())).unwrap();
            let events = dataset.events_of(file).if_any().unwrap_or_else(|problems| panic!("{problems}")).map(below);
            assert_eq!(events, row.events, "{name} {}", row.bold);
            let tr_s = match dataset.timing_of(file) {
                Ok(timing) => timing.repetition_time_s.map(|(tr_s, _)| tr_s),
                Err(problems) => {
                    assert_eq!(problems.iter().next().unwrap().code, "bids-sparse-acquisition");
                    assert_eq!(name, "volume_timing");
                    None
                }
            };
            assert_eq!(tr_s, row.repetition_time_s, "{name} {}", row.bold);
            images += 1;
            with_events += usize::from(events.is_some());
            with_times += usize::from(tr_s.is_some());
        }
        // every run by way of a selection, task by task
        let tasks: BTreeSet<&str> = dataset
            .find(&Query::new().suffix("bold").images().origin(Origin::Raw))
            .into_iter()
            .filter_map(|file| file.name.get("task"))
            .collect();
        for task in tasks.into_iter().filter(|_| derivatives.is_empty()) {
            let matched = match dataset.match_runs(&Selection::of_task(task)) {
                Ok(matched) => matched,
                Err(problems) => {
                    // a derivative dataset in three spaces
                    assert_eq!((name, problems.iter().next().unwrap().code), ("atlas-4S", "bids-choice-needed"));
                    continue;
                }
            };
            for (subject, runs) in matched.subjects {
                match runs {
                    Ok(runs) => assert!(runs.iter().all(|run| run.bold.is_file() && run.subject == subject)),
                    // its one run is there in six acquisitions
                    Err(problems) => assert_eq!(name, "volume_timing", "{problems}"),
                }
            }
        }
    }
    assert_eq!((images, with_events, with_times), (2236, 2185, 2233));
}

#[test]
fn sidecars_and_events_of_made_datasets_are_those_of_pybids() {
    let trees: Vec<Value> = serde_json::from_str(&expectations("made.json.gz")).unwrap();
    let (mut merged, mut refused) = (0, 0);
    for (number, tree) in trees.iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in tree["files"].as_object().unwrap() {
            make(&root.path().join(path), content.as_str().unwrap());
        }
        let dataset = BidsDataset::open(root.path(), &[]).unwrap();
        let images = dataset.find(&Query::new().suffix("bold").images());
        let expected = tree["expected"].as_object().unwrap();
        assert_eq!(images.len(), expected.len());
        for image in images {
            let path = image.relative().to_str().unwrap().to_owned();
            let expected = &expected[&path];
            let metadata = match dataset.metadata(image) {
                Ok(metadata) => Value::Object(metadata.to_json()),
                Err(problems) => {
                    assert_eq!(problems.iter().next().unwrap().code, "bids-inheritance-ambiguous");
                    refused += 1;
                    Value::from("ambiguous")
                }
            };
            merged += usize::from(metadata.as_object().is_some_and(|object| !object.is_empty()));
            assert_eq!(metadata, expected["metadata"], "{number} {path}: {tree}");
            let events = match dataset.events_of(image).if_any() {
                Ok(events) => events.map(|events| events.strip_prefix(root.path()).unwrap().to_str().unwrap().into()),
                Err(problems) => {
                    assert_eq!(problems.iter().next().unwrap().code, "bids-inheritance-ambiguous");
                    refused += 1;
                    Some(Value::from("ambiguous"))
                }
            };
            assert_eq!(events.unwrap_or(Value::Null), expected["events"], "{number} {path}: {tree}");
        }
    }
    assert_eq!((trees.len(), merged, refused), (120, 988 - 294 - 181, 294 + 36));
}

#[test]
fn the_plain_examples_have_their_participants() {
    let plain = data().join("events/plain");
    if !plain.is_dir() {
        eprintln!("skipped: no {}", plain.display());
        return;
    }
    let (mut tables, mut refused) = (0, Vec::new());
    for entry in std::fs::read_dir(plain).unwrap() {
        let root = entry.unwrap().path();
        let Ok(dataset) = BidsDataset::open(&root, &[]) else { continue };
        match dataset.participants() {
            Ok((participants, _)) => tables += usize::from(participants.is_some_and(|table| !table.rows.is_empty())),
            Err(problems) => refused.push(format!("{problems}")),
        }
    }
    assert_eq!((tables, refused), (44, Vec::new()));
}

#[test]
fn the_runs_of_a_study_with_two_versions_of_each() {
    let root = data().join("haxby2001");
    if !root.is_dir() {
        eprintln!("skipped: no {}", root.display());
        return;
    }
    let dataset = BidsDataset::open(&root, &[]).unwrap();
    let mut selection = Selection::of_task("objectviewing");
    let refused = dataset.match_runs(&selection).unwrap_err();
    assert_eq!(refused.iter().next().unwrap().code, "bids-choice-needed");
    selection.desc = Some(boldly::inputs::bids::Choice::label("25mm"));
    let matched = dataset.match_runs(&selection).unwrap();
    let runs = matched.subjects["01"].as_ref().unwrap();
    assert_eq!(runs.len(), 6);
    for (index, run) in runs.iter().enumerate() {
        let stem = format!("sub-01/func/sub-01_task-objectviewing_run-{:02}", index + 1);
        assert_eq!(run.bold, root.join(format!("{stem}_desc-25mm_bold.nii.gz")));
        assert_eq!(run.events.required().unwrap(), root.join(format!("{stem}_events.tsv")));
        assert_eq!(run.sidecars, [root.join(format!("{stem}_bold.json"))]);
        assert_eq!(run.confounds.required().unwrap_err().iter().next().unwrap().code, "bids-no-confounds");
        assert_eq!(dataset.timing_of(&run.file).unwrap().repetition_time_s.unwrap().0, 2.5);
    }
    let missing = BidsDataset::open(&root, &[root.join("derivatives")]).unwrap_err();
    assert_eq!(missing.iter().next().unwrap().code, "bids-no-subjects");
}

/// Files of a dataset of which a `.bidsignore` leaves out some.
fn files_to_ignore() -> Vec<String> {
    let mut files = vec!["task-a_bold.json".to_owned()];
    for subject in ["01", "02", "03"] {
        files.push(format!("sub-{subject}/sub-{subject}_scans.tsv"));
        for (session, folder) in [("ses-a_", "ses-a/"), ("ses-b_", "ses-b/"), ("", "")] {
            for ending in ["run-1_bold.nii.gz", "run-2_bold.nii.gz", "run-2_events.tsv", "bold.json"] {
                files.push(format!("sub-{subject}/{folder}func/sub-{subject}_{session}task-a_{ending}"));
            }
        }
    }
    files
}

#[test]
fn bidsignore_means_what_gitignore_means() {
    const PATTERNS: [&str; 24] = [
        "*_run-1_*",
        "sub-01",
        "sub-01/",
        "/sub-02/func",
        "func/",
        "func",
        "sub-*/func/*task-a*",
        "**/ses-b/**",
        "!*_run-2_*",
        "!sub-01/",
        "*.json",
        "ses-a/func/",
        "sub-0[13]",
        "sub-0[!1]/",
        "sub-?2/**/sub-02_ses-b_task-a_run-1_bold.nii.gz",
        "**/func/*_events.tsv",
        "/task-a_bold.json",
        "task-a_bold.json",
        "sub-01/**",
        "!/sub-01/ses-a/",
        "# x",
        "*_bold.*  ",
        "*",
        "!sub-0*",
    ];
    let root = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| Command::new("git").arg("-C").arg(root.path()).args(words).output();
    if !git(&["init", "-q"]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no git");
        return;
    }
    let files = files_to_ignore();
    for file in &files {
        make(&root.path().join(file), "");
    }
    let mut words = vec!["-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index"];
    words.extend(files.iter().map(String::as_str));
    let (mut sets, mut left_out) = (0, 0);
    for (first, pattern) in PATTERNS.iter().enumerate() {
        for step in [0, 1, 5, 7, 11] {
            let second = (first + step) % PATTERNS.len();
            let third = (first * 5 + step * 3) % PATTERNS.len();
            let text = format!("{pattern}\n{}\n{}\n", PATTERNS[second], PATTERNS[third]);
            for name in [".gitignore", ".bidsignore"] {
                make(&root.path().join(name), &text);
            }
            let ignored = String::from_utf8(git(&words).unwrap().stdout).unwrap();
            let ignored: BTreeSet<&str> = ignored.lines().collect();
            let kept: BTreeSet<&str> =
                files.iter().map(String::as_str).filter(|file| !ignored.contains(file)).collect();
            let seen: BTreeSet<String> = match BidsDataset::open(root.path(), &[]) {
                Ok(dataset) => {
                    let found = dataset.find(&Query::new());
                    found.iter().map(|file| file.relative().to_str().unwrap().to_owned()).collect()
                }
                Err(_) => kept.iter().filter(|file| !file.starts_with("sub-")).map(|file| (*file).to_owned()).collect(),
            };
            assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), kept, "{text}");
            sets += 1;
            left_out += ignored.len();
        }
    }
    assert_eq!((sets, left_out), (120, 2961));
}

//! Every `events.tsv` of the BIDS example data sets: what is read, what is refused and why.
//!
//! `events_corpus/verdicts.tsv` holds, for each functional-imaging table, the verdict under the default policies with
//! the codes of the errors, and the number of events under the policies that `events_corpus/policies.tsv`
//! states for its data set. `BOLDLY_REGENERATE=1` writes the list anew, for reading its difference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may stop at the first surprise")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "support/mod.rs"]
mod support;

use boldly::config::{DuplicatePolicy, EventFiles, EventSettings, Located, MissingDuration, RowPolicy};
use boldly::error::{Diagnostics, Place};
use boldly::inputs::{EventTable, read_events};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tables below a `func` folder: functional MRI.
const FUNCTIONAL: usize = 2123;

/// All others: EEG, MEG, iEEG and the like.
const OTHER: usize = 605;

/// The unpacked tables, or `None` (said on stderr) where the data are not at hand.
fn unpack() -> Option<(tempfile::TempDir, Vec<PathBuf>)> {
    let archive = support::shared_part("data/events/all_events_and_sidecars.tar.xz")?;
    let directory = tempfile::tempdir().unwrap();
    let status = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(directory.path()).status();
    if !status.is_ok_and(|status| status.success()) {
        eprintln!("skipped: tar cannot unpack {}", archive.display());
        return None;
    }
    let mut tables = Vec::new();
    let mut folders = vec![directory.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with("_events.tsv") {
                tables.push(path);
            }
        }
    }
    tables.sort();
    Some((directory, tables))
}

fn is_functional(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "func")
}

fn defaults() -> EventSettings {
    EventSettings {
        condition_column: Located::unplaced("trial_type".to_owned()),
        ignore: Vec::new(),
        missing_condition_label: RowPolicy::Error,
        missing_duration: MissingDuration::Error,
        outside_run: RowPolicy::Error,
        duplicates: DuplicatePolicy::Error,
    }
}

/// The stated policies of each data set; a cell that is `-` leaves the default.
fn policies() -> BTreeMap<String, EventSettings> {
    let row_policy = |cell: &str| match cell {
        "-" => RowPolicy::Error,
        "drop" => RowPolicy::Drop,
        other => panic!("no row policy: {other}"),
    };
    include_str!("events_corpus/policies.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let &[dataset, column, label, duration, outside, duplicates] = cells.as_slice() else { panic!("{line}") };
            let column = if column == "-" { "trial_type" } else { column };
            let settings = EventSettings {
                condition_column: Located::unplaced(column.to_owned()),
                ignore: Vec::new(),
                missing_condition_label: row_policy(label),
                missing_duration: match duration {
                    "-" => MissingDuration::Error,
                    "zero" => MissingDuration::Seconds(0.0),
                    seconds => MissingDuration::Seconds(seconds.parse().unwrap()),
                },
                outside_run: row_policy(outside),
                duplicates: if duplicates == "sum" { DuplicatePolicy::Sum } else { DuplicatePolicy::Error },
            };
            (dataset.to_owned(), settings)
        })
        .collect()
}

/// Reads a table in a run of unknown length.
fn read(path: &Path, settings: &EventSettings) -> Result<(EventTable, Diagnostics), Diagnostics> {
    read_events(&EventFiles::Bids(Located::unplaced(path.to_path_buf())), settings, &[], 0.0..f64::INFINITY)
}

/// The codes of the errors, unique, in order; each must be placed in the table.
fn codes(path: &Path, problems: &Diagnostics) -> String {
    let mut codes = BTreeSet::new();
    for problem in problems {
        match &problem.place {
            Some(Place::Cell { path: at, line, .. }) => assert!(at == path && *line > 0, "{problem}"),
            Some(Place::File(at)) => assert_eq!(at, path, "{problem}"),
            place => panic!("{problem}: {place:?}"),
        }
        codes.insert(problem.code);
    }
    codes.into_iter().collect::<Vec<_>>().join(" ")
}

/// `ds001/sub-01_task-x_run-01` for `ds001/sub-01/func/sub-01_task-x_run-01_events.tsv`.
fn short_name(root: &Path, path: &Path) -> (String, String) {
    let dataset = path.strip_prefix(root).unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
    let file = path.file_name().unwrap().to_str().unwrap().trim_end_matches("_events.tsv");
    (dataset.to_owned(), format!("{dataset}/{file}"))
}

#[test]
fn functional_tables_are_read_or_refused_as_listed_and_all_load_under_stated_policies() {
    let Some((directory, tables)) = unpack() else { return };
    let (policies, defaults) = (policies(), defaults());
    let mut list = String::from("file\tverdict\treason\tevents_under_policies\n");
    let mut functional = 0;
    let mut refused = Diagnostics::new();
    for path in tables.iter().filter(|path| is_functional(path)) {
        functional += 1;
        let (dataset, name) = short_name(directory.path(), path);
        let (verdict, reason) = match read(path, &defaults) {
            Ok(_) => ("read", String::from("-")),
            Err(problems) => ("refused", codes(path, &problems)),
        };
        let count = match read(path, policies.get(&dataset).unwrap_or(&defaults)) {
            Ok((table, _)) => {
                assert!(table.events.is_sorted_by_key(|event| event.onset_s), "{name}");
                table.events.len()
            }
            Err(problems) => {
                refused.extend(problems);
                0
            }
        };
        writeln!(list, "{name}\t{verdict}\t{reason}\t{count}").unwrap();
    }
    assert_eq!(functional, FUNCTIONAL);
    assert!(refused.is_empty(), "refused under the stated policies:\n{refused}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events_corpus/verdicts.tsv");
    if std::env::var_os("BOLDLY_REGENERATE").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let differences: Vec<_> = list.lines().zip(expected.lines()).filter(|(found, listed)| found != listed).collect();
    assert!(differences.is_empty(), "{} differ, the first: {:?}", differences.len(), differences[0]);
    assert_eq!(list.lines().count(), expected.lines().count());
}

#[test]
fn other_tables_never_panic_and_refusals_are_located() {
    let Some((_directory, tables)) = unpack() else { return };
    let mut other = 0;
    let lenient = EventSettings {
        missing_condition_label: RowPolicy::Drop,
        missing_duration: MissingDuration::Seconds(0.0),
        outside_run: RowPolicy::Drop,
        duplicates: DuplicatePolicy::Sum,
        ..defaults()
    };
    for path in tables.iter().filter(|path| !is_functional(path)) {
        other += 1;
        for settings in [&defaults(), &lenient] {
            match read(path, settings) {
                Ok((table, _)) => assert!(!table.events.is_empty(), "{}", path.display()),
                Err(problems) => assert!(!codes(path, &problems).is_empty()),
            }
        }
    }
    assert_eq!(other, OTHER);
}

/// One study in three forms: the NIDM results of ds000011 were made from the same onsets by AFNI and by FSL.
#[test]
fn afni_and_fsl_files_of_one_study_say_the_same() {
    let Some(study) = support::shared_part("data/design_oracles/nidm_ds011") else { return };
    let afni = study.join("afni_default/subject_results/group.DS0011/subj.sub_001/sub_001.results/stimuli");
    let fsl = study.join("fsl_default/custom_timing_files");
    let file = |condition: &str, path: PathBuf| (Located::unplaced(condition.to_owned()), Located::unplaced(path));
    // AFNI's plain times leave the duration to the model: 4 s in this study.
    let settings = EventSettings { missing_duration: MissingDuration::Seconds(4.0), ..defaults() };
    let events = |files| {
        let (table, warnings) = read_events(&files, &settings, &[], 0.0..1e4).unwrap();
        assert!(warnings.is_empty(), "{warnings}");
        let event =
            |event: &boldly::inputs::Event| (event.condition.clone(), event.onset_s, event.duration_s, event.amplitude);
        table.events.iter().map(event).collect::<Vec<_>>()
    };
    let files = vec![
        file("tone", afni.join("tone_counting_onset_times.txt")),
        file("probe", afni.join("tone_counting_probe_duration.txt")),
    ];
    let from_afni = events(EventFiles::Afni { files, row: 0 });
    let from_fsl = events(EventFiles::Fsl(vec![file("tone", fsl.join("ev1.txt")), file("probe", fsl.join("ev2.txt"))]));
    assert!(from_afni.len() > 20);
    assert_eq!(from_afni, from_fsl);
}

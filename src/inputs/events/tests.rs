use super::*;
use crate::config::{DuplicatePolicy, Located, MissingDuration, RowPolicy};

/// The defaults of `[events]`.
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

fn ignoring(names: &[&str]) -> EventSettings {
    EventSettings { ignore: names.iter().map(|name| Located::unplaced((*name).to_owned())).collect(), ..defaults() }
}

/// The events of a table in a run of 300 s and the warnings, or the errors; paths without their folder.
fn read(text: &str, settings: &EventSettings, values: &[&str]) -> Result<(EventTable, String), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.tsv");
    std::fs::write(&path, text).unwrap();
    shorten(directory.path(), read_events(&EventFiles::Bids(Located::unplaced(path)), settings, values, 0.0..300.0))
}

fn shorten(
    directory: &std::path::Path,
    result: Result<(EventTable, Diagnostics), Diagnostics>,
) -> Result<(EventTable, String), String> {
    let short = |text: String| text.replace(&format!("{}/", directory.display()), "");
    match result {
        Ok((table, warnings)) => Ok((table, short(warnings.to_string()))),
        Err(problems) => Err(short(problems.to_string())),
    }
}

fn error(text: &str) -> String {
    read(text, &defaults(), &[]).unwrap_err()
}

/// `condition onset duration amplitude` of each event.
fn shown(table: &EventTable) -> Vec<String> {
    let line =
        |event: &Event| format!("{} {} {} {}", event.condition, event.onset_s, event.duration_s, event.amplitude);
    table.events.iter().map(line).collect()
}

#[test]
fn odd_but_clear_tables_are_accepted() {
    let text = "\u{feff}trial_type\tonset \tnote\tduration\r\n\"face\"\t20\tx\t1\r\n house \t 4.5 \t\t0\r\n\r\nface\t4.5\ty\t2";
    let (table, warnings) = read(text, &defaults(), &[]).unwrap();
    assert_eq!(shown(&table), ["house 4.5 0 1", "face 4.5 2 1", "face 20 1 1"]);
    assert_eq!(table.events.iter().map(|event| event.line).collect::<Vec<_>>(), [3, 5, 2]);
    assert_eq!(table.conditions(), ["face", "house"]);
    assert_eq!(warnings, "");
}

#[test]
fn onsets_that_rounding_puts_before_the_run_are_kept_as_they_are() {
    let (table, _) = read("onset\tduration\ttrial_type\n-6.6e-05\t0\ta\n", &defaults(), &[]).unwrap();
    assert_eq!(table.events[0].onset_s, -6.6e-5);
    assert!(read("onset\tduration\ttrial_type\n-0.0011\t0\ta\n", &defaults(), &[]).is_err());
}

// What nilearn 0.14 does in silence or says misleadingly: each is an error with its place, or a stated policy.

#[test]
fn a_row_without_a_condition() {
    let text = "onset\tduration\ttrial_type\n1\t2\tface\n5\t2\tn/a\n9\t2\t\n";
    insta::assert_snapshot!(error(text), @r#"
    error[events-condition-missing]: the row has no condition: `n/a`
     --> events.tsv:3, column `trial_type`
       = note: also on line 4 (empty)
       = hint: `[events] missing_condition_label = "drop"` leaves such rows out of the model
    "#);
    let settings = EventSettings { missing_condition_label: RowPolicy::Drop, ..defaults() };
    let (table, warning) = read(text, &settings, &[]).unwrap();
    assert_eq!(shown(&table), ["face 1 2 1"]);
    insta::assert_snapshot!(warning, @"
    warning[events-condition-dropped]: 2 rows without a condition are left out of the model
     --> events.tsv
    ");
}

#[test]
fn a_modulation_without_a_value() {
    let text = "onset\tduration\ttrial_type\tmodulation\n1\t2\tface\t3\n5\t2\tface\tn/a\n";
    let (table, warning) = read(text, &defaults(), &[]).unwrap();
    assert_eq!(shown(&table), ["face 1 2 1", "face 5 2 1"]);
    insta::assert_snapshot!(warning, @r#"
    warning[events-modulation-unused]: the column `modulation` scales no event: every height is 1
     --> events.tsv:1
       = hint: `[[design.modulator]]` with `column = "modulation"` models it
    "#);
    // Named by a modulator, the missing value is there for the design to refuse: never a 0.
    let (table, warning) = read(text, &defaults(), &["modulation"]).unwrap();
    assert_eq!(table.events.iter().map(|event| event.values[0]).collect::<Vec<_>>(), [Some(3.0), None]);
    assert_eq!((table.value_columns, warning.as_str()), (vec!["modulation".to_owned()], ""));
}

#[test]
fn onsets_in_milliseconds() {
    let text = "onset\tduration\ttrial_type\n0\t2000\ta\n10000\t2000\ta\n20000\t2000\tb\n";
    insta::assert_snapshot!(error(text), @"
    error[events-duration-too-long]: the duration 2000 s is longer than the whole run
     --> events.tsv:2, column `duration`
       = note: the run lasts from 0 to 300 s
       = hint: event files hold seconds: are these milliseconds?

    error[events-outside-run]: the onset 10000 s is outside the run
     --> events.tsv:3, column `onset`
       = note: the run lasts from 0 to 300 s
       = note: also on line 4 (20000 s)
       = hint: onsets look like milliseconds: BIDS tables hold seconds
    ");
    let settings = EventSettings { outside_run: RowPolicy::Drop, ..defaults() };
    insta::assert_snapshot!(read(&text.replace("\n0\t2000\ta", ""), &settings, &[]).unwrap_err(), @"
    warning[events-outside-dropped]: 2 events outside the run are left out of the model
     --> events.tsv

    error[events-none]: no events are left to model
     --> events.tsv
       = note: of 2 rows, 2 start outside the run
       = hint: onsets are seconds from the start of the first volume, not milliseconds
    ");
}

#[test]
fn an_onset_after_the_run() {
    let text = "onset\tduration\ttrial_type\n1\t2\ta\n299.9\t2\ta\n300\t2\ta\n";
    insta::assert_snapshot!(error(text), @r#"
    error[events-outside-run]: the onset 300 s is outside the run
     --> events.tsv:4, column `onset`
       = note: the run lasts from 0 to 300 s
       = hint: `[events] outside_run = "drop"` leaves such rows out of the model
    "#);
    let settings = EventSettings { outside_run: RowPolicy::Drop, ..defaults() };
    let (table, warning) = read(text, &settings, &[]).unwrap();
    assert_eq!(shown(&table), ["a 1 2 1", "a 299.9 2 1"]);
    insta::assert_snapshot!(warning, @"
    warning[events-outside-dropped]: 1 event outside the run is left out of the model
     --> events.tsv
    ");
}

#[test]
fn an_onset_long_before_the_run() {
    insta::assert_snapshot!(error("onset\tduration\ttrial_type\n-75.1\t2\ta\n1\t2\ta\n"), @r#"
    error[events-outside-run]: the onset -75.1 s is outside the run
     --> events.tsv:2, column `onset`
       = note: the run lasts from 0 to 300 s
       = hint: `[events] outside_run = "drop"` leaves such rows out of the model
    "#);
}

#[test]
fn a_negative_duration() {
    insta::assert_snapshot!(error("onset\tduration\ttrial_type\n1\t-2\ta\n"), @"
    error[events-duration-negative]: the duration is negative: -2 s
     --> events.tsv:2, column `duration`
       = note: expected seconds, 0 for an impulse
    ");
}

#[test]
fn conditions_that_are_numbers_beside_names() {
    let (table, _) = read("onset\tduration\ttrial_type\n1\t2\t7\n5\t2\tface\n9\t2\t7\n", &defaults(), &[]).unwrap();
    assert_eq!(table.conditions(), ["7", "face"]);
}

#[test]
fn a_misspelt_condition_column() {
    insta::assert_snapshot!(error("onset\tduration\ttrialtype\tstim_file\n1\t2\ta\tx.png\n"), @"
    error[events-condition-column-missing]: the event table has no column `trial_type` to name its conditions
     --> events.tsv:1
       = note: columns there are: onset, duration, trialtype, stim_file
       = hint: name the column by `[events] condition_column`: did you mean `trialtype`?
    ");
    let stated = EventSettings { condition_column: Located::unplaced("trialtype".to_owned()), ..defaults() };
    assert!(read("onset\tduration\ttrialtype\n1\t2\ta\n", &stated, &[]).is_ok());
}

// Policies and places beyond those.

#[test]
fn missing_onsets_and_columns() {
    insta::assert_snapshot!(error("onset\tduration\ttrial_type\nn/a\t2\ta\n1\t2\ta\n"), @"
    error[events-onset-missing]: the event has no onset: `n/a`
     --> events.tsv:2, column `onset`
       = note: expected seconds from the start of the first volume
       = hint: give the onset, delete the row, or leave its condition out by `[events] ignore`
    ");
    insta::assert_snapshot!(error("Onset\tdur\ttrial_type\n1\t2\ta\n"), @"
    error[events-column-missing]: the event table has no column `onset`
     --> events.tsv:1
       = note: columns there are: Onset, dur, trial_type
       = hint: did you mean `Onset`?

    error[events-column-missing]: the event table has no column `duration`
     --> events.tsv:1
       = note: columns there are: Onset, dur, trial_type
       = hint: did you mean `dur`?
    ");
    insta::assert_snapshot!(error("onset,duration,trial_type\n1,2,a\n"), @"
    error[events-column-missing]: the event table has no column `onset`
     --> events.tsv:1
       = note: columns there are: onset,duration,trial_type
       = hint: the header has commas and is read as one column: `.tsv` needs tabs between cells, `.csv` commas

    error[events-column-missing]: the event table has no column `duration`
     --> events.tsv:1
       = note: columns there are: onset,duration,trial_type
       = hint: the header has commas and is read as one column: `.tsv` needs tabs between cells, `.csv` commas

    error[events-condition-column-missing]: the event table has no column `trial_type` to name its conditions
     --> events.tsv:1
       = note: columns there are: onset,duration,trial_type
       = hint: the header has commas and is read as one column: `.tsv` needs tabs between cells, `.csv` commas
    ");
    insta::assert_snapshot!(error("onset\tonset\tduration\ttrial_type\n1\t1\t2\ta\n"), @"
    error[table-duplicate-column]: two columns are called `onset`
     --> events.tsv:1
       = hint: rename or delete one
    ");
    insta::assert_snapshot!(error("onset\tduration\ttrial_type\n"), @"
    error[events-none]: no events are left to model
     --> events.tsv
       = note: there are no rows of events
    ");
    let missing = read("onset\tduration\ttrial_type\tRT\n1\t2\ta\t3\n", &defaults(), &["rt"]).unwrap_err();
    insta::assert_snapshot!(missing, @"
    error[events-column-missing]: the event table has no column `rt`
     --> events.tsv:1
       = note: columns there are: onset, duration, trial_type, RT
       = hint: did you mean `RT`?
    ");
}

#[test]
fn all_mistakes_of_a_table_are_shown_at_once() {
    let text = "onset\tduration\ttrial_type\nx\t2\ta\n1,5\tn/a\ta\n3\tinf\ta\n4\t-1\t\n5\t1\tb\n5\t2\tb\n500\t1\tb\n";
    insta::assert_snapshot!(error(text), @r#"
    error[events-onset-not-a-number]: the onset is not a number: `x`
     --> events.tsv:2, column `onset`
       = note: expected seconds from the start of the first volume
       = note: also on line 3 (1,5)

    error[events-duration-missing]: the event has no duration: `n/a`
     --> events.tsv:3, column `duration`
       = hint: `[events] missing_duration = "zero"` makes it an impulse; a number is its seconds

    error[events-duration-not-a-number]: the duration is not a number: `inf`
     --> events.tsv:4, column `duration`
       = note: expected seconds, 0 for an impulse

    error[events-condition-missing]: the row has no condition: the cell is empty
     --> events.tsv:5, column `trial_type`
       = hint: `[events] missing_condition_label = "drop"` leaves such rows out of the model

    error[events-duration-negative]: the duration is negative: -1 s
     --> events.tsv:5, column `duration`
       = note: expected seconds, 0 for an impulse

    error[events-outside-run]: the onset 500 s is outside the run
     --> events.tsv:8, column `onset`
       = note: the run lasts from 0 to 300 s
       = hint: `[events] outside_run = "drop"` leaves such rows out of the model

    error[events-duplicate]: `b` starts twice at 5 s
     --> events.tsv:7, column `onset`
       = note: first on line 6
       = hint: delete one; `[events] duplicates = "sum"` counts both
    "#);
}

#[test]
fn durations_by_policy() {
    let settings = |seconds| EventSettings { missing_duration: MissingDuration::Seconds(seconds), ..defaults() };
    let text = "onset\tduration\ttrial_type\n1\tn/a\ta\n5\t2\ta\n";
    assert_eq!(shown(&read(text, &settings(0.0), &[]).unwrap().0), ["a 1 0 1", "a 5 2 1"]);
    let text = "onset\ttrial_type\n1\ta\n";
    assert_eq!(shown(&read(text, &settings(1.5), &[]).unwrap().0), ["a 1 1.5 1"]);
    assert!(error(text).contains("no column `duration`"));
}

#[test]
fn ignored_conditions_are_not_looked_at_and_must_occur() {
    let text = "onset\tduration\ttrial_type\nn/a\tn/a\trest\n5\t2\ta\n900\t2\trest\n";
    let (table, warning) = read(text, &ignoring(&["rest"]), &[]).unwrap();
    assert_eq!((shown(&table), warning.as_str()), (vec!["a 5 2 1".to_owned()], ""));
    let (_, warning) = read("onset\tduration\ttrial_type\n5\t2\trest\n6\t2\ta\n", &ignoring(&["Rest"]), &[]).unwrap();
    insta::assert_snapshot!(warning, @"
    warning[events-ignore-unused]: `Rest` is ignored but does not occur in events.tsv
     --> events.tsv
       = note: conditions there: a, rest
       = hint: did you mean `rest`?
    ");
    insta::assert_snapshot!(read(text, &ignoring(&["rest", "a"]), &[]).unwrap_err(), @"
    error[events-none]: no events are left to model
     --> events.tsv
       = note: of 3 rows, all are left out by `[events]`
    ");
}

#[test]
fn duplicates_are_summed_by_policy() {
    let text = "onset\tduration\ttrial_type\n5\t2\ta\n5\t2\tb\n5\t2\ta\n5\t3\ta\n5\t2\ta\n6\t2\ta\n";
    insta::assert_snapshot!(error(text), @r#"
    error[events-duplicate]: `a` starts twice at 5 s
     --> events.tsv:4, column `onset`
       = note: first on line 2
       = note: also on line 5 (`a` at 5 s), line 6 (`a` at 5 s)
       = hint: delete one; `[events] duplicates = "sum"` counts both
    "#);
    let settings = EventSettings { duplicates: DuplicatePolicy::Sum, ..defaults() };
    let (table, warning) = read(text, &settings, &[]).unwrap();
    assert_eq!(shown(&table), ["a 5 2 3", "b 5 2 1", "a 5 3 1", "a 6 2 1"]);
    insta::assert_snapshot!(warning, @"
    warning[events-duplicates-summed]: 3 events of the same onset and condition as another are summed with it
     --> events.tsv
    ");
}

#[test]
fn duplicates_of_other_modulator_values_stay_apart() {
    let settings = EventSettings { duplicates: DuplicatePolicy::Sum, ..defaults() };
    let text = "onset\tduration\ttrial_type\trt\n5\t2\ta\t1\n5\t2\ta\t2\n5\t2\ta\t1\n";
    let (table, _) = read(text, &settings, &["rt"]).unwrap();
    let seen: Vec<_> = table.events.iter().map(|event| (event.amplitude, event.values[0])).collect();
    assert_eq!(seen, [(2.0, Some(1.0)), (1.0, Some(2.0))]);
}

type Files<'a> = &'a [(&'a str, &'a str)];

fn read_files(
    files: Files,
    settings: &EventSettings,
    form: impl Fn(Vec<(Located<String>, Located<PathBuf>)>) -> EventFiles,
) -> Result<(EventTable, String), String> {
    let directory = tempfile::tempdir().unwrap();
    let files = files.iter().map(|(condition, text)| {
        let path = directory.path().join(format!("{condition}.txt"));
        std::fs::write(&path, text).unwrap();
        (Located::unplaced((*condition).to_owned()), Located::unplaced(path))
    });
    shorten(directory.path(), read_events(&form(files.collect()), settings, &[], 0.0..300.0))
}

#[test]
fn a_duration_longer_than_the_run() {
    let text = "onset\tduration\ttrial_type\n0\t300\ta\n12\t22500\ta\n50\t300.1\tb\n";
    insta::assert_snapshot!(error(text), @"
    error[events-duration-too-long]: the duration 22500 s is longer than the whole run
     --> events.tsv:3, column `duration`
       = note: the run lasts from 0 to 300 s
       = note: also on line 4 (300.1 s)
       = hint: event files hold seconds: are these milliseconds?
    ");
    assert!(read(&text.replace("22500", "22.5").replace("300.1", "300"), &defaults(), &[]).is_ok());
    let afni: Files = &[("face", "4:500 9:2\n")];
    let found = read_files(afni, &defaults(), |files| EventFiles::Afni { files, row: 0 }).unwrap_err();
    assert!(found.contains("events-duration-too-long") && found.contains("face.txt:1"), "{found}");
    let fsl: Files = &[("face", "4 2 1\n9 500 1\n")];
    let found = read_files(fsl, &defaults(), EventFiles::Fsl).unwrap_err();
    assert!(found.contains("face.txt:2, column `2 (duration)`"), "{found}");
}

#[test]
fn fsl_three_column_files() {
    let files: Files = &[("face", "20 3 1\n 4.5\t2   0.5\r\n"), ("house", "0\t0\t0\n"), ("cat", "")];
    let (table, warnings) = read_files(files, &defaults(), EventFiles::Fsl).unwrap();
    assert_eq!((shown(&table), warnings.as_str()), (vec!["face 4.5 2 0.5".to_owned(), "face 20 3 1".to_owned()], ""));
    let files: Files = &[("face", "1\n0\n1\n"), ("house", "4 2 x\n"), ("cat", "4 2 1\n"), ("dog", "4 -2 1\n")];
    insta::assert_snapshot!(read_files(files, &defaults(), EventFiles::Fsl).unwrap_err(), @"
    error[events-fsl-columns]: the row has 1 cell, expected onset, duration and weight
     --> face.txt:1
       = note: also on line 2 (1 cell), line 3 (1 cell)

    error[events-fsl-weight]: the weight is not a number: `x`
     --> house.txt:1, column `3 (weight)`
    ");
    insta::assert_snapshot!(read_files(&files[2..], &defaults(), EventFiles::Fsl).unwrap_err(), @"
    error[events-duration-negative]: the duration is negative: -2 s
     --> dog.txt:1, column `2 (duration)`
       = note: expected seconds, 0 for an impulse
    ");
}

#[test]
fn afni_stimulus_times() {
    let afni = |row| move |files| EventFiles::Afni { files, row };
    let files: Files = &[("face", "# runs\n\n20:3 4.5:2\n*\n"), ("house", "*\n7*2.5:1 9:2*-1 *\n")];
    let (table, _) = read_files(files, &defaults(), afni(0)).unwrap();
    assert_eq!(shown(&table), ["face 4.5 2 1", "face 20 3 1"]);
    assert_eq!(table.events[0].line, 3);
    let (table, _) = read_files(files, &defaults(), afni(1)).unwrap();
    assert_eq!(shown(&table), ["house 7 1 2.5", "house 9 2 -1"]);
    insta::assert_snapshot!(read_files(files, &defaults(), afni(2)).unwrap_err(), @"
    error[events-afni-row-missing]: the file has 2 rows, expected row 3 for this run
     --> face.txt
       = hint: give each run a row, `*` where the condition does not occur; times over all runs (global) are not read

    error[events-afni-row-missing]: the file has 2 rows, expected row 3 for this run
     --> house.txt
       = hint: give each run a row, `*` where the condition does not occur; times over all runs (global) are not read
    ");
    let files: Files = &[("face", "1:2 x 3*1,2 4*1\n*\n"), ("house", "1\n2\n3\n")];
    insta::assert_snapshot!(read_files(files, &defaults(), afni(0)).unwrap_err(), @"
    error[events-afni-time]: cannot read the time `x`: expected seconds
     --> face.txt:1

    error[events-afni-amplitudes]: cannot read the time `3*1,2`: it has several amplitudes, and nothing says which one scales it
     --> face.txt:1

    error[events-afni-amplitudes]: 1 of 2 times have an amplitude
     --> face.txt:1
       = hint: give all of them one (`*1` for none), or none

    error[events-afni-ambiguous]: every row holds one time: one a run, or one column of a single run
     --> house.txt:1
       = hint: end the first row with ` *` if each row is a run, or put all times on one row
    ");
    let plain: Files = &[("face", "1 5.5\n")];
    assert!(read_files(plain, &defaults(), afni(0)).unwrap_err().contains("events-duration-missing"));
    let settings = EventSettings { missing_duration: MissingDuration::Seconds(0.0), ..defaults() };
    assert_eq!(shown(&read_files(plain, &settings, afni(0)).unwrap().0), ["face 1 0 1", "face 5.5 0 1"]);
}

use super::*;
use std::io::Write as _;

/// The table, and warnings; or errors, without the folder's name.
fn read_as(
    name: &str,
    bytes: &[u8],
    unit_column: Option<&str>,
    duration_s: f64,
) -> Result<(SpikeTable, String), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let short = |text: String| text.replace(&format!("{}/", directory.path().display()), "");
    match read_spikes(&path, "time_s", unit_column, duration_s) {
        Ok((table, warnings)) => Ok((table, short(warnings.to_string()))),
        Err(problems) => Err(short(problems.to_string())),
    }
}

fn read(text: &str) -> Result<(SpikeTable, String), String> {
    read_as("spikes.tsv", text.as_bytes(), Some("unit"), 10.0)
}

fn units(table: &SpikeTable) -> Vec<(&str, &[f64])> {
    table.units.iter().map(|train| (train.unit.as_str(), train.times_s.as_slice())).collect()
}

#[test]
fn units_are_told_apart_and_ordered_by_number_then_name() {
    let text = "unit\tnote\ttime_s\nb\tx\t0\n10\tx\t0.5\n9\tx\t0.25\nb\tx\t3\na\tx\t1\n10\tx\t10\n";
    let (table, warnings) = read(text).unwrap();
    let expected: [(&str, &[f64]); 4] = [("9", &[0.25]), ("10", &[0.5, 10.0]), ("a", &[1.0]), ("b", &[0.0, 3.0])];
    assert_eq!(units(&table), expected);
    assert_eq!((table.duration_s, warnings.as_str()), (10.0, ""));
}

#[test]
fn commas_gzip_and_tables_without_units_are_read() {
    let (table, _) = read_as("spikes.csv", b"time_s,unit\n1,a\n2,b\n3,a\n", None, 10.0).unwrap();
    let all: [(&str, &[f64]); 1] = [("all", &[1.0, 2.0, 3.0])];
    assert_eq!(units(&table), all);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"time_s\r\n0.125\r\n7\r\n").unwrap();
    let (table, _) = read_as("spikes.tsv.gz", &gzip.finish().unwrap(), None, 7.0).unwrap();
    assert_eq!(units(&table), [("all", [0.125, 7.0].as_slice())]);
}

#[test]
fn two_spikes_at_one_time_are_a_warning_and_both_are_kept() {
    let (table, warnings) = read("time_s\tunit\n1\ta\n1\tb\n1\ta\n2\ta\n").unwrap();
    assert_eq!(units(&table)[0], ("a", [1.0, 1.0, 2.0].as_slice()));
    insta::assert_snapshot!(warnings, @"
    warning[spikes-duplicate-time]: two spikes of unit `a` at 1 s
     --> spikes.tsv:4, column `time_s`
       = note: both are counted
       = hint: delete one if a spike was written twice
    ");
}

#[test]
fn columns_that_are_not_there_are_found_at_once() {
    insta::assert_snapshot!(read("times\tUnit\n1\ta\n").unwrap_err(), @"
    error[spikes-column-missing]: the spike table has no column `time_s`
     --> spikes.tsv:1
       = note: columns there are: times, Unit
       = hint: did you mean `times`?

    error[spikes-column-missing]: the spike table has no column `unit`
     --> spikes.tsv:1
       = note: columns there are: times, Unit
       = hint: did you mean `Unit`?
    ");
    insta::assert_snapshot!(read("time_s,unit\n1,a\n").unwrap_err().lines().last().unwrap(), @"   = hint: the header has commas and is read as one column: `.tsv` needs tabs between cells, `.csv` commas");
    insta::assert_snapshot!(read("time_s\ttime_s\tunit\n1\t1\ta\n").unwrap_err(), @"
    error[table-duplicate-column]: two columns are called `time_s`
     --> spikes.tsv:1
       = hint: rename one
    ");
}

#[test]
fn all_mistakes_of_cells_are_located_at_once() {
    let text = "time_s\tunit\n1\ta\n-0.5\ta\nx\ta\n11\ta\n3\t\n4\tn/a\n2\ta\n1.5\ta\n\tb\n0.5\tb\n0.25\tb\n";
    insta::assert_snapshot!(read(text).unwrap_err(), @"
    error[spikes-time-negative]: a spike at -0.5 s, before the recording
     --> spikes.tsv:3, column `time_s`
       = note: expected seconds from the start of the recording
       = hint: shift the times so that the recording starts at 0, or drop what was before it

    error[spikes-not-a-number]: `x` is not a number
     --> spikes.tsv:4, column `time_s`
       = note: expected a finite number
       = note: also on line 10 (empty)

    error[spikes-time-after-end]: a spike at 11 s, after the end of the recording
     --> spikes.tsv:5, column `time_s`
       = note: the recording is 10 s long
       = hint: correct the length of the recording, or drop what is after it

    error[spikes-unit-missing]: the spike is of no unit
     --> spikes.tsv:6, column `unit`
       = note: expected the label of a unit
       = note: also on line 7 (n/a)
       = hint: fill the cell, or delete the row

    error[spikes-unsorted]: a spike of unit `a` at 1.5 s follows one at 2 s
     --> spikes.tsv:9, column `time_s`
       = note: expected the spikes of a unit in order of time
       = note: also on line 12 (0.25)
       = hint: sort the table by `time_s`
    ");
}

#[test]
fn times_in_other_units_are_recognised() {
    let hint = |times: &str| {
        let text = format!("time_s\n{times}\n");
        let shown = read_as("spikes.tsv", text.as_bytes(), None, 10.0).unwrap_err();
        shown.lines().find(|line| line.contains("hint")).unwrap().trim().to_owned()
    };
    assert_eq!(hint("12\n900\n8500"), "= hint: expected seconds; in milliseconds, the latest spike would be at 8.5 s");
    assert_eq!(hint("1200\n8500000"), "= hint: expected seconds; in microseconds, the latest spike would be at 8.5 s");
    assert_eq!(hint("30000000"), "= hint: expected seconds: divide numbers of samples by the sampling rate");
}

#[test]
fn a_mistake_of_every_row_is_one_message() {
    let rows = (0..500).map(|row| format!("{}\ta", 500 - row)).collect::<Vec<_>>().join("\n");
    let shown = read_as("spikes.tsv", format!("time_s\tunit\n{rows}").as_bytes(), Some("unit"), 500.0).unwrap_err();
    assert_eq!(shown.matches("error[").count(), 1, "{shown}");
    assert!(shown.contains("line 4 (498)") && shown.contains("and 489 more"), "{shown}");
}

#[test]
fn an_empty_table_and_a_recording_of_no_length_are_refused() {
    insta::assert_snapshot!(read("time_s\tunit\n").unwrap_err(), @"
    error[spikes-empty]: the table has no spikes
     --> spikes.tsv
       = hint: expected one spike a row
    ");
    for duration_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let shown = read_as("spikes.tsv", b"time_s\n1\n", None, duration_s).unwrap_err();
        assert!(
            shown.starts_with(&format!("error[spikes-duration]: the recording is {duration_s} s long\n")),
            "{shown}"
        );
    }
}

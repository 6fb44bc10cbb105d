use super::*;
use crate::config::{Labels, Located};

fn read(text: &str, globs: &[&str], tr_s: Option<f64>) -> Result<(SeriesTable, String), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("roi.tsv");
    std::fs::write(&path, text).unwrap();
    let settings = TimeseriesSettings {
        labels: Labels::default(),
        table: Located::unplaced(path),
        columns: globs.iter().map(|glob| Located::unplaced((*glob).to_owned())).collect(),
        tr_s: tr_s.map(Located::unplaced),
        events: None,
        confounds: None,
    };
    let short = |text: String| text.replace(&format!("{}/", directory.path().display()), "");
    match read_timeseries(&settings) {
        Ok((table, warnings)) => Ok((table, short(warnings.to_string()))),
        Err(problems) => Err(short(problems.to_string())),
    }
}

#[test]
fn columns_are_chosen_and_the_interval_comes_from_either_source() {
    let text = "a\ttime_s\tb\n1\t0.00\t10\n2\t0.72\t20\n3\t1.44\t30\n";
    let (table, warnings) = read(text, &["*"], None).unwrap();
    assert_eq!(table.names, ["a", "b"]);
    assert_eq!(table.rows, [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
    assert_eq!((table.n_frames, table.tr_s, warnings.as_str()), (3, 0.72, ""));
    let (table, _) = read(text, &["b"], Some(0.72)).unwrap();
    assert_eq!((table.names, table.rows, table.tr_s), (vec!["b".to_owned()], vec![10.0, 20.0, 30.0], 0.72));
    let (table, _) = read("1\t2\n3\t4\n", &["*"], Some(0.025)).unwrap();
    assert_eq!(table.names, ["column_1", "column_2"]);
}

#[test]
fn a_table_that_starts_later_says_what_time_zero_is() {
    let (_, warning) = read("time_s\ta\n12.5\t1\n15\t2\n17.5\t3\n", &["*"], None).unwrap();
    insta::assert_snapshot!(warning, @"
    warning[timeseries-start]: `time_s` starts at 12.5 s; its first row counts as time 0, from which onsets are measured
     --> roi.tsv:2, column `time_s`
    ");
}

#[test]
fn mistakes_are_located() {
    insta::assert_snapshot!(read("time_s\ta\n0\t1\n2\t2\n4\t3\n8\t4\n10\t5\n", &["*"], None).unwrap_err(), @"
    error[timeseries-irregular]: `time_s` is not regular: 8 s follows 4 s
     --> roi.tsv:5, column `time_s`
       = note: the median interval is 2 s
       = hint: resample the table to even intervals, or fill in the missing rows
    ");
    insta::assert_snapshot!(read("time_s\ta\n0\t1\n2\t2\n", &["*"], Some(3.0)).unwrap_err(), @"
    error[timeseries-interval]: the stated interval is 3 s, that of `time_s` 2 s
     --> roi.tsv:1
       = note: the table is roi.tsv
       = hint: correct one of them
    ");
    insta::assert_snapshot!(read("a\tb\n1\t2\nn/a\t1e40\n", &["*"], None).unwrap_err(), @"
    error[timeseries-interval]: no sampling interval: no `tr_s` is stated and the table has no column `time_s`
     --> roi.tsv
       = hint: state `tr_s` or `sampling_hz`

    error[timeseries-not-a-number]: there is no value: `n/a`
     --> roi.tsv:3, column `a`
       = note: expected a finite number
       = hint: fill the gap, or choose other `columns`

    error[timeseries-not-a-number]: 1e40 is beyond single precision
     --> roi.tsv:3, column `b`
       = note: expected a finite number
       = hint: fill the gap, or choose other `columns`
    ");
    insta::assert_snapshot!(read("a\n1\n\n2\n", &["*"], Some(1.0)).unwrap_err(), @"
    error[table-blank-line]: empty line between rows
     --> roi.tsv:3
       = note: each row is a frame, so a missing one would shift all that follow
       = hint: fill it or delete it
    ");
    insta::assert_snapshot!(read("a\n1\n2\n", &["*"], Some(-1.0)).unwrap_err(), @"
    error[timeseries-interval]: the sampling interval is -1 s
     --> roi.tsv
       = hint: expected a positive number of seconds
    ");
    insta::assert_snapshot!(read("a\n1\n", &["*"], Some(1.0)).unwrap_err(), @"
    error[timeseries-too-short]: the table has 1 row, expected at least two
     --> roi.tsv
    ");
}

#[test]
fn rows_are_frames() {
    let (table, _) = read("a\tb\n1\t2\n3\t4\n5\t6.5\n", &["*"], Some(1.0)).unwrap();
    let mut source = TableRows::new(Arc::new(table));
    assert_eq!((source.n_values(), source.n_frames()), (2, 3));
    let mut frame = [0.0; 2];
    source.next_frame(&mut frame).unwrap();
    assert_eq!(frame, [1.0, 2.0]);
    source.skip_frame().unwrap();
    source.next_frame(&mut frame).unwrap();
    assert_eq!(frame, [5.0, 6.5]);
    assert_eq!(source.next_frame(&mut frame).unwrap_err().iter().next().unwrap().code, "timeseries-ended");
    assert!(source.skip_frame().is_err());
}

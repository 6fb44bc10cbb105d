//! Real confound and motion tables: read to pandas' numbers, or refused with a located message.
//!
//! `confounds_corpus/expected.tsv` is written by `confounds_corpus/expected.py` from pandas and nilearn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may stop at the first surprise")]

#[path = "support/mod.rs"]
mod support;

use boldly::config::{ConfoundSettings, FirstRowNan, Located, ScrubSettings};
use boldly::error::Diagnostics;
use boldly::inputs::{ConfoundTable, read_confounds};
use std::path::Path;

/// Relative difference of sums: thousands of terms of both signs added in another order.
const SUM_TOLERANCE: f64 = 1e-9;

/// Tables listed.
const TABLES: usize = 33;

/// Scrubbings compared: two of each table with both quality columns.
const SCRUBBED: usize = 18;

fn read(
    path: &Path,
    globs: &[&str],
    scrub: Option<ScrubSettings>,
    n_acquired: usize,
) -> Result<(ConfoundTable, Diagnostics), Diagnostics> {
    let settings = ConfoundSettings {
        columns: globs.iter().map(|glob| Located::unplaced((*glob).to_owned())).collect(),
        strategy: None,
        first_row_nan: FirstRowNan::CopyNext,
        scrub,
    };
    read_confounds(&Located::unplaced(path.to_path_buf()), &settings, n_acquired, 0)
}

#[test]
fn every_table_is_read_to_the_same_numbers_or_refused() {
    let Some(folder) = support::shared_part("data/confounds") else { return };
    let mut tables = 0;
    let mut scrubbed = 0;
    for line in include_str!("confounds_corpus/expected.tsv").lines().skip(1) {
        tables += 1;
        let cells: Vec<&str> = line.split('\t').collect();
        let &[file, rows, verdict, n_columns, sum, kept, kept_strictly] = cells.as_slice() else { panic!("{line}") };
        let path = folder.join(file);
        let rows: usize = rows.parse().unwrap();
        match read(&path, &["*"], None, rows) {
            Ok((table, _)) => {
                assert_eq!(verdict, "read", "{file}");
                assert_eq!(table.columns.len().to_string(), n_columns, "{file}");
                let found: f64 = table.columns.iter().flatten().sum();
                let magnitude: f64 = table.columns.iter().flatten().map(|value| value.abs()).sum();
                let expected: f64 = sum.parse().unwrap();
                assert!((found - expected).abs() <= SUM_TOLERANCE * magnitude, "{file}: {found} not {expected}");
            }
            Err(problems) => {
                let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
                assert!(codes.iter().all(|code| *code == verdict), "{file}: {problems}");
                assert!(problems.iter().all(|problem| problem.place.is_some()), "{file}: {problems}");
            }
        }
        for (expected, fd_mm, std_dvars) in [(kept, 0.5, 1.5), (kept_strictly, 0.2, 1.2)] {
            if expected == "-" {
                continue;
            }
            scrubbed += 1;
            let scrub = ScrubSettings { fd_mm: Some(fd_mm), std_dvars: Some(std_dvars), min_segment: 5 };
            let kept = match read(&path, &[], Some(scrub), rows) {
                Ok((table, _)) => table.kept,
                Err(problems) => {
                    assert_eq!(problems.iter().next().unwrap().code, "confounds-all-censored", "{file}");
                    vec![false; rows]
                }
            };
            let frames: Vec<usize> = (0..rows).filter(|&frame| kept[frame]).collect();
            assert_eq!(format!("{}:{}", frames.len(), frames.iter().sum::<usize>()), expected, "{file}");
        }
        assert!(read(&path, &["*"], None, rows + 1).is_err(), "{file}: a row too few is refused");
    }
    assert_eq!((tables, scrubbed), (TABLES, SCRUBBED));
}

#[test]
fn motion_columns_have_the_same_names_in_every_file() {
    let Some(folder) = support::shared_part("data/confounds") else { return };
    let rotations = |file: &str, rows| read(&folder.join(file), &["rot_*"], None, rows).unwrap().0.columns;
    // bidspm converted the one to the other.
    let (txt, tsv) = (rotations("bidspm/rp.txt", 351), rotations("bidspm/rp.tsv", 351));
    assert_eq!(txt.len(), 3);
    for (a, b) in txt.iter().flatten().zip(tsv.iter().flatten()) {
        // The text file holds 8 significant digits.
        assert!((a - b).abs() <= 1e-7 * b.abs(), "{a} {b}");
    }
}

//! Real sidecars and tables of series: the repetition time that counts, and pandas' numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may stop at the first surprise")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use boldly::config::{Labels, Located, TimeseriesSettings};
use boldly::inputs::{FrameSource, TableRows, read_sidecar, read_timeseries, resolve_tr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What pandas reads from the table.
const N_FRAMES: usize = 250;
const N_COLUMNS: usize = 31;
const SUM: f64 = 7_392_940.805_993_35;

fn data(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("data").join(below);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no {}", path.display());
    None
}

#[test]
fn a_derivative_takes_the_repetition_time_of_the_raw_sidecar() {
    let Some(folder) = data("haxby2001/sub-01/func") else { return };
    let bold = folder.join("sub-01_task-objectviewing_run-01_desc-25mm_bold.nii.gz");
    let (sidecar, warnings) = read_sidecar(&bold).unwrap();
    assert!(warnings.is_empty());
    assert_eq!(resolve_tr(None, None, sidecar.as_ref(), &bold).unwrap().0, 2.5);
    assert!(resolve_tr(None, Some(1.0), sidecar.as_ref(), &bold).is_err());
}

#[test]
fn series_are_those_that_pandas_reads() {
    let Some(path) = data("series_nitime/fmri_timeseries.csv") else { return };
    let settings = TimeseriesSettings {
        labels: Labels::default(),
        table: Located::unplaced(path),
        columns: vec![Located::unplaced("*".to_owned())],
        tr_s: Some(Located::unplaced(1.89)),
        events: None,
        confounds: None,
    };
    let (table, _) = read_timeseries(&settings).unwrap();
    assert_eq!((table.n_frames, table.names.len()), (N_FRAMES, N_COLUMNS));
    assert_eq!((table.names[0].as_str(), table.rows[0]), ("WM", 10125.9));
    let magnitude: f64 = table.rows.iter().map(|value| value.abs()).sum();
    // The order of the sum differs.
    assert!((table.rows.iter().sum::<f64>() - SUM).abs() < 1e-12 * magnitude);
    let last = table.rows[table.rows.len() - 1];
    let mut frames = TableRows::new(Arc::new(table));
    let mut frame = vec![0.0; frames.n_values()];
    for _ in 0..frames.n_frames() {
        frames.next_frame(&mut frame).unwrap();
    }
    assert_eq!(frame[N_COLUMNS - 1], last as f32);
}

//! What several test binaries share: where the reference data are, a scratch project, and the binary.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "each test binary uses its own part"
)]

use ndarray::Array2;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Output;

/// The folder with reference data and outputs: `BOLDLY_TEST_DATA`, else `../shared` beside the package. Says so when
/// there is none.
pub fn shared() -> Option<PathBuf> {
    let folder = shared_root();
    if folder.join("refs").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no reference data at {} (set BOLDLY_TEST_DATA)", folder.display());
    None
}

/// A file or folder among the reference data. Says so when it is not there.
pub fn shared_part(path: &str) -> Option<PathBuf> {
    let part = shared_root().join(path);
    if part.exists() {
        return Some(part);
    }
    eprintln!("skipped: no {}", part.display());
    None
}

/// Numbers of a table, compressed or not; a line with a word that is no number is left out.
pub fn table(path: &Path) -> Array2<f64> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    let number = |line: &str| -> Option<Vec<f64>> { line.split_whitespace().map(|cell| cell.parse().ok()).collect() };
    let rows: Vec<Vec<f64>> = text.lines().filter_map(number).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column])
}

fn shared_root() -> PathBuf {
    std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
}

/// A scratch folder with a pipeline file in it.
pub struct Project {
    pub folder: tempfile::TempDir,
}

impl Project {
    pub fn new(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pipeline.toml"), pipeline).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the binary with these words in the project's folder.
    pub fn boldly(&self, words: &[&str]) -> Output {
        boldly(self.path(), words)
    }

    /// As [`boldly`](Self::boldly); must succeed.
    pub fn succeed(&self, words: &[&str]) -> Output {
        let output = self.boldly(words);
        assert!(output.status.success(), "boldly {words:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

/// Runs the binary with these words in this folder.
pub fn boldly(folder: &Path, words: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_boldly")).args(words).current_dir(folder).output().unwrap()
}

/// All values of an image, volume by volume.
pub fn image(path: &Path) -> Vec<f64> {
    let (_, values, _) = boldly::inputs::read_frames_f64(path).unwrap_or_else(|problems| panic!("{problems}"));
    values
}

//! Two results side by side: maps, tables, sidecars or whole folders, number by number within a tolerance.
//!
//! The check of a pipeline against stored results: says which file, which voxel or cell, and how far.

mod folders;
mod images;
mod json;
mod maps;
mod rendering;
mod tables;
mod tally;

pub use tally::{Place, Tolerance, Worst};

use crate::error::{self, Diagnostic, Diagnostics};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What two paths have in common, and what not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// One side.
    pub a: PathBuf,
    /// The other.
    pub b: PathBuf,
    /// What counts as equal.
    pub tolerance: Tolerance,
    /// Files on both sides, by name.
    pub files: Vec<FileComparison>,
    /// Files on one side.
    pub only_in_a: Vec<String>,
    /// Files on the other.
    pub only_in_b: Vec<String>,
}

/// One file on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileComparison {
    /// Its name below the folders compared.
    pub name: String,
    /// How many values were compared: voxels, cells, entries, or bytes.
    pub n_values: usize,
    /// The difference; `None`: equal within the tolerance.
    pub difference: Option<Difference>,
}

/// How two files differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// Values are farther apart than the tolerance allows.
    Values {
        /// How many.
        n_different: usize,
        /// The one farthest beyond the tolerance.
        worst: Worst,
    },
    /// The two cannot be compared value by value: grids, numbers of volumes, columns or rows differ.
    Shape {
        /// What: `grids`, `numbers of volumes`, `statistics`, `columns`, `numbers of rows`.
        what: &'static str,
        /// Of one.
        a: String,
        /// Of the other.
        b: String,
    },
}

impl Comparison {
    /// Whether no file differs and none is on one side alone.
    pub fn is_equal(&self) -> bool {
        self.only_in_a.is_empty() && self.only_in_b.is_empty() && self.n_different() == 0
    }

    /// How many of the files on both sides differ.
    pub fn n_different(&self) -> usize {
        self.files.iter().filter(|file| file.difference.is_some()).count()
    }
}

/// Compares two files of one kind (images, tables, JSON; anything else byte by byte), or two folders file by file.
///
/// In JSON, digests and sizes of outputs and versions of programs are passed over: they name bytes, which may
/// differ where numbers are equal within the tolerance.
///
/// # Errors
/// A path that is not there or cannot be read, a file beside a folder, kinds that differ, nothing to compare, a
/// tolerance below zero. All unreadable files are reported together.
pub fn compare(a: &Path, b: &Path, tolerance: Tolerance) -> Result<Comparison, Diagnostics> {
    let mut problems = Diagnostics::new();
    for (name, value) in [("absolute", tolerance.atol), ("relative", tolerance.rtol)] {
        if value.is_nan() || value < 0.0 {
            let message = format!("the {name} tolerance is {value}");
            problems.push(Diagnostic::error("compare-tolerance", message).note("expected: zero or more"));
        }
    }
    for path in [a, b] {
        if let Err(error) = std::fs::metadata(path) {
            problems.push(unreadable(path, &error.to_string()));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut comparison = Comparison {
        a: a.to_path_buf(),
        b: b.to_path_buf(),
        tolerance,
        files: Vec::new(),
        only_in_a: Vec::new(),
        only_in_b: Vec::new(),
    };
    match (a.is_dir(), b.is_dir()) {
        (true, true) => folders::compare_folders(&mut comparison)?,
        (false, false) => {
            let name = a.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            comparison.files.push(compare_files(name, a, b, tolerance)?);
        }
        (a_is_folder, _) => {
            let (folder, file) = if a_is_folder { (a, b) } else { (b, a) };
            let message = format!("`{}` is a folder and `{}` a file", folder.display(), file.display());
            return Err(Diagnostic::error("compare-kinds", message).hint("compare two files, or two folders").into());
        }
    }
    Ok(comparison)
}

/// What a file's name says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Image,
    Table,
    Json,
    Bytes,
}

impl Kind {
    fn of(path: &Path) -> Self {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_ascii_lowercase());
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        match plain.rsplit_once('.').map(|(_, ending)| ending) {
            Some("nii" | "hdr" | "img") => Self::Image,
            Some("tsv" | "csv") => Self::Table,
            Some("json") if plain == name => Self::Json,
            _ => Self::Bytes,
        }
    }
}

fn compare_files(name: String, a: &Path, b: &Path, tolerance: Tolerance) -> Result<FileComparison, Diagnostics> {
    let (n_values, difference) = match (Kind::of(a), Kind::of(b)) {
        (Kind::Image, Kind::Image) => maps::compare_images(a, b, tolerance)?,
        (Kind::Table, Kind::Table) => tables::compare_tables(a, b, tolerance)?,
        (Kind::Json, Kind::Json) => json::compare_json(a, b, tolerance)?,
        (Kind::Bytes, Kind::Bytes) => folders::compare_bytes(a, b)?,
        _ => {
            let message = format!("`{}` and `{}` are files of different kinds", a.display(), b.display());
            return Err(Diagnostic::error("compare-kinds", message)
                .hint("compare two images, two tables or two JSON files")
                .into());
        }
    };
    Ok(FileComparison { name, n_values, difference })
}

fn unreadable(path: &Path, reason: &str) -> Diagnostic {
    Diagnostic::error("compare-unreadable", format!("cannot read `{}`: {reason}", path.display()))
        .at(error::Place::file(path))
}

/// Runs `read` on both sides and reports the problems of both.
fn both<T>(a: &Path, b: &Path, mut read: impl FnMut(&Path) -> Result<T, Diagnostics>) -> Result<(T, T), Diagnostics> {
    match (read(a), read(b)) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            Err(problems)
        }
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
    }
}

#[cfg(test)]
mod tests;

//! The folder a simulation is written to: each file whole or not at all, and what to remove when one fails.

use super::SimulationReport;
use super::image::{temporary_path, write_error};
use crate::error::{Diagnostic, Diagnostics, Place};
use std::io;
use std::path::{Path, PathBuf};

/// The folder a dataset is written to.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    root: &'a Path,
    /// Folders made below the root, outer ones first.
    made: Vec<PathBuf>,
    /// What has been written, relative to the root, in order.
    pub(super) report: SimulationReport,
}

impl<'a> Folder<'a> {
    /// Opens a folder for a new dataset: none of the entries `taken` may be there.
    ///
    /// # Errors
    /// One of them is.
    pub(super) fn open(root: &'a Path, taken: &[&str]) -> Result<Self, Diagnostics> {
        if let Some(there) = taken.iter().map(|name| root.join(name)).find(|path| path.exists()) {
            return Err(Diagnostic::error("simulation-output-exists", "the output folder already holds a dataset")
                .at(Place::file(&there))
                .hint("name a new folder, or remove the old dataset first")
                .into());
        }
        Ok(Self { root, made: Vec::new(), report: SimulationReport::default() })
    }

    /// Makes a folder below the root, and those on the way to it.
    pub(super) fn make_folder(&mut self, relative: &Path) -> Result<(), Diagnostics> {
        let path = self.root.join(relative);
        std::fs::create_dir_all(&path).map_err(|error| write_error(&path, &error))?;
        let mut on_the_way: Vec<PathBuf> =
            relative.ancestors().filter(|part| !part.as_os_str().is_empty()).map(Path::to_path_buf).collect();
        on_the_way.reverse();
        self.made.extend(on_the_way.into_iter().filter(|part| !self.made.contains(part)).collect::<Vec<_>>());
        Ok(())
    }

    /// Notes a file and gives its path.
    pub(super) fn place(&mut self, relative: PathBuf) -> PathBuf {
        let path = self.root.join(&relative);
        self.report.files.push(relative);
        path
    }

    /// Writes a text.
    pub(super) fn write_text(&mut self, relative: PathBuf, text: &str) -> Result<(), Diagnostics> {
        let path = self.place(relative);
        let temporary = temporary_path(&path);
        std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &path)).map_err(|error| {
            let _ = std::fs::remove_file(&temporary);
            write_error(&path, &error)
        })
    }

    /// Writes a value as JSON.
    pub(super) fn write_json(&mut self, relative: PathBuf, value: &serde_json::Value) -> Result<(), Diagnostics> {
        self.write_text(relative, &format!("{value:#}\n"))
    }

    /// What describes the dataset as a whole, written last: where it is, the dataset is complete.
    pub(super) fn write_description(&mut self, name: &str) -> Result<(), Diagnostics> {
        let description = serde_json::json!({
            "Name": name,
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "GeneratedBy": [{ "Name": "boldly", "Description": "boldly simulate: made data with known truth" }],
            "License": "CC0",
        });
        self.write_json("dataset_description.json".into(), &description)
    }

    /// The report of a dataset that is complete; what an unfinished one has left is removed, so that the next finds an
    /// empty folder.
    pub(super) fn finish(self, written: Result<(), Diagnostics>) -> Result<SimulationReport, Diagnostics> {
        let Err(mut problems) = written else { return Ok(self.report) };
        if let Err(error) = self.remove_written() {
            problems.extend(write_error(self.root, &error));
        }
        Err(problems)
    }

    fn remove_written(&self) -> io::Result<()> {
        for file in &self.report.files {
            match std::fs::remove_file(self.root.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.made.iter().rev().try_for_each(|folder| std::fs::remove_dir(self.root.join(folder)))
    }
}

/// Columns as a table; `header` names them.
pub(super) fn table(header: &[&str], columns: &[&[f64]], decimals: &[usize]) -> String {
    let mut text = format!("{}\n", header.join("\t"));
    for row in 0..columns.first().map_or(0, |column| column.len()) {
        let cells: Vec<String> =
            columns.iter().zip(decimals).map(|(column, &decimals)| format!("{:.decimals$}", column[row])).collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}

/// The same with a first column of times, seconds.
pub(super) fn timed_table(
    names: &[&str],
    times_s: &[f64],
    time_decimals: usize,
    columns: &[Vec<f64>],
    decimals: usize,
) -> String {
    let header: Vec<&str> = std::iter::once("time_s").chain(names.iter().copied()).collect();
    let all: Vec<&[f64]> = std::iter::once(times_s).chain(columns.iter().map(Vec::as_slice)).collect();
    let decimals: Vec<usize> =
        std::iter::once(time_decimals).chain(std::iter::repeat_n(decimals, columns.len())).collect();
    table(&header, &all, &decimals)
}

//! A run: its image and all that belongs to it.

use super::companion::Companion;
use super::dataset::BidsDataset;
use super::file::{BidsFile, Origin};
use super::inheritance::present;
use super::name::compare_labels;
use crate::error::Diagnostics;
use std::cmp::Ordering;
use std::path::PathBuf;

/// A run of a subject that a selection matched. Paths are as the roots were given.
#[derive(Debug, Clone, PartialEq)]
pub struct BidsRun {
    /// The image, as the dataset knows it; its entities are `file.name.entities()`.
    pub file: BidsFile,
    /// Label of the subject, without `sub-`.
    pub subject: String,
    /// Label of the session.
    pub session: Option<String>,
    /// Label of the task.
    pub task: Option<String>,
    /// Label of the run as it is written: `01` stays `01`.
    pub run: Option<String>,
    /// Label of the space.
    pub space: Option<String>,
    /// The image: its content was there when the run was matched.
    pub bold: PathBuf,
    /// The events.
    pub events: Companion,
    /// The confound table.
    pub confounds: Companion,
    /// The brain mask.
    pub mask: Companion,
    /// JSON sidecars of the image in its own root, from the root down.
    pub sidecars: Vec<PathBuf>,
    /// JSON sidecars of the raw image it was made from; the same as `sidecars` for a raw image.
    pub raw_sidecars: Vec<PathBuf>,
}

impl BidsRun {
    /// Whether the image is raw or of a derivative.
    pub fn origin(&self) -> Origin {
        self.file.folder.origin
    }

    /// The label of any entity of the image.
    pub fn entity(&self, key: &str) -> Option<&str> {
        self.file.name.get(key)
    }
}

/// The order of the runs of a subject: session, task, run by number, then name.
pub(super) fn compare_runs(a: &BidsFile, b: &BidsFile) -> Ordering {
    let label = |key: &str| match (a.name.get(key), b.name.get(key)) {
        (Some(a), Some(b)) => compare_labels(a, b),
        (a, b) => a.cmp(&b),
    };
    ["ses", "task", "run"]
        .into_iter()
        .map(label)
        .fold(Ordering::Equal, Ordering::then)
        .then_with(|| a.name.as_str().cmp(b.name.as_str()))
}

impl BidsDataset {
    /// The run of an image, with all that belongs to it.
    ///
    /// # Errors
    /// The image is not there, or two sidecars apply at one level.
    pub fn run_of(&self, bold: &BidsFile) -> Result<BidsRun, Diagnostics> {
        let mut problems = Diagnostics::new();
        problems.collect(present(bold));
        let paths = |files: Vec<&BidsFile>| -> Vec<PathBuf> { files.into_iter().map(BidsFile::path).collect() };
        let sidecars = problems.collect(self.sidecars(bold)).map_or_else(Vec::new, paths);
        let raw_sidecars = if bold.folder.origin == Origin::Raw {
            sidecars.clone()
        } else {
            problems.collect(self.raw_sidecars(bold)).map_or_else(Vec::new, paths)
        };
        let label = |key: &str| bold.name.get(key).map(str::to_owned);
        let run = BidsRun {
            file: bold.clone(),
            subject: label("sub").unwrap_or_default(),
            session: label("ses"),
            task: label("task"),
            run: label("run"),
            space: label("space"),
            bold: bold.path(),
            events: self.events_of(bold),
            confounds: self.confounds_of(bold),
            mask: self.mask_of(bold),
            sidecars,
            raw_sidecars,
        };
        problems.finish(run).map(|(run, _)| run)
    }
}

//! Staged outputs: written aside, then put in place all together.
//!
//! The order of a commit, each step on disk before the next:
//!
//! 1. every staged file is complete;
//! 2. a journal names all files that may stand in the folder from here on, old and new;
//! 3. the old manifest goes, so that no digest is claimed for a file about to change, and with it the provenance
//!    of the dataset, which repeats those digests, and the reports, which repeat its numbers;
//! 4. the files are renamed into place, one by one;
//! 5. files that only the old manifest (or the journal of an interrupted commit) lists are removed;
//! 6. the new manifest is put in place;
//! 7. the journal goes.
//!
//! Stopped anywhere, each file under a final name is whole, old or new, and each digest in a manifest holds. A
//! subject stopped between 3 and 6 has no manifest and is done again; the journal then still knows what is stale.

use super::durable::{put_in_place, remove_file, remove_output, sync_folder};
use super::manifest::withdraw;
use super::staged_file::{Records, StagedFile};
use super::{
    Manifest, ManifestKey, OutputError, OutputFolder, OutputLock, OutputRecord, RelativePath, SavedWarning, Unit,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where the provenance of the dataset stands.
pub(super) const PROVENANCE: &str = "provenance.json";

/// The outputs of one subject on their way; dropped without [`commit`](Self::commit), nothing was written.
#[derive(Debug)]
pub struct StagedOutputs {
    lock: OutputLock,
    scratch: PathBuf,
    records: Records,
    warnings: Vec<SavedWarning>,
}

impl StagedOutputs {
    /// Begins to stage the outputs of what `lock` locks, in a folder of their own on the same file system.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn new(lock: OutputLock) -> Result<Self, OutputError> {
        let scratch = lock.folder().scratch().join(format!("{}.{}", lock.unit(), std::process::id()));
        fs::create_dir(&scratch).map_err(OutputError::machine("create", &scratch))?;
        Ok(Self { lock, scratch, records: Records::default(), warnings: Vec::new() })
    }

    /// A folder on the file system of the outputs that goes with them: for what is too large for memory.
    pub fn scratch_folder(&self) -> &Path {
        &self.scratch
    }

    /// Begins an output; it counts once [`StagedFile::finish`] has returned.
    ///
    /// # Errors
    /// [`OutputError::Collision`] for a name that is taken, ignoring case; the file cannot be created.
    pub fn create(&self, path: &RelativePath) -> Result<StagedFile, OutputError> {
        StagedFile::create(&self.scratch, self.lock.folder().root(), path, &self.records)
    }

    /// Stages an output whole.
    ///
    /// # Errors
    /// As [`create`](Self::create), or what `content` gives.
    pub fn write<E: Into<OutputError>>(
        &self,
        path: &RelativePath,
        content: impl FnOnce(&mut StagedFile) -> Result<(), E>,
    ) -> Result<(), OutputError> {
        let mut file = self.create(path)?;
        content(&mut file).map_err(Into::into)?;
        file.finish()
    }

    /// Stages a value as indented JSON.
    ///
    /// # Errors
    /// As [`create`](Self::create); the value cannot be said in JSON.
    pub fn write_json(&self, path: &RelativePath, value: &impl Serialize) -> Result<(), OutputError> {
        self.write(path, |file| -> io::Result<()> {
            serde_json::to_writer_pretty(&mut *file, value)?;
            file.write_all(b"\n")
        })
    }

    /// Notes what was odd about the work, for reports.
    pub fn note_warnings(&mut self, warnings: Vec<SavedWarning>) {
        self.warnings = warnings;
    }

    /// Puts all outputs in place, removes those that only the subject's last manifest lists, and signs the new
    /// manifest; see the module for what an interruption leaves.
    ///
    /// # Errors
    /// [`OutputError::Unfinished`], before anything has changed; [`OutputError::Machine`] at any step.
    pub fn commit(mut self, key: ManifestKey) -> Result<Manifest, OutputError> {
        let staged = self.records.finished()?;
        let outputs: BTreeMap<RelativePath, OutputRecord> =
            staged.iter().map(|(path, (_, record))| (path.clone(), *record)).collect();
        let folder = self.lock.folder().clone();
        let root = folder.root();
        let note = self.scratch.join("note");
        sync_folder(&self.scratch)?;

        let unchanged = Manifest::load(&folder, self.lock.unit())?.is_some_and(|manifest| manifest.outputs == outputs);
        let listed = withdraw(&self.lock, &note, outputs.keys().cloned())?;
        if !unchanged && let Unit::Subject(label) = self.lock.unit() {
            withdraw_followers(&folder, label)?;
        }
        let mut touched = BTreeSet::new();
        for (path, (staged, _)) in &staged {
            put_in_place(staged, root, path)?;
            touched.extend(path.below(root).parent().map(PathBuf::from));
        }
        touched.iter().try_for_each(|folder| sync_folder(folder))?;
        for path in listed.iter().filter(|path| !outputs.contains_key(*path)) {
            remove_stale(&folder, path, &outputs)?;
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let manifest = Manifest { version, key, warnings: std::mem::take(&mut self.warnings), outputs };
        manifest.publish(&self.lock, &note)?;
        Ok(manifest)
    }
}

/// Removes a file that is no longer an output, unless it is one under a name that differs in case alone on a
/// machine that ignores case.
fn remove_stale(
    folder: &OutputFolder,
    path: &RelativePath,
    outputs: &BTreeMap<RelativePath, OutputRecord>,
) -> Result<(), OutputError> {
    let root = folder.root();
    let twin = outputs.keys().find(|output| output.as_str().eq_ignore_ascii_case(path.as_str()));
    let same_file = |twin: &RelativePath| match (path.below(root).canonicalize(), twin.below(root).canonicalize()) {
        (Ok(stale), Ok(kept)) => stale == kept,
        _ => true,
    };
    if twin.is_some_and(same_file) { Ok(()) } else { remove_output(root, path) }
}

/// Takes back what repeats a subject's outputs, before they change: the dataset's provenance with its digests, and the
/// reports with its numbers.
fn withdraw_followers(folder: &OutputFolder, subject: &str) -> Result<(), OutputError> {
    let followers = [
        (Unit::Dataset, PROVENANCE.to_owned()),
        (Unit::SubjectReport(subject.to_owned()), format!("sub-{subject}_report.html")),
        (Unit::DatasetReport, "report.html".to_owned()),
    ];
    for (unit, name) in followers {
        let file = folder.root().join(name);
        if !file.exists() && !folder.manifest_file(&unit).exists() {
            continue;
        }
        let lock = OutputLock::wait_for(folder, unit)?;
        let note = folder.scratch().join(format!("{}.note", lock.unit()));
        withdraw(&lock, &note, std::iter::empty())?;
        if remove_file(&file)? {
            sync_folder(folder.root())?;
        }
    }
    Ok(())
}

impl Drop for StagedOutputs {
    fn drop(&mut self) {
        // a folder that cannot be removed now is removed by whoever next locks the subject
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

#[cfg(test)]
mod tests;

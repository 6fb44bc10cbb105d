//! Which subjects the pipeline of a folder names, so that also those whom no run was asked for are known: `.boldly/subjects.json`.

use super::durable::{read_json, write_atomically};
use super::{OutputError, OutputFolder, OutputLock};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

impl OutputFolder {
    /// Notes all subjects that the pipeline names, by their labels; those noted before are forgotten.
    ///
    /// # Errors
    /// The note cannot be read or written.
    pub fn note_subjects(&self, labels: &BTreeSet<String>) -> Result<(), OutputError> {
        if self.named_subjects()? == *labels {
            return Ok(()); // so tasks on a cluster do not wait for each other
        }
        let _lock = OutputLock::acquire_dataset(self)?;
        let text = serde_json::to_vec_pretty(labels).map_err(io::Error::from)?;
        let staged = self.scratch().join(format!("dataset.subjects.{}", std::process::id()));
        write_atomically(&staged, &self.subjects_file(), &text)
    }

    /// The subjects that the pipeline names; none where no run has noted them.
    pub(super) fn named_subjects(&self) -> Result<BTreeSet<String>, OutputError> {
        Ok(read_json(&self.subjects_file())?.unwrap_or_default())
    }

    pub(super) fn subjects_file(&self) -> PathBuf {
        self.state().join("subjects.json")
    }
}

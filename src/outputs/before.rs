//! What a folder was before work was handed on, for the case that no one takes it.

use super::durable::read_json;
use super::{OutputError, OutputFolder, SubjectNote, Unit};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The notes in a folder, and which folders were not there.
#[derive(Debug)]
pub struct FolderBefore {
    folder: OutputFolder,
    /// Whether boldly had been there.
    was_ours: bool,
    /// Folders that were not there, the deepest first.
    missing: Vec<PathBuf>,
    notes: BTreeMap<String, Option<SubjectNote>>,
    logs: PathBuf,
    had_logs: bool,
}

impl FolderBefore {
    /// Looks at a folder, at the notes of these subjects, and whether the folder `logs` is there; changes nothing.
    ///
    /// # Errors
    /// A note cannot be read.
    pub fn look(dir: &Path, logs: &Path, subjects: &[String]) -> Result<Self, OutputError> {
        let folder = OutputFolder::at(dir);
        let mut notes = BTreeMap::new();
        for subject in subjects {
            notes.insert(subject.clone(), read_json(&folder.state_file(&Unit::subject(subject)?))?);
        }
        let missing = dir.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        Ok(Self {
            was_ours: folder.state().exists(),
            missing: missing.map(Path::to_path_buf).collect(),
            notes,
            logs: logs.to_path_buf(),
            had_logs: logs.exists(),
            folder,
        })
    }

    /// Puts the notes back, and removes what was made since. Where another process writes results by now, its folder stays.
    ///
    /// # Errors
    /// A note cannot be written, or the folder not be removed.
    pub fn restore(&self) -> Result<(), OutputError> {
        for (subject, note) in &self.notes {
            match note {
                Some(note) => self.folder.note_state(subject, note)?,
                None => self.folder.clear_state(subject)?,
            }
        }
        if !self.had_logs {
            let _ = fs::remove_dir(&self.logs); // with logs in it, it is in use
        }
        if self.was_ours || self.is_used() {
            return Ok(());
        }
        let state = self.folder.state();
        fs::remove_dir_all(&state).map_err(OutputError::machine("remove", &state))?;
        for folder in &self.missing {
            if fs::remove_dir(folder).is_err() {
                break; // another put something there
            }
        }
        Ok(())
    }

    /// Whether a subject is, or was, being analysed here.
    fn is_used(&self) -> bool {
        let is_subject =
            |path: PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sub-"));
        let any = |name: &str| {
            let entries = fs::read_dir(self.folder.state().join(name));
            entries.is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| is_subject(entry.path()))))
        };
        ["locks", "manifests", "states"].into_iter().any(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::open_output_folder;

    fn noted(dir: &Path, subject: &str, note: &SubjectNote) {
        open_output_folder(dir).unwrap().note_state(subject, note).unwrap();
    }

    #[test]
    fn folders_that_were_not_there_are_gone_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        let before = FolderBefore::look(&dir, &dir.join(".boldly/slurm"), &["01".to_owned()]).unwrap();
        noted(&dir, "01", &SubjectNote::Waiting);
        fs::create_dir(dir.join(".boldly/slurm")).unwrap();
        before.restore().unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn notes_are_put_back_and_what_others_began_stays() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("results");
        let subjects = ["01".to_owned(), "02".to_owned()];
        let logs = dir.join(".boldly/slurm");
        let failed = SubjectNote::Failed(vec!["no events".to_owned()]);
        noted(&dir, "01", &failed);
        let before = FolderBefore::look(&dir, &logs, &subjects).unwrap();
        noted(&dir, "01", &SubjectNote::Waiting);
        noted(&dir, "02", &SubjectNote::Waiting);
        before.restore().unwrap();
        let again = FolderBefore::look(&dir, &logs, &subjects).unwrap();
        assert_eq!(again.notes, [("01".to_owned(), Some(failed)), ("02".to_owned(), None)].into());
        let new = root.path().join("new");
        let before = FolderBefore::look(&new, &logs, &["01".to_owned()]).unwrap();
        noted(&new, "01", &SubjectNote::Waiting);
        noted(&new, "07", &SubjectNote::Running);
        before.restore().unwrap();
        assert!(new.exists(), "another process analyses sub-07");
    }
}

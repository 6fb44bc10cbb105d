//! How far each subject is, for whoever asks while work goes on: `.boldly/states/sub-XX.json`.
//!
//! A state is a note beside the results and no part of them: the manifest alone vouches for those. Whether a subject that is
//! noted as running still runs is what its lock says, so that one whose process was killed is seen as interrupted.

use super::durable::{read_json, remove_file, write_atomically};
use super::{Manifest, OutputError, OutputFolder, OutputLock, Unit};
use crate::error::{Diagnostics, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

/// What is noted of a subject that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectNote {
    /// Its turn has not come.
    Waiting,
    /// It is being analysed.
    Running,
    /// It was asked to stop.
    Interrupted,
    /// It was not analysed, for these reasons.
    Failed(Vec<String>),
}

impl SubjectNote {
    /// Failed for the errors among these problems.
    pub fn failed(problems: &Diagnostics) -> Self {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        Self::Failed(errors.map(ToString::to_string).collect())
    }
}

/// How far a subject is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectState {
    /// Its results are complete.
    Done {
        /// Files written.
        n_files: usize,
    },
    /// It is being analysed.
    Running,
    /// Its turn has not come.
    Waiting,
    /// The pipeline names it, and no run was asked for it.
    NotStarted,
    /// Its process ended before it was done; nothing of it is half-written, and the next run does it again.
    Interrupted,
    /// It was not analysed, for these reasons; results of an earlier run may stand.
    Failed(Vec<String>),
}

impl SubjectState {
    /// The state in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::NotStarted => "not started",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }

    /// The first line of each reason why it failed.
    pub fn reasons_in_short(&self) -> Vec<&str> {
        let reasons = if let Self::Failed(reasons) = self { reasons.as_slice() } else { &[] };
        reasons.iter().filter_map(|reason| reason.lines().next()).collect()
    }
}

impl OutputFolder {
    /// Notes how far a subject is.
    ///
    /// # Errors
    /// The note cannot be written; [`OutputError::Name`] for a label that is not `[A-Za-z0-9]+`.
    pub fn note_state(&self, subject: &str, note: &SubjectNote) -> Result<(), OutputError> {
        let unit = Unit::subject(subject)?;
        let text = serde_json::to_vec_pretty(note).map_err(io::Error::from)?;
        let staged = self.scratch().join(format!("{unit}.state.{}", std::process::id()));
        write_atomically(&staged, &self.state_file(&unit), &text)
    }

    /// Takes the note of a subject back: it is done.
    ///
    /// # Errors
    /// The note cannot be removed.
    pub fn clear_state(&self, subject: &str) -> Result<(), OutputError> {
        remove_file(&self.state_file(&Unit::subject(subject)?)).map(|_| ())
    }

    /// How far every subject is that has results or a note, or that the pipeline names, by label.
    ///
    /// # Errors
    /// A manifest or a note cannot be read.
    pub fn subject_states(&self) -> Result<BTreeMap<String, SubjectState>, OutputError> {
        self.states_beside(&Manifest::load_subjects(self)?)
    }

    /// The same where the manifests are at hand.
    ///
    /// # Errors
    /// A note cannot be read.
    pub fn states_beside(
        &self,
        finished: &BTreeMap<Unit, Manifest>,
    ) -> Result<BTreeMap<String, SubjectState>, OutputError> {
        let mut states = BTreeMap::new();
        for (unit, manifest) in finished {
            if let Unit::Subject(label) = unit {
                states.insert(label.clone(), SubjectState::Done { n_files: manifest.outputs.len() });
            }
        }
        let path = self.states();
        for entry in fs::read_dir(&path).map_err(OutputError::machine("read", &path))? {
            let name = entry.map_err(OutputError::machine("read", &path))?.file_name();
            let label = name.to_str().and_then(|name| name.strip_prefix("sub-")?.strip_suffix(".json"));
            let Some(label) = label else { continue };
            let Some(state) = self.noted_state(label)? else { continue };
            // done by an earlier run, and not yet looked at by this one
            if state == SubjectState::Waiting && states.contains_key(label) {
                continue;
            }
            states.insert(label.to_owned(), state);
        }
        for label in self.named_subjects()? {
            states.entry(label).or_insert(SubjectState::NotStarted);
        }
        Ok(states)
    }

    /// How far a subject is by its note; `None`: it has none, as one whose last run was done.
    ///
    /// # Errors
    /// The note cannot be read; [`OutputError::Name`] for a label that is not `[A-Za-z0-9]+`.
    pub fn noted_state(&self, subject: &str) -> Result<Option<SubjectState>, OutputError> {
        let Some(note) = self.note(&Unit::subject(subject)?)? else { return Ok(None) };
        Ok(Some(match note {
            SubjectNote::Waiting => SubjectState::Waiting,
            SubjectNote::Failed(reasons) => SubjectState::Failed(reasons),
            SubjectNote::Running if OutputLock::is_held(self, subject)? => SubjectState::Running,
            SubjectNote::Running | SubjectNote::Interrupted => SubjectState::Interrupted,
        }))
    }

    /// `None`: it was taken back since the folder was listed.
    fn note(&self, unit: &Unit) -> Result<Option<SubjectNote>, OutputError> {
        read_json(&self.state_file(unit))
    }

    fn states(&self) -> PathBuf {
        self.state().join("states")
    }

    pub(super) fn state_file(&self, unit: &Unit) -> PathBuf {
        self.states().join(format!("{unit}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_that_says_it_runs_is_believed_while_its_lock_is_held() {
        let root = tempfile::tempdir().unwrap();
        let folder = super::super::open_output_folder(root.path()).unwrap();
        for label in ["01", "02", "03", "04"] {
            folder.note_state(label, &SubjectNote::Waiting).unwrap();
        }
        folder.note_state("02", &SubjectNote::Running).unwrap();
        folder.note_state("03", &SubjectNote::Running).unwrap();
        folder.note_state("04", &SubjectNote::Failed(vec!["no events".to_owned()])).unwrap();
        let lock = OutputLock::acquire(&folder, "02").unwrap();
        let states: Vec<SubjectState> = folder.subject_states().unwrap().into_values().collect();
        let failed = SubjectState::Failed(vec!["no events".to_owned()]);
        let expected = [SubjectState::Waiting, SubjectState::Running, SubjectState::Interrupted, failed];
        assert_eq!(states, expected);
        drop(lock);
        assert_eq!(folder.subject_states().unwrap()["02"], SubjectState::Interrupted);
        folder.clear_state("02").unwrap();
        folder.clear_state("02").unwrap();
        assert!(!folder.subject_states().unwrap().contains_key("02"));
        let named = ["01", "02", "05"].map(str::to_owned).into();
        folder.note_subjects(&named).unwrap();
        let states = folder.subject_states().unwrap();
        assert_eq!([&states["01"], &states["05"]], [&SubjectState::Waiting, &SubjectState::NotStarted]);
    }
}

//! What is saved of a subject: its outputs, sorted by model and run, and read as the manifest vouches for them.

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::{self, Digest, Grid, Table, TableHeader};
use crate::outputs::{Manifest, OutputFolder, OutputRecord, RelativePath};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

/// Keys that say which run a file is of; others say what it holds.
const LABELS: [&str; 6] = ["sub", "ses", "task", "run", "space", "res"];

/// An output, by what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SavedFile {
    /// Where it is.
    pub(super) path: RelativePath,
    /// The folder of its model.
    pub(super) model: String,
    /// The run it is of.
    pub(super) level: Level,
    /// What it holds: `contrast`, `stat`, `desc`, `label`.
    entities: BTreeMap<String, String>,
    /// The end of its name: `statmap.nii.gz`.
    pub(super) suffix: String,
}

/// Labels of a run, or of what several runs have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level {
    /// All labels but the run's, as in the name: `sub-01_task-objects`.
    group: Vec<(usize, String)>,
    /// The run's.
    pub(super) run: Option<String>,
}

impl Level {
    /// As messages call it: `task-objects run-01`; empty where there is nothing but the subject.
    pub(super) fn name(&self) -> String {
        let mut labels = self.group.clone();
        labels.extend(self.run.clone().map(|run| (3, run)));
        labels.sort_by_key(|(key, _)| *key);
        let of_run = labels.iter().filter(|(key, _)| *key > 0);
        of_run.map(|(key, label)| format!("{}-{label}", LABELS[*key])).collect::<Vec<_>>().join(" ")
    }

    /// Whether both are runs of one group, or the group itself.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.group == other.group
    }
}

impl SavedFile {
    /// `None` for a file that is of no model and subject.
    fn of(path: &RelativePath) -> Option<Self> {
        let parts: Vec<&str> = path.parts().collect();
        let (model, name) = (parts.first()?, parts.last().filter(|_| parts.len() > 2)?);
        let mut words: Vec<&str> = name.split('_').collect();
        let suffix = words.pop()?.to_owned();
        let (mut level, mut entities) = (Level::default(), BTreeMap::new());
        for word in words {
            let (key, label) = word.split_once('-')?;
            match LABELS.iter().position(|known| *known == key) {
                Some(3) => level.run = Some(label.to_owned()),
                Some(at) => level.group.push((at, label.to_owned())),
                None => drop(entities.insert(key.to_owned(), label.to_owned())),
            }
        }
        Some(Self { path: path.clone(), model: (*model).to_owned(), level, entities, suffix })
    }

    /// The label of an entity: `entity("contrast")`.
    pub(super) fn entity(&self, key: &str) -> Option<&str> {
        self.entities.get(key).map(String::as_str)
    }

    /// Whether its name ends like this and holds exactly these entities.
    pub(super) fn is(&self, suffix: &str, entities: &[(&str, &str)]) -> bool {
        self.suffix == suffix
            && self.entities.len() == entities.len()
            && entities.iter().all(|(key, label)| self.entity(key) == Some(label))
    }

    /// Its name without the folders.
    pub(super) fn name(&self) -> &str {
        self.path.parts().next_back().unwrap_or_default()
    }
}

/// An image of one volume.
#[derive(Debug, Clone)]
pub(super) struct Volume {
    /// Its grid.
    pub(super) grid: Grid,
    /// A value a voxel, axis 0 fastest.
    pub(super) values: Vec<f32>,
}

/// The saved outputs of one subject. What cannot be read is noted, and the rest of the report is made without it.
pub(super) struct Saved<'a> {
    folder: &'a OutputFolder,
    /// What was written, from what.
    pub(super) manifest: &'a Manifest,
    /// The outputs in the order of their paths.
    pub(super) files: Vec<SavedFile>,
    problems: Mutex<Diagnostics>,
}

impl<'a> Saved<'a> {
    /// Sorts the outputs of a manifest; those that are not there any more, or not whole, are noted.
    pub(super) fn new(folder: &'a OutputFolder, manifest: &'a Manifest) -> Self {
        let mut problems = Diagnostics::new();
        let mut files = Vec::new();
        for (path, record) in &manifest.outputs {
            let place = path.below(folder.root());
            match std::fs::symlink_metadata(&place) {
                Ok(found) if found.is_file() && found.len() == record.bytes => files.extend(SavedFile::of(path)),
                Ok(_) => problems.push(altered(place)),
                Err(_) => problems.push(missing(place)),
            }
        }
        Self { folder, manifest, files, problems: Mutex::new(problems) }
    }

    /// The same outputs, with notes apart from those here, for work beside other work.
    pub(super) fn apart(&self) -> Self {
        let Self { folder, manifest, .. } = *self;
        Self { folder, manifest, files: self.files.clone(), problems: Mutex::default() }
    }

    /// Names of the models, each once, in the order of their folders.
    pub(super) fn models(&self) -> Vec<String> {
        let mut models: Vec<String> = self.files.iter().map(|file| file.model.clone()).collect();
        models.dedup();
        models
    }

    /// Everything that could not be read so far.
    pub(super) fn problems(&self) -> Diagnostics {
        self.lock().clone().said_once()
    }

    /// Notes a problem.
    pub(super) fn note(&self, problems: impl Into<Diagnostics>) {
        self.lock().extend(problems.into());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Diagnostics> {
        self.problems.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The bytes of a file, where they are those that were written.
    pub(super) fn bytes(&self, file: &SavedFile) -> Option<Vec<u8>> {
        let place = self.place(file);
        let bytes = match std::fs::read(&place) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("cannot read an output: {error}");
                self.note(Diagnostic::error("report-output-unreadable", message).at(Place::File(place)));
                return None;
            }
        };
        let record = OutputRecord { bytes: bytes.len() as u64, sha256: Digest::of_bytes(&bytes) };
        if self.manifest.outputs.get(&file.path) != Some(&record) {
            self.note(altered(place));
            return None;
        }
        Some(bytes)
    }

    /// A JSON file.
    pub(super) fn json<T: DeserializeOwned>(&self, file: &SavedFile) -> Option<T> {
        let bytes = self.bytes(file)?;
        let read = serde_json::from_slice(&bytes).map_err(|error| {
            Diagnostic::error("report-output-unreadable", format!("cannot make sense of an output: {error}"))
                .at(Place::File(self.place(file)))
                .hint("it was written by another version of boldly; `boldly run --force` writes it anew")
        });
        self.taken(read)
    }

    /// A table.
    pub(super) fn table(&self, file: &SavedFile) -> Option<(Vec<String>, Vec<Vec<String>>)> {
        self.bytes(file)?;
        let table = self.taken(Table::read(&self.place(file), None, TableHeader::Required))?;
        let cells =
            |row: &crate::inputs::TableRow| (0..table.columns.len()).map(|at| row.text(at).to_owned()).collect();
        Some((table.columns.clone(), table.rows.iter().map(cells).collect()))
    }

    /// An image of one volume.
    pub(super) fn volume(&self, file: &SavedFile) -> Option<Volume> {
        self.bytes(file)?;
        let (header, values, _) = self.taken(inputs::read_volume(&self.place(file)))?;
        Some(Volume { grid: header.grid, values: values.into_iter().map(|value| value as f32).collect() })
    }

    fn place(&self, file: &SavedFile) -> PathBuf {
        file.path.below(self.folder.root())
    }

    fn taken<T, E: Into<Diagnostics>>(&self, read: Result<T, E>) -> Option<T> {
        read.map_err(|problems| self.note(problems)).ok()
    }
}

fn missing(place: PathBuf) -> Diagnostic {
    Diagnostic::error("report-output-missing", "an output that the manifest lists is not there")
        .at(Place::File(place))
        .hint("`boldly run` makes it again; the report is made without it")
}

fn altered(place: PathBuf) -> Diagnostic {
    Diagnostic::error("report-output-altered", "an output is not what was written: its digest is not the manifest's")
        .at(Place::File(place))
        .hint("`boldly run --force` makes it again; the report is made without it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> SavedFile {
        SavedFile::of(&RelativePath::new(path).unwrap()).unwrap()
    }

    #[test]
    fn names_say_what_files_are() {
        let z =
            file("m/sub-01/ses-a/func/sub-01_ses-a_task-t_run-02_space-T1w_contrast-faceVsHouse_stat-z_statmap.nii.gz");
        assert_eq!((z.model.as_str(), z.level.name().as_str()), ("m", "ses-a task-t run-02 space-T1w"));
        assert!(z.is("statmap.nii.gz", &[("contrast", "faceVsHouse"), ("stat", "z")]));
        assert!(!z.is("statmap.nii.gz", &[("stat", "z")]), "a map of the model");
        let group = file("m/sub-01/ses-a/func/sub-01_ses-a_task-t_space-T1w_summary.json");
        assert!(group.level.is_beside(&z.level) && group.level.run.is_none());
        assert!(!file("m/sub-01/func/sub-01_task-t_summary.json").level.is_beside(&z.level));
        assert_eq!(SavedFile::of(&RelativePath::new("m/dataset_description.json").unwrap()), None);
    }
}

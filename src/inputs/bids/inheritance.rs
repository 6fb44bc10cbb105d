//! The inheritance principle: which sidecars and tables of folders above a file are its own too.
//!
//! A file applies to another where it lies in the same folder or above, has the suffix asked for, and has no entity that
//! the other lacks or labels differently. Of JSON, all that apply count, the deeper over the higher; of tables only the
//! deepest. At one level at most one may apply (BIDS 1.10, "The Inheritance Principle").

use super::dataset::{BidsDataset, Root};
use super::file::{BidsFile, Presence};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::sidecar::parse_object;
use crate::inputs::table::read_text;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The merged sidecars of a file, each key with the file it came from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    files: Vec<PathBuf>,
    /// Key, value, and index of its file.
    fields: Vec<(String, Value, usize)>,
}

impl Metadata {
    /// The value of a key, and the file that says it. A null counts as absent.
    pub fn get(&self, key: &str) -> Option<(&Value, &Path)> {
        let (_, value, file) = self.fields.iter().find(|(own, ..)| own == key)?;
        (!value.is_null()).then(|| (value, self.files[*file].as_path()))
    }

    /// Keys, values and files, in the order in which the files, from the root down, first say them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value, &Path)> {
        self.fields.iter().map(|(key, value, file)| (key.as_str(), value, self.files[*file].as_path()))
    }

    /// The files, from the root down.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The merged object.
    pub fn to_json(&self) -> Map<String, Value> {
        self.fields.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect()
    }

    fn add(&mut self, path: PathBuf, object: &Map<String, Value>) {
        let file = self.files.len();
        self.files.push(path);
        for (key, value) in object {
            match self.fields.iter_mut().find(|(own, ..)| own == key) {
                Some(field) => (field.1, field.2) = (value.clone(), file),
                None => self.fields.push((key.clone(), value.clone(), file)),
            }
        }
    }
}

impl BidsDataset {
    /// The JSON sidecars of a file in its own root, from the root down.
    ///
    /// # Errors
    /// Two apply at one level.
    pub fn sidecars(&self, file: &BidsFile) -> Result<Vec<&BidsFile>, Diagnostics> {
        let own = self.roots().iter().filter(|root| root.origin == file.folder.origin);
        own.map(|root| sidecars_in(root, file)).next().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// The JSON sidecars of the raw data that a derivative was made from: the raw root's files that apply to its name.
    ///
    /// # Errors
    /// Two apply at one level.
    pub fn raw_sidecars(&self, file: &BidsFile) -> Result<Vec<&BidsFile>, Diagnostics> {
        sidecars_in(&self.roots()[0], file)
    }

    /// The merged sidecars of a file in its own root.
    ///
    /// # Errors
    /// Two apply at one level, or one cannot be read, is no JSON object, or was not downloaded.
    pub fn metadata(&self, file: &BidsFile) -> Result<Metadata, Diagnostics> {
        self.merged(&self.sidecars(file)?)
    }

    /// The merged sidecars of the raw data that a derivative was made from.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub fn raw_metadata(&self, file: &BidsFile) -> Result<Metadata, Diagnostics> {
        self.merged(&self.raw_sidecars(file)?)
    }

    fn merged(&self, sidecars: &[&BidsFile]) -> Result<Metadata, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut merged = Metadata::default();
        for sidecar in sidecars {
            if let Some(object) = problems.collect(self.sidecar_object(sidecar)) {
                merged.add(sidecar.path(), &object);
            }
        }
        problems.finish(merged).map(|(merged, _)| merged)
    }

    /// The content of a sidecar; those in a root are read once.
    fn sidecar_object(&self, sidecar: &BidsFile) -> Result<Arc<Map<String, Value>>, Diagnostics> {
        let path = sidecar.path();
        let is_shared = sidecar.folder.subject.is_none();
        if is_shared
            && let Ok(read) = self.shared_sidecars.lock()
            && let Some(object) = read.get(&path)
        {
            return Ok(Arc::clone(object));
        }
        present(sidecar)?;
        let object = Arc::new(parse_object(&path, read_text(&path, None)?, "fields such as `RepetitionTime`")?);
        if is_shared && let Ok(mut read) = self.shared_sidecars.lock() {
            read.insert(path, Arc::clone(&object));
        }
        Ok(object)
    }
}

/// The files of a root that apply to `file`, level by level from the root down.
fn applicable<'a>(root: &'a Root, file: &BidsFile, suffix: &str, extension: &str) -> [Vec<&'a BidsFile>; 4] {
    let mut levels: [Vec<&BidsFile>; 4] = Default::default();
    let subject = file.folder.subject.as_deref().and_then(|label| root.subject(label));
    for candidate in root.tree.top.iter().chain(subject.into_iter().flat_map(|subject| &subject.files)) {
        let name = &candidate.name;
        if name.suffix() == suffix
            && name.extension() == extension
            && candidate.folder.holds(&file.folder)
            && name.is_part_of(&file.name)
        {
            levels[candidate.folder.level()].push(candidate);
        }
    }
    levels
}

fn sidecars_in<'a>(root: &'a Root, file: &BidsFile) -> Result<Vec<&'a BidsFile>, Diagnostics> {
    let mut chain = Vec::new();
    let mut problems = Diagnostics::new();
    for level in applicable(root, file, file.name.suffix(), ".json") {
        if level.len() > 1 {
            problems.push(ambiguous(file, &level));
        }
        chain.extend(level.first());
    }
    problems.finish(chain).map(|(chain, _)| chain)
}

/// The one table that applies to a file in a root: the deepest.
///
/// # Errors
/// Two apply at the deepest level that has one.
pub(super) fn nearest<'a>(
    root: &'a Root,
    file: &BidsFile,
    suffix: &str,
    extension: &str,
) -> Result<Option<&'a BidsFile>, Diagnostics> {
    let levels = applicable(root, file, suffix, extension);
    match levels.iter().rev().find(|level| !level.is_empty()).map(Vec::as_slice) {
        Some([one]) => Ok(Some(one)),
        Some(several) => Err(ambiguous(file, several).into()),
        None => Ok(None),
    }
}

fn ambiguous(file: &BidsFile, found: &[&BidsFile]) -> Diagnostic {
    let names: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
    let message =
        format!("{} files of one folder apply to `{}`: {}", found.len(), file.name.as_str(), names.join(", "));
    Diagnostic::error("bids-inheritance-ambiguous", message)
        .at(Place::file(&found[0].folder.path()))
        .hint("keep one of them, or name each after what it applies to")
}

/// Refuses a file whose content is not there.
pub(super) fn present(file: &BidsFile) -> Result<(), Diagnostics> {
    let path = file.path();
    match file.presence() {
        Presence::Here => Ok(()),
        Presence::NotDownloaded => {
            let message = format!("`{}` is not downloaded: git-annex keeps its content elsewhere", file.name.as_str());
            let problem = Diagnostic::error("bids-not-downloaded", message).at(Place::file(&path));
            Err(problem.hint(format!("`datalad get {}`", path.display())).into())
        }
        Presence::BrokenLink => {
            let message = format!("`{}` is a link that leads nowhere", file.name.as_str());
            let problem = Diagnostic::error("bids-broken-link", message).at(Place::file(&path));
            Err(problem.hint("if the dataset is DataLad's: `datalad get`; else mend the link").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Tree;
    use super::super::query::Query;
    use super::*;

    fn bold<'a>(dataset: &'a BidsDataset, run: &str) -> &'a BidsFile {
        dataset.find(&Query::new().suffix("bold").images().label("run", run))[0]
    }

    #[test]
    fn deeper_sidecars_override_and_each_key_knows_its_file() {
        let tree = Tree::new(&[
            "bold.json={\"A\": 0, \"Z\": 0}",
            "task-a_bold.json={\"A\": 1, \"B\": 1, \"C\": 1, \"N\": 1}",
            "task-b_bold.json={\"A\": 9}",
            "sub-01/sub-01_bold.json={\"B\": 2, \"N\": null}",
            "sub-01/ses-x/sub-01_ses-x_task-a_run-1_bold.json={\"C\": 3}",
            "sub-01/ses-x/func/sub-01_ses-x_task-a_run-01_bold.json={\"D\": 4}",
            "sub-01/ses-x/func/sub-01_ses-x_task-a_run-01_bold.nii.gz",
            "sub-01/ses-x/func/sub-01_ses-x_task-a_run-02_bold.nii.gz",
        ]);
        // two in the root apply: `bold.json` and `task-a_bold.json`
        let dataset = BidsDataset::open(tree.path(), &[]).unwrap();
        let problems = dataset.metadata(bold(&dataset, "1")).unwrap_err();
        insta::assert_snapshot!(tree.shorten(&problems), @"
        error[bids-inheritance-ambiguous]: 2 files of one folder apply to `sub-01_ses-x_task-a_run-01_bold.nii.gz`: bold.json, task-a_bold.json
         --> 
           = hint: keep one of them, or name each after what it applies to
        ");
        std::fs::remove_file(tree.path().join("bold.json")).unwrap();
        let dataset = BidsDataset::open(tree.path(), &[]).unwrap();
        let merged = dataset.metadata(bold(&dataset, "1")).unwrap();
        assert_eq!(Value::Object(merged.to_json()), serde_json::json!({"A": 1, "B": 2, "C": 3, "D": 4, "N": null}));
        let from = |key: &str| {
            let path = merged.get(key).unwrap().1.strip_prefix(tree.path()).unwrap();
            path.display().to_string()
        };
        assert_eq!((from("A").as_str(), from("B").as_str()), ("task-a_bold.json", "sub-01/sub-01_bold.json"));
        assert_eq!(from("C"), "sub-01/ses-x/sub-01_ses-x_task-a_run-1_bold.json");
        assert_eq!((merged.get("N"), merged.files().len()), (None, 4));
        assert_eq!(dataset.metadata(bold(&dataset, "2")).unwrap().get("C").unwrap().0, 1);
    }

    #[test]
    fn the_deepest_table_alone_applies() {
        let tree = Tree::new(&[
            "task-a_events.tsv",
            "sub-01/sub-01_task-a_events.tsv",
            "sub-01/func/sub-01_task-a_run-1_events.tsv",
            "sub-01/func/sub-01_task-a_run-01_bold.nii",
            "sub-01/func/sub-01_task-a_run-02_bold.nii",
            "sub-02/func/sub-02_task-a_run-03_bold.nii",
            "sub-02/func/sub-02_task-a_run-03_events.tsv",
            "sub-02/func/sub-02_run-03_events.tsv",
        ]);
        let dataset = BidsDataset::open(tree.path(), &[]).unwrap();
        let found = |run: &str| {
            let found = nearest(&dataset.roots()[0], bold(&dataset, run), "events", ".tsv");
            found.map(|file| file.unwrap().name.as_str().to_owned())
        };
        assert_eq!(found("1").unwrap(), "sub-01_task-a_run-1_events.tsv");
        assert_eq!(found("2").unwrap(), "sub-01_task-a_events.tsv");
        assert_eq!(found("3").unwrap_err().iter().next().unwrap().code, "bids-inheritance-ambiguous");
    }

    #[test]
    fn broken_sidecars_are_said_together() {
        let tree = Tree::new(&["task-a_bold.json={", "sub-01/func/sub-01_task-a_run-1_bold.json=[1]"]);
        tree.add(&["sub-01/func/sub-01_task-a_run-1_bold.nii"]);
        let dataset = BidsDataset::open(tree.path(), &[]).unwrap();
        let problems = dataset.metadata(bold(&dataset, "1")).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["sidecar-malformed"; 2]);
    }
}

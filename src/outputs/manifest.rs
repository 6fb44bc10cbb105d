//! The manifest of a subject: from what, and what, was written. It stands only while every digest in it holds.

use super::durable::{read_json, remove_file, sync_folder, write_atomically};
use super::{Digest, OutputError, OutputFolder, OutputLock, RelativePath, Unit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// What a subject's results follow from: while it is unchanged they need not be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestKey {
    /// Digest of the subject's plan.
    pub plan: Digest,
    /// Grows whenever a change of boldly changes numbers.
    pub numerics_version: u32,
    /// The input files, by portable path, and their digests.
    pub inputs: BTreeMap<String, Digest>,
    /// The settings behind the plan, inputs left out: what a subject was analysed with, whatever is set now.
    #[serde(default)]
    pub settings: serde_json::Value,
}

/// One output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// What was written, and from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of boldly that wrote the outputs.
    pub version: String,
    /// What they follow from.
    #[serde(flatten)]
    pub key: ManifestKey,
    /// What was odd about the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<SavedWarning>,
    /// The outputs.
    pub outputs: BTreeMap<RelativePath, OutputRecord>,
}

/// A warning as it is kept: in words, its paths relative to the pipeline file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedWarning {
    /// Its stable code.
    pub code: String,
    /// What was found.
    pub message: String,
    /// Where, where that is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Facts, and what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why a subject has to be done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Staleness {
    /// The plan is another.
    Plan,
    /// The numerics of boldly are others.
    Numerics,
    /// An input was added, removed or changed.
    Input(String),
    /// An output is missing or has another size.
    Output(RelativePath),
}

impl fmt::Display for Staleness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan => formatter.write_str("the plan changed"),
            Self::Numerics => formatter.write_str("this version of boldly computes differently"),
            Self::Input(path) => write!(formatter, "the input `{path}` changed"),
            Self::Output(path) => write!(formatter, "the output `{path}` is missing or was changed"),
        }
    }
}

impl Manifest {
    /// Reads the manifest of a unit; `None`: it is not done, or was being redone.
    ///
    /// # Errors
    /// [`OutputError::DamagedManifest`] for content that no boldly wrote; [`OutputError::Machine`] where it cannot
    /// be read.
    pub fn load(folder: &OutputFolder, unit: &Unit) -> Result<Option<Self>, OutputError> {
        read_json(&folder.manifest_file(unit))
    }

    /// The manifests of all finished subjects, by unit.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_subjects(folder: &OutputFolder) -> Result<BTreeMap<Unit, Self>, OutputError> {
        let path = folder.manifests();
        let mut manifests = BTreeMap::new();
        for entry in fs::read_dir(&path).map_err(OutputError::machine("read", &path))? {
            let name = entry.map_err(OutputError::machine("read", &path))?.file_name();
            let label = name.to_str().and_then(|name| name.strip_prefix("sub-")?.strip_suffix(".json"));
            let Some(unit) = label.and_then(|label| Unit::subject(label).ok()) else { continue };
            // one that is being redone may vanish between the listing and the reading
            if let Some(manifest) = Self::load(folder, &unit)? {
                manifests.insert(unit, manifest);
            }
        }
        Ok(manifests)
    }

    /// Whether the results stand: made from the same key, every output there with its size.
    pub fn is_current(&self, key: &ManifestKey, folder: &OutputFolder) -> bool {
        self.staleness(key, folder).is_none()
    }

    /// The first reason to do the subject again.
    pub fn staleness(&self, key: &ManifestKey, folder: &OutputFolder) -> Option<Staleness> {
        if self.key.numerics_version != key.numerics_version {
            return Some(Staleness::Numerics);
        }
        if self.key.plan != key.plan {
            return Some(Staleness::Plan);
        }
        let paths: BTreeSet<&String> = self.key.inputs.keys().chain(key.inputs.keys()).collect();
        if let Some(path) = paths.into_iter().find(|path| self.key.inputs.get(*path) != key.inputs.get(*path)) {
            return Some(Staleness::Input(path.clone()));
        }
        let has_its_size = |path: &RelativePath, record: &OutputRecord| {
            fs::symlink_metadata(path.below(folder.root()))
                .is_ok_and(|found| found.is_file() && found.len() == record.bytes)
        };
        self.outputs
            .iter()
            .find(|(path, record)| !has_its_size(path, record))
            .map(|(path, _)| Staleness::Output(path.clone()))
    }

    /// The outputs whose bytes are not those of the manifest: every file is read.
    pub fn altered_outputs(&self, folder: &OutputFolder) -> Vec<RelativePath> {
        let holds = |path: &RelativePath, record: &OutputRecord| {
            Digest::of_file(&path.below(folder.root()))
                .is_ok_and(|(sha256, bytes)| OutputRecord { bytes, sha256 } == *record)
        };
        self.outputs.iter().filter(|(path, record)| !holds(path, record)).map(|(path, _)| path.clone()).collect()
    }

    /// Puts the manifest in place in one step, and ends the withdrawal that came before it.
    pub(super) fn publish(&self, lock: &OutputLock, scratch: &Path) -> Result<(), OutputError> {
        let (folder, unit) = (lock.folder(), lock.unit());
        let path = folder.manifest_file(unit);
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| OutputError::DamagedManifest { path: path.clone(), reason: error.to_string() })?;
        bytes.push(b'\n');
        write_atomically(scratch, &path, &bytes)?;
        remove_file(&folder.journal_file(unit)).map(|_| ())
    }
}

/// Takes a unit's manifest back before the files it lists change, and remembers every name that may stand in the
/// folder until the next manifest: those listed so far and `new`. Returns the names listed so far.
///
/// The journal is on disk before the manifest goes, so that no name is ever forgotten; where a manifest stands, a
/// journal beside it was never acted upon, and what it names beyond the manifest is not there.
pub(super) fn withdraw(
    lock: &OutputLock,
    scratch: &Path,
    new: impl Iterator<Item = RelativePath>,
) -> Result<BTreeSet<RelativePath>, OutputError> {
    let (folder, unit) = (lock.folder(), lock.unit());
    let journal = folder.journal_file(unit);
    let listed: BTreeSet<RelativePath> = match Manifest::load(folder, unit)? {
        Some(manifest) => manifest.outputs.into_keys().collect(),
        None => match fs::read(&journal) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| OutputError::DamagedManifest { path: journal.clone(), reason: error.to_string() })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => return Err(OutputError::machine("read", &journal)(error)),
        },
    };
    let all: BTreeSet<RelativePath> = listed.iter().cloned().chain(new).collect();
    let bytes = serde_json::to_vec_pretty(&all)
        .map_err(|error| OutputError::DamagedManifest { path: journal.clone(), reason: error.to_string() })?;
    write_atomically(scratch, &journal, &bytes)?;
    if remove_file(&folder.manifest_file(unit))? {
        sync_folder(&folder.manifests())?;
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::open_output_folder;

    fn manifest() -> Manifest {
        Manifest {
            version: "0.1.0".into(),
            key: ManifestKey {
                plan: Digest::of_bytes(b"plan"),
                numerics_version: 1,
                inputs: BTreeMap::from([("a_bold.nii.gz".to_owned(), Digest::of_bytes(b"a"))]),
                settings: serde_json::Value::Null,
            },
            warnings: Vec::new(),
            outputs: BTreeMap::from([(
                RelativePath::new("m/x.tsv").unwrap(),
                OutputRecord { bytes: 3, sha256: Digest::of_bytes(b"abc") },
            )]),
        }
    }

    #[test]
    fn every_reason_to_redo_is_found() {
        let root = tempfile::tempdir().unwrap();
        let folder = open_output_folder(root.path()).unwrap();
        let manifest = manifest();
        let key = manifest.key.clone();
        let why = |key: &ManifestKey| manifest.staleness(key, &folder).map(|why| why.to_string());
        assert_eq!(why(&key).unwrap(), "the output `m/x.tsv` is missing or was changed");
        fs::create_dir(root.path().join("m")).unwrap();
        fs::write(root.path().join("m/x.tsv"), "ab").unwrap();
        assert!(!manifest.is_current(&key, &folder), "another size");
        fs::write(root.path().join("m/x.tsv"), "abd").unwrap();
        assert!(manifest.is_current(&key, &folder));
        assert_eq!(manifest.altered_outputs(&folder).len(), 1, "the same size, other bytes");
        fs::write(root.path().join("m/x.tsv"), "abc").unwrap();
        assert_eq!(manifest.altered_outputs(&folder), []);
        assert_eq!(why(&key), None);
        let plan = Digest::of_bytes(b"other");
        assert_eq!(why(&ManifestKey { plan, ..key.clone() }).unwrap(), "the plan changed");
        let newer = ManifestKey { numerics_version: 2, ..key.clone() };
        assert_eq!(why(&newer).unwrap(), "this version of boldly computes differently");
        for (path, content) in [("a_bold.nii.gz", "b"), ("events.tsv", "new")] {
            let mut changed = key.clone();
            changed.inputs.insert(path.to_owned(), Digest::of_bytes(content.as_bytes()));
            assert_eq!(why(&changed).unwrap(), format!("the input `{path}` changed"));
        }
        let none = ManifestKey { inputs: BTreeMap::new(), ..key };
        assert_eq!(why(&none).unwrap(), "the input `a_bold.nii.gz` changed");
    }

    #[test]
    fn a_manifest_survives_writing_and_a_damaged_one_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let folder = open_output_folder(root.path()).unwrap();
        let lock = OutputLock::acquire(&folder, "01").unwrap();
        assert_eq!(Manifest::load(&folder, lock.unit()).unwrap(), None);
        manifest().publish(&lock, &root.path().join(".boldly/tmp/m")).unwrap();
        assert_eq!(Manifest::load(&folder, lock.unit()).unwrap(), Some(manifest()));
        assert_eq!(Manifest::load_subjects(&folder).unwrap().len(), 1);
        let text = fs::read_to_string(folder.manifest_file(lock.unit())).unwrap();
        for (from, to) in [("m/x.tsv", "../x.tsv"), ("\"bytes\": 3", "\"bytes\": -3"), ("}", "")] {
            fs::write(folder.manifest_file(lock.unit()), text.replace(from, to)).unwrap();
            let problem = Manifest::load(&folder, lock.unit()).unwrap_err();
            assert!(matches!(problem, OutputError::DamagedManifest { .. }), "{problem}");
        }
    }
}

//! The output folder: ours, or empty, or refused.

use super::OutputError;
use super::durable::{require_folder, sync_folder, write_atomically};
use super::names::check_label;
use serde::Serialize;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the pipeline is that boldly proposed, in an output folder.
pub const PROPOSED_PIPELINE: &str = ".boldly/pipeline.toml";

/// What the marker file says; the number grows when an older version could no longer understand the folder.
pub(super) const LAYOUT_LINE: &str = "boldly output folder, layout 1";

/// An output folder that may be written to.
///
/// ```text
/// .boldly/format            the marker
/// .boldly/pipeline          the name of the pipeline whose results these are
/// .boldly/locks/            one lock a subject
/// .boldly/manifests/        one manifest a subject
/// .boldly/tmp/              staged files
/// .boldly/timings/          how long each stage of a subject took
/// .boldly/states/           how far each subject is that is not done
/// .boldly/subjects.json     the subjects that the pipeline names
/// .boldly/pipeline.toml     the pipeline, where boldly proposed it
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFolder {
    root: PathBuf,
}

/// What is written, locked and redone as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// A subject, by its label.
    Subject(String),
    /// What belongs to no one subject: dataset descriptions and provenance.
    Dataset,
    /// The report of a subject, by its label.
    SubjectReport(String),
    /// The report of all subjects.
    DatasetReport,
    /// The calibration of a subject's models, by its label.
    Calibration(String),
}

impl Unit {
    /// A subject.
    ///
    /// # Errors
    /// [`OutputError::Name`] for a label that is not `[A-Za-z0-9]+`.
    pub fn subject(label: &str) -> Result<Self, OutputError> {
        Ok(Self::Subject(check_label(label, "subject label")?.to_owned()))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(label) => write!(formatter, "sub-{label}"),
            Self::Dataset => formatter.write_str("dataset"),
            Self::SubjectReport(label) => write!(formatter, "report-sub-{label}"),
            Self::DatasetReport => formatter.write_str("report"),
            Self::Calibration(label) => write!(formatter, "calibration-sub-{label}"),
        }
    }
}

/// Opens a folder for results: creates it, takes an empty one, or one that boldly made.
///
/// # Errors
/// [`OutputError::ForeignFolder`] where it holds files and no `.boldly`, [`OutputError::Layout`] where a later
/// version made it, [`OutputError::Machine`] where it cannot be created or read.
pub fn open_output_folder(dir: &Path) -> Result<OutputFolder, OutputError> {
    fs::create_dir_all(dir).map_err(OutputError::machine("create", dir))?;
    let folder = OutputFolder::at(dir);
    if !folder.is_ours()? {
        folder.create_state("")?;
        folder.create_state("tmp")?;
        let scratch = folder.state().join(format!("tmp/format.{}", std::process::id()));
        write_atomically(&scratch, &folder.marker(), format!("{LAYOUT_LINE}\n").as_bytes())?;
        sync_folder(dir)?;
    }
    for name in ["", "tmp", "locks", "manifests", "timings", "states"] {
        folder.create_state(name)?;
    }
    Ok(folder)
}

/// Whether [`open_output_folder`] would take a folder; nothing is written.
///
/// # Errors
/// As [`open_output_folder`], but for what only writing can tell.
pub fn check_output_folder(dir: &Path) -> Result<(), OutputError> {
    if dir.exists() { OutputFolder::at(dir).is_ours().map(|_| ()) } else { Ok(()) }
}

/// An output folder that boldly made before.
///
/// # Errors
/// [`OutputError::NoFolder`] where it is none; otherwise as [`open_output_folder`].
pub fn find_output_folder(dir: &Path) -> Result<OutputFolder, OutputError> {
    if dir.join(".boldly/format").is_file() {
        open_output_folder(dir)
    } else {
        Err(OutputError::NoFolder { path: dir.to_path_buf() })
    }
}

fn refuse_foreign(dir: &Path) -> Result<(), OutputError> {
    let entries = fs::read_dir(dir).map_err(OutputError::machine("read", dir))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(OutputError::machine("read", dir))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    // another process may have made it ours meanwhile
    match names.iter().min() {
        Some(entry) if !names.iter().any(|name| name == ".boldly") => {
            Err(OutputError::ForeignFolder { path: dir.to_path_buf(), entry: entry.clone() })
        }
        _ => Ok(()),
    }
}

impl OutputFolder {
    pub(super) fn at(dir: &Path) -> Self {
        Self { root: dir.to_path_buf() }
    }

    /// Whether boldly made the folder; one with files of others is refused.
    fn is_ours(&self) -> Result<bool, OutputError> {
        let marker = self.marker();
        match fs::read_to_string(&marker) {
            Ok(text) if text.lines().next() == Some(LAYOUT_LINE) => Ok(true),
            Ok(text) => {
                let found = text.lines().next().unwrap_or_default().to_owned();
                Err(OutputError::Layout { path: marker, found })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // with `.boldly` but no marker: a process that was stopped between the two, or is between them now
                if !self.state().exists() {
                    refuse_foreign(&self.root)?;
                }
                Ok(false)
            }
            Err(error) => Err(OutputError::machine("read", &marker)(error)),
        }
    }

    fn marker(&self) -> PathBuf {
        self.state().join("format")
    }

    /// Keeps the pipeline that boldly proposed beside the manifests, as [`PROPOSED_PIPELINE`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_pipeline(&self, text: &str) -> Result<(), OutputError> {
        let staged = self.scratch().join(format!("pipeline.toml.{}", std::process::id()));
        write_atomically(&staged, &self.root.join(PROPOSED_PIPELINE), text.as_bytes())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes the folder for the pipeline of this name; the first one to write there keeps it.
    ///
    /// # Errors
    /// [`OutputError::OtherPipeline`] where it holds the results of another; the marker cannot be read or written.
    pub fn claim(&self, pipeline: &str) -> Result<(), OutputError> {
        let marker = self.state().join("pipeline");
        match fs::read_to_string(&marker) {
            Ok(found) if found.trim_end() == pipeline => Ok(()),
            Ok(found) => Err(OutputError::OtherPipeline {
                path: self.root.clone(),
                found: found.trim_end().to_owned(),
                expected: pipeline.to_owned(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let staged = self.scratch().join(format!("pipeline.{}", std::process::id()));
                write_atomically(&staged, &marker, format!("{pipeline}\n").as_bytes())
            }
            Err(error) => Err(OutputError::machine("read", &marker)(error)),
        }
    }

    /// Notes how long a subject's stages took, in `.boldly/timings`: of no result, and different every time.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_timings(&self, subject: &str, timings: &impl Serialize) -> Result<(), OutputError> {
        let unit = Unit::subject(subject)?;
        let text = serde_json::to_vec_pretty(timings).map_err(io::Error::from)?;
        let staged = self.scratch().join(format!("{unit}.timings.{}", std::process::id()));
        write_atomically(&staged, &self.root.join(format!(".boldly/timings/{unit}.json")), &text)
    }

    pub(super) fn state(&self) -> PathBuf {
        self.root.join(".boldly")
    }

    pub(super) fn scratch(&self) -> PathBuf {
        self.root.join(".boldly/tmp")
    }

    pub(super) fn lock_file(&self, unit: &Unit) -> PathBuf {
        self.root.join(format!(".boldly/locks/{unit}.lock"))
    }

    pub(super) fn manifests(&self) -> PathBuf {
        self.root.join(".boldly/manifests")
    }

    pub(super) fn manifest_file(&self, unit: &Unit) -> PathBuf {
        self.manifests().join(format!("{unit}.json"))
    }

    /// Names that may stand in the folder while no manifest vouches for them.
    pub(super) fn journal_file(&self, unit: &Unit) -> PathBuf {
        self.manifests().join(format!("{unit}.pending"))
    }

    fn create_state(&self, name: &str) -> Result<(), OutputError> {
        let path = self.state().join(name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(OutputError::machine("create", &path)(error))
            }
            _ => require_folder(&self.root.join(".boldly").join(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnostic;

    fn shown(problem: OutputError, root: &Path) -> String {
        Diagnostic::from(problem).to_string().replace(&*root.to_string_lossy(), "ROOT")
    }

    #[test]
    fn new_empty_and_our_own_folders_are_opened() {
        let root = tempfile::tempdir().unwrap();
        open_output_folder(root.path()).unwrap();
        let new = root.path().join("a/b");
        let folder = open_output_folder(&new).unwrap();
        fs::write(new.join("left-by-us"), "").unwrap();
        assert_eq!(open_output_folder(&new).unwrap(), folder);
        fs::remove_file(new.join(".boldly/format")).unwrap();
        open_output_folder(&new).unwrap();
        assert!(new.join(".boldly/format").exists(), "an opening that was interrupted is completed");
    }

    #[test]
    fn folders_of_others_and_of_the_future_are_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.docx"), "").unwrap();
        let problem = open_output_folder(root.path()).unwrap_err();
        assert!(!root.path().join(".boldly").exists());
        insta::assert_snapshot!(shown(problem, root.path()), @r"
        error[output-folder-foreign]: the output folder `ROOT` is not empty and was not made by boldly
         --> ROOT
           = note: it holds `thesis.docx`, and no `.boldly` folder
           = hint: name an empty or a new folder: `[output] dir`, or `--out DIR`
        ");
        let root = tempfile::tempdir().unwrap();
        open_output_folder(root.path()).unwrap();
        fs::write(root.path().join(".boldly/format"), "boldly output folder, layout 9\n").unwrap();
        let problem = open_output_folder(root.path()).unwrap_err();
        insta::assert_snapshot!(shown(problem, root.path()), @r"
        error[output-folder-layout]: the output folder has a layout this version does not know
         --> ROOT/.boldly/format
           = note: found `boldly output folder, layout 9`, expected `boldly output folder, layout 1`
           = hint: use the version of boldly that made it, or another folder
        ");
    }

    #[test]
    fn a_folder_belongs_to_one_pipeline() {
        let root = tempfile::tempdir().unwrap();
        let folder = open_output_folder(root.path()).unwrap();
        folder.claim("objects").unwrap();
        folder.claim("objects").unwrap();
        insta::assert_snapshot!(shown(folder.claim("faces").unwrap_err(), root.path()), @r"
        error[output-folder-other-pipeline]: the output folder `ROOT` holds the results of another pipeline
         --> ROOT
           = note: found those of `objects`, this pipeline is `faces`
           = note: results of one pipeline replace each other; two pipelines in one folder would delete each other's
           = hint: give each pipeline a folder of its own, `[output] dir` or `--out DIR`, or remove this one
        ");
    }

    #[test]
    fn a_file_where_the_folder_should_be_is_the_machine_s_error() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(open_output_folder(&file).unwrap_err().is_machine_failure());
    }
}

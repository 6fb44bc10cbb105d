//! What can go wrong while results are written.

use crate::error::{Diagnostic, Diagnostics, Place};
use std::io;
use std::path::{Path, PathBuf};

/// A failure of this room; callers that only report convert it into [`Diagnostics`].
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The machine refused: disk, permission, a file system without locks.
    #[error("cannot {action} `{}`: {source}", .path.display())]
    Machine {
        /// What was tried, as a verb: `write`, `create`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A label or path that may not become part of an output's name.
    #[error("{what} `{found}` cannot be part of an output's name")]
    Name {
        /// What it is: `subject label`, `contrast name`.
        what: &'static str,
        /// As found.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// Two outputs of one name.
    #[error("two outputs would be called `{first}` and `{second}`")]
    Collision {
        /// One.
        first: String,
        /// The other; equal, or different in case alone.
        second: String,
    },
    /// There is no output folder of ours.
    #[error("`{}` is no output folder of boldly", .path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// An output folder without a finished subject.
    #[error("no subject in `{}` is finished", .path.display())]
    NothingFinished {
        /// The folder.
        path: PathBuf,
    },
    /// The output folder holds files, but none of ours.
    #[error("the output folder `{}` is not empty and was not made by boldly", .path.display())]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// One of its entries.
        entry: String,
    },
    /// The output folder holds the results of another pipeline.
    #[error("the output folder `{}` holds the results of another pipeline", .path.display())]
    OtherPipeline {
        /// The folder.
        path: PathBuf,
        /// The pipeline whose results it holds.
        found: String,
        /// The pipeline at hand.
        expected: String,
    },
    /// The output folder has a layout this version does not know.
    #[error("the output folder has a layout this version does not know")]
    Layout {
        /// The marker file.
        path: PathBuf,
        /// Its first line.
        found: String,
    },
    /// Another process works on the same subject.
    #[error("another process is writing the results of {unit} in `{}`", .path.display())]
    Locked {
        /// `sub-01`, or `dataset`.
        unit: String,
        /// The lock file.
        path: PathBuf,
        /// What the holder wrote into it: its process id and machine.
        holder: String,
    },
    /// A manifest or journal that cannot be understood.
    #[error("the manifest `{}` is damaged: {reason}", .path.display())]
    DamagedManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A symbolic link stands where one of our folders should.
    #[error("`{}` inside the output folder is a symbolic link or no folder", .path.display())]
    NotAFolder {
        /// The link.
        path: PathBuf,
    },
    /// An image larger than NIfTI-1 can say.
    #[error("an image of {shape} voxels does not fit a NIfTI-1 header")]
    ImageTooLarge {
        /// Its shape.
        shape: String,
    },
    /// A staged file was never finished, so its content cannot be trusted.
    #[error("the output `{name}` was begun but not finished")]
    Unfinished {
        /// Its name.
        name: String,
    },
}

impl OutputError {
    /// A failure of the machine, for `map_err`.
    pub(crate) fn machine(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Machine { action, path, source }
    }

    /// Whether the machine failed rather than the pipeline or the folder: exit code 3.
    pub fn is_machine_failure(&self) -> bool {
        matches!(self, Self::Machine { .. })
    }
}

/// Failures that crossed `std::io` on their way (an encoder on top of a staged file) come back as they were.
impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(source) => Self::Machine { action: "write", path: PathBuf::new(), source },
        }
    }
}

impl From<OutputError> for io::Error {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Machine { ref source, .. } => Self::new(source.kind(), error),
            other => Self::other(other),
        }
    }
}

impl From<OutputError> for Diagnostic {
    fn from(error: OutputError) -> Self {
        let message = error.to_string();
        match error {
            OutputError::Machine { path, source, .. } => {
                let diagnostic = Self::error("output-machine", message).at(Place::File(path));
                match source.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        diagnostic.hint("free some space, then run again: finished subjects are not redone")
                    }
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        diagnostic.hint("name a folder you may write to: `[output] dir`, or `--out DIR`")
                    }
                    io::ErrorKind::Unsupported => {
                        diagnostic.hint("this file system has no file locks; name a folder on another one")
                    }
                    _ => diagnostic,
                }
            }
            OutputError::Name { expected, .. } => {
                Self::error("output-name", message).note(format!("expected: {expected}"))
            }
            OutputError::Collision { .. } => Self::error("output-collision", message)
                .note("names that differ in case alone are one file on many machines")
                .hint("rename one of the models, contrasts or runs they come from"),
            OutputError::NoFolder { path } => Self::error("output-folder-no-results", message)
                .at(Place::File(path))
                .note("expected the folder that `boldly run` wrote to, which holds `.boldly`")
                .hint("give the folder itself: `[output] dir`, or what `--out` said"),
            OutputError::NothingFinished { path } => Self::error("report-nothing-finished", message)
                .at(Place::File(path))
                .hint("run the pipeline first; a subject that is being redone has no results meanwhile"),
            OutputError::OtherPipeline { path, found, expected } => Self::error(
                "output-folder-other-pipeline",
                message,
            )
            .at(Place::File(path))
            .note(format!("found those of `{found}`, this pipeline is `{expected}`"))
            .note("results of one pipeline replace each other; two pipelines in one folder would delete each other's")
            .hint("give each pipeline a folder of its own, `[output] dir` or `--out DIR`, or remove this one"),
            OutputError::ForeignFolder { path, entry } => Self::error("output-folder-foreign", message)
                .at(Place::File(path))
                .note(format!("it holds `{entry}`, and no `.boldly` folder"))
                .hint("name an empty or a new folder: `[output] dir`, or `--out DIR`"),
            OutputError::Layout { path, found } => Self::error("output-folder-layout", message)
                .at(Place::File(path))
                .note(format!("found `{found}`, expected `{}`", super::folder::LAYOUT_LINE))
                .hint("use the version of boldly that made it, or another folder"),
            OutputError::Locked { path, holder, .. } => Self::error("output-locked", message)
                .at(Place::File(path))
                .note(format!("held by {holder}"))
                .hint("wait for it to end, or stop it; a lock ends with its process"),
            OutputError::DamagedManifest { path, .. } => Self::error("output-manifest-damaged", message)
                .at(Place::File(path))
                .hint("remove this file; the subject is then done again"),
            OutputError::NotAFolder { path } => Self::error("output-not-a-folder", message)
                .at(Place::File(path))
                .hint("remove it: results are written nowhere but inside the output folder"),
            OutputError::ImageTooLarge { .. } => {
                Self::error("output-image-too-large", message).note("at most 32767 along each axis")
            }
            OutputError::Unfinished { .. } => {
                Self::error("output-unfinished", message).note("this is a bug of boldly; nothing was put in place")
            }
        }
    }
}

impl From<OutputError> for Diagnostics {
    fn from(error: OutputError) -> Self {
        Diagnostic::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_path_across_an_io_layer() {
        let full = OutputError::Machine {
            action: "write",
            path: "results/a.nii.gz".into(),
            source: io::Error::from(io::ErrorKind::StorageFull),
        };
        let carried: io::Error = full.into();
        assert_eq!(carried.kind(), io::ErrorKind::StorageFull);
        let back = OutputError::from(carried);
        assert!(back.is_machine_failure());
        insta::assert_snapshot!(Diagnostic::from(back), @r"
        error[output-machine]: cannot write `results/a.nii.gz`: no storage space
         --> results/a.nii.gz
           = hint: free some space, then run again: finished subjects are not redone
        ");
    }
}

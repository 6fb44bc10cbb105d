//! What can stop a pass over a run.

use crate::error::{Cancelled, Diagnostic, Diagnostics};
use std::path::PathBuf;

/// Why a pass over a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// A frame could not be read.
    #[error(transparent)]
    Source(Diagnostics),
    /// The work was interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// No frame is left once the first ones are discarded.
    #[error("no volume is left: the run has {n_frames} and {discard} are discarded at its start")]
    NoFrames {
        /// Frames of the run.
        n_frames: usize,
        /// Frames to discard.
        discard: usize,
    },
    /// The mask is empty, or the table has no columns.
    #[error("no voxel is inside the mask")]
    NoColumns,
    /// Mask, smoother and run are not on the same grid.
    #[error("the run has {found} values a frame, the mask or the smoothing is for {expected}")]
    ValuesDiffer {
        /// Values a frame that the plan is for.
        expected: usize,
        /// Values a frame of the run.
        found: usize,
    },
    /// The time x column matrix cannot be allocated.
    #[error("cannot allocate {} MB for {n_frames} volumes of {n_columns} voxels", 4 * n_frames * n_columns / 1_000_000)]
    Memory {
        /// Frames of the run.
        n_frames: usize,
        /// Columns to gather.
        n_columns: usize,
    },
    /// Samples that do not fit into memory cannot be kept on disk.
    #[error("cannot {action} the file that holds a run's samples, in {}: {cause}", folder.display())]
    Spill {
        /// What was tried: create, write, read.
        action: &'static str,
        /// The folder the file is in; the file has no name.
        folder: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The system gave no thread to decode with.
    #[error("cannot start the thread that decodes the run: {0}")]
    Thread(std::io::Error),
}

impl From<PassError> for Diagnostics {
    fn from(error: PassError) -> Self {
        let (code, hint) = match &error {
            PassError::Source(problems) => return problems.clone(),
            PassError::Cancelled(_) => ("work-interrupted", "run the pipeline again to complete it"),
            PassError::NoFrames { .. } => ("run-too-short", "lower `discard_volumes` under `[preprocess]`"),
            PassError::NoColumns => ("mask-empty", "name a mask that covers the brain: `path` under `[mask]`"),
            PassError::ValuesDiffer { .. } => ("grid-mismatch", "name a mask on the run's own grid"),
            PassError::Memory { .. } => {
                ("memory-not-given", "analyse fewer subjects at a time, or within a smaller mask")
            }
            PassError::Spill { .. } => {
                ("samples-not-kept", "free space there, or raise `--max-memory` so that samples stay in memory")
            }
            PassError::Thread(_) => ("threads-not-started", "raise the limit on processes, or use fewer threads"),
        };
        Diagnostic::error(code, error.to_string()).hint(hint).into()
    }
}

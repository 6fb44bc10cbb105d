//! One output on its way: hashed as it is written, on disk before it counts.

use super::{OutputError, OutputRecord, RelativePath};
use crate::inputs::Hasher;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of the staged outputs; shared with the files being written, which may be on other threads.
#[derive(Debug, Clone, Default)]
pub(super) struct Records(Arc<Mutex<BTreeMap<RelativePath, Staged>>>);

#[derive(Debug)]
struct Staged {
    file: PathBuf,
    /// `None` until the file is finished.
    record: Option<OutputRecord>,
}

impl Records {
    /// Every record is complete in itself, so a thread that panicked elsewhere leaves nothing half-done here.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RelativePath, Staged>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All outputs with the file each is staged in.
    pub(super) fn finished(&self) -> Result<BTreeMap<RelativePath, (PathBuf, OutputRecord)>, OutputError> {
        self.lock()
            .iter()
            .map(|(path, staged)| match staged.record {
                Some(record) => Ok((path.clone(), (staged.file.clone(), record))),
                None => Err(OutputError::Unfinished { name: path.to_string() }),
            })
            .collect()
    }
}

/// An output being written; buffered.
#[derive(Debug)]
pub struct StagedFile {
    path: RelativePath,
    /// The final name, for messages.
    shown: PathBuf,
    file: io::BufWriter<File>,
    hasher: Hasher,
    records: Records,
}

impl StagedFile {
    pub(super) fn create(
        scratch: &Path,
        root: &Path,
        path: &RelativePath,
        records: &Records,
    ) -> Result<Self, OutputError> {
        let shown = path.below(root);
        let mut known = records.lock();
        if let Some(first) = known.keys().find(|known| known.as_str().eq_ignore_ascii_case(path.as_str())) {
            return Err(OutputError::Collision { first: first.to_string(), second: path.to_string() });
        }
        let staged = scratch.join(known.len().to_string());
        let file = File::create(&staged).map_err(OutputError::machine("create", &shown))?;
        known.insert(path.clone(), Staged { file: staged, record: None });
        drop(known);
        Ok(Self {
            path: path.clone(),
            shown,
            file: io::BufWriter::with_capacity(64 * 1024, file),
            hasher: Hasher::default(),
            records: records.clone(),
        })
    }

    /// Its name.
    pub fn path(&self) -> &RelativePath {
        &self.path
    }

    /// Brings the file to disk and counts it in.
    ///
    /// # Errors
    /// The disk is full or fails: nothing written is ever lost unsaid.
    pub fn finish(self) -> Result<(), OutputError> {
        let fail = OutputError::machine("write", &self.shown);
        let (sha256, bytes) = self.hasher.finish();
        self.file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(fail)?;
        if let Some(staged) = self.records.lock().get_mut(&self.path) {
            staged.record = Some(OutputRecord { bytes, sha256 });
        }
        Ok(())
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.file.write(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => OutputError::machine("write", &self.shown)(error).into(),
        })?;
        self.hasher.update(&bytes[..n_written]);
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| OutputError::machine("write", &self.shown)(error).into())
    }
}

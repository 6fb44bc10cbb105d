//! Samples of a run in a file of their own, for a series that is larger than the memory it may take.
//!
//! The file has no name: it goes when it is closed, however the program ends. Its layout is that of the two ways it is
//! read in, by block of columns for a fit and by frame for a map: chunks of [`CHUNK_FRAMES`] frames in the order of time,
//! in each of them blocks of [`BLOCK_COLUMNS`] columns, in each of those frame by frame.

use super::{BLOCK_COLUMNS, CHUNK_FRAMES, PassError};
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes of an f32.
const VALUE_BYTES: usize = size_of::<f32>();

/// The file, and the folder it is in, for messages.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: File,
    folder: PathBuf,
    n_frames: usize,
    n_columns: usize,
    /// Values of the chunk last written, in the order of the file.
    bytes: Vec<u8>,
}

impl SpillFile {
    /// An empty file in `folder` for `n_frames` of `n_columns`.
    pub(super) fn new(folder: &Path, n_frames: usize, n_columns: usize) -> Result<Self, PassError> {
        let folder = folder.to_path_buf();
        match tempfile::tempfile_in(&folder) {
            Ok(file) => Ok(Self { file, folder, n_frames, n_columns, bytes: Vec::new() }),
            Err(cause) => Err(PassError::Spill { action: "create", folder, cause }),
        }
    }

    /// Appends the next chunk: rows frame x column, as many as a chunk has.
    pub(super) fn append(&mut self, rows: &[f32]) -> Result<(), PassError> {
        self.bytes.clear();
        for start in (0..self.n_columns).step_by(BLOCK_COLUMNS) {
            let end = (start + BLOCK_COLUMNS).min(self.n_columns);
            for row in rows.chunks_exact(self.n_columns) {
                self.bytes.extend(row[start..end].iter().flat_map(|value| value.to_ne_bytes()));
            }
        }
        self.file.write_all(&self.bytes).map_err(|cause| self.problem("write", cause))
    }

    /// Appends the values of `frames` at `columns` to `out`, frame by frame.
    pub(super) fn read(
        &self,
        frames: Range<usize>,
        columns: Range<usize>,
        out: &mut Vec<f32>,
    ) -> Result<(), PassError> {
        let start = out.len();
        out.resize(start + frames.len() * columns.len(), 0.0);
        let mut bytes = Vec::new();
        for block in columns.start / BLOCK_COLUMNS..columns.end.div_ceil(BLOCK_COLUMNS) {
            let of_block = block * BLOCK_COLUMNS..((block + 1) * BLOCK_COLUMNS).min(self.n_columns);
            let wanted = of_block.start.max(columns.start)..of_block.end.min(columns.end);
            let mut frame = frames.start;
            while frame < frames.end {
                // as many frames as one chunk holds next to each other
                let chunk_end = ((frame / CHUNK_FRAMES + 1) * CHUNK_FRAMES).min(self.n_frames);
                let end = chunk_end.min(frames.end);
                bytes.resize((end - frame) * of_block.len() * VALUE_BYTES, 0);
                self.read_at(self.offset(frame, &of_block), &mut bytes).map_err(|cause| self.problem("read", cause))?;
                let (values, _) = bytes.as_chunks::<VALUE_BYTES>();
                for (at, row) in values.chunks_exact(of_block.len()).enumerate() {
                    let place = start + (frame - frames.start + at) * columns.len() + wanted.start - columns.start;
                    let row = &row[wanted.start - of_block.start..];
                    for (out, value) in out[place..place + wanted.len()].iter_mut().zip(row) {
                        *out = f32::from_ne_bytes(*value);
                    }
                }
                frame = end;
            }
        }
        Ok(())
    }

    /// Where the values of `frame` at the columns `of_block` of a block begin.
    fn offset(&self, frame: usize, of_block: &Range<usize>) -> u64 {
        let chunk = frame / CHUNK_FRAMES * CHUNK_FRAMES;
        let frames_in_chunk = CHUNK_FRAMES.min(self.n_frames - chunk);
        let values = chunk * self.n_columns + of_block.start * frames_in_chunk + (frame - chunk) * of_block.len();
        (values * VALUE_BYTES) as u64
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, offset)
    }

    /// Through a handle of its own position: blocks are read from many threads.
    #[cfg(not(unix))]
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        static POSITION: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _alone = POSITION.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }

    fn problem(&self, action: &'static str, cause: io::Error) -> PassError {
        PassError::Spill { action, folder: self.folder.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_are_gone_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut spilled = SpillFile::new(folder.path(), 2, 3).unwrap();
        spilled.append(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        spilled.file.set_len(12).unwrap();
        let mut rows = Vec::new();
        spilled.read(0..1, 0..3, &mut rows).unwrap();
        assert_eq!(rows, [1.0, 2.0, 3.0]);
        let problem = spilled.read(0..2, 0..3, &mut Vec::new()).unwrap_err();
        assert!(matches!(problem, PassError::Spill { action: "read", .. }), "{problem}");
    }
}

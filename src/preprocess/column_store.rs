//! A series that is computed block of columns by block of columns, and read frame by frame: what a 4-D output is written from.

use super::{BLOCK_COLUMNS, PassError, SeriesPlace, column_blocks};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, RwLock};

/// Bytes of an f32.
const VALUE_BYTES: usize = size_of::<f32>();

/// Values of `n_frames` frames of `n_columns` columns, f32, in memory or in a nameless file that goes with it.
#[derive(Debug)]
pub struct ColumnStore {
    n_frames: usize,
    n_columns: usize,
    blocks: Blocks,
}

/// One block after another, each frame x column of its own.
#[derive(Debug)]
enum Blocks {
    /// One piece of memory: blocks of their own, made between others that go again, would leave gaps of a quarter of it.
    Held(RwLock<Vec<f32>>),
    Spilled {
        file: Mutex<File>,
        folder: PathBuf,
    },
}

impl ColumnStore {
    /// Room for `n_frames` of `n_columns`, all 0.
    ///
    /// # Errors
    /// [`PassError::Spill`]: the file cannot be made.
    pub fn new(n_frames: usize, n_columns: usize, place: SeriesPlace<'_>) -> Result<Self, PassError> {
        let blocks = match place {
            SeriesPlace::Memory => Blocks::Held(RwLock::new(vec![0.0; n_frames * n_columns])),
            SeriesPlace::Folder(folder) => {
                let problem = |cause| PassError::Spill { action: "create", folder: folder.to_path_buf(), cause };
                let file = tempfile::tempfile_in(folder).map_err(problem)?;
                file.set_len((n_frames * n_columns * VALUE_BYTES) as u64).map_err(problem)?;
                Blocks::Spilled { file: Mutex::new(file), folder: folder.to_path_buf() }
            }
        };
        Ok(Self { n_frames, n_columns, blocks })
    }

    /// Number of frames.
    pub fn n_frames(&self) -> usize {
        self.n_frames
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Puts a block's values, frame x column; from any thread.
    ///
    /// # Errors
    /// [`PassError::Spill`]: the disk is full, say.
    pub fn put(&self, block: usize, values: &[f32]) -> Result<(), PassError> {
        let start = block * BLOCK_COLUMNS * self.n_frames;
        match &self.blocks {
            Blocks::Held(held) => {
                let mut held = held.write().unwrap_or_else(PoisonError::into_inner);
                if let Some(own) = held.get_mut(start..start + values.len()) {
                    own.copy_from_slice(values);
                }
                Ok(())
            }
            Blocks::Spilled { file, folder } => {
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let start = SeekFrom::Start((start * VALUE_BYTES) as u64);
                let written = file.seek(start).and_then(|_| file.write_all(&bytes));
                written.map_err(|cause| PassError::Spill { action: "write", folder: folder.clone(), cause })
            }
        }
    }

    /// The values of one frame, one a column; 0 in blocks that were not put.
    ///
    /// # Errors
    /// [`PassError::Spill`]: the file cannot be read back.
    pub fn frame(&self, frame: usize) -> Result<Vec<f32>, PassError> {
        let mut out = vec![0.0; self.n_columns];
        for (block, columns) in column_blocks(self.n_columns).enumerate() {
            let row = &mut out[columns];
            let start = block * BLOCK_COLUMNS * self.n_frames + frame * row.len();
            match &self.blocks {
                Blocks::Held(held) => {
                    let held = held.read().unwrap_or_else(PoisonError::into_inner);
                    if let Some(values) = held.get(start..start + row.len()) {
                        row.copy_from_slice(values);
                    }
                }
                Blocks::Spilled { file, folder } => {
                    let read = read_row(file, (start * VALUE_BYTES) as u64, row);
                    read.map_err(|cause| PassError::Spill { action: "read", folder: folder.clone(), cause })?;
                }
            }
        }
        Ok(out)
    }

    /// The values of one column, one a frame.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub fn column(&self, column: usize) -> Result<Vec<f32>, PassError> {
        (0..self.n_frames).map(|frame| self.value(frame, column)).collect()
    }

    fn value(&self, frame: usize, column: usize) -> Result<f32, PassError> {
        let block = column / BLOCK_COLUMNS;
        let width = BLOCK_COLUMNS.min(self.n_columns - block * BLOCK_COLUMNS);
        let at = block * BLOCK_COLUMNS * self.n_frames + frame * width + column % BLOCK_COLUMNS;
        match &self.blocks {
            Blocks::Held(held) => {
                let held = held.read().unwrap_or_else(PoisonError::into_inner);
                Ok(held.get(at).copied().unwrap_or(0.0))
            }
            Blocks::Spilled { file, folder } => {
                let mut value = [0.0];
                read_row(file, (at * VALUE_BYTES) as u64, &mut value).map_err(|cause| PassError::Spill {
                    action: "read",
                    folder: folder.clone(),
                    cause,
                })?;
                Ok(value[0])
            }
        }
    }
}

fn read_row(file: &Mutex<File>, offset: u64, row: &mut [f32]) -> io::Result<()> {
    let mut bytes = vec![0; row.len() * VALUE_BYTES];
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    let (values, _) = bytes.as_chunks::<VALUE_BYTES>();
    row.iter_mut().zip(values).for_each(|(out, value)| *out = f32::from_ne_bytes(*value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_put_in_any_order_are_read_as_frames_and_columns() {
        let folder = tempfile::tempdir().unwrap();
        let (n_frames, n_columns) = (5, 2 * BLOCK_COLUMNS + 7);
        let value = |frame: usize, column: usize| (frame * 10_007 + column) as f32 + 0.5;
        for place in [SeriesPlace::Memory, SeriesPlace::Folder(folder.path())] {
            let store = ColumnStore::new(n_frames, n_columns, place).unwrap();
            let blocks: Vec<_> = column_blocks(n_columns).enumerate().collect();
            for (block, columns) in blocks.into_iter().rev() {
                let of_frame = |frame| columns.clone().map(move |column| value(frame, column));
                store.put(block, &(0..n_frames).flat_map(of_frame).collect::<Vec<f32>>()).unwrap();
            }
            for frame in 0..n_frames {
                let expected: Vec<f32> = (0..n_columns).map(|column| value(frame, column)).collect();
                assert_eq!(store.frame(frame).unwrap(), expected);
            }
            for column in [0, BLOCK_COLUMNS, n_columns - 1] {
                let expected: Vec<f32> = (0..n_frames).map(|frame| value(frame, column)).collect();
                assert_eq!(store.column(column).unwrap(), expected);
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }

    #[test]
    fn what_was_not_put_is_zero() {
        let folder = tempfile::tempdir().unwrap();
        for place in [SeriesPlace::Memory, SeriesPlace::Folder(folder.path())] {
            let store = ColumnStore::new(2, 3, place).unwrap();
            assert_eq!(store.frame(1).unwrap(), [0.0; 3]);
            assert_eq!((store.column(2).unwrap(), store.n_frames(), store.n_columns()), (vec![0.0; 2], 2, 3));
        }
    }
}

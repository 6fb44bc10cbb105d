//! The data of one run as (time x column), the columns being in-mask voxels or columns of a table.

use super::spill::SpillFile;
use super::{CHUNK_FRAMES, FrameSink, PassError, TimeStatistics};
use crate::inputs::Support;
use std::ops::Range;
use std::path::Path;

/// Columns a block: the unit of parallel work. Fixed, so that no result depends on the number of threads.
pub const BLOCK_COLUMNS: usize = 2048;

/// Column ranges of the blocks of `n_columns`, in order.
pub fn column_blocks(n_columns: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    parts_of(0..n_columns, BLOCK_COLUMNS)
}

/// Ranges of `length` of `columns`, in order, the last one shorter.
pub fn parts_of(columns: Range<usize>, length: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let end = columns.end;
    columns.step_by(length).map(move |start| start..(start + length).min(end))
}

/// Values of one run, f32, minus each column's first frame; frames that were discarded are not in it.
#[derive(Debug)]
pub struct Series {
    /// What the columns are.
    pub support: Support,
    /// Number of frames.
    pub n_frames: usize,
    /// First frame of each column.
    pub first: Vec<f32>,
    samples: Samples,
}

#[derive(Debug)]
enum Samples {
    /// `[frame * n_columns + column]`.
    Held(Vec<f32>),
    Spilled(SpillFile),
}

impl Series {
    /// From `values[frame * n_columns + column]`, each minus `first[column]`.
    pub fn new(support: Support, first: Vec<f32>, values: Vec<f32>) -> Self {
        let n_frames = values.len() / first.len().max(1);
        Self { support, n_frames, first, samples: Samples::Held(values) }
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.first.len()
    }

    /// Values of `frames` minus the first frame at `columns`, frame by frame, into `out`.
    ///
    /// # Errors
    /// [`PassError::Spill`]: samples on disk cannot be read back.
    pub fn read(&self, frames: Range<usize>, columns: Range<usize>, out: &mut Vec<f32>) -> Result<(), PassError> {
        out.clear();
        match &self.samples {
            Samples::Held(values) => {
                for frame in frames {
                    let start = frame * self.n_columns();
                    out.extend_from_slice(&values[start + columns.start..start + columns.end]);
                }
                Ok(())
            }
            Samples::Spilled(file) => file.read(frames, columns, out),
        }
    }

    /// Values of one frame minus the first frame, one a column.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn frame(&self, frame: usize) -> Result<Vec<f32>, PassError> {
        let mut out = Vec::with_capacity(self.n_columns());
        self.read(frame..frame + 1, 0..self.n_columns(), &mut out)?;
        Ok(out)
    }

    /// Some of the frames, as a series of their own.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn stretch(&self, frames: Range<usize>) -> Result<Self, PassError> {
        let mut values = Vec::new();
        self.read(frames, 0..self.n_columns(), &mut values)?;
        let offset = values[..self.n_columns().min(values.len())].to_vec();
        for row in values.chunks_mut(offset.len().max(1)) {
            row.iter_mut().zip(&offset).for_each(|(value, offset)| *value -= offset);
        }
        let first = self.first.iter().zip(&offset).map(|(first, offset)| first + offset).collect();
        Ok(Self::new(self.support.clone(), first, values))
    }

    /// Feeds all frames to `sink`, as a pass over the run does.
    ///
    /// # Errors
    /// As [`Self::read`], or what the sink reports.
    pub fn feed(&self, sink: &mut dyn FrameSink) -> Result<(), PassError> {
        let mut rows = Vec::new();
        for start in (0..self.n_frames).step_by(CHUNK_FRAMES) {
            self.read(start..(start + CHUNK_FRAMES).min(self.n_frames), 0..self.n_columns(), &mut rows)?;
            sink.take(start, &rows)?;
        }
        Ok(())
    }

    /// Column ranges of the blocks, in order.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<> {
        column_blocks(self.n_columns())
    }
}

/// Where the samples of a run are kept; what comes of them does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesPlace<'a> {
    /// In memory: 4 bytes x frames x columns.
    Memory,
    /// In a nameless file in this folder, which goes with the series, however the program ends.
    Folder(&'a Path),
}

/// Keeps every frame.
#[derive(Debug)]
pub struct SeriesWriter {
    samples: Samples,
}

impl SeriesWriter {
    /// For `n_frames` of `n_columns`; memory that it takes is reserved here.
    ///
    /// # Errors
    /// [`PassError::Memory`], [`PassError::Spill`].
    pub fn new(n_frames: usize, n_columns: usize, place: SeriesPlace<'_>) -> Result<Self, PassError> {
        let samples = match place {
            SeriesPlace::Memory => {
                let mut values = Vec::new();
                let n_cells = n_frames.checked_mul(n_columns).ok_or(PassError::Memory { n_frames, n_columns })?;
                values.try_reserve_exact(n_cells).map_err(|_| PassError::Memory { n_frames, n_columns })?;
                Samples::Held(values)
            }
            SeriesPlace::Folder(folder) => Samples::Spilled(SpillFile::new(folder, n_frames, n_columns)?),
        };
        Ok(Self { samples })
    }

    /// The frames taken, as a series of `support`.
    pub fn finish(self, support: Support, statistics: &TimeStatistics) -> Series {
        Series { support, n_frames: statistics.frames.len(), first: statistics.first.clone(), samples: self.samples }
    }
}

impl FrameSink for SeriesWriter {
    fn take(&mut self, _first: usize, rows: &[f32]) -> Result<(), PassError> {
        match &mut self.samples {
            Samples::Held(values) => values.extend_from_slice(rows),
            Samples::Spilled(file) => file.append(rows)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::TimeSums;
    use super::*;

    /// Frames and columns that are no multiples of chunk and block, and fewer than one of either.
    #[test]
    fn a_spilled_series_gives_the_same_values_wherever_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for (n_frames, n_columns) in [(CHUNK_FRAMES + 9, 2 * BLOCK_COLUMNS + 37), (3, 5), (2 * CHUNK_FRAMES, 2048)] {
            let value = |frame: usize, column: usize| (frame * 10_007 + column) as f32 - 0.5;
            let support = Support::Columns { names: (0..n_columns).map(|column| column.to_string()).collect() };
            let statistics = TimeSums::new(n_columns, (0..n_frames).collect()).finish(&vec![0.0; n_columns]);
            let series = |place| {
                let mut writer = SeriesWriter::new(n_frames, n_columns, place).unwrap();
                for start in (0..n_frames).step_by(CHUNK_FRAMES) {
                    let frames = start..(start + CHUNK_FRAMES).min(n_frames);
                    let rows: Vec<f32> =
                        frames.flat_map(|frame| (0..n_columns).map(move |column| value(frame, column))).collect();
                    writer.take(start, &rows).unwrap();
                }
                writer.finish(support.clone(), &statistics)
            };
            for series in [series(SeriesPlace::Memory), series(SeriesPlace::Folder(folder.path()))] {
                let mut found = Vec::new();
                let last = n_columns.div_ceil(BLOCK_COLUMNS) - 1;
                let blocks = [0..BLOCK_COLUMNS.min(n_columns), last * BLOCK_COLUMNS..n_columns, 0..n_columns];
                for columns in blocks.into_iter().chain([1..2, n_columns / 3..n_columns - 1]) {
                    for frames in [0..n_frames, 1..2, n_frames - 1..n_frames, n_frames / 3..n_frames - 1] {
                        series.read(frames.clone(), columns.clone(), &mut found).unwrap();
                        let of_frame = |frame| columns.clone().map(move |column| value(frame, column));
                        assert_eq!(found, frames.flat_map(of_frame).collect::<Vec<_>>());
                    }
                }
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let problem = SeriesWriter::new(1, 1, SeriesPlace::Folder(Path::new("no/such/folder"))).unwrap_err();
        assert!(problem.to_string().contains("no/such/folder"), "{problem}");
    }
}

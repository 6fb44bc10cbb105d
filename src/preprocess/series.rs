//! The data of one run as (time x column), the columns being in-mask voxels or columns of a table.

use crate::inputs::Support;

/// Columns a block: the unit of parallel work. Fixed, so that no result depends on the number of threads.
pub const BLOCK_COLUMNS: usize = 2048;

/// Values of one run, f32, minus each column's first frame; frames that were discarded are not in it.
#[derive(Debug, Clone)]
pub struct Series {
    /// What the columns are.
    pub support: Support,
    /// Number of frames.
    pub n_frames: usize,
    /// `values[frame * n_columns + column]`, minus `first[column]`.
    pub values: Vec<f32>,
    /// First frame of each column.
    pub first: Vec<f32>,
    /// Mean over all frames of each column (first frame added back), f64.
    pub mean: Vec<f64>,
}

impl Series {
    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.first.len()
    }

    /// Values of one frame minus the first frame, one a column.
    pub fn frame(&self, frame: usize) -> &[f32] {
        &self.values[frame * self.n_columns()..(frame + 1) * self.n_columns()]
    }

    /// Column ranges of the blocks, in order.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = std::ops::Range<usize>> + use<> {
        let n_columns = self.n_columns();
        (0..n_columns.div_ceil(BLOCK_COLUMNS))
            .map(move |block| block * BLOCK_COLUMNS..((block + 1) * BLOCK_COLUMNS).min(n_columns))
    }
}

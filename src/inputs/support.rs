//! What a column of the data is: a voxel of a grid, or a column of a table.

use super::{Grid, place_in};

/// The columns of the (time x column) data.
#[derive(Debug, Clone, PartialEq)]
pub enum Support {
    /// In-mask voxels of a grid.
    Voxels {
        /// The grid.
        grid: Grid,
        /// Linear index (axis 0 fastest) of each column's voxel, ascending.
        index: Vec<u32>,
    },
    /// Columns of a table.
    Columns {
        /// Their names.
        names: Vec<String>,
    },
}

/// Column of a voxel that is not among the columns.
pub const NO_COLUMN: u32 = u32::MAX;

/// The column of each voxel of a grid, where columns are the voxels `index`.
pub fn columns_of_voxels(grid: &Grid, index: &[u32]) -> Vec<u32> {
    let mut column_of = vec![NO_COLUMN; grid.n_voxels()];
    for (column, &voxel) in index.iter().enumerate() {
        column_of[voxel as usize] = column as u32;
    }
    column_of
}

impl Support {
    /// The voxels where `mask` (one entry a voxel of `grid`) is true.
    pub fn from_mask(grid: Grid, mask: &[bool]) -> Self {
        let index = mask.iter().enumerate().filter(|(_, inside)| **inside).map(|(at, _)| at as u32).collect();
        Self::Voxels { grid, index }
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        match self {
            Self::Voxels { index, .. } => index.len(),
            Self::Columns { names } => names.len(),
        }
    }

    /// The grid, where there is one.
    pub fn grid(&self) -> Option<&Grid> {
        match self {
            Self::Voxels { grid, .. } => Some(grid),
            Self::Columns { .. } => None,
        }
    }

    /// How a message or a list calls a column: `voxel (i, j, k)` or the column's name.
    pub fn describe(&self, column: usize) -> String {
        match self {
            Self::Voxels { grid, index } => {
                let [i, j, k] = place_in(grid.shape, index[column] as usize);
                format!("voxel ({i}, {j}, {k})")
            }
            Self::Columns { names } => format!("column `{}`", names[column]),
        }
    }
}

//! The one pass over a run: decode, smooth, gather; and scaling.

mod series;

pub use series::{BLOCK_COLUMNS, Series};

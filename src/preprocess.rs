//! The one pass over a run: decode, smooth, gather; the automatic mask; scaling.

mod column_store;
mod epi_mask;
mod gather;
mod morphology;
mod pass_error;
mod scaling;
mod series;
mod sink;
mod smooth;
mod spill;
mod stream;
mod temporal;

pub use column_store::ColumnStore;
pub use epi_mask::{EpiMaskError, combine_epi_masks, epi_mask};
pub use gather::{PassPlan, PassReport, gather, pass, pass_both};
pub use pass_error::PassError;
pub use scaling::{
    Exclusion, ExclusionReason, LARGEST_EXCLUDED_FRACTION, LOWEST_RELATIVE_MEAN, Scaler, excluded_columns,
    scales_samples, too_many_excluded,
};
pub use series::{BLOCK_COLUMNS, Series, SeriesPlace, SeriesWriter, column_blocks, parts_of};
pub(crate) use sink::kept_among;
pub use sink::{CHUNK_FRAMES, FrameSink, TimeStatistics, TimeSums};
pub use smooth::{Scratch, Smoother};
pub use stream::{FRAMES_AHEAD, MAX_BATCH};
pub use temporal::{MeanVolume, mean_volume};

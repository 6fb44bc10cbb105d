//! The one pass over a run: decode, smooth, gather; the automatic mask; scaling.

mod epi_mask;
mod gather;
mod morphology;
mod pass_error;
mod scaling;
mod series;
mod smooth;
mod stream;
mod temporal;

pub use epi_mask::{EpiMaskError, combine_epi_masks, epi_mask};
pub use gather::{PassPlan, PassReport, gather};
pub use pass_error::PassError;
pub use scaling::{
    Exclusion, ExclusionReason, LARGEST_EXCLUDED_FRACTION, LOWEST_RELATIVE_MEAN, Scaler, excluded_columns,
    too_many_excluded,
};
pub use series::{BLOCK_COLUMNS, Series};
pub use smooth::{Scratch, Smoother};
pub use temporal::{MeanVolume, mean_volume, temporal_mean_sd};

//! Everything read: images, masks, event tables, confounds, tables of series and of spikes.

mod atlas_labels;
pub mod bids;
mod confounds;
mod connected;
mod digest;
mod events;
mod frames;
mod grid;
mod hrf_table;
mod kernel_weights;
mod mask;
mod missing_file;
mod neighbourhood;
mod nifti;
mod repetition_time;
mod sidecar;
mod spikes;
mod support;
mod table;
mod timeseries;
mod timing;

pub use atlas_labels::read_atlas_labels;
pub use confounds::{ConfoundTable, read_confounds};
pub use connected::{Components, Connected};
pub(crate) use digest::Hasher;
pub use digest::{Digest, digest_file};
pub use events::{Event, EventTable, read_events};
pub use frames::{Frame, FrameSource};
pub use grid::{AFFINE_TOLERANCE_MM, Grid, place_in};
pub use hrf_table::read_hrf_table;
pub use kernel_weights::read_kernel_weights;
pub use mask::{combine_masks, grid_mismatch, read_atlas, read_mask};
pub use neighbourhood::average_around;
pub use nifti::{
    ElementType, FileDigest, ImageFormat, ImageHeader, NiftiFrames, NumberForm, Scaling, read_frames_f64, read_header,
    read_volume,
};
pub use repetition_time::resolve_tr;
pub use sidecar::{Sidecar, read_sidecar};
pub use spikes::{SpikeTable, SpikeTrain, read_spikes};
pub use support::{NO_COLUMN, Support, columns_of_voxels};
pub use table::table_header;
pub(crate) use table::{Header as TableHeader, Row as TableRow, Table};
pub use timeseries::{SeriesTable, TableRows, read_timeseries};
pub use timing::Timing;

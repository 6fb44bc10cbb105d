//! Everything read: images, masks, event tables, confounds, tables of series.

mod confounds;
mod digest;
mod events;
mod frames;
mod grid;
mod mask;
mod nifti;
mod support;
mod table;
mod timing;

pub use confounds::ConfoundTable;
pub use digest::digest_file;
pub use events::{Event, EventTable};
pub use events::{Event, EventTable, read_events};
pub use frames::FrameSource;
pub use grid::{AFFINE_TOLERANCE_MM, Grid};
pub use mask::{combine_masks, grid_mismatch, read_atlas, read_mask};
pub use nifti::{
    ElementType, FileDigest, ImageFormat, ImageHeader, NiftiFrames, Scaling, read_frames_f64, read_header, read_volume,
};
pub use support::Support;
pub use timing::Timing;

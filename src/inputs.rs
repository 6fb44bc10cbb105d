//! Everything read: images, masks, event tables, confounds, tables of series.

mod confounds;
mod events;
mod frames;
mod grid;
mod support;
mod timing;

pub use confounds::ConfoundTable;
pub use events::{Event, EventTable};
pub use frames::FrameSource;
pub use grid::{AFFINE_TOLERANCE_MM, Grid};
pub use support::Support;
pub use timing::Timing;

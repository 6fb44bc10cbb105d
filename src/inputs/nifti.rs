//! Images: NIfTI-1, NIfTI-2 and Analyze 7.5 headers, and their volumes as a stream.
//!
//! The crate `nifti` gives the header's type; reading is our own, because a header is not to be believed before it
//! was checked, and because volumes of several gigabytes pass through buffers of a few kilobytes here.

mod affine;
mod checks;
mod element;
mod fields;
mod frames;
mod header;
mod members;
mod paths;
mod read_ahead;
mod source;
#[cfg(test)]
pub(crate) mod test_images;
mod volume;

pub use element::{ElementType, NumberForm, Scaling};
pub use fields::ImageFormat;
pub use frames::{FileDigest, NiftiFrames};
pub use header::{ImageHeader, read_header};
pub use volume::{read_frames_f64, read_volume};

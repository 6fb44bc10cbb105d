//! Everything written: names, maps, tables, sidecars, and the protocol that keeps them whole.

mod dataset;
pub mod deconvolution_sidecar;
pub mod design_sidecar;
mod durable;
mod folder;
pub mod image;
pub mod image_sidecar;
pub mod line_figure;
mod lock;
mod manifest;
pub mod names;
pub mod picture;
mod problem;
pub mod provenance;
pub mod rate_sidecar;
mod relative_path;
pub mod response;
pub mod sidecar;
mod staged_file;
mod staging;
mod subject_state;
pub mod tables;

pub use crate::inputs::Digest;
pub use dataset::write_dataset_files;
pub use durable::write_whole;
pub use folder::{OutputFolder, Unit, find_output_folder, open_output_folder};
pub(crate) use image::Chunks;
pub use image::{FrameWriter, Geometry, ImageDescription, Intent, SeriesAxis, write_map, write_mask};
pub use lock::OutputLock;
pub use manifest::{Manifest, ManifestKey, OutputRecord, SavedWarning, Staleness};
pub use names::OutputNames;
pub use problem::OutputError;
pub use relative_path::RelativePath;
pub use staged_file::StagedFile;
pub use staging::StagedOutputs;
pub use subject_state::{SubjectNote, SubjectState};

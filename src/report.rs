//! Reports: HTML pages that people look at, made from saved outputs alone.
//!
//! A page is one file. It asks for no other: style, script, pictures and volumes are in it. Whatever comes from a file is
//! escaped, or inside an image. The same outputs give the same bytes.

mod base64;
mod calibration;
mod contrast;
mod correlation;
mod courses;
mod dataset;
mod design;
mod figures;
mod histogram;
mod html;
mod model;
mod page;
mod quantity;
mod saved;
mod settings;
mod subject;
mod summary;
mod table;
mod viewer;
mod write;

pub use write::{Reports, not_written, refresh_dataset_report, refresh_subject_report, write_reports};

use serde::Serialize;

/// Absolute z above which a voxel is shown and counted, unless another is asked for: two-sided p of .002.
pub const DEFAULT_THRESHOLD: f32 = 3.1;

/// What reports hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReportOptions {
    /// Whether maps can be looked through slice by slice; most of a report's bytes are for that.
    pub viewer: bool,
    /// Absolute z above which a voxel is shown and counted.
    pub threshold: f32,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { viewer: true, threshold: DEFAULT_THRESHOLD }
    }
}

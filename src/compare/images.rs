//! An image read whole, for comparison.

use crate::error::Diagnostics;
use crate::inputs::{Grid, read_frames_f64};
use std::path::Path;

/// Values of an image and what they mean.
#[derive(Debug)]
pub(super) struct ImageValues {
    pub(super) grid: Grid,
    pub(super) n_frames: usize,
    /// Axis 0 fastest, volumes last.
    pub(super) values: Vec<f64>,
    pub(super) intent: Intent,
}

/// NIfTI's intent code and its three parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Intent {
    pub(super) code: i16,
    pub(super) parameters: [f32; 3],
}

/// Reads an image of any real type, scaled.
pub(super) fn read_image(path: &Path) -> Result<ImageValues, Diagnostics> {
    let (header, values, _) = read_frames_f64(path)?;
    let raw = header.raw;
    Ok(ImageValues {
        grid: header.grid,
        n_frames: header.n_frames,
        values,
        intent: Intent { code: raw.intent_code, parameters: [raw.intent_p1, raw.intent_p2, raw.intent_p3] },
    })
}

//! An image read whole, for comparison.

use super::unreadable;
use crate::error::Diagnostics;
use crate::inputs::Grid;
use nifti::{IntoNdArray, NiftiHeader, NiftiObject, ReaderOptions};
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
    let fail = |error: nifti::NiftiError| Diagnostics::from(unreadable(path, &error.to_string()));
    let object = ReaderOptions::new().read_file(path).map_err(fail)?;
    let header = object.header().clone();
    let volume = object.into_volume().into_ndarray::<f64>().map_err(fail)?;
    let length = |axis: usize| volume.shape().get(axis).copied().unwrap_or(1);
    let shape = [length(0), length(1), length(2)];
    Ok(ImageValues {
        grid: Grid { shape, affine: affine(&header) },
        n_frames: volume.len() / shape.iter().product::<usize>().max(1),
        values: volume.t().iter().copied().collect(),
        intent: Intent { code: header.intent_code, parameters: [header.intent_p1, header.intent_p2, header.intent_p3] },
    })
}

/// The sform where there is one, else the voxel sizes.
fn affine(header: &NiftiHeader) -> [[f64; 4]; 4] {
    let mut affine = [[0.0; 4]; 4];
    affine[3][3] = 1.0;
    for (axis, row) in [header.srow_x, header.srow_y, header.srow_z].into_iter().enumerate() {
        if header.sform_code > 0 {
            affine[axis] = row.map(f64::from);
        } else {
            affine[axis][axis] = f64::from(header.pixdim[axis + 1]);
        }
    }
    affine
}

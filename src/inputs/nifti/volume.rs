//! Whole images in memory, as f64: masks, atlases and maps.

use super::frames::NiftiFrames;
use super::header::ImageHeader;
use crate::error::{Diagnostic, Diagnostics, Place};
use std::path::Path;

/// Reads an image of one volume: its values (axis 0 fastest), scaled, one a voxel. Warnings ride along.
///
/// # Errors
/// As [`NiftiFrames::open`] and its reading; or the image has more than one volume.
pub fn read_volume(path: &Path) -> Result<(ImageHeader, Vec<f64>, Diagnostics), Diagnostics> {
    let (frames, warnings) = NiftiFrames::open(path)?;
    let n_frames = frames.header().n_frames;
    if n_frames != 1 {
        let message = format!("an image of {n_frames} volumes where one is needed");
        return Err(Diagnostic::error("image-not-one-volume", message).at(Place::field(path, "dim[4]")).into());
    }
    read_all(frames, warnings)
}

/// Reads all values of an image, scaled: volume after volume, axis 0 fastest. Warnings ride along.
///
/// # Errors
/// As [`NiftiFrames::open`] and its reading.
pub fn read_frames_f64(path: &Path) -> Result<(ImageHeader, Vec<f64>, Diagnostics), Diagnostics> {
    let (frames, warnings) = NiftiFrames::open(path)?;
    read_all(frames, warnings)
}

fn read_all(
    mut frames: NiftiFrames,
    warnings: Diagnostics,
) -> Result<(ImageHeader, Vec<f64>, Diagnostics), Diagnostics> {
    let header = frames.header().clone();
    let n_voxels = header.grid.n_voxels();
    let mut values = Vec::new();
    // within what the file holds (checked on opening), but 8 bytes for each of its perhaps 1
    let count = n_voxels.checked_mul(header.n_frames);
    if count.is_none_or(|count| values.try_reserve_exact(count).is_err()) {
        let message = format!("no memory for {n_voxels} voxels x {} volumes in f64", header.n_frames);
        return Err(Diagnostic::error("image-memory", message).at(Place::file(&header.path)).into());
    }
    for _ in 0..header.n_frames {
        let start = values.len();
        values.resize(start + n_voxels, 0.0);
        frames.next_frame_f64(&mut values[start..])?;
    }
    Ok((header, values, warnings))
}

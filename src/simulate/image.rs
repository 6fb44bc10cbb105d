//! A minimal NIfTI-1 writer: one `.nii.gz` of 16-bit integers or 32-bit floats, frame by frame, whole or not at all.
//!
//! Header fields as in the NIfTI-1 standard (Cox et al. 2004, <https://nifti.nimh.nih.gov/nifti-1>). The image is
//! written beside its place and renamed when complete.

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::Grid;
use flate2::{Compression, GzBuilder, write::GzEncoder};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How the values of an image are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stored {
    /// 16-bit integers; a value is `slope * stored + inter`.
    Int16 { slope: f64, inter: f64 },
    /// 32-bit floats.
    Float32,
}

/// What an image is, besides its values.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImageKind<'a> {
    pub(super) grid: &'a Grid,
    /// Frames and repetition time, seconds; `None`: a map.
    pub(super) frames: Option<(usize, f64)>,
    pub(super) stored: Stored,
    /// At most 79 bytes.
    pub(super) description: &'a str,
}

/// An image being written.
#[derive(Debug)]
pub(super) struct ImageWriter {
    /// `None` once finished.
    encoder: Option<GzEncoder<BufWriter<File>>>,
    path: PathBuf,
    temporary: PathBuf,
    bytes: Vec<u8>,
}

impl ImageWriter {
    /// Begins an image at `path`, whose name ends in `.nii.gz`.
    pub(super) fn create(path: &Path, kind: ImageKind<'_>, compression_level: u32) -> Result<Self, Diagnostics> {
        let temporary = temporary_path(path);
        let file = File::create(&temporary).map_err(|error| write_error(path, &error))?;
        // no name, no time: the same bytes each time
        let encoder = GzBuilder::new()
            .mtime(0)
            .write(BufWriter::with_capacity(1 << 18, file), Compression::new(compression_level));
        let mut writer = Self { encoder: Some(encoder), path: path.to_path_buf(), temporary, bytes: Vec::new() };
        writer.write(&header(kind))?;
        Ok(writer)
    }

    /// Appends values that are stored as 16-bit integers.
    pub(super) fn write_i16(&mut self, values: &[i16]) -> Result<(), Diagnostics> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let written = self.write(&bytes);
        self.bytes = bytes;
        written
    }

    /// Appends values that are stored as 32-bit floats.
    pub(super) fn write_f32(&mut self, values: &[f32]) -> Result<(), Diagnostics> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write(&bytes)
    }

    /// Completes the image and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), Diagnostics> {
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        encoder
            .finish()
            .and_then(|buffer| buffer.into_inner().map_err(io::IntoInnerError::into_error))
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.temporary, &self.path))
            .map_err(|error| {
                let _ = std::fs::remove_file(&self.temporary);
                write_error(&self.path, &error)
            })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Diagnostics> {
        match &mut self.encoder {
            Some(encoder) => encoder.write_all(bytes).map_err(|error| write_error(&self.path, &error)),
            None => Ok(()),
        }
    }
}

impl Drop for ImageWriter {
    fn drop(&mut self) {
        if self.encoder.take().is_some() {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a map of floats.
pub(super) fn write_map(path: &Path, grid: &Grid, values: &[f32], description: &str) -> Result<(), Diagnostics> {
    let kind = ImageKind { grid, frames: None, stored: Stored::Float32, description };
    let mut writer = ImageWriter::create(path, kind, 6)?;
    writer.write_f32(values)?;
    writer.finish()
}

/// Writes a mask of zeros and ones.
pub(super) fn write_mask(path: &Path, grid: &Grid, values: &[i16], description: &str) -> Result<(), Diagnostics> {
    let kind = ImageKind { grid, frames: None, stored: Stored::Int16 { slope: 1.0, inter: 0.0 }, description };
    let mut writer = ImageWriter::create(path, kind, 6)?;
    writer.write_i16(values)?;
    writer.finish()
}

/// Where a file is written before it has its name.
pub(super) fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// A file that could not be written.
pub(super) fn write_error(path: &Path, error: &io::Error) -> Diagnostics {
    Diagnostic::error("simulation-write-failed", format!("cannot write: {error}")).at(Place::file(path)).into()
}

/// The 352 bytes before the values.
fn header(kind: ImageKind<'_>) -> [u8; 352] {
    let mut bytes = [0_u8; 352];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    let float = |value: f64| (value as f32).to_le_bytes();
    let short = |value: i16| value.to_le_bytes();

    put(0, &348_i32.to_le_bytes());
    let frames = kind.frames.map(|(frames, _)| frames);
    put(40, &short(if frames.is_some() { 4 } else { 3 }));
    let dims = kind.grid.shape.into_iter().chain([frames.unwrap_or(1), 1, 1, 1]);
    for (axis, length) in dims.enumerate() {
        put(42 + 2 * axis, &(length as u16).to_le_bytes()); // at most 32767, checked in the specification
    }
    let (datatype, bits, slope, inter) = match kind.stored {
        Stored::Int16 { slope, inter } => (4, 16, slope, inter),
        Stored::Float32 => (16, 32, 1.0, 0.0),
    };
    put(70, &short(datatype));
    put(72, &short(bits));
    put(76, &float(1.0)); // qfac: the voxel axes are right-handed
    for (axis, size_mm) in kind.grid.voxel_sizes_mm().into_iter().enumerate() {
        put(80 + 4 * axis, &float(size_mm));
    }
    put(92, &float(kind.frames.map_or(0.0, |(_, tr_s)| tr_s)));
    put(108, &float(352.0));
    put(112, &float(slope));
    put(116, &float(inter));
    put(123, &[2 | if frames.is_some() { 8 } else { 0 }]); // mm, seconds
    let text = kind.description.as_bytes();
    put(148, &text[..text.len().min(79)]);
    // scanner coordinates, by both ways the standard has; the quaternion of an unrotated grid is (1, 0, 0, 0)
    put(252, &short(1));
    put(254, &short(1));
    for axis in 0..3 {
        put(268 + 4 * axis, &float(kind.grid.affine[axis][3]));
        for column in 0..4 {
            put(280 + 16 * axis + 4 * column, &float(kind.grid.affine[axis][column]));
        }
    }
    put(344, b"n+1\0");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use nifti::{IntoNdArray, NiftiObject, ReaderOptions};

    fn grid() -> Grid {
        Grid {
            shape: [3, 4, 2],
            affine: [[2.0, 0.0, 0.0, -5.0], [0.0, 2.5, 0.0, 7.0], [0.0, 0.0, 3.0, -1.5], [0.0, 0.0, 0.0, 1.0]],
        }
    }

    #[test]
    fn another_reader_reads_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a_bold.nii.gz");
        let grid = grid();
        let kind = ImageKind {
            grid: &grid,
            frames: Some((2, 1.5)),
            stored: Stored::Int16 { slope: 0.5, inter: 10.0 },
            description: "a test",
        };
        let values: Vec<i16> = (0..48).map(|v| v * 600 - 16_000).collect();
        let mut writer = ImageWriter::create(&path, kind, 1).unwrap();
        writer.write_i16(&values[..24]).unwrap();
        writer.write_i16(&values[24..]).unwrap();
        assert!(!path.exists());
        writer.finish().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

        let object = ReaderOptions::new().read_file(&path).unwrap();
        let header = object.header();
        assert_eq!(header.dim[..5], [4, 3, 4, 2, 2]);
        assert_eq!(header.pixdim[..5], [1.0, 2.0, 2.5, 3.0, 1.5]);
        assert_eq!((header.sform_code, header.qform_code, header.xyzt_units), (1, 1, 10));
        assert_eq!((header.srow_x, header.srow_z), ([2.0, 0.0, 0.0, -5.0], [0.0, 0.0, 3.0, -1.5]));
        assert_eq!((header.quatern_x, header.quatern_y, header.quatern_z), (-5.0, 7.0, -1.5));
        let read = object.into_volume().into_ndarray::<f64>().unwrap();
        for (at, &stored) in values.iter().enumerate() {
            assert_eq!(read[[at % 3, at / 3 % 4, at / 12 % 2, at / 24]], 0.5 * f64::from(stored) + 10.0);
        }
    }

    #[test]
    fn an_image_that_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let grid = grid();
        let kind = ImageKind { grid: &grid, frames: None, stored: Stored::Float32, description: "" };
        let mut writer = ImageWriter::create(&folder.path().join("a.nii.gz"), kind, 1).unwrap();
        writer.write_f32(&[1.0; 10]).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let grid = grid();
        let error = write_map(Path::new("/nowhere/at/all.nii.gz"), &grid, &[], "").unwrap_err().to_string();
        assert!(error.contains("simulation-write-failed") && error.contains("/nowhere/at/all.nii.gz"), "{error}");
    }
}

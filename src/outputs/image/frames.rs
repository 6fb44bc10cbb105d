//! An image written frame by frame, so that a 4-D output is never held whole.

use super::gzip::{Chunks, Gzip};
use super::header::{header_bytes, output_header};
use super::{Geometry, ImageDescription, Storage, misuse};
use crate::inputs::Support;
use crate::outputs::OutputError;
use flate2::Compression;
use std::io::{self, Write};

/// The fourth axis of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesAxis {
    /// Its length.
    pub n_frames: usize,
    /// Seconds between frames; `None` where the axis is no time (coefficients).
    pub tr_s: Option<f64>,
}

/// Writes the frames of an image in order; voxels outside the support are zero.
#[derive(Debug)]
pub struct FrameWriter<W: Write> {
    gzip: Gzip<W>,
    storage: Storage,
    /// Linear voxel index of each column.
    index: Vec<u32>,
    n_frames: usize,
    n_pushed: usize,
    /// One frame as bytes; those outside the support stay zero.
    frame: Vec<u8>,
}

impl<W: Write> FrameWriter<W> {
    /// Begins a 4-D image of `axis.n_frames` frames: writes its header.
    ///
    /// # Errors
    /// The image does not fit NIfTI-1, the support has another grid, or the sink fails.
    pub fn new(
        sink: W,
        geometry: &Geometry,
        support: &Support,
        description: &ImageDescription,
        axis: SeriesAxis,
    ) -> Result<Self, OutputError> {
        // the range of values that are still to come is not known: 0, 0 is NIfTI's "not set"
        Self::begin(sink, geometry, support, description, description.intent.storage(), Some(axis), [0.0; 2])
    }

    pub(super) fn begin(
        sink: W,
        geometry: &Geometry,
        support: &Support,
        description: &ImageDescription,
        storage: Storage,
        axis: Option<SeriesAxis>,
        range: [f32; 2],
    ) -> Result<Self, OutputError> {
        let header = output_header(geometry, description, storage, axis, range)?;
        let n_voxels = geometry.grid.n_voxels();
        let Support::Voxels { grid, index } = support else {
            return Err(misuse("the columns of a table have no place in an image".to_owned()).into());
        };
        if grid.shape != geometry.grid.shape || index.iter().any(|&at| at as usize >= n_voxels) {
            return Err(misuse(format!("voxels of the grid {grid} do not fit the grid {}", geometry.grid)).into());
        }
        let level = Compression::new(description.compression_level.min(9));
        // several maps are written at a time, but one series
        let chunks = if axis.is_some() { Chunks::Many } else { Chunks::One };
        let mut gzip = Gzip::new(sink, level, chunks)?;
        gzip.write_all(&header_bytes(&header))?;
        Ok(Self {
            gzip,
            storage,
            index: index.clone(),
            n_frames: axis.map_or(1, |axis| axis.n_frames),
            n_pushed: 0,
            frame: vec![0; n_voxels * storage.bytes()],
        })
    }

    /// Writes the next frame: one value a column of the support.
    ///
    /// # Errors
    /// A frame too many, a wrong number of values, or the sink fails.
    pub fn push<V: Copy + Into<f64>>(&mut self, values: &[V]) -> io::Result<()> {
        if values.len() != self.index.len() {
            return Err(misuse(format!("{} values for {} voxels", values.len(), self.index.len())));
        }
        if self.n_pushed == self.n_frames {
            return Err(misuse(format!("more than the {} frames announced", self.n_frames)));
        }
        let width = self.storage.bytes();
        for (&at, &value) in self.index.iter().zip(values) {
            let slot = &mut self.frame[at as usize * width..][..width];
            let value: f64 = value.into();
            match self.storage {
                Storage::Uint8 => slot.copy_from_slice(&[value as u8]),
                Storage::Float32 => slot.copy_from_slice(&(value as f32).to_le_bytes()),
                Storage::Float64 => slot.copy_from_slice(&value.to_le_bytes()),
            }
        }
        self.gzip.write_all(&self.frame)?;
        self.n_pushed += 1;
        Ok(())
    }

    /// Ends the image and gives the sink back.
    ///
    /// # Errors
    /// Frames are missing, or the sink fails.
    pub fn finish(self) -> io::Result<W> {
        if self.n_pushed != self.n_frames {
            return Err(misuse(format!("{} of {} frames were written", self.n_pushed, self.n_frames)));
        }
        self.gzip.finish()
    }
}

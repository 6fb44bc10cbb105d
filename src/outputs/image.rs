//! NIfTI-1 images: statistic maps, masks and 4-D series in the input's own space.
//!
//! Written byte by byte rather than with `nifti`'s writer, which wraps dimensions over 32767, loses a full
//! disk and holds the whole image. Values are little-endian, gzip without name or time: equal input, equal bytes.

mod frames;
mod gzip;
mod header;

pub use frames::{FrameWriter, SeriesAxis};
pub(crate) use gzip::Chunks;

use super::OutputError;
use crate::inputs::{Grid, Support};
use std::io::{self, Write};

/// Where an image lies: the input's header, from which the output takes qform, sform, voxel sizes and units.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// The input's header; one of NIfTI-2 converted to NIfTI-1's fields.
    pub raw: nifti::NiftiHeader,
    /// Its grid.
    pub grid: Grid,
}

/// What the values of an image are: NIfTI's intent code with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Intent {
    /// t with its degrees of freedom.
    Ttest {
        /// Degrees of freedom.
        dof: f64,
    },
    /// F with its degrees of freedom.
    Ftest {
        /// Of the numerator.
        numerator_dof: f64,
        /// Of the denominator.
        denominator_dof: f64,
    },
    /// Standard normal.
    Zscore,
    /// Probability, stored as float64: float32 ends at 1e-45.
    Pvalue,
    /// Estimate of a parameter.
    Estimate,
    /// Anything else.
    None,
}

impl Intent {
    /// `NIFTI_INTENT_*` and its parameters.
    fn code(self) -> (i16, [f32; 2]) {
        match self {
            Self::Ttest { dof } => (3, [dof as f32, 0.0]),
            Self::Ftest { numerator_dof, denominator_dof } => (4, [numerator_dof as f32, denominator_dof as f32]),
            Self::Zscore => (5, [0.0; 2]),
            Self::Pvalue => (22, [0.0; 2]),
            Self::Estimate => (1001, [0.0; 2]),
            Self::None => (0, [0.0; 2]),
        }
    }

    fn storage(self) -> Storage {
        if self == Self::Pvalue { Storage::Float64 } else { Storage::Float32 }
    }
}

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Storage {
    Uint8,
    Float32,
    Float64,
}

impl Storage {
    const fn bytes(self) -> usize {
        match self {
            Self::Uint8 => 1,
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    const fn bitpix(self) -> i16 {
        match self {
            Self::Uint8 => 8,
            Self::Float32 => 32,
            Self::Float64 => 64,
        }
    }

    /// NIfTI's `datatype`.
    const fn code(self) -> i16 {
        match self {
            Self::Uint8 => 2,
            Self::Float32 => 16,
            Self::Float64 => 64,
        }
    }
}

/// What the header says beside shape and space.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageDescription {
    /// What the values are.
    pub intent: Intent,
    /// Name of the statistic or contrast, cut to 15 bytes.
    pub intent_name: String,
    /// Free text, cut to 79 bytes: what was computed, by which version; no time, no path.
    pub description: String,
    /// gzip level, 0 to 9.
    pub compression_level: u32,
}

/// Writes a 3-D map: one value a column of `support`, zero outside it, NaN and infinities as they are; `cal_min` and
/// `cal_max` are the range of the finite values. Gives the sink back, flushed of everything the encoder held.
///
/// # Errors
/// The image does not fit NIfTI-1, the values do not fit the support, or the sink fails.
pub fn write_map<W: Write>(
    sink: W,
    geometry: &Geometry,
    support: &Support,
    description: &ImageDescription,
    values: &[f64],
) -> Result<W, OutputError> {
    let range = display_range(description.intent, values, values.len() < geometry.grid.n_voxels());
    let storage = description.intent.storage();
    let mut frames = FrameWriter::begin(sink, geometry, support, description, storage, None, range)?;
    frames.push(values)?;
    Ok(frames.finish()?)
}

/// Writes a mask: 1 at the voxels of `support`, 0 elsewhere, uint8.
///
/// # Errors
/// As [`write_map`].
pub fn write_mask<W: Write>(
    sink: W,
    geometry: &Geometry,
    support: &Support,
    compression_level: u32,
) -> Result<W, OutputError> {
    let description = ImageDescription {
        intent: Intent::None,
        intent_name: String::new(),
        description: format!("boldly {}: analysed voxels", env!("CARGO_PKG_VERSION")),
        compression_level,
    };
    let inside = vec![1.0_f32; support.n_columns()];
    let mut frames = FrameWriter::begin(sink, geometry, support, &description, Storage::Uint8, None, [0.0, 1.0])?;
    frames.push(&inside)?;
    Ok(frames.finish()?)
}

/// Smallest and largest finite value, and zero where the map has voxels outside the support; symmetric about zero for
/// t and z, so that a viewer's two colours mean the same.
fn display_range(intent: Intent, values: &[f64], has_outside: bool) -> [f32; 2] {
    let finite = values.iter().copied().filter(|value| value.is_finite()).chain(has_outside.then_some(0.0));
    let [low, high] =
        finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)]);
    if low > high {
        return [0.0, 0.0];
    }
    if matches!(intent, Intent::Ttest { .. } | Intent::Zscore) {
        let largest = low.abs().max(high.abs()) as f32;
        return [-largest, largest];
    }
    [low as f32, high as f32]
}

/// An `io::Error` for a call that does not fit the image begun.
fn misuse(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests;

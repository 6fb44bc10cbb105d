//! Where smoothing takes its values from, and how a plane of them is laid out for the pass along axis 0.

use crate::inputs::Frame;
use crate::signal::gaussian::reflect_index;
use crate::signal::widest::Loop;
use std::ops::Range;

/// A volume that is read piece by piece.
pub(in crate::preprocess) trait Rows {
    /// Fills `out` with the values of `voxels` (linear, axis 0 fastest, within one row), those that are not finite
    /// as 0, and returns how many of these there were. Implementations are marked `#[inline(always)]`: see [`Loop`].
    fn fill(&self, out: &mut [f32], voxels: Range<usize>) -> usize;
}

/// A volume that is held.
pub(super) struct Values<'a>(pub(super) &'a [f32]);

impl Rows for Values<'_> {
    #[inline(always)]
    fn fill(&self, out: &mut [f32], voxels: Range<usize>) -> usize {
        out.copy_from_slice(&self.0[voxels]);
        clear_non_finite(out)
    }
}

/// A volume as it was read, or its difference to a baseline whose values are all finite.
///
/// Smoothing is linear, so that the smoothed difference to a baseline is the difference of the smoothed volumes;
/// its rounding is relative to the difference, of order 10 in BOLD data, not to the signal, of order 1000.
#[derive(Debug, Clone, Copy)]
pub(in crate::preprocess) struct Difference<'a> {
    /// The volume.
    pub(in crate::preprocess) frame: &'a Frame,
    /// What is subtracted.
    pub(in crate::preprocess) baseline: Option<&'a [f32]>,
}

impl Rows for Difference<'_> {
    #[inline(always)]
    fn fill(&self, out: &mut [f32], voxels: Range<usize>) -> usize {
        self.frame.read(voxels.clone(), out);
        let replaced = clear_non_finite(out);
        if let Some(baseline) = self.baseline {
            for (out, baseline) in out.iter_mut().zip(&baseline[voxels]) {
                *out -= baseline;
            }
        }
        replaced
    }
}

/// Puts 0 in place of values that are not finite; returns how many there were (of fewer than 2^32).
#[inline(always)]
pub(in crate::preprocess) fn clear_non_finite(values: &mut [f32]) -> usize {
    let mut replaced = 0_u32;
    for value in values {
        let finite = value.is_finite();
        replaced += u32::from(!finite);
        *value = if finite { *value } else { 0.0 };
    }
    replaced as usize
}

/// Reads one plane, of each row what its pass needs; returns how many values were not finite.
pub(super) struct LoadPlane<'a, R> {
    pub(super) rows: &'a R,
    /// Which part of each row the pass along axis 0 computes.
    pub(super) ranges: &'a [Range<usize>],
    /// 1 for each voxel of the volume inside the mask, 0 outside, where there is a mask.
    pub(super) inside: Option<&'a [f32]>,
    /// Linear index of the plane's first voxel.
    pub(super) first_voxel: usize,
    pub(super) row_length: usize,
    /// Samples that a row is continued by on either side.
    pub(super) radius: usize,
    /// Rows of `row_length + 2 radius` values.
    pub(super) padded: &'a mut [f32],
}

impl<R: Rows> Loop for LoadPlane<'_, R> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let Self { rows, radius, row_length, .. } = self;
        let mut replaced = 0;
        let padded_rows = self.padded.chunks_exact_mut(row_length + 2 * radius);
        for ((j, range), padded) in self.ranges.iter().enumerate().zip(padded_rows) {
            if Range::is_empty(range) {
                continue;
            }
            let read = range.start.saturating_sub(radius)..(range.end + radius).min(row_length);
            let first = self.first_voxel + j * row_length;
            let voxels = first + read.start..first + read.end;
            let out = &mut padded[radius + read.start..radius + read.end];
            replaced += rows.fill(out, voxels.clone());
            if let Some(inside) = self.inside {
                for (value, inside) in out.iter_mut().zip(&inside[voxels]) {
                    *value *= inside;
                }
            }
            pad(padded, radius, row_length, range);
        }
        replaced
    }
}

/// Continues a row that stands at `padded[radius..radius + length]` by reflection, as far as `range` needs it.
#[inline(always)]
fn pad(padded: &mut [f32], radius: usize, length: usize, range: &Range<usize>) {
    for outside in 1..=radius.saturating_sub(range.start) {
        padded[radius - outside] = padded[radius + reflect_index(-outside.cast_signed(), length)];
    }
    for outside in length..range.end + radius {
        padded[radius + outside] = padded[radius + reflect_index(outside.cast_signed(), length)];
    }
}

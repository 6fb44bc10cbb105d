//! The pass that every model needs: decode -> smooth -> gather the columns of the analysis.
//!
//! `values[frame][column] = f32(frame - first frame)`, f64 mean beside it. Only these and a few frames are held:
//! memory is 4 bytes x frames x columns, some 20 bytes a column, up to nine volumes for decoding, and the first
//! kept one.

use super::stream::{batch_frames, for_each_batch};
use super::{BLOCK_COLUMNS, PassError, Scratch, Series, Smoother};
use crate::error::CancelToken;
use crate::inputs::{FrameSource, Support};
use rayon::prelude::*;

/// What a pass does with a run.
#[derive(Debug, Clone)]
pub struct PassPlan {
    /// The columns to gather.
    pub support: Support,
    /// Frames passed over at the start of the run.
    pub discard: usize,
    /// Smoothing of each volume before the columns are gathered; never for tables.
    pub smoother: Option<Smoother>,
}

/// What a pass saw, for the summary and for the rules on what is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassReport {
    /// Values that were not finite and counted as 0: in the columns without smoothing, among all the voxels that
    /// entered it with smoothing.
    pub n_non_finite: usize,
    /// Columns with a value that was not finite, before smoothing or (by overflow) after it; ascending.
    pub non_finite_columns: Vec<u32>,
    /// Columns of the [`Series`] that never change, ascending.
    pub constant_columns: Vec<u32>,
}

/// Reads the run once and gathers the columns of `plan` (see [`Series`]); smoothed frame by frame on the way.
///
/// Decoding has a thread of its own; the rest runs in the rayon pool at hand. The result does not depend on the
/// number of threads.
///
/// # Errors
/// [`PassError`]: the file is damaged, nothing is left to gather, the plan is for another grid, or the work was
/// cancelled.
pub fn gather(
    source: &mut dyn FrameSource,
    plan: &PassPlan,
    cancel: &CancelToken,
) -> Result<(Series, PassReport), PassError> {
    let columns = Columns::new(plan, source.n_values())?;
    let n_columns = plan.support.n_columns();
    let n_frames = source.n_frames().saturating_sub(plan.discard);
    let mut values = Vec::new();
    let n_cells = n_frames.checked_mul(n_columns).ok_or(PassError::Memory { n_frames, n_columns })?;
    values.try_reserve_exact(n_cells).map_err(|_| PassError::Memory { n_frames, n_columns })?;
    let mut baseline = Baseline { frame: Vec::new(), columns: vec![0.0; n_columns] };
    let mut moments = Moments { sum: vec![0.0; n_columns], differing_bits: vec![0; n_columns] };
    let mut report = PassReport::default();
    let mut non_finite = Vec::new();
    let mut scratches = vec![Scratch::default(); batch_frames()];

    for_each_batch(source, plan.discard, cancel, |first, batch| {
        if first == 0 {
            columns.set_baseline(&batch[0], &mut baseline, &mut scratches[0]);
        }
        let start = values.len();
        // Within the reserved space: nothing moves, and the zeros are overwritten while they are in the cache.
        values.resize(start + batch.len() * n_columns, 0.0);
        let found: Vec<NonFinite> = values[start..]
            .par_chunks_exact_mut(n_columns)
            .zip(batch)
            .zip(&mut scratches)
            .map(|((row, frame), scratch)| columns.gather_frame(frame, &baseline, row, scratch))
            .collect();
        for found in found {
            report.n_non_finite += found.count;
            non_finite.extend(found.columns);
        }
        moments.add_rows(&values[start..]);
        Ok(())
    })?;

    let first = baseline.columns;
    let mean: Vec<f64> =
        first.iter().zip(&moments.sum).map(|(first, sum)| f64::from(*first) + sum / n_frames as f64).collect();
    // Sums of finite values near the largest f32 may overflow in smoothing.
    non_finite.extend((0..n_columns as u32).filter(|&column| !mean[column as usize].is_finite()));
    non_finite.sort_unstable();
    non_finite.dedup();
    report.non_finite_columns = non_finite;
    report.constant_columns =
        (0..n_columns as u32).filter(|&column| moments.differing_bits[column as usize] == 0).collect();
    Ok((Series { support: plan.support.clone(), n_frames, values, first, mean }, report))
}

/// The first kept frame, which is subtracted from all.
struct Baseline {
    /// The volume as read, not finite values 0; empty without smoothing.
    frame: Vec<f32>,
    /// Its columns (smoothed where the rest is).
    columns: Vec<f32>,
}

/// Values that were not finite in one frame.
struct NonFinite {
    count: usize,
    columns: Vec<u32>,
}

/// Which values of a frame become which columns.
struct Columns<'plan> {
    /// Linear index of each column's value; `None`: every value is a column.
    index: Option<&'plan [u32]>,
    smoothing: Option<Smoothing>,
}

/// A smoother cut down to the columns, and where they start in each row of the grid.
struct Smoothing {
    smoother: Smoother,
    n_x: usize,
    /// First column of each row (j, k), and the number of columns at the end.
    first_column: Vec<u32>,
}

impl<'plan> Columns<'plan> {
    fn new(plan: &'plan PassPlan, n_values: usize) -> Result<Self, PassError> {
        if plan.support.n_columns() == 0 {
            return Err(PassError::NoColumns);
        }
        let (expected, index) = match &plan.support {
            Support::Voxels { grid, index } => (grid.n_voxels(), Some(index.as_slice())),
            Support::Columns { names } => (names.len(), None),
        };
        let smoothed = plan.smoother.as_ref().map_or(expected, Smoother::n_voxels);
        if let Some(expected) = [expected, smoothed].into_iter().find(|expected| *expected != n_values) {
            return Err(PassError::ValuesDiffer { expected, found: n_values });
        }
        let smoothing = match (&plan.smoother, &plan.support) {
            (Some(smoother), Support::Voxels { grid, index }) => {
                let [n_x, n_y, n_z] = grid.shape;
                let first_column = (0..=n_y * n_z)
                    .map(|row| index.partition_point(|voxel| (*voxel as usize) < row * n_x) as u32)
                    .collect();
                Some(Smoothing { smoother: smoother.clone().limited_to(index), n_x, first_column })
            }
            _ => None,
        };
        Ok(Self { index, smoothing })
    }

    /// Takes the first kept frame as what is subtracted.
    fn set_baseline(&self, frame: &[f32], baseline: &mut Baseline, scratch: &mut Scratch) {
        let mut columns = std::mem::take(&mut baseline.columns);
        self.gather_frame(
            frame,
            &Baseline { frame: Vec::new(), columns: vec![0.0; columns.len()] },
            &mut columns,
            scratch,
        );
        baseline.columns = columns;
        if self.smoothing.is_some() {
            baseline.frame = frame.iter().map(|value| finite_or_zero(*value)).collect();
        }
    }

    /// `row = columns of (smoothed frame - smoothed baseline)`.
    fn gather_frame(&self, frame: &[f32], baseline: &Baseline, row: &mut [f32], scratch: &mut Scratch) -> NonFinite {
        let count = match (&self.smoothing, self.index) {
            (Some(smoothing), Some(index)) => {
                let subtracted = (!baseline.frame.is_empty()).then_some(baseline.frame.as_slice());
                smoothing.gather(frame, subtracted, index, row, scratch)
            }
            (_, Some(index)) => subtract(index.iter().map(|voxel| frame[*voxel as usize]), &baseline.columns, row),
            (_, None) => subtract(frame.iter().copied(), &baseline.columns, row),
        };
        let columns = if count == 0 { Vec::new() } else { self.not_finite(frame) };
        NonFinite { count, columns }
    }

    /// The columns that are not finite in a frame as read.
    fn not_finite(&self, frame: &[f32]) -> Vec<u32> {
        match self.index {
            Some(index) => {
                (0_u32..).zip(index).filter(|(_, voxel)| !frame[**voxel as usize].is_finite()).map(|(c, _)| c).collect()
            }
            None => (0_u32..).zip(frame).filter(|(_, value)| !value.is_finite()).map(|(c, _)| c).collect(),
        }
    }
}

impl Smoothing {
    fn gather(
        &self,
        frame: &[f32],
        baseline: Option<&[f32]>,
        index: &[u32],
        out: &mut [f32],
        scratch: &mut Scratch,
    ) -> usize {
        self.smoother.smooth_difference(frame, baseline, scratch, |start, values| {
            let row = start / self.n_x;
            let columns = self.first_column[row] as usize..self.first_column[row + 1] as usize;
            for (value, voxel) in out[columns.clone()].iter_mut().zip(&index[columns]) {
                *value = values[*voxel as usize - start];
            }
        })
    }
}

/// `row = values - first`, not finite values as 0; returns how many there were.
fn subtract(values: impl Iterator<Item = f32>, first: &[f32], row: &mut [f32]) -> usize {
    let mut count = 0_usize;
    for ((out, value), first) in row.iter_mut().zip(values).zip(first) {
        count += usize::from(!value.is_finite());
        *out = finite_or_zero(value) - first;
    }
    count
}

fn finite_or_zero(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}

/// Running sums of each column, and whether it ever differed from its first frame.
struct Moments {
    sum: Vec<f64>,
    /// All bits but the sign of every value so far, or-ed: 0 only if all of them are 0.
    differing_bits: Vec<u32>,
}

impl Moments {
    /// Adds rows of values in the order of time, parallel over blocks of columns.
    fn add_rows(&mut self, rows: &[f32]) {
        let n_columns = self.sum.len();
        self.sum
            .par_chunks_mut(BLOCK_COLUMNS)
            .zip(self.differing_bits.par_chunks_mut(BLOCK_COLUMNS))
            .enumerate()
            .for_each(|(block, (sums, differing_bits))| {
                for row in rows.chunks_exact(n_columns) {
                    let row = &row[block * BLOCK_COLUMNS..][..sums.len()];
                    for ((value, sum), bits) in row.iter().zip(&mut *sums).zip(&mut *differing_bits) {
                        *sum += f64::from(*value);
                        *bits |= value.to_bits() & !(1 << 31);
                    }
                }
            });
    }
}

#[cfg(test)]
mod tests;

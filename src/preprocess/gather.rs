//! The pass that every model needs: decode -> smooth -> gather the columns of the analysis.
//!
//! What is gathered, `f32(frame - first frame)`, goes to sinks chunk by chunk. Held are one chunk of
//! [`CHUNK_FRAMES`] x columns, some 30 bytes a column, up to nine volumes for decoding (as stored, at most 4 bytes a
//! voxel), the first kept one, and what the sinks hold: a [`Series`] is 4 bytes x frames x columns.

use super::smooth::{Difference, clear_non_finite};
use super::stream::{batch_frames, for_each_batch};
use super::{
    CHUNK_FRAMES, FrameSink, PassError, Scratch, Series, SeriesPlace, SeriesWriter, Smoother, TimeStatistics, TimeSums,
};
use crate::error::CancelToken;
use crate::inputs::{Frame, FrameSource, Support};
use rayon::prelude::*;
use std::ops::Range;

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
}

/// Reads the run once into a [`Series`]: a [`pass`] with one sink.
///
/// # Errors
/// As [`pass`].
pub fn gather(
    source: &mut dyn FrameSource,
    plan: &PassPlan,
    cancel: &CancelToken,
) -> Result<(Series, PassReport), PassError> {
    let n_frames = source.n_frames().saturating_sub(plan.discard);
    let mut writer = SeriesWriter::new(n_frames, plan.support.n_columns(), SeriesPlace::Memory)?;
    let (statistics, report) = pass(source, plan, &mut [&mut writer], cancel)?;
    Ok((writer.finish(plan.support.clone(), &statistics), report))
}

/// Reads the run once, smoothed frame by frame on the way, and feeds the columns of `plan` to `sinks`.
///
/// Decoding has a thread of its own; the rest runs in the rayon pool at hand. The result does not depend on the
/// number of threads.
///
/// # Errors
/// [`PassError`]: the file is damaged, nothing is left to gather, the plan is for another grid, or the work was
/// cancelled.
pub fn pass(
    source: &mut dyn FrameSource,
    plan: &PassPlan,
    sinks: &mut [&mut dyn FrameSink],
    cancel: &CancelToken,
) -> Result<(TimeStatistics, PassReport), PassError> {
    let lane = Gathering::new(source, plan, sinks)?;
    let [gathered] = pass_lanes(source, plan.discard, [lane], cancel)?;
    Ok(gathered)
}

/// A [`pass`] that gathers the same frames in two ways, say smoothed and as they are: one decode, and what each way gives.
///
/// # Errors
/// As [`pass`]; both plans discard the same frames.
pub fn pass_both(
    source: &mut dyn FrameSource,
    plans: [&PassPlan; 2],
    [of_first, of_second]: [&mut [&mut dyn FrameSink]; 2],
    cancel: &CancelToken,
) -> Result<[(TimeStatistics, PassReport); 2], PassError> {
    let lanes = [Gathering::new(source, plans[0], of_first)?, Gathering::new(source, plans[1], of_second)?];
    pass_lanes(source, plans[0].discard, lanes, cancel)
}

fn pass_lanes<const N: usize>(
    source: &mut dyn FrameSource,
    discard: usize,
    mut lanes: [Gathering<'_, '_>; N],
    cancel: &CancelToken,
) -> Result<[(TimeStatistics, PassReport); N], PassError> {
    for_each_batch(source, discard, cancel, |first, batch| {
        lanes.iter_mut().try_for_each(|lane| lane.take_batch(first, batch))
    })?;
    Ok(lanes.map(Gathering::finish))
}

/// One way of gathering the frames of a run, under way.
struct Gathering<'a, 'sinks> {
    columns: Columns<'a>,
    sinks: &'a mut [&'sinks mut dyn FrameSink],
    n_columns: usize,
    n_frames: usize,
    /// Frames that were gathered and not handed on yet: frame x column, `filled` rows of it.
    chunk: Vec<f32>,
    filled: usize,
    baseline: Baseline,
    sums: TimeSums,
    report: PassReport,
    non_finite: Vec<u32>,
    scratches: Vec<Scratch>,
}

impl<'a, 'sinks> Gathering<'a, 'sinks> {
    fn new(
        source: &dyn FrameSource,
        plan: &'a PassPlan,
        sinks: &'a mut [&'sinks mut dyn FrameSink],
    ) -> Result<Self, PassError> {
        let columns = Columns::new(plan, source.n_values())?;
        let n_columns = plan.support.n_columns();
        let n_frames = source.n_frames().saturating_sub(plan.discard);
        let chunk_frames = CHUNK_FRAMES.min(n_frames);
        let mut chunk = Vec::new();
        chunk
            .try_reserve_exact(chunk_frames * n_columns)
            .map_err(|_| PassError::Memory { n_frames: chunk_frames, n_columns })?;
        chunk.resize(chunk_frames * n_columns, 0.0_f32);
        Ok(Self {
            columns,
            sinks,
            n_columns,
            n_frames,
            chunk,
            filled: 0,
            baseline: Baseline { frame: Vec::new(), columns: vec![0.0; n_columns] },
            sums: TimeSums::new(n_columns, (0..n_frames).collect()),
            report: PassReport::default(),
            non_finite: Vec::new(),
            scratches: vec![Scratch::default(); batch_frames()],
        })
    }

    fn take_batch(&mut self, first: usize, batch: &[Frame]) -> Result<(), PassError> {
        if first == 0 {
            self.columns.set_baseline(&batch[0], &mut self.baseline, &mut self.scratches[0]);
        }
        let n_columns = self.n_columns;
        let chunk_frames = CHUNK_FRAMES.min(self.n_frames);
        let (mut at, mut left) = (first, batch);
        while !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(chunk_frames - self.filled));
            let (columns, baseline) = (&self.columns, &self.baseline);
            let found: Vec<NonFinite> = self.chunk[self.filled * n_columns..]
                .par_chunks_exact_mut(n_columns)
                .zip(now)
                .zip(&mut self.scratches)
                .map(|((row, frame), scratch)| columns.gather_frame(frame, baseline, row, scratch))
                .collect();
            for found in found {
                self.report.n_non_finite += found.count;
                self.non_finite.extend(found.columns);
            }
            (at, left, self.filled) = (at + now.len(), later, self.filled + now.len());
            if self.filled == chunk_frames || at == self.n_frames {
                let rows = &self.chunk[..self.filled * n_columns];
                self.sums.take(at - self.filled, rows)?;
                for sink in &mut *self.sinks {
                    sink.take(at - self.filled, rows)?;
                }
                self.filled = 0;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> (TimeStatistics, PassReport) {
        let statistics = self.sums.finish(&self.baseline.columns);
        // Sums of finite values near the largest f32 may overflow in smoothing.
        let overflowed = (0_u32..).zip(&statistics.mean).filter(|(_, mean)| !mean.is_finite());
        self.non_finite.extend(overflowed.map(|(column, _)| column));
        self.non_finite.sort_unstable();
        self.non_finite.dedup();
        self.report.non_finite_columns = self.non_finite;
        (statistics, self.report)
    }
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
    /// Runs of neighbouring values, which are neighbouring columns.
    runs: Vec<Range<usize>>,
    smoothing: Option<Smoothing<'plan>>,
}

/// A smoother cut down to the columns, and where they start in each row of the grid.
struct Smoothing<'plan> {
    smoother: Smoother,
    n_x: usize,
    /// Linear index of each column's voxel.
    index: &'plan [u32],
    /// First column of each row (j, k), and the number of columns at the end.
    first_column: Vec<u32>,
}

impl<'plan> Columns<'plan> {
    fn new(plan: &'plan PassPlan, n_values: usize) -> Result<Self, PassError> {
        if plan.support.n_columns() == 0 {
            return Err(PassError::NoColumns);
        }
        let (expected, runs) = match &plan.support {
            Support::Voxels { grid, index } => {
                let of_neighbours = index.chunk_by(|before, after| before + 1 == *after);
                let run = |voxels: &[u32]| voxels[0] as usize..voxels[0] as usize + voxels.len();
                (grid.n_voxels(), of_neighbours.map(run).collect())
            }
            Support::Columns { names } => (names.len(), std::iter::once(0..names.len()).collect()),
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
                Some(Smoothing { smoother: smoother.clone().limited_to(index), n_x, index, first_column })
            }
            _ => None,
        };
        Ok(Self { runs, smoothing })
    }

    /// Takes the first kept frame as what is subtracted.
    fn set_baseline(&self, frame: &Frame, baseline: &mut Baseline, scratch: &mut Scratch) {
        let mut columns = std::mem::take(&mut baseline.columns);
        self.gather_frame(
            frame,
            &Baseline { frame: Vec::new(), columns: vec![0.0; columns.len()] },
            &mut columns,
            scratch,
        );
        baseline.columns = columns;
        if self.smoothing.is_some() {
            baseline.frame = frame.to_values();
            clear_non_finite(&mut baseline.frame);
        }
    }

    /// `row = columns of (smoothed frame - smoothed baseline)`.
    fn gather_frame(&self, frame: &Frame, baseline: &Baseline, row: &mut [f32], scratch: &mut Scratch) -> NonFinite {
        let count = if let Some(smoothing) = &self.smoothing {
            let subtracted = (!baseline.frame.is_empty()).then_some(baseline.frame.as_slice());
            smoothing.gather(frame, subtracted, row, scratch)
        } else {
            self.read(frame, row);
            let count = clear_non_finite(row);
            for (value, first) in row.iter_mut().zip(&baseline.columns) {
                *value -= first;
            }
            count
        };
        let columns = if count == 0 { Vec::new() } else { self.not_finite(frame, row.len()) };
        NonFinite { count, columns }
    }

    /// `row = columns of the frame` as stored.
    fn read(&self, frame: &Frame, row: &mut [f32]) {
        let mut column = 0;
        for run in &self.runs {
            frame.read(run.clone(), &mut row[column..column + run.len()]);
            column += run.len();
        }
    }

    /// The columns that are not finite in a frame as read.
    fn not_finite(&self, frame: &Frame, n_columns: usize) -> Vec<u32> {
        let mut values = vec![0.0; n_columns];
        self.read(frame, &mut values);
        (0_u32..).zip(values).filter(|(_, value)| !value.is_finite()).map(|(column, _)| column).collect()
    }
}

impl Smoothing<'_> {
    fn gather(&self, frame: &Frame, baseline: Option<&[f32]>, out: &mut [f32], scratch: &mut Scratch) -> usize {
        self.smoother.smooth_rows(&Difference { frame, baseline }, scratch, |start, values| {
            let row = start / self.n_x;
            let columns = self.first_column[row] as usize..self.first_column[row + 1] as usize;
            if columns.len() == values.len() {
                out[columns].copy_from_slice(values); // from the first wanted voxel to the last without a gap
                return;
            }
            for (value, voxel) in out[columns.clone()].iter_mut().zip(&self.index[columns]) {
                *value = values[*voxel as usize - start];
            }
        })
    }
}

#[cfg(test)]
mod tests;

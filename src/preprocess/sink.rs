//! What a pass feeds: chunks of gathered frames in the order of time; and the sums over time that any run is asked for.

use super::{BLOCK_COLUMNS, ExclusionReason, PassError, Series};
use crate::signal::widest::{Loop, widest};
use rayon::prelude::*;
use std::ops::Range;

/// Frames handed over at once, fewer only at the end of a run. Fixed, so that sums over a chunk never depend on how
/// fast frames came; 32 rows keep a matrix product busy and are 30 MB of a whole brain at 2 mm.
pub const CHUNK_FRAMES: usize = 32;

/// Takes the gathered frames of a run.
pub trait FrameSink {
    /// Takes frames `first..` (0-based among those not discarded): `rows` is frame x column, minus the run's first
    /// frame. Chunks start at multiples of [`CHUNK_FRAMES`] and come in the order of time; work is parallel over
    /// blocks of columns.
    ///
    /// # Errors
    /// The sink cannot keep what it must.
    fn take(&mut self, first: usize, rows: &[f32]) -> Result<(), PassError>;
}

/// How many of `kept` (ascending) come before `frames`, and where in `frames` the kept ones are.
pub(crate) fn kept_among<'a>(
    kept: &'a [usize],
    frames: &Range<usize>,
) -> (usize, impl Iterator<Item = usize> + use<'a>) {
    let from = kept.partition_point(|&frame| frame < frames.start);
    let to = kept.partition_point(|&frame| frame < frames.end);
    let start = frames.start;
    (from, kept[from..to].iter().map(move |frame| frame - start))
}

/// Statistics of each column over some frames of a run, in data units: what scaling and the rules on what is left out
/// ask.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeStatistics {
    /// The frames, ascending among those not discarded.
    pub frames: Vec<usize>,
    /// First frame of the run, among `frames` or not, which stored values are relative to.
    pub first: Vec<f32>,
    /// Mean over the frames; not finite where a value is not.
    pub mean: Vec<f64>,
    /// Standard deviation over the frames, of a sample (divisor n - 1); 0 for a single one.
    pub sd: Vec<f64>,
    /// Whether all the frames are equal.
    pub constant: Vec<bool>,
}

impl TimeStatistics {
    /// Over `frames` of `series`.
    ///
    /// # Errors
    /// The series cannot be read.
    pub fn of_series(series: &Series, frames: &[usize]) -> Result<Self, PassError> {
        let mut sums = TimeSums::new(series.n_columns(), frames.to_vec());
        series.feed(&mut sums)?;
        Ok(sums.finish(&series.first))
    }

    /// Why the values of a column cannot be analysed, whatever their mean.
    pub fn unusable(&self, column: usize) -> Option<ExclusionReason> {
        if !self.mean[column].is_finite() {
            Some(ExclusionReason::NotFinite)
        } else if self.constant[column] {
            Some(ExclusionReason::Constant)
        } else {
            None
        }
    }
}

/// Running sums of each column over some frames, and whether it ever differed from the first of them.
#[derive(Debug)]
pub struct TimeSums {
    frames: Vec<usize>,
    sum: Vec<f64>,
    squares: Vec<f64>,
    /// The first of the frames.
    reference: Vec<f32>,
    varies: Vec<bool>,
}

impl TimeSums {
    /// Over `frames`, ascending among those not discarded.
    pub fn new(n_columns: usize, frames: Vec<usize>) -> Self {
        let zeros = || vec![0.0; n_columns];
        let (reference, varies) = (vec![0.0; n_columns], vec![false; n_columns]);
        Self { frames, sum: zeros(), squares: zeros(), reference, varies }
    }

    /// The frames that are summed.
    pub fn frames(&self) -> &[usize] {
        &self.frames
    }

    /// Adds the run's `first` frame, which was taken off. Sums of squares are of differences to it, in f64: they lose
    /// (difference / deviation)^2 of sixteen digits.
    pub fn finish(self, first: &[f32]) -> TimeStatistics {
        let n = self.frames.len() as f64;
        let divisor = (n - 1.0).max(1.0);
        let deviation = |(sum, squares): (&f64, &f64)| ((squares - sum * sum / n).max(0.0) / divisor).sqrt();
        TimeStatistics {
            sd: self.sum.iter().zip(&self.squares).map(deviation).collect(),
            mean: first.iter().zip(&self.sum).map(|(first, sum)| f64::from(*first) + sum / n).collect(),
            constant: self.varies.iter().map(|varies| !varies).collect(),
            first: first.to_vec(),
            frames: self.frames,
        }
    }
}

impl FrameSink for TimeSums {
    fn take(&mut self, first: usize, rows: &[f32]) -> Result<(), PassError> {
        let n_columns = self.sum.len();
        let n_rows = rows.len() / n_columns.max(1);
        let (before, places) = kept_among(&self.frames, &(first..first + n_rows));
        let starts: Vec<usize> = places.map(|place| place * n_columns).collect();
        if before == 0
            && let Some(start) = starts.first()
        {
            self.reference.copy_from_slice(&rows[*start..][..n_columns]);
        }
        self.sum
            .par_chunks_mut(BLOCK_COLUMNS)
            .zip(self.squares.par_chunks_mut(BLOCK_COLUMNS))
            .zip(self.varies.par_chunks_mut(BLOCK_COLUMNS))
            .zip(self.reference.par_chunks(BLOCK_COLUMNS))
            .enumerate()
            .for_each(|(block, (((sums, squares), varies), reference))| {
                for start in &starts {
                    let row = &rows[start + block * BLOCK_COLUMNS..][..sums.len()];
                    widest(AddRow { row, reference, sums: &mut *sums, squares: &mut *squares, varies: &mut *varies });
                }
            });
        Ok(())
    }
}

/// Adds one row to the running sums.
struct AddRow<'a> {
    row: &'a [f32],
    reference: &'a [f32],
    sums: &'a mut [f64],
    squares: &'a mut [f64],
    varies: &'a mut [bool],
}

impl Loop for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((sum, square), value) in self.sums.iter_mut().zip(self.squares).zip(self.row) {
            let wide = f64::from(*value);
            *sum += wide;
            *square += wide * wide;
        }
        for (varies, (value, reference)) in self.varies.iter_mut().zip(self.row.iter().zip(self.reference)) {
            *varies |= value != reference;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(columns: usize, frames: &[f32], counted: &[usize], first: f32) -> TimeStatistics {
        let mut sums = TimeSums::new(columns, counted.to_vec());
        for (frame, value) in frames.iter().enumerate() {
            sums.take(frame, &vec![*value; columns]).unwrap();
        }
        sums.finish(&vec![first; columns])
    }

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        // 10 000 + {0, 3, 6, 3}: mean 10 003, sample variance (9 + 0 + 9 + 0) / 3 = 6; three blocks
        let found = statistics(5000, &[0.0, 3.0, 6.0, 3.0], &[0, 1, 2, 3], 10_000.0);
        assert!(found.mean.iter().all(|mean| *mean == 10_003.0) && found.mean.len() == 5000);
        assert!(found.sd.iter().all(|sd| *sd == 6.0_f64.sqrt()));
        assert!(found.constant.iter().all(|constant| !constant));
    }

    #[test]
    fn frames_that_do_not_count_change_nothing() {
        // the run's first frame is not among those counted: they are equal to each other, not to it
        let found = statistics(1, &[0.0, 3.0, 1e30, 3.0], &[1, 3], 7.0);
        assert_eq!((found.mean, found.sd, found.constant), (vec![10.0], vec![0.0], vec![true]));
    }

    #[test]
    fn one_frame_has_no_deviation() {
        let found = statistics(1, &[0.0], &[0], 5.0);
        assert_eq!((found.mean, found.sd), (vec![5.0], vec![0.0]));
    }
}

//! Whitening row by row: `L^-1` of a covariance matrix `V = L L'`, without the matrix.

use crate::signal::widest::{Loop, widest};
use std::ops::Range;

/// How the noise of a run is whitened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Whitener {
    /// From the row before alone, as it is and whitened.
    Recursion(Vec<Step>),
    /// From the rows before, at most as many as the order of the process.
    Prediction(Vec<Prediction>),
}

/// How a row is whitened: `z_t = (y_t - decay y_(t-1) - carry z_(t-1)) gain`. The first row has nothing before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// Of the row before, as it is.
    pub(crate) decay: f64,
    /// Of the row before, whitened.
    pub(crate) carry: f64,
    /// One over the standard deviation of what is new.
    pub(crate) gain: f64,
}

/// The best prediction of a row from the `coefficients.len()` rows before it, the nearest first:
/// `z_t = (y_t - sum_j coefficients_j y_(t-1-j)) gain`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prediction {
    /// Of the rows before.
    pub(crate) coefficients: Vec<f64>,
    /// One over the standard deviation of what is new.
    pub(crate) gain: f64,
}

impl Whitener {
    /// `ln det V` over `n_rows` rows.
    pub(crate) fn log_determinant(&self, n_rows: usize) -> f64 {
        let gain = |row: usize| match self {
            Self::Recursion(steps) => steps[row].gain,
            Self::Prediction(predictions) => predictions[row.min(predictions.len() - 1)].gain,
        };
        -2.0 * (0..n_rows).map(|row| gain(row).ln()).sum::<f64>()
    }

    /// `L^-1 y` of the columns `columns` of `y` into `z`, both row by row; a row of `y` has `stride` columns.
    pub(crate) fn whiten(&self, y: &[f64], stride: usize, columns: &Range<usize>, z: &mut [f64]) {
        let width = columns.len();
        let row_of = |t: usize| &y[t * stride + columns.start..][..width];
        for t in 0..y.len() / stride.max(1) {
            let (whitened, rest) = z.split_at_mut(t * width);
            let (now, out) = (row_of(t), &mut rest[..width]);
            match self {
                Self::Recursion(steps) => {
                    let before = t.checked_sub(1).map(|before| (row_of(before), &whitened[before * width..]));
                    widest(RecursedRow { now, before, step: steps[t], out });
                }
                Self::Prediction(predictions) => {
                    let Prediction { coefficients, gain } = &predictions[t.min(predictions.len() - 1)];
                    out.copy_from_slice(now);
                    for (back, &coefficient) in coefficients.iter().enumerate() {
                        widest(Subtracted { out, before: row_of(t - 1 - back), coefficient });
                    }
                    if *gain != 1.0 {
                        for value in out {
                            *value *= gain;
                        }
                    }
                }
            }
        }
    }
}

struct RecursedRow<'a> {
    now: &'a [f64],
    /// The row before, as it is and whitened.
    before: Option<(&'a [f64], &'a [f64])>,
    step: Step,
    out: &'a mut [f64],
}

impl Loop for RecursedRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Step { decay, carry, gain } = self.step;
        match self.before {
            None => self.out.iter_mut().zip(self.now).for_each(|(out, now)| *out = now * gain),
            Some((y, z)) => {
                for ((out, now), (y, z)) in self.out.iter_mut().zip(self.now).zip(y.iter().zip(z)) {
                    *out = (now - decay * y - carry * z) * gain;
                }
            }
        }
    }
}

struct Subtracted<'a> {
    out: &'a mut [f64],
    before: &'a [f64],
    coefficient: f64,
}

impl Loop for Subtracted<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.out.iter_mut().zip(self.before).for_each(|(out, before)| *out -= self.coefficient * before);
    }
}

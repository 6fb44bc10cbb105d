//! Null data of a run: noise that is like the run's residuals in time and in space, without any effect.
//!
//! In time: columns of like mean and like residuals share a spectrum ([`strata`]), measured without any model of few parameters
//! and corrected for what the design took out of the residuals ([`spectrum`]). So no noise model is tested on data of its own
//! kind. In space: each frame of white noise is a random combination, with normal weights, of all whitened residuals of the run.
//! Two columns are then correlated exactly as their whitened residuals are, however that varies over the brain, and noise is
//! normal. What it is not: noise is stationary in time, has no spikes of motion, and no more spectra than strata.
//!
//! Weights have as many dimensions as the design leaves residuals: extremes over many voxels come together a little more than
//! in noise that is independent from place to place, so that errors over a family come out somewhat low, by a tenth of themselves
//! for 200 frames.

mod draw;
mod measured;
mod spectrum;
mod strata;

use super::cholesky::{packed_length, solve_lower_packed};
use super::linalg::{product, single_product, transposed_product};
use super::problem::ModelError;
use super::process::Layout;
use super::run_basis::RunBasis;
use super::sampled_fit::members_of;
use super::samples::Samples;
use crate::config::{Numerics, Scaling};
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::inputs::Support;
use crate::preprocess::{Scaler, Series, TimeStatistics, column_blocks};
use measured::{Columns, Measured};
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use spectrum::Residualised;

/// Relative standard error of the variance of an effect, times the root of the independent columns that spectra were measured in.
/// Five tapers alone know the power at a frequency to `1 / sqrt(5)`; with what the design takes it is .6 to .92 in simulations.
const UNCERTAINTY: f64 = 1.0;

/// What null data of a run are drawn from.
#[derive(Debug)]
pub struct NullRun {
    support: Support,
    n_frames: usize,
    /// The frames that noise is made for; at others data stay at their mean.
    kept: Vec<usize>,
    /// Of each column, which data keep.
    means: Vec<f64>,
    /// Standard deviation of the noise of each column; 0 of one that is left out.
    deviations: Vec<f64>,
    /// Stratum of each column.
    stratum: Vec<u32>,
    /// Lower factor of the correlations in time of each stratum, kept frame x kept frame.
    factors: Vec<Array2<f64>>,
    /// Whitened residuals of each block of columns, of length 1: kept frame x column.
    directions: Vec<Array2<f32>>,
    /// As many independent columns would know the spectra as well.
    independent: f64,
}

impl NullRun {
    /// Measures the residuals of ordinary least squares. `statistics` are those of the design's kept frames; columns `left_out`,
    /// ascending, and those that the design explains wholly, have no noise.
    ///
    /// # Errors
    /// [`ModelError`]: no residual degrees of freedom, samples that cannot be read back, interruption.
    pub fn new(
        series: &Series,
        statistics: &TimeStatistics,
        left_out: &[usize],
        design: &RunDesign,
        numerics: &Numerics,
        cancel: &CancelToken,
    ) -> Result<Self, ModelError> {
        let run = RunBasis::new(design, numerics)?;
        // gaps are gaps, whatever the profile makes of them
        let layout = Layout::of_kept(&design.timing.lags());
        let differ = || ModelError::FramesDiffer {
            run: design.run.clone(),
            design: run.kept.len(),
            data: statistics.frames.len(),
        };
        let scaler =
            Scaler::new(Scaling::None, numerics.scaling_arithmetic, statistics, left_out).map_err(|_| differ())?;
        if scaler.kept() != run.kept {
            return Err(differ());
        }
        let samples = Samples { series, scaler: &scaler, run: &run, layout: &layout, name: &design.run };
        let blocks: Vec<_> = column_blocks(series.n_columns()).collect();
        let measured: Vec<BlockOfResiduals> = blocks
            .into_par_iter()
            .map(|block| {
                cancel.check()?;
                let residuals = samples.residuals(&block)?;
                Ok(normalised(residuals, layout.lags()))
            })
            .collect::<Result<_, ModelError>>()?;
        let mut lengths: Vec<f64> = measured.iter().flat_map(|block| block.lengths.clone()).collect();
        for &column in left_out {
            lengths[column] = 0.0;
        }
        let with_noise: Vec<usize> = (0..lengths.len()).filter(|&column| lengths[column] > 0.0).collect();
        if with_noise.is_empty() {
            return Err(ModelError::NoNoise { run: design.run.clone() });
        }
        let halves =
            [0, 1].map(|half| measured.iter().flat_map(|block| block.lag1[half].clone()).collect::<Vec<f64>>());
        let mut directions: Vec<Array2<f32>> = measured.into_iter().map(|block| block.directions).collect();
        let mut times = vec![0];
        layout.lags().iter().for_each(|lag| times.push(times[times.len() - 1] + lag));
        let residualised = Residualised::new(&run.basis.q, &times);
        let first = Columns { directions: &directions, members: &with_noise, scale: None };
        let of_all = Measured::new(&first, &residualised, design)?;
        let strata = strata::strata(&series.support, &statistics.mean, &halves, &with_noise, of_all.independent);
        let of_stratum = |members: &Vec<usize>| {
            cancel.check()?;
            let columns = Columns { directions: &directions, members, scale: Some(&of_all.factor) };
            Measured::new(&columns, &residualised, design)
        };
        let prepared: Vec<Measured> = strata.members.par_iter().map(of_stratum).collect::<Result<_, ModelError>>()?;
        let deviation = |(length, stratum): (&f64, &u32)| length / prepared[*stratum as usize].trace_left.sqrt();
        let deviations = lengths.iter().zip(&strata.index).map(deviation).collect();
        let independent = prepared.iter().map(|measured| measured.independent).sum();
        let factors: Vec<Array2<f64>> = prepared.into_iter().map(|measured| measured.factor).collect();
        whiten(&mut directions, &factors, &strata.index);
        cancel.check()?;
        Ok(Self {
            support: series.support.clone(),
            n_frames: series.n_frames,
            kept: run.kept,
            means: statistics.mean.iter().map(|mean| if mean.is_finite() { *mean } else { 0.0 }).collect(),
            deviations,
            stratum: strata.index,
            factors,
            directions,
            independent,
        })
    }

    /// How many spectra there are.
    pub fn n_strata(&self) -> usize {
        self.factors.len()
    }

    /// Variance of the logarithm of an effect's variance, for want of data to measure spectra in.
    pub fn variance_of_log_variance(&self) -> f64 {
        UNCERTAINTY * UNCERTAINTY / self.independent
    }

    /// Bytes that it takes for so many kept frames and columns, beside the samples it is made from.
    pub const fn bytes(n_kept: usize, n_columns: usize) -> usize {
        // directions; factors and their products with weights
        4 * n_kept * n_columns + 30 * n_columns + 20 * n_kept * n_kept * strata::MOST
    }
}

/// Residuals of a block.
struct BlockOfResiduals {
    /// Made as long as 1, kept frame x column.
    directions: Array2<f32>,
    /// What they were as long as.
    lengths: Vec<f64>,
    /// Correlation between neighbouring frames, in each half of the run.
    lag1: [Vec<f64>; 2],
}

fn normalised(mut residuals: Array2<f64>, lags: &[usize]) -> BlockOfResiduals {
    let mut lengths = Vec::with_capacity(residuals.ncols());
    let mut lag1 = [Vec::new(), Vec::new()];
    let middle = residuals.nrows() / 2;
    for mut column in residuals.columns_mut() {
        let length = column.dot(&column).sqrt();
        if length > 0.0 {
            column /= length;
        }
        let neighbours = || column.iter().zip(column.iter().skip(1)).zip(lags).enumerate();
        for (half, of_half) in lag1.iter_mut().enumerate() {
            let own = neighbours().filter(|(at, (_, lag))| **lag == 1 && (*at >= middle) == (half == 1));
            of_half.push(own.map(|(_, ((before, now), _))| before * now).sum());
        }
        lengths.push(length);
    }
    BlockOfResiduals { directions: residuals.mapv(|value| value as f32), lengths, lag1 }
}

/// Whitens each column by its stratum's factor, and makes it as long as 1.
fn whiten(directions: &mut [Array2<f32>], factors: &[Array2<f64>], stratum: &[u32]) {
    let inverse = |factor: &Array2<f64>| inverse_of_lower(factor).mapv(|value| value as f32);
    let inverses: Vec<Array2<f32>> = factors.par_iter().map(inverse).collect();
    let of_blocks: Vec<_> = directions.iter_mut().zip(column_blocks(stratum.len())).collect();
    of_blocks.into_par_iter().for_each(|(block, columns)| {
        for (class, members) in members_of(&stratum[columns]) {
            let mut white = single_product(&inverses[class as usize], &block.select(Axis(1), &members));
            for mut column in white.columns_mut() {
                let length = column.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
                if length > 0.0 {
                    column.mapv_inplace(|value| (f64::from(value) / length) as f32);
                }
            }
            for (place, &member) in members.iter().enumerate() {
                block.column_mut(member).assign(&white.column(place));
            }
        }
    });
}

fn inverse_of_lower(factor: &Array2<f64>) -> Array2<f64> {
    let n = factor.nrows();
    let mut packed = Vec::with_capacity(packed_length(n));
    for (i, row) in factor.outer_iter().enumerate() {
        packed.extend(row.iter().take(i + 1));
    }
    let mut inverse = Array2::zeros((n, n));
    for column in 0..n {
        let mut unit = vec![0.0; n];
        unit[column] = 1.0;
        solve_lower_packed(&packed, &mut unit);
        unit.into_iter().enumerate().for_each(|(row, value)| inverse[(row, column)] = value);
    }
    inverse
}

/// `R V R`, `R` taking what an orthonormal basis explains out.
fn residual_covariance(v: &Array2<f64>, q: &Array2<f64>) -> Array2<f64> {
    let qv = transposed_product(q, v);
    let left = v - &product(q, &qv);
    let right = product(&left, q);
    &left - &product(&right, &q.t())
}

#[cfg(test)]
mod tests;

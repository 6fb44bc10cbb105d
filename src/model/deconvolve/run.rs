//! The deconvolution of one run: every column, block by block, its noise and, where asked for, its method chosen.

use super::ConvolutionMatrix;
use super::column_estimates::ColumnEstimates;
use super::methods::{DeconvolutionError, judges, prepared};
use super::noise_bins::NoiseBins;
use super::preparation::folds;
use super::sweep::Sweep;
use super::{Wanted, auto};
use crate::config::{ActivityNoise, DeconvolutionMap, DeconvolutionSettings, Method};
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{ColumnStore, Scaler, Series, SeriesPlace};
use ndarray::Array2;
use rayon::prelude::*;
use std::ops::Range;

/// Folds of the held-out frames.
const N_FOLDS: usize = 5;

/// Length of a stretch of frames left out, seconds: longer than noise is correlated, and shorter than the response to a brief
/// event, part of which is then left to tell of it.
const STRETCH_S: f64 = 4.0;

/// One run, and how it is to be deconvolved.
pub struct RunProblem<'a> {
    /// Its samples.
    pub series: &'a Series,
    /// Their scaling; excluded columns are 0.
    pub scaler: &'a Scaler,
    /// Drift and confounds of the run, which are projected out.
    pub nuisance: &'a RunDesign,
    /// From activity on its grid to the frames of the run.
    pub convolution: &'a ConvolutionMatrix,
    /// Method, penalty, noise.
    pub settings: &'a DeconvolutionSettings,
    /// Autocorrelation that a GLM found in each column, where the noise is from one.
    pub rho: Option<&'a [f64]>,
    /// Averages a field (an entry a column) over the neighbourhood of each column, where noise or method are chosen.
    pub average_around: &'a (dyn Fn(&[f64]) -> Vec<f64> + Sync),
    /// Interruption.
    pub cancel: &'a CancelToken,
}

/// What is asked for besides the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// The fitted series.
    pub fitted: bool,
    /// A standard error of each activity sample.
    pub standard_error: bool,
}

/// What a deconvolution gives: series, and an entry a column of everything else.
#[derive(Debug)]
pub struct RunActivity {
    /// Activity, `upsample` samples each frame, with those before the first frame.
    pub activity: ColumnStore,
    /// Samples of activity before the first frame: they have responses in the data, and are no result.
    pub n_before: usize,
    /// Convolved activity plus drift and confounds, at every frame.
    pub fitted: Option<ColumnStore>,
    /// Standard error of each activity sample.
    pub standard_error: Option<ColumnStore>,
    /// The rest.
    pub columns: ColumnEstimates,
}

/// What is likeliest of each column.
struct Likeliest {
    rho: Vec<f64>,
    /// Place among the candidates.
    method: Vec<u8>,
}

impl RunProblem<'_> {
    /// Deconvolves every column; series lie in `place`.
    ///
    /// # Errors
    /// [`DeconvolutionError`]: a method cannot be prepared, samples cannot be read or kept, interruption.
    pub fn solve(&self, place: SeriesPlace<'_>, extras: Extras) -> Result<RunActivity, DeconvolutionError> {
        let n_columns = self.series.n_columns();
        let n_before = self.convolution.n_before();
        let n_samples = self.convolution.n_activity();
        let store = |n_frames| ColumnStore::new(n_frames, n_columns, place);
        let activity = store(n_samples)?;
        let fitted = extras.fitted.then(|| store(self.series.n_frames)).transpose()?;
        let standard_error = extras.standard_error.then(|| store(n_samples)).transpose()?;
        let mut bins = NoiseBins::new(&self.settings.noise, self.rho);
        let mut choice = vec![0; n_columns];
        if self.settings.method == Method::Auto || self.settings.noise == ActivityNoise::Evidence {
            let likeliest = self.likeliest(bins)?;
            bins = NoiseBins::exactly(&likeliest.rho);
            if self.settings.method == Method::Auto {
                choice = likeliest.method;
            }
        }
        let sweep = Sweep::new(self, &self.nuisance.timing.kept, bins, prepared)?;
        let wanted = Wanted { standard_errors: extras.standard_error, ..Wanted::default() };
        let solve_part = |columns: Range<usize>| -> Result<Part, DeconvolutionError> {
            let data = self.data(&columns)?;
            let block = sweep.solve(&columns, &data, &choice[columns.clone()], wanted);
            let fitted = fitted.as_ref().map(|_| sweep.predicted(&block, &data));
            Ok(Part {
                width: columns.len(),
                activity: block.activity,
                standard_error: block.standard_error,
                fitted,
                columns: block.columns,
            })
        };
        let one_block = |(index, columns): (usize, Range<usize>)| -> Result<ColumnEstimates, DeconvolutionError> {
            let parts: Vec<Part> = parts_of(columns).into_par_iter().map(solve_part).collect::<Result<_, _>>()?;
            activity.put(index, &joined(&parts, n_samples, |part| Some(&part.activity)))?;
            if let Some(store) = &standard_error {
                store.put(index, &joined(&parts, n_samples, |part| part.standard_error.as_ref()))?;
            }
            if let Some(store) = &fitted {
                store.put(index, &joined(&parts, self.series.n_frames, |part| part.fitted.as_ref()))?;
            }
            let mut estimates = ColumnEstimates::default();
            for part in parts {
                estimates.append(part.columns);
            }
            Ok(estimates)
        };
        let blocks: Vec<(usize, Range<usize>)> = self.series.blocks().enumerate().collect();
        let solved: Vec<ColumnEstimates> = blocks.into_par_iter().map(one_block).collect::<Result<_, _>>()?;
        let mut columns = ColumnEstimates::default();
        for block in solved {
            columns.append(block);
        }
        if self.settings.maps.contains(&DeconvolutionMap::HeldOutR2) {
            columns.held_out_r2 = self.held_out_r2(&columns)?;
        }
        Ok(RunActivity { activity, n_before, fitted, standard_error, columns })
    }

    /// Scaled data of all frames (frame x column), 0 in excluded columns.
    fn data(&self, columns: &Range<usize>) -> Result<Array2<f64>, DeconvolutionError> {
        self.cancel.check()?;
        let mut values = Vec::new();
        self.series.read(0..self.series.n_frames, columns.clone(), &mut values)?;
        let scaled = self.scaler.scale_rows(columns, &values);
        // as many values as were read
        Ok(Array2::from_shape_vec((self.series.n_frames, columns.len()), scaled).unwrap_or_default())
    }

    /// Seconds between activity samples.
    pub(super) fn step_s(&self) -> f64 {
        self.nuisance.timing.tr_s / self.settings.upsample as f64
    }

    /// The autocorrelation and the candidate under which the data around each column are likeliest. Noise alone would be
    /// judged by an activity that is not the true one, and smooth activity taken for noise: so both are judged together.
    fn likeliest(&self, bins: NoiseBins) -> Result<Likeliest, DeconvolutionError> {
        let sweep = Sweep::new(self, &self.nuisance.timing.kept, bins, judges)?;
        let n_columns = self.series.n_columns();
        let of_block = |columns: Range<usize>| -> Result<_, DeconvolutionError> {
            let data = self.data(&columns)?;
            let mut criteria = sweep.log_likelihoods(&columns, &data);
            // nothing is known of them: they have no say in what is chosen around them
            for excluded in self.scaler.excluded_among(&columns) {
                for criterion in &mut criteria {
                    criterion[excluded - columns.start] = 0.0;
                }
            }
            Ok((criteria, columns))
        };
        let blocks: Vec<Range<usize>> = parts_of(0..n_columns);
        let solved: Vec<_> = blocks.into_par_iter().map(of_block).collect::<Result<Vec<_>, _>>()?;
        let n_options = solved.first().map_or(0, |(options, _)| options.len());
        let mut criteria = vec![vec![0.0; n_columns]; n_options];
        for (options, columns) in solved {
            for (criterion, values) in criteria.iter_mut().zip(options) {
                criterion[columns.clone()].copy_from_slice(&values);
            }
        }
        let around: Vec<Vec<f64>> = criteria.iter().map(|criterion| (self.average_around)(criterion)).collect();
        let chosen = auto::choose(&around).into_iter().enumerate();
        let (rho, method) = chosen.map(|(column, option)| sweep.option(option, column)).unzip();
        Ok(Likeliest { rho, method })
    }

    /// How well frames that were left out are predicted: `1 - SSE / SSE0`, summed over folds, `SSE0` that of drift and
    /// confounds alone; with the noise and the method that were chosen on all frames.
    fn held_out_r2(&self, chosen: &ColumnEstimates) -> Result<Vec<f64>, DeconvolutionError> {
        let timing = &self.nuisance.timing;
        let stretch = (STRETCH_S / timing.tr_s).ceil() as usize;
        let mut errors = vec![[0.0, 0.0]; chosen.rho.len()];
        for fold in folds(timing, N_FOLDS, stretch).into_iter().filter(|fold| !fold.is_empty()) {
            let mut kept = timing.kept.clone();
            for &frame in &fold {
                kept[frame] = false;
            }
            let sweep = Sweep::new(self, &kept, NoiseBins::exactly(&chosen.rho), prepared)?;
            let of_block = |columns: Range<usize>| -> Result<Vec<[f64; 2]>, DeconvolutionError> {
                let data = self.data(&columns)?;
                let mut block = sweep.solve(&columns, &data, &chosen.method[columns.clone()], Wanted::default());
                let with = squared_errors(&data, &sweep.predicted(&block, &data), &fold);
                block.activity.fill(0.0);
                let without = squared_errors(&data, &sweep.predicted(&block, &data), &fold);
                Ok(with.into_iter().zip(without).map(|(with, without)| [with, without]).collect())
            };
            let blocks: Vec<Range<usize>> = parts_of(0..self.series.n_columns());
            let of_fold: Vec<Vec<[f64; 2]>> = blocks.into_par_iter().map(of_block).collect::<Result<_, _>>()?;
            for (sum, of_fold) in errors.iter_mut().zip(of_fold.into_iter().flatten()) {
                sum.iter_mut().zip(of_fold).for_each(|(sum, squares)| *sum += squares);
            }
        }
        let share = |[with, without]: [f64; 2]| if without > 0.0 { 1.0 - with / without } else { 0.0 };
        Ok(errors.into_iter().map(share).collect())
    }
}

/// Sum of squares of `data - predicted` over `frames`, one a column.
fn squared_errors(data: &Array2<f64>, predicted: &Array2<f64>, frames: &[usize]) -> Vec<f64> {
    let mut sums = vec![0.0; data.ncols()];
    for &frame in frames {
        for (sum, (value, expected)) in sums.iter_mut().zip(data.row(frame).iter().zip(predicted.row(frame))) {
            *sum += (value - expected) * (value - expected);
        }
    }
    sums
}

/// Columns that are solved at a time: few enough that a table of some hundred keeps all cores at work and an interruption does
/// not wait. Fixed, so that no result depends on the number of threads.
const PART_COLUMNS: usize = 256;

/// The parts of a block, in order.
fn parts_of(columns: Range<usize>) -> Vec<Range<usize>> {
    let end = columns.end;
    columns.step_by(PART_COLUMNS).map(|start| start..(start + PART_COLUMNS).min(end)).collect()
}

/// What came of a part of a block; matrices are sample or frame x column.
struct Part {
    width: usize,
    activity: Array2<f64>,
    standard_error: Option<Array2<f64>>,
    fitted: Option<Array2<f64>>,
    columns: ColumnEstimates,
}

/// A series of all parts side by side, in single precision, row by row.
fn joined<'p>(parts: &'p [Part], n_rows: usize, series: impl Fn(&'p Part) -> Option<&'p Array2<f64>>) -> Vec<f32> {
    let mut values = Vec::with_capacity(n_rows * parts.iter().map(|part| part.width).sum::<usize>());
    for row in 0..n_rows {
        for part in parts.iter().filter_map(&series) {
            values.extend(part.row(row).iter().map(|value| *value as f32));
        }
    }
    values
}

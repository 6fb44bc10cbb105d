//! Whether a fit left its residuals white: their autocorrelation column by column, their spectrum over columns.

use super::fit::RunFit;
use super::noise::{NoiseClasses, NoiseField, distinct};
use super::problem::ModelError;
use super::process::{Arma11, Layout, Process, Whitened, gathered};
use super::run_basis::{RunBasis, singular};
use super::sampled_fit::{members_of, whitened_designs};
use super::samples::Samples;
use crate::config::Numerics;
use crate::design::{ColumnRole, RunDesign};
use crate::error::CancelToken;
use crate::preprocess::{Scaler, Series, column_blocks};
use ndarray::Array2;
use rayon::prelude::*;
use realfft::{RealFftPlanner, RealToComplex};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::sync::Arc;

/// An AR(1) coefficient is rounded to this part of 1 before its columns are whitened together: of an autocorrelation that is
/// less than a hundredth of what a run can tell.
const PARTS_OF_RHO: f64 = 500.0;

/// Least share of a frequency that a design may leave: what drift has explained says nothing about noise.
const LEAST_LEFT: f64 = 0.5;

/// Whiteness of whitened residuals, in the columns that were looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Whiteness {
    /// The columns, ascending.
    pub columns: Vec<usize>,
    /// Statistic of Ljung and Box of each (1978, doi 10.1093/biomet/65.2.297), pairs counted at their true lags:
    /// `n (n + 2) sum_k r_k^2 / n_k`, about chi-squared with as many degrees of freedom as lags where residuals are white.
    pub ljung_box: Vec<f64>,
    /// Lags that it sums over.
    pub lags: usize,
    /// Mean periodogram over those columns, relative to what white noise would leave after the same design.
    pub spectrum: Vec<SpectrumPoint>,
}

impl Whiteness {
    /// Share of the columns that have residuals whose statistic is above that which white ones pass with probability `alpha`.
    pub fn share_not_white(&self, alpha: f64) -> f64 {
        let with_residuals = || self.ljung_box.iter().filter(|statistic| **statistic > 0.0);
        let Ok(reference) = ChiSquared::new(self.lags as f64) else { return 0.0 }; // there are lags
        let bound = reference.inverse_cdf(1.0 - alpha);
        let above = with_residuals().filter(|statistic| **statistic > bound).count();
        above as f64 / with_residuals().count().max(1) as f64
    }
}

/// One frequency of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectrumPoint {
    /// Hz.
    pub frequency_hz: f64,
    /// 1 for white noise.
    pub power: f64,
    /// Share of the variance of the design's task columns at this frequency.
    pub task: f64,
}

/// Lags that are looked at in a run of so many kept frames: `2 + min(n / 8, 3 ln n)`, as AFNI does where nothing else is asked
/// for.
pub fn whiteness_lags(n_kept: usize) -> usize {
    (2 + (n_kept / 8).min((3.0 * (n_kept as f64).ln()).round() as usize)).min(n_kept / 2)
}

/// Looks at the columns `columns` (ascending) of a run that `fit` was fitted to, at lags 1 to `lags`. Excluded columns have 0.
///
/// # Errors
/// [`ModelError`]: samples cannot be read back, interruption.
pub fn whiteness(
    fit: &RunFit,
    (columns, lags): (Vec<usize>, usize),
    (series, scaler): (&Series, &Scaler),
    design: &RunDesign,
    numerics: &Numerics,
    cancel: &CancelToken,
) -> Result<Whiteness, ModelError> {
    let run = RunBasis::new(design, numerics)?;
    let classes = classes_of(fit, &columns);
    let correlated = |process: &Process| matches!(process, Process::Autoregression(own) if !own.partial().is_empty());
    let layout =
        if classes.processes.iter().any(correlated) { Layout::filled(&run.lags) } else { Layout::of_kept(&run.lags) };
    let look = Look::new(&layout, lags, run.dof());
    let samples = Samples { series, scaler, run: &run, layout: &layout, name: &design.run };
    let own = matches!(fit.noise, NoiseField::Own(_));
    // once a class, whichever blocks its columns are in; one by one where each column has its own process
    let shared = if own { NoiseClasses { processes: Vec::new(), index: Vec::new() } } else { classes.clone() };
    let whitened = whitened_designs(&shared, &run, &layout).ok_or_else(|| singular(design))?;
    let left: Vec<Vec<f64>> = whitened.par_iter().map(|whitened| look.left_of(whitened.basis())).collect();
    let basis = layout.basis(&run.basis.q);
    let blocks: Vec<_> = column_blocks(series.n_columns()).collect();
    let of_block = blocks.into_par_iter().map(|block| {
        cancel.check()?;
        let place = |column: usize| columns.partition_point(|&wanted| wanted < column);
        let asked = place(block.start)..place(block.end);
        let wanted = &columns[asked.clone()];
        let mut found = Looked::new(&look, wanted.len());
        let (Some(&first), Some(&last)) = (wanted.first(), wanted.last()) else { return Ok(found) };
        let residuals = samples.residuals(&(first..last + 1))?;
        let mut z = Vec::new();
        for (class, members) in members_of(&classes.index[asked]) {
            let places: Vec<usize> = members.iter().map(|&member| wanted[member] - first).collect();
            let e = gathered(&residuals, &places);
            if own {
                let process = &classes.processes[class as usize];
                let whitened = Whitened::new(&basis, process, &layout).ok_or_else(|| singular(design))?;
                look.add(&whitened.white(&e, &mut z), &look.left_of(whitened.basis()), &members, &mut found);
            } else {
                look.add(&whitened[class as usize].white(&e, &mut z), &left[class as usize], &members, &mut found);
            }
        }
        Ok(found)
    });
    let of_block: Vec<Looked> = of_block.collect::<Result<_, ModelError>>()?;
    let mut all = Looked::new(&look, 0);
    for block in of_block {
        all.ljung_box.extend(block.ljung_box);
        for (sum, of_block) in
            all.power.iter_mut().zip(&block.power).chain(all.expected.iter_mut().zip(&block.expected))
        {
            *sum += of_block;
        }
    }
    let task = task_power(design, &run, &look);
    let at = |frequency: usize| {
        let left = all.expected[frequency] / all.ljung_box.iter().filter(|found| **found > 0.0).count().max(1) as f64;
        let point = SpectrumPoint {
            frequency_hz: frequency as f64 / (look.n_rows as f64 * design.timing.tr_s),
            power: all.power[frequency] / all.expected[frequency],
            task: task[frequency],
        };
        (left >= LEAST_LEFT).then_some(point)
    };
    let spectrum = (1..look.n_frequencies()).filter_map(at).collect();
    Ok(Whiteness { columns, ljung_box: all.ljung_box, lags: look.lags, spectrum })
}

/// The noise of some columns of a fit as processes that they share.
fn classes_of(fit: &RunFit, columns: &[usize]) -> NoiseClasses {
    match &fit.noise {
        NoiseField::White => NoiseClasses::white(columns.len()),
        NoiseField::Classes { processes, index } => {
            let of_columns: Vec<u32> = columns.iter().map(|&column| index[column]).collect();
            let (classes, index) = distinct(&of_columns);
            NoiseClasses { processes: classes.iter().map(|&class| processes[class as usize].clone()).collect(), index }
        }
        NoiseField::Own(processes) => {
            let process = |&column: &usize| Process::Autoregression(processes[column].clone());
            NoiseClasses {
                processes: columns.iter().map(process).collect(),
                index: (0..columns.len() as u32).collect(),
            }
        }
        field => {
            // nilearn's coefficient may pass 1 in a short run
            let part = |&column: &usize| (field.rho(column).clamp(-0.99, 0.99) * PARTS_OF_RHO).round() as i64;
            let (parts, index) = distinct(&columns.iter().map(part).collect::<Vec<i64>>());
            let process = |part: i64| Process::Arma11(Arma11 { a: part as f64 / PARTS_OF_RHO, b: 0.0 });
            NoiseClasses { processes: parts.into_iter().map(process).collect(), index }
        }
    }
}

/// What is looked at, and over which rows.
struct Look {
    /// Repetition times from the first row to each.
    times: Vec<usize>,
    /// Pairs of rows a lag apart, by lag from 1.
    pairs: Vec<Vec<(usize, usize)>>,
    lags: usize,
    /// From the first row to the last, those in between that are not there too.
    n_rows: usize,
    transform: Arc<dyn RealToComplex<f64>>,
    dof: f64,
}

/// What was seen.
struct Looked {
    ljung_box: Vec<f64>,
    power: Vec<f64>,
    expected: Vec<f64>,
}

impl Looked {
    fn new(look: &Look, n_columns: usize) -> Self {
        let none = || vec![0.0; look.n_frequencies()];
        Self { ljung_box: vec![0.0; n_columns], power: none(), expected: none() }
    }
}

impl Look {
    fn new(layout: &Layout, lags: usize, dof: f64) -> Self {
        let mut times = vec![0];
        for lag in layout.lags() {
            times.push(times[times.len() - 1] + lag);
        }
        let n = times.len();
        let mut pairs = vec![Vec::new(); lags + 1];
        for (now, &time) in times.iter().enumerate() {
            for (before, &earlier) in
                times[..now].iter().enumerate().rev().take_while(|(_, earlier)| time - **earlier <= lags)
            {
                pairs[time - earlier].push((now, before));
            }
        }
        let n_rows = times[n - 1] + 1;
        let transform = RealFftPlanner::<f64>::new().plan_fft_forward(n_rows);
        Self { times, pairs, lags, n_rows, transform, dof }
    }

    fn n_frequencies(&self) -> usize {
        self.n_rows / 2 + 1
    }

    /// Looks at whitened residuals (row x column) of a design that leaves `left` of each frequency; `members` are their places.
    fn add(&self, white: &Array2<f64>, left: &[f64], members: &[usize], found: &mut Looked) {
        let n = white.nrows() as f64;
        for (at, &member) in members.iter().enumerate() {
            let column = white.column(at).to_vec();
            let squares: f64 = column.iter().map(|value| value * value).sum();
            if squares == 0.0 {
                continue;
            }
            let of_lag = |pairs: &Vec<(usize, usize)>| {
                let r = pairs.iter().map(|&(now, before)| column[now] * column[before]).sum::<f64>() / squares;
                if pairs.len() > 1 { r * r / pairs.len() as f64 } else { 0.0 }
            };
            found.ljung_box[member] = n * (n + 2.0) * self.pairs[1..].iter().map(of_lag).sum::<f64>();
            let scale = squares / self.dof;
            for (frequency, power) in self.power(&column).into_iter().enumerate() {
                found.power[frequency] += power / scale;
                found.expected[frequency] += left[frequency];
            }
        }
    }

    /// Power of a series at each frequency, that of white noise of variance 1 being 1.
    fn power(&self, column: &[f64]) -> Vec<f64> {
        let transform = &self.transform;
        let mut series = transform.make_input_vec();
        self.times.iter().zip(column).for_each(|(&time, value)| series[time] = *value);
        let mut spectrum = transform.make_output_vec();
        // lengths are those the plan asks for
        if transform.process(&mut series, &mut spectrum).is_err() {
            return vec![0.0; self.n_frequencies()];
        }
        spectrum.iter().map(|value| value.norm_sqr() / column.len() as f64).collect()
    }

    /// The share of white noise that a design with this orthonormal basis leaves at each frequency.
    fn left_of(&self, basis: &Array2<f64>) -> Vec<f64> {
        let mut left = vec![1.0; self.n_frequencies()];
        for column in basis.columns() {
            left.iter_mut().zip(self.power(&column.to_vec())).for_each(|(left, power)| *left -= power);
        }
        left
    }
}

/// Share of the task columns' variance at each frequency.
fn task_power(design: &RunDesign, run: &RunBasis, look: &Look) -> Vec<f64> {
    let mut all = vec![0.0; look.n_frequencies()];
    let n_kept = run.kept.len() as f64;
    let is_task = |column: &usize| matches!(design.roles[*column], ColumnRole::Task { .. });
    for column in (0..design.n_columns()).filter(is_task) {
        let values: Vec<f64> = run.kept.iter().map(|&frame| design.matrix[(frame, column)]).collect();
        let mean = values.iter().sum::<f64>() / n_kept;
        let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
        let on_rows = if look.times.len() == centred.len() {
            centred
        } else {
            let first = run.kept[0];
            let mut filled = vec![0.0; look.times.len()];
            run.kept.iter().zip(centred).for_each(|(&frame, value)| filled[frame - first] = value);
            filled
        };
        all.iter_mut().zip(look.power(&on_rows)).for_each(|(sum, power)| *sum += power);
    }
    let total: f64 = all[1..].iter().sum();
    if total > 0.0 {
        for power in &mut all {
            *power /= total;
        }
    }
    all
}

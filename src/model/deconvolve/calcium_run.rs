//! Spikes behind the fluorescence of every column of a run: each column is a problem of its own.

use super::calcium::{Calcium, CalciumBaseline, CalciumError, CalciumKernel, CalciumPenalty, Order, Trace};
use super::methods::DeconvolutionError;
use super::{ColumnEstimates, Extras, RunActivity};
use crate::config::{DeconvolutionSettings, KernelSettings, LambdaChoice};
use crate::error::CancelToken;
use crate::preprocess::{BLOCK_COLUMNS, ColumnStore, Scaler, Series, SeriesPlace};
use rayon::prelude::*;
use std::ops::Range;

/// A column that cannot be deconvolved.
pub type FailedColumn = (usize, CalciumError);

/// Deconvolves every column of `series`, scaled by `scaler`, whose samples are `dt_s` seconds apart; series of the result lie in
/// `place`. Excluded columns are 0. The columns that cannot be deconvolved come back with the reason.
///
/// # Errors
/// [`DeconvolutionError`]: samples cannot be read or kept, interruption.
pub fn solve_calcium(
    series: &Series,
    scaler: &Scaler,
    settings: &DeconvolutionSettings,
    dt_s: f64,
    (place, extras): (SeriesPlace<'_>, Extras),
    cancel: &CancelToken,
) -> Result<(RunActivity, Vec<FailedColumn>), DeconvolutionError> {
    let (n_frames, n_columns) = (series.n_frames, series.n_columns());
    let activity = ColumnStore::new(n_frames, n_columns, place)?;
    let fitted = extras.fitted.then(|| ColumnStore::new(n_frames, n_columns, place)).transpose()?;
    let problem = problem(settings, dt_s);
    let mut columns = ColumnEstimates::default();
    let mut failed = Vec::new();
    for (index, block) in series.blocks().enumerate() {
        let excluded = scaler.excluded_among(&block);
        let solve = |column: usize| -> Result<Option<Result<Trace, CalciumError>>, DeconvolutionError> {
            cancel.check()?;
            if excluded.binary_search(&column).is_ok() {
                return Ok(None);
            }
            let mut values = Vec::new();
            series.read(0..n_frames, column..column + 1, &mut values)?;
            Ok(Some(problem.solve(&scaler.scale_rows(&(column..column + 1), &values))))
        };
        let solved: Vec<_> = block.clone().into_par_iter().map(solve).collect::<Result<_, _>>()?;
        let mut traces = Vec::new();
        for (column, solved) in block.clone().zip(solved) {
            traces.push(match solved {
                None => None,
                Some(Ok(trace)) => Some(trace),
                Some(Err(error)) => {
                    failed.push((column, error));
                    None
                }
            });
        }
        for trace in &traces {
            note(&mut columns, trace.as_ref(), dt_s);
        }
        activity.put(index, &frames_of(&block, &traces, n_frames, |trace, frame| trace.spikes[frame]))?;
        if let Some(fitted) = &fitted {
            let value = |trace: &Trace, frame: usize| trace.calcium[frame] + trace.baseline[frame];
            fitted.put(index, &frames_of(&block, &traces, n_frames, value))?;
        }
    }
    Ok((RunActivity { activity, fitted, standard_error: None, columns }, failed))
}

fn problem(settings: &DeconvolutionSettings, dt_s: f64) -> Calcium {
    let kernel = match settings.kernel {
        KernelSettings::TimeConstants { tau_rise_s, tau_decay_s } => {
            CalciumKernel::TimeConstants { tau_rise_s, tau_decay_s }
        }
        KernelSettings::Calcium { order: 2 } => CalciumKernel::Estimated(Order::Two),
        _ => CalciumKernel::Estimated(Order::One),
    };
    let penalty = match settings.lambda {
        LambdaChoice::Fixed(lambda) => CalciumPenalty::Fixed(lambda),
        LambdaChoice::NoiseLevel => CalciumPenalty::NoiseLevel,
        _ => CalciumPenalty::Threshold(super::calcium::DEFAULT_THRESHOLD),
    };
    let baseline =
        settings.baseline_window_s.map_or(CalciumBaseline::Constant, |window_s| CalciumBaseline::Running { window_s });
    Calcium { kernel, penalty, baseline, sigma: None, dt_s }
}

/// A block as frame x column, 0 where there is no trace.
fn frames_of(
    block: &Range<usize>,
    traces: &[Option<Trace>],
    n_frames: usize,
    value: impl Fn(&Trace, usize) -> f64,
) -> Vec<f32> {
    debug_assert!(block.len() <= BLOCK_COLUMNS);
    let of_frame = |frame: usize| traces.iter().map(move |trace| (frame, trace.as_ref()));
    let cells = (0..n_frames).flat_map(of_frame);
    cells.map(|(frame, trace)| trace.map_or(0.0, |trace| value(trace, frame)) as f32).collect()
}

fn note(columns: &mut ColumnEstimates, trace: Option<&Trace>, dt_s: f64) {
    columns.lambda.push(trace.map_or(0.0, |trace| trace.lambda));
    columns.sigma.push(trace.map_or(0.0, |trace| trace.sigma));
    columns.rho.push(0.0);
    columns.dof.push(trace.map_or(0.0, |trace| trace.spikes.iter().filter(|spike| **spike > 0.0).count() as f64));
    columns.method.push(0);
    let coefficients = trace.and_then(|trace| trace.coefficients);
    let decay_s = coefficients.map_or(f64::NAN, |coefficients| coefficients.tau_decay_s(dt_s));
    let rise_s = coefficients.and_then(|coefficients| coefficients.tau_rise_s(dt_s)).unwrap_or(f64::NAN);
    columns.time_constants_s.push([rise_s, decay_s]);
}

//! The kernel that activity is convolved with: the response to one activity sample, on the grid of the activity.

use super::basis::{BasisKernel, basis};
use crate::config::{HrfSettings, Numerics};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::signal::hrf::{Kernel, PiecewiseLinear};
use std::path::Path;

/// Length of a canonical response, seconds: beyond it less than 1e-4 of the peak is left, and the field cuts it there.
const CANONICAL_LENGTH_S: f64 = 32.0;

/// Step of the search for the peak of a response, seconds: a parabola misses 1e-8 of a peak that is seconds wide.
const PEAK_STEP_S: f64 = 1e-3;

/// The canonical part of a response at 0, `step_s`, 2 `step_s`, ..., scaled to a peak of 1 in continuous time, so that
/// activity has the same unit on every grid: data units per unit of the kernel.
///
/// `table` is the response read from the file that [`HrfSettings::File`] names (times in seconds, amplitudes).
///
/// # Errors
/// A table that is no response, that has no positive value, or that is 0 wherever it is sampled.
pub fn response_kernel(
    hrf: &HrfSettings,
    table: Option<&(Vec<f64>, Vec<f64>)>,
    step_s: f64,
    numerics: &Numerics,
) -> Result<Vec<f64>, Diagnostics> {
    let mut functions = basis(hrf, table, step_s, numerics)?.into_iter();
    let (kernel, length_s): (Box<dyn Kernel>, f64) = match functions.next().map(|function| function.kernel) {
        Some(BasisKernel::Canonical(part)) => (part.exact(), CANONICAL_LENGTH_S),
        Some(BasisKernel::Lines(lines)) => (Box::new(lines), end_of(table)),
        _ => return Err(Diagnostic::error("deconvolve-kernel", "this response is no kernel to deconvolve with").into()),
    };
    let n_fine = (length_s / PEAK_STEP_S).ceil() as usize;
    let peak = (0..=n_fine).map(|at| kernel.value(at as f64 * PEAK_STEP_S)).fold(0.0, f64::max);
    if peak <= 0.0 {
        return Err(Diagnostic::error("deconvolve-kernel", "the response is nowhere positive").into());
    }
    let samples = sampled(kernel.as_ref(), length_s, step_s)?;
    Ok(samples.into_iter().map(|value| value / peak).collect())
}

/// A kernel from a table, as it stands, at 0, `step_s`, 2 `step_s`, ...: linear between its points, 0 beyond them.
///
/// # Errors
/// The table is no response, or is 0 wherever it is sampled.
pub fn table_kernel(path: &Path, table: &(Vec<f64>, Vec<f64>), step_s: f64) -> Result<Vec<f64>, Diagnostics> {
    let (times_s, amplitudes) = table;
    let lines = PiecewiseLinear::through(times_s, amplitudes).map_err(|error| {
        Diagnostic::error("hrf-table-invalid", format!("this table is no kernel: {error}")).at(Place::file(path))
    })?;
    let at_table = |problem: Diagnostics| problem.into_iter().map(|problem| problem.at(Place::file(path))).collect();
    sampled(&lines, end_of(Some(table)), step_s).map_err(at_table)
}

fn end_of(table: Option<&(Vec<f64>, Vec<f64>)>) -> f64 {
    table.and_then(|(times_s, _)| times_s.last().copied()).unwrap_or(0.0)
}

fn sampled(kernel: &dyn Kernel, length_s: f64, step_s: f64) -> Result<Vec<f64>, Diagnostics> {
    // the small addition keeps the last sample where the length is a multiple of the step up to rounding
    let last = (length_s / step_s + 1e-9).floor() as usize;
    let samples: Vec<f64> = (0..=last).map(|at| kernel.value(at as f64 * step_s)).collect();
    if samples.iter().any(|value| *value != 0.0) {
        return Ok(samples);
    }
    let message =
        format!("the kernel, {length_s} s long, is 0 at every multiple of {step_s} s: data would tell nothing");
    let diagnostic =
        Diagnostic::error("deconvolve-kernel", message).note("expected a value other than 0 at one of them");
    Err(diagnostic.hint("raise `upsample`, which makes the step smaller, or check the times of the kernel").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{HrfShape, Located, Profile};

    fn kernel(step_s: f64) -> Vec<f64> {
        let hrf = HrfSettings::Canonical { shape: HrfShape::Spm, derivative: true, dispersion: false };
        response_kernel(&hrf, None, step_s, &Numerics::of(Profile::Native)).unwrap()
    }

    #[test]
    fn the_peak_is_one_on_every_grid_that_meets_it() {
        let fine = kernel(0.01);
        let peak = fine.iter().copied().fold(0.0, f64::max);
        assert!((peak - 1.0).abs() < 1e-5, "{peak}"); // within half a step of the peak, by its curvature
        let coarse = kernel(2.0);
        assert_eq!(coarse.len(), 17);
        for (at, value) in coarse.iter().enumerate() {
            assert_eq!(*value, fine[200 * at]);
        }
    }

    #[test]
    fn a_kernel_that_falls_between_the_samples_is_refused() {
        let table = (vec![0.0, 0.5, 1.0], vec![0.0, 1.0, 0.0]);
        let refused = table_kernel(Path::new("k.tsv"), &table, 2.0).unwrap_err().to_string();
        assert!(refused.contains("1 s long, is 0 at every multiple of 2 s"), "{refused}");
        assert_eq!(table_kernel(Path::new("k.tsv"), &table, 0.5).unwrap(), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn a_table_is_taken_as_it_stands() {
        let table = (vec![0.0, 1.0, 3.0], vec![0.0, 4.0, 0.0]);
        let samples = table_kernel(Path::new("k.tsv"), &table, 0.5).unwrap();
        assert_eq!(samples, [0.0, 2.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
        let hrf = HrfSettings::File(Located::unplaced("k.tsv".into()));
        let scaled = response_kernel(&hrf, Some(&table), 0.5, &Numerics::of(Profile::Native)).unwrap();
        // peak 1, up to the rounding of the areas it went through
        scaled
            .iter()
            .zip(samples)
            .for_each(|(scaled, as_it_stands)| assert!((4.0 * scaled - as_it_stands).abs() < 1e-12));
    }
}

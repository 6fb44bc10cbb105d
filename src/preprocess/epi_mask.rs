//! The automatic mask: where the mean image of a run is brighter than the emptiest stretch of its histogram.
//!
//! The mean is smoothed by a Gaussian of 1 voxel FWHM; the threshold is the middle of the widest gap between
//! consecutive sorted intensities from the 20th to the 85th percentile (a heuristic by T. Nichols, as in nilearn's
//! `compute_epi_mask`, whose order of steps this follows); erosion by 2, largest component, dilation by 4,
//! erosion by 2.

use super::morphology::{dilate, erode, largest_component};
use crate::error::{Diagnostic, Diagnostics};
use crate::signal::gaussian::{TRUNCATE, convolve_reflected, gaussian_kernel, sigma_of_fwhm};

/// Fraction of the sorted voxels below which no threshold is sought.
const LOWER_CUTOFF: f64 = 0.2;
/// Fraction above which none is sought.
const UPPER_CUTOFF: f64 = 0.85;
/// Erosions that open the mask; twice as many dilations and as many erosions follow.
const OPENING: usize = 2;
/// Share of the grid, percent, outside which a mask cannot be a brain's.
const PLAUSIBLE_PERCENT: std::ops::RangeInclusive<f64> = 1.0..=80.0;

/// Intensities this close, relative to the largest, differ by the rounding of the smoothing alone.
const ROUNDING: f64 = 1e-12;

/// Why no mask could be found by the histogram.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum EpiMaskError {
    /// Too few voxels for a histogram.
    #[error("a grid of {n_voxels} voxels is too small for an automatic mask")]
    GridTooSmall {
        /// Voxels of the grid.
        n_voxels: usize,
    },
    /// The voxels among which a threshold is sought are all equal.
    #[error("65 % of the grid's voxels have the same mean intensity: there is no gap to put a threshold into")]
    NoContrast,
    /// Nothing is left after erosion.
    #[error("the automatic mask is empty: no bright region survives erosion by two voxels")]
    Empty,
    /// Under 1 % of the grid.
    #[error("the automatic mask holds {percent:.2} % of the grid, less than a brain takes up")]
    TooSmall {
        /// Its share of the grid.
        percent: f64,
    },
    /// Over 80 % of the grid.
    #[error("the automatic mask holds {percent:.1} % of the grid: brain and background were not told apart")]
    TooLarge {
        /// Its share of the grid.
        percent: f64,
    },
}

impl From<EpiMaskError> for Diagnostic {
    fn from(error: EpiMaskError) -> Self {
        let code = match error {
            EpiMaskError::GridTooSmall { .. } => "mask-auto-grid-too-small",
            EpiMaskError::NoContrast => "mask-auto-no-contrast",
            EpiMaskError::Empty => "mask-auto-empty",
            EpiMaskError::TooSmall { .. } => "mask-auto-too-small",
            EpiMaskError::TooLarge { .. } => "mask-auto-too-large",
        };
        Self::error(code, error.to_string())
            .note("expected a run with a dark background, whose brain fills 1 % to 80 % of the grid")
            .hint("name a mask image: `path` under `[mask]`")
    }
}

impl From<EpiMaskError> for Diagnostics {
    fn from(error: EpiMaskError) -> Self {
        Diagnostic::from(error).into()
    }
}

/// The mask of one run from its temporal mean (unsmoothed, axis 0 fastest; see
/// [`mean_volume`](super::mean_volume)). Voxels that are not finite count as 0.
///
/// # Errors
/// The grid has too few voxels or no contrast, or the mask is empty, under 1 % or over 80 % of the grid.
pub fn epi_mask(mean: &[f64], shape: [usize; 3]) -> Result<Vec<bool>, EpiMaskError> {
    plausible(mask_by_histogram(mean, shape)?)
}

/// One mask from the runs' own: the largest component of the voxels that are in more than half of them.
///
/// # Errors
/// The mask is empty, under 1 % or over 80 % of the grid.
pub fn combine_epi_masks(masks: &[Vec<bool>], shape: [usize; 3]) -> Result<Vec<bool>, EpiMaskError> {
    plausible(majority(masks, shape))
}

fn majority(masks: &[Vec<bool>], shape: [usize; 3]) -> Vec<bool> {
    let in_most = |voxel| 2 * masks.iter().filter(|mask| mask[voxel]).count() > masks.len();
    let mask: Vec<bool> = (0..shape.iter().product()).map(in_most).collect();
    largest_component(&mask, shape)
}

fn plausible(mask: Vec<bool>) -> Result<Vec<bool>, EpiMaskError> {
    let n_inside = mask.iter().filter(|inside| **inside).count();
    let percent = 100.0 * n_inside as f64 / mask.len() as f64;
    if n_inside == 0 {
        Err(EpiMaskError::Empty)
    } else if percent < *PLAUSIBLE_PERCENT.start() {
        Err(EpiMaskError::TooSmall { percent })
    } else if percent > *PLAUSIBLE_PERCENT.end() {
        Err(EpiMaskError::TooLarge { percent })
    } else {
        Ok(mask)
    }
}

/// The rule alone, as nilearn has it: it may come out empty. (Where there is no contrast nilearn takes the whole grid
/// but for its border.)
fn mask_by_histogram(mean: &[f64], shape: [usize; 3]) -> Result<Vec<bool>, EpiMaskError> {
    let smooth = smoothed(mean, shape);
    let mut sorted = smooth.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let n_voxels = sorted.len();
    let lower = (LOWER_CUTOFF * n_voxels as f64).floor() as usize;
    let upper = ((UPPER_CUTOFF * n_voxels as f64).floor() as usize).min(n_voxels.saturating_sub(1));
    let gap = |at: usize| sorted[at + 1] - sorted[at];
    // the first of the widest
    let widest = (lower..upper).reduce(|best, at| if gap(at) > gap(best) { at } else { best });
    let Some(widest) = widest else {
        return Err(EpiMaskError::GridTooSmall { n_voxels });
    };
    // Without this a volume zeroed outside the brain gives its own inner box, and rounding noise gives anything.
    let largest = sorted[0].abs().max(sorted[n_voxels - 1].abs());
    if sorted[upper] - sorted[lower] <= ROUNDING * largest {
        return Err(EpiMaskError::NoContrast);
    }
    let threshold = 0.5 * (sorted[widest] + sorted[widest + 1]);
    let mask: Vec<bool> = smooth.iter().map(|value| *value >= threshold).collect();
    let mask = largest_component(&erode(&mask, shape, OPENING), shape);
    Ok(erode(&dilate(&mask, shape, 2 * OPENING), shape, OPENING))
}

/// The mean smoothed by 1 voxel FWHM, in f64 because the threshold is a comparison. NaN counts as 0 when its
/// neighbours are smoothed and stays 0 itself; an infinity is 0 before smoothing only: nilearn's treatment.
fn smoothed(mean: &[f64], shape: [usize; 3]) -> Vec<f64> {
    let kernel = gaussian_kernel(sigma_of_fwhm(1.0), TRUNCATE);
    let mut volume: Vec<f64> = mean.iter().map(|value| if value.is_finite() { *value } else { 0.0 }).collect();
    let strides = [1, shape[0], shape[0] * shape[1]];
    for axis in 0..3 {
        let mut line = vec![0.0; shape[axis]];
        let mut out = vec![0.0; shape[axis]];
        for start in (0..volume.len()).filter(|voxel| (voxel / strides[axis]).is_multiple_of(shape[axis])) {
            for (at, value) in line.iter_mut().enumerate() {
                *value = volume[start + at * strides[axis]];
            }
            convolve_reflected(&line, &kernel, &mut out);
            for (at, value) in out.iter().enumerate() {
                volume[start + at * strides[axis]] = *value;
            }
        }
    }
    for (value, mean) in volume.iter_mut().zip(mean) {
        if mean.is_nan() {
            *value = 0.0;
        }
    }
    volume
}

#[cfg(test)]
mod tests;

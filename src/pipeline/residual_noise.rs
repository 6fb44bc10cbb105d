//! The noise in space that thresholds are held against: how smooth the residuals of a model are, run by run.

use super::excluded::Excluded;
use super::failure::Failure;
use crate::config::{GlmSettings, Height};
use crate::design::RunDesign;
use crate::error::{CancelToken, Diagnostic};
use crate::inference::threshold::{
    Autocorrelation, ClusterNull, Distances, Fwhm, LargestClusters, MixedAcf, PastLastPlane, Smoothness,
};
use crate::inputs::{Grid, Support};
use crate::model::{RunFit, residual_frame};
use crate::preprocess::{Scaler, Series};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The noise of one run.
#[derive(Debug, Clone)]
pub(super) struct RunNoise {
    fwhm: Fwhm,
    dof: f64,
    /// Autocorrelation by length, mm; empty where no threshold asks.
    autocorrelation: Vec<(f64, f64)>,
    /// Of the voxels that it is of.
    distances: Distances,
}

/// The noise of a group of runs, each weighed by its degrees of freedom.
#[derive(Debug)]
pub(super) struct GroupNoise {
    /// Full width at half maximum.
    pub(super) fwhm: Fwhm,
    /// Model of the autocorrelation, where a threshold asks for it.
    pub(super) acf: Option<MixedAcf>,
    nulls: Arc<Mutex<Vec<Simulated>>>,
}

/// A simulation, the voxels that it was of, and what it found.
type Simulated = (ClusterNull, Vec<u32>, Arc<LargestClusters>);

/// Bytes that measuring and simulating take at most, for so many columns and voxels of the grid.
pub(super) fn bytes(glms: &[GlmSettings], [n_columns, n_values]: [usize; 2], threads: usize) -> usize {
    let has = |height: fn(Height) -> bool| {
        glms.iter().flat_map(|glm| &glm.thresholds).any(|threshold| height(threshold.height))
    };
    // differences and their products, frames of residuals and their sums
    let measured = if has(Height::needs_residuals) { 120 * n_columns } else { 0 };
    // the box around the voxels with its room, about twice the grid where noise is narrow against the head: power, transforms, and a
    // field a thread
    let simulated = if has(|height| height == Height::Cluster) { 2 * n_values * (80 + 8 * threads) } else { 0 };
    measured + simulated
}

impl RunNoise {
    /// Measures residuals, where a threshold of the model asks for it and the data are voxels.
    ///
    /// Residuals are those of the data before whitening, each voxel's in units of its own standard deviation.
    ///
    /// # Errors
    /// Samples on disk cannot be read back; smoothness cannot be measured; the work was interrupted.
    pub(super) fn measure(
        glm: &GlmSettings,
        fit: &RunFit,
        (series, scaler): (&Series, &Scaler),
        design: &RunDesign,
        excluded: &Excluded,
        cancel: &CancelToken,
    ) -> Result<Option<Self>, Failure> {
        let Support::Voxels { grid, index } = &series.support else { return Ok(None) };
        if !glm.needs_residuals() {
            return Ok(None);
        }
        let columns = excluded.analysed(index.len());
        let voxels: Vec<u32> = columns.iter().map(|&column| index[column]).collect();
        let residuals = |frame: usize| -> Result<Vec<f64>, Failure> {
            cancel.check()?;
            let all = residual_frame(fit, series, scaler, design, frame)?;
            Ok(columns.iter().map(|&column| all[column]).collect())
        };
        let frames = design.timing.kept_frames();
        let mut squares = vec![0.0; columns.len()];
        for &frame in &frames {
            squares.iter_mut().zip(residuals(frame)?).for_each(|(sum, value)| *sum += value * value);
        }
        let scales: Vec<f64> =
            squares.iter().map(|sum| if *sum > 0.0 { (fit.dof / sum).sqrt() } else { 0.0 }).collect();
        let standardised = |frame: usize| -> Result<Vec<f64>, Failure> {
            let mut values = residuals(frame)?;
            values.iter_mut().zip(&scales).for_each(|(value, scale)| *value *= scale);
            Ok(values)
        };
        let mut smoothness = Smoothness::new(grid, &voxels, PastLastPlane::Nothing);
        for &frame in &frames {
            smoothness.add(&standardised(frame)?);
        }
        let Some(fwhm) = smoothness.fwhm(fit.dof) else {
            let message = format!("the smoothness of the residuals of {} cannot be measured", fit.run);
            let diagnostic = Diagnostic::error("threshold-smoothness", message)
                .note(format!("{} of {} voxels have all neighbours that it takes", smoothness.n_cells(), voxels.len()))
                .hint("take height = \"fdr\" or \"bonferroni\"");
            return Err(diagnostic.into());
        };
        let (mut autocorrelation, mut distances) = (Vec::new(), Distances::default());
        if glm.thresholds.iter().any(|threshold| threshold.height == Height::Cluster) {
            let mut measured = Autocorrelation::new(grid, &voxels, Autocorrelation::RADIUS_FWHM * fwhm.mean_mm(grid));
            let n = frames.len().min(Autocorrelation::MOST_FRAMES);
            for k in 0..n {
                measured.add(&standardised(frames[k * frames.len() / n])?);
            }
            autocorrelation = measured.by_length();
            distances = Distances::new(grid, &voxels);
        }
        Ok(Some(Self { fwhm, dof: fit.dof, autocorrelation, distances }))
    }
}

impl GroupNoise {
    /// Of several runs: their resels a voxel averaged, and their autocorrelations.
    pub(super) fn of_runs<'a>(runs: impl Iterator<Item = Option<&'a RunNoise>>) -> Option<Self> {
        let runs: Vec<&RunNoise> = runs.collect::<Option<_>>()?;
        let dof: f64 = runs.iter().map(|run| run.dof).sum();
        if runs.is_empty() {
            return None;
        }
        let density = |axis: usize| runs.iter().map(|run| run.dof / dof / run.fwhm.voxels[axis]).sum::<f64>();
        let fwhm = Fwhm { voxels: std::array::from_fn(|axis| density(axis).recip()) };
        // lengths are the same in all runs up to the shortest radius
        let mut by_length: BTreeMap<u64, (f64, f64, usize)> = BTreeMap::new();
        for run in &runs {
            for (length, acf) in &run.autocorrelation {
                let entry = by_length.entry((length * 1e3).round() as u64).or_insert((*length, 0.0, 0));
                entry.1 += acf * run.dof / dof;
                entry.2 += 1;
            }
        }
        let in_all = by_length.into_values().filter(|(_, _, n)| *n == runs.len());
        // masks differ between runs by voxels that were left out
        let in_all: Vec<(f64, f64)> = in_all.map(|(length, acf, _)| (length, acf)).collect();
        let acf = MixedAcf::fit(&in_all, &runs[0].distances);
        Some(Self { fwhm, acf, nulls: Arc::default() })
    }

    /// The same smoothness with the clusters of another noise, which have been simulated.
    #[must_use]
    pub(super) fn with_clusters_of(self, other: &Self) -> Self {
        Self { acf: other.acf, nulls: Arc::clone(&other.nulls), ..self }
    }

    /// The largest clusters of this noise, simulated once for each rule and set of voxels.
    pub(super) fn largest_clusters(
        &self,
        null: &ClusterNull,
        grid: &Grid,
        index: &[u32],
        cancel: &CancelToken,
    ) -> Result<Arc<LargestClusters>, Failure> {
        let nulls = || self.nulls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., found)) = nulls().iter().find(|(known, of, _)| known == null && of == index) {
            return Ok(Arc::clone(found));
        }
        // without the lock: a thread that waits for its share of the work may take up other work that asks for it
        let found = Arc::new(null.simulate(grid, index, cancel)?);
        nulls().push((*null, index.to_vec(), Arc::clone(&found)));
        Ok(found)
    }
}

//! What of a contrast's map passes a threshold.

use super::excluded::Excluded;
use super::failure::Failure;
use super::residual_noise::GroupNoise;
use crate::config::{ContrastKind, Sides, ThresholdSettings};
use crate::error::CancelToken;
use crate::inference::StatMap;
use crate::inference::threshold::{Cluster, ClusterNull, FieldOf, LargestClusters, Passing, clusters, resels};
use crate::inputs::{Grid, Support};
use crate::outputs::threshold_sidecar::{ClusterNullEntry, ThresholdEntry};
use std::sync::Arc;

/// A contrast's statistics with what a threshold needs to know of them.
#[derive(Clone, Copy)]
pub(super) struct Thresholdable<'a> {
    pub(super) map: &'a StatMap,
    pub(super) excluded: &'a Excluded,
    pub(super) support: &'a Support,
    pub(super) noise: Option<&'a GroupNoise>,
    pub(super) cancel: &'a CancelToken,
}

/// The values that are thresholded together: those of the analysed columns.
pub(super) struct Family<'a> {
    /// Sides looked at.
    pub(super) sides: Sides,
    /// Their columns.
    pub(super) columns: Vec<usize>,
    /// Their z.
    pub(super) z: Vec<f64>,
    /// Their grid and voxels, where they are voxels.
    pub(super) voxels: Option<(&'a Grid, Vec<u32>)>,
}

/// What a threshold came to.
pub(super) struct Found {
    pub(super) passing: Passing,
    pub(super) entry: ThresholdEntry,
    /// Of noise, where clusters are held against it.
    pub(super) largest: Option<Arc<LargestClusters>>,
}

impl<'a> Family<'a> {
    /// The analysed columns of a contrast.
    pub(super) fn new(threshold: &ThresholdSettings, of: Thresholdable<'a>) -> Self {
        let columns = of.excluded.analysed(of.map.z.len());
        Self {
            sides: if of.map.kind == ContrastKind::F { Sides::One } else { threshold.sides },
            z: columns.iter().map(|&column| of.map.z[column]).collect(),
            voxels: match of.support {
                Support::Voxels { grid, index } => Some((grid, columns.iter().map(|&column| index[column]).collect())),
                Support::Columns { .. } => None,
            },
            columns,
        }
    }

    /// The field of a contrast. Where each voxel has its own degrees of freedom, their harmonic mean: what it takes to pass grows
    /// about in proportion to one over them.
    fn field(&self, of: Thresholdable<'_>) -> FieldOf {
        let dof = of.map.dof.harmonic_mean(&self.columns);
        match of.map.kind {
            ContrastKind::T => FieldOf::T { dof },
            ContrastKind::F => FieldOf::F { numerator_dof: of.map.effect.nrows() as f64, dof },
        }
    }
}

impl Found {
    /// The height of a family; `None` of regions where it is one of voxels.
    pub(super) fn new(
        threshold: &ThresholdSettings,
        of: Thresholdable<'_>,
        family: &Family<'_>,
    ) -> Result<Option<Self>, Failure> {
        let sides = family.sides;
        let mut entry = ThresholdEntry {
            name: threshold.name.value.clone(),
            height: threshold.height,
            alpha: threshold.alpha,
            sides,
            family_size: family.z.len(),
            z_threshold: None,
            residual_fwhm_mm: None,
            resels: None,
            cluster_null: None,
            neighbours: family.voxels.as_ref().map(|_| threshold.neighbours),
            min_cluster_voxels: family.voxels.as_ref().map(|_| threshold.min_cluster_voxels),
            passing: 0,
        };
        let mut largest = None;
        let passing = if threshold.height.needs_residuals() {
            let (Some((grid, voxels)), Some(noise)) = (&family.voxels, of.noise) else { return Ok(None) };
            let sizes = grid.voxel_sizes_mm();
            entry.residual_fwhm_mm = Some(std::array::from_fn(|axis| noise.fwhm.voxels[axis] * sizes[axis]));
            if let Some(cluster_forming_p) = threshold.cluster_forming_p {
                let Some(acf) = noise.acf else { return Ok(None) };
                let null = ClusterNull {
                    acf,
                    cluster_forming_p,
                    sides,
                    neighbours: threshold.neighbours,
                    n_fields: ClusterNull::FIELDS,
                    seed: ClusterNull::SEED,
                };
                let simulated = noise.largest_clusters(&null, grid, voxels, of.cancel)?;
                let autocorrelation = [acf.a, acf.b_mm, acf.c_mm];
                let fields = null.n_fields;
                entry.cluster_null = Some(ClusterNullEntry { cluster_forming_p, autocorrelation, fields });
                entry.min_cluster_voxels = Some(simulated.least_size(threshold.alpha));
                largest = Some(simulated);
                Passing::of_clusters(cluster_forming_p, sides)
            } else {
                let resels = resels(grid, voxels, noise.fwhm);
                entry.resels = Some(resels);
                Passing::of_field(family.field(of), resels, threshold.alpha, sides)
            }
        } else {
            Passing::new(threshold.height, threshold.alpha, sides, &family.z)
        };
        entry.z_threshold = passing.height.is_finite().then_some(passing.height);
        entry.passing = family.z.iter().filter(|z| passing.passes(**z)).count();
        Ok(Some(Self { passing, entry, largest }))
    }

    /// The clusters of what passes that are large enough; none of columns.
    pub(super) fn clusters(&self, threshold: &ThresholdSettings, family: &Family<'_>) -> Vec<Cluster> {
        let Some((grid, voxels)) = &family.voxels else { return Vec::new() };
        let passes = |z| self.passing.passes(z);
        let all = clusters(grid, voxels, &family.z, passes, threshold.neighbours, ThresholdEntry::PEAKS);
        let least = self.entry.min_cluster_voxels.unwrap_or(1);
        all.into_iter().filter(|cluster| cluster.members.len() >= least).collect()
    }
}

//! What passes the thresholds of a contrast: a map and a table of clusters for voxels, a table for columns and regions.

use super::ModelOutputs;
use crate::config::{ContrastKind, MapKind, Sides, ThresholdSettings};
use crate::error::CancelToken;
use crate::inference::StatMap;
use crate::inference::threshold::{
    Cluster, ClusterNull, FieldOf, LargestClusters, Passing, Peak, TrueDiscoveries, clusters, resels,
};
use crate::inputs::{Grid, Support};
use crate::outputs::Intent;
use crate::outputs::sidecar::{ContrastEntry, Sidecar};
use crate::outputs::tables::{self, Column};
use crate::outputs::threshold_sidecar::{ClusterNullEntry, ThresholdEntry, ThresholdSidecar};
use crate::pipeline::excluded::Excluded;
use crate::pipeline::failure::Failure;
use crate::pipeline::residual_noise::GroupNoise;
use std::sync::Arc;

/// Probability of being wrong about the share of true discoveries in any cluster, whatever the height.
const TRUE_DISCOVERY_ALPHA: f64 = 0.05;

/// Fields of noise that clusters are held against: at a rate of .05 a chance error of .005.
const FIELDS: usize = 2000;

/// A contrast's statistics with what they are of.
#[derive(Clone, Copy)]
pub(in crate::pipeline) struct Thresholdable<'a> {
    pub(in crate::pipeline) entry: &'a ContrastEntry,
    pub(in crate::pipeline) map: &'a StatMap,
    pub(in crate::pipeline) excluded: &'a Excluded,
    pub(in crate::pipeline) support: &'a Support,
    pub(in crate::pipeline) sidecar: &'a Sidecar,
    pub(in crate::pipeline) noise: Option<&'a GroupNoise>,
    pub(in crate::pipeline) cancel: &'a CancelToken,
}

/// The values that are thresholded together: those of the analysed columns.
struct Family<'a> {
    /// Sides looked at.
    sides: Sides,
    /// Their columns.
    columns: Vec<usize>,
    /// Their z.
    z: Vec<f64>,
    /// Their grid and voxels, where they are voxels.
    voxels: Option<(&'a Grid, Vec<u32>)>,
}

/// What a threshold came to.
struct Found {
    passing: Passing,
    entry: ThresholdEntry,
    /// Of noise, where clusters are held against it.
    largest: Option<Arc<LargestClusters>>,
}

impl ModelOutputs<'_> {
    /// Writes what passes each of the contrast's thresholds; over the runs of a group alone.
    pub(in crate::pipeline) fn write_thresholds(&self, of: Thresholdable<'_>) -> Result<(), Failure> {
        let own = self.glm.thresholds.iter().filter(|threshold| *threshold.contrast == of.entry.name);
        for threshold in own.filter(|_| self.level.is_group) {
            self.write_threshold(threshold, of)?;
        }
        Ok(())
    }

    fn write_threshold(&self, threshold: &ThresholdSettings, of: Thresholdable<'_>) -> Result<(), Failure> {
        let family = family(threshold, of);
        let Some(Found { passing, mut entry, largest }) = found(threshold, of, &family)? else { return Ok(()) };
        let Some((grid, voxels)) = &family.voxels else { return self.write_passing(threshold, of, &passing, entry) };
        let passes = |z| passing.passes(z);
        let clusters = clusters(grid, voxels, &family.z, passes, threshold.neighbours, ThresholdEntry::PEAKS);
        let least = entry.min_cluster_voxels.unwrap_or(1);
        let kept: Vec<Cluster> = clusters.into_iter().filter(|cluster| cluster.members.len() >= least).collect();
        entry.passing = kept.iter().map(|cluster| cluster.members.len()).sum();
        let mut values = vec![0.0; of.map.z.len()];
        for &member in kept.iter().flat_map(|cluster| &cluster.members) {
            values[family.columns[member]] = family.z[member];
        }
        self.write_thresholded_map(threshold, of, &values, &entry)?;
        let discoveries = TrueDiscoveries::new(&family.z, TRUE_DISCOVERY_ALPHA, family.sides);
        let voxel_mm3: f64 = grid.voxel_sizes_mm().iter().product();
        let proportion = |cluster: &Cluster| {
            let values: Vec<f64> = cluster.members.iter().map(|&member| family.z[member]).collect();
            discoveries.proportion(&values)
        };
        let corrected = |cluster: &Cluster, peak: &Peak| match &largest {
            Some(largest) => Some(largest.p(cluster.members.len())),
            None => passing.corrected_p(peak.value),
        };
        let path = self.names()?.clusters(&of.entry.name, &threshold.name)?;
        let table = cluster_columns(&kept, &passing, voxel_mm3, proportion, corrected);
        let columns: Vec<(&str, Column<'_>)> =
            table.iter().map(|(name, values)| (*name, Column::Numbers(values))).collect();
        self.staged.write(&path, |file| tables::write_table(file, &columns))?;
        let sidecar = ThresholdSidecar::of_clusters(&self.glm.name, &of.entry.name, entry, TRUE_DISCOVERY_ALPHA);
        Ok(self.staged.write_json(&path.sidecar(), &sidecar)?)
    }

    fn write_thresholded_map(
        &self,
        threshold: &ThresholdSettings,
        of: Thresholdable<'_>,
        values: &[f64],
        entry: &ThresholdEntry,
    ) -> Result<(), Failure> {
        let Some(geometry) = self.geometry else { return Ok(()) };
        let path = self.names()?.thresholded_map(&of.entry.name, &threshold.name)?;
        let description = self.description(MapKind::Z, Intent::Zscore, Some(of.entry));
        crate::outputs::write_map(self.staged.create(&path)?, geometry, of.support, &description, values)?.finish()?;
        let sidecar = Sidecar { threshold: Some(entry.clone()), ..of.sidecar.clone() };
        Ok(self.staged.write_json(&path.sidecar(), &sidecar)?)
    }

    /// Which columns of a table, or regions, pass.
    fn write_passing(
        &self,
        threshold: &ThresholdSettings,
        of: Thresholdable<'_>,
        passing: &Passing,
        entry: ThresholdEntry,
    ) -> Result<(), Failure> {
        let Support::Columns { names } = of.support else { return Ok(()) };
        let excluded = of.excluded.columns();
        let analysed = |column: usize| excluded.binary_search(&column).is_err();
        let of_each = |value: &dyn Fn(f64) -> f64, left_out: f64| -> Vec<f64> {
            let each = of.map.z.iter().enumerate();
            each.map(|(column, z)| if analysed(column) { value(*z) } else { left_out }).collect()
        };
        let table = [
            ("z", of_each(&|z| z, 0.0)),
            ("p", of_each(&|z| passing.p(z), 1.0)),
            ("p_corrected", of_each(&|z| passing.corrected_p(z).unwrap_or(f64::NAN), f64::NAN)),
            ("passes", of_each(&|z| f64::from(u8::from(passing.passes(z))), 0.0)),
        ];
        let mut columns = vec![("name", Column::Text(names))];
        columns.extend(table.iter().map(|(name, values)| (*name, Column::Numbers(values))));
        let path = self.names()?.thresholded_stats(&of.entry.name, &threshold.name, self.regions)?;
        self.staged.write(&path, |file| tables::write_table(file, &columns))?;
        let sidecar = ThresholdSidecar::of_columns(&self.glm.name, &of.entry.name, entry);
        Ok(self.staged.write_json(&path.sidecar(), &sidecar)?)
    }
}

/// The analysed columns of a contrast.
fn family<'a>(threshold: &ThresholdSettings, of: Thresholdable<'a>) -> Family<'a> {
    let mut analysed = vec![true; of.map.z.len()];
    of.excluded.columns().into_iter().for_each(|column| analysed[column] = false);
    let columns: Vec<usize> = (0..analysed.len()).filter(|&column| analysed[column]).collect();
    Family {
        sides: if of.map.kind == ContrastKind::F { Sides::One } else { threshold.sides },
        z: columns.iter().map(|&column| of.map.z[column]).collect(),
        voxels: match of.support {
            Support::Voxels { grid, index } => Some((grid, columns.iter().map(|&column| index[column]).collect())),
            Support::Columns { .. } => None,
        },
        columns,
    }
}

/// The height of a family; `None` of regions where it is one of voxels.
fn found(threshold: &ThresholdSettings, of: Thresholdable<'_>, family: &Family<'_>) -> Result<Option<Found>, Failure> {
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
            let neighbours = threshold.neighbours;
            let null = ClusterNull { acf, cluster_forming_p, sides, neighbours, n_fields: FIELDS };
            let simulated = noise.largest_clusters(&null, grid, voxels, of.cancel)?;
            let autocorrelation = [acf.a, acf.b_mm, acf.c_mm];
            entry.cluster_null = Some(ClusterNullEntry { cluster_forming_p, autocorrelation, fields: FIELDS });
            entry.min_cluster_voxels = Some(simulated.least_size(threshold.alpha));
            largest = Some(simulated);
            Passing::of_clusters(cluster_forming_p, sides)
        } else {
            let resels = resels(grid, voxels, noise.fwhm);
            entry.resels = Some(resels);
            Passing::of_field(field(of, family), resels, threshold.alpha, sides)
        }
    } else {
        Passing::new(threshold.height, threshold.alpha, sides, &family.z)
    };
    entry.z_threshold = passing.height.is_finite().then_some(passing.height);
    entry.passing = family.z.iter().filter(|z| passing.passes(**z)).count();
    Ok(Some(Found { passing, entry, largest }))
}

/// The field of a contrast. Where each voxel has its own degrees of freedom, the fewest: fewer make for a higher height.
fn field(of: Thresholdable<'_>, family: &Family<'_>) -> FieldOf {
    let dof = family.columns.iter().map(|&column| of.map.dof.at(column)).fold(f64::INFINITY, f64::min);
    match of.map.kind {
        ContrastKind::T => FieldOf::T { dof },
        ContrastKind::F => FieldOf::F { numerator_dof: of.map.effect.nrows() as f64, dof },
    }
}

/// Number of a cluster, number of a peak in it, both.
type Row<'a> = (usize, usize, &'a Cluster, &'a Peak);

/// The table of clusters and peaks, a row a peak.
fn cluster_columns(
    found: &[Cluster],
    passing: &Passing,
    voxel_mm3: f64,
    proportion: impl Fn(&Cluster) -> f64,
    corrected: impl Fn(&Cluster, &Peak) -> Option<f64>,
) -> Vec<(&'static str, Vec<f64>)> {
    let proportions: Vec<f64> = found.iter().map(proportion).collect();
    let rows: Vec<Row<'_>> = found
        .iter()
        .enumerate()
        .flat_map(|(number, cluster)| {
            cluster.peaks.iter().enumerate().map(move |(at, peak)| (number, at, cluster, peak))
        })
        .collect();
    let column = |of: &dyn Fn(&Row<'_>) -> f64| -> Vec<f64> { rows.iter().map(of).collect() };
    vec![
        ("cluster", column(&|row| (row.0 + 1) as f64)),
        ("peak", column(&|row| (row.1 + 1) as f64)),
        ("x", column(&|row| row.3.place_mm[0])),
        ("y", column(&|row| row.3.place_mm[1])),
        ("z", column(&|row| row.3.place_mm[2])),
        ("peak_z", column(&|row| row.3.value)),
        ("p", column(&|row| passing.p(row.3.value))),
        ("p_corrected", column(&|row| corrected(row.2, row.3).unwrap_or(f64::NAN))),
        ("n_voxels", column(&|row| row.2.members.len() as f64)),
        ("volume", column(&|row| row.2.members.len() as f64 * voxel_mm3)),
        ("centre_x", column(&|row| row.2.centre_mm[0])),
        ("centre_y", column(&|row| row.2.centre_mm[1])),
        ("centre_z", column(&|row| row.2.centre_mm[2])),
        ("true_discovery_proportion", column(&|row| proportions[row.0])),
    ]
}

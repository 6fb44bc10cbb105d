//! What passes the thresholds of a contrast: a map and a table of clusters for voxels, a table for columns and regions.

use super::ModelOutputs;
use crate::config::{MapKind, ThresholdSettings};
use crate::inference::threshold::{Cluster, Passing, Peak, TrueDiscoveries};
use crate::inputs::Support;
use crate::outputs::Intent;
use crate::outputs::sidecar::{ContrastEntry, Sidecar};
use crate::outputs::tables::{self, Column};
use crate::outputs::threshold_sidecar::{ThresholdEntry, ThresholdSidecar};
use crate::pipeline::failure::Failure;
use crate::pipeline::passing::{Family, Found, Thresholdable};

/// Probability of being wrong about the share of true discoveries in any cluster, whatever the height.
const TRUE_DISCOVERY_ALPHA: f64 = 0.05;

/// A contrast's statistics with how files speak of them.
#[derive(Clone, Copy)]
pub(in crate::pipeline) struct ThresholdedContrast<'a> {
    pub(in crate::pipeline) entry: &'a ContrastEntry,
    pub(in crate::pipeline) sidecar: &'a Sidecar,
    pub(in crate::pipeline) statistics: Thresholdable<'a>,
}

impl ModelOutputs<'_> {
    /// Writes what passes each of the contrast's thresholds; over the runs of a group alone.
    pub(in crate::pipeline) fn write_thresholds(&self, of: ThresholdedContrast<'_>) -> Result<(), Failure> {
        let own = self.glm.thresholds.iter().filter(|threshold| *threshold.contrast == of.entry.name);
        for threshold in own.filter(|_| self.level.is_group) {
            self.write_threshold(threshold, of)?;
        }
        Ok(())
    }

    fn write_threshold(&self, threshold: &ThresholdSettings, of: ThresholdedContrast<'_>) -> Result<(), Failure> {
        let family = Family::new(threshold, of.statistics);
        let Some(mut found) = Found::new(threshold, of.statistics, &family)? else { return Ok(()) };
        let Some((grid, _)) = &family.voxels else {
            return self.write_passing(threshold, of, &found.passing, found.entry);
        };
        let kept = found.clusters(threshold, &family);
        found.entry.passing = kept.iter().map(|cluster| cluster.members.len()).sum();
        let Found { passing, entry, largest } = found;
        let mut values = vec![0.0; of.statistics.map.z.len()];
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
        of: ThresholdedContrast<'_>,
        values: &[f64],
        entry: &ThresholdEntry,
    ) -> Result<(), Failure> {
        let Some(geometry) = self.geometry else { return Ok(()) };
        let path = self.names()?.thresholded_map(&of.entry.name, &threshold.name)?;
        let description = self.description(MapKind::Z, Intent::Zscore, Some(of.entry));
        crate::outputs::write_map(self.staged.create(&path)?, geometry, of.statistics.support, &description, values)?
            .finish()?;
        let sidecar = Sidecar { threshold: Some(entry.clone()), ..of.sidecar.clone() };
        Ok(self.staged.write_json(&path.sidecar(), &sidecar)?)
    }

    /// Which columns of a table, or regions, pass.
    fn write_passing(
        &self,
        threshold: &ThresholdSettings,
        of: ThresholdedContrast<'_>,
        passing: &Passing,
        entry: ThresholdEntry,
    ) -> Result<(), Failure> {
        let Support::Columns { names } = of.statistics.support else { return Ok(()) };
        let excluded = of.statistics.excluded.columns();
        let analysed = |column: usize| excluded.binary_search(&column).is_err();
        let of_each = |value: &dyn Fn(f64) -> f64, left_out: f64| -> Vec<f64> {
            let each = of.statistics.map.z.iter().enumerate();
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

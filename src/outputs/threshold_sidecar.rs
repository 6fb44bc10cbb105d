//! The JSON beside what passes a threshold: the rule, the height it came to, and what the columns of a table mean.

use super::sidecar::Software;
use crate::config::{Height, Neighbours, Sides};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A threshold and what it came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ThresholdEntry {
    /// Its name.
    pub name: String,
    /// How the height was found.
    pub height: Height,
    /// Error rate of the height.
    pub alpha: f64,
    /// Sides looked at.
    pub sides: Sides,
    /// Values in the family.
    pub family_size: usize,
    /// The z that a value must reach; none where no value passes.
    pub z_threshold: Option<f64>,
    /// Full width at half maximum of the residuals along the grid's axes, mm, where the height depends on it.
    #[serde(skip_serializing_if = "Option::is_none", rename = "ResidualFwhmMm")]
    pub residual_fwhm_mm: Option<[f64; 3]>,
    /// Resolution elements of the analysed voxels: points, lengths, areas, volume; where the height depends on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resels: Option<[f64; 4]>,
    /// The noise that clusters are held against, where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_null: Option<ClusterNullEntry>,
    /// Which voxels hang together; none of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<Neighbours>,
    /// Smaller clusters were left out; none of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cluster_voxels: Option<usize>,
    /// Values that pass.
    pub passing: usize,
}

/// Simulated noise.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClusterNullEntry {
    /// p of each voxel of a cluster.
    pub cluster_forming_p: f64,
    /// Autocorrelation at r: `a exp(-r^2 / (2 b^2)) + (1 - a) exp(-r / c)`; a, and b and c in mm.
    #[serde(rename = "AutocorrelationABC")]
    pub autocorrelation: [f64; 3],
    /// Fields simulated.
    pub fields: usize,
}

/// The sidecar of a table of clusters, or of columns that pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ThresholdSidecar {
    description: String,
    model: String,
    contrast: String,
    threshold: ThresholdEntry,
    /// Probability of being wrong about the least share of any cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    true_discovery_alpha: Option<f64>,
    generated_by: Vec<Software>,
    #[serde(flatten)]
    columns: Map<String, Value>,
}

const CORRECTED: &str = "p corrected as the height is: times the family's size (at most 1) for bonferroni, the smallest false discovery rate at which it passes for fdr and fdr-by, the probability that the largest value (rft) or the size of the largest cluster (cluster, then of the whole cluster) of noise is as large; n/a where nothing is corrected";

impl ThresholdSidecar {
    /// Of a table of clusters and peaks.
    pub fn of_clusters(model: &str, contrast: &str, threshold: ThresholdEntry, true_discovery_alpha: f64) -> Self {
        let share = format!(
            "least share of the cluster's voxels that are not null, all clusters together with confidence {} (all-resolution inference)",
            1.0 - true_discovery_alpha
        );
        let columns = [
            ("cluster", "Number of the cluster, the largest first", None),
            ("peak", "Number of the peak in its cluster, the highest first", None),
            ("x", "Place of the peak", Some("mm")),
            ("y", "Place of the peak", Some("mm")),
            ("z", "Place of the peak", Some("mm")),
            ("peak_z", "z score of the peak", None),
            ("p", "Tail probability of the peak's z on the sides of the threshold, uncorrected", None),
            ("p_corrected", CORRECTED, None),
            ("n_voxels", "Voxels of the cluster", None),
            ("volume", "Volume of the cluster", Some("mm3")),
            ("centre_x", "Mean place of the cluster's voxels", Some("mm")),
            ("centre_y", "Mean place of the cluster's voxels", Some("mm")),
            ("centre_z", "Mean place of the cluster's voxels", Some("mm")),
            ("true_discovery_proportion", &share, None),
        ];
        Self {
            description: format!(
                "clusters and peaks of contrast {contrast} beyond a threshold; a row a peak, up to {} of a cluster, more than 8 mm apart; what is of a cluster stands in each of its rows",
                ThresholdEntry::PEAKS
            ),
            true_discovery_alpha: Some(true_discovery_alpha),
            ..Self::new(model, contrast, threshold, &columns)
        }
    }

    /// Of a table with a row a column of the input table, or a region.
    pub fn of_columns(model: &str, contrast: &str, threshold: ThresholdEntry) -> Self {
        let columns = [
            ("name", "Column of the input table, or region", None),
            ("z", "z score", None),
            ("p", "Tail probability of z on the sides of the threshold, uncorrected", None),
            ("p_corrected", CORRECTED, None),
            ("passes", "1 where z reaches the threshold, else 0", None),
        ];
        Self::new(model, contrast, threshold, &columns)
    }

    fn new(model: &str, contrast: &str, threshold: ThresholdEntry, columns: &[(&str, &str, Option<&str>)]) -> Self {
        let described = |(name, description, units): &(&str, &str, Option<&str>)| {
            let mut entry = json!({"Description": description});
            if let Some(units) = units {
                entry["Units"] = json!(units);
            }
            ((*name).to_owned(), entry)
        };
        Self {
            description: format!("columns whose z of contrast {contrast} reaches a threshold"),
            model: model.to_owned(),
            contrast: contrast.to_owned(),
            threshold,
            true_discovery_alpha: None,
            generated_by: vec![Software::boldly()],
            columns: columns.iter().map(described).collect(),
        }
    }
}

impl ThresholdEntry {
    /// Peaks listed of a cluster at most.
    pub const PEAKS: usize = 4;
}

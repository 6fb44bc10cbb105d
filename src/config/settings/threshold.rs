//! Settings of `[[glm.threshold]]`.

use crate::config::Located;
use crate::config::wording::closest;
use crate::error::Diagnostic;
use serde::{Deserialize, Serialize, Serializer};

/// One `[[glm.threshold]]`.
#[derive(Debug, Clone, Serialize)]
pub struct ThresholdSettings {
    /// The contrast.
    pub contrast: Located<String>,
    /// What names the files, `[A-Za-z0-9]+`.
    pub name: Located<String>,
    /// How the height is found.
    pub height: Height,
    /// Error rate of the height, or of the clusters.
    pub alpha: f64,
    /// p of a voxel of a cluster, where the height is that of clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_forming_p: Option<f64>,
    /// Smaller clusters are left out.
    pub min_cluster_voxels: usize,
    /// Whether negative values count too; not of an F, which has one side.
    pub sides: Sides,
    /// Which voxels hang together.
    pub neighbours: Neighbours,
}

impl ThresholdSettings {
    /// That the model has no such contrast, only those `known`.
    pub fn unknown_contrast(&self, known: &[String]) -> Diagnostic {
        let message = format!("there is no contrast `{}` to be thresholded", *self.contrast);
        let place = self.contrast.place_of_words();
        let mut diagnostic = Diagnostic { place, ..Diagnostic::error("threshold-unknown-contrast", message) };
        if let Some(near) = closest(&self.contrast, known) {
            diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
        }
        diagnostic.note(format!("contrasts of the model: {}", known.join(", ")))
    }
}

/// How the height of a threshold is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Height {
    /// p of each voxel below alpha.
    Uncorrected,
    /// p below alpha over the number of voxels: error over the family.
    Bonferroni,
    /// False discovery rate (Benjamini and Hochberg 1995).
    Fdr,
    /// False discovery rate under any dependence (Benjamini and Yekutieli 2001).
    FdrBy,
    /// Error over the family by the theory of random fields (Worsley and others 1996): heights of a field as smooth as the
    /// residuals.
    Rft,
    /// Error over all clusters: clusters of voxels with p below `cluster_forming_p`, larger than those of simulated noise with
    /// the residuals' autocorrelation in space (Cox and others 2017).
    Cluster,
}

impl Height {
    /// As in the pipeline file, without what cannot stand in a file name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Uncorrected => "uncorrected",
            Self::Bonferroni => "bonferroni",
            Self::Fdr => "fdr",
            Self::FdrBy => "fdrby",
            Self::Rft => "rft",
            Self::Cluster => "cluster",
        }
    }

    /// Whether it depends on how smooth the residuals are, so that voxels and their samples are needed.
    pub const fn needs_residuals(self) -> bool {
        matches!(self, Self::Rft | Self::Cluster)
    }
}

/// Sides of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Positive values.
    One,
    /// Positive and negative values.
    Two,
}

impl Sides {
    /// How many.
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

impl Serialize for Sides {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.count())
    }
}

/// Which voxels hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbours {
    /// Those that share a face: 6.
    Faces,
    /// Those that share a face or an edge: 18.
    Edges,
    /// Those that share a face, an edge or a corner: 26.
    Corners,
}

impl Neighbours {
    /// How many a voxel has.
    pub const fn count(self) -> u8 {
        match self {
            Self::Faces => 6,
            Self::Edges => 18,
            Self::Corners => 26,
        }
    }
}

impl Serialize for Neighbours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.count())
    }
}

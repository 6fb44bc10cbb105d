//! Names of what passes a threshold.

use super::{OutputNames, check_label};
use crate::outputs::{OutputError, RelativePath};

const NAME: &str = "name of a threshold";

impl OutputNames {
    /// A contrast's z where it passes a threshold, 0 elsewhere: `_contrast-X_stat-z_desc-fdr05_statmap.nii.gz`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn thresholded_map(&self, contrast: &str, threshold: &str) -> Result<RelativePath, OutputError> {
        let (contrast, threshold) = (check_label(contrast, "contrast name")?, check_label(threshold, NAME)?);
        self.named(&format!("contrast-{contrast}_stat-z_desc-{threshold}_statmap.nii.gz"))
    }

    /// Its clusters and peaks: `_contrast-X_desc-fdr05_clusters.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn clusters(&self, contrast: &str, threshold: &str) -> Result<RelativePath, OutputError> {
        let (contrast, threshold) = (check_label(contrast, "contrast name")?, check_label(threshold, NAME)?);
        self.named(&format!("contrast-{contrast}_desc-{threshold}_clusters.tsv"))
    }

    /// Which columns of a table pass, `_contrast-X_desc-fdr05_stats.tsv`, or which regions of a `[[roi]]`,
    /// `_contrast-X_label-ROI_desc-fdr05_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn thresholded_stats(
        &self,
        contrast: &str,
        threshold: &str,
        roi: Option<&str>,
    ) -> Result<RelativePath, OutputError> {
        let (contrast, threshold) = (check_label(contrast, "contrast name")?, check_label(threshold, NAME)?);
        let roi = match roi {
            Some(roi) => format!("label-{}_", check_label(roi, "region name")?),
            None => String::new(),
        };
        self.named(&format!("contrast-{contrast}_{roi}desc-{threshold}_stats.tsv"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Labels;

    #[test]
    fn the_threshold_is_the_description() {
        let labels = Labels { subject: "01".into(), task: Some("objects".into()), ..Labels::default() };
        let names = OutputNames::of_run("m", &labels).unwrap();
        let shown = [
            names.thresholded_map("a", "fdr05"),
            names.clusters("a", "fdr05"),
            names.thresholded_stats("a", "fdr05", None),
            names.thresholded_stats("a", "fdr05", Some("vt")),
        ]
        .map(|path| path.unwrap().as_str().replace("m/sub-01/func/sub-01_task-objects_", ""));
        assert_eq!(
            shown,
            [
                "contrast-a_stat-z_desc-fdr05_statmap.nii.gz",
                "contrast-a_desc-fdr05_clusters.tsv",
                "contrast-a_desc-fdr05_stats.tsv",
                "contrast-a_label-vt_desc-fdr05_stats.tsv"
            ]
        );
        for bad in ["", "../x", "a_b"] {
            assert!(names.thresholded_map("a", bad).is_err() && names.clusters(bad, "a").is_err(), "{bad:?}");
            assert!(names.thresholded_stats("a", "b", Some(bad)).is_err(), "{bad:?}");
        }
    }
}

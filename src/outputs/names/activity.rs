//! Names of what deconvolutions, convolutions and firing rates write.

use super::{OutputNames, check_label};
use crate::config::DeconvolutionMap;
use crate::outputs::{OutputError, RelativePath, deconvolution_sidecar};

impl OutputNames {
    /// What a deconvolution says of voxels: `_desc-neural_bold.nii.gz` for a series, `_stat-lambda_statmap.nii.gz` for a map.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn deconvolved_image(&self, map: DeconvolutionMap) -> Result<RelativePath, OutputError> {
        let label = deconvolution_sidecar::label(map);
        match map {
            DeconvolutionMap::Activity | DeconvolutionMap::Fitted | DeconvolutionMap::StandardError => {
                self.named(&format!("desc-{label}_bold.nii.gz"))
            }
            _ => self.named(&format!("stat-{label}_statmap.nii.gz")),
        }
    }

    /// A deconvolved series of a table, `_desc-neural_timeseries.tsv`, or of the regions of a `[[roi]]`,
    /// `_label-ROI_desc-neural_timeseries.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn deconvolved_table(&self, map: DeconvolutionMap, roi: Option<&str>) -> Result<RelativePath, OutputError> {
        self.of_roi(roi, &format!("desc-{}_timeseries.tsv", deconvolution_sidecar::label(map)))
    }

    /// Data, fit and activity of one column as a figure, `_desc-neuralCOLUMN_timeseries.svg`, or of a region,
    /// `_label-ROI_desc-neuralREGION_timeseries.svg`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn deconvolution_figure(&self, column: &str, roi: Option<&str>) -> Result<RelativePath, OutputError> {
        let column = check_label(column, "label of a column")?;
        self.of_roi(roi, &format!("desc-neural{column}_timeseries.svg"))
    }

    /// Regressors of a psychophysiological interaction, `_desc-ppiNAME_timeseries.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn ppi_regressors(&self, ppi: &str, roi: Option<&str>) -> Result<RelativePath, OutputError> {
        let ppi = check_label(ppi, "name of an interaction")?;
        self.of_roi(roi, &format!("desc-ppi{ppi}_timeseries.tsv"))
    }

    fn of_roi(&self, roi: Option<&str>, ending: &str) -> Result<RelativePath, OutputError> {
        match roi {
            Some(roi) => self.named(&format!("label-{}_{ending}", check_label(roi, "region name")?)),
            None => self.named(ending),
        }
    }

    /// Counts or rates of spikes, `_desc-counts_timeseries.tsv` and `_desc-rate_timeseries.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn rate_table(&self, what: &str) -> Result<RelativePath, OutputError> {
        self.named(&format!("desc-{}_timeseries.tsv", check_label(what, "label of a table")?))
    }

    /// Spikes and rates as a figure: `_desc-rate_timeseries.svg`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn rate_figure(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-rate_timeseries.svg")
    }

    /// A convolved table: `_desc-convolved_timeseries.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn convolved_table(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-convolved_timeseries.tsv")
    }

    /// Input, kernel and output of one column as a figure: `_desc-convolvedCOLUMN_timeseries.svg`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn convolution_figure(&self, column: &str) -> Result<RelativePath, OutputError> {
        let column = check_label(column, "label of a column")?;
        self.named(&format!("desc-convolved{column}_timeseries.svg"))
    }

    /// A convolved image: `_desc-convolved_bold.nii.gz`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn convolved_image(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-convolved_bold.nii.gz")
    }

    /// The middle slice before and after as a picture: `_desc-convolved_bold.png`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn convolved_picture(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-convolved_bold.png")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Labels;

    #[test]
    fn a_name_says_what_is_in_the_file_and_labels_stay_in_their_folder() {
        let labels = Labels { subject: "01".into(), task: Some("rest".into()), ..Labels::default() };
        let names = OutputNames::of_run("neural", &labels).unwrap();
        let shown: Vec<String> = [
            names.deconvolved_image(DeconvolutionMap::Activity),
            names.deconvolved_image(DeconvolutionMap::StandardError),
            names.deconvolved_image(DeconvolutionMap::HeldOutR2),
            names.deconvolved_table(DeconvolutionMap::Fitted, None),
            names.deconvolved_table(DeconvolutionMap::Activity, Some("vt")),
            names.deconvolution_figure("i1j2k3", None),
            names.ppi_regressors("faces", Some("vt")),
            names.rate_table("rate"),
            names.convolution_figure("left"),
        ]
        .into_iter()
        .map(|path| path.unwrap().as_str().replace("neural/sub-01/func/sub-01_task-rest_", ""))
        .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        desc-neural_bold.nii.gz
        desc-neuralError_bold.nii.gz
        stat-heldOutR2_statmap.nii.gz
        desc-fitted_timeseries.tsv
        label-vt_desc-neural_timeseries.tsv
        desc-neurali1j2k3_timeseries.svg
        label-vt_desc-ppifaces_timeseries.tsv
        desc-rate_timeseries.tsv
        desc-convolvedleft_timeseries.svg
        ");
        for bad in ["", "..", "a/b", "a_b"] {
            assert!(names.deconvolution_figure(bad, None).is_err(), "{bad:?}");
            assert!(names.deconvolved_table(DeconvolutionMap::Activity, Some(bad)).is_err(), "{bad:?}");
            assert!(names.ppi_regressors(bad, None).is_err(), "{bad:?}");
        }
    }
}

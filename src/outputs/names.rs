//! Names of outputs: BIDS entities in BIDS order, below the model's folder.

mod activity;
mod thresholds;

use super::{OutputError, RelativePath};
use crate::config::{Labels, MapKind};

const EXPECTED_LABEL: &str = "ASCII letters and digits, at least one";
const EXPECTED_FOLDER: &str = "ASCII letters, digits, `_` and `-`, at least one";

/// Names of everything one model writes for one run, or over the runs of a subject.
///
/// ```text
/// MODEL/sub-01/[ses-../]func/sub-01_[ses-..]_[task-..]_[run-..]_[space-..]_[res-..]_ENTITIES_SUFFIX
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputNames {
    /// Everything up to the last common entity.
    prefix: String,
}

impl OutputNames {
    /// Names of one run of a model, or over the runs of a subject where `labels` has no run.
    ///
    /// # Errors
    /// [`OutputError::Name`] for a label that is not `[A-Za-z0-9]+` or a model that is not `[A-Za-z0-9_-]+`.
    pub fn of_run(model: &str, labels: &Labels) -> Result<Self, OutputError> {
        let folder = check(model, "model name", EXPECTED_FOLDER, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
        })?;
        let subject = check_label(&labels.subject, "subject label")?;
        let mut directory = format!("{folder}/sub-{subject}");
        let mut stem = format!("sub-{subject}");
        for (key, what, label) in [
            ("ses", "session label", &labels.session),
            ("task", "task label", &labels.task),
            ("run", "run label", &labels.run),
            ("space", "space label", &labels.space),
            ("res", "resolution label", &labels.res),
        ] {
            let Some(label) = label else { continue };
            let label = check_label(label, what)?;
            if key == "ses" {
                directory = format!("{directory}/ses-{label}");
            }
            stem = format!("{stem}_{key}-{label}");
        }
        Ok(Self { prefix: format!("{directory}/func/{stem}") })
    }

    /// A contrast's map: `_contrast-X_stat-z_statmap.nii.gz`.
    ///
    /// # Errors
    /// [`OutputError::Name`] for a contrast that is not `[A-Za-z0-9]+`, or a name over 255 bytes; so all below.
    pub fn contrast_map(&self, contrast: &str, kind: MapKind) -> Result<RelativePath, OutputError> {
        let contrast = check_label(contrast, "contrast name")?;
        self.named(&format!("contrast-{contrast}_stat-{}_statmap.nii.gz", stat_label(kind)))
    }

    /// A model's map: `_stat-r2_statmap.nii.gz`; residuals, a series like the input, are `_desc-residuals_bold.nii.gz`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn model_map(&self, kind: MapKind) -> Result<RelativePath, OutputError> {
        match kind {
            MapKind::Residuals => self.named("desc-residuals_bold.nii.gz"),
            kind => self.named(&format!("stat-{}_statmap.nii.gz", stat_label(kind))),
        }
    }

    /// The design matrix as a table: `_design.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn design_table(&self) -> Result<RelativePath, OutputError> {
        self.named("design.tsv")
    }

    /// The design matrix as a picture: `_design.svg`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn design_figure(&self) -> Result<RelativePath, OutputError> {
        self.named("design.svg")
    }

    /// The voxels analysed: `_desc-brain_mask.nii.gz`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn mask(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-brain_mask.nii.gz")
    }

    /// The mean over time: `_stat-mean_boldref.nii.gz`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn mean(&self) -> Result<RelativePath, OutputError> {
        self.named("stat-mean_boldref.nii.gz")
    }

    /// Mean over standard deviation in time: `_stat-tsnr_boldref.nii.gz`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn tsnr(&self) -> Result<RelativePath, OutputError> {
        self.named("stat-tsnr_boldref.nii.gz")
    }

    /// What was done and found, in figures: `_summary.json`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn summary(&self) -> Result<RelativePath, OutputError> {
        self.named("summary.json")
    }

    /// A contrast on a table, a row per column: `_contrast-X_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn contrast_stats(&self, contrast: &str) -> Result<RelativePath, OutputError> {
        let contrast = check_label(contrast, "contrast name")?;
        self.named(&format!("contrast-{contrast}_stats.tsv"))
    }

    /// A model on a table, a row per column (coefficients, r2, sigma, rho, a, b): `_desc-model_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn model_stats(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-model_stats.tsv")
    }

    /// A contrast's z map as a picture over the mean image: `_contrast-X_stat-z_statmap.png`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn contrast_picture(&self, contrast: &str) -> Result<RelativePath, OutputError> {
        let contrast = check_label(contrast, "contrast name")?;
        self.named(&format!("contrast-{contrast}_stat-z_statmap.png"))
    }

    /// A model in the regions of a `[[roi]]`: `_label-ROI_desc-model_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn roi_model_stats(&self, roi: &str) -> Result<RelativePath, OutputError> {
        let roi = check_label(roi, "region name")?;
        self.named(&format!("label-{roi}_desc-model_stats.tsv"))
    }

    /// The response to each condition, a row a delay, on a table: `_desc-response_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn response_stats(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-response_stats.tsv")
    }

    /// The responses of one column of a table as a figure: `_desc-responseCOLUMN_stats.svg`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn response_figure(&self, column: &str) -> Result<RelativePath, OutputError> {
        let column = check_label(column, "label of a column")?;
        self.named(&format!("desc-response{column}_stats.svg"))
    }

    /// The response to each condition in the regions of a `[[roi]]`: `_label-ROI_desc-response_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn roi_response_stats(&self, roi: &str) -> Result<RelativePath, OutputError> {
        let roi = check_label(roi, "region name")?;
        self.named(&format!("label-{roi}_desc-response_stats.tsv"))
    }

    /// The responses of one region of a `[[roi]]` as a figure: `_label-ROI_desc-responseREGION_stats.svg`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn roi_response_figure(&self, roi: &str, region: &str) -> Result<RelativePath, OutputError> {
        let roi = check_label(roi, "region name")?;
        let region = check_label(region, "label of a region")?;
        self.named(&format!("label-{roi}_desc-response{region}_stats.svg"))
    }

    /// Residuals of a table, with its column names: `_desc-residuals_timeseries.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn residual_series(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-residuals_timeseries.tsv")
    }

    /// Mean series of a region: `_label-ROI_timeseries.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn roi_series(&self, roi: &str) -> Result<RelativePath, OutputError> {
        let roi = check_label(roi, "region name")?;
        self.named(&format!("label-{roi}_timeseries.tsv"))
    }

    /// A contrast's statistics in the regions of a `[[roi]]`: `_contrast-X_label-ROI_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn roi_stats(&self, roi: &str, contrast: &str) -> Result<RelativePath, OutputError> {
        let roi = check_label(roi, "region name")?;
        let contrast = check_label(contrast, "contrast name")?;
        self.named(&format!("contrast-{contrast}_label-{roi}_stats.tsv"))
    }

    /// The spectrum of whitened residuals, of the regions of a `[[roi]]` where one is named: `_desc-whiteness_stats.tsv` or
    /// `_label-ROI_desc-whiteness_stats.tsv`, and the figure with the ending `svg`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn whiteness(&self, roi: Option<&str>, ending: &str) -> Result<RelativePath, OutputError> {
        match roi {
            Some(roi) => {
                let roi = check_label(roi, "region name")?;
                self.named(&format!("label-{roi}_desc-whiteness_stats.{ending}"))
            }
            None => self.named(&format!("desc-whiteness_stats.{ending}")),
        }
    }

    /// Error rates on null data: `_desc-calibration_stats.tsv`.
    ///
    /// # Errors
    /// As [`contrast_map`](Self::contrast_map).
    pub fn calibration(&self) -> Result<RelativePath, OutputError> {
        self.named("desc-calibration_stats.tsv")
    }

    pub(super) fn named(&self, ending: &str) -> Result<RelativePath, OutputError> {
        RelativePath::new(format!("{}_{ending}", self.prefix))
    }
}

/// The label of a map in names and sidecars.
pub const fn stat_label(kind: MapKind) -> &'static str {
    match kind {
        MapKind::Effect => "effect",
        MapKind::Variance => "variance",
        MapKind::T => "t",
        MapKind::F => "F",
        MapKind::Z => "z",
        MapKind::P => "p",
        MapKind::Dof => "dof",
        MapKind::Beta => "beta",
        MapKind::R2 => "r2",
        MapKind::Residuals => "residuals",
        MapKind::Sigma => "sigma",
        MapKind::Rho => "rho",
        MapKind::ArmaA => "a",
        MapKind::ArmaB => "b",
        MapKind::Whiteness => "whiteness",
    }
}

/// Checks a BIDS label: `[A-Za-z0-9]+`.
pub(super) fn check_label<'a>(label: &'a str, what: &'static str) -> Result<&'a str, OutputError> {
    check(label, what, EXPECTED_LABEL, |byte| byte.is_ascii_alphanumeric())
}

fn check<'a>(
    text: &'a str,
    what: &'static str,
    expected: &'static str,
    allowed: impl Fn(u8) -> bool,
) -> Result<&'a str, OutputError> {
    if !text.is_empty() && text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(OutputError::Name { what, found: text.to_owned(), expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        Labels {
            subject: "01".into(),
            session: Some("pre".into()),
            task: Some("objects".into()),
            run: Some("02".into()),
            space: Some("T1w".into()),
            res: Some("2".into()),
        }
    }

    #[test]
    fn entities_come_in_bids_order() {
        let names = OutputNames::of_run("objects", &labels()).unwrap();
        assert_eq!(
            names.contrast_map("houseVsFace", MapKind::Z).unwrap().as_str(),
            "objects/sub-01/ses-pre/func/\
             sub-01_ses-pre_task-objects_run-02_space-T1w_res-2_contrast-houseVsFace_stat-z_statmap.nii.gz"
        );
        let few = Labels { subject: "01".into(), task: Some("objects".into()), ..Labels::default() };
        let names = OutputNames::of_run("m-1_b", &few).unwrap();
        let shown: Vec<String> = [
            names.design_table(),
            names.design_figure(),
            names.mask(),
            names.mean(),
            names.tsnr(),
            names.summary(),
            names.model_map(MapKind::Beta),
            names.model_map(MapKind::Residuals),
            names.contrast_stats("a"),
            names.model_stats(),
            names.residual_series(),
            names.roi_series("vt"),
            names.roi_stats("vt", "a"),
            names.response_stats(),
            names.response_figure("left"),
            names.roi_response_stats("vt"),
            names.roi_response_figure("vt", "left"),
        ]
        .into_iter()
        .map(|path| path.unwrap().as_str().replace("m-1_b/sub-01/func/sub-01_task-objects_", ""))
        .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        design.tsv
        design.svg
        desc-brain_mask.nii.gz
        stat-mean_boldref.nii.gz
        stat-tsnr_boldref.nii.gz
        summary.json
        stat-beta_statmap.nii.gz
        desc-residuals_bold.nii.gz
        contrast-a_stats.tsv
        desc-model_stats.tsv
        desc-residuals_timeseries.tsv
        label-vt_timeseries.tsv
        contrast-a_label-vt_stats.tsv
        desc-response_stats.tsv
        desc-responseleft_stats.svg
        label-vt_desc-response_stats.tsv
        label-vt_desc-responseleft_stats.svg
        ");
    }

    #[test]
    fn names_over_runs_lack_the_run_alone() {
        let name = OutputNames::of_run("objects", &Labels { run: None, ..labels() }).unwrap().mask().unwrap();
        assert_eq!(
            name.as_str(),
            "objects/sub-01/ses-pre/func/sub-01_ses-pre_task-objects_space-T1w_res-2_desc-brain_mask.nii.gz"
        );
    }

    #[test]
    fn labels_that_could_leave_the_folder_are_refused() {
        for bad in ["", "..", "../x", "a/b", "a_b", "a-b", "é", "a.b", "a\0", " "] {
            assert!(OutputNames::of_run("m", &Labels { subject: bad.into(), ..labels() }).is_err(), "{bad:?}");
            assert!(OutputNames::of_run("m", &Labels { session: Some(bad.into()), ..labels() }).is_err(), "{bad:?}");
            assert!(OutputNames::of_run("m", &Labels { run: Some(bad.into()), ..labels() }).is_err(), "{bad:?}");
            let names = OutputNames::of_run("m", &labels()).unwrap();
            assert!(names.contrast_map(bad, MapKind::T).is_err(), "{bad:?}");
            assert!(names.roi_series(bad).is_err(), "{bad:?}");
            assert!(names.response_figure(bad).is_err(), "{bad:?}");
            assert!(names.roi_response_figure("vt", bad).is_err(), "{bad:?}");
        }
        for bad in ["", "..", "a/b", ".boldly", "a.b", "/tmp"] {
            assert!(OutputNames::of_run(bad, &labels()).is_err(), "{bad:?}");
        }
        let problem = OutputNames::of_run("m", &Labels { task: Some("../../x".into()), ..labels() }).unwrap_err();
        insta::assert_snapshot!(crate::error::Diagnostic::from(problem), @r"
        error[output-name]: task label `../../x` cannot be part of an output's name
           = note: expected: ASCII letters and digits, at least one
        ");
    }
}

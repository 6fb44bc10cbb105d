//! What BIDS asks of the JSON beside every derived image, and the whole of that beside a mask.

use super::sidecar::Software;
use crate::config::{Labels, MaskSettings};
use serde::Serialize;

/// The fields of an image that has the suffix of raw data (`_bold`), beside those that say how it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageFields {
    /// The task, by its label; an image that is of none says none.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_name: Option<String>,
    /// BIDS: "whether the volume was skull stripped (non-brain voxels set to zero) or not".
    skull_stripped: bool,
    /// Required beside a `res-` in the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<String>,
}

impl ImageFields {
    /// Of an image that is zero outside the mask: stripped, by the definition of BIDS, unless every voxel is in it.
    pub fn masked(labels: &Labels, mask: &MaskSettings) -> Self {
        Self { skull_stripped: !matches!(mask, MaskSettings::All), ..Self::whole(labels) }
    }

    /// Of an image whose every voxel was analysed. Whether its input was stripped is not known: nothing was set to zero here.
    pub fn whole(labels: &Labels) -> Self {
        Self { task_name: labels.task.clone(), skull_stripped: false, resolution: resolution(labels) }
    }
}

/// The sidecar of a mask of the voxels that were analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MaskSidecar {
    description: &'static str,
    model: String,
    /// `Brain`; not said where every voxel was taken, for that is no brain.
    #[serde(skip_serializing_if = "Option::is_none", rename = "Type")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<String>,
    generated_by: Vec<Software>,
}

impl MaskSidecar {
    /// Of the mask of a model.
    pub fn new(model: &str, labels: &Labels, mask: &MaskSettings) -> Self {
        let (description, kind) = match mask {
            MaskSettings::Auto => ("analysed voxels: the brain by the histogram of the mean image", Some("Brain")),
            MaskSettings::File(_) => ("analysed voxels: those of the pipeline's mask", Some("Brain")),
            MaskSettings::PerRun(_) => ("analysed voxels: those of the runs' masks together", Some("Brain")),
            MaskSettings::All => ("analysed voxels: the whole image", None),
        };
        let model = model.to_owned();
        Self { description, model, kind, resolution: resolution(labels), generated_by: vec![Software::boldly()] }
    }
}

/// BIDS asks for words that say what a `res-` label means; nothing is resampled, so it means what it meant.
fn resolution(labels: &Labels) -> Option<String> {
    labels.res.as_ref().map(|label| format!("that of the input with res-{label}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Located, MaskCombination};
    use serde_json::{json, to_value};

    fn labels() -> Labels {
        Labels { subject: "01".into(), task: Some("rest".into()), res: Some("2".into()), ..Labels::default() }
    }

    #[test]
    fn an_image_is_stripped_where_a_mask_set_voxels_to_zero() {
        for mask in [
            MaskSettings::Auto,
            MaskSettings::File(Located::unplaced("mask.nii.gz".into())),
            MaskSettings::PerRun(MaskCombination::Majority),
        ] {
            let said = to_value(ImageFields::masked(&labels(), &mask)).unwrap();
            let resolution = "that of the input with res-2";
            assert_eq!(said, json!({"TaskName": "rest", "SkullStripped": true, "Resolution": resolution}), "{mask:?}");
        }
        assert_eq!(ImageFields::masked(&labels(), &MaskSettings::All), ImageFields::whole(&labels()));
        let of_no_task = to_value(ImageFields::whole(&Labels::default())).unwrap();
        assert_eq!(of_no_task, json!({"SkullStripped": false}));
    }

    #[test]
    fn a_mask_of_every_voxel_is_of_no_brain() {
        let mask = |settings| to_value(MaskSidecar::new("objects", &Labels::default(), &settings)).unwrap();
        let brain = mask(MaskSettings::Auto);
        assert_eq!((&brain["Type"], &brain["Model"]), (&json!("Brain"), &json!("objects")));
        assert_eq!(brain["GeneratedBy"][0]["Name"], "boldly");
        assert_eq!((brain.get("Resolution"), mask(MaskSettings::All).get("Type")), (None, None));
        let with_res = to_value(MaskSidecar::new("objects", &labels(), &MaskSettings::Auto)).unwrap();
        assert_eq!(with_res["Resolution"], "that of the input with res-2");
    }
}

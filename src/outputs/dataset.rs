//! What belongs to no one subject: the BIDS description of each model's folder, and the provenance of the whole.

use super::provenance::Provenance;
use super::sidecar::Software;
use super::staging::PROVENANCE;
use super::{Digest, Manifest, ManifestKey, OutputError, OutputFolder, OutputLock, RelativePath, StagedOutputs};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// The version of BIDS whose rules names and sidecars follow.
const BIDS_VERSION: &str = "1.10.0";

/// Outputs that BIDS has no rule for yet.
const BIDSIGNORE: &str = "*_statmap.*\n*_boldref.*\n*_design.*\n*_stats.*\n*_summary.json\n*_desc-residuals_bold.*\n*_desc-neural*_bold.*\n*_desc-fitted_bold.*\n*_timeseries.*\n";

/// Writes `provenance.json`, and `dataset_description.json` and `.bidsignore` of every model, from the manifests
/// of all finished subjects: whatever the order and the processes the subjects were done in, the last call
/// leaves the same bytes.
///
/// `settings` is the whole pipeline with portable paths ([`portable_settings`](super::provenance::portable_settings)), whichever subjects
/// this process did; `versions` what else the numbers depend on. Call it once the subjects are done, also
/// after an interruption or a failure: a commit takes the old provenance back.
///
/// # Errors
/// As [`StagedOutputs::commit`]; a manifest is damaged.
pub fn write_dataset_files(
    folder: &OutputFolder,
    pipeline: &str,
    settings: &serde_json::Value,
    numerics_version: u32,
    versions: &BTreeMap<String, String>,
) -> Result<(), OutputError> {
    let lock = OutputLock::acquire_dataset(folder)?;
    // read under the lock: a subject that changes afterwards takes back what is written here before it does
    let subjects = Manifest::load_subjects(folder)?;
    let staged = StagedOutputs::new(lock)?;
    let models: BTreeSet<&str> =
        subjects.values().flat_map(|manifest| manifest.outputs.keys()).filter_map(|path| path.parts().next()).collect();
    for model in models {
        let description = json!({
            "Name": format!("{pipeline}: {model}"),
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [Software::boldly()],
        });
        staged.write_json(&RelativePath::new(format!("{model}/dataset_description.json"))?, &description)?;
        staged.write(&RelativePath::new(format!("{model}/.bidsignore"))?, |file| -> io::Result<()> {
            file.write_all(BIDSIGNORE.as_bytes())
        })?;
    }
    let provenance = Provenance::new(settings, numerics_version, versions, &subjects);
    let plan = Digest::of_json(&provenance).map_err(io::Error::from)?;
    staged.write_json(&RelativePath::new(PROVENANCE)?, &provenance)?;
    staged.commit(ManifestKey { plan, numerics_version, inputs: BTreeMap::new(), settings: Value::Null })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn subject(folder: &OutputFolder, label: &str, model: &str, content: &str) {
        let staged = StagedOutputs::new(OutputLock::acquire(folder, label).unwrap()).unwrap();
        let path = RelativePath::new(format!("{model}/sub-{label}/func/sub-{label}_design.tsv")).unwrap();
        staged.write(&path, |file| file.write_all(content.as_bytes())).unwrap();
        let plan = Digest::of_bytes(content.as_bytes());
        staged
            .commit(ManifestKey {
                plan,
                numerics_version: 1,
                inputs: BTreeMap::new(),
                settings: json!({"noise": "ols"}),
            })
            .unwrap();
    }

    fn finish(folder: &OutputFolder) -> String {
        write_dataset_files(folder, "objects", &json!({"name": "objects"}), 1, &BTreeMap::new()).unwrap();
        fs::read_to_string(folder.root().join(PROVENANCE)).unwrap()
    }

    #[test]
    fn the_order_of_subjects_leaves_no_trace() {
        let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let forth = super::super::open_output_folder(one.path()).unwrap();
        let back = super::super::open_output_folder(two.path()).unwrap();
        subject(&forth, "01", "m", "a");
        subject(&forth, "02", "m", "b");
        subject(&back, "02", "m", "b");
        let partial = finish(&back);
        subject(&back, "01", "m", "a");
        assert!(!back.root().join(PROVENANCE).exists(), "taken back");
        assert_eq!(finish(&forth), finish(&back));
        assert_ne!(finish(&forth), partial);
        assert!(!finish(&forth).contains(&*one.path().to_string_lossy()), "no absolute path");
    }

    #[test]
    fn a_model_that_is_gone_takes_its_description_along() {
        let root = tempfile::tempdir().unwrap();
        let folder = super::super::open_output_folder(root.path()).unwrap();
        subject(&folder, "01", "old", "a");
        subject(&folder, "02", "old", "a");
        finish(&folder);
        subject(&folder, "01", "new", "a");
        finish(&folder);
        assert!(root.path().join("old/dataset_description.json").exists(), "sub-02 still has results there");
        subject(&folder, "02", "new", "a");
        finish(&folder);
        assert!(!root.path().join("old").exists());
        let text = fs::read_to_string(root.path().join("new/dataset_description.json")).unwrap();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
        {
          "Name": "objects: new",
          "BIDSVersion": "1.10.0",
          "DatasetType": "derivative",
          "GeneratedBy": [
            {
              "Name": "boldly",
              "Version": "VERSION"
            }
          ]
        }
        "#);
    }
}

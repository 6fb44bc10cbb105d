//! What belongs to no one subject: the BIDS description of each model's folder, and the provenance of the whole.

use super::provenance::{Provenance, portable_path, share_a_folder};
use super::sidecar::Software;
use super::staging::PROVENANCE;
use super::{Digest, Manifest, ManifestKey, OutputError, OutputFolder, OutputLock, RelativePath, StagedOutputs};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf, absolute};

/// The version of BIDS whose rules names and sidecars follow.
const BIDS_VERSION: &str = "1.10.0";

/// Outputs that BIDS 1.10 has no rule for, each with what is lacking: the official validator names their files as errors without
/// the line, and none besides (`scripts/validate_bids.sh`). Activity, residuals, fitted series and masks are BIDS.
const BIDSIGNORE: [&str; 9] = [
    "*_statmap.*",             // no suffix for maps of statistics
    "*_stat-mean_boldref.*",   // boldref has no entity `stat` (the validator reads no `*` between names: two lines)
    "*_stat-tsnr_boldref.*",   // the same
    "*_design.*",              // no suffix for design matrices
    "*_clusters.*",            // nor for tables of clusters
    "*_stats.*",               // nor for tables of statistics
    "*_timeseries.*",          // nor, in derivatives, for series of regions, activity, rates and regressors
    "*_summary.json",          // a JSON file is beside data, or nothing
    "*_desc-convolved_bold.*", // an image convolved by hand may be of no task, and has a picture
];

/// Writes `provenance.json`, and `dataset_description.json` and `.bidsignore` of every model, from the manifests
/// of all finished subjects: whatever the order and the processes the subjects were done in, the last call
/// leaves the same bytes.
///
/// `settings` is the whole pipeline with portable paths ([`portable_settings`](super::provenance::portable_settings)), whichever subjects
/// this process did; `versions` what else the numbers depend on; `sources` the folders of the datasets that were analysed,
/// which are named where they lie under one folder with the results. Call it once the subjects are done, also
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
    sources: &[&Path],
) -> Result<(), OutputError> {
    let lock = OutputLock::acquire_dataset(folder)?;
    // read under the lock: a subject that changes afterwards takes back what is written here before it does
    let subjects = Manifest::load_subjects(folder)?;
    let staged = StagedOutputs::new(lock)?;
    let models: BTreeSet<&str> =
        subjects.values().flat_map(|manifest| manifest.outputs.keys()).filter_map(|path| path.parts().next()).collect();
    for model in models {
        let mut description = json!({
            "Name": format!("{pipeline}: {model}"),
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [Software::boldly()],
        });
        let sources: Vec<Value> = sources
            .iter()
            .filter_map(|source| source_url(source, &folder.root().join(model)))
            .map(|url| json!({"URL": url}))
            .collect();
        if !sources.is_empty() {
            description["SourceDatasets"] = Value::Array(sources);
        }
        staged.write_json(&RelativePath::new(format!("{model}/dataset_description.json"))?, &description)?;
        staged.write(&RelativePath::new(format!("{model}/.bidsignore"))?, |file| -> io::Result<()> {
            BIDSIGNORE.iter().try_for_each(|pattern| writeln!(file, "{pattern}"))
        })?;
    }
    let provenance = Provenance::new(settings, numerics_version, versions, &subjects);
    let plan = Digest::of_json(&provenance).map_err(io::Error::from)?;
    staged.write_json(&RelativePath::new(PROVENANCE)?, &provenance)?;
    staged.commit(ManifestKey { plan, numerics_version, inputs: BTreeMap::new(), settings: Value::Null })?;
    Ok(())
}

/// Where a dataset lies, seen from a model's folder: a relative URL. `None` where they have nothing but the machine's root in
/// common, as on two disks: the way from one to the other would then be this machine's, and lead nowhere on others.
fn source_url(dataset: &Path, model: &Path) -> Option<String> {
    // `..` leads from where a folder is, not from a link to it; the dataset itself may be a link, and stays one
    let dataset = absolute(dataset).ok()?;
    let dataset = match (dataset.parent(), dataset.file_name()) {
        (Some(parent), Some(name)) => located(parent).join(name),
        _ => located(&dataset),
    };
    let model = located(model);
    share_a_folder(&dataset, &model).then(|| percent_encoded(&portable_path(&dataset, &model)))
}

/// Where a folder is, links followed; one that is not there as it is named.
fn located(folder: &Path) -> PathBuf {
    folder.canonicalize().or_else(|_| absolute(folder)).unwrap_or_else(|_| folder.to_path_buf())
}

/// A path in the characters of a URL.
fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}"); // a String takes all
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A line more is a file that BIDS does not know: give it a name of the standard, or its reason here.
    #[test]
    fn bids_lacks_these_and_no_more() {
        let known = [
            "*_statmap.*",
            "*_stat-mean_boldref.*",
            "*_stat-tsnr_boldref.*",
            "*_design.*",
            "*_clusters.*",
            "*_stats.*",
            "*_timeseries.*",
            "*_summary.json",
            "*_desc-convolved_bold.*",
        ];
        assert_eq!(BIDSIGNORE, known);
        let root = tempfile::tempdir().unwrap();
        let folder = super::super::open_output_folder(root.path()).unwrap();
        subject(&folder, "01", "m", "a");
        finish(&folder);
        assert_eq!(fs::read_to_string(root.path().join("m/.bidsignore")).unwrap(), known.join("\n") + "\n");
    }

    #[test]
    fn datasets_are_named_as_they_lie_from_the_model_s_folder() {
        let study = tempfile::tempdir().unwrap();
        let results = study.path().join("results");
        let folder = super::super::open_output_folder(&results).unwrap();
        subject(&folder, "01", "m", "a");
        let raw = study.path().join("my data");
        let prep = raw.join("derivatives/fmriprep");
        write_dataset_files(&folder, "objects", &Value::Null, 1, &BTreeMap::new(), &[&raw, &prep]).unwrap();
        let text = fs::read_to_string(results.join("m/dataset_description.json")).unwrap();
        let description: Value = serde_json::from_str(&text).unwrap();
        let expected = json!([{"URL": "../../my%20data"}, {"URL": "../../my%20data/derivatives/fmriprep"}]);
        assert_eq!(description["SourceDatasets"], expected);
        // the results below the dataset, as BIDS has derivatives
        assert_eq!(source_url(&raw, &raw.join("derivatives/boldly/m")).unwrap(), "../../..");
    }

    #[test]
    fn a_dataset_with_nothing_in_common_is_not_named() {
        assert_eq!(source_url(Path::new("/no-such-disk/ds"), Path::new("/other-disk/results/m")), None);
        assert_eq!(source_url(Path::new("/"), Path::new("/other-disk/results/m")), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_url_leads_there_from_linked_results() {
        let study = tempfile::tempdir().unwrap();
        let place = study.path();
        fs::create_dir_all(place.join("deep/down/results/m")).unwrap();
        fs::create_dir_all(place.join("store/ds")).unwrap();
        std::os::unix::fs::symlink(place.join("deep/down/results"), place.join("results")).unwrap();
        std::os::unix::fs::symlink(place.join("store/ds"), place.join("ds")).unwrap();
        let url = source_url(&place.join("ds"), &place.join("results/m")).unwrap();
        assert_eq!(url, "../../../../ds");
        let there = place.join("results/m").join(url).canonicalize().unwrap();
        assert_eq!(there, place.join("store/ds").canonicalize().unwrap());
    }

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
        write_dataset_files(folder, "objects", &json!({"name": "objects"}), 1, &BTreeMap::new(), &[]).unwrap();
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

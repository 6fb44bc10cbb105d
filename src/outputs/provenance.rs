//! Where results come from: the pipeline, the inputs and outputs with their digests, the versions. The same bytes
//! wherever the pipeline stands and whenever it runs: no time, no machine, no absolute path.

use super::{Digest, Manifest, OutputRecord, RelativePath, Unit};
use crate::config::{
    ConvolveKernel, EventFiles, HrfSettings, Inputs, KernelSettings, MaskSettings, RoiSource, Settings,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The content of `provenance.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance<'a> {
    /// Version of boldly.
    pub boldly: &'static str,
    /// Version of its numerics.
    pub numerics_version: u32,
    /// What else the numbers depend on: libraries and their versions.
    pub versions: &'a BTreeMap<String, String>,
    /// The pipeline resolved.
    pub settings: &'a Value,
    /// Each finished subject.
    pub subjects: BTreeMap<String, SubjectProvenance<'a>>,
}

/// One subject's share.
#[derive(Debug, Clone, Serialize)]
pub struct SubjectProvenance<'a> {
    /// Digest of its plan.
    pub plan: Digest,
    /// Version of boldly that wrote its outputs.
    pub boldly: &'a str,
    /// The settings it was analysed with, inputs left out, where they are not those of the pipeline as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<&'a Value>,
    /// The inputs.
    pub inputs: &'a BTreeMap<String, Digest>,
    /// The outputs.
    pub outputs: &'a BTreeMap<RelativePath, OutputRecord>,
}

impl<'a> Provenance<'a> {
    pub(super) fn new(
        settings: &'a Value,
        numerics_version: u32,
        versions: &'a BTreeMap<String, String>,
        subjects: &'a BTreeMap<Unit, Manifest>,
    ) -> Self {
        let now = without_inputs(settings.clone());
        let subjects = subjects.iter().map(|(unit, manifest)| {
            let Manifest { version, key, outputs, .. } = manifest;
            let settings = (key.settings != now).then_some(&key.settings);
            (
                unit.to_string(),
                SubjectProvenance { plan: key.plan, boldly: version, settings, inputs: &key.inputs, outputs },
            )
        });
        Self { boldly: env!("CARGO_PKG_VERSION"), numerics_version, versions, settings, subjects: subjects.collect() }
    }
}

/// Portable settings without the list of inputs: what subjects of one pipeline share.
pub fn without_inputs(mut settings: Value) -> Value {
    if let Some(settings) = settings.as_object_mut() {
        settings.remove("inputs");
    }
    settings
}

/// A path as it is said in outputs: relative to `base` (the pipeline file's folder), with `/`, by names alone; both
/// are taken to lie in the working directory where they are relative.
pub fn portable_path(path: &Path, base: &Path) -> String {
    let working = std::env::current_dir().unwrap_or_default();
    let [path, base] = [path, base].map(|path| names_of(&working.join(path)));
    let n_shared = path.iter().zip(&base).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", base.len() - n_shared);
    let parts: Vec<&str> = up.chain(path[n_shared..].iter().map(String::as_str)).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// Whether two absolute paths have more in common than the machine's root: what lies under one study's folder moves together.
pub fn share_a_folder(path: &Path, other: &Path) -> bool {
    let [path, other] = [path, other].map(names_of);
    !path.is_empty() && path.first() == other.first()
}

/// The names on a path, `.` and `..` resolved by name (a link is not followed: its target may differ elsewhere).
fn names_of(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(names.pop()),
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::Prefix(prefix) => names.push(prefix.as_os_str().to_string_lossy().into_owned()),
            Component::RootDir | Component::CurDir => {}
        }
    }
    names
}

/// The settings as JSON for provenance and plan digests: every path portable, relative to `base` (the pipeline
/// file's folder); the output folder is not said, since results do not depend on it.
///
/// # Errors
/// The settings cannot be said in JSON.
pub fn portable_settings(settings: &Settings, base: &Path) -> Result<Value, serde_json::Error> {
    let mut settings = settings.clone();
    for path in paths_mut(&mut settings) {
        *path = PathBuf::from(portable_path(path, base));
    }
    let mut value = serde_json::to_value(&settings)?;
    if let Some(output) = value.get_mut("output").and_then(Value::as_object_mut) {
        output.remove("dir");
    }
    Ok(value)
}

/// Every input path in the settings.
fn paths_mut(settings: &mut Settings) -> Vec<&mut PathBuf> {
    let mut paths = Vec::new();
    match &mut settings.inputs {
        Inputs::Runs(runs) => {
            for run in runs {
                paths.push(&mut run.bold.value);
                paths.extend(run.events.iter_mut().flat_map(event_paths));
                paths.extend([&mut run.confounds, &mut run.mask].into_iter().flatten().map(|path| &mut path.value));
            }
        }
        Inputs::Timeseries(tables) => {
            for table in tables {
                paths.push(&mut table.table.value);
                paths.extend(table.events.iter_mut().flat_map(event_paths));
                paths.extend(table.confounds.iter_mut().map(|path| &mut path.value));
            }
        }
        Inputs::Spikes(tables) => paths.extend(tables.iter_mut().map(|table| &mut table.table.value)),
    }
    if let MaskSettings::File(path) = &mut settings.mask {
        paths.push(&mut path.value);
    }
    for roi in &mut settings.rois {
        match &mut roi.source {
            RoiSource::Mask(path) => paths.push(&mut path.value),
            RoiSource::Atlas { atlas, labels } => {
                paths.push(&mut atlas.value);
                paths.extend(labels.iter_mut().map(|path| &mut path.value));
            }
        }
    }
    for glm in &mut settings.glms {
        if let HrfSettings::File(path) = &mut glm.design.hrf {
            paths.push(&mut path.value);
        }
    }
    for model in &mut settings.deconvolutions {
        if let HrfSettings::File(path) = &mut model.design.hrf {
            paths.push(&mut path.value);
        }
        if let KernelSettings::File(path) = &mut model.kernel {
            paths.push(&mut path.value);
        }
    }
    for model in &mut settings.convolutions {
        if let ConvolveKernel::File(path) = &mut model.kernel {
            paths.push(&mut path.value);
        }
    }
    paths
}

fn event_paths(events: &mut EventFiles) -> Vec<&mut PathBuf> {
    match events {
        EventFiles::Bids(path) => vec![&mut path.value],
        EventFiles::Fsl(files) | EventFiles::Afni { files, .. } => {
            files.iter_mut().map(|(_, path)| &mut path.value).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::*;

    #[test]
    fn paths_are_said_from_the_pipeline_s_folder() {
        for (path, base, said) in [
            ("/a/b/c.nii", "/a/b", "c.nii"),
            ("/a/x/c.nii", "/a/b", "../x/c.nii"),
            ("/a/b/./d/../c.nii", "/a/b/", "c.nii"),
            ("pipelines/../data/c.nii", "pipelines", "../data/c.nii"),
            ("c.nii", "", "c.nii"),
            ("/a", "/a", "."),
            ("/../c", "/", "c"),
        ] {
            assert_eq!(portable_path(Path::new(path), Path::new(base)), said, "{path} from {base}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(portable_path(&here.join("data/c.nii"), Path::new("pipelines")), "../data/c.nii");
    }

    fn located<T>(value: T) -> Located<T> {
        Located::unplaced(value)
    }

    fn settings(at: &Path) -> Settings {
        let file = |name: &str| located(at.join(name));
        let fsl = EventFiles::Fsl(vec![(located("face".to_owned()), file("face.txt"))]);
        let run = |events| RunSettings {
            labels: Labels { subject: "01".into(), ..Labels::default() },
            bold: file("bold.nii.gz"),
            events: Some(events),
            confounds: Some(file("confounds.tsv")),
            mask: Some(file("mask.nii.gz")),
            tr_s: None,
        };
        let atlas = RoiSource::Atlas { atlas: file("dseg.nii.gz"), labels: Some(file("labels.tsv")) };
        Settings {
            bids: None,
            calibrate: CalibrateSettings { draws: 50, seed: 0, alternatives: vec![], rest: vec![] },
            name: "objects".into(),
            profile: Profile::Native,
            numerics: Numerics::of(Profile::Native),
            inputs: Inputs::Runs(vec![run(EventFiles::Bids(file("events.tsv"))), run(fsl)]),
            mask: MaskSettings::File(file("brain.nii.gz")),
            rois: vec![RoiSettings { name: located("vt".into()), source: atlas }],
            preprocess: PreprocessSettings {
                discard_volumes: 0,
                smooth_fwhm_mm: [0.0; 3],
                smooth_within_mask: false,
                scaling: Scaling::None,
            },
            events: EventSettings {
                condition_column: located("trial_type".into()),
                ignore: vec![],
                missing_condition_label: RowPolicy::Error,
                missing_duration: MissingDuration::Error,
                outside_run: RowPolicy::Error,
                duplicates: DuplicatePolicy::Error,
            },
            glms: vec![GlmSettings {
                name: located("objects".into()),
                noise: Noise::Ols,
                fixed_effects: FixedEffects::Precision,
                condition_contrasts: false,
                maps: vec![MapKind::T],
                design: DesignSettings {
                    hrf: HrfSettings::File(file("hrf.tsv")),
                    slice_time_ref: 0.0,
                    slice_time_ref_stated: false,
                    drift: Drift::None,
                    when_condition_absent: AbsentCondition::Error,
                    modulators: vec![],
                },
                confounds: ConfoundSettings {
                    columns: vec![],
                    strategy: None,
                    first_row_nan: FirstRowNan::Error,
                    scrub: None,
                },
                contrasts: vec![],
                thresholds: vec![],
            }],
            deconvolutions: Vec::new(),
            convolutions: Vec::new(),
            rates: Vec::new(),
            output: OutputSettings { dir: at.join("results"), compression_level: 1, report: false },
        }
    }

    #[test]
    fn no_path_says_where_the_pipeline_stands() {
        let [here, there] = ["/home/a/study", "/scratch/b"].map(Path::new);
        let said = portable_settings(&settings(here), here).unwrap();
        assert_eq!(said, portable_settings(&settings(there), there).unwrap());
        let text = said.to_string();
        assert!(!text.contains("\"/") && !text.contains("study") && !text.contains("results"), "{text}");
        for name in ["bold.nii.gz", "events.tsv", "face.txt", "confounds.tsv", "mask.nii.gz", "brain.nii.gz"] {
            assert!(text.contains(&format!("\"{name}\"")), "{name}");
        }
        let mut elsewhere = settings(here);
        elsewhere.output.dir = "/tmp/other".into();
        assert_eq!(portable_settings(&elsewhere, here).unwrap(), said);
    }
}

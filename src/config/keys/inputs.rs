//! `[[run]]`, `[[timeseries]]`, `[mask]` and `[[roi]]`: what is analysed, and where.

use crate::config::MaskCombination;
use crate::config::placed::{Placed, TextOr};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// Events of a run: the path of a BIDS table, or files of another program.
pub type EventsOfRun = TextOr<String, ConditionFiles>;

/// `[[run]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Label of the subject, without `sub-`; from the file's name where it has `sub-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub subject: Option<Placed<String>>,
    /// Label of the session, without `ses-`; from the file's name where it has `ses-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub session: Option<Placed<String>>,
    /// Label of the task, without `task-`; from the file's name where it has `task-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub task: Option<Placed<String>>,
    /// Label of the run, without `run-`; from the file's name where it has `run-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub run: Option<Placed<String>>,
    /// Label of the space, without `space-`; from the file's name where it has `space-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub space: Option<Placed<String>>,
    /// The 4-D image: NIfTI-1 or NIfTI-2, `.nii`, `.nii.gz`, or `.hdr` with `.img`.
    #[schemars(required, length(min = 1))]
    pub bold: Option<Placed<String>>,
    /// The events: a BIDS table, or one file a condition, as in `{ format = "fsl", face = "face.txt" }` (three
    /// columns: onset, duration, height) or `{ format = "afni", face = "face.1D" }` (stimulus times, one row a run of the
    /// subject, in the order of the pipeline file).
    pub events: Option<Placed<EventsOfRun>>,
    /// The confound table, a TSV with one row a volume.
    #[schemars(length(min = 1))]
    pub confounds: Option<Placed<String>>,
    /// The run's own mask; then every run needs one, and `[mask] path` is left out.
    #[schemars(length(min = 1))]
    pub mask: Option<Placed<String>>,
    /// Repetition time, seconds; from the image's header or its sidecar where it is not given. Where given it wins over the header.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0))]
    pub tr_s: Option<Placed<f64>>,
}

/// `[[timeseries]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeseriesConfig {
    /// Label of the subject, without `sub-`; from the file's name where it has `sub-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub subject: Option<Placed<String>>,
    /// Label of the session, without `ses-`; from the file's name where it has `ses-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub session: Option<Placed<String>>,
    /// Label of the task, without `task-`; from the file's name where it has `task-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub task: Option<Placed<String>>,
    /// Label of the run, without `run-`; from the file's name where it has `run-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub run: Option<Placed<String>>,
    /// Label of the space, without `space-`; from the file's name where it has `space-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub space: Option<Placed<String>>,
    /// The table: `.tsv` or `.csv`, also with `.gz`.
    #[schemars(required, length(min = 1))]
    pub table: Option<Placed<String>>,
    /// Globs of the columns analysed. A column `time_s` is never one of them: it holds the sample times, which must be regular.
    #[schemars(length(min = 1))]
    pub columns: Option<Vec<Placed<String>>>,
    /// Sampling interval, seconds; from the column `time_s` where neither it nor `sampling_hz` is given.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0))]
    pub tr_s: Option<Placed<f64>>,
    /// Sampling rate, Hz, instead of `tr_s`.
    #[schemars(range(min = 0.01, max = 1_000_000.0))]
    pub sampling_hz: Option<Placed<f64>>,
    /// The events, as in `[[run]]`.
    pub events: Option<Placed<EventsOfRun>>,
    /// The confound table, as in `[[run]]`.
    #[schemars(length(min = 1))]
    pub confounds: Option<Placed<String>>,
}

/// Programs whose event files are read besides BIDS tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventFormat {
    /// FSL's three columns: onset, duration, height.
    Fsl,
    /// AFNI's stimulus times: a row a run.
    Afni,
}

/// `{ format = "fsl", CONDITION = "FILE", … }`: the keys besides `format` are the user's.
#[derive(Debug, Clone)]
pub struct ConditionFiles {
    /// The program.
    pub format: EventFormat,
    /// Condition and file, in code-point order of the conditions.
    pub files: Vec<(Placed<String>, Placed<String>)>,
}

impl<'de> Deserialize<'de> for ConditionFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConditionFilesVisitor)
    }
}

struct ConditionFilesVisitor;

impl<'de> serde::de::Visitor<'de> for ConditionFilesVisitor {
    type Value = ConditionFiles;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("table of `format` and one file a condition")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut table: A) -> Result<ConditionFiles, A::Error> {
        let mut format = None;
        let mut files = Vec::new();
        while let Some(key) = table.next_key::<Placed<String>>()? {
            if key.value == "format" {
                format = Some(table.next_value()?);
            } else {
                files.push((key, table.next_value()?));
            }
        }
        let format = format.ok_or_else(|| serde::de::Error::missing_field("format"))?;
        Ok(ConditionFiles { format, files })
    }
}

impl JsonSchema for ConditionFiles {
    fn schema_name() -> Cow<'static, str> {
        "ConditionFiles".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "object",
            "properties": { "format": generator.subschema_for::<EventFormat>() },
            "required": ["format"],
            "minProperties": 2,
            "additionalProperties": { "type": "string", "minLength": 1 }
        })
    }
}

/// How the voxels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskKind {
    /// From the histogram of the mean image over all runs of the subject; reads the data once more.
    Auto,
    /// From `path`, or from the runs' own `mask`.
    File,
    /// Every voxel.
    All,
}

/// `[mask]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskConfig {
    /// How the voxels are found; `path` and the runs' own masks imply `file`.
    pub kind: Option<Placed<MaskKind>>,
    /// One mask image for all runs, on their grid; voxels that are not zero are analysed.
    #[schemars(length(min = 1))]
    pub path: Option<Placed<String>>,
    /// How the runs' own masks are combined.
    pub combine: Option<Placed<MaskCombination>>,
}

/// `[[roi]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoiConfig {
    /// Name of the region or atlas, letters and digits, unique ignoring case.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// A mask image on the data's grid; either it or `atlas`.
    #[schemars(length(min = 1))]
    pub mask: Option<Placed<String>>,
    /// A label image on the data's grid: one region a value other than zero.
    #[schemars(length(min = 1))]
    pub atlas: Option<Placed<String>>,
    /// Names of the atlas's labels: a TSV with columns `index` and `name`.
    #[schemars(length(min = 1))]
    pub labels: Option<Placed<String>>,
}

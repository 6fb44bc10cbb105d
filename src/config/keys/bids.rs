//! `[bids]`: which runs of a BIDS dataset are analysed.

use crate::config::placed::{Placed, TextOr};
use schemars::JsonSchema;
use serde::Deserialize;

/// A label of an entity, without its key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct EntityLabel(#[schemars(regex(pattern = "^[A-Za-z0-9]+$"))] pub String);

/// A folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct FolderText(#[schemars(length(min = 1))] pub String);

/// One folder, or several.
pub type Folders = TextOr<FolderText, Vec<Placed<FolderText>>>;

/// `[bids]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BidsConfig {
    /// Folder of the raw dataset: events, sidecars, `participants.tsv`; and the images, where there are no `derivatives`.
    #[schemars(required, length(min = 1))]
    pub root: Option<Placed<String>>,
    /// Folder of preprocessed data such as fMRIPrep's, or several: images, masks and confounds are taken from there, and from
    /// nowhere else.
    pub derivatives: Option<Placed<Folders>>,
    /// Label of the task, without `task-`. Not needed where the dataset has one task.
    pub task: Option<Placed<EntityLabel>>,
    /// Label of the space of the images, without `space-`. Not needed where they are in one space.
    pub space: Option<Placed<EntityLabel>>,
    /// Label of the resolution of the images, without `res-`. Not needed where they are of one.
    pub res: Option<Placed<EntityLabel>>,
    /// Which version of each image, without `desc-`; `preproc` where there is one of that name.
    pub desc: Option<Placed<EntityLabel>>,
    /// Number of the echo, without `echo-`. Needed where each echo has an image of its own.
    pub echo: Option<Placed<EntityLabel>>,
    /// Label of the acquisition, without `acq-`. Needed where a run was acquired in several ways.
    pub acq: Option<Placed<EntityLabel>>,
    /// Label of the reconstruction, without `rec-`. Needed where a run was reconstructed in several ways.
    pub rec: Option<Placed<EntityLabel>>,
    /// Direction of phase encoding, without `dir-`. Needed where a run was acquired in several.
    pub dir: Option<Placed<EntityLabel>>,
    /// Part of complex data, without `part-`: `mag`. Needed where magnitude and phase are there.
    pub part: Option<Placed<EntityLabel>>,
    /// Density of the samples, without `den-`. Not needed where the images are of one.
    pub den: Option<Placed<EntityLabel>>,
    /// Repetition time of all runs, seconds, where sidecars and headers do not say it or lie.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0))]
    pub tr_s: Option<Placed<f64>>,
    /// Labels of the subjects, without `sub-`; all where not given.
    #[schemars(length(min = 1))]
    pub subjects: Option<Vec<Placed<EntityLabel>>>,
    /// Labels of the sessions, without `ses-`; all where not given.
    #[schemars(length(min = 1))]
    pub sessions: Option<Vec<Placed<EntityLabel>>>,
    /// Labels of the runs, without `run-`; numbers are compared as numbers. All where not given.
    #[schemars(length(min = 1))]
    pub runs: Option<Vec<Placed<EntityLabel>>>,
}

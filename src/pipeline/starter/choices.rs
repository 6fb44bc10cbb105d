//! Which images of a dataset are taken, where it has several versions of them.

use super::StarterRequest;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::bids::{BidsDataset, BidsFile, Origin, Query, holds_bold};
use crate::inputs::{read_header, table_header};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Spaces and descriptions that are taken before others, best first.
const PREFERRED: [(&str, &[&str]); 2] =
    [("desc", &["preproc"]), ("space", &["MNI152NLin2009cAsym", "MNI152NLin6Asym", "MNI152Lin"])];

/// Entities in which the images of an analysis are alike, in the order in which they are settled; key of `[bids]` too.
const ENTITIES: [&str; 6] = ["task", "desc", "space", "res", "echo", "acq"];

/// The images of an analysis.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    /// Name of the pipeline: that of the task.
    pub(super) name: String,
    /// The raw dataset.
    pub(super) root: PathBuf,
    /// Preprocessed data.
    pub(super) derivatives: Vec<PathBuf>,
    /// Entities with a label to state.
    pub(super) picks: Vec<Pick>,
    /// Columns of the confound tables that all images have, in the order of the first; none where an image has no table.
    pub(super) confounds: Vec<String>,
}

/// The label that was picked for an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pick {
    pub(super) entity: &'static str,
    pub(super) label: String,
    /// Other labels, with the number of images that have each.
    pub(super) others: Vec<(String, usize)>,
}

/// Folders under `derivatives` of a dataset that hold preprocessed BOLD images, in order.
pub(in crate::pipeline) fn preprocessed_folders(root: &Path) -> Vec<PathBuf> {
    let parent = root.join("derivatives");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&parent)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect())
        .unwrap_or_default();
    folders.push(parent);
    folders.sort();
    folders.retain(|folder| holds_bold(folder));
    folders
}

/// The derivatives that are meant where none are named: fMRIPrep's, else the only ones.
///
/// # Errors
/// There are several.
pub(super) fn derivatives_of(root: &Path) -> Result<Vec<PathBuf>, Diagnostics> {
    let folders = preprocessed_folders(root);
    let of_fmriprep = |folder: &&PathBuf| folder.file_name().is_some_and(|name| name == "fmriprep");
    match folders.iter().find(of_fmriprep) {
        Some(fmriprep) => Ok(vec![fmriprep.clone()]),
        None if folders.len() <= 1 => Ok(folders),
        None => {
            let names: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
            Err(Diagnostic::error("starter-several-derivatives", "several folders hold preprocessed images")
                .at(Place::file(&root.join("derivatives")))
                .note(names.join(", "))
                .hint("say which is meant: `--derivatives DIR`")
                .into())
        }
    }
}

impl Choices {
    /// # Errors
    /// There are no images, or none of the task asked for.
    pub(super) fn of(
        dataset: &BidsDataset,
        request: &StarterRequest,
        derivatives: &[PathBuf],
    ) -> Result<Self, Diagnostics> {
        let mut images = dataset.find(&Query::new().suffix("bold").images());
        images.retain(|image| image.folder.subject.is_some());
        images.retain(|image| (image.folder.origin == Origin::Raw) == derivatives.is_empty());
        if images.is_empty() {
            return Err(Diagnostic::error(
                "bids-no-bold",
                "no BOLD image: no file ends in `_bold.nii.gz` or `_bold.nii`",
            )
            .at(Place::file(derivatives.first().unwrap_or(&request.root)))
            .hint("name the folder of preprocessed images with `--derivatives DIR`")
            .into());
        }
        if let Some(task) = &request.task {
            let known: Vec<String> = labels(&images, "task").into_keys().collect();
            images.retain(|image| image.name.get("task") == Some(task));
            if images.is_empty() {
                return Err(Diagnostic::error("bids-unknown-label", format!("no BOLD image has `task-{task}`"))
                    .at(Place::file(derivatives.first().unwrap_or(&request.root)))
                    .note(format!("tasks: {}", known.join(", ")))
                    .hint("give `--task` one of these labels, without `task-`")
                    .into());
            }
        }
        let mut picks = Vec::new();
        for entity in ENTITIES {
            let Some(pick) = pick(dataset, &images, entity) else { continue };
            images.retain(|image| image.name.get(entity) == Some(&pick.label));
            picks.push(pick);
        }
        let name = picks.iter().find(|pick| pick.entity == "task").map_or("analysis", |pick| &pick.label).to_owned();
        Ok(Self {
            name,
            root: request.root.clone(),
            derivatives: derivatives.to_vec(),
            picks,
            confounds: confounds(dataset, &images),
        })
    }
}

/// The label to state of an entity: always that of task and space, so that one more changes nothing; of others where images
/// differ in it.
fn pick(dataset: &BidsDataset, images: &[&BidsFile], entity: &'static str) -> Option<Pick> {
    let counts = labels(images, entity);
    let without = images.iter().any(|image| image.name.get(entity).is_none());
    let always = matches!(entity, "task" | "space");
    if counts.is_empty() || (!always && counts.len() == 1 && !without) {
        return None;
    }
    // derivatives keep the echoes beside their combination, which is without an echo
    if without && matches!(entity, "echo" | "acq") {
        return None;
    }
    let preferred = PREFERRED.iter().find(|(own, _)| *own == entity).map_or(&[][..], |(_, labels)| labels);
    let preferred = preferred.iter().find(|label| counts.contains_key(**label)).map(|label| (*label).to_owned());
    // a task with events before one without, whole brains before slices
    let weight = |label: &str, count: usize| {
        let with_events = |image: &&BidsFile| image.name.get(entity) == Some(label) && has_events(dataset, image);
        let mut own = images.iter().copied().filter(|image| image.name.get(entity) == Some(label));
        let smallest_axis = own.next().map_or(0, |image| if entity == "task" { 0 } else { smallest_axis(image) });
        (entity == "task" && images.iter().copied().any(|image| with_events(&image)), smallest_axis, count)
    };
    let heaviest = || {
        let ordered = counts.iter().rev(); // of equal ones the first
        ordered.max_by_key(|(label, count)| weight(label, **count)).map(|(label, _)| label.clone())
    };
    let label = preferred.or_else(heaviest)?;
    let others = counts.into_iter().filter(|(other, _)| *other != label).collect();
    Some(Pick { entity, label, others })
}

fn confounds(dataset: &BidsDataset, images: &[&BidsFile]) -> Vec<String> {
    let header = |image: &&BidsFile| {
        let table = dataset.confounds_of(image);
        table.path().and_then(|path| table_header(path).ok()).unwrap_or_default()
    };
    let mut headers = images.par_iter().map(header).collect::<Vec<_>>().into_iter();
    let first = headers.next().unwrap_or_default();
    headers.fold(first, |shared, header| shared.into_iter().filter(|column| header.contains(column)).collect())
}

/// Voxels along the shortest axis of an image; 0 where it cannot be read.
fn smallest_axis(image: &BidsFile) -> usize {
    let header = read_header(&image.path());
    header.ok().and_then(|(header, _)| header.grid.shape.into_iter().min()).unwrap_or(0)
}

fn has_events(dataset: &BidsDataset, image: &BidsFile) -> bool {
    matches!(dataset.events_of(image).if_any(), Ok(Some(_)))
}

fn labels(images: &[&BidsFile], entity: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for label in images.iter().filter_map(|image| image.name.get(entity)) {
        *counts.entry(label.to_owned()).or_default() += 1;
    }
    counts
}

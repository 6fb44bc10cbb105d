//! `boldly init`: a pipeline for a BIDS dataset that runs as it is.
//!
//! The pipeline is written, planned like any other, and written again with what the plan found: conditions, contrasts, and the
//! policies without which its events could not be read. So what is proposed has gone through every check there is but those
//! that need voxels.

mod choices;
mod policies;
mod text;

use super::plan::Plan;
use crate::config::{self, Settings};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::bids::BidsDataset;
use crate::outputs::provenance::{portable_path, share_a_folder};
use choices::Choices;
pub(super) use choices::preprocessed_folders;
use policies::Policies;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Times the pipeline is planned: each adds policies, and there are few of them.
const MOST_ROUNDS: usize = 8;

/// Where a pipeline is to be made for.
#[derive(Debug, Clone)]
pub struct StarterRequest {
    /// The raw dataset.
    pub root: PathBuf,
    /// Preprocessed data; empty: those found under `derivatives` of the dataset, else none.
    pub derivatives: Vec<PathBuf>,
    /// The task; `None`: the one with the most runs.
    pub task: Option<String>,
    /// The folder in which the pipeline file will lie, and which need not be there yet: paths are written relative to it.
    pub folder: PathBuf,
    /// Name of the pipeline file, for messages.
    pub file: PathBuf,
}

/// A pipeline that was made for a dataset.
#[derive(Debug)]
pub struct StarterPipeline {
    /// The pipeline file.
    pub text: String,
    /// The same as settings.
    pub settings: Settings,
    /// What looks odd, also said in the file.
    pub warnings: Diagnostics,
}

/// What a plan says of the data.
struct Findings {
    /// Events and runs of each condition, over all subjects.
    conditions: BTreeMap<String, Count>,
    n_subjects: usize,
    n_runs: usize,
    /// Runs whose every condition is there; fewer than `n_runs`: some lack one.
    incomplete: bool,
    /// Smallest distance between voxels, mm.
    voxel_mm: Option<f64>,
    /// The smallest grid, voxels along each axis.
    shape: Option<[usize; 3]>,
    refused: Vec<(String, Diagnostics)>,
    warnings: Diagnostics,
}

#[derive(Default)]
struct Count {
    events: usize,
    /// Sum of durations.
    seconds: f64,
    runs: usize,
}

/// Looks at a dataset and proposes a pipeline for it.
///
/// # Errors
/// The dataset cannot be read, has no images, or no subject of it can be analysed.
pub fn starter(request: &StarterRequest) -> Result<StarterPipeline, Diagnostics> {
    let derivatives = if request.derivatives.is_empty() {
        choices::derivatives_of(&request.root)?
    } else {
        request.derivatives.clone()
    };
    let dataset = BidsDataset::open(&request.root, &derivatives)?;
    // what is odd about the dataset may be why there is no pipeline for it
    let with_notes = |mut problems: Diagnostics| {
        problems.extend(dataset.notes().clone());
        problems.said_once()
    };
    let choices = Choices::of(&dataset, request, &derivatives).map_err(with_notes)?;
    let mut policies = Policies::default();
    let mut findings = None;
    for _ in 0..MOST_ROUNDS {
        let (plan, problems) = planned(request, text::pipeline(&choices, &policies, None, Path::new("")));
        let missing = plan.iter().flat_map(|plan| plan.refused.iter().flat_map(|refused| &refused.problems));
        let adapted = policies.adapt(missing.chain(&problems));
        if let Some(plan) = plan {
            findings = Some(Findings::of(plan));
        }
        if !adapted {
            if findings.is_none() {
                return Err(with_notes(problems));
            }
            break;
        }
    }
    let Some(findings) = findings else { return Err(no_plan(request)) };
    let refused = findings.refused.iter().flat_map(|(_, problems)| problems.clone());
    if findings.n_runs == 0 {
        return Err(with_notes(refused.collect()));
    }
    // what is proposed holds together: contrasts are estimable, names are unique
    let here = text::pipeline(&choices, &policies, Some(&findings), Path::new(""));
    let (settings, _) = load(request, here.clone())?;
    let (plan, problems) = planned(request, here);
    if plan.is_none() {
        return Err(problems);
    }
    let text = text::pipeline(&choices, &policies, Some(&findings), &request.folder);
    let mut warnings = findings.warnings;
    warnings
        .extend(refused.map(|problem| Diagnostic { severity: crate::error::Severity::Warning, ..problem }).collect());
    Ok(StarterPipeline { text, settings, warnings })
}

/// The settings of a text whose paths are relative to the working directory: its own folder may not be there yet.
fn load(request: &StarterRequest, text: String) -> Result<(Settings, Diagnostics), Diagnostics> {
    config::load_text(&request.folder.join(&request.file), Path::new(""), text)
}

/// The plan of a text, or why there is none.
fn planned(request: &StarterRequest, text: String) -> (Option<Plan>, Diagnostics) {
    let plan = load(request, text).and_then(|(settings, _)| Plan::new(settings, &request.folder, &[]));
    match plan {
        Ok(plan) => (Some(plan), Diagnostics::new()),
        Err(problems) => (None, problems),
    }
}

fn no_plan(request: &StarterRequest) -> Diagnostics {
    Diagnostic::error("starter-no-plan", "no pipeline was found under which the events of this dataset can be read")
        .at(Place::file(&request.root))
        .hint("write one by hand: docs/bids.md begins with one")
        .into()
}

impl Findings {
    fn of(plan: Plan) -> Self {
        let mut conditions: BTreeMap<String, Count> = BTreeMap::new();
        let mut voxel_mm: Option<f64> = None;
        let mut shape: Option<[usize; 3]> = None;
        let mut n_runs = 0;
        for run in plan.subjects.iter().flat_map(|subject| &subject.runs) {
            n_runs += 1;
            if let Some(events) = &run.events {
                for condition in events.conditions() {
                    conditions.entry(condition).or_default().runs += 1;
                }
                for event in &events.events {
                    let count = conditions.entry(event.condition.clone()).or_default();
                    count.events += 1;
                    count.seconds += event.duration_s;
                }
            }
            if let Some(grid) = run.grid() {
                let smallest = |shape: &[usize; 3]| shape.iter().copied().min();
                shape = Some(shape.filter(|known| smallest(known) <= smallest(&grid.shape)).unwrap_or(grid.shape));
                let own = grid.voxel_sizes_mm().into_iter().fold(f64::INFINITY, f64::min);
                voxel_mm = Some(voxel_mm.map_or(own, |known| known.min(own)));
            }
        }
        Self {
            incomplete: conditions.values().any(|count| count.runs < n_runs),
            conditions,
            n_subjects: plan.subjects.len(),
            n_runs,
            voxel_mm,
            shape,
            refused: plan.refused.into_iter().map(|refused| (refused.subject, refused.problems)).collect(),
            warnings: plan.warnings,
        }
    }
}

/// A path as it is written in a file of `folder`: relative where the two lie together.
fn relative_to(path: &Path, folder: &Path) -> PathBuf {
    // of a file without a folder that is the working directory
    match (std::path::absolute(path), std::path::absolute(Path::new(".").join(folder))) {
        (Ok(path), Ok(folder)) if share_a_folder(&path, &folder) => PathBuf::from(portable_path(&path, &folder)),
        (Ok(path), _) => path,
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_pipelines_folder() {
        let relative = |path: &str, folder: &str| relative_to(Path::new(path), Path::new(folder));
        assert_eq!(relative("/data/ds", "/data"), Path::new("ds"));
        assert_eq!(relative("/data/ds", "/data/ds"), Path::new("."));
        assert_eq!(relative("/data/ds", "/data/code/glm"), Path::new("../../ds"));
        assert_eq!(relative("/scratch/ds", "/data/code"), Path::new("/scratch/ds"));
    }
}

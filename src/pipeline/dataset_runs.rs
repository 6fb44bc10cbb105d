//! `[bids]`: the runs of a dataset, each as if it had been written as a `[[run]]`.

use super::starter::preprocessed_folders;
use crate::config::{
    BidsSettings, EventFiles, GlmSettings, Inputs, Labels, Located, MaskSettings, RunSettings, Settings,
};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::Sidecar;
use crate::inputs::bids::{BidsDataset, BidsRun, BidsTiming, Choice, FrameTime, Selection};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was found in a dataset.
#[derive(Debug, Default)]
pub(super) struct DatasetRuns {
    /// Sidecars of each image: what they say together, and the files.
    pub(super) sidecars: BTreeMap<PathBuf, (Sidecar, Vec<PathBuf>)>,
    /// Subjects whose files are not in order.
    pub(super) refused: BTreeMap<String, Diagnostics>,
    /// What is odd about the files of a subject.
    pub(super) odd: BTreeMap<String, Diagnostics>,
    /// What is odd.
    pub(super) warnings: Diagnostics,
}

/// A run as settings, with its sidecars: what they say together, and the files.
type FoundRun = (RunSettings, Sidecar, Vec<PathBuf>);

/// The runs of a subject and what is odd about them, or what is wrong.
type FoundSubject = Result<(Vec<FoundRun>, Diagnostics), Diagnostics>;

/// What the models ask of every run.
#[expect(clippy::struct_excessive_bools, reason = "a question each")]
struct Needs {
    events: bool,
    confounds: bool,
    mask: bool,
    /// Stated of all runs.
    tr_s: Option<Located<f64>>,
    /// A model does not state when within a repetition time a frame is measured, and the profile follows sidecars.
    frame_time: bool,
}

/// Puts the runs of the dataset into the settings' inputs; subjects whose files are not in order are refused.
///
/// # Errors
/// The dataset cannot be read, or the selection does not settle which images are meant.
pub(super) fn find(settings: &mut Settings, bids: &BidsSettings) -> Result<DatasetRuns, Diagnostics> {
    let derivatives: Vec<PathBuf> = bids.derivatives.iter().map(|folder| folder.value.clone()).collect();
    let dataset = BidsDataset::open(&bids.root.value, &derivatives).map_err(|found| named_at(found, bids))?;
    let matched = dataset.match_runs(&selection(bids)).map_err(|found| {
        // what is odd about the dataset may be why
        let mut all = named_at(found, bids);
        all.extend(dataset.notes().clone());
        all
    })?;
    let mut found = DatasetRuns::default();
    found.warnings.extend(dataset.notes().clone());
    found.warnings.extend(matched.notes);
    found.warnings.extend(raw_beside_preprocessed(bids));
    let any_events = matched.subjects.values().flatten().flatten().any(|run| !matches!(run.events.if_any(), Ok(None)));
    let needs = Needs {
        events: settings.glms.iter().any(|glm| any_events || contrasts_conditions(glm)),
        confounds: settings.series_models().any(|model| model.confounds.reads_a_table()),
        mask: matches!(settings.mask, MaskSettings::PerRun(_)),
        tr_s: bids.tr_s.clone(),
        frame_time: settings.numerics.start_time_from_sidecar
            && settings.series_models().any(|model| !model.design.slice_time_ref_stated),
    };
    let of_subject = |runs: Result<Vec<BidsRun>, Diagnostics>| {
        let mut problems = Diagnostics::new();
        let mut found = Vec::new();
        for run in &runs? {
            if let Some((run, warnings)) = problems.collect(of_run(&dataset, run, &needs)) {
                problems.extend(warnings);
                found.push(run);
            }
        }
        problems.finish(found)
    };
    let subjects: Vec<(String, FoundSubject)> =
        matched.subjects.into_par_iter().map(|(subject, runs)| (subject, of_subject(runs))).collect();
    let mut all = Vec::new();
    for (subject, runs) in subjects {
        match runs {
            Ok((runs, warnings)) => {
                found.odd.insert(subject, warnings);
                for (run, sidecar, files) in runs {
                    found.sidecars.insert(run.bold.value.clone(), (sidecar, files));
                    all.push(run);
                }
            }
            Err(problems) => {
                found.refused.insert(subject, problems);
            }
        }
    }
    settings.inputs = Inputs::Runs(all);
    Ok(found)
}

/// A word where raw images are analysed, and preprocessed ones lie below the dataset.
fn raw_beside_preprocessed(bids: &BidsSettings) -> Diagnostics {
    let folders = if bids.derivatives.is_empty() { preprocessed_folders(&bids.root.value) } else { Vec::new() };
    if folders.is_empty() {
        return Diagnostics::new();
    }
    let names: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
    let mut warning = Diagnostic::warning("bids-raw-analysed", "raw images are analysed: no `derivatives` are named")
        .note(format!("preprocessed images are in {}", names.join(", ")))
        .hint("name the folder: `derivatives` under `[bids]`, or `--derivatives DIR`");
    warning.place = bids.root.place();
    warning.into()
}

/// Whether a model contrasts conditions whatever the runs have; without events it may still contrast confounds.
fn contrasts_conditions(glm: &GlmSettings) -> bool {
    glm.condition_contrasts || (!glm.contrasts.is_empty() && !glm.confounds.takes_columns())
}

/// Adds to problems of the folders where the pipeline names them.
fn named_at(found: Diagnostics, bids: &BidsSettings) -> Diagnostics {
    let named = |problem: &Diagnostic| {
        let path = problem.place.as_ref().map(Place::path);
        let of_derivative = |folder: &&Located<PathBuf>| path.is_some_and(|path| path.starts_with(&folder.value));
        // these often lie inside the raw dataset
        bids.derivatives.iter().find(of_derivative).unwrap_or(&bids.root).place()
    };
    found
        .into_iter()
        .map(|problem| match (&problem.place, named(&problem)) {
            (None | Some(Place::File(_)), Some(place)) => {
                let file = problem.place.as_ref().map(|place| place.path().display().to_string());
                let problem = Diagnostic { place: Some(place), ..problem };
                file.map_or(problem.clone(), |file| problem.note(file))
            }
            _ => problem,
        })
        .collect()
}

fn selection(bids: &BidsSettings) -> Selection {
    let choice = |label: &Option<Located<String>>| label.clone().map(Choice::Label);
    Selection {
        tasks: bids.task.iter().cloned().collect(),
        subjects: bids.subjects.clone(),
        sessions: bids.sessions.clone(),
        runs: bids.runs.clone(),
        space: choice(&bids.space),
        res: choice(&bids.res),
        desc: choice(&bids.desc),
        echo: choice(&bids.echo),
        acq: choice(&bids.acq),
        others: bids.others.iter().map(|(key, label)| (key.clone(), Choice::Label(label.clone()))).collect(),
    }
}

/// A run with all that the models need, or everything that is missing of it.
fn of_run(dataset: &BidsDataset, run: &BidsRun, needs: &Needs) -> Result<(FoundRun, Diagnostics), Diagnostics> {
    let mut problems = Diagnostics::new();
    let file = |path: &Path| Located::unplaced(path.to_path_buf());
    let mut take =
        |found: Result<Option<&Path>, Diagnostics>| problems.collect(found.map_err(with_a_way_out)).flatten().map(file);
    let events = take(if needs.events { run.events.required().map(Some) } else { run.events.if_any() });
    let confounds = take(needs.confounds.then(|| run.confounds.required()).transpose());
    let mask = take(needs.mask.then(|| run.mask.required()).transpose());
    let timing = problems.collect(dataset.timing_of(&run.file).and_then(|timing| {
        if needs.frame_time {
            timing.slice_time_ref()?;
        }
        Ok(timing)
    }));
    if needs.tr_s.is_none() {
        problems.extend(timing.iter().filter_map(|timing| timing.other_repetition_time.clone()).collect());
    }
    let labels = Labels {
        subject: run.subject.clone(),
        session: run.session.clone(),
        task: run.task.clone(),
        run: run.run.clone(),
        space: run.space.clone(),
        res: run.entity("res").map(str::to_owned),
    };
    let mut files = run.sidecars.clone();
    files.extend(run.raw_sidecars.iter().filter(|path| !run.sidecars.contains(path)).cloned());
    let sidecar = timing.map(|timing| sidecar(timing, run));
    let settings = RunSettings {
        labels,
        bold: file(&run.bold),
        events: events.map(EventFiles::Bids),
        confounds,
        mask,
        tr_s: needs.tr_s.clone(),
    };
    problems.finish((settings, sidecar, files)).map(|((settings, sidecar, files), warnings)| {
        // timing is there where there was no problem
        ((settings, sidecar.unwrap_or_default(), files), warnings)
    })
}

/// What can be done about a file that is not there, where nothing better was said.
fn with_a_way_out(found: Diagnostics) -> Diagnostics {
    let hint = "add the file, or leave the run out: `subjects`, `sessions` or `runs` of `[bids]`";
    found.into_iter().map(|problem| if problem.hint.is_none() { problem.hint(hint) } else { problem }).collect()
}

/// What the sidecars of an image say together.
fn sidecar(timing: BidsTiming, run: &BidsRun) -> Sidecar {
    let (repetition_time_s, said_by) = timing.repetition_time_s.unzip();
    let (start_time_s, shifted_by) = match timing.frame_time {
        FrameTime::Known { start_time_s, path, .. } => (Some(start_time_s), Some(path)),
        FrameTime::NotStated | FrameTime::Unclear(_) => (None, None),
    };
    let path = shifted_by.or(said_by).or_else(|| run.sidecars.last().cloned()).unwrap_or_default();
    Sidecar { path, repetition_time_s, start_time_s, slice_timing_s: None, task_name: run.task.clone() }
}

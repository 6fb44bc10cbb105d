//! Scans at rest as null data.

use super::null_data::Draw;
use crate::config::{Inputs, Labels, Located, RunSettings};
use crate::error::{CancelToken, Diagnostic, Diagnostics, Place, counted};
use crate::inputs::Support;
use crate::pipeline::failure::Failure;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_run::{RunPlan, RunSource};
use crate::pipeline::run_data::RunData;
use crate::pipeline::run_job::Feeds;
use crate::preprocess::{Series, SeriesPlace};
use std::path::PathBuf;

/// Repetition times that are the same, seconds.
const SAME_TR_S: f64 = 1e-3;

/// The scans of `[calibrate] rest`, headers read.
#[derive(Debug, Default)]
pub(super) struct RestScans {
    scans: Vec<RunPlan>,
}

/// Stretches of scans that are as long as the runs of a group.
pub(super) struct Stretches {
    scans: Vec<Series>,
    /// Scan and first frame of each.
    starts: Vec<(usize, usize)>,
    /// How many a draw takes.
    n_runs: usize,
}

impl RestScans {
    /// Reads headers, and sees to it that each scan can stand for the runs of every subject.
    pub(super) fn plan(plan: &Plan) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut scans = Vec::new();
        for path in &plan.settings.calibrate.rest {
            if !matches!(plan.settings.inputs, Inputs::Runs(_)) {
                let message = "scans at rest can only stand for images";
                let hint = "leave `rest` out: data are then simulated with the noise of the tables";
                problems.push(at(Diagnostic::error("calibrate-rest-of-tables", message).hint(hint), path));
                continue;
            }
            let settings = RunSettings {
                labels: Labels { subject: "rest".to_owned(), ..Labels::default() },
                bold: path.clone(),
                events: None,
                confounds: None,
                mask: None,
                tr_s: None,
            };
            let Some((scan, _)) = problems.collect(RunPlan::of_image(&plan.settings, &settings, None)) else {
                continue;
            };
            problems.extend(misfits(plan, path, &scan));
            scans.push(scan);
        }
        if problems.has_errors() { Err(problems) } else { Ok(Self { scans }) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.scans.is_empty()
    }

    /// Reads all scans, and cuts them into stretches for runs of so many frames.
    pub(super) fn read(
        &self,
        plan: &Plan,
        support: &Support,
        (n_frames, n_runs): (usize, usize),
        cancel: &CancelToken,
    ) -> Result<Option<Stretches>, Failure> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut scans = Vec::new();
        for scan in &self.scans {
            let data = RunData::read(plan, scan, support, SeriesPlace::Memory, &mut Feeds::default(), true, cancel)?;
            scans.extend(data.gathered.series);
        }
        let starts = scans
            .iter()
            .enumerate()
            .flat_map(|(number, scan)| (0..scan.n_frames / n_frames).map(move |stretch| (number, stretch * n_frames)));
        let stretches = Stretches { starts: starts.collect(), scans, n_runs };
        if stretches.n_draws() == 0 {
            let found = counted(stretches.starts.len(), "stretch");
            let message = format!("{found}es of rest do not make one set of {}", counted(n_runs, "run"));
            return Err(Diagnostic::error("calibrate-rest-too-short", message)
                .hint("give more or longer scans")
                .into());
        }
        Ok(Some(stretches))
    }
}

impl Stretches {
    /// Sets of null data there are.
    pub(super) fn n_draws(&self) -> usize {
        self.starts.len() / self.n_runs
    }

    /// Data of one run in one draw.
    pub(super) fn of_run(&self, draw: usize, run: usize) -> Draw<'_> {
        let (scan, start) = self.starts[draw * self.n_runs + run];
        Draw::Rest(&self.scans[scan], start)
    }

    /// The scan that a draw begins in: stretches of one scan are no independent draws.
    pub(super) fn scan_of(&self, draw: usize) -> usize {
        self.starts[draw * self.n_runs].0
    }
}

/// What keeps a scan from standing for the runs.
fn misfits(plan: &Plan, path: &Located<PathBuf>, scan: &RunPlan) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let RunSource::Image(header) = &scan.source else { return problems };
    for run in plan.subjects.iter().flat_map(|subject| &subject.runs) {
        let name = run.display_name();
        let mut refuse = |code, message: String, found: String, hint: &str| {
            problems.push(at(Diagnostic::error(code, message).note(found).hint(hint.to_owned()), path));
        };
        if run.grid().is_some_and(|grid| !grid.same_as(&header.grid)) {
            let [x, y, z] = header.grid.shape;
            let found = format!("found {x}x{y}x{z} voxels, or another affine");
            let hint = "resample the scan to the grid of the runs";
            refuse("calibrate-rest-grid", format!("the scan at rest is not on the grid of {name}"), found, hint);
        } else if (run.tr_s - scan.tr_s).abs() > SAME_TR_S {
            let found = format!("found {} s, expected {} s", scan.tr_s, run.tr_s);
            let message = format!("the scan at rest has another repetition time than {name}");
            refuse("calibrate-rest-tr", message, found, "noise of another repetition time says nothing about this one");
        } else if scan.n_acquired < run.n_acquired {
            let found = format!("found {}, expected {} or more", counted(scan.n_acquired, "frame"), run.n_acquired);
            let message = format!("the scan at rest is shorter than {name}");
            refuse("calibrate-rest-too-short", message, found, "give longer scans");
        } else {
            continue;
        }
        break; // the other runs are as a rule alike
    }
    problems
}

fn at(diagnostic: Diagnostic, path: &Located<PathBuf>) -> Diagnostic {
    let place = path.place().or_else(|| Some(Place::file(&path.value)));
    Diagnostic { place, ..diagnostic }
}

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
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Repetition times that are the same, seconds.
const SAME_TR_S: f64 = 1e-3;

/// The scans of `[calibrate] rest`, headers read.
#[derive(Debug, Default)]
pub(super) struct RestScans {
    scans: Vec<RunPlan>,
    /// What is odd about them.
    pub(super) warnings: Diagnostics,
}

/// A scan, read.
pub(super) struct RestScan {
    pub(super) path: PathBuf,
    pub(super) series: Series,
    /// Columns that hold a value that is not finite, ascending.
    pub(super) never_finite: Vec<usize>,
}

/// Stretches of scans that are as long as the runs of a group.
pub(super) struct Stretches {
    scans: Vec<RestScan>,
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
            let read = RunPlan::of_image(&plan.settings, &settings, None);
            let Some((scan, warnings)) = problems.collect(read) else { continue };
            problems.extend(warnings);
            problems.extend(misfits(plan, path, &scan));
            scans.push(scan);
        }
        problems.finish(scans).map(|(scans, warnings)| Self { scans, warnings })
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
    ) -> Result<Option<(Stretches, Diagnostics)>, Failure> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut scans = Vec::new();
        let mut warnings = Diagnostics::new();
        for scan in &self.scans {
            let data = RunData::read(plan, scan, support, SeriesPlace::Memory, &mut Feeds::default(), true, cancel)?;
            warnings.extend(data.warnings);
            let never_finite = data.gathered.never_finite;
            let path = scan.data_path().to_path_buf();
            scans.extend(data.gathered.series.map(|series| RestScan { path, series, never_finite }));
        }
        let starts = scans.iter().enumerate().flat_map(|(number, scan)| {
            (0..scan.series.n_frames / n_frames).map(move |stretch| (number, stretch * n_frames))
        });
        let stretches = Stretches { starts: starts.collect(), scans, n_runs };
        if stretches.n_draws() == 0 {
            let found = stretches.starts.len();
            let message = format!(
                "{found} of {} that a group of runs needs are in the scans at rest",
                counted(n_runs, "stretch")
            );
            return Err(Diagnostic::error("calibrate-rest-too-short", message)
                .hint("give more or longer scans")
                .into());
        }
        Ok(Some((stretches, warnings)))
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

    /// Draws that share no scan with those of another cluster; stretches of one scan are no independent draws.
    pub(super) fn clusters(&self) -> Vec<Vec<usize>> {
        let mut clusters: Vec<(BTreeSet<usize>, Vec<usize>)> = Vec::new();
        for draw in 0..self.n_draws() {
            let own = &self.starts[draw * self.n_runs..(draw + 1) * self.n_runs];
            let mut scans: BTreeSet<usize> = own.iter().map(|(scan, _)| *scan).collect();
            let mut draws = vec![draw];
            for (other, of_other) in
                clusters.extract_if(.., |(other, _)| !other.is_disjoint(&scans)).collect::<Vec<_>>()
            {
                scans.extend(other);
                draws.extend(of_other);
            }
            draws.sort_unstable();
            clusters.push((scans, draws));
        }
        clusters.into_iter().map(|(_, draws)| draws).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_that_share_a_scan_are_one_cluster() {
        // stretches of four scans: 3, 1, 2, 2
        let starts = vec![(0, 0), (0, 9), (0, 18), (1, 0), (2, 0), (2, 9), (3, 0), (3, 9)];
        let of_runs = |n_runs| Stretches { scans: Vec::new(), starts: starts.clone(), n_runs };
        assert_eq!(of_runs(1).clusters(), [vec![0, 1, 2], vec![3], vec![4, 5], vec![6, 7]]);
        // two runs a draw: the first two draws share scan 0
        assert_eq!(of_runs(2).clusters(), [vec![0, 1], vec![2], vec![3]]);
        // three: 0 0 0, 1 2 2; the last two stretches are left over
        assert_eq!(of_runs(3).clusters(), [vec![0], vec![1]]);
    }
}

//! One model of one group of runs.

use super::CalibratedModel;
use super::draw::DrawFound;
use super::null_data::{Draw, NullSource};
use super::rest::{RestScans, Stretches};
use crate::error::{CancelToken, Diagnostics};
use crate::inputs::Support;
use crate::model::NullRun;
use crate::outputs::calibration::{CalibrationSidecar, DESCRIPTION, write_calibration};
use crate::outputs::{OutputNames, StagedOutputs};
use crate::pipeline::failure::Failure;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_run::{RunPlan, display_name};
use crate::pipeline::plan_subject::{RunGroup, SubjectPlan};
use crate::pipeline::progress::Progress;
use crate::pipeline::residual_noise::GroupNoise;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Values of a draw up to which several draws are worked on at a time: 64 MB each, with what is made of them.
const SMALL_VALUES: usize = 1 << 22;

/// What the calibration of a model needs.
pub(super) struct ModelCalibration<'a> {
    pub(super) plan: &'a Plan,
    pub(super) subject: &'a SubjectPlan,
    pub(super) group: &'a RunGroup,
    pub(super) model: usize,
    pub(super) support: &'a Support,
    pub(super) rest: &'a RestScans,
    pub(super) progress: &'a Progress,
    pub(super) cancel: &'a CancelToken,
}

impl ModelCalibration<'_> {
    /// Draws data, and counts what is found in them.
    pub(super) fn run(&self) -> Result<(CalibratedModel, Diagnostics), Failure> {
        let name = display_name(&self.group.labels);
        self.progress.stage(&self.subject.subject, &name, "reading");
        let runs: Vec<&RunPlan> = self.group.runs.iter().map(|&run| &self.subject.runs[run]).collect();
        let mut warnings = Diagnostics::new();
        let mut sources = Vec::new();
        for run in &runs {
            let (source, found) = NullSource::new(self.plan, run, self.model, self.support, self.rest, self.cancel)?;
            warnings.extend(found);
            sources.push(source);
        }
        let n_frames = runs.iter().map(|run| run.models[self.model].design.matrix.nrows()).max().unwrap_or(1);
        let stretches = self.rest.read(self.plan, self.support, (n_frames, runs.len()), self.cancel)?;
        let settings = &self.plan.settings.calibrate;
        let n_draws = stretches.as_ref().map_or(settings.draws, Stretches::n_draws);
        let noise = GroupNoise::of_runs(sources.iter().map(|source| source.noise.as_ref()));
        let glm = &self.plan.settings.glms[self.model];
        self.progress.stage(&self.subject.subject, &name, &format!("model {}: null data", *glm.name));
        let at_a_time =
            if n_frames * self.support.n_columns() > SMALL_VALUES { 1 } else { rayon::current_num_threads() };
        let mut found: Vec<DrawFound> = Vec::new();
        for wave in (0..n_draws).collect::<Vec<usize>>().chunks(at_a_time) {
            let of_draw = |&draw: &usize| {
                let of_run = |run: usize| match &stretches {
                    Some(stretches) => stretches.of_run(draw, run),
                    None => Draw::Simulated(seed(settings.seed, draw, run)),
                };
                let found = self.found(&sources, of_run, noise.as_ref())?;
                self.progress.step(&name);
                Ok(found)
            };
            found.extend(wave.par_iter().with_max_len(1).map(of_draw).collect::<Result<Vec<_>, Failure>>()?);
        }
        let mut clusters: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for draw in 0..n_draws {
            clusters.entry(stretches.as_ref().map_or(draw, |all| all.scan_of(draw))).or_default().push(draw);
        }
        let clusters: Vec<Vec<usize>> = clusters.into_values().collect();
        let table = CalibrationSidecar {
            description: DESCRIPTION,
            model: glm.name.value.clone(),
            data: if stretches.is_some() { "rest" } else { "simulated" },
            draws: n_draws,
            seed: stretches.is_none().then_some(settings.seed),
            analysed_columns: self.support.n_columns(),
            spectra: sources.iter().filter_map(|source| source.simulated.as_ref()).map(NullRun::n_strata).collect(),
            rates: self.rows(&found, &clusters),
        };
        Ok((CalibratedModel { runs: name, table }, warnings))
    }

    /// Writes the table and its sidecar beside the model's results.
    pub(super) fn write(&self, calibrated: &CalibratedModel, staged: &StagedOutputs) -> Result<(), Failure> {
        let glm = &self.plan.settings.glms[self.model];
        let path = OutputNames::of_run(&glm.name, &self.group.labels)?.calibration()?;
        staged.write(&path, |file| write_calibration(file, &calibrated.table.rates))?;
        Ok(staged.write_json(&path.sidecar(), &calibrated.table)?)
    }
}

/// A seed for each run of each draw.
fn seed(base: u64, draw: usize, run: usize) -> u64 {
    base << 34 ^ (draw as u64) << 16 ^ run as u64
}

//! One model of one group of runs.

use super::CalibratedModel;
use super::draw::DrawFound;
use super::null_data::{Draw, NullSource};
use super::rest::{RestScans, Stretches};
use crate::config::Noise;
use crate::error::{CancelToken, Diagnostic, Diagnostics, counted};
use crate::inputs::Support;
use crate::model::NullRun;
use crate::outputs::calibration::{CalibrationSidecar, DESCRIPTION, word, write_calibration};
use crate::outputs::{OutputNames, StagedOutputs};
use crate::pipeline::excluded::Excluded;
use crate::pipeline::failure::Failure;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_run::{RunPlan, display_name};
use crate::pipeline::plan_subject::{RunGroup, SubjectPlan};
use crate::pipeline::progress::Progress;
use crate::pipeline::subject_job::InputDigests;
use rayon::prelude::*;

/// Values of all draws that are worked on at a time, where that is more than one: 64 MB, several times that with what is made of
/// them.
const MOST_VALUES: usize = 1 << 24;

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
    pub(super) fn run(&self, digests: &mut InputDigests) -> Result<(CalibratedModel, Diagnostics), Failure> {
        let name = display_name(&self.group.labels);
        self.progress.stage(&self.subject.subject, &name, "reading");
        let runs: Vec<&RunPlan> = self.group.runs.iter().map(|&run| &self.subject.runs[run]).collect();
        let mut warnings = Diagnostics::new();
        let mut sources = Vec::new();
        for run in &runs {
            let (source, found) = NullSource::new(self.plan, run, self.model, self.support, self.rest, self.cancel)?;
            warnings.extend(found);
            digests.note(&source.digests);
            sources.push(source);
        }
        let n_frames = runs.iter().map(|run| run.models[self.model].design.matrix.nrows()).max().unwrap_or(1);
        let read = self.rest.read(self.plan, self.support, (n_frames, runs.len()), self.cancel)?;
        let (stretches, found) = read.unzip();
        warnings.extend(found.unwrap_or_default());
        let settings = &self.plan.settings.calibrate;
        let n_draws = stretches.as_ref().map_or(settings.draws, Stretches::n_draws);
        let glm = &self.plan.settings.glms[self.model];
        let drawn = |draw: usize, run: usize| match &stretches {
            Some(stretches) => stretches.of_run(draw, run),
            None => Draw::Simulated(self.seed(draw, run)),
        };
        self.progress.stage(&self.subject.subject, &name, &format!("model {}: null data", *glm.name));
        let noises = self.noises();
        // the first alone: it gives what clusters of all are held against
        let mut found = vec![self.found(&noises, &sources, |run| drawn(0, run), None)?];
        self.progress.step(&name);
        let clusters = found[0].models[0].as_mut().ok().and_then(|declared| declared.space.take());
        let values = n_frames * self.support.n_columns() * runs.len();
        let at_a_time = (MOST_VALUES / values.max(1)).clamp(1, rayon::current_num_threads());
        for wave in (1..n_draws).collect::<Vec<usize>>().chunks(at_a_time) {
            let of_draw = |&draw: &usize| {
                let found = self.found(&noises, &sources, |run| drawn(draw, run), clusters.as_ref())?;
                self.progress.step(&name);
                Ok(found)
            };
            found.extend(wave.par_iter().with_max_len(1).map(of_draw).collect::<Result<Vec<_>, Failure>>()?);
        }
        warnings.extend(Self::left_out(&noises, &found));
        let independent = stretches.as_ref().map(Stretches::clusters);
        let independent = independent.unwrap_or_else(|| (0..n_draws).map(|draw| vec![draw]).collect());
        let simulated: Vec<&NullRun> = sources.iter().filter_map(|source| source.simulated.as_ref()).collect();
        // each run knows its spectra apart from the others, and has a like share in the effect
        let log_variance = simulated.iter().map(|null| null.variance_of_log_variance()).sum::<f64>();
        let log_variance = log_variance / (simulated.len() * simulated.len()).max(1) as f64;
        let excluded = Excluded::of_all(sources.iter().map(|source| &source.excluded));
        let table = CalibrationSidecar {
            description: DESCRIPTION,
            model: glm.name.value.clone(),
            data: if stretches.is_some() { "rest" } else { "simulated" },
            draws: n_draws,
            seed: stretches.is_none().then_some(settings.seed),
            analysed_columns: self.support.n_columns() - excluded.entries().len(),
            spectra: simulated.iter().map(|null| null.n_strata()).collect(),
            rates: self.rows(&noises, &found, &independent, log_variance),
        };
        Ok((CalibratedModel { runs: name, table }, warnings))
    }

    /// Says which alternatives some data could not be fitted with.
    fn left_out(noises: &[Noise], found: &[DrawFound]) -> Diagnostics {
        let mut warnings = Diagnostics::new();
        for (number, noise) in noises.iter().enumerate() {
            let problems: Vec<&String> = found.iter().filter_map(|draw| draw.models[number].as_ref().err()).collect();
            if let Some(first) = problems.first() {
                let message = format!("the alternative `{}` is left out", word(noise));
                let n = format!("it cannot be fitted to {} of {}", problems.len(), counted(found.len(), "data set"));
                let warning = Diagnostic::warning("calibrate-alternative", message);
                warnings.push(warning.note(n).note(format!("the first time: {first}")));
            }
        }
        warnings
    }

    /// A seed for each run of each draw, of this model and these runs.
    fn seed(&self, draw: usize, run: usize) -> u64 {
        let of_whom = format!("{} {}", display_name(&self.group.labels), *self.plan.settings.glms[self.model].name);
        // FNV-1a
        let hash = of_whom
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        hash ^ self.plan.settings.calibrate.seed << 34 ^ (draw as u64) << 16 ^ run as u64
    }

    /// Writes the table and its sidecar beside the model's results.
    pub(super) fn write(&self, calibrated: &CalibratedModel, staged: &StagedOutputs) -> Result<(), Failure> {
        let glm = &self.plan.settings.glms[self.model];
        let path = OutputNames::of_run(&glm.name, &self.group.labels)?.calibration()?;
        staged.write(&path, |file| write_calibration(file, &calibrated.table.rates))?;
        Ok(staged.write_json(&path.sidecar(), &calibrated.table)?)
    }
}

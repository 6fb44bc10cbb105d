//! How often the models of a plan find effects where there are none, on their own designs.
//!
//! Null data take the place of the runs: simulated with the noise of each run ([`NullRun`](crate::model::NullRun)), or scans at
//! rest. They are fitted and tested as the plan says, and what is found in them is counted.

mod draw;
mod job;
mod null_data;
mod rates;
mod rest;
mod text;

use super::failure::Failure;
use super::mask_stage;
use super::plan::Plan;
use super::plan_subject::SubjectPlan;
use super::progress::{Progress, ProgressMode};
use super::reports::Reporter;
use super::run::worker_threads;
use super::subject_job::{InputDigests, NUMERICS_VERSION, plan_digest};
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use crate::inference::Verdict;
use crate::outputs::{
    Manifest, ManifestKey, OutputFolder, OutputLock, StagedOutputs, Unit, calibration::CalibrationSidecar,
    open_output_folder,
};
use job::ModelCalibration;
use rest::RestScans;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How to calibrate.
#[derive(Debug, Clone)]
pub struct CalibrationOptions {
    /// Worker threads.
    pub threads: usize,
    /// Memory that may be used, bytes; `None` where the machine does not say.
    pub max_memory_bytes: Option<u64>,
    /// How progress is shown.
    pub progress: ProgressMode,
    /// Interruption.
    pub cancel: CancelToken,
}

/// The rates of one model in one group of runs.
#[derive(Debug, Clone)]
pub struct CalibratedModel {
    /// How messages call the runs.
    pub runs: String,
    /// What was counted.
    pub table: CalibrationSidecar,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct CalibrationOutcome {
    /// By subject, group of runs and model.
    pub models: Vec<CalibratedModel>,
    /// What is odd.
    pub warnings: Diagnostics,
    /// Subjects that could not be calibrated, with what is wrong.
    pub failed: Vec<(String, Diagnostics)>,
    /// Whether the machine failed rather than an input.
    pub machine_failed: bool,
    /// Whether the work was interrupted.
    pub interrupted: bool,
}

impl CalibrationOutcome {
    /// How many rates of declared models have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let rows = self.models.iter().flat_map(|model| &model.table.rates);
        rows.filter(|row| row.verdict() == Some(verdict)).count()
    }
}

/// Calibrates every subject of the plan, and writes the rates beside its results.
///
/// # Errors
/// There is nothing to calibrate, scans at rest that do not fit, too little memory, an output folder that cannot be used.
pub fn calibrate(plan: &Plan, options: &CalibrationOptions) -> Result<CalibrationOutcome, Failure> {
    if plan.settings.glms.is_empty() {
        let problem =
            Diagnostic::error("calibrate-without-model", "the pipeline has no general linear model to calibrate");
        return Err(problem.hint("`boldly calibrate` looks at the contrasts of `[[glm]]`").into());
    }
    let rest = RestScans::plan(plan)?;
    if let Some(limit_bytes) = options.max_memory_bytes {
        plan.check_calibration_memory(options.threads, limit_bytes)?;
    }
    let folder = open_output_folder(&plan.settings.output.dir)?;
    folder.claim(&plan.settings.name)?;
    let pool = worker_threads(options.threads)?;
    let steps = plan.subjects.iter().map(|subject| steps(plan, subject)).sum();
    let progress = Progress::new(options.progress, steps);
    let reporter = Reporter { folder: &folder, pool: &pool, wanted: plan.settings.output.report };
    let mut outcome = CalibrationOutcome::default();
    for refused in &plan.refused {
        outcome.failed.push((refused.subject.clone(), refused.problems.clone()));
    }
    for subject in &plan.subjects {
        let calibration =
            SubjectCalibration { plan, subject, rest: &rest, folder: &folder, progress: &progress, options };
        let result = catch_unwind(AssertUnwindSafe(|| pool.install(|| calibration.run())));
        let result = result.unwrap_or_else(|_| {
            let message = format!("a bug of boldly stopped sub-{}", subject.subject);
            let hint = "please report it with the message above and the pipeline file";
            Err(Diagnostic::error("internal-bug", message).hint(hint).into())
        });
        match result {
            Ok((models, warnings)) => {
                progress.subject(&subject.subject, "done", "calibrated");
                outcome.models.extend(models);
                outcome.warnings.extend(warnings);
                outcome.warnings.extend(reporter.subject(&subject.subject));
            }
            Err(failure) => {
                outcome.interrupted |= failure.interrupted;
                outcome.machine_failed |= failure.machine;
                if !failure.problems.is_empty() {
                    outcome.failed.push((subject.subject.clone(), failure.problems));
                }
                if failure.interrupted {
                    break;
                }
                progress.subject(&subject.subject, "failed", "nothing of it was written");
            }
        }
    }
    progress.finish();
    let warnings = std::mem::take(&mut outcome.warnings).said_once();
    outcome.warnings = warnings.into_iter().filter(|own| !plan.warnings.iter().any(|known| known == own)).collect();
    Ok(outcome)
}

/// Steps of progress that a subject takes, should data be simulated: a step a draw.
fn steps(plan: &Plan, subject: &SubjectPlan) -> usize {
    let groups = subject.spaces.iter().map(|space| space.groups.len()).sum::<usize>();
    groups * plan.settings.glms.len() * plan.settings.calibrate.draws
}

struct SubjectCalibration<'a> {
    plan: &'a Plan,
    subject: &'a SubjectPlan,
    rest: &'a RestScans,
    folder: &'a OutputFolder,
    progress: &'a Progress,
    options: &'a CalibrationOptions,
}

impl SubjectCalibration<'_> {
    fn run(&self) -> Result<(Vec<CalibratedModel>, Diagnostics), Failure> {
        let Self { plan, subject, progress, rest, .. } = *self;
        let cancel = &self.options.cancel;
        let lock = OutputLock::acquire_unit(self.folder, Unit::Calibration(subject.subject.clone()))?;
        let staged = StagedOutputs::new(lock)?;
        let mut models = Vec::new();
        let mut digests = InputDigests::default();
        let mut warnings = rest.warnings.clone();
        for space in &subject.spaces {
            let (support, found) = mask_stage::support(plan, subject, space, cancel)?;
            warnings.extend(found);
            for group in &space.groups {
                for model in 0..plan.settings.glms.len() {
                    let job =
                        ModelCalibration { plan, subject, group, model, support: &support, rest, progress, cancel };
                    let (calibrated, found) = job.run(&mut digests)?;
                    job.write(&calibrated, &staged)?;
                    warnings.extend(found);
                    models.push(calibrated);
                }
            }
        }
        cancel.check()?;
        let (digest, settings) = plan_digest(plan, subject)?;
        let inputs = digests.complete(&subject.files(&plan.shared), &plan.pipeline_folder)?;
        let key = ManifestKey { plan: digest, numerics_version: NUMERICS_VERSION, inputs, settings };
        let _: Manifest = staged.commit(key)?;
        Ok((models, warnings))
    }
}

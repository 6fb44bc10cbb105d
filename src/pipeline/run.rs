//! Executes a plan, subject by subject: one that fails, or even panics, does not stop the others.

use super::failure::Failure;
use super::plan::Plan;
use super::progress::{Progress, ProgressMode};
use super::reports::Reporter;
use super::subject_job::{NUMERICS_VERSION, SubjectJob, SubjectOutcome};
use crate::error::{CancelToken, Diagnostic, Diagnostics, counted};
use crate::outputs::{self, OutputError, OutputFolder, SubjectNote, provenance::portable_settings};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Worker threads.
    pub threads: usize,
    /// Memory that may be used, bytes; `None` where the machine does not say.
    pub max_memory_bytes: Option<u64>,
    /// Redo subjects that are complete and unchanged.
    pub force: bool,
    /// How progress is shown.
    pub progress: ProgressMode,
    /// Interruption.
    pub cancel: CancelToken,
}

/// What became of the subjects.
#[derive(Debug, Default)]
pub struct RunOutcome {
    /// Analysed now.
    pub done: Vec<String>,
    /// Complete and unchanged since an earlier run.
    pub unchanged: Vec<String>,
    /// Failed, with what is wrong.
    pub failed: Vec<(String, Diagnostics)>,
    /// What is odd about the subjects that were analysed.
    pub warnings: Diagnostics,
    /// Whether the machine failed (disk, permission) rather than an input.
    pub machine_failed: bool,
    /// Whether a subject met a bug of ours.
    pub panicked: bool,
    /// Whether the work was interrupted.
    pub interrupted: bool,
}

/// Runs every subject of the plan.
///
/// # Errors
/// The output folder cannot be used, memory does not suffice, or the worker threads cannot be started.
pub fn run(plan: &Plan, options: &RunOptions) -> Result<RunOutcome, Failure> {
    if let Some(limit_bytes) = options.max_memory_bytes {
        plan.check_memory(options.threads, limit_bytes)?;
    }
    let folder = outputs::open_output_folder(&plan.settings.output.dir)?;
    folder.claim(&plan.settings.name)?;
    if let Some(text) = &plan.proposed {
        folder.keep_pipeline(text)?;
    }
    let pool = worker_threads(options.threads)?;
    let steps = plan.subjects.iter().map(SubjectJob::steps).sum();
    let progress = Progress::new(options.progress, steps);
    let mut outcome = RunOutcome::default();
    let states = States { folder: &folder };
    let reporter = Reporter { folder: &folder, pool: &pool, wanted: plan.settings.output.report };
    if let Err(problem) = folder.note_subjects(&plan.named_subjects) {
        let message = format!("which subjects the pipeline names cannot be noted: {problem}");
        outcome.warnings.push(Diagnostic::warning("state-not-noted", message));
    }
    for subject in &plan.subjects {
        states.note(&subject.subject, &SubjectNote::Waiting, &mut outcome);
    }
    for refused in &plan.refused {
        states.failed(&refused.subject, &refused.problems, &mut outcome);
        progress.subject(&refused.subject, "failed", "its inputs are not in order");
        outcome.failed.push((refused.subject.clone(), refused.problems.clone()));
        outcome.warnings.extend(reporter.subject(&refused.subject));
    }
    for subject in &plan.subjects {
        let label = subject.subject.clone();
        let RunOptions { force, max_memory_bytes: limit, cancel, .. } = options;
        let job =
            SubjectJob { plan, subject, folder: &folder, force: *force, limit: *limit, cancel, progress: &progress };
        states.note(&label, &SubjectNote::Running, &mut outcome);
        let result = catch_unwind(AssertUnwindSafe(|| pool.install(|| job.run())));
        let timings = progress.take_timings();
        match result {
            Ok(Ok(SubjectOutcome::Done { n_files, warnings })) => {
                if let Err(problem) = folder.write_timings(&label, &timings) {
                    let note = format!("the stage times of sub-{label} are not noted: {problem}");
                    outcome.warnings.push(Diagnostic::warning("timings-not-written", note));
                }
                progress.subject(&label, "done", &counted(n_files, "file"));
                outcome.warnings.extend(warnings);
                states.done(&label, &mut outcome);
                outcome.done.push(label);
            }
            Ok(Ok(SubjectOutcome::Unchanged)) => {
                progress.subject(&label, "unchanged", "complete since an earlier run");
                states.done(&label, &mut outcome);
                outcome.unchanged.push(label);
            }
            Ok(Err(failure)) if failure.interrupted => {
                outcome.interrupted = true;
                outcome.machine_failed |= failure.machine;
                states.note(&label, &SubjectNote::Interrupted, &mut outcome);
                if !failure.problems.is_empty() {
                    outcome.failed.push((label, failure.problems));
                }
                break;
            }
            Ok(Err(failure)) => {
                progress.subject(&label, "failed", "nothing of it was written");
                outcome.machine_failed |= failure.machine;
                states.failed(&label, &failure.problems, &mut outcome);
                outcome.failed.push((label, failure.problems));
            }
            Err(_) => {
                progress.subject(&label, "failed", "by a bug of boldly");
                outcome.panicked = true;
                let problem = Diagnostic::error("internal-bug", format!("a bug of boldly stopped sub-{label}"))
                    .hint("please report it with the message above and the pipeline file");
                let problems = problem.into();
                states.failed(&label, &problems, &mut outcome);
                outcome.failed.push((label, problems));
            }
        }
        outcome.warnings.extend(reporter.subject(&subject.subject));
    }
    progress.finish();
    // subjects share files, and the plan has read all headers already
    let warnings = std::mem::take(&mut outcome.warnings).said_once();
    outcome.warnings =
        warnings.into_iter().filter(|warning| !plan.warnings.iter().any(|known| known == warning)).collect();
    // Also after an interruption: a subject's commit takes the old provenance back.
    let settings = portable_settings(&plan.settings, &plan.pipeline_folder).map_err(|problem| {
        Diagnostic::error("internal-bug", format!("the settings cannot be written as JSON: {problem}"))
    })?;
    let versions = BTreeMap::from([("openblas".to_owned(), crate::model::blas_version())]);
    let datasets = plan.settings.bids.iter().flat_map(|bids| std::iter::once(&bids.root).chain(&bids.derivatives));
    let datasets: Vec<&Path> = datasets.map(|folder| folder.value.as_path()).collect();
    outputs::write_dataset_files(&folder, &plan.settings.name, &settings, NUMERICS_VERSION, &versions, &datasets)?;
    if !outcome.interrupted {
        outcome.warnings.extend(reporter.dataset());
    }
    Ok(outcome)
}

/// The threads that do the work.
pub(super) fn worker_threads(threads: usize) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|problem| {
        let message = format!("cannot start {}: {problem}", counted(threads, "worker thread"));
        Diagnostic::error("threads-not-started", message).hint("give a smaller `--threads`").into()
    })
}

/// Notes how far each subject is; a note that cannot be written is a warning, for no result depends on it.
struct States<'a> {
    folder: &'a OutputFolder,
}

impl States<'_> {
    fn note(&self, subject: &str, note: &SubjectNote, outcome: &mut RunOutcome) {
        warn_unless(self.folder.note_state(subject, note), subject, outcome);
    }

    fn failed(&self, subject: &str, problems: &Diagnostics, outcome: &mut RunOutcome) {
        self.note(subject, &SubjectNote::failed(problems), outcome);
    }

    fn done(&self, subject: &str, outcome: &mut RunOutcome) {
        warn_unless(self.folder.clear_state(subject), subject, outcome);
    }
}

fn warn_unless(noted: Result<(), OutputError>, subject: &str, outcome: &mut RunOutcome) {
    if let Err(problem) = noted {
        let message = format!("how far sub-{subject} is cannot be noted: {problem}");
        outcome.warnings.push(Diagnostic::warning("state-not-noted", message));
    }
}

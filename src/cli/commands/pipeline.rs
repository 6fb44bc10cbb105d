//! `boldly run` and `boldly check`.

use super::planned::{plan, say_findings, wrong};
use crate::cli::args::{self, CheckArgs, ResourceArgs, RunArgs};
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::cli::resources;
use crate::cli::signals;
use crate::error::{CancelToken, Diagnostic, counted};
use crate::pipeline::{self, CheckReport, Failure, Plan, ProgressMode, RunOptions, RunOutcome};
use std::io::Write;

/// Analyses every subject of a pipeline.
pub(in crate::cli) fn run(words: &RunArgs, messages: &Messages) -> Exit {
    match plan(&words.pipeline) {
        Ok(plan) => execute(&plan, &words.resources, words.force, messages),
        Err(problems) => wrong(&problems, messages),
    }
}

/// Runs a plan, and says what became of it.
pub(super) fn execute(plan: &Plan, resources: &ResourceArgs, force: bool, messages: &Messages) -> Exit {
    let cancel = CancelToken::new();
    let caught = match signals::cancel_on_signals(&cancel) {
        Ok(caught) => caught,
        Err(problem) => {
            let problem = Diagnostic::error("signals-not-caught", format!("cannot catch interrupts: {problem}"));
            messages.problems(&problem.into());
            return Exit::Machine;
        }
    };
    messages.problems(&plan.warnings);
    let options = RunOptions {
        threads: threads(resources),
        max_memory_bytes: resources.max_memory.or_else(resources::default_memory_limit),
        force,
        progress: progress_mode(resources, messages),
        cancel,
    };
    match pipeline::run(plan, &options) {
        Ok(outcome) => report(&outcome, plan, messages, caught.signal()),
        Err(failure) => failed(&failure, messages, caught.signal()),
    }
}

/// Plans a pipeline and says what it found.
pub(in crate::cli) fn check(words: &CheckArgs, messages: &Messages) -> Exit {
    let plan = match plan(&words.pipeline) {
        Ok(plan) => plan,
        Err(problems) => return wrong(&problems, messages),
    };
    let threads = threads(&words.resources);
    let limit = words.resources.max_memory.or_else(resources::default_memory_limit);
    let report = CheckReport::new(&plan, threads, limit);
    let text = if words.json {
        match serde_json::to_string_pretty(&report) {
            Ok(text) => text + "\n",
            Err(problem) => {
                messages.problems(&Diagnostic::error("internal-bug", problem.to_string()).into());
                return Exit::Bug;
            }
        }
    } else {
        report.text()
    };
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    say_findings(&plan, messages);
    let memory = limit.map_or(Ok(()), |limit| plan.check_memory(threads, limit));
    if let Err(problem) = memory {
        messages.problems(&problem);
        return Exit::Found;
    }
    let warnings = match plan.n_warnings() {
        0 => "no warnings".to_owned(),
        n_warnings => counted(n_warnings, "warning"),
    };
    let n_ready = plan.subjects.len();
    let subjects = counted(n_ready + plan.refused.len(), "subject");
    messages.info(&format!("{n_ready} of {subjects} can be analysed, {warnings}"));
    // A warning says what to look at; it does not keep a pipeline from running, nor a check in CI from passing.
    match (plan.subjects.is_empty(), plan.refused.is_empty()) {
        (true, _) => Exit::WrongInput,
        (false, true) => Exit::Done,
        (false, false) => Exit::Found,
    }
}

pub(super) fn threads(words: &ResourceArgs) -> usize {
    words.threads.map_or_else(resources::default_threads, std::num::NonZero::get)
}

pub(super) fn progress_mode(words: &ResourceArgs, messages: &Messages) -> ProgressMode {
    match words.progress {
        _ if messages.is_quiet() => ProgressMode::Never,
        args::Progress::Auto => ProgressMode::Auto,
        args::Progress::Never => ProgressMode::Never,
        args::Progress::Json => ProgressMode::Json,
    }
}

pub(super) fn failed(failure: &Failure, messages: &Messages, signal: i32) -> Exit {
    messages.problems(&failure.problems);
    if failure.interrupted {
        Exit::Interrupted(signal)
    } else if failure.machine {
        Exit::Machine
    } else {
        Exit::WrongInput
    }
}

fn report(outcome: &RunOutcome, plan: &Plan, messages: &Messages, signal: i32) -> Exit {
    messages.problems(&outcome.warnings);
    for (subject, problems) in &outcome.failed {
        messages.problems_of(subject, problems);
    }
    let n_good = outcome.done.len() + outcome.unchanged.len();
    let unchanged = if outcome.unchanged.is_empty() {
        String::new()
    } else {
        format!(", {} of them unchanged", outcome.unchanged.len())
    };
    if outcome.interrupted {
        messages.info(&format!("interrupted; {} complete, run again to finish", counted(n_good, "subject")));
        return Exit::Interrupted(signal);
    }
    let subjects = counted(n_good + outcome.failed.len(), "subject");
    messages.info(&format!("{n_good} of {subjects} complete{unchanged}: {}", plan.settings.output.dir.display()));
    if outcome.panicked {
        Exit::Bug
    } else if outcome.failed.is_empty() {
        Exit::Done
    } else if n_good > 0 {
        Exit::SomeFailed
    } else if outcome.machine_failed {
        Exit::Machine
    } else {
        Exit::WrongInput
    }
}

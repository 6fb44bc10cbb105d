//! `boldly calibrate`: how often the models of a pipeline are wrong where there is nothing to find.

use super::pipeline::{progress_mode, threads};
use super::planned::{plan, wrong};
use crate::cli::args::CalibrateArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::cli::resources;
use crate::cli::signals;
use crate::error::{CancelToken, Diagnostic, counted};
use crate::inference::Verdict;
use crate::pipeline::{self, CalibrationOptions, CalibrationOutcome};
use std::io::Write;

/// Calibrates every subject of a pipeline, and prints the rates.
pub(in crate::cli) fn calibrate(words: &CalibrateArgs, messages: &Messages) -> Exit {
    let plan = match plan(&words.pipeline) {
        Ok(plan) => plan,
        Err(problems) => return wrong(&problems, messages),
    };
    messages.problems(&plan.warnings);
    let cancel = CancelToken::new();
    let caught = match signals::cancel_on_signals(&cancel) {
        Ok(caught) => caught,
        Err(problem) => {
            let problem = Diagnostic::error("signals-not-caught", format!("cannot catch interrupts: {problem}"));
            return wrong(&problem.into(), messages);
        }
    };
    let options = CalibrationOptions {
        threads: threads(&words.resources),
        max_memory_bytes: words.resources.max_memory.or_else(resources::default_memory_limit),
        progress: progress_mode(&words.resources, messages),
        cancel,
    };
    match pipeline::calibrate(&plan, &options) {
        Ok(outcome) => report(&outcome, messages, caught.signal()),
        Err(failure) => super::pipeline::failed(&failure, messages, caught.signal()),
    }
}

fn report(outcome: &CalibrationOutcome, messages: &Messages, signal: i32) -> Exit {
    messages.problems(&outcome.warnings);
    for (subject, problems) in &outcome.failed {
        messages.problems_of(subject, problems);
    }
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(outcome.text().as_bytes());
    let (outside, undecided) = (outcome.count(Verdict::Outside), outcome.count(Verdict::Undecided));
    if outcome.interrupted {
        messages.info("interrupted; subjects that were not done have no rates");
        return Exit::Interrupted(signal);
    }
    let more = if undecided > 0 {
        format!(", {} (more `[calibrate] draws` would tell)", counted(undecided, "undecided one"))
    } else {
        String::new()
    };
    messages.info(&format!("{} outside their bounds{more}", counted(outside, "rate")));
    match (outcome.models.is_empty(), outcome.failed.is_empty()) {
        (true, _) if outcome.machine_failed => Exit::Machine,
        (true, _) => Exit::WrongInput,
        (false, false) => Exit::SomeFailed,
        (false, true) if outside > 0 => Exit::Found,
        (false, true) => Exit::Done,
    }
}

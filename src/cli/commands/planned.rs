//! What commands on a pipeline begin with: its plan, and what was found in it.

use crate::cli::args::PipelineArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::config::{self, Settings};
use crate::error::Diagnostics;
use crate::pipeline::Plan;
use std::path::Path;

/// The plan of a pipeline file, with all that was found in it said; or how the command ends without one.
pub(super) fn planned(words: &PipelineArgs, messages: &Messages) -> Result<Plan, Exit> {
    let plan = plan(words).map_err(|problems| wrong(&problems, messages))?;
    say_findings(&plan, messages);
    Ok(plan)
}

/// The plan of a pipeline file with the command line's overrides.
pub(super) fn plan(words: &PipelineArgs) -> Result<Plan, Diagnostics> {
    let (mut settings, warnings) = config::load(&words.pipeline, &words.overrides)?;
    if let Some(folder) = &words.out {
        settings.output.dir.clone_from(folder);
    }
    let folder = words.pipeline.parent().unwrap_or(Path::new(""));
    plan_settings(settings, warnings, folder, &words.subjects)
}

/// The plan of settings; the warnings of their file come before its own.
pub(super) fn plan_settings(
    settings: Settings,
    warnings: Diagnostics,
    folder: &Path,
    subjects: &[String],
) -> Result<Plan, Diagnostics> {
    let mut plan = Plan::new(settings, folder, subjects)?;
    let mut all = warnings;
    all.extend(std::mem::take(&mut plan.warnings));
    plan.warnings = all;
    Ok(plan)
}

/// Says what is odd about a plan, and what is wrong with each subject that cannot be analysed.
pub(super) fn say_findings(plan: &Plan, messages: &Messages) {
    messages.problems(&plan.warnings);
    for refused in &plan.refused {
        messages.problems_of(&refused.subject, &refused.problems);
    }
}

/// How a command ends that did its work for every subject that can be analysed.
pub(super) fn exit_for(plan: &Plan) -> Exit {
    match (plan.refused.is_empty(), plan.subjects.is_empty()) {
        (true, _) => Exit::Done,
        (false, false) => Exit::SomeFailed,
        (false, true) => Exit::WrongInput,
    }
}

/// Says what is wrong with the command line or the pipeline.
pub(super) fn wrong(problems: &Diagnostics, messages: &Messages) -> Exit {
    messages.problems(problems);
    Exit::WrongInput
}

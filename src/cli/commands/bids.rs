//! `boldly bids`: the calling convention of BIDS-Apps (Gorgolewski et al. 2017, doi 10.1371/journal.pcbi.1005209).

use super::pipeline::execute;
use super::planned::{plan_settings, wrong};
use crate::cli::args::{AnalysisLevel, BidsArgs};
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::config::{self, BidsSettings, Located, Settings};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::outputs::{self, PROPOSED_PIPELINE};
use crate::pipeline::{Plan, StarterRequest, starter};
use std::path::{Path, PathBuf};

/// Options that messages name as `boldly run` and `boldly init` have them, and what they are called here.
const OWN_WORDS: [(&str, &str); 2] = [("`--subject`", "`--participant-label`"), ("`--task`", "`--task-label`")];

/// Analyses a dataset.
pub(in crate::cli) fn bids(words: &BidsArgs, messages: &Messages) -> Exit {
    let AnalysisLevel::Participant = words.level;
    let plan = match plan(words) {
        Ok(plan) => plan,
        Err(problems) => return wrong(&in_own_words(problems), messages),
    };
    let exit = execute(&plan, &words.resources, words.force, messages);
    if plan.proposed.is_some() && !matches!(exit, Exit::WrongInput) {
        let file = words.out.join(PROPOSED_PIPELINE);
        messages.info(&format!("the pipeline is `{}`; give your own with `--pipeline`", file.display()));
    }
    exit
}

/// The plan; nothing is written, and nothing will be where it cannot be.
fn plan(words: &BidsArgs) -> Result<Plan, Diagnostics> {
    outputs::check_output_folder(&words.out)?;
    let (mut settings, folder, warnings, proposed) = match &words.pipeline {
        Some(file) => {
            let (settings, warnings) = config::load(file, &[])?;
            (settings, file.parent().unwrap_or(Path::new("")).to_path_buf(), warnings, None)
        }
        None => proposed(words)?,
    };
    let Some(selection) = &mut settings.bids else {
        return Err(Diagnostic::error("bids-pipeline-without-dataset", "the pipeline has no `[bids]`")
            .at(Place::file(words.pipeline.as_deref().unwrap_or(&words.dataset)))
            .hint("add `[bids]` with its `root`, or use `boldly run`")
            .into());
    };
    select(selection, words);
    settings.output.dir.clone_from(&words.out);
    let mut plan = plan_settings(settings, warnings, &folder, &words.participant_label)?;
    plan.proposed = proposed;
    plan.warnings = in_own_words(std::mem::take(&mut plan.warnings));
    for refused in &mut plan.refused {
        refused.problems = in_own_words(std::mem::take(&mut refused.problems));
    }
    Ok(plan)
}

/// The pipeline that `init` proposes, to be kept in the output folder: settings, that folder, warnings and text.
fn proposed(words: &BidsArgs) -> Result<(Settings, PathBuf, Diagnostics, Option<String>), Diagnostics> {
    let file = words.out.join(PROPOSED_PIPELINE);
    let folder = file.parent().unwrap_or(&words.out).to_path_buf();
    let request = StarterRequest {
        root: words.dataset.clone(),
        derivatives: words.derivatives.clone(),
        task: words.task_label.clone(),
        folder: folder.clone(),
        file: PathBuf::from("pipeline.toml"),
    };
    let pipeline = starter(&request)?;
    Ok((pipeline.settings, folder, Diagnostics::new(), Some(pipeline.text)))
}

/// Problems whose hints name the options of this command.
fn in_own_words(problems: Diagnostics) -> Diagnostics {
    let translated = |hint: String| OWN_WORDS.iter().fold(hint, |hint, (theirs, own)| hint.replace(theirs, own));
    problems.into_iter().map(|problem| Diagnostic { hint: problem.hint.map(translated), ..problem }).collect()
}

/// What the command line says takes the place of what the pipeline does.
fn select(selection: &mut BidsSettings, words: &BidsArgs) {
    selection.root = Located::unplaced(words.dataset.clone());
    if !words.derivatives.is_empty() {
        selection.derivatives = words.derivatives.iter().cloned().map(Located::unplaced).collect();
    }
    if let Some(task) = &words.task_label {
        selection.task = Some(Located::unplaced(task.clone()));
    }
    if !words.session_label.is_empty() {
        let bare = |label: &String| label.strip_prefix("ses-").unwrap_or(label).to_owned();
        selection.sessions = words.session_label.iter().map(bare).map(Located::unplaced).collect();
    }
}

//! `boldly bids`: the calling convention of BIDS-Apps (Gorgolewski et al. 2017, doi 10.1371/journal.pcbi.1005209).

use super::pipeline::{execute, plan_settings, wrong};
use crate::cli::args::{AnalysisLevel, BidsArgs};
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::config::{self, BidsSettings, Located, Settings};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::outputs;
use crate::pipeline::{Plan, StarterRequest, starter};
use std::path::{Path, PathBuf};

/// Name of the proposed pipeline, kept beside the results' manifests.
const PROPOSED: &str = ".boldly/pipeline.toml";

/// Analyses a dataset.
pub(in crate::cli) fn bids(words: &BidsArgs, messages: &Messages) -> Exit {
    let AnalysisLevel::Participant = words.level;
    match plan(words, messages) {
        Ok(plan) => execute(&plan, &words.resources, words.force, messages),
        Err(problems) => wrong(&problems, messages),
    }
}

fn plan(words: &BidsArgs, messages: &Messages) -> Result<Plan, Diagnostics> {
    let (mut settings, folder, warnings) = match &words.pipeline {
        Some(file) => {
            let (settings, warnings) = config::load(file, &[])?;
            (settings, file.parent().unwrap_or(Path::new("")).to_path_buf(), warnings)
        }
        None => proposed(words, messages)?,
    };
    let Some(selection) = &mut settings.bids else {
        return Err(Diagnostic::error("bids-pipeline-without-dataset", "the pipeline has no `[bids]`")
            .at(Place::file(words.pipeline.as_deref().unwrap_or(&words.dataset)))
            .hint("add `[bids]` with its `root`, or use `boldly run`")
            .into());
    };
    select(selection, words);
    settings.output.dir.clone_from(&words.out);
    plan_settings(settings, warnings, &folder, &words.participant_label)
}

/// The pipeline that `init` proposes, kept in the output folder.
fn proposed(words: &BidsArgs, messages: &Messages) -> Result<(Settings, PathBuf, Diagnostics), Diagnostics> {
    outputs::open_output_folder(&words.out)?;
    let file = words.out.join(PROPOSED);
    let folder = words.out.join(".boldly");
    let request = StarterRequest {
        root: words.dataset.clone(),
        derivatives: words.derivatives.clone(),
        task: words.task_label.clone(),
        folder: folder.clone(),
        file: PathBuf::from("pipeline.toml"),
    };
    let pipeline = starter(&request)?;
    outputs::write_whole(&file, pipeline.text.as_bytes())?;
    messages.info(&format!("the pipeline is `{}`; give your own with `--pipeline`", file.display()));
    let (settings, warnings) = config::load(&file, &[])?;
    Ok((settings, folder, warnings))
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

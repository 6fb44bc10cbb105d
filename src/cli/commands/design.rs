//! `boldly design`: design matrices as tables and figures.

use super::pipeline::{plan, wrong};
use crate::cli::args::DesignArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::pipeline::write_designs;
use std::path::PathBuf;

/// Writes every design matrix below `--out`, or beside the results.
pub(in crate::cli) fn design(words: &DesignArgs, messages: &Messages) -> Exit {
    let plan = match plan(&words.pipeline) {
        Ok(plan) => plan,
        Err(problems) => return wrong(&problems, messages),
    };
    messages.problems(&plan.warnings);
    for refused in &plan.refused {
        messages.problems(&refused.problems);
    }
    let folder = words.pipeline.out.clone().unwrap_or_else(|| {
        let mut beside = plan.settings.output.dir.clone().into_os_string();
        beside.push("-design");
        PathBuf::from(beside)
    });
    match write_designs(&plan, &folder) {
        Ok(n_designs) => {
            messages.info(&format!("{n_designs} designs, each as TSV and SVG: {}", folder.display()));
            match (plan.refused.is_empty(), plan.subjects.is_empty()) {
                (true, _) => Exit::Done,
                (false, false) => Exit::SomeFailed,
                (false, true) => Exit::WrongInput,
            }
        }
        Err(failure) => {
            messages.problems(&failure.problems);
            if failure.machine { Exit::Machine } else { Exit::WrongInput }
        }
    }
}

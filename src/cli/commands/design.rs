//! `boldly design`: design matrices as tables and figures.

use super::planned::{exit_for, planned};
use crate::cli::args::DesignArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::error::counted;
use crate::pipeline::write_designs;
use std::path::PathBuf;

/// Writes every design matrix below `--out`, or beside the results.
pub(in crate::cli) fn design(words: &DesignArgs, messages: &Messages) -> Exit {
    let plan = match planned(&words.pipeline, messages) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let folder = words.pipeline.out.clone().unwrap_or_else(|| {
        let mut beside = plan.settings.output.dir.clone().into_os_string();
        beside.push("-design");
        PathBuf::from(beside)
    });
    match write_designs(&plan, &folder) {
        Ok(n_designs) => {
            messages.info(&format!("{}, each as TSV and SVG: {}", counted(n_designs, "design"), folder.display()));
            exit_for(&plan)
        }
        Err(failure) => {
            messages.problems(&failure.problems);
            if failure.machine { Exit::Machine } else { Exit::WrongInput }
        }
    }
}

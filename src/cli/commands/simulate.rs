//! `boldly simulate`.

use crate::cli::args::SimulateArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::cli::signals;
use crate::error::{CancelToken, counted};
use crate::simulate::{Progress, load_simulation};
use std::path::Path;

/// Writes a dataset with known truth.
pub(in crate::cli) fn simulate(words: &SimulateArgs, messages: &Messages) -> Exit {
    let simulation = match load_simulation(&words.spec) {
        Ok(simulation) => simulation,
        Err(problems) => {
            messages.problems(&problems);
            return Exit::WrongInput;
        }
    };
    let cancel = CancelToken::new();
    let caught = signals::cancel_on_signals(&cancel).unwrap_or_default();
    let beside = || words.spec.parent().unwrap_or(Path::new("")).join("dataset");
    let folder = words.out.clone().unwrap_or_else(beside);
    let mut current = None;
    let mut progress = |progress: Progress| {
        if current.replace(progress.item) != Some(progress.item) {
            messages.detail(&format!("subject {}, run {}", progress.item.0 + 1, progress.item.1 + 1));
        }
    };
    match simulation.write(&folder, &mut progress, &cancel) {
        Ok(report) => {
            let voxels = match report.brain_voxels {
                0 => String::new(),
                voxels => format!(", {}", counted(voxels, "brain voxel")),
            };
            messages.info(&format!("{}{voxels}: {}", counted(report.files.len(), "file"), folder.display()));
            Exit::Done
        }
        Err(_) if cancel.check().is_err() => Exit::Interrupted(caught.signal()),
        Err(problems) => {
            messages.problems(&problems);
            let of_machine = problems.iter().any(|problem| problem.code == "simulation-write-failed");
            if of_machine { Exit::Machine } else { Exit::WrongInput }
        }
    }
}

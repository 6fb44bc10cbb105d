//! `boldly init`.

use super::planned::wrong;
use crate::cli::args::InitArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::error::{Diagnostic, Place};
use crate::outputs;
use crate::pipeline::{StarterRequest, starter};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes a pipeline for a BIDS dataset.
pub(in crate::cli) fn init(words: &InitArgs, messages: &Messages) -> Exit {
    let to_stdout = words.out.as_os_str() == "-";
    let folder_of_file = words.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder_of_file.filter(|folder| !to_stdout && !folder.is_dir()) {
        let problem = Diagnostic::error("init-no-folder", format!("there is no folder `{}`", folder.display()))
            .at(Place::file(&words.out))
            .hint("make it first, or give another `--out FILE`");
        return wrong(&problem.into(), messages);
    }
    if words.dataset.is_dir() && !to_stdout && words.out.exists() && !words.force {
        let problem = Diagnostic::error("init-file-exists", format!("`{}` is there already", words.out.display()))
            .at(Place::file(&words.out))
            .hint("give another name with `--out FILE`, or `--force` to replace it");
        return wrong(&problem.into(), messages);
    }
    let (folder, file) = if to_stdout {
        (PathBuf::from(""), PathBuf::from("pipeline.toml"))
    } else {
        let file = words.out.file_name().map_or_else(|| words.out.clone(), PathBuf::from);
        (words.out.parent().unwrap_or(Path::new("")).to_path_buf(), file)
    };
    let request = StarterRequest {
        root: words.dataset.clone(),
        derivatives: words.derivatives.clone(),
        task: words.task.clone(),
        folder,
        file,
    };
    let pipeline = match starter(&request) {
        Ok(pipeline) => pipeline,
        Err(problems) => return wrong(&problems, messages),
    };
    messages.problems(&pipeline.warnings);
    if to_stdout {
        // A reader that closed the pipe has seen enough.
        let _ = std::io::stdout().write_all(pipeline.text.as_bytes());
        return Exit::Done;
    }
    if let Err(problem) = outputs::write_whole(&words.out, pipeline.text.as_bytes()) {
        messages.problems(&problem.into());
        return Exit::Machine;
    }
    messages.info(&format!("wrote `{0}`; look it over, then `boldly run {0}`", words.out.display()));
    Exit::Done
}

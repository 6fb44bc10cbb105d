//! `boldly submit`.

use super::pipeline::{plan, wrong};
use crate::cli::args::SubmitArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::outputs::{self, OutputError, SubjectNote};
use crate::pipeline::Plan;
use crate::pipeline::slurm::{ClusterJobs, TaskResources, log_folder};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Threads of a task: reading and fitting keep two busy, and clusters start small jobs sooner.
const THREADS: usize = 2;

/// Submits a pipeline to Slurm, a task a subject, or prints the jobs.
pub(in crate::cli) fn submit(words: &SubmitArgs, messages: &Messages) -> Exit {
    let plan = match plan(&words.pipeline) {
        Ok(plan) => plan,
        Err(problems) => return wrong(&problems, messages),
    };
    messages.problems(&plan.warnings);
    for refused in &plan.refused {
        messages.problems(&refused.problems);
    }
    let subjects: Vec<String> = plan.subjects.iter().map(|subject| subject.subject.clone()).collect();
    if subjects.is_empty() {
        return Exit::WrongInput;
    }
    let jobs = match jobs(words, &plan) {
        Ok(jobs) => jobs,
        Err(problems) => return wrong(&problems, messages),
    };
    let resources = TaskResources::of(&plan, jobs.threads);
    let arrays = jobs.arrays(&plan.settings.name, &subjects, resources);
    let last = jobs.last(&plan.settings.name);
    if words.dry_run {
        let mut text = arrays.join("\n");
        text += "\n";
        text += &last;
        // A reader that closed the pipe has seen enough.
        let _ = std::io::stdout().write_all(text.as_bytes());
        return if plan.refused.is_empty() { Exit::Done } else { Exit::SomeFailed };
    }
    let submitted = prepare(&plan, &jobs.out).map_err(|problem| {
        let machine = problem.is_machine_failure();
        (Diagnostics::from(problem), machine)
    });
    let submitted =
        submitted.and_then(|()| send_all(&arrays, &last, &log_folder(&jobs.out)).map_err(|problems| (problems, true)));
    match submitted {
        Ok(ids) => {
            let count = subjects.len();
            let tasks = if count == 1 { "1 subject".to_owned() } else { format!("{count} subjects") };
            messages.info(&format!(
                "{tasks} submitted as job {}; `boldly status {}` tells how far they are",
                ids.join(", "),
                plan.settings.output.dir.display()
            ));
            if plan.refused.is_empty() { Exit::Done } else { Exit::SomeFailed }
        }
        Err((problems, machine)) => {
            messages.problems(&problems);
            if machine { Exit::Machine } else { Exit::WrongInput }
        }
    }
}

/// Jobs run in other folders: every path is absolute.
fn jobs(words: &SubmitArgs, plan: &Plan) -> Result<ClusterJobs, Diagnostics> {
    let absolute = |path: &Path| -> Result<PathBuf, Diagnostics> {
        std::path::absolute(path).map_err(|problem| {
            Diagnostic::error("output-machine", format!("the folder of `{}` is not known: {problem}", path.display()))
                .into()
        })
    };
    let program = std::env::current_exe().map_err(|problem| {
        Diagnostic::error("output-machine", format!("where this program lies is not known: {problem}"))
    })?;
    let mut arguments = Vec::new();
    for value in &words.pipeline.overrides {
        arguments.extend(["--set".to_owned(), value.clone()]);
    }
    if words.force {
        arguments.push("--force".to_owned());
    }
    let out = absolute(&plan.settings.output.dir)?;
    if out.to_string_lossy().contains(['"', '\n', '%']) {
        return Err(Diagnostic::error("submit-folder", "Slurm cannot write logs into a folder of this name")
            .at(Place::File(out))
            .hint("name a folder without quotes and percent signs: `[output] dir`, or `--out DIR`")
            .into());
    }
    Ok(ClusterJobs {
        program,
        pipeline: absolute(&words.pipeline.pipeline)?,
        arguments,
        out,
        threads: words.threads.map_or(THREADS, std::num::NonZero::get),
        options: words.options.clone(),
    })
}

/// Makes the folders, and notes which subjects wait and which are not in order.
fn prepare(plan: &Plan, out: &Path) -> Result<(), OutputError> {
    let folder = outputs::open_output_folder(out)?;
    folder.claim(&plan.settings.name)?;
    let logs = log_folder(out);
    std::fs::create_dir_all(&logs).map_err(OutputError::machine("create", &logs))?;
    for subject in &plan.subjects {
        folder.note_state(&subject.subject, &SubjectNote::Waiting)?;
    }
    for refused in &plan.refused {
        folder.note_state(&refused.subject, &SubjectNote::failed(&refused.problems))?;
    }
    Ok(())
}

/// Hands the scripts to `sbatch`; the numbers of the jobs, the last one's at the end.
fn send_all(arrays: &[String], last: &str, folder: &Path) -> Result<Vec<String>, Diagnostics> {
    let mut ids = Vec::new();
    for (index, script) in arrays.iter().enumerate() {
        let sent = send(script, &folder.join(format!("array-{index}.sh")), &[]);
        ids.push(sent.map_err(|problems| beside(problems, &ids))?);
    }
    let dependency = format!("--dependency=afterany:{}", ids.join(":"));
    let last = send(last, &folder.join("summary.sh"), &[&dependency]).map_err(|problems| beside(problems, &ids))?;
    ids.push(last);
    Ok(ids)
}

/// Adds which jobs were taken before.
fn beside(problems: Diagnostics, ids: &[String]) -> Diagnostics {
    if ids.is_empty() {
        return problems;
    }
    let note = format!("jobs that were taken before: {}; `scancel` takes them back", ids.join(", "));
    problems.into_iter().map(|problem| problem.note(note.clone())).collect()
}

fn send(script: &str, file: &Path, options: &[&str]) -> Result<String, Diagnostics> {
    std::fs::write(file, script).map_err(OutputError::machine("write", file))?;
    let sent = Command::new("sbatch").arg("--parsable").args(options).arg(file).output().map_err(|problem| {
        Diagnostic::error("submit-no-slurm", format!("`sbatch` cannot be started: {problem}"))
            .hint("submit from a node of the cluster; `--dry-run` prints the jobs, `boldly run` works without Slurm")
    })?;
    if !sent.status.success() {
        let said = String::from_utf8_lossy(&sent.stderr).trim().to_owned();
        return Err(Diagnostic::error("submit-refused", "Slurm refused the job")
            .at(Place::file(file))
            .note(format!("sbatch: {said}"))
            .hint("options of `sbatch` that this cluster asks for are given as `--sbatch=--partition=NAME`")
            .into());
    }
    // `123`, or `123;cluster`
    let text = String::from_utf8_lossy(&sent.stdout);
    Ok(text.trim().split(';').next().unwrap_or_default().to_owned())
}

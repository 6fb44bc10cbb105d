//! `boldly submit`.

mod sbatch;

use super::planned::{exit_for, planned, wrong};
use crate::cli::args::SubmitArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::outputs::{self, FolderBefore, OutputError, SubjectNote};
use crate::pipeline::slurm::{ClusterJobs, TaskResources, log_folder};
use crate::pipeline::{Failure, Plan};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Threads of a task: reading and fitting keep two busy, and clusters start small jobs sooner.
const THREADS: usize = 2;

/// Submits a pipeline to Slurm, a task a subject, or prints the jobs.
pub(in crate::cli) fn submit(words: &SubmitArgs, messages: &Messages) -> Exit {
    let plan = match planned(&words.pipeline, messages) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    if plan.subjects.is_empty() {
        return Exit::WrongInput;
    }
    let jobs = match jobs(words, &plan) {
        Ok(jobs) => jobs,
        Err(problems) => return wrong(&problems, messages),
    };
    let sent = unfinished(&plan, words.force).and_then(|subjects| match subjects.as_slice() {
        [] => all_finished(&plan, &jobs, words.dry_run, messages),
        subjects if words.dry_run => {
            print(&plan, &jobs, subjects);
            left_out(&plan, subjects, messages);
            Ok(())
        }
        subjects => hand_on(&plan, &jobs, subjects, messages),
    });
    match sent {
        Ok(()) => exit_for(&plan),
        Err(failure) => {
            messages.problems(&failure.problems);
            if failure.machine { Exit::Machine } else { Exit::WrongInput }
        }
    }
}

/// Labels of the subjects that need work.
fn unfinished(plan: &Plan, force: bool) -> Result<Vec<String>, Failure> {
    let finished = if force { std::collections::BTreeSet::new() } else { plan.finished_subjects()? };
    let labels = plan.subjects.iter().map(|subject| subject.subject.clone());
    Ok(labels.filter(|label| !finished.contains(label)).collect())
}

fn all_finished(plan: &Plan, jobs: &ClusterJobs, dry_run: bool, messages: &Messages) -> Result<(), Failure> {
    if !dry_run {
        prepare(plan, &jobs.out, &[])?;
    }
    let count = counted(plan.subjects.len(), "subject");
    messages.info(&format!("nothing to submit: {count} complete and unchanged; `--force` does them again"));
    Ok(())
}

fn left_out(plan: &Plan, subjects: &[String], messages: &Messages) {
    let finished = plan.subjects.len() - subjects.len();
    if finished > 0 {
        messages.info(&format!("{} left out: complete and unchanged", counted(finished, "subject")));
    }
}

/// Prints the jobs; the number of an array is known when Slurm has taken it.
fn print(plan: &Plan, jobs: &ClusterJobs, subjects: &[String]) {
    let mut scripts = jobs.arrays(&plan.settings.name, subjects, TaskResources::of(plan, jobs.threads));
    let arrays: Vec<String> = match scripts.len() {
        1 => vec!["<array job>".to_owned()],
        several => (1..=several).map(|array| format!("<array job {array}>")).collect(),
    };
    scripts.push(jobs.last(&plan.settings.name, &arrays));
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(scripts.join("\n").as_bytes());
}

/// Submits the subjects. Where Slurm takes none of them, the output folder is as it was.
fn hand_on(plan: &Plan, jobs: &ClusterJobs, subjects: &[String], messages: &Messages) -> Result<(), Failure> {
    let refused = plan.refused.iter().map(|refused| refused.subject.clone());
    let noted: Vec<String> = subjects.iter().cloned().chain(refused).collect();
    let before = FolderBefore::look(&jobs.out, &log_folder(&jobs.out), &noted)?;
    let mut ids = Vec::new();
    // notes and folders come first: a task may begin at once
    let sent = prepare(plan, &jobs.out, subjects).and_then(|()| send_all(plan, jobs, subjects, &mut ids));
    if let Err(mut failure) = sent {
        if ids.is_empty()
            && let Err(problem) = before.restore()
        {
            failure.problems.push(Diagnostic::from(problem));
        }
        return Err(failure);
    }
    left_out(plan, subjects, messages);
    messages.info(&format!(
        "{} submitted as job {}; `boldly status {}` tells how far they are",
        counted(subjects.len(), "subject"),
        ids.join(", "),
        plan.settings.output.dir.display()
    ));
    Ok(())
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
fn prepare(plan: &Plan, out: &Path, subjects: &[String]) -> Result<(), Failure> {
    let folder = outputs::open_output_folder(out)?;
    folder.claim(&plan.settings.name)?;
    folder.note_subjects(&plan.named_subjects)?;
    let logs = log_folder(out);
    std::fs::create_dir_all(&logs).map_err(OutputError::machine("create", &logs))?;
    for subject in subjects {
        folder.note_state(subject, &SubjectNote::Waiting)?;
    }
    for refused in &plan.refused {
        folder.note_state(&refused.subject, &SubjectNote::failed(&refused.problems))?;
    }
    Ok(())
}

/// Hands the scripts to `sbatch`, and keeps those that were taken; `ids` are the numbers of the jobs, the last one's at the end.
fn send_all(plan: &Plan, jobs: &ClusterJobs, subjects: &[String], ids: &mut Vec<String>) -> Result<(), Failure> {
    let folder = log_folder(&jobs.out);
    let arrays = jobs.arrays(&plan.settings.name, subjects, TaskResources::of(plan, jobs.threads));
    for (index, script) in arrays.iter().enumerate() {
        send(script, &folder.join(format!("array-{index}.sh")), ids)?;
    }
    send(&jobs.last(&plan.settings.name, ids), &folder.join("summary.sh"), ids)
}

fn send(script: &str, file: &Path, ids: &mut Vec<String>) -> Result<(), Failure> {
    let id = sbatch::send(script).map_err(|problems| Failure {
        problems: beside(problems, ids),
        machine: true,
        ..Failure::default()
    })?;
    ids.push(id);
    std::fs::write(file, script).map_err(OutputError::machine("write", file))?;
    Ok(())
}

/// Adds which jobs were taken before.
fn beside(problems: Diagnostics, ids: &[String]) -> Diagnostics {
    if ids.is_empty() {
        return problems;
    }
    let note = format!("jobs that were taken before: {}; `scancel` takes them back", ids.join(", "));
    problems.into_iter().map(|problem| problem.note(note.clone())).collect()
}

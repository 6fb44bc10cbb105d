//! `boldly submit` and a cluster that answers as it is told: a script in the place of `sbatch`.

use crate::prepared::{CONDITIONS, write_dataset};
use crate::sample::{codes, stderr, stdout};
use crate::support::Project;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// Takes every job: numbers from 1, the script of each in `job-N`.
const TAKES: &str = "n=$(( $(ls job-* 2>/dev/null | wc -l) + 1 )); cat > job-$n; echo $n";
const DOWN: &str = "echo 'sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)' >&2; exit 1";
const REFUSES: &str = "echo 'sbatch: error: invalid partition specified: short' >&2; exit 1";

fn project() -> Project {
    let project = Project::new(CONDITIONS);
    write_dataset(&project.path().join("ds"), &[("01", 1), ("02", 1), ("03", 1)]);
    project
}

/// `boldly submit` where `sbatch` does this.
fn submit(project: &Project, sbatch: &str, words: &[&str]) -> Output {
    let bin = project.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("sbatch"), format!("#!/bin/sh\n{sbatch}\n")).unwrap();
    fs::set_permissions(bin.join("sbatch"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_boldly"));
    command.args(["submit", "pipeline.toml"]).args(words).current_dir(project.path()).env("PATH", path);
    command.output().unwrap()
}

fn everything_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            found.push(path.display().to_string());
            folders.extend(path.is_dir().then_some(path));
        }
    }
    found.sort();
    found
}

#[test]
fn a_cluster_that_takes_nothing_leaves_nothing() {
    let project = project();
    let results = project.path().join("deep/results");
    for (sbatch, code) in [(DOWN, "submit-unreachable"), (REFUSES, "submit-refused")] {
        let output = submit(&project, sbatch, &["--out", "deep/results"]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert_eq!(codes(&output), [code], "{}", stderr(&output));
        assert!(!project.path().join("deep").exists());
    }
    // what was there is there again
    project.succeed(&["run", "pipeline.toml", "--out", "deep/results", "--subject", "01"]);
    let before = everything_below(&results);
    let output = submit(&project, DOWN, &["--out", "deep/results"]);
    assert_eq!(codes(&output), ["submit-unreachable"]);
    assert_eq!(everything_below(&results), before);
    let status = project.boldly(&["status", "deep/results"]);
    assert_eq!(stdout(&status), "3 subjects: 1 done, 2 not started\nsub-02: not started\nsub-03: not started\n");
}

#[test]
fn finished_subjects_are_left_out_until_their_inputs_are_touched() {
    let project = project();
    project.succeed(&["run", "pipeline.toml", "--subject", "01", "--subject", "02"]);
    let printed = submit(&project, DOWN, &["--dry-run"]);
    assert!(printed.status.success(), "{}", stderr(&printed));
    assert!(stdout(&printed).contains("subjects=(03)\n"), "{}", stdout(&printed));
    assert!(stdout(&printed).contains("#SBATCH --dependency=afterany:<array job>\n"), "{}", stdout(&printed));
    assert!(stderr(&printed).contains("2 subjects left out: complete and unchanged\n"), "{}", stderr(&printed));

    let submitted = submit(&project, TAKES, &[]);
    assert!(submitted.status.success(), "{}", stderr(&submitted));
    assert!(stderr(&submitted).contains("1 subject submitted as job 1, 2;"), "{}", stderr(&submitted));
    let job = |number: usize| fs::read_to_string(project.path().join(format!("job-{number}"))).unwrap();
    assert!(job(1).contains("subjects=(03)\n") && job(2).contains("#SBATCH --dependency=afterany:1\n"));
    let status = project.boldly(&["status", "results"]);
    assert_eq!(stdout(&status), "3 subjects: 2 done, 1 waiting\nsub-03: waiting\n");

    project.succeed(&["run", "pipeline.toml"]);
    let nothing = submit(&project, DOWN, &[]);
    assert_eq!(nothing.status.code(), Some(0), "{}", stderr(&nothing));
    assert!(stderr(&nothing).contains("nothing to submit: 3 subjects complete and unchanged"), "{}", stderr(&nothing));
    let forced = submit(&project, TAKES, &["--force"]);
    assert!(forced.status.success());
    assert!(job(3).contains("subjects=(01 02 03)\n"));

    // rewritten, whatever is in it: its task compares the contents
    let events = project.path().join("ds/sub-02/func/sub-02_task-objects_run-01_events.tsv");
    let table = fs::read(&events).unwrap();
    fs::remove_file(&events).unwrap();
    fs::write(&events, table).unwrap();
    project.succeed(&["run", "pipeline.toml", "--subject", "01", "--subject", "03"]);
    let printed = submit(&project, DOWN, &["--dry-run"]);
    assert!(stdout(&printed).contains("subjects=(02)\n"), "{}", stdout(&printed));
    let smoothed = submit(&project, DOWN, &["--dry-run", "--set", "preprocess.smooth_fwhm_mm=4.0"]);
    assert!(stdout(&smoothed).contains("subjects=(01 02 03)\n"), "other settings: {}", stdout(&smoothed));
}

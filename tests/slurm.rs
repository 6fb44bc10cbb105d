//! `boldly submit` and `boldly status` on a Slurm of this machine alone: submit, kill one task, resume.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests stop at the first surprise")]

#[path = "support/prepared.rs"]
mod prepared;
#[path = "support/mod.rs"]
mod support;

use prepared::{CONDITIONS, write_dataset};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime};
use support::Project;

/// Long enough for any step on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A Slurm that ends with the test.
struct Slurm {
    folder: tempfile::TempDir,
    conf: PathBuf,
}

fn script() -> PathBuf {
    prepared::repository("scripts/slurm_here.sh")
}

impl Slurm {
    /// `None`, said aloud, where this machine cannot have one.
    fn start() -> Option<Self> {
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
        let all =
            "PATH=$PATH:/usr/sbin; for each in slurmctld slurmd sbatch munged; do command -v $each || exit 1; done";
        let found = Command::new("sh").args(["-c", all]).output().is_ok_and(|found| found.status.success());
        if !is_root || !found {
            eprintln!("skipped: needs root and the packages slurmctld, slurmd, slurm-client and munge");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let started = Command::new(script()).arg("start").arg(folder.path()).output().unwrap();
        if !started.status.success() {
            eprintln!("skipped: Slurm does not start here: {}", String::from_utf8_lossy(&started.stderr));
            return None;
        }
        let conf = PathBuf::from(String::from_utf8(started.stdout).unwrap().trim());
        Some(Self { folder, conf })
    }

    fn tell(&self, program: &str, words: &[&str]) -> String {
        let output = Command::new(program).args(words).env("SLURM_CONF", &self.conf).output().unwrap();
        assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn boldly(&self, folder: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boldly"));
        command.args(words).current_dir(folder).env("SLURM_CONF", &self.conf).output().unwrap()
    }

    fn wait_for_the_queue(&self) {
        wait("the queue to be empty", || self.tell("squeue", &["--noheader"]).trim().is_empty());
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = Command::new(script()).arg("stop").arg(self.folder.path()).status();
    }
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn written(project: &Project, subject: &str) -> SystemTime {
    let manifest = project.path().join(format!("results/.boldly/manifests/sub-{subject}.json"));
    std::fs::metadata(manifest).unwrap().modified().unwrap()
}

#[test]
fn one_killed_task_is_seen_and_resumed() {
    let Some(slurm) = Slurm::start() else { return };
    let project = Project::new(CONDITIONS);
    // the second takes long enough to be caught at work
    let subjects = [("01", 1), ("02", 40), ("03", 1), ("04", 1)];
    write_dataset(&project.path().join("ds"), &subjects);
    let submit = ["submit", "pipeline.toml", "--threads", "1"];
    let status = || slurm.boldly(project.path(), &["status", "results"]);

    let printed = slurm.boldly(project.path(), &["submit", "pipeline.toml", "--dry-run"]);
    assert!(printed.status.success());
    assert!(text(&printed).contains("#SBATCH --array=0-3"), "{}", text(&printed));
    assert!(!project.path().join("results").exists(), "a dry run writes nothing");
    let refused = slurm.boldly(project.path(), &["submit", "pipeline.toml", "--sbatch=--partition=none"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("error[submit-refused]"));
    assert!(!project.path().join("results").exists(), "nothing was taken");

    let submitted = slurm.boldly(project.path(), &submit);
    let said = String::from_utf8_lossy(&submitted.stderr).into_owned();
    assert!(submitted.status.success(), "{said}");
    let job = said.split("as job ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    assert!(text(&status()).starts_with("4 subjects: "), "{}", text(&status()));
    wait("sub-02 to run", || text(&status()).contains("sub-02: running"));
    assert_eq!(status().status.code(), Some(1), "not all are done");
    slurm.tell("scancel", &[&format!("{job}_1")]);
    slurm.wait_for_the_queue();
    let interrupted = status();
    assert_eq!(text(&interrupted), "4 subjects: 3 done, 1 interrupted\nsub-02: interrupted\n");
    assert_eq!(interrupted.status.code(), Some(1));
    let first = ["01", "03", "04"].map(|subject| written(&project, subject));

    let again = slurm.boldly(project.path(), &submit);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.success(), "{said}");
    assert!(said.contains("3 subjects left out: complete and unchanged\n1 subject submitted as job "), "{said}");
    slurm.wait_for_the_queue();
    assert_eq!(text(&status()), "4 subjects: 4 done\n");
    assert_eq!(status().status.code(), Some(0));
    assert_eq!(["01", "03", "04"].map(|subject| written(&project, subject)), first, "what was done is not redone");
    let logs = std::fs::read_dir(project.path().join("results/.boldly/slurm")).unwrap();
    let summaries =
        logs.map(|entry| entry.unwrap().path()).filter(|path| path.to_string_lossy().ends_with("_summary.log"));
    assert_eq!(summaries.count(), 2);
}

//! A plan as Slurm jobs: an array with a task a subject, and a last job that sums up when all tasks have ended.
//!
//! The scripts say everything themselves, since Slurm keeps a copy of them: nothing that changes later in the output folder can
//! send a task to another subject.

use super::plan::Plan;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Tasks an array may have on a cluster that leaves Slurm's `MaxArraySize` as it is.
const MOST_TASKS: usize = 1000;
/// The prediction of time is rough, and file systems of clusters are slow when many read.
const TIME_FACTOR: f64 = 3.0;
/// For a start on a busy node, seconds.
const TIME_EXTRA_S: f64 = 600.0;
/// Memory beside the estimate, for what the system counts as the job's: pages of the files being written.
const MEMORY_EXTRA: u64 = 256 << 20;

/// What every job is told.
#[derive(Debug, Clone)]
pub struct ClusterJobs {
    /// This program.
    pub program: PathBuf,
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// What else `boldly run` is told: overrides, `--force`.
    pub arguments: Vec<String>,
    /// Where the results and the jobs' logs go.
    pub out: PathBuf,
    /// Processors of a task.
    pub threads: usize,
    /// Options of `sbatch`, such as `--partition=short`.
    pub options: Vec<String>,
}

/// What one task of an array may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskResources {
    /// Memory that boldly stays below, bytes.
    pub max_memory_bytes: u64,
    /// Memory that Slurm grants, MiB.
    pub memory_mib: u64,
    /// Wall time, minutes.
    pub minutes: u64,
}

impl TaskResources {
    /// For the largest subject of a plan, with so many threads.
    pub fn of(plan: &Plan, threads: usize) -> Self {
        let max_memory_bytes = plan.estimate(threads, None).memory_bytes;
        let time_s = plan.longest_subject_s(threads) * TIME_FACTOR + TIME_EXTRA_S;
        Self {
            max_memory_bytes,
            memory_mib: (max_memory_bytes + MEMORY_EXTRA).div_ceil(1 << 20),
            minutes: (time_s / 60.0).ceil() as u64,
        }
    }
}

impl ClusterJobs {
    /// The scripts of the arrays, in order; all subjects are in one unless there are very many.
    pub fn arrays(&self, name: &str, subjects: &[String], resources: TaskResources) -> Vec<String> {
        subjects.chunks(MOST_TASKS).map(|subjects| self.array(name, subjects, resources)).collect()
    }

    fn array(&self, name: &str, subjects: &[String], resources: TaskResources) -> String {
        let TaskResources { max_memory_bytes, memory_mib, minutes } = resources;
        let mut script = head(&format!("boldly-{}", job_word(name)), memory_mib, minutes);
        let _ = writeln!(script, "#SBATCH --array=0-{}", subjects.len() - 1); // chunks are never empty
        let _ = writeln!(script, "#SBATCH --cpus-per-task={}", self.threads);
        let _ = writeln!(script, "#SBATCH --output={}", self.log("%A_%a"));
        self.add_options(&mut script);
        let mut command = vec![
            quoted(self.program.as_os_str()),
            "run".to_owned(),
            quoted(self.pipeline.as_os_str()),
            "--subject \"${subjects[$SLURM_ARRAY_TASK_ID]}\"".to_owned(),
            format!("--out {}", quoted(self.out.as_os_str())),
            format!("--threads {} --max-memory {max_memory_bytes} --progress never", self.threads),
        ];
        command.extend(self.arguments.iter().map(|argument| quoted(OsStr::new(argument))));
        // exec: a signal to the job is a signal to boldly, which leaves nothing half-written
        let _ = write!(script, "set -eu\nsubjects=({})\nexec {}\n", subjects.join(" "), command.join(" \\\n    "));
        script
    }

    /// The script that sums up when the arrays, given by the numbers of their jobs, have ended.
    pub fn last(&self, name: &str, arrays: &[String]) -> String {
        let mut script = head(&format!("boldly-{}-summary", job_word(name)), MEMORY_EXTRA >> 20, 30);
        let _ = writeln!(script, "#SBATCH --output={}", self.log("%j_summary"));
        self.add_options(&mut script);
        // after the options, over which it wins
        let _ = writeln!(script, "#SBATCH --dependency=afterany:{}", arrays.join(":"));
        let (program, out) = (quoted(self.program.as_os_str()), quoted(self.out.as_os_str()));
        // the report first: the job ends as `status` says, and failed subjects make it fail
        let _ = write!(script, "{program} report {out} || echo 'no report'\nexec {program} status {out}\n");
        script
    }

    /// Of lines that say the same the last one wins, so these do.
    fn add_options(&self, script: &mut String) {
        for option in &self.options {
            let _ = writeln!(script, "#SBATCH {option}");
        }
    }

    fn log(&self, name: &str) -> String {
        // `sbatch` takes the rest of the line, but for quotes
        format!("\"{}\"", log_folder(&self.out).join(format!("{name}.log")).display())
    }
}

/// The first lines of a script.
fn head(name: &str, memory_mib: u64, minutes: u64) -> String {
    let mut script = format!("#!/usr/bin/env bash\n#SBATCH --job-name={name}\n");
    let _ = writeln!(script, "#SBATCH --mem={memory_mib}M");
    let _ = writeln!(script, "#SBATCH --time={minutes}");
    script
}

/// Where scripts and logs of jobs are kept.
pub fn log_folder(out: &Path) -> PathBuf {
    out.join(".boldly/slurm")
}

/// A pipeline's name as part of a job's name.
fn job_word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// A word of a shell command.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs() -> ClusterJobs {
        ClusterJobs {
            program: PathBuf::from("/opt/bin/boldly"),
            pipeline: PathBuf::from("/data/it's here/p.toml"),
            arguments: vec!["--set".to_owned(), "name=a b".to_owned()],
            out: PathBuf::from("/data/results"),
            threads: 2,
            options: vec!["--partition=short".to_owned()],
        }
    }

    #[test]
    fn a_task_is_a_subject_and_every_word_is_quoted() {
        let resources = TaskResources { max_memory_bytes: 1_000_000, memory_mib: 257, minutes: 11 };
        let subjects = ["01".to_owned(), "02".to_owned()];
        let scripts = jobs().arrays("my objects", &subjects, resources);
        assert_eq!(scripts.len(), 1);
        insta::assert_snapshot!(scripts[0], @r#"
        #!/usr/bin/env bash
        #SBATCH --job-name=boldly-my-objects
        #SBATCH --mem=257M
        #SBATCH --time=11
        #SBATCH --array=0-1
        #SBATCH --cpus-per-task=2
        #SBATCH --output="/data/results/.boldly/slurm/%A_%a.log"
        #SBATCH --partition=short
        set -eu
        subjects=(01 02)
        exec /opt/bin/boldly \
            run \
            '/data/it'\''s here/p.toml' \
            --subject "${subjects[$SLURM_ARRAY_TASK_ID]}" \
            --out /data/results \
            --threads 2 --max-memory 1000000 --progress never \
            --set \
            'name=a b'
        "#);
        insta::assert_snapshot!(jobs().last("my objects", &["7".to_owned(), "9".to_owned()]), @r#"
        #!/usr/bin/env bash
        #SBATCH --job-name=boldly-my-objects-summary
        #SBATCH --mem=256M
        #SBATCH --time=30
        #SBATCH --output="/data/results/.boldly/slurm/%j_summary.log"
        #SBATCH --partition=short
        #SBATCH --dependency=afterany:7:9
        /opt/bin/boldly report /data/results || echo 'no report'
        exec /opt/bin/boldly status /data/results
        "#);
    }

    #[test]
    fn very_many_subjects_are_several_arrays() {
        let resources = TaskResources { max_memory_bytes: 1, memory_mib: 1, minutes: 1 };
        let subjects: Vec<String> = (0..2500).map(|subject| format!("{subject:04}")).collect();
        let scripts = jobs().arrays("all", &subjects, resources);
        let arrays: Vec<&str> =
            scripts.iter().map(|script| script.lines().find(|line| line.contains("--array")).unwrap()).collect();
        assert_eq!(arrays, ["#SBATCH --array=0-999", "#SBATCH --array=0-999", "#SBATCH --array=0-499"]);
        assert!(scripts[2].contains("subjects=(2000 2001"));
    }
}

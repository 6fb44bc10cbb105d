//! `sbatch`: a script goes in, the number of a job comes out, or the reason why there is none.

use crate::error::{Diagnostic, Diagnostics};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// What Slurm says where no controller answers, in lower case; anything else that fails is a refusal.
const UNREACHABLE: [&str; 9] = [
    "unable to contact slurm controller",
    "unable to establish controller machine",
    "could not establish a configuration source",
    "communication connection failure",
    "connection refused",
    "connection timed out",
    "socket timed out",
    "unable to resolve",
    "zero bytes were transmitted",
];

/// Hands a script to `sbatch`; the number of the job.
pub(super) fn send(script: &str) -> Result<String, Diagnostics> {
    let sent = piped(script).map_err(|problem| {
        Diagnostic::error("submit-no-slurm", format!("`sbatch` cannot be started: {problem}"))
            .hint("submit from a node of the cluster; `--dry-run` prints the jobs, `boldly run` works without Slurm")
    })?;
    if !sent.status.success() {
        return Err(not_taken(String::from_utf8_lossy(&sent.stderr).trim()).into());
    }
    // `123`, or `123;cluster`
    let text = String::from_utf8_lossy(&sent.stdout);
    Ok(text.trim().split(';').next().unwrap_or_default().to_owned())
}

/// Runs `sbatch` with the script as its input, so that no file is there before a job is.
fn piped(script: &str) -> std::io::Result<Output> {
    let mut command = Command::new("sbatch");
    command.arg("--parsable").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // one that ends before it has read all says why on stderr
        let _ = input.write_all(script.as_bytes());
    }
    child.wait_with_output()
}

fn not_taken(said: &str) -> Diagnostic {
    let lower = said.to_lowercase();
    if UNREACHABLE.iter().any(|words| lower.contains(words)) {
        return Diagnostic::error("submit-unreachable", "`sbatch` could not reach Slurm's controller")
            .note(format!("sbatch: {said}"))
            .hint("`scontrol ping` says whether it is up; submit again when it is");
    }
    Diagnostic::error("submit-refused", "Slurm refused the job")
        .note(format!("sbatch: {said}"))
        .hint("options of `sbatch` that this cluster asks for are given as `--sbatch=--partition=NAME`")
}

#[cfg(test)]
mod tests {
    use super::not_taken;

    #[test]
    fn a_silent_controller_is_no_refusal() {
        for (said, code) in [
            (
                "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
                "submit-unreachable",
            ),
            ("sbatch: fatal: Could not establish a configuration source", "submit-unreachable"),
            (
                "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
                "submit-unreachable",
            ),
            ("sbatch: error: invalid partition specified: short", "submit-refused"),
            ("sbatch: error: Batch job submission failed: Requested time limit is invalid", "submit-refused"),
        ] {
            assert_eq!(not_taken(said).code, code, "{said}");
        }
    }
}

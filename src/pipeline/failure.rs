//! How work ends badly: whose fault it is decides the exit code.

use crate::error::{Cancelled, Diagnostic, Diagnostics};
use crate::inference::InferenceError;
use crate::model::ModelError;
use crate::model::deconvolve::DeconvolutionError;
use crate::outputs::OutputError;
use crate::preprocess::PassError;

/// Work that could not be done; nothing of it was changed on disk.
#[derive(Debug, Default)]
pub struct Failure {
    /// What is wrong.
    pub problems: Diagnostics,
    /// The machine failed (disk, permission), not an input.
    pub machine: bool,
    /// A signal asked to stop.
    pub interrupted: bool,
}

impl Failure {
    /// Both.
    #[must_use]
    pub(super) fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self.problems = self.problems.said_once(); // a full disk stops all runs at once
        self.machine |= other.machine;
        self.interrupted |= other.interrupted;
        self
    }
}

impl From<Diagnostics> for Failure {
    fn from(problems: Diagnostics) -> Self {
        Self { problems, ..Self::default() }
    }
}

impl From<Diagnostic> for Failure {
    fn from(problem: Diagnostic) -> Self {
        Diagnostics::from(problem).into()
    }
}

impl From<PassError> for Failure {
    fn from(problem: PassError) -> Self {
        match problem {
            PassError::Cancelled(cancelled) => cancelled.into(),
            PassError::Spill { .. } => Self { problems: problem.into(), machine: true, ..Self::default() },
            other => Diagnostics::from(other).into(),
        }
    }
}

impl From<ModelError> for Failure {
    fn from(problem: ModelError) -> Self {
        match problem {
            ModelError::Cancelled(cancelled) => cancelled.into(),
            ModelError::Samples { .. } => {
                Self { problems: Diagnostic::from(problem).into(), machine: true, ..Self::default() }
            }
            other => Diagnostic::from(other).into(),
        }
    }
}

impl From<DeconvolutionError> for Failure {
    fn from(problem: DeconvolutionError) -> Self {
        match problem {
            DeconvolutionError::Cancelled(cancelled) => cancelled.into(),
            DeconvolutionError::Samples(problem) => problem.into(),
            other => Diagnostics::from(other).into(),
        }
    }
}

impl From<InferenceError> for Failure {
    fn from(problem: InferenceError) -> Self {
        match problem {
            InferenceError::Cancelled(cancelled) => cancelled.into(),
            other => Diagnostic::from(other).into(),
        }
    }
}

impl From<OutputError> for Failure {
    fn from(problem: OutputError) -> Self {
        let machine = problem.is_machine_failure();
        Self { problems: Diagnostic::from(problem).into(), machine, interrupted: false }
    }
}

impl From<std::io::Error> for Failure {
    fn from(problem: std::io::Error) -> Self {
        OutputError::from(problem).into()
    }
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Self { interrupted: true, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_disk_without_room_for_samples_is_the_machine_s_failure_and_is_said_once() {
        let full = || {
            let cause = std::io::Error::other("no space left");
            Failure::from(PassError::Spill { action: "write", folder: PathBuf::from("results"), cause })
        };
        let read_back = Failure::from(ModelError::Samples { run: "run-01".to_owned(), cause: "gone".to_owned() });
        let all = full().and(full()).and(read_back);
        assert!(all.machine && !all.interrupted);
        assert_eq!(all.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["samples-not-kept"; 2]);
    }
}

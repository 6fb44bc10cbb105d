//! How work ends badly: whose fault it is decides the exit code.

use crate::error::{Cancelled, Diagnostic, Diagnostics};
use crate::inference::InferenceError;
use crate::model::ModelError;
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

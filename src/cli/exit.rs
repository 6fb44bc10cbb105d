//! Exit codes; scripts depend on them.

use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for is done.
    Done,
    /// `compare`, `check`, `calibrate` or `report` found something.
    Found,
    /// The command line or the pipeline is wrong, or every subject's input is.
    WrongInput,
    /// The machine failed: disk, permission.
    Machine,
    /// Some subjects failed; the others are complete.
    SomeFailed,
    /// Interrupted by the signal of this number; nothing is half-written.
    Interrupted(i32),
    /// A bug of ours.
    Bug,
}

impl Exit {
    /// The code the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::WrongInput => 2,
            Self::Machine => 3,
            Self::SomeFailed => 4,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::Bug => 101,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes_are_what_scripts_expect() {
        let all = [Exit::Done, Exit::Found, Exit::WrongInput, Exit::Machine, Exit::SomeFailed, Exit::Bug];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 101]);
        assert_eq!([2, 15].map(|signal| Exit::Interrupted(signal).code()), [130, 143]);
    }
}

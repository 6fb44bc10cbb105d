//! Messages for people, on stderr.

use super::args::{Color, MessageArgs};
use crate::error::{Diagnostics, Severity, Styling, render};
use std::io::{IsTerminal, Write};

/// Where messages go and how they look.
pub(super) struct Messages {
    styling: Styling,
    quiet: bool,
    verbose: bool,
}

impl Messages {
    /// `NO_COLOR` and a stderr that is no terminal turn colours off unless they are asked for.
    pub(super) fn new(words: &MessageArgs) -> Self {
        let coloured = match words.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self {
            styling: if coloured { Styling::Coloured } else { Styling::Plain },
            quiet: words.quiet,
            verbose: words.verbose > 0,
        }
    }

    /// All problems, and where there are several errors, their number.
    pub(super) fn problems(&self, problems: &Diagnostics) {
        self.say(problems, "");
    }

    /// Those of one subject, by its label.
    pub(super) fn problems_of(&self, subject: &str, problems: &Diagnostics) {
        self.say(problems, &format!("sub-{subject}: "));
    }

    fn say(&self, problems: &Diagnostics, whose: &str) {
        let mut errors = 0;
        for problem in problems {
            if problem.severity == Severity::Error {
                errors += 1;
            } else if self.quiet {
                continue;
            }
            Self::raw(&render(problem, self.styling));
        }
        if errors > 1 {
            Self::raw(&format!("{whose}{errors} errors\n"));
        }
    }

    /// Whether only what is wrong is said.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What was done; silent with `--quiet`.
    pub(super) fn info(&self, line: &str) {
        if !self.quiet {
            Self::raw(&format!("{line}\n"));
        }
    }

    /// Details; only with `--verbose`.
    pub(super) fn detail(&self, line: &str) {
        if self.verbose {
            Self::raw(&format!("{line}\n"));
        }
    }

    /// A stderr that went away must not end the work.
    fn raw(text: &str) {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

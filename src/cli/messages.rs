//! Messages for people, on stderr.

use super::args::ColorChoice;
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
    pub(super) fn new(color: ColorChoice, quiet: bool, verbose: bool) -> Self {
        let coloured = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self { styling: if coloured { Styling::Coloured } else { Styling::Plain }, quiet, verbose }
    }

    /// All problems, and where there are several errors, their number.
    pub(super) fn problems(&self, problems: &Diagnostics) {
        let mut errors = 0;
        for problem in problems {
            if problem.severity == Severity::Error {
                errors += 1;
            } else if self.quiet {
                continue;
            }
            self.raw(&render(problem, self.styling));
        }
        if errors > 1 {
            self.raw(&format!("{errors} errors\n"));
        }
    }

    /// What was done; silent with `--quiet`.
    pub(super) fn info(&self, line: &str) {
        if !self.quiet {
            self.raw(&format!("{line}\n"));
        }
    }

    /// Details; only with `--verbose`.
    pub(super) fn detail(&self, line: &str) {
        if self.verbose {
            self.raw(&format!("{line}\n"));
        }
    }

    /// A stderr that went away must not end the work.
    fn raw(&self, text: &str) {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

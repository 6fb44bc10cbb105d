//! `boldly compare`: the regression check.

use crate::cli::args::CompareArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::compare::{self, Tolerance};
use std::io::Write;

/// Compares two maps or folders; what differs goes to stdout.
pub(in crate::cli) fn compare(words: &CompareArgs, messages: &Messages) -> Exit {
    match compare::compare(&words.a, &words.b, Tolerance { atol: words.atol, rtol: words.rtol }) {
        Ok(comparison) => {
            // A reader that closed the pipe has seen enough.
            let _ = write!(std::io::stdout(), "{comparison}");
            if comparison.is_equal() { Exit::Done } else { Exit::Found }
        }
        Err(problems) => {
            messages.problems(&problems);
            Exit::WrongInput
        }
    }
}

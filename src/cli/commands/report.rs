//! `boldly report`: the pages of a result folder, from what is saved in it.

use super::planned::wrong;
use crate::cli::args::ReportArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::error::counted;
use crate::report::{ReportOptions, write_reports};

/// Makes all reports anew. What cannot be read is said, and the rest is made without it.
pub(in crate::cli) fn report(words: &ReportArgs, messages: &Messages) -> Exit {
    let options = ReportOptions { viewer: !words.no_viewer, threshold: words.threshold };
    match write_reports(&words.out, options) {
        Ok(reports) => {
            messages.problems(&reports.problems);
            let first = words.out.join("report.html");
            messages.info(&format!("{}, begin with {}", counted(reports.written.len(), "report"), first.display()));
            if reports.problems.is_empty() { Exit::Done } else { Exit::Found }
        }
        Err(problem) if problem.is_machine_failure() => {
            messages.problems(&problem.into());
            Exit::Machine
        }
        Err(problem) => wrong(&problem.into(), messages),
    }
}

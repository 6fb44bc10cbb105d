//! `boldly status`.

use super::planned::wrong;
use crate::cli::args::StatusArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::Messages;
use crate::error::{Diagnostic, counted};
use crate::outputs::{self, SubjectState};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// Tells how far each subject is: 0 where all are done, 4 where one failed, else 1.
pub(in crate::cli) fn status(words: &StatusArgs, messages: &Messages) -> Exit {
    let states = match outputs::find_output_folder(&words.out).and_then(|folder| folder.subject_states()) {
        Ok(states) => states,
        Err(problem) => return wrong(&problem.into(), messages),
    };
    let text = if words.json {
        match serde_json::to_string_pretty(&states) {
            Ok(text) => text + "\n",
            Err(problem) => {
                messages.problems(&Diagnostic::error("internal-bug", problem.to_string()).into());
                return Exit::Bug;
            }
        }
    } else {
        as_text(&states)
    };
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let any = |is: fn(&SubjectState) -> bool| states.values().any(is);
    if any(|state| matches!(state, SubjectState::Failed(_))) {
        Exit::SomeFailed
    } else if states.is_empty() || any(|state| !matches!(state, SubjectState::Done { .. })) {
        Exit::Found
    } else {
        Exit::Done
    }
}

/// A line of counts, then a line for each subject that is not done, with the first line of each reason.
fn as_text(states: &BTreeMap<String, SubjectState>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for state in states.values() {
        *counts.entry(state.word()).or_default() += 1;
    }
    let order = ["done", "running", "waiting", "not started", "interrupted", "failed"];
    let shown: Vec<String> = order.iter().filter_map(|word| Some(format!("{} {word}", counts.get(word)?))).collect();
    let mut text = match states.len() {
        0 => "no subjects yet\n".to_owned(),
        n => format!("{}: {}\n", counted(n, "subject"), shown.join(", ")),
    };
    for (label, state) in states {
        if matches!(state, SubjectState::Done { .. }) {
            continue;
        }
        let _ = writeln!(text, "sub-{label}: {}", state.word()); // a String takes all
        for reason in state.reasons_in_short() {
            let _ = writeln!(text, "  {reason}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_done_is_named_with_its_reasons() {
        let reason = "error[events-missing]: no events\n --> sub-03\n";
        let states = [
            ("01", SubjectState::Done { n_files: 9 }),
            ("02", SubjectState::Running),
            ("03", SubjectState::Failed(vec![reason.to_owned()])),
            ("04", SubjectState::Done { n_files: 9 }),
        ];
        let states = states.map(|(label, state)| (label.to_owned(), state)).into();
        insta::assert_snapshot!(as_text(&states), @r"
        4 subjects: 2 done, 1 running, 1 failed
        sub-02: running
        sub-03: failed
          error[events-missing]: no events
        ");
        assert_eq!(as_text(&BTreeMap::new()), "no subjects yet\n");
    }
}

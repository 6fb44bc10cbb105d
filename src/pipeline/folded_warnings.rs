//! Warnings that are found run by run and say the same of each, said once.

use crate::error::{Diagnostic, Diagnostics, counted};

/// Codes of such warnings. Their message says what all have in common, their notes what is so in the run.
const FOUND_RUN_BY_RUN: [&str; 2] = ["bids-tr-differs", "variance-removed"];

/// Runs whose notes are said before the rest is only counted.
const MOST_SAID: usize = 5;

/// Each such warning once, with the notes of its first runs and the number of the others, at the place of the first.
pub(super) fn folded_warnings(found: Diagnostics) -> Diagnostics {
    let mut kept: Vec<(Diagnostic, Vec<Diagnostic>)> = Vec::new();
    for warning in found.said_once() {
        let is_like = |(first, _): &&mut (Diagnostic, Vec<Diagnostic>)| {
            FOUND_RUN_BY_RUN.contains(&warning.code) && (first.code, &first.message) == (warning.code, &warning.message)
        };
        match kept.iter_mut().find(is_like) {
            Some((_, others)) => others.push(warning),
            None => kept.push((warning, Vec::new())),
        }
    }
    kept.into_iter().map(|(first, others)| if others.is_empty() { first } else { together(first, &others) }).collect()
}

fn together(first: Diagnostic, others: &[Diagnostic]) -> Diagnostic {
    let mut notes: Vec<String> =
        std::iter::once(&first).chain(others).take(MOST_SAID).map(|warning| warning.notes.join("; ")).collect();
    let more = (others.len() + 1).saturating_sub(MOST_SAID);
    if more > 0 {
        notes.push(format!("so it is in {}", counted(more, "more run")));
    }
    Diagnostic { notes, ..first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_so_in_many_runs_is_said_once_with_their_number() {
        let lost =
            |run: usize| Diagnostic::warning("variance-removed", "much is removed").note(format!("run-{run}: 30 %"));
        let other = Diagnostic::warning("mask-not-binary", "much is removed");
        let found: Diagnostics = (1..=7).map(lost).chain([other.clone(), other.clone().note("another")]).collect();
        let said: Vec<Diagnostic> = folded_warnings(found).into_iter().collect();
        assert_eq!(said.len(), 3);
        assert_eq!(said[0].notes[..2], ["run-1: 30 %", "run-2: 30 %"]);
        assert_eq!(said[0].notes[5], "so it is in 2 more runs");
        let alone: Diagnostics = lost(1).note("model: a").into();
        assert_eq!(folded_warnings(alone.clone()), alone);
        let two: Diagnostics = [lost(1).note("model: a"), lost(2)].into_iter().collect();
        let two: Vec<Diagnostic> = folded_warnings(two).into_iter().collect();
        assert_eq!(two[0].notes, ["run-1: 30 %; model: a", "run-2: 30 %"]);
    }
}

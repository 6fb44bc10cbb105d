//! Scrubbing: which volumes are censored for motion.
//!
//! A volume is censored when its framewise displacement (Power et al. 2012, doi 10.1016/j.neuroimage.2011.10.018) or
//! its standardised DVARS is above a threshold; then so is each run of kept volumes that is too short.

use crate::config::ScrubSettings;
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::table::{Cell, CellProblems, Table, nearest, quoted};

/// fMRIPrep's names of what volumes are censored by.
pub(super) const DISPLACEMENT: &str = "framewise_displacement";
pub(super) const DVARS: &str = "std_dvars";

/// Whether each frame that was not discarded is kept.
///
/// # Errors
/// A column that a threshold needs is missing or holds something that is no number.
pub(super) fn kept_frames(table: &Table, scrub: &ScrubSettings, discarded: usize) -> Result<Vec<bool>, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut kept = vec![true; table.rows.len().saturating_sub(discarded)];
    for (name, key, threshold) in [(DISPLACEMENT, "fd_mm", scrub.fd_mm), (DVARS, "std_dvars", scrub.std_dvars)] {
        let Some(threshold) = threshold else { continue };
        let Some(column) = table.column(name) else {
            diagnostics.push(missing(table, name, key));
            continue;
        };
        // fMRIPrep leaves the first row empty: no volume before it to differ from.
        let is_empty = table.rows.first().is_some_and(|row| Cell::parse(row.text(column)) == Cell::Missing);
        let from = discarded.max(usize::from(is_empty));
        let mut problems = CellProblems::new();
        let values = table.numbers(column, from, "confounds-not-a-number", &mut problems);
        diagnostics.extend(problems.into_diagnostics());
        for (kept, value) in kept.iter_mut().skip(from - discarded).zip(values) {
            *kept &= value <= threshold;
        }
    }
    drop_short_segments(&mut kept, scrub.min_segment);
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(kept) }
}

fn missing(table: &Table, name: &str, key: &str) -> Diagnostic {
    let message = format!("no column `{name}`, which `scrub.{key}` needs");
    let problem = Diagnostic::error("confounds-scrub-column", message)
        .at(table.header_place())
        .note(format!("columns there are: {}", table.describe_columns()));
    match nearest(name, &table.columns).as_slice() {
        [] => problem,
        near => problem.hint(format!("did you mean {}? rename it: scrubbing reads fMRIPrep's names", quoted(near))),
    }
}

/// Censors every run of kept frames shorter than `min_segment`. Frames of which none is censored are no segment.
fn drop_short_segments(kept: &mut [bool], min_segment: usize) {
    if !kept.contains(&false) {
        return;
    }
    for segment in kept.chunk_by_mut(|a, b| a == b) {
        if segment[0] && segment.len() < min_segment {
            segment.fill(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_segments_go_at_the_ends_and_between() {
        let mut kept: Vec<bool> = "++.+++.++.+".chars().map(|sign| sign == '+').collect();
        drop_short_segments(&mut kept, 3);
        let shown: String = kept.iter().map(|kept| if *kept { '+' } else { '.' }).collect();
        assert_eq!(shown, "...+++.....");
    }

    #[test]
    fn few_frames_without_motion_are_kept() {
        let mut kept = [true; 3];
        drop_short_segments(&mut kept, 5);
        assert_eq!(kept, [true; 3]);
    }

    #[test]
    fn a_least_length_of_zero_or_one_drops_nothing() {
        for min_segment in [0, 1] {
            let mut kept = [true, false, true];
            drop_short_segments(&mut kept, min_segment);
            assert_eq!(kept, [true, false, true]);
        }
    }
}

//! What a calibration takes beside the analysis that it is of.

use super::super::plan::Plan;
use super::{MemoryLimit, mib};
use crate::error::{Diagnostic, Diagnostics};
use crate::model::NullRun;

/// Copies of the samples of the runs of a group, beside those that null data are drawn from: those that are read, and two sets of
/// data that are drawn and looked at.
const COPIES: usize = 3;

impl Plan {
    /// An error if the calibration needs more than this.
    ///
    /// # Errors
    /// It does.
    pub fn check_calibration_memory(&self, threads: usize, limit_bytes: u64) -> Result<(), Diagnostics> {
        let limit: MemoryLimit = Some(limit_bytes);
        let analysis = self.estimate(threads, limit).least_memory_bytes;
        let mask_voxels = self.mask_voxels();
        // the frames of all scans at rest, of which no more is known here than that they are as long as the runs
        let longest =
            self.subjects.iter().flat_map(|subject| &subject.runs).map(|run| run.n_acquired).max().unwrap_or(0);
        let rest = 4 * longest * self.settings.calibrate.rest.len();
        let spaces = self.subjects.iter().flat_map(|subject| subject.spaces.iter().map(move |space| (subject, space)));
        let of_groups = spaces.flat_map(|(subject, space)| {
            let n_columns = self.n_columns(subject, space, mask_voxels);
            space.groups.iter().map(move |group| {
                let frames = group.runs.iter().map(|&run| subject.runs[run].n_acquired);
                let of_run = |n| NullRun::bytes(n, n_columns) + COPIES * 4 * n * n_columns;
                frames.map(of_run).sum::<usize>() + rest * n_columns
            })
        });
        let own = of_groups.max().unwrap_or(0) as u64;
        if analysis + own <= limit_bytes {
            return Ok(());
        }
        let (needed, allowed) = (mib(analysis + own), mib(limit_bytes));
        let message = format!("the calibration needs about {needed} of memory, {allowed} are allowed");
        Err(Diagnostic::error("memory-too-small", message)
            .note(format!(
                "needed: {} of the analysis, {} of null data of the runs of a group",
                mib(analysis),
                mib(own)
            ))
            .hint("raise `--max-memory`, use a smaller mask, or calibrate a pipeline of fewer runs")
            .into())
    }
}

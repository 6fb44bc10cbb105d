//! Reports while subjects are analysed: a subject's when it is done, the dataset's at the end.

use crate::error::Diagnostics;
use crate::outputs::{OutputError, OutputFolder};
use crate::report::{self, ReportOptions, Reports};
use rayon::ThreadPool;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Makes reports where they are wanted. One that fails, or even panics, does not spoil the results: it is a warning.
pub(super) struct Reporter<'a> {
    pub(super) folder: &'a OutputFolder,
    pub(super) pool: &'a ThreadPool,
    /// `[output] report`.
    pub(super) wanted: bool,
}

impl Reporter<'_> {
    /// The report of a subject, where it has results: that they are of an earlier run is said in it.
    pub(super) fn subject(&self, subject: &str) -> Diagnostics {
        self.made(|| report::refresh_subject_report(self.folder, subject, ReportOptions::default()))
    }

    /// The report of the dataset.
    pub(super) fn dataset(&self) -> Diagnostics {
        self.made(|| report::refresh_dataset_report(self.folder, ReportOptions::default()))
    }

    fn made(&self, make: impl FnOnce() -> Result<Reports, OutputError> + Send) -> Diagnostics {
        if !self.wanted {
            return Diagnostics::new();
        }
        match catch_unwind(AssertUnwindSafe(|| self.pool.install(make))) {
            Ok(Ok(reports)) => reports.problems,
            Ok(Err(problem)) => report::not_written(self.folder, &problem.to_string()).into(),
            Err(_) => report::not_written(self.folder, "a bug of boldly stopped them").into(),
        }
    }
}

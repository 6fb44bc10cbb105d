//! The binary from end to end: what it writes, what it says and how it ends, on the sample data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests stop at the first surprise"
)]

mod bytes;
mod calibrate;
mod commands;
mod confounds;
mod dataset;
mod deconvolution;
mod deconvolution_runs;
#[path = "../support/dense.rs"]
mod dense;
mod failures;
mod filters;
mod image_forms;
mod inputs;
#[cfg(unix)]
mod kills;
#[cfg(target_os = "linux")]
mod memory;
mod messages;
mod models;
#[path = "../support/prepared.rs"]
mod prepared;
mod report;
#[cfg(unix)]
mod report_browser;
mod rerun;
mod sample;
#[cfg(unix)]
mod submit;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod thresholds;
mod tsv;

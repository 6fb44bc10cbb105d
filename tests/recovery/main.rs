//! `boldly run` recovers simulated truth: bias, coverage, sensitivity, null rates, and the response itself.
//!
//! Every bound comes from what a simulation declares (true noise, true smoothness) or from an estimator written out
//! here with dense algebra; nothing is compared with the program's own idea of its error. Figures are printed:
//! `cargo test --test recovery -- --nocapture`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/dense.rs"]
mod dense;
mod estimator;
mod made;
mod noise_free;
mod null_runs;
mod sample_data;
mod smoothed;
mod space;
#[path = "../support/mod.rs"]
mod support;

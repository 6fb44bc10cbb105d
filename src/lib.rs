//! Declared fMRI analysis: a TOML file in, statistic maps out.
//!
//! Data flows one way through the rooms (modules) of this crate:
//!
//! ```text
//! config -> inputs -> preprocess -> design -> model -> inference -> outputs -> report
//!                      pipeline (alone knows the order: plan, run)  <-  cli
//! ```
//!
//! A room uses only rooms to its left, plus [`error`] and [`signal`]. `tests/layers.rs` holds it to that.
// Tests may stop at the first surprise; product code may not.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod error;
pub mod signal;

pub mod config;

pub mod inputs;

pub mod preprocess;

pub mod design;

pub mod model;

pub mod inference;

pub mod outputs;

pub mod report;

pub mod pipeline;

pub mod compare;
pub mod simulate;

pub mod cli;

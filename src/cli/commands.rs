//! What each command does; every one ends in an [`Exit`].

mod bids;
mod calibrate;
mod compare;
mod design;
mod init;
mod pipeline;
mod planned;
mod print;
mod report;
mod simulate;
mod status;
mod submit;

pub(super) use bids::bids;
pub(super) use calibrate::calibrate;
pub(super) use compare::compare;
pub(super) use design::design;
pub(super) use init::init;
pub(super) use pipeline::{check, run};
pub(super) use print::{completions, schema};
pub(super) use report::report;
pub(super) use simulate::simulate;
pub(super) use status::status;
pub(super) use submit::submit;

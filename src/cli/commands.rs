//! What each command does; every one ends in an [`Exit`].

mod compare;
mod design;
mod pipeline;
mod print;
mod report;
mod simulate;

pub(super) use compare::compare;
pub(super) use design::design;
pub(super) use pipeline::{check, run};
pub(super) use print::{completions, schema};
pub(super) use report::report;
pub(super) use simulate::simulate;

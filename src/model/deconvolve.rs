//! Deconvolution: what neural activity gave rise to the data, given the kernel it is convolved with.

mod method;
pub mod sparse;

pub use method::{Deconvolver, Operator, Solution, Wanted};

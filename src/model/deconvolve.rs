//! Deconvolution: what neural activity gave rise to the data, given the kernel it is convolved with.

pub mod auto;
mod method;

pub use method::{Deconvolver, Operator, Solution, Wanted};

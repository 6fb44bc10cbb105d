//! Deconvolution: what neural activity gave rise to the data, given the kernel it is convolved with.

mod method;
mod peb;

pub use method::{Deconvolver, Operator, Solution, Wanted};
pub use peb::{Peb, PebError, PebHyperparameters, SpmActivity, SpmDeconvolution};

//! Deconvolution: what neural activity gave rise to the data, given the kernel it is convolved with.

mod method;
mod ridge;
mod wiener;

pub use method::{Deconvolver, Operator, Solution, Wanted};
pub use ridge::{LambdaChoice, Penalty, Ridge, RidgeError};
pub use wiener::Wiener;

//! Pure one-dimensional mathematics: kernels, convolution, haemodynamic responses, drift bases. No I/O.

pub mod drift;
pub mod gaussian;
pub mod hrf;
mod orthogonalise;
pub mod widest;

pub use orthogonalise::{orthogonalise_in_order, orthogonalise_to};

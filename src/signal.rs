//! Pure mathematics of signals: kernels, convolution, filters, firing rates, haemodynamic responses, drift bases. No
//! I/O.

pub mod convolution;
pub mod drift;
pub mod gaussian;
pub mod gaussian_filter;
pub mod hrf;
pub mod kernel;
mod orthogonalise;
pub mod rates;
pub mod volume_fourier;
pub mod widest;

pub use orthogonalise::{orthogonalise_in_order, orthogonalise_to};

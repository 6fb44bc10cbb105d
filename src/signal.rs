//! Pure one-dimensional mathematics: kernels, convolution, haemodynamic responses, drift bases. No I/O.

pub mod gaussian;

//! Haemodynamic responses and basis functions in continuous time.
//!
//! A response is a [`Kernel`]: its value `h(t)` and its running integral `H(t)`, `t` in seconds after an impulse.
//! With both, an event of onset `o`, duration `d` and height `a` contributes exactly
//!
//! ```text
//! a (H(t - o) - H(t - o - d))     d > 0: a boxcar of height a
//! a h(t - o)                      d = 0: an impulse of area a
//! ```
//!
//! to the signal at time `t`, with no grid between. One file holds one response: its parameters and their source.

mod double_gamma;
mod gamma;
mod gamma_density;
mod glover;
mod incomplete_gamma;
mod piecewise_linear;
mod sampled;
mod spm;
mod window;

pub use double_gamma::{DispersionSlope, DoubleGamma, TemporalSlope};
pub use gamma::gamma;
pub use gamma_density::GammaDensity;
pub use glover::{glover, glover_of_nilearn, glover_of_nilearn_for_dispersion};
pub use incomplete_gamma::lower_incomplete_gamma;
pub use piecewise_linear::{PiecewiseLinear, TableError, tent};
pub use sampled::{SampleGrid, kernel_sums};
pub use spm::{spm, spm_of_nilearn};
pub use window::Window;

/// Times closer than this to an edge of a kernel lie on it, seconds: far below any stimulus clock, far above the
/// rounding of `frame * tr_s - onset_s`.
pub const EDGE_TOLERANCE_S: f64 = 1e-6;

/// A response to an impulse in continuous time; 0 before the impulse.
pub trait Kernel {
    /// `h(t)`, `t` in seconds after the impulse.
    fn value(&self, time_s: f64) -> f64;

    /// `H(t)`, the integral of `h` from before its start to `t`.
    fn integral(&self, time_s: f64) -> f64;

    /// What an event contributes `since_onset_s` seconds after its onset: the boxcar of height 1 convolved with `h`,
    /// or `h` itself where the duration is 0.
    fn response(&self, since_onset_s: f64, duration_s: f64) -> f64 {
        if duration_s > 0.0 {
            self.integral(since_onset_s) - self.integral(since_onset_s - duration_s)
        } else {
            self.value(since_onset_s)
        }
    }
}

//! What can be wrong with a series or its settings.

/// Why a series cannot be deconvolved. Who calls knows which series of which file it is.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum CalciumError {
    /// Too few samples.
    #[error("{found} samples are too few: at least {fewest} are needed")]
    TooShort {
        /// Samples there are.
        found: usize,
        /// Samples there must be.
        fewest: usize,
    },
    /// A sample that is not a number, or infinite.
    #[error("sample {} is not a finite number", sample + 1)]
    NotFinite {
        /// Its index, from 0.
        sample: usize,
    },
    /// No noise at high frequencies: no scale for a penalty.
    #[error("there is no noise: its standard deviation is {sigma:.3e} at high frequencies")]
    NoNoise {
        /// What was found.
        sigma: f64,
    },
    /// A setting that is not positive and finite.
    #[error("the {name} is {found}; it must be a positive number")]
    Setting {
        /// What it is.
        name: &'static str,
        /// What was given.
        found: f64,
    },
    /// A time constant that is not positive and finite, or a rise slower than the decay.
    #[error("a time constant is {found_s} s; it must be positive, and the rise no slower than the decay")]
    TimeConstant {
        /// What was given.
        found_s: f64,
    },
    /// Coefficients with complex roots: a response that rings.
    #[error("the autoregressive coefficients {g_1:.4} and {g_2:.4} have complex roots: calcium does not oscillate")]
    Oscillating {
        /// First coefficient.
        g_1: f64,
        /// Second coefficient.
        g_2: f64,
    },
    /// Coefficients with a root outside (0, 1).
    #[error(
        "the autoregressive coefficients {g_1:.4} and {g_2:.4} have a root outside of 0 to 1: calcium does not decay so"
    )]
    Unstable {
        /// First coefficient.
        g_1: f64,
        /// Second coefficient.
        g_2: f64,
    },
}

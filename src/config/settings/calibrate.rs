//! `[calibrate]`, resolved.

use crate::config::{Located, Noise};
use std::path::PathBuf;

/// `[calibrate]`.
#[derive(Debug, Clone)]
pub struct CalibrateSettings {
    /// Sets of null data.
    pub draws: usize,
    /// Where random numbers begin.
    pub seed: u64,
    /// Noise models shown beside the declared one.
    pub alternatives: Vec<Noise>,
    /// Scans at rest in place of simulated data; none: data are simulated.
    pub rest: Vec<Located<PathBuf>>,
}

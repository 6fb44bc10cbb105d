//! `[calibrate]`: what `boldly calibrate` does.

use crate::config::Noise;
use crate::config::placed::Placed;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[calibrate]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrateConfig {
    /// Sets of null data that are analysed. Their rates are known as precisely as there are independent voxels in all of
    /// them; an error over the family is known from one yes or no a set.
    #[schemars(range(min = 10, max = 100_000))]
    pub draws: Option<usize>,
    /// Where random numbers begin: the same seed gives the same rates.
    #[schemars(range(max = 1_000_000_000))]
    pub seed: Option<u64>,
    /// Noise models that are shown beside the one that a model states.
    pub alternatives: Option<Vec<Placed<Noise>>>,
    /// Scans at rest that are analysed in place of simulated data, as if the task had been done in them: 4-D images on the grid
    /// of the runs, of the same repetition time and at least as long. Each is cut into as many stretches as there is room for.
    #[schemars(length(min = 1))]
    pub rest: Option<Vec<Placed<String>>>,
}

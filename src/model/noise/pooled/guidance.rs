//! What guides averages over neighbours: the feature, averaged for itself first, and how many averages are best.

use super::cascade::{Guide, Neighbourhood};
use super::feature::{Averaging, Feature};

/// Distances of the averages, voxels: of the feature, and of what it guides.
const FEATURE_STEPS: [usize; 5] = [1, 1, 2, 2, 4];
pub(super) const STEPS: [usize; 6] = [1, 1, 2, 2, 4, 4];
/// And of the squares of averaged noise, wider, as that is smooth.
const DOUBT_STEPS: [usize; 8] = [1, 1, 2, 2, 4, 4, 4, 4];
/// Standard deviations of the feature's noise that count as alike.
const ALIKE: f32 = 3.0;
/// Independent voxels whose average is enough: of the feature, and of what it guides at least.
const FEATURE_VOXELS: f64 = 10.0;
const LEAST_VOXELS: f64 = 40.0;
/// Averages at least.
const LEAST_STEPS: usize = 3;

/// Averages that stop where the feature changes.
pub(super) struct Guidance<'a> {
    around: &'a Neighbourhood,
    feature: &'a Feature,
    /// Feature and twin as averaged for themselves, the local variance of the twin, and the distances that took.
    z: Vec<f32>,
    twin: Vec<f32>,
    variance: Vec<f32>,
    own_steps: &'static [usize],
    averaging: Averaging,
}

impl<'a> Guidance<'a> {
    /// By `feature` of the columns of `around`.
    pub(super) fn new(feature: &'a Feature, around: &'a Neighbourhood) -> Self {
        let averaging = feature.averaging(around, &STEPS, LEAST_STEPS, LEAST_VOXELS);
        let (z, twin, own_steps) = averaged(feature, around);
        let variance = around.local_variance(&twin, &FEATURE_STEPS);
        Self { around, feature, z, twin, variance, own_steps, averaging }
    }

    /// The share of what is left in other directions than the feature's, averaged by [`Self::steps`], that is no noise.
    pub(super) fn kept(&self) -> f64 {
        self.averaging.kept
    }

    /// Distances that are best.
    pub(super) fn steps(&self) -> &'static [usize] {
        &STEPS[..self.averaging.n_steps]
    }

    /// Distances that the feature itself took to be sure enough.
    pub(super) fn own_steps(&self) -> &'static [usize] {
        self.own_steps
    }

    /// `values` (column x `of_column`) averaged at the distances `steps`.
    pub(super) fn averaged(&self, values: Vec<f32>, of_column: usize, steps: &[usize]) -> Vec<f32> {
        let Self { z, twin, variance, .. } = self;
        self.around.averaged(values, of_column, steps, Some(&Guide { feature: z, twin, variance, alike: ALIKE }))
    }

    /// Standard deviation of the noise of the feature, averaged by [`Self::steps`], around each column.
    pub(super) fn deviation(&self) -> Vec<f32> {
        let twin = self.averaged(self.feature.twin.clone(), 1, self.steps());
        self.around.local_variance(&twin, &DOUBT_STEPS).into_iter().map(f32::sqrt).collect()
    }
}

/// The feature and its twin, averaged until enough voxels went into each, and the distances that took.
fn averaged(feature: &Feature, around: &Neighbourhood) -> (Vec<f32>, Vec<f32>, &'static [usize]) {
    let squares = |twin: &[f32]| twin.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
    let (mut z, mut twin) = (feature.signal.clone(), feature.twin.clone());
    let first = squares(&twin);
    for (at, &step) in FEATURE_STEPS.iter().enumerate() {
        let variance = around.local_variance(&twin, &FEATURE_STEPS);
        let guide = Guide { feature: &z, twin: &twin, variance: &variance, alike: ALIKE };
        let both: Vec<f32> = z.iter().zip(&twin).flat_map(|(z, twin)| [*z, *twin]).collect();
        let both = around.averaged(both, 2, &[step], Some(&guide));
        z = both.iter().step_by(2).copied().collect();
        twin = both.iter().skip(1).step_by(2).copied().collect();
        if first >= FEATURE_VOXELS * squares(&twin) {
            return (z, twin, &FEATURE_STEPS[..=at]);
        }
    }
    (z, twin, &FEATURE_STEPS)
}

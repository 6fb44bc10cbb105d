//! From coefficients to the activity that is reported.

use super::Shape;
use crate::model::deconvolve::DriftActivity;

/// Activity from coefficients: spikes are what they are, blocks the sums of changes, less what of them follows the drift.
#[derive(Debug)]
pub(super) struct Levels {
    shape: Shape,
    /// Where drift was projected out of the data. A few events have no part in it; a level has.
    drift: Option<DriftActivity>,
}

impl Levels {
    pub(super) fn new(shape: Shape, drift: Option<&DriftActivity>) -> Self {
        Self { shape, drift: drift.filter(|_| shape == Shape::Blocks).cloned() }
    }

    /// Turns coefficients into activity, in place.
    pub(super) fn of(&self, coefficients: &mut [f64]) {
        if self.shape == Shape::Blocks {
            let mut level = 0.0;
            for value in coefficients.iter_mut() {
                level += *value;
                *value = level;
            }
        }
        if let Some(drift) = &self.drift {
            drift.take_off(coefficients);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_sums_of_changes_and_spikes_are_themselves() {
        let mut changes = [1.0, 0.0, -2.0, 0.5];
        Levels::new(Shape::Spikes, None).of(&mut changes);
        assert_eq!(changes, [1.0, 0.0, -2.0, 0.5]);
        Levels::new(Shape::Blocks, None).of(&mut changes);
        assert_eq!(changes, [1.0, 1.0, -1.0, -0.5]);
    }
}

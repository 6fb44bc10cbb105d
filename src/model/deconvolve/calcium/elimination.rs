//! Least squares with given samples free to spike, in time and memory linear in the samples.
//!
//! ```text
//! min over s of 1/2 |z - c|^2 + lambda sum s,   s_t = 0 where not free,   c_t = g_1 c_(t-1) + g_2 c_(t-2) + s_t
//! ```
//!
//! Calcium from sample t on depends on the past by `x = (c_(t-1), c_(t-2))` alone, so the least cost to come is a quadratic
//! `1/2 x'P x - q'x`, found backwards as in a linear-quadratic regulator: a free spike minimises over `c_t`, elsewhere
//! `P <- F'P F`. No number grows, however long the pause between spikes.

use super::kernel::Coefficients;

/// The quadratic parts, which the data do not enter.
#[derive(Debug)]
pub(super) struct Elimination {
    kernel: Coefficients,
    /// Of a free sample, `(1 / P_11, P_12 / P_11)` just before its spike is chosen.
    pivots: Vec<Option<(f64, f64)>>,
}

impl Elimination {
    pub(super) fn new(kernel: Coefficients, free: &[bool]) -> Self {
        let (g_1, g_2) = (kernel.g_1(), kernel.g_2());
        let mut pivots = vec![None; free.len()];
        // P = [[p_11, p_12], [p_12, p_22]] of the cost after this sample.
        let (mut p_11, mut p_12, mut p_22) = (0.0, 0.0, 0.0);
        for (pivot, &free) in pivots.iter_mut().zip(free).rev() {
            p_11 += 1.0; // the sample's own square
            if free {
                let gain = p_12 / p_11;
                *pivot = Some((1.0 / p_11, gain));
                (p_11, p_12, p_22) = (p_22 - p_12 * gain, 0.0, 0.0);
            } else {
                (p_11, p_12, p_22) =
                    (g_1 * (g_1 * p_11 + 2.0 * p_12) + p_22, g_2 * (g_1 * p_11 + p_12), g_2 * g_2 * p_11);
            }
        }
        Self { kernel, pivots }
    }

    /// Calcium for this target `z` and penalty.
    pub(super) fn calcium(
        &self,
        target: impl DoubleEndedIterator<Item = f64> + ExactSizeIterator,
        lambda: f64,
    ) -> Vec<f64> {
        let (g_1, g_2) = (self.kernel.g_1(), self.kernel.g_2());
        let mut calcium = vec![0.0; self.pivots.len()];
        let (mut q_1, mut q_2) = (0.0, 0.0);
        // Backwards: the part of a free sample's value that does not depend on the past waits in its place.
        for ((waiting, pivot), z) in calcium.iter_mut().zip(&self.pivots).zip(target).rev() {
            q_1 += z;
            if let Some((inverse, gain)) = pivot {
                let pull = q_1 - lambda;
                *waiting = pull * inverse;
                (q_1, q_2) = (q_2 - gain * pull + g_1 * lambda, g_2 * lambda);
            } else {
                (q_1, q_2) = (g_1 * q_1 + q_2, g_2 * q_1);
            }
        }
        let (mut one_before, mut two_before) = (0.0, 0.0);
        for (calcium, pivot) in calcium.iter_mut().zip(&self.pivots) {
            *calcium = match pivot {
                Some((_, gain)) => *calcium - gain * one_before,
                None => g_1 * one_before + g_2 * two_before,
            };
            (two_before, one_before) = (one_before, *calcium);
        }
        calcium
    }
}

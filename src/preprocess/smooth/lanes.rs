//! The inner loop of smoothing: a symmetric weighted sum of rows, written so that the compiler vectorises it.

use crate::signal::widest::{Loop, widest};

/// Voxels summed side by side: four SSE or two AVX registers of sums, which leaves room for the operands.
const LANES: usize = 16;

/// Weights of one axis, from the farthest pair in, and the offsets of the pairs for each centre.
#[derive(Debug, Clone)]
pub(super) struct AxisKernel {
    /// Weight of the centre.
    pub(super) centre: f32,
    /// Weight of each pair, farthest first.
    pub(super) pairs: Vec<f32>,
}

impl AxisKernel {
    /// The kernel of `weights.len() / 2` pairs, computed in f64, applied in f32.
    pub(super) fn new(weights: &[f64]) -> Self {
        let radius = weights.len() / 2;
        Self { centre: weights[radius] as f32, pairs: weights[..radius].iter().map(|weight| *weight as f32).collect() }
    }

    /// Samples on either side.
    pub(super) fn radius(&self) -> usize {
        self.pairs.len()
    }

    /// `out[x] = centre source[start + x] + sum over pairs w (source[below + x] + source[above + x])`.
    ///
    /// `neighbours` holds (below, above) for each pair, farthest first. Every voxel is summed in the same order
    /// whichever block of lanes it falls in, so the result does not depend on where a row begins or ends.
    pub(super) fn sum_rows(&self, out: &mut [f32], source: &[f32], start: usize, neighbours: &[(usize, usize)]) {
        widest(SumRows { kernel: self, out, source, start, neighbours });
    }

    #[inline(always)]
    fn sum_blocks(&self, out: &mut [f32], source: &[f32], start: usize, neighbours: &[(usize, usize)]) {
        let length = out.len();
        let mut x = 0;
        while x + LANES <= length {
            self.sum_lanes::<LANES>(out, x, source, start, neighbours);
            x += LANES;
        }
        if x == length {
            return;
        }
        // The rest once more as a full block that overlaps the one before: recomputed voxels get the same value.
        if length >= LANES {
            self.sum_lanes::<LANES>(out, length - LANES, source, start, neighbours);
            return;
        }
        while x + 4 <= length {
            self.sum_lanes::<4>(out, x, source, start, neighbours);
            x += 4;
        }
        while x < length {
            self.sum_lanes::<1>(out, x, source, start, neighbours);
            x += 1;
        }
    }

    #[inline(always)]
    fn sum_lanes<const N: usize>(
        &self,
        out: &mut [f32],
        x: usize,
        source: &[f32],
        start: usize,
        neighbours: &[(usize, usize)],
    ) {
        let centre = &source[start + x..][..N];
        let mut sum = [0.0_f32; N];
        for lane in 0..N {
            sum[lane] = centre[lane] * self.centre;
        }
        for (&(below, above), &weight) in neighbours.iter().zip(&self.pairs) {
            let below = &source[below + x..][..N];
            let above = &source[above + x..][..N];
            for lane in 0..N {
                sum[lane] += weight * (below[lane] + above[lane]);
            }
        }
        out[x..x + N].copy_from_slice(&sum);
    }
}

/// The arguments of [`AxisKernel::sum_rows`].
struct SumRows<'a> {
    kernel: &'a AxisKernel,
    out: &'a mut [f32],
    source: &'a [f32],
    start: usize,
    neighbours: &'a [(usize, usize)],
}

impl Loop for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.kernel.sum_blocks(self.out, self.source, self.start, self.neighbours);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_does_not_depend_on_the_block_it_falls_in() {
        let kernel = AxisKernel::new(&[0.05, 0.2, 0.5, 0.2, 0.05]);
        let source: Vec<f32> = (0..80).map(|i| (i as f32 * 0.7).sin() * 1000.0).collect();
        let mut whole = [0.0; 60];
        kernel.sum_rows(&mut whole, &source, 5, &[(3, 7), (4, 6)]);
        for (first, length) in [(0, 1), (1, 3), (2, 7), (3, 15), (4, 16), (5, 17), (7, 31), (20, 33), (11, 49)] {
            let mut part = vec![0.0; length];
            kernel.sum_rows(&mut part, &source, 5 + first, &[(3 + first, 7 + first), (4 + first, 6 + first)]);
            assert_eq!(part, whole[first..first + length], "{length} values from {first}");
        }
        // The sum itself, in f64: six products of order 1000 in f32 leave 6 x 1000 x 2^-24.
        for (x, value) in whole.iter().enumerate() {
            let at = |i: usize| f64::from(source[i + x]);
            let exact = 0.5 * at(5) + 0.2 * (at(4) + at(6)) + 0.05 * (at(3) + at(7));
            assert!((f64::from(*value) - exact).abs() < 4e-4);
        }
    }
}

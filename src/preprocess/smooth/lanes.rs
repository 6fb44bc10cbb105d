//! The inner loop of smoothing: symmetric weighted sums of rows, written so that the compiler vectorises it.

use crate::signal::widest::{Loop, widest};
use std::ops::Range;

/// Voxels summed side by side: four SSE or two AVX registers of sums, which leaves room for the operands.
const LANES: usize = 16;

/// Weights of one axis, from the farthest pair in.
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
}

/// Where the samples of one sum stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples<'a> {
    /// Offset of the centre.
    pub(super) centre: usize,
    /// Positions (below, above) of each pair, farthest first.
    pub(super) pairs: &'a [(usize, usize)],
    /// Values between neighbouring positions.
    pub(super) stride: usize,
    /// Offset of position 0.
    pub(super) origin: usize,
}

/// One pass over a plane: the weighted sums of every row.
pub(super) struct Pass<'a, S> {
    pub(super) kernel: &'a AxisKernel,
    /// Which part of each row to compute.
    pub(super) ranges: &'a [Range<usize>],
    /// Where the samples of row j stand, `samples(j)`, x = 0 of each at its offset in `source`.
    pub(super) samples: S,
    pub(super) source: &'a [f32],
    /// Rows of `row_length` values each.
    pub(super) out: &'a mut [f32],
    pub(super) row_length: usize,
}

impl<'a, S: Fn(usize) -> Samples<'a>> Pass<'_, S> {
    /// `out[x] = centre source[x at the centre] + sum over pairs w (source[x below] + source[x above])` for each
    /// row's range of x.
    ///
    /// Every voxel is summed in the same order whichever block of lanes it falls in, so the result does not depend
    /// on where a row begins or ends.
    pub(super) fn run(self) {
        widest(self);
    }

    /// With as many pairs as a Gaussian of common width has, so that their weights stay in registers.
    #[inline(always)]
    fn rows<const PAIRS: usize>(self, pairs: [f32; PAIRS]) {
        let row_length = self.row_length;
        for ((j, range), row) in self.ranges.iter().enumerate().zip(self.out.chunks_exact_mut(row_length)) {
            if Range::is_empty(range) {
                continue;
            }
            let samples = (self.samples)(j);
            let out = &mut row[range.clone()];
            let from = |offset: usize| &self.source[offset + range.start..][..range.len()];
            let centre = from(samples.centre);
            let (mut below, mut above) = ([centre; PAIRS], [centre; PAIRS]);
            for ((below, above), at) in below.iter_mut().zip(&mut above).zip(samples.pairs) {
                *below = from(samples.origin + at.0 * samples.stride);
                *above = from(samples.origin + at.1 * samples.stride);
            }
            let row = Row { weight: self.kernel.centre, weights: pairs, centre, below, above };
            row.sum(out);
        }
    }

    /// With any number of pairs.
    #[inline(always)]
    fn rows_of_any(self) {
        let row_length = self.row_length;
        for ((j, range), row) in self.ranges.iter().enumerate().zip(self.out.chunks_exact_mut(row_length)) {
            if Range::is_empty(range) {
                continue;
            }
            let samples = (self.samples)(j);
            let out = &mut row[range.clone()];
            let from = |offset: usize| &self.source[offset + range.start..][..range.len()];
            for (sum, centre) in out.iter_mut().zip(from(samples.centre)) {
                *sum = centre * self.kernel.centre;
            }
            for (weight, at) in self.kernel.pairs.iter().zip(samples.pairs) {
                let (below, above) =
                    (from(samples.origin + at.0 * samples.stride), from(samples.origin + at.1 * samples.stride));
                for ((sum, below), above) in out.iter_mut().zip(below).zip(above) {
                    *sum += weight * (below + above);
                }
            }
        }
    }
}

impl<'a, S: Fn(usize) -> Samples<'a>> Loop for Pass<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match *self.kernel.pairs {
            [a, b] => self.rows([a, b]),
            [a, b, c] => self.rows([a, b, c]),
            [a, b, c, d] => self.rows([a, b, c, d]),
            [a, b, c, d, e] => self.rows([a, b, c, d, e]),
            [a, b, c, d, e, f] => self.rows([a, b, c, d, e, f]),
            [a, b, c, d, e, f, g] => self.rows([a, b, c, d, e, f, g]),
            _ => self.rows_of_any(),
        }
    }
}

/// The samples of one row, all of the same length, and their weights.
struct Row<'a, const PAIRS: usize> {
    weight: f32,
    weights: [f32; PAIRS],
    centre: &'a [f32],
    below: [&'a [f32]; PAIRS],
    above: [&'a [f32]; PAIRS],
}

impl<const PAIRS: usize> Row<'_, PAIRS> {
    #[inline(always)]
    fn sum(&self, out: &mut [f32]) {
        let length = out.len();
        let mut x = 0;
        while x + LANES <= length {
            self.sum_lanes::<LANES>(out, x);
            x += LANES;
        }
        // The rest once more as a full block that overlaps the one before: recomputed voxels get the same value.
        match length - x {
            0 => {}
            1..=8 if length >= 8 => self.sum_lanes::<8>(out, length - 8),
            9.. if length >= LANES => self.sum_lanes::<LANES>(out, length - LANES),
            _ => {
                while x + 4 <= length {
                    self.sum_lanes::<4>(out, x);
                    x += 4;
                }
                while x < length {
                    self.sum_lanes::<1>(out, x);
                    x += 1;
                }
            }
        }
    }

    #[inline(always)]
    fn sum_lanes<const N: usize>(&self, out: &mut [f32], x: usize) {
        let mut sum = [0.0_f32; N];
        for (sum, centre) in sum.iter_mut().zip(&self.centre[x..x + N]) {
            *sum = centre * self.weight;
        }
        for ((below, above), weight) in self.below.iter().zip(&self.above).zip(&self.weights) {
            let (below, above) = (&below[x..x + N], &above[x..x + N]);
            for lane in 0..N {
                sum[lane] += weight * (below[lane] + above[lane]);
            }
        }
        out[x..x + N].copy_from_slice(&sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums a row of `out.len()` values from `first` on.
    fn sum(kernel: &AxisKernel, out: &mut [f32], source: &[f32], first: usize) {
        let radius = kernel.radius();
        let pairs: Vec<(usize, usize)> = (1..=radius).rev().map(|d| (radius - d, radius + d)).collect();
        let samples = |_: usize| Samples { centre: radius + first, pairs: pairs.as_slice(), stride: 1, origin: first };
        let row_length = out.len();
        Pass { kernel, ranges: std::slice::from_ref(&(0..row_length)), samples, source, out, row_length }.run();
    }

    #[test]
    fn a_value_does_not_depend_on_the_block_it_falls_in() {
        let source: Vec<f32> = (0..90).map(|i| (i as f32 * 0.7).sin() * 1000.0).collect();
        // pairs with a loop of their own and without
        for radius in [1_u32, 2, 5, 7, 9] {
            let total = 2.0_f64.powi(radius.cast_signed() + 1) * 1.5 - 2.0;
            let half = (0..=radius).map(|at| 2.0_f64.powi(at.cast_signed()) / total);
            let weights: Vec<f64> = half.clone().chain(half.rev().skip(1)).collect();
            let kernel = AxisKernel::new(&weights);
            let mut whole = [0.0; 60];
            sum(&kernel, &mut whole, &source, 0);
            for (first, length) in
                [(0, 1), (1, 3), (2, 7), (6, 8), (3, 15), (4, 16), (5, 17), (7, 31), (20, 33), (11, 49)]
            {
                let mut part = vec![0.0; length];
                sum(&kernel, &mut part, &source, first);
                assert_eq!(part, whole[first..first + length], "{length} values from {first}, radius {radius}");
            }
            // The sum itself, in f64. Rounding in f32: radius + 2 times 2^-24 of 1000, the weights adding to 1.
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for (x, value) in whole.iter().enumerate() {
                let exact: f64 = weights.iter().zip(&source[x..]).map(|(weight, v)| weight * f64::from(*v)).sum();
                assert!((f64::from(*value) - exact).abs() < f64::from(radius + 2) * 1000.0 * 2.0_f64.powi(-24));
            }
        }
    }
}

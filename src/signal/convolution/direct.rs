//! Convolution by its definition.

use crate::signal::widest::{Loop, widest};

/// Results computed together: with the samples they need they stay in the first-level cache (16 KB of 32 or 48).
const BLOCK: usize = 1024;

/// Samples `start..start + out.len()` of the full convolution of two sequences, in any order of the two.
///
/// Every result is one sum over the sequence with fewer values that are not 0, its values in order; so a train of
/// spikes costs as many kernels as it has spikes.
pub(super) fn convolve(left: &[f64], right: &[f64], start: usize, out: &mut [f64]) {
    let cost = |taps: &[f64], line: &[f64]| taps.iter().filter(|tap| **tap != 0.0).count() as f64 * line.len() as f64;
    let (taps, line) = if cost(left, right) < cost(right, left) { (left, right) } else { (right, left) };
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        widest(Block { taps, line, start: start + block * BLOCK, out });
    }
}

/// One block of results: `out[i] = sum_j taps[j] line[start + i - j]`.
struct Block<'a> {
    taps: &'a [f64],
    line: &'a [f64],
    start: usize,
    out: &'a mut [f64],
}

impl Loop for Block<'_> {
    type Output = ();

    /// A scaled piece of the line is added for each tap: sums side by side, which the compiler vectorises.
    #[inline(always)]
    fn run(self) {
        let Self { taps, line, start, out } = self;
        let end = start + out.len();
        out.fill(0.0);
        // taps whose copy of the line, at j..j + line.len(), overlaps start..end
        let first = (start + 1).saturating_sub(line.len()).min(taps.len());
        let last = end.min(taps.len()).max(first);
        for (j, tap) in (first..last).zip(&taps[first..last]) {
            if *tap == 0.0 {
                continue;
            }
            let (from, to) = (start.max(j), end.min(j + line.len()));
            for (sum, value) in out[from - start..to - start].iter_mut().zip(&line[from - j..to - j]) {
                *sum += tap * value;
            }
        }
    }
}

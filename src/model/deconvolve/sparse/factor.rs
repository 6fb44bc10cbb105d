//! Cholesky factor of the gram of a support that grows at its end and loses members anywhere: `G_S = L L'`.

use super::gram::Gram;

/// A column whose squared distance to the span of the support is below this part of its own square counts as dependent.
/// Rounding in a pivot is some 1e-15 of the square.
const DEPENDENT: f64 = 1e-12;

/// The factor, with the support in the order in which its members came.
#[derive(Debug, Default)]
pub(super) struct Factor {
    /// Rows of `L`, row `i` with `i + 1` entries, one after the other.
    packed: Vec<f64>,
    support: Vec<usize>,
}

impl Factor {
    /// Members, oldest first.
    pub(super) fn support(&self) -> &[usize] {
        &self.support
    }

    pub(super) fn len(&self) -> usize {
        self.support.len()
    }

    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Row `i` of `L`, its diagonal entry last.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        let start = i * (i + 1) / 2;
        &self.packed[start..=start + i]
    }

    /// The diagonal entry of row `i`.
    pub(super) fn pivot(&self, i: usize) -> f64 {
        self.packed[i * (i + 3) / 2]
    }

    /// Adds column `j` of the gram, on whose diagonal `ridge` is added; false, and nothing happens, if it depends on the
    /// members.
    pub(super) fn push(&mut self, gram: &Gram, j: usize, ridge: f64) -> bool {
        let size = self.len();
        let start = self.packed.len();
        let g = gram.row(j);
        for i in 0..size {
            let row = i * (i + 1) / 2;
            let (done, new) = self.packed.split_at(start);
            let value = (g[self.support[i]] - dot(&done[row..row + i], new)) / done[row + i];
            self.packed.push(value);
        }
        let whole = g[j] + ridge;
        let new = &self.packed[start..];
        let square = whole - dot(new, new);
        if square.is_nan() || square <= DEPENDENT * whole {
            self.packed.truncate(start);
            return false;
        }
        self.packed.push(square.sqrt());
        self.support.push(j);
        true
    }

    /// Keeps the first `size` members.
    pub(super) fn truncate(&mut self, size: usize) {
        self.support.truncate(size);
        self.packed.truncate(size * (size + 1) / 2);
    }

    /// Takes the member at `position` out: those behind it are factored anew, which loses no accuracy.
    pub(super) fn remove(&mut self, gram: &Gram, position: usize, ridge: f64, kept: &mut Vec<usize>) {
        kept.clear();
        kept.extend_from_slice(&self.support[position + 1..]);
        self.truncate(position);
        for &j in kept.iter() {
            self.push(gram, j, ridge);
        }
    }

    /// Continues `w = L^-1 v` from the length that `w` has; `v` is asked for by position.
    pub(super) fn continue_forward(&self, w: &mut Vec<f64>, v: impl Fn(usize) -> f64) {
        for i in w.len()..self.len() {
            let row = self.row(i);
            let value = (v(i) - dot(&row[..i], w)) / row[i];
            w.push(value);
        }
    }

    /// `L'^-1 w`, into `x`.
    pub(super) fn backward(&self, w: &[f64], x: &mut Vec<f64>) {
        x.clear();
        x.extend_from_slice(w);
        for i in (0..self.len()).rev() {
            let row = self.row(i);
            let value = x[i] / row[i];
            x[i] = value;
            for (earlier, l) in x[..i].iter_mut().zip(row) {
                *earlier -= value * l;
            }
        }
    }
}

/// Sum of products in four chains, which the processor works on side by side.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a_fours, b_fours) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a_fours.remainder().iter().zip(b_fours.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_fours.zip(b_fours) {
        for lane in 0..4 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

//! Least squares on a support, kept up to date as the support changes: with `G_S + ridge I = L L'` and `z = L^-1 b_S`,
//! `min |y - X_S x|^2 + ridge |x|^2 = y'y - z'z`, at the coefficients `L'^-1 z`.

use super::factor::{Factor, dot};
use super::gram::Gram;

/// The data of a column, by what the fits need of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'a> {
    /// `X'y`.
    pub(super) b: &'a [f64],
    /// `y'y`.
    pub(super) square: f64,
}

/// A refit that follows a support.
#[derive(Debug, Default)]
pub(super) struct Refit {
    factor: Factor,
    /// `L^-1 b_S`.
    forward: Vec<f64>,
    ridge: f64,
    spare: Vec<usize>,
}

impl Refit {
    /// Empties it; what follows is fitted with `ridge` on the diagonal of the gram.
    pub(super) fn start(&mut self, ridge: f64) {
        self.clear();
        self.ridge = ridge;
    }

    pub(super) fn clear(&mut self) {
        self.factor.clear();
        self.forward.clear();
    }

    pub(super) fn factor(&self) -> &Factor {
        &self.factor
    }

    /// Members that do not depend on others.
    pub(super) fn support(&self) -> &[usize] {
        self.factor.support()
    }

    /// Takes `j` in; false if it depends on the members, whose fit it cannot better.
    pub(super) fn push(&mut self, gram: &Gram, column: Column<'_>, j: usize) -> bool {
        let joined = self.factor.push(gram, j, self.ridge);
        self.follow(column);
        joined
    }

    /// Takes `j` out, if it is a member.
    pub(super) fn remove(&mut self, gram: &Gram, column: Column<'_>, j: usize) {
        if let Some(position) = self.support().iter().position(|&member| member == j) {
            self.factor.remove(gram, position, self.ridge, &mut self.spare);
            self.forward.truncate(position);
            self.follow(column);
        }
    }

    /// Fits `support`.
    pub(super) fn set(&mut self, gram: &Gram, column: Column<'_>, support: &[usize]) {
        self.clear();
        for &j in support {
            self.factor.push(gram, j, self.ridge);
        }
        self.follow(column);
    }

    fn follow(&mut self, column: Column<'_>) {
        let factor = &self.factor;
        factor.continue_forward(&mut self.forward, |i| column.b[factor.support()[i]]);
    }

    /// Residual sum of squares, with the ridge's; not below the rounding of the data's square.
    pub(super) fn residual_square(&self, column: Column<'_>) -> f64 {
        (column.square - dot(&self.forward, &self.forward)).max(f64::EPSILON * column.square)
    }

    /// Coefficients of the members, in their order.
    pub(super) fn coefficients(&self, values: &mut Vec<f64>) {
        self.factor.backward(&self.forward, values);
    }

    /// Takes out members until all coefficients are positive and the fit is the best of that kind (Lawson & Hanson 1974,
    /// doi 10.1137/1.9781611971217, chapter 23).
    pub(super) fn make_non_negative(&mut self, gram: &Gram, column: Column<'_>) {
        let mut values = Vec::new();
        self.coefficients(&mut values);
        if values.iter().all(|&value| value > 0.0) {
            return;
        }
        let candidates = self.support().to_vec();
        self.clear();
        let mut feasible: Vec<f64> = Vec::new();
        for _ in 0..3 * candidates.len() {
            let Some(best) = self.steepest(gram, column, &candidates, &feasible) else { break };
            if !self.push(gram, column, best) {
                break;
            }
            feasible.push(0.0);
            self.walk_back(gram, column, &mut feasible, &mut values);
        }
    }

    /// The candidate outside the support that lessens the residuals fastest.
    fn steepest(&self, gram: &Gram, column: Column<'_>, candidates: &[usize], values: &[f64]) -> Option<usize> {
        let slope = |j: usize| {
            let row = gram.row(j);
            column.b[j] - self.support().iter().zip(values).map(|(&i, value)| row[i] * value).sum::<f64>()
        };
        let open = candidates.iter().filter(|j| !self.support().contains(j));
        let (best, value) = open.map(|&j| (j, slope(j))).max_by(|a, b| a.1.total_cmp(&b.1))?;
        (value > 1e-12 * (column.square * gram.square(best)).sqrt()).then_some(best)
    }

    /// From feasible values towards the least-squares fit, leaving out what comes to zero on the way.
    fn walk_back(&mut self, gram: &Gram, column: Column<'_>, feasible: &mut Vec<f64>, aim: &mut Vec<f64>) {
        loop {
            self.coefficients(aim);
            let ratio = |(from, to): (&f64, &f64)| if *to <= 0.0 { from / (from - to) } else { f64::INFINITY };
            let first = feasible.iter().zip(&*aim).map(ratio).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            let Some((position, part)) = first.filter(|(_, part)| part.is_finite() || part.is_nan()) else {
                feasible.clone_from(aim);
                return;
            };
            let part = if part.is_nan() { 0.0 } else { part };
            for (from, to) in feasible.iter_mut().zip(&*aim) {
                *from = (*from + part * (to - *from)).max(0.0);
            }
            feasible.remove(position);
            let j = self.support()[position];
            self.remove(gram, column, j);
        }
    }
}

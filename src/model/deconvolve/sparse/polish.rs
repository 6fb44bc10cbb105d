//! Betters a support step by step: the one member that is best moved elsewhere, dropped or added, as long as the criterion falls.
//!
//! The path's supports are biased: a response between two samples is given to both, and a member of the wrong sample is
//! never exchanged. All changes of one member are priced exactly from the factor `G_S = L L'` and the rows
//! `W = L^-1 G_S.`: the correlation of column `j` with the residuals is `c_j = b_j - z'W_j`, the square of its part outside the
//! span of the support `e_j = G_jj - |W_j|^2`, and adding it lessens RSS by `c_j^2 / e_j`. With member `i` out, whose
//! coefficient is `x_i` and `h_i = (G_S^-1)_ii`, `c_j` grows by `q x_i / h_i` and `e_j` by `q^2 / h_i`, `q = (G_S^-1 G_S.)_ij`
//! (stepwise selection with exchanges: Miller 2002, doi 10.1201/9781420035933).

use super::gram::Gram;
use super::refit::{Column, Refit};
use super::selection::Criterion;
use crate::signal::widest::{Loop, widest};

/// A column with less than this part of its square outside the span of the support is not added: its fit would be noise.
const NEARLY_DEPENDENT: f64 = 1e-9;

/// Memory for it.
#[derive(Debug, Default)]
pub(super) struct Polish {
    non_negative: bool,
    /// `W`, member x coefficient.
    projections: Vec<f64>,
    /// `c`.
    correlation: Vec<f64>,
    /// `e`.
    outside: Vec<f64>,
    /// A row of `G_S^-1 G_S.`.
    shares: Vec<f64>,
    /// Column of `L^-1`, then of `G_S^-1`.
    unit: Vec<f64>,
    inverse: Vec<f64>,
    values: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    out: Option<usize>,
    into: Option<usize>,
    score: f64,
}

impl Polish {
    pub(super) fn new(non_negative: bool) -> Polish {
        Polish { non_negative, ..Polish::default() }
    }

    /// Changes the support of `refit` until no single change lowers the criterion, or `most` changes are made.
    pub(super) fn run(
        &mut self,
        gram: &Gram,
        column: Column<'_>,
        criterion: &Criterion,
        refit: &mut Refit,
        most: usize,
    ) {
        let mut score = criterion.score(refit.support().len(), refit.residual_square(column));
        for _ in 0..most {
            let Some(change) = self.best(gram, column, criterion, refit) else { return };
            // Sums of squares differ by rounding: a change must gain more.
            if change.score.is_nan() || change.score >= score - 1e-9 {
                return;
            }
            score = change.score;
            let before = if self.non_negative { refit.support().to_vec() } else { Vec::new() };
            if let Some(j) = change.out {
                refit.remove(gram, column, j);
            }
            if let Some(j) = change.into {
                refit.push(gram, column, j);
            }
            if self.non_negative {
                refit.coefficients(&mut self.values);
                if self.values.iter().any(|&value| value <= 0.0) {
                    refit.set(gram, column, &before);
                    return;
                }
            }
        }
    }

    fn best(&mut self, gram: &Gram, column: Column<'_>, criterion: &Criterion, refit: &Refit) -> Option<Change> {
        self.prepare(gram, column, refit);
        let size = refit.support().len();
        let residual = refit.residual_square(column);
        let mut best: Option<Change> = None;
        let mut offer = |out, into, size, square: f64| {
            let score = criterion.score(size, square.max(f64::EPSILON * column.square));
            if best.is_none_or(|best| score < best.score) {
                best = Some(Change { out, into, score });
            }
        };
        if size < criterion.most()
            && let Some((j, gain)) = self.best_addition(gram, refit.support(), None, 0.0, 1.0)
        {
            offer(None, Some(j), size + 1, residual - gain);
        }
        for (position, &member) in refit.support().iter().enumerate() {
            self.invert(refit, position);
            let (value, variance) = (self.values[position], self.inverse[position]);
            let without = residual + value * value / variance;
            offer(Some(member), None, size - 1, without);
            self.share(gram.coefficients());
            if let Some((j, gain)) = self.best_addition(gram, refit.support(), Some(member), value, variance) {
                offer(Some(member), Some(j), size, without - gain);
            }
        }
        best
    }

    fn prepare(&mut self, gram: &Gram, column: Column<'_>, refit: &Refit) {
        refit.coefficients(&mut self.values);
        self.correlation.clear();
        self.correlation.extend_from_slice(column.b);
        self.outside.clear();
        self.outside.extend((0..gram.coefficients()).map(|j| gram.square(j)));
        self.projections.clear();
        widest(Project { polish: self, gram, refit });
    }

    /// Column `position` of `G_S^-1`; `unit` keeps that of `L^-1`.
    fn invert(&mut self, refit: &Refit, position: usize) {
        let factor = refit.factor();
        self.unit.clear();
        self.unit.resize(position, 0.0);
        factor.continue_forward(&mut self.unit, |i| if i == position { 1.0 } else { 0.0 });
        factor.backward(&self.unit, &mut self.inverse);
    }

    /// `shares = sum_m (L^-1)_m,position W_m`.
    fn share(&mut self, coefficients: usize) {
        self.shares.clear();
        self.shares.resize(coefficients, 0.0);
        widest(AddScaledRows { rows: &self.projections, factors: &self.unit, y: &mut self.shares });
    }

    /// The best column to add, and what it takes off the residual square, `leaving` being out.
    fn best_addition(
        &self,
        gram: &Gram,
        support: &[usize],
        leaving: Option<usize>,
        value: f64,
        variance: f64,
    ) -> Option<(usize, f64)> {
        let mut best = None;
        let (mut best_c, mut best_e) = (0.0, 1.0);
        for j in 0..gram.coefficients() {
            let share = if leaving.is_some() { self.shares[j] } else { 0.0 };
            let c = self.correlation[j] + share * value / variance;
            let e = self.outside[j] + share * share / variance;
            // c^2 / e, compared without dividing
            if (c > 0.0 || !self.non_negative)
                && c * c * best_e > best_c * best_c * e
                && e > NEARLY_DEPENDENT * gram.square(j)
                && gram.is_seen(j)
                && !support.contains(&j)
            {
                (best, best_c, best_e) = (Some(j), c, e);
            }
        }
        best.map(|j| (j, best_c * best_c / best_e))
    }
}

/// Fills `W`, `c` and `e`.
struct Project<'a> {
    polish: &'a mut Polish,
    gram: &'a Gram,
    refit: &'a Refit,
}

impl Loop for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let coefficients = self.gram.coefficients();
        let factor = self.refit.factor();
        for (i, (&member, &z)) in factor.support().iter().zip(self.refit.forward()).enumerate() {
            let start = self.polish.projections.len();
            self.polish.projections.extend_from_slice(self.gram.row(member));
            let (done, new) = self.polish.projections.split_at_mut(start);
            for (row, &l) in done.chunks_exact(coefficients).zip(factor.row(i)) {
                for (y, x) in new.iter_mut().zip(row) {
                    *y -= l * x;
                }
            }
            let scale = factor.pivot(i).recip();
            for ((w, c), e) in new.iter_mut().zip(&mut self.polish.correlation).zip(&mut self.polish.outside) {
                *w *= scale;
                *c -= z * *w;
                *e -= *w * *w;
            }
        }
    }
}

struct AddScaledRows<'a> {
    rows: &'a [f64],
    factors: &'a [f64],
    y: &'a mut [f64],
}

impl Loop for AddScaledRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, &factor) in self.rows.chunks_exact(self.y.len()).zip(self.factors) {
            if factor == 0.0 {
                continue;
            }
            for (y, x) in self.y.iter_mut().zip(row) {
                *y += factor * x;
            }
        }
    }
}

//! One column after the other: path, choice, refit, evidence, errors, in memory that is kept.

use super::evidence::{Evidence, evidence};
use super::factor::dot;
use super::lars::{Penalty, Step, Walk};
use super::likeliest::Likeliest;
use super::refit::{Column, Refit};
use super::selection::noise_level;
use super::uncertainty::{Draws, Start};
use super::{Choice, Estimate, Sparse};
use crate::model::deconvolve::Wanted;

/// The path ends when the criterion has not fallen for so many knots.
const PATIENCE: usize = 40;

/// Numbers of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) lambda: f64,
    pub(super) sigma: f64,
    pub(super) dof: f64,
    pub(super) log_evidence: f64,
}

/// Memory of a thread.
#[derive(Debug)]
pub(super) struct Work<'a> {
    sparse: &'a Sparse,
    wanted: Wanted,
    walk: Walk,
    refit: Refit,
    other_refit: Refit,
    draws: Draws,
    likeliest: Likeliest,
    /// The support chosen.
    chosen: Vec<usize>,
    values: Vec<f64>,
    details: Vec<f64>,
    correlation: Vec<f64>,
    negative: Vec<f64>,
    activity: Vec<f64>,
    standard_error: Vec<f64>,
}

impl<'a> Work<'a> {
    pub(super) fn new(sparse: &'a Sparse, wanted: Wanted) -> Work<'a> {
        let settings = sparse.settings;
        let penalty = Penalty { ridge: settings.ridge.max(0.0), non_negative: settings.non_negative };
        Work {
            sparse,
            wanted,
            walk: Walk::new(penalty),
            refit: Refit::default(),
            other_refit: Refit::default(),
            draws: Draws::new(settings.non_negative),
            likeliest: Likeliest::default(),
            chosen: Vec::new(),
            values: Vec::new(),
            details: Vec::new(),
            correlation: Vec::new(),
            negative: Vec::new(),
            activity: Vec::new(),
            standard_error: Vec::new(),
        }
    }

    pub(super) fn activity(&self) -> &[f64] {
        &self.activity
    }

    pub(super) fn standard_error(&self) -> &[f64] {
        &self.standard_error
    }

    /// Solves a column, of which `b = X'y`.
    pub(super) fn solve(&mut self, b: &[f64], y: &[f64]) -> Fit {
        let coefficients = b.len();
        self.activity.clear();
        self.activity.resize(coefficients, 0.0);
        self.standard_error.clear();
        self.standard_error.resize(coefficients, 0.0);
        let column = Column { b, square: dot(y, y) };
        if column.square.is_nan() || column.square <= 0.0 {
            return Fit { lambda: 0.0, sigma: 0.0, dof: 0.0, log_evidence: 0.0 };
        }
        let estimate = self.sparse.settings.estimate;
        let lambda = match self.sparse.settings.choice {
            Choice::Bic => self.least_criterion(column),
            Choice::Mad => self.universal(column, y),
            Choice::Fixed(lambda) => self.down_to(column, lambda),
        };
        if estimate == Estimate::Shrunken {
            self.down_to(column, lambda);
            self.walk.coefficients(b, &mut self.values);
        } else {
            self.refit_chosen(column);
        }
        self.finish(column, lambda)
    }

    /// Walks to a weight; what is there is chosen.
    fn down_to(&mut self, column: Column<'_>, lambda: f64) -> f64 {
        let floor = lambda.max(0.0);
        self.walk.start(&self.sparse.gram, column.b);
        while matches!(self.walk.advance(&self.sparse.gram, floor), Step::Joined(_) | Step::Dropped(_)) {}
        self.chosen.clear();
        self.chosen.extend_from_slice(self.walk.support());
        floor
    }

    fn universal(&mut self, column: Column<'_>, y: &[f64]) -> f64 {
        let gram = &self.sparse.gram;
        let level = noise_level(y, &mut self.details);
        let lambda = level * (2.0 * (gram.seen_count() as f64).ln()).sqrt() * gram.largest_norm();
        self.down_to(column, lambda)
    }

    /// Chooses the support of the path with the least criterion; the weight down to which it reaches, where its coefficients
    /// are shrunken least.
    fn least_criterion(&mut self, column: Column<'_>) -> f64 {
        let Sparse { gram, criterion, .. } = self.sparse;
        self.walk.start(gram, column.b);
        self.refit.start(0.0);
        self.chosen.clear();
        // The empty support reaches to where the path starts.
        let mut best = (criterion.score(0, column.square), self.walk.lambda());
        let mut since = 0;
        while since < PATIENCE {
            let step = self.walk.advance(gram, 0.0);
            if since == 0 {
                best.1 = self.walk.lambda();
            }
            match step {
                Step::Joined(j) => {
                    self.refit.push(gram, column, j);
                }
                Step::Dropped(j) => self.refit.remove(gram, column, j),
                Step::Reached | Step::Exhausted => break,
            }
            since += 1;
            let score = self.score(column);
            if score < best.0 {
                since = 0;
                best = (score, self.walk.lambda());
                self.chosen.clear();
                self.chosen.extend_from_slice(self.walk.support());
            }
            let explained = self.refit.residual_square(column) <= 1e-12 * column.square;
            if explained || self.walk.support().len() > criterion.most() {
                break;
            }
        }
        best.1
    }

    /// The criterion of the support of the path.
    fn score(&mut self, column: Column<'_>) -> f64 {
        let Sparse { gram, criterion, settings, .. } = self.sparse;
        if settings.non_negative {
            self.other_refit.start(0.0);
            self.other_refit.set(gram, column, self.walk.support());
            self.other_refit.make_non_negative(gram, column);
            return criterion.score(self.other_refit.support().len(), self.other_refit.residual_square(column));
        }
        criterion.score(self.walk.support().len(), self.refit.residual_square(column))
    }

    fn refit_chosen(&mut self, column: Column<'_>) {
        let Sparse { gram, settings, .. } = self.sparse;
        self.refit.start(0.0);
        self.refit.set(gram, column, &self.chosen);
        if settings.non_negative {
            self.refit.make_non_negative(gram, column);
        }
        self.chosen.clear();
        self.chosen.extend_from_slice(self.refit.support());
        self.refit.coefficients(&mut self.values);
    }

    /// `|y - X x|^2 = y'y - x'(b + X'(y - X x))` of the coefficients `values` of the support chosen.
    fn residual_square(&mut self, column: Column<'_>) -> f64 {
        self.correlation.clear();
        self.correlation.extend_from_slice(column.b);
        self.negative.clear();
        self.negative.extend(self.values.iter().map(|value| -value));
        self.sparse.gram.add_rows(&self.chosen, &self.negative, &mut self.correlation);
        let pairs = self.chosen.iter().zip(&self.values);
        let explained: f64 = pairs.map(|(&j, value)| value * (column.b[j] + self.correlation[j])).sum();
        (column.square - explained).max(f64::EPSILON * column.square)
    }

    /// From `chosen` and `values` to what is reported.
    fn finish(&mut self, column: Column<'_>, lambda: f64) -> Fit {
        let Sparse { gram, levels, settings, dof, .. } = self.sparse;
        for (&j, value) in self.chosen.iter().zip(&self.values) {
            self.activity[j] = *value;
        }
        levels.of(&mut self.activity);
        let size = self.chosen.len();
        let residual = self.residual_square(column);
        let sigma = (residual / dof.saturating_sub(size).max(1) as f64).sqrt();
        let averaged = settings.estimate == Estimate::Averaged;
        let draws = averaged || self.wanted.standard_errors;
        let of_chosen = (draws || self.wanted.log_evidence).then(|| self.evidence(column, &self.chosen.clone()));
        if let Some(of_chosen) = of_chosen.filter(|_| draws) {
            let start = Start { support: &self.chosen, values: &self.values, sigma, ratio: of_chosen.ratio };
            self.draws.run(gram, column, *dof, levels, start);
        }
        if averaged {
            self.activity.copy_from_slice(self.draws.mean());
        }
        if self.wanted.standard_errors {
            self.draws.spread(&self.activity, &mut self.standard_error);
        }
        let of_chosen = of_chosen.filter(|_| self.wanted.log_evidence);
        let log_evidence = of_chosen.map_or(f64::NAN, |of_chosen| self.log_evidence(column, of_chosen, averaged));
        Fit { lambda, sigma, dof: size as f64, log_evidence }
    }

    /// Of the data under the sparse model: from the likeliest supports near the one chosen, or near the best one drawn. With
    /// positive coefficients only, of that support alone.
    fn log_evidence(&mut self, column: Column<'_>, of_chosen: Evidence, drawn: bool) -> f64 {
        let Sparse { gram, criterion, settings, dof, .. } = self.sparse;
        let (mut start, mut of_start) = (self.chosen.clone(), of_chosen);
        if drawn {
            let best = self.draws.best_support().to_vec();
            let of_best = self.evidence(column, &best);
            if of_best.log > of_start.log {
                (start, of_start) = (best, of_best);
            }
        }
        if settings.non_negative {
            return of_start.log;
        }
        let bounds = (*dof, criterion.most());
        self.likeliest.log_evidence(gram, column, (&start, of_start), bounds, &mut self.other_refit)
    }

    fn evidence(&mut self, column: Column<'_>, support: &[usize]) -> Evidence {
        let Sparse { gram, criterion, dof, .. } = self.sparse;
        evidence(gram, column, support, *dof, criterion.most(), &mut self.other_refit)
    }
}

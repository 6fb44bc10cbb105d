//! How far the activity is known, the support being uncertain: draws from its posterior.
//!
//! `y = X x + e`, `x_j` zero or (with probability `w`) normal with variance `v`, `e` white with variance `sigma^2`: the
//! Bernoulli-Gaussian model of sparse deconvolution (Kormylo & Mendel 1982, doi 10.1109/TIT.1982.1056496). `w` has a uniform prior,
//! so that every size of the support is equally probable at first, `p(sigma^2) ~ 1/sigma^2`, and `v` an inverse gamma one worth
//! one coefficient. Each sweep draws from the conditional distributions in turn (Cheng, Chen & Li 1996,
//! doi 10.1109/78.489038): every coefficient with its being zero or not; the place of each member, moved by up to
//! [`REACH`] samples with its size integrated out, since neighbours stand in for each other; the sizes together; `sigma^2`, `v`
//! and `w`. The estimate is the mean over sweeps, its error the standard deviation: the law of total variance over supports.

use super::factor::{Factor, dot};
use super::gram::Gram;
use super::levels::Levels;
use super::refit::Column;
use super::selection::log_choices;
use crate::model::random::Random;

/// Sweeps before the first that counts, from the support chosen.
const BURN_IN: usize = 60;
/// Sweeps that count.
const SWEEPS: usize = 240;
/// `sigma^2`, `v` and `w` are drawn every so many sweeps: tables of all coefficients hang on them.
const SCALES_EVERY: usize = 4;
/// The sizes are drawn together in one of `1 + k^2 / JOINTLY` sweeps, which keeps the work of a sweep near that of its other
/// parts when the support is large.
const JOINTLY: usize = 1024;
/// A uniform number below this, and it is worked out whether a coefficient that is probably zero is not.
const RARELY: f64 = 0.01;
/// Furthest move of a member, in samples.
const REACH: usize = 3;
/// Every column draws the same numbers: its result depends on nothing but its data.
const SEED: u64 = 0x5eed_0f5b_a125_e000;

/// Where the draws begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) support: &'a [usize],
    pub(super) values: &'a [f64],
    pub(super) sigma: f64,
    /// Variance of a coefficient as a multiple of the noise's; 0 where the support is empty.
    pub(super) ratio: f64,
}

/// The state of the chain, and sums over its sweeps.
#[derive(Debug)]
pub(super) struct Draws {
    non_negative: bool,
    /// Coefficients.
    x: Vec<f64>,
    /// `X'(y - X x)`.
    correlation: Vec<f64>,
    /// Those that are not zero.
    members: Vec<usize>,
    noise: f64,
    size: f64,
    odds: f64,
    /// Of each coefficient: `square / sigma^2 + 1 / v`, its precision.
    precision: Vec<f64>,
    /// `1 / (2 sigma^4 precision)`: times the squared correlation the logarithm of what the data gain.
    gain: Vec<f64>,
    /// Logarithm of the odds that it is not zero, before that gain.
    offset: Vec<f64>,
    /// The most probable support met, and the logarithm of its probability but for a constant.
    best: (f64, Vec<usize>),
    factor: Factor,
    scaled: Vec<f64>,
    drawn: Vec<f64>,
    level: Vec<f64>,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Draws {
    pub(super) fn new(non_negative: bool) -> Draws {
        Draws {
            non_negative,
            x: Vec::new(),
            correlation: Vec::new(),
            members: Vec::new(),
            noise: 0.0,
            size: 0.0,
            odds: 0.0,
            precision: Vec::new(),
            gain: Vec::new(),
            offset: Vec::new(),
            best: (f64::NEG_INFINITY, Vec::new()),
            factor: Factor::default(),
            scaled: Vec::new(),
            drawn: Vec::new(),
            level: Vec::new(),
            mean: Vec::new(),
            square: Vec::new(),
        }
    }

    /// Mean activity.
    pub(super) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The most probable support met.
    pub(super) fn best_support(&self) -> &[usize] {
        &self.best.1
    }

    /// Root mean square distance of the draws from `activity`: the standard deviation, if that is their mean.
    pub(super) fn spread(&self, activity: &[f64], spread: &mut [f64]) {
        for (((spread, estimate), mean), square) in spread.iter_mut().zip(activity).zip(&self.mean).zip(&self.square) {
            let off = estimate - mean;
            *spread = ((square - mean * mean).max(0.0) + off * off).sqrt();
        }
    }

    /// Draws for a column.
    pub(super) fn run(&mut self, gram: &Gram, column: Column<'_>, dof: usize, levels: &Levels, start: Start<'_>) {
        let mut random = Random::new(SEED);
        let prior_size = self.start(gram, column, start);
        for sweep in 0..BURN_IN + SWEEPS {
            if sweep % SCALES_EVERY == 0 {
                if sweep > 0 {
                    self.draw_scales(gram, column, dof, prior_size, &mut random);
                }
                self.tabulate(gram);
            }
            self.draw_each(gram, &mut random);
            self.move_members(gram, &mut random);
            let size = self.members.len();
            if !self.non_negative && sweep % (1 + size * size / JOINTLY) == 0 {
                self.draw_together(gram, column, dof, &mut random);
            }
            if sweep >= BURN_IN {
                self.count(levels);
            }
        }
        let sweeps = SWEEPS as f64;
        self.mean.iter_mut().chain(&mut self.square).for_each(|sum| *sum /= sweeps);
    }

    /// Sets the state; the variance of a coefficient that the prior expects.
    fn start(&mut self, gram: &Gram, column: Column<'_>, start: Start<'_>) -> f64 {
        let coefficients = gram.coefficients();
        for sums in [&mut self.x, &mut self.level, &mut self.mean, &mut self.square] {
            sums.clear();
            sums.resize(coefficients, 0.0);
        }
        self.correlation.clear();
        self.correlation.extend_from_slice(column.b);
        self.members.clear();
        self.best.0 = f64::NEG_INFINITY;
        self.best.1.clear();
        self.best.1.extend_from_slice(start.support);
        for (&j, &value) in start.support.iter().zip(start.values) {
            self.change(gram, j, value);
        }
        self.noise = start.sigma * start.sigma;
        let seen = gram.seen_count().max(1) as f64;
        // Without a support: a coefficient that would just be noticed.
        let mean_square = (0..coefficients).map(|j| gram.square(j)).sum::<f64>() / seen;
        let unnoticed = 2.0 * seen.ln() * self.noise / mean_square;
        self.size = if start.ratio > 0.0 { start.ratio * self.noise } else { unnoticed };
        let k = self.members.len() as f64;
        self.odds = (k + 1.0) / (seen - k + 1.0);
        self.size
    }

    /// Gives coefficient `j` the value `value`.
    fn change(&mut self, gram: &Gram, j: usize, value: f64) {
        let before = self.x[j];
        if before == value {
            return;
        }
        if before == 0.0 {
            self.members.push(j);
        } else if value == 0.0 {
            self.members.retain(|&member| member != j);
        }
        self.x[j] = value;
        gram.add_rows(&[j], &[before - value], &mut self.correlation);
    }

    /// What depends on the scales alone.
    fn tabulate(&mut self, gram: &Gram) {
        let (noise, size) = (self.noise, self.size);
        let odds = libm::log(self.odds);
        self.precision.clear();
        self.precision.extend((0..self.x.len()).map(|j| gram.square(j) / noise + size.recip()));
        self.gain.clear();
        self.gain.extend(self.precision.iter().map(|precision| 0.5 / (noise * noise * precision)));
        self.offset.clear();
        self.offset.extend(self.precision.iter().map(|precision| odds - 0.5 * libm::log(size * precision)));
    }

    /// Logarithm of the odds that coefficient `j` is not zero, given the others and its correlation without itself.
    fn log_odds(&self, j: usize, correlation: f64) -> f64 {
        let both_signs = self.gain[j] * correlation * correlation + self.offset[j];
        if !self.non_negative {
            return both_signs;
        }
        // Twice the probability of a positive value: the slab is the positive half, of twice the height.
        let part = libm::erfc(-correlation / self.noise * (0.5 / self.precision[j]).sqrt());
        both_signs + libm::log(part.max(f64::MIN_POSITIVE))
    }

    /// A value of coefficient `j` that is not zero, given the others.
    fn draw_value(&self, random: &mut Random, j: usize, correlation: f64) -> f64 {
        let mean = correlation / (self.noise * self.precision[j]);
        let sd = self.precision[j].sqrt().recip();
        if self.non_negative { random.positive_normal(mean, sd) } else { mean + sd * random.normal() }
    }

    /// Every coefficient, zero or not, given all others.
    fn draw_each(&mut self, gram: &Gram, random: &mut Random) {
        let improbable =
            libm::log(RARELY / (1.0 - RARELY)) - if self.non_negative { std::f64::consts::LN_2 } else { 0.0 };
        for j in 0..self.x.len() {
            if !gram.is_seen(j) {
                continue;
            }
            let uniform = random.uniform();
            let value = self.x[j];
            let correlation = self.correlation[j] + gram.square(j) * value;
            if value == 0.0
                && uniform >= RARELY
                && self.gain[j] * correlation * correlation + self.offset[j] < improbable
            {
                continue;
            }
            let odds = libm::exp(self.log_odds(j, correlation).min(500.0));
            let value = if uniform * (1.0 + odds) < odds { self.draw_value(random, j, correlation) } else { 0.0 };
            self.change(gram, j, value);
        }
    }

    /// Offers each member another place (Metropolis, the offers being as probable there as back).
    fn move_members(&mut self, gram: &Gram, random: &mut Random) {
        for position in 0..self.members.len() {
            let from = self.members[position];
            let step = 1 + random.below(REACH);
            let to = if random.uniform() < 0.5 { from.checked_sub(step) } else { Some(from + step) };
            let Some(to) = to.filter(|&to| to < self.x.len() && gram.is_seen(to) && self.x[to] == 0.0) else {
                continue;
            };
            let value = self.x[from];
            let here = self.log_odds(from, self.correlation[from] + gram.square(from) * value);
            let correlation = self.correlation[to] + gram.row(from)[to] * value;
            let there = self.log_odds(to, correlation);
            if random.uniform() < libm::exp((there - here).min(1.0)) {
                let new = self.draw_value(random, to, correlation);
                self.x[from] = 0.0;
                self.x[to] = new;
                self.members[position] = to;
                gram.add_rows(&[from, to], &[value, -new], &mut self.correlation);
            }
        }
    }

    /// All members' values at once, given which they are.
    fn draw_together(&mut self, gram: &Gram, column: Column<'_>, dof: usize, random: &mut Random) {
        self.factor.clear();
        let ridge = self.noise / self.size;
        for &j in &self.members {
            if !self.factor.push(gram, j, ridge) {
                return;
            }
        }
        // x = L'^-1 (L^-1 b_S + sigma n)
        self.scaled.clear();
        let (factor, members) = (&self.factor, &self.members);
        factor.continue_forward(&mut self.scaled, |i| column.b[members[i]]);
        self.keep_best(gram, column, dof);
        let sd = self.noise.sqrt();
        self.scaled.iter_mut().for_each(|value| *value += sd * random.normal());
        self.factor.backward(&self.scaled, &mut self.drawn);
        self.correlation.copy_from_slice(column.b);
        for (&j, value) in self.members.iter().zip(&mut self.drawn) {
            self.x[j] = *value;
            *value = -*value;
        }
        gram.add_rows(&self.members, &self.drawn, &mut self.correlation);
    }

    /// Keeps the support if it is more probable than those before, sizes integrated out.
    fn keep_best(&mut self, gram: &Gram, column: Column<'_>, dof: usize) {
        let size = self.members.len();
        let square = (column.square - dot(&self.scaled, &self.scaled)).max(f64::EPSILON * column.square);
        let pivots: f64 = (0..size).map(|i| libm::log(self.factor.pivot(i))).sum();
        let scale = 0.5 * size as f64 * libm::log(self.size / self.noise);
        let log = -0.5 * dof as f64 * libm::log(square) - pivots - scale - log_choices(gram.seen_count(), size);
        if log > self.best.0 {
            self.best.0 = log;
            self.best.1.clone_from(&self.members);
        }
    }

    fn draw_scales(&mut self, gram: &Gram, column: Column<'_>, dof: usize, prior_size: f64, random: &mut Random) {
        let (mut residual, mut squares) = (column.square, 0.0);
        for &j in &self.members {
            residual -= self.x[j] * (column.b[j] + self.correlation[j]);
            squares += self.x[j] * self.x[j];
        }
        let residual = residual.max(f64::EPSILON * column.square);
        self.noise = 0.5 * residual / random.gamma(0.5 * dof as f64);
        let k = self.members.len() as f64;
        self.size = 0.5 * (prior_size + squares) / random.gamma(0.5 * (1.0 + k));
        let seen = gram.seen_count() as f64;
        let w = random.beta(1.0 + k, 1.0 + (seen - k).max(0.0));
        self.odds = w / (1.0 - w).max(f64::EPSILON);
    }

    fn count(&mut self, levels: &Levels) {
        self.level.copy_from_slice(&self.x);
        levels.of(&mut self.level);
        for ((level, mean), square) in self.level.iter().zip(&mut self.mean).zip(&mut self.square) {
            *mean += level;
            *square += level * level;
        }
    }
}

//! Order 2 at a fixed penalty: an exact active set over spikes and baseline.
//!
//! ```text
//! min over s >= 0, b of 1/2 |y - b - c|^2 + lambda sum s
//! optimal where   s_t > 0 and lambda = p_t,   or   s_t = 0 and lambda >= p_t;   sum r = 0      r = y - b - c
//! ```
//!
//! `p_t` is the residual seen through the response to a spike at `t`. Pools do not solve order 2 exactly, since a pool's course
//! depends on its predecessor's. Block pivoting (Portugal, Judice and Vicente 1994, doi 10.1090/S0025-5718-1994-1250776-4; Kim and
//! Park 2011, doi 10.1137/110821172) exchanges all samples on the wrong side at once, each time solving for the free ones by
//! [`Elimination`]. Where the number of wrong samples stops falling, a descent takes over that cannot cycle (Lawson and Hanson
//! 1974, chapter 23): steps end where a spike would turn negative, and samples enter only at a minimum over the free ones.

use super::elimination::Elimination;
use super::fit::{Fit, Step};
use super::kernel::Coefficients;

/// Exchanges tried after the least number of wrong samples so far, before descent takes over.
const PATIENCE: usize = 4;
/// Solutions tried in all, a few milliseconds each at 10,000 samples. What has not converged by then says so.
const MOST_SOLUTIONS: usize = 2_000;

/// A solution with these samples free, and where it breaks the conditions of optimality.
struct Trial {
    baseline: f64,
    step: Step,
    spikes: Vec<f64>,
    /// `p_t - lambda`.
    excess: Vec<f64>,
}

/// How far rounding may put a spike below 0 and `p` above `lambda`.
#[derive(Debug, Clone, Copy)]
struct Tolerance {
    spike: f64,
    excess: f64,
}

struct Problem<'a> {
    kernel: Coefficients,
    y: &'a [f64],
    lambda: f64,
    tolerance: Tolerance,
}

impl Problem<'_> {
    /// The minimum with these samples free, whatever the signs of spikes; the baseline stays where it is not determined.
    fn solve(&self, free: Vec<bool>, baseline: f64) -> Trial {
        let samples = self.y.len() as f64;
        let elimination = Elimination::new(self.kernel, &free);
        let by_baseline = elimination.calcium(std::iter::repeat_n(-1.0, self.y.len()), 0.0);
        let mut calcium = elimination.calcium(self.y.iter().map(|y| y - baseline), self.lambda);
        let mut step = Step { free, calcium: Vec::new(), by_baseline, by_lambda: Vec::new() };
        // |1 - c(1)|^2, the square of what of a constant no free spikes can make.
        let slope = samples + step.by_baseline.iter().sum::<f64>();
        let total: f64 = self.y.iter().zip(&calcium).map(|(y, c)| y - baseline - c).sum();
        let change = if slope > 1e-9 * samples { total / slope } else { 0.0 };
        for (c, by) in calcium.iter_mut().zip(&step.by_baseline) {
            *c += change * by;
        }
        step.calcium = calcium;
        let baseline = baseline + change;
        let residual: Vec<f64> = self.y.iter().zip(&step.calcium).map(|(y, c)| y - baseline - c).collect();
        let spikes = self.kernel.spikes(&step.calcium);
        let excess = self.kernel.correlation(&residual).into_iter().map(|p| p - self.lambda).collect();
        Trial { baseline, step, spikes, excess }
    }

    /// Whether a sample is on the wrong side.
    fn wrong(&self, trial: &Trial, t: usize) -> bool {
        if trial.step.free[t] {
            trial.spikes[t] < -self.tolerance.spike
        } else {
            trial.excess[t] > self.tolerance.excess
        }
    }

    fn count_wrong(&self, trial: &Trial) -> usize {
        (0..self.y.len()).filter(|&t| self.wrong(trial, t)).count()
    }

    /// The objective at these spikes and the best baseline for them.
    fn objective(&self, spikes: &[f64]) -> f64 {
        let mut residual = self.kernel.calcium(spikes);
        for (r, y) in residual.iter_mut().zip(self.y) {
            *r = y - *r;
        }
        let mean = residual.iter().sum::<f64>() / residual.len() as f64;
        let square: f64 = residual.iter().map(|r| (r - mean) * (r - mean)).sum();
        0.5 * square + self.lambda * spikes.iter().sum::<f64>()
    }

    fn finish(&self, mut trial: Trial, converged: bool) -> Fit {
        let elimination = Elimination::new(self.kernel, &trial.step.free);
        trial.step.by_lambda = elimination.calcium(std::iter::repeat_n(0.0, self.y.len()), 1.0);
        trial.step.into_fit(&self.kernel, self.y, trial.baseline, converged)
    }
}

/// The minimum at this penalty, from the spikes and baseline of a neighbouring one.
pub(super) fn fit(kernel: &Coefficients, y: &[f64], lambda: f64, start: &[bool], baseline: f64) -> Fit {
    let size = y.iter().fold(0.0_f64, |size, y| size.max((y - baseline).abs()));
    // Rounding of differences of calcium, and of sums of the residual over a response.
    let response = 1.0 / (1.0 - kernel.decay());
    let tolerance = Tolerance { spike: 1e-12 * size, excess: 1e-12 * size * response + 1e-11 * lambda };
    let problem = Problem { kernel: *kernel, y, lambda, tolerance };
    let mut trial = problem.solve(start.to_vec(), baseline);
    let (mut fewest, mut waited) = (usize::MAX, 0);
    for solution in 0..MOST_SOLUTIONS {
        let wrong = problem.count_wrong(&trial);
        if wrong == 0 {
            return problem.finish(trial, true);
        }
        waited = if wrong < fewest { 0 } else { waited + 1 };
        fewest = fewest.min(wrong);
        if waited > PATIENCE {
            return descend(&problem, trial, MOST_SOLUTIONS - solution);
        }
        let exchanged = (0..y.len()).map(|t| trial.step.free[t] != problem.wrong(&trial, t)).collect();
        trial = problem.solve(exchanged, trial.baseline);
    }
    problem.finish(trial, false)
}

/// A feasible point on its way down. No minimum over a set of free samples is met twice, so the way ends.
struct Descent<'a> {
    problem: &'a Problem<'a>,
    spikes: Vec<f64>,
    free: Vec<bool>,
    objective: f64,
}

fn descend(problem: &Problem<'_>, from: Trial, most: usize) -> Fit {
    let spikes: Vec<f64> = from.spikes.iter().map(|s| s.max(0.0)).collect();
    let free = spikes.iter().map(|&s| s > problem.tolerance.spike).collect();
    let objective = problem.objective(&spikes);
    let mut descent = Descent { problem, spikes, free, objective };
    let mut last_minimum = f64::INFINITY;
    let mut trial = from;
    for _ in 0..most {
        trial = problem.solve(descent.free.clone(), trial.baseline);
        if descent.is_blocked(&trial) {
            descent.step_towards(&trial);
            continue;
        }
        descent.spikes.clone_from(&trial.spikes);
        descent.objective = problem.objective(&descent.spikes);
        // A crowd of newcomers that brought nothing is followed by one at a time, which does.
        let crowd = descent.objective < last_minimum;
        last_minimum = descent.objective;
        if !descent.admit(&trial, crowd) {
            return problem.finish(trial, true);
        }
    }
    problem.finish(trial, false)
}

impl Descent<'_> {
    fn blocks(&self, trial: &Trial, t: usize) -> bool {
        self.free[t] && trial.spikes[t] < -self.problem.tolerance.spike
    }

    fn is_blocked(&self, trial: &Trial) -> bool {
        (0..self.free.len()).any(|t| self.blocks(trial, t))
    }

    /// Towards the minimum over the free samples: all the way with negative spikes cut to 0 if that descends, else as far as
    /// no spike is negative.
    fn step_towards(&mut self, trial: &Trial) {
        let cut: Vec<f64> = trial.spikes.iter().map(|s| s.max(0.0)).collect();
        let objective = self.problem.objective(&cut);
        if objective < self.objective {
            (self.spikes, self.objective) = (cut, objective);
        } else {
            let share = (0..self.free.len())
                .filter(|&t| self.blocks(trial, t))
                .map(|t| self.spikes[t] / (self.spikes[t] - trial.spikes[t]))
                .fold(1.0_f64, f64::min);
            for (now, target) in self.spikes.iter_mut().zip(&trial.spikes) {
                *now = (*now + share * (target - *now)).max(0.0);
            }
            self.objective = self.problem.objective(&self.spikes);
        }
        // Newcomers still at 0 that would rise stay.
        for t in 0..self.free.len() {
            self.free[t] &= !(self.blocks(trial, t) && self.spikes[t] <= self.problem.tolerance.spike);
        }
    }

    /// Frees the worst sample, or of a crowd the worst of each neighbourhood; false where all conditions hold.
    fn admit(&mut self, trial: &Trial, crowd: bool) -> bool {
        let excess = |t: usize| if self.free[t] { f64::NEG_INFINITY } else { trial.excess[t] };
        let samples = self.free.len();
        let is_peak = |t: usize| (t.saturating_sub(1)..samples.min(t + 2)).all(|near| excess(near) <= excess(t));
        let wrong = (0..samples).filter(|&t| excess(t) > self.problem.tolerance.excess);
        let admitted: Vec<usize> = if crowd {
            wrong.filter(|&t| is_peak(t)).collect()
        } else {
            wrong.max_by(|&a, &b| excess(a).total_cmp(&excess(b))).into_iter().collect()
        };
        for &t in &admitted {
            self.free[t] = true;
        }
        !admitted.is_empty()
    }
}

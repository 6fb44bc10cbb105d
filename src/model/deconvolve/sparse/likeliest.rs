//! The supports that make the data likeliest, as the evidence of the sparse model needs them.
//!
//! The information criterion keeps members of no use, and the evidence of such a support is far too low: every member
//! costs the logarithm of the places it could have. So the support is bettered first, by the best of all moves of one member
//! to another place, of one out or of one in, until none raises the evidence.
//!
//! Then the places of members are summed out, one at a time, over the gap between their neighbours `S`:
//!
//! ```text
//! ln p(y) ~ ln p(y, S) + sum_i ln sum_l p(y, S - i + l) / p(y, S),    S_(i-1) < l < S_(i+1)
//! ```
//!
//! which counts the supports that fit nearly as well as if members were uncertain independently of each other. All
//! moves come from one inverse: with `P = (G_S + I/r)^-1`, `V = P G_S.`, `x = P b_S`, and for a coefficient `l` outside
//! `c = G_ll + 1/r - G_lS V_l`, `u = b_l - b_S V_l`, the ridge residual `q` falls by `u^2 / c` when `l` joins, rises by
//! `x_i^2 / P_ii` when `i` leaves, and after that falls by `(u + x_i V_il / P_ii)^2 / (c + V_il^2 / P_ii)` when `l` joins.

use super::evidence::{Evidence, evidence};
use super::factor::{Factor, dot};
use super::gram::Gram;
use super::refit::{Column, Refit};
use super::selection::log_choices;

/// Moves of a search: more than twice what was needed for 300 frames at any strength of signal.
const MOST_MOVES: usize = 60;
/// A move must raise the logarithm of the evidence by more than this, so that rounding moves nothing to and fro.
const LEAST_RISE: f64 = 1e-6;
/// `ln r` is found anew after so many moves.
const MOVES_A_RATIO: usize = 8;

/// Memory of a search.
#[derive(Debug, Default)]
pub(super) struct Likeliest {
    /// Members, ascending.
    support: Vec<usize>,
    factor: Factor,
    /// `P`, member x member.
    inverse: Vec<f64>,
    /// `V`, member x coefficient.
    weights: Vec<f64>,
    /// `P b_S`.
    values: Vec<f64>,
    /// Of each coefficient `c` and `u`.
    distance: Vec<f64>,
    slope: Vec<f64>,
    spare: Vec<f64>,
}

/// What does not change in a search.
#[derive(Debug, Clone, Copy)]
struct Data<'a> {
    gram: &'a Gram,
    column: Column<'a>,
    dof: f64,
    most: usize,
    ratio: f64,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Out(usize),
    In(usize),
    /// The member at a position of the support to a coefficient.
    To(usize, usize),
}

impl Data<'_> {
    /// Logarithm of the evidence but for a constant: ridge residual, `ln |I + r G_S|`, and what the size of the support costs.
    fn log(&self, residual: f64, volume: f64, cost: f64) -> f64 {
        let residual = residual.max(f64::EPSILON * self.column.square);
        -0.5 * (self.dof * residual.ln() + volume) - cost
    }

    fn cost(&self, size: usize) -> f64 {
        if size > self.most { f64::INFINITY } else { log_choices(self.gram.seen_count(), size) }
    }
}

impl Likeliest {
    /// Logarithm of the evidence of the sparse model near `start`, whose own evidence is `of_start`.
    pub(super) fn log_evidence(
        &mut self,
        gram: &Gram,
        column: Column<'_>,
        (start, of_start): (&[usize], Evidence),
        (dof, most): (usize, usize),
        refit: &mut Refit,
    ) -> f64 {
        self.support.clear();
        self.support.extend_from_slice(start);
        self.support.sort_unstable();
        let mut best = of_start;
        let mut data = Data { gram, column, dof: dof as f64, most, ratio: best.ratio };
        for _ in 0..MOST_MOVES.div_ceil(MOVES_A_RATIO) {
            if data.ratio <= 0.0 {
                // nothing has a size yet: as large as the data allow a single coefficient
                data.ratio = 1.0 / mean_square(gram);
            }
            let moves = (0..MOVES_A_RATIO).take_while(|_| self.better(data)).count();
            best = evidence(gram, column, &self.support, dof, most, refit);
            data.ratio = best.ratio;
            if moves == 0 {
                break;
            }
        }
        let places = if self.support.is_empty() { 0.0 } else { self.uncertain_places(data) };
        (best.log + places).max(of_start.log)
    }

    /// Takes the member out that is missed least, or else makes the best of all other moves; false where none raises the
    /// evidence. Leaving comes first because most members that are too many need no look at other places.
    fn better(&mut self, data: Data<'_>) -> bool {
        let (residual, volume) = self.prepare_members(data);
        let size = self.support.len();
        let cost = data.cost(size);
        let now = data.log(residual, volume, cost);
        let mut best = (now + LEAST_RISE, None);
        let fewer = data.cost(size.saturating_sub(1));
        for i in 0..size {
            let (residual, volume) = self.without(data, residual, volume, i);
            let log = data.log(residual, volume, fewer);
            if log > best.0 {
                best = (log, Some(Move::Out(i)));
            }
        }
        if let (_, Some(Move::Out(i))) = best {
            self.support.remove(i);
            return true;
        }
        self.prepare_others(data);
        self.consider_others(data, (residual, volume, cost), |log, step| {
            if log > best.0 {
                best = (log, Some(step));
            }
        });
        match best.1 {
            Some(Move::In(l)) => self.support.push(l),
            Some(Move::To(i, l)) => self.support[i] = l,
            Some(Move::Out(_)) | None => return false,
        }
        self.support.sort_unstable();
        true
    }

    /// Members from elsewhere: further ones, or in the place of others.
    fn consider_others(
        &self,
        data: Data<'_>,
        (residual, volume, cost): (f64, f64, f64),
        mut consider: impl FnMut(f64, Move),
    ) {
        let size = self.support.len();
        let now = data.log(residual, volume, cost);
        let more = data.cost(size + 1);
        for l in self.open(data.gram) {
            let (c, u) = (self.distance[l], self.slope[l]);
            consider(data.log(residual - u * u / c, volume + (c * data.ratio).ln(), more), Move::In(l));
        }
        for i in 0..size {
            let (residual, volume) = self.without(data, residual, volume, i);
            // `c r` is 1 at least: with a residual above this the place cannot do, whatever its volume
            let enough = ((-2.0 * (now + cost) - volume) / data.dof).exp();
            for l in self.open(data.gram) {
                let (c, u) = self.moved(size, i, l);
                let left = residual - u * u / c;
                if left < enough {
                    consider(data.log(left, volume + (c * data.ratio).ln(), cost), Move::To(i, l));
                }
            }
        }
    }

    /// `sum_i ln sum_l` of the head of this file, at the ratio given.
    fn uncertain_places(&mut self, data: Data<'_>) -> f64 {
        let (residual, volume) = self.prepare_members(data);
        self.prepare_others(data);
        let size = self.support.len();
        let cost = data.cost(size);
        let now = data.log(residual, volume, cost);
        let mut sum = 0.0;
        for i in 0..size {
            let (residual, volume) = self.without(data, residual, volume, i);
            let first = if i == 0 { 0 } else { self.support[i - 1] + 1 };
            let end = self.support.get(i + 1).copied().unwrap_or(data.gram.coefficients());
            let open = (first..end).filter(|&l| l != self.support[i] && data.gram.is_seen(l));
            let relative = |l: usize| {
                let (c, u) = self.moved(size, i, l);
                // the search is over: what is much likelier is rounding in nearly dependent members
                (data.log(residual - u * u / c, volume + (c * data.ratio).ln(), cost) - now).min(1.0).exp()
            };
            sum += (1.0 + open.map(relative).sum::<f64>()).ln();
        }
        sum
    }

    /// Coefficients that could join.
    fn open<'a>(&'a self, gram: &'a Gram) -> impl Iterator<Item = usize> + 'a {
        (0..gram.coefficients()).filter(|&l| gram.is_seen(l) && self.support.binary_search(&l).is_err())
    }

    /// Ridge residual and volume when the member at position `i` has left.
    fn without(&self, data: Data<'_>, residual: f64, volume: f64, i: usize) -> (f64, f64) {
        let own = self.inverse[i * (self.support.len() + 1)];
        (residual + self.values[i] * self.values[i] / own, volume + (own / data.ratio).ln())
    }

    /// `c` and `u` of `l` when the member at position `i` has left.
    fn moved(&self, size: usize, i: usize, l: usize) -> (f64, f64) {
        let own = self.inverse[i * (size + 1)];
        let weight = self.weights[i * self.distance.len() + l];
        (self.distance[l] + weight * weight / own, self.slope[l] + self.values[i] * weight / own)
    }

    /// Fills the tables of members; the support's ridge residual and `ln |I + r G_S|`.
    fn prepare_members(&mut self, data: Data<'_>) -> (f64, f64) {
        let Data { gram, column, ratio, .. } = data;
        let ridge = 1.0 / ratio;
        self.factor.clear();
        // what depends on others has no place of its own: it leaves
        let factor = &mut self.factor;
        self.support.retain(|&j| factor.push(gram, j, ridge));
        let size = self.support.len();
        self.invert();
        let of_member = |i: usize| (0..size).map(move |other| (i, other));
        self.values.clear();
        self.values.extend((0..size).map(|i| {
            of_member(i).map(|(i, other)| self.inverse[i * size + other] * column.b[self.support[other]]).sum::<f64>()
        }));
        let explained: f64 = self.support.iter().zip(&self.values).map(|(&j, value)| column.b[j] * value).sum();
        let volume: f64 = (0..size).map(|i| 2.0 * self.factor.pivot(i).ln() + ratio.ln()).sum();
        (column.square - explained, volume)
    }

    /// Fills the tables of all coefficients, from those of members.
    fn prepare_others(&mut self, data: Data<'_>) {
        let Data { gram, column, ratio, .. } = data;
        let (size, coefficients, ridge) = (self.support.len(), gram.coefficients(), 1.0 / ratio);
        self.weights.clear();
        self.weights.resize(size * coefficients, 0.0);
        for (i, row) in self.weights.chunks_exact_mut(coefficients.max(1)).enumerate() {
            gram.add_rows(&self.support, &self.inverse[i * size..(i + 1) * size], row);
        }
        self.distance.clear();
        self.distance.extend((0..coefficients).map(|l| gram.square(l) + ridge));
        self.slope.clear();
        self.slope.extend_from_slice(column.b);
        for (&j, weights) in self.support.iter().zip(self.weights.chunks_exact(coefficients.max(1))) {
            let tables = self.distance.iter_mut().zip(&mut self.slope).zip(weights).zip(gram.row(j));
            for (((distance, slope), weight), entry) in tables {
                *distance -= weight * entry;
                *slope -= weight * column.b[j];
            }
        }
        // not below the ridge, which a coefficient brings along whatever the members span
        self.distance.iter_mut().for_each(|distance| *distance = distance.max(ridge));
    }

    /// `P = L'^-1 L^-1`, from the rows of `L^-1`.
    fn invert(&mut self) {
        let size = self.support.len();
        // row i: column i of L^-1, zero before i
        self.spare.clear();
        let mut forward = Vec::with_capacity(size);
        for i in 0..size {
            forward.clear();
            self.factor.continue_forward(&mut forward, |row| f64::from(u8::from(row == i)));
            self.spare.extend_from_slice(&forward);
        }
        self.inverse.clear();
        self.inverse.resize(size * size, 0.0);
        for i in 0..size {
            for other in 0..=i {
                let value =
                    dot(&self.spare[i * size + i..(i + 1) * size], &self.spare[other * size + i..(other + 1) * size]);
                self.inverse[i * size + other] = value;
                self.inverse[other * size + i] = value;
            }
        }
    }
}

fn mean_square(gram: &Gram) -> f64 {
    let seen = (0..gram.coefficients()).filter(|&j| gram.is_seen(j));
    seen.map(|j| gram.square(j)).sum::<f64>() / gram.seen_count().max(1) as f64
}

#[cfg(test)]
mod tests;

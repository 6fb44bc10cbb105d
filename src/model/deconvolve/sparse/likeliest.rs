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
    /// Logarithm of the evidence but for a constant: ridge residual, `ln |I + r G_S|`, size of the support.
    fn log(&self, residual: f64, volume: f64, size: usize) -> f64 {
        if size > self.most {
            return f64::NEG_INFINITY;
        }
        let residual = residual.max(f64::EPSILON * self.column.square);
        -0.5 * (self.dof * residual.ln() + volume) - log_choices(self.gram.seen_count(), size)
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

    /// Takes the best move; false where none raises the evidence.
    fn better(&mut self, data: Data<'_>) -> bool {
        let (residual, volume) = self.prepare(data);
        let size = self.support.len();
        let now = data.log(residual, volume, size);
        let mut best = (now + LEAST_RISE, None);
        let mut consider = |log: f64, step: Move| {
            if log > best.0 {
                best = (log, Some(step));
            }
        };
        for l in self.open(data.gram) {
            let (c, u) = (self.distance[l], self.slope[l]);
            consider(data.log(residual - u * u / c, volume + (c * data.ratio).ln(), size + 1), Move::In(l));
        }
        for i in 0..size {
            let (residual, volume) = self.without(data, residual, volume, i);
            consider(data.log(residual, volume, size - 1), Move::Out(i));
            // `c r` is 1 at least: with a residual above this the place cannot do, whatever its volume
            let enough = ((-2.0 * (now + log_choices(data.gram.seen_count(), size)) - volume) / data.dof).exp();
            for l in self.open(data.gram) {
                let (c, u) = self.moved(size, i, l);
                let left = residual - u * u / c;
                if left < enough {
                    consider(data.log(left, volume + (c * data.ratio).ln(), size), Move::To(i, l));
                }
            }
        }
        match best.1 {
            None => return false,
            Some(Move::Out(i)) => {
                self.support.remove(i);
            }
            Some(Move::In(l)) => self.support.push(l),
            Some(Move::To(i, l)) => self.support[i] = l,
        }
        self.support.sort_unstable();
        true
    }

    /// `sum_i ln sum_l` of the head of this file, at the ratio given.
    fn uncertain_places(&mut self, data: Data<'_>) -> f64 {
        let (residual, volume) = self.prepare(data);
        let size = self.support.len();
        let now = data.log(residual, volume, size);
        let mut sum = 0.0;
        for i in 0..size {
            let (residual, volume) = self.without(data, residual, volume, i);
            let first = if i == 0 { 0 } else { self.support[i - 1] + 1 };
            let end = self.support.get(i + 1).copied().unwrap_or(data.gram.coefficients());
            let open = (first..end).filter(|&l| l != self.support[i] && data.gram.is_seen(l));
            let relative = |l: usize| {
                let (c, u) = self.moved(size, i, l);
                // the search is over: what is much likelier is rounding in nearly dependent members
                (data.log(residual - u * u / c, volume + (c * data.ratio).ln(), size) - now).min(1.0).exp()
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

    /// Fills the tables for the support; its ridge residual and `ln |I + r G_S|`.
    fn prepare(&mut self, data: Data<'_>) -> (f64, f64) {
        let Data { gram, column, ratio, .. } = data;
        let (coefficients, ridge) = (gram.coefficients(), 1.0 / ratio);
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
        let explained: f64 = self.support.iter().zip(&self.values).map(|(&j, value)| column.b[j] * value).sum();
        let volume: f64 = (0..size).map(|i| 2.0 * self.factor.pivot(i).ln() + ratio.ln()).sum();
        (column.square - explained, volume)
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
mod tests {
    use super::super::Shape;
    use super::super::random::Random;
    use super::*;
    use crate::model::deconvolve::Operator;
    use ndarray::{Array1, Array2};

    const COEFFICIENTS: usize = 8;
    const FRAMES: usize = 14;

    /// Overlapping responses, one coefficient without a trace, data of two of them.
    fn problem(seed: u64) -> (Gram, Vec<f64>, f64) {
        let mut random = Random::new(seed);
        let response = |lag: f64| if lag > 0.0 { lag * (-lag / 2.0).exp() } else { 0.0 };
        let mut forward =
            Array2::from_shape_fn((FRAMES, COEFFICIENTS), |(frame, at)| response(frame as f64 - at as f64));
        forward.column_mut(6).fill(0.0);
        let noise = Array1::from_shape_fn(FRAMES, |_| 0.3 * random.normal());
        let y = &forward.column(1) * 2.0 - forward.column(4) + noise;
        let b = forward.t().dot(&y).to_vec();
        let gram = Gram::new(&Operator { gram: forward.t().dot(&forward), forward, dof: FRAMES }, Shape::Spikes);
        (gram, b, y.dot(&y))
    }

    /// Logarithm of the evidence at a ratio, but for a constant, from a factor of its own.
    fn at_ratio(gram: &Gram, column: Column<'_>, support: &[usize], ratio: f64) -> f64 {
        let mut refit = Refit::default();
        refit.start(1.0 / ratio);
        refit.set(gram, column, support);
        let pivots: f64 = (0..support.len()).map(|i| refit.factor().pivot(i).ln()).sum();
        let volume = 2.0 * pivots + support.len() as f64 * ratio.ln();
        let penalty = log_choices(gram.seen_count(), support.len());
        -0.5 * (FRAMES as f64 * refit.residual_square(column).ln() + volume) - penalty
    }

    fn all_supports(gram: &Gram) -> Vec<Vec<usize>> {
        let members = |pattern: usize| (0..COEFFICIENTS).filter(|j| pattern >> j & 1 == 1).collect::<Vec<_>>();
        let supports = (0..1 << COEFFICIENTS).map(members);
        supports.filter(|support| support.len() <= 5 && support.iter().all(|&j| gram.is_seen(j))).collect()
    }

    /// Everything that one move makes of a support.
    fn neighbours(gram: &Gram, support: &[usize]) -> Vec<Vec<usize>> {
        let near = |other: &Vec<usize>| {
            let shared = other.iter().filter(|j| support.contains(j)).count();
            let (out, added) = (support.len() - shared, other.len() - shared);
            out <= 1 && added <= 1 && out + added > 0
        };
        all_supports(gram).into_iter().filter(near).collect()
    }

    #[test]
    fn no_move_raises_what_was_found() {
        let mut moved = 0;
        for seed in 0..20 {
            let (gram, b, square) = problem(seed);
            let column = Column { b: &b, square };
            for start in [vec![], vec![5], vec![0, 2, 3, 5, 7]] {
                let of = |support: &[usize]| evidence(&gram, column, support, FRAMES, 5, &mut Refit::default());
                let mut search = Likeliest::default();
                let bounds = (FRAMES, 5);
                search.log_evidence(&gram, column, (&start, of(&start)), bounds, &mut Refit::default());
                let found = &search.support;
                moved += usize::from(*found != start);
                let ratio = if found.is_empty() { 1.0 / mean_square(&gram) } else { of(found).ratio };
                let now = at_ratio(&gram, column, found, ratio);
                for other in neighbours(&gram, found) {
                    // what the search asks of a move, and rounding
                    let rise = at_ratio(&gram, column, &other, ratio) - now;
                    assert!(rise < LEAST_RISE + 1e-9, "{seed}: {found:?} to {other:?} gains {rise}");
                }
            }
        }
        assert!(moved > 50, "nearly every search of the 60 moves: {moved}");
    }

    #[test]
    fn a_strong_signal_is_found_from_nothing_and_from_everything() {
        let (gram, _, _) = problem(0);
        // data without noise, but for what keeps the residual from zero
        let b: Vec<f64> = (0..COEFFICIENTS).map(|j| 2.0 * gram.row(j)[1] - gram.row(j)[4]).collect();
        let column = Column { b: &b, square: 2.0 * b[1] - b[4] + 1e-3 };
        let of = |support: &[usize]| evidence(&gram, column, support, FRAMES, 5, &mut Refit::default());
        for start in [vec![], vec![0, 2, 3, 5, 7]] {
            let mut search = Likeliest::default();
            search.log_evidence(&gram, column, (&start, of(&start)), (FRAMES, 5), &mut Refit::default());
            assert_eq!(search.support, [1, 4]);
        }
    }

    #[test]
    fn places_are_summed_between_the_neighbours() {
        for seed in 0..10 {
            let (gram, b, square) = problem(seed);
            let column = Column { b: &b, square };
            let start = [1, 4];
            let of_start = evidence(&gram, column, &start, FRAMES, 5, &mut Refit::default());
            let mut search = Likeliest::default();
            let bounds = (FRAMES, 5);
            let found = search.log_evidence(&gram, column, (&start, of_start), bounds, &mut Refit::default());
            let best = search.support.clone();
            let Evidence { log, ratio } = evidence(&gram, column, &best, FRAMES, 5, &mut Refit::default());
            let now = at_ratio(&gram, column, &best, ratio);
            let mut expected = log;
            for (i, _) in best.iter().enumerate() {
                let first = if i == 0 { 0 } else { best[i - 1] + 1 };
                let end = best.get(i + 1).copied().unwrap_or(COEFFICIENTS);
                let moved = |l: usize| {
                    let mut other = best.clone();
                    other[i] = l;
                    (at_ratio(&gram, column, &other, ratio) - now).exp()
                };
                expected += (first..end).filter(|&l| gram.is_seen(l)).map(moved).sum::<f64>().ln();
            }
            // rounding of an inverse of condition below 1e5
            assert!((found - expected).abs() < 1e-9, "{seed}: {found}, {expected}");
            assert!(found > log, "the places are certain");
        }
    }
}

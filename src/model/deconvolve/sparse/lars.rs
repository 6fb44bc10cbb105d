//! The whole path of LASSO solutions, from the largest useful weight downwards:
//! `min 1/2 |y - X x|^2 + lambda |x|_1 + ridge/2 |x|^2` for every lambda.
//!
//! Least angle regression with drops (Efron et al. 2004, doi 10.1214/009053604000000067; the homotopy of Osborne et al. 2000,
//! doi 10.1093/imanum/20.3.389). The solution is linear in lambda between knots, where a coefficient joins the support or
//! leaves it. It works on `G = X'X` and `b = X'y` alone.

use super::factor::Factor;
use super::gram::Gram;

/// Where the path went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A coefficient joined the support.
    Joined(usize),
    /// A coefficient came to zero and left the support.
    Dropped(usize),
    /// The weight asked for is reached.
    Reached,
    /// No more steps are allowed; a path that has all it needs ends at lambda 0 long before.
    Exhausted,
}

/// The penalties that make the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Penalty {
    /// Weight of half the sum of squares (elastic net).
    pub(super) ridge: f64,
    /// Only coefficients that are not negative.
    pub(super) non_negative: bool,
}

/// A walk along the path, its memory kept from column to column.
#[derive(Debug)]
pub(super) struct Walk {
    penalty: Penalty,
    lambda: f64,
    factor: Factor,
    signs: Vec<f64>,
    /// `L^-1 signs`.
    signs_forward: Vec<f64>,
    direction: Vec<f64>,
    /// Coefficients of the support, in its order.
    values: Vec<f64>,
    /// `X'(y - X x) - ridge x`, of all coefficients.
    correlation: Vec<f64>,
    /// Fall of the correlation as lambda falls by one.
    slope: Vec<f64>,
    /// Not to join: members, coefficients without trace, and those that depend on the members.
    closed: Vec<bool>,
    dependent: Vec<usize>,
    /// The coefficient that left at the last knot, and its sign: it stands at that bound and moves away from it.
    left_last: Option<(usize, f64)>,
    steps: usize,
    forward: Vec<f64>,
    spare: Vec<usize>,
}

impl Walk {
    pub(super) fn new(penalty: Penalty) -> Walk {
        Walk {
            penalty,
            lambda: 0.0,
            factor: Factor::default(),
            signs: Vec::new(),
            signs_forward: Vec::new(),
            direction: Vec::new(),
            values: Vec::new(),
            correlation: Vec::new(),
            slope: Vec::new(),
            closed: Vec::new(),
            dependent: Vec::new(),
            left_last: None,
            steps: 0,
            forward: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// At the weight at which the first coefficient is about to join; `b = X'y`.
    pub(super) fn start(&mut self, gram: &Gram, b: &[f64]) {
        self.factor.clear();
        self.signs.clear();
        self.signs_forward.clear();
        self.values.clear();
        self.dependent.clear();
        self.left_last = None;
        self.steps = 0;
        self.correlation.clear();
        self.correlation.extend_from_slice(b);
        self.closed.clear();
        self.closed.extend((0..b.len()).map(|j| !gram.is_seen(j)));
        self.slope.clear();
        self.slope.resize(b.len(), 0.0);
        let non_negative = self.penalty.non_negative;
        let open = b.iter().zip(&self.closed).filter(|(_, closed)| !**closed);
        self.lambda = open.map(|(b, _)| if non_negative { *b } else { b.abs() }).fold(0.0, f64::max);
    }

    pub(super) fn lambda(&self) -> f64 {
        self.lambda
    }

    /// Members of the support.
    pub(super) fn support(&self) -> &[usize] {
        self.factor.support()
    }

    /// Goes on to the next knot, or to `floor` if that comes first.
    pub(super) fn advance(&mut self, gram: &Gram, floor: f64) -> Step {
        let most_steps = 8 * self.correlation.len() + 8;
        loop {
            if self.lambda <= floor {
                return Step::Reached;
            }
            self.steps += 1;
            if self.steps > most_steps {
                return Step::Exhausted;
            }
            self.aim(gram);
            let (join, to_join) = self.next_join();
            let (leave, to_leave) = self.next_leave();
            let (event, room) = (to_join.min(to_leave), self.lambda - floor);
            // A knot that is the floor but for rounding is not passed.
            if event >= room - 1e-12 * self.lambda {
                self.go(room);
                self.lambda = floor;
                return Step::Reached;
            }
            self.go(event);
            self.left_last = None;
            if to_leave <= to_join
                && let Some(position) = leave
            {
                return Step::Dropped(self.drop(gram, position));
            }
            if let Some(j) = join
                && self.join(gram, j)
            {
                return Step::Joined(j);
            }
        }
    }

    /// Direction of the coefficients, and slope of all correlations.
    fn aim(&mut self, gram: &Gram) {
        let signs = &self.signs;
        self.factor.continue_forward(&mut self.signs_forward, |i| signs[i]);
        self.factor.backward(&self.signs_forward, &mut self.direction);
        self.slope.fill(0.0);
        gram.add_rows(self.factor.support(), &self.direction, &mut self.slope);
    }

    /// The next coefficient to join, and how far lambda falls until then.
    fn next_join(&self) -> (Option<usize>, f64) {
        let (mut next, mut nearest) = (None, f64::INFINITY);
        let one_sided = self.penalty.non_negative;
        for (j, ((&c, &slope), &closed)) in self.correlation.iter().zip(&self.slope).zip(&self.closed).enumerate() {
            // Rounding may have put a correlation above lambda: it joins at once.
            let above = (self.lambda - c).max(0.0);
            let below = (self.lambda + c).max(0.0);
            if closed {
                continue;
            }
            let fits = |room: f64, speed: f64| speed > 1e-12 && room < nearest * speed;
            let left = self.left_last.filter(|(left, _)| *left == j).map_or(0.0, |(_, sign)| sign);
            if left <= 0.0 && fits(above, 1.0 - slope) {
                (next, nearest) = (Some(j), above / (1.0 - slope));
            }
            if left >= 0.0 && !one_sided && below < nearest * (1.0 + slope) && 1.0 + slope > 1e-12 {
                (next, nearest) = (Some(j), below / (1.0 + slope));
            }
        }
        (next, nearest)
    }

    /// The position of the next member to leave, and how far lambda falls until then.
    fn next_leave(&self) -> (Option<usize>, f64) {
        let (mut next, mut nearest) = (None, f64::INFINITY);
        for (position, (&value, &direction)) in self.values.iter().zip(&self.direction).enumerate() {
            // A member that has just joined stands at zero and moves with its sign.
            if self.signs[position] * direction < 0.0 {
                let distance = -value / direction;
                if distance < nearest {
                    (next, nearest) = (Some(position), distance.max(0.0));
                }
            }
        }
        (next, nearest)
    }

    fn go(&mut self, distance: f64) {
        self.lambda -= distance;
        for (value, direction) in self.values.iter_mut().zip(&self.direction) {
            *value += distance * direction;
        }
        for (correlation, slope) in self.correlation.iter_mut().zip(&self.slope) {
            *correlation -= distance * slope;
        }
    }

    /// Takes `j` in, unless it depends on the members: then its correlation stays between the bounds by itself.
    fn join(&mut self, gram: &Gram, j: usize) -> bool {
        self.closed[j] = true;
        if !self.factor.push(gram, j, self.penalty.ridge) {
            self.dependent.push(j);
            return false;
        }
        self.signs.push(1.0_f64.copysign(self.correlation[j]));
        self.values.push(0.0);
        true
    }

    fn drop(&mut self, gram: &Gram, position: usize) -> usize {
        let j = self.factor.support()[position];
        self.factor.remove(gram, position, self.penalty.ridge, &mut self.spare);
        let sign = self.signs.remove(position);
        self.values.remove(position);
        self.signs_forward.truncate(position);
        for other in self.dependent.drain(..) {
            self.closed[other] = false;
        }
        self.closed[j] = false;
        self.left_last = Some((j, sign));
        j
    }

    /// The coefficients of the support at the lambda reached, from its normal equations: free of the sums of many steps.
    pub(super) fn coefficients(&mut self, b: &[f64], values: &mut Vec<f64>) {
        let (factor, signs, lambda) = (&self.factor, &self.signs, self.lambda);
        self.forward.clear();
        factor.continue_forward(&mut self.forward, |i| b[factor.support()[i]] - lambda * signs[i]);
        factor.backward(&self.forward, values);
    }
}

//! The weight of the penalty that data ask for, column by column.
//!
//! In the coordinates of [`Diagonal`], with `b = U'y`, `q = lambda / (g^2 + lambda)` a direction, `rest` the squares outside
//! all directions and `f` the dimension of data less the unpenalised directions:
//!
//! ```text
//! GCV       minimise  log RSS - 2 log T,     RSS = sum q^2 b^2 + rest,  T = f - sum (1 - q)
//! evidence  minimise  f log W - sum log q,   W = sum q b^2 + rest
//! ```
//!
//! `T` is the dimension of data less the trace of the hat matrix (Golub, Heath & Wahba 1979,
//! doi 10.1080/00401706.1979.10489751). The second is -2 times the restricted log likelihood with `sigma^2 = W / f` put in.
//!
//! Both are looked at on a grid of log lambda, one matrix product a block; from its least point Newton's method, held in
//! the bracket of the neighbours, goes to where the slope is zero. The criteria vary over some decades of lambda, the grid
//! has four points a decade. At infinite lambda there is no penalised activity; that is a point of the grid too.

use super::diagonal::{Coordinates, Diagonal};
use crate::model::linalg::product;
use crate::signal::widest::{Loop, widest};
use ndarray::Array2;

/// What is minimised over lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    /// Generalised cross-validation.
    Gcv,
    /// The negative restricted likelihood.
    Evidence,
}

/// Points of the grid in a factor `e` of lambda: four a decade.
const STEP: f64 = std::f64::consts::LN_10 / 4.0;
/// Newton's last step in log lambda; it squares the error, so log lambda is good to some 1e-10, or to rounding.
const LAST_STEP: f64 = 1e-5;
/// Halving alone would bring a bracket of two steps below the last step in this many.
const MOST_STEPS: usize = 20;

/// A criterion prepared for one factorised operator.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    criterion: Criterion,
    /// Log lambda of the finite points, ascending.
    log_lambda: Vec<f64>,
    /// `q^2` or `q`: direction x point; the last point is infinite lambda.
    factors: Array2<f64>,
    /// A sum times this orders the points as the criterion does.
    scales: Vec<f64>,
}

impl Selection {
    /// The grid reaches from a hundredth of the least squared gain (where the fit is an interpolation; never below 1e-16
    /// of the largest) to ten thousand times the largest, beyond which activity explains less than 1e-4 of any direction.
    pub(super) fn new(diagonal: &Diagonal, criterion: Criterion) -> Self {
        let (largest, least) = match (diagonal.squared.first(), diagonal.squared.last()) {
            (Some(largest), Some(least)) => (*largest, *least),
            _ => (1.0, 1.0),
        };
        let (low, high) = ((1e-2 * least).max(1e-16 * largest).ln(), (1e4 * largest).ln());
        let points = ((high - low) / STEP).ceil() as usize;
        let log_lambda: Vec<f64> = (0..=points).map(|point| low + STEP * point as f64).collect();
        let lambda: Vec<f64> = log_lambda.iter().map(|log| log.exp()).chain([f64::INFINITY]).collect();
        let mut factors = Array2::from_shape_fn((diagonal.squared.len(), lambda.len()), |(direction, point)| {
            left_over(diagonal.squared[direction], lambda[point])
        });
        let scale = |point: usize| match criterion {
            Criterion::Gcv => (diagonal.dimensions_of_rest() as f64 + factors.column(point).sum()).powi(-2),
            Criterion::Evidence => (-factors.column(point).mapv(f64::ln).sum() / diagonal.freedom() as f64).exp(),
        };
        let scales = (0..lambda.len()).map(scale).collect();
        if criterion == Criterion::Gcv {
            factors.mapv_inplace(|q| q * q);
        }
        Self { criterion, log_lambda, factors, scales }
    }

    /// What is minimised.
    pub(super) fn criterion(&self) -> Criterion {
        self.criterion
    }

    /// Lambda of each column: infinite where no activity is the best, and for a column of zeros.
    pub(super) fn lambdas(&self, diagonal: &Diagonal, coordinates: &Coordinates) -> Vec<f64> {
        let sums = product(&coordinates.squares, &self.factors);
        let columns = coordinates.squares.outer_iter().zip(sums.outer_iter()).zip(&coordinates.rest);
        let one = |((squares, sums), rest): ((ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>), &f64)| {
            let infinite = self.log_lambda.len();
            // from above: of equal points the one with the least activity
            let points = sums.iter().zip(&self.scales).enumerate().rev();
            let scored = points.map(|(point, (sum, scale))| (point, (sum + rest) * scale));
            let (best, _) = scored.fold((infinite, f64::INFINITY), |best, now| if now.1 < best.1 { now } else { best });
            if best == infinite {
                return f64::INFINITY;
            }
            self.refine(diagonal, &squares.to_vec(), *rest, best).exp()
        };
        columns.map(one).collect()
    }

    /// Log lambda where the slope is zero, between the neighbours of a point of the grid.
    fn refine(&self, diagonal: &Diagonal, squares: &[f64], rest: f64, point: usize) -> f64 {
        let mut now = self.log_lambda[point];
        let mut low = if point == 0 { now } else { now - STEP };
        let mut high = now + STEP;
        for _ in 0..MOST_STEPS {
            let (slope, bend) = self.slope(diagonal, squares, rest, now);
            if slope > 0.0 {
                high = now;
            } else {
                low = now;
            }
            let newton = now - slope / bend;
            let within = bend > 0.0 && newton >= low && newton <= high;
            let next = if within { newton } else { 0.5 * (low + high) };
            let step = (next - now).abs();
            now = next;
            if step < LAST_STEP {
                break;
            }
        }
        now
    }

    /// First and second derivative of the criterion by log lambda.
    fn slope(&self, diagonal: &Diagonal, squares: &[f64], rest: f64, log_lambda: f64) -> (f64, f64) {
        let (squared, lambda) = (&diagonal.squared[..], log_lambda.exp());
        match self.criterion {
            Criterion::Gcv => {
                let [s, s1, s2, t, t1, t2] = widest(Sums::<true> { squares, squared, lambda });
                let (s, t) = (s + rest, t + diagonal.dimensions_of_rest() as f64);
                let (of_s, of_t) = (s1 / s, t1 / t);
                (of_s - 2.0 * of_t, s2 / s - of_s * of_s - 2.0 * (t2 / t - of_t * of_t))
            }
            Criterion::Evidence => {
                let [s, s1, s2, t, t1, _] = widest(Sums::<false> { squares, squared, lambda });
                let (s, f) = (s + rest, diagonal.freedom() as f64);
                let of_s = s1 / s;
                (f * of_s - (squared.len() as f64 - t), f * (s2 / s - of_s * of_s) + t1)
            }
        }
    }
}

/// The part of a direction with squared gain `squared` that a fit leaves over, `lambda / (squared + lambda)`.
fn left_over(squared: f64, lambda: f64) -> f64 {
    1.0 / (1.0 + squared / lambda)
}

/// Sums over directions, with `dq / d log lambda = q (1 - q)`: `q^2 b^2` (or `q b^2`), its first and second derivative; `q`,
/// its first and second derivative.
struct Sums<'a, const SQUARED: bool> {
    squares: &'a [f64],
    squared: &'a [f64],
    lambda: f64,
}

/// Sums side by side.
const LANES: usize = 4;

impl<const SQUARED: bool> Loop for Sums<'_, SQUARED> {
    type Output = [f64; 6];

    #[inline(always)]
    fn run(self) -> [f64; 6] {
        let mut sums = [[0.0; LANES]; 6];
        let (squares, last_squares) = self.squares.as_chunks::<LANES>();
        let (squared, last_squared) = self.squared.as_chunks::<LANES>();
        for (squares, squared) in squares.iter().zip(squared) {
            add::<SQUARED>(&mut sums, squares, squared, self.lambda);
        }
        // directions of no gain and no data fill up the last lanes; each adds q = 1, and nothing to derivatives
        let mut last = ([0.0; LANES], [0.0; LANES]);
        last.0.iter_mut().zip(last_squares).for_each(|(lane, value)| *lane = *value);
        last.1.iter_mut().zip(last_squared).for_each(|(lane, value)| *lane = *value);
        add::<SQUARED>(&mut sums, &last.0, &last.1, self.lambda);
        let mut sums = sums.map(|lanes| lanes.iter().sum::<f64>());
        sums[3] -= (LANES - last_squared.len()) as f64;
        sums
    }
}

#[inline(always)]
fn add<const SQUARED: bool>(sums: &mut [[f64; LANES]; 6], squares: &[f64; LANES], squared: &[f64; LANES], lambda: f64) {
    for lane in 0..LANES {
        let q = lambda / (squared[lane] + lambda);
        let fitted = squared[lane] / (squared[lane] + lambda);
        let first = q * fitted;
        let second = first * (fitted - q);
        let b = squares[lane];
        sums[3][lane] += q;
        sums[4][lane] += first;
        sums[5][lane] += second;
        if SQUARED {
            sums[0][lane] += q * q * b;
            sums[1][lane] += 2.0 * q * first * b;
            sums[2][lane] += 2.0 * q * first * (2.0 - 3.0 * q) * b;
        } else {
            sums[0][lane] += q * b;
            sums[1][lane] += first * b;
            sums[2][lane] += second * b;
        }
    }
}

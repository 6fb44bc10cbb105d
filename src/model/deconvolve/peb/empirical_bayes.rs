//! Maximum marginal likelihood of the variances of noise and prior, along the singular directions of the forward model.
//!
//! ```text
//! z_i ~ N(0, sigma^2 + tau^2 s_i^2), i = 1..r; the other dof - r directions hold noise alone, of squared length R
//! sigma^2(lambda) = S / dof,  S = R + sum_i z_i^2 lambda / (lambda + s_i^2)
//! log p = -1/2 (dof ln(2 pi sigma^2) + dof + sum_i ln(1 + s_i^2 / lambda))
//! ```
//!
//! The noise variance has its maximum in closed form, so that `lambda` alone is sought (MacKay 1992, doi
//! 10.1162/neco.1992.4.3.415, gives the same optimum as a fixed point). A grid over `ln lambda` finds the highest hill,
//! since there may be several, and bisection of the slope its top. Every term changes over a unit of `ln lambda` or more,
//! so that a step of 1/2 misses none.

use ndarray::Array2;
use std::f64::consts::PI;

/// Step of the grid over `ln lambda`.
const GRID_STEP: f64 = 0.5;
/// The grid's ends, relative to the largest squared singular value.
const LOWEST: f64 = 1e-10;
const HIGHEST: f64 = 1e8;
/// Width of `ln lambda` at which bisection ends.
const TOLERANCE: f64 = 1e-10;

/// The two variances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Variances {
    /// `sigma^2`.
    pub(super) noise: f64,
    /// `tau^2`.
    pub(super) prior: f64,
}

impl Variances {
    /// Of a column of zeros.
    pub(super) const ZERO: Self = Self { noise: 0.0, prior: 0.0 };

    /// Their ratio, infinite without a prior variance.
    pub(super) fn lambda(self) -> f64 {
        self.noise / self.prior
    }
}

/// What all columns share.
#[derive(Debug)]
pub(super) struct Evidence {
    /// `s_i^2`, all positive.
    pub(super) squares: Vec<f64>,
    /// Dimension in which data lie; not below the number of directions.
    dof: usize,
    /// `ln lambda` of the grid, ascending.
    grid: Vec<f64>,
    /// Grid point x direction: `lambda / (lambda + s_i^2)`.
    pub(super) shrinkage: Array2<f64>,
    /// By grid point: `sum_i ln(1 + s_i^2 / lambda)`.
    log_determinants: Vec<f64>,
}

impl Evidence {
    /// For these squared singular values, of which one at least is positive.
    pub(super) fn new(squares: Vec<f64>, dof: usize) -> Self {
        let largest = squares.iter().fold(0.0, |largest: f64, square| largest.max(*square));
        let (start, stop) = (libm::log(largest * LOWEST), libm::log(largest * HIGHEST));
        let points = ((stop - start) / GRID_STEP).ceil() as usize + 1;
        let grid: Vec<f64> = (0..points).map(|point| start + GRID_STEP * point as f64).collect();
        let lambdas: Vec<f64> = grid.iter().map(|log| libm::exp(*log)).collect();
        let shrinkage = Array2::from_shape_fn((points, squares.len()), |(point, direction)| {
            lambdas[point] / (lambdas[point] + squares[direction])
        });
        let log_determinants = lambdas.iter().map(|lambda| log_determinant(&squares, *lambda)).collect();
        Self { squares, dof, grid, shrinkage, log_determinants }
    }

    /// `R`, given the squares left of a column: 0, not rounding, where the directions fill the space of the data.
    pub(super) fn rest(&self, squares_left: f64) -> f64 {
        if self.squares.len() >= self.dof { 0.0 } else { squares_left }
    }

    /// Trace of the hat matrix.
    pub(super) fn effective_dof(&self, lambda: f64) -> f64 {
        self.squares.iter().map(|square| square / (square + lambda)).sum()
    }

    /// `log p` of a column with squared loadings `z_i^2`.
    pub(super) fn log_evidence(&self, loadings: &[f64], rest: f64, variances: Variances) -> f64 {
        let Variances { noise, prior } = variances;
        let noise_alone = self.dof.saturating_sub(self.squares.len()) as f64;
        let outside = noise_alone * libm::log(2.0 * PI * noise) + rest / noise;
        let along: f64 = self
            .squares
            .iter()
            .zip(loadings)
            .map(|(square, loading)| {
                let variance = noise + prior * square;
                libm::log(2.0 * PI * variance) + loading / variance
            })
            .sum();
        -0.5 * (outside + along)
    }

    /// The variances of highest evidence; `squares_on_grid` is `shrinkage` times the squared loadings. Evidence that still
    /// rises at the upper end of the grid is highest without any activity: a prior variance of 0.
    pub(super) fn maximise(&self, loadings: &[f64], rest: f64, squares_on_grid: &[f64]) -> Variances {
        let dof = self.dof as f64;
        let mut best = (0, f64::NEG_INFINITY);
        for (point, (squares, log_determinant)) in squares_on_grid.iter().zip(&self.log_determinants).enumerate() {
            let height = -0.5 * (dof * libm::log(rest + squares) + log_determinant);
            if height > best.1 {
                best = (point, height);
            }
        }
        let last = self.grid.len() - 1;
        if best.0 == last {
            return Variances { noise: (rest + loadings.iter().sum::<f64>()) / dof, prior: 0.0 };
        }
        let (low, high) = (self.grid[best.0.saturating_sub(1)], self.grid[best.0 + 1]);
        let lambda = libm::exp(self.top_between(loadings, rest, low, high));
        let noise = self.slope(loadings, rest, lambda).1 / dof;
        Variances { noise, prior: noise / lambda }
    }

    /// Where between two values of `ln lambda` the evidence is highest: where the slope changes sign, or an end.
    fn top_between(&self, loadings: &[f64], rest: f64, mut low: f64, mut high: f64) -> f64 {
        while high - low > TOLERANCE {
            let middle = f64::midpoint(low, high);
            if self.slope(loadings, rest, libm::exp(middle)).0 > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    }

    /// Twice the derivative of `log p` in `ln lambda`, and `S`.
    fn slope(&self, loadings: &[f64], rest: f64, lambda: f64) -> (f64, f64) {
        let (mut squares, mut growth, mut fit) = (rest, 0.0, 0.0);
        for (square, loading) in self.squares.iter().zip(loadings) {
            let seen = square / (square + lambda);
            let left = loading * (lambda / (square + lambda));
            squares += left;
            growth += left * seen;
            fit += seen;
        }
        (fit - self.dof as f64 * growth / squares, squares)
    }
}

/// `sum_i ln(1 + s_i^2 / lambda)`.
fn log_determinant(squares: &[f64], lambda: f64) -> f64 {
    squares.iter().map(|square| libm::log1p(square / lambda)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squared singular values and loadings of some column.
    fn example() -> (Evidence, Vec<f64>) {
        let squares: Vec<f64> = (0..12).map(|i| 9.0 * 0.6_f64.powi(i)).collect();
        let loadings = (0..12).map(|i| (2.0 * squares[i] + 0.5) * (0.4 + ((i * 7) % 5) as f64 * 0.35)).collect();
        (Evidence::new(squares, 20), loadings)
    }

    fn on_grid(evidence: &Evidence, loadings: &[f64]) -> Vec<f64> {
        evidence.shrinkage.rows().into_iter().map(|row| row.iter().zip(loadings).map(|(a, b)| a * b).sum()).collect()
    }

    #[test]
    fn no_pair_of_variances_has_more_evidence() {
        let (evidence, loadings) = example();
        let found = evidence.maximise(&loadings, 4.0, &on_grid(&evidence, &loadings));
        let height = evidence.log_evidence(&loadings, 4.0, found);
        for noise in -60..=60 {
            for prior in -120..=60 {
                let scaled = |value: f64, steps: i32| value * libm::exp(0.1 * f64::from(steps));
                let other = Variances { noise: scaled(found.noise, noise), prior: scaled(found.prior, prior) };
                // at the optimum itself the two differ by nothing, beside it by more than rounding
                assert!(evidence.log_evidence(&loadings, 4.0, other) <= height, "{noise} {prior}");
            }
        }
    }

    #[test]
    fn both_derivatives_vanish_at_the_maximum() {
        let (evidence, loadings) = example();
        let found = evidence.maximise(&loadings, 4.0, &on_grid(&evidence, &loadings));
        // d log p / d noise and / d prior, written out
        let (mut by_noise, mut by_prior) = (8.0 / found.noise - 4.0 / (found.noise * found.noise), 0.0);
        for (square, loading) in evidence.squares.iter().zip(&loadings) {
            let variance = found.noise + found.prior * square;
            let pull = 1.0 / variance - loading / (variance * variance);
            by_noise += pull;
            by_prior += square * pull;
        }
        // lambda is known to 1e-10, and the slopes change by some 10 for a relative change of 1
        assert!((by_noise * found.noise).abs() < 1e-8, "{by_noise}");
        assert!((by_prior * found.prior).abs() < 1e-8, "{by_prior}");
    }

    #[test]
    fn the_higher_of_two_hills_is_climbed() {
        // strong directions at the level of the noise, one weak direction far above it: two maxima in ln lambda
        let mut squares = vec![1.0; 6];
        squares.push(1e-6);
        let evidence = Evidence::new(squares, 12);
        let heights = |loadings: &[f64]| -> Vec<f64> {
            on_grid(&evidence, loadings)
                .iter()
                .zip(&evidence.log_determinants)
                .map(|(squares, log_determinant)| -0.5 * (12.0 * libm::log(5.0 + squares) + log_determinant))
                .collect()
        };
        for weak in [20.0, 2000.0] {
            let mut loadings = vec![3.0; 6];
            loadings.push(weak);
            let found = evidence.maximise(&loadings, 5.0, &on_grid(&evidence, &loadings));
            let constant = 6.0 * libm::log(12.0) - 6.0 * libm::log(2.0 * PI) - 6.0;
            let highest = heights(&loadings).into_iter().fold(f64::NEG_INFINITY, f64::max) + constant;
            // the top lies above every grid point, but for rounding of sums of 20 terms of size 10
            assert!(evidence.log_evidence(&loadings, 5.0, found) >= highest - 1e-12);
        }
    }

    #[test]
    fn noise_alone_has_no_prior_variance() {
        // loadings below what the rest says of the noise, in all directions
        let (evidence, _) = example();
        let loadings = vec![0.5; 12];
        let found = evidence.maximise(&loadings, 8.0, &on_grid(&evidence, &loadings));
        assert_eq!(found, Variances { noise: (8.0 + 6.0) / 20.0, prior: 0.0 });
        assert_eq!(evidence.effective_dof(found.lambda()), 0.0);
        let height = evidence.log_evidence(&loadings, 8.0, found);
        for prior in -40..10 {
            let other = Variances { prior: libm::exp(f64::from(prior)), ..found };
            // the evidence rises towards a prior variance of 0, at the end by less than rounding
            assert!(evidence.log_evidence(&loadings, 8.0, other) <= height);
        }
    }

    #[test]
    fn the_optimum_is_a_fixed_point_of_mackays_updates() {
        // gamma = sum s^2 / (s^2 + lambda), sigma^2 = RSS / (dof - gamma), tau^2 = |c|^2 / gamma
        let (evidence, loadings) = example();
        let found = evidence.maximise(&loadings, 4.0, &on_grid(&evidence, &loadings));
        let lambda = found.lambda();
        let (mut rss, mut length) = (4.0, 0.0);
        for (square, loading) in evidence.squares.iter().zip(&loadings) {
            rss += loading * (lambda / (square + lambda)).powi(2);
            length += loading * square / (square + lambda).powi(2);
        }
        let gamma = evidence.effective_dof(lambda);
        // lambda is known to 1e-10
        assert!((rss / (20.0 - gamma) / found.noise - 1.0).abs() < 1e-9);
        assert!((length / gamma / found.prior - 1.0).abs() < 1e-9);
    }
}

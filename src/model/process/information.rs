//! What a run tells of an ARMA(1,1) process, and how far the covariance of a design follows what it does not tell.
//!
//! With `W V W' = 1`, `V` in units of the innovations' variance, a parameter turns whitened noise by `A_i = W (dV / di) W'`: away from the
//! ends of a run the sum of the shifts by all lags, `a^(l-1)` of each for a and `(-b)^(l-1)` for b, since `A_i` is what the parameter does to
//! the logarithm of the spectrum. With `U` the orthonormal basis of the whitened design and `B_i = U'A_i U`, the information of restricted
//! likelihood is (Harville 1977, doi 10.1080/01621459.1977.10480998, multiplied out)
//!
//! ```text
//! I_ij = (tr A_i A_j - 2 tr U'A_i A_j U + tr B_i B_j) / 2 - tr B_i tr B_j / (2 (n - k))
//! ```
//!
//! the last term for the variance, which is estimated too. Rows to both sides of a gap are taken for neighbours in time.

use super::Arma11;
use crate::model::linalg::transposed_product;
use ndarray::Array2;

/// What is known of a and b without a run: one over the variance of a number somewhere between 0 and 1, or between -1 and 1.
const KNOWN_BEFORE: [f64; 2] = [12.0, 3.0];

/// For `u`, an orthonormal basis (row x rank) of the design whitened by `process`: the relative changes of the variance
/// `sigma^2 h'h` of an effect, h its weights on `u`, by one standard deviation of what is not known of a, and of b where a is known.
/// Each is `h'M h` over `h'h`, M symmetric.
pub(crate) fn changes_of_variance(process: Arma11, u: &Array2<f64>) -> [Array2<f64>; 2] {
    let (n, rank) = u.dim();
    let dof = n.saturating_sub(rank).max(1) as f64;
    let roots = [process.a, -process.b];
    let turned = roots.map(|root| turn(u, root));
    let mut of_design = turned.each_ref().map(|turned| transposed_product(u, turned));
    let traces = of_design.each_ref().map(|of_design| of_design.diag().sum());
    let information = |i: usize, j: usize| {
        let of_rows = trace_of_product(n, roots[i] * roots[j]);
        let of_both = (&turned[i] * &turned[j]).sum();
        let within = (&of_design[i] * &of_design[j]).sum();
        0.5 * (of_rows - 2.0 * of_both + within - traces[i] * traces[j] / dof)
    };
    let [aa, bb] = [0, 1].map(|i| information(i, i).max(0.0) + KNOWN_BEFORE[i]);
    // near white a and b do the same; the formula is one for long runs
    let most = ((aa - KNOWN_BEFORE[0]) * (bb - KNOWN_BEFORE[1])).sqrt();
    let ab = information(0, 1).clamp(-most, most);
    let determinant = aa * bb - ab * ab;
    let of_a = [(bb / determinant).sqrt(), -ab / (bb * determinant).sqrt()];
    let of_b = bb.sqrt().recip();
    // where a parameter is off by some, the variance of the residuals is by the design's share of that
    for (change, trace) in of_design.iter_mut().zip(traces) {
        change.diag_mut().iter_mut().for_each(|entry| *entry += trace / dof);
    }
    let [by_a, by_b] = of_design;
    [of_a[0] * by_a + of_a[1] * &by_b, of_b * by_b]
}

/// `A u`: of each row the sum of all others, those `l` rows away times `root^(l - 1)`.
fn turn(u: &Array2<f64>, root: f64) -> Array2<f64> {
    let mut sums = Array2::zeros(u.dim());
    let rows = 0..u.nrows();
    add_before(u, root, rows.clone(), &mut sums);
    add_before(u, root, rows.rev(), &mut sums);
    sums
}

/// Adds to each row those that come before it in the order of `rows`, the one `l` before it times `root^(l - 1)`.
fn add_before(u: &Array2<f64>, root: f64, rows: impl Iterator<Item = usize>, sums: &mut Array2<f64>) {
    let mut before = vec![0.0; u.ncols()];
    for row in rows {
        for ((before, value), sum) in before.iter_mut().zip(u.row(row)).zip(sums.row_mut(row)) {
            *sum += *before;
            *before = root * *before + value;
        }
    }
}

/// `tr A_i A_j` of n rows: `sum 2 (n - l) r^(l - 1)`, r the product of the two roots.
fn trace_of_product(n: usize, root: f64) -> f64 {
    let mut power = 1.0;
    let mut sum = 0.0;
    for lag in 1..n {
        sum += 2.0 * (n - lag) as f64 * power;
        power *= root;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, Process, Whitened};
    use super::*;
    use crate::model::basis::Basis;
    use crate::model::inverse_square_root;

    const N: usize = 240;

    /// Blocks, a constant and three cosines.
    fn design() -> Array2<f64> {
        Array2::from_shape_fn((N, 5), |(t, j)| match j {
            0 => f64::from(u8::from(t % 20 < 10)),
            _ => (std::f64::consts::PI * (j - 1) as f64 * (t as f64 + 0.5) / N as f64).cos(),
        })
    }

    /// Covariance in units of the innovations' variance.
    fn covariance([a, b]: [f64; 2]) -> Array2<f64> {
        let process = Arma11 { a, b };
        Array2::from_shape_fn((N, N), |(s, t)| process.variance() * process.correlation(s.abs_diff(t)))
    }

    fn inverse(a: &Array2<f64>) -> Array2<f64> {
        let root = inverse_square_root(a).unwrap();
        root.dot(&root)
    }

    /// The relative variance of the variance of the first effect, by the information as it is defined.
    fn by_dense_algebra(x: &Array2<f64>, at: [f64; 2]) -> f64 {
        let step = 1e-5;
        let (precision, gram_inverse) = {
            let precision = inverse(&covariance(at));
            let gram = x.t().dot(&precision).dot(x);
            (precision, inverse(&gram))
        };
        let beta = gram_inverse.dot(&x.t()).dot(&precision);
        let p = &precision - &precision.dot(x).dot(&beta);
        let slopes = [0, 1].map(|i| {
            let moved = |by: f64| covariance(std::array::from_fn(|j| at[j] + if i == j { by } else { 0.0 }));
            (moved(step) - moved(-step)) / (2.0 * step)
        });
        let turned = slopes.each_ref().map(|slope| p.dot(slope));
        let traces = turned.each_ref().map(|turned| turned.diag().sum());
        let dof = (N - x.ncols()) as f64;
        let information = |i: usize, j: usize| {
            let product = (&turned[i] * &turned[j].t()).sum();
            0.5 * (product - traces[i] * traces[j] / dof) + if i == j { KNOWN_BEFORE[i] } else { 0.0 }
        };
        let [aa, ab, bb] = [information(0, 0), information(0, 1), information(1, 1)];
        let gradient = [0, 1].map(|i| {
            let of_effect = beta.row(0).dot(&slopes[i].dot(&beta.row(0))) / gram_inverse[(0, 0)];
            of_effect - traces[i] / dof
        });
        let [a, b] = gradient;
        (bb * a * a - 2.0 * ab * a * b + aa * b * b) / (aa * bb - ab * ab)
    }

    #[test]
    fn doubt_of_an_effect_is_that_of_dense_algebra() {
        let x = design();
        let basis = Basis::new(&x).unwrap();
        let layout = Layout::of_kept(&[1; N - 1]);
        for [a, b] in [[0.0, 0.0], [0.5, 0.0], [0.4, 0.4], [0.7, -0.4], [0.8, -0.5], [0.9, -0.6], [0.0, 0.5]] {
            let process = Arma11 { a, b };
            let whitened = Whitened::new(&basis.q, &Process::Arma11(process), &layout).unwrap();
            // the first effect is that of what the others do not have of the first column: weights on the basis
            let mut h = basis.to_coefficients.row(0).to_vec();
            crate::model::solve_lower_packed(whitened.factor(), &mut h);
            let h = ndarray::Array1::from(h);
            let variance = h.dot(&h);
            let relative =
                changes_of_variance(process, whitened.basis()).map(|change| h.dot(&change.dot(&h)) / variance);
            let found: f64 = relative.iter().map(|change| change * change).sum();
            let expected = by_dense_algebra(&x, [a, b]);
            // .003 at the most, of .9 and -.6: the ends of the run are left out
            assert!((found / expected - 1.0).abs() < 0.005, "{a}, {b}: {found}, not {expected}");
        }
    }
}

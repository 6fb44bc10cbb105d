//! How probable the data are under a support, the sizes of its coefficients unknown.
//!
//! Coefficients of the support are normal with variance `r sigma^2`, noise with `sigma^2`, both variances at their maximum:
//! `ln p = -dof/2 (ln(2 pi q / dof) + 1) - 1/2 ln|I + r G_S| - ln C(p, k) - ln(K + 1)`,
//! `q = y'(I + r X_S X_S')^-1 y`. This is what the marginal likelihood of ridge regression is for the support of all
//! coefficients (MacKay 1992, doi 10.1162/neco.1992.4.3.415), less the logarithm of the prior of the support: every size to
//! `K` is equally probable, and every support of a size (Chen & Chen 2008, doi 10.1093/biomet/asn034). Only the one support is
//! counted, not the many that fit nearly as well: it is a lower bound.

use super::gram::Gram;
use super::refit::{Column, Refit};
use super::selection::log_choices;

/// Golden section.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// They narrow `ln r` from 18 to 0.02, where the evidence is within 1e-4 of its maximum times the size of the support.
const STEPS: usize = 14;

/// The evidence of a support, and the variance of its coefficients as a multiple of the noise variance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    pub(super) log: f64,
    pub(super) ratio: f64,
}

/// Evidence of `support` in data of dimension `dof`; supports have up to `most` members. `refit` is memory.
pub(super) fn evidence(
    gram: &Gram,
    column: Column<'_>,
    support: &[usize],
    dof: usize,
    most: usize,
    refit: &mut Refit,
) -> Evidence {
    let dof = dof as f64;
    let size = support.len() as f64;
    let mut given = |log_ratio: f64| {
        let ridge = libm::exp(-log_ratio);
        refit.start(ridge);
        refit.set(gram, column, support);
        let pivots: f64 = (0..refit.support().len()).map(|i| refit.factor().pivot(i).ln()).sum();
        let square = refit.residual_square(column);
        -0.5 * dof * ((2.0 * std::f64::consts::PI * square / dof).ln() + 1.0) - pivots - 0.5 * size * log_ratio
    };
    let prior = -log_choices(gram.seen_count(), support.len()) - (most as f64 + 1.0).ln();
    if support.is_empty() {
        return Evidence { log: given(0.0) + prior, ratio: 0.0 };
    }
    // In units of a mean column's square: from a hundredth of the noise to a million times it.
    let mean_square = support.iter().map(|&j| gram.square(j)).sum::<f64>() / size;
    let (mut low, mut high) = (0.01_f64.ln() - mean_square.ln(), 1e6_f64.ln() - mean_square.ln());
    let mut inner = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let mut values = (given(inner.0), given(inner.1));
    for _ in 0..STEPS {
        if values.0 > values.1 {
            high = inner.1;
            inner = (high - GOLDEN * (high - low), inner.0);
            values = (given(inner.0), values.0);
        } else {
            low = inner.0;
            inner = (inner.1, low + GOLDEN * (high - low));
            values = (values.1, given(inner.1));
        }
    }
    let (log_ratio, log) = if values.0 > values.1 { (inner.0, values.0) } else { (inner.1, values.1) };
    Evidence { log: log + prior, ratio: libm::exp(log_ratio) }
}

//! Autoregressive noise of each column alone, of a given order or FILM's.
//!
//! `arP`: the process whose expected lag products are those of the column's residuals, the design's bias removed
//! ([`super::correction`]), as the pooled model has it without its pooling.
//!
//! `tukey-ar`: that of the autocorrelations of the residuals as they are, lag j times `(1 + cos(pi j / M)) / 2` up to
//! `M = floor(sqrt(n))`, n the number of frames (Woolrich et al. 2001, doi 10.1006/nimg.2001.0931). FILM divides by the root of
//! that window's spectrum; here it is the autoregression of order M that has these autocorrelations (0 at M), which is exact at
//! the ends of a run and over gaps, where a spectrum is circular and has neither.

use super::correction::{Correction, admitted};
use super::lag_products::{self, LagProducts};
use super::{NoiseField, SampledNoise, Settled};
use crate::error::CancelToken;
use crate::model::problem::ModelError;
use crate::model::process::{Autoregression, Layout};
use crate::model::samples::Samples;
use ndarray::Array2;
use rayon::prelude::*;

/// Residual degrees of freedom that a lag needs: its partial autocorrelation has a variance of about one over their number, so
/// that errors of all of an order make up a sixth at most. Also what the pooled model asks for.
pub(super) const DOF_A_LAG: usize = 6;

/// Solutions of the lags beyond the order, as the pooled model has them for each voxel.
const ITERATIONS: usize = 2;

/// Bytes a column: lag products, twice, and processes.
pub(super) const fn settling_bytes(order: usize) -> usize {
    2 * 4 * (order + 1) + process_bytes(order)
}

/// Bytes of a process: partial autocorrelations, their place, and what an allocation takes.
pub(super) const fn process_bytes(order: usize) -> usize {
    8 * order + 24 + 16
}

/// Lag from which on the window is 0, for a run of so many frames.
pub(super) const fn tukey_order(n_frames: usize) -> usize {
    n_frames.isqrt()
}

/// Autoregressive noise, each column its own.
pub(super) struct OwnAr {
    layout: Layout,
    order: usize,
    estimate: Estimate,
}

enum Estimate {
    /// The design's bias removed.
    Corrected(Correction),
    /// Times this, by lag.
    Tapered(Vec<f64>),
}

impl OwnAr {
    /// Of order `order`, for a design with the orthonormal basis `q` (kept frame x rank) whose frames are `lags` repetition times
    /// after one another.
    pub(super) fn corrected(q: &Array2<f64>, lags: &[usize], order: usize) -> Self {
        let layout = Layout::filled(lags);
        let estimate = Estimate::Corrected(Correction::new(&layout.basis(q), order));
        Self { layout, order, estimate }
    }

    /// FILM's.
    pub(super) fn tapered(q: &Array2<f64>, lags: &[usize]) -> Self {
        let layout = Layout::filled(lags);
        let order = tukey_order(q.nrows());
        let estimate = Estimate::Tapered(taper(&layout, order));
        Self { layout, order, estimate }
    }

    fn processes(&self, products: &[f32]) -> Vec<Autoregression> {
        match &self.estimate {
            Estimate::Corrected(correction) => correction.processes(products, ITERATIONS),
            Estimate::Tapered(taper) => {
                let of_column = |products: &[f32]| {
                    let mut own: Vec<f64> = products.iter().zip(taper).map(|(a, w)| f64::from(*a) * w).collect();
                    admitted(&mut own)
                };
                products.par_chunks(self.order + 1).with_min_len(256).map(of_column).collect()
            }
        }
    }
}

/// The window by lag, over what share of an unbroken run's pairs there are: a pair across no frame adds nothing to the sum.
fn taper(layout: &Layout, order: usize) -> Vec<f64> {
    let present = layout.present();
    let n_rows = present.len();
    let share = |lag: usize| {
        let pairs = (lag..n_rows).filter(|&row| present[row] && present[row - lag]).count();
        pairs as f64 / (n_rows - lag) as f64
    };
    let of_lag = |lag: usize| {
        let window = 0.5 * (1.0 + (std::f64::consts::PI * lag as f64 / order as f64).cos());
        if lag < order && share(lag) > 0.0 { window / share(lag) } else { 0.0 }
    };
    (0..=order).map(of_lag).collect()
}

impl SampledNoise for OwnAr {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Columns without residuals come out white: no lag products, no partial autocorrelation.
    fn settle(&self, samples: &Samples<'_>, cancel: &CancelToken) -> Result<Settled, ModelError> {
        let columns = 0..samples.series.n_columns();
        let measures = samples.measured(columns.clone(), self.order + 1, cancel, lag_products::measure)?;
        let products = LagProducts::new(&measures.view(), columns);
        drop(measures);
        Ok(NoiseField::Own(self.processes(&products.values)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::Basis;

    fn basis(n: usize) -> Array2<f64> {
        let design = Array2::from_shape_fn((n, 3), |(t, j)| match j {
            0 => 1.0,
            1 => f64::from(u8::from(t % 20 < 10)),
            _ => (t as f64 * std::f64::consts::PI / n as f64).cos(),
        });
        Basis::new(&design).unwrap().q
    }

    /// Residuals of AR noise of these coefficients, `n_columns` series, off the design `q`.
    fn residuals(q: &Array2<f64>, coefficients: &[f64], n_columns: usize) -> Array2<f64> {
        let (n, before) = (q.nrows(), 200);
        let mut state = 1_u64;
        // sums of twelve uniform numbers: normal but for a kurtosis of -.1, of which autocorrelations know nothing
        let mut normal = || {
            let mut uniform = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1_u64 << 53) as f64
            };
            (0..12).map(|_| uniform()).sum::<f64>() - 6.0
        };
        let mut y = Array2::zeros((n, n_columns));
        for mut column in y.columns_mut() {
            let mut x = vec![0.0; coefficients.len()];
            for t in 0..before + n {
                let next = normal() + coefficients.iter().zip(x.iter().rev()).map(|(c, x)| c * x).sum::<f64>();
                x.push(next);
                if t >= before {
                    column[t - before] = next;
                }
            }
        }
        &y - &q.dot(&q.t().dot(&y))
    }

    fn settle(model: &OwnAr, e: Array2<f64>) -> Vec<Autoregression> {
        let e = model.layout().spread(e);
        let mut measures = Array2::zeros((model.order + 1, e.ncols()));
        lag_products::measure(&e, measures.view_mut());
        model.processes(&LagProducts::new(&measures.view(), 0..e.ncols()).values)
    }

    fn mean_coefficients(processes: &[Autoregression]) -> Vec<f64> {
        let mut mean = vec![0.0; processes[0].partial().len()];
        for process in processes {
            mean.iter_mut().zip(process.coefficients()).for_each(|(sum, c)| *sum += c / processes.len() as f64);
        }
        mean
    }

    #[test]
    fn coefficients_are_the_simulated_ones() {
        let (n, n_columns) = (300, 400);
        let q = basis(n);
        for truth in [&[0.5, 0.3][..], &[0.4, 0.2, -0.3]] {
            let found = settle(&OwnAr::corrected(&q, &vec![1; n - 1], truth.len()), residuals(&q, truth, n_columns));
            for (found, truth) in mean_coefficients(&found).iter().zip(truth) {
                // standard error .003; what is left is Yule-Walker's own bias of about (1 + 3 c) / n
                assert!((found - truth).abs() < 0.018, "{found}, {truth}");
            }
            // of each column: a standard deviation of sqrt((1 - c^2) / n)
            let spread = found.iter().map(|own| (own.coefficients()[0] - truth[0]).powi(2)).sum::<f64>();
            assert!((spread / n_columns as f64).sqrt() < 0.068);
        }
    }

    /// The residuals of a design with slow columns are too white: without the correction the first coefficient is.
    #[test]
    fn the_designs_bias_is_removed() {
        let n = 100;
        let q = basis(n);
        let e = residuals(&q, &[0.6, 0.2], 400);
        let corrected = mean_coefficients(&settle(&OwnAr::corrected(&q, &vec![1; n - 1], 2), e.clone()));
        let products = |lag: usize| {
            let e = &e;
            (0..400).map(move |j| (lag..n).map(|t| e[(t, j)] * e[(t - lag, j)]).sum::<f64>())
        };
        let ratio = |lag: usize| products(lag).zip(products(0)).map(|(a, b)| a / b).sum::<f64>() / 400.0;
        let plain = Autoregression::of_autocovariances(&[1.0, ratio(1), ratio(2)], 0.99).unwrap().coefficients();
        let error = |found: &[f64]| (found[0] + found[1] - 0.8).abs();
        assert!(error(&corrected) < 0.5 * error(&plain), "{corrected:?} {plain:?}");
    }

    #[test]
    fn gaps_leave_lags_those_of_time() {
        let n = 300;
        let times: Vec<usize> = (0..n).filter(|time| time % 11 != 5 && time % 17 != 3).collect();
        let lags: Vec<usize> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let whole = residuals(&Array2::zeros((n, 0)), &[0.5, 0.3], 400);
        let q = Basis::new(&Array2::ones((times.len(), 1))).unwrap().q;
        let kept = whole.select(ndarray::Axis(0), &times);
        let e = &kept - &q.dot(&q.t().dot(&kept));
        let found = mean_coefficients(&settle(&OwnAr::corrected(&q, &lags, 2), e.clone()));
        assert!((found[0] - 0.5).abs() < 0.02 && (found[1] - 0.3).abs() < 0.02, "{found:?}");
        // and those under the window are as they are without gaps, but for the window
        let tapered = settle(&OwnAr::tapered(&q, &lags), e);
        let unbroken = settle(&OwnAr::tapered(&Array2::zeros((n, 0)), &vec![1; n - 1]), whole);
        let lag1 = |of: &[Autoregression]| of.iter().map(Autoregression::lag1).sum::<f64>() / of.len() as f64;
        assert!((lag1(&tapered) - lag1(&unbroken)).abs() < 0.02, "{} {}", lag1(&tapered), lag1(&unbroken));
    }

    #[test]
    fn the_window_is_tukeys() {
        let q = basis(60);
        let e = residuals(&q, &[0.5], 1);
        let found = &settle(&OwnAr::tapered(&q, &[1; 59]), e.clone())[0];
        let sum = |lag: usize| (lag..60).map(|t| e[(t, 0)] * e[(t - lag, 0)]).sum::<f64>();
        let window = |lag: usize| 0.5 * (1.0 + (std::f64::consts::PI * lag as f64 / 7.0).cos());
        // floor(sqrt(60)) = 7
        let gamma: Vec<f64> = (0..=7).map(|lag| if lag == 7 { 0.0 } else { sum(lag) * window(lag) }).collect();
        let expected = Autoregression::of_autocovariances(&gamma, 0.99).unwrap();
        assert_eq!(found.partial().len(), 7);
        for (a, b) in found.partial().iter().zip(expected.partial()) {
            assert!((a - b).abs() < 1e-6, "{a}, {b}"); // of single precision
        }
    }

    #[test]
    fn a_column_without_residuals_is_white() {
        let q = basis(60);
        for model in [OwnAr::corrected(&q, &[1; 59], 3), OwnAr::tapered(&q, &[1; 59])] {
            let found = settle(&model, Array2::zeros((60, 2)));
            assert!(found.iter().all(|process| process.partial().iter().all(|partial| *partial == 0.0)));
        }
    }
}

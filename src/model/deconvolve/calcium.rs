//! Spikes from fluorescence: non-negative deconvolution of a series of samples with an autoregressive response.
//!
//! ```text
//! min over s >= 0, b of 1/2 |y - b - c|^2 + lambda sum s        c_t = g_1 c_(t-1) + g_2 c_(t-2) + s_t
//! ```
//!
//! (Friedrich, Zhou and Paninski 2017, doi 10.1371/journal.pcbi.1005423.) The minimum is exact, for order 1 by pools, for order 2
//! by an active set, in time linear in the samples for each change of the set. The baseline is an unpenalised coefficient. The
//! problem is of one series: columns share nothing.

mod active_set;
mod baseline;
mod elimination;
mod error;
mod fit;
mod kernel;
mod noise;
mod parameters;
mod penalty;
mod pool;
mod search;
mod solver;
#[cfg(test)]
mod tests;

pub use error::CalciumError;
pub use kernel::Coefficients;
use noise::noise_sd;
pub use penalty::PenaltyFound;

use fit::Fit;
use solver::Solver;

/// Number of coefficients of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A jump and a decay.
    One,
    /// A rise and a decay.
    Two,
}

/// How the response to a spike is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CalciumKernel {
    /// Time constants by the least information criterion of the fit: robust where spikes come in bursts.
    Estimated(Order),
    /// Coefficients by the autocovariance of the series, as published; an error where they describe no calcium.
    Autocovariance(Order),
    /// From time constants in seconds; order 1 without a rise.
    TimeConstants {
        /// Of the rise.
        tau_rise_s: Option<f64>,
        /// Of the decay.
        tau_decay_s: f64,
    },
    /// As they are.
    Coefficients(Coefficients),
}

/// How the weight of the penalty is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CalciumPenalty {
    /// So many standard deviations of the noise, as the response to one spike sees it: `lambda = count sigma |h|`.
    Threshold(f64),
    /// The residual is as large as the noise: `|y - b - c|^2 = sigma^2 T`, as published.
    NoiseLevel,
    /// A number, in units of the data.
    Fixed(f64),
}

/// What calcium stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CalciumBaseline {
    /// A constant, estimated with the spikes.
    Constant,
    /// A running percentile, and a constant estimated with the spikes.
    Running {
        /// Length of the window.
        window_s: f64,
    },
}

/// A deconvolution of fluorescence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calcium {
    /// The response to a spike.
    pub kernel: CalciumKernel,
    /// Choice of the penalty.
    pub penalty: CalciumPenalty,
    /// What is below calcium.
    pub baseline: CalciumBaseline,
    /// Standard deviation of the noise; `None`: from the power at high frequencies.
    pub sigma: Option<f64>,
    /// Interval of samples in seconds.
    pub dt_s: f64,
}

/// Spikes and calcium of a series of `T` samples, in units of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Jumps of calcium, `T`. That of the first sample is 0: what is there at the start is [`initial`](Self::initial).
    pub spikes: Vec<f64>,
    /// Calcium above the baseline at the first sample.
    pub initial: f64,
    /// Fitted calcium without the baseline, `T`: the response to `spikes` and `initial`.
    pub calcium: Vec<f64>,
    /// The baseline, `T`; all the same unless it runs.
    pub baseline: Vec<f64>,
    /// Standard deviation of the noise.
    pub sigma: f64,
    /// Weight of the penalty.
    pub lambda: f64,
    /// How it was found.
    pub penalty: PenaltyFound,
    /// The response; `None` for a constant series, which has none.
    pub coefficients: Option<Coefficients>,
    /// Whether the conditions of optimality hold, to rounding.
    pub converged: bool,
}

/// Standard deviations of the noise in the penalty by which kernels are compared, and of the default penalty.
pub(super) const DEFAULT_THRESHOLD: f64 = 1.0;
/// Fewest samples.
const FEWEST: usize = 32;

impl Calcium {
    /// Estimated response, the default threshold, a constant baseline.
    pub fn of_order(order: Order, dt_s: f64) -> Self {
        Self {
            kernel: CalciumKernel::Estimated(order),
            penalty: CalciumPenalty::Threshold(DEFAULT_THRESHOLD),
            baseline: CalciumBaseline::Constant,
            sigma: None,
            dt_s,
        }
    }

    /// Deconvolves a series. A constant one has no spikes.
    ///
    /// # Errors
    /// [`CalciumError`]: a series that is too short, not finite or without noise; settings out of range; a response that is none.
    pub fn solve(&self, y: &[f64]) -> Result<Trace, CalciumError> {
        self.check(y)?;
        let (least, most) = y.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), y| (l.min(*y), m.max(*y)));
        if least >= most {
            return Ok(constant(y));
        }
        let floor = match self.baseline {
            CalciumBaseline::Constant => vec![0.0; y.len()],
            CalciumBaseline::Running { window_s } => baseline::running(y, (window_s / self.dt_s) as usize),
        };
        let y: Vec<f64> = y.iter().zip(&floor).map(|(y, floor)| y - floor).collect();
        let sigma = self.sigma.unwrap_or_else(|| noise_sd(&y));
        // Below rounding of the series there is no scale for a penalty.
        if sigma <= 1e-12 * (most - least) {
            return Err(CalciumError::NoNoise { sigma });
        }
        let kernel = self.kernel(&y, sigma)?;
        let (lambda, fit, penalty) = self.fit(kernel, &y, sigma);
        Ok(trace(fit, &floor, kernel, sigma, lambda, penalty))
    }

    fn check(&self, y: &[f64]) -> Result<(), CalciumError> {
        if y.len() < FEWEST {
            return Err(CalciumError::TooShort { found: y.len(), fewest: FEWEST });
        }
        if let Some(sample) = y.iter().position(|y| !y.is_finite()) {
            return Err(CalciumError::NotFinite { sample });
        }
        let positive = |name: &'static str, found: f64| {
            if found.is_finite() && found > 0.0 { Ok(()) } else { Err(CalciumError::Setting { name, found }) }
        };
        positive("interval of samples in seconds", self.dt_s)?;
        match self.penalty {
            CalciumPenalty::Threshold(count) => positive("threshold", count)?,
            CalciumPenalty::Fixed(lambda) => positive("penalty", lambda)?,
            CalciumPenalty::NoiseLevel => {}
        }
        if let CalciumBaseline::Running { window_s } = self.baseline {
            positive("window in seconds", window_s)?;
        }
        self.sigma.map_or(Ok(()), |sigma| positive("standard deviation of the noise", sigma))
    }

    fn kernel(&self, y: &[f64], sigma: f64) -> Result<Coefficients, CalciumError> {
        let number = |order| if order == Order::One { 1 } else { 2 };
        match self.kernel {
            CalciumKernel::Estimated(order) => search::best_kernel(y, number(order), sigma, DEFAULT_THRESHOLD)
                .ok_or(CalciumError::TooShort { found: y.len(), fewest: FEWEST }),
            CalciumKernel::Autocovariance(order) => parameters::estimate(y, number(order), sigma),
            CalciumKernel::TimeConstants { tau_rise_s, tau_decay_s } => {
                Coefficients::of_time_constants(tau_rise_s, tau_decay_s, self.dt_s)
            }
            CalciumKernel::Coefficients(coefficients) => Ok(coefficients),
        }
    }

    fn fit(&self, kernel: Coefficients, y: &[f64], sigma: f64) -> (f64, Fit, PenaltyFound) {
        let mut solver = Solver::new(kernel, y);
        match self.penalty {
            CalciumPenalty::Fixed(lambda) => (lambda, solver.fit(lambda), PenaltyFound::Fixed),
            CalciumPenalty::Threshold(count) => {
                let lambda = penalty::threshold(&kernel, y.len(), sigma, count);
                (lambda, solver.fit(lambda), PenaltyFound::Fixed)
            }
            CalciumPenalty::NoiseLevel => {
                let (most, start) = (solver.silencing(), penalty::threshold(&kernel, y.len(), sigma, 1.0));
                penalty::find(y, sigma * sigma * y.len() as f64, most, start, |lambda| solver.fit(lambda))
            }
        }
    }
}

fn trace(fit: Fit, floor: &[f64], kernel: Coefficients, sigma: f64, lambda: f64, penalty: PenaltyFound) -> Trace {
    let mut spikes = fit.spikes;
    let initial = spikes.first_mut().map_or(0.0, std::mem::take);
    Trace {
        spikes,
        initial,
        calcium: fit.calcium,
        baseline: floor.iter().map(|floor| floor + fit.baseline).collect(),
        sigma,
        lambda,
        penalty,
        coefficients: Some(kernel),
        converged: fit.converged,
    }
}

/// A series without change: all baseline.
fn constant(y: &[f64]) -> Trace {
    Trace {
        spikes: vec![0.0; y.len()],
        initial: 0.0,
        calcium: vec![0.0; y.len()],
        baseline: y.to_vec(),
        sigma: 0.0,
        lambda: 0.0,
        penalty: PenaltyFound::NoSignal,
        coefficients: None,
        converged: true,
    }
}

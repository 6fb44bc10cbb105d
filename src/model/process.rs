//! Stationary noise processes of more than one lag, and how they are whitened.

mod ar_precision;
mod arma11;
mod autoregression;
mod information;
mod layout;
mod whitened;
mod whitener;

pub(crate) use ar_precision::{ArPrecision, ArScratch};
pub use arma11::Arma11;
pub use autoregression::Autoregression;
pub(crate) use information::changes_of_variance;
pub(crate) use layout::Layout;
pub(crate) use whitened::{Whitened, WhitenedResiduals, gathered};
pub(crate) use whitener::Whitener;

/// A stationary process.
#[derive(Debug, Clone, PartialEq)]
pub enum Process {
    /// Autoregressive and moving average, both of order 1.
    Arma11(Arma11),
    /// Autoregressive of any order.
    Autoregression(Autoregression),
}

impl Process {
    /// Correlation of neighbouring frames.
    pub fn lag1(&self) -> f64 {
        match self {
            Self::Arma11(process) => process.lambda(),
            Self::Autoregression(process) => process.lag1(),
        }
    }

    /// Its whitening over the rows of `layout`.
    pub(crate) fn whitener(&self, layout: &Layout) -> Whitener {
        match self {
            Self::Arma11(process) => Whitener::Recursion(process.recursion(layout.lags())),
            Self::Autoregression(process) => Whitener::Prediction(process.predictions()),
        }
    }
}

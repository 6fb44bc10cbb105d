//! Deconvolution: what neural activity gave rise to the data, given the kernel it is convolved with.

mod auto;
mod calcium;
mod calcium_run;
mod column_estimates;
mod convolution_matrix;
mod drift_activity;
mod method;
mod methods;
mod noise_bins;
mod peb;
mod preparation;
mod ridge;
mod run;
mod sparse;
mod sweep;
mod wiener;

pub use auto::choose;
pub use calcium::{
    Calcium, CalciumBaseline, CalciumError, CalciumKernel, CalciumPenalty, Coefficients, Order, PenaltyFound, Trace,
};
pub use calcium_run::{CalciumActivity, FailedColumn, solve_calcium};
pub use column_estimates::ColumnEstimates;
pub use convolution_matrix::ConvolutionMatrix;
pub use drift_activity::DriftActivity;
pub use method::{Deconvolver, Operator, Solution, Wanted};
pub use methods::{CANDIDATES, DeconvolutionError};
pub use noise_bins::{RHO_CHOICES, rho_log_prior};
pub use peb::{Peb, PebError, PebHyperparameters, SpmActivity, SpmDeconvolution};
pub use preparation::Preparation;
pub use ridge::{LambdaChoice, Penalty, Ridge, RidgeError};
pub use run::{Extras, RunActivity, RunProblem};
pub use sparse::{Choice, Estimate, Shape, Sparse, SparseSettings};
pub use wiener::Wiener;

//! From fits to statistics: contrasts, their combination over runs, and their tails.
//!
//! Everything is computed block by block of columns, so that the q x q covariances of an F contrast exist for
//! one block at a time only.

mod combine;
mod distributions;
mod error_rates;
mod field;
mod incomplete_beta;
mod normal_tail;
mod problem;
mod quintic_table;
mod reference;
mod response;
mod statistics;
pub mod threshold;

pub use combine::combine_runs;
pub use distributions::{FisherF, StudentT};
pub use error_rates::{Bounds, ErrorRate, Verdict};
pub use field::{ContrastField, Dof, PreparedContrast, Spread};
pub use problem::InferenceError;
pub use reference::{Reference, ZTable};
pub use response::{DelayEstimate, ModelledRun, Response, responses};
pub use statistics::{RunContrast, StatMap, contrast_statistics};

//! From events to the design matrix of a run, and from contrast expressions to contrast matrices.

mod run_design;

pub use run_design::{ColumnRole, ContrastMatrix, RunDesign};

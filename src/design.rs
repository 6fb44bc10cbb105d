//! From events to the design matrix of a run, and from contrast expressions to contrast matrices.

mod assemble;
mod basis;
pub mod checks;
mod columns;
pub mod contrast;
mod exact;
pub mod figure;
mod kernel;
pub mod leverage;
mod orthogonal_basis;
mod oversampled;
pub mod ppi;
mod run_design;
mod stimuli;
pub mod xml;

pub use assemble::build_design;
pub use contrast::{ParsedContrast, parse_contrast, resolve_contrast};
pub use kernel::{response_kernel, table_kernel};
pub use run_design::{ColumnRole, ContrastMatrix, RunDesign};

use crate::error::{Diagnostic, Place};

/// The diagnostic at a place, where the value it is about has one.
fn placed(diagnostic: Diagnostic, place: Option<Place>) -> Diagnostic {
    Diagnostic { place, ..diagnostic }
}

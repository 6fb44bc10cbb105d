//! Diagnostics: what is wrong, where it stands, what was expected and what to do.
//!
//! Every room has its own error enum; each converts into a [`Diagnostic`], which carries a stable code and
//! the place of the mistake. Problems of one stage are collected in [`Diagnostics`] and shown together.

mod cancel;
mod counted;
mod diagnostic;
mod render;

pub use cancel::{CancelToken, Cancelled};
pub use counted::counted;
pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity, TextSource};
pub use render::{Styling, render};

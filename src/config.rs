//! What a pipeline file may say, and what it means once profile and overrides are applied.
//!
//! [`Settings`] and [`Numerics`] are what every later room sees: nothing in them is optional in the sense of
//! "default". No file but the pipeline file itself is read here.

mod located;
mod numerics;
mod settings;

pub use located::Located;
pub use numerics::*;
pub use settings::*;

//! Slow drift as columns of a design matrix, without the constant.

mod cosine;
mod polynomial;

pub use cosine::{cosine_columns, cosine_order};
pub use polynomial::polynomial_columns;

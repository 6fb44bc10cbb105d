//! Contrast expressions such as `house - face`, and the weights they mean in a run's design.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = signed { ("*" | "/") signed }
//! signed  = { "-" | "+" } atom
//! atom    = number | name | `any text` | "mean" "(" sum { "," sum } ")" | "(" sum ")"
//! ```
//!
//! A bare name is `[A-Za-z_][A-Za-z0-9_.]*`; any other column stands in backticks, where `*` and `?` make a glob. A glob
//! is one row per matching column, which an F tests together and `mean` averages. An expression is linear in the
//! columns: no products of columns, no division by one, no constant.

mod expression;
mod glob;
mod resolve;

pub use resolve::resolve_contrast;

use crate::config::{ContrastKind, ContrastSettings, Located};
use crate::error::{Diagnostic, Diagnostics};
use expression::{Term, linear_form};

/// A contrast whose expressions are understood but not yet tied to a run's columns.
#[derive(Debug, Clone)]
pub struct ParsedContrast {
    /// Its name.
    pub name: Located<String>,
    /// t or F.
    pub kind: ContrastKind,
    rows: Vec<ParsedRow>,
}

/// One expression.
#[derive(Debug, Clone)]
struct ParsedRow {
    source: Located<String>,
    terms: Vec<Term>,
}

/// Understands a contrast's expressions.
///
/// # Errors
/// What is no expression, or not a linear one, pointed at in the pipeline file; every bad row is reported.
pub fn parse_contrast(settings: &ContrastSettings) -> Result<ParsedContrast, Diagnostics> {
    let name = &settings.name.value;
    let mut problems = Diagnostics::new();
    let shape_is_right = match settings.kind {
        ContrastKind::T => settings.rows.len() == 1,
        ContrastKind::F => !settings.rows.is_empty(),
    };
    if !shape_is_right {
        let found = format!("contrast `{name}` has {} expressions", settings.rows.len());
        let wrong = Diagnostic::error("contrast-row-count", found);
        problems.push(
            super::placed(wrong, settings.name.place()).note("a t has one expression, an F a list of one or more"),
        );
    }
    let mut rows = Vec::new();
    for source in &settings.rows {
        match linear_form(&source.value) {
            Ok(terms) => rows.push(ParsedRow { source: source.clone(), terms }),
            Err(error) => {
                let place = source.place_within(error.range);
                let mut problem = Diagnostic::error(error.code, format!("{} in contrast `{name}`", error.message));
                if place.is_none() {
                    problem = problem.note(format!("expression: {}", source.value));
                }
                problem = super::placed(problem, place);
                problems.push(match error.hint {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                });
            }
        }
    }
    problems
        .finish(ParsedContrast { name: settings.name.clone(), kind: settings.kind, rows })
        .map(|(contrast, _)| contrast)
}

#[cfg(test)]
mod tests;

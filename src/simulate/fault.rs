//! A value of a simulation file that cannot be simulated: what it is, what was expected, and where it stands.

use crate::error::Diagnostic;
use toml::de::{DeTable, DeValue};

/// A step to a value in the file: a key, or the index of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Key(&'static str),
    Index(usize),
}
pub(super) use Step::{Index, Key};

/// A value that cannot be simulated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: Vec<Step>,
    pub(super) message: String,
    pub(super) expected: &'static str,
}

impl Fault {
    /// As a message without its place.
    pub(super) fn into_diagnostic(self) -> Diagnostic {
        Diagnostic::error("simulation-spec-value", self.message).note(format!("expected {}", self.expected))
    }
}

/// The bytes of the deepest value on the way to `at` that stands in the file.
pub(super) fn locate(table: &DeTable<'_>, at: &[Step]) -> Option<std::ops::Range<usize>> {
    let Some(Step::Key(first)) = at.first() else { return None };
    let mut value = table.get(*first)?;
    for step in &at[1..] {
        let next = match (step, value.get_ref()) {
            (Step::Key(key), DeValue::Table(table)) => table.get(*key),
            (Step::Index(index), DeValue::Array(array)) => array.get(*index),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => break,
        }
    }
    Some(value.span())
}

/// Collects faults.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    /// A fault unless `holds`.
    pub(super) fn require(&mut self, holds: bool, at: &[Step], message: String, expected: &'static str) {
        if !holds {
            self.0.push(Fault { at: at.to_vec(), message, expected });
        }
    }

    /// A number above 0.
    pub(super) fn positive(&mut self, value: f64, at: &[Step]) {
        let message = format!("`{}` is {value}", key_of(at));
        self.require(value.is_finite() && value > 0.0, at, message, "a positive number");
    }

    /// A number from 0 up.
    pub(super) fn not_negative(&mut self, value: f64, at: &[Step]) {
        let message = format!("`{}` is {value}", key_of(at));
        self.require(value.is_finite() && value >= 0.0, at, message, "a number from 0 up");
    }

    /// Numbers.
    pub(super) fn finite(&mut self, values: &[f64], at: &[Step]) {
        let message = format!("`{}` is {values:?}", key_of(at));
        self.require(values.iter().all(|value| value.is_finite()), at, message, "finite numbers");
    }

    /// A count within bounds that `expected` says.
    pub(super) fn count(
        &mut self,
        count: usize,
        bounds: std::ops::RangeInclusive<usize>,
        at: &[Step],
        expected: &'static str,
    ) {
        self.require(bounds.contains(&count), at, format!("`{}` is {count}", key_of(at)), expected);
    }

    /// A name that is a file name, a table column and a contrast operand at once, and not `taken`.
    pub(super) fn name<'a>(&mut self, name: &'a str, taken: &mut Vec<&'a str>, at: &[Step]) {
        let valid =
            name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
        self.require(valid, at, format!("`{name}` is no name"), "a letter, then letters and digits");
        let new = !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
        self.require(new, at, format!("`{name}` stands twice"), "names that differ by more than case");
        taken.push(name);
    }
}

/// The key a path ends in.
fn key_of(at: &[Step]) -> &'static str {
    let key = |step: &Step| if let Key(key) = step { Some(*key) } else { None };
    at.iter().rev().find_map(key).unwrap_or_default()
}

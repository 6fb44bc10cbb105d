//! Two JSON files, entry by entry: numbers within the tolerance, all else exactly, in any order of keys.

use super::tally::{Place, Tally};
use super::{Difference, Tolerance, both, unreadable};
use crate::error::Diagnostics;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Compares two JSON files; the count is of entries that are no object or array.
pub(super) fn compare_json(
    a: &Path,
    b: &Path,
    tolerance: Tolerance,
) -> Result<(usize, Option<Difference>), Diagnostics> {
    let (a, b) = both(a, b, |path| {
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error.to_string()))?;
        serde_json::from_slice::<Value>(&bytes).map_err(|error| Diagnostics::from(unreadable(path, &error.to_string())))
    })?;
    let mut tally = Tally::default();
    compare_values(&mut tally, tolerance, &mut Vec::new(), Some(&a), Some(&b));
    Ok(tally.finish())
}

fn compare_values(
    tally: &mut Tally,
    tolerance: Tolerance,
    place: &mut Vec<String>,
    a: Option<&Value>,
    b: Option<&Value>,
) {
    if names_bytes_or_version(place) {
        return;
    }
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                place.push(key.clone());
                compare_values(tally, tolerance, place, a.get(key), b.get(key));
                place.pop();
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                place.push(at.to_string());
                compare_values(tally, tolerance, place, a.get(at), b.get(at));
                place.pop();
            }
        }
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            let [a, b] = [a, b].map(|number| number.as_f64().unwrap_or(f64::NAN));
            tally.numbers(tolerance, a, b, || Place::Entry(pointer(place)));
        }
        (a, b) => {
            let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            tally.texts(&shown(a), &shown(b), || Place::Entry(pointer(place)));
        }
    }
}

/// Whether an entry names the bytes of an output or the version of a program, which may differ though every number
/// is equal within the tolerance; digests of inputs are compared.
fn names_bytes_or_version(place: &[String]) -> bool {
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    matches!(
        place[..],
        ["boldly" | "versions"]
            | ["subjects", _, "boldly"]
            | ["subjects", _, "outputs", _, "sha256" | "bytes"]
            | ["GeneratedBy", _, "Version"]
    )
}

/// A JSON pointer (RFC 6901).
fn pointer(place: &[String]) -> String {
    place.iter().flat_map(|part| ["/".to_owned(), part.replace('~', "~0").replace('/', "~1")]).collect()
}

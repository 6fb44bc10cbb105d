//! The JSON sidecar of an image: what BIDS says of its timing.

use super::table::read_text;
use crate::error::{Diagnostic, Diagnostics, Place, TextSource};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Suffixes of images, longest first.
const IMAGE_SUFFIXES: [&str; 6] = [".nii.gz", ".img.gz", ".hdr.gz", ".nii", ".img", ".hdr"];

/// Entities that a derivative may have and the raw image it came from has not; a raw sidecar lacks them all.
const DERIVATIVE_ENTITIES: [&str; 4] = ["space-", "res-", "den-", "desc-"];

/// Most by which an interval of `VolumeTiming` may differ from the first, seconds.
const TIMING_TOLERANCE_S: f64 = 1e-3;

/// Timing of an image as its sidecar states it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sidecar {
    /// The file.
    pub path: PathBuf,
    /// `RepetitionTime`, or the interval of an even `VolumeTiming`, seconds; finite.
    pub repetition_time_s: Option<f64>,
    /// `StartTime`: the time of the first frame after slice-time correction, seconds.
    pub start_time_s: Option<f64>,
    /// `SliceTiming`: when each slice is measured within a repetition, seconds.
    pub slice_timing_s: Option<Vec<f64>>,
    /// `TaskName`.
    pub task_name: Option<String>,
}

/// Reads the sidecar beside an image: the same name ending in `.json`, else the name without `desc-`, else without
/// `space-`, `res-` and `den-` too, as raw data have it. `None` where there is no such file.
///
/// # Errors
/// The file cannot be read, is no JSON object, or a field is of the wrong kind.
pub fn read_sidecar(bold: &Path) -> Result<(Option<Sidecar>, Diagnostics), Diagnostics> {
    let Some(path) = candidates(bold).into_iter().find(|path| path.is_file()) else {
        return Ok((None, Diagnostics::new()));
    };
    let text = read_text(&path, None)?;
    let fields = parse_object(&path, text, "fields such as `RepetitionTime`")?;
    let mut diagnostics = Diagnostics::new();
    let mut reader = FieldReader { path: &path, fields: &fields, diagnostics: &mut diagnostics };
    let repetition_time_s = reader.number("RepetitionTime");
    let volume_timing = reader.numbers("VolumeTiming");
    let start_time_s = reader.number("StartTime");
    let slice_timing_s = reader.numbers("SliceTiming");
    let task_name = reader.text("TaskName");
    let repetition_time_s =
        repetition_time_s.or_else(|| even_interval(&path, volume_timing.as_deref()?, &mut diagnostics));
    let sidecar = Sidecar { path, repetition_time_s, start_time_s, slice_timing_s, task_name };
    diagnostics.finish(Some(sidecar))
}

/// Where the sidecar of an image may be, best first.
fn candidates(bold: &Path) -> Vec<PathBuf> {
    let name = bold.file_name().unwrap_or_default().to_string_lossy();
    let stem = IMAGE_SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name);
    let without = |dropped: &[&str]| {
        let kept: Vec<&str> =
            stem.split('_').filter(|part| !dropped.iter().any(|entity| part.starts_with(entity))).collect();
        bold.with_file_name(format!("{}.json", kept.join("_")))
    };
    let mut paths = vec![without(&[]), without(&["desc-"]), without(&DERIVATIVE_ENTITIES)];
    paths.dedup();
    paths
}

/// The fields of a JSON object, of which `expected` says what they should be.
pub(super) fn parse_object(path: &Path, text: String, expected: &str) -> Result<Map<String, Value>, Diagnostics> {
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(Diagnostic::error("sidecar-malformed", format!("the sidecar holds {}", kind_of(&other)))
            .at(Place::file(path))
            .hint(format!("expected a JSON object with {expected}"))
            .into()),
        Err(error) => {
            let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let at = (line_start + error.column().saturating_sub(1)).min(text.len());
            let message = error.to_string();
            let reason = message.split(" at line ").next().unwrap_or(&message).to_owned();
            let source = Arc::new(TextSource { path: path.to_path_buf(), text });
            Err(Diagnostic::error("sidecar-malformed", "the sidecar is not valid JSON")
                .at(Place::Span { source, range: at..at + 1 })
                .label(reason)
                .into())
        }
    }
}

struct FieldReader<'a> {
    path: &'a Path,
    fields: &'a Map<String, Value>,
    diagnostics: &'a mut Diagnostics,
}

impl FieldReader<'_> {
    fn field<T>(&mut self, name: &str, expected: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            let message = format!("`{name}` is {}", kind_of(value));
            let problem = Diagnostic::error("sidecar-field", message).at(Place::field(self.path, name));
            self.diagnostics.push(problem.hint(format!("expected {expected}")));
        }
        read
    }

    fn number(&mut self, name: &str) -> Option<f64> {
        self.field(name, "a number of seconds", |value| value.as_f64().filter(|number| number.is_finite()))
    }

    fn numbers(&mut self, name: &str) -> Option<Vec<f64>> {
        self.field(name, "a list of numbers of seconds", |value| {
            value.as_array()?.iter().map(|item| item.as_f64().filter(|number| number.is_finite())).collect()
        })
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.field(name, "a text", |value| value.as_str().map(str::to_owned))
    }
}

/// The interval of evenly spaced volumes; sparse acquisitions, whose volumes are not, are an error.
fn even_interval(path: &Path, times_s: &[f64], diagnostics: &mut Diagnostics) -> Option<f64> {
    let first = times_s.get(1)? - times_s[0];
    let uneven = times_s.windows(2).position(|pair| (pair[1] - pair[0] - first).abs() > TIMING_TOLERANCE_S);
    let Some(at) = uneven else { return Some((times_s[times_s.len() - 1] - times_s[0]) / (times_s.len() - 1) as f64) };
    let message = format!(
        "volumes are not evenly spaced: {} s between volumes {} and {}, {first} s before",
        times_s[at + 1] - times_s[at],
        at + 1,
        at + 2
    );
    let problem = Diagnostic::error("sidecar-volume-timing", message).at(Place::field(path, "VolumeTiming"));
    diagnostics.push(problem.hint("runs need one repetition time"));
    None
}

pub(super) fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("the text `{text}`"),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
#[path = "sidecar/tests.rs"]
mod tests;

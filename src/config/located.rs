//! A value with its place in the pipeline file.

use crate::error::{Place, TextSource};
use serde::{Serialize, Serializer};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A value read from the pipeline file, and where it stood, so that a later stage can point at it.
///
/// Equality and serialisation are those of the value.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The pipeline file it came from; `None` for a default or a `--set` override.
    pub source: Option<(Arc<TextSource>, Range<usize>)>,
}

impl<T> Located<T> {
    /// A value that stands in no file.
    pub fn unplaced(value: T) -> Self {
        Self { value, source: None }
    }

    /// Its place, where it has one.
    pub fn place(&self) -> Option<Place> {
        self.source.as_ref().map(|(source, range)| Place::Span { source: Arc::clone(source), range: range.clone() })
    }

    /// The place of a part of it: for strings, `range` counts bytes of the unescaped value from its first
    /// character (the opening quote is skipped).
    pub fn place_within(&self, range: Range<usize>) -> Option<Place> {
        self.source.as_ref().map(|(source, own)| {
            let first = own.start + usize::from(source.text[own.clone()].starts_with(['"', '\'']));
            Place::Span {
                source: Arc::clone(source),
                range: (first + range.start).min(own.end)..(first + range.end).min(own.end),
            }
        })
    }
}

impl<T> Deref for Located<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Serialize> Serialize for Located<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

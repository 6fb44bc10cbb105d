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
    /// The text it came from (the pipeline file, or a `--set` override); `None` for a default.
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
        let (source, words) = self.words()?;
        let range = (words.start + range.start).min(words.end)..(words.start + range.end).min(words.end);
        Some(Place::Span { source, range })
    }

    /// Its place without quotes, so that carets stand under the words.
    pub fn place_of_words(&self) -> Option<Place> {
        let (source, range) = self.words()?;
        Some(Place::Span { source, range })
    }

    fn words(&self) -> Option<(Arc<TextSource>, Range<usize>)> {
        const QUOTES: [&str; 4] = ["\"\"\"", "'''", "\"", "'"];
        let (source, range) = self.source.as_ref()?;
        let text = source.text.get(range.clone()).unwrap_or_default();
        let quoted = |quote: &&str| text.len() > 2 * quote.len() && text.starts_with(*quote) && text.ends_with(*quote);
        let inset = QUOTES.into_iter().find(quoted).map_or(0, str::len);
        Some((Arc::clone(source), range.start + inset..range.end - inset))
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

//! The texts a configuration is read from: the pipeline file and the `--set` overrides.
//!
//! Each text has its own stretch of one joint coordinate axis, so that a span alone says which text it is in.

use super::Located;
use super::placed::Placed;
use crate::error::{Place, TextSource};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Name under which messages show an override.
pub(super) const OVERRIDE_NAME: &str = "--set";

/// The texts, and where each starts on the joint axis.
pub(super) struct Sources {
    texts: Vec<(usize, Arc<TextSource>)>,
}

impl Sources {
    /// The pipeline file's text from 0, then each override.
    pub(super) fn new(path: &Path, text: String, overrides: &[String]) -> Self {
        let mut start = 0;
        let all =
            std::iter::once((path, text)).chain(overrides.iter().map(|text| (Path::new(OVERRIDE_NAME), text.clone())));
        let texts = all
            .map(|(path, text)| {
                let own = start;
                start += text.len() + 1; // so that the end of one text is not the start of the next
                (own, Arc::new(TextSource { path: path.to_path_buf(), text }))
            })
            .collect();
        Self { texts }
    }

    /// The pipeline file's text.
    pub(super) fn pipeline(&self) -> &str {
        self.texts.first().map_or("", |(_, source)| &source.text)
    }

    /// Each override with its start on the joint axis.
    pub(super) fn overrides(&self) -> impl Iterator<Item = (usize, &str)> {
        self.texts.iter().skip(1).map(|(start, source)| (*start, source.text.as_str()))
    }

    fn locate(&self, span: &Range<usize>) -> Option<(Arc<TextSource>, Range<usize>)> {
        let (start, source) = self.texts.iter().rev().find(|(start, _)| *start <= span.start)?;
        Some((Arc::clone(source), span.start - start..span.end - start))
    }

    /// The place of a span.
    pub(super) fn place(&self, span: &Range<usize>) -> Option<Place> {
        self.locate(span).map(|(source, range)| Place::Span { source, range })
    }

    /// The place of a value without its quotes, so that carets stand under the words.
    pub(super) fn place_of_words(&self, span: &Range<usize>) -> Option<Place> {
        self.located(Placed { value: (), span: span.clone() }).place_of_words()
    }

    /// The text of a span.
    pub(super) fn text(&self, span: &Range<usize>) -> String {
        self.locate(span).and_then(|(source, range)| source.text.get(range).map(str::to_owned)).unwrap_or_default()
    }

    /// The value with the source it stood in.
    pub(super) fn located<T>(&self, placed: Placed<T>) -> Located<T> {
        Located { value: placed.value, source: self.locate(&placed.span) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_finds_its_text_and_loses_its_quotes() {
        let sources = Sources::new(Path::new("p.toml"), "a = 'xy'".into(), &["b=1".into(), "c=2".into()]);
        let starts: Vec<usize> = sources.overrides().map(|(start, _)| start).collect();
        assert_eq!(sources.text(&(4..8)), "'xy'");
        assert_eq!(sources.text(&(starts[1]..starts[1] + 3)), "c=2");
        let Some(Place::Span { source, range }) = sources.place_of_words(&(4..8)) else { panic!("a place") };
        assert_eq!((&source.text[range], source.path.to_str().unwrap()), ("xy", "p.toml"));
        let Some(Place::Span { source, .. }) = sources.place(&(starts[0]..starts[0] + 1)) else { panic!("a place") };
        assert_eq!(source.path.to_str().unwrap(), "--set");
    }
}

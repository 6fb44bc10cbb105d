//! Questions to a dataset: which files have these entities, suffix and extension.

use super::file::{BidsFile, Origin};
use super::name::same_label;

/// What files must have to be found; all of it.
///
/// ```
/// use boldly::inputs::bids::{Origin, Query};
/// let masks = Query::new().suffix("mask").label("desc", "brain").without("echo").origin(Origin::Derivative(0));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    subject: Option<String>,
    origin: Option<Origin>,
    suffix: Option<String>,
    extensions: Vec<String>,
    labels: Vec<(String, Vec<Option<String>>)>,
}

impl Query {
    /// Finds every file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Files of one subject (label without `sub-`).
    #[must_use]
    pub fn subject(mut self, label: &str) -> Self {
        self.subject = Some(label.to_owned());
        self
    }

    /// Files of one root.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Files with this suffix, such as `bold`.
    #[must_use]
    pub fn suffix(mut self, suffix: &str) -> Self {
        self.suffix = Some(suffix.to_owned());
        self
    }

    /// Files with this extension, such as `.tsv`; said twice, with either.
    #[must_use]
    pub fn extension(mut self, extension: &str) -> Self {
        self.extensions.push(extension.to_owned());
        self
    }

    /// NIfTI images, gzipped or not.
    #[must_use]
    pub fn images(self) -> Self {
        self.extension(".nii.gz").extension(".nii")
    }

    /// Files whose entity has this label; indices such as `run` are compared by number.
    #[must_use]
    pub fn label(self, key: &str, label: &str) -> Self {
        self.any_of(key, [Some(label)])
    }

    /// Files that lack this entity.
    #[must_use]
    pub fn without(self, key: &str) -> Self {
        self.any_of(key, [None])
    }

    /// Files whose entity has one of these labels; `None` is its absence.
    #[must_use]
    pub fn any_of<'a>(mut self, key: &str, labels: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let labels = labels.into_iter().map(|label| label.map(str::to_owned)).collect();
        self.labels.push((key.to_owned(), labels));
        self
    }

    /// The subject asked for, if one is.
    pub(super) fn asked_subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The root asked for, if one is.
    pub(super) fn asked_origin(&self) -> Option<Origin> {
        self.origin
    }

    /// Whether a file is one of those.
    pub fn matches(&self, file: &BidsFile) -> bool {
        let name = &file.name;
        self.suffix.as_ref().is_none_or(|suffix| suffix == name.suffix())
            && (self.extensions.is_empty() || self.extensions.iter().any(|extension| extension == name.extension()))
            && self.origin.is_none_or(|origin| origin == file.folder.origin)
            && (self.subject.is_none() || self.subject == file.folder.subject)
            && self.labels.iter().all(|(key, labels)| {
                let own = name.get(key);
                labels.iter().any(|label| has_label(key, own, label.as_deref()))
            })
    }
}

/// Whether an entity's label, or its absence, is the wanted one.
pub(super) fn has_label(key: &str, own: Option<&str>, wanted: Option<&str>) -> bool {
    match (own, wanted) {
        (Some(own), Some(wanted)) => same_label(key, own, wanted),
        (own, wanted) => own.is_none() && wanted.is_none(),
    }
}

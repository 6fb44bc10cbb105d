//! What there is, counted, for messages about what was not found.

use super::dataset::Root;
use super::file::BidsFile;
use super::name::{compare_labels, same_label};
use crate::error::{Diagnostic, counted};
use crate::inputs::table::{nearest, quoted};
use std::collections::BTreeMap;

/// Labels listed before the rest is only counted.
const MOST_LISTED: usize = 15;

/// Labels of an entity and how many files have each, in the order of labels; `None` is its absence, last.
pub(super) fn labels<'a>(files: &[&'a BidsFile], key: &str) -> Vec<(Option<&'a str>, usize)> {
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for file in files {
        *counts.entry(file.name.get(key)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => compare_labels(a, b),
        (a, b) => b.cmp(a),
    });
    counts
}

/// `task: nback (12), rest (24)`.
pub(super) fn line(files: &[&BidsFile], key: &str) -> String {
    let labels = labels(files, key);
    let shown: Vec<String> = labels
        .iter()
        .take(MOST_LISTED)
        .map(|(label, count)| format!("{} ({count})", label.map_or_else(|| format!("without {key}-"), str::to_owned)))
        .collect();
    let more = labels.len().saturating_sub(MOST_LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{key}: {}{more}", shown.join(", "))
}

/// A hint for a label that does not occur: the nearest ones, or how labels are written.
pub(super) fn label_hint(key: &str, label: &str, known: &[String]) -> Option<String> {
    if let Some(bare) = label.strip_prefix(key).and_then(|rest| rest.strip_prefix('-')) {
        return Some(format!("labels are written without `{key}-`: `{bare}`"));
    }
    let padded = known.iter().find(|known| same_label("run", known, label)); // `1` for `01`
    let near = padded.map_or_else(|| nearest(label, known), |padded| vec![padded.as_str()]);
    (!near.is_empty()).then(|| format!("did you mean {}?", quoted(&near)))
}

/// Adds where was searched, and what of it was passed over.
pub(super) fn searched<'a>(problem: Diagnostic, roots: impl Iterator<Item = &'a Root>) -> Diagnostic {
    roots.fold(problem, |problem, root| {
        let files: usize = root.tree.subjects.iter().map(|subject| subject.files.len()).sum();
        let subjects = counted(root.tree.subjects.len(), "subject");
        let found = format!("searched `{}`: {subjects}, {}", root.path.display(), counted(files, "functional file"));
        let skipped = &root.tree.skipped;
        let Some((path, reason)) = skipped.examples.first() else { return problem.note(found) };
        let are = format!("{} {}", counted(skipped.count, "name"), if skipped.count == 1 { "is" } else { "are" });
        problem.note(format!("{found}; {are} not BIDS, such as `{}`: {reason}", path.display()))
    })
}

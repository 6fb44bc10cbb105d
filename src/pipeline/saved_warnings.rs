//! Warnings as they are kept with results: no path in them depends on where the pipeline stands.

use crate::error::{Diagnostic, Diagnostics};
use crate::outputs::SavedWarning;
use crate::outputs::provenance::portable_path;
use std::path::{Path, PathBuf};

/// The warnings among `found`, each once; paths of `files` and of places are said relative to `base`.
pub(super) fn saved_warnings(found: Diagnostics, files: &[PathBuf], base: &Path) -> Vec<SavedWarning> {
    let portable = |text: &str| {
        // the longest first: one path may begin another
        let mut shown: Vec<(String, String)> =
            files.iter().map(|file| (file.display().to_string(), portable_path(file, base))).collect();
        shown.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        shown.into_iter().fold(text.to_owned(), |text, (path, said)| text.replace(&path, &said))
    };
    let saved = |warning: Diagnostic| SavedWarning {
        code: warning.code.to_owned(),
        message: portable(&warning.message),
        place: warning.place.as_ref().map(|place| place.in_words(|path| portable_path(path, base))),
        notes: warning.notes.iter().chain(&warning.hint).map(|note| portable(note)).collect(),
    };
    found.said_once().into_iter().map(saved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;

    #[test]
    fn no_path_says_where_the_pipeline_stands() {
        let file = PathBuf::from("/home/me/study/data/a_bold.nii.gz");
        let warning = Diagnostic::warning("columns-excluded", format!("odd: `{}`", file.display()))
            .at(Place::cell(Path::new("/home/me/study/data/events.tsv"), 7, Some("onset")))
            .note("as in /home/me/study/data/a_bold.nii.gz");
        let twice: Diagnostics = [warning.clone(), warning].into_iter().collect();
        let saved = saved_warnings(twice, &[file], Path::new("/home/me/study"));
        assert_eq!(saved.len(), 1);
        assert_eq!(saved[0].message, "odd: `data/a_bold.nii.gz`");
        assert_eq!(saved[0].place.as_deref(), Some("data/events.tsv, line 7, column onset"));
        assert_eq!(saved[0].notes, ["as in data/a_bold.nii.gz"]);
    }
}

//! Datasets of empty files for tests.

use crate::error::Diagnostics;
use std::path::Path;

/// A folder with files in it, gone with the value.
pub(super) struct Tree(tempfile::TempDir);

impl Tree {
    /// Empty files; `path=text` has content.
    pub(super) fn new(files: &[&str]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.add(files);
        tree
    }

    pub(super) fn add(&self, files: &[&str]) {
        for file in files {
            let (path, text) = file.split_once('=').unwrap_or((file, ""));
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Messages with paths below the folder.
    pub(super) fn shorten(&self, problems: &Diagnostics) -> String {
        let path = self.0.path().display().to_string();
        problems.to_string().replace(&format!("{path}/"), "").replace(&path, ".")
    }
}

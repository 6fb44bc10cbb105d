//! Paths below the output folder, valid by construction: nothing they name is outside it.

use super::OutputError;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};

const EXPECTED: &str = "names of ASCII letters, digits, `.`, `_` and `-`, at most 255 bytes each, none of them `.boldly`, separated by `/`";

/// A path below the output folder, with `/` between its parts.
///
/// Each part is ASCII letters, digits, `.`, `_` and `-`, and does not start with a dot (but `.bidsignore`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelativePath(String);

impl RelativePath {
    /// Checks a path.
    ///
    /// # Errors
    /// [`OutputError::Name`] for a path that is empty, absolute, holds `..`, a hidden part or any other character.
    pub fn new(text: impl Into<String>) -> Result<Self, OutputError> {
        let text = text.into();
        let allowed = |part: &str| {
            !part.is_empty()
                && part.len() <= 255
                && (!part.starts_with('.') || part == ".bidsignore")
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if text.split('/').all(allowed) {
            Ok(Self(text))
        } else {
            Err(OutputError::Name { what: "output path", found: text, expected: EXPECTED })
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it is, given the output folder.
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }

    /// Its parts, the folders first.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The JSON sidecar of a map or table: the same name with `.json` for `.nii.gz`, `.nii` or `.tsv`.
    #[must_use]
    pub fn sidecar(&self) -> Self {
        let stem = [".nii.gz", ".nii", ".tsv"].iter().find_map(|ending| self.0.strip_suffix(ending));
        Self(format!("{}.json", stem.unwrap_or(&self.0)))
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Borrow<str> for RelativePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RelativePath {
    type Error = OutputError;
    fn try_from(text: String) -> Result<Self, OutputError> {
        Self::new(text)
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_folder() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "a/../b",
            "a//b",
            "a/./b",
            "a/",
            ".boldly/format",
            ".BOLDLY/format",
            "a/.hidden",
            "a\\b",
            "C:x",
            "a\0b",
            "a\nb",
            "a b",
            "é",
            "a/\u{2024}\u{2024}/b",
        ] {
            assert!(RelativePath::new(bad).is_err(), "{bad:?}");
            let quoted = serde_json::to_string(bad).unwrap();
            assert!(serde_json::from_str::<RelativePath>(&quoted).is_err(), "{bad:?} in a manifest");
        }
        assert!(RelativePath::new("x".repeat(256)).is_err());
        for good in ["a", "objects/.bidsignore", "objects/sub-01/func/sub-01_stat-z_statmap.nii.gz"] {
            assert_eq!(RelativePath::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn sidecars_replace_the_whole_ending() {
        for (file, sidecar) in [("a.nii.gz", "a.json"), ("a.b.nii", "a.b.json"), ("a.tsv", "a.json")] {
            assert_eq!(RelativePath::new(file).unwrap().sidecar().as_str(), sidecar);
        }
    }
}

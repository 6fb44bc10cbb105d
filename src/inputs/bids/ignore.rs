//! `.bidsignore`: what of a raw dataset is not BIDS, in the words of `.gitignore`.

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::table::read_text;
use globset::{GlobBuilder, GlobMatcher};
use std::path::Path;

/// The rules of a `.bidsignore`, in its order.
#[derive(Debug, Default)]
pub(super) struct Ignore(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    matcher: GlobMatcher,
    /// It begins with `!`: what it matches is BIDS after all.
    keeps: bool,
    /// It ends with `/`: it matches folders alone.
    folders_only: bool,
}

impl Ignore {
    /// Reads the `.bidsignore` of a root; without one nothing is ignored. A pattern that cannot be read is a warning.
    pub(super) fn read(root: &Path, notes: &mut Diagnostics) -> Self {
        let path = root.join(".bidsignore");
        if !path.is_file() {
            return Self::default();
        }
        let text = match read_text(&path, None) {
            Ok(text) => text,
            Err(problems) => {
                let reason = problems.iter().next().map_or_else(String::new, |problem| problem.message.clone());
                notes.push(
                    Diagnostic::warning("bids-ignore-unreadable", "`.bidsignore` is not read: nothing is left out")
                        .at(Place::file(&path))
                        .note(reason),
                );
                return Self::default();
            }
        };
        let mut rules = Vec::new();
        for (index, line) in text.lines().enumerate() {
            match Rule::parse(line) {
                Ok(rule) => rules.extend(rule),
                Err(reason) => notes.push(
                    Diagnostic::warning(
                        "bids-ignore-pattern",
                        format!("`{line}` is no pattern: it leaves out nothing"),
                    )
                    .at(Place::cell(&path, index + 1, None))
                    .note(reason),
                ),
            }
        }
        Self(rules)
    }

    /// Whether a path below the root, with `/` between its parts, is left out. The last rule that matches counts; what
    /// lies in a folder that is left out is never asked about.
    pub(super) fn ignores(&self, relative: &str, is_folder: bool) -> bool {
        let matching = |rule: &&Rule| (is_folder || !rule.folders_only) && rule.matcher.is_match(relative);
        self.0.iter().rev().find(matching).is_some_and(|rule| !rule.keeps)
    }

    /// Whether there are no rules.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Rule {
    /// The rule of a line; `None` for comments and empty lines.
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (keeps, pattern) = line.strip_prefix('!').map_or((false, line), |pattern| (true, pattern));
        let (folders_only, pattern) = pattern.strip_suffix('/').map_or((false, pattern), |pattern| (true, pattern));
        // a slash within ties a pattern to the root; without one it matches at any depth
        let glob = match pattern.strip_prefix('/') {
            Some(tied) => tied.to_owned(),
            None if pattern.contains('/') => pattern.to_owned(),
            None => format!("**/{pattern}"),
        };
        // braces are no alternatives in `.gitignore`
        let glob = glob.replace('{', "[{]").replace('}', "[}]");
        let built = GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build();
        let matcher = built.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Some(Self { matcher, keeps, folders_only }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Ignore, Diagnostics) {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(".bidsignore"), text).unwrap();
        let mut notes = Diagnostics::new();
        let ignore = Ignore::read(root.path(), &mut notes);
        (ignore, notes)
    }

    #[test]
    fn the_rules_of_gitignore() {
        let (ignore, notes) = of("# not BIDS\r\n*_sbref.*  \n/task-a_*\nsub-02/\nsub-03/**/func/*_run-0[12]_*\n\
             !*_run-02_bold.nii\n\\#x\nsub-04/func\n**/extra/**\n");
        assert!(notes.is_empty());
        for (path, is_folder, expected) in [
            ("sub-01/func/sub-01_task-a_sbref.nii.gz", false, true),
            ("task-a_bold.json", false, true),
            ("sub-01/func/task-a_bold.json", false, false),
            ("sub-02", true, true),
            ("sub-02", false, false),
            ("sub-03/ses-1/func/sub-03_run-01_bold.nii", false, true),
            ("sub-03/func/sub-03_run-01_bold.nii", false, true),
            ("sub-03/func/sub-03_run-02_bold.nii", false, false),
            ("sub-03/func/sub-03_run-03_bold.nii", false, false),
            ("#x", false, true),
            ("sub-04/func", true, true),
            ("sub-05/func", true, false),
            ("sub-05/extra/a", false, true),
        ] {
            assert_eq!(ignore.ignores(path, is_folder), expected, "{path}");
        }
    }

    #[test]
    fn a_bad_pattern_is_said_and_passed_over() {
        let (ignore, notes) = of("sub-[\n*.log\n");
        assert!(ignore.ignores("sub-01/a.log", false) && !ignore.ignores("sub-[", true));
        assert_eq!(notes.iter().next().unwrap().code, "bids-ignore-pattern");
        let mut notes = Diagnostics::new();
        assert!(Ignore::read(Path::new("nowhere"), &mut notes).is_empty() && notes.is_empty());
    }
}

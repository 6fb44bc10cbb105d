//! The diagnostic itself: severity, stable code, message, place, notes and hint.

use super::counted;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The result is changed or doubtful in a way the message states; work goes on.
    Warning,
    /// The work of this stage (a pipeline, or one subject) cannot go on.
    Error,
}

/// A text file held for pointing into it: its name as the user typed it, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSource {
    /// The path as shown in messages.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// Where a problem stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A byte range of a text that is at hand, shown with its line and carets.
    Span {
        /// The text pointed into.
        source: Arc<TextSource>,
        /// The bytes meant; may be empty (a point).
        range: Range<usize>,
    },
    /// A cell or line of a table.
    Cell {
        /// The table's path.
        path: PathBuf,
        /// 1-based line in the file, header included.
        line: usize,
        /// Name of the column, where one cell is meant.
        column: Option<String>,
    },
    /// A field of a binary header or of a JSON sidecar.
    Field {
        /// The file's path.
        path: PathBuf,
        /// The field's name, such as `dim[4]` or `RepetitionTime`.
        field: String,
    },
    /// A file or folder as a whole.
    File(PathBuf),
}

impl Place {
    /// A place in a table: `line` is 1-based and counts the header.
    pub fn cell(path: &Path, line: usize, column: Option<&str>) -> Self {
        Self::Cell { path: path.to_path_buf(), line, column: column.map(str::to_owned) }
    }

    /// The file or folder it is in.
    pub fn path(&self) -> &Path {
        match self {
            Self::Span { source, .. } => &source.path,
            Self::Cell { path, .. } | Self::Field { path, .. } | Self::File(path) => path,
        }
    }

    /// The place in words, its path said by `path`: `events.tsv, line 7, column onset`.
    pub fn in_words(&self, path: impl Fn(&Path) -> String) -> String {
        match self {
            Self::Span { source, range } => {
                let before = source.text.get(..range.start).unwrap_or_default();
                format!("{}, line {}", path(&source.path), before.matches('\n').count() + 1)
            }
            Self::Cell { path: table, line, column } => {
                let column = column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
                format!("{}, line {line}{column}", path(table))
            }
            Self::Field { path: file, field } => format!("{}, {field}", path(file)),
            Self::File(file) => path(file),
        }
    }

    /// A named field of a header or sidecar.
    pub fn field(path: &Path, field: impl Into<String>) -> Self {
        Self::Field { path: path.to_path_buf(), field: field.into() }
    }

    /// A whole file.
    pub fn file(path: &Path) -> Self {
        Self::File(path.to_path_buf())
    }
}

/// One problem, said in the order: what and where, what was found, what was expected, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code in kebab case, listed in `docs/errors.md`, such as `contrast-unknown-condition`.
    pub code: &'static str,
    /// One lower-case sentence without a final stop; literals in backticks.
    pub message: String,
    /// Where it stands.
    pub place: Option<Place>,
    /// Text beside the carets of a [`Place::Span`], such as "did you mean `house`?".
    pub label: Option<String>,
    /// Facts that help: what was found, what was expected.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error with a stable code.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    /// A warning with a stable code; the message says what it changes in the result.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: &'static str, message: String) -> Self {
        Self { severity, code, message, place: None, label: None, notes: Vec::new(), hint: None }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds the text beside the carets.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&super::render(self, super::Styling::Plain))
    }
}

impl std::error::Error for Diagnostic {}

/// The problems of one stage, in the order found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem.
    pub fn push(&mut self, diagnostic: impl Into<Diagnostic>) {
        self.0.push(diagnostic.into());
    }

    /// Takes over all problems of `other`.
    pub fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// Keeps the value of a success; on failure keeps the problems and gives `None`, so that work that does
    /// not depend on the value can go on and find more.
    pub fn collect<T, E: Into<Diagnostics>>(&mut self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problems) => {
                self.extend(problems.into());
                None
            }
        }
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each problem once, in the order of first mention: work that reads one file twice finds the same twice.
    #[must_use]
    pub fn said_once(self) -> Self {
        let mut kept = Vec::with_capacity(self.0.len());
        for problem in self.0 {
            if !kept.contains(&problem) {
                kept.push(problem);
            }
        }
        Self(kept)
    }

    /// Problems of one code and message that stand at one place of the pipeline file become one, with the number of
    /// the others as a note: a key that all runs share is wrong in the file of each.
    #[must_use]
    pub fn folded_by_key(self) -> Self {
        let mut kept: Vec<(Diagnostic, usize)> = Vec::with_capacity(self.0.len());
        for problem in self.0 {
            let is_span = matches!(problem.place, Some(Place::Span { .. }));
            let same = |(other, _): &&mut (Diagnostic, usize)| {
                is_span
                    && (other.severity, other.code, &other.message, &other.place)
                        == (problem.severity, problem.code, &problem.message, &problem.place)
            };
            match kept.iter_mut().find(same) {
                Some((_, others)) => *others += 1,
                None => kept.push((problem, 0)),
            }
        }
        let noted = |(problem, others): (Diagnostic, usize)| match others {
            0 => problem,
            _ => problem.note(format!("so it is with {}", counted(others, "more file"))),
        };
        Self(kept.into_iter().map(noted).collect())
    }

    /// `Ok(value)` when there are no errors (warnings are handed on beside it), else all problems.
    ///
    /// # Errors
    /// Gives the problems back when one of them is an error.
    pub fn finish<T>(self, value: T) -> Result<(T, Diagnostics), Diagnostics> {
        if self.has_errors() { Err(self) } else { Ok((value, self)) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_a_shared_key_is_one_problem() {
        let source = Arc::new(TextSource { path: "p.toml".into(), text: "columns = [\"a\"]".to_owned() });
        let place = Place::Span { source, range: 11..14 };
        let of_file = |file: &str| Diagnostic::error("x", "no column").at(place.clone()).note(format!("in {file}"));
        let cell = |line| Diagnostic::error("x", "no column").at(Place::cell(Path::new("c.tsv"), line, None));
        let problems: Diagnostics = [of_file("1"), cell(2), of_file("2"), cell(2), of_file("3")].into_iter().collect();
        let folded: Vec<Diagnostic> = problems.folded_by_key().into_iter().collect();
        assert_eq!(folded, [of_file("1").note("so it is with 2 more files"), cell(2), cell(2)]);
    }
}

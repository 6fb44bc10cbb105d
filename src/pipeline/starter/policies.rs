//! What a pipeline must say of odd events so that they can be read: only what the plan asked for.

use crate::error::{Diagnostic, Place};
use crate::inputs::table_header;
use std::collections::BTreeMap;

/// Columns that are never a condition.
const NOT_CONDITIONS: [&str; 8] =
    ["onset", "duration", "sample", "response_time", "stim_file", "value", "HED", "index"];
/// Columns that name conditions where there is no `trial_type`, best first.
const CONDITION_COLUMNS: [&str; 7] =
    ["condition", "trial_type", "event_type", "stim_type", "stimulus_type", "stimulus", "type"];

/// Keys to write, by their table, with the reason.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Policies {
    keys: BTreeMap<(&'static str, &'static str), Policy>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    /// As TOML.
    pub(super) value: String,
    /// What was found, for a comment.
    pub(super) reason: &'static str,
}

/// Code of a problem; table, key and value that settle it; what was found.
const SETTLED: [(&str, &str, &str, &str, &str); 6] = [
    ("events-condition-missing", "events", "missing_condition_label", "\"drop\"", "some rows name no condition"),
    (
        "events-duration-missing",
        "events",
        "missing_duration",
        "\"zero\"",
        "some rows have no duration: taken for impulses",
    ),
    ("events-outside-run", "events", "outside_run", "\"drop\"", "some events are outside the run"),
    ("events-duplicate", "events", "duplicates", "\"sum\"", "some conditions start twice at one time"),
    ("contrast-condition-absent", "design", "when_condition_absent", "\"skip-run\"", "some runs lack a condition"),
    ("confounds-first-row", "confounds", "first_row_nan", "\"copy-next\"", "derivatives have no first value"),
];

impl Policies {
    /// Adds what settles these problems; tells whether anything is new.
    pub(super) fn adapt<'a>(&mut self, problems: impl Iterator<Item = &'a Diagnostic>) -> bool {
        let known = self.keys.len();
        for problem in problems {
            for (code, table, key, value, reason) in SETTLED {
                if problem.code == code {
                    self.add(table, key, value.to_owned(), reason);
                }
            }
            if problem.code == "events-condition-column-missing"
                && let Some(column) = problem.place.as_ref().and_then(condition_column)
            {
                self.add("events", "condition_column", format!("{column:?}"), "there is no column `trial_type`");
            }
        }
        self.keys.len() > known
    }

    fn add(&mut self, table: &'static str, key: &'static str, value: String, reason: &'static str) {
        self.keys.entry((table, key)).or_insert(Policy { value, reason });
    }

    /// The keys of a table.
    pub(super) fn of(&self, table: &str) -> impl Iterator<Item = (&'static str, &Policy)> {
        self.keys.iter().filter(move |((own, _), _)| *own == table).map(|((_, key), policy)| (*key, policy))
    }
}

/// The column of an events table that most likely names the conditions.
fn condition_column(place: &Place) -> Option<String> {
    let columns = table_header(place.path()).ok()?;
    let known = CONDITION_COLUMNS.iter().find(|name| columns.iter().any(|column| column == *name));
    let other = || columns.iter().find(|column| !NOT_CONDITIONS.contains(&column.as_str()));
    known.map(|name| (*name).to_owned()).or_else(|| other().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_adds_its_key_once() {
        let mut policies = Policies::default();
        let problems = [
            Diagnostic::error("events-duration-missing", "a"),
            Diagnostic::error("events-duration-missing", "b"),
            Diagnostic::error("tr-conflict", "c"),
        ];
        assert!(policies.adapt(problems.iter()));
        assert!(!policies.adapt(problems.iter()), "nothing new");
        let keys: Vec<_> = policies.of("events").map(|(key, policy)| (key, policy.value.as_str())).collect();
        assert_eq!(keys, [("missing_duration", "\"zero\"")]);
        assert_eq!(policies.of("design").count(), 0);
    }

    #[test]
    fn the_likeliest_column_names_the_conditions() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.tsv");
        for (header, column) in [
            ("onset\tduration\tcolour\tcondition", Some("condition")),
            ("onset\tduration\tcolour", Some("colour")),
            ("onset\tduration", None),
        ] {
            std::fs::write(&file, format!("{header}\n")).unwrap();
            assert_eq!(condition_column(&Place::file(&file)).as_deref(), column, "{header}");
        }
    }
}

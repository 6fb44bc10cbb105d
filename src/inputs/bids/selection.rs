//! Which runs are wanted.

use super::file::BidsFile;
use super::query::has_label;
use crate::config::Located;
use crate::error::Place;
use std::collections::BTreeMap;

/// A label that an entity must have, or its absence.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// The label, without its `key-`.
    Label(Located<String>),
    /// Files without the entity, such as those in the space of the run.
    Without,
}

impl Choice {
    /// A label that stands in no pipeline file.
    pub fn label(text: &str) -> Self {
        Self::Label(Located::unplaced(text.to_owned()))
    }
}

/// Which runs are wanted. What is empty or `None` is not stated; then the data must leave no choice.
///
/// Labels are written without their `key-`. A label's place, where it has one, is where messages about it point.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Tasks; not stated: the only one there is.
    pub tasks: Vec<Located<String>>,
    /// Subjects; not stated: all that have such a run.
    pub subjects: Vec<Located<String>>,
    /// Sessions; not stated: all.
    pub sessions: Vec<Located<String>>,
    /// Runs, compared by number; not stated: all.
    pub runs: Vec<Located<String>>,
    /// Space; not stated: the only one there is.
    pub space: Option<Choice>,
    /// Resolution; not stated: the only one there is.
    pub res: Option<Choice>,
    /// Description; not stated: the only one there is, else `preproc`.
    pub desc: Option<Choice>,
    /// Echo; not stated: the run's only image, else of derivatives the one without echo, which combines them.
    pub echo: Option<Choice>,
    /// Acquisition; not stated: the run's only one.
    pub acq: Option<Choice>,
    /// Other entities by key, such as `rec`, `dir`, `ce`, `part`, `den`.
    pub others: BTreeMap<String, Choice>,
}

/// One entity's part of a selection.
pub(super) struct Wanted<'a> {
    pub(super) key: &'a str,
    /// `None`: the entity's absence.
    pub(super) labels: Vec<(Option<&'a str>, Option<Place>)>,
}

impl Wanted<'_> {
    pub(super) fn allows(&self, file: &BidsFile) -> bool {
        let own = file.name.get(self.key);
        self.labels.iter().any(|(label, _)| has_label(self.key, own, *label))
    }
}

impl Selection {
    /// The runs of one task.
    pub fn of_task(task: &str) -> Self {
        Self { tasks: vec![Located::unplaced(task.to_owned())], ..Self::default() }
    }

    /// What is stated of entities other than the subject.
    pub(super) fn wanted(&self) -> Vec<Wanted<'_>> {
        let lists = [("task", &self.tasks), ("ses", &self.sessions), ("run", &self.runs)];
        let listed = lists.into_iter().filter(|(_, labels)| !labels.is_empty()).map(|(key, labels)| Wanted {
            key,
            labels: labels.iter().map(|label| (Some(label.value.as_str()), label.place_of_words())).collect(),
        });
        let choices = [("space", &self.space), ("res", &self.res), ("desc", &self.desc)];
        let choices = choices.into_iter().chain([("echo", &self.echo), ("acq", &self.acq)]);
        let choices = choices.filter_map(|(key, choice)| Some((key, choice.as_ref()?)));
        let chosen = choices.chain(self.others.iter().map(|(key, choice)| (key.as_str(), choice)));
        listed
            .chain(chosen.map(|(key, choice)| Wanted {
                key,
                labels: vec![match choice {
                    Choice::Label(label) => (Some(label.value.as_str()), label.place_of_words()),
                    Choice::Without => (None, None),
                }],
            }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_stated_is_wanted() {
        let mut selection = Selection::of_task("rest");
        selection.space = Some(Choice::Without);
        selection.others.insert("rec".to_owned(), Choice::label("norm"));
        let wanted: Vec<_> = selection
            .wanted()
            .iter()
            .map(|wanted| (wanted.key.to_owned(), wanted.labels[0].0.map(str::to_owned)))
            .collect();
        let text = |text: &str| text.to_owned();
        let expected = [(text("task"), Some(text("rest"))), (text("space"), None), (text("rec"), Some(text("norm")))];
        assert_eq!(wanted, expected);
    }
}

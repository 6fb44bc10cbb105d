//! BIDS labels of an input: from its keys, else from the entities in its file's name.

use super::{Resolver, is_label};
use crate::config::placed::Placed;
use crate::config::{Labels, Located};
use crate::error::Diagnostic;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The label keys of a `[[run]]` or `[[timeseries]]`.
pub(super) struct LabelKeys {
    pub(super) subject: Option<Placed<String>>,
    pub(super) session: Option<Placed<String>>,
    pub(super) task: Option<Placed<String>>,
    pub(super) run: Option<Placed<String>>,
    pub(super) space: Option<Placed<String>>,
}

/// Key, and entity in file names.
const ENTITIES: [(&str, &str); 6] =
    [("subject", "sub"), ("session", "ses"), ("task", "task"), ("run", "run"), ("space", "space"), ("res", "res")];

/// The entities of a file's name: `sub-01_run-1_bold.nii.gz` has `sub` `01` and `run` `1`.
fn entities(file: &Path) -> BTreeMap<String, String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.split('.').next().unwrap_or_default();
    stem.split('_')
        .filter_map(|part| part.split_once('-'))
        .map(|(key, label)| (key.to_owned(), label.to_owned()))
        .collect()
}

impl Resolver<'_> {
    /// The labels of the input at `element` (`run[0]`) whose data are in `file`.
    pub(super) fn labels(&mut self, keys: LabelKeys, file: &Located<PathBuf>, element: &str) -> Labels {
        let from_name = entities(&file.value);
        let given = [keys.subject, keys.session, keys.task, keys.run, keys.space, None];
        let [subject, session, task, run, space, res] = std::array::from_fn(|at| {
            let (key, entity) = ENTITIES[at];
            match &given[at] {
                Some(label) => Some(self.label_of_key(label, entity)),
                None if self.told(&format!("{element}.{key}")) => None,
                None => from_name.get(entity).map(|label| self.label_of_name(label, key, entity, file)),
            }
        });
        if subject.is_none() && !self.told(&format!("{element}.subject")) {
            let mut diagnostic = Diagnostic::error("input-without-subject", "no subject is known for this input")
                .note("the file's name has no `sub-` entity")
                .hint("add subject = \"01\"");
            diagnostic.place = file.place_of_words();
            self.shape.problems.push(diagnostic);
        }
        Labels { subject: subject.unwrap_or_default(), session, task, run, space, res }
    }

    fn label_of_key(&mut self, label: &Placed<String>, entity: &str) -> String {
        self.require_label(label, entity);
        label.value.clone()
    }

    /// That the label of an entity, as a key says it, may stand in a file's name.
    pub(super) fn require_label(&mut self, label: &Placed<String>, entity: &str) {
        if !is_label(&label.value) {
            let message = format!("`{}` is no label of `{entity}-`: it is not letters and digits", label.value);
            let mut diagnostic =
                Diagnostic::error("config-label", message).note("expected: [A-Za-z0-9]+, as in BIDS file names");
            if let Some(bare) = label.value.strip_prefix(&format!("{entity}-")).filter(|bare| is_label(bare)) {
                diagnostic = diagnostic.hint(format!("write \"{bare}\""));
            }
            self.say(diagnostic, &label.span);
        }
    }

    fn label_of_name(&mut self, label: &str, key: &str, entity: &str, file: &Located<PathBuf>) -> String {
        if !is_label(label) {
            let message = format!("label `{label}` of `{entity}-` in the file's name is not letters and digits");
            let diagnostic =
                Diagnostic::error("config-label", message).note("expected: [A-Za-z0-9]+, as in BIDS file names");
            let hint = if key == "res" {
                "rename the file".to_owned()
            } else {
                format!("give the key `{key}`, which wins over the name")
            };
            let place = file.place_of_words();
            self.shape.problems.push(Diagnostic { place, ..diagnostic.hint(hint) });
        }
        label.to_owned()
    }

    /// Says which inputs have the labels of one before them, ignoring case.
    pub(super) fn distinct(&mut self, inputs: &[(Labels, Located<PathBuf>)]) {
        let mut seen: BTreeMap<String, &Located<PathBuf>> = BTreeMap::new();
        for (labels, file) in inputs {
            if labels.subject.is_empty() {
                continue;
            }
            let entities = describe(labels);
            if let Some(first) = seen.get(&entities.to_lowercase()) {
                let mut diagnostic = Diagnostic::error("input-duplicate-labels", format!("two inputs are {entities}"))
                    .note(format!("the other is {}", first.value.display()))
                    .hint("give them different `run` or `session` labels, or `space` labels where they are two versions of one run");
                diagnostic.place = file.place_of_words();
                self.shape.problems.push(diagnostic);
            } else {
                seen.insert(entities.to_lowercase(), file);
            }
        }
    }
}

/// `sub-01 task-rest run-1`.
pub(super) fn describe(labels: &Labels) -> String {
    let values = [
        Some(&labels.subject),
        labels.session.as_ref(),
        labels.task.as_ref(),
        labels.run.as_ref(),
        labels.space.as_ref(),
        labels.res.as_ref(),
    ];
    let named = ENTITIES.iter().zip(values).filter_map(|((_, entity), value)| Some(format!("{entity}-{}", value?)));
    named.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_has_entities_a_folder_has_none() {
        let found = entities(Path::new("sub-99/ses-02/sub-01_task-a_run-1_space-T1w_res-2_desc-preproc_bold.nii.gz"));
        let found: Vec<String> = found.into_iter().map(|(key, label)| format!("{key}={label}")).collect();
        assert_eq!(found, ["desc=preproc", "res=2", "run=1", "space=T1w", "sub=01", "task=a"]);
        assert!(entities(Path::new("/")).is_empty());
        assert!(entities(Path::new("sub-01/bold.nii")).is_empty());
    }
}

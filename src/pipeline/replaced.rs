//! Results of other data that a run takes the place of: a folder holds one analysis of a subject, and what the last one made and
//! this one does not is removed. Where that is another task, session or space it may not have been meant.

use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::outputs::{Manifest, OutputFolder, RelativePath};
use std::collections::BTreeSet;

/// Entities that say of which data an output is.
const ENTITIES: [&str; 4] = ["ses-", "task-", "space-", "res-"];

/// A warning where outputs of the manifest before are of data that those of the manifest now are not of.
pub(super) fn other_data(folder: &OutputFolder, subject: &str, before: &Manifest, now: &Manifest) -> Diagnostics {
    let kept: BTreeSet<String> = now.outputs.keys().map(data_of).collect();
    let gone: Vec<&RelativePath> = before.outputs.keys().filter(|path| !kept.contains(&data_of(path))).collect();
    let Some(first) = gone.first() else { return Diagnostics::new() };
    let of: BTreeSet<String> = gone.iter().map(|path| data_of(path)).collect();
    let of: Vec<String> = of.into_iter().collect();
    let files = counted(gone.len(), "file");
    Diagnostic::warning("output-other-data", format!("{files} of an earlier analysis of sub-{subject} were removed"))
        .at(Place::file(folder.root()))
        .note(format!("they were of {}, of which this run makes none", of.join(", ")))
        .note(format!("such as {first}"))
        .hint("a folder holds one analysis: give each task, session or space its own, `--out DIR`")
        .into()
}

/// `task-objects space-T1w`: what the name of an output says of its data.
fn data_of(path: &RelativePath) -> String {
    let text = path.to_string();
    let name = text.rsplit('/').next().unwrap_or_default();
    let entities = name.split('_').filter(|part| ENTITIES.iter().any(|entity| part.starts_with(entity)));
    entities.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_of_the_data_are_told_from_those_of_the_output() {
        let of = |path: &str| data_of(&RelativePath::new(path).unwrap());
        assert_eq!(
            of("m/sub-01/func/sub-01_task-a_run-1_space-T1w_contrast-b_stat-z_statmap.nii.gz"),
            "task-a space-T1w"
        );
        assert_eq!(of("m/dataset_description.json"), "");
    }
}

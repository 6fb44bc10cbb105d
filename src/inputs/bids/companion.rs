//! What belongs to a run beside its image: events, confounds, a brain mask.

use super::dataset::{BidsDataset, Root};
use super::file::BidsFile;
use super::inheritance::{nearest, present};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::table::list;
use std::path::{Path, PathBuf};

/// Entities of an image that its confounds lack: they are of the run, whatever space or echo the image is of.
const NOT_OF_CONFOUNDS: [&str; 8] = ["space", "cohort", "res", "den", "desc", "echo", "part", "hemi"];

/// Entities in which a brain mask may differ from its image; space and resolution must be the same.
const NOT_OF_MASKS: [&str; 3] = ["desc", "echo", "part"];

/// A file that belongs to a run, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Companion {
    /// Its path, as the root was given.
    Found(PathBuf),
    /// There is none; the diagnostics say what was searched and what was found.
    Missing(Diagnostics),
    /// There are several, or its content is not there.
    Unusable(Diagnostics),
}

impl Companion {
    /// The path, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Found(path) => Some(path),
            Self::Missing(_) | Self::Unusable(_) => None,
        }
    }

    /// The path, for work that cannot do without.
    ///
    /// # Errors
    /// There is none, there are several, or its content is not there.
    pub fn required(&self) -> Result<&Path, Diagnostics> {
        match self {
            Self::Found(path) => Ok(path),
            Self::Missing(problem) | Self::Unusable(problem) => Err(problem.clone()),
        }
    }

    /// The path, for work that can do without.
    ///
    /// # Errors
    /// There are several, or its content is not there.
    pub fn if_any(&self) -> Result<Option<&Path>, Diagnostics> {
        match self {
            Self::Found(path) => Ok(Some(path)),
            Self::Missing(_) => Ok(None),
            Self::Unusable(problem) => Err(problem.clone()),
        }
    }

    fn of(found: Result<Option<&BidsFile>, Diagnostics>, missing: impl FnOnce() -> Diagnostic) -> Self {
        let checked = found.and_then(|file| file.map(|file| present(file).map(|()| file.path())).transpose());
        match checked {
            Ok(Some(path)) => Self::Found(path),
            Ok(None) => Self::Missing(missing().into()),
            Err(problem) => Self::Unusable(problem),
        }
    }
}

impl BidsDataset {
    /// The events of an image: by the inheritance principle in the raw dataset, else in the derivatives.
    pub fn events_of(&self, bold: &BidsFile) -> Companion {
        let raw_first = self.roots().iter();
        let found =
            raw_first.map(|root| nearest(root, bold, "events", ".tsv")).find(|found| !matches!(found, Ok(None)));
        Companion::of(found.unwrap_or(Ok(None)), || {
            let problem = self.missing("bids-no-events", "events", bold);
            let note = "an events table applies where all its entities are among the image's";
            self.what_there_is(problem.note(note), bold, &|file| is_table(file, "events"))
        })
    }

    /// The confounds of an image, as fMRIPrep names them: `desc-confounds_timeseries`, before version 20.2
    /// `desc-confounds_regressors`, at first `confounds`. Its own root comes first.
    pub fn confounds_of(&self, bold: &BidsFile) -> Companion {
        let is_confounds = |file: &BidsFile| {
            let of_desc = |suffix: &str| is_table(file, suffix) && file.name.get("desc") == Some("confounds");
            of_desc("timeseries") || of_desc("regressors") || is_table(file, "confounds")
        };
        let fits = |file: &BidsFile| is_confounds(file) && file.name.same_but(&bold.name, &NOT_OF_CONFOUNDS);
        Companion::of(self.only(bold, "confounds", &fits), || {
            let problem = self.missing("bids-no-confounds", "confounds", bold);
            let note = "confounds have the image's entities but for space, cohort, res, den, desc, echo and part";
            self.what_there_is(problem.note(note), bold, &is_confounds)
        })
    }

    /// The brain mask of an image: `desc-brain_mask`, in the same space and resolution. Its own root comes first.
    pub fn mask_of(&self, bold: &BidsFile) -> Companion {
        let is_mask =
            |file: &BidsFile| file.is_image() && file.name.suffix() == "mask" && file.name.get("desc") == Some("brain");
        let fits = |file: &BidsFile| is_mask(file) && file.name.same_but(&bold.name, &NOT_OF_MASKS);
        Companion::of(self.only(bold, "mask", &fits), || {
            let problem = self.missing("bids-no-mask", "brain mask", bold);
            let note = "a mask has the image's entities, space and res included, and `desc-brain`";
            self.what_there_is(problem.note(note), bold, &is_mask)
        })
    }

    /// Roots in the order in which what goes with an image is looked for: its own, other derivatives, raw.
    fn roots_from(&self, bold: &BidsFile) -> impl Iterator<Item = &Root> {
        let own = bold.folder.origin;
        let others = self.roots().iter().skip(1).chain(self.roots().first());
        let others = others.filter(move |root| root.origin != own);
        self.roots().iter().filter(move |root| root.origin == own).chain(others)
    }

    /// The one file of the image's folder that fits, from the first root that has any.
    fn only(
        &self,
        bold: &BidsFile,
        what: &str,
        fits: &dyn Fn(&BidsFile) -> bool,
    ) -> Result<Option<&BidsFile>, Diagnostics> {
        let subject = bold.folder.subject.as_deref().unwrap_or_default();
        for root in self.roots_from(bold) {
            let files = root.subject(subject).into_iter().flat_map(|subject| &subject.files);
            let same_folder =
                |file: &&BidsFile| file.folder.level() == bold.folder.level() && file.folder.holds(&bold.folder);
            let found: Vec<&BidsFile> = files.filter(same_folder).filter(|file| fits(file)).collect();
            match found.as_slice() {
                [] => {}
                [one] => return Ok(Some(one)),
                several => {
                    let names: Vec<&str> = several.iter().map(|file| file.name.as_str()).collect();
                    let message = format!("{} files are the {what} of `{}`", several.len(), bold.name.as_str());
                    return Err(Diagnostic::error("bids-companion-ambiguous", message)
                        .at(Place::file(&several[0].folder.path()))
                        .note(names.join(", "))
                        .hint("keep one of them")
                        .into());
                }
            }
        }
        Ok(None)
    }

    fn missing(&self, code: &'static str, what: &str, bold: &BidsFile) -> Diagnostic {
        let problem = Diagnostic::error(code, format!("no {what} for `{}`", bold.name.as_str()));
        let roots: Vec<String> = self.roots().iter().map(|root| format!("`{}`", root.path.display())).collect();
        problem.at(Place::file(&bold.path())).note(format!("searched {}", roots.join(", ")))
    }

    /// Adds what the subject has of the kind.
    fn what_there_is(&self, problem: Diagnostic, bold: &BidsFile, is_kind: &dyn Fn(&BidsFile) -> bool) -> Diagnostic {
        let subject = bold.folder.subject.as_deref().unwrap_or_default();
        let trees = self.roots().iter().filter_map(|root| root.subject(subject));
        let files = trees.flat_map(|tree| &tree.files).filter(|file| is_kind(file));
        let names: Vec<String> = files.map(|file| file.name.as_str().to_owned()).collect();
        if names.is_empty() {
            return problem.note(format!("sub-{subject} has no such file at all"));
        }
        problem.note(format!("sub-{subject} has {}", list(&names)))
    }
}

fn is_table(file: &BidsFile, suffix: &str) -> bool {
    file.name.suffix() == suffix && file.name.extension() == ".tsv"
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Tree;
    use super::super::query::Query;
    use super::*;

    fn dataset(files: &[&str]) -> (Tree, BidsDataset) {
        let tree = Tree::new(files);
        let dataset = BidsDataset::open(tree.path(), &[tree.path().join("prep")]).unwrap();
        (tree, dataset)
    }

    fn bold<'a>(dataset: &'a BidsDataset, space: &str) -> &'a BidsFile {
        dataset.find(&Query::new().suffix("bold").images().label("space", space))[0]
    }

    fn name(companion: &Companion) -> String {
        companion.required().unwrap().file_name().unwrap().to_string_lossy().into_owned()
    }

    #[test]
    fn each_image_has_its_own_mask_and_the_runs_confounds_and_events() {
        for confounds in ["desc-confounds_timeseries", "desc-confounds_regressors", "confounds"] {
            let confounds = format!("sub-01_task-a_run-1_{confounds}.tsv");
            let (_tree, dataset) = dataset(&[
                "sub-01/func/sub-01_task-a_run-01_events.tsv",
                "prep/sub-01/func/sub-01_task-a_run-1_events.tsv",
                "prep/sub-01/func/sub-01_task-a_run-1_space-A_cohort-3_desc-preproc_bold.nii.gz",
                "prep/sub-01/func/sub-01_task-a_run-1_space-B_res-2_desc-preproc_bold.nii.gz",
                "prep/sub-01/func/sub-01_task-a_run-1_space-A_cohort-3_desc-brain_mask.nii.gz",
                "prep/sub-01/func/sub-01_task-a_run-1_space-B_desc-brain_mask.nii.gz",
                "prep/sub-01/func/sub-01_task-a_run-1_space-B_res-2_desc-brain_mask.nii.gz",
                "prep/sub-01/func/sub-01_task-a_run-1_space-B_res-2_desc-brain_mask.json",
                "prep/sub-01/func/sub-01_task-a_run-2_desc-confounds_timeseries.tsv",
                &format!("prep/sub-01/func/{confounds}"),
            ]);
            let (a, b) = (bold(&dataset, "A"), bold(&dataset, "B"));
            assert_eq!(name(&dataset.mask_of(a)), "sub-01_task-a_run-1_space-A_cohort-3_desc-brain_mask.nii.gz");
            assert_eq!(name(&dataset.mask_of(b)), "sub-01_task-a_run-1_space-B_res-2_desc-brain_mask.nii.gz");
            assert_eq!([name(&dataset.confounds_of(a)), name(&dataset.confounds_of(b))], [confounds.as_str(); 2]);
            assert_eq!(name(&dataset.events_of(b)), "sub-01_task-a_run-01_events.tsv");
        }
    }

    #[test]
    fn what_is_missing_or_twofold_says_what_there_is() {
        let (tree, dataset) = dataset(&[
            "sub-01/func/sub-01_task-b_events.tsv",
            "prep/sub-01/func/sub-01_task-a_space-A_res-2_bold.nii.gz",
            "prep/sub-01/func/sub-01_task-a_space-A_desc-brain_mask.nii.gz",
            "prep/sub-01/func/sub-01_task-a_desc-confounds_timeseries.tsv",
            "prep/sub-01/func/sub-01_task-a_desc-confounds_regressors.tsv",
        ]);
        let bold = bold(&dataset, "A");
        let shown = |problems: Diagnostics| tree.shorten(&problems);
        insta::assert_snapshot!(shown(dataset.events_of(bold).required().unwrap_err()), @"
        error[bids-no-events]: no events for `sub-01_task-a_space-A_res-2_bold.nii.gz`
         --> prep/sub-01/func/sub-01_task-a_space-A_res-2_bold.nii.gz
           = note: searched `.`, `prep`
           = note: an events table applies where all its entities are among the image's
           = note: sub-01 has sub-01_task-b_events.tsv
        ");
        insta::assert_snapshot!(shown(dataset.mask_of(bold).required().unwrap_err()), @"
        error[bids-no-mask]: no brain mask for `sub-01_task-a_space-A_res-2_bold.nii.gz`
         --> prep/sub-01/func/sub-01_task-a_space-A_res-2_bold.nii.gz
           = note: searched `.`, `prep`
           = note: a mask has the image's entities, space and res included, and `desc-brain`
           = note: sub-01 has sub-01_task-a_space-A_desc-brain_mask.nii.gz
        ");
        insta::assert_snapshot!(shown(dataset.confounds_of(bold).if_any().unwrap_err()), @"
        error[bids-companion-ambiguous]: 2 files are the confounds of `sub-01_task-a_space-A_res-2_bold.nii.gz`
         --> prep/sub-01/func
           = note: sub-01_task-a_desc-confounds_regressors.tsv, sub-01_task-a_desc-confounds_timeseries.tsv
           = hint: keep one of them
        ");
        assert_eq!(dataset.events_of(bold).if_any(), Ok(None));
        assert!(matches!(dataset.confounds_of(bold), Companion::Unusable(_)));
    }
}

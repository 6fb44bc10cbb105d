//! From a selection to the runs of each subject.

use super::census;
use super::dataset::{BidsDataset, Root};
use super::file::{BidsFile, Origin};
use super::query::{Query, has_label};
use super::run::{BidsRun, compare_runs};
use super::selection::{Selection, Wanted};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::table::list;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Entities that must be the same over the whole analysis, in the order in which they are settled.
const VERSIONS: [&str; 5] = ["task", "desc", "space", "res", "den"];

/// The description that is taken where several are there and none is stated.
const USUAL_DESC: &str = "preproc";

/// The runs that a selection matched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BidsRuns {
    /// The runs of each subject by label, in the order session, task, run; or what is wrong with that subject.
    pub subjects: BTreeMap<String, Result<Vec<BidsRun>, Diagnostics>>,
    /// What was left out or is only partly there, as warnings.
    pub notes: Diagnostics,
}

impl BidsDataset {
    /// The runs that a selection asks for. Images come from the derivatives where any were given, else from the raw
    /// dataset. Where `desc` is not stated and there are several, `preproc` is taken; where derivatives have a run both
    /// echo by echo and without `echo-`, the latter.
    ///
    /// # Errors
    /// What stops every subject: there is no image, a label that no image has, no image that has all, or several tasks,
    /// spaces, resolutions or descriptions without a choice. What is wrong with one subject is in its place.
    pub fn match_runs(&self, selection: &Selection) -> Result<BidsRuns, Diagnostics> {
        let mut pool: Vec<&BidsFile> = self.find(&Query::new().suffix("bold").images());
        // what lies above the subjects' folders is for inheritance, and images are not inherited
        pool.retain(|file| file.folder.subject.is_some());
        let (derived, raw): (Vec<&BidsFile>, Vec<&BidsFile>) =
            pool.into_iter().partition(|file| file.folder.origin != Origin::Raw);
        let pool = if self.has_derivatives() { derived } else { raw.clone() };
        if pool.is_empty() {
            return Err(self.no_images(raw.len()).into());
        }
        let wanted = selection.wanted();
        self.check_labels(selection, &wanted, &pool)?;
        let is_wanted = |file: &&BidsFile| wanted.iter().all(|wanted| wanted.allows(file));
        let mut chosen: Vec<&BidsFile> = pool.iter().copied().filter(is_wanted).collect();
        if !selection.subjects.is_empty() {
            chosen.retain(|file| selection.subjects.iter().any(|label| file.name.get("sub") == Some(label)));
        }
        if chosen.is_empty() {
            return Err(self.none_has_all(selection, &wanted, &pool).into());
        }
        self.settle_versions(&wanted, &mut chosen)?;
        // of the raw data: only what a derivative's name keeps
        let kept = ["task", "ses", "run", "acq"];
        let tasks: BTreeSet<Option<&str>> = chosen.iter().map(|file| file.name.get("task")).collect();
        let is_source = |file: &&BidsFile| {
            wanted.iter().filter(|wanted| kept.contains(&wanted.key)).all(|wanted| wanted.allows(file))
                && tasks.contains(&file.name.get("task"))
        };
        let sources: Vec<&BidsFile> = raw.into_iter().filter(is_source).collect();
        self.by_subject(selection, &wanted, &by_label(chosen.iter().copied()), &by_label(sources.into_iter()))
    }

    /// The roots that images are taken from.
    fn image_roots(&self) -> impl Iterator<Item = &Root> {
        self.roots().iter().filter(|root| (root.origin == Origin::Raw) != self.has_derivatives())
    }

    fn image_place(&self) -> Place {
        Place::file(self.image_roots().next().map_or(self.raw_root(), |root| &root.path))
    }

    fn no_images(&self, raw: usize) -> Diagnostic {
        let message = "no BOLD image: no file ends in `_bold.nii.gz` or `_bold.nii`";
        let problem =
            census::searched(Diagnostic::error("bids-no-bold", message).at(self.image_place()), self.image_roots());
        if self.has_derivatives() && raw > 0 {
            return problem.hint(format!("the raw dataset has {raw}; leave `derivatives` out to analyse those"));
        }
        problem
    }

    /// Every label that is asked for must occur.
    fn check_labels(
        &self,
        selection: &Selection,
        wanted: &[Wanted<'_>],
        pool: &[&BidsFile],
    ) -> Result<(), Diagnostics> {
        let mut problems = Diagnostics::new();
        let subjects: Vec<String> = self.subjects().into_iter().map(str::to_owned).collect();
        for label in selection.subjects.iter().filter(|label| !subjects.contains(&label.value)) {
            let problem = Diagnostic::error("bids-unknown-label", format!("no subject `{}`", label.value));
            let problem = problem.at(label.place_of_words().unwrap_or_else(|| self.image_place()));
            let problem = problem.note(format!("subjects: {}", list(&subjects)));
            problems.push(Diagnostic { hint: census::label_hint("sub", &label.value, &subjects), ..problem });
        }
        for Wanted { key, labels } in wanted {
            for (label, place) in labels {
                if pool.iter().any(|file| has_label(key, file.name.get(key), *label)) {
                    continue;
                }
                let written = label.map_or_else(|| format!("lacks `{key}-`"), |label| format!("has `{key}-{label}`"));
                let problem = Diagnostic::error("bids-unknown-label", format!("no BOLD image {written}"));
                let problem = problem.at(place.clone().unwrap_or_else(|| self.image_place()));
                let problem = census::searched(problem, self.image_roots()).note(census::line(pool, key));
                let known: Vec<String> =
                    census::labels(pool, key).iter().filter_map(|(label, _)| label.map(str::to_owned)).collect();
                let hint = label.and_then(|label| census::label_hint(key, label, &known));
                problems.push(Diagnostic { hint, ..problem });
            }
        }
        problems.finish(()).map(|_| ())
    }

    /// Each label occurs, but no image has all of them.
    fn none_has_all(&self, selection: &Selection, wanted: &[Wanted<'_>], pool: &[&BidsFile]) -> Diagnostic {
        let mut asked: Vec<String> = wanted.iter().map(describe).collect();
        asked.extend(describe_subjects(selection));
        let message = format!("no BOLD image has all of {}", asked.join(", "));
        let problem = Diagnostic::error("bids-no-match", message).at(self.image_place());
        let mut problem = census::searched(problem, self.image_roots());
        let of_subject = |file: &&&BidsFile| {
            selection.subjects.is_empty() || selection.subjects.iter().any(|label| file.name.get("sub") == Some(label))
        };
        if !selection.subjects.is_empty() {
            let found = pool.iter().filter(|file| wanted.iter().all(|wanted| wanted.allows(file)));
            let found: Vec<&BidsFile> = found.copied().collect();
            if !found.is_empty() {
                problem = problem.note(format!("whatever the sub, {}", census::line(&found, "sub")));
            }
        }
        for left_out in wanted {
            let others = wanted.iter().filter(|wanted| wanted.key != left_out.key);
            let others: Vec<&Wanted<'_>> = others.collect();
            let found = pool.iter().filter(of_subject).filter(|file| others.iter().all(|wanted| wanted.allows(file)));
            let found: Vec<&BidsFile> = found.copied().collect();
            if !found.is_empty() {
                problem =
                    problem.note(format!("whatever the {}, {}", left_out.key, census::line(&found, left_out.key)));
            }
        }
        problem
    }

    /// Settles what must be the same in all runs; where it is not stated there must be one, but for `desc`.
    fn settle_versions(&self, wanted: &[Wanted<'_>], chosen: &mut Vec<&BidsFile>) -> Result<(), Diagnostics> {
        for key in VERSIONS {
            let labels = census::labels(chosen, key);
            if labels.len() < 2 || wanted.iter().any(|wanted| wanted.key == key) {
                continue;
            }
            if key == "desc" && labels.iter().any(|(label, _)| *label == Some(USUAL_DESC)) {
                chosen.retain(|file| file.name.get("desc") == Some(USUAL_DESC));
                continue;
            }
            let message = format!("`{key}` is not stated, and the BOLD images that match have several");
            let problem = Diagnostic::error("bids-choice-needed", message).at(self.image_place());
            let problem = census::searched(problem, self.image_roots()).note(census::line(chosen, key));
            // the label of the most images, of equal ones the first
            let usual = labels.iter().rev().filter_map(|(label, count)| Some((label.as_ref()?, count)));
            let usual = usual.max_by_key(|(_, count)| **count).map_or("…", |(label, _)| label);
            return Err(problem.hint(format!("add a line to `[bids]`, such as: {key} = \"{usual}\"")).into());
        }
        Ok(())
    }

    fn by_subject(
        &self,
        selection: &Selection,
        wanted: &[Wanted<'_>],
        chosen: &BTreeMap<&str, Vec<&BidsFile>>,
        sources: &BTreeMap<&str, Vec<&BidsFile>>,
    ) -> Result<BidsRuns, Diagnostics> {
        let stated: Vec<&str> = selection.subjects.iter().map(|label| label.value.as_str()).collect();
        let labels: Vec<&str> =
            self.subjects().into_iter().filter(|label| stated.is_empty() || stated.contains(label)).collect();
        let matched: Vec<Matched> = labels
            .par_iter()
            .map(|label| {
                let chosen = chosen.get(label).cloned().unwrap_or_default();
                let sources = sources.get(label).map_or(&[][..], Vec::as_slice);
                self.subject_runs(label, wanted, chosen, sources, stated.contains(label))
            })
            .collect();
        let mut runs = BidsRuns::default();
        let mut without = Vec::new();
        let mut ambiguous = Vec::new();
        for (label, subject) in labels.iter().zip(matched) {
            runs.notes.extend(subject.notes);
            match subject.runs {
                Some(result) => {
                    ambiguous.push(subject.ambiguous);
                    runs.subjects.insert((*label).to_owned(), result);
                }
                None => without.push(format!("sub-{label}")),
            }
        }
        // the same choice is missing everywhere: one message, not one a subject
        if let Some(Some(keys)) = ambiguous.first()
            && ambiguous.len() > 1
            && ambiguous.iter().all(|other| other.as_ref() == Some(keys))
            && let Some(Err(first)) = runs.subjects.values().next()
        {
            let note = format!("so it is with each of the {} subjects", ambiguous.len());
            return Err(first.iter().take(1).map(|problem| problem.clone().note(note.clone())).collect());
        }
        if !without.is_empty() {
            let message = format!("subjects without such a run, raw or not, are left out: {}", list(&without));
            runs.notes.push(Diagnostic::warning("bids-subject-left-out", message).at(self.image_place()));
        }
        Ok(runs)
    }

    fn subject_runs(
        &self,
        label: &str,
        wanted: &[Wanted<'_>],
        mut chosen: Vec<&BidsFile>,
        sources: &[&BidsFile],
        is_stated: bool,
    ) -> Matched {
        let mut problems: Diagnostics = self
            .roots()
            .iter()
            .filter_map(|root| root.subject(label))
            .flat_map(|subject| subject.unreadable.iter().cloned())
            .collect();
        if chosen.is_empty() {
            if problems.is_empty() && sources.is_empty() && !is_stated {
                return Matched { runs: None, notes: Diagnostics::new(), ambiguous: None };
            }
            problems.push(self.nothing_of_subject(label, wanted, sources));
            return Matched { runs: Some(Err(problems)), notes: Diagnostics::new(), ambiguous: None };
        }
        chosen.sort_by(|a, b| compare_runs(a, b));
        if self.has_derivatives() && !wanted.iter().any(|wanted| wanted.key == "echo") {
            prefer_combined_echoes(&mut chosen);
        }
        let mut ambiguous = None;
        for same in chosen.chunk_by(|a, b| is_same_run(a, b)).filter(|same| same.len() > 1) {
            let keys = differing_keys(same);
            problems.push(several_images(same, &keys));
            ambiguous.get_or_insert(keys);
        }
        let mut runs = Vec::new();
        if ambiguous.is_none() {
            runs.extend(chosen.iter().filter_map(|file| problems.collect(self.run_of(file))));
        }
        let notes = self.partly_there(label, wanted, &chosen, sources);
        let runs = problems.finish(runs).map(|(runs, _)| runs);
        Matched { runs: Some(runs), notes, ambiguous }
    }

    fn nothing_of_subject(&self, label: &str, wanted: &[Wanted<'_>], sources: &[&BidsFile]) -> Diagnostic {
        let asked: Vec<String> = wanted.iter().map(describe).collect();
        let with = if asked.is_empty() { String::new() } else { format!(" with {}", asked.join(", ")) };
        let kind = if self.has_derivatives() { "preprocessed BOLD image" } else { "BOLD image" };
        let message = format!("sub-{label} has no {kind}{with}");
        let place = self.image_roots().find(|root| root.subject(label).is_some());
        let place = place.map(|root| Place::File(root.path.join(format!("sub-{label}"))));
        let mut problem =
            Diagnostic::error("bids-subject-without-bold", message).at(place.unwrap_or_else(|| self.image_place()));
        let own = self.find(&Query::new().suffix("bold").images().subject(label));
        let own: Vec<&BidsFile> =
            own.into_iter().filter(|file| (file.folder.origin == Origin::Raw) != self.has_derivatives()).collect();
        for wanted in wanted.iter().filter(|_| !own.is_empty()) {
            problem = problem.note(census::line(&own, wanted.key));
        }
        if self.has_derivatives() && !sources.is_empty() {
            problem = problem.note(format!("the raw dataset has {} such", sources.len()));
        }
        problem
    }

    /// What was asked for and is there for other subjects alone; raw runs that were not preprocessed.
    fn partly_there(
        &self,
        label: &str,
        wanted: &[Wanted<'_>],
        chosen: &[&BidsFile],
        sources: &[&BidsFile],
    ) -> Diagnostics {
        let mut notes = Diagnostics::new();
        let place = || chosen.first().map_or_else(|| self.image_place(), |file| Place::file(&file.folder.path()));
        for Wanted { key, labels } in wanted {
            let has = |label: Option<&str>| chosen.iter().any(|file| has_label(key, file.name.get(key), label));
            let missing = labels.iter().filter(|(label, _)| !has(*label)).filter_map(|(label, _)| *label);
            let missing: Vec<String> = missing.map(|label| format!("{key}-{label}")).collect();
            if !missing.is_empty() {
                let message = format!("sub-{label} is analysed without {}, which it lacks", missing.join(", "));
                notes.push(Diagnostic::warning("bids-subject-partial", message).at(place()));
            }
        }
        if self.has_derivatives() {
            let unprocessed = sources.iter().filter(|raw| !chosen.iter().any(|file| is_same_run(file, raw)));
            let names: Vec<String> = unprocessed.map(|raw| raw.name.as_str().to_owned()).collect();
            if !names.is_empty() {
                let message = format!("sub-{label} has raw runs without a preprocessed image; they are left out");
                notes.push(Diagnostic::warning("bids-run-not-preprocessed", message).at(place()).note(list(&names)));
            }
        }
        notes
    }
}

/// What became of a subject.
struct Matched {
    /// `None`: it has no such run at all.
    runs: Option<Result<Vec<BidsRun>, Diagnostics>>,
    notes: Diagnostics,
    /// Entities in which images of one of its runs differ.
    ambiguous: Option<Vec<String>>,
}

fn by_label<'a>(files: impl Iterator<Item = &'a BidsFile>) -> BTreeMap<&'a str, Vec<&'a BidsFile>> {
    let mut subjects: BTreeMap<&str, Vec<&BidsFile>> = BTreeMap::new();
    for file in files {
        subjects.entry(file.name.get("sub").unwrap_or_default()).or_default().push(file);
    }
    subjects
}

/// Whether two images are of one run of one subject.
fn is_same_run(a: &BidsFile, b: &BidsFile) -> bool {
    ["ses", "task", "run"].iter().all(|key| has_label(key, a.name.get(key), b.name.get(key)))
}

/// fMRIPrep writes, when asked, each echo beside their combination: the combination is the run.
fn prefer_combined_echoes(chosen: &mut Vec<&BidsFile>) {
    let combined: Vec<&BidsFile> = chosen.iter().copied().filter(|file| file.name.get("echo").is_none()).collect();
    chosen.retain(|file| {
        file.name.get("echo").is_none() || !combined.iter().any(|other| other.name.same_but(&file.name, &["echo"]))
    });
}

/// Entities in which images differ, in the order of the names.
fn differing_keys(files: &[&BidsFile]) -> Vec<String> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in files.iter().flat_map(|file| file.name.entities()) {
        let first = files[0].name.get(key);
        if !keys.contains(&key) && files.iter().any(|file| !has_label(key, file.name.get(key), first)) {
            keys.push(key);
        }
    }
    keys.into_iter().map(str::to_owned).collect()
}

/// What to say of several images of one run.
fn several_images(same: &[&BidsFile], keys: &[String]) -> Diagnostic {
    let shown = |file: &&BidsFile| match keys {
        [] => file.path().display().to_string(), // of one name in two roots, or `.nii` beside `.nii.gz`
        _ => file.name.as_str().to_owned(),
    };
    let names: Vec<String> = same.iter().map(shown).collect();
    let is = |key: &str| keys.len() == 1 && keys[0] == key;
    let (code, what) = if is("echo") {
        ("bids-multi-echo", "one run has several echoes, and no `echo` is stated".to_owned())
    } else if is("part") {
        ("bids-several-parts", "one run has several parts (magnitude, phase), and no `part` is stated".to_owned())
    } else if keys.is_empty() {
        ("bids-several-images", "one run has several images".to_owned())
    } else {
        ("bids-several-images", format!("one run has several images, which differ in {}", keys.join(", ")))
    };
    let problem = Diagnostic::error(code, what).at(Place::file(&same[0].folder.path())).note(list(&names));
    if is("echo") {
        problem.hint("combine the echoes first (fMRIPrep and tedana do), or choose one by `echo`")
    } else if keys.is_empty() {
        problem.hint("keep one of them")
    } else {
        problem
            .hint(format!("choose by {}", keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ")))
    }
}

/// `task-rest`, `run-1 or run-2`, `no space-`.
fn describe(wanted: &Wanted<'_>) -> String {
    let key = wanted.key;
    let one = |label: Option<&str>| label.map_or_else(|| format!("no {key}-"), |label| format!("{key}-{label}"));
    wanted.labels.iter().map(|(label, _)| one(*label)).collect::<Vec<_>>().join(" or ")
}

fn describe_subjects(selection: &Selection) -> Option<String> {
    let labels: Vec<String> = selection.subjects.iter().map(|label| format!("sub-{}", label.value)).collect();
    (!labels.is_empty()).then(|| labels.join(" or "))
}

#[cfg(test)]
#[path = "matching/tests.rs"]
mod tests;

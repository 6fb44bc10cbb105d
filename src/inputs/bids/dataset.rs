//! The index of a dataset: its roots, subjects and files.

use super::file::{BidsFile, Origin};
use super::ignore::Ignore;
use super::query::Query;
use super::walk::{Skipped, SubjectTree, Tree, walk};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::missing_file::missing_file_hint;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A raw dataset and its derivatives, indexed by the names of their functional files.
#[derive(Debug)]
pub struct BidsDataset {
    roots: Vec<Root>,
    notes: Diagnostics,
    /// Sidecars in the roots, which many files share, once they were read.
    pub(super) shared_sidecars: Mutex<BTreeMap<PathBuf, Arc<Map<String, Value>>>>,
}

/// One root and what it holds.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) path: Arc<Path>,
    pub(super) origin: Origin,
    pub(super) tree: Tree,
}

impl Root {
    /// The files of a subject; none where it has no folder here.
    pub(super) fn subject(&self, label: &str) -> Option<&SubjectTree> {
        let subjects = &self.tree.subjects;
        subjects.binary_search_by(|subject| subject.label.as_str().cmp(label)).ok().map(|at| &subjects[at])
    }

    /// Every file: those in the root, then subject by subject.
    fn files(&self) -> impl Iterator<Item = &BidsFile> {
        self.tree.top.iter().chain(self.tree.subjects.iter().flat_map(|subject| &subject.files))
    }
}

impl BidsDataset {
    /// Indexes a raw dataset and derivative datasets (folders that hold `sub-…` themselves, such as
    /// `derivatives/fmriprep`); no other folder is looked for. Opens no file but the raw root's `.bidsignore` and `dataset_description.json`.
    ///
    /// # Errors
    /// A root is no folder, cannot be read, holds no subject, or is given twice.
    pub fn open(raw_root: &Path, derivative_roots: &[PathBuf]) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut notes = Diagnostics::new();
        let mut roots: Vec<Root> = Vec::new();
        let mut seen: Vec<PathBuf> = Vec::new();
        for (index, path) in std::iter::once(raw_root).chain(derivative_roots.iter().map(PathBuf::as_path)).enumerate()
        {
            let origin = index.checked_sub(1).map_or(Origin::Raw, Origin::Derivative);
            let canonical = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
            if seen.contains(&canonical) {
                let message = format!("the dataset `{}` is given twice", path.display());
                problems.push(Diagnostic::error("bids-root-twice", message).at(Place::file(path)));
                continue;
            }
            seen.push(canonical);
            let ignore = if origin == Origin::Raw { Ignore::read(path, &mut notes) } else { Ignore::default() };
            if let Some(root) = problems.collect(open_root(path, origin, &ignore)) {
                if !path.join("dataset_description.json").exists() {
                    let message = format!("`{}` has no `dataset_description.json`", path.display());
                    notes.push(
                        Diagnostic::warning(
                            "bids-no-description",
                            message + ": it is read as a BIDS dataset all the same",
                        )
                        .at(Place::file(path)),
                    );
                }
                if origin == Origin::Raw {
                    notes.extend(derivative_as_raw(&root).into_iter().collect());
                }
                roots.push(root);
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        Ok(Self { roots, notes, shared_sidecars: Mutex::default() })
    }

    /// What is odd about the dataset, as warnings.
    pub fn notes(&self) -> &Diagnostics {
        &self.notes
    }

    /// The raw root, as it was given.
    pub fn raw_root(&self) -> &Path {
        &self.roots[0].path
    }

    /// Whether derivatives were given.
    pub fn has_derivatives(&self) -> bool {
        self.roots.len() > 1
    }

    /// The raw root, then those of derivatives.
    pub(super) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Labels of all subjects that have a folder in any root, in code-point order.
    pub fn subjects(&self) -> Vec<&str> {
        let trees = self.roots.iter().flat_map(|root| &root.tree.subjects);
        let labels: BTreeSet<&str> = trees.map(|subject| subject.label.as_str()).collect();
        labels.into_iter().collect()
    }

    /// The files that a query asks for: root by root, those in the root before those of the subjects, by name.
    pub fn find(&self, query: &Query) -> Vec<&BidsFile> {
        let roots = self.roots.iter().filter(|root| query.asked_origin().is_none_or(|origin| origin == root.origin));
        let mut found = Vec::new();
        for root in roots {
            match query.asked_subject() {
                Some(label) => {
                    let files = root.subject(label).into_iter().flat_map(|subject| &subject.files);
                    found.extend(files.filter(|file| query.matches(file)));
                }
                None => found.extend(root.files().filter(|file| query.matches(file))),
            }
        }
        found
    }

    /// Files that look like parts of the dataset but whose names are not BIDS, over all roots.
    pub fn skipped(&self) -> Skipped {
        let mut all = Skipped::default();
        for root in &self.roots {
            all.extend(root.tree.skipped.clone());
        }
        all
    }

    /// How many files are indexed.
    pub fn len(&self) -> usize {
        self.roots.iter().map(|root| root.files().count()).sum()
    }

    /// Whether no file is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn open_root(path: &Path, origin: Origin, ignore: &Ignore) -> Result<Root, Diagnostics> {
    let kind = if origin == Origin::Raw { "dataset" } else { "derivative dataset" };
    if !path.is_dir() {
        let message = format!("the {kind} `{}` is no folder", path.display());
        let problem = Diagnostic::error("bids-root-missing", message).at(Place::file(path));
        return Err(Diagnostic { hint: missing_file_hint(path), ..problem }.into());
    }
    let shared: Arc<Path> = path.into();
    let tree = walk(&shared, origin, ignore)?;
    if tree.subjects.is_empty() {
        let message = format!("the {kind} `{}` has no folder `sub-…`", path.display());
        let problem = Diagnostic::error("bids-no-subjects", message).at(Place::file(path));
        return Err(Diagnostic { hint: no_subjects_hint(path), ..problem }.into());
    }
    Ok(Root { path: shared, origin, tree })
}

/// Whether a folder holds subjects with BOLD images, as a derivative dataset does; no file is opened.
pub fn holds_bold(folder: &Path) -> bool {
    let images = Query::new().suffix("bold").images();
    let tree = walk(&folder.into(), Origin::Derivative(0), &Ignore::default());
    let any = |tree: Tree| {
        tree.top.iter().chain(tree.subjects.iter().flat_map(|subject| &subject.files)).any(|file| images.matches(file))
    };
    tree.is_ok_and(|tree| !tree.subjects.is_empty() && any(tree))
}

/// A word where the raw dataset is none: its description says so, or all its images are preprocessed.
fn derivative_as_raw(root: &Root) -> Option<Diagnostic> {
    let description = root.path.join("dataset_description.json");
    let described: Option<Value> = std::fs::read(&description).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let says_so = described.is_some_and(|described| described["DatasetType"].as_str() == Some("derivative"));
    let images = Query::new().suffix("bold").images();
    let mut found = root.tree.subjects.iter().flat_map(|subject| &subject.files).filter(|file| images.matches(file));
    let reason = if says_so {
        "`DatasetType` is `derivative` in its `dataset_description.json`"
    } else if found
        .next()
        .is_some_and(|first| std::iter::once(first).chain(found).all(|file| file.name.get("desc") == Some("preproc")))
    {
        "all its BOLD images have `desc-preproc`"
    } else {
        return None;
    };
    let message = format!("`{}` is read as a raw dataset, and looks like a derivative one", root.path.display());
    Some(Diagnostic::warning("bids-root-derivative", message).at(Place::file(&root.path)).note(reason).hint(
        "the raw dataset is the `root`; this folder is named by `derivatives` under `[bids]`, or `--derivatives DIR`",
    ))
}

/// Where the subjects may be instead.
fn no_subjects_hint(path: &Path) -> Option<String> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    };
    let is_subject = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sub-"));
    let below = folders(path);
    if below.is_empty() && std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()) {
        return Some(format!(
            "the folder is empty; if it is a DataLad subdataset: `datalad get -n {}`",
            path.display()
        ));
    }
    let better: Vec<String> = below
        .iter()
        .filter(|folder| folders(folder).iter().any(is_subject))
        .map(|folder| format!("`{}`", folder.display()))
        .take(3)
        .collect();
    (!better.is_empty()).then(|| format!("did you mean {}?", better.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Tree;
    use super::*;

    #[test]
    fn files_are_found_by_entities_in_one_order() {
        let raw = Tree::new(&[
            "task-a_bold.json",
            "sub-01/func/sub-01_task-a_run-01_bold.nii.gz",
            "sub-01/func/sub-01_task-a_run-01_events.tsv",
            "sub-01/func/sub-01_task-a_run-2_bold.nii",
            "sub-02/func/sub-02_task-b_bold.nii.gz",
            "fmriprep/sub-02/func/sub-02_task-b_space-T1w_desc-preproc_bold.nii.gz",
            "fmriprep/sub-03/func/sub-03_task-b_desc-preproc_bold.nii.gz",
        ]);
        let dataset = BidsDataset::open(raw.path(), &[raw.path().join("fmriprep")]).unwrap();
        assert_eq!((dataset.subjects(), dataset.len()), (vec!["01", "02", "03"], 7));
        let names = |query: &Query| -> Vec<String> {
            dataset.find(query).iter().map(|file| file.relative().display().to_string()).collect()
        };
        assert_eq!(
            names(&Query::new().label("run", "1").suffix("bold")),
            ["sub-01/func/sub-01_task-a_run-01_bold.nii.gz"]
        );
        assert_eq!(names(&Query::new().extension(".json")), ["task-a_bold.json"]);
        let bold = Query::new().suffix("bold").images();
        assert_eq!(names(&bold).len(), 5);
        assert_eq!(names(&bold.clone().any_of("run", [Some("002"), None]).origin(Origin::Raw)).len(), 2);
        assert_eq!(names(&bold.clone().without("space").subject("02")), ["sub-02/func/sub-02_task-b_bold.nii.gz"]);
        assert_eq!(names(&bold.origin(Origin::Derivative(0)).subject("03")).len(), 1);
        assert_eq!(dataset.notes().len(), 2);
    }

    #[test]
    fn roots_that_are_none_say_what_was_meant() {
        let tree = Tree::new(&["ds/sub-01/func/sub-01_task-a_bold.nii", "ds/derivatives/fmriprep/sub-01/func/x.txt"]);
        std::fs::create_dir(tree.path().join("empty")).unwrap();
        let open = |raw: &str, derivatives: &[&str]| {
            let derivatives: Vec<PathBuf> = derivatives.iter().map(|path| tree.path().join(path)).collect();
            tree.shorten(&BidsDataset::open(&tree.path().join(raw), &derivatives).unwrap_err())
        };
        insta::assert_snapshot!(open("dss", &["ds/derivatives", "empty"]), @"
        error[bids-root-missing]: the dataset `dss` is no folder
         --> dss
           = hint: did you mean `ds`?

        error[bids-no-subjects]: the derivative dataset `ds/derivatives` has no folder `sub-…`
         --> ds/derivatives
           = hint: did you mean `ds/derivatives/fmriprep`?

        error[bids-no-subjects]: the derivative dataset `empty` has no folder `sub-…`
         --> empty
           = hint: the folder is empty; if it is a DataLad subdataset: `datalad get -n empty`
        ");
        insta::assert_snapshot!(open("ds", &["ds"]), @"
        error[bids-root-twice]: the dataset `ds` is given twice
         --> ds
        ");
    }
}

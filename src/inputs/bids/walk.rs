//! The walk over a dataset: root, subjects, sessions and functional folders, and nothing else.
//!
//! No file is opened and no other folder looked into, so the time goes with the number of functional files. The depth is
//! bounded by the layout: links that lead in a circle are met once.

use super::file::{BidsFile, Folder, Origin, Presence, link_presence};
use super::ignore::Ignore;
use super::name::{BidsName, NameProblem, is_label};
use crate::error::{Diagnostic, Diagnostics, Place};
use rayon::prelude::*;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Kinds of data whose folders are looked into.
const DATATYPES: [&str; 1] = ["func"];

/// Skipped names that are kept for messages.
const MOST_KEPT: usize = 20;

/// Files and folders that look like parts of the dataset, but whose names are not BIDS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many there are.
    pub count: usize,
    /// The first ones, below their root, and why.
    pub examples: Vec<(PathBuf, NameProblem)>,
}

impl Skipped {
    fn add(&mut self, path: PathBuf, problem: NameProblem) {
        self.count += 1;
        if self.examples.len() < MOST_KEPT {
            self.examples.push((path, problem));
        }
    }

    /// Takes over those of another folder.
    pub(super) fn extend(&mut self, other: Self) {
        self.count += other.count;
        let room = MOST_KEPT - self.examples.len();
        self.examples.extend(other.examples.into_iter().take(room));
    }
}

/// What a root holds.
#[derive(Debug)]
pub(super) struct Tree {
    /// Files in the root itself that have BIDS names, by name.
    pub(super) top: Vec<BidsFile>,
    /// The subjects, by label.
    pub(super) subjects: Vec<SubjectTree>,
    /// What was passed over.
    pub(super) skipped: Skipped,
}

/// What a subject's folder holds.
#[derive(Debug)]
pub(super) struct SubjectTree {
    /// Label, without `sub-`.
    pub(super) label: String,
    /// Its files: the subject's own, then session by session and folder by folder, each by name.
    pub(super) files: Vec<BidsFile>,
    /// Folders that could not be read.
    pub(super) unreadable: Vec<Diagnostic>,
    skipped: Skipped,
}

/// Walks over a root; subjects in parallel, the result always in the same order.
///
/// # Errors
/// The root itself cannot be read.
pub(super) fn walk(root: &Arc<Path>, origin: Origin, ignore: &Ignore) -> Result<Tree, Diagnostics> {
    let top = Folder { origin, root: Arc::clone(root), subject: None, session: None, datatype: None };
    let entries = entries(root).map_err(|error| unreadable(root, &error))?;
    let mut skipped = Skipped::default();
    let mut labels = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Folder) {
        if let Some(label) = entry.name.strip_prefix("sub-") {
            match ignore.is_empty() || !ignore.ignores(&entry.name, true) {
                true if is_label(label) => labels.push(label.to_owned()),
                true => skipped.add(entry.name.clone().into(), NameProblem::Entity(entry.name.clone())),
                false => {}
            }
        }
    }
    labels.sort();
    let walker = Walker { top: &top, ignore };
    let mut subjects: Vec<SubjectTree> = labels.into_par_iter().map(|label| walker.subject(label)).collect();
    for subject in &mut subjects {
        skipped.extend(std::mem::take(&mut subject.skipped));
    }
    // at the root, names that are not BIDS are the rule: README, CHANGES, scripts
    let mut tree = SubjectTree::new(String::new());
    walker.take_files(entries, &top, &mut tree);
    Ok(Tree { top: tree.files, subjects, skipped })
}

/// What is wrong with a folder that cannot be read.
fn unreadable(folder: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read the folder `{}`: {error}", folder.display());
    Diagnostic::error("bids-folder-unreadable", message).at(Place::file(folder))
}

impl SubjectTree {
    fn new(label: String) -> Self {
        Self { label, files: Vec::new(), unreadable: Vec::new(), skipped: Skipped::default() }
    }
}

struct Walker<'a> {
    top: &'a Folder,
    ignore: &'a Ignore,
}

impl Walker<'_> {
    fn subject(&self, label: String) -> SubjectTree {
        let folder = Folder { subject: Some(label.clone()), ..self.top.clone() };
        let mut tree = SubjectTree::new(label);
        let folders = self.folder(&folder, &mut tree);
        for name in &folders {
            let session = name.strip_prefix("ses-").filter(|label| is_label(label));
            if let Some(label) = session {
                let session = Folder { session: Some(label.to_owned()), ..folder.clone() };
                for name in self.folder(&session, &mut tree) {
                    self.data(&session, &name, &mut tree);
                }
            } else if name.starts_with("ses-") {
                tree.skipped.add(folder.relative().join(name), NameProblem::Entity(name.clone()));
            } else {
                self.data(&folder, name, &mut tree);
            }
        }
        tree
    }

    /// Takes the files of a data folder, if it is one that matters.
    fn data(&self, above: &Folder, name: &str, tree: &mut SubjectTree) {
        if DATATYPES.contains(&name) {
            self.folder(&Folder { datatype: Some(name.to_owned()), ..above.clone() }, tree);
        }
    }

    /// Takes the files of a folder; gives the names of the folders in it.
    fn folder(&self, folder: &Folder, tree: &mut SubjectTree) -> Vec<String> {
        let path = folder.path();
        match entries(&path) {
            Ok(found) => self.take_files(found, folder, tree),
            Err(error) => {
                tree.unreadable.push(unreadable(&path, &error));
                Vec::new()
            }
        }
    }

    /// Adds the files of a folder that have BIDS names; gives the names of the folders in it, without those left out.
    fn take_files(&self, found: Vec<Entry>, folder: &Folder, tree: &mut SubjectTree) -> Vec<String> {
        let relative = folder.relative();
        let prefix = if self.ignore.is_empty() || relative.as_os_str().is_empty() {
            String::new()
        } else {
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            parts.join("/") + "/"
        };
        let shared = Arc::new(folder.clone());
        let mut folders = Vec::new();
        for Entry { name, kind } in found {
            let ignored =
                |is_folder| !self.ignore.is_empty() && self.ignore.ignores(&format!("{prefix}{name}"), is_folder);
            let Kind::File(seen) = kind else {
                if !ignored(true) {
                    folders.push(name);
                }
                continue;
            };
            if ignored(false) {
                continue;
            }
            match placed_name(&name, folder) {
                Ok(name) => tree.files.push(BidsFile { folder: Arc::clone(&shared), name, seen }),
                Err(problem) => tree.skipped.add(relative.join(&name), problem),
            }
        }
        folders
    }
}

/// The name of a file, which must carry the labels of the folders it lies in.
fn placed_name(text: &str, folder: &Folder) -> Result<BidsName, NameProblem> {
    let name = BidsName::parse(text)?;
    for (key, label) in [("sub", &folder.subject), ("ses", &folder.session)] {
        if let Some(label) = label.as_deref().filter(|label| name.get(key) != Some(*label)) {
            return Err(NameProblem::Folder(format!("{key}-{label}")));
        }
    }
    Ok(name)
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    File(Presence),
}

#[derive(Debug)]
struct Entry {
    name: String,
    kind: Kind,
}

/// What lies in a folder, by name, without hidden files. Links are followed; one that leads nowhere is a file that is not
/// here.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type()?;
        let kind = if kind.is_symlink() {
            match std::fs::metadata(entry.path()) {
                Ok(target) if target.is_dir() => Kind::Folder,
                Ok(_) => Kind::File(Presence::Here),
                Err(_) => Kind::File(link_presence(&entry.path())),
            }
        } else if kind.is_dir() {
            Kind::Folder
        } else {
            Kind::File(Presence::Here)
        };
        found.push(Entry { name, kind });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
    }

    fn walked(root: &Path) -> Tree {
        let ignore = Ignore::read(root, &mut Diagnostics::new());
        walk(&root.into(), Origin::Raw, &ignore).unwrap()
    }

    fn paths(tree: &Tree) -> Vec<String> {
        let files = tree.top.iter().chain(tree.subjects.iter().flat_map(|subject| &subject.files));
        files.map(|file| file.relative().display().to_string()).collect()
    }

    #[test]
    fn only_what_matters_is_seen_in_one_order() {
        let root = tempfile::tempdir().unwrap();
        make(
            root.path(),
            &[
                "README",
                "participants.tsv",
                "task-a_bold.json",
                "sub-02/func/sub-02_task-a_bold.nii.gz",
                "sub-02/func/sub-02_task-a_events.tsv",
                "sub-02/anat/sub-02_T1w.nii.gz",
                "sub-10/sub-10_scans.tsv",
                "sub-10/ses-b/func/sub-10_ses-b_task-a_bold.nii.gz",
                "sub-10/ses-a/func/sub-10_ses-a_task-a_bold.nii.gz",
                "sub-10/ses-a/ses-a_task-a_bold.json",
                "sub-10/ses-a/func/.sub-10_ses-a_task-a_bold.nii.gz",
                "sub-10/ses-a/func/sub-10_task-a_bold.nii.gz",
                "sub-10/ses-a/func/notes.txt",
                "sub-10/ses-a_/func/x_bold.nii.gz",
                "sub-bad_1/func/x_bold.nii.gz",
                "sourcedata/sub-99/func/sub-99_bold.nii.gz",
                "derivatives/x/sub-98/func/sub-98_bold.nii.gz",
                "code/sub-97_bold.json",
            ],
        );
        let tree = walked(root.path());
        let expected = [
            "participants.tsv",
            "task-a_bold.json",
            "sub-02/func/sub-02_task-a_bold.nii.gz",
            "sub-02/func/sub-02_task-a_events.tsv",
            "sub-10/sub-10_scans.tsv",
            "sub-10/ses-a/func/sub-10_ses-a_task-a_bold.nii.gz",
            "sub-10/ses-b/func/sub-10_ses-b_task-a_bold.nii.gz",
        ];
        assert_eq!(paths(&tree), expected);
        let skipped: Vec<String> =
            tree.skipped.examples.iter().map(|(path, why)| format!("{} {why}", path.display())).collect();
        insta::assert_snapshot!(skipped.join("\n"), @"
        sub-bad_1 `sub-bad_1` is not an entity such as `task-rest`: letters, a hyphen, letters and digits
        sub-10/ses-a/ses-a_task-a_bold.json is not named after its folder `sub-10`
        sub-10/ses-a/func/notes.txt is not named after its folder `sub-10`
        sub-10/ses-a/func/sub-10_task-a_bold.nii.gz is not named after its folder `ses-a`
        sub-10/ses-a_ `ses-a_` is not an entity such as `task-rest`: letters, a hyphen, letters and digits
        ");
        assert_eq!(tree.skipped.count, 5);
    }

    #[test]
    fn ignored_files_and_folders_are_not_seen() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), &["sub-01/func/sub-01_task-a_bold.nii", "sub-01/func/sub-01_task-b_bold.nii"]);
        make(root.path(), &["sub-02/func/sub-02_task-a_bold.nii", "task-b_bold.json", "sub-01/func/notes.txt"]);
        make(root.path(), &["sub-03/ses-1/func/sub-03_ses-1_task-a_bold.nii"]);
        std::fs::write(root.path().join(".bidsignore"), "*task-b*\nsub-02/\n*.txt\n**/ses-1/func/\n").unwrap();
        let tree = walked(root.path());
        assert_eq!(paths(&tree), ["sub-01/func/sub-01_task-a_bold.nii"]);
        assert_eq!(tree.skipped.count, 0);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_circles_end() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        make(elsewhere.path(), &["func/sub-02_task-a_bold.nii"]);
        make(root.path(), &["sub-01/func/sub-01_task-a_bold.nii"]);
        symlink(elsewhere.path(), root.path().join("sub-02")).unwrap();
        symlink(root.path(), root.path().join("sub-03")).unwrap();
        symlink("..", root.path().join("sub-01/ses-x")).unwrap();
        symlink("../func", root.path().join("sub-01/func/func")).unwrap();
        symlink("../../.git/annex/objects/a/b.nii", root.path().join("sub-01/func/sub-01_task-b_bold.nii")).unwrap();
        symlink("nowhere", root.path().join("sub-04")).unwrap();
        let tree = walked(root.path());
        let first = "sub-01/func/sub-01_task-a_bold.nii";
        assert_eq!(paths(&tree), [first, "sub-01/func/sub-01_task-b_bold.nii", "sub-02/func/sub-02_task-a_bold.nii"]);
        let labels: Vec<&str> = tree.subjects.iter().map(|subject| subject.label.as_str()).collect();
        assert_eq!(labels, ["01", "02", "03"]);
        assert_eq!(tree.subjects[0].files[1].seen, Presence::NotDownloaded);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_read_is_its_subjects_problem() {
        use std::os::unix::fs::symlink;
        let missing = walk(&Path::new("no/such/root").into(), Origin::Raw, &Ignore::default()).unwrap_err();
        assert_eq!(missing.iter().next().unwrap().code, "bids-folder-unreadable");
        let root = tempfile::tempdir().unwrap();
        make(root.path(), &["sub-01/func/sub-01_task-a_bold.nii"]);
        symlink("func", root.path().join("sub-01/anat")).unwrap();
        assert!(walked(root.path()).subjects[0].unreadable.is_empty());
    }
}

//! A file of a dataset: where it lies, what it is called, whether its content is there.

use super::name::BidsName;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What begins a file that git-annex put in the place of content that is elsewhere.
const ANNEX_POINTER: &[u8] = b"/annex/objects/";

/// Largest such file, bytes.
const LARGEST_POINTER: u64 = 32 << 10;

/// Which root a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The raw dataset.
    Raw,
    /// A derivative dataset, by its place in the list of roots.
    Derivative(usize),
}

/// Whether the content of a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Here,
    /// A link or pointer of git-annex whose content was not fetched.
    NotDownloaded,
    /// Another link that leads nowhere.
    BrokenLink,
}

/// A folder that holds files of a dataset. What is `None` is above in the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Which root it belongs to.
    pub origin: Origin,
    /// The root, as it was given.
    pub root: Arc<Path>,
    /// Label of the subject, without `sub-`.
    pub subject: Option<String>,
    /// Label of the session, without `ses-`.
    pub session: Option<String>,
    /// The kind of data, such as `func`.
    pub datatype: Option<String>,
}

impl Folder {
    /// Path below the root; empty for the root itself.
    pub fn relative(&self) -> PathBuf {
        let mut path = PathBuf::new();
        path.extend(self.subject.as_ref().map(|label| format!("sub-{label}")));
        path.extend(self.session.as_ref().map(|label| format!("ses-{label}")));
        path.extend(self.datatype.as_ref());
        path
    }

    /// The path, as the root was given.
    pub fn path(&self) -> PathBuf {
        self.root.join(self.relative())
    }

    /// Steps below the root at which the inheritance principle sees it: 0 the root, 1 a subject, 2 a session, 3 data.
    pub(super) fn level(&self) -> usize {
        match (&self.subject, &self.session, &self.datatype) {
            (_, _, Some(_)) => 3,
            (_, Some(_), _) => 2,
            (Some(_), ..) => 1,
            _ => 0,
        }
    }

    /// Whether `below` is this folder or lies in it, going by labels: the roots may differ.
    pub(super) fn holds(&self, below: &Self) -> bool {
        let covers = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        covers(&self.subject, &below.subject)
            && covers(&self.session, &below.session)
            && covers(&self.datatype, &below.datatype)
    }
}

/// A file with a BIDS name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BidsFile {
    /// The folder it lies in.
    pub folder: Arc<Folder>,
    /// Its name, taken apart.
    pub name: BidsName,
    /// Whether the walk saw its content; links alone are looked at then. See [`presence`](Self::presence).
    pub seen: Presence,
}

impl BidsFile {
    /// Its path, as the root was given.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(self.name.as_str())
    }

    /// Its path below its root.
    pub fn relative(&self) -> PathBuf {
        self.folder.relative().join(self.name.as_str())
    }

    /// Whether it is a NIfTI image.
    pub fn is_image(&self) -> bool {
        matches!(self.name.extension(), ".nii" | ".nii.gz")
    }

    /// Whether its content is there, now. Looks into small files: an unlocked file of git-annex whose content was not
    /// fetched is a text that names it.
    pub fn presence(&self) -> Presence {
        let path = self.path();
        if self.seen != Presence::Here {
            return link_presence(&path);
        }
        let is_pointer = || {
            let mut file = File::open(&path).ok()?;
            let length = file.metadata().ok()?.len();
            let mut start = [0; ANNEX_POINTER.len()];
            let small = (ANNEX_POINTER.len() as u64..LARGEST_POINTER).contains(&length);
            (small && file.read_exact(&mut start).is_ok() && start == *ANNEX_POINTER).then_some(())
        };
        if is_pointer().is_some() { Presence::NotDownloaded } else { Presence::Here }
    }
}

/// What a link leads to.
pub(super) fn link_presence(path: &Path) -> Presence {
    if std::fs::metadata(path).is_ok() {
        return Presence::Here;
    }
    let of_annex = |target: PathBuf| target.components().any(|part| part.as_os_str() == "annex");
    if std::fs::read_link(path).is_ok_and(of_annex) { Presence::NotDownloaded } else { Presence::BrokenLink }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(root: &Path, labels: [Option<&str>; 3]) -> Arc<Folder> {
        let [subject, session, datatype] = labels.map(|label| label.map(str::to_owned));
        Arc::new(Folder { origin: Origin::Raw, root: root.into(), subject, session, datatype })
    }

    #[test]
    fn folders_hold_what_is_below_them() {
        let root = Path::new("ds");
        let [top, subject, other, data] = [
            [None, None, None],
            [Some("01"), None, None],
            [Some("02"), None, None],
            [Some("01"), Some("a"), Some("func")],
        ]
        .map(|labels| folder(root, labels));
        assert_eq!(data.path(), Path::new("ds/sub-01/ses-a/func"));
        assert_eq!([&top, &subject, &data].map(|folder| folder.level()), [0, 1, 3]);
        assert!(top.holds(&data) && subject.holds(&data) && data.holds(&data));
        assert!(!other.holds(&data) && !data.holds(&subject));
    }

    #[cfg(unix)]
    #[test]
    fn content_that_git_annex_keeps_elsewhere_is_not_here() {
        let root = tempfile::tempdir().unwrap();
        let place = folder(root.path(), [None; 3]);
        let file =
            |text: &str, seen| BidsFile { folder: Arc::clone(&place), name: BidsName::parse(text).unwrap(), seen };
        std::fs::write(root.path().join("task-a_bold.json"), "{}").unwrap();
        std::fs::write(root.path().join("task-b_bold.json"), "/annex/objects/MD5E-s3--0.json\n").unwrap();
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
        link(".git/annex/objects/Zz/q1/MD5E-s3--1.json", "task-c_bold.json");
        link("elsewhere.json", "task-d_bold.json");
        link("task-e_bold.json", "task-e_bold.json"); // a link to itself
        link("task-a_bold.json", "task-f_bold.json");
        let seen = |name: &str| link_presence(&root.path().join(name));
        assert_eq!(file("task-a_bold.json", Presence::Here).presence(), Presence::Here);
        assert_eq!(file("task-b_bold.json", Presence::Here).presence(), Presence::NotDownloaded);
        assert_eq!(seen("task-c_bold.json"), Presence::NotDownloaded);
        assert_eq!(file("task-c_bold.json", Presence::NotDownloaded).presence(), Presence::NotDownloaded);
        assert_eq!(seen("task-d_bold.json"), Presence::BrokenLink);
        assert_eq!(seen("task-e_bold.json"), Presence::BrokenLink);
        assert_eq!(seen("task-f_bold.json"), Presence::Here);
    }
}

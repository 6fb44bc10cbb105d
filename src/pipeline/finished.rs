//! Which subjects need no more work, told without reading their inputs: hundreds of gigabytes are not for a login node.

use super::failure::Failure;
use super::plan::Plan;
use super::subject_job::is_of_this_plan;
use crate::outputs::{self, OutputError, OutputLock, SubjectState};
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

impl Plan {
    /// Labels of the subjects that are done, and of which no input was touched since: where an input was, only its content
    /// could tell, and the subject is not among them.
    ///
    /// # Errors
    /// The output folder cannot be read.
    pub fn finished_subjects(&self) -> Result<BTreeSet<String>, Failure> {
        let folder = match outputs::find_output_folder(&self.settings.output.dir) {
            Err(OutputError::NoFolder { .. }) => return Ok(BTreeSet::new()),
            found => found?,
        };
        let states = folder.subject_states()?;
        let mut finished = BTreeSet::new();
        for subject in &self.subjects {
            let label = &subject.subject;
            let is_done = matches!(states.get(label), Some(SubjectState::Done { .. }));
            let Some(since) = OutputLock::last_held(&folder, label).filter(|_| is_done) else { continue };
            let is_old = |path: &Path| last_touched(path).is_some_and(|touched| touched < since);
            if is_of_this_plan(self, subject, &folder)? && subject.files(&self.shared).iter().all(|path| is_old(path)) {
                finished.insert(label.clone());
            }
        }
        Ok(finished)
    }
}

/// When a file, or a link on its path's end, was last written, replaced or renamed; `None` where it cannot be told.
fn last_touched(path: &Path) -> Option<SystemTime> {
    let (file, link) = (path.metadata().ok()?, path.symlink_metadata().ok()?);
    let times = [changed(&file)?, changed(&link)?, file.modified().ok()?, link.modified().ok()?];
    times.into_iter().max()
}

/// When a file's content or names last changed: unlike the time of modification, no program sets it back.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let (seconds, nanoseconds) = (u64::try_from(metadata.ctime()).ok()?, u32::try_from(metadata.ctime_nsec()).ok()?);
    Some(SystemTime::UNIX_EPOCH + std::time::Duration::new(seconds, nanoseconds))
}

#[cfg(not(unix))]
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    metadata.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn an_older_file_put_in_place_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a"), "a").unwrap();
        std::fs::write(path("b"), "b").unwrap();
        let file = std::fs::File::options().write(true).open(path("b")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let before = last_touched(&path("a")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::rename(path("b"), path("a")).unwrap();
        assert_eq!(path("a").metadata().unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        assert!(last_touched(&path("a")).unwrap() > before);
        assert_eq!(last_touched(&path("none")), None);
    }
}

//! One process at a time writes a subject's results.

use super::{OutputError, OutputFolder, Unit};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// An exclusive lock on a subject's results, held until dropped.
///
/// It is the operating system's advisory lock on `.boldly/locks/sub-XX.lock`: it ends with its process, however
/// that ends. The file stays; removing it would let two processes hold locks on two files of one name.
#[derive(Debug)]
pub struct OutputLock {
    folder: OutputFolder,
    unit: Unit,
    file: File,
}

impl OutputLock {
    /// Locks a subject, and clears what dead processes left of it.
    ///
    /// # Errors
    /// [`OutputError::Locked`], with the holder's process id, while another process holds it;
    /// [`OutputError::Name`] for a label that is not `[A-Za-z0-9]+`; [`OutputError::Machine`] where the file
    /// system has no locks.
    pub fn acquire(folder: &OutputFolder, subject: &str) -> Result<Self, OutputError> {
        Self::acquire_unit(folder, Unit::subject(subject)?)
    }

    /// Locks what may be held for long, and clears what dead processes left of it.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn acquire_unit(folder: &OutputFolder, unit: Unit) -> Result<Self, OutputError> {
        let path = folder.lock_file(&unit);
        let file = open(&path)?;
        match try_lock(&file) {
            Ok(()) => Self::held(folder, unit, file, &path),
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = match holder.trim() {
                    "" => "a process that has not said its number yet".to_owned(),
                    holder => holder.to_owned(),
                };
                Err(OutputError::Locked { unit: unit.to_string(), path, holder })
            }
            Err(TryLockError::Error(error)) => Err(OutputError::machine("lock", &path)(error)),
        }
    }

    /// Whether some process holds the lock of a subject; nothing is written.
    ///
    /// # Errors
    /// [`OutputError::Machine`] where the file system has no locks.
    pub fn is_held(folder: &OutputFolder, subject: &str) -> Result<bool, OutputError> {
        let path = folder.lock_file(&Unit::subject(subject)?);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(OutputError::machine("read", &path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(OutputError::machine("lock", &path)(error)),
        }
    }

    /// When a subject was last looked at by a process that might write its results; `None`: never.
    pub fn last_held(folder: &OutputFolder, subject: &str) -> Option<SystemTime> {
        // a holder writes its number into the file
        let path = folder.lock_file(&Unit::subject(subject).ok()?);
        fs::metadata(path).and_then(|found| found.modified()).ok()
    }

    /// Locks what belongs to no one subject; waits, for it is only ever held for a moment.
    ///
    /// # Errors
    /// [`OutputError::Machine`] where the file system has no locks.
    pub fn acquire_dataset(folder: &OutputFolder) -> Result<Self, OutputError> {
        Self::wait_for(folder, Unit::Dataset)
    }

    /// Locks what is only ever held for a moment, such as a report; waits.
    ///
    /// # Errors
    /// [`OutputError::Machine`] where the file system has no locks.
    pub fn wait_for(folder: &OutputFolder, unit: Unit) -> Result<Self, OutputError> {
        let path = folder.lock_file(&unit);
        let file = open(&path)?;
        file.lock().map_err(OutputError::machine("lock", &path))?;
        Self::held(folder, unit, file, &path)
    }

    fn held(folder: &OutputFolder, unit: Unit, mut file: File, path: &Path) -> Result<Self, OutputError> {
        let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let on = if machine.trim().is_empty() { String::new() } else { format!(" on {}", machine.trim()) };
        file.set_len(0)
            .and_then(|()| writeln!(file, "process {}{on}", std::process::id()))
            .map_err(OutputError::machine("write", path))?;
        let lock = Self { folder: folder.clone(), unit, file };
        lock.clear_leftovers()?;
        Ok(lock)
    }

    /// Removes staged files of this unit: whoever staged them no longer holds the lock.
    fn clear_leftovers(&self) -> Result<(), OutputError> {
        let scratch = self.folder.scratch();
        let prefix = format!("{}.", self.unit);
        for entry in fs::read_dir(&scratch).map_err(OutputError::machine("read", &scratch))? {
            let entry = entry.map_err(OutputError::machine("read", &scratch))?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let path = entry.path();
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(OutputError::machine("remove", &path))?;
            }
        }
        Ok(())
    }

    /// The output folder.
    pub fn folder(&self) -> &OutputFolder {
        &self.folder
    }

    /// What is locked.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // said aloud, because a child process forked at this moment would keep the open file, and so the lock, a
        // little longer; closing the file ends the lock in any case, so a failure changes nothing
        let _ = self.file.unlock();
    }
}

/// Tries a few times: who only asks whether the lock is held holds it for a moment.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            settled => return settled,
        }
    }
    file.try_lock()
}

fn open(path: &Path) -> Result<File, OutputError> {
    // not truncated: the holder's words must survive a process that fails to get the lock
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(OutputError::machine("open", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnostic;
    use crate::outputs::open_output_folder;

    #[test]
    fn a_second_holder_is_told_who_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = open_output_folder(root.path()).unwrap();
        let held = OutputLock::acquire(&folder, "01").unwrap();
        OutputLock::acquire(&folder, "02").unwrap();
        let problem = OutputLock::acquire(&folder, "01").unwrap_err();
        let OutputError::Locked { holder, .. } = &problem else { panic!("{problem}") };
        assert!(holder.starts_with(&format!("process {}", std::process::id())), "{holder}");
        let shown = Diagnostic::from(problem).to_string();
        assert!(shown.starts_with("error[output-locked]: another process is writing the results of sub-01 in `"));
        drop(held);
        OutputLock::acquire(&folder, "01").unwrap();
    }

    #[test]
    fn a_stale_lock_file_and_leftovers_do_not_matter() {
        let root = tempfile::tempdir().unwrap();
        let folder = open_output_folder(root.path()).unwrap();
        fs::write(root.path().join(".boldly/locks/sub-1.lock"), "process 1\n").unwrap();
        for leftover in ["sub-1.77", "sub-10.77"] {
            fs::create_dir(root.path().join(".boldly/tmp").join(leftover)).unwrap();
            fs::write(root.path().join(".boldly/tmp").join(leftover).join("0"), "half").unwrap();
        }
        OutputLock::acquire(&folder, "1").unwrap();
        assert!(!root.path().join(".boldly/tmp/sub-1.77").exists());
        assert!(root.path().join(".boldly/tmp/sub-10.77").exists(), "another subject's");
    }

    #[test]
    fn a_label_is_no_path() {
        let root = tempfile::tempdir().unwrap();
        let folder = open_output_folder(root.path()).unwrap();
        assert!(matches!(OutputLock::acquire(&folder, "../../x"), Err(OutputError::Name { .. })));
    }
}

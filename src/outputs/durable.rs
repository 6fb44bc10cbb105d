//! File-system steps that survive a crash: what a step has put in place stays, whole.

use super::{OutputError, RelativePath};
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Makes the entries of a folder (renames, removals) last.
pub(super) fn sync_folder(path: &Path) -> Result<(), OutputError> {
    // folders cannot be opened for this on Windows, where renames are journalled
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(OutputError::machine("flush", path))?;
    }
    Ok(())
}

/// Writes a small file under its final name in one step: `scratch`, on the same file system, is renamed over it.
pub(super) fn write_atomically(scratch: &Path, target: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let write = || {
        let mut file = File::create(scratch)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(OutputError::machine("write", target))?;
    fs::rename(scratch, target).map_err(OutputError::machine("write", target))?;
    target.parent().map_or(Ok(()), sync_folder)
}

/// What a small file of our own says; `None`: it is not there.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, OutputError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| OutputError::DamagedManifest { path: path.to_path_buf(), reason: error.to_string() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OutputError::machine("read", path)(error)),
    }
}

/// Writes a small file that is no result, such as a pipeline, in one step.
///
/// # Errors
/// [`OutputError::Machine`] where its folder cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let path = &std::path::absolute(path).map_err(OutputError::machine("write", path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    write_atomically(&path.with_file_name(format!(".{name}.{}", std::process::id())), path, bytes)
}

/// Removes a file; one that is not there is fine. Tells whether it was.
pub(super) fn remove_file(path: &Path) -> Result<bool, OutputError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OutputError::machine("remove", path)(error)),
    }
}

/// Creates the folders above an output, and refuses a symbolic link among them: it would lead outside.
pub(super) fn create_folders(root: &Path, output: &RelativePath) -> Result<(), OutputError> {
    let mut folder = root.to_path_buf();
    let mut parts = output.parts();
    parts.next_back();
    for part in parts {
        let parent = folder.clone();
        folder.push(part);
        match fs::create_dir(&folder) {
            Ok(()) => sync_folder(&parent)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => require_folder(&folder)?,
            Err(error) => return Err(OutputError::machine("create", &folder)(error)),
        }
    }
    Ok(())
}

/// Refuses anything but a real folder.
pub(super) fn require_folder(path: &Path) -> Result<(), OutputError> {
    let found = fs::symlink_metadata(path).map_err(OutputError::machine("read", path))?;
    if found.is_dir() { Ok(()) } else { Err(OutputError::NotAFolder { path: path.to_path_buf() }) }
}

/// Renames a finished file to its place.
///
/// Another subject's process may remove a folder that is empty just then (it lost its last file): tried again.
pub(super) fn put_in_place(staged: &Path, root: &Path, output: &RelativePath) -> Result<(), OutputError> {
    let target = output.below(root);
    let mut attempts = 0;
    loop {
        create_folders(root, output)?;
        match fs::rename(staged, &target) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < 3 => attempts += 1,
            Err(error) => return Err(OutputError::machine("put in place", &target)(error)),
        }
    }
}

/// Removes an output and the folders that it leaves empty. A link on the way is left alone with all behind it.
pub(super) fn remove_output(root: &Path, output: &RelativePath) -> Result<(), OutputError> {
    let mut folders = Vec::new();
    let mut folder = root.to_path_buf();
    for part in output.parts() {
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => folders.push(folder.clone()),
            _ => return Ok(()),
        }
        folder.push(part);
    }
    if remove_file(&folder)? {
        // the first is the output folder itself
        let mut kept = folders.len();
        while kept > 1 && fs::remove_dir(&folders[kept - 1]).is_ok() {
            kept -= 1;
        }
        sync_folder(&folders[kept - 1])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::new(text).unwrap()
    }

    #[test]
    fn removal_prunes_empty_folders_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for output in ["m/sub-01/func/a", "m/sub-02/func/a"] {
            create_folders(root, &path(output)).unwrap();
            fs::write(root.join(output), "x").unwrap();
        }
        remove_output(root, &path("m/sub-01/func/a")).unwrap();
        assert!(!root.join("m/sub-01").exists() && root.join("m/sub-02/func/a").exists());
        remove_output(root, &path("m/sub-01/func/a")).unwrap();
        remove_output(root, &path("m/sub-02/func/a")).unwrap();
        assert!(root.exists() && !root.join("m").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_neither_followed_nor_removed_behind() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::create_dir(elsewhere.path().join("sub-01")).unwrap();
        fs::write(elsewhere.path().join("sub-01/a"), "precious").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("m")).unwrap();
        let staged = root.path().join("staged");
        fs::write(&staged, "new").unwrap();
        let problem = put_in_place(&staged, root.path(), &path("m/sub-01/a")).unwrap_err();
        assert!(matches!(problem, OutputError::NotAFolder { .. }), "{problem}");
        remove_output(root.path(), &path("m/sub-01/a")).unwrap();
        assert_eq!(fs::read_to_string(elsewhere.path().join("sub-01/a")).unwrap(), "precious");
    }
}

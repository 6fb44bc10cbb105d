//! Commits that succeed, fail, and are refused; interruption has a test of its own in `tests/interruption.rs`.

use super::*;
use crate::outputs::{Digest, open_output_folder};
use std::path::Path;

fn path(text: &str) -> RelativePath {
    RelativePath::new(text).unwrap()
}

fn key(plan: &str) -> ManifestKey {
    ManifestKey {
        plan: Digest::of_bytes(plan.as_bytes()),
        numerics_version: 1,
        inputs: BTreeMap::new(),
        settings: serde_json::Value::Null,
    }
}

fn stage(root: &Path) -> StagedOutputs {
    let folder = open_output_folder(root).unwrap();
    StagedOutputs::new(OutputLock::acquire(&folder, "01").unwrap()).unwrap()
}

fn write(staged: &StagedOutputs, name: &str, content: &str) {
    staged.write(&path(name), |file| file.write_all(content.as_bytes())).unwrap();
}

/// Every file below `root`, but for `.boldly`.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap().path();
            if entry.ends_with(".boldly") {
                continue;
            }
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.push(entry.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_appears_before_the_commit_and_all_after_it() {
    let root = tempfile::tempdir().unwrap();
    let staged = stage(root.path());
    write(&staged, "m/sub-01/a", "one");
    staged.write_json(&path("m/sub-01/a.json"), &[1.5]).unwrap();
    assert_eq!(files(root.path()), [""; 0]);
    let manifest = staged.commit(key("p")).unwrap();
    assert_eq!(files(root.path()), ["m/sub-01/a", "m/sub-01/a.json"]);
    assert_eq!(fs::read_to_string(root.path().join("m/sub-01/a.json")).unwrap(), "[\n  1.5\n]\n");
    let folder = open_output_folder(root.path()).unwrap();
    assert_eq!(Manifest::load(&folder, &Unit::subject("01").unwrap()).unwrap().as_ref(), Some(&manifest));
    assert!(manifest.is_current(&key("p"), &folder) && manifest.altered_outputs(&folder).is_empty());
    assert_eq!(fs::read_dir(folder.scratch()).unwrap().count(), 0);
    assert_eq!(fs::read_dir(folder.manifests()).unwrap().count(), 1, "no journal is left");
}

#[test]
fn only_files_that_the_old_manifest_alone_lists_are_removed() {
    let root = tempfile::tempdir().unwrap();
    let staged = stage(root.path());
    for name in ["m/sub-01/kept", "m/sub-01/stale", "gone/sub-01/stale"] {
        write(&staged, name, "old");
    }
    staged.commit(key("p")).unwrap();
    fs::write(root.path().join("m/sub-01/mine.txt"), "the user's").unwrap();
    let staged = stage(root.path());
    write(&staged, "m/sub-01/kept", "new");
    write(&staged, "m/sub-01/added", "new");
    staged.commit(key("q")).unwrap();
    assert_eq!(files(root.path()), ["m/sub-01/added", "m/sub-01/kept", "m/sub-01/mine.txt"]);
    assert_eq!(fs::read_to_string(root.path().join("m/sub-01/kept")).unwrap(), "new");
    assert!(!root.path().join("gone").exists());
}

#[test]
fn dropped_is_undone() {
    let root = tempfile::tempdir().unwrap();
    let staged = stage(root.path());
    write(&staged, "m/a", "x");
    drop(staged);
    assert_eq!(files(root.path()), [""; 0]);
    assert_eq!(fs::read_dir(root.path().join(".boldly/tmp")).unwrap().count(), 0);
}

#[test]
fn an_unfinished_or_repeated_output_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let staged = stage(root.path());
    let mut half = staged.create(&path("m/a")).unwrap();
    half.write_all(b"half").unwrap();
    drop(half);
    let again = staged.create(&path("M/A")).unwrap_err();
    insta::assert_snapshot!(crate::error::Diagnostic::from(again), @r"
    error[output-collision]: two outputs would be called `m/a` and `M/A`
       = note: names that differ in case alone are one file on many machines
       = hint: rename one of the models, contrasts or runs they come from
    ");
    let problem = staged.commit(key("p")).unwrap_err();
    assert!(matches!(problem, OutputError::Unfinished { .. }), "{problem}");
    assert_eq!(files(root.path()), [""; 0]);
}

#[test]
fn a_commit_that_fails_half_way_claims_nothing_and_is_made_good() {
    let root = tempfile::tempdir().unwrap();
    let staged = stage(root.path());
    write(&staged, "m/a", "old");
    write(&staged, "m/stale", "old");
    staged.commit(key("p")).unwrap();
    // a folder stands where a file should go
    fs::create_dir_all(root.path().join("m/b/inside")).unwrap();
    let staged = stage(root.path());
    write(&staged, "m/a", "new");
    write(&staged, "m/b", "new");
    assert!(staged.commit(key("q")).unwrap_err().is_machine_failure());
    let folder = open_output_folder(root.path()).unwrap();
    let unit = Unit::subject("01").unwrap();
    assert_eq!(Manifest::load(&folder, &unit).unwrap(), None);
    fs::remove_dir_all(root.path().join("m/b")).unwrap();
    let staged = stage(root.path());
    write(&staged, "m/b", "new");
    let manifest = staged.commit(key("q")).unwrap();
    assert_eq!(files(root.path()), ["m/b"], "what the failed commit knew to be stale is gone");
    assert!(manifest.altered_outputs(&folder).is_empty());
}

#[test]
fn files_may_be_written_from_many_threads() {
    let root = tempfile::tempdir().unwrap();
    let staged = stage(root.path());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let staged = &staged;
            scope.spawn(move || write(staged, &format!("m/{thread}"), &thread.to_string().repeat(100_000)));
        }
    });
    let manifest = staged.commit(key("p")).unwrap();
    let folder = open_output_folder(root.path()).unwrap();
    assert_eq!((manifest.outputs.len(), manifest.altered_outputs(&folder).len()), (4, 0));
}

/// A file system of 1 MiB, where the machine lets us mount one.
#[cfg(target_os = "linux")]
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn a_full_disk_leaves_the_old_results() {
    struct Mounted(tempfile::TempDir);
    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg(self.0.path()).status();
        }
    }
    let root = tempfile::tempdir().unwrap();
    let mount =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(root.path()).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: may not mount a small file system here");
        return;
    }
    let root = Mounted(root);
    let staged = stage(root.0.path());
    write(&staged, "m/a", "old");
    let old = staged.commit(key("p")).unwrap();
    let staged = stage(root.0.path());
    let problem = staged.write(&path("m/a"), |file| file.write_all(&vec![1; 2 << 20])).unwrap_err();
    let OutputError::Machine { source, path: named, .. } = &problem else { panic!("{problem}") };
    assert_eq!((source.kind(), named), (io::ErrorKind::StorageFull, &root.0.path().join("m/a")));
    assert!(matches!(staged.commit(key("q")), Err(OutputError::Unfinished { .. })));
    let folder = open_output_folder(root.0.path()).unwrap();
    assert_eq!(Manifest::load(&folder, &Unit::subject("01").unwrap()).unwrap(), Some(old.clone()));
    assert!(old.altered_outputs(&folder).is_empty());
}

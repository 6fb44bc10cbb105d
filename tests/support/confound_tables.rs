//! Where the real confound tables are.
#![allow(unreachable_pub, clippy::print_stderr, reason = "part of several test binaries; a skipped test says so")]

use std::path::{Path, PathBuf};

/// The folder with them: in `BOLDLY_TEST_DATA`, else in `../shared` beside the package. Says so when there is none.
pub fn confound_tables() -> Option<PathBuf> {
    let data = std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = data.join("data/confounds");
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    Some(folder)
}

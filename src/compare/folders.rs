//! Two folders, file by file; and files of no known kind, byte by byte.

use super::tally::{Place, Worst};
use super::{Comparison, Difference, both, compare_files, unreadable};
use crate::error::{Diagnostic, Diagnostics};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Fills in a comparison of folders.
pub(super) fn compare_folders(comparison: &mut Comparison) -> Result<(), Diagnostics> {
    let (in_a, in_b) = both(&comparison.a, &comparison.b, files_below)?;
    if in_a.is_empty() && in_b.is_empty() {
        let message = format!("neither `{}` nor `{}` holds a file", comparison.a.display(), comparison.b.display());
        return Err(Diagnostic::error("compare-nothing", message).into());
    }
    let mut problems = Diagnostics::new();
    for name in in_a.keys().chain(in_b.keys()).collect::<BTreeSet<_>>() {
        match (in_a.get(name), in_b.get(name)) {
            (Some(a), Some(b)) => {
                let compared = compare_files(name.clone(), a, b, comparison.tolerance);
                comparison.files.extend(problems.collect(compared));
            }
            (Some(_), None) => comparison.only_in_a.push(name.clone()),
            _ => comparison.only_in_b.push(name.clone()),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether this is a report, which repeats what other files hold: a difference of rounding there is none of its pixels.
fn is_report(name: &str) -> bool {
    name == "report.html" || !name.contains('/') && name.starts_with("sub-") && name.ends_with("_report.html")
}

/// The files below a folder by their names from there, with `/`; `.boldly` is passed over (locks and manifests), so are
/// reports, and so is the `.img` of a pair, which its `.hdr` stands for. Links to folders are not followed.
fn files_below(root: &Path) -> Result<BTreeMap<String, PathBuf>, Diagnostics> {
    let fail = |path: &Path, error: &std::io::Error| Diagnostics::from(unreadable(path, &error.to_string()));
    let mut files = BTreeMap::new();
    let mut folders = vec![(String::new(), root.to_path_buf())];
    while let Some((prefix, folder)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| fail(&folder, &error))? {
            let entry = entry.map_err(|error| fail(&folder, &error))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if name == ".boldly" || is_report(&name) {
                continue;
            }
            let found = entry.file_type().map_err(|error| fail(&entry.path(), &error))?;
            if found.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
            } else if !entry.path().is_dir() {
                files.insert(name, entry.path());
            }
        }
    }
    let pairs: Vec<String> = files
        .keys()
        .filter_map(|name| {
            let stem = name.strip_suffix(".img").or_else(|| name.strip_suffix(".img.gz"))?;
            [".hdr", ".hdr.gz"]
                .iter()
                .any(|ending| files.contains_key(&format!("{stem}{ending}")))
                .then(|| name.clone())
        })
        .collect();
    for name in &pairs {
        files.remove(name);
    }
    Ok(files)
}

/// Compares two files byte by byte; the count is of bytes of the longer one.
pub(super) fn compare_bytes(a: &Path, b: &Path) -> Result<(usize, Option<Difference>), Diagnostics> {
    let (a, b) = both(a, b, |path| {
        std::fs::read(path).map_err(|error| Diagnostics::from(unreadable(path, &error.to_string())))
    })?;
    let n_values = a.len().max(b.len());
    let n_different = (0..n_values).filter(|&at| a.get(at) != b.get(at)).count();
    let Some(first) = (0..n_values).find(|&at| a.get(at) != b.get(at)) else { return Ok((n_values, None)) };
    let shown = |bytes: &[u8]| bytes.get(first).map_or_else(|| "the end".to_owned(), |byte| format!("{byte:#04x}"));
    let worst = Worst { place: Place::Byte(first), a: shown(&a), b: shown(&b), apart: None, allowed: None };
    Ok((n_values, Some(Difference::Values { n_different, worst })))
}

//! What to say of a file that is not there: the folder that is missing, or the name that was meant.

use std::path::Path;

/// What helps where no file stands under a path.
///
/// Where its folder is missing too, the first folder on the way that is; else the name in the folder that is fewest
/// edits away, of those with the same extension, where at most a third of its letters differ.
pub(crate) fn missing_file_hint(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let missing = folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).last();
        return missing.map(|missing| format!("the folder `{}` does not exist", missing.display()));
    }
    let wanted = path.file_name()?.to_string_lossy();
    let extension = |name: &str| name.split_once('.').map(|(_, extension)| extension.to_lowercase());
    let nearest = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| extension(name) == extension(&wanted))
        .map(|name| (strsim::damerau_levenshtein(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(edits, _)| edits * 3 <= wanted.chars().count())
        .min();
    nearest.map(|(_, name)| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_or_the_folder_that_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["sub-01_run-01_bold.nii.gz", "sub-01_run-01_bold.json", "sub-01_run-12_bold.nii.gz"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let hint = |name: &str| missing_file_hint(&folder.path().join(name));
        assert_eq!(hint("sub-01_run-1_bold.nii.gz").unwrap(), "did you mean `sub-01_run-01_bold.nii.gz`?");
        assert_eq!(hint("sub-01_run-02_bold.nii.gz").unwrap(), "did you mean `sub-01_run-01_bold.nii.gz`?");
        assert_eq!(hint("sub-01_run-01_Bold.json").unwrap(), "did you mean `sub-01_run-01_bold.json`?");
        assert_eq!(hint("confounds.tsv"), None);
        let missing = folder.path().join("func");
        assert_eq!(hint("func/deep/bold.nii").unwrap(), format!("the folder `{}` does not exist", missing.display()));
    }
}

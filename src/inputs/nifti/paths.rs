//! From the path a user typed to the file with the header and the file with the voxels.

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::missing_file::missing_file_hint;
use std::path::{Path, PathBuf};

/// The files of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageFiles {
    /// File that starts with the header.
    pub(super) header: PathBuf,
    /// File that holds the voxels; the same for a single-file image.
    pub(super) data: PathBuf,
}

impl ImageFiles {
    /// Whether header and voxels are two files.
    pub(super) fn is_pair(&self) -> bool {
        self.header != self.data
    }

    /// A file of the same name with another extension in place of the header's (and of its `.gz`).
    pub(super) fn beside(&self, extension: &str) -> PathBuf {
        let bare = if has_extension(&self.header, "gz") { self.header.with_extension("") } else { self.header.clone() };
        bare.with_extension(extension)
    }

    /// Finds both files. Either name of a pair will do; extensions count in any case.
    pub(super) fn locate(path: &Path) -> Result<Self, Diagnostics> {
        let bare = if has_extension(path, "gz") { path.with_extension("") } else { path.to_path_buf() };
        if has_extension(&bare, "HEAD") || has_extension(&bare, "BRIK") {
            return Err(Diagnostic::error("image-other-format", "an AFNI dataset, not a NIfTI image")
                .at(Place::file(path))
                .hint("convert it with `3dAFNItoNIFTI`")
                .into());
        }
        let is_header = has_extension(&bare, "hdr");
        if !path.is_file() {
            let (message, hint) =
                if path.exists() { ("not a regular file", None) } else { ("no such image", missing_file_hint(path)) };
            let problem = Diagnostic::error("image-not-found", message).at(Place::file(path));
            return Err(Diagnostic { hint, ..problem }.into());
        }
        if !is_header && !has_extension(&bare, "img") {
            return Ok(Self { header: path.to_path_buf(), data: path.to_path_buf() });
        }
        let wanted = if is_header { "img" } else { "hdr" };
        let Some(other) = counterpart(path, &bare, wanted) else {
            let holds = if is_header { "voxels" } else { "header" };
            let sought = bare.with_extension(wanted);
            return Err(Diagnostic::error("image-pair-incomplete", format!("the file with the {holds} is missing"))
                .at(Place::file(path))
                .note(format!("looked for `{}`, with and without `.gz`", sought.display()))
                .into());
        };
        Ok(if is_header {
            Self { header: path.to_path_buf(), data: other }
        } else {
            Self { header: other, data: path.to_path_buf() }
        })
    }
}

/// The existing other half of a pair: first with the same compression and case as `path`.
fn counterpart(path: &Path, bare: &Path, wanted: &str) -> Option<PathBuf> {
    let compressed = path != bare;
    let upper = bare.extension().is_some_and(|extension| extension.to_ascii_uppercase() == extension);
    let with_case = |upper: bool, text: &str| if upper { text.to_ascii_uppercase() } else { text.to_owned() };
    let mut candidates = Vec::new();
    for compressed in [compressed, !compressed] {
        for upper in [upper, !upper] {
            let extension = with_case(upper, wanted);
            candidates.push(bare.with_extension(match (compressed, upper) {
                (false, _) => extension,
                (true, false) => format!("{extension}.gz"),
                (true, true) => format!("{extension}.GZ"),
            }));
            if compressed && upper {
                candidates.push(bare.with_extension(format!("{}.gz", with_case(true, wanted))));
            }
        }
    }
    candidates.into_iter().find(|candidate| candidate.is_file())
}

/// Whether the last extension is `wanted`, in any case.
pub(super) fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    #[test]
    fn either_half_of_a_pair_finds_the_other() {
        let cases = [
            ("a.p0.05.hdr", "a.p0.05.img"),
            ("b.hdr.gz", "b.img.gz"),
            ("c.hdr", "c.img.gz"),
            ("d.HDR", "d.IMG"),
            ("e.HDR.GZ", "e.IMG.GZ"),
        ];
        for (header, data) in cases {
            let folder = folder_with(&[header, data]);
            let expected = ImageFiles { header: folder.path().join(header), data: folder.path().join(data) };
            assert_eq!(ImageFiles::locate(&expected.header).unwrap(), expected);
            assert_eq!(ImageFiles::locate(&expected.data).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let folder = folder_with(&["a.hdr", "b.img", "c+orig.HEAD"]);
        let code = |name: &str| ImageFiles::locate(&folder.path().join(name)).unwrap_err();
        assert!(code("a.hdr").to_string().contains("the file with the voxels is missing"));
        assert!(code("b.img").to_string().contains("the file with the header is missing"));
        assert!(code("c+orig.HEAD").to_string().contains("image-other-format"));
        assert!(code("d.nii").to_string().contains("no such image"));
        assert!(code("").to_string().contains("not a regular file"));
    }
}

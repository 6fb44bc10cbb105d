//! SHA-256 of input files, as provenance lists it.

use crate::error::{Diagnostic, Diagnostics, Place};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// SHA-256 of a file's bytes as they lie on disk (compressed where it is), 64 hexadecimal digits.
///
/// # Errors
/// The file cannot be read.
pub fn digest_file(path: &Path) -> Result<String, Diagnostics> {
    digest_reader(path).map_err(|error| {
        Diagnostic::error("input-unreadable", format!("cannot read the file: {error}")).at(Place::file(path)).into()
    })
}

fn digest_reader(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hexadecimal(&hasher.finalize())),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example() {
        // FIPS 180-4, the message "abc"
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest_file(&path).unwrap(), expected);
    }

    #[test]
    fn a_missing_file_is_named() {
        let problems = digest_file(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(problems.contains("input-unreadable") && problems.contains("no/such/file"), "{problems}");
    }
}

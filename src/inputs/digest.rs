//! SHA-256 of files, as they are read, as they are written and as they stand: what provenance lists.

use crate::error::{Diagnostic, Diagnostics, Place};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A SHA-256, shown and saved as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of a value as its compact JSON, in the order of its fields: for plans and settings.
    ///
    /// # Errors
    /// The value cannot be said in JSON (a map whose keys are no strings).
    pub fn of_json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::of_bytes(&serde_json::to_vec(value)?))
    }

    /// Of a file's bytes as they lie on disk (compressed where it is), and how many they are.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_file(path: &Path) -> io::Result<(Self, u64)> {
        let mut file = File::open(path)?;
        let mut hasher = Hasher::default();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(n_read) => hasher.update(&buffer[..n_read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// [`Digest::of_file`] of an input file.
///
/// # Errors
/// The file cannot be read.
pub fn digest_file(path: &Path) -> Result<Digest, Diagnostics> {
    Digest::of_file(path).map(|(digest, _)| digest).map_err(|error| {
        Diagnostic::error("input-unreadable", format!("cannot read the file: {error}")).at(Place::file(path)).into()
    })
}

/// A digest in the making.
#[derive(Debug, Default)]
pub(crate) struct Hasher {
    state: Sha256,
    bytes: u64,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The digest, and of how many bytes.
    pub(crate) fn finish(self) -> (Digest, u64) {
        (Digest(self.state.finalize().into()), self.bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.as_bytes();
        let mut digest = [0; 32];
        if digits.len() != 64 || !digits.iter().all(|digit| b"0123456789abcdef".contains(digit)) {
            return Err(format!("`{text}` is no SHA-256: 64 lower-case hexadecimal digits"));
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |digit: u8| if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 };
            *byte = value(pair[0]) << 4 | value(pair[1]);
        }
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_are_the_standard_s_and_survive_json() {
        assert_eq!(Digest::of_bytes(b"abc").to_string(), ABC);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let (digest, bytes) = Digest::of_file(&path).unwrap();
        assert_eq!((digest.to_string().as_str(), bytes), (ABC, 3));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        for bad in ["", "ba", &ABC.to_uppercase(), &ABC.replace('b', "g")] {
            assert!(Digest::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(Digest::of_file(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let problems = digest_file(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(problems.contains("input-unreadable") && problems.contains("no/such/file"), "{problems}");
    }
}

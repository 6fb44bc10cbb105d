//! The bytes of an image file, uncompressed on the way where it is gzip, hashed as they lie on disk.

use super::members::{GZIP_MAGIC, Members};
use super::read_ahead::{CHUNK_BYTES, HashingFile, ReadAhead};
use crate::inputs::Digest;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Deflate's largest expansion is 1032 to 1 (a match of 258 bytes in 2 bits).
pub(super) const DEFLATE_MAX_RATIO: u64 = 1032;

/// The first bytes of a file as they lie on disk: at most `count`, fewer where it is shorter.
pub(super) fn first_bytes(path: &Path, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the file starts as gzip does, whatever its name.
pub(super) fn looks_gzipped(path: &Path) -> io::Result<bool> {
    Ok(first_bytes(path, 3)? == GZIP_MAGIC)
}

/// The first bytes of a file's content, uncompressed: at most `count`, fewer where there are fewer.
pub(super) fn first_content_bytes(path: &Path, gzipped: bool, count: u64) -> io::Result<Vec<u8>> {
    if !gzipped {
        return first_bytes(path, count);
    }
    let mut bytes = Vec::new();
    Members::new(BufReader::new(File::open(path)?)).take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Inflates a gzip file to count its content, at most to `most`; where that fails, how much came before is beside the reason.
pub(super) fn count_content(path: &Path, most: u64) -> Result<u64, (u64, io::Error)> {
    let file = File::open(path).map_err(|error| (0, error))?;
    let mut content = Members::new(BufReader::with_capacity(CHUNK_BYTES, file)).take(most);
    let mut count = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match content.read(&mut chunk) {
            Ok(0) => return Ok(count),
            Ok(n_read) => count += n_read as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((count, error)),
        }
    }
}

/// Passes over at most `count` bytes; gives how many there were.
pub(super) fn skip(content: &mut impl Read, count: u64) -> io::Result<u64> {
    io::copy(&mut content.take(count), &mut io::sink())
}

/// Reads a file's content from the start, and hashes the file.
///
/// Hashing takes a tenth of the time of inflating, and is done beside it by a thread; of a plain file it is nearly all
/// there is to do, and another thread would only add a copy.
pub(super) enum ByteSource {
    Plain(HashingFile),
    Gzip(Members<ReadAhead>),
}

impl ByteSource {
    /// Opens a file, as gzip (any number of members) or as it is.
    pub(super) fn open(path: &Path, gzipped: bool) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(if gzipped { Self::Gzip(Members::new(ReadAhead::new(file)?)) } else { Self::Plain(HashingFile::new(file)) })
    }

    /// Reads what is left, so that every member's checksum and length are checked, and gives the SHA-256 of the
    /// file as it lies on disk. Bytes after the last member are passed over, as gzip itself does.
    pub(super) fn finish(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        match self {
            Self::Plain(file) => Ok(file.digest()),
            Self::Gzip(members) => {
                members.into_inner().ok_or_else(|| io::Error::other("the stream was left half-way"))?.finish()
            }
        }
    }
}

impl Read for ByteSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Gzip(members) => members.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::digest_file;
    use crate::inputs::nifti::test_images::gzip;

    /// Writes `bytes`, reads them back through the source: content, digest of the file.
    fn round(bytes: &[u8], gzipped: bool) -> io::Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        let mut source = ByteSource::open(&path, gzipped)?;
        let mut content = Vec::new();
        source.read_to_end(&mut content)?;
        let digest = source.finish()?;
        assert_eq!(digest, digest_file(&path).unwrap());
        Ok(content)
    }

    #[test]
    fn members_follow_one_another_and_what_follows_them_is_no_content() {
        let (a, b) = (vec![7u8; 300_000], b"second".to_vec());
        let both = [gzip(&a), gzip(b""), gzip(&b)].concat();
        let expected = [a, b].concat();
        assert_eq!(round(&expected, false).unwrap(), expected);
        assert_eq!(round(&both, true).unwrap(), expected);
        assert_eq!(round(&[both.clone(), vec![0; 700_000]].concat(), true).unwrap(), expected);
        assert_eq!(round(&[both, b"tar padding".to_vec()].concat(), true).unwrap(), expected);
    }

    #[test]
    fn a_wrong_checksum_and_a_cut_trailer_are_found() {
        let whole = gzip(b"some content");
        let mut flipped = whole.clone();
        let at = flipped.len() - 6;
        flipped[at] ^= 1;
        assert!(round(&flipped, true).is_err());
        for cut in 1..whole.len() - 1 {
            let error = round(&whole[..whole.len() - cut], true).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut} bytes short");
        }
    }

    #[test]
    fn finishing_early_still_hashes_and_checks_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        std::fs::write(&path, gzip(&vec![3; 1 << 20])).unwrap();
        let mut source = ByteSource::open(&path, true).unwrap();
        assert_eq!(skip(&mut source, 1000).unwrap(), 1000);
        assert_eq!(source.finish().unwrap(), digest_file(&path).unwrap());
    }
}

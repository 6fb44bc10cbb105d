//! The bytes of an image file, uncompressed on the way where it is gzip, hashed as they lie on disk.

use crate::inputs::{Digest, Hasher};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Compressed bytes asked from the system at once; measured best on 252 MB of BOLD.
const BUFFER_BYTES: usize = 1 << 18;

/// First bytes of a gzip member with the only compression method there is.
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

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

/// Reads a file's content from the start.
pub(super) struct ByteSource(Stream);

enum Stream {
    Plain(HashingFile),
    Gzip(Box<GzDecoder<BufReader<HashingFile>>>),
    /// After the last gzip member; what follows it on disk is no content.
    Ended(BufReader<HashingFile>),
    /// Only while one variant becomes another.
    Moved,
}

impl ByteSource {
    /// Opens a file, as gzip (any number of members) or as it is.
    pub(super) fn open(path: &Path, gzipped: bool) -> io::Result<Self> {
        let file = HashingFile { file: File::open(path)?, hasher: Hasher::default() };
        Ok(Self(if gzipped {
            Stream::Gzip(Box::new(GzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, file))))
        } else {
            Stream::Plain(file)
        }))
    }

    /// Reads what is left, so that every member's checksum and length are checked, and gives the SHA-256 of the
    /// file as it lies on disk. Bytes after the last member are passed over, as gzip itself does.
    pub(super) fn finish(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        let mut file = match self.0 {
            Stream::Plain(file) => file,
            Stream::Gzip(decoder) => decoder.into_inner().into_inner(),
            Stream::Ended(reader) => reader.into_inner(),
            Stream::Moved => return Err(io::Error::other("the stream was left half-way")),
        };
        io::copy(&mut file, &mut io::sink())?;
        Ok(file.hasher.finish().0)
    }

    /// Reads until `buffer` is full or the content ends; gives the bytes read.
    pub(super) fn read_full(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    /// Passes over at most `count` bytes; gives how many there were.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<u64> {
        io::copy(&mut self.take(count), &mut io::sink())
    }
}

impl Read for ByteSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.0 {
                Stream::Plain(file) => return file.read(buffer),
                Stream::Ended(_) | Stream::Moved => return Ok(0),
                Stream::Gzip(decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 {
                        return Ok(read);
                    }
                }
            }
            // the member is whole (its checksum agreed): another one may follow it
            if let Stream::Gzip(decoder) = std::mem::replace(&mut self.0, Stream::Moved) {
                let mut reader = decoder.into_inner();
                let another = reader.fill_buf()?.first() == Some(&GZIP_MAGIC[0]);
                self.0 = if another { Stream::Gzip(Box::new(GzDecoder::new(reader))) } else { Stream::Ended(reader) };
            }
        }
    }
}

/// A file whose bytes are hashed as they are read.
struct HashingFile {
    file: File,
    hasher: Hasher,
}

impl Read for HashingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(buffer) {
                Ok(read) => {
                    self.hasher.update(&buffer[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
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
        assert_eq!(source.skip(1000).unwrap(), 1000);
        assert_eq!(source.finish().unwrap(), digest_file(&path).unwrap());
    }
}

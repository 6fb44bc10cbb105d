//! The content of gzip: any number of members, one after the other.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// First bytes of a gzip member with the only compression method there is.
pub(super) const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Inflates members until no other one follows; what else follows is no content, and is left.
pub(super) enum Members<R> {
    Inflating(Box<GzDecoder<R>>),
    Ended(R),
    /// Only while one becomes another.
    Moved,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(compressed: R) -> Self {
        Self::Inflating(Box::new(GzDecoder::new(compressed)))
    }

    /// What follows what was inflated so far; `None` after an error.
    pub(super) fn into_inner(self) -> Option<R> {
        match self {
            Self::Inflating(decoder) => Some(decoder.into_inner()),
            Self::Ended(compressed) => Some(compressed),
            Self::Moved => None,
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self {
                Self::Ended(_) | Self::Moved => return Ok(0),
                Self::Inflating(decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 {
                        return Ok(read);
                    }
                }
            }
            // the member is whole (its checksum agreed): another one may follow it
            if let Self::Inflating(decoder) = std::mem::replace(self, Self::Moved) {
                let mut compressed = decoder.into_inner();
                let another = compressed.fill_buf()?.first() == Some(&GZIP_MAGIC[0]);
                *self = if another { Self::new(compressed) } else { Self::Ended(compressed) };
            }
        }
    }
}

//! One gzip member (RFC 1952) whose content is compressed in chunks, several at a time.
//!
//! A deflate stream is a sequence of blocks, and after a flush the next one begins at a byte. So every chunk is compressed
//! on its own, ended with a flush, and the chunks are joined; the checksum of the whole is combined from theirs. Any reader
//! sees one ordinary member. Chunks have a fixed size: what is written does not depend on the number of threads. A chunk
//! costs 5 bytes for its flush, and does not refer to the 32 KiB before it.

use flate2::{Compress, Compression, Crc, FlushCompress};
use rayon::prelude::*;
use std::io::{self, Write};

/// Bytes of content a chunk: some milliseconds of work, and a hundred times what it cannot refer to.
const CHUNK_BYTES: usize = 1 << 20;

/// Chunks of a series that are compressed at a time.
const MOST_AT_A_TIME: usize = 16;

/// The last block, an empty one of fixed codes (RFC 1951, 3.2.6).
const LAST_BLOCK: [u8; 2] = [3, 0];

/// How many chunks of a member are compressed at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// One: for maps, of which several are written at a time.
    One,
    /// As many as there are threads, within bounds.
    Many,
}

impl Chunks {
    /// Bytes of content that are compressed at a time.
    fn bytes(self) -> usize {
        CHUNK_BYTES * if self == Self::One { 1 } else { MOST_AT_A_TIME }
    }

    /// Memory that a member of so much content takes while it is written: what waits, and what that is compressed to.
    pub(crate) fn memory(self, content_bytes: usize) -> usize {
        2 * content_bytes.min(self.bytes())
    }
}

/// Compresses what is written to it into a sink.
#[derive(Debug)]
pub(super) struct Gzip<W: Write> {
    sink: W,
    level: Compression,
    /// Content that waits for its chunks to be full.
    waiting: Vec<u8>,
    /// Content that is compressed at a time, bytes.
    most: usize,
    check: Crc,
}

impl<W: Write> Gzip<W> {
    /// Begins a member without name or time.
    ///
    /// # Errors
    /// The sink fails.
    pub(super) fn new(mut sink: W, level: Compression, chunks: Chunks) -> io::Result<Self> {
        let speed = match level.level() {
            0..=1 => 4, // "fastest"
            9.. => 2,   // "most compression"
            _ => 0,
        };
        let unknown_system = 255;
        sink.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, speed, unknown_system])?;
        Ok(Self { sink, level, waiting: Vec::new(), most: chunks.bytes(), check: Crc::new() })
    }

    /// Takes content; it is compressed as soon as enough of it waits.
    ///
    /// # Errors
    /// The sink fails.
    pub(super) fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.most - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
            if self.waiting.len() == self.most {
                self.compress()?;
            }
        }
        Ok(())
    }

    /// Ends the member and gives the sink back, flushed.
    ///
    /// # Errors
    /// The sink fails.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.compress()?;
        self.sink.write_all(&LAST_BLOCK)?;
        self.sink.write_all(&self.check.sum().to_le_bytes())?;
        self.sink.write_all(&self.check.amount().to_le_bytes())?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn compress(&mut self) -> io::Result<()> {
        let level = self.level;
        let chunks = self.waiting.par_chunks(CHUNK_BYTES).map(|chunk| deflated(chunk, level));
        for chunk in chunks.collect::<io::Result<Vec<(Vec<u8>, Crc)>>>()? {
            self.sink.write_all(&chunk.0)?;
            self.check.combine(&chunk.1);
        }
        self.waiting.clear();
        Ok(())
    }
}

/// The blocks of a chunk, none of them the last of the stream, and its checksum.
fn deflated(content: &[u8], level: Compression) -> io::Result<(Vec<u8>, Crc)> {
    let mut deflate = Compress::new(level, false);
    let mut out = Vec::with_capacity(content.len() / 2 + 64);
    loop {
        let taken = deflate.total_in() as usize;
        deflate.compress_vec(&content[taken..], &mut out, FlushCompress::Sync)?;
        // with room to spare, the flush has come out whole
        if out.len() < out.capacity() {
            break;
        }
        out.reserve(content.len() / 4 + 64);
    }
    let mut check = Crc::new();
    check.update(content);
    Ok((out, check))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    /// Bytes like those of images: small floats, and stretches of zeros.
    fn content(n_bytes: usize) -> Vec<u8> {
        let value = |at: u32| if at % 7000 < 4000 { 0.0 } else { (at.wrapping_mul(2_654_435_761) >> 8) as f32 };
        (0..n_bytes.div_ceil(4) as u32).flat_map(|at| value(at).to_le_bytes()).take(n_bytes).collect()
    }

    fn written(content: &[u8], level: u32, chunks: Chunks, piece: usize) -> Vec<u8> {
        let mut gzip = Gzip::new(Vec::new(), Compression::new(level), chunks).unwrap();
        content.chunks(piece).for_each(|piece| gzip.write_all(piece).unwrap());
        gzip.finish().unwrap()
    }

    #[test]
    fn one_member_holds_the_content_at_every_length_and_level() {
        for n_bytes in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 5, 17 * CHUNK_BYTES + 3] {
            let content = content(n_bytes);
            for level in if n_bytes < 3 * CHUNK_BYTES { vec![0, 1, 6, 9] } else { vec![1] } {
                let bytes = written(&content, level, Chunks::Many, 700_001);
                // decodes a single member, and checks its checksum and length
                let mut decoder = GzDecoder::new(&bytes[..]);
                let mut found = Vec::new();
                decoder.read_to_end(&mut found).unwrap();
                assert!(found == content, "{n_bytes} bytes at level {level}");
                assert!(decoder.into_inner().is_empty(), "something follows the member");
            }
        }
    }

    #[test]
    fn bytes_depend_neither_on_threads_nor_on_how_content_comes() {
        let content = content(20 * CHUNK_BYTES + 11);
        let expected = written(&content, 1, Chunks::One, content.len());
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for piece in [CHUNK_BYTES / 3, content.len()] {
                let bytes = pool.install(|| written(&content, 1, Chunks::Many, piece));
                assert!(bytes == expected, "{threads} threads, pieces of {piece}");
            }
        }
    }

    #[test]
    fn chunks_cost_little() {
        let content = content(4 * CHUNK_BYTES);
        let mut whole = flate2::write::GzEncoder::new(Vec::new(), Compression::new(1));
        whole.write_all(&content).unwrap();
        let whole = whole.finish().unwrap().len();
        // at worst, each chunk stores the 32 KiB anew that it cannot refer to: a 32nd of it
        let found = written(&content, 1, Chunks::Many, content.len()).len();
        assert!(found < whole + whole / 32, "{found} bytes for {whole}");
    }
}

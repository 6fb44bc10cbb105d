//! The bytes of a file, read and hashed ahead of whoever takes them, by a thread of their own.
//!
//! Inflating is what a run waits for; what can be done beside it is. Chunks are few and go round, so memory is
//! bounded and the reader waits for its taker.

use crate::inputs::{Digest, Hasher};
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// Bytes read, hashed and handed over at once: they are still in the cache when they are hashed.
pub(super) const CHUNK_BYTES: usize = 1 << 18;

/// Chunks that go round: one being taken, one being filled, the others ready.
const CHUNKS: usize = 4;

/// A file whose bytes are hashed as they are read.
pub(super) struct HashingFile {
    file: File,
    hasher: Hasher,
}

impl HashingFile {
    pub(super) fn new(file: File) -> Self {
        Self { file, hasher: Hasher::default() }
    }

    /// The digest of all that was read.
    pub(super) fn digest(self) -> Digest {
        self.hasher.finish().0
    }
}

impl Read for HashingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(CHUNK_BYTES);
        loop {
            match self.file.read(&mut buffer[..most]) {
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

/// A [`HashingFile`] that another thread reads.
pub(super) struct ReadAhead {
    chunk: Vec<u8>,
    /// Bytes of the chunk already taken.
    taken: usize,
    /// Gone after the end of the file, or an error.
    reader: Option<Reader>,
    /// There after the end of the file.
    digest: Option<Digest>,
}

/// The thread, and the chunks on their way to it and from it.
struct Reader {
    filled: Receiver<Vec<u8>>,
    empty: Sender<Vec<u8>>,
    /// The digest, unless chunks were no longer taken.
    thread: JoinHandle<io::Result<Option<Digest>>>,
}

impl ReadAhead {
    /// Starts to read.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let (filled_sender, filled) = channel();
        let (empty, empty_receiver) = channel();
        for _ in 1..CHUNKS {
            // the receiver is alive
            let _ = empty.send(vec![0; CHUNK_BYTES]);
        }
        let thread = thread::Builder::new()
            .name("read".to_owned())
            .spawn(move || read(HashingFile::new(file), &filled_sender, &empty_receiver))
            .map_err(|error| io::Error::new(error.kind(), format!("cannot start the thread that reads it: {error}")))?;
        Ok(Self {
            chunk: vec![0; CHUNK_BYTES],
            taken: CHUNK_BYTES,
            reader: Some(Reader { filled, empty, thread }),
            digest: None,
        })
    }

    /// Reads what is left, and gives the digest of the whole file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn finish(mut self) -> io::Result<Digest> {
        loop {
            let left = self.fill_buf()?.len();
            if left == 0 {
                break;
            }
            self.consume(left);
        }
        self.digest.ok_or_else(|| io::Error::other("the file was not read to its end"))
    }

    /// Gives the spent chunk back and takes the next one; an empty one at the end of the file.
    fn next_chunk(&mut self) -> io::Result<()> {
        self.taken = 0;
        let spent = std::mem::take(&mut self.chunk);
        if let Some(reader) = &self.reader {
            // at the end of the file nobody is there to take it
            let _ = reader.empty.send(spent);
            if let Ok(chunk) = reader.filled.recv() {
                self.chunk = chunk;
                return Ok(());
            }
        }
        if let Some(reader) = self.reader.take() {
            self.digest = match reader.stop() {
                Ok(digest) => digest?,
                Err(panic) => std::panic::resume_unwind(panic),
            };
        }
        // after an error, and whatever else left no digest, the end is not the file's
        if self.digest.is_none() {
            return Err(io::Error::other("reading stopped before"));
        }
        Ok(())
    }
}

impl BufRead for ReadAhead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.chunk.len() {
            self.next_chunk()?;
        }
        Ok(&self.chunk[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        self.taken += count;
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            // a panic of the thread is of no matter to who no longer reads
            let _ = reader.stop();
        }
    }
}

impl Reader {
    /// Waits for the thread, which ends with the chunk it is reading if it has not before.
    fn stop(self) -> thread::Result<io::Result<Option<Digest>>> {
        drop((self.filled, self.empty));
        self.thread.join()
    }
}

/// Fills empty chunks to the end of the file, or until nobody takes them.
fn read(mut file: HashingFile, filled: &Sender<Vec<u8>>, empty: &Receiver<Vec<u8>>) -> io::Result<Option<Digest>> {
    while let Ok(mut chunk) = empty.recv() {
        chunk.resize(CHUNK_BYTES, 0);
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(Some(file.digest()));
        }
        chunk.truncate(count);
        if filled.send(chunk).is_err() {
            break;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &tempfile::TempDir, bytes: &[u8]) -> File {
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        File::open(path).unwrap()
    }

    #[test]
    fn bytes_come_in_order_with_the_digest_of_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNKS * CHUNK_BYTES + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut reader = ReadAhead::new(written(&folder, &bytes)).unwrap();
            let mut found = Vec::new();
            reader.read_to_end(&mut found).unwrap();
            assert!(found == bytes, "{length}");
            // the end stays the end
            assert_eq!(reader.read(&mut [0]).unwrap(), 0);
            assert_eq!(reader.finish().unwrap(), Digest::of_bytes(&bytes));
            // all at once
            let untouched = ReadAhead::new(written(&folder, &bytes)).unwrap();
            assert_eq!(untouched.finish().unwrap(), Digest::of_bytes(&bytes));
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_error_of_the_thread_is_the_taker_s_and_no_end() {
        // a folder opens as a file and cannot be read
        let folder = tempfile::tempdir().unwrap();
        let mut reader = ReadAhead::new(File::open(folder.path()).unwrap()).unwrap();
        let error = reader.fill_buf().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert!(reader.fill_buf().is_err());
        assert!(reader.finish().is_err());
    }

    #[test]
    fn no_thread_is_left_when_the_taker_goes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = vec![1; 3 * CHUNKS * CHUNK_BYTES];
        for chunks_taken in [0, 1, CHUNKS + 1] {
            let (ended, ends) = channel::<()>();
            let mut reader = ReadAhead::new(written(&folder, &bytes)).unwrap();
            let inner = reader.reader.take().unwrap();
            // what lives as long as the thread
            let thread = thread::spawn(move || {
                let _ended = ended;
                inner.thread.join().unwrap()
            });
            reader.reader = Some(Reader { filled: inner.filled, empty: inner.empty, thread });
            for _ in 0..chunks_taken {
                let count = reader.fill_buf().unwrap().len();
                reader.consume(count);
            }
            assert!(ends.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty));
            drop(reader);
            assert!(ends.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected));
        }
    }
}

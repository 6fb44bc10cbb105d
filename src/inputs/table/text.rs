//! A text file as it should have been: decompressed, UTF-8, without byte-order mark, lines ended by line feeds.

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::missing_file::missing_file_hint;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Largest table read, bytes after decompression: far above any real table, below what exhausts memory.
const LARGEST_BYTES: u64 = 1 << 30;

/// Reads a text file, gzipped (by its first bytes, whatever its name) or not. `stated` is where the path was typed.
///
/// # Errors
/// The file cannot be opened, is damaged, larger than 1 GiB, or not UTF-8.
pub(crate) fn read_text(path: &Path, stated: Option<&Place>) -> Result<String, Diagnostics> {
    let unreadable = |error: &std::io::Error| {
        let problem = if error.kind() == ErrorKind::NotFound {
            let problem = Diagnostic::error("file-not-found", format!("no file `{}`", path.display()));
            Diagnostic { hint: missing_file_hint(path), ..problem }
        } else {
            Diagnostic::error("file-unreadable", format!("cannot read `{}`: {error}", path.display()))
        };
        problem.at(stated.cloned().unwrap_or_else(|| Place::file(path)))
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut content = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).take(LARGEST_BYTES + 1).read_to_end(&mut content).map_err(|error| {
            Diagnostic::error("file-damaged", format!("damaged gzip stream: {error}")).at(Place::file(path))
        })?;
        bytes = content;
    }
    if bytes.len() as u64 > LARGEST_BYTES {
        return Err(Diagnostic::error("table-too-large", "the table is larger than 1 GiB")
            .at(Place::file(path))
            .into());
    }
    decode(path, bytes)
}

fn decode(path: &Path, bytes: Vec<u8>) -> Result<String, Diagnostics> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Diagnostic::error("table-not-utf8", "the file is UTF-16, expected UTF-8")
            .at(Place::file(path))
            .hint("save it as UTF-8 text")
            .into());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..at].split(|byte| *byte == b'\n').count();
        Diagnostic::error("table-not-utf8", format!("byte 0x{:02x} is not UTF-8", bytes[at]))
            .at(Place::cell(path, line, None))
            .hint("save it as UTF-8 text")
    })?;
    let text = text.trim_start_matches('\u{feff}'); // programs that save a table again add another
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

//! Seeded damage to headers and compressed streams.

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const MUTANTS_PER_FILE: usize = 200;
/// Content kept behind a header: small images stay whole.
const CONTENT_BYTES: usize = 1 << 16;

/// Offsets and widths of the fields that decide where and how much is read: NIfTI-1, then NIfTI-2.
const FIELDS: [(usize, usize); 34] = [
    (0, 4),
    (40, 2),
    (42, 2),
    (44, 2),
    (46, 2),
    (48, 2),
    (50, 2),
    (70, 2),
    (72, 2),
    (76, 4),
    (80, 4),
    (92, 4),
    (108, 4),
    (112, 4),
    (116, 4),
    (123, 1),
    (252, 2),
    (254, 2),
    (256, 4),
    (280, 4),
    (344, 4),
    (12, 2),
    (14, 2),
    (16, 8),
    (24, 8),
    (32, 8),
    (40, 8),
    (48, 8),
    (104, 8),
    (168, 8),
    (176, 8),
    (344, 4),
    (352, 8),
    (400, 8),
];

/// SplitMix64: <https://doi.org/10.1145/2714064.2660195>.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Writes a file anew: overwriting one makes some file systems wait for the disk, 60 s over all mutants.
fn write_new(path: &Path, bytes: &[u8]) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

/// Damages every file's header in many ways and reads each; gives the mutants made and those that `read` opened.
pub(crate) fn survive(files: &[PathBuf], read: impl Fn(&Path) -> bool) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let (mut n_mutants, mut n_opened) = (0, 0);
    for (index, path) in files.iter().enumerate() {
        let (header, voxels) = content(path);
        for mutant in 0..MUTANTS_PER_FILE {
            let mut random = Random(1_000_000 * index as u64 + mutant as u64);
            let target = write_mutant(folder.path(), &mut random, header.clone(), voxels.as_deref());
            let outcome = catch_unwind(AssertUnwindSafe(|| read(&target)));
            let opened = outcome.unwrap_or_else(|_| panic!("panic at mutant {mutant} of {}", path.display()));
            n_mutants += 1;
            n_opened += usize::from(opened);
        }
    }
    (n_mutants, n_opened)
}

/// The first bytes of a file, uncompressed, and for a header of a pair those of its voxels.
fn content(path: &Path) -> (Vec<u8>, Option<Vec<u8>>) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let voxels = name.contains(".hdr").then(|| path.with_file_name(name.replace(".hdr", ".img")));
    (plain(path), voxels.filter(|path| path.exists()).map(|path| plain(&path)))
}

fn plain(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let mut content = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(&bytes[..]).take(CONTENT_BYTES as u64).read_to_end(&mut content).unwrap();
    } else {
        content.extend(bytes.into_iter().take(CONTENT_BYTES));
    }
    content
}

fn write_mutant(folder: &Path, random: &mut Random, mut header: Vec<u8>, voxels: Option<&[u8]>) -> PathBuf {
    for _ in 0..=random.below(3) {
        damage(random, &mut header);
    }
    if random.below(16) == 0 {
        header.truncate(random.below(header.len()));
    }
    if random.below(2) == 0 {
        header = gzip(&header);
        if random.below(4) == 0 && !header.is_empty() {
            let at = random.below(header.len());
            header[at] ^= 1 << random.below(8);
        }
    }
    let Some(voxels) = voxels else {
        let target = folder.join("mutant.nii");
        write_new(&target, &header);
        return target;
    };
    write_new(&folder.join("mutant.img"), voxels);
    let target = folder.join("mutant.hdr");
    write_new(&target, &header);
    target
}

/// One flipped bit, one random byte, or a field at a bound of its type.
fn damage(random: &mut Random, bytes: &mut [u8]) {
    let reach = bytes.len().min(552);
    match random.below(4) {
        0 => {
            if let Some(byte) = bytes.get_mut(random.below(reach)) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            let value = random.next() as u8;
            if let Some(byte) = bytes.get_mut(random.below(reach)) {
                *byte = value;
            }
        }
        _ => {
            let (at, width) = random.pick(&FIELDS);
            let value = bound(random, width);
            if let Some(field) = bytes.get_mut(at..at + width) {
                field.copy_from_slice(&value[..width]);
                if random.below(4) == 0 {
                    field.reverse();
                }
            }
        }
    }
}

/// A little-endian number of `width` bytes at some edge.
fn bound(random: &mut Random, width: usize) -> [u8; 8] {
    let integers = [0, 1, 2, 3, 4, 5, 7, 8, 16, 64, -1, i64::MIN, i64::MAX, 32767, -32768, 352, 1 << 31, 1 << 53];
    let floats = [0.0, -0.0, 1.0, -1.0, 351.0, 352.5, 368.0, 1e20, 1e-40, f64::NAN, f64::INFINITY, f64::MIN];
    let mut bytes = [0; 8];
    match (width, random.below(2)) {
        (4, 0) => bytes[..4].copy_from_slice(&(random.pick(&floats) as f32).to_le_bytes()),
        (8, 0) => bytes = random.pick(&floats).to_le_bytes(),
        _ => bytes = random.pick(&integers).to_le_bytes(),
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

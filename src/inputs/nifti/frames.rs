//! The volumes of an image, one after the other, without the image ever being in memory.

use super::element::Value;
use super::header::{ImageHeader, read_header, read_problem};
use super::source::{ByteSource, count_content, skip};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::{Digest, Frame, FrameSource, digest_file};
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Stored bytes converted at once: they stay in the cache between decompression and conversion. A multiple of 8, so
/// no number is cut.
const CHUNK_BYTES: usize = 1 << 16;

/// Where a header asks for more than this many times the compressed bytes (of one volume, of all), the content is
/// counted before anything is allocated. Measured BOLD is below 3, masks and maps are below 100.
const TRUSTED_FRAME_RATIO: u64 = 4;
const TRUSTED_IMAGE_RATIO: u64 = 32;

/// The SHA-256 of an input file, for provenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// The file.
    pub path: PathBuf,
    /// Over the bytes on disk.
    pub sha256: Digest,
}

/// Streams the volumes of an image.
///
/// The file's checksums are verified and its digest is taken on the way: both are complete with the last volume.
pub struct NiftiFrames {
    header: ImageHeader,
    /// Gone after the last volume.
    source: Option<ByteSource>,
    next: usize,
    chunk: Vec<u8>,
    digests: Option<Vec<FileDigest>>,
}

impl NiftiFrames {
    /// Opens an image (see [`read_header`]) before its first volume. Warnings ride along.
    ///
    /// # Errors
    /// As [`read_header`]; or a compressed file holds less than its header asks for.
    pub fn open(path: &Path) -> Result<(Self, Diagnostics), Diagnostics> {
        let (header, warnings) = read_header(path)?;
        ensure_content(&header)?;
        let problem = |error| read_problem(&header.data_path, &error, "before the first volume");
        let mut source = ByteSource::open(&header.data_path, header.gzipped).map_err(problem)?;
        if skip(&mut source, header.data_offset).map_err(problem)? < header.data_offset {
            return Err(problem(io::ErrorKind::UnexpectedEof.into()));
        }
        let frames = Self { header, source: Some(source), next: 0, chunk: Vec::new(), digests: None };
        Ok((frames, warnings))
    }

    /// The header.
    pub fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// The digests of the image's files (header and voxels, where those are two); `None` before the last volume
    /// was read or passed over.
    pub fn digests(&self) -> Option<&[FileDigest]> {
        self.digests.as_deref()
    }

    /// Reads the next volume as f64; otherwise as [`FrameSource::next_frame`].
    ///
    /// # Errors
    /// As [`FrameSource::next_frame`].
    pub fn next_frame_f64(&mut self, frame: &mut [f64]) -> Result<(), Diagnostics> {
        self.read_frame(frame)
    }

    /// Whether f32 takes less memory than the stored numbers.
    fn is_smaller_as_values(&self) -> bool {
        self.header.datatype.size_bytes() > size_of::<f32>()
    }

    /// Reads the next volume into `frame`, which has one value a voxel.
    fn read_frame<V: Value>(&mut self, frame: &mut [V]) -> Result<(), Diagnostics> {
        if frame.len() != self.header.grid.n_voxels() {
            let message = format!("a buffer of {} values for {} voxels", frame.len(), self.header.grid.n_voxels());
            return Err(Diagnostic::error("image-buffer", message).at(Place::file(&self.header.path)).into());
        }
        let form = self.header.number_form();
        let mut done = 0;
        self.for_each_chunk(|bytes| {
            let count = bytes.len() / form.element.size_bytes();
            form.convert(bytes, &mut frame[done..done + count]);
            done += count;
        })
    }

    /// Hands the next volume's stored bytes on in chunks, each of whole numbers.
    fn for_each_chunk(&mut self, mut consume: impl FnMut(&[u8])) -> Result<(), Diagnostics> {
        let mut left = self.header.frame_bytes();
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.resize(CHUNK_BYTES, 0);
        let done = self.next_volume(|source| {
            while left > 0 {
                let wanted = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
                source.read_exact(&mut chunk[..wanted])?;
                consume(&chunk[..wanted]);
                left -= wanted as u64;
            }
            Ok(())
        });
        self.chunk = chunk;
        done
    }

    /// Has `read` take the next volume's bytes from the source, and ends the file after the last one.
    fn next_volume(&mut self, read: impl FnOnce(&mut ByteSource) -> io::Result<()>) -> Result<(), Diagnostics> {
        let Some(source) = self.source.as_mut() else {
            return Err(Diagnostic::error("image-no-more-volumes", "a volume was asked for after the last one")
                .at(Place::file(&self.header.path))
                .into());
        };
        read(source).map_err(|error| {
            let when = format!("in volume {} of {}", self.next + 1, self.header.n_frames);
            read_problem(&self.header.data_path, &error, &when)
        })?;
        self.next += 1;
        if self.next == self.header.n_frames {
            self.finish()?;
        }
        Ok(())
    }

    /// Reads to the end of the file: checks what compression can check, and completes the digest.
    fn finish(&mut self) -> Result<(), Diagnostics> {
        let Some(source) = self.source.take() else { return Ok(()) };
        let path = &self.header.data_path;
        let digest = source.finish().map_err(|error| {
            let when = format!("after volume {}, the last one", self.header.n_frames);
            read_problem(path, &error, &when)
        })?;
        let mut digests = vec![FileDigest { path: path.clone(), sha256: digest }];
        if self.header.header_path != *path {
            let sha256 = digest_file(&self.header.header_path)?;
            digests.insert(0, FileDigest { path: self.header.header_path.clone(), sha256 });
        }
        self.digests = Some(digests);
        Ok(())
    }
}

impl fmt::Debug for NiftiFrames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NiftiFrames")
            .field("header", &self.header)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl FrameSource for NiftiFrames {
    fn n_values(&self) -> usize {
        self.header.grid.n_voxels()
    }

    fn n_frames(&self) -> usize {
        self.header.n_frames
    }

    fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics> {
        self.read_frame(frame)
    }

    fn new_frame(&self) -> Frame {
        if self.is_smaller_as_values() {
            vec![0.0; self.n_values()].into()
        } else {
            Frame::stored(self.header.number_form(), self.n_values())
        }
    }

    fn next_stored(&mut self, frame: &mut Frame) -> Result<(), Diagnostics> {
        let n_values = self.n_values();
        if self.is_smaller_as_values() {
            return self.read_frame(frame.values_mut(n_values));
        }
        let bytes = frame.stored_mut(self.header.number_form(), n_values);
        self.next_volume(|source| source.read_exact(bytes))
    }

    fn skip_frame(&mut self) -> Result<(), Diagnostics> {
        self.for_each_chunk(|_| ())
    }
}

/// Refuses a compressed file whose header asks for improbably much and which does not hold it, so that no caller
/// allocates a frame on a damaged header's word. Plain files were held against their size already.
fn ensure_content(header: &ImageHeader) -> Result<(), Diagnostics> {
    let frame_bytes = header.frame_bytes();
    let needed = header.data_offset + frame_bytes * header.n_frames as u64;
    let trusted = frame_bytes <= header.file_bytes.saturating_mul(TRUSTED_FRAME_RATIO)
        && needed <= header.file_bytes.saturating_mul(TRUSTED_IMAGE_RATIO);
    if !header.gzipped || trusted {
        return Ok(());
    }
    let volume = |count: u64| count.saturating_sub(header.data_offset) / frame_bytes + 1;
    let count = count_content(&header.data_path, needed).map_err(|(count, error)| {
        let when = format!("in volume {} of {}", volume(count), header.n_frames);
        read_problem(&header.data_path, &error, &when)
    })?;
    if count == needed {
        return Ok(());
    }
    let whole = count.saturating_sub(header.data_offset) / frame_bytes;
    let message = format!("the file holds {count} bytes, the header asks for {needed}");
    Err(Diagnostic::error("image-too-short", message)
        .at(Place::file(&header.data_path))
        .note(format!("whole volumes: {whole} of {}", header.n_frames))
        .hint("the file is cut off, or its header damaged: copy or make it again")
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::nifti::read_frames_f64;
    use crate::inputs::nifti::test_images::{TestImage, gzip};
    use proptest::prelude::*;

    fn open(path: &Path) -> NiftiFrames {
        NiftiFrames::open(path).unwrap().0
    }

    /// The volumes as values; those as stored, read from a second opening, are no others, nor is their error.
    fn read_all(frames: &mut NiftiFrames) -> Result<Vec<Vec<f32>>, Diagnostics> {
        let mut again = open(&frames.header.path);
        let mut stored = frames.new_frame();
        let as_stored: Result<Vec<_>, _> =
            (0..frames.n_frames()).map(|_| again.next_stored(&mut stored).map(|()| stored.to_values())).collect();
        let as_values: Result<Vec<_>, _> = (0..frames.n_frames())
            .map(|_| {
                let mut frame = vec![f32::NAN; frames.n_values()];
                frames.next_frame(&mut frame).map(|()| frame)
            })
            .collect();
        match (&as_values, &as_stored) {
            (Ok(values), Ok(stored)) => assert_eq!(values, stored),
            (values, stored) => {
                assert_eq!(values.as_ref().unwrap_err().to_string(), stored.as_ref().unwrap_err().to_string());
            }
        }
        assert_eq!(again.digests(), frames.digests());
        as_values
    }

    /// 0, 1, 2 ... in every type, version, order and packing.
    #[test]
    fn every_type_reads_the_same_values() {
        fn bytes<const SIZE: usize>(to_bytes: impl Fn(u8) -> [u8; SIZE]) -> Vec<u8> {
            (0..24).flat_map(to_bytes).collect()
        }
        let types = [
            (2, 8, bytes(|value| [value])),
            (256, 8, bytes(|value| [value])),
            (512, 16, bytes(|value| u16::from(value).to_le_bytes())),
            (4, 16, bytes(|value| i16::from(value).to_le_bytes())),
            (768, 32, bytes(|value| u32::from(value).to_le_bytes())),
            (8, 32, bytes(|value| i32::from(value).to_le_bytes())),
            (1280, 64, bytes(|value| u64::from(value).to_le_bytes())),
            (1024, 64, bytes(|value| i64::from(value).to_le_bytes())),
            (16, 32, bytes(|value| f32::from(value).to_le_bytes())),
            (64, 64, bytes(|value| f64::from(value).to_le_bytes())),
        ];
        let folder = tempfile::tempdir().unwrap();
        let expected: Vec<Vec<f32>> =
            (0..2).map(|frame| (0..12).map(|at| (12 * frame + at) as f32).collect()).collect();
        for (datatype, bitpix, data) in types {
            for (version, big_endian, offset) in [(1, false, 352), (1, true, 368), (2, false, 544), (2, true, 1000)] {
                let plain = TestImage { version, big_endian, vox_offset: offset, ..TestImage::new(&[2, 3, 2, 2]) }
                    .with_data(datatype, bitpix, data.clone());
                let scaled = TestImage { scaling: [2.0, 1.0], ..plain.clone() };
                // slopes that mean no scaling
                let unscaled = TestImage { scaling: [f64::NAN, 1.0], ..plain.clone() };
                for name in ["x.nii", "x.nii.gz", "x.NII"] {
                    for image in [&plain, &unscaled] {
                        assert_eq!(read_all(&mut open(&image.write(folder.path(), name))).unwrap(), expected);
                    }
                    let doubled: Vec<Vec<f32>> =
                        expected.iter().map(|frame| frame.iter().map(|value| 2.0 * value + 1.0).collect()).collect();
                    assert_eq!(read_all(&mut open(&scaled.write(folder.path(), name))).unwrap(), doubled);
                }
            }
        }
    }

    #[test]
    fn compression_is_seen_in_the_bytes_not_in_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let image = TestImage::new(&[3, 2, 1, 2]);
        let expected = read_all(&mut open(&image.write(folder.path(), "a.nii"))).unwrap();
        let bytes = image.bytes();
        let members: Vec<u8> = bytes.chunks(100).flat_map(gzip).collect();
        for (name, content) in
            [("b.nii", gzip(&bytes)), ("c.nii.gz", bytes), ("d.NII.GZ", members.clone()), ("e.nii.gz", members)]
        {
            std::fs::write(folder.path().join(name), content).unwrap();
            assert_eq!(read_all(&mut open(&folder.path().join(name))).unwrap(), expected);
        }
    }

    #[test]
    fn a_pair_is_read_from_either_name_and_has_two_digests() {
        let folder = tempfile::tempdir().unwrap();
        // as a plain `.img` these voxels look like gzip
        let data: Vec<u8> = [0x1f, 0x8b, 8, 0].into_iter().chain([1; 8]).collect();
        let image = TestImage { pair: true, vox_offset: 0, ..TestImage::new(&[3, 1, 1, 2]) }.with_data(4, 16, data);
        std::fs::write(folder.path().join("x.hdr"), image.header_bytes()).unwrap();
        std::fs::write(folder.path().join("x.img"), image.data_bytes()).unwrap();
        for name in ["x.hdr", "x.img"] {
            let mut frames = open(&folder.path().join(name));
            assert_eq!(read_all(&mut frames).unwrap(), [[f32::from(-29_921i16), 8.0, 257.0], [257.0; 3]]);
            let digests = frames.digests().unwrap();
            assert_eq!(digests.len(), 2);
            for digest in digests {
                assert_eq!(digest.sha256, digest_file(&digest.path).unwrap());
            }
        }
    }

    #[test]
    fn a_cut_or_damaged_file_names_the_volume() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.nii.gz");
        // noise, so that bytes of the file are bytes of the volumes
        let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let noise = std::iter::successors(Some(1u32), step).map(|state| (state >> 24) as u8).take(40_000).collect();
        let image = TestImage::new(&[100, 50, 1, 4]).with_data(4, 16, noise);
        let whole = gzip(&image.bytes());
        let outcome = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_all(&mut open(&path)).unwrap_err().to_string()
        };
        let cut = outcome(&whole[..whole.len() * 6 / 10]);
        assert!(cut.contains("image-truncated") && cut.contains("in volume 3 of 4"), "{cut}");
        let trailer = outcome(&whole[..whole.len() - 1]);
        assert!(trailer.contains("image-truncated") && trailer.contains("volume 4"), "{trailer}");
        let mut flipped = whole.clone();
        let checksum = flipped.len() - 8;
        flipped[checksum] ^= 1;
        let flipped = outcome(&flipped);
        assert!(flipped.contains("image-damaged") && flipped.contains("after volume 4"), "{flipped}");
        // a header that asks for more than the content
        let long = TestImage { dim: vec![100, 50, 1, 5], ..image };
        let long = outcome(&gzip(&long.bytes()));
        assert!(long.contains("in volume 5 of 5"), "{long}");
    }

    #[test]
    fn an_improbable_header_is_held_against_the_content_before_anything_is_allocated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.nii.gz");
        let write = |dim: &[i64], content: usize| {
            let image = TestImage { dim: dim.to_vec(), ..TestImage::new(&[1]) }.with_data(2, 8, vec![0; content]);
            std::fs::write(&path, gzip(&image.bytes())).unwrap();
        };
        write(&[100, 100, 10], 99_999);
        let short = NiftiFrames::open(&path).err().unwrap().to_string();
        assert!(short.contains("image-too-short") && short.contains("holds 100351 bytes"), "{short}");
        let image = TestImage { dim: vec![100, 100, 10, 3], ..TestImage::new(&[1]) }.with_data(2, 8, vec![0; 300_000]);
        let whole = gzip(&image.bytes());
        std::fs::write(&path, &whole[..whole.len() - 12]).unwrap();
        let cut = NiftiFrames::open(&path).err().unwrap().to_string();
        assert!(
            cut.contains("image-truncated") && cut.contains("in volume 3 of 3") && cut.contains("x.nii.gz"),
            "{cut}"
        );
        write(&[100, 100, 10], 100_000);
        assert_eq!(read_all(&mut open(&path)).unwrap(), [vec![0.0; 100_000]]);
    }

    #[test]
    fn frames_passed_over_count_and_are_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = TestImage::new(&[2, 2, 1, 3]).write(folder.path(), "x.nii.gz");
        let mut frames = open(&path);
        frames.skip_frame().unwrap();
        let mut frame = [0.0; 4];
        frames.next_frame(&mut frame).unwrap();
        assert_eq!(frame, [4.0, 5.0, 6.0, 7.0]);
        assert!(frames.digests().is_none());
        frames.skip_frame().unwrap();
        assert_eq!(frames.digests().unwrap()[0].sha256, digest_file(&path).unwrap());
        assert!(frames.next_frame(&mut frame).unwrap_err().to_string().contains("image-no-more-volumes"));
        let wrong = open(&path).next_frame(&mut frame[..3]).unwrap_err();
        assert!(wrong.to_string().contains("image-buffer"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// The stream in f32 is the whole read in f64, rounded once, across chunk borders.
        #[test]
        fn stream_equals_whole_read(
            (nx, ny, n_frames) in (1i64..300, 1i64..200, 1i64..4),
            slope in prop_oneof![Just(0.0), -2.0..2.0],
            gzipped: bool,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let image = TestImage { scaling: [slope, 0.5], ..TestImage::new(&[nx, ny, 1, n_frames]) };
            let path = image.write(folder.path(), if gzipped { "x.nii.gz" } else { "x.nii" });
            let streamed = read_all(&mut open(&path)).unwrap().concat();
            let (_, whole, _) = read_frames_f64(&path).unwrap();
            let whole: Vec<f32> = whole.into_iter().map(|value| value as f32).collect();
            prop_assert_eq!(streamed, whole);
        }
    }
}

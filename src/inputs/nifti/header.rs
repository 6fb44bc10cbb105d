//! What the header of an image says, checked.

use super::affine::best_affine;
use super::checks::{CHECKS, check_size};
use super::element::{ElementType, NumberForm, Scaling};
use super::fields::{Fields, ImageFormat, NIFTI1_BYTES, NIFTI2_BYTES, parse};
use super::paths::{ImageFiles, has_extension};
use super::source::{first_content_bytes, looks_gzipped};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::Grid;
use nifti::{Endianness, NiftiHeader};
use std::io;
use std::path::{Path, PathBuf};

/// A TR above this is taken for a header that counts in the wrong unit, seconds.
const LONGEST_PLAUSIBLE_TR_S: f64 = 100.0;

/// The checked header of an image on disk.
#[derive(Debug, Clone)]
pub struct ImageHeader {
    /// The path as given.
    pub path: PathBuf,
    /// File that starts with the header.
    pub header_path: PathBuf,
    /// File that holds the voxels: the same, or the `.img` of a pair.
    pub data_path: PathBuf,
    /// Format of the header.
    pub format: ImageFormat,
    /// Shape (axes an image of one or two dimensions lacks have length 1) and affine.
    pub grid: Grid,
    /// Volumes: the length of the one axis beyond space that is not 1, or 1.
    pub n_frames: usize,
    /// Repetition time, seconds, of a header that has a credible one; where it gives no unit, seconds are meant.
    pub tr_s: Option<f64>,
    /// Dimensions the header declares.
    pub n_dims: usize,
    /// Type of the stored numbers.
    pub datatype: ElementType,
    /// Byte order of header and voxels.
    pub byte_order: Endianness,
    /// Scaling of the stored numbers; `None` where they are the values.
    pub scaling: Option<Scaling>,
    /// Offset of the first voxel in the (uncompressed) data file, bytes.
    pub data_offset: u64,
    /// Whether the data file is gzip.
    pub gzipped: bool,
    /// Bytes of the data file as it lies on disk.
    pub file_bytes: u64,
    /// The header in NIfTI-1 form, with the repairs that the warnings speak of; what outputs take their qform, sform
    /// and voxel sizes from. NIfTI-2's wider numbers are rounded, lengths above 65535 saturated.
    pub raw: NiftiHeader,
}

impl ImageHeader {
    /// Bytes of one volume in the uncompressed file.
    pub fn frame_bytes(&self) -> u64 {
        self.grid.n_voxels() as u64 * self.datatype.size_bytes() as u64
    }

    /// How its numbers are stored.
    pub fn number_form(&self) -> NumberForm {
        NumberForm { element: self.datatype, order: self.byte_order, scaling: self.scaling }
    }
}

/// Reads and checks the header of an image: NIfTI-1, NIfTI-2 or Analyze 7.5, one file or a pair (either name will
/// do), gzip or not whatever the name says, in either byte order.
///
/// Warnings ride along; no voxel is read, but the file's size is held against what the header asks for.
///
/// # Errors
/// The file is missing or is no such image, or its header asks for what cannot be: all faults found.
pub fn read_header(path: &Path) -> Result<(ImageHeader, Diagnostics), Diagnostics> {
    let files = ImageFiles::locate(path)?;
    let mut fields = read_fields(&files.header)?;
    check_layout(&files, &fields)?;
    let mut problems: Diagnostics = CHECKS.iter().filter_map(|check| check(&mut fields, &files.header)).collect();
    let Some(datatype) = ElementType::from_code(fields.datatype).filter(|_| !problems.has_errors()) else {
        return Err(problems);
    };
    let Lengths { shape, n_frames, frame_axis } = Lengths::of(&fields);
    let affine =
        problems.collect(best_affine(&fields, shape).map_err(|(field, message)| {
            Diagnostic::error("image-affine", message).at(Place::field(&files.header, field))
        }));
    let data = problems.collect(DataFile::check(&files, &fields, [shape[0], shape[1], shape[2], n_frames], datatype));
    // beyond the fourth axis no field says what the axis is, so its spacing is no time
    let mut tr_s = None;
    if frame_axis == 4 {
        let doubt;
        (tr_s, doubt) = repetition_time(&fields, n_frames, &files.header);
        problems.extend(doubt);
    }
    let (Some(affine), Some(data)) = (affine, data) else { return Err(problems) };
    let header = ImageHeader {
        path: path.to_path_buf(),
        header_path: files.header,
        data_path: files.data,
        format: fields.format,
        grid: Grid { shape, affine },
        n_frames,
        tr_s,
        n_dims: fields.dim[0] as usize,
        datatype,
        byte_order: fields.order,
        scaling: scaling(&fields),
        data_offset: data.offset,
        gzipped: data.gzipped,
        file_bytes: data.file_bytes,
        raw: repaired(&fields, &affine),
    };
    problems.finish(header)
}

/// Reads the first bytes of the header file and recognises the format.
fn read_fields(path: &Path) -> Result<Fields, Diagnostics> {
    let read = || first_content_bytes(path, looks_gzipped(path)?, NIFTI2_BYTES as u64);
    let bytes = read().map_err(|error| read_problem(path, &error, "while reading the header"))?;
    if let Some(fields) = parse(&bytes) {
        return Ok(fields);
    }
    let problem = |message: String| Diagnostic::error("image-not-nifti", message).at(Place::file(path));
    let problem = match &bytes[..] {
        [b'B', b'Z', b'h', ..] => {
            problem("the file is compressed with bzip2".to_owned()).hint("use gzip or no compression")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            problem("the file is compressed with zstd".to_owned()).hint("use gzip or no compression")
        }
        _ if bytes.len() < NIFTI1_BYTES => {
            problem(format!("not a NIfTI image: {} bytes, but a header has {NIFTI1_BYTES}", bytes.len()))
        }
        _ => problem("not a NIfTI image: neither the header's size nor its magic string is right".to_owned()),
    };
    Err(problem.into())
}

/// Whether the header goes with the files found: one file or two, and for Analyze what else SPM put beside them.
fn check_layout(files: &ImageFiles, fields: &Fields) -> Result<(), Diagnostics> {
    if files.is_pair() {
        let matrix = files.beside("mat");
        if fields.format == ImageFormat::Analyze && matrix.is_file() {
            return Err(Diagnostic::error("image-analyze-matrix", "SPM's matrix of this image is not read")
                .at(Place::file(&matrix))
                .note("the affine of an Analyze image with a `.mat` beside it stands there, not in the header")
                .hint("convert the image to NIfTI, for example with nibabel or SPM")
                .into());
        }
        return Ok(());
    }
    if fields.says_single_file {
        return Ok(());
    }
    let what = if fields.format == ImageFormat::Analyze { "an Analyze header" } else { "the header of a pair" };
    Err(Diagnostic::error("image-pair-incomplete", format!("{what}: its voxels are in a second file"))
        .at(Place::file(&files.header))
        .hint("name the header `.hdr` and the voxels `.img`")
        .into())
}

/// Lengths of the axes, read after the dimensions were checked.
struct Lengths {
    shape: [usize; 3],
    n_frames: usize,
    frame_axis: usize,
}

impl Lengths {
    fn of(fields: &Fields) -> Self {
        let n_dims = fields.dim[0] as usize;
        let length = |axis: usize| if axis <= n_dims { fields.dim[axis] as usize } else { 1 };
        let frame_axis = (4..=7).find(|&axis| length(axis) > 1).unwrap_or(4);
        Self { shape: [length(1), length(2), length(3)], n_frames: length(frame_axis), frame_axis }
    }
}

/// The file with the voxels: where they start, and that they fit.
struct DataFile {
    offset: u64,
    gzipped: bool,
    file_bytes: u64,
}

impl DataFile {
    fn check(
        files: &ImageFiles,
        fields: &Fields,
        lengths: [usize; 4],
        datatype: ElementType,
    ) -> Result<Self, Diagnostics> {
        let path = &files.data;
        let unreadable = |error: io::Error| read_problem(path, &error, "while looking at its size");
        let file_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        let offset = fields.vox_offset as u64;
        let voxel_bytes = lengths
            .iter()
            .chain([&datatype.size_bytes()])
            .try_fold(1u64, |bytes, &factor| bytes.checked_mul(factor as u64));
        // the voxels of a plain `.img` may happen to start as gzip does: then the file is as long as they are
        let fits_plain = voxel_bytes.and_then(|bytes| bytes.checked_add(offset)).is_some_and(|end| end <= file_bytes);
        let named_plain = files.is_pair() && !has_extension(path, "gz");
        let gzipped = looks_gzipped(path).map_err(unreadable)? && !(named_plain && fits_plain);
        check_size(path, (offset, voxel_bytes, lengths[3]), (file_bytes, gzipped))?;
        Ok(Self { offset, gzipped, file_bytes })
    }
}

/// The time between volumes in seconds, and what is doubtful about it.
fn repetition_time(fields: &Fields, n_frames: usize, path: &Path) -> (Option<f64>, Diagnostics) {
    let per_second = match fields.xyzt_units & 0x38 {
        0 | 8 => 1.0,
        16 => 1e3,
        24 => 1e6,
        // hertz, parts per million, radians per second, or nothing known: not a time
        _ => return (None, Diagnostics::new()),
    };
    let tr_s = decimal(fields) / per_second;
    if !(tr_s.is_finite() && tr_s > 0.0) {
        return (None, Diagnostics::new());
    }
    let doubt = (n_frames > 1 && tr_s > LONGEST_PLAUSIBLE_TR_S).then(|| {
        Diagnostic::warning("image-tr-implausible", format!("the header says that the TR is {tr_s} s"))
            .at(Place::field(path, "pixdim[4]"))
            .hint("set `tr_s` in the pipeline if the header counts in milliseconds")
    });
    (Some(tr_s), doubt.into_iter().collect())
}

/// `pixdim[4]` as the decimal number that its f32 stands for: 0.72, not 0.7200000286.
fn decimal(fields: &Fields) -> f64 {
    let wide = fields.pixdim[4];
    if fields.format == ImageFormat::Nifti2 { wide } else { (wide as f32).to_string().parse().unwrap_or(wide) }
}

/// The scaling the header asks for, if any. An Analyze header without a slope may give the ranges of stored and
/// physical values instead, as SPM2 reads it.
fn scaling(fields: &Fields) -> Option<Scaling> {
    let [cal_min, cal_max] = fields.cal;
    let [gl_min, gl_max] = fields.gl.map(f64::from);
    let found = if fields.slope != 0.0 && fields.slope.is_finite() {
        Scaling { slope: fields.slope, inter: fields.inter }
    } else if fields.format == ImageFormat::Analyze && gl_max != gl_min && cal_max != cal_min {
        let slope = (cal_max - cal_min) / (gl_max - gl_min);
        Scaling { slope, inter: cal_min - slope * gl_min }
    } else {
        return None;
    };
    (found != Scaling { slope: 1.0, inter: 0.0 }).then_some(found)
}

/// The NIfTI-1 header with the repairs of the checks; Analyze's has its affine as an sform.
fn repaired(fields: &Fields, affine: &[[f64; 4]; 4]) -> NiftiHeader {
    let mut raw = fields.raw.clone();
    for (stored, repaired) in raw.pixdim.iter_mut().zip(fields.pixdim).take(4) {
        *stored = repaired as f32;
    }
    (raw.qform_code, raw.sform_code) = (fields.qform_code as i16, fields.sform_code as i16);
    if fields.format == ImageFormat::Analyze {
        let row = |row: usize| affine[row].map(|entry| entry as f32);
        (raw.sform_code, raw.srow_x, raw.srow_y, raw.srow_z) = (2, row(0), row(1), row(2));
        raw.xyzt_units = 2; // mm: Analyze has its unit as text in these bytes
        raw.magic = *b"n+1\0";
    }
    raw
}

/// An error of the system or of the decompression as a diagnostic.
pub(super) fn read_problem(path: &Path, error: &io::Error, when: &str) -> Diagnostics {
    let (code, message) = match error.kind() {
        io::ErrorKind::UnexpectedEof => ("image-truncated", format!("the file ends early {when}")),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            ("image-damaged", format!("the compressed data are damaged, found {when}: {error}"))
        }
        _ => return Diagnostic::error("input-unreadable", format!("{error}, {when}")).at(Place::file(path)).into(),
    };
    Diagnostic::error(code, message).at(Place::file(path)).hint("copy or make the file again").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::nifti::test_images::{TestImage, gzip};

    fn header_of(image: &TestImage, name: &str) -> Result<(ImageHeader, Diagnostics), Diagnostics> {
        let folder = tempfile::tempdir().unwrap();
        read_header(&image.write(folder.path(), name))
    }

    fn code_of(image: &TestImage) -> &'static str {
        let problems = header_of(image, "x.nii").unwrap_err();
        problems.iter().next().unwrap().code
    }

    #[test]
    fn both_versions_in_both_orders_say_the_same() {
        for version in [1, 2] {
            for big_endian in [false, true] {
                let offset = if version == 1 { 352 } else { 544 };
                let image = TestImage { version, big_endian, vox_offset: offset, ..TestImage::new(&[3, 5, 7, 2]) };
                let (header, warnings) = header_of(&image, "x.nii").unwrap();
                assert!(warnings.is_empty(), "{warnings}");
                assert_eq!((header.grid.shape, header.n_frames, header.n_dims), ([3, 5, 7], 2, 4));
                assert_eq!(header.grid.affine[1], [0.0, 2.0, 0.0, -8.0]);
                assert_eq!((header.tr_s, header.scaling), (Some(2.5), None));
                assert_eq!((header.datatype, header.data_offset), (ElementType::I16, offset as u64));
                assert_eq!(header.byte_order == Endianness::Big, big_endian);
                assert_eq!(header.raw.pixdim[..5], [1.0, 2.0, 2.0, 2.0, 2.5]);
                assert_eq!((header.raw.sform_code, header.raw.srow_z), (1, [0.0, 0.0, 2.0, -7.0]));
                assert_eq!(header.raw.dim[..5], [4, 3, 5, 7, 2]);
            }
        }
    }

    #[test]
    fn the_tr_is_in_seconds_or_none() {
        let tr_s = |units: u8, pixdim4: f64| {
            let mut image = TestImage { xyzt_units: units, ..TestImage::new(&[1, 1, 1, 3]) };
            image.pixdim[4] = pixdim4;
            let (header, warnings) = header_of(&image, "x.nii").unwrap();
            (header.tr_s, warnings.len())
        };
        assert_eq!(tr_s(0x02 | 0x08, 0.72), (Some(0.72), 0));
        assert_eq!(tr_s(0x02 | 0x10, 720.0), (Some(0.72), 0));
        assert_eq!(tr_s(0x02 | 0x18, 720_000.0), (Some(0.72), 0));
        assert_eq!(tr_s(2, 2.0), (Some(2.0), 0));
        assert_eq!(tr_s(0x02 | 0x08, 2000.0), (Some(2000.0), 1));
        for (units, odd) in [(8, 0.0), (8, -1.0), (8, f64::NAN), (8, f64::INFINITY), (32, 2.0), (48, 2.0)] {
            assert_eq!(tr_s(units, odd), (None, 0), "{units} {odd}");
        }
    }

    #[test]
    fn a_fifth_axis_counts_as_time_where_the_fourth_is_single() {
        let (header, _) = header_of(&TestImage::new(&[2, 1, 2, 1, 3]), "x.nii").unwrap();
        assert_eq!((header.grid.shape, header.n_frames, header.tr_s), ([2, 1, 2], 3, None));
        assert_eq!(code_of(&TestImage::new(&[1, 1, 1, 2, 2])), "image-dimensions");
        let (header, _) = header_of(&TestImage::new(&[4, 2]), "x.nii").unwrap();
        assert_eq!((header.grid.shape, header.n_frames), ([4, 2, 1], 1));
    }

    #[test]
    fn all_faults_are_reported_together() {
        let mut image = TestImage { vox_offset: 0, bitpix: 8, ..TestImage::new(&[2, 2, 2]) };
        image.dim[1] = -2;
        let problems = header_of(&image, "x.nii").unwrap_err();
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["image-dimensions", "image-bitpix", "image-offset"]);
    }

    #[test]
    fn what_is_no_image_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let problem = |bytes: &[u8]| {
            let path = folder.path().join("x.nii");
            std::fs::write(&path, bytes).unwrap();
            read_header(&path).unwrap_err().to_string()
        };
        assert!(problem(b"").contains("0 bytes, but a header has 348"));
        assert!(problem(&[0; 1000]).contains("neither the header's size nor its magic string"));
        assert!(problem(b"BZh91AY").contains("bzip2"));
        assert!(problem(&gzip(&[1; 1000])).contains("image-not-nifti"));
        assert!(problem(&gzip(&[1; 1000])[..12]).contains("image-truncated"));
        assert!(problem(&TestImage::new(&[2, 2, 2]).bytes()[..360]).contains("whole volumes: 0 of 1"));
        let pair = TestImage { pair: true, ..TestImage::new(&[2, 2, 2]) };
        assert_eq!(code_of(&pair), "image-pair-incomplete");
    }

    #[test]
    fn an_analyze_header_is_read_as_spm_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let image = TestImage { sform: None, vox_offset: 0, ..TestImage::new(&[3, 5, 7]) };
        let mut bytes = image.header_bytes();
        bytes[344..].fill(0);
        bytes[253..255].copy_from_slice(&3i16.to_le_bytes());
        bytes[255..257].copy_from_slice(&4i16.to_le_bytes());
        bytes[257..259].copy_from_slice(&5i16.to_le_bytes());
        // cal_max 200, glmax 100: slope 2
        bytes[124..128].copy_from_slice(&200f32.to_le_bytes());
        bytes[140..144].copy_from_slice(&100i32.to_le_bytes());
        let path = folder.path().join("x.hdr");
        std::fs::write(&path, &bytes).unwrap();
        std::fs::write(folder.path().join("x.img"), image.data_bytes()).unwrap();
        let (header, warnings) = read_header(&path).unwrap();
        assert_eq!(warnings.iter().map(|it| it.code).collect::<Vec<_>>(), ["image-no-orientation"]);
        assert_eq!((header.format, header.grid.affine[0]), (ImageFormat::Analyze, [-2.0, 0.0, 0.0, 4.0]));
        assert_eq!((header.grid.affine[1][3], header.grid.affine[2][3]), (-6.0, -8.0));
        assert_eq!(header.scaling, Some(Scaling { slope: 2.0, inter: 0.0 }));
        assert_eq!((header.raw.qform_code, header.raw.sform_code, header.raw.srow_x[3]), (0, 2, 4.0));
        std::fs::write(folder.path().join("x.mat"), "").unwrap();
        assert!(read_header(&path).unwrap_err().to_string().contains("image-analyze-matrix"));
    }
}

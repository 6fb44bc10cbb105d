//! The fields of an image header as they stand in the file: NIfTI-1, NIfTI-2 or Analyze 7.5, either byte order.
//!
//! Layouts: <https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h> (348 bytes), `nifti2.h` (540 bytes); the
//! SPM use of Analyze's spare fields (slope, origin) as nibabel's `spm2analyze` reads it.

use nifti::{Endianness, NiftiHeader};

/// Bytes of a NIfTI-1 or Analyze header.
pub(super) const NIFTI1_BYTES: usize = 348;
/// Bytes of a NIfTI-2 header.
pub(super) const NIFTI2_BYTES: usize = 540;

/// The header's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// Analyze 7.5 with SPM's slope and origin.
    Analyze,
    /// NIfTI-1.
    Nifti1,
    /// NIfTI-2.
    Nifti2,
}

/// Header fields at a width that holds all three formats.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) format: ImageFormat,
    /// Whether the magic string says that voxels follow in the same file; `false` for Analyze.
    pub(super) says_single_file: bool,
    pub(super) order: Endianness,
    pub(super) sizeof_hdr: i32,
    /// The four bytes after NIfTI-2's magic, which a transfer as text would damage.
    pub(super) line_ends: [u8; 4],
    pub(super) dim: [i64; 8],
    pub(super) datatype: i32,
    pub(super) bitpix: i32,
    pub(super) pixdim: [f64; 8],
    pub(super) vox_offset: f64,
    pub(super) slope: f64,
    pub(super) inter: f64,
    pub(super) cal: [f64; 2],
    pub(super) gl: [i32; 2],
    pub(super) xyzt_units: i32,
    pub(super) intent_code: i32,
    pub(super) qform_code: i32,
    pub(super) sform_code: i32,
    pub(super) quatern: [f64; 3],
    pub(super) qoffset: [f64; 3],
    pub(super) srow: [[f64; 4]; 3],
    /// SPM's 1-based origin voxel in an Analyze header.
    pub(super) origin: [i16; 3],
    /// The same as the crate's NIfTI-1 header; NIfTI-2's wider numbers are rounded or saturated.
    pub(super) raw: NiftiHeader,
}

/// Reads the fields from the start of a header file.
///
/// `None` where the bytes are neither of the three formats. `bytes` may go on after the header.
pub(super) fn parse(bytes: &[u8]) -> Option<Fields> {
    if let Some(header) = bytes.first_chunk::<NIFTI2_BYTES>()
        && let magic @ (b"n+2\0" | b"ni2\0") = &header[4..8]
    {
        return Some(parse_nifti2(header, magic == b"n+2\0"));
    }
    let header = bytes.first_chunk::<NIFTI1_BYTES>()?;
    match &header[344..348] {
        b"n+1\0" => Some(parse_nifti1(header, ImageFormat::Nifti1, true)),
        b"ni1\0" => Some(parse_nifti1(header, ImageFormat::Nifti1, false)),
        _ => {
            let size = [header[0], header[1], header[2], header[3]];
            let analyze = i32::from_le_bytes(size) == 348 || i32::from_be_bytes(size) == 348;
            analyze.then(|| parse_nifti1(header, ImageFormat::Analyze, false))
        }
    }
}

/// Reads numbers at byte offsets; offsets are constants of the layouts below, within the array.
struct Reader<'a, const N: usize> {
    bytes: &'a [u8; N],
    order: Endianness,
}

impl<'a, const N: usize> Reader<'a, N> {
    /// The order in which `sizeof_hdr` is right, or else in which `dim[0]` (its lowest byte at one of `dim_bytes`)
    /// makes sense.
    fn new(bytes: &'a [u8; N], dim_bytes: [usize; 2]) -> Self {
        let size = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let big = if u32::from_le_bytes(size) as usize == N {
            false
        } else if u32::from_be_bytes(size) as usize == N {
            true
        } else {
            bytes[dim_bytes[0]] == 0 && (1..=7).contains(&bytes[dim_bytes[1]])
        };
        Self { bytes, order: if big { Endianness::Big } else { Endianness::Little } }
    }

    fn array<const SIZE: usize>(&self, at: usize) -> [u8; SIZE] {
        std::array::from_fn(|index| self.bytes[at + index])
    }

    /// `SIZE` bytes in little-endian order.
    fn ordered<const SIZE: usize>(&self, at: usize) -> [u8; SIZE] {
        let mut bytes = self.array(at);
        if self.order == Endianness::Big {
            bytes.reverse();
        }
        bytes
    }

    fn u8(&self, at: usize) -> u8 {
        self.bytes[at]
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.ordered(at))
    }

    fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.ordered(at))
    }

    fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.ordered(at))
    }

    fn f32(&self, at: usize) -> f32 {
        f32::from_le_bytes(self.ordered(at))
    }

    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.ordered(at))
    }

    fn f32s<const COUNT: usize>(&self, at: usize) -> [f32; COUNT] {
        std::array::from_fn(|index| self.f32(at + 4 * index))
    }

    fn f64s<const COUNT: usize>(&self, at: usize) -> [f64; COUNT] {
        std::array::from_fn(|index| self.f64(at + 8 * index))
    }
}

fn parse_nifti1(bytes: &[u8; NIFTI1_BYTES], format: ImageFormat, says_single_file: bool) -> Fields {
    let reader = Reader::new(bytes, [40, 41]);
    let raw = NiftiHeader {
        sizeof_hdr: reader.i32(0),
        data_type: reader.array(4),
        db_name: reader.array(14),
        extents: reader.i32(32),
        session_error: reader.i16(36),
        regular: reader.u8(38),
        dim_info: reader.u8(39),
        dim: std::array::from_fn(|axis| reader.i16(40 + 2 * axis) as u16),
        intent_p1: reader.f32(56),
        intent_p2: reader.f32(60),
        intent_p3: reader.f32(64),
        intent_code: reader.i16(68),
        datatype: reader.i16(70),
        bitpix: reader.i16(72),
        slice_start: reader.i16(74),
        pixdim: reader.f32s(76),
        vox_offset: reader.f32(108),
        scl_slope: reader.f32(112),
        scl_inter: reader.f32(116),
        slice_end: reader.i16(120),
        slice_code: reader.u8(122),
        xyzt_units: reader.u8(123),
        cal_max: reader.f32(124),
        cal_min: reader.f32(128),
        slice_duration: reader.f32(132),
        toffset: reader.f32(136),
        glmax: reader.i32(140),
        glmin: reader.i32(144),
        descrip: reader.array::<80>(148).to_vec(),
        aux_file: reader.array(228),
        qform_code: reader.i16(252),
        sform_code: reader.i16(254),
        quatern_b: reader.f32(256),
        quatern_c: reader.f32(260),
        quatern_d: reader.f32(264),
        quatern_x: reader.f32(268),
        quatern_y: reader.f32(272),
        quatern_z: reader.f32(276),
        srow_x: reader.f32s(280),
        srow_y: reader.f32s(296),
        srow_z: reader.f32s(312),
        intent_name: reader.array(328),
        magic: reader.array(344),
        endianness: reader.order,
    };
    Fields {
        format,
        says_single_file,
        order: reader.order,
        sizeof_hdr: raw.sizeof_hdr,
        line_ends: [0; 4],
        dim: std::array::from_fn(|axis| i64::from(reader.i16(40 + 2 * axis))),
        datatype: i32::from(raw.datatype),
        bitpix: i32::from(raw.bitpix),
        pixdim: raw.pixdim.map(f64::from),
        vox_offset: f64::from(raw.vox_offset),
        slope: f64::from(raw.scl_slope),
        inter: f64::from(raw.scl_inter),
        cal: [f64::from(raw.cal_min), f64::from(raw.cal_max)],
        gl: [raw.glmin, raw.glmax],
        xyzt_units: i32::from(raw.xyzt_units),
        intent_code: i32::from(raw.intent_code),
        qform_code: i32::from(raw.qform_code),
        sform_code: i32::from(raw.sform_code),
        quatern: [raw.quatern_b, raw.quatern_c, raw.quatern_d].map(f64::from),
        qoffset: [raw.quatern_x, raw.quatern_y, raw.quatern_z].map(f64::from),
        srow: [raw.srow_x, raw.srow_y, raw.srow_z].map(|row| row.map(f64::from)),
        origin: [reader.i16(253), reader.i16(255), reader.i16(257)],
        raw,
    }
}

fn parse_nifti2(bytes: &[u8; NIFTI2_BYTES], says_single_file: bool) -> Fields {
    // the lowest byte of the big-endian dim[0]; a little-endian one has it at 16, so byte 16 is 0 in big order
    let reader = Reader::new(bytes, [16, 23]);
    let dim: [i64; 8] = std::array::from_fn(|axis| reader.i64(16 + 8 * axis));
    let pixdim: [f64; 8] = reader.f64s(104);
    let srow: [[f64; 4]; 3] = [reader.f64s(400), reader.f64s(432), reader.f64s(464)];
    let narrow = |row: [f64; 4]| row.map(|value| value as f32);
    let raw = NiftiHeader {
        dim: dim.map(|length| length.clamp(0, i64::from(u16::MAX)) as u16),
        dim_info: reader.u8(524),
        intent_p1: reader.f64(80) as f32,
        intent_p2: reader.f64(88) as f32,
        intent_p3: reader.f64(96) as f32,
        intent_code: reader.i32(504) as i16,
        datatype: reader.i16(12),
        bitpix: reader.i16(14),
        slice_start: reader.i64(224) as i16,
        pixdim: pixdim.map(|size| size as f32),
        vox_offset: reader.i64(168) as f32,
        scl_slope: reader.f64(176) as f32,
        scl_inter: reader.f64(184) as f32,
        slice_end: reader.i64(232) as i16,
        slice_code: reader.i32(496) as u8,
        xyzt_units: reader.i32(500) as u8,
        cal_max: reader.f64(192) as f32,
        cal_min: reader.f64(200) as f32,
        slice_duration: reader.f64(208) as f32,
        toffset: reader.f64(216) as f32,
        descrip: reader.array::<80>(240).to_vec(),
        aux_file: reader.array(320),
        qform_code: reader.i32(344) as i16,
        sform_code: reader.i32(348) as i16,
        quatern_b: reader.f64(352) as f32,
        quatern_c: reader.f64(360) as f32,
        quatern_d: reader.f64(368) as f32,
        quatern_x: reader.f64(376) as f32,
        quatern_y: reader.f64(384) as f32,
        quatern_z: reader.f64(392) as f32,
        srow_x: narrow(srow[0]),
        srow_y: narrow(srow[1]),
        srow_z: narrow(srow[2]),
        intent_name: reader.array(508),
        magic: if says_single_file { *b"n+1\0" } else { *b"ni1\0" },
        endianness: reader.order,
        ..NiftiHeader::default()
    };
    Fields {
        format: ImageFormat::Nifti2,
        says_single_file,
        order: reader.order,
        sizeof_hdr: reader.i32(0),
        line_ends: reader.array(8),
        dim,
        datatype: i32::from(raw.datatype),
        bitpix: i32::from(raw.bitpix),
        pixdim,
        vox_offset: reader.i64(168) as f64,
        slope: reader.f64(176),
        inter: reader.f64(184),
        cal: [reader.f64(200), reader.f64(192)],
        gl: [0; 2],
        xyzt_units: reader.i32(500),
        intent_code: reader.i32(504),
        qform_code: reader.i32(344),
        sform_code: reader.i32(348),
        quatern: reader.f64s(352),
        qoffset: reader.f64s(376),
        srow,
        origin: [0; 3],
        raw,
    }
}

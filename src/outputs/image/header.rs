//! The 348 bytes of a NIfTI-1 header, little-endian.

use super::{Geometry, ImageDescription, SeriesAxis, Storage};
use crate::outputs::OutputError;
use nifti::NiftiHeader;

/// Bytes before the first voxel: the header and four zero bytes, "no extension".
pub(super) const PREAMBLE_BYTES: usize = 352;

/// Largest number along an axis: `dim` is int16 by the standard.
const LARGEST_DIM: usize = i16::MAX as usize;

/// `NIFTI_UNITS_SEC`, and the mask of the spatial units in `xyzt_units`.
const UNITS_SECONDS: u8 = 8;
const SPATIAL_UNITS: u8 = 0o7;

/// The header of an output: space from the input, the rest from what is written.
pub(super) fn output_header(
    geometry: &Geometry,
    description: &ImageDescription,
    storage: Storage,
    axis: Option<SeriesAxis>,
    [cal_min, cal_max]: [f32; 2],
) -> Result<NiftiHeader, OutputError> {
    let raw = &geometry.raw;
    let shape = geometry.grid.shape;
    let n_frames = axis.map(|axis| axis.n_frames);
    if shape.iter().copied().chain(n_frames).any(|length| !(1..=LARGEST_DIM).contains(&length)) {
        let lengths: Vec<String> = shape.iter().copied().chain(n_frames).map(|length| length.to_string()).collect();
        return Err(OutputError::ImageTooLarge { shape: lengths.join("x") });
    }
    let mut dim = [1_u16; 8];
    dim[0] = if n_frames.is_some() { 4 } else { 3 };
    for (slot, length) in dim[1..].iter_mut().zip(shape.iter().copied().chain(n_frames)) {
        *slot = length as u16;
    }
    let tr_s = axis.and_then(|axis| axis.tr_s);
    let mut pixdim = [1.0_f32; 8];
    // readers take any handedness but -1 as 1
    pixdim[0] = if raw.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    pixdim[1..4].copy_from_slice(&raw.pixdim[1..4]);
    if let Some(tr_s) = tr_s {
        pixdim[4] = tr_s as f32;
    }
    let (intent_code, [intent_p1, intent_p2]) = description.intent.code();
    Ok(NiftiHeader {
        regular: b'r',
        dim,
        intent_p1,
        intent_p2,
        intent_code,
        datatype: storage.code(),
        bitpix: storage.bitpix(),
        pixdim,
        vox_offset: PREAMBLE_BYTES as f32,
        scl_slope: 1.0,
        scl_inter: 0.0,
        xyzt_units: raw.xyzt_units & SPATIAL_UNITS | if tr_s.is_some() { UNITS_SECONDS } else { 0 },
        cal_max,
        cal_min,
        descrip: fixed::<80>(&description.description).to_vec(),
        qform_code: raw.qform_code,
        sform_code: raw.sform_code,
        quatern_b: raw.quatern_b,
        quatern_c: raw.quatern_c,
        quatern_d: raw.quatern_d,
        quatern_x: raw.quatern_x,
        quatern_y: raw.quatern_y,
        quatern_z: raw.quatern_z,
        srow_x: raw.srow_x,
        srow_y: raw.srow_y,
        srow_z: raw.srow_z,
        intent_name: fixed(&description.intent_name),
        magic: *b"n+1\0",
        ..NiftiHeader::default()
    })
}

/// The header's bytes and the four that say that no extension follows.
pub(super) fn header_bytes(header: &NiftiHeader) -> Vec<u8> {
    let mut out = Vec::with_capacity(PREAMBLE_BYTES);
    out.extend(header.sizeof_hdr.to_le_bytes());
    out.extend(header.data_type);
    out.extend(header.db_name);
    out.extend(header.extents.to_le_bytes());
    out.extend(header.session_error.to_le_bytes());
    out.extend([header.regular, header.dim_info]);
    out.extend(header.dim.iter().flat_map(|length| length.to_le_bytes()));
    float(&mut out, &[header.intent_p1, header.intent_p2, header.intent_p3]);
    short(&mut out, &[header.intent_code, header.datatype, header.bitpix, header.slice_start]);
    float(&mut out, &header.pixdim);
    float(&mut out, &[header.vox_offset, header.scl_slope, header.scl_inter]);
    short(&mut out, &[header.slice_end]);
    out.extend([header.slice_code, header.xyzt_units]);
    float(&mut out, &[header.cal_max, header.cal_min, header.slice_duration, header.toffset]);
    out.extend(header.glmax.to_le_bytes());
    out.extend(header.glmin.to_le_bytes());
    out.extend(header.descrip.iter().copied().chain(std::iter::repeat(0)).take(80));
    out.extend(header.aux_file);
    short(&mut out, &[header.qform_code, header.sform_code]);
    float(&mut out, &[header.quatern_b, header.quatern_c, header.quatern_d]);
    float(&mut out, &[header.quatern_x, header.quatern_y, header.quatern_z]);
    float(&mut out, &header.srow_x);
    float(&mut out, &header.srow_y);
    float(&mut out, &header.srow_z);
    out.extend(header.intent_name);
    out.extend(header.magic);
    out.extend([0; 4]);
    out
}

fn float(out: &mut Vec<u8>, values: &[f32]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn short(out: &mut Vec<u8>, values: &[i16]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// Text in a field of `N` bytes, the last of them zero; cut between characters.
fn fixed<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let end = (0..=text.len().min(N - 1)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    field[..end].copy_from_slice(&text.as_bytes()[..end]);
    field
}

//! The checks of a header, one small function each: what is wrong, whether it stops us, and what is used instead.
//!
//! Levels and repairs follow nibabel's checks: what it repairs is a warning here where it can change a result and
//! silent where it cannot; what it refuses is an error.

use super::fields::{Fields, ImageFormat};
use super::source::DEFLATE_MAX_RATIO;
use crate::error::{Diagnostic, Diagnostics, Place};
use std::path::Path;

/// Looks at one thing in the header, repairs it where that is safe.
type Check = fn(&mut Fields, &Path) -> Option<Diagnostic>;

/// All checks that need the header alone, in the order of the header's fields.
pub(super) const CHECKS: [Check; 12] = [
    check_sizeof_hdr,
    check_line_ends,
    check_dimensions,
    check_datatype,
    check_bitpix,
    check_pixdims,
    check_qfac,
    check_offset,
    check_scaling,
    check_space_units,
    check_qform_code,
    check_sform_code,
];

fn check_sizeof_hdr(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let expected = if fields.format == ImageFormat::Nifti2 { 540 } else { 348 };
    (fields.sizeof_hdr != expected).then(|| {
        Diagnostic::warning(
            "image-header-size",
            format!("`sizeof_hdr` is {}, not {expected}: the header may be damaged", fields.sizeof_hdr),
        )
        .at(Place::field(path, "sizeof_hdr"))
    })
}

fn check_line_ends(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let damaged = fields.format == ImageFormat::Nifti2 && ![*b"\r\n\x1a\n", [0; 4]].contains(&fields.line_ends);
    damaged.then(|| {
        Diagnostic::error("image-line-ends", format!("line ends were converted: {:?}", fields.line_ends))
            .at(Place::field(path, "magic"))
            .note("expected the bytes 13, 10, 26, 10 after `n+2`")
            .hint("transfer the file again, in binary mode")
    })
}

fn check_dimensions(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let wrong = |field: &str, message: String| {
        Some(Diagnostic::error("image-dimensions", message).at(Place::field(path, field)))
    };
    let n_dims = fields.dim[0];
    if !(1..=7).contains(&n_dims) {
        return wrong("dim[0]", format!("the number of dimensions is {n_dims}, not 1 to 7"));
    }
    for axis in 1..=n_dims as usize {
        let length = fields.dim[axis];
        if length < 1 {
            let found = wrong(&format!("dim[{axis}]"), format!("the length of axis {axis} is {length}, not positive"));
            let surface = axis == 1 && length == -1;
            return if surface { found.map(|it| it.hint("a FreeSurfer surface is no volume")) } else { found };
        }
    }
    let long: Vec<usize> = (4..=n_dims as usize).filter(|&axis| fields.dim[axis] > 1).collect();
    if long.len() > 1 {
        let cifti = (3000..3100).contains(&fields.intent_code);
        let hint = if cifti { "a CIFTI file is no volume" } else { "split it into 4-D images" };
        let shape = &fields.dim[1..=n_dims as usize];
        return wrong("dim", format!("an image of shape {shape:?} has more than one axis beyond space"))
            .map(|it| it.hint(hint));
    }
    // linear voxel indices are u32
    let n_voxels = fields.dim[1..=n_dims.min(3) as usize].iter().try_fold(1i64, |n, &length| n.checked_mul(length));
    if n_voxels.is_none_or(|n| n > i64::from(u32::MAX)) {
        return wrong("dim", format!("the grid {:?} has more than 2^32 voxels", &fields.dim[1..=3]));
    }
    None
}

fn check_datatype(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    if super::ElementType::from_code(fields.datatype).is_some() {
        return None;
    }
    let kind = match fields.datatype {
        1 => "binary (one bit a voxel)",
        32 | 1792 | 2048 => "complex",
        128 | 2304 => "colour (RGB)",
        1536 => "float128",
        _ => "unknown",
    };
    let message = format!("voxels of type {} ({kind}) are not supported", fields.datatype);
    Some(
        Diagnostic::error("image-datatype", message)
            .at(Place::field(path, "datatype"))
            .note("expected an integer of 8 to 64 bits, float32 or float64")
            .hint("save the image as float32, for example with nibabel"),
    )
}

fn check_bitpix(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let element = super::ElementType::from_code(fields.datatype)?;
    let expected = 8 * element.size_bytes();
    (usize::try_from(fields.bitpix) != Ok(expected)).then(|| {
        let message =
            format!("`bitpix` is {}, but {} has {expected}; the type is believed", fields.bitpix, element.name());
        Diagnostic::warning("image-bitpix", message).at(Place::field(path, "bitpix"))
    })
}

fn check_pixdims(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let used = fields.sform_code <= 0;
    let n_axes = fields.dim[0].clamp(0, 3) as usize;
    let found = fields.pixdim;
    let mut odd = None;
    for (axis, size) in fields.pixdim.iter_mut().enumerate().take(4).skip(1) {
        let repaired = if *size == 0.0 || !size.is_finite() { 1.0 } else { size.abs() };
        if *size != repaired && axis <= n_axes {
            odd = odd.or(Some(axis));
        }
        *size = repaired;
    }
    // under an sform the voxel sizes come from it, and nothing changes
    odd.filter(|_| used).map(|axis| {
        Diagnostic::warning(
            "image-voxel-size",
            format!("the voxel size along axis {axis} is {}; {} is used", found[axis], fields.pixdim[axis]),
        )
        .at(Place::field(path, format!("pixdim[{axis}]")))
    })
}

/// Anything but -1 in `pixdim[0]` means 1, as the standard says of 0: common, and silent.
fn check_qfac(fields: &mut Fields, _path: &Path) -> Option<Diagnostic> {
    if fields.pixdim[0] != -1.0 {
        fields.pixdim[0] = 1.0;
    }
    None
}

fn check_offset(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let offset = fields.vox_offset;
    let least = match (fields.says_single_file, fields.format) {
        (false, _) => 0.0,
        (true, ImageFormat::Nifti2) => 544.0,
        (true, _) => 352.0,
    };
    // 2^53: beyond it a double is no byte count, and no file is that long
    let sensible = offset >= least && offset.fract() == 0.0 && offset < 9_007_199_254_740_992.0;
    (!sensible).then(|| {
        Diagnostic::error("image-offset", format!("the voxels cannot start at byte {offset}"))
            .at(Place::field(path, "vox_offset"))
            .note(format!("expected a whole number of at least {least}"))
    })
}

fn check_scaling(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let scaled = fields.slope != 0.0 && fields.slope.is_finite();
    if !scaled || fields.inter.is_finite() {
        return None;
    }
    if fields.format == ImageFormat::Analyze {
        fields.inter = 0.0;
        return None;
    }
    let message = format!("the scaling's slope is {}, but its offset {}", fields.slope, fields.inter);
    Some(Diagnostic::error("image-scaling", message).at(Place::field(path, "scl_inter")))
}

fn check_space_units(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let unit = match fields.xyzt_units & 0x07 {
        1 => "metre",
        3 => "micrometre",
        _ => return None,
    };
    if fields.format == ImageFormat::Analyze {
        return None;
    }
    Some(
        Diagnostic::warning("image-space-units", format!("lengths are in {unit}, but taken as mm"))
            .at(Place::field(path, "xyzt_units"))
            .note("no other reader converts them; smoothing in mm will be wrong if the header is right"),
    )
}

fn check_qform_code(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    check_form_code(&mut fields.qform_code, fields.format, path, "qform_code")
}

fn check_sform_code(fields: &mut Fields, path: &Path) -> Option<Diagnostic> {
    let problem = check_form_code(&mut fields.sform_code, fields.format, path, "sform_code");
    if problem.is_some() || fields.sform_code > 0 || fields.qform_code > 0 {
        return problem;
    }
    Some(
        Diagnostic::warning("image-no-orientation", "the header has no orientation: left and right are a guess")
            .at(Place::field(path, "sform_code"))
            .note("the affine is made of the voxel sizes, x to the left, centred on the grid, as nibabel makes it"),
    )
}

fn check_form_code(code: &mut i32, format: ImageFormat, path: &Path, field: &str) -> Option<Diagnostic> {
    if format == ImageFormat::Analyze {
        *code = 0;
    }
    let found = *code;
    if (0..=5).contains(&found) {
        return None;
    }
    *code = 0;
    Some(
        Diagnostic::warning("image-form-code", format!("`{field}` is {found}, not 0 to 5; 0 is used"))
            .at(Place::field(path, field)),
    )
}

/// Whether a file of `file_bytes` can hold voxels from `offset` on; `voxel_bytes` is `None` where they are beyond counting.
pub(super) fn check_size(
    path: &Path,
    (offset, voxel_bytes, n_frames): (u64, Option<u64>, usize),
    (file_bytes, gzipped): (u64, bool),
) -> Result<(), Diagnostics> {
    let needed = voxel_bytes.and_then(|bytes| bytes.checked_add(offset));
    // a member's header and trailer take 18 bytes; the first gives every file at least one byte of content
    let capacity = if gzipped { file_bytes.saturating_mul(DEFLATE_MAX_RATIO) } else { file_bytes };
    if needed.is_some_and(|needed| needed <= capacity) {
        return Ok(());
    }
    let wanted = needed.map_or_else(|| "more than 2^64".to_owned(), |needed| needed.to_string());
    let message = if gzipped {
        format!("the header asks for {wanted} bytes, more than {file_bytes} compressed bytes can hold")
    } else {
        format!("the file has {file_bytes} bytes, the header asks for {wanted}")
    };
    let mut problem = Diagnostic::error("image-too-short", message).at(Place::file(path));
    if let (false, Some(bytes)) = (gzipped, voxel_bytes) {
        let frame_bytes = (bytes / n_frames.max(1) as u64).max(1);
        let whole = file_bytes.saturating_sub(offset) / frame_bytes;
        problem = problem.note(format!("whole volumes: {whole} of {n_frames}"));
    }
    Err(problem.hint("the file is cut off, or its header damaged: copy or make it again").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Severity;
    use crate::inputs::nifti::fields::parse;
    use crate::inputs::nifti::test_images::TestImage;

    type Change = fn(&mut Fields);

    /// Codes and severities of the problems after `change`, and the fields after repair.
    fn after(change: impl Fn(&mut Fields)) -> (Vec<(&'static str, Severity)>, Fields) {
        let mut fields = parse(&TestImage::new(&[3, 5, 7, 2]).header_bytes()).unwrap();
        (fields.sform_code, fields.srow[0][0]) = (1, 1.0);
        change(&mut fields);
        let problems = CHECKS.iter().filter_map(|check| check(&mut fields, Path::new("x.nii")));
        (problems.map(|problem| (problem.code, problem.severity)).collect(), fields)
    }

    #[test]
    fn every_check_sees_its_fault_and_only_that() {
        let errors: [(&str, Change); 13] = [
            ("image-dimensions", |it| it.dim[0] = 0),
            ("image-dimensions", |it| it.dim[0] = 8),
            ("image-dimensions", |it| it.dim[2] = 0),
            ("image-dimensions", |it| it.dim[1] = -1),
            ("image-dimensions", |it| it.dim = [5, 1, 1, 1, 2, 3, 1, 1]),
            ("image-dimensions", |it| it.dim = [3, 32767, 32767, 32767, 1, 1, 1, 1]),
            ("image-dimensions", |it| it.dim = [3, i64::MAX, i64::MAX, 1, 1, 1, 1, 1]),
            ("image-datatype", |it| it.datatype = 32),
            ("image-offset", |it| it.vox_offset = 0.0),
            ("image-offset", |it| it.vox_offset = 352.5),
            ("image-offset", |it| it.vox_offset = f64::NAN),
            ("image-offset", |it| it.vox_offset = 1e20),
            ("image-scaling", |it| (it.slope, it.inter) = (1.0, f64::NAN)),
        ];
        for (code, change) in errors {
            assert_eq!(after(change).0, [(code, Severity::Error)]);
        }
        let warnings: [(&str, Change); 7] = [
            ("image-header-size", |it| it.sizeof_hdr = 540),
            ("image-bitpix", |it| it.bitpix = 1),
            ("image-space-units", |it| it.xyzt_units = 3),
            ("image-form-code", |it| it.qform_code = 6),
            ("image-form-code", |it| it.sform_code = -1),
            ("image-no-orientation", |it| (it.sform_code, it.qform_code) = (0, 0)),
            ("image-voxel-size", |it| (it.sform_code, it.qform_code, it.pixdim[2]) = (0, 1, -3.0)),
        ];
        for (code, change) in warnings {
            assert_eq!(after(change).0, [(code, Severity::Warning)]);
        }
        let silent: [Change; 5] = [
            |_| (),
            |it| it.pixdim[0] = 0.0,
            |it| it.pixdim[1] = 0.0,
            |it| (it.slope, it.inter) = (f64::NAN, f64::NAN),
            |it| it.vox_offset = 368.0,
        ];
        for change in silent {
            assert_eq!(after(change).0, []);
        }
        assert_eq!(
            after(|it| it.pixdim = [0.0, -2.0, 0.0, f64::NAN, 0.0, 0.0, 0.0, 0.0]).1.pixdim[..4],
            [1.0, 2.0, 1.0, 1.0]
        );
    }

    #[test]
    fn sizes_are_held_against_the_file() {
        let path = Path::new("x.nii");
        assert_eq!(check_size(path, (352, Some(100), 1), (452, false)), Ok(()));
        let short = check_size(path, (352, Some(100), 4), (451, false)).unwrap_err().to_string();
        assert!(short.contains("whole volumes: 3 of 4"), "{short}");
        assert!(check_size(path, (352, None, 1), (u64::MAX, false)).is_err());
        assert!(check_size(path, (0, Some(1032), 1), (1, true)).is_ok());
        assert!(check_size(path, (1, Some(1032), 1), (1, true)).is_err());
    }
}

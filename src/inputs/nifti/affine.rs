//! Voxel index to mm, chosen as nibabel chooses: sform, else qform, else voxel sizes alone.

use super::fields::{Fields, ImageFormat};

/// An affine, or why there is none.
pub(super) type AffineResult = Result<[[f64; 4]; 4], (&'static str, String)>;

/// The affine of a header whose checks have passed (codes valid, voxel sizes positive, `pixdim[0]` 1 or -1).
///
/// Fails with the field's name and what is wrong with it.
pub(super) fn best_affine(fields: &Fields, shape: [usize; 3]) -> AffineResult {
    let (field, affine) = if fields.sform_code > 0 {
        let [x, y, z] = fields.srow;
        ("srow_x", [x, y, z, [0.0, 0.0, 0.0, 1.0]])
    } else if fields.qform_code > 0 {
        ("quatern_b", from_quaternion(fields)?)
    } else {
        ("pixdim", from_voxel_sizes(fields, shape))
    };
    if affine.iter().flatten().any(|entry| !entry.is_finite()) {
        return Err((field, format!("the affine is not finite: {}", rows(&affine))));
    }
    if determinant(&affine) == 0.0 {
        return Err((field, format!("the affine is singular, voxels have no volume: {}", rows(&affine))));
    }
    Ok(affine)
}

fn rows(affine: &[[f64; 4]; 4]) -> String {
    let row = |row: &[f64; 4]| format!("[{} {} {} {}]", row[0], row[1], row[2], row[3]);
    affine[..3].iter().map(row).collect::<Vec<_>>().join(" ")
}

/// Rotation by the unit quaternion (a, b, c, d) with `a = sqrt(1 - b^2 - c^2 - d^2)`, NIfTI-1's method 2.
fn from_quaternion(fields: &Fields) -> AffineResult {
    let [b, c, d] = fields.quatern;
    let rest = 1.0 - (b * b + c * c + d * d);
    // what rounding of b, c, d to the header's precision can leave
    let rounding = 3.0 * if fields.format == ImageFormat::Nifti2 { f64::EPSILON } else { f64::from(f32::EPSILON) };
    let a = if rest.abs() < rounding {
        0.0
    } else if rest > 0.0 {
        rest.sqrt()
    } else {
        return Err(("quatern_b", format!("({b}, {c}, {d}) is no part of a unit quaternion")));
    };
    let norm = a * a + b * b + c * c + d * d;
    let s = 2.0 / norm;
    let rotation = [
        [1.0 - s * (c * c + d * d), s * (b * c - a * d), s * (b * d + a * c)],
        [s * (b * c + a * d), 1.0 - s * (b * b + d * d), s * (c * d - a * b)],
        [s * (b * d - a * c), s * (c * d + a * b), 1.0 - s * (b * b + c * c)],
    ];
    let sizes = [fields.pixdim[1], fields.pixdim[2], fields.pixdim[3] * fields.pixdim[0]];
    let mut affine = [[0.0; 4]; 4];
    for row in 0..3 {
        for axis in 0..3 {
            affine[row][axis] = rotation[row][axis] * sizes[axis];
        }
        affine[row][3] = fields.qoffset[row];
    }
    affine[3][3] = 1.0;
    Ok(affine)
}

/// Voxel sizes with x to the left, centred on the grid or on SPM's origin voxel where Analyze has a sensible one.
fn from_voxel_sizes(fields: &Fields, shape: [usize; 3]) -> [[f64; 4]; 4] {
    let origin = fields.origin.map(f64::from);
    let sensible = fields.format == ImageFormat::Analyze
        && fields.origin != [0; 3]
        && origin.iter().zip(shape).all(|(&at, length)| at > -(length as f64) && at < 2.0 * length as f64);
    let mut affine = [[0.0; 4]; 4];
    for axis in 0..3 {
        let declared = axis < fields.dim[0].clamp(0, 3) as usize;
        let size = if declared { fields.pixdim[axis + 1] } else { 1.0 };
        let step = if axis == 0 { -size } else { size };
        let centre = if sensible { origin[axis] - 1.0 } else { (shape[axis] as f64 - 1.0) / 2.0 };
        affine[axis][axis] = step;
        affine[axis][3] = -centre * step;
    }
    affine[3][3] = 1.0;
    affine
}

fn determinant(affine: &[[f64; 4]; 4]) -> f64 {
    let [a, b, c, _] = affine;
    a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::nifti::fields::parse;
    use crate::inputs::nifti::test_images::TestImage;

    fn fields() -> Fields {
        parse(&TestImage::new(&[3, 5, 7]).header_bytes()).unwrap()
    }

    #[test]
    fn sform_wins_over_qform_and_qform_over_sizes() {
        let mut fields = fields();
        fields.srow = [[2.0, 0.1, 0.0, -9.0], [0.0, 3.0, 0.0, 8.0], [0.0, 0.0, 4.0, 7.0]];
        fields.pixdim = [-1.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        fields.qoffset = [10.0, 20.0, 30.0];
        // half a turn about x: y and z change sign; z once more by pixdim[0]
        fields.quatern = [1.0, 0.0, 0.0];
        (fields.sform_code, fields.qform_code) = (1, 1);
        assert_eq!(best_affine(&fields, [3, 5, 7]).unwrap()[0], [2.0, 0.1, 0.0, -9.0]);
        fields.sform_code = 0;
        let expected = [[3.0, 0.0, 0.0, 10.0], [0.0, -2.0, 0.0, 20.0], [0.0, 0.0, 1.0, 30.0], [0.0, 0.0, 0.0, 1.0]];
        assert_eq!(best_affine(&fields, [3, 5, 7]).unwrap(), expected);
        fields.qform_code = 0;
        // nibabel's own example of the base affine
        let expected = [[-3.0, 0.0, 0.0, 3.0], [0.0, 2.0, 0.0, -4.0], [0.0, 0.0, 1.0, -3.0], [0.0, 0.0, 0.0, 1.0]];
        assert_eq!(best_affine(&fields, [3, 5, 7]).unwrap(), expected);
        fields.format = ImageFormat::Analyze;
        fields.origin = [3, 4, 5];
        let expected = [[-3.0, 0.0, 0.0, 6.0], [0.0, 2.0, 0.0, -6.0], [0.0, 0.0, 1.0, -4.0], [0.0, 0.0, 0.0, 1.0]];
        assert_eq!(best_affine(&fields, [3, 5, 7]).unwrap(), expected);
    }

    #[test]
    fn a_quaternion_turns_as_its_axis_and_angle_say() {
        let mut fields = fields();
        (fields.sform_code, fields.qform_code) = (0, 1);
        fields.pixdim = [1.0; 8];
        // 90 degrees about z: x goes to y
        fields.quatern = [0.0, 0.0, std::f64::consts::FRAC_1_SQRT_2];
        let affine = best_affine(&fields, [3, 5, 7]).unwrap();
        assert!((affine[1][0] - 1.0).abs() < 1e-15 && affine[0][0].abs() < 1e-15 && affine[0][1] < -0.999);
    }

    #[test]
    fn a_general_quaternion_gives_what_nibabel_gives() {
        let mut fields = fields();
        (fields.sform_code, fields.qform_code) = (0, 1);
        fields.pixdim = [-1.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0];
        (fields.quatern, fields.qoffset) = ([0.25, -0.5, 0.125], [90.0, -126.0, -72.0]);
        // nibabel 5.4.2, `get_best_affine` of a header with these fields
        let expected = [
            [1.171_875, -1.364_759_861_653_312_5, 2.650_129_354_382_125, 90.0],
            [-0.112_700_115_288_906_2, 2.531_25, 1.871_939_677_191_062_6, -126.0],
            [2.205_449_538_844_375, 0.854_519_723_306_625_1, -1.3125, -72.0],
        ];
        let affine = best_affine(&fields, [3, 5, 7]).unwrap();
        for (found, expected) in affine.iter().flatten().zip(expected.iter().flatten()) {
            // a few roundings of numbers of order 1
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
    }

    #[test]
    fn affines_that_mean_nothing_are_refused() {
        let mut fields = fields();
        fields.sform_code = 1;
        fields.srow = [[0.0; 4]; 3];
        assert!(best_affine(&fields, [3, 5, 7]).unwrap_err().1.contains("singular"));
        fields.srow[0][0] = f64::NAN;
        assert!(best_affine(&fields, [3, 5, 7]).unwrap_err().1.contains("not finite"));
        (fields.sform_code, fields.qform_code) = (0, 1);
        fields.quatern = [1.0, 1.0, 0.0];
        assert!(best_affine(&fields, [3, 5, 7]).unwrap_err().1.contains("unit quaternion"));
    }
}

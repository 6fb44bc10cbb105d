//! One slice of a head of ten ellipses, with the noise of magnitude images.
//!
//! The ellipses are those of Shepp & Logan (1974, doi 10.1109/TNS.1974.6499235) with the higher contrasts of Toft (The
//! Radon Transform, 1996, table B.3). A voxel is the mean of what it covers; its stored value is
//! `|value + complex noise|`.

use super::spec::SliceSpec;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::Grid;
use crate::simulate::image::{ImageKind, ImageWriter, Stored};
use crate::simulate::random::{Purpose, Stream};
use std::path::Path;

/// An ellipse: brightness added inside, half axes, centre (all in halves of the slice's edge), rotation in degrees.
const ELLIPSES: [(f64, [f64; 2], [f64; 2], f64); 10] = [
    (1.0, [0.69, 0.92], [0.0, 0.0], 0.0),
    (-0.8, [0.6624, 0.874], [0.0, -0.0184], 0.0),
    (-0.2, [0.11, 0.31], [0.22, 0.0], -18.0),
    (-0.2, [0.16, 0.41], [-0.22, 0.0], 18.0),
    (0.1, [0.21, 0.25], [0.0, 0.35], 0.0),
    (0.1, [0.046, 0.046], [0.0, 0.1], 0.0),
    (0.1, [0.046, 0.046], [0.0, -0.1], 0.0),
    (0.1, [0.046, 0.023], [-0.08, -0.605], 0.0),
    (0.1, [0.023, 0.023], [0.0, -0.606], 0.0),
    (0.1, [0.023, 0.046], [0.06, -0.605], 0.0),
];

/// Points along each edge of a voxel at which the ellipses are looked up.
const POINTS: usize = 8;

/// Brightness at a point, the skull being 1.
fn brightness(point: [f64; 2]) -> f64 {
    let one = |(added, half, centre, degrees): &(f64, [f64; 2], [f64; 2], f64)| {
        let (sine, cosine) = libm::sincos(degrees.to_radians());
        let [x, y] = [point[0] - centre[0], point[1] - centre[1]];
        let along = [(x * cosine + y * sine) / half[0], (y * cosine - x * sine) / half[1]];
        if along[0] * along[0] + along[1] * along[1] <= 1.0 { *added } else { 0.0 }
    };
    ELLIPSES.iter().map(one).sum()
}

/// The slice without noise, axis 0 fastest.
fn phantom(slice: &SliceSpec) -> Vec<f64> {
    let [nx, ny] = slice.shape;
    let position = |voxel: usize, point: usize, n: usize| {
        let along = voxel as f64 + (point as f64 + 0.5) / POINTS as f64;
        2.0 * along / n as f64 - 1.0
    };
    let mean = |at: usize| {
        let points = (0..POINTS * POINTS)
            .map(|point| brightness([position(at % nx, point % POINTS, nx), position(at / nx, point / POINTS, ny)]));
        slice.brightness * points.sum::<f64>() / (POINTS * POINTS) as f64
    };
    (0..nx * ny).map(mean).collect()
}

/// Stored values.
fn values(slice: &SliceSpec, seed: u64) -> Vec<f64> {
    let mut stream = Stream::new(seed, Purpose::SliceNoise, &[]);
    let measured = |value: f64| {
        let (real, imaginary) = stream.normal_pair();
        let (real, imaginary) = (value + slice.noise_sd * real, slice.noise_sd * imaginary);
        libm::rint(libm::sqrt(real * real + imaginary * imaginary))
    };
    phantom(slice).into_iter().map(measured).collect()
}

/// Writes the slice; the centre of the image is (0, 0, 0).
pub(super) fn write(slice: &SliceSpec, seed: u64, path: &Path) -> Result<(), Diagnostics> {
    let values = values(slice, seed);
    if let Some(value) = values.iter().find(|value| **value > f64::from(i16::MAX)) {
        let message = format!("a value of {value:.1} does not fit in 16 bits");
        let problem = Diagnostic::error("simulation-value-range", message).at(Place::file(path));
        return Err(problem.hint("lower `brightness` or `noise_sd` in [slice]").into());
    }
    let shape = [slice.shape[0], slice.shape[1], 1];
    let mut affine = [[0.0; 4]; 4];
    for axis in 0..3 {
        affine[axis][axis] = slice.voxel_mm[axis];
        affine[axis][3] = -0.5 * (shape[axis] as f64 - 1.0) * slice.voxel_mm[axis];
    }
    affine[3][3] = 1.0;
    let stored: Vec<i16> = values.iter().map(|value| *value as i16).collect();
    let grid = Grid { shape, affine };
    let kind = ImageKind {
        grid: &grid,
        frames: None,
        stored: Stored::Int16 { slope: 1.0, inter: 0.0 },
        description: "simulated by boldly",
    };
    let mut writer = ImageWriter::create(path, kind, 9)?;
    writer.write_i16(&stored)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(noise_sd: f64) -> SliceSpec {
        SliceSpec { shape: [96, 96], voxel_mm: [2.0; 3], brightness: 1000.0, noise_sd }
    }

    #[test]
    fn tissues_are_as_bright_as_the_ellipses_say() {
        for (point, expected) in [
            ([0.0, 0.9], 1.0),    // skull
            ([0.0, 0.7], 0.2),    // brain
            ([-0.22, 0.0], 0.0),  // ventricle
            ([0.0, 0.4], 0.3),    // large ellipse
            ([0.0, 0.95], 0.0),   // outside
            ([0.0, -0.606], 0.3), // small one
        ] {
            assert!((brightness(point) - expected).abs() < 1e-12, "{point:?}");
        }
    }

    #[test]
    fn the_total_is_the_sum_of_the_ellipses_areas() {
        let slice = declared(0.0);
        let total = phantom(&slice).iter().sum::<f64>() / 1000.0 * 4.0 / (96.0 * 96.0);
        let areas: f64 =
            ELLIPSES.iter().map(|(added, half, ..)| added * std::f64::consts::PI * half[0] * half[1]).sum();
        // lattice points in an ellipse: relative error of order (half axis / step)^(-3/2), 768 points across: 1e-3 is ample
        assert!((total / areas - 1.0).abs() < 1e-3, "{total} {areas}");
    }

    #[test]
    fn outside_the_head_noise_has_rayleigh_mean_square() {
        let slice = declared(20.0);
        let (clean, noisy) = (phantom(&slice), values(&slice, 2));
        let outside: Vec<f64> = clean.iter().zip(&noisy).filter(|(c, _)| **c == 0.0).map(|(_, v)| v * v).collect();
        let mean = outside.iter().sum::<f64>() / outside.len() as f64;
        assert!(outside.len() > 3000);
        // the square of a Rayleigh value is exponential of mean 2 sd^2; rounding to whole numbers adds 1/12
        assert!((mean - 800.0).abs() < 4.0 * 800.0 / (outside.len() as f64).sqrt() + 0.1, "{mean}");
    }
}

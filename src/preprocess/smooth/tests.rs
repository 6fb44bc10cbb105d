use super::*;
use crate::signal::gaussian::{convolve_reflected, sigma_of_fwhm};
use nifti::{IntoNdArray, NiftiObject, ReaderOptions};
use proptest::prelude::*;
use serde::Deserialize;
use std::path::PathBuf;

/// Largest rounding error of a sum in f32 of weights that add to 1, three passes: (r + 2) x 3 x 2^-24 of the largest
/// value, r the radius.
fn rounding(smoother: &Smoother, largest: f32) -> f64 {
    let radius = smoother.kernels.iter().map(AxisKernel::radius).max().unwrap();
    f64::from(largest) * 3.0 * (radius + 2) as f64 * 2.0_f64.powi(-24)
}

/// The definition in f64, one axis after the other.
fn by_definition(volume: &[f64], shape: [usize; 3], sigma: [f64; 3]) -> Vec<f64> {
    let mut volume = volume.to_vec();
    let strides = [1, shape[0], shape[0] * shape[1]];
    for axis in 0..3 {
        let kernel = gaussian_kernel(sigma[axis], TRUNCATE);
        for start in 0..volume.len() {
            if !(start / strides[axis]).is_multiple_of(shape[axis]) {
                continue;
            }
            let line: Vec<f64> = (0..shape[axis]).map(|at| volume[start + at * strides[axis]]).collect();
            let mut out = line.clone();
            convolve_reflected(&line, &kernel, &mut out);
            for (at, value) in out.into_iter().enumerate() {
                volume[start + at * strides[axis]] = value;
            }
        }
    }
    volume
}

fn smoothed(smoother: &Smoother, volume: &[f32]) -> Vec<f32> {
    let mut out = volume.to_vec();
    smoother.smooth(&mut out, &mut Scratch::default());
    out
}

/// Values of order 1000 from a formula, so that a failure can be repeated.
fn volume_of(shape: [usize; 3], seed: u32) -> Vec<f32> {
    (0..shape.iter().product::<usize>() as u32)
        .map(|at| {
            let mixed = (at ^ seed).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519);
            600.0 + (mixed >> 12) as f32 / 2.0_f32.powi(20) * 800.0
        })
        .collect()
}

#[derive(Deserialize)]
struct Oracle {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    shape: [usize; 3],
    sigma: [f64; 3],
    #[serde(rename = "in")]
    input: Vec<f64>,
    out: Vec<f64>,
}

#[test]
fn equals_scipy_in_short_long_and_single_voxel_axes() {
    let oracle: Oracle =
        serde_json::from_str(include_str!("../../../tests/oracles/preprocess/smoothing.json")).unwrap();
    assert_eq!(oracle.cases.len(), 5);
    for case in oracle.cases {
        // f64 against f64: the same sums in the same order but for the last bit of the weights
        let exact = by_definition(&case.input, case.shape, case.sigma);
        assert!(exact.iter().zip(&case.out).all(|(a, b)| (a - b).abs() < 1e-11), "{:?}", case.shape);
        let smoother = Smoother::new(case.shape, case.sigma);
        let input: Vec<f32> = case.input.iter().map(|value| *value as f32).collect();
        let tolerance = rounding(&smoother, 1500.0) + 1500.0 * 2.0_f64.powi(-24); // the input's own rounding
        for (found, expected) in smoothed(&smoother, &input).iter().zip(&case.out) {
            assert!((f64::from(*found) - expected).abs() < tolerance, "{:?}: {found} {expected}", case.shape);
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn equals_nilearn_on_real_images() {
    let data = std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = data.join("refs");
    let Ok(settings) = std::fs::read_to_string(folder.join("settings.json")) else {
        eprintln!("skipped: no reference images in {}", folder.display());
        return;
    };
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    let references = settings["smoothing_refs"].as_array().unwrap();
    assert_eq!(references.len(), 10);
    for reference in references {
        let read = |key: &str| ReaderOptions::new().read_file(folder.join(reference[key].as_str().unwrap())).unwrap();
        let input = read("input");
        let zooms = input.header().pixdim;
        let fwhm = &reference["fwhm_mm"];
        let sigma = std::array::from_fn(|axis| {
            let fwhm_mm = fwhm.as_f64().unwrap_or_else(|| fwhm[axis].as_f64().unwrap());
            sigma_of_fwhm(fwhm_mm) / f64::from(zooms[axis + 1])
        });
        let input = input.into_volume().into_ndarray::<f32>().unwrap();
        let expected = read("out").into_volume().into_ndarray::<f64>().unwrap();
        let shape = [input.shape()[0], input.shape()[1], input.shape()[2]];
        let smoother = Smoother::new(shape, sigma);
        for (volume, expected) in input.axis_iter(ndarray::Axis(3)).zip(expected.axis_iter(ndarray::Axis(3))) {
            // transposed: axis 0 fastest
            let found = smoothed(&smoother, &volume.t().iter().copied().collect::<Vec<_>>());
            for (found, expected) in found.iter().zip(expected.t()) {
                // f32 sums of values up to 2464 (see `rounding`): 5e-3 at worst; measured: 3.8e-4
                assert!((f64::from(*found) - expected).abs() < 1e-3, "{reference}: {found} {expected}");
            }
        }
    }
}

#[test]
fn differences_to_a_baseline_are_smoothed_almost_exactly() {
    let (shape, sigma) = ([20, 14, 9], [1.1, 0.9, 1.3]);
    let baseline = volume_of(shape, 5);
    let frame: Vec<f32> = baseline.iter().zip(volume_of(shape, 9)).map(|(b, v)| b + (v - 1000.0) / 40.0).collect();
    let smoother = Smoother::new(shape, sigma);
    let differences: Vec<f64> = frame.iter().zip(&baseline).map(|(a, b)| f64::from(a - b)).collect();
    let expected = by_definition(&differences, shape, sigma);
    let tolerance = rounding(&smoother, 10.0);
    let rows = Difference { frame: &frame.into(), baseline: Some(&baseline) };
    smoother.smooth_rows(&rows, &mut Scratch::default(), |start, row| {
        for (found, expected) in row.iter().zip(&expected[start..]) {
            assert!((f64::from(*found) - expected).abs() < tolerance);
        }
    });
}

#[test]
fn values_that_are_not_finite_count_as_zero_and_are_counted() {
    let shape = [12, 7, 5];
    let smoother = Smoother::new(shape, [1.0, 1.0, 1.0]);
    let mut holed = volume_of(shape, 1);
    let mut zeroed = holed.clone();
    for (at, value) in [(0, f32::NAN), (100, f32::INFINITY), (101, f32::NEG_INFINITY), (419, f32::NAN)] {
        holed[at] = value;
        zeroed[at] = 0.0;
    }
    assert_eq!(smoother.smooth(&mut holed, &mut Scratch::default()), 4);
    assert_eq!(smoother.smooth(&mut zeroed, &mut Scratch::default()), 0);
    assert_eq!(holed, zeroed);
}

#[test]
fn within_a_mask_nothing_bleeds_across_its_edge() {
    let (shape, sigma) = ([11, 9, 6], [1.4, 1.0, 0.8]);
    let mask: Vec<bool> = (0..shape.iter().product::<usize>()).map(|at| at % 11 < 6 && at % 7 != 3).collect();
    let smoother = Smoother::within_mask(shape, sigma, &mask);
    let inside = volume_of(shape, 2);
    let loud: Vec<f32> = inside.iter().zip(&mask).map(|(v, inside)| if *inside { *v } else { 1e6 }).collect();
    assert_eq!(smoothed(&smoother, &inside), smoothed(&smoother, &loud));
    let masked = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..mask.len()).map(|at| if mask[at] { of(at) } else { 0.0 }).collect()
    };
    let weighted = by_definition(&masked(&|at| f64::from(inside[at])), shape, sigma);
    let weights = by_definition(&masked(&|_| 1.0), shape, sigma);
    let smallest = (0..mask.len()).filter(|at| mask[*at]).map(|at| weights[at]).fold(1.0, f64::min);
    // numerator and denominator are rounded, relative to the smallest weight
    let tolerance = 2.0 * rounding(&smoother, 1400.0) / smallest;
    for (at, found) in smoothed(&smoother, &inside).iter().enumerate() {
        let expected = if mask[at] { weighted[at] / weights[at] } else { 0.0 };
        assert!((f64::from(*found) - expected).abs() < tolerance, "{found} {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_the_mask_needs_comes_out_bit_for_bit(
        shape in prop::array::uniform3(1_usize..24),
        sigma in prop::array::uniform3(0.0..2.5_f64),
        seed in any::<u32>(),
        sparse in 1_u32..40,
        normalised in any::<bool>(),
    ) {
        let volume = volume_of(shape, seed);
        let mask: Vec<bool> =
            (0..volume.len() as u32).map(|at| (at ^ seed).wrapping_mul(2_654_435_761) % 40 < sparse).collect();
        let smoother = if normalised {
            Smoother::within_mask(shape, sigma, &mask)
        } else {
            Smoother::new(shape, sigma)
        };
        let index: Vec<u32> = (0..volume.len() as u32).filter(|at| mask[*at as usize]).collect();
        let whole = smoothed(&smoother, &volume);
        // working memory full of what another volume left there
        let mut scratch = Scratch::default();
        smoother.smooth(&mut vec![f32::MAX / 1e6; volume.len()], &mut scratch);
        let mut limited = volume;
        smoother.limited_to(&index).smooth(&mut limited, &mut scratch);
        for at in index {
            prop_assert_eq!(whole[at as usize].to_bits(), limited[at as usize].to_bits());
        }
    }

    #[test]
    fn smoothing_is_linear_keeps_constants_and_mass_and_follows_mirrored_axes(
        shape in prop::array::uniform3(1_usize..20),
        sigma in prop::array::uniform3(0.0..2.5_f64),
        seed in any::<u32>(),
    ) {
        let smoother = Smoother::new(shape, sigma);
        let tolerance = rounding(&smoother, 1400.0);
        let (a, b) = (volume_of(shape, seed), volume_of(shape, seed ^ 0x4d));
        let (smooth_a, smooth_b) = (smoothed(&smoother, &a), smoothed(&smoother, &b));
        let mixed: Vec<f32> = a.iter().zip(&b).map(|(a, b)| 0.5 * a - 0.25 * b).collect();
        for ((a, b), mixed) in smooth_a.iter().zip(&smooth_b).zip(smoothed(&smoother, &mixed)) {
            prop_assert!((f64::from(0.5 * a - 0.25 * b) - f64::from(mixed)).abs() < 2.0 * tolerance);
        }
        for value in smoothed(&smoother, &vec![1234.5; a.len()]) {
            prop_assert!((f64::from(value) - 1234.5).abs() < tolerance);
        }
        let sum = |volume: &[f32]| volume.iter().map(|value| f64::from(*value)).sum::<f64>();
        prop_assert!((sum(&smooth_a) - sum(&a)).abs() < tolerance * a.len() as f64);
        let [n_x, n_y, _] = shape;
        for axis in 0..3 {
            let mirror = |volume: &[f32]| -> Vec<f32> {
                (0..volume.len()).map(|at| {
                    let mut place = [at % n_x, at / n_x % n_y, at / (n_x * n_y)];
                    place[axis] = shape[axis] - 1 - place[axis];
                    volume[place[0] + n_x * (place[1] + n_y * place[2])]
                }).collect()
            };
            // below + above commutes: exactly equal
            prop_assert_eq!(mirror(&smooth_a), smoothed(&smoother, &mirror(&a)));
        }
    }

    #[test]
    fn smoothing_is_a_symmetric_operator(
        shape in prop::array::uniform3(1_usize..12),
        sigma in prop::array::uniform3(0.0..2.5_f64),
        seed in any::<u32>(),
    ) {
        let smoother = Smoother::new(shape, sigma);
        let (a, b) = (volume_of(shape, seed), volume_of(shape, seed ^ 1));
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let difference = product(&smoothed(&smoother, &a), &b) - product(&a, &smoothed(&smoother, &b));
        prop_assert!(difference.abs() < 2.0 * rounding(&smoother, 1400.0) * 1400.0 * a.len() as f64);
    }
}

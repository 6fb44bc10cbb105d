use super::*;
use crate::preprocess::mean_volume;
use crate::{error::CancelToken, inputs::FrameSource};
use nifti::{IntoNdArray, NiftiObject, ReaderOptions};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Oracle<C> {
    cases: Vec<C>,
}

#[derive(Deserialize)]
struct Simulated {
    shape: [usize; 3],
    means: Vec<Vec<Value>>,
    masks: Vec<String>,
    combined: Option<String>,
    combined_two: Option<String>,
}

/// JSON has no NaN and no infinity.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Name(String),
}

#[derive(Deserialize)]
struct Real {
    file: String,
    n_inside: usize,
    sha256: String,
}

fn bits(mask: &[bool]) -> String {
    mask.iter().map(|inside| if *inside { '1' } else { '0' }).collect()
}

#[test]
fn equals_nilearn_on_simulated_heads() {
    let oracle: Oracle<Simulated> =
        serde_json::from_str(include_str!("../../../tests/oracles/preprocess/epi_mask.json")).unwrap();
    assert_eq!(oracle.cases.len(), 3);
    for case in oracle.cases {
        let masks: Vec<Vec<bool>> = case
            .means
            .iter()
            .map(|mean| {
                let mean: Vec<f64> = mean
                    .iter()
                    .map(|value| match value {
                        Value::Number(value) => *value,
                        Value::Name(name) => name.parse().unwrap(),
                    })
                    .collect();
                epi_mask(&mean, case.shape).unwrap()
            })
            .collect();
        for (mask, expected) in masks.iter().zip(&case.masks) {
            assert_eq!(&bits(mask), expected);
        }
        if let (Some(three), Some(two)) = (case.combined, case.combined_two) {
            assert_eq!(bits(&combine_epi_masks(&masks, case.shape).unwrap()), three);
            assert_eq!(bits(&combine_epi_masks(&masks[..2], case.shape).unwrap()), two);
        }
    }
}

/// An image held in memory, as a stream.
struct Held {
    frames: std::vec::IntoIter<Vec<f32>>,
    n_frames: usize,
    n_values: usize,
}

impl FrameSource for Held {
    fn n_values(&self) -> usize {
        self.n_values
    }
    fn n_frames(&self) -> usize {
        self.n_frames
    }
    fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics> {
        frame.copy_from_slice(&self.frames.next().unwrap());
        Ok(())
    }
    fn skip_frame(&mut self) -> Result<(), Diagnostics> {
        self.frames.next().unwrap();
        Ok(())
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn equals_nilearn_on_real_runs() {
    let data = std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("data");
    if !data.is_dir() {
        eprintln!("skipped: no images in {}", data.display());
        return;
    }
    let oracle: Oracle<Real> =
        serde_json::from_str(include_str!("../../../tests/oracles/preprocess/epi_mask_real.json")).unwrap();
    assert_eq!(oracle.cases.len(), 14);
    for case in oracle.cases {
        let image = ReaderOptions::new().read_file(data.join(&case.file)).unwrap().into_volume();
        let image = image.into_ndarray::<f32>().unwrap();
        let shape = [image.shape()[0], image.shape()[1], image.shape()[2]];
        let frames: Vec<Vec<f32>> =
            image.axis_iter(ndarray::Axis(3)).map(|volume| volume.t().iter().copied().collect()).collect();
        let mut source = Held { n_frames: frames.len(), n_values: shape.iter().product(), frames: frames.into_iter() };
        let mean = mean_volume(&mut source, 0, &CancelToken::new()).unwrap().mean;
        let mask = mask_by_histogram(&mean, shape).unwrap();
        assert_eq!(mask.iter().filter(|inside| **inside).count(), case.n_inside, "{}", case.file);
        let mut digest = String::new();
        for byte in Sha256::digest(bits(&mask)) {
            write!(digest, "{byte:02x}").unwrap();
        }
        assert_eq!(digest, case.sha256, "{}", case.file);
        // Where nilearn only warns of an empty mask there is an error.
        assert_eq!(epi_mask(&mean, shape) == Err(EpiMaskError::Empty), case.n_inside == 0, "{}", case.file);
    }
}

#[test]
fn a_mask_that_cannot_be_a_brain_is_refused() {
    let shape = [20, 20, 20];
    let cube = |low: usize, high: usize| -> Vec<bool> {
        (0..8000).map(|at| [at % 20, at / 20 % 20, at / 400].iter().all(|x| (low..high).contains(x))).collect()
    };
    assert_eq!(combine_epi_masks(&[cube(0, 0)], shape), Err(EpiMaskError::Empty));
    // 4^3 of 8000
    assert_eq!(combine_epi_masks(&[cube(3, 7)], shape), Err(EpiMaskError::TooSmall { percent: 0.8 }));
    assert_eq!(combine_epi_masks(&[cube(0, 19)], shape), Err(EpiMaskError::TooLarge { percent: 85.7375 }));
    assert_eq!(combine_epi_masks(&[cube(3, 10)], shape), Ok(cube(3, 10)));
    assert_eq!(epi_mask(&[1.0], [1, 1, 1]), Err(EpiMaskError::GridTooSmall { n_voxels: 1 }));
    assert_eq!(epi_mask(&[], [0, 1, 1]), Err(EpiMaskError::GridTooSmall { n_voxels: 0 }));
    assert_eq!(epi_mask(&vec![7.3; 8000], shape), Err(EpiMaskError::NoContrast));
    // a small brain in a background of exact zeros
    let masked: Vec<f64> = cube(8, 13).iter().map(|inside| if *inside { 900.0 } else { 0.0 }).collect();
    assert_eq!(epi_mask(&masked, shape), Err(EpiMaskError::NoContrast));
}

#[test]
fn a_refusal_says_what_to_do() {
    let shown = Diagnostics::from(EpiMaskError::TooLarge { percent: 83.03 }).to_string();
    assert_eq!(
        shown,
        "error[mask-auto-too-large]: the automatic mask holds 83.0 % of the grid: brain and background were not told \
         apart\n   = note: expected a run with a dark background, whose brain fills 1 % to 80 % of the grid\n   = hint: \
         name a mask image: `path` under `[mask]`\n"
    );
}

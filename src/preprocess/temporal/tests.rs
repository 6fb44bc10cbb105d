use super::*;
use crate::error::Diagnostics;
use crate::inputs::Support;

struct Ramp {
    frame: usize,
}

impl FrameSource for Ramp {
    fn n_values(&self) -> usize {
        BLOCK_VOXELS + 3
    }
    fn n_frames(&self) -> usize {
        7
    }
    fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics> {
        for (at, value) in frame.iter_mut().enumerate() {
            *value = 1000.0 + (at % 5 * self.frame) as f32;
        }
        frame[4] = if self.frame == 3 { f32::NAN } else { 1.0 };
        self.frame += 1;
        Ok(())
    }
    fn skip_frame(&mut self) -> Result<(), Diagnostics> {
        self.frame += 1;
        Ok(())
    }
}

#[test]
fn the_mean_leaves_out_discarded_frames_and_knows_what_is_constant() {
    let volume = mean_volume(&mut Ramp { frame: 0 }, 2, &CancelToken::new()).unwrap();
    assert_eq!(volume.mean.len(), BLOCK_VOXELS + 3);
    for (at, (mean, constant)) in volume.mean.iter().zip(&volume.constant).enumerate() {
        if at == 4 {
            assert!(mean.is_nan() && !constant);
        } else {
            // frames 2 to 6: their mean is 4
            assert_eq!((*mean, *constant), (1000.0 + 4.0 * (at % 5) as f64, at % 5 == 0), "value {at}");
        }
    }
}

#[test]
fn a_run_shorter_than_what_is_discarded_is_an_error() {
    let error = mean_volume(&mut Ramp { frame: 0 }, 7, &CancelToken::new()).unwrap_err();
    assert!(matches!(error, PassError::NoFrames { n_frames: 7, discard: 7 }), "{error}");
}

#[test]
fn mean_and_deviation_are_those_of_a_sample() {
    let names: Vec<String> = (0..5000).map(|column| column.to_string()).collect();
    let n_columns = names.len();
    // column c: 10000 + c + {0, 3, 6, 3}: mean 10003 + c, sample variance (9 + 0 + 9 + 0) / 3 = 6
    let values = [0.0_f32, 3.0, 6.0, 3.0].iter().flat_map(|value| vec![*value; n_columns]).collect();
    let first: Vec<f32> = (0..n_columns).map(|column| 10_000.0 + column as f32).collect();
    let mean = first.iter().map(|first| f64::from(*first) + 3.0).collect();
    let series = Series { support: Support::Columns { names }, n_frames: 4, values, first, mean };
    let (mean, sd) = temporal_mean_sd(&series);
    assert_eq!(mean[4999], 14_999.0 + 3.0);
    assert!(sd.len() == n_columns && sd.iter().all(|sd| *sd == 6.0_f64.sqrt()));
}

#[test]
fn one_frame_has_no_deviation() {
    let series = Series {
        support: Support::Columns { names: vec!["a".to_owned()] },
        n_frames: 1,
        values: vec![0.0],
        first: vec![5.0],
        mean: vec![5.0],
    };
    assert_eq!(temporal_mean_sd(&series), (vec![5.0], vec![0.0]));
}

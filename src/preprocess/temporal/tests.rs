use super::*;
use crate::error::Diagnostics;

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

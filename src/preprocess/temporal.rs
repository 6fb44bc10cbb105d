//! The mean volume of a run.

use super::PassError;
use super::stream::for_each_batch;
use crate::error::CancelToken;
use crate::inputs::FrameSource;
use rayon::prelude::*;

/// Voxels a unit of parallel work of the mean volume: 512 KiB of sums.
const BLOCK_VOXELS: usize = 65_536;

/// What the automatic mask needs of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanVolume {
    /// Temporal mean of each value of a frame; not finite where any of its values is not.
    pub mean: Vec<f64>,
    /// Whether a value is the same in every frame.
    pub constant: Vec<bool>,
}

/// Mean over the frames of a run, unsmoothed, after `discard` frames; sums in f64 in the order of time.
///
/// # Errors
/// [`PassError`]: the file is damaged, no frame is left, or the work was cancelled.
pub fn mean_volume(
    source: &mut dyn FrameSource,
    discard: usize,
    cancel: &CancelToken,
) -> Result<MeanVolume, PassError> {
    let n_values = source.n_values();
    let n_frames = source.n_frames().saturating_sub(discard);
    let mut mean = vec![0.0_f64; n_values];
    let mut constant = vec![true; n_values];
    let mut first = Vec::new();
    for_each_batch(source, discard, cancel, |at, batch| {
        if at == 0 {
            first = batch[0].to_values();
        }
        mean.par_chunks_mut(BLOCK_VOXELS)
            .zip(constant.par_chunks_mut(BLOCK_VOXELS))
            .zip(first.par_chunks(BLOCK_VOXELS))
            .enumerate()
            .for_each(|(block, ((sums, constant), first))| {
                let mut values = vec![0.0; sums.len()];
                for frame in batch {
                    let start = block * BLOCK_VOXELS;
                    frame.read(start..start + values.len(), &mut values);
                    for (((value, sum), constant), first) in
                        values.iter().zip(&mut *sums).zip(&mut *constant).zip(first)
                    {
                        *sum += f64::from(*value);
                        *constant &= value == first;
                    }
                }
            });
        Ok(())
    })?;
    mean.par_iter_mut().for_each(|mean| *mean /= n_frames as f64);
    Ok(MeanVolume { mean, constant })
}

#[cfg(test)]
mod tests;

//! Statistics over time: the mean volume of a run, and mean and standard deviation of gathered columns.

use super::stream::for_each_batch;
use super::{PassError, Series};
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
            first.clone_from(&batch[0]);
        }
        mean.par_chunks_mut(BLOCK_VOXELS)
            .zip(constant.par_chunks_mut(BLOCK_VOXELS))
            .zip(first.par_chunks(BLOCK_VOXELS))
            .enumerate()
            .for_each(|(block, ((sums, constant), first))| {
                for frame in batch {
                    let values = &frame[block * BLOCK_VOXELS..][..sums.len()];
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

/// Mean and standard deviation over time of each column, in data units; their quotient is the temporal
/// signal-to-noise ratio. The deviation is that of a sample (divisor n - 1), 0 for a single frame.
///
/// Two passes: the squares are of deviations from the mean.
pub fn temporal_mean_sd(series: &Series) -> (Vec<f64>, Vec<f64>) {
    let n_frames = series.n_frames;
    let blocks: Vec<_> = series.blocks().collect();
    let sd = blocks
        .into_par_iter()
        .flat_map_iter(|block| {
            // mean of what is stored: the mean without the first frame that was taken off
            let offset: Vec<f64> =
                block.clone().map(|column| series.mean[column] - f64::from(series.first[column])).collect();
            let mut squares = vec![0.0; block.len()];
            for frame in 0..n_frames {
                let values = &series.frame(frame)[block.clone()];
                for ((square, value), offset) in squares.iter_mut().zip(values).zip(&offset) {
                    *square += (f64::from(*value) - offset).powi(2);
                }
            }
            let divisor = n_frames.saturating_sub(1).max(1) as f64;
            squares.into_iter().map(move |square: f64| (square / divisor).sqrt())
        })
        .collect();
    (series.mean.clone(), sd)
}

#[cfg(test)]
mod tests;

//! Frames of a run, decoded by a thread of their own, handed over in small batches.
//!
//! Decoding is serial (inflating `.nii.gz` most of all) and costs as much as all that follows; on its own thread it
//! overlaps it, and hands frames over as they are stored, so that it does nothing that others can do. It is no rayon
//! task: a task that waits for the decoder would hold a worker.

use super::PassError;
use crate::error::{CancelToken, Diagnostics};
use crate::inputs::{Frame, FrameSource};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Frames a batch at most. More threads than this cannot be fed: decoding a frame takes longer than a quarter of
/// smoothing it.
pub const MAX_BATCH: usize = 4;

/// Frames that the decoder may be ahead of the batch at work: as many as it decodes while sums are taken of a chunk.
pub const FRAMES_AHEAD: usize = 12;

/// Frames in a batch at most, in the pool at hand. Decides only how the work is cut, not what comes out.
pub(super) fn batch_frames() -> usize {
    rayon::current_num_threads().clamp(1, MAX_BATCH)
}

/// Passes over `discard` frames, then hands the others, in order, to `consume` with the index (from 0) of the
/// batch's first frame.
///
/// Memory: a batch and [`FRAMES_AHEAD`]. `consume` runs on the calling thread.
pub(super) fn for_each_batch(
    source: &mut dyn FrameSource,
    discard: usize,
    cancel: &CancelToken,
    mut consume: impl FnMut(usize, &[Frame]) -> Result<(), PassError>,
) -> Result<(), PassError> {
    let batch_frames = batch_frames();
    let n_frames = source.n_frames().saturating_sub(discard);
    if n_frames == 0 {
        return Err(PassError::NoFrames { n_frames: source.n_frames(), discard });
    }
    let (filled_sender, filled) = channel::<Frame>();
    let (empty, empty_receiver) = channel::<Frame>();
    for _ in 0..(batch_frames + FRAMES_AHEAD).min(n_frames) {
        // The receiver is alive; a failed send would only mean fewer buffers.
        let _ = empty.send(source.new_frame());
    }
    std::thread::scope(|scope| {
        let decoder = std::thread::Builder::new()
            .name("decode".to_owned())
            .spawn_scoped(scope, move || decode(source, discard, cancel, &filled_sender, &empty_receiver))
            .map_err(PassError::Thread)?;
        let consumed = take_batches(&filled, &empty, batch_frames, cancel, &mut consume);
        // Without receivers the decoder stops at its next frame.
        drop((filled, empty));
        match decoder.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            // A damaged file is the cause, frames that did not come its effect.
            Ok(decoded) => decoded.map_err(PassError::Source).and(consumed),
        }
    })
}

/// Fills empty buffers with frames until the run ends, nobody takes them, or the work is cancelled.
fn decode(
    source: &mut dyn FrameSource,
    discard: usize,
    cancel: &CancelToken,
    filled: &Sender<Frame>,
    empty: &Receiver<Frame>,
) -> Result<(), Diagnostics> {
    for _ in 0..discard {
        if cancel.check().is_err() {
            return Ok(());
        }
        source.skip_frame()?;
    }
    for _ in discard..source.n_frames() {
        let Ok(mut frame) = empty.recv() else { break };
        if cancel.check().is_err() {
            break;
        }
        source.next_stored(&mut frame)?;
        if filled.send(frame).is_err() {
            break;
        }
    }
    Ok(())
}

/// Takes what frames there are, at least one and at most a batch, until no more come.
fn take_batches(
    filled: &Receiver<Frame>,
    empty: &Sender<Frame>,
    batch_frames: usize,
    cancel: &CancelToken,
    consume: &mut impl FnMut(usize, &[Frame]) -> Result<(), PassError>,
) -> Result<(), PassError> {
    let mut batch = Vec::with_capacity(batch_frames);
    let mut first = 0;
    while let Ok(frame) = filled.recv() {
        cancel.check()?;
        batch.push(frame);
        batch.extend(filled.try_iter().take(batch_frames - 1));
        consume(first, &batch)?;
        first += batch.len();
        for frame in batch.drain(..) {
            // The decoder has gone once it has read the last frame; the buffer is then of no more use.
            let _ = empty.send(frame);
        }
    }
    cancel.check()?;
    Ok(())
}

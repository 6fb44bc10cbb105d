//! A run as a stream of frames: the volumes of an image, or the rows of a table.

use crate::error::Diagnostics;

/// Yields the frames of a run in time order into the caller's buffer.
pub trait FrameSource: Send {
    /// Values a frame: voxels of the whole grid, or columns of a table.
    fn n_values(&self) -> usize;

    /// Frames in the run.
    fn n_frames(&self) -> usize;

    /// Reads the next frame, scaled to its physical values, into `frame` (length [`n_values`](Self::n_values)).
    /// Called at most [`n_frames`](Self::n_frames) times; the last call also checks what ends the file.
    ///
    /// # Errors
    /// The file ends early, is damaged, or cannot be read; the diagnostic names the file and the frame.
    fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics>;

    /// Passes over the next frame.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame).
    fn skip_frame(&mut self) -> Result<(), Diagnostics>;
}

//! A run as a stream of frames: the volumes of an image, or the rows of a table.

use super::NumberForm;
use crate::error::Diagnostics;
use std::ops::Range;

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

    /// Room for a frame as this source stores it. Made by who keeps it: memory that the decoding thread allocates
    /// would stay with that thread's part of the heap.
    fn new_frame(&self) -> Frame {
        vec![0.0; self.n_values()].into()
    }

    /// Reads the next frame as it is stored, for others to convert what they need of it. Takes the place of
    /// [`next_frame`](Self::next_frame), which it is where nothing is gained.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame).
    fn next_stored(&mut self, frame: &mut Frame) -> Result<(), Diagnostics> {
        let n_values = self.n_values();
        self.next_frame(frame.values_mut(n_values))
    }

    /// Passes over the next frame.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame).
    fn skip_frame(&mut self) -> Result<(), Diagnostics>;
}

/// A frame as its source hands it over. Stored numbers are turned into values where they are read: by many threads,
/// and only what is asked for, while the one thread that decodes goes on.
#[derive(Debug, Clone)]
pub struct Frame(Content);

#[derive(Debug, Clone)]
enum Content {
    Values(Vec<f32>),
    Stored { bytes: Vec<u8>, form: NumberForm },
}

impl Default for Frame {
    /// A frame of no values.
    fn default() -> Self {
        Self(Content::Values(Vec::new()))
    }
}

impl From<Vec<f32>> for Frame {
    fn from(values: Vec<f32>) -> Self {
        Self(Content::Values(values))
    }
}

impl Frame {
    /// Room for `n_values` numbers stored in `form`.
    pub fn stored(form: NumberForm, n_values: usize) -> Self {
        Self(Content::Stored { bytes: vec![0; n_values * form.element.size_bytes()], form })
    }

    /// Values in the frame.
    pub fn n_values(&self) -> usize {
        match &self.0 {
            Content::Values(values) => values.len(),
            Content::Stored { bytes, form } => bytes.len() / form.element.size_bytes(),
        }
    }

    /// Writes the values of `range` to `values`, which is as long.
    pub fn read(&self, range: Range<usize>, values: &mut [f32]) {
        match &self.0 {
            Content::Values(all) => values.copy_from_slice(&all[range]),
            Content::Stored { bytes, form } => {
                let size = form.element.size_bytes();
                form.convert(&bytes[range.start * size..range.end * size], values);
            }
        }
    }

    /// All values.
    pub fn to_values(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.n_values()];
        self.read(0..values.len(), &mut values);
        values
    }

    /// Makes it a frame of `n_values` values, for a source to write; what they were is not said.
    pub fn values_mut(&mut self, n_values: usize) -> &mut [f32] {
        if !matches!(self.0, Content::Values(_)) {
            *self = Self::default();
        }
        let Content::Values(values) = &mut self.0 else { return &mut [] };
        values.resize(n_values, 0.0);
        values
    }

    /// Makes it a frame of `n_values` numbers stored in `form`, for a source to write; what they were is not said.
    pub fn stored_mut(&mut self, form: NumberForm, n_values: usize) -> &mut [u8] {
        if !matches!(self.0, Content::Stored { .. }) {
            *self = Self::stored(form, n_values);
        }
        let Content::Stored { bytes, form: as_stored } = &mut self.0 else { return &mut [] };
        *as_stored = form;
        bytes.resize(n_values * form.element.size_bytes(), 0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{ElementType, Scaling};
    use nifti::Endianness;

    #[test]
    fn a_frame_is_reused_in_either_form_and_read_in_parts() {
        let mut frame = Frame::default();
        assert_eq!((frame.n_values(), frame.to_values()), (0, Vec::new()));
        let scaling = Some(Scaling { slope: 2.0, inter: 1.0 });
        let big = NumberForm { element: ElementType::I16, order: Endianness::Big, scaling };
        for _ in 0..2 {
            frame.stored_mut(big, 3).copy_from_slice(&[0, 5, 0xff, 0xff, 1, 0]);
            assert_eq!(frame.to_values(), [11.0, -1.0, 513.0]);
            let mut part = [0.0; 2];
            frame.read(1..3, &mut part);
            assert_eq!(part, [-1.0, 513.0]);
            frame.values_mut(4).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
            frame.read(2..4, &mut part);
            assert_eq!((part, frame.n_values()), ([3.0, 4.0], 4));
            let bytes = NumberForm { element: ElementType::U8, ..big };
            frame.stored_mut(bytes, 2).copy_from_slice(&[1, 255]);
            assert_eq!(frame.to_values(), [3.0, 511.0]);
        }
    }
}

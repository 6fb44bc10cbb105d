//! One set of null data of a run.

use super::NullRun;
use crate::model::linalg::{product, single_product};
use crate::model::random::Random;
use crate::model::sampled_fit::members_of;
use crate::preprocess::{BLOCK_COLUMNS, Series, column_blocks};
use ndarray::{Array2, ArrayView1, ArrayViewMut1, Axis};
use rayon::prelude::*;

impl NullRun {
    /// Draws data; they follow from the seed alone. Columns without noise have their mean throughout.
    pub fn draw(&self, seed: u64) -> Series {
        let n_kept = self.kept.len();
        let mut random = Random::new(seed);
        let weights = Array2::from_shape_simple_fn((n_kept, n_kept), || random.normal());
        let mixing: Vec<Array2<f32>> =
            self.factors.par_iter().map(|factor| product(factor, &weights).mapv(|value| value as f32)).collect();
        let n_columns = self.means.len();
        let mut values = Array2::<f32>::zeros((self.n_frames, n_columns));
        let mut first = vec![0.0; n_columns];
        let outputs = values.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS).zip(first.chunks_mut(BLOCK_COLUMNS));
        let blocks: Vec<_> = column_blocks(n_columns).zip(&self.directions).zip(outputs).collect();
        blocks.into_par_iter().for_each(|((columns, directions), (mut out, first))| {
            for (class, members) in members_of(&self.stratum[columns.clone()]) {
                let noise = single_product(&mixing[class as usize], &directions.select(Axis(1), &members));
                for (place, &member) in members.iter().enumerate() {
                    let column = columns.start + member;
                    first[member] = self.fill(column, &noise.column(place), out.column_mut(member));
                }
            }
        });
        Series::new(self.support.clone(), first, values.into_raw_vec_and_offset().0)
    }

    /// Writes one column as series hold it, relative to its first frame, which it gives.
    fn fill(&self, column: usize, noise: &ArrayView1<'_, f32>, out: ArrayViewMut1<'_, f32>) -> f32 {
        let mut deviations = vec![0.0; self.n_frames];
        for (&frame, noise) in self.kept.iter().zip(noise) {
            deviations[frame] = f64::from(*noise) * self.deviations[column];
        }
        let first = (self.means[column] + deviations[0]) as f32;
        for (out, deviation) in out.into_iter().zip(deviations) {
            *out = (self.means[column] + deviation - f64::from(first)) as f32;
        }
        first
    }
}

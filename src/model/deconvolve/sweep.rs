//! Blocks of columns solved on one set of frames, with every autocorrelation and method prepared once.

use super::column_estimates::BlockEstimates;
use super::methods::{DeconvolutionError, prepared};
use super::noise_bins::NoiseBins;
use super::{Deconvolver, Preparation, RunProblem, Wanted};
use crate::model::linalg::product;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Everything prepared for the frames that are kept.
pub(super) struct Sweep<'a> {
    run: &'a RunProblem<'a>,
    /// The frames kept.
    frames: Vec<usize>,
    bins: NoiseBins,
    prepared: Vec<Prepared>,
}

/// What one autocorrelation needs.
struct Prepared {
    preparation: Preparation,
    /// One method, or the candidates of `auto`.
    methods: Vec<Box<dyn Deconvolver>>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(run: &'a RunProblem<'a>, kept: Vec<bool>, bins: NoiseBins) -> Result<Self, DeconvolutionError> {
        let of_rho = |rho: &f64| -> Result<Prepared, DeconvolutionError> {
            run.cancel.check()?;
            let preparation = Preparation::new(&run.nuisance.matrix, &kept, *rho)?;
            let operator = preparation.operator(run.convolution, &kept);
            let spacing_s = run.nuisance.timing.tr_s / run.settings.upsample as f64;
            let methods = prepared(run.settings, &operator, run.series.n_frames, spacing_s)?;
            Ok(Prepared { preparation, methods })
        };
        let all: Vec<Prepared> = bins.values.par_iter().map(of_rho).collect::<Result<_, _>>()?;
        let frames = (0..kept.len()).filter(|&frame| kept[frame]).collect();
        Ok(Self { run, frames, bins, prepared: all })
    }

    /// Solves the columns of a block, each with the method it has (`choice`, an entry a column of the block) and under the
    /// autocorrelations that it may have. `data` is frame x column, all frames.
    pub(super) fn solve(
        &self,
        columns: &Range<usize>,
        data: &Array2<f64>,
        choice: &[u8],
        wanted: Wanted,
    ) -> BlockEstimates {
        let n_activity = self.run.convolution.n_activity();
        let mut block = BlockEstimates::new(n_activity, columns.len(), wanted.standard_errors);
        let at_frames = data.select(Axis(0), &self.frames);
        for (bin, prepared) in self.prepared.iter().enumerate() {
            let possible = self.bins.columns(bin, columns);
            let mut of_bin = at_frames.select(Axis(1), &possible);
            prepared.preparation.apply(&mut of_bin);
            for (method, solver) in prepared.methods.iter().enumerate() {
                let chosen = |at: &usize| usize::from(choice[possible[*at]]) == method;
                let within: Vec<usize> = (0..possible.len()).filter(chosen).collect();
                if within.is_empty() {
                    continue;
                }
                let places: Vec<usize> = within.iter().map(|&at| possible[at]).collect();
                let solution = if within.len() == possible.len() {
                    solver.solve(&of_bin, wanted)
                } else {
                    solver.solve(&of_bin.select(Axis(1), &within), wanted)
                };
                block.take(&solution, &places, (bin, method), &prepared.preparation);
            }
        }
        for column in self.run.scaler.excluded_among(columns) {
            block.clear(column - columns.start);
        }
        block
    }

    /// Convolved activity plus drift and confounds at every frame (frame x column); these are fitted to the frames kept.
    pub(super) fn predicted(&self, block: &BlockEstimates, data: &Array2<f64>) -> Array2<f64> {
        let mut values = product(&self.run.convolution.matrix, &block.activity);
        let rest = data.select(Axis(0), &self.frames) - values.select(Axis(0), &self.frames);
        for (bin, prepared) in self.prepared.iter().enumerate() {
            let places: Vec<usize> = (0..block.bin.len()).filter(|&column| block.bin[column] == bin).collect();
            let nuisance = prepared.preparation.nuisance_of(rest.select(Axis(1), &places));
            for (place, column) in places.iter().zip(nuisance.columns()) {
                values.column_mut(*place).scaled_add(1.0, &column);
            }
        }
        values
    }
}

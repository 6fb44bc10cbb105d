//! Blocks of columns solved on one set of frames, with everything prepared once for each autocorrelation of the noise.

use super::column_estimates::BlockEstimates;
use super::methods::{DeconvolutionError, Grid};
use super::noise_bins::NoiseBins;
use super::{Deconvolver, DriftActivity, Operator, Preparation, RunProblem, Wanted};
use crate::config::DeconvolutionSettings;
use crate::model::linalg::product;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Prepares methods for an operator.
pub(super) type Prepare =
    fn(&DeconvolutionSettings, &Operator, Grid<'_>) -> Result<Vec<Box<dyn Deconvolver>>, DeconvolutionError>;

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
    methods: Vec<Box<dyn Deconvolver>>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(
        run: &'a RunProblem<'a>,
        kept: &[bool],
        bins: NoiseBins,
        prepare: Prepare,
    ) -> Result<Self, DeconvolutionError> {
        let drift =
            DriftActivity::new(run.nuisance, run.settings.design.drift, run.convolution, run.settings.upsample)?;
        let grid = Grid { step_s: run.step_s(), n_frames: run.series.n_frames, drift: &drift };
        let of_rho = |rho: &f64| -> Result<Prepared, DeconvolutionError> {
            run.cancel.check()?;
            let preparation = Preparation::new(&run.nuisance.matrix, kept, *rho)?;
            let operator = preparation.operator(run.convolution, kept);
            Ok(Prepared { preparation, methods: prepare(run.settings, &operator, grid)? })
        };
        let prepared: Vec<Prepared> = bins.values.par_iter().map(of_rho).collect::<Result<_, _>>()?;
        let frames = (0..kept.len()).filter(|&frame| kept[frame]).collect();
        Ok(Self { run, frames, bins, prepared })
    }

    /// Solves the columns of a block under the autocorrelation that each has, with the method it has (`choice`, an entry a
    /// column of the block). `data` is frame x column, all frames.
    pub(super) fn solve(
        &self,
        columns: &Range<usize>,
        data: &Array2<f64>,
        choice: &[u8],
        wanted: Wanted,
    ) -> BlockEstimates {
        let n_activity = self.run.convolution.n_activity();
        let mut block = BlockEstimates::new(n_activity, columns.len(), wanted.standard_errors);
        for (bin, prepared) in self.prepared.iter().enumerate() {
            for (method, solver) in prepared.methods.iter().enumerate() {
                let has_method = |place: &usize| usize::from(choice[*place]) == method;
                let places: Vec<usize> = self.bins.columns(bin, columns).into_iter().filter(has_method).collect();
                if !places.is_empty() {
                    let solution = solver.solve(&self.given(prepared, data, &places), wanted);
                    block.take(solution, &places, (bin, method), prepared.preparation.rho);
                }
            }
        }
        for column in self.run.scaler.excluded_among(columns) {
            block.clear(column - columns.start);
        }
        block
    }

    /// Logarithm of the likelihood of each column of a block: a vector for each method, the columns under the autocorrelation
    /// they have; where that is to be chosen, a vector for each autocorrelation and, in it, each method, weighed with the
    /// probability of the autocorrelation.
    pub(super) fn log_likelihoods(&self, columns: &Range<usize>, data: &Array2<f64>) -> Vec<Vec<f64>> {
        let wanted = Wanted { log_evidence: true, ..Wanted::default() };
        let mut found: Vec<Vec<f64>> = Vec::new();
        for (bin, prepared) in self.prepared.iter().enumerate() {
            let weight = prepared.preparation.log_volume + self.bins.log_prior(bin, self.run.nuisance.timing.tr_s);
            let places = self.bins.columns(bin, columns);
            let given = self.given(prepared, data, &places);
            for (method, solver) in prepared.methods.iter().enumerate() {
                let evidence = solver.solve(&given, wanted).log_evidence;
                let option = if self.bins.are_open() { found.len() } else { method };
                if option == found.len() {
                    found.push(vec![0.0; columns.len()]);
                }
                for (place, evidence) in places.iter().zip(evidence) {
                    found[option][*place] = evidence + weight;
                }
            }
        }
        found
    }

    /// The autocorrelation and the method that the option of [`Self::log_likelihoods`] means for a column of the run.
    pub(super) fn option(&self, option: usize, column: usize) -> (f64, u8) {
        let n_methods = self.prepared.first().map_or(1, |prepared| prepared.methods.len());
        let bin = if self.bins.are_open() { option / n_methods } else { self.bins.bin(column) };
        (self.bins.values[bin], (option % n_methods) as u8)
    }

    /// What a method is given of the columns at `places`.
    fn given(&self, prepared: &Prepared, data: &Array2<f64>, places: &[usize]) -> Array2<f64> {
        let mut given =
            if self.frames.len() == data.nrows() { data.clone() } else { data.select(Axis(0), &self.frames) };
        if places.len() < data.ncols() {
            given = given.select(Axis(1), places);
        }
        prepared.preparation.apply(&mut given);
        given
    }

    /// Convolved activity plus drift and confounds at every frame (frame x column); these are fitted to the frames kept.
    pub(super) fn predicted(&self, block: &BlockEstimates, data: &Array2<f64>) -> Array2<f64> {
        let mut values = product(&self.run.convolution.matrix, &block.activity);
        let rest = data.select(Axis(0), &self.frames) - values.select(Axis(0), &self.frames);
        for (bin, prepared) in self.prepared.iter().enumerate() {
            let places: Vec<usize> = (0..block.bin.len()).filter(|&column| block.bin[column] == bin).collect();
            if places.len() == block.bin.len() {
                values += &prepared.preparation.nuisance_of(rest);
                return values;
            }
            let nuisance = prepared.preparation.nuisance_of(rest.select(Axis(1), &places));
            for (place, column) in places.iter().zip(nuisance.columns()) {
                values.column_mut(*place).scaled_add(1.0, &column);
            }
        }
        values
    }
}

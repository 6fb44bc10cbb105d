//! One model of one run, fed frame by frame: no frame is held.

use super::basis::Basis;
use super::fit::RunFit;
use super::gls::Gls;
use super::noise::{Estimator, NoiseField, NoiseModel};
use super::precision::Precision;
use super::problem::ModelError;
use super::run_basis::{RunBasis, decomposition, model_lags};
use super::sums::{Residuals, SumPlan, Sums};
use crate::config::{Noise, Numerics};
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{BLOCK_COLUMNS, CHUNK_FRAMES, FrameSink, PassError, Scaler, Series, column_blocks, kept_among};
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Sums over time from which the fit of a model follows exactly, in f64 and parallel over blocks of columns.
///
/// For `p` design columns some 8 p bytes a column of data for white noise, 16 p for AR(1), and 4 a frame beside a gap.
/// A sink of the pass over the run; [`fit`](Self::fit) once all frames were taken.
pub struct Moments {
    run: String,
    /// Frames of the design, kept or not, and those taken so far.
    n_frames: usize,
    n_taken: usize,
    kept: Vec<usize>,
    basis: Basis,
    divisor: usize,
    noise: Box<dyn NoiseModel>,
    gls: Option<Gls>,
    plan: SumPlan,
    n_columns: usize,
    /// The sums are of scaled samples.
    scaled: bool,
    blocks: Vec<Sums>,
}

impl Moments {
    /// Ready for the frames of a run of `n_columns` columns of data.
    ///
    /// # Errors
    /// [`ModelError`]: no residual degrees of freedom, a design that is not finite, or noise that needs samples.
    pub fn new(design: &RunDesign, noise: Noise, numerics: &Numerics, n_columns: usize) -> Result<Self, ModelError> {
        let run = RunBasis::new(design, numerics)?;
        match Estimator::new(noise, &run.basis.q, &run.lags, design.timing.tr_s, numerics) {
            Estimator::Summed(noise) => Self::of_basis(run, noise, design, numerics, n_columns),
            Estimator::Sampled(_) | Estimator::Global => Err(ModelError::NeedsSamples { run: design.run.clone() }),
        }
    }

    /// As [`new`](Self::new), for a design that was made ready.
    pub(super) fn of_basis(
        run: RunBasis,
        noise: Box<dyn NoiseModel>,
        design: &RunDesign,
        numerics: &Numerics,
        n_columns: usize,
    ) -> Result<Self, ModelError> {
        let RunBasis { kept, lags, basis, divisor } = run;
        let (gls, basis) = if noise.n_measures() > 0 {
            let decomposed = Gls::new(basis, &lags, numerics.first_sample);
            let (gls, basis) = decomposed.map_err(|cause| decomposition(design, &cause))?;
            (Some(gls), basis)
        } else {
            (None, basis)
        };
        let held = gls.as_ref().map_or(&[0][..], Gls::held);
        let plan = SumPlan::new(&basis.q, gls.is_some().then_some(&lags), held);
        let blocks = column_blocks(n_columns).map(|columns| Sums::new(&plan, columns.len())).collect();
        let run = design.run.clone();
        let n_frames = design.matrix.nrows();
        Ok(Self { run, n_frames, n_taken: 0, kept, basis, divisor, noise, gls, plan, n_columns, scaled: false, blocks })
    }

    /// Bytes that each column of data takes, at most: a constant may be in no design.
    pub fn bytes_a_column(design: &RunDesign, noise: Noise, numerics: &Numerics) -> usize {
        let basis = design.n_columns() + 1;
        match noise {
            Noise::Ols => 8 * (basis + 2) + 4 + 1,
            Noise::Ar1 => {
                let gaps = model_lags(&design.timing, numerics.gaps).into_iter().filter(|lag| *lag > 1).count();
                8 * (2 * basis + 3) + 4 * (1 + 2 + 2 * gaps) + 1
            }
            Noise::Arma11 | Noise::PooledAr | Noise::GlobalAr1 | Noise::TukeyAr | Noise::Ar(_) => 0,
        }
    }

    /// Fed with the samples of a run, scaled one by one where `scaler` rounds each.
    ///
    /// # Errors
    /// Samples on disk cannot be read back; interruption.
    pub fn fed_by(mut self, series: &Series, scaler: &Scaler, cancel: &CancelToken) -> Result<Self, ModelError> {
        self.n_taken = series.n_frames;
        self.scaled = scaler.affine().is_none();
        let Self { run, plan, kept, blocks, .. } = &mut self;
        let run: &str = run;
        let blocks: Vec<_> = series.blocks().zip(blocks).collect();
        blocks.into_par_iter().try_for_each_init(Default::default, |(rows, buffer), (columns, sums)| {
            cancel.check()?;
            for start in (0..series.n_frames).step_by(CHUNK_FRAMES) {
                let frames = start..(start + CHUNK_FRAMES).min(series.n_frames);
                series
                    .read(frames.clone(), columns.clone(), rows)
                    .map_err(|problem| ModelError::Samples { run: run.to_owned(), cause: problem.to_string() })?;
                scaler.round_rows(&columns, rows);
                let (from, places) = kept_among(kept, &frames);
                let rows: Vec<&[f32]> = places.map(|place| &rows[place * columns.len()..][..columns.len()]).collect();
                sums.add(plan, from, &rows, buffer);
            }
            Ok::<(), ModelError>(())
        })?;
        Ok(self)
    }

    /// The fit, to data scaled by `scaler`. Sums go as coefficients come.
    ///
    /// # Errors
    /// [`ModelError`]: the frames taken or the scaler's are not those of the design, or interruption.
    pub fn fit(mut self, scaler: &Scaler, cancel: &CancelToken) -> Result<RunFit, ModelError> {
        if self.n_taken != self.n_frames || self.kept != scaler.kept() {
            let (design, data) = if self.n_taken == self.n_frames {
                (self.kept.len(), scaler.kept().len())
            } else {
                (self.n_frames, self.n_taken)
            };
            return Err(ModelError::FramesDiffer { run: self.run.clone(), design, data });
        }
        if !self.scaled && scaler.affine().is_none() {
            return Err(ModelError::NotScaled { run: self.run.clone() });
        }
        let field = self.settle_noise(scaler, cancel)?;
        let sums = std::mem::take(&mut self.blocks);
        let gls = self.gls.as_ref().map(|gls| gls.with(&field));
        let dof = (self.kept.len() - self.basis.rank()) as f64;
        let mut fit = RunFit::unfitted(&self.run, &self.basis, dof, self.n_columns);
        let blocks: Vec<_> = column_blocks(self.n_columns).zip(sums).zip(fit.blocks()).collect();
        blocks.into_par_iter().try_for_each(|((columns, sums), block)| {
            cancel.check()?;
            let mut residuals = self.residuals(&sums, scaler, &columns);
            drop(sums);
            let whitened_squares = match &gls {
                None => residuals.squares.clone(),
                Some(gls) => gls.whiten_fit(&mut residuals, columns),
            };
            let Residuals { projections, squares, total_squares, .. } = &residuals;
            block.fill((&self.basis, projections), (&whitened_squares, self.divisor), (squares, total_squares));
            Ok::<(), ModelError>(())
        })?;
        fit.noise = field;
        fit.precision = self.gls.map_or(Precision::White, Precision::Ar1);
        Ok(fit)
    }

    /// Residuals of ordinary least squares of one block of scaled columns.
    fn residuals(&self, sums: &Sums, scaler: &Scaler, columns: &Range<usize>) -> Residuals {
        let affine = scaler.affine().filter(|_| !self.scaled);
        let mut residuals = match affine {
            Some((offset, factor)) => sums.residuals(&self.plan, &offset[columns.clone()], &factor[columns.clone()]),
            None => sums.residuals(&self.plan, &vec![0.0; columns.len()], &vec![1.0; columns.len()]),
        };
        residuals.clear(scaler.excluded_among(columns).iter().map(|column| column - columns.start));
        residuals
    }

    /// Measures all blocks, settles.
    fn settle_noise(&self, scaler: &Scaler, cancel: &CancelToken) -> Result<NoiseField, ModelError> {
        let mut measures = Array2::zeros((self.noise.n_measures(), self.n_columns));
        if self.noise.n_measures() > 0 {
            let outputs = measures.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS);
            let blocks: Vec<_> = column_blocks(self.n_columns).zip(&self.blocks).zip(outputs).collect();
            blocks.into_par_iter().try_for_each(|((columns, sums), measures)| {
                cancel.check()?;
                self.noise.measure(&self.residuals(sums, scaler, &columns), measures);
                Ok::<(), ModelError>(())
            })?;
        }
        Ok(self.noise.settle(&measures))
    }
}

impl FrameSink for Moments {
    fn take(&mut self, first: usize, rows: &[f32]) -> Result<(), PassError> {
        let n_columns = self.n_columns;
        let n_rows = rows.len() / n_columns.max(1);
        self.n_taken += n_rows;
        let (from, places) = kept_among(&self.kept, &(first..first + n_rows));
        let starts: Vec<usize> = places.map(|place| place * n_columns).collect();
        let plan = &self.plan;
        let blocks: Vec<_> = column_blocks(n_columns).zip(&mut self.blocks).collect();
        blocks.into_par_iter().for_each_init(Vec::new, |buffer, (columns, sums)| {
            let of_block: Vec<&[f32]> =
                starts.iter().map(|row| &rows[row + columns.start..][..columns.len()]).collect();
            sums.add(plan, from, &of_block, buffer);
        });
        Ok(())
    }
}

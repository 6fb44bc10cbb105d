//! The fit of one run under noise whose estimate needs the residuals themselves: two looks at each block of samples, one to
//! measure the noise, one to fit, with what voxels tell each other between.

use super::cholesky::packed_length;
use super::doubt::CovarianceDoubt;
use super::fit::RunFit;
use super::global_covariance;
use super::noise::{NoiseClasses, NoiseField, SampledNoise, Settled, lines_of_doubt, measuring_bytes, settling_needs};
use super::precision::Precision;
use super::problem::ModelError;
use super::process::{ArPrecision, Autoregression, Layout, Whitened, WhitenedResiduals, gathered};
use super::run_basis::{RunBasis, singular};
use super::samples::{BlockResiduals, Samples, column_squares};
use crate::config::Noise;
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{BLOCK_COLUMNS, Scaler, Series};
use ndarray::Array2;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a fit from samples takes beside them and its coefficients, bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SampledNeeds {
    a_column: usize,
    a_thread: usize,
    /// A process that columns share: the design as it whitens it.
    a_process: usize,
    /// Of that, what stays with the fit: the factor of the design's precision, and what doubt about the process does to it.
    kept_of_process: usize,
    most_processes: usize,
    fixed: usize,
}

impl SampledNeeds {
    /// Of a model of this design; nothing where sums over time suffice for its noise.
    pub fn new(design: &RunDesign, noise: Noise) -> Self {
        if !noise.needs_samples() {
            return Self::default();
        }
        let (n_frames, n_columns) = (design.matrix.nrows(), design.n_columns());
        let (a_column, most_processes) = settling_needs(noise, n_frames);
        let censored = n_frames - design.timing.n_kept();
        // residuals, those of a class, and those that are whitened
        let a_block = 8 * BLOCK_COLUMNS * (3 * n_frames + 3 * n_columns);
        let (more_a_thread, fixed) =
            if noise == Noise::GlobalAr1 { global_covariance::needs(n_frames) } else { (0, 0) };
        let kept_of_process = 8 * packed_length(n_columns) * (1 + lines_of_doubt(noise));
        Self {
            a_column,
            a_thread: a_block + measuring_bytes(noise, n_frames) + more_a_thread,
            a_process: 8 * n_frames * (n_columns + censored) + kept_of_process,
            kept_of_process,
            most_processes,
            fixed,
        }
    }

    /// While a run of so many columns is fitted by so many threads.
    pub fn bytes(&self, n_columns: usize, threads: usize) -> usize {
        let of_processes = self.a_process * self.most_processes.min(n_columns);
        self.a_column * n_columns + self.a_thread * threads + of_processes + self.fixed
    }

    /// Of that, what a fitted run keeps.
    pub fn kept_bytes(&self, n_columns: usize) -> usize {
        self.kept_of_process * self.most_processes.min(n_columns)
    }
}

/// Fits the design whose basis is `run` to every column of `series`, under noise that `noise` estimates.
pub(super) fn fit(
    series: &Series,
    scaler: &Scaler,
    design: &RunDesign,
    run: &RunBasis,
    noise: &dyn SampledNoise,
    cancel: &CancelToken,
) -> Result<RunFit, ModelError> {
    let samples = Samples::new(series, scaler, design, run, noise.layout())?;
    let settled = noise.settle(&samples, cancel)?;
    cancel.check()?;
    fit_under(&samples, design, settled, cancel)
}

/// Fits the design under noise that is known.
pub(super) fn fit_under(
    samples: &Samples<'_>,
    design: &RunDesign,
    Settled { noise, doubt, pooled_by }: Settled,
    cancel: &CancelToken,
) -> Result<RunFit, ModelError> {
    let Samples { series, run, .. } = samples;
    let whitening = Whitening::new(noise, run, samples.layout).ok_or_else(|| singular(design))?;
    let mut fit = RunFit::unfitted(&design.run, &run.basis, run.dof(), series.n_columns());
    fit.pooled_by = pooled_by;
    let blocks: Vec<_> = series.blocks().zip(fit.blocks()).collect();
    blocks.into_par_iter().try_for_each_init(Default::default, |(rows, z), (columns, block)| {
        cancel.check()?;
        let BlockResiduals { mut projections, residuals, total_squares } = samples.block_residuals(&columns, rows)?;
        let mut squares = column_squares(&residuals);
        let mut whitened_squares = vec![0.0; columns.len()];
        let mut take = |members: &[usize], of_members: WhitenedResiduals| {
            for (place, &column) in members.iter().enumerate() {
                let step = of_members.steps.column(place);
                projections.column_mut(column).zip_mut_with(&step, |projection, step| *projection += step);
                squares[column] += step.dot(&step);
                whitened_squares[column] = of_members.squares[place];
            }
        };
        whitening.each(&residuals, columns, z, &mut take).ok_or_else(|| singular(design))?;
        block.fill((&run.basis, &projections), (&whitened_squares, run.divisor), (&squares, &total_squares));
        Ok::<(), ModelError>(())
    })?;
    if let (Some(doubt), Whitening::Classes(classes, whitened)) = (doubt, &whitening) {
        let basis = samples.layout.basis(&run.basis.q);
        fit.doubt = Some(CovarianceDoubt::new(doubt, classes, whitened, (&basis, samples.layout)));
    }
    (fit.precision, fit.noise) = whitening.into_parts();
    Ok(fit)
}

/// The design under the noise of every column.
enum Whitening {
    /// Columns share processes.
    Classes(NoiseClasses, Vec<Whitened>),
    /// Each has its own.
    Own { basis: Array2<f64>, precision: ArPrecision, processes: Vec<Autoregression> },
}

impl Whitening {
    /// `None` where rounding leaves a design singular.
    fn new(field: NoiseField, run: &RunBasis, layout: &Layout) -> Option<Self> {
        match field {
            NoiseField::Classes { processes, index } => {
                let classes = NoiseClasses { processes, index };
                let whitened = whitened_designs(&classes, run, layout)?;
                Some(Self::Classes(classes, whitened))
            }
            NoiseField::Own(processes) => {
                let basis = layout.basis(&run.basis.q);
                let order = processes.first().map_or(0, |process| process.partial().len());
                let precision = ArPrecision::new(&basis, layout, order);
                Some(Self::Own { basis, precision, processes })
            }
            NoiseField::White | NoiseField::Binned { .. } | NoiseField::PerColumn(_) => None, // of sums
        }
    }

    /// Gives `take` the residuals (row x column) of a block whitened, with the columns they are of; `z` is working space.
    fn each(
        &self,
        residuals: &Array2<f64>,
        columns: Range<usize>,
        z: &mut Vec<f64>,
        take: &mut dyn FnMut(&[usize], WhitenedResiduals),
    ) -> Option<()> {
        match self {
            Self::Classes(classes, whitened) => {
                for (class, members) in members_of(&classes.index[columns]) {
                    take(&members, whitened[class as usize].residuals(&gathered(residuals, &members), z));
                }
            }
            Self::Own { basis, precision, processes } => {
                let all: Vec<usize> = (0..columns.len()).collect();
                take(&all, precision.residuals(basis, residuals, &processes[columns])?);
            }
        }
        Some(())
    }

    fn into_parts(self) -> (Precision, NoiseField) {
        match self {
            Self::Classes(classes, whitened) => {
                let factors = whitened.into_iter().map(Whitened::into_factor).collect();
                (Precision::Classes(factors), classes.into())
            }
            Self::Own { precision, processes, .. } => (Precision::Own(precision), NoiseField::Own(processes)),
        }
    }
}

/// The design under the process of each class; `None` where rounding leaves one singular.
pub(super) fn whitened_designs(classes: &NoiseClasses, run: &RunBasis, layout: &Layout) -> Option<Vec<Whitened>> {
    let basis = layout.basis(&run.basis.q);
    classes.processes.par_iter().map(|process| Whitened::new(&basis, process, layout)).collect()
}

/// The columns of each class, as counted from the first of `index`.
pub(super) fn members_of(index: &[u32]) -> BTreeMap<u32, Vec<usize>> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (column, &class) in index.iter().enumerate() {
        members.entry(class).or_default().push(column);
    }
    members
}

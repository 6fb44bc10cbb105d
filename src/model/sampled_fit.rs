//! The fit of one run under noise whose estimate needs the residuals themselves: two looks at each block of samples, one to
//! measure the noise, one to fit, with what voxels tell each other between.

use super::fit::RunFit;
use super::global_covariance;
use super::linalg::{subtract_product, transposed_product};
use super::noise::{NoiseClasses, NoiseField, SampledNoise, Settled, settling_needs};
use super::precision::Precision;
use super::problem::ModelError;
use super::process::{ArPrecision, Autoregression, Layout, Process, Whitened, WhitenedResiduals, gathered};
use super::run_basis::{RunBasis, singular};
use crate::config::Noise;
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{BLOCK_COLUMNS, CHUNK_FRAMES, Scaler, Series, kept_among};
use ndarray::{Array2, ArrayView1, Axis};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a fit from samples takes beside them and the fit itself, bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SampledNeeds {
    /// A column of data.
    pub a_column: usize,
    /// A thread.
    pub a_thread: usize,
    /// However many columns and threads.
    pub fixed: usize,
}

impl SampledNeeds {
    /// Of a model of this design; nothing where sums over time suffice for its noise.
    pub fn new(design: &RunDesign, noise: Noise) -> Self {
        if !noise.needs_samples() {
            return Self::default();
        }
        let n_frames = design.matrix.nrows();
        let (a_column, n_processes) = settling_needs(noise, n_frames);
        let censored = n_frames - design.timing.n_kept();
        // residuals, those of a class, and those that are whitened
        let a_thread = 8 * BLOCK_COLUMNS * (3 * n_frames + 3 * design.n_columns());
        let fixed = 8 * n_processes * n_frames * (design.n_columns() + censored);
        let (more_a_thread, more) = if noise == Noise::GlobalAr1 { global_covariance::needs(n_frames) } else { (0, 0) };
        Self { a_column, a_thread: a_thread + more_a_thread, fixed: fixed + more }
    }
}

/// Residuals of ordinary least squares of a block of columns.
pub(super) struct BlockResiduals {
    /// `Q'Y`: rank x column.
    pub(super) projections: Array2<f64>,
    /// Row of the noise model x column.
    pub(super) residuals: Array2<f64>,
    /// Sum of squares of the data about their mean, of each column.
    pub(super) total_squares: Vec<f64>,
}

/// What a fit reads.
pub(super) struct Samples<'a> {
    pub(super) series: &'a Series,
    pub(super) scaler: &'a Scaler,
    pub(super) run: &'a RunBasis,
    pub(super) layout: &'a Layout,
    /// How messages call the run.
    pub(super) name: &'a str,
}

impl<'a> Samples<'a> {
    /// # Errors
    /// [`ModelError::FramesDiffer`]: data and scaling are not of the design's frames.
    pub(super) fn new(
        series: &'a Series,
        scaler: &'a Scaler,
        design: &'a RunDesign,
        run: &'a RunBasis,
        layout: &'a Layout,
    ) -> Result<Self, ModelError> {
        if series.n_frames != design.matrix.nrows() || run.kept != scaler.kept() {
            let (design_frames, data) = (run.kept.len(), scaler.kept().len());
            return Err(ModelError::FramesDiffer { run: design.run.clone(), design: design_frames, data });
        }
        Ok(Self { series, scaler, run, layout, name: &design.run })
    }

    pub(super) fn residuals(&self, columns: &Range<usize>, rows: &mut Vec<f32>) -> Result<BlockResiduals, ModelError> {
        let kept = &self.run.kept;
        let mut values = Vec::with_capacity(kept.len() * columns.len());
        for start in (0..self.series.n_frames).step_by(CHUNK_FRAMES) {
            let frames = start..(start + CHUNK_FRAMES).min(self.series.n_frames);
            self.series
                .read(frames.clone(), columns.clone(), rows)
                .map_err(|problem| ModelError::Samples { run: self.name.to_owned(), cause: problem.to_string() })?;
            let scaled = self.scaler.scale_rows(columns, rows);
            for place in kept_among(kept, &frames).1 {
                values.extend_from_slice(&scaled[place * columns.len()..][..columns.len()]);
            }
        }
        let frames_differ =
            |_| ModelError::FramesDiffer { run: self.name.to_owned(), design: kept.len(), data: self.series.n_frames };
        let mut values = Array2::from_shape_vec((kept.len(), columns.len()), values).map_err(frames_differ)?;
        let total_squares = values.axis_iter(Axis(1)).map(|column| squares_about_mean(&column)).collect();
        let given = column_squares(&values);
        let q = &self.run.basis.q;
        let projections = transposed_product(q, &values);
        subtract_product(&mut values, q, &projections);
        // what is below the rounding of the data is none
        let smallest = kept.len() as f64 * f64::EPSILON;
        for (column, (left, given)) in column_squares(&values).into_iter().zip(given).enumerate() {
            if left <= smallest * given {
                values.column_mut(column).fill(0.0);
            }
        }
        Ok(BlockResiduals { projections, residuals: self.layout.spread(values), total_squares })
    }
}

/// Sum of squares of each column, row by row.
pub(super) fn column_squares(values: &Array2<f64>) -> Vec<f64> {
    let mut squares = vec![0.0; values.ncols()];
    for row in values.outer_iter() {
        squares.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
    }
    squares
}

fn squares_about_mean(column: &ArrayView1<'_, f64>) -> f64 {
    let mean = column.sum() / column.len() as f64;
    column.iter().map(|value| (value - mean).powi(2)).sum()
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
    let n_columns = series.n_columns();
    let samples = Samples::new(series, scaler, design, run, noise.layout())?;
    let mut measures = Array2::zeros((noise.n_measures(), n_columns));
    let outputs: Vec<_> = series.blocks().zip(measures.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS)).collect();
    outputs.into_par_iter().try_for_each_init(Vec::new, |rows, (columns, measures)| {
        cancel.check()?;
        noise.measure(&samples.residuals(&columns, rows)?.residuals, measures);
        Ok::<(), ModelError>(())
    })?;
    let settled = noise.settle(measures, &series.support);
    cancel.check()?;
    fit_under(&samples, design, settled, cancel)
}

/// Fits the design under noise that is known.
pub(super) fn fit_under(
    samples: &Samples<'_>,
    design: &RunDesign,
    Settled { noise, doubt }: Settled,
    cancel: &CancelToken,
) -> Result<RunFit, ModelError> {
    let Samples { series, run, .. } = samples;
    let whitening = Whitening::new(noise, run, samples.layout).ok_or_else(|| singular(design))?;
    let mut fit = RunFit::unfitted(&design.run, &run.basis, run.dof(), series.n_columns());
    let blocks: Vec<_> = series.blocks().zip(fit.blocks()).collect();
    blocks.into_par_iter().try_for_each_init(Default::default, |(rows, z), (columns, block)| {
        cancel.check()?;
        let BlockResiduals { mut projections, residuals, total_squares } = samples.residuals(&columns, rows)?;
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
    (fit.precision, fit.noise) = whitening.into_parts();
    if let (Some(doubt), Precision::Classes { factors, sides }) = (doubt, &mut fit.precision) {
        let basis = samples.layout.basis(&run.basis.q);
        let factor = |(process, own): (&Process, &Vec<f64>)| {
            let whitened = Whitened::new(&basis, process, samples.layout);
            whitened.map_or_else(|| own.clone(), Whitened::into_factor) // too far to say anything of the design
        };
        *sides = doubt.sides.map(|processes| processes.par_iter().zip(&*factors).map(factor).collect());
        fit.doubt = Some(doubt.of_column);
    }
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
                (Precision::Classes { factors, sides: [Vec::new(), Vec::new()] }, classes.into())
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

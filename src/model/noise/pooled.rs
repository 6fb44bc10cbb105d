//! Autoregressive noise of an order as long as 16 s, its autocovariances pooled between voxels of like spectra.
//!
//! What one voxel tells of its spectrum in one run is little, and p values follow the spectrum's errors, not its mean. So
//! each voxel's lag products are averaged with those of its neighbours, further where the data show little change, not across
//! edges. The steps, each in a file of its own:
//!
//! 1. [`super::lag_products`]: `a_j = sum_t e_t e_(t+j)` of the residuals, of the whole run and of its halves.
//! 2. [`super::correction`]: from lag products to the process whose expected lag products they are, the design's bias removed, what
//!    lies beyond the order continued by the process itself.
//! 3. Each voxel's products are divided by its whitened sum of squares: means of ratios to `a_0` are biased.
//! 4. [`feature`]: the one direction in which voxels differ most beyond noise, going by the covariance between [`halves`].
//! 5. [`cascade`]: averages over 27 neighbours at growing distances, weighted down where that feature differs; [`guidance`]: how many,
//!    by the least error of one half's average about the other half.
//! 6. [`curve`]: averages drawn to the curve that those of all voxels follow with the feature, or looked up on it.
//! 7. [`classes`]: processes that are alike are made one, so that a design is whitened some hundred times, not once a voxel.
//! 8. [`doubt`]: how sure the place on the curve is, which takes degrees of freedom off those of the residuals.
//!
//! Neighbours in smooth images tell the same thing over again. Where a half of the run foretells more of the other half by what
//! voxels have and their neighbours have not ([`sharpening`]), the places on the curve are those of the sharpened series, and the curve
//! is that of the voxels' own lag products at these places.
//!
//! docs/noise.md has the reasons and the table of error rates.

mod cascade;
mod classes;
mod curve;
mod doubt;
mod feature;
mod guidance;
mod halves;
mod sharpening;

use super::correction::Correction;
use super::lag_products::{self, LagProducts, RunProducts};
use super::{Doubt, NoiseClasses, NoiseField, PooledBy, SampledNoise, Settled};
use crate::error::CancelToken;
use crate::inputs::Support;
use crate::model::problem::ModelError;
use crate::model::process::{Autoregression, Layout, Process};
use crate::model::samples::Samples;
use crate::preprocess::CHUNK_FRAMES;
use cascade::Neighbourhood;
use curve::Curve;
use feature::Feature;
use guidance::{Guidance, STEPS};
use halves::Halves;
use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;
use sharpening::Sharpening;
use std::ops::Range;

/// What the order spans, seconds: 1/f noise needs it (at a repetition time of .8 s an order of 12 gives .043 at a nominal .05).
const SPAN_S: f64 = 16.0;
/// Bounds of the order.
const LEAST_ORDER: usize = 12;
const LARGEST_ORDER: usize = 20;
/// Rows a lag needs.
const ROWS_A_LAG: usize = 6;
/// Largest lag by which voxels are compared.
const LARGEST_COMPARED: usize = 12;
/// Solutions of the tail: for the mean of all voxels, for each.
const MEAN_ITERATIONS: usize = 4;
const ITERATIONS: usize = 2;
/// Passes of scales and processes: by the mean process of all voxels, then by each its own.
const PASSES: usize = 2;
/// Columns at most on which it is settled what tells more: some 500 independent ones where noise is smooth over 3 voxels.
const TRIED: usize = 16_384;

/// Bytes a column: lag products of the run and its halves; those being averaged, twice; processes; places on the curve. Sharpened it is
/// less. And classes.
pub(super) const SETTLING: (usize, usize) = (
    4 * n_measures(LARGEST_ORDER, LARGEST_COMPARED)
        + 2 * 4 * (2 * LARGEST_COMPARED + 2)
        + 2 * (8 * LARGEST_ORDER + 24)
        + 16,
    classes::MOST_CLASSES,
);

/// Bytes a thread that sharpens a run of so many frames takes: what it reads a few frames of, some four times as many columns, and
/// what it makes of all.
pub(super) fn sharpening_bytes(n_frames: usize) -> usize {
    4 * sharpening::SHARPENED_AT_ONCE * (4 * CHUNK_FRAMES + n_frames)
}

/// Numbers measured on each column: lag products of the whole run up to `order`, of each half up to `compared`.
const fn n_measures(order: usize, compared: usize) -> usize {
    order + 1 + 2 * (compared + 1)
}

/// Pooled autoregressive noise.
pub(super) struct PooledAr {
    layout: Layout,
    halves: Halves,
    correction: Correction,
    order: usize,
    compared: usize,
    dof: f64,
}

impl PooledAr {
    /// For a design with the orthonormal basis `q` (kept frame x rank) whose frames are `lags` repetition times of `tr_s`
    /// after one another.
    pub(super) fn new(q: &Array2<f64>, lags: &[usize], tr_s: f64) -> Self {
        let layout = Layout::filled(lags);
        let order = (SPAN_S / tr_s).round() as usize;
        let order = order.clamp(LEAST_ORDER, LARGEST_ORDER).min(layout.n_rows() / ROWS_A_LAG);
        let basis = layout.basis(q);
        let (halves, correction) = (Halves::new(&basis), Correction::new(&basis, order));
        let dof = (q.nrows() - q.ncols()) as f64;
        Self { layout, halves, correction, order, compared: order.min(LARGEST_COMPARED), dof }
    }

    /// Measures lag products of residuals (row x column): those of the whole run, then those of each half.
    fn measure(&self, residuals: &Array2<f64>, mut measures: ArrayViewMut2<'_, f32>) {
        let (whole, halves) = measures.multi_slice_mut((s![..=self.order, ..], s![self.order + 1.., ..]));
        lag_products::measure(residuals, whole);
        let (first, second) = halves.split_at(Axis(0), self.compared + 1);
        for (half, measures) in self.halves.of(residuals).iter().zip([first, second]) {
            lag_products::measure(half, measures);
        }
    }

    /// What [`Self::measure`] says of `columns`, sharpened where asked for.
    fn measured(
        &self,
        samples: &Samples<'_>,
        sharpening: Option<&Sharpening>,
        columns: Range<usize>,
        cancel: &CancelToken,
    ) -> Result<Array2<f32>, ModelError> {
        let n_measures = n_measures(self.order, self.compared);
        let measure = |residuals: &Array2<f64>, measures: ArrayViewMut2<'_, f32>| self.measure(residuals, measures);
        match sharpening {
            None => samples.measured(columns, n_measures, cancel, measure),
            Some(sharpening) => sharpening.measured(samples, columns, n_measures, cancel, measure),
        }
    }

    /// The lag products of the columns `used` of `measures` (measure x column).
    fn products(&self, measures: &Array2<f32>, used: &[usize]) -> RunProducts {
        let of_rows = |rows: Range<usize>| LagProducts::new(&measures.slice(s![rows, ..]), used.iter().copied());
        let [whole, first, last] = [0, self.order + 1, self.order + self.compared + 2];
        RunProducts {
            whole: of_rows(whole..first),
            halves: [of_rows(first..last), of_rows(last..n_measures(self.order, self.compared))],
        }
    }

    /// Mean whitened square of each column: of its own lag products under `process`.
    fn scales<'a>(&self, products: &LagProducts, process: impl Fn(usize) -> &'a Autoregression + Sync) -> Vec<f64> {
        let of_column = |(column, lags): (usize, &[f32])| process(column).whitened_squares(lags) / self.dof;
        products.columns().with_min_len(256).enumerate().map(of_column).collect()
    }

    /// The same under the mean process of all columns.
    fn mean_scales(&self, products: &LagProducts) -> Vec<f64> {
        let mean = self.correction.process(&products.mean_relative(), MEAN_ITERATIONS);
        self.scales(products, |_| &mean)
    }

    /// Whether a half of the run foretells more of the other half sharpened than by the voxels' own lag products.
    fn sharpened_tells_more(&self, samples: &Samples<'_>, cancel: &CancelToken) -> Result<bool, ModelError> {
        let columns = middle(samples.series.n_columns());
        let Some(sharpening) = Sharpening::new(samples, columns.clone(), cancel)? else { return Ok(false) };
        let own = self.measured(samples, None, columns.clone(), cancel)?;
        let sharpened = self.measured(samples, Some(&sharpening), columns.clone(), cancel)?;
        let used = used(&own);
        let [own, sharpened] = [&own, &sharpened].map(|measures| self.products(measures, &used));
        let used: Vec<usize> = used.into_iter().map(|column| columns.start + column).collect();
        let around = Neighbourhood::new(&samples.series.support, &used);
        let [own, sharpened] =
            [&own, &sharpened].map(|products| Feature::new(products, &self.mean_scales(&products.whole), &around));
        Ok(sharpened.foretold(&own, &around, &STEPS) > own.foretold(&own, &around, &STEPS))
    }

    /// The run's sharpening, where that is worth it.
    fn sharpening(&self, samples: &Samples<'_>, cancel: &CancelToken) -> Result<Option<Sharpening>, ModelError> {
        if self.sharpened_tells_more(samples, cancel)? {
            Sharpening::new(samples, 0..samples.series.n_columns(), cancel)
        } else {
            Ok(None)
        }
    }
}

/// The columns of `measures` (measure x column) that have residuals: those left out have none.
fn used(measures: &Array2<f32>) -> Vec<usize> {
    (0..measures.ncols()).filter(|&column| measures[(0, column)] > 0.0).collect()
}

/// The middle one of so many columns and those around it, at most [`TRIED`].
fn middle(n_columns: usize) -> Range<usize> {
    let n_tried = TRIED.min(n_columns);
    let start = (n_columns - n_tried) / 2;
    start..start + n_tried
}

impl SampledNoise for PooledAr {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn settle(&self, samples: &Samples<'_>, cancel: &CancelToken) -> Result<Settled, ModelError> {
        let all = 0..samples.series.n_columns();
        let support = &samples.series.support;
        if let Some(sharpening) = self.sharpening(samples, cancel)? {
            let measures = samples.measured(all.clone(), self.order + 1, cancel, lag_products::measure)?;
            let used = used(&measures);
            let own = LagProducts::new(&measures.view(), used.iter().copied());
            drop(measures);
            let sharpened = self.products(&self.measured(samples, Some(&sharpening), all.clone(), cancel)?, &used);
            drop(sharpening);
            let found = self.by_places(&own, &sharpened, &Neighbourhood::new(support, &used));
            Ok(found.of_all(all.len(), &used, PooledBy::Sharpened))
        } else {
            let measures = self.measured(samples, None, all.clone(), cancel)?;
            let used = used(&measures);
            if used.is_empty() {
                return Ok(NoiseField::from(NoiseClasses::white(all.len())).into());
            }
            let own = self.products(&measures, &used);
            drop(measures);
            let found = self.by_averages(&own, support, &Neighbourhood::new(support, &used));
            Ok(found.of_all(all.len(), &used, PooledBy::Own))
        }
    }
}

/// How the columns that are used come out.
struct Found {
    classes: NoiseClasses,
    doubt: Option<Doubt>,
}

impl Found {
    /// Columns as `classes` has them, at `places` on `curve` where there is one.
    fn new(
        classes: NoiseClasses,
        line: Option<(&[f64], &Curve)>,
        guidance: &Guidance<'_>,
        correction: &Correction,
    ) -> Self {
        let of_line = |line| doubt::of_classes(&classes, line, &guidance.deviation(), (correction, ITERATIONS));
        Self { doubt: line.map(of_line), classes }
    }

    /// Those of all columns, the others left at nothing.
    fn of_all(self, n_columns: usize, used: &[usize], pooled_by: PooledBy) -> Settled {
        let Self { classes: NoiseClasses { processes, index }, doubt } = self;
        let doubt =
            doubt.map(|Doubt { sides, of_column }| Doubt { sides, of_column: of_all(n_columns, used, of_column) });
        let index = of_all(n_columns, used, index);
        Settled { noise: NoiseClasses { processes, index }.into(), doubt, pooled_by: Some(pooled_by) }
    }
}

/// Values of the columns `used`, with those of the others left at nothing.
fn of_all<T: Copy + Default>(n_columns: usize, used: &[usize], values: Vec<T>) -> Vec<T> {
    let mut all = vec![T::default(); n_columns];
    used.iter().zip(values).for_each(|(&column, value)| all[column] = value);
    all
}

impl PooledAr {
    /// Processes of the averages of the columns' own lag products.
    fn by_averages(&self, own: &RunProducts, support: &Support, around: &Neighbourhood) -> Found {
        let RunProducts { whole, .. } = own;
        let mut scales = self.mean_scales(whole);
        let feature = Feature::new(own, &scales, around);
        let guidance = Guidance::new(&feature, around);
        // columns that have no place have no kind in common either
        let kept = if matches!(support, Support::Columns { .. }) { 1.0 } else { guidance.kept() };
        let averages = |scales: &[f64], steps: &[usize]| {
            let mut averages = guidance.averaged(whole.relative_to(scales), whole.n_lags, steps);
            let places: Vec<f64> =
                averages.par_chunks(whole.n_lags).map(|lags| lag_products::along(&feature.direction, lags)).collect();
            let curve = (kept < 1.0).then(|| Curve::through(&averages, whole.n_lags, &places)).flatten();
            if let Some(curve) = &curve {
                curve.draw(&mut averages, &places, kept);
            }
            (averages, places, curve)
        };
        let (first, ..) = averages(&scales, guidance.own_steps());
        let first = self.correction.processes(&first, ITERATIONS);
        scales = self.scales(whole, |column| &first[column]);
        drop(first);
        let (averages, places, curve) = averages(&scales, guidance.steps());
        let processes = self.correction.processes(&averages, ITERATIONS).into_iter();
        drop(averages);
        let partial: Vec<Vec<f64>> = processes.map(|process| process.partial().to_vec()).collect();
        let classes = classes::group(&partial, self.order);
        drop(partial);
        Found::new(classes, curve.as_ref().map(|curve| (&places[..], curve)), &guidance, &self.correction)
    }

    /// Processes of the columns' own lag products as they follow places that sharpened ones tell.
    fn by_places(&self, own: &LagProducts, sharpened: &RunProducts, around: &Neighbourhood) -> Found {
        let feature = Feature::new(sharpened, &self.mean_scales(&sharpened.whole), around);
        let guidance = Guidance::new(&feature, around);
        let places = guidance.averaged(feature.signal.clone(), 1, guidance.steps());
        let places: Vec<f64> = places.into_iter().map(f64::from).collect();
        let mut processes = vec![self.correction.process(&own.mean_relative(), MEAN_ITERATIONS)];
        let mut index = vec![0; places.len()];
        let mut curve = None;
        for _ in 0..PASSES {
            let scales = self.scales(own, |column| &processes[index[column] as usize]);
            curve = Curve::through(&own.relative_to(&scales), own.n_lags, &places);
            if let Some(curve) = &curve {
                (processes, index) = classes::along(curve, &places, (&self.correction, ITERATIONS));
            }
        }
        let processes = processes.into_iter().map(Process::Autoregression).collect();
        let line = curve.as_ref().map(|curve| (&places[..], curve));
        Found::new(NoiseClasses { processes, index }, line, &guidance, &self.correction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Grid;
    use crate::model::basis::Basis;

    /// A single voxel differs from none, in space or in kind.
    #[test]
    fn one_voxel_has_the_process_of_its_own_lag_products() {
        let n = 80;
        let q = Basis::new(&Array2::ones((n, 1))).unwrap().q;
        let model = PooledAr::new(&q, &vec![1; n - 1], 2.0);
        let data = Array2::from_shape_fn((n, 1), |(t, _)| ((t * t) as f64 * 0.37).sin());
        let residuals = &data - data.mean().unwrap();
        let mut measures = Array2::zeros((n_measures(model.order, model.compared), 1));
        model.measure(&residuals, measures.view_mut());
        let products: Vec<f64> = (0..=model.order).map(|lag| f64::from(measures[(lag, 0)])).collect();
        let grid = Grid {
            shape: [1; 3],
            affine: std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j)))),
        };
        let support = Support::from_mask(grid, &[true]);
        let own = model.products(&measures, &[0]);
        let found = model.by_averages(&own, &support, &Neighbourhood::new(&support, &[0])).classes;
        let expected = model.correction.process(&products, ITERATIONS).lag1();
        // of single precision
        assert!((found.processes[0].lag1() - expected).abs() < 1e-5);
    }
}

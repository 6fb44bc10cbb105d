//! Autoregressive noise of an order as long as 16 s, its autocovariances pooled between voxels of like spectra.
//!
//! What one voxel tells of its spectrum in one run is little, and p values follow the spectrum's errors, not its mean. So
//! voxels are put in a line by the one thing that differs most between them, which their neighbours tell together, and the process is that
//! of all voxels at a place of the line. The steps, each in a file of its own:
//!
//! 1. [`super::lag_products`]: `a_j = sum_t e_t e_(t+j)` of the residuals, of the whole run and of its halves.
//! 2. [`super::correction`]: from lag products to the process whose expected lag products they are, the design's bias removed, what
//!    lies beyond the order continued by the process itself.
//! 3. Each voxel's products are divided by its whitened sum of squares: means of ratios to `a_0` are biased.
//! 4. [`feature`]: the one direction in which voxels differ most beyond noise, going by the covariance between [`halves`].
//! 5. [`cascade`]: places are averages of the feature over six neighbours at growing distances, weighted down where it differs;
//!    [`guidance`]: what counts as alike and how many averages are made, by how near one half's average comes to the other half.
//! 6. [`curve`]: lag products as they follow the place, where neither has part in the other's noise.
//! 7. [`classes`]: processes of places that are alike are made one, so that a design is whitened some hundred times, not once a voxel.
//! 8. [`doubt`]: how sure the place is, which takes degrees of freedom off those of the residuals.
//!
//! Neighbours in smooth images tell the same thing over again. Where a half of the run foretells more of the other half by what
//! voxels have and their neighbours have not ([`sharpening`], once or twice), places are those of the sharpened series; the curve is that
//! of the voxels' own lag products all the same.
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
use super::{Doubt, LineDoubt, NoiseClasses, NoiseField, PooledBy, SampledNoise, Settled};
use crate::error::CancelToken;
use crate::inputs::Support;
use crate::model::problem::ModelError;
use crate::model::process::{Autoregression, Layout, Process};
use crate::model::samples::Samples;
use crate::preprocess::CHUNK_FRAMES;
use cascade::Neighbourhood;
use curve::Curve;
use feature::Feature;
use guidance::{Averaging, Guidance};
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
/// Solutions of the tail: for the mean of all voxels, for each.
const MEAN_ITERATIONS: usize = 4;
const ITERATIONS: usize = 2;
/// Passes of scales and processes: by the mean process of all voxels, then by each its own.
const PASSES: usize = 2;
/// Columns at most on which it is settled what tells more: some 1000 independent ones where noise is smooth over 3 voxels.
const TRIED: usize = 32_768;
/// Distances of the averages after which that is settled: so wide that what places lose at edges shows beside their noise.
const TRIED_STEPS: [usize; 6] = [1, 1, 2, 2, 2, 2];
/// Share of what once foretells that twice has to: after averages that wide noise hardly counts, after those of places it does, and twice
/// leaves less that voxels have in common.
const TWICE_FORETELLS: f64 = 0.98;

/// Bytes a column: lag products of its own series and sharpened, and of the halves what the feature is found by; the curve, when the
/// sharpened ones are gone, takes less. And classes.
pub(super) const SETTLING: (usize, usize) =
    (2 * 4 * n_measures(LARGEST_ORDER) + feature::BYTES + 16, classes::MOST_CLASSES);

/// Bytes a thread that sharpens a run of so many frames takes: what it reads a few frames of, some four times as many columns, and
/// what it makes of all.
pub(super) fn sharpening_bytes(n_frames: usize) -> usize {
    4 * sharpening::SHARPENED_AT_ONCE * (4 * CHUNK_FRAMES + n_frames)
}

/// Numbers measured on each column: lag products up to `order` of the whole run and of each half.
const fn n_measures(order: usize) -> usize {
    3 * (order + 1)
}

/// Pooled autoregressive noise.
pub(super) struct PooledAr {
    layout: Layout,
    halves: Halves,
    correction: Correction,
    order: usize,
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
        Self { layout, halves, correction, order, dof }
    }

    /// Measures lag products of residuals (row x column): those of the whole run, then those of each half.
    fn measure(&self, residuals: &Array2<f64>, mut measures: ArrayViewMut2<'_, f32>) {
        let (whole, halves) = measures.multi_slice_mut((s![..=self.order, ..], s![self.order + 1.., ..]));
        lag_products::measure(residuals, whole);
        let (first, second) = halves.split_at(Axis(0), self.order + 1);
        for (half, measures) in self.halves.of(residuals).iter().zip([first, second]) {
            lag_products::measure(half, measures);
        }
    }

    /// What [`Self::measure`] says of `columns`, sharpened where asked for.
    fn measured(
        &self,
        samples: &Samples<'_>,
        sharpening: Option<(&Sharpening, usize)>,
        columns: Range<usize>,
        cancel: &CancelToken,
    ) -> Result<Array2<f32>, ModelError> {
        let n_measures = n_measures(self.order);
        let measure = |residuals: &Array2<f64>, measures: ArrayViewMut2<'_, f32>| self.measure(residuals, measures);
        match sharpening {
            None => samples.measured(columns, n_measures, cancel, measure),
            Some((sharpening, times)) => sharpening.measured(samples, (columns, times), n_measures, cancel, measure),
        }
    }

    /// The lag products of the columns `used` of `measures` (measure x column).
    fn products(&self, measures: &Array2<f32>, used: &[usize]) -> RunProducts {
        let of_rows = |rows: Range<usize>| LagProducts::new(&measures.slice(s![rows, ..]), used.iter().copied());
        let [whole, first, last] = [0, self.order + 1, 2 * (self.order + 1)];
        RunProducts {
            whole: of_rows(whole..first),
            halves: [of_rows(first..last), of_rows(last..n_measures(self.order))],
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

    /// What tells most, tried on some columns: how many times series are to be sharpened for the places of one half of the run to
    /// foretell most of the voxels' own lag products in the other half, 0 where the voxels' own series do; and how places are
    /// averaged then.
    fn tried(&self, samples: &Samples<'_>, cancel: &CancelToken) -> Result<(usize, Averaging), ModelError> {
        let columns = middle(samples.series.n_columns());
        let Some(sharpening) = Sharpening::new(samples, columns.clone(), cancel)? else {
            return Ok((0, Averaging::default()));
        };
        let measures = self.measured(samples, None, columns.clone(), cancel)?;
        let used = used(&measures);
        let placed: Vec<usize> = used.iter().map(|column| columns.start + column).collect();
        let around = Neighbourhood::new(&samples.series.support, &placed);
        let feature = |measures: &Array2<f32>| {
            let products = self.products(measures, &used);
            Feature::new(&products, &self.mean_scales(&products.whole), &around)
        };
        let mut features = vec![feature(&measures)];
        for times in 1..=sharpening::MOST_TIMES {
            features.push(feature(&self.measured(samples, Some((&sharpening, times)), columns.clone(), cancel)?));
        }
        let foretold = |feature: &Feature| feature.foretold(&features[0], &around, &TRIED_STEPS);
        let times = most_telling(&features.iter().map(foretold).collect::<Vec<_>>());
        Ok((times, Averaging::best(&features[times], &around)))
    }
}

/// How often series are sharpened, by what each number of times `foretold`, none first: the most times that foretell more than none and
/// nearly as much as fewer times.
fn most_telling(foretold: &[f64]) -> usize {
    let mut times = 0;
    for (more, &of_more) in foretold.iter().enumerate().skip(1) {
        let share = if times == 0 { 1.0 } else { TWICE_FORETELLS };
        if of_more > foretold[0] && of_more > share * foretold[times] {
            times = more;
        }
    }
    times
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
        let (times, averaging) = self.tried(samples, cancel)?;
        let measures = self.measured(samples, None, all.clone(), cancel)?;
        let used = used(&measures);
        if used.is_empty() {
            return Ok(NoiseField::from(NoiseClasses::white(all.len())).into());
        }
        let own = self.products(&measures, &used);
        drop(measures);
        let around = Neighbourhood::new(support, &used);
        let sharpening = if times > 0 { Sharpening::new(samples, all.clone(), cancel)? } else { None };
        let sharpened = match &sharpening {
            Some(sharpening) => {
                let measures = self.measured(samples, Some((sharpening, times)), all.clone(), cancel)?;
                Some(self.products(&measures, &used))
            }
            None => None,
        };
        drop(sharpening);
        let pooled_by = if sharpened.is_some() { PooledBy::Sharpened } else { PooledBy::Own };
        let found = self.found(&own, sharpened, averaging, (support, &around));
        Ok(found.of_all(all.len(), &used, pooled_by))
    }
}

/// How the columns that are used come out.
struct Found {
    classes: NoiseClasses,
    doubt: Option<LineDoubt>,
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
        let of_used = |LineDoubt { sides, of_column }| {
            Doubt::Line(LineDoubt { sides, of_column: of_all(n_columns, used, of_column) })
        };
        let doubt = doubt.map(of_used);
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
    /// Processes of columns at their places on the curve; places are told by `sharpened` lag products, by their `own` where there are none.
    fn found(
        &self,
        own: &RunProducts,
        sharpened: Option<RunProducts>,
        averaging: Averaging,
        (support, around): (&Support, &Neighbourhood),
    ) -> Found {
        let is_sharpened = sharpened.is_some();
        let telling = sharpened.as_ref().unwrap_or(own);
        let feature = Feature::new(telling, &self.mean_scales(&telling.whole), around);
        drop(sharpened);
        let guidance = Guidance::new(&feature, averaging, around);
        let places = guidance.places();
        let kept = match support {
            // columns that have no place have no kind in common either
            Support::Columns { .. } => 1.0,
            // averages of smooth noise are too uncertain
            Support::Voxels { .. } if is_sharpened => 0.0,
            Support::Voxels { .. } => feature.kept(around, averaging.steps),
        };
        let line = if kept < 1.0 { self.line(own, &feature, &guidance, &places) } else { None };
        let (classes, curve) = match line {
            Some((curve, classes)) if kept == 0.0 => (classes, Some(curve)),
            line => {
                let curve = line.map(|(curve, _)| curve);
                let drawn = curve.as_ref().map(|curve| (curve, &places[..], kept));
                (self.of_averages(&own.whole, &guidance, drawn), curve)
            }
        };
        let line = curve.as_ref().map(|curve| (&places[..], curve));
        Found::new(classes, line, &guidance, &self.correction)
    }

    /// The curve of the columns' own lag products, and their processes at `places` on it; none of too few columns.
    fn line(
        &self,
        own: &RunProducts,
        feature: &Feature,
        guidance: &Guidance<'_>,
        places: &[f64],
    ) -> Option<(Curve, NoiseClasses)> {
        let apart = guidance.places_apart();
        let mut processes = vec![self.correction.process(&own.whole.mean_relative(), MEAN_ITERATIONS)];
        let mut index = vec![0; places.len()];
        let mut found = None;
        for _ in 0..PASSES {
            let scales = self.scales(&own.whole, |column| &processes[index[column] as usize]);
            let curve = Curve::through(&own.apart(&scales, feature.level), own.whole.n_lags, &apart)?;
            (processes, index) = classes::along(&curve, places, (&self.correction, ITERATIONS));
            found = Some(curve);
        }
        let processes = processes.into_iter().map(Process::Autoregression).collect();
        found.map(|curve| (curve, NoiseClasses { processes, index }))
    }

    /// Processes of averages of the columns' lag products, `drawn` to a curve at their places but for a share of the distance.
    fn of_averages(
        &self,
        own: &LagProducts,
        guidance: &Guidance<'_>,
        drawn: Option<(&Curve, &[f64], f64)>,
    ) -> NoiseClasses {
        let mut scales = self.mean_scales(own);
        let mut processes = Vec::new();
        for pass in 0..PASSES {
            if pass > 0 {
                scales = self.scales(own, |column| &processes[column]);
            }
            let mut averages = guidance.averaged(own.relative_to(&scales), own.n_lags);
            if let Some((curve, places, kept)) = drawn {
                curve.draw(&mut averages, places, kept);
            }
            processes = self.correction.processes(&averages, ITERATIONS);
        }
        let partial: Vec<Vec<f64>> = processes.into_iter().map(|process| process.partial().to_vec()).collect();
        classes::group(&partial, self.order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Grid;
    use crate::model::basis::Basis;

    #[test]
    fn sharpened_as_often_as_foretells_as_much() {
        let cases = [
            ([1.0, 0.9, 0.8], 0),
            ([1.0, 1.2, 1.19], 2), // as good as once
            ([1.0, 1.2, 1.1], 1),
            ([1.0, 0.9, 1.1], 2),
            ([1.0, 1.01, 0.995], 1), // as good as once, but not as own
            ([0.0, 0.0, 0.0], 0),
        ];
        for (foretold, times) in cases {
            assert_eq!(most_telling(&foretold), times, "{foretold:?}");
        }
    }

    /// A single voxel differs from none, in space or in kind.
    #[test]
    fn one_voxel_has_the_process_of_its_own_lag_products() {
        let n = 80;
        let q = Basis::new(&Array2::ones((n, 1))).unwrap().q;
        let model = PooledAr::new(&q, &vec![1; n - 1], 2.0);
        let data = Array2::from_shape_fn((n, 1), |(t, _)| ((t * t) as f64 * 0.37).sin());
        let residuals = &data - data.mean().unwrap();
        let mut measures = Array2::zeros((n_measures(model.order), 1));
        model.measure(&residuals, measures.view_mut());
        let products: Vec<f64> = (0..=model.order).map(|lag| f64::from(measures[(lag, 0)])).collect();
        let grid = Grid {
            shape: [1; 3],
            affine: std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j)))),
        };
        let support = Support::from_mask(grid, &[true]);
        let own = model.products(&measures, &[0]);
        let around = Neighbourhood::new(&support, &[0]);
        let found = model.found(&own, None, Averaging::default(), (&support, &around)).classes;
        let expected = model.correction.process(&products, ITERATIONS).lag1();
        // of single precision
        assert!((found.processes[0].lag1() - expected).abs() < 1e-5);
    }
}

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
//! 5. [`cascade`]: averages over 27 neighbours at growing distances, weighted down where that feature differs; how many, by
//!    the least error of one half's average about the other half.
//! 6. [`curve`]: averages drawn to the curve that those of all voxels follow with the feature.
//! 7. [`classes`]: processes that are alike are made one, so that a design is whitened some hundred times, not once a voxel.
//! 8. [`doubt`]: how sure the place on the curve is, which takes degrees of freedom off those of the residuals.
//!
//! docs/noise.md has the reasons and the table of error rates.

mod cascade;
mod classes;
mod curve;
mod doubt;
mod feature;
mod halves;

use super::correction::Correction;
use super::lag_products::{self, LagProducts};
use super::{Doubt, NoiseClasses, NoiseField, SampledNoise, Settled};
use crate::inputs::Support;
use crate::model::process::{Autoregression, Layout};
use cascade::{Guide, Neighbourhood};
use curve::Curve;
use feature::{Averaging, Feature};
use halves::Halves;
use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

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
/// Distances of the averages, voxels: of the feature, of lag products.
const FEATURE_STEPS: [usize; 5] = [1, 1, 2, 2, 4];
const STEPS: [usize; 6] = [1, 1, 2, 2, 4, 4];
/// And of the squares of averaged noise, wider, as that is smooth.
const DOUBT_STEPS: [usize; 8] = [1, 1, 2, 2, 4, 4, 4, 4];
/// Standard deviations of the feature's noise that count as alike.
const ALIKE: f32 = 3.0;
/// Independent voxels whose average is enough: of the feature, and of lag products at least.
const FEATURE_VOXELS: f64 = 10.0;
const LEAST_VOXELS: f64 = 40.0;
/// Averages that lag products go through at least.
const LEAST_STEPS: usize = 3;

/// Bytes a column: lag products of the run and its halves; those being averaged, twice; processes; places on the curve. And classes.
pub(super) const SETTLING: (usize, usize) = (
    4 * n_measures(LARGEST_ORDER, LARGEST_COMPARED)
        + 2 * 4 * (2 * LARGEST_COMPARED + 2)
        + 2 * (8 * LARGEST_ORDER + 24)
        + 16,
    classes::MOST_CLASSES,
);

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

    /// Mean whitened square of each column: of its own lag products under `process`.
    fn scales<'a>(&self, products: &LagProducts, process: impl Fn(usize) -> &'a Autoregression + Sync) -> Vec<f64> {
        let of_column = |(column, lags): (usize, &[f32])| process(column).whitened_squares(lags) / self.dof;
        products.whole.par_chunks(self.order + 1).with_min_len(256).enumerate().map(of_column).collect()
    }
}

impl SampledNoise for PooledAr {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn n_measures(&self) -> usize {
        n_measures(self.order, self.compared)
    }

    fn measure(&self, residuals: &Array2<f64>, mut measures: ArrayViewMut2<'_, f32>) {
        let (whole, halves) = measures.multi_slice_mut((s![..=self.order, ..], s![self.order + 1.., ..]));
        lag_products::measure(residuals, whole);
        let (first, second) = halves.split_at(Axis(0), self.compared + 1);
        for (half, measures) in self.halves.of(residuals).iter().zip([first, second]) {
            lag_products::measure(half, measures);
        }
    }

    fn settle(&self, measures: Array2<f32>, support: &Support) -> Settled {
        let n_columns = measures.ncols();
        // excluded columns have no residuals
        let used: Vec<usize> = (0..n_columns).filter(|&column| measures[(0, column)] > 0.0).collect();
        if used.is_empty() {
            return NoiseField::from(NoiseClasses::white(n_columns)).into();
        }
        let products = LagProducts::new(&measures, &used, self.order, self.compared);
        drop(measures);
        let around = Neighbourhood::new(support, &used);
        let mean = self.correction.process(&products.mean_relative(), MEAN_ITERATIONS);
        let scales = self.scales(&products, |_| &mean);
        let feature = Feature::new(&products, &scales, &around);
        let Averaging { n_steps, kept } = feature.averaging(&around, &STEPS, LEAST_STEPS, LEAST_VOXELS);
        // columns that have no place have no kind in common either
        let kept = if matches!(support, Support::Columns { .. }) { 1.0 } else { kept };
        let (z, twin, steps) = averaged_feature(&around, &feature);
        let variance = around.local_variance(&twin, &FEATURE_STEPS);
        let guide = Guide { feature: &z, twin: &twin, variance: &variance, alike: ALIKE };
        let n_lags = self.order + 1;
        let averages = |scales: &[f64], steps: &[usize]| {
            let mut averages = around.averaged(products.relative_to(scales), n_lags, steps, Some(&guide));
            let curve = (kept < 1.0).then(|| Curve::through(&averages, n_lags, &feature.direction)).flatten();
            if let Some(curve) = &curve {
                curve.draw(&mut averages, kept);
            }
            (averages, curve)
        };
        let (first, _) = averages(&scales, steps);
        let first = self.correction.processes(&first, ITERATIONS);
        let scales = self.scales(&products, |column| &first[column]);
        drop(first);
        let steps = &STEPS[..n_steps];
        let (averages, curve) = averages(&scales, steps);
        let processes = self.correction.processes(&averages, ITERATIONS).into_iter();
        let partial: Vec<Vec<f64>> = processes.map(|process| process.partial().to_vec()).collect();
        let classes = classes::group(&partial, self.order);
        drop(partial);
        let doubt = curve.map(|curve| {
            // the noise of a place is that of the twin, averaged as lag products are
            let twin = around.averaged(feature.twin.clone(), 1, steps, Some(&guide));
            let variance = around.local_variance(&twin, &DOUBT_STEPS);
            let deviation: Vec<f32> = variance.into_iter().map(f32::sqrt).collect();
            let Doubt { sides, of_column } =
                doubt::of_classes(&classes, (&averages, &curve), &deviation, (&self.correction, ITERATIONS));
            Doubt { sides, of_column: of_all(n_columns, &used, of_column) }
        });
        let index = of_all(n_columns, &used, classes.index);
        Settled { noise: NoiseClasses { processes: classes.processes, index }.into(), doubt }
    }
}

/// Values of the columns `used`, with those of the others left at nothing.
fn of_all<T: Copy + Default>(n_columns: usize, used: &[usize], values: Vec<T>) -> Vec<T> {
    let mut all = vec![T::default(); n_columns];
    used.iter().zip(values).for_each(|(&column, value)| all[column] = value);
    all
}

/// The feature and its twin, averaged until enough voxels went into each, and the distances that took.
fn averaged_feature(around: &Neighbourhood, feature: &Feature) -> (Vec<f32>, Vec<f32>, &'static [usize]) {
    let squares = |twin: &[f32]| twin.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
    let (mut z, mut twin) = (feature.signal.clone(), feature.twin.clone());
    let first = squares(&twin);
    for (at, &step) in FEATURE_STEPS.iter().enumerate() {
        let variance = around.local_variance(&twin, &FEATURE_STEPS);
        let guide = Guide { feature: &z, twin: &twin, variance: &variance, alike: ALIKE };
        let both: Vec<f32> = z.iter().zip(&twin).flat_map(|(z, twin)| [*z, *twin]).collect();
        let both = around.averaged(both, 2, &[step], Some(&guide));
        z = both.iter().step_by(2).copied().collect();
        twin = both.iter().skip(1).step_by(2).copied().collect();
        if first >= FEATURE_VOXELS * squares(&twin) {
            return (z, twin, &FEATURE_STEPS[..=at]);
        }
    }
    (z, twin, &FEATURE_STEPS)
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
        let mut measures = Array2::zeros((model.n_measures(), 1));
        model.measure(&residuals, measures.view_mut());
        let products: Vec<f64> = (0..=model.order).map(|lag| f64::from(measures[(lag, 0)])).collect();
        let grid = Grid {
            shape: [1; 3],
            affine: std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j)))),
        };
        let field = model.settle(measures, &Support::from_mask(grid, &[true])).noise;
        // of single precision
        assert!((field.rho(0) - model.correction.process(&products, ITERATIONS).lag1()).abs() < 1e-5);
    }
}

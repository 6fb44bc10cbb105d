//! How sure the processes are that places on the curve lead to.
//!
//! A column's place on the curve is what the few voxels around tell, so the variance of an effect is uncertain by that too, not
//! only by the residuals' degrees of freedom. A class's line of doubt is the curve at its place: the processes a step along it are
//! those of the lag products a step along the curve. A step is the mean noise of the places of the class's columns.
//!
//! Of an effect's variance `sigma^2 c (X'V^-1X)^-1 c'` only the second factor moves with the place: with V in units of the innovations'
//! variance, whitened residual squares are expected to be least where V is right, so to first order they do not move.

use super::curve::Curve;
use crate::model::noise::correction::{Correction, LARGEST_PARTIAL};
use crate::model::noise::{LineDoubt, NoiseClasses};
use crate::model::process::{Autoregression, Process};
use rayon::prelude::*;

/// What the columns of a class have in common.
#[derive(Clone, Copy, Default)]
struct Mean {
    n: f64,
    place: f64,
    /// Of the place.
    variance: f64,
}

/// The doubt about `classes` of columns at `places` on `curve` that have standard deviations `deviation`. The correction makes
/// processes of lag products, in so many iterations.
pub(super) fn of_classes(
    classes: &NoiseClasses,
    (places, curve): (&[f64], &Curve),
    deviation: &[f32],
    correction: (&Correction, usize),
) -> LineDoubt {
    let means = means(classes, places, deviation);
    let of_class = means.par_iter().zip(&classes.processes);
    let (before, after) = of_class.map(|(mean, process)| step_aside(process, mean, curve, correction)).unzip();
    let of_column = classes.index.iter().zip(deviation).map(|(&class, deviation)| {
        let step = means[class as usize].variance.sqrt();
        if step > 0.0 { (f64::from(*deviation) / step) as f32 } else { 0.0 }
    });
    LineDoubt { sides: [before, after], of_column: of_column.collect() }
}

fn means(classes: &NoiseClasses, places: &[f64], deviation: &[f32]) -> Vec<Mean> {
    let mut means = vec![Mean::default(); classes.processes.len()];
    for ((place, &class), deviation) in places.iter().zip(&classes.index).zip(deviation) {
        let mean = &mut means[class as usize];
        mean.n += 1.0;
        mean.place += place;
        mean.variance += f64::from(*deviation).powi(2);
    }
    for mean in means.iter_mut().filter(|mean| mean.n > 0.0) {
        mean.variance /= mean.n;
        mean.place /= mean.n;
    }
    means
}

/// The class's own process moved, in arctanh of its partial autocorrelations, as that of the curve at its mean place is by a step
/// back and forth.
fn step_aside(
    process: &Process,
    mean: &Mean,
    curve: &Curve,
    (correction, iterations): (&Correction, usize),
) -> (Process, Process) {
    let step = mean.variance.sqrt();
    let own = match process {
        Process::Autoregression(own) if step > 0.0 => own,
        _ => return (process.clone(), process.clone()), // of a class without columns, or without noise
    };
    let lags = curve.at(mean.place);
    let from = correction.process(&lags, iterations);
    // over a step to either side: where all columns are of one kind, points of the curve are nearer than that, and noise
    let slope = curve.slope(mean.place, step);
    let moved_by = |by: f64| {
        let lags: Vec<f64> = lags.iter().zip(&slope).map(|(lag, slope)| lag + by * slope).collect();
        let to = correction.process(&lags, iterations);
        let partial = own.partial().iter().zip(from.partial().iter().zip(to.partial()));
        let partial = partial.map(|(own, (from, to))| (own.atanh() + to.atanh() - from.atanh()).tanh());
        let partial = partial.map(|partial| partial.clamp(-LARGEST_PARTIAL, LARGEST_PARTIAL)).collect();
        Process::Autoregression(Autoregression::of_partial(partial))
    };
    (moved_by(-step), moved_by(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::Basis;
    use ndarray::Array2;

    /// Columns of AR(1) noise of coefficients from .2 to .6, by their very lag products.
    #[test]
    fn a_step_of_autoregressive_noise_changes_its_coefficient() {
        const N: usize = 4000; // long, so that the design takes next to nothing away
        let q = Basis::new(&Array2::ones((N, 1))).unwrap().q;
        let correction = Correction::new(&q, 2);
        let rho = |column: usize| 0.2 + 0.4 * column as f64 / 1600.0;
        let lags = |rho: f64| [0, 1, 2].map(|lag| (N as f64 - f64::from(lag)) * rho.powi(lag) / (1.0 - rho * rho));
        let products: Vec<f32> = (0..1600).flat_map(|column| lags(rho(column)).map(|lag| lag as f32)).collect();
        // places: lag 1
        let lag1 = |rho: f64| f64::from(lags(rho)[1] as f32);
        let places: Vec<f64> = (0..1600).map(|column| lag1(rho(column))).collect();
        let curve = Curve::through(&products, 3, &places).unwrap();
        let middle = NoiseClasses {
            processes: vec![correction.process(&lags(0.4), 2)].into_iter().map(Process::Autoregression).collect(),
            index: vec![0; 3],
        };
        let own = [0.39, 0.4, 0.41].map(lag1);
        // .05 of rho in lag 1, where the first column is half as sure and the last twice
        let step = (lags(0.425)[1] - lags(0.375)[1]) as f32;
        let spread = (5.25_f32 / 3.0).sqrt();
        let deviation = [2.0, 1.0, 0.5].map(|steps| steps * step / spread);
        let doubt = of_classes(&middle, (&own, &curve), &deviation, (&correction, 2));
        for (found, steps) in doubt.of_column.iter().zip([2.0, 1.0, 0.5]) {
            assert!((found * spread - steps).abs() < 1e-5, "{found}");
        }
        let Process::Autoregression(along) = &doubt.sides[1][0] else { panic!("not an AR") };
        // the curve is made of 16 straight parts, and rho is not quite straight in its lag product
        assert!((along.partial()[0] - 0.45).abs() < 0.005, "{:?}", along.partial());
        assert!(along.partial()[1].abs() < 0.005, "{:?}", along.partial());
    }
}

//! Processes that are alike made one.
//!
//! k-means of arctanh of partial autocorrelations, whose errors are about alike at every lag and size. Found on at most some
//! thousand voxels, from a start that splits the widest class in two at its mean until there are enough; nothing is random.

use super::curve::{Curve, groups};
use crate::model::noise::NoiseClasses;
use crate::model::noise::correction::Correction;
use crate::model::process::{Autoregression, Process};
use crate::signal::widest::{Loop, widest};
use rayon::prelude::*;

/// Classes: with 256 rates and power are those of a process a voxel to three digits.
pub(super) const MOST_CLASSES: usize = 256;
/// Voxels that the classes are found on.
const MOST_SAMPLES: usize = 16_384;
/// Improvements of the classes.
const ITERATIONS: usize = 6;

/// Processes of columns at `places` on `curve`: of equally many columns each that of their mean place, and whose class each
/// column is of. The correction makes processes of lag products, in so many iterations.
pub(super) fn along(
    curve: &Curve,
    places: &[f64],
    (correction, iterations): (&Correction, usize),
) -> (Vec<Autoregression>, Vec<u32>) {
    let groups = groups(places, MOST_CLASSES, 1);
    let mut index = vec![0; places.len()];
    let mut lags = Vec::with_capacity(groups.len() * curve.n_lags());
    for (class, columns) in groups.iter().enumerate() {
        let place = columns.iter().map(|&column| places[column]).sum::<f64>() / columns.len() as f64;
        lags.extend(curve.at(place).into_iter().map(|lag| lag as f32));
        for &column in columns {
            index[column] = class as u32;
        }
    }
    (correction.processes(&lags, iterations), index)
}

/// The class of each process of `order` partial autocorrelations.
pub(super) fn group(partial: &[Vec<f64>], order: usize) -> NoiseClasses {
    let points: Vec<Vec<f32>> =
        partial.par_iter().map(|of_column| of_column.iter().map(|partial| partial.atanh() as f32).collect()).collect();
    let stride = points.len().div_ceil(MOST_SAMPLES).max(1);
    let samples: Vec<&[f32]> = points.iter().step_by(stride).map(Vec::as_slice).collect();
    let mut centres = Centres::of(&split(&samples, order), order);
    for _ in 0..ITERATIONS {
        let nearest: Vec<u32> = samples.par_iter().map(|point| centres.nearest(point)).collect();
        let mut members = vec![Vec::new(); centres.n];
        nearest.iter().enumerate().for_each(|(sample, &class)| members[class as usize].push(sample));
        members.retain(|members| !members.is_empty());
        centres = Centres::of(&members.iter().map(|members| mean(&samples, members, order)).collect::<Vec<_>>(), order);
    }
    let index = points.par_iter().map(|point| centres.nearest(point)).collect();
    let process = |class: usize| {
        let partial = (0..order).map(|lag| f64::from(centres.values[lag * centres.n + class]).tanh()).collect();
        Process::Autoregression(Autoregression::of_partial(partial))
    };
    NoiseClasses { processes: (0..centres.n).map(process).collect(), index }
}

/// Means of classes that come of splitting the widest one at its mean, along the lag where it is widest.
fn split(samples: &[&[f32]], order: usize) -> Vec<Vec<f32>> {
    let mut classes = vec![Class::of(samples, (0..samples.len()).collect(), order)];
    while classes.len() < MOST_CLASSES {
        let widest = classes.iter().enumerate().max_by(|(_, a), (_, b)| a.spread.total_cmp(&b.spread));
        let Some((at, class)) = widest.filter(|(_, class)| class.spread > 0.0) else { break };
        let (lag, middle) = (class.lag, class.mean[class.lag]);
        let (below, above) = class.members.iter().partition(|&&sample| samples[sample][lag] < middle);
        classes[at] = Class::of(samples, below, order);
        classes.push(Class::of(samples, above, order));
    }
    classes.into_iter().map(|class| class.mean).collect()
}

struct Class {
    members: Vec<usize>,
    mean: Vec<f32>,
    /// Sum of squares about the mean along the lag where it is largest; 0 where the class cannot be split.
    spread: f64,
    lag: usize,
}

impl Class {
    fn of(samples: &[&[f32]], members: Vec<usize>, order: usize) -> Self {
        let mean = mean(samples, &members, order);
        let (mut spread, mut lag) = (0.0, 0);
        for at in 0..order {
            let of_lag = || members.iter().map(|&sample| samples[sample][at]);
            let squares: f64 = of_lag().map(|value| f64::from(value - mean[at]).powi(2)).sum();
            let apart = of_lag().any(|value| value < mean[at]) && of_lag().any(|value| value >= mean[at]);
            if apart && squares > spread {
                (spread, lag) = (squares, at);
            }
        }
        Self { members, mean, spread, lag }
    }
}

fn mean(samples: &[&[f32]], members: &[usize], order: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; order];
    for &member in members {
        sums.iter_mut().zip(samples[member]).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sums.into_iter().map(|sum| (sum / members.len().max(1) as f64) as f32).collect()
}

/// Centres of classes, lag by lag.
struct Centres {
    n: usize,
    /// Lag x class.
    values: Vec<f32>,
}

impl Centres {
    fn of(centres: &[Vec<f32>], order: usize) -> Self {
        let values = (0..order).flat_map(|lag| centres.iter().map(move |centre| centre[lag])).collect();
        Self { n: centres.len(), values }
    }

    /// The class nearest to a point, the first of equals.
    fn nearest(&self, point: &[f32]) -> u32 {
        let mut distances = [0.0_f32; MOST_CLASSES];
        let distances = &mut distances[..self.n];
        for (value, centres) in point.iter().zip(self.values.chunks_exact(self.n.max(1))) {
            widest(AddSquares { distances, centres, value: *value });
        }
        let mut nearest = 0;
        for class in 1..distances.len() {
            if distances[class] < distances[nearest] {
                nearest = class;
            }
        }
        nearest as u32
    }
}

struct AddSquares<'a> {
    distances: &'a mut [f32],
    centres: &'a [f32],
    value: f32,
}

impl Loop for AddSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (distance, centre) in self.distances.iter_mut().zip(self.centres) {
            let difference = self.value - centre;
            *distance += difference * difference;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_processes_keep_themselves() {
        let distinct = [[0.1, 0.5], [-0.3, 0.2], [0.6, -0.1]];
        let partial: Vec<Vec<f64>> = (0..300).map(|column| distinct[column % 3].to_vec()).collect();
        let found = group(&partial, 2);
        assert_eq!(found.processes.len(), 3);
        for (column, class) in found.index.iter().enumerate() {
            let Process::Autoregression(process) = &found.processes[*class as usize] else { panic!("not an AR") };
            // of single precision
            assert!(process.partial().iter().zip(distinct[column % 3]).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }

    #[test]
    fn many_processes_are_near_to_their_class() {
        let partial: Vec<Vec<f64>> = (0..40_000)
            .map(|column| vec![0.8 * (f64::from(column) * 0.618).fract(), 0.3 * (f64::from(column) * 0.755).fract()])
            .collect();
        let found = group(&partial, 2);
        assert_eq!(found.processes.len(), MOST_CLASSES);
        let squares: f64 = partial
            .iter()
            .zip(&found.index)
            .map(|(partial, class)| {
                let Process::Autoregression(process) = &found.processes[*class as usize] else { panic!("not an AR") };
                partial.iter().zip(process.partial()).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
            })
            .sum();
        // a square of area .8 x .3 in 256 parts: each of side .03, mean square distance .03^2 / 6
        assert!((squares / 4e4).sqrt() < 0.016, "{}", (squares / 4e4).sqrt());
    }

    #[test]
    fn no_order_is_one_class() {
        let found = group(&vec![Vec::new(); 5], 0);
        assert_eq!((found.processes.len(), found.index), (1, vec![0; 5]));
    }
}

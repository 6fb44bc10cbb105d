//! How averages over neighbours are made: guided by the feature, averaged for itself first; what counts as alike and how many
//! averages are best is told by the feature with its twin added and taken off.

use super::cascade::{Guide, Neighbourhood};
use super::feature::Feature;

/// Distances of the averages, voxels: of the feature for itself, and of what it guides.
const FEATURE_STEPS: [usize; 5] = [1, 1, 2, 2, 4];
const STEPS: [usize; 7] = [1, 1, 1, 2, 2, 2, 4];
/// And of the squares of averaged noise, wider, as that is smooth.
const DOUBT_STEPS: [usize; 8] = [1, 1, 2, 2, 4, 4, 4, 4];
/// Standard deviations of the feature's noise that count as alike: where kinds change abruptly, where they change smoothly, where all
/// neighbours are. The feature with its twin, of twice the noise, has the same widths, so that what it takes for alike is narrower.
///
/// With each the averages at most: where kinds change abruptly, neighbours at the largest distance may be beyond what lies between.
const ALIKE: [(f32, usize); 3] = [(3.5, 6), (6.0, 7), (1000.0, 7)];
/// Independent voxels whose average is enough for a guide.
const FEATURE_VOXELS: f64 = 10.0;
/// Averages at least, and how much more than the least the risk of more may be: near edges, fewer are best for halves, whose guides know
/// less of where those are.
const LEAST_STEPS: usize = 4;
const RISK_OF_MORE: f64 = 1.001;

/// How averages are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Averaging {
    /// Standard deviations that count as alike.
    alike: f32,
    /// Distances, voxels.
    pub(super) steps: &'static [usize],
}

impl Default for Averaging {
    fn default() -> Self {
        let (alike, most_steps) = ALIKE[0];
        Self { alike, steps: &STEPS[..most_steps] }
    }
}

impl Averaging {
    /// That which brings each of two features of independent noise, averaged under its own guide, nearest to the other.
    pub(super) fn best(feature: &Feature, around: &Neighbourhood) -> Self {
        let signals = feature.apart();
        let variance = around.local_variance(&feature.twin, &FEATURE_STEPS);
        let mut best = (f64::INFINITY, Self::default());
        for (alike, most_steps) in ALIKE {
            let guides = guides_apart(&signals, (&feature.twin, &variance), alike, around);
            let averages = |(signal, guiding): (&Vec<f32>, &Guiding)| {
                let mut averages = Vec::with_capacity(most_steps);
                let see = |averaged: &[f32]| averages.push(averaged.to_vec());
                around.averaged_showing(signal.clone(), 1, &STEPS[..most_steps], Some(&guiding.guide()), see);
                averages
            };
            let [of_first, of_second] = [0, 1].map(|which| averages((&signals[which], &guides[which])));
            let risk = |n_steps: usize| risk(&signals, [&of_first[n_steps - 1], &of_second[n_steps - 1]]);
            let risks: Vec<f64> = (LEAST_STEPS..=most_steps).map(risk).collect();
            let (least, more) = least_risk(&risks);
            if least < best.0 {
                best = (least, Self { alike, steps: &STEPS[..LEAST_STEPS + more] });
            }
        }
        best.1
    }
}

/// Averages that stop where the feature changes.
pub(super) struct Guidance<'a> {
    around: &'a Neighbourhood,
    feature: &'a Feature,
    averaging: Averaging,
    /// The local variance of the feature's twin.
    variance: Vec<f32>,
    guiding: Guiding,
}

impl<'a> Guidance<'a> {
    /// By `feature` of the columns of `around`.
    pub(super) fn new(feature: &'a Feature, averaging: Averaging, around: &'a Neighbourhood) -> Self {
        let variance = around.local_variance(&feature.twin, &FEATURE_STEPS);
        let guiding = Guiding::new(&feature.signal, (&feature.twin, &variance), averaging.alike, around);
        Self { around, feature, averaging, variance, guiding }
    }

    /// `values` (column x `of_column`) averaged.
    pub(super) fn averaged(&self, values: Vec<f32>, of_column: usize) -> Vec<f32> {
        self.around.averaged(values, of_column, self.averaging.steps, Some(&self.guiding.guide()))
    }

    /// The feature averaged.
    pub(super) fn places(&self) -> Vec<f64> {
        self.averaged(self.feature.signal.clone(), 1).into_iter().map(f64::from).collect()
    }

    /// The feature with its twin added, then with that taken off, each averaged under its own guide.
    pub(super) fn places_apart(&self) -> Vec<f64> {
        let Self { around, feature, averaging, variance, .. } = self;
        let signals = feature.apart();
        let guides = guides_apart(&signals, (&feature.twin, variance), averaging.alike, around);
        let averaged = |(signal, guiding): (Vec<f32>, &Guiding)| {
            around.averaged(signal, 1, averaging.steps, Some(&guiding.guide()))
        };
        signals.into_iter().zip(&guides).flat_map(averaged).map(f64::from).collect()
    }

    /// Standard deviation of the noise of the feature averaged, around each column.
    pub(super) fn deviation(&self) -> Vec<f32> {
        let twin = self.averaged(self.feature.twin.clone(), 1);
        self.around.local_variance(&twin, &DOUBT_STEPS).into_iter().map(f32::sqrt).collect()
    }
}

/// What guides each of the `signals` of [`Feature::apart`]; their twin has this local variance.
fn guides_apart(
    signals: &[Vec<f32>; 2],
    (twin, variance): (&[f32], &[f32]),
    alike: f32,
    around: &Neighbourhood,
) -> [Guiding; 2] {
    signals.each_ref().map(|signal| Guiding::new(signal, (twin, variance), alike, around))
}

/// The least of some risks, and the last that is no more than a little larger.
fn least_risk(risks: &[f64]) -> (f64, usize) {
    let least = risks.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = least + (RISK_OF_MORE - 1.0) * least.abs();
    (least, risks.iter().rposition(|risk| *risk <= largest).unwrap_or(0))
}

/// Mean square of the distance of each of two signals from the other averaged, less half of what the averages' own noise has in it: an
/// average of the whole has half of that.
fn risk([first, second]: &[Vec<f32>; 2], [of_first, of_second]: [&[f32]; 2]) -> f64 {
    let mut sum = 0.0;
    for (((a, b), of_a), of_b) in first.iter().zip(second).zip(of_first).zip(of_second) {
        let [a, b, of_a, of_b] = [*a, *b, *of_a, *of_b].map(f64::from);
        sum += 0.5 * ((a - of_b).powi(2) + (b - of_a).powi(2)) - 0.25 * (of_a - of_b).powi(2);
    }
    sum / first.len() as f64
}

/// A feature averaged under itself until enough voxels went into it.
struct Guiding {
    z: Vec<f32>,
    twin: Vec<f32>,
    /// The local variance of the twin.
    variance: Vec<f32>,
    alike: f32,
}

impl Guiding {
    /// Of a signal and its twin, which has this local variance.
    fn new(signal: &[f32], (twin, variance): (&[f32], &[f32]), alike: f32, around: &Neighbourhood) -> Self {
        let squares = |twin: &[f32]| twin.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
        let first = squares(twin);
        let mut found = Self { z: signal.to_vec(), twin: twin.to_vec(), variance: variance.to_vec(), alike };
        for step in FEATURE_STEPS {
            let both: Vec<f32> = found.z.iter().zip(&found.twin).flat_map(|(z, twin)| [*z, *twin]).collect();
            let both = around.averaged(both, 2, &[step], Some(&found.guide()));
            found.z = both.iter().step_by(2).copied().collect();
            found.twin = both.iter().skip(1).step_by(2).copied().collect();
            found.variance = around.local_variance(&found.twin, &FEATURE_STEPS);
            if first >= FEATURE_VOXELS * squares(&found.twin) {
                break;
            }
        }
        found
    }

    fn guide(&self) -> Guide<'_> {
        Guide { feature: &self.z, twin: &self.twin, variance: &self.variance, alike: self.alike }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::random::Random;

    #[test]
    fn more_averages_are_made_where_they_are_as_good() {
        assert_eq!(least_risk(&[2.0, 1.0, 1.0005, 1.5]), (1.0, 2));
        assert_eq!(least_risk(&[1.0, 1.002, 1.5]), (1.0, 0));
        assert_eq!(least_risk(&[-1.0, -1.0015, -1.001]), (-1.0015, 2));
    }

    #[test]
    fn the_risk_is_that_of_an_average_of_the_whole() {
        let mut random = Random::new(3);
        let mut noise = || (0..20_000).map(|_| random.normal() as f32).collect::<Vec<f32>>();
        let signals = [noise(), noise()];
        let truth = [vec![0.0; 20_000], vec![0.0; 20_000]];
        // the other signal's noise of 1, and half of the average's own: none, and 1; standard errors of .007 and .013
        let [none, own] = [&truth, &signals].map(|averaged| risk(&signals, averaged.each_ref().map(Vec::as_slice)));
        assert!((none - 1.0).abs() < 0.03, "{none}");
        assert!((own - 1.5).abs() < 0.05, "{own}");
    }
}

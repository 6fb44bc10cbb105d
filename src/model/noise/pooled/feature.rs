//! The one direction of lag products in which voxels differ most beyond noise, and its noise measured.
//!
//! The halves of a run have noise of their own ([`super::halves`]), so what covaries between them over voxels is real. With `u_1`,
//! `u_2` the lag products of the halves (mean over voxels removed), `C` their covariance between halves and `N` that of
//! `(u_1 - u_2) / 2`, directions are the w of stationary `w'Cw / w'Nw`, which have neither signal nor noise in common. The feature is
//! `w'a` of the whole run's lag products for the w of the largest; `w'(u_1 - u_2) / 2` is a twin with noise of the same kind and nothing
//! else, by which every noise level is measured, whatever the smoothness of the data; the feature with it added and the feature with it
//! taken off are two of independent noise. How much more of it there is in halves is told by what differs between neighbours,
//! which is noise but for the share that both halves have.

use super::cascade::Neighbourhood;
use super::curve::Curve;
use crate::model::cholesky::{factor_packed, solve_both_sides_packed, solve_upper_packed};
use crate::model::linalg::symmetric_eigen;
use crate::model::noise::lag_products::RunProducts;
use ndarray::Array2;

/// Added to the noise's covariance, relative to its mean diagonal.
const RIDGE: f64 = 1e-6;
/// Largest lag by which voxels are compared.
const LARGEST_COMPARED: usize = 12;

/// Bytes a column that the lag products of halves take while directions are found.
pub(super) const BYTES: usize = 2 * (8 + 4) * (LARGEST_COMPARED + 1);

/// The feature of each column.
pub(super) struct Feature {
    /// The feature's direction: what each lag product is multiplied with.
    pub(super) direction: Vec<f64>,
    /// Feature, less its mean, and twin of each column.
    pub(super) signal: Vec<f32>,
    pub(super) twin: Vec<f32>,
    /// What half the difference of the halves is multiplied with, so that its noise is that of the whole run.
    pub(super) level: f64,
    /// Lag products of the halves along all directions, their noise made white: column x (direction of the first half, of the second).
    white: Vec<f32>,
}

impl Feature {
    /// Of lag products over `scales`, up to a lag.
    pub(super) fn new(products: &RunProducts, scales: &[f64], around: &Neighbourhood) -> Self {
        let m = products.whole.n_lags.min(LARGEST_COMPARED + 1);
        let [first, second] = products.halves.each_ref().map(|half| half.centred(scales, m));
        let directions = directions(&first, &second, m);
        let along = |w: &[f64], u: &[f64]| w.iter().zip(u).map(|(w, u)| w * u).sum::<f64>() as f32;
        let halves = first.chunks_exact(m).zip(second.chunks_exact(m)).flat_map(|(u, v)| [u, v]);
        let white: Vec<f32> = halves.flat_map(|u| directions.iter().map(|w| along(w, u))).collect();
        // that of the first direction in each half, added and subtracted
        let part = |sign: f32| white.chunks_exact(2 * m).map(|along| 0.5 * (along[0] + sign * along[m])).collect();
        let [sum, mut twin]: [Vec<f32>; 2] = [1.0, -1.0].map(part);
        let direction = directions[0].clone();
        let mut signal = products.whole.along(&direction, scales);
        let mean = (signal.iter().map(|&value| f64::from(value)).sum::<f64>() / signal.len() as f64) as f32;
        for value in &mut signal {
            *value -= mean;
        }
        let [fine, fine_sum, noise] = [&signal, &sum, &twin].map(|values| around.fine_squares(values));
        // a run's products are the sum of those of its halves, where no neighbours tell
        let mut level = 2.0;
        if noise > 0.0 && fine_sum > 0.0 {
            level = (fine * (noise / fine_sum).min(1.0) / noise).sqrt();
        }
        for value in &mut twin {
            *value *= level as f32;
        }
        Self { direction, signal, twin, level, white }
    }

    /// The feature with its twin added, and with that taken off: of independent noise, each of twice the noise.
    pub(super) fn apart(&self) -> [Vec<f32>; 2] {
        [1.0, -1.0].map(|sign| self.signal.iter().zip(&self.twin).map(|(signal, twin)| signal + sign * twin).collect())
    }

    /// The share of what is left in other directions than the feature's, plainly averaged at the distances `steps`, that is no noise.
    ///
    /// Averages without regard to the feature: those with it follow the noise they were chosen by.
    pub(super) fn kept(&self, around: &Neighbourhood, steps: &[usize]) -> f64 {
        let m = self.n_directions();
        let averaged = around.averaged(self.white.clone(), 2 * m, steps, None);
        let (mut rest, mut noise) = (0.0, 0.0);
        for halves in averaged.chunks_exact(2 * m) {
            for direction in 1..m {
                let [first, second] = [halves[direction], halves[m + direction]].map(f64::from);
                rest += 0.25 * (first + second).powi(2);
                noise += 0.25 * (first - second).powi(2);
            }
        }
        if rest > noise { 1.0 - noise / rest } else { 0.0 }
    }

    /// Directions, as many as lags.
    fn n_directions(&self) -> usize {
        self.direction.len()
    }

    /// Lag products of a half along all directions: column x direction.
    fn half(&self, half: usize) -> Vec<f32> {
        let m = self.n_directions();
        self.white.chunks_exact(2 * m).flat_map(|white| &white[half * m..][..m]).copied().collect()
    }

    /// How well this feature with its twin added or taken off, nearly that of one half, plainly averaged over `around` at the distances `steps`, foretells the lag
    /// products of the other half along the directions of `own`: the share of their noise's variance.
    pub(super) fn foretold(&self, own: &Feature, around: &Neighbourhood, steps: &[usize]) -> f64 {
        let m = own.n_directions();
        let places = self.apart().map(|signal| {
            let averaged = around.averaged(signal, 1, steps, None);
            averaged.into_iter().map(f64::from).collect::<Vec<_>>()
        });
        let halves = [own.half(0), own.half(1)];
        let (mut together, mut squares) = (0.0, 0.0);
        for (half, other) in [(0, 1), (1, 0)] {
            // what goes with a place in its own half, looked up in the other
            let Some(curve) = Curve::through(&halves[half], m, &places[half]) else { return 0.0 };
            for (lags, &place) in halves[other].chunks_exact(m).zip(&places[half]) {
                for (lag, foretold) in lags.iter().zip(curve.at(place)) {
                    together += f64::from(*lag) * foretold;
                    squares += foretold * foretold;
                }
            }
        }
        let n_columns = (2 * self.signal.len()) as f64;
        if together > 0.0 && squares > 0.0 { together * together / squares / n_columns } else { 0.0 }
    }
}

/// The directions of lag products of halves (column x lag), as many as there are lags, that of the largest share of signal first. Of
/// too few columns for one all are 0: no column differs from another.
fn directions(first: &[f64], second: &[f64], m: usize) -> Vec<Vec<f64>> {
    let n_columns = (first.len() / m) as f64;
    let mut between = Array2::<f64>::zeros((m, m));
    let mut noise = Array2::<f64>::zeros((m, m));
    for (u, v) in first.chunks_exact(m).zip(second.chunks_exact(m)) {
        for i in 0..m {
            for j in 0..m {
                between[(i, j)] += u[i] * v[j] / n_columns;
                noise[(i, j)] += (u[i] - v[i]) * (u[j] - v[j]) / (4.0 * n_columns);
            }
        }
    }
    let ridge = RIDGE * noise.diag().sum() / m as f64;
    let entry = |i: usize, j: usize| noise[(i, j)] + if i == j { ridge } else { 0.0 };
    let mut factor: Vec<f64> = (0..m).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect();
    let found = factor_packed(&mut factor, m).then(|| stationary(&between, &factor)).flatten();
    found.unwrap_or_else(|| vec![vec![0.0; m]; m])
}

/// The w of stationary `w'Cw` among those of `w'Nw = 1`, largest first, `C` the symmetric part of `between`, N by its Cholesky factor.
fn stationary(between: &Array2<f64>, factor: &[f64]) -> Option<Vec<Vec<f64>>> {
    let c = solve_both_sides_packed(factor, 0.5 * (between + &between.t()));
    let (_, vectors) = symmetric_eigen(&c).ok()?;
    let direction = |column: ndarray::ArrayView1<'_, f64>| {
        let mut w = column.to_vec();
        solve_upper_packed(factor, &mut w);
        w
    };
    Some(vectors.columns().into_iter().rev().map(direction).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{Grid, Support};
    use crate::model::noise::lag_products::LagProducts;
    use crate::model::random::Random;

    const SIDE: usize = 16;
    const LAGS: usize = 4;

    /// Lag products of a cube that vary along its first axis in lag 1, by `second` along its second axis in lag 3.
    fn cube(second: f64) -> (RunProducts, Neighbourhood) {
        let affine = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
        let support = Support::from_mask(Grid { shape: [SIDE; 3], affine }, &[true; SIDE * SIDE * SIDE]);
        let mut random = Random::new(3);
        let mut of_part = |share: f64| -> Vec<f32> {
            let of_voxel = |voxel: usize| {
                let wave = |at: usize| libm::sin(std::f64::consts::TAU * at as f64 / SIDE as f64);
                let signal = [0.0, wave(voxel % SIDE), 0.0, second * wave(voxel / SIDE % SIDE)];
                signal.map(|signal| (share * signal + share.sqrt() * random.normal()) as f32)
            };
            (0..SIDE * SIDE * SIDE).flat_map(of_voxel).collect()
        };
        let halves = [of_part(0.5), of_part(0.5)];
        let whole = halves[0].iter().zip(&halves[1]).map(|(a, b)| a + b).collect();
        let used: Vec<usize> = (0..SIDE * SIDE * SIDE).collect();
        let of_lags = |values: Vec<f32>| LagProducts { values, n_lags: LAGS };
        let products = RunProducts { whole: of_lags(whole), halves: halves.map(of_lags) };
        (products, Neighbourhood::new(&support, &used))
    }

    #[test]
    fn the_feature_is_the_direction_that_varies_and_the_twin_has_its_noise() {
        let (products, around) = cube(0.0);
        let feature = Feature::new(&products, &vec![1.0; SIDE * SIDE * SIDE], &around);
        let w = &feature.direction;
        assert!([0, 2, 3].iter().all(|&lag| w[lag].abs() < 0.1 * w[1].abs()), "{w:?}");
        let variance = |values: &[f32]| values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / values.len() as f64;
        // the whole run has noise of variance 1 and a wave of 1/2: within 5 standard errors of 4096 voxels
        let [signal, twin] = [&feature.signal, &feature.twin].map(|values| variance(values) / w[1].powi(2));
        assert!((signal - 1.5).abs() < 0.15, "{signal}");
        assert!((twin - 1.0).abs() < 0.15, "{twin}");
    }

    #[test]
    fn averaged_the_twin_has_the_noise_of_the_averaged_feature() {
        let (products, around) = cube(0.0);
        let feature = Feature::new(&products, &vec![1.0; SIDE * SIDE * SIDE], &around);
        // the wave alone, averaged like the feature
        let wave = |voxel: usize| {
            let wave = libm::sin(std::f64::consts::TAU * (voxel % SIDE) as f64 / SIDE as f64);
            (feature.direction[1] * wave) as f32
        };
        let noise = (0..SIDE * SIDE * SIDE).map(|voxel| feature.signal[voxel] - wave(voxel)).collect();
        let variance = |values: Vec<f32>| {
            let averaged = around.averaged(values, 1, &[1], None);
            averaged.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / averaged.len() as f64
        };
        let [noise, twin] = [noise, feature.twin.clone()].map(variance);
        // some 640 independent averages: 3 standard errors of their ratio
        assert!((noise / twin - 1.0).abs() < 0.27, "{noise} {twin}");
    }

    /// A guide with less noise foretells more, one that varies in another way nothing.
    #[test]
    fn the_other_half_is_foretold_by_what_varies_with_it() {
        let (products, around) = cube(0.0);
        let scales = vec![1.0; SIDE * SIDE * SIDE];
        let own = Feature::new(&products, &scales, &around);
        let noisy = |noise: f32, turned: usize| {
            let mut random = Random::new(9);
            let mut with = |values: &LagProducts| {
                let mut values = values.values.clone();
                for value in &mut values {
                    *value += noise * random.normal() as f32;
                }
                values.rotate_right(turned * LAGS); // a quarter of the wave
                LagProducts { values, n_lags: LAGS }
            };
            let halves = products.halves.each_ref().map(&mut with);
            Feature::new(&RunProducts { whole: with(&products.whole), halves }, &scales, &around)
        };
        let foretold = |guide: &Feature| guide.foretold(&own, &around, &[1, 1, 2]);
        let [itself, worse, other] = [&own, &noisy(2.0, 0), &noisy(0.0, SIDE / 4)].map(foretold);
        // in halves a wave of mean square 1/8 in noise of 1/2, of which N is half
        assert!((itself - 0.5).abs() < 0.1, "{itself}");
        assert!(worse < 0.95 * itself, "{worse} {itself}");
        assert!(other < 0.1 * itself, "{other} {itself}");
    }

    #[test]
    fn what_varies_in_another_way_is_kept() {
        let kept = |second: f64| {
            let (products, around) = cube(second);
            let feature = Feature::new(&products, &vec![1.0; SIDE * SIDE * SIDE], &around);
            feature.kept(&around, &[1, 1, 2])
        };
        // of the rest, two or three directions that average to noise of about 1/67 of theirs
        let [none, some] = [kept(0.0), kept(1.0)];
        assert!(none < 0.3, "{none}");
        assert!(some > 0.7, "{some}");
    }
}

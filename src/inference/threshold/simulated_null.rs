//! How large the largest cluster of noise is: fields with the noise's autocorrelation, simulated in the mask.
//!
//! A field is white noise shaped in the frequency domain by the square root of the autocorrelation's transform, on a box that
//! leaves room for the autocorrelation to fall off, so that it is stationary in the mask. Each is thresholded at the
//! cluster-forming p on the sides asked for, and the size of its largest cluster is kept (Forman and others 1995, doi
//! 10.1002/mrm.1910330508; Cox and others 2017, doi 10.1089/brain.2016.0475). p of a cluster of some size is the share of
//! fields with one at least as large, the data's own counted among them (Phipson & Smyth 2010, doi 10.2202/1544-6115.1585), and one
//! standard error of that share more: fields are few, and what they happen to be must not make clusters easier to find.
//!
//! Field i comes from a stream of random numbers of its own: the sizes are the same with any number of threads.

use super::autocorrelation::{MixedAcf, padded, wrapped};
use super::heights::uncorrected;
use crate::config::{Neighbours, Sides};
use crate::error::{CancelToken, Cancelled};
use crate::inputs::{Connected, Grid, place_in};
use crate::signal::volume_fourier::VolumeFourier;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use realfft::num_complex::Complex32;

/// Correlation at which the box may wrap.
const NEGLIGIBLE: f64 = 0.01;
/// Room of the box, in extents of the mask, at most: noise that is wider is still as it should be between voxels of the mask, but for a
/// thousandth or so of their correlation.
const MOST_ROOM: usize = 3;

/// The noise that is simulated, and what is looked for in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterNull {
    /// Its autocorrelation.
    pub acf: MixedAcf,
    /// p of a voxel of a cluster, on both sides together where there are two.
    pub cluster_forming_p: f64,
    /// Sides looked at; on two, positive and negative clusters apart.
    pub sides: Sides,
    /// Which voxels hang together.
    pub neighbours: Neighbours,
    /// Fields to simulate, rounded up to an even number.
    pub n_fields: usize,
    /// Which fields they are.
    pub seed: u64,
}

/// Sizes of the largest clusters of noise, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargestClusters(Vec<u32>);

impl ClusterNull {
    /// Fields of an analysis: at a rate of .05 a chance error of .005.
    pub const FIELDS: usize = 2000;
    /// Seed of all analyses: results depend on the data and the settings alone.
    pub const SEED: u64 = 0x626f_6c64_6c79;

    /// Simulates the noise in the voxels `index` of a grid, ascending.
    ///
    /// # Errors
    /// The work was interrupted.
    pub fn simulate(&self, grid: &Grid, index: &[u32], cancel: &CancelToken) -> Result<LargestClusters, Cancelled> {
        let (shape, places) = padded(grid, index, self.acf.falls_to(NEGLIGIBLE), MOST_ROOM);
        let transform = VolumeFourier::<f32>::new(shape);
        let amplitude = self.amplitude(&transform, grid.voxel_sizes_mm());
        let height = uncorrected(self.cluster_forming_p, self.sides) as f32;
        let scratch =
            || (vec![Complex32::new(0.0, 0.0); transform.n_voxels()], Connected::new(grid.shape, self.neighbours));
        let pairs: Vec<[u32; 2]> = (0..self.n_fields.div_ceil(2))
            .into_par_iter()
            .map_init(scratch, |(volume, connected), pair| {
                cancel.check()?;
                let mut stream = Normals::new(self.seed, pair as u64);
                for (value, amplitude) in volume.iter_mut().zip(&amplitude) {
                    let (re, im) = stream.pair();
                    *value = Complex32::new(re * amplitude, im * amplitude);
                }
                // real and imaginary part are two fields
                transform.inverse(volume);
                let largest = |connected: &mut Connected, of: fn(&Complex32) -> f32| {
                    let (mut voxels, mut positive) = (Vec::new(), Vec::new());
                    for (&voxel, &place) in index.iter().zip(&places) {
                        let value = of(&volume[place as usize]);
                        if value >= height || (self.sides == Sides::Two && value <= -height) {
                            voxels.push(voxel);
                            positive.push(value > 0.0);
                        }
                    }
                    let found = connected.components(&voxels, |a, b| positive[a] == positive[b]);
                    found.sizes.into_iter().max().unwrap_or(0) as u32
                };
                Ok([largest(connected, |value| value.re), largest(connected, |value| value.im)])
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut sizes: Vec<u32> = pairs.into_iter().flatten().collect();
        sizes.sort_unstable();
        Ok(LargestClusters(sizes))
    }

    /// What each frequency of white noise is multiplied with for fields of unit variance.
    fn amplitude(&self, transform: &VolumeFourier<f32>, voxel_mm: [f64; 3]) -> Vec<f32> {
        let shape = transform.shape();
        let exact = VolumeFourier::<f64>::new(shape);
        let mut spectrum: Vec<realfft::num_complex::Complex64> = (0..transform.n_voxels())
            .map(|place| {
                let at = place_in(shape, place);
                let square: f64 = (0..3).map(|axis| (wrapped(at[axis], shape[axis]) * voxel_mm[axis]).powi(2)).sum();
                realfft::num_complex::Complex64::new(self.acf.at(square.sqrt()), 0.0)
            })
            .collect();
        exact.forward(&mut spectrum);
        // what is cut off where the sum over the box is not positive is made good by the scale
        let power: Vec<f64> = spectrum.iter().map(|value| value.re.max(0.0)).collect();
        let variance: f64 = power.iter().sum();
        power.into_iter().map(|power| (power / variance).sqrt() as f32).collect()
    }
}

impl LargestClusters {
    /// Share of fields, the data's own among them, whose largest cluster has at least `n_voxels`.
    pub fn share(&self, n_voxels: usize) -> f64 {
        let below = self.0.partition_point(|size| (*size as usize) < n_voxels);
        (self.0.len() - below + 1) as f64 / (self.0.len() + 1) as f64
    }

    /// Probability that the largest cluster of noise has at least `n_voxels`: that share and its standard error, at most 1.
    pub fn p(&self, n_voxels: usize) -> f64 {
        let share = self.share(n_voxels);
        (share + (share * (1.0 - share) / (self.0.len() + 1) as f64).sqrt()).min(1.0)
    }

    /// The least size of a cluster whose p is at most `alpha`.
    pub fn least_size(&self, alpha: f64) -> usize {
        let largest = self.0.last().map_or(0, |size| *size as usize);
        (1..=largest + 1).find(|size| self.p(*size) <= alpha).unwrap_or(usize::MAX)
    }

    /// The sizes, ascending, one a field.
    pub fn sizes(&self) -> &[u32] {
        &self.0
    }
}

/// Standard normal numbers (Box & Muller 1958, doi 10.1214/aoms/1177706645), the same on every machine.
struct Normals(Xoshiro256PlusPlus);

impl Normals {
    fn new(seed: u64, item: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed ^ item.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    fn pair(&mut self) -> (f32, f32) {
        const STEP: f32 = 1.0 / (1_u32 << 24) as f32;
        let bits = self.0.next_u64();
        // 40 bits for the radius, whose tail they limit to 7.4, and 24 for the angle
        let uniform = ((bits >> 24) + 1) as f64 / (1_u64 << 40) as f64;
        let radius = libm::sqrtf(-2.0 * libm::logf(uniform as f32));
        let (sine, cosine) = libm::sincosf(std::f32::consts::TAU * ((bits & 0xff_ffff) as f32 * STEP));
        (radius * cosine, radius * sine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use realfft::num_complex::Complex64;

    #[test]
    fn fields_have_unit_variance_and_the_autocorrelation_asked_for() {
        let acf = MixedAcf { a: 0.6, b_mm: 3.0, c_mm: 6.0 };
        let null = ClusterNull {
            acf,
            cluster_forming_p: 0.001,
            sides: Sides::Two,
            neighbours: Neighbours::Faces,
            n_fields: 2,
            seed: ClusterNull::SEED,
        };
        let transform = VolumeFourier::<f32>::new([32, 30, 27]);
        let amplitude = null.amplitude(&transform, [3.0; 3]);
        let mut covariance: Vec<Complex64> =
            amplitude.iter().map(|amplitude| Complex64::new(f64::from(*amplitude).powi(2), 0.0)).collect();
        VolumeFourier::<f64>::new([32, 30, 27]).inverse(&mut covariance);
        for (step, covariance) in covariance.iter().take(8).enumerate() {
            let found = covariance.re;
            let expected = acf.at(3.0 * step as f64);
            assert!((found - expected).abs() < 2e-3, "{step} voxels: {found}, not {expected}");
        }
    }

    #[test]
    fn p_counts_the_data_among_the_fields_and_adds_a_standard_error() {
        let found = LargestClusters((1..=99).collect());
        // shares of .01, .02, .03, .04 and 1 of a hundred, and their standard errors
        let p = [100, 99, 98, 97, 1].map(|size| found.p(size));
        for (p, expected) in p.into_iter().zip([0.01995, 0.034, 0.04706, 0.0596, 1.0]) {
            assert!((p - expected).abs() < 5e-6, "{p} {expected}");
        }
        assert_eq!((found.least_size(0.05), found.least_size(0.02), found.least_size(0.01)), (98, 100, usize::MAX));
    }

    #[test]
    fn numbers_are_standard_normal() {
        let mut stream = Normals::new(ClusterNull::SEED, 3);
        let (mut sum, mut squares, mut beyond) = (0.0, 0.0, 0);
        for _ in 0..100_000 {
            let (a, b) = stream.pair();
            for value in [f64::from(a), f64::from(b)] {
                sum += value;
                squares += value * value;
                beyond += usize::from(value.abs() > 3.290_527);
            }
        }
        // four standard errors of 200 000 numbers
        assert!((sum / 2e5).abs() < 0.009 && (squares / 2e5 - 1.0).abs() < 0.013, "{sum} {squares}");
        assert!((beyond as f64 - 200.0).abs() < 57.0, "{beyond}");
    }
}

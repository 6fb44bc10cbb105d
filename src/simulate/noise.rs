//! Noise in time: a first-order autoregressive moving average in every voxel, stationary from the first frame.
//!
//! `n[t] = rho n[t-1] + w[t] + theta w[t-1]` with unit-variance innovations has variance
//! `1 + (rho + theta)^2 / (1 - rho^2)` (Box & Jenkins, Time Series Analysis, section 3.4). A stationary start needs the
//! joint distribution of `n[0]` and `w[0]`: their covariance is 1, so `n[0] = w[0] + sqrt(variance - 1) z` with an
//! independent normal z.

use super::field::{UnitSmoother, WaveField};
use super::head::Head;
use super::random::{Purpose, Stream};
use super::{NoiseSpec, SimulationSpec};
use rayon::prelude::*;

/// Voxels a unit of parallel work.
const BLOCK: usize = 16_384;

/// Parameters of the noise over the head.
#[derive(Debug, Clone)]
pub(super) struct NoiseMaps {
    /// Autoregressive coefficient.
    pub(super) rho: Vec<f32>,
    /// Standard deviation, percent.
    pub(super) sigma: Vec<f32>,
}

impl NoiseMaps {
    /// The maps a simulation declares; the same for every subject and run.
    pub(super) fn new(spec: &SimulationSpec, head: &Head) -> Self {
        let scale_mm = spec.head.radii_mm.iter().copied().fold(0.0, f64::max) * 1.5;
        let field = |purpose| WaveField::new(&mut Stream::new(spec.seed, purpose, &[]), scale_mm);
        let (level, correlation) = (field(Purpose::NoiseLevel), field(Purpose::Autocorrelation));
        let NoiseSpec { sigma_percent, sigma_variation, rho, rho_variation, .. } = spec.noise;
        Self {
            rho: head.map(|point| rho + rho_variation * correlation.at(point)),
            sigma: head.map(|point| sigma_percent * (1.0 + sigma_variation * level.at(point))),
        }
    }
}

/// Variance of the process for innovations of unit variance.
fn variance(rho: f32, theta: f32) -> f32 {
    1.0 + (rho + theta) * (rho + theta) / (1.0 - rho * rho)
}

/// Which frame of which run, as the seeds know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunItem {
    pub(super) subject: usize,
    pub(super) run: usize,
}

/// Smooth innovations of one frame over the head, unit variance. `volume` and `scratch` hold a grid each.
pub(super) fn innovations(
    spec: &SimulationSpec,
    head: &Head,
    smoother: &UnitSmoother,
    stream: &mut Stream,
    (volume, scratch): &mut (Vec<f32>, Vec<f32>),
) -> Vec<f32> {
    let n_voxels = head.grid.n_voxels();
    volume.resize(n_voxels, 0.0);
    stream.fill_normal(volume);
    if spec.noise.fwhm_mm > 0.0 {
        scratch.resize(n_voxels, 0.0);
        smoother.smooth(volume, scratch);
    }
    head.index.iter().map(|&at| volume[at as usize] * smoother.unit_scale(at as usize)).collect()
}

/// The stream of one frame's innovations.
pub(super) fn innovation_stream(spec: &SimulationSpec, item: RunItem, frame: usize) -> Stream {
    Stream::new(spec.seed, Purpose::Innovation, &[item.subject, item.run, frame])
}

/// The process in time: turns innovations into noise, frame by frame.
#[derive(Debug)]
pub(super) struct NoiseProcess<'a> {
    maps: &'a NoiseMaps,
    theta: f32,
    /// `n[t-1]` before scaling by sigma, and `w[t-1]`; `None` before the first frame.
    previous: Option<(Vec<f32>, Vec<f32>)>,
}

impl<'a> NoiseProcess<'a> {
    /// The process of one run.
    pub(super) fn new(spec: &SimulationSpec, maps: &'a NoiseMaps) -> Self {
        Self { maps, theta: spec.noise.theta as f32, previous: None }
    }

    /// The noise of the next frame, percent, from its innovations; `start` are innovations of their own, used by the
    /// first frame only.
    pub(super) fn next(&mut self, innovations: Vec<f32>, start: impl FnOnce() -> Vec<f32>) -> Vec<f32> {
        let theta = self.theta;
        let rho = self.maps.rho.par_chunks(BLOCK);
        let state = match self.previous.take() {
            None => {
                let mut state = start();
                state.par_chunks_mut(BLOCK).zip(innovations.par_chunks(BLOCK)).zip(rho).for_each(|((z, w), rho)| {
                    for ((z, &w), &rho) in z.iter_mut().zip(w).zip(rho) {
                        *z = w + (variance(rho, theta) - 1.0).sqrt() * *z;
                    }
                });
                state
            }
            Some((mut state, before)) => {
                let innovations = innovations.par_chunks(BLOCK).zip(before.par_chunks(BLOCK));
                state.par_chunks_mut(BLOCK).zip(innovations).zip(rho).for_each(|((n, (w, before)), rho)| {
                    for (((n, &w), &before), &rho) in n.iter_mut().zip(w).zip(before).zip(rho) {
                        *n = rho * *n + w + theta * before;
                    }
                });
                state
            }
        };
        let mut noise = vec![0.0; state.len()];
        let maps = self.maps.rho.par_chunks(BLOCK).zip(self.maps.sigma.par_chunks(BLOCK));
        noise.par_chunks_mut(BLOCK).zip(state.par_chunks(BLOCK)).zip(maps).for_each(|((out, n), (rho, sigma))| {
            for (((out, &n), &rho), &sigma) in out.iter_mut().zip(n).zip(rho).zip(sigma) {
                *out = sigma * n / variance(rho, theta).sqrt();
            }
        });
        self.previous = Some((state, innovations));
        noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::fixture;

    #[test]
    fn the_process_is_stationary_with_the_declared_autocovariance() {
        let mut spec = fixture::small();
        for (rho, theta) in [(0.0, 0.0), (0.5, 0.0), (0.8, -0.4), (-0.3, 0.2)] {
            spec.noise =
                NoiseSpec { fwhm_mm: 0.0, sigma_percent: 2.0, sigma_variation: 0.0, rho, rho_variation: 0.0, theta };
            let head = Head::new(&spec);
            let maps = NoiseMaps::new(&spec, &head);
            let smoother = UnitSmoother::new(spec.grid.shape, spec.grid.voxel_mm, 0.0);
            let mut process = NoiseProcess::new(&spec, &maps);
            let item = RunItem { subject: 0, run: 0 };
            let mut scratch = (Vec::new(), Vec::new());
            let n_frames = 60;
            let frames: Vec<Vec<f32>> = (0..n_frames)
                .map(|frame| {
                    let stream = &mut innovation_stream(&spec, item, frame);
                    let w = innovations(&spec, &head, &smoother, stream, &mut scratch);
                    process.next(w, || {
                        let stream = &mut innovation_stream(&spec, RunItem { subject: 9, run: 9 }, 0);
                        innovations(&spec, &head, &smoother, stream, &mut (Vec::new(), Vec::new()))
                    })
                })
                .collect();
            let gamma0 = 4.0;
            let v = 1.0 + (rho + theta) * (rho + theta) / (1.0 - rho * rho);
            let first = (1.0 + rho * theta) * (rho + theta) / (1.0 - rho * rho) / v;
            let product = |a: usize, b: usize| {
                let sum: f64 = frames[a].iter().zip(&frames[b]).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
                sum / head.len() as f64
            };
            // one pair of frames: standard error at most gamma0 sqrt(2 / voxels)
            let tolerance = 5.0 * gamma0 * (2.0 / head.len() as f64).sqrt();
            for frame in [0, 1, 30, 59] {
                assert!((product(frame, frame) - gamma0).abs() < tolerance, "variance of frame {frame}");
            }
            for (lag, power) in [(1, 0), (2, 1), (3, 2)] {
                let expected = gamma0 * first * rho.powi(power);
                assert!((product(0, lag) - expected).abs() < tolerance, "start, lag {lag}");
                let mean = (0..n_frames - lag).map(|t| product(t, t + lag)).sum::<f64>() / (n_frames - lag) as f64;
                // frames are dependent: at most (1 + |rho|) / (1 - |rho|) = 9 of them count as one
                assert!((mean - expected).abs() < tolerance * (9.0 / 56.0_f64).sqrt(), "{rho} {theta} {lag} {mean}");
            }
        }
    }
}

//! Null data of a cell, and what the best possible analysis makes of them.

use crate::cells::{Cell, Variation};
use crate::processes::{Oracle, autocovariances, factor};
use ndarray::{Array2, Axis, s};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Voxels of the box along its first two axes: one period of the smooth variation.
const WIDTH: usize = 32;
/// Voxels of a product.
const CHUNK: usize = 1024;

/// The box.
#[derive(Debug, Clone, Copy)]
pub struct Shape(pub [usize; 3]);

impl Shape {
    /// Of at least `n_voxels`, whole cubes of 8 along each axis.
    pub fn of(n_voxels: usize) -> Self {
        Self([WIDTH, WIDTH, 8 * n_voxels.div_ceil(8 * WIDTH * WIDTH).max(1)])
    }

    pub fn n_voxels(self) -> usize {
        self.0.iter().product()
    }

    /// Place of a voxel, axis 0 fastest.
    pub fn place(self, voxel: usize) -> [usize; 3] {
        let [x, y, _] = self.0;
        [voxel % x, voxel / x % y, voxel / (x * y)]
    }

    /// The part of 16 x 16 x 8 voxels that a voxel is in; standard errors are those between parts.
    pub fn part(self, voxel: usize) -> usize {
        let [x, y, z] = self.place(voxel);
        x / 16 + 2 * (y / 16) + 4 * (z / 8)
    }

    pub fn n_parts(self) -> usize {
        self.n_voxels() / 2048
    }
}

/// Strength of the noise's memory, in hundredths.
fn strength(variation: Variation, [x, y, z]: [usize; 3]) -> u32 {
    let wave = |at: usize| 0.2 * libm::sin(std::f64::consts::TAU * at as f64 / 32.0);
    match variation {
        Variation::Constant => 100,
        Variation::Smooth => (100.0 * (0.6 + wave(x) + wave(y))).round() as u32,
        Variation::Abrupt => 100 * ((x / 8 + y / 8 + z / 8) % 2) as u32,
    }
}

/// One run of a cell.
pub struct Run {
    pub shape: Shape,
    /// Frame x voxel; the true effect is 0.
    pub data: Array2<f32>,
    /// Of each voxel, estimated with the true covariance: the effect,
    pub effect: Vec<f64>,
    /// the true variance of that,
    pub variance: Vec<f64>,
    /// its standard error, estimated.
    pub standard_error: Vec<f64>,
}

impl Run {
    /// Run number `number` of a cell; the random numbers depend on the cell's name and that number alone.
    pub fn draw(cell: &Cell, design: &Array2<f64>, shape: Shape, number: u64) -> Self {
        let innovations = innovations(cell, shape, number);
        let n_voxels = shape.n_voxels();
        let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for voxel in 0..n_voxels {
            groups.entry(strength(cell.variation, shape.place(voxel))).or_default().push(voxel);
        }
        let prepared: BTreeMap<u32, (Array2<f32>, Oracle)> = groups
            .par_iter()
            .map(|(&strength, _)| {
                let strength_of_one = f64::from(strength) / 100.0;
                let factor = factor(&autocovariances(cell.spectrum, strength_of_one, cell.n_frames));
                let oracle = Oracle::new(design, &factor);
                (strength, (factor.mapv(|value| value as f32), oracle))
            })
            .collect();
        let chunks: Vec<(u32, &[usize])> =
            groups.iter().flat_map(|(&strength, voxels)| voxels.chunks(CHUNK).map(move |v| (strength, v))).collect();
        let dof = (design.nrows() - design.ncols()) as f64;
        let coloured: Vec<_> = chunks
            .par_iter()
            .map(|(strength, voxels)| {
                let (factor, oracle) = &prepared[strength];
                let e = innovations.select(Axis(1), voxels);
                let basis = oracle.basis.mapv(|value| value as f32);
                let explained = basis.t().dot(&e);
                let squares = |values: &Array2<f32>, column: usize| -> f64 {
                    values.column(column).iter().map(|value| f64::from(*value).powi(2)).sum()
                };
                let of_voxel = |column: usize| {
                    let e_column = e.column(column);
                    let pairs = oracle.weights.iter().zip(e_column);
                    let effect: f64 = pairs.map(|(weight, e)| weight * f64::from(*e)).sum();
                    let residual = squares(&e, column) - squares(&explained, column);
                    (effect, (residual / dof * oracle.variance).sqrt())
                };
                let truths: Vec<(f64, f64)> = (0..voxels.len()).map(of_voxel).collect();
                (factor.dot(&e), truths, oracle.variance)
            })
            .collect();
        drop(innovations);
        let mut data = Array2::zeros((cell.n_frames, n_voxels));
        let rows: Vec<_> = data.axis_iter_mut(Axis(0)).enumerate().collect();
        rows.into_par_iter().for_each(|(frame, mut row)| {
            for ((_, voxels), (coloured, ..)) in chunks.iter().zip(&coloured) {
                voxels.iter().zip(coloured.slice(s![frame, ..])).for_each(|(&voxel, value)| row[voxel] = *value);
            }
        });
        let [mut effect, mut variance, mut standard_error] = [(); 3].map(|()| vec![0.0; n_voxels]);
        for ((_, voxels), (_, truths, of_effect)) in chunks.iter().zip(&coloured) {
            for (&voxel, (of_voxel, error)) in voxels.iter().zip(truths) {
                effect[voxel] = *of_voxel;
                variance[voxel] = *of_effect;
                standard_error[voxel] = *error;
            }
        }
        Self { shape, data, effect, variance, standard_error }
    }
}

/// Normal deviates of variance 1, frame x voxel, white in time, of the cell's smoothness in space (which wraps around).
fn innovations(cell: &Cell, shape: Shape, number: u64) -> Array2<f32> {
    // FNV-1a
    let name = cell.name();
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut all = Array2::zeros((cell.n_frames, shape.n_voxels()));
    let rows: Vec<_> = all.axis_iter_mut(Axis(0)).enumerate().collect();
    rows.into_par_iter().for_each(|(frame, mut row)| {
        let seed = hash ^ (number << 32 | frame as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut uniform = || ((generator.next_u64() >> 11) as f64 + 0.5) * 2.0_f64.powi(-53);
        let mut values: Vec<f32> = Vec::with_capacity(shape.n_voxels());
        while values.len() < shape.n_voxels() {
            let radius = (-2.0 * libm::log(uniform())).sqrt();
            let (sine, cosine) = libm::sincos(std::f64::consts::TAU * uniform());
            values.extend([(radius * cosine) as f32, (radius * sine) as f32]);
        }
        if cell.fwhm > 0 {
            smooth(&mut values, shape, f64::from(cell.fwhm));
        }
        row.iter_mut().zip(values).for_each(|(out, value)| *out = value);
    });
    all
}

/// Gaussian smoothing that wraps around and leaves the variance of white noise as it is.
fn smooth(values: &mut Vec<f32>, shape: Shape, fwhm: f64) {
    let sigma = fwhm / (8.0 * std::f64::consts::LN_2).sqrt();
    let reach = (3.5 * sigma).round() as usize;
    let mut taps: Vec<f64> =
        (0..=2 * reach).map(|k| libm::exp(-0.5 * ((k as f64 - reach as f64) / sigma).powi(2))).collect();
    let norm = taps.iter().map(|tap| tap * tap).sum::<f64>().sqrt();
    for tap in &mut taps {
        *tap /= norm;
    }
    let mut stride = 1;
    for length in shape.0 {
        let mut out = vec![0.0_f32; values.len()];
        for (from, to) in values.chunks(length * stride).zip(out.chunks_mut(length * stride)) {
            for at in 0..length {
                let target = &mut to[at * stride..][..stride];
                for (k, tap) in taps.iter().enumerate() {
                    let source = &from[(at + k + length - reach) % length * stride..][..stride];
                    target.iter_mut().zip(source).for_each(|(out, value)| *out += *tap as f32 * value);
                }
            }
        }
        *values = out;
        stride *= length;
    }
}

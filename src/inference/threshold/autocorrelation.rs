//! How the noise of voxels at a distance hangs together: the spatial autocorrelation of residuals, and a model of it.
//!
//! Of each frame, the mean over the mask taken off and divided by its variance, the products of all pairs of voxels at an
//! offset are averaged; then over frames, and over the offsets of one length:
//!
//! ```text
//! ACF(r) = a exp(-r^2 / (2 b^2)) + (1 - a) exp(-r / c)        r, b, c in mm
//! ```
//!
//! fitted by least squares over the lengths up to a radius. Taking off the mean takes a share V of the variance, the mean of the ACF over
//! all pairs of voxels, so that what is measured is expected to be (ACF - V) / (1 - V): next to nothing in a brain, but where noise is
//! wide against the mask clusters would be thought smaller than they are. A Gaussian alone has no tail, which made clusters of noise look
//! rarer than they are (Cox, Chen, Glen, Reynolds & Taylor 2017, doi 10.1089/brain.2016.0475; the model of AFNI's 3dFWHMx).
//! The sums over pairs are one Fourier transform a frame.

use crate::inputs::{Grid, place_in};
use crate::signal::volume_fourier::{VolumeFourier, fast_length};
use realfft::num_complex::Complex64;
use std::collections::BTreeMap;

/// Sums from which the autocorrelation follows.
#[derive(Debug)]
pub struct Autocorrelation {
    transform: VolumeFourier<f64>,
    /// The place of each column in the padded box.
    places: Vec<u32>,
    voxel_mm: [f64; 3],
    radius_mm: f64,
    /// Sum over frames of the squared transforms.
    power: Vec<f64>,
    frames: usize,
}

/// The model of an autocorrelation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixedAcf {
    /// Share of the Gaussian.
    pub a: f64,
    /// Standard deviation of the Gaussian, mm.
    pub b_mm: f64,
    /// Length of the exponential, mm.
    pub c_mm: f64,
}

/// How far apart the voxels of a mask are.
#[derive(Debug, Clone, Default)]
pub struct Distances {
    /// mm, and the share of all pairs (a voxel with itself among them) that are that far apart.
    shares: Vec<(f64, f64)>,
}

/// Voxels that stand for all at most: V, which is small where there are more, is told to some hundredths of itself.
const MOST_OF_PAIRS: usize = 2000;
/// Steps of distance, of a voxel's least size.
const DISTANCE_STEP: f64 = 0.25;
/// Least length of a model, of the longest that was measured: next to nothing between voxels.
const SHORTEST: f64 = 1e-4;
/// Share of the mean that is believed.
const MOST_OF_MEAN: f64 = 0.9;

impl Distances {
    /// Between the voxels `index` of a grid.
    pub fn new(grid: &Grid, index: &[u32]) -> Self {
        let size = grid.voxel_sizes_mm();
        // odd, so that even rows and planes are not gone through in step
        let step = index.len().div_ceil(MOST_OF_PAIRS).max(1) | 1;
        let places: Vec<[f64; 3]> = index
            .iter()
            .step_by(step)
            .map(|&voxel| {
                let at = place_in(grid.shape, voxel as usize);
                std::array::from_fn(|axis| at[axis] as f64 * size[axis])
            })
            .collect();
        let width = DISTANCE_STEP * size.into_iter().fold(f64::INFINITY, f64::min);
        let mut counts: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for (at, a) in places.iter().enumerate() {
            for b in &places[at + 1..] {
                let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                let entry = counts.entry((distance / width) as usize).or_default();
                entry.0 += distance;
                entry.1 += 1.0;
            }
        }
        let n_pairs: f64 = counts.values().map(|(_, n)| n).sum();
        let itself = (index.len().max(1) as f64).recip();
        let shares = counts.into_values().map(|(sum, n)| (sum / n, (1.0 - itself) * n / n_pairs));
        Self { shares: std::iter::once((0.0, itself)).chain(shares).collect() }
    }

    /// The share of variance that the mean over the voxels takes, of noise with this autocorrelation.
    fn share_of_mean(&self, acf: &MixedAcf) -> f64 {
        self.shares.iter().map(|(distance, share)| share * acf.at(*distance)).sum()
    }
}

/// The box around voxels of a grid, with its first corner.
pub(super) fn box_of(grid: &Grid, index: &[u32]) -> ([usize; 3], [usize; 3]) {
    let (mut low, mut high) = ([usize::MAX; 3], [0; 3]);
    for &voxel in index {
        let voxel = voxel as usize;
        for (axis, at) in place_in(grid.shape, voxel).into_iter().enumerate() {
            low[axis] = low[axis].min(at);
            high[axis] = high[axis].max(at);
        }
    }
    if index.is_empty() {
        return ([0; 3], [1; 3]);
    }
    (low, std::array::from_fn(|axis| high[axis] - low[axis] + 1))
}

/// A box around the voxels with room for `reach_mm` more along each axis of more than one voxel, `times` their extent at most, so that
/// its ends do not meet when it is repeated; and the place of each voxel in it.
pub(super) fn padded(grid: &Grid, index: &[u32], reach_mm: f64, times: usize) -> ([usize; 3], Vec<u32>) {
    let (low, extent) = box_of(grid, index);
    let size = grid.voxel_sizes_mm();
    let shape: [usize; 3] = std::array::from_fn(|axis| match extent[axis] {
        1 => 1,
        extent => fast_length(extent + ((reach_mm / size[axis]).ceil() as usize).min(times * extent)),
    });
    let place = |&voxel: &u32| {
        let at = place_in(grid.shape, voxel as usize);
        let at: [usize; 3] = std::array::from_fn(|axis| at[axis] - low[axis]);
        (at[0] + shape[0] * (at[1] + shape[1] * at[2])) as u32
    };
    (shape, index.iter().map(place).collect())
}

/// Steps from one place of a periodic axis to another, the shorter way.
pub(super) fn wrapped(step: usize, length: usize) -> f64 {
    step.min(length - step) as f64
}

impl Autocorrelation {
    /// Frames of a run from which an analysis takes it at most; spread evenly, as SPM does for smoothness.
    pub const MOST_FRAMES: usize = 64;
    /// Lengths over which an analysis fits it, in units of the FWHM.
    pub const RADIUS_FWHM: f64 = 3.0;

    /// Of the voxels `index` of a grid, up to a radius.
    pub fn new(grid: &Grid, index: &[u32], radius_mm: f64) -> Self {
        // no two voxels are further apart than their extent
        let (shape, places) = padded(grid, index, radius_mm + 1e-9, 1);
        let transform = VolumeFourier::new(shape);
        let power = vec![0.0; transform.n_voxels()];
        Self { transform, places, voxel_mm: grid.voxel_sizes_mm(), radius_mm, power, frames: 0 }
    }

    /// Adds a frame, one value a column.
    pub fn add(&mut self, frame: &[f64]) {
        let n = frame.len() as f64;
        let mean = frame.iter().sum::<f64>() / n;
        let variance = frame.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        if !(variance > 0.0 && variance.is_finite()) {
            return;
        }
        let mut volume = vec![Complex64::new(0.0, 0.0); self.transform.n_voxels()];
        for (&place, value) in self.places.iter().zip(frame) {
            volume[place as usize].re = (value - mean) / variance.sqrt();
        }
        self.transform.forward(&mut volume);
        self.power.iter_mut().zip(&volume).for_each(|(power, value)| *power += value.norm_sqr());
        self.frames += 1;
    }

    /// The autocorrelation at each length up to the radius, mm, ascending; 1 at 0.
    pub fn by_length(&self) -> Vec<(f64, f64)> {
        let of_power = |power: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let mut volume: Vec<Complex64> =
                (0..self.transform.n_voxels()).map(|place| Complex64::new(power(place), 0.0)).collect();
            self.transform.inverse(&mut volume);
            volume.into_iter().map(|value| value.re / self.transform.n_voxels() as f64).collect()
        };
        let mut mask = vec![Complex64::new(0.0, 0.0); self.transform.n_voxels()];
        self.places.iter().for_each(|&place| mask[place as usize].re = 1.0);
        self.transform.forward(&mut mask);
        let pairs = of_power(&|place| mask[place].norm_sqr());
        let products = of_power(&|place| self.power[place]);
        let [nx, ny, nz] = self.transform.shape();
        let mut of_length: BTreeMap<u64, (f64, f64, usize)> = BTreeMap::new();
        for place in 0..products.len() {
            let steps = [(place % nx, nx), (place / nx % ny, ny), (place / (nx * ny), nz)];
            let square: f64 = steps
                .iter()
                .zip(self.voxel_mm)
                .map(|((step, length), mm)| (wrapped(*step, *length) * mm).powi(2))
                .sum();
            let (length, n_pairs) = (square.sqrt(), pairs[place].round());
            if place == 0 || length > self.radius_mm || n_pairs < 9.0 {
                continue;
            }
            // lengths are the same to a micrometre
            let entry = of_length.entry((length * 1e3).round() as u64).or_insert((length, 0.0, 0));
            entry.1 += products[place] / ((n_pairs - 1.0) * self.frames.max(1) as f64);
            entry.2 += 1;
        }
        let means = of_length.into_values().map(|(length, sum, n)| (length, sum / n as f64));
        std::iter::once((0.0, 1.0)).chain(means).collect()
    }
}

impl MixedAcf {
    /// The autocorrelation at a distance.
    pub fn at(&self, r_mm: f64) -> f64 {
        self.a * (-0.5 * (r_mm / self.b_mm).powi(2)).exp() + (1.0 - self.a) * (-r_mm / self.c_mm).exp()
    }

    /// The distance at which it has fallen to `level`.
    pub fn falls_to(&self, level: f64) -> f64 {
        let mut reach = 0.1;
        while self.at(reach) > level && reach < 1e4 {
            reach *= 1.05;
        }
        reach
    }

    /// The model nearest to an autocorrelation by lengths of voxels `distances` apart, whose mean was taken off; of
    /// [`Distances::default`], the model of the autocorrelation as it stands. Least squares, by a simplex (Nelder & Mead 1965, doi
    /// 10.1093/comjnl/7.4.308) from several starts.
    ///
    /// Neither b nor c gets beyond the longest length: the mean of a frame takes all of what is the same at all lengths, so that any share of
    /// noise without end would do as well as none.
    pub fn fit(by_length: &[(f64, f64)], distances: &Distances) -> Option<Self> {
        let longest = by_length.last().map(|(length, _)| *length).filter(|length| *length > 0.0)?;
        let model = |p: &[f64; 3]| Self { a: p[0], b_mm: p[1].exp(), c_mm: p[2].exp() };
        let lengths = ((SHORTEST * longest).ln(), longest.ln());
        let bounds = [(0.0, 1.0), lengths, lengths];
        let inside = |p: &[f64; 3]| -> [f64; 3] { std::array::from_fn(|k| p[k].clamp(bounds[k].0, bounds[k].1)) };
        let cost = |p: &[f64; 3]| {
            let beyond: f64 =
                p.iter().zip(bounds).map(|(p, (low, high))| (p - high).max(0.0) + (low - p).max(0.0)).sum();
            let inside = inside(p);
            let own = model(&inside);
            let of_mean = distances.share_of_mean(&own).min(MOST_OF_MEAN);
            let expected = |r: f64| (own.at(r) - of_mean) / (1.0 - of_mean);
            let squares: f64 = by_length.iter().map(|(r, acf)| (expected(*r) - acf).powi(2)).sum();
            squares * (1.0 + beyond) + beyond
        };
        let mut best: Option<([f64; 3], f64)> = None;
        for a in [0.2, 0.5, 0.8] {
            for (b, c) in [(0.15, 0.3), (0.3, 0.15), (0.3, 0.6)] {
                let found = simplex(&cost, [a, (b * longest).ln(), (c * longest).ln()]);
                if best.is_none_or(|(_, cost)| found.1 < cost) {
                    best = Some(found);
                }
            }
        }
        best.map(|(p, _)| model(&inside(&p)))
    }
}

/// The minimum of a function of three numbers near a start, and its value.
fn simplex(cost: &dyn Fn(&[f64; 3]) -> f64, start: [f64; 3]) -> ([f64; 3], f64) {
    let mut corners: Vec<([f64; 3], f64)> = (0..4)
        .map(|corner| {
            let mut at = start;
            if corner > 0 {
                at[corner - 1] += 0.15;
            }
            (at, cost(&at))
        })
        .collect();
    for _ in 0..2000 {
        corners.sort_by(|a, b| a.1.total_cmp(&b.1));
        if corners[3].1 - corners[0].1 <= 1e-15 * corners[0].1.max(1e-12) {
            break;
        }
        let centre: [f64; 3] =
            std::array::from_fn(|k| corners[..3].iter().map(|corner| corner.0[k]).sum::<f64>() / 3.0);
        let worst = corners[3].0;
        let moved = |by: f64| {
            let at: [f64; 3] = std::array::from_fn(|k| centre[k] + by * (worst[k] - centre[k]));
            (at, cost(&at))
        };
        let reflected = moved(-1.0);
        if reflected.1 < corners[0].1 {
            let further = moved(-2.0);
            corners[3] = if further.1 < reflected.1 { further } else { reflected };
        } else if reflected.1 < corners[2].1 {
            corners[3] = reflected;
        } else {
            let inward = if reflected.1 < corners[3].1 { moved(-0.5) } else { moved(0.5) };
            if inward.1 < corners[3].1.min(reflected.1) {
                corners[3] = inward;
            } else {
                let best = corners[0].0;
                for corner in &mut corners[1..] {
                    corner.0 = std::array::from_fn(|k| best[k] + 0.5 * (corner.0[k] - best[k]));
                    corner.1 = cost(&corner.0);
                }
            }
        }
    }
    corners.sort_by(|a, b| a.1.total_cmp(&b.1));
    corners[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_pairs_are_those_counted_one_by_one() {
        let affine = [[2.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
        let grid = Grid { shape: [6, 5, 4], affine };
        let index: Vec<u32> = (7..113).filter(|voxel| voxel % 11 != 3).collect();
        let frames: Vec<Vec<f64>> = (1..4)
            .map(|frame| index.iter().map(|&voxel| f64::from(voxel * voxel * frame % 17 + voxel % 5)).collect())
            .collect();
        let mut found = Autocorrelation::new(&grid, &index, 6.5);
        for frame in &frames {
            found.add(frame);
        }
        let place = |voxel: u32| [voxel % 6, voxel / 6 % 5, voxel / 30].map(i64::from);
        for (length, acf) in found.by_length().into_iter().skip(1) {
            // of each offset the mean over its pairs, then over offsets
            let mut of_offset: BTreeMap<[i64; 3], (f64, f64)> = BTreeMap::new();
            for frame in &frames {
                let n = frame.len() as f64;
                let mean = frame.iter().sum::<f64>() / n;
                let variance = frame.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
                for (a, &voxel) in index.iter().enumerate() {
                    for (b, &other) in index.iter().enumerate() {
                        let (from, to) = (place(voxel), place(other));
                        let offset = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
                        let mm = [2.0, 3.0, 4.0];
                        let square: f64 = (0..3).map(|axis| (offset[axis] as f64 * mm[axis]).powi(2)).sum();
                        if (square.sqrt() - length).abs() < 1e-9 {
                            let entry = of_offset.entry(offset).or_default();
                            entry.0 += (frame[a] - mean) * (frame[b] - mean) / variance;
                            entry.1 += 1.0;
                        }
                    }
                }
            }
            let n_frames = frames.len() as f64;
            let means: Vec<f64> =
                of_offset.values().filter(|(_, n)| n / n_frames >= 9.0).map(|(sum, n)| sum / (n - n_frames)).collect();
            let expected = means.iter().sum::<f64>() / means.len() as f64;
            assert!((acf - expected).abs() < 1e-12, "at {length}: {acf}, not {expected}");
        }
    }

    #[test]
    fn a_mixture_is_found_again() {
        for model in [MixedAcf { a: 0.6, b_mm: 3.0, c_mm: 8.0 }, MixedAcf { a: 0.35, b_mm: 2.0, c_mm: 12.0 }] {
            let by_length: Vec<(f64, f64)> = (0..40).map(|k| f64::from(k) * 0.5).map(|r| (r, model.at(r))).collect();
            let found = MixedAcf::fit(&by_length, &Distances::default()).unwrap();
            for (found, expected) in [(found.a, model.a), (found.b_mm, model.b_mm), (found.c_mm, model.c_mm)] {
                assert!((found / expected - 1.0).abs() < 1e-4, "{found:?}, not {model:?}");
            }
            let reach = model.falls_to(0.01);
            assert!(model.at(reach) <= 0.01 && model.at(reach / 1.1) > 0.01);
        }
        assert_eq!(MixedAcf::fit(&[(0.0, 1.0)], &Distances::default()), None);
    }

    /// What is the same at all distances is taken with the mean: a share of noise without end would be as good as none.
    #[test]
    fn noise_without_end_is_not_found_where_there_is_none() {
        let affine = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
        let grid = Grid { shape: [16; 3], affine };
        let index: Vec<u32> = (0..16_u32.pow(3)).collect();
        let distances = Distances::new(&grid, &index);
        let model = MixedAcf { a: 1.0, b_mm: 2.4, c_mm: 1.0 };
        let of_mean = distances.share_of_mean(&model);
        let mean_mm = distances.shares.iter().map(|(distance, share)| distance * share).sum::<f64>();
        // by chance it falls a little between near and far, as the end of something long does
        for slope in [0.0, 1e-3, 3e-3] {
            let long = |r: f64| if r == 0.0 { 0.0 } else { slope * (mean_mm - r) };
            let left = |r: f64| (model.at(r) - of_mean) / (1.0 - of_mean) + long(r);
            let by_length: Vec<(f64, f64)> = (0..48).map(|k| f64::from(k) * 0.25).map(|r| (r, left(r))).collect();
            let found = MixedAcf::fit(&by_length, &distances).unwrap();
            let share = distances.share_of_mean(&found);
            // without a bound 11 and 18 times as much
            assert!(share / of_mean < 1.5, "{slope}: {found:?} {share}, not {of_mean}");
        }
    }

    #[test]
    fn a_box_has_no_more_room_than_asked_for() {
        let affine = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
        let grid = Grid { shape: [20, 10, 1], affine };
        let index: Vec<u32> = (0..200).collect();
        assert_eq!(padded(&grid, &index, 3.0, 1).0, [fast_length(23), fast_length(13), 1]);
        assert_eq!(padded(&grid, &index, 1e12, 1).0, [40, 20, 1]);
    }

    /// The mean of 12 x 12 x 12 voxels takes a share of noise 6 mm wide, most of which is given back.
    #[test]
    fn what_the_mean_takes_is_given_back() {
        const SIDE: usize = 12;
        let affine = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
        let grid = Grid { shape: [SIDE; 3], affine };
        let index: Vec<u32> = (0..(SIDE * SIDE * SIDE) as u32).collect();
        let distances = Distances::new(&grid, &index);
        let model = MixedAcf { a: 0.8, b_mm: 2.5, c_mm: 3.0 };
        let place = |voxel: u32| place_in(grid.shape, voxel as usize).map(|at| at as f64);
        let far = |a: u32, b: u32| place(a).iter().zip(place(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let n = index.len() as f64;
        // rows of the covariance: of each voxel with the mean, and of the mean with itself
        let with_mean: Vec<f64> =
            index.iter().map(|&a| index.iter().map(|&b| model.at(far(a, b))).sum::<f64>() / n).collect();
        let of_mean = with_mean.iter().sum::<f64>() / n;
        // distances in steps of a quarter of a voxel
        assert!((distances.share_of_mean(&model) / of_mean - 1.0).abs() < 0.01, "{of_mean}");
        let mut lengths: BTreeMap<u64, (f64, f64, f64)> = BTreeMap::new();
        for &a in &index {
            for &b in &index {
                let length = far(a, b);
                if length <= 7.5 {
                    let left = model.at(length) - with_mean[a as usize] - with_mean[b as usize] + of_mean;
                    let entry = lengths.entry((length * 1e3).round() as u64).or_insert((length, 0.0, 0.0));
                    *entry = (length, entry.1 + left, entry.2 + 1.0);
                }
            }
        }
        let variance = lengths[&0].1 / lengths[&0].2;
        let by_length: Vec<(f64, f64)> = lengths.into_values().map(|(r, sum, n)| (r, sum / n / variance)).collect();
        let widest =
            |fit: MixedAcf| (3..8).map(|r| (fit.at(f64::from(r)) - model.at(f64::from(r))).abs()).fold(0.0, f64::max);
        let plain = widest(MixedAcf::fit(&by_length, &Distances::default()).unwrap());
        let found = widest(MixedAcf::fit(&by_length, &distances).unwrap());
        // a quarter is left: voxels at the edge, which far pairs are of, have less in common with the mean than those in the middle
        assert!(plain > 0.05 && found < 0.35 * plain, "{plain} {found}");
    }
}

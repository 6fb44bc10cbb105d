//! Noise of known smoothness: frames of a box, the t of their mean as z, and the residuals from it.

use boldly::config::PValueSides;
use boldly::inference::StudentT;
use boldly::inputs::Grid;
use boldly::signal::volume_fourier::VolumeFourier;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use realfft::num_complex::Complex32;

/// Voxels along each axis of the box that is analysed, and of the image that it is the middle of, as a brain is.
const SIDE: usize = 24;
const IMAGE: usize = SIDE + 2;

/// The image, in voxels of 1 mm.
pub fn grid() -> Grid {
    let affine = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
    Grid { shape: [IMAGE; 3], affine }
}

/// The voxels of the box.
pub fn index() -> Vec<u32> {
    let middle = 1..=SIDE;
    let planes = middle.clone().flat_map(|z| middle.clone().map(move |y| IMAGE * (y + IMAGE * z)));
    planes.flat_map(|row| middle.clone().map(move |x| (x + row) as u32)).collect()
}

/// A map without effect.
pub struct Map {
    pub z: Vec<f64>,
    /// In units of each voxel's standard deviation.
    pub residuals: Vec<Vec<f64>>,
}

/// White noise smoothed by a Gaussian.
pub struct SmoothNoise {
    pub n_frames: usize,
    /// Voxels along each axis of the periodic box that noise is cut from.
    period: usize,
    transform: VolumeFourier<f32>,
    amplitude: Vec<f32>,
}

struct Normals(Xoshiro256PlusPlus);

impl Normals {
    fn pair(&mut self) -> (f64, f64) {
        let mut uniform = || ((self.0.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let radius = (-2.0 * uniform().ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * uniform()).sin_cos();
        (radius * cosine, radius * sine)
    }
}

/// Independent standard normal values.
pub fn white(seed: u64, n: usize) -> Vec<f64> {
    let mut normals = Normals(Xoshiro256PlusPlus::seed_from_u64(seed));
    (0..n).map(|_| normals.pair().0).collect()
}

impl SmoothNoise {
    /// Of this full width at half maximum, voxels; 0: white.
    pub fn new(fwhm: f64, n_frames: usize) -> Self {
        // once around the box correlations are below 1e-4
        let period = if fwhm == 0.0 { SIDE } else { SIDE + 5 + 2 * fwhm.ceil() as usize };
        let transform = VolumeFourier::new([period; 3]);
        let sigma = fwhm / (8.0 * std::f64::consts::LN_2).sqrt();
        // of the kernel itself on voxels, not of its continuous form
        let line: Vec<f64> = (0..period)
            .map(|at| {
                let distance = at.min(period - at) as f64;
                if fwhm == 0.0 { f64::from(u8::from(at == 0)) } else { (-0.5 * (distance / sigma).powi(2)).exp() }
            })
            .collect();
        let of_frequency = |k: usize| -> f64 {
            let phase = |at: usize| std::f64::consts::TAU * (k * at % period) as f64 / period as f64;
            line.iter().enumerate().map(|(at, weight)| weight * phase(at).cos()).sum()
        };
        let of_axis: Vec<f64> = (0..period).map(of_frequency).collect();
        let at = |place: usize| {
            of_axis[place % period] * of_axis[place / period % period] * of_axis[place / (period * period)]
        };
        let power: f64 = (0..period.pow(3)).map(|place| at(place).powi(2)).sum();
        let amplitude = (0..period.pow(3)).map(|place| (at(place) / power.sqrt()) as f32).collect();
        Self { n_frames, period, transform, amplitude }
    }

    /// Degrees of freedom of the residuals.
    pub fn dof(&self) -> f64 {
        (self.n_frames - 1) as f64
    }

    /// The draw of this number.
    pub fn draw(&self, number: u64) -> Map {
        let mut normals = Normals(Xoshiro256PlusPlus::seed_from_u64(number));
        let mut frames: Vec<Vec<f64>> = Vec::new();
        let inside = |volume: &[Complex32], of: fn(&Complex32) -> f32| -> Vec<f64> {
            let place = |voxel: usize| {
                voxel % SIDE + self.period * (voxel / SIDE % SIDE + self.period * (voxel / (SIDE * SIDE)))
            };
            (0..SIDE.pow(3)).map(|voxel| f64::from(of(&volume[place(voxel)]))).collect()
        };
        while frames.len() < self.n_frames {
            let mut volume: Vec<Complex32> = self
                .amplitude
                .iter()
                .map(|amplitude| {
                    let (re, im) = normals.pair();
                    Complex32::new(re as f32 * amplitude, im as f32 * amplitude)
                })
                .collect();
            self.transform.inverse(&mut volume);
            frames.push(inside(&volume, |value| value.re));
            frames.push(inside(&volume, |value| value.im));
        }
        frames.truncate(self.n_frames); // they come in pairs
        let (n, dof) = (self.n_frames as f64, self.dof());
        let t = StudentT::new(dof, PValueSides::TwoSided, None);
        let mut z = vec![0.0; SIDE.pow(3)];
        for (voxel, z) in z.iter_mut().enumerate() {
            let mean = frames.iter().map(|frame| frame[voxel]).sum::<f64>() / n;
            let squares: f64 = frames.iter().map(|frame| (frame[voxel] - mean).powi(2)).sum();
            let deviation = (squares / dof).sqrt();
            for frame in &mut frames {
                frame[voxel] = (frame[voxel] - mean) / deviation;
            }
            *z = t.z(mean / (deviation / n.sqrt()));
        }
        Map { z, residuals: frames }
    }
}

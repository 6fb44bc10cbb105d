//! Smooth fields over space: declared blobs of waves for slowly varying quantities, and smoothed white noise.

use super::random::Stream;

/// Waves a field is made of.
const WAVES: usize = 4;

/// A smooth random field: the mean of a few plane cosines, between -1 and 1.
#[derive(Debug, Clone)]
pub(super) struct WaveField {
    /// Wave vectors (radians a mm) and phases.
    waves: [([f64; 3], f64); WAVES],
}

impl WaveField {
    /// A field whose wavelengths are between one and two times `scale_mm`.
    pub(super) fn new(stream: &mut Stream, scale_mm: f64) -> Self {
        let waves = std::array::from_fn(|_| {
            let direction: [f64; 3] = std::array::from_fn(|_| stream.normal());
            let length = libm::sqrt(direction.iter().map(|part| part * part).sum::<f64>()).max(1e-9);
            let wavelength_mm = scale_mm * (1.0 + stream.uniform());
            let vector = direction.map(|part| part / length * std::f64::consts::TAU / wavelength_mm);
            (vector, std::f64::consts::TAU * stream.uniform())
        });
        Self { waves }
    }

    /// The field at a point, mm.
    pub(super) fn at(&self, point_mm: [f64; 3]) -> f64 {
        let one = |(vector, phase): &([f64; 3], f64)| {
            libm::cos(vector[0] * point_mm[0] + vector[1] * point_mm[1] + vector[2] * point_mm[2] + phase)
        };
        self.waves.iter().map(one).sum::<f64>() / WAVES as f64
    }
}

/// Turns white noise on a grid into Gaussian-smoothed noise of exactly unit variance in every voxel.
#[derive(Debug, Clone)]
pub(super) struct UnitSmoother {
    shape: [usize; 3],
    /// Taps of each axis, from `-radius` to `radius`; a single 1 where there is nothing to smooth.
    kernels: [Vec<f32>; 3],
    /// Per axis and position: 1 / sqrt(sum of the squared taps that fall inside the grid).
    scales: [Vec<f32>; 3],
}

impl UnitSmoother {
    /// Gaussian of `fwhm_mm` (full width at half maximum) cut at four standard deviations; zero beyond the grid.
    pub(super) fn new(shape: [usize; 3], voxel_mm: [f64; 3], fwhm_mm: f64) -> Self {
        let sigma_mm = fwhm_mm / libm::sqrt(8.0 * std::f64::consts::LN_2);
        let kernels: [Vec<f32>; 3] = std::array::from_fn(|axis| {
            let sigma = sigma_mm / voxel_mm[axis];
            // taps beyond the grid never meet a value
            let radius = libm::ceil(4.0 * sigma).min(shape[axis] as f64 - 1.0) as i32;
            let tap = |at: i32| {
                if at == 0 { 1.0 } else { libm::exp(-0.5 * f64::from(at * at) / (sigma * sigma)) as f32 }
            };
            (-radius..=radius).map(tap).collect()
        });
        let scales = std::array::from_fn(|axis| {
            let radius = kernels[axis].len() / 2;
            let scale = |at: usize| {
                let inside = |tap: usize| (radius..shape[axis] + radius).contains(&(at + tap));
                let squares = kernels[axis].iter().enumerate().filter(|(tap, _)| inside(*tap));
                (1.0 / squares.map(|(_, &weight)| f64::from(weight) * f64::from(weight)).sum::<f64>().sqrt()) as f32
            };
            (0..shape[axis]).map(scale).collect()
        });
        Self { shape, kernels, scales }
    }

    /// Factor that gives the smoothed value of voxel `at` (linear, axis 0 fastest) unit variance.
    pub(super) fn unit_scale(&self, at: usize) -> f32 {
        let [nx, ny, _] = self.shape;
        self.scales[0][at % nx] * self.scales[1][at / nx % ny] * self.scales[2][at / (nx * ny)]
    }

    /// Smooths `volume` in place, without [`unit_scale`](Self::unit_scale); `scratch` is as long.
    pub(super) fn smooth(&self, volume: &mut [f32], scratch: &mut [f32]) {
        let mut inner = 1;
        for axis in 0..3 {
            let kernel = &self.kernels[axis];
            if kernel.len() > 1 {
                let n = self.shape[axis];
                scratch.fill(0.0);
                for (from, to) in volume.chunks(n * inner).zip(scratch.chunks_mut(n * inner)) {
                    convolve_slab(from, to, n, inner, kernel);
                }
                volume.copy_from_slice(scratch);
            }
            inner *= self.shape[axis];
        }
    }
}

/// Adds to `to` the convolution of `from` along an axis of `n` positions, each a row of `inner` values.
fn convolve_slab(from: &[f32], to: &mut [f32], n: usize, inner: usize, kernel: &[f32]) {
    let radius = kernel.len() / 2;
    // row by row where rows are long, so that the target row stays in the cache; else the whole slab at once
    let rows_at_once = if inner == 1 { n } else { 1 };
    for first in (0..n).step_by(rows_at_once) {
        for (tap, &weight) in kernel.iter().enumerate() {
            // target rows `first..first + rows_at_once` take source rows shifted by `tap - radius`
            let low = first.max(radius.saturating_sub(tap));
            let high = (first + rows_at_once).min((n + radius).saturating_sub(tap));
            if low >= high {
                continue;
            }
            let source = &from[(low + tap - radius) * inner..(high + tap - radius) * inner];
            for (target, value) in to[low * inner..high * inner].iter_mut().zip(source) {
                *target += weight * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::random::Purpose;

    #[test]
    fn a_wave_field_stays_between_its_bounds_and_is_smooth() {
        let field = WaveField::new(&mut Stream::new(1, Purpose::Anatomy, &[]), 60.0);
        for step in 0..200 {
            let x = f64::from(step);
            let (here, near) = (field.at([x, 3.0, -x]), field.at([x + 0.5, 3.0, -x]));
            assert!(here.abs() <= 1.0);
            // slope at most 2 pi / 60 mm
            assert!((here - near).abs() <= 0.5 * std::f64::consts::TAU / 60.0 + 1e-12);
        }
    }

    #[test]
    fn smoothing_is_the_convolution_written_out() {
        let shape = [5, 4, 3];
        let smoother = UnitSmoother::new(shape, [3.0, 2.0, 4.0], 5.0);
        let mut volume = vec![0.0_f32; 60];
        Stream::new(2, Purpose::Innovation, &[]).fill_normal(&mut volume);
        let original = volume.clone();
        smoother.smooth(&mut volume, &mut vec![0.0; 60]);
        for (at, &smoothed) in volume.iter().enumerate() {
            let place = [at % 5, at / 5 % 4, at / 20];
            let mut expected = 0.0_f64;
            let mut squares = 0.0_f64;
            for (from, &value) in original.iter().enumerate() {
                let other = [from % 5, from / 5 % 4, from / 20];
                let weight: f64 = (0..3)
                    .map(|axis| {
                        let radius = smoother.kernels[axis].len() / 2;
                        let tap = (other[axis] + radius).wrapping_sub(place[axis]);
                        smoother.kernels[axis].get(tap).map_or(0.0, |&tap| f64::from(tap))
                    })
                    .product();
                expected += weight * f64::from(value);
                squares += weight * weight;
            }
            // f32 sums of a few hundred terms of size one
            assert!((f64::from(smoothed) - expected).abs() < 1e-4);
            assert!((f64::from(smoother.unit_scale(at)).powi(2) * squares - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn smoothed_noise_has_the_declared_width() {
        // the lag-one correlation of noise smoothed with a Gaussian of standard deviation s is exp(-d^2 / (4 s^2))
        let (shape, voxel_mm, fwhm_mm) = ([48, 48, 48], [2.0; 3], 6.0);
        let smoother = UnitSmoother::new(shape, voxel_mm, fwhm_mm);
        let mut volume = vec![0.0_f32; 48 * 48 * 48];
        Stream::new(5, Purpose::Innovation, &[]).fill_normal(&mut volume);
        smoother.smooth(&mut volume, &mut vec![0.0; 48 * 48 * 48]);
        for (at, value) in volume.iter_mut().enumerate() {
            *value *= smoother.unit_scale(at);
        }
        let sigma_mm = fwhm_mm / 2.354_820_045;
        let expected = (-4.0 / (4.0 * sigma_mm * sigma_mm)).exp();
        let (mut variance, mut products, mut n) = (0.0, [0.0; 3], 0.0);
        for z in 0..47 {
            for y in 0..47 {
                for x in 0..47 {
                    let at = x + 48 * (y + 48 * z);
                    let here = f64::from(volume[at]);
                    variance += here * here;
                    for (product, step) in products.iter_mut().zip([1, 48, 48 * 48]) {
                        *product += here * f64::from(volume[at + step]);
                    }
                    n += 1.0;
                }
            }
        }
        // independent resolution elements: about (94 mm)^3 / (sqrt(4 pi) s)^3 = 1130 voxel-sets, so the variance has
        // a standard error of sqrt(2 / 1130) = .04; the correlation, a ratio, much less
        assert!((variance / n - 1.0).abs() < 0.17, "{}", variance / n);
        for product in products {
            assert!((product / variance - expected).abs() < 0.02, "{} {expected}", product / variance);
        }
    }
}

//! Fourier transforms of periodic complex volumes, axis 0 fastest.
//!
//! Along each axis in turn; the crate `rustfft` is taken without its hand-written vector code, as in `convolution`.

use realfft::num_complex::Complex;
use rustfft::{Fft, FftNum, FftPlanner};
use std::fmt;
use std::sync::Arc;

/// The transforms of volumes of one shape.
pub struct VolumeFourier<T> {
    shape: [usize; 3],
    forward: [Arc<dyn Fft<T>>; 3],
    inverse: [Arc<dyn Fft<T>>; 3],
}

impl<T> fmt::Debug for VolumeFourier<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("VolumeFourier").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl<T: FftNum> VolumeFourier<T> {
    /// Of volumes of this shape.
    pub fn new(shape: [usize; 3]) -> Self {
        let mut planner = FftPlanner::new();
        Self {
            shape,
            forward: shape.map(|length| planner.plan_fft_forward(length)),
            inverse: shape.map(|length| planner.plan_fft_inverse(length)),
        }
    }

    /// The shape.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Voxels of a volume.
    pub fn n_voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// `sum over x of f(x) exp(-2 pi i k x / N)`, in place.
    pub fn forward(&self, volume: &mut [Complex<T>]) {
        self.along_axes(volume, &self.forward);
    }

    /// `sum over k of F(k) exp(+2 pi i k x / N)`, in place and not divided by the number of voxels.
    pub fn inverse(&self, volume: &mut [Complex<T>]) {
        self.along_axes(volume, &self.inverse);
    }

    fn along_axes(&self, volume: &mut [Complex<T>], transforms: &[Arc<dyn Fft<T>>; 3]) {
        let [nx, ny, nz] = self.shape;
        transforms[0].process(volume);
        let zero = Complex::new(T::zero(), T::zero());
        let mut lines = vec![zero; nx * ny.max(nz)];
        for plane in volume.chunks_exact_mut(nx * ny) {
            transpose(&mut lines[..nx * ny], nx, ny, |i, j| plane[i + nx * j]);
            transforms[1].process(&mut lines[..nx * ny]);
            for j in 0..ny {
                for i in 0..nx {
                    plane[i + nx * j] = lines[i * ny + j];
                }
            }
        }
        for j in 0..ny {
            transpose(&mut lines[..nx * nz], nx, nz, |i, k| volume[i + nx * (j + ny * k)]);
            transforms[2].process(&mut lines[..nx * nz]);
            for k in 0..nz {
                for i in 0..nx {
                    volume[i + nx * (j + ny * k)] = lines[i * nz + k];
                }
            }
        }
    }
}

fn transpose<T: Copy>(lines: &mut [T], n: usize, length: usize, at: impl Fn(usize, usize) -> T) {
    for j in 0..length {
        for i in 0..n {
            lines[i * length + j] = at(i, j);
        }
    }
}

/// The least length that is at least `length` and a product of 2, 3 and 5, along which transforms are fast.
pub fn fast_length(length: usize) -> usize {
    let is_fast = |mut n: usize| {
        for factor in [2, 3, 5] {
            while n.is_multiple_of(factor) {
                n /= factor;
            }
        }
        n == 1
    };
    // a power of 2 comes at the latest
    (length.max(1)..=length.max(1).next_power_of_two()).find(|n| is_fast(*n)).unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn the_transform_is_the_sum_it_stands_for_and_comes_back() {
        let shape = [4, 3, 5];
        let transform = VolumeFourier::<f64>::new(shape);
        let volume: Vec<Complex<f64>> =
            (0..60).map(|n| Complex::new(f64::from(n * 7 % 11), f64::from(n * 5 % 13))).collect();
        let mut found = volume.clone();
        transform.forward(&mut found);
        let place = |n: usize| [n % 4, n / 4 % 3, n / 12];
        for (k, found) in found.iter().enumerate() {
            let k = place(k);
            let mut expected = Complex::new(0.0, 0.0);
            for (x, value) in volume.iter().enumerate() {
                let x = place(x);
                let phase: f64 = (0..3).map(|axis| (k[axis] * x[axis]) as f64 / shape[axis] as f64).sum();
                expected += value * Complex::from_polar(1.0, -TAU * phase);
            }
            assert!((found - expected).norm() < 1e-10);
        }
        transform.inverse(&mut found);
        assert!(found.iter().zip(&volume).all(|(found, value)| (found / 60.0 - value).norm() < 1e-12));
    }

    #[test]
    fn fast_lengths_have_small_factors() {
        assert_eq!([1, 7, 11, 79, 97, 101].map(fast_length), [1, 8, 12, 80, 100, 108]);
    }
}

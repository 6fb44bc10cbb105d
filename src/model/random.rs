//! Random numbers of the draws: the same on every machine, from a seed that is the same for every column.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// A source of random numbers.
#[derive(Debug)]
pub(crate) struct Random {
    bits: Xoshiro256PlusPlus,
    /// The second of a pair of normal numbers.
    second: Option<f64>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random { bits: Xoshiro256PlusPlus::seed_from_u64(seed), second: None }
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.bits.next_u64() >> 12) as f64 + 0.5) * 2.0_f64.powi(-52)
    }

    /// Uniform whole number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Standard normal (Box & Muller 1958, doi 10.1214/aoms/1177706645).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(value) = self.second.take() {
            return value;
        }
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        let (sine, cosine) = libm::sincos(std::f64::consts::TAU * self.uniform());
        self.second = Some(radius * sine);
        radius * cosine
    }

    /// Gamma of unit scale (Marsaglia & Tsang 2000, doi 10.1145/358407.358414).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(self.uniform(), shape.recip());
            return boost * self.gamma(shape + 1.0);
        }
        let d = shape - 1.0 / 3.0;
        let c = (9.0 * d).sqrt().recip();
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            if libm::log(self.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Beta.
    pub(crate) fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }

    /// Normal with this mean and standard deviation, given that it is positive.
    pub(crate) fn positive_normal(&mut self, mean: f64, sd: f64) -> f64 {
        let low = -mean / sd;
        if low >= 0.5 {
            return mean + sd * self.tail(low);
        }
        loop {
            let x = self.normal();
            if x > low {
                return mean + sd * x;
            }
        }
    }

    /// Standard normal beyond `low > 0` (Robert 1995, doi 10.1007/BF00143942).
    fn tail(&mut self, low: f64) -> f64 {
        let rate = 0.5 * (low + (low * low + 4.0).sqrt());
        loop {
            let x = low - libm::log(self.uniform()) / rate;
            let gap = x - rate;
            if libm::log(self.uniform()) < -0.5 * gap * gap {
                return x;
            }
        }
    }
}

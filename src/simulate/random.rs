//! Seeded random numbers: one independent stream per item, the same on every machine and with any number of threads.
//!
//! Generator: xoshiro256++ (Blackman & Vigna 2021, doi 10.1145/3460772). Normal deviates: Box & Muller (1958, doi
//! 10.1214/aoms/1177706645) with `libm`'s logarithm and circle functions, so that their bits do not depend on the
//! platform's mathematics library.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// What a stream is for; streams of different purposes never meet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Anatomy = 1,
    NoiseLevel = 2,
    Autocorrelation = 3,
    Drift = 4,
    Motion = 5,
    MotionCoupling = 6,
    Schedule = 7,
    Innovation = 8,
    Background = 9,
    StationaryStart = 10,
    NeuralActivity = 11,
    SpikeTrain = 12,
    CalciumNoise = 13,
    BinarySeries = 14,
    SliceNoise = 15,
}

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream of one item, such as `[subject, run, frame]`.
    pub(super) fn new(seed: u64, purpose: Purpose, item: &[usize]) -> Self {
        let start = mix(seed ^ mix(purpose as u64));
        Self(Xoshiro256PlusPlus::seed_from_u64(item.iter().fold(start, |state, &part| mix(state ^ mix(part as u64)))))
    }

    /// Uniform on (0, 1].
    pub(super) fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        ((self.0.next_u64() >> 11) + 1) as f64 * STEP
    }

    /// Uniform on `0..n`; the bias is below `n / 2^32`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (((self.0.next_u64() >> 32) * n as u64) >> 32) as usize
    }

    /// Two independent standard normal deviates.
    pub(super) fn normal_pair(&mut self) -> (f64, f64) {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        let (sine, cosine) = libm::sincos(std::f64::consts::TAU * self.uniform());
        (radius * cosine, radius * sine)
    }

    /// Exponential of mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    /// One standard normal deviate.
    pub(super) fn normal(&mut self) -> f64 {
        self.normal_pair().0
    }

    /// Fills `out` with standard normal deviates.
    pub(super) fn fill_normal(&mut self, out: &mut [f32]) {
        for pair in out.chunks_mut(2) {
            let (first, second) = self.normal_pair();
            pair[0] = first as f32;
            if let Some(last) = pair.get_mut(1) {
                *last = second as f32;
            }
        }
    }

    /// Length of a two-dimensional normal vector of unit standard deviation per component (Rayleigh): the magnitude
    /// of complex noise where an image holds no signal.
    pub(super) fn rayleigh(&mut self) -> f64 {
        libm::sqrt(-2.0 * libm::log(self.uniform()))
    }

    /// Puts `items` into a random order (Fisher-Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

/// The finaliser of splitmix64: every bit of the input reaches every bit of the output.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_deviates_have_the_moments_of_the_normal_distribution() {
        let mut values = vec![0.0_f32; 200_001];
        Stream::new(7, Purpose::Innovation, &[0, 1, 2]).fill_normal(&mut values);
        let n = values.len() as f64;
        let moment = |power: i32| values.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / n;
        // standard errors: sqrt(1, 2, 15, 96) / sqrt(n); five of them
        let tolerance = |variance: f64| 5.0 * (variance / n).sqrt();
        assert!(moment(1).abs() < tolerance(1.0));
        assert!((moment(2) - 1.0).abs() < tolerance(2.0));
        assert!(moment(3).abs() < tolerance(15.0));
        assert!((moment(4) - 3.0).abs() < tolerance(96.0));
    }

    #[test]
    fn rayleigh_noise_has_mean_square_two() {
        let mut stream = Stream::new(7, Purpose::Background, &[]);
        let n = 100_000;
        let mean_square = (0..n).map(|_| stream.rayleigh().powi(2)).sum::<f64>() / f64::from(n);
        assert!((mean_square - 2.0).abs() < 5.0 * 2.0 / f64::from(n).sqrt(), "{mean_square}");
    }

    #[test]
    fn items_have_streams_of_their_own_and_the_same_each_time() {
        let first = |purpose, item: &[usize]| Stream::new(1, purpose, item).0.next_u64();
        assert_eq!(first(Purpose::Drift, &[0, 1]), first(Purpose::Drift, &[0, 1]));
        let all = [
            first(Purpose::Drift, &[0, 1]),
            first(Purpose::Drift, &[1, 0]),
            first(Purpose::Drift, &[0]),
            first(Purpose::Motion, &[0, 1]),
            Stream::new(2, Purpose::Drift, &[0, 1]).0.next_u64(),
        ];
        for (index, value) in all.iter().enumerate() {
            assert!(!all[..index].contains(value));
        }
    }

    #[test]
    fn a_shuffle_keeps_the_items_and_reaches_every_order() {
        let mut seen = std::collections::BTreeMap::new();
        let mut stream = Stream::new(3, Purpose::Schedule, &[]);
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            stream.shuffle(&mut items);
            *seen.entry(items).or_insert(0_u32) += 1;
        }
        assert_eq!(seen.len(), 6);
        // 1000 expected, standard deviation 29
        assert!(seen.values().all(|count| (855..1145).contains(count)), "{seen:?}");
    }
}

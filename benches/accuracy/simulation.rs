//! Series with known activity.

use boldly::signal::hrf::{Kernel, spm};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Length of a series, seconds.
const DURATION_S: f64 = 600.0;
/// Length of the response, seconds.
const RESPONSE_S: f64 = 32.0;

/// What neurons do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Twelve samples of height 1, anywhere but in the same place.
    Spikes,
    /// Six blocks of height 1, 12 to 30 s long; where they overlap they are one.
    Blocks,
    /// AR(1) with an autocorrelation of .8 after 2 s: nothing that a sparse method expects.
    Autoregressive,
}

/// How activity is seen.
#[derive(Debug, Clone, Copy)]
pub struct Recording {
    pub activity: Activity,
    /// Variance of the noiseless signal over that of the noise.
    pub snr: f64,
    /// Autocorrelation of the noise, a repetition time apart.
    pub rho: f64,
    pub tr_s: f64,
}

/// Activity and data of one draw, an entry a frame.
pub struct Draw {
    pub activity: Vec<f64>,
    pub data: Vec<f64>,
}

impl Recording {
    pub fn n_frames(&self) -> usize {
        (DURATION_S / self.tr_s).round() as usize
    }

    /// The response sampled at the repetition time, from an impulse on, its peak 1; later by `lag_s`.
    pub fn response(&self, lag_s: f64) -> Vec<f64> {
        let samples = (RESPONSE_S / self.tr_s).round() as usize;
        let values: Vec<f64> = (0..=samples).map(|k| spm().value(self.tr_s * k as f64 - lag_s)).collect();
        let peak = values.iter().copied().fold(0.0, f64::max);
        values.into_iter().map(|value| value / peak).collect()
    }

    /// Draw number `number`: activity from the first frame on, silence before.
    pub fn draw(&self, number: u64) -> Draw {
        let mut random = Random { generator: Xoshiro256PlusPlus::seed_from_u64(number), spare: None };
        let activity = self.activity(&mut random);
        let response = self.response(0.0);
        let at = |frame: usize| response.iter().zip(activity[..=frame].iter().rev()).map(|(h, s)| h * s).sum::<f64>();
        let mut data: Vec<f64> = (0..activity.len()).map(at).collect();
        let scale = (variance(&data) / self.snr).sqrt();
        let noise = random.autoregressive(self.rho, data.len());
        data.iter_mut().zip(noise).for_each(|(value, noise)| *value += scale * noise);
        Draw { activity, data }
    }

    fn activity(&self, random: &mut Random) -> Vec<f64> {
        let n = self.n_frames();
        let mut activity = vec![0.0; n];
        match self.activity {
            Activity::Spikes => {
                while activity.iter().sum::<f64>() < 12.0 {
                    activity[random.below(n)] = 1.0;
                }
            }
            Activity::Blocks => {
                let samples = |seconds: f64| (seconds / self.tr_s).round() as usize;
                let (shortest, longest) = (samples(12.0), samples(30.0));
                for _ in 0..6 {
                    let length = shortest + random.below(longest - shortest + 1);
                    let start = random.below(n - longest);
                    activity[start..start + length].fill(1.0);
                }
            }
            Activity::Autoregressive => activity = random.autoregressive(0.8_f64.powf(self.tr_s / 2.0), n),
        }
        activity
    }
}

pub fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n
}

struct Random {
    generator: Xoshiro256PlusPlus,
    spare: Option<f64>,
}

impl Random {
    fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    /// Standard normal, by Box and Muller's formula.
    fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        let angle = 2.0 * std::f64::consts::PI * self.uniform();
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// A stationary AR(1) process of unit variance.
    fn autoregressive(&mut self, rho: f64, n: usize) -> Vec<f64> {
        let innovation = (1.0 - rho * rho).sqrt();
        let mut value = self.normal();
        let step = |_| {
            let now = value;
            value = rho * now + innovation * self.normal();
            now
        };
        (0..n).map(step).collect()
    }
}

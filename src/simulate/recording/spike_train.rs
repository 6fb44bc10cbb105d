//! Spikes of a declared rate that keep a refractory distance.
//!
//! A spike comes with hazard `h(t)` once the refractory time T since the last one is over. The chance of no spike within
//! T before t is `1 - integral of r over (t - T, t)`, spikes in it being exclusive, so that
//! `h(t) = r(t) / (1 - integral of r over (max(0, t - T), t))` makes the rate exactly r. Times are drawn by thinning a
//! process of constant hazard (Lewis & Shedler 1979, doi 10.1002/nav.3800260304).

use super::rate::Rate;
use crate::simulate::random::{Purpose, Stream};

/// Decimals of spike times: they are rounded to them, so that what the table says is what happened.
pub(super) const TIME_DECIMALS: usize = 4;
/// Steps of rounded times a second.
const ROUNDED_HZ: f64 = 1e4;

/// Spike times of a unit, ascending, seconds.
pub(super) fn train(rate: &Rate, duration_s: f64, refractory_s: f64, seed: u64, unit: usize) -> Vec<f64> {
    rounded(exact(&mut Stream::new(seed, Purpose::SpikeTrain, &[unit]), rate, duration_s, refractory_s), duration_s)
}

/// The same from a stream, not rounded.
pub(super) fn exact(stream: &mut Stream, rate: &Rate, duration_s: f64, refractory_s: f64) -> Vec<f64> {
    let bound = rate.bound_hz() / (1.0 - rate.bound_hz() * refractory_s);
    let mut spikes = Vec::new();
    if bound <= 0.0 {
        return spikes;
    }
    let mut time_s = 0.0;
    loop {
        time_s += stream.exponential() / bound;
        if time_s >= duration_s {
            return spikes;
        }
        let before = rate.integral((time_s - refractory_s).max(0.0), time_s);
        if stream.uniform() * bound <= rate.at(time_s) / (1.0 - before) {
            spikes.push(time_s);
            time_s += refractory_s;
        }
    }
}

/// Times as the table holds them; of equal ones the first.
pub(super) fn rounded(mut spikes_s: Vec<f64>, duration_s: f64) -> Vec<f64> {
    for time_s in &mut spikes_s {
        *time_s = libm::round(*time_s * ROUNDED_HZ) / ROUNDED_HZ;
    }
    spikes_s.sort_by(f64::total_cmp);
    spikes_s.dedup();
    spikes_s.retain(|time_s| *time_s <= duration_s);
    spikes_s
}

#[cfg(test)]
mod tests {
    use super::super::rate::tests::varied;
    use super::*;

    #[test]
    fn spikes_come_at_the_declared_rate_whatever_the_refractory_time() {
        let (spikes, rate) = varied();
        for refractory_s in [0.0, spikes.refractory_s] {
            let trains: Vec<Vec<f64>> = (0..3000).map(|unit| train(&rate, 20.0, refractory_s, 3, unit)).collect();
            // start, a quiet stretch, up the flank of a response, its peak, everything
            for (from_s, to_s) in [(0.0, 0.01), (2.0, 2.5), (3.55, 3.6), (3.62, 3.68), (0.0, 20.0)] {
                let counts: Vec<f64> = trains
                    .iter()
                    .map(|train| train.iter().filter(|time_s| (from_s..to_s).contains(*time_s)).count() as f64)
                    .collect();
                let mean = counts.iter().sum::<f64>() / counts.len() as f64;
                let expected = rate.integral(from_s, to_s);
                // a count varies at most as a Poisson one: four standard errors of the mean of 3000, and rounding
                let tolerance = 4.0 * (expected / counts.len() as f64).sqrt() + 2.0 * 0.5e-4 * rate.bound_hz();
                assert!((mean - expected).abs() < tolerance, "{from_s} {to_s}: {mean} {expected} {tolerance}");
            }
        }
    }

    #[test]
    fn without_a_refractory_time_counts_are_poisson_and_with_one_no_interval_is_shorter() {
        let rate = Rate::constant(20.0);
        let counts: Vec<f64> = (0..4000).map(|unit| train(&rate, 2.0, 0.0, 5, unit).len() as f64).collect();
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64;
        // mean 40; variance of a sample variance: (mu4 - sigma^4) / n with mu4 = 40 + 3 * 40^2; four standard errors
        assert!((mean - 40.0).abs() < 4.0 * (40.0_f64 / 4000.0).sqrt(), "{mean}");
        assert!((variance - 40.0).abs() < 4.0 * ((40.0 + 2.0 * 1600.0) / 4000.0_f64).sqrt(), "{variance}");
        for unit in 0..20 {
            let spikes = train(&rate, 50.0, 0.01, 5, unit);
            assert!(spikes.len() > 800);
            // two roundings of half a step of .1 ms
            assert!(spikes.windows(2).all(|pair| pair[1] - pair[0] > 0.01 - 1.01e-4));
        }
    }

    #[test]
    fn a_silent_unit_and_times_beyond_the_end() {
        assert!(train(&Rate::constant(0.0), 10.0, 0.0, 1, 0).is_empty());
        assert_eq!(rounded(vec![0.30004, 0.1, 0.30001, 1.0001], 1.0), [0.1, 0.3]);
    }
}

//! Fluorescence of a cell: `F[t] = baseline + amplitude c[t] + noise`, c the response to its spikes.
//!
//! `c[t] = g1 c[t-1] + g2 c[t-2] + s[t] / peak` with s[t] the number of spikes since the frame before (Vogelstein et al.
//! 2010, doi 10.1152/jn.01073.2009; Friedrich et al. 2017, doi 10.1371/journal.pcbi.1005423). With `d = exp(-1 / (decay
//! frame_hz))` and r likewise of the rise, `g1 = d + r`, `g2 = -d r`, and a spike's transient is
//! `h[k] = (d^(k+1) - r^(k+1)) / (d - r)`; without a rise r = 0 and `h[k] = d^k`. `peak` is the largest h.

use super::rate::Rate;
use super::spec::{CalciumCellSpec, CalciumSpec};
use super::spike_train::{exact, rounded};
use crate::simulate::random::{Purpose, Stream};

/// Shortest time between two spikes of a cell, or between the beginnings of two bursts, seconds.
pub(super) const REFRACTORY_S: f64 = 1e-3;

/// What a cell did.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// When it spiked, ascending, seconds; after the last frame there is nothing to see of a spike, and none.
    pub(super) spikes_s: Vec<f64>,
    /// Response to its spikes, ΔF/F.
    pub(super) calcium: Vec<f64>,
    /// What was measured, ΔF/F.
    pub(super) observed: Vec<f64>,
}

/// When each frame was taken, seconds.
pub(super) fn frame_times_s(calcium: &CalciumSpec) -> Vec<f64> {
    let frames = libm::round(calcium.duration_s * calcium.frame_hz) as usize;
    (0..frames).map(|frame| frame as f64 / calcium.frame_hz).collect()
}

/// One cell of the recording.
pub(super) fn cell(calcium: &CalciumSpec, seed: u64, index: usize) -> Cell {
    let declared = &calcium.cells[index];
    let times_s = frame_times_s(calcium);
    let end_s = times_s.last().copied().unwrap_or_default();
    let spikes_s = spikes(declared, end_s, &mut Stream::new(seed, Purpose::SpikeTrain, &[index]));
    let mut counts = vec![0.0; times_s.len()];
    for time_s in &spikes_s {
        let frame = libm::ceil(time_s * calcium.frame_hz) as usize;
        if let Some(count) = counts.get_mut(frame) {
            *count += 1.0;
        }
    }
    let calcium = response(declared, calcium.frame_hz, &counts);
    let mut noise = Stream::new(seed, Purpose::CalciumNoise, &[index]);
    let observed = calcium.iter().map(|value| declared.baseline + value + declared.noise_sd * noise.normal()).collect();
    Cell { spikes_s, calcium, observed }
}

/// Spike times up to `end_s`.
fn spikes(cell: &CalciumCellSpec, end_s: f64, stream: &mut Stream) -> Vec<f64> {
    let bursts = exact(stream, &Rate::constant(cell.spikes_hz / cell.spikes_per_burst as f64), end_s, REFRACTORY_S);
    let mut all = Vec::new();
    for begin_s in bursts {
        let mut time_s = begin_s;
        all.push(time_s);
        for _ in 1..cell.spikes_per_burst {
            time_s += cell.burst_interval_s * stream.exponential();
            all.push(time_s);
        }
    }
    rounded(all, end_s)
}

/// The response to `counts` spikes a frame.
fn response(cell: &CalciumCellSpec, frame_hz: f64, counts: &[f64]) -> Vec<f64> {
    let factor = |constant_s: f64| if constant_s > 0.0 { libm::exp(-1.0 / (constant_s * frame_hz)) } else { 0.0 };
    let (decay, rise) = (factor(cell.decay_s), factor(cell.rise_s));
    let height = cell.amplitude / peak(decay, rise);
    let (mut last, mut before) = (0.0, 0.0);
    let mut next = |count: &f64| {
        let value = (decay + rise) * last - decay * rise * before + height * count;
        (before, last) = (last, value);
        value
    };
    counts.iter().map(&mut next).collect()
}

/// The largest value of a transient, which rises to it and then falls.
fn peak(decay: f64, rise: f64) -> f64 {
    let (mut before, mut value) = (0.0, 1.0);
    loop {
        let next = (decay + rise) * value - decay * rise * before;
        if next <= value {
            return value;
        }
        (before, value) = (value, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(rise_s: f64) -> CalciumSpec {
        let cell = CalciumCellSpec {
            name: "a".to_owned(),
            spikes_hz: 0.5,
            spikes_per_burst: 1,
            burst_interval_s: 0.03,
            rise_s,
            decay_s: 0.6,
            amplitude: 0.8,
            baseline: 0.3,
            noise_sd: 0.2,
        };
        CalciumSpec { duration_s: 60.0, frame_hz: 30.0, cells: vec![cell; 50] }
    }

    #[test]
    fn a_spike_makes_the_declared_transient() {
        for rise_s in [0.0, 0.1] {
            let calcium = declared(rise_s);
            let mut counts = vec![0.0; 90];
            (counts[10], counts[50]) = (1.0, 2.0);
            let found = response(&calcium.cells[0], 30.0, &counts);
            let d = (-1.0_f64 / (0.6 * 30.0)).exp();
            let r = if rise_s > 0.0 { (-1.0_f64 / (rise_s * 30.0)).exp() } else { 0.0 };
            let h = |k: i32| if k < 0 { 0.0 } else { (d.powi(k + 1) - r.powi(k + 1)) / (d - r) };
            let peak = (0..90).map(h).fold(0.0, f64::max);
            for (frame, value) in (0_i32..).zip(&found) {
                let expected = 0.8 * (h(frame - 10) + 2.0 * h(frame - 50)) / peak;
                // closed form against recursion: rounding, which the recursion carries on for 1 / (1 - d) = 18 frames
                assert!((value - expected).abs() < 1e-13, "{rise_s} {frame}: {value} {expected}");
            }
            let highest = found[..50].iter().copied().fold(0.0, f64::max);
            assert!((highest - 0.8).abs() < 1e-13, "{highest}");
        }
    }

    #[test]
    fn baseline_noise_and_rate_are_those_declared() {
        let calcium = declared(0.0);
        let cells: Vec<Cell> = (0..50).map(|index| cell(&calcium, 4, index)).collect();
        let n = 50.0 * 1800.0_f64;
        let noise: Vec<f64> =
            cells.iter().flat_map(|cell| cell.observed.iter().zip(&cell.calcium).map(|(f, c)| f - c - 0.3)).collect();
        let mean = noise.iter().sum::<f64>() / n;
        let variance = noise.iter().map(|value| value * value).sum::<f64>() / n;
        // four standard errors of the mean and variance of normal noise
        assert!(mean.abs() < 4.0 * 0.2 / n.sqrt(), "{mean}");
        assert!((variance / 0.04 - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "{variance}");
        let spikes = cells.iter().map(|cell| cell.spikes_s.len()).sum::<usize>() as f64;
        // Poisson: 50 cells for 59.97 s at .5 a second; four standard deviations
        assert!((spikes - 1499.2).abs() < 4.0 * 1499.2_f64.sqrt(), "{spikes}");
        // the first frame at or after a spike shows it
        let first = cells[0].spikes_s[0];
        let shown = cells[0].calcium.iter().position(|value| *value > 0.0).unwrap();
        let delay_s = shown as f64 / 30.0 - first;
        assert!((0.0..1.0 / 30.0).contains(&delay_s), "{delay_s}");
    }

    #[test]
    fn bursts_keep_the_mean_rate_and_are_bursts() {
        let mut calcium = declared(0.0);
        for cell in &mut calcium.cells {
            cell.spikes_per_burst = 5;
        }
        let trains: Vec<Vec<f64>> = (0..50).map(|index| cell(&calcium, 4, index).spikes_s).collect();
        let spikes = trains.iter().map(Vec::len).sum::<usize>() as f64;
        // 299.8 bursts of five; four standard deviations, and up to .12 s of a burst lost at the end of each recording
        assert!((spikes - 1499.2).abs() < 4.0 * 5.0 * 299.8_f64.sqrt() + 5.0, "{spikes}");
        let intervals: Vec<f64> =
            trains.iter().flat_map(|train| train.windows(2).map(|pair| pair[1] - pair[0])).collect();
        let short = intervals.iter().filter(|interval_s| **interval_s < 0.15).count() as f64;
        // four of five intervals are within bursts, of which exp(-5) are longer
        let share = short / intervals.len() as f64;
        assert!((share - 0.8).abs() < 0.05, "{share}");
    }
}

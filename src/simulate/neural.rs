//! Neural activity of a run that no events table tells of: spikes, blocks, or an autoregressive process.
//!
//! Activity a is constant over steps; the BOLD signal is its convolution with the response of
//! [`response`](super::response), `x(t) = integral of h(t - u) a(u) du`, at rest before the run.

use super::noise::RunItem;
use super::random::{Purpose, Stream};
use super::{NeuralKind, NeuralSpec, SimulationSpec};
use std::ops::RangeInclusive;

/// Fraction of a step that rounding of declared times may cost.
const ROUNDING: f64 = 1e-9;

/// Length of a step, seconds.
pub(super) fn step_s(spec: &SimulationSpec) -> f64 {
    spec.neural_step_s.unwrap_or(spec.tr_s)
}

/// Steps that cover a run.
pub(super) fn steps(spec: &SimulationSpec) -> usize {
    libm::ceil(spec.volumes as f64 * spec.tr_s / step_s(spec) - ROUNDING) as usize
}

/// Steps that a source's spikes or blocks and the gaps between them may take.
pub(super) fn most_steps(source: &NeuralSpec, step_s: f64) -> usize {
    let longest = *lengths(source, step_s).end();
    let gap = gap_steps(source, step_s);
    source.count.saturating_mul(longest.saturating_add(gap)).saturating_sub(gap)
}

/// Steps a spike or block takes.
fn lengths(source: &NeuralSpec, step_s: f64) -> RangeInclusive<usize> {
    let whole = |duration_s: f64| (libm::round(duration_s / step_s) as usize).max(1);
    match source.kind {
        NeuralKind::Blocks => whole(source.duration_s[0])..=whole(source.duration_s[1]),
        _ => 1..=1,
    }
}

fn gap_steps(source: &NeuralSpec, step_s: f64) -> usize {
    libm::ceil(source.gap_s / step_s - ROUNDING).max(0.0) as usize
}

/// Activity of one source in one run, a value a step.
pub(super) fn activity(spec: &SimulationSpec, item: RunItem, source: usize) -> Vec<f64> {
    let mut stream = Stream::new(spec.seed, Purpose::NeuralActivity, &[item.subject, item.run, source]);
    let (declared, step_s, steps) = (&spec.neural[source], step_s(spec), steps(spec));
    match declared.kind {
        NeuralKind::Spikes | NeuralKind::Blocks => {
            pulses(&mut stream, steps, declared.count, &lengths(declared, step_s), gap_steps(declared, step_s))
        }
        NeuralKind::Autoregressive => {
            let innovation = libm::sqrt(1.0 - declared.rho * declared.rho);
            let mut value = stream.normal();
            let mut next = || {
                let now = value;
                value = declared.rho * now + innovation * stream.normal();
                now
            };
            (0..steps).map(|_| next()).collect()
        }
    }
}

/// `count` pulses of height 1 in `n` samples, 0 between them: lengths are uniform within `lengths`, and all ways to share
/// what is free beyond the pulses and the least `gap` between them come from a uniform draw. They must fit.
pub(super) fn pulses(
    stream: &mut Stream,
    n: usize,
    count: usize,
    lengths: &RangeInclusive<usize>,
    gap: usize,
) -> Vec<f64> {
    let (shortest, longest) = (*lengths.start(), *lengths.end());
    let drawn: Vec<usize> = (0..count).map(|_| shortest + stream.below(longest - shortest + 1)).collect();
    let taken = drawn.iter().sum::<usize>() + gap * count.saturating_sub(1);
    let free = n.saturating_sub(taken);
    let mut offsets: Vec<usize> = (0..count).map(|_| stream.below(free + 1)).collect();
    offsets.sort_unstable();
    let mut values = vec![0.0; n];
    let mut before = 0;
    for (offset, length) in offsets.into_iter().zip(drawn) {
        values.iter_mut().skip(offset + before).take(length).for_each(|value| *value = 1.0);
        before += length + gap;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::fixture;

    fn source(kind: NeuralKind) -> NeuralSpec {
        NeuralSpec {
            name: "a".to_owned(),
            kind,
            count: 6,
            duration_s: [4.0, 9.0],
            gap_s: 3.0,
            rho: 0.7,
            blobs: Vec::new(),
        }
    }

    /// Lengths of the runs of equal values: (value, length).
    fn stretches(values: &[f64]) -> Vec<(f64, usize)> {
        values.chunk_by(|a, b| a == b).map(|chunk| (chunk[0], chunk.len())).collect()
    }

    #[test]
    fn spikes_and_blocks_have_the_declared_number_lengths_and_gaps() {
        let mut spec = fixture::small();
        spec.neural = vec![source(NeuralKind::Spikes), source(NeuralKind::Blocks)];
        spec.neural_step_s = Some(0.5);
        let mut blocks = Vec::new();
        for run in 0..200 {
            let item = RunItem { subject: 0, run };
            for (index, allowed) in [(0, 1..=1), (1, 8..=18)] {
                let values = activity(&spec, item, index);
                assert_eq!(values.len(), 240);
                let all = stretches(&values);
                let on: Vec<usize> = all.iter().filter(|part| part.0 == 1.0).map(|part| part.1).collect();
                assert_eq!(on.len(), 6);
                assert!(on.iter().all(|length| allowed.contains(length)), "{on:?}");
                let inner = &all[usize::from(all[0].0 == 0.0)..all.len() - usize::from(all[all.len() - 1].0 == 0.0)];
                assert!(inner.iter().all(|part| part.0 == 1.0 || part.1 >= 6), "{inner:?}");
                if index == 1 {
                    blocks.extend(on);
                }
            }
        }
        // uniform on 8 to 18: mean 13, standard deviation sqrt(10), 1200 of them; four standard errors
        let mean = blocks.iter().sum::<usize>() as f64 / blocks.len() as f64;
        assert!((mean - 13.0).abs() < 4.0 * (10.0_f64 / 1200.0).sqrt(), "{mean}");
        assert_eq!((blocks.iter().min(), blocks.iter().max()), (Some(&8), Some(&18)));
    }

    #[test]
    fn pulses_that_just_fit_fill_the_run_and_free_ones_reach_all_of_it() {
        let mut stream = Stream::new(1, Purpose::NeuralActivity, &[]);
        assert_eq!(pulses(&mut stream, 8, 3, &(2..=2), 1), [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
        let mut hits = [0_u32; 10];
        for _ in 0..10_000 {
            let values = pulses(&mut stream, 10, 1, &(1..=1), 0);
            hits[values.iter().position(|value| *value == 1.0).unwrap()] += 1;
        }
        // 1000 expected, standard deviation 30
        assert!(hits.iter().all(|hits| (850..1150).contains(hits)), "{hits:?}");
    }

    #[test]
    fn the_autoregressive_process_is_stationary_with_unit_variance() {
        let mut spec = fixture::small();
        spec.neural = vec![source(NeuralKind::Autoregressive)];
        let runs: Vec<Vec<f64>> = (0..2000).map(|run| activity(&spec, RunItem { subject: 1, run }, 0)).collect();
        let product = |a: usize, b: usize| runs.iter().map(|run| run[a] * run[b]).sum::<f64>() / runs.len() as f64;
        // runs are independent: four standard errors of a mean of products, of standard deviation at most sqrt(2)
        let tolerance = 4.0 * (2.0 / runs.len() as f64).sqrt();
        for (a, b, expected) in [(0, 0, 1.0), (59, 59, 1.0), (0, 1, 0.7), (30, 32, 0.49), (0, 40, 0.0)] {
            assert!((product(a, b) - expected).abs() < tolerance, "{a} {b} {}", product(a, b));
        }
    }

    #[test]
    fn sources_and_runs_have_activity_of_their_own() {
        let mut spec = fixture::small();
        spec.neural = vec![source(NeuralKind::Autoregressive), source(NeuralKind::Autoregressive)];
        let of = |run, index| activity(&spec, RunItem { subject: 0, run }, index);
        assert_eq!(of(0, 0), of(0, 0));
        assert_ne!(of(0, 0), of(0, 1));
        assert_ne!(of(0, 0), of(1, 0));
    }
}

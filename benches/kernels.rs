//! The kernels a run's time goes into, on the grid of MNI space at 2 mm, and the bounds of the machine they are held
//! against. `cargo bench --bench glm` has those of the model.
//!
//! `cargo bench --bench kernels [-- bounds]`
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[path = "kernels/bounds.rs"]
mod bounds;
#[path = "kernels/images.rs"]
mod images;

use boldly::error::{CancelToken, Diagnostics};
use boldly::inputs::{FrameSource, Grid, Support};
use boldly::preprocess::{PassPlan, Scratch, Smoother, gather, mean_volume};
use boldly::signal::gaussian::sigma_of_fwhm;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// The grid of MNI space at 2 mm.
const SHAPE: [usize; 3] = [91, 109, 91];
const N_FRAMES: usize = 60;

/// Frames that cost a copy to read, as from an uncompressed file in the page cache.
struct Held {
    frames: Vec<Vec<f32>>,
    at: usize,
}

impl FrameSource for Held {
    fn n_values(&self) -> usize {
        SHAPE.iter().product()
    }
    fn n_frames(&self) -> usize {
        N_FRAMES
    }
    fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics> {
        frame.copy_from_slice(&self.frames[self.at % self.frames.len()]);
        self.at += 1;
        Ok(())
    }
    fn skip_frame(&mut self) -> Result<(), Diagnostics> {
        self.at += 1;
        Ok(())
    }
}

fn volume(seed: u32) -> Vec<f32> {
    (0..SHAPE.iter().product::<usize>() as u32)
        .map(|at| 1000.0 + ((at ^ seed).wrapping_mul(2_654_435_761) >> 20) as f32 / 64.0)
        .collect()
}

/// An ellipsoid of 26 % of the grid, as a brain fills it.
fn support() -> Support {
    let inside = |at: usize| {
        let place = [at % SHAPE[0], at / SHAPE[0] % SHAPE[1], at / (SHAPE[0] * SHAPE[1])];
        (0..3).map(|axis| ((place[axis] as f64 + 0.5) / SHAPE[axis] as f64 - 0.5).powi(2)).sum::<f64>() < 0.157
    };
    let mask: Vec<bool> = (0..SHAPE.iter().product()).map(inside).collect();
    let affine = [[2.0, 0.0, 0.0, -90.0], [0.0, 2.0, 0.0, -126.0], [0.0, 0.0, 2.0, -72.0], [0.0, 0.0, 0.0, 1.0]];
    Support::from_mask(Grid { shape: SHAPE, affine }, &mask)
}

fn smoothing(criterion: &mut Criterion) {
    let smoother = Smoother::new(SHAPE, [sigma_of_fwhm(6.0) / 2.0; 3]);
    let Support::Voxels { index, .. } = support() else { return };
    let limited = smoother.clone().limited_to(&index);
    let original = volume(1);
    let mut frame = original.clone();
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("smooth 91x109x91 by 6 mm, one thread");
    group.throughput(Throughput::Bytes(4 * original.len() as u64));
    for (name, smoother) in [("whole volume", smoother), ("what a brain mask needs", limited)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                frame.copy_from_slice(&original);
                smoother.smooth(black_box(&mut frame), &mut scratch)
            });
        });
    }
    group.finish();
}

fn passes(criterion: &mut Criterion) {
    let frames: Vec<Vec<f32>> = (0..4).map(volume).collect();
    let smoother = Smoother::new(SHAPE, [sigma_of_fwhm(6.0) / 2.0; 3]);
    let mut source = Held { frames, at: 0 };
    let cancel = CancelToken::new();
    let mut group = criterion.benchmark_group(format!("{N_FRAMES} volumes"));
    group.sample_size(10).throughput(Throughput::Bytes((4 * N_FRAMES * source.n_values()) as u64));
    for (name, smoother) in [("gather", None), ("smooth and gather", Some(smoother))] {
        let plan = PassPlan { support: support(), discard: 0, smoother };
        group.bench_function(name, |bencher| {
            bencher.iter(|| gather(&mut source, &plan, &cancel).unwrap());
        });
    }
    group.bench_function("mean", |bencher| bencher.iter(|| mean_volume(&mut source, 0, &cancel).unwrap()));
    group.finish();
}

criterion_group!(benches, bounds::bounds, images::images, smoothing, passes);
criterion_main!(benches);

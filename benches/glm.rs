//! Time of a fit and of a contrast: 20 000 columns, 300 frames, 18 regressors; and of z from t, exact and tabulated.
//!
//! An element of a fit is a floating-point operation of the one product that it cannot do without, design by data; what
//! more AR(1) does counts as nothing. Fits are by one thread, to be held against the rate of such products:
//! `cargo bench --bench kernels -- bounds`.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/support/glm_data.rs"]
mod glm_data;

use boldly::config::{ContrastKind, FixedEffects, Noise, Numerics, Profile, Scaling};
use boldly::error::CancelToken;
use boldly::inference::{Reference, RunContrast, ZTable, contrast_statistics};
use boldly::model::fit_run;
use boldly::preprocess::{Scaler, TimeStatistics};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;

const FRAMES: usize = 300;
const COLUMNS: usize = 20_000;
const REGRESSORS: usize = 18;

fn glm(criterion: &mut Criterion) {
    let design = Array2::from_shape_fn((FRAMES, REGRESSORS), |(frame, column)| {
        ((frame as f64 + 0.5) * column as f64 * std::f64::consts::PI / FRAMES as f64).cos()
    });
    let design = glm_data::run_design(design, &[]);
    // deterministic noise around 1000: a linear congruence is random enough for a stopwatch
    let mut state = 1_u32;
    let data = Array2::from_shape_simple_fn((FRAMES, COLUMNS), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1000.0 + (state >> 8) as f32 / 1e6
    });
    let series = glm_data::series(&data);
    let kept: Vec<usize> = (0..FRAMES).collect();
    let cancel = CancelToken::new();
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut weights = Array2::zeros((1, REGRESSORS));
    weights[(0, 1)] = 1.0;
    let t = glm_data::contrast(ContrastKind::T, weights);
    let f = glm_data::contrast(ContrastKind::F, Array2::eye(REGRESSORS).slice_move(ndarray::s![1..5, ..]));
    let mut group = criterion.benchmark_group("glm");
    group.sample_size(10);
    for (name, profile) in [("native", Profile::Native), ("nilearn", Profile::Nilearn)] {
        let numerics = Numerics::of(profile);
        let scaler = Scaler::new(
            Scaling::VoxelMean,
            numerics.scaling_arithmetic,
            &TimeStatistics::of_series(&series, &kept).unwrap(),
            &[],
        )
        .unwrap();
        group.throughput(Throughput::Elements((2 * FRAMES * REGRESSORS * COLUMNS) as u64));
        let fit = |noise| thread.install(|| fit_run(&series, &scaler, &design, noise, &numerics, &cancel).unwrap());
        group.bench_function(format!("{name}/ols"), |bencher| bencher.iter(|| black_box(fit(Noise::Ols))));
        group.bench_function(format!("{name}/ar1"), |bencher| bencher.iter(|| black_box(fit(Noise::Ar1))));
        group.throughput(Throughput::Elements(COLUMNS as u64));
        let fitted = fit(Noise::Ar1);
        for (kind, contrast) in [("t", &t), ("F of 4 rows", &f)] {
            let runs = [RunContrast { fit: &fitted, contrast }];
            group.bench_function(format!("{name}/{kind}"), |bencher| {
                bencher.iter(|| contrast_statistics(&runs, FixedEffects::Mean, &numerics, &cancel).unwrap());
            });
        }
    }
    group.finish();
}

fn tails(criterion: &mut Criterion) {
    let numerics = Numerics::of(Profile::Nilearn);
    // one thread; t as in a map, mostly within 3 and up to 20
    let t: Vec<f64> = (0..COLUMNS).map(|at| ((at as f64 + 0.5) / COLUMNS as f64 * 2.0 - 1.0).powi(3) * 20.0).collect();
    let f: Vec<f64> = t.iter().map(|t| t * t).collect();
    let mut group = criterion.benchmark_group("t -> z");
    group.throughput(Throughput::Elements(COLUMNS as u64));
    for (name, kind, statistics) in [("t", ContrastKind::T, &t), ("F of 4 rows", ContrastKind::F, &f)] {
        let reference = Reference::new(kind, 4, 281.0, &numerics);
        let table = ZTable::new(reference);
        group.bench_function(format!("{name}/exact"), |bencher| {
            bencher.iter(|| statistics.iter().map(|stat| reference.z(*stat)).sum::<f64>());
        });
        group.bench_function(format!("{name}/tabulated"), |bencher| {
            bencher.iter(|| statistics.iter().map(|stat| table.z(*stat)).sum::<f64>());
        });
        group.bench_function(format!("{name}/making the table"), |bencher| {
            bencher.iter(|| ZTable::new(black_box(reference)));
        });
    }
    group.finish();
}

criterion_group!(benches, glm, tails);
criterion_main!(benches);

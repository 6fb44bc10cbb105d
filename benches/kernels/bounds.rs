//! What the machine can do, for the kernels to be held against: memory bandwidth, and products in the shape of a fit.

use boldly::model::hold_blas_to_one_thread;
use criterion::{Criterion, Throughput};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, LinalgScalar};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// f64 values of each vector, 128 MiB: larger than any cache.
const N_VALUES: usize = 1 << 24;

/// Regressors, lagged or not, of AR(1) with 18; frames; columns of a block.
const PRODUCT: [usize; 3] = [36, 300, 2048];

pub(crate) fn bounds(criterion: &mut Criterion) {
    bandwidth(criterion);
    products(criterion);
}

/// Bytes that are read and written, not those fetched because they will be overwritten (as STREAM counts them).
fn bandwidth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bounds/memory");
    group.sample_size(20);
    let (b, c) = (vec![1.5; N_VALUES], vec![2.5; N_VALUES]);
    let mut a = vec![0.0; N_VALUES];
    for n_threads in [1, 2] {
        group.throughput(Throughput::Bytes(16 * N_VALUES as u64));
        group.bench_function(format!("copy, threads: {n_threads}"), |bencher| {
            bencher
                .iter_custom(|times| timed(times, || apart(n_threads, &mut a, &b, &c, |a, b, _| a.copy_from_slice(b))));
        });
        group.throughput(Throughput::Bytes(24 * N_VALUES as u64));
        group.bench_function(format!("triad, threads: {n_threads}"), |bencher| {
            bencher.iter_custom(|times| timed(times, || apart(n_threads, &mut a, &b, &c, triad)));
        });
    }
    black_box(&a);
    group.finish();
}

fn triad(a: &mut [f64], b: &[f64], c: &[f64]) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + 3.0 * c;
    }
}

fn timed(times: u64, mut work: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..times {
        work();
    }
    began.elapsed()
}

/// The vectors cut evenly among threads.
fn apart(n_threads: usize, a: &mut [f64], b: &[f64], c: &[f64], work: impl Fn(&mut [f64], &[f64], &[f64]) + Sync) {
    let part = N_VALUES / n_threads;
    std::thread::scope(|scope| {
        for ((a, b), c) in a.chunks_mut(part).zip(b.chunks(part)).zip(c.chunks(part)) {
            let work = &work;
            scope.spawn(move || work(a, b, c));
        }
    });
}

/// An element is a floating-point operation: a multiplication or an addition.
fn products(criterion: &mut Criterion) {
    hold_blas_to_one_thread();
    let mut group = criterion.benchmark_group("bounds/product 36x300 by 300x2048, one thread");
    group.throughput(Throughput::Elements(2 * PRODUCT.iter().product::<usize>() as u64));
    group.bench_function("dgemm", |bencher| product(bencher, 1.0_f64));
    group.bench_function("sgemm", |bencher| product(bencher, 1.0_f32));
    group.finish();
}

fn product<T: LinalgScalar>(bencher: &mut criterion::Bencher<'_>, one: T) {
    let [rows, inner, columns] = PRODUCT;
    let (left, right) = (Array2::from_elem((rows, inner), one), Array2::from_elem((inner, columns), one));
    let mut sums = Array2::zeros((rows, columns));
    bencher.iter(|| general_mat_mul(one, black_box(&left), &right, T::zero(), &mut sums));
}

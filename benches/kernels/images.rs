//! The ends of a run: a simulated BOLD image decoded, a map written.

use super::{support, volume};
use boldly::error::CancelToken;
use boldly::inputs::{FrameSource, NiftiFrames, Support};
use boldly::outputs::{Geometry, ImageDescription, Intent, write_map};
use boldly::preprocess::{Scratch, Smoother};
use boldly::signal::gaussian::sigma_of_fwhm;
use boldly::simulate::{load_spec, simulate};
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use flate2::bufread::GzDecoder;
use std::io::Read;
use std::path::Path;

const N_FRAMES: usize = 20;

pub(crate) fn images(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let specification = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/datasets/mni2mm.toml");
    let mut spec = load_spec(&specification).unwrap();
    spec.volumes = N_FRAMES;
    spec.conditions.clear();
    let out = folder.path().join("dataset");
    simulate(&spec, &out, &mut |_| (), &CancelToken::new()).unwrap();
    let image = out.join("sub-01/func/sub-01_task-objects_run-01_bold.nii.gz");
    let mut group = criterion.benchmark_group("image");
    group.sample_size(20);
    decoding(&mut group, &image);
    writing(&mut group, &image);
    group.finish();
}

/// Throughput is of the inflated bytes, 16 bits a voxel.
fn decoding(group: &mut BenchmarkGroup<'_, WallTime>, image: &Path) {
    let compressed = std::fs::read(image).unwrap();
    let mut frames = NiftiFrames::open(image).unwrap().0;
    let n_values = frames.n_values();
    group.throughput(Throughput::Bytes((2 * N_FRAMES * n_values) as u64));
    let mut buffer = vec![0; 1 << 18];
    group.bench_function("inflate", |bencher| {
        bencher.iter(|| {
            let mut decoder = GzDecoder::new(&compressed[..]);
            while decoder.read(&mut buffer).unwrap() > 0 {}
        });
    });
    let mut frame = vec![0.0; n_values];
    group.bench_function("decode: inflate, digest, numbers", |bencher| {
        bencher.iter(|| {
            frames = NiftiFrames::open(image).unwrap().0;
            for _ in 0..N_FRAMES {
                frames.next_frame(&mut frame).unwrap();
            }
        });
    });
}

/// Throughput is of the map before compression, 32 bits a voxel.
fn writing(group: &mut BenchmarkGroup<'_, WallTime>, image: &Path) {
    let header = NiftiFrames::open(image).unwrap().0.header().clone();
    let geometry = Geometry { raw: header.raw, grid: header.grid };
    let support = support();
    let Support::Voxels { index, .. } = &support else { return };
    let mut smooth = volume(1);
    Smoother::new(geometry.grid.shape, [sigma_of_fwhm(6.0) / 2.0; 3]).smooth(&mut smooth, &mut Scratch::default());
    let values: Vec<f64> = index.iter().map(|&at| f64::from(smooth[at as usize] - 1032.0)).collect();
    let description = ImageDescription {
        intent: Intent::Zscore,
        intent_name: String::new(),
        description: String::new(),
        compression_level: 1,
    };
    group.throughput(Throughput::Bytes(4 * geometry.grid.n_voxels() as u64));
    group.bench_function("write a map", |bencher| {
        bencher.iter(|| write_map(Vec::new(), &geometry, &support, &description, &values).unwrap());
    });
}

use super::*;
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::Grid;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Frames from a formula, with what can go wrong.
struct Formula {
    n_values: usize,
    n_frames: usize,
    at: usize,
    holes: Vec<(usize, usize)>,
    constant: Vec<usize>,
    breaks_at: Option<usize>,
    panics_at: Option<usize>,
    read: std::sync::Arc<AtomicUsize>,
}

impl Formula {
    fn new(n_values: usize, n_frames: usize) -> Self {
        Self {
            n_values,
            n_frames,
            at: 0,
            holes: Vec::new(),
            constant: Vec::new(),
            breaks_at: None,
            panics_at: None,
            read: std::sync::Arc::default(),
        }
    }

    fn value(&self, frame: usize, at: usize) -> f32 {
        if self.holes.contains(&(frame, at)) {
            return f32::NAN;
        }
        let time = if self.constant.contains(&at) { 0 } else { frame };
        let mixed = ((at * 31 + time * 7919) as u32).wrapping_mul(2_654_435_761) >> 16;
        900.0 + at as f32 % 97.0 + mixed as f32 / 1024.0
    }
}

impl FrameSource for Formula {
    fn n_values(&self) -> usize {
        self.n_values
    }
    fn n_frames(&self) -> usize {
        self.n_frames
    }
    fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics> {
        assert!(self.panics_at != Some(self.at), "a bug in the reader");
        if self.breaks_at == Some(self.at) {
            return Err(Diagnostic::error("frame-truncated", "the file ends early").into());
        }
        for (at, value) in frame.iter_mut().enumerate() {
            *value = self.value(self.at, at);
        }
        self.at += 1;
        self.read.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn skip_frame(&mut self) -> Result<(), Diagnostics> {
        self.at += 1;
        Ok(())
    }
}

const SHAPE: [usize; 3] = [21, 15, 11];

fn grid() -> Grid {
    let mut affine = [[0.0; 4]; 4];
    for (axis, row) in affine.iter_mut().enumerate() {
        row[axis] = if axis < 3 { 2.0 } else { 1.0 };
    }
    Grid { shape: SHAPE, affine }
}

/// Every third voxel of an ellipsoid, and one corner: rows with one voxel, rows with many, empty rows.
fn mask() -> Vec<bool> {
    (0..grid().n_voxels())
        .map(|at| {
            let place = [at % 21, at / 21 % 15, at / 315];
            let radius: f64 = (0..3).map(|axis| ((place[axis] as f64 + 0.5) / SHAPE[axis] as f64 - 0.5).powi(2)).sum();
            at == 0 || (radius < 0.15 && at % 3 != 1)
        })
        .collect()
}

fn plan(discard: usize, sigma: Option<[f64; 3]>, within: bool) -> PassPlan {
    let smoother = sigma
        .map(|sigma| if within { Smoother::within_mask(SHAPE, sigma, &mask()) } else { Smoother::new(SHAPE, sigma) });
    PassPlan { support: Support::from_mask(grid(), &mask()), discard, smoother }
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// All stored values, frame by frame.
fn values(series: &Series) -> Vec<f32> {
    (0..series.n_frames).flat_map(|frame| series.frame(frame).unwrap()).collect()
}

fn statistics(series: &Series) -> TimeStatistics {
    TimeStatistics::of_series(series, &(0..series.n_frames).collect::<Vec<_>>()).unwrap()
}

fn constant_columns(series: &Series) -> Vec<usize> {
    let constant = statistics(series).constant;
    (0..series.n_columns()).filter(|&column| constant[column]).collect()
}

fn index(support: &Support) -> &[u32] {
    let Support::Voxels { index, .. } = support else { panic!("a table") };
    index
}

#[test]
fn columns_are_the_frames_minus_the_first_kept_one() {
    let plan = plan(3, None, false);
    let source = || Formula::new(grid().n_voxels(), 20);
    let (series, report) = gather(&mut source(), &plan, &CancelToken::new()).unwrap();
    assert_eq!((series.n_frames, series.support.clone()), (17, plan.support.clone()));
    let (values, mean) = (values(&series), statistics(&series).mean);
    for (column, voxel) in index(&plan.support).iter().enumerate() {
        let of = |frame: usize| source().value(frame + 3, *voxel as usize);
        assert_eq!(series.first[column], of(0));
        let mut sum = 0.0;
        for frame in 0..17 {
            assert_eq!(values[frame * series.n_columns() + column], of(frame) - of(0));
            sum += f64::from(of(frame) - of(0));
        }
        assert_eq!(mean[column], f64::from(of(0)) + sum / 17.0);
    }
    assert_eq!(report, PassReport::default());
}

#[test]
fn sinks_get_chunks_on_a_fixed_grid_whatever_the_batches() {
    #[derive(Default, PartialEq, Debug)]
    struct Recorder {
        chunks: Vec<(usize, usize)>,
        bits: Vec<u32>,
    }
    impl FrameSink for Recorder {
        fn take(&mut self, first: usize, rows: &[f32]) -> Result<(), PassError> {
            self.chunks.push((first, rows.len()));
            self.bits.extend(rows.iter().map(|value| value.to_bits()));
            Ok(())
        }
    }
    let plan = plan(1, None, false);
    let (n_frames, n_columns) = (2 * CHUNK_FRAMES + 7, plan.support.n_columns());
    for threads in [1, 3] {
        let source = || Formula::new(grid().n_voxels(), n_frames + 1);
        let mut recorder = Recorder::default();
        let (series, statistics) = pool(threads).install(|| {
            let statistics = pass(&mut source(), &plan, &mut [&mut recorder], &CancelToken::new()).unwrap().0;
            (gather(&mut source(), &plan, &CancelToken::new()).unwrap().0, statistics)
        });
        let lengths = [CHUNK_FRAMES, CHUNK_FRAMES, 7].map(|frames| frames * n_columns);
        assert_eq!(recorder.chunks, [0, CHUNK_FRAMES, 2 * CHUNK_FRAMES].into_iter().zip(lengths).collect::<Vec<_>>());
        assert_eq!(recorder.bits, values(&series).iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        assert_eq!(statistics, self::statistics(&series));
    }
}

#[test]
fn smoothed_columns_are_those_of_smoothed_volumes() {
    for within in [false, true] {
        let plan = plan(1, Some([1.06, 1.4, 0.7]), within);
        let (series, _) = gather(&mut Formula::new(grid().n_voxels(), 9), &plan, &CancelToken::new()).unwrap();
        let mut source = Formula::new(grid().n_voxels(), 9);
        source.skip_frame().unwrap();
        let mut scratch = Scratch::default();
        for frame in 0..8 {
            let mut volume = vec![0.0; grid().n_voxels()];
            source.next_frame(&mut volume).unwrap();
            plan.smoother.as_ref().unwrap().smooth(&mut volume, &mut scratch);
            for (column, voxel) in index(&plan.support).iter().enumerate() {
                let found = f64::from(series.first[column]) + f64::from(series.frame(frame).unwrap()[column]);
                // `volume` and `first` are f32 sums of order 1000 over 3 x 8 samples: a few times 1000 x 2^-24 each
                assert!((found - f64::from(volume[*voxel as usize])).abs() < 1e-3, "within {within}");
            }
        }
    }
}

#[test]
fn what_is_not_finite_or_never_changes_is_listed() {
    let plan = plan(2, None, false);
    let index = index(&plan.support);
    let mut source = Formula::new(grid().n_voxels(), 12);
    source.holes = vec![(2, index[5] as usize), (7, index[5] as usize), (9, index[0] as usize), (1, index[8] as usize)];
    source.holes.push((5, 1)); // outside the mask
    source.constant = vec![index[1] as usize, index[20] as usize];
    let (series, report) = gather(&mut source, &plan, &CancelToken::new()).unwrap();
    assert_eq!(report.n_non_finite, 3);
    assert_eq!(report.non_finite_columns, [0, 5]);
    assert_eq!(constant_columns(&series), [1, 20]);
    assert!(values(&series).iter().all(|value| value.is_finite()));
    assert_eq!(series.first[5], 0.0);
}

#[test]
fn smoothing_counts_every_value_it_replaced_and_lists_the_columns() {
    let plan = plan(0, Some([1.0; 3]), false);
    let voxel = index(&plan.support)[30] as usize;
    let mut source = Formula::new(grid().n_voxels(), 6);
    source.holes = vec![(0, voxel), (4, voxel), (4, 1)]; // voxel 1 is beside the mask's corner
    source.constant = (0..grid().n_voxels()).collect();
    let (series, report) = gather(&mut source, &plan, &CancelToken::new()).unwrap();
    assert_eq!((report.n_non_finite, report.non_finite_columns), (3, vec![30]));
    assert!(values(&series).iter().all(|value| value.is_finite()));
    // constant but for the hole and what it was smoothed into
    let untouched = series.n_columns() - constant_columns(&series).len();
    assert!((2..400).contains(&untouched), "{untouched}");
}

#[test]
fn an_overflow_in_smoothing_is_listed() {
    struct Huge;
    impl FrameSource for Huge {
        fn n_values(&self) -> usize {
            8
        }
        fn n_frames(&self) -> usize {
            2
        }
        fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics> {
            frame.fill(f32::MAX);
            Ok(())
        }
        fn skip_frame(&mut self) -> Result<(), Diagnostics> {
            Ok(())
        }
    }
    let grid = Grid { shape: [8, 1, 1], ..grid() };
    let support = Support::from_mask(grid, &[true; 8]);
    let plan = PassPlan { support, discard: 0, smoother: Some(Smoother::new([8, 1, 1], [1.0; 3])) };
    let (_, report) = gather(&mut Huge, &plan, &CancelToken::new()).unwrap();
    assert_eq!(report.non_finite_columns.len(), 8);
}

#[test]
fn a_table_keeps_all_its_columns() {
    let names: Vec<String> = (0..6).map(|column| format!("region {column}")).collect();
    let plan = PassPlan { support: Support::Columns { names }, discard: 0, smoother: None };
    let (series, _) = gather(&mut Formula::new(6, 5), &plan, &CancelToken::new()).unwrap();
    let source = Formula::new(6, 5);
    assert_eq!(series.frame(4).unwrap()[3], source.value(4, 3) - source.value(0, 3));
}

#[test]
fn errors_of_the_file_come_through_and_stop_the_pass() {
    for threads in [1, 3] {
        let mut source = Formula::new(grid().n_voxels(), 50);
        source.breaks_at = Some(17);
        let result = pool(threads).install(|| gather(&mut source, &plan(2, None, false), &CancelToken::new()));
        let problems = Diagnostics::from(result.unwrap_err());
        assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["frame-truncated"]);
    }
}

#[test]
fn a_cancelled_pass_ends_without_reading_on() {
    let cancel = CancelToken::new();
    cancel.cancel();
    let mut source = Formula::new(grid().n_voxels(), 1000);
    let result = gather(&mut source, &plan(0, None, false), &cancel);
    assert!(matches!(result, Err(PassError::Cancelled(_))));
    assert_eq!(source.read.load(Ordering::Relaxed), 0);
}

#[test]
fn a_panic_in_the_reader_is_a_panic_of_the_pass_and_no_hang() {
    let mut source = Formula::new(grid().n_voxels(), 30);
    source.panics_at = Some(12);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        gather(&mut source, &plan(0, None, false), &CancelToken::new()).map(|_| ())
    }));
    assert!(caught.is_err());
}

#[test]
fn a_panic_on_the_way_ends_the_decoder() {
    let mut source = Formula::new(10, 1000);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for_each_batch(&mut source, 0, &CancelToken::new(), |first, _| {
            assert!(first < 5, "a bug in smoothing");
            Ok(())
        })
    }));
    assert!(caught.is_err());
}

#[test]
fn a_plan_for_another_grid_or_for_nothing_is_an_error() {
    let cancel = CancelToken::new();
    let result = gather(&mut Formula::new(100, 3), &plan(0, None, false), &cancel);
    assert!(matches!(result, Err(PassError::ValuesDiffer { expected: 3465, found: 100 })));
    let smoother = Some(Smoother::new([3, 3, 3], [1.0; 3]));
    let result = gather(&mut Formula::new(3465, 3), &PassPlan { smoother, ..plan(0, None, false) }, &cancel);
    assert!(matches!(result, Err(PassError::ValuesDiffer { expected: 27, found: 3465 })));
    let support = Support::from_mask(grid(), &vec![false; 3465]);
    let result = gather(&mut Formula::new(3465, 3), &PassPlan { support, ..plan(0, None, false) }, &cancel);
    assert!(matches!(result, Err(PassError::NoColumns)));
    let result = gather(&mut Formula::new(3465, 3), &plan(3, None, false), &cancel);
    assert!(matches!(result, Err(PassError::NoFrames { n_frames: 3, discard: 3 })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_number_of_threads_changes_no_byte(
        n_frames in 1_usize..14, discard in 0_usize..3, sigma in prop::option::of(0.3..1.8_f64), within in any::<bool>()
    ) {
        let plan = plan(discard, sigma.map(|sigma| [sigma, 1.2 * sigma, 0.8 * sigma]), within);
        let results: Vec<_> = [1, 2, 3]
            .map(|threads| {
                let mut source = Formula::new(grid().n_voxels(), n_frames + discard);
                source.holes = vec![(discard, 40), (discard + n_frames / 2, 1500)];
                let (series, report) = pool(threads).install(|| gather(&mut source, &plan, &CancelToken::new())).unwrap();
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                let mean: Vec<u64> = statistics(&series).mean.iter().map(|value| value.to_bits()).collect();
                (bits(&values(&series)), bits(&series.first), mean, report)
            })
            .into();
        prop_assert_eq!(&results[0], &results[1]);
        prop_assert_eq!(&results[0], &results[2]);
    }
}

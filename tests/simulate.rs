//! Simulated datasets: the declared truth is in the data, and the bytes depend on the specification alone.
#![allow(clippy::unwrap_used, clippy::panic)]

use boldly::error::CancelToken;
use boldly::inputs::read_spikes;
use boldly::simulate::{
    BlobShape, BlobSpec, ConditionSpec, DriftSpec, GridSpec, HeadSpec, ImageSpec, MotionSpec, NeuralKind, NeuralSpec,
    NoiseSpec, RoiSpec, ScheduleSpec, SimulationSpec, load_simulation, simulate,
};
use nifti::{IntoNdArray, NiftiObject, ReaderOptions};
use std::collections::BTreeMap;
use std::path::Path;

/// Two conditions with overlapping effects on about 2,000 brain voxels, all kinds of signal and noise.
fn specification() -> SimulationSpec {
    let blob = |x_mm: f64, percent| BlobSpec {
        shape: BlobShape::Gaussian,
        centre_mm: [x_mm, 0.0, 0.0],
        size_mm: 40.0,
        percent,
    };
    let condition = |name: &str, duration_s, x_mm, percent| ConditionSpec {
        name: name.to_owned(),
        events: 10,
        duration_s,
        blobs: vec![blob(x_mm, percent)],
    };
    SimulationSpec {
        name: "truth".to_owned(),
        task: "test".to_owned(),
        seed: 5,
        subjects: 1,
        runs: 1,
        volumes: 120,
        tr_s: 1.5,
        grid: GridSpec { shape: [18, 20, 16], voxel_mm: [5.0; 3], origin_mm: None },
        head: HeadSpec {
            radii_mm: [38.0, 42.0, 34.0],
            centre_mm: [0.0; 3],
            baseline: 10_000.0,
            tissue_contrast: 0.15,
            shading: 0.1,
            background_sd: 5.0,
        },
        noise: NoiseSpec {
            fwhm_mm: 0.0,
            sigma_percent: 1.0,
            sigma_variation: 0.3,
            rho: 0.4,
            rho_variation: 0.2,
            theta: 0.0,
        },
        drift: DriftSpec { percent: 2.0, shortest_period_s: 100.0 },
        motion: MotionSpec { translation_mm: 0.1, rotation_rad: 0.001, percent: 3.0, spikes: 1, spike_mm: 0.5 },
        schedule: ScheduleSpec { start_s: 4.0, gap_s: 3.0, jitter_s: 4.0 },
        conditions: vec![condition("face", 2.0, -15.0, 3.0), condition("house", 0.0, 15.0, -5.0)],
        neural: Vec::new(),
        neural_step_s: None,
        rois: vec![RoiSpec { name: "left".to_owned(), centre_mm: [-15.0, 0.0, 0.0], radius_mm: 12.0 }],
        image: ImageSpec { scl_slope: 0.5, scl_inter: 0.0, compression_level: 1 },
    }
}

fn make(spec: &SimulationSpec, out: &Path) {
    simulate(spec, out, &mut |_| {}, &CancelToken::new()).unwrap_or_else(|problems| panic!("{problems}"));
}

/// An image as (frame, voxel).
fn image(path: &Path) -> Vec<Vec<f64>> {
    let values = ReaderOptions::new().read_file(path).unwrap().into_volume().into_ndarray::<f64>().unwrap();
    let frames = values.shape().get(3).copied().unwrap_or(1);
    let flat: Vec<f64> = values.t().iter().copied().collect();
    flat.chunks(flat.len() / frames).map(<[f64]>::to_vec).collect()
}

/// Columns of a table, `n/a` as NaN.
fn columns(path: &Path) -> BTreeMap<String, Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let column = |at: usize| rows[1..].iter().map(|row| row[at].parse().unwrap_or(f64::NAN)).collect();
    rows[0].iter().enumerate().map(|(at, name)| ((*name).to_owned(), column(at))).collect()
}

/// Rows of the pseudo-inverse `(X'X)^-1 X'` of a full-rank matrix given by columns (Gauss-Jordan with pivoting).
fn pseudo_inverse(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let p = columns.len();
    let mut rows: Vec<(Vec<f64>, Vec<f64>)> =
        columns.iter().map(|a| (columns.iter().map(|b| dot(a, b)).collect(), a.clone())).collect();
    for at in 0..p {
        let pivot = (at..p).max_by(|&a, &b| rows[a].0[at].abs().total_cmp(&rows[b].0[at].abs())).unwrap();
        rows.swap(at, pivot);
        let (left, right) = rows[at].clone();
        for (other, row) in rows.iter_mut().enumerate() {
            let factor = if other == at { 1.0 - 1.0 / left[at] } else { row.0[at] / left[at] };
            row.0.iter_mut().zip(&left).for_each(|(value, pivot)| *value -= factor * pivot);
            row.1.iter_mut().zip(&right).for_each(|(value, pivot)| *value -= factor * pivot);
        }
    }
    rows.into_iter().map(|row| row.1).collect()
}

#[test]
fn least_squares_recovers_the_declared_effects_with_the_declared_error() {
    let spec = specification();
    let folder = tempfile::tempdir().unwrap();
    make(&spec, folder.path());
    let func = folder.path().join("sub-01/func");
    let truth = folder.path().join("truth");
    let data = image(&func.join("sub-01_task-test_run-01_bold.nii.gz"));
    let mask = image(&func.join("sub-01_task-test_desc-brain_mask.nii.gz")).remove(0);
    let [rho, sigma] = ["rho", "sigma"].map(|name| image(&truth.join(format!("{name}.nii.gz"))).remove(0));
    let effects = ["face", "house"].map(|name| image(&truth.join(format!("effect_{name}.nii.gz"))).remove(0));
    let regressors = columns(&truth.join("sub-01_task-test_run-01_regressors.tsv"));
    let confounds = columns(&func.join("sub-01_task-test_run-01_desc-confounds_timeseries.tsv"));

    // columns: two conditions, six of motion, the cosines of the drift, the constant
    let n = spec.volumes;
    let mut design = vec![regressors["face"].clone(), regressors["house"].clone()];
    let motion = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"];
    design.extend(motion.map(|name| {
        let largest = confounds[name].iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        confounds[name].iter().map(|value| value / largest).collect()
    }));
    let cosines = (2.0 * n as f64 * spec.tr_s / spec.drift.shortest_period_s).floor() as u32;
    assert_eq!(cosines, 3);
    design.extend(
        (0..=cosines).map(|k| {
            (0..n).map(|t| (std::f64::consts::PI * f64::from(k) * (t as f64 + 0.5) / n as f64).cos()).collect()
        }),
    );
    let estimators = pseudo_inverse(&design);

    for (condition, effect) in effects.iter().enumerate() {
        let weights = &estimators[condition];
        // variance of the estimate in units of sigma^2 under AR(1)
        let variance = |rho: f64| {
            let mut correlated = vec![0.0; n];
            let mut carried = 0.0;
            for (t, &weight) in weights.iter().enumerate() {
                correlated[t] = weight * (weight + 2.0 * carried);
                carried = rho * (carried + weight);
            }
            correlated.iter().sum::<f64>()
        };
        let scores: Vec<f64> = (0..mask.len())
            .filter(|&voxel| mask[voxel] == 1.0)
            .map(|voxel| {
                let mean = data.iter().map(|frame| frame[voxel]).sum::<f64>() / n as f64;
                let estimate: f64 = weights.iter().zip(&data).map(|(w, frame)| w * frame[voxel]).sum();
                let error = 100.0 * estimate / mean - effect[voxel];
                error / (sigma[voxel] * variance(rho[voxel]).sqrt())
            })
            .collect();
        // voxels are independent here; four standard errors of mean and variance of a standard normal. The mean of
        // the noise over the run (in the percent's denominator) changes an effect of 5 by less than .005 relative.
        let voxels = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / voxels;
        let square = scores.iter().map(|score| score * score).sum::<f64>() / voxels;
        assert!(voxels > 1500.0);
        assert!(mean.abs() < 4.0 / voxels.sqrt(), "condition {condition}: mean score {mean}");
        assert!((square - 1.0).abs() < 4.0 * (2.0 / voxels).sqrt(), "condition {condition}: mean square {square}");
        assert!(effect.iter().any(|value| value.abs() > 2.5));
    }
}

#[test]
fn the_tables_agree_with_the_images() {
    let spec = specification();
    let folder = tempfile::tempdir().unwrap();
    make(&spec, folder.path());
    let func = folder.path().join("sub-01/func");
    let data = image(&func.join("sub-01_task-test_run-01_bold.nii.gz"));
    let confounds = columns(&func.join("sub-01_task-test_run-01_desc-confounds_timeseries.tsv"));
    assert!(confounds["framewise_displacement"][0].is_nan() && confounds["std_dvars"][0].is_nan());
    // one volume is displaced by .5 mm along three axes, there and back
    assert!(confounds["framewise_displacement"].iter().filter(|fd| **fd > 1.0).count() >= 1);

    let table = columns(&func.join("sub-01_task-test_run-01_desc-roi_timeseries.tsv"));
    assert_eq!(table["left"].len(), spec.volumes);
    let centre_mm = |axis: usize, at: usize| (at as f64 - (spec.grid.shape[axis] as f64 - 1.0) / 2.0) * 5.0;
    let [nx, ny, _] = spec.grid.shape;
    let inside: Vec<usize> = (0..data[0].len())
        .filter(|at| {
            let [x, y, z] = [centre_mm(0, at % nx) + 15.0, centre_mm(1, at / nx % ny), centre_mm(2, at / (nx * ny))];
            (x * x + y * y + z * z).sqrt() <= 12.0
        })
        .collect();
    for (frame, &mean) in data.iter().zip(&table["left"]) {
        let expected = inside.iter().map(|&at| frame[at]).sum::<f64>() / inside.len() as f64;
        // four decimals in the table
        assert!((mean - expected).abs() < 1e-4, "{mean} {expected}");
    }
    let events = std::fs::read_to_string(func.join("sub-01_task-test_run-01_events.tsv")).unwrap();
    assert_eq!(events.lines().count(), 21);
}

/// Every file below a folder.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn assert_same_files(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in a {
        assert!(*bytes == b[name], "{name} differs");
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let mut spec = specification();
    spec.volumes = 90;
    spec.conditions.truncate(1);
    spec.noise.fwhm_mm = 8.0;
    let with = |threads| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| make(&spec, folder.path()));
        files(folder.path())
    };
    let one = with(1);
    assert_same_files(&one, &with(2));
    assert_same_files(&one, &with(3));
    spec.seed += 1;
    let folder = tempfile::tempdir().unwrap();
    make(&spec, folder.path());
    let name = "sub-01/func/sub-01_task-test_run-01_bold.nii.gz";
    assert!(one[name] != files(folder.path())[name]);
}

#[test]
fn the_sample_data_are_what_their_specifications_make() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data");
    for (specification, kept, largest) in [
        ("simulation", "dataset", 5_000_000),
        ("neural", "neural", 1_500_000),
        ("calcium", "calcium", 200_000),
        ("spikes", "spikes", 200_000),
        ("convolution", "convolution", 20_000),
    ] {
        let path = sample.join(format!("{specification}.toml"));
        let simulation = load_simulation(&path).unwrap_or_else(|problems| panic!("{problems}"));
        let folder = tempfile::tempdir().unwrap();
        let report = simulation.write(folder.path(), &mut |_| {}, &CancelToken::new());
        let report = report.unwrap_or_else(|problems| panic!("{problems}"));
        let kept = files(&sample.join(kept));
        assert_eq!(report.files.len(), kept.len());
        assert!(kept.values().map(Vec::len).sum::<usize>() < largest, "{specification}");
        assert_same_files(&files(folder.path()), &kept);
    }
}

#[test]
fn neural_activity_is_in_the_data_with_the_declared_amplitude() {
    let mut spec = specification();
    spec.conditions.clear();
    spec.drift.percent = 0.0;
    spec.motion.percent = 0.0;
    spec.noise.rho = 0.0;
    spec.noise.rho_variation = 0.0;
    spec.neural_step_s = Some(0.5);
    let source = |kind, x_mm: f64, percent| NeuralSpec {
        name: format!("{kind:?}").to_lowercase(),
        kind,
        count: 8,
        duration_s: [3.0, 9.0],
        gap_s: 5.0,
        rho: 0.9,
        blobs: vec![BlobSpec { shape: BlobShape::Gaussian, centre_mm: [x_mm, 0.0, 0.0], size_mm: 40.0, percent }],
    };
    let sources = [
        source(NeuralKind::Spikes, -15.0, 8.0),
        source(NeuralKind::Blocks, 15.0, 4.0),
        source(NeuralKind::Autoregressive, 0.0, -3.0),
    ];
    spec.neural = sources.to_vec();
    let folder = tempfile::tempdir().unwrap();
    make(&spec, folder.path());
    let (func, truth) = (folder.path().join("sub-01/func"), folder.path().join("truth"));
    let data = image(&func.join("sub-01_task-test_run-01_bold.nii.gz"));
    let mask = image(&func.join("sub-01_task-test_desc-brain_mask.nii.gz")).remove(0);
    let sigma = image(&truth.join("sigma.nii.gz")).remove(0);
    let activity = columns(&truth.join("sub-01_task-test_run-01_neural.tsv"));
    assert_eq!((activity["time_s"].len(), activity["time_s"][359]), (360, 179.5));
    assert_eq!(activity["spikes"].iter().sum::<f64>(), 8.0);
    let responses = columns(&truth.join("sub-01_task-test_run-01_neuralresponse.tsv"));
    let mut design: Vec<Vec<f64>> = sources.iter().map(|source| responses[&source.name].clone()).collect();
    design.push(vec![1.0; spec.volumes]);
    let estimators = pseudo_inverse(&design);
    for (source, weights) in sources.iter().zip(&estimators) {
        let loading = image(&truth.join(format!("neural_{}.nii.gz", source.name))).remove(0);
        let spread = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
        let scores: Vec<f64> = (0..mask.len())
            .filter(|&voxel| mask[voxel] == 1.0)
            .map(|voxel| {
                let mean = data.iter().map(|frame| frame[voxel]).sum::<f64>() / spec.volumes as f64;
                let estimate: f64 = weights.iter().zip(&data).map(|(w, frame)| w * frame[voxel]).sum();
                (100.0 * estimate / mean - loading[voxel]) / (sigma[voxel] * spread)
            })
            .collect();
        // as above: voxels are independent, four standard errors of mean and mean square of a standard normal
        let voxels = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / voxels;
        let square = scores.iter().map(|score| score * score).sum::<f64>() / voxels;
        assert!(mean.abs() < 4.0 / voxels.sqrt(), "{}: mean score {mean}", source.name);
        assert!((square - 1.0).abs() < 4.0 * (2.0 / voxels).sqrt(), "{}: mean square {square}", source.name);
        // amplitude over all voxels, as a multiple of the declared one: four standard errors, which are below a tenth
        let inside = || (0..mask.len()).filter(|&voxel| mask[voxel] == 1.0);
        let weight = |voxel: usize| loading[voxel] / (sigma[voxel] * spread);
        let information: f64 = inside().map(|voxel| weight(voxel) * weight(voxel)).sum();
        let excess = inside().zip(&scores).map(|(voxel, score)| weight(voxel) * score).sum::<f64>() / information;
        let tolerance = 4.0 / information.sqrt();
        assert!(tolerance < 0.1 && excess.abs() < tolerance, "{}: {excess} of {tolerance}", source.name);
    }
}

#[test]
fn the_calcium_traces_follow_from_their_spikes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/calcium");
    let spikes = folder.join("truth/sub-01_task-spontaneous_spikes.tsv");
    let (spikes, warnings) = read_spikes(&spikes, "time_s", Some("unit"), 60.0).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let truth = columns(&folder.join("truth/sub-01_task-spontaneous_desc-calcium_timeseries.tsv"));
    let observed = columns(&folder.join("sub-01_task-spontaneous_desc-dff_timeseries.tsv"));
    // rise and decay (seconds), amplitude, baseline, noise: what the specification declares
    let declared = [
        (0.0, 0.7, 1.0, 0.1, 0.15),
        (0.0, 1.0, 1.0, 0.3, 0.3),
        (0.1, 0.8, 1.0, 0.1, 0.15),
        (0.05, 0.6, 0.6, 0.2, 0.15),
    ];
    for (train, (rise_s, decay_s, amplitude, baseline, noise_sd)) in spikes.units.iter().zip(declared) {
        let factor = |constant_s: f64| if constant_s > 0.0 { (-1.0 / (constant_s * 30.0)).exp() } else { 0.0 };
        let (d, r): (f64, f64) = (factor(decay_s), factor(rise_s));
        let transient = |k: i32| (d.powi(k + 1) - r.powi(k + 1)) / (d - r);
        let peak = (0..100).map(transient).fold(0.0, f64::max);
        let firsts: Vec<i32> = train.times_s.iter().map(|time_s| (time_s * 30.0).ceil() as i32).collect();
        let trace = &truth[&train.unit];
        for (frame, value) in (0_i32..).zip(trace) {
            let sum: f64 = firsts.iter().filter(|first| **first <= frame).map(|first| transient(frame - first)).sum();
            // four decimals in the table
            assert!((value - amplitude * sum / peak).abs() < 0.51e-4, "{} frame {frame}", train.unit);
        }
        let noise: Vec<f64> = observed[&train.unit].iter().zip(trace).map(|(f, c)| f - c - baseline).collect();
        let n = noise.len() as f64;
        let (mean, square) = (noise.iter().sum::<f64>() / n, noise.iter().map(|value| value * value).sum::<f64>() / n);
        // four standard errors of mean and mean square of normal noise
        assert!(mean.abs() < 4.0 * noise_sd / n.sqrt(), "{}: {mean}", train.unit);
        assert!((square / (noise_sd * noise_sd) - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "{}: {square}", train.unit);
    }
    assert_eq!(spikes.units.len(), 4);
}

#[test]
fn spikes_are_as_many_as_the_rate_says_where_it_is_high_and_where_it_is_low() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/spikes");
    let table = folder.join("sub-01_task-stimulation_spikes.tsv");
    let (spikes, warnings) = read_spikes(&table, "time_s", Some("unit"), 120.0).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let rates = columns(&folder.join("truth/sub-01_task-stimulation_rate.tsv"));
    assert_eq!(spikes.units.len(), 3);
    for train in &spikes.units {
        assert!(train.times_s.windows(2).all(|pair| pair[1] - pair[0] > 0.0019), "{}", train.unit);
        let rate = &rates[&train.unit];
        let mut sorted = rate.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        for high in [true, false] {
            let steps: Vec<usize> =
                (0..2400).filter(|&step| (0.5 * (rate[step] + rate[step + 1]) > median) == high).collect();
            let expected: f64 = steps.iter().map(|&step| 0.05 * 0.5 * (rate[step] + rate[step + 1])).sum();
            let count = train.times_s.iter().filter(|time_s| steps.binary_search(&((*time_s * 20.0) as usize)).is_ok());
            // at most Poisson: four standard deviations; the trapezoidal rule is exact to far below a spike
            let difference = count.count() as f64 - expected;
            assert!(difference.abs() < 4.0 * expected.sqrt(), "{} {high}: {difference} of {expected}", train.unit);
        }
    }
}

#[test]
fn recordings_leave_other_datasets_alone_and_nothing_behind() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/spikes.toml");
    let simulation = load_simulation(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancelToken::new();
    cancel.cancel();
    let problems = simulation.write(folder.path(), &mut |_| {}, &cancel).unwrap_err().to_string();
    assert!(problems.contains("interrupted"), "{problems}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    simulation.write(folder.path(), &mut |_| {}, &CancelToken::new()).unwrap();
    let before = files(folder.path());
    let problems = simulation.write(folder.path(), &mut |_| {}, &CancelToken::new()).unwrap_err().to_string();
    assert!(problems.contains("error[simulation-output-exists]"), "{problems}");
    assert_same_files(&before, &files(folder.path()));
}

#[test]
fn a_folder_that_holds_a_dataset_is_left_alone() {
    let mut spec = specification();
    spec.volumes = 90;
    spec.conditions.truncate(1);
    let folder = tempfile::tempdir().unwrap();
    make(&spec, folder.path());
    let before = files(folder.path());
    let problems = simulate(&spec, folder.path(), &mut |_| {}, &CancelToken::new()).unwrap_err().to_string();
    assert!(problems.contains("error[simulation-output-exists]"), "{problems}");
    assert_same_files(&before, &files(folder.path()));
}

#[test]
fn what_fails_or_is_interrupted_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancelToken::new();
    let asked = cancel.clone();
    let mut progress = move |made: boldly::simulate::Progress| {
        if made.volumes_done == 20 {
            asked.cancel();
        }
    };
    let problems = simulate(&specification(), folder.path(), &mut progress, &cancel).unwrap_err().to_string();
    assert!(problems.contains("interrupted"), "{problems}");
    assert!(files(folder.path()).is_empty());

    let mut bright = specification();
    bright.head.baseline = 40_000.0;
    bright.image.scl_slope = 1.0;
    let problems = simulate(&bright, folder.path(), &mut |_| {}, &CancelToken::new()).unwrap_err().to_string();
    assert!(problems.contains("error[simulation-value-range]"), "{problems}");
    assert!(files(folder.path()).is_empty());

    let mut nowhere = specification();
    nowhere.rois[0].centre_mm = [500.0, 0.0, 0.0];
    let problems = simulate(&nowhere, folder.path(), &mut |_| {}, &CancelToken::new()).unwrap_err().to_string();
    assert!(problems.contains("error[simulation-region-empty]"), "{problems}");
}

//! The model and its statistics against nilearn 0.14.1 and AFNI on real data, on the references' own designs.
//!
//! Reads `refs` and `data` under `BOLDLY_TEST_DATA`, else `../shared`; says so and passes where neither exists.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

#[path = "support/glm_data.rs"]
mod glm_data;

use boldly::config::{Arma11Grid, ContrastKind, FixedEffects, Noise, Numerics, Profile, Scaling};
use boldly::design::{ContrastMatrix, RunDesign};
use boldly::error::CancelToken;
use boldly::inference::{RunContrast, StatMap, contrast_statistics};
use boldly::model::{NoiseField, Process, RunFit, fit_run, whiteness};
use boldly::preprocess::{Scaler, Series, TimeStatistics};
use ndarray::{Array2, Axis};
use nifti::{IntoNdArray, NiftiObject, ReaderOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn test_data() -> Option<PathBuf> {
    let stated = std::env::var_os("BOLDLY_TEST_DATA").map(PathBuf::from);
    let folder = stated.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    if folder.join("refs").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no reference data in {} (set BOLDLY_TEST_DATA)", folder.display());
    None
}

/// An image as volume x voxel, axis 0 of the grid fastest.
fn image(path: &Path) -> Array2<f64> {
    let object = ReaderOptions::new().read_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let array = object.into_volume().into_ndarray::<f64>().unwrap();
    let voxels: usize = array.shape()[..3].iter().product();
    let volumes = array.len() / voxels;
    let values: Vec<f64> = array.t().iter().copied().collect();
    Array2::from_shape_vec((volumes, voxels), values).unwrap()
}

fn in_mask(image: &Array2<f64>, mask: &[usize]) -> Array2<f64> {
    image.select(Axis(1), mask)
}

fn mask(path: &Path) -> Vec<usize> {
    let image = image(path);
    (0..image.ncols()).filter(|&voxel| image[(0, voxel)] > 0.0).collect()
}

/// A table of numbers with a header line.
fn table(path: &Path) -> Array2<f64> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let n_columns = reader.headers().unwrap().len();
    let cells: Vec<f64> = reader
        .records()
        .flat_map(|record| record.unwrap().iter().map(|cell| cell.parse().unwrap()).collect::<Vec<f64>>())
        .collect();
    Array2::from_shape_vec((cells.len() / n_columns, n_columns), cells).unwrap()
}

fn prepared(data: &Array2<f64>, design: &RunDesign, scaling: Scaling, numerics: &Numerics) -> (Series, Scaler) {
    let series = glm_data::series(&data.mapv(|value| value as f32));
    let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames()).unwrap();
    let scaler = Scaler::new(scaling, numerics.scaling_arithmetic, &statistics, &[]).unwrap();
    (series, scaler)
}

fn fit(data: &Array2<f64>, design: &RunDesign, noise: Noise, scaling: Scaling, numerics: &Numerics) -> RunFit {
    let (series, scaler) = prepared(data, design, scaling, numerics);
    fit_run(&series, &scaler, design, noise, numerics, &CancelToken::new()).unwrap()
}

fn statistics(fits: &[RunFit], contrast: &ContrastMatrix, method: FixedEffects, numerics: &Numerics) -> StatMap {
    let runs: Vec<RunContrast<'_>> = fits.iter().map(|fit| RunContrast { fit, contrast }).collect();
    contrast_statistics(&runs, method, numerics, &CancelToken::new()).unwrap()
}

/// Largest `|value - reference|` over what `allowed` grants the reference.
fn worst(value: &Array2<f64>, reference: &Array2<f64>, allowed: impl Fn(f64) -> f64) -> f64 {
    assert_eq!(value.dim(), reference.dim());
    value.iter().zip(reference).map(|(v, r)| (v - r).abs() / allowed(*r)).fold(0.0, |worst: f64, ratio| {
        assert!(!ratio.is_nan());
        worst.max(ratio)
    })
}

fn row(values: &[f64]) -> Array2<f64> {
    Array2::from_shape_vec((1, values.len()), values.to_vec()).unwrap()
}

/// One folder of nilearn's outputs; gives the number of maps compared.
fn compare_folder(
    folder: &Path,
    data: &[Array2<f64>],
    mask: &[usize],
    numerics: &Numerics,
    worsts: &mut BTreeMap<&'static str, f64>,
) -> usize {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let (ar1, raw) = (name.contains("_ar1"), name.ends_with("_raw"));
    let noise = if ar1 { Noise::Ar1 } else { Noise::Ols };
    let scaling = if raw { Scaling::None } else { Scaling::VoxelMean };
    let mut fits = Vec::new();
    for (run, data) in data.iter().enumerate() {
        let design = glm_data::run_design(table(&folder.join(format!("design_run{}.csv", run + 1))), &[]);
        let fit = fit(data, &design, noise, scaling, numerics);
        if ar1 {
            // every bin equal: the same f32 scaling, so no coefficient crosses an edge
            let reference = in_mask(&image(&folder.join(format!("ar1_run{}.nii.gz", run + 1))), mask);
            let rho = row(&fit.rho().unwrap());
            let flips = rho.iter().zip(&reference).filter(|(rho, reference)| (*rho - *reference).abs() > 1e-6).count();
            assert_eq!(flips, 0, "{}: bins of run {}", folder.display(), run + 1);
        } else {
            // its r2 is of unwhitened data only without whitening: there the definitions agree, to the f32 that its
            // variances of the data are summed in
            let reference = in_mask(&image(&folder.join(format!("r2_run{}.nii.gz", run + 1))), mask);
            assert!(worst(&row(&fit.r2), &reference, |_| 1e-5) < 1.0, "{}: r2", folder.display());
        }
        fits.push(fit);
    }
    let mut compared = 0;
    for contrast_name in ["house-face", "house", "F_conditions", "F_differences", "F_conditions_with_derivative"] {
        let weights = folder.join(format!("{contrast_name}_weights.csv"));
        if !weights.exists() {
            continue;
        }
        let kind = if contrast_name.starts_with('F') { ContrastKind::F } else { ContrastKind::T };
        let map = statistics(&fits, &glm_data::contrast(kind, table(&weights)), FixedEffects::Mean, numerics);
        let reference = |map: &str| in_mask(&image(&folder.join(format!("{contrast_name}_{map}.nii.gz"))), mask);
        // The promise is 1e-4 of t and z. The data enter both programs as the same numbers (integers, or rounded to
        // f32 by the same steps), so only rounding in f64 is left: of a baseline up to 1e4 times the effect.
        let exactness = 1e-5;
        let relative = |tolerance: f64| move |reference: f64| tolerance * exactness * reference.abs().max(1.0);
        let largest = |map: &Array2<f64>| map.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let (effect, variance) = (reference("effect"), reference("variance"));
        let near = |map: &Array2<f64>| {
            let floor = 1e-6 * largest(map);
            move |reference: f64| (1e-4 * reference.abs() + floor) * exactness
        };
        let checks = [
            ("effect", worst(&map.effect, &effect, near(&effect))),
            ("variance", worst(&map.variance, &variance, near(&variance))),
            ("stat", worst(&row(&map.stat), &reference("stat"), relative(1e-4))),
            ("z", worst(&row(&map.z), &reference("z"), relative(1e-4))),
            ("p", worst(&row(&map.p(numerics)), &reference("p"), |p| 1e-3 * exactness * p + 1e-300)),
        ];
        for (map, worst) in checks {
            assert!(worst < 1.0, "{} {contrast_name} {map}: {worst} of the tolerance", folder.display());
            let largest = worsts.entry(map).or_insert(0.0_f64);
            *largest = largest.max(worst);
            compared += 1;
        }
    }
    compared
}

#[test]
fn nilearn_on_haxby_both_grids_all_models() {
    let Some(root) = test_data() else { return };
    let numerics = Numerics::of(Profile::Nilearn);
    let (mut compared, mut worsts) = (0, BTreeMap::new());
    for grid in ["25mm", "1slice"] {
        let mask = mask(&root.join(format!("refs/mask_{grid}.nii.gz")));
        let runs: Vec<Array2<f64>> = (1..=3)
            .map(|run| {
                let name = format!("sub-01_task-objectviewing_run-{run:02}_desc-{grid}_bold.nii.gz");
                in_mask(&image(&root.join("data/haxby2001/sub-01/func").join(name)), &mask)
            })
            .collect();
        for (set, n_runs) in [("run1", 1), ("runs1-3", 3)] {
            let folder = root.join("refs").join(grid).join(set);
            let mut folders: Vec<PathBuf> =
                std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            folders.sort();
            assert_eq!(folders.len(), 10, "{}", folder.display());
            for folder in folders {
                compared += compare_folder(&folder, &runs[..n_runs], &mask, &numerics, &mut worsts);
            }
        }
    }
    println!("largest difference over 1e-5 of the promise: {worsts:.2?}");
    // 2 grids x 2 sets x (10 fits x 4 contrasts + 2 with derivatives) x 5 maps
    assert_eq!(compared, 2 * 2 * (10 * 4 + 2) * 5);
}

/// Data and design of one of AFNI's outputs.
struct AfniCase {
    folder: PathBuf,
    labels: serde_json::Value,
    mask: Vec<usize>,
    data: Array2<f64>,
    design: RunDesign,
}

const AFNI_CASES: [&str; 3] = ["haxby_1slice_run1", "haxby_1slice_run1_censored", "localizer_sub01"];

impl AfniCase {
    fn read(root: &Path, case: &str) -> Self {
        let localizer = "data/localizer/sub-01/func/sub-01_task-localizer_space-MNI";
        let (bold, mask_path) = if case.starts_with("haxby") {
            let haxby = "data/haxby2001/sub-01/func/sub-01_task-objectviewing_run-01_desc-1slice_bold.nii.gz";
            (haxby.to_owned(), "refs/mask_1slice.nii.gz".to_owned())
        } else {
            (format!("{localizer}_bold.nii.gz"), format!("{localizer}_mask.nii.gz"))
        };
        let folder = root.join("refs/afni").join(case);
        let labels: serde_json::Value =
            serde_json::from_reader(std::fs::File::open(folder.join("labels.json")).unwrap()).unwrap();
        let censored: Vec<usize> =
            labels["censored"].as_array().unwrap().iter().map(|frame| frame.as_u64().unwrap() as usize).collect();
        let mask = mask(&root.join(mask_path));
        let data = in_mask(&image(&root.join(bold)), &mask);
        let design = glm_data::run_design(table(&folder.join("design.csv")), &censored);
        Self { folder, labels, mask, data, design }
    }

    fn map(&self, name: &str) -> Array2<f64> {
        in_mask(&image(&self.folder.join(name)), &self.mask)
    }

    /// Volumes of t of the design's columns in a bucket, by column.
    fn t_volumes(&self, bucket: &str) -> Vec<(usize, usize)> {
        let labels = self.labels[bucket].as_array().unwrap().iter().enumerate();
        let t = labels.filter(|(_, label)| label.as_str().unwrap().ends_with("#0_Tstat"));
        // after them comes the general linear test, a sum of columns
        t.map(|(volume, _)| ((volume - 2) / 2, volume))
            .filter(|(column, _)| *column < self.design.n_columns())
            .collect()
    }
}

/// Ljung-Box statistics of some columns.
fn whiteness_of(case: &AfniCase, fit: &RunFit, columns: &[usize], lags: usize, numerics: &Numerics) -> Vec<f64> {
    let (series, scaler) = prepared(&case.data, &case.design, Scaling::None, numerics);
    let asked = (columns.to_vec(), lags);
    whiteness(fit, asked, (&series, &scaler), &case.design, numerics, &CancelToken::new()).unwrap().ljung_box
}

/// The likeliest ARMA(1,1) process of each voxel on AFNI's grid, and t under it.
#[test]
fn afni_arma11_by_reml_with_and_without_censoring() {
    let Some(root) = test_data() else { return };
    let numerics = Numerics { arma11_grid: Arma11Grid::AFNI, ..Numerics::of(Profile::Native) };
    for name in AFNI_CASES {
        let case = AfniCase::read(&root, name);
        let fit = fit(&case.data, &case.design, Noise::Arma11, Scaling::None, &numerics);
        let NoiseField::Classes { processes, index } = &fit.noise else { panic!("no processes") };
        let variance = case.map("rvar.nii.gz");
        let mut equal = Vec::new();
        for column in 0..fit.n_columns() {
            let Process::Arma11(process) = &processes[index[column] as usize] else { panic!("no ARMA process") };
            if (process.a - variance[(0, column)]).abs() < 1e-3 && (process.b - variance[(1, column)]).abs() < 1e-3 {
                equal.push(column);
                let deviation = (fit.sigma2[column] * process.variance()).sqrt();
                // of single precision, in which AFNI stores it
                assert!((deviation / variance[(3, column)] - 1.0).abs() < 1e-4, "{name}: standard deviation");
            }
        }
        let share = equal.len() as f64 / fit.n_columns() as f64;
        // of how many lags AFNI sums, it does not say: that which fits one voxel must fit all
        let first = variance[(5, equal[0])];
        let off = |lags: usize| (whiteness_of(&case, &fit, &equal[..1], lags, &numerics)[0] / first - 1.0).abs();
        let lags = (2..=60).min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap();
        let found = whiteness_of(&case, &fit, &equal, lags, &numerics);
        let ljung_box = |(&column, found): (&usize, &f64)| (found / variance[(5, column)] - 1.0).abs();
        let whiteness = equal.iter().zip(&found).map(ljung_box).fold(0.0, f64::max);
        let bucket = case.map("rbuck.nii.gz");
        let mut of_case = 0.0_f64;
        for (column, volume) in case.t_volumes("reml_bucket") {
            let weights =
                Array2::from_shape_fn((1, case.design.n_columns()), |(_, at)| f64::from(u8::from(at == column)));
            let contrast = glm_data::contrast(ContrastKind::T, weights);
            let map = statistics(std::slice::from_ref(&fit), &contrast, FixedEffects::Precision, &numerics);
            for &voxel in &equal {
                let difference = (map.stat[voxel] - bucket[(volume, voxel)]).abs();
                of_case = of_case.max(difference / map.stat[voxel].abs().max(1.0));
            }
        }
        println!(
            "{name}: (a, b) equal in {:.3} % of voxels, t there within {of_case:.1e} max(1, |t|), Ljung-Box of {lags} lags within {whiteness:.1e}",
            100.0 * share
        );
        assert!(share >= 0.99, "{name}: {share}");
        assert!(of_case < 1e-3, "{name}: {of_case}");
        // AFNI cuts correlations below 1e-4
        assert!(whiteness < 5e-3, "{name}: {whiteness}");
    }
}

#[test]
fn afni_ordinary_least_squares_with_and_without_censoring() {
    let Some(root) = test_data() else { return };
    let numerics = Numerics::of(Profile::Native);
    for name in AFNI_CASES {
        let case = AfniCase::read(&root, name);
        let fit = fit(&case.data, &case.design, Noise::Ols, Scaling::None, &numerics);
        let bucket = case.map("obuck.nii.gz");
        let design = &case.design;
        let (mut compared, mut of_case) = (0, 0.0_f64);
        for (column, volume) in case.t_volumes("ols_bucket") {
            let weights = Array2::from_shape_fn((1, design.n_columns()), |(_, at)| f64::from(u8::from(at == column)));
            let contrast = glm_data::contrast(ContrastKind::T, weights);
            let map = statistics(std::slice::from_ref(&fit), &contrast, FixedEffects::Precision, &numerics);
            let reference = bucket.index_axis(Axis(0), volume).insert_axis(Axis(0)).to_owned();
            // AFNI stores f32 and computes residuals in it where the constant is large
            let worst = worst(&row(&map.stat), &reference, |t| 1e-4 * t.abs().max(1.0));
            assert!(worst < 1.0, "{name} column {column}: {worst}");
            of_case = of_case.max(worst);
            compared += 1;
        }
        println!("{name}: t of {compared} columns within {:.1e} max(1, |t|) of AFNI's", 1e-4 * of_case);
        assert_eq!(compared, design.n_columns(), "{name}");
    }
}

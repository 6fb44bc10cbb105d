//! One covariance for the whole brain against SPM26's own output: `noise = "global-ar1"`.
//!
//! Reference data lie in `BOLDLY_TEST_DATA`, or in `../shared` beside the package; without them the test says so and passes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "docs/noise.md quotes what they measure")]

#[path = "support/glm_data.rs"]
mod glm_data;
mod support;

use boldly::config::{ContrastKind, FixedEffects, Noise, Numerics, Profile, Scaling};
use boldly::design::{ColumnRole, RunDesign};
use boldly::error::CancelToken;
use boldly::inference::{RunContrast, StatMap, contrast_statistics};
use boldly::model::{Autoregression, GlobalCovariance, NoiseField, Process, RunFit, fit_run, fit_run_under};
use boldly::preprocess::{Scaler, Series, TimeStatistics};
use ndarray::{Array2, Axis, concatenate, s};
use serde_json::Value;
use std::path::{Path, PathBuf};
use support::table;

const NUMERICS: Numerics = Numerics::of(Profile::Native);
const LOCALIZER: &str = "data/localizer/sub-01/func/sub-01_task-localizer_space-MNI_bold.nii.gz";
const HAXBY: &str = "data/haxby2001/sub-01/func/sub-01_task-objectviewing_run-01_desc-25mm_bold.nii.gz";

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn largest_difference<'a>(
    found: impl IntoIterator<Item = &'a f64>,
    expected: impl IntoIterator<Item = &'a f64>,
) -> f64 {
    found.into_iter().zip(expected).fold(0.0, |most: f64, (found, expected)| most.max((found - expected).abs()))
}

/// One of SPM's models with its data.
struct Case {
    folder: PathBuf,
    model: Value,
    inside: Vec<usize>,
    series: Series,
    design: Array2<f64>,
    drift: Array2<f64>,
}

impl Case {
    fn new(shared: &Path, name: &str, bold: &str) -> Self {
        let folder = shared.join("refs/spm").join(name);
        let mask = support::image(&folder.join("mask.nii.gz"));
        let inside: Vec<usize> = (0..mask.len()).filter(|&voxel| mask[voxel] > 0.0).collect();
        let values = support::image(&shared.join(bold));
        let data = Array2::from_shape_fn((values.len() / mask.len(), inside.len()), |(frame, column)| {
            values[frame * mask.len() + inside[column]] as f32
        });
        let model = serde_json::from_slice(&std::fs::read(folder.join("model.json")).unwrap()).unwrap();
        let (design, drift) = (table(&folder.join("X.tsv")), table(&folder.join("K_X0.tsv")));
        Self { series: glm_data::series(&data), folder, model, inside, design, drift }
    }

    /// SPM's columns, the last of them constant, and `drift`.
    fn run_design(&self, drift: &Array2<f64>, censored: &[usize]) -> RunDesign {
        let mut design = glm_data::run_design(concatenate![Axis(1), self.design, *drift], censored);
        let constant = self.design.ncols() - 1;
        design.roles[constant] = ColumnRole::Constant;
        design.roles[constant + 1..].fill(ColumnRole::Drift);
        design
    }

    fn scaler(&self, design: &RunDesign) -> Scaler {
        let statistics = TimeStatistics::of_series(&self.series, &design.timing.kept_frames()).unwrap();
        Scaler::new(Scaling::None, NUMERICS.scaling_arithmetic, &statistics, &[]).unwrap()
    }

    fn covariance(&self, design: &RunDesign) -> GlobalCovariance {
        GlobalCovariance::estimate(&self.series, &self.scaler(design), design, &NUMERICS, &CancelToken::new()).unwrap()
    }

    /// The fit that SPM makes of this covariance: SPM filters what it has whitened, `(I - K K') W`, which is generalised least
    /// squares with `W^-1 K` beside the design. `W^-1` is `V W`, W being SPM's.
    fn fit_filtered(&self, process: &Process, v: &Array2<f64>) -> RunFit {
        let w = table(&self.folder.join("W.tsv.gz"));
        let design = self.run_design(&v.dot(&w).dot(&self.drift), &[]);
        fit_run_under(process, (&self.series, &self.scaler(&design)), &design, &NUMERICS, &CancelToken::new()).unwrap()
    }

    /// Largest differences of t and F from SPM's maps, over all contrasts.
    fn differences(&self, fit: &RunFit) -> [f64; 2] {
        let mut worst = [0.0_f64; 2];
        for (at, contrast) in self.model["contrasts"].as_array().unwrap().iter().enumerate() {
            let kind = contrast["STAT"].as_str().unwrap();
            let rows: Vec<Vec<f64>> = match contrast["c"].as_array().unwrap() {
                rows if rows[0].is_array() => rows.iter().map(numbers).collect(),
                _ => vec![numbers(&contrast["c"])],
            };
            let mut weights = Array2::zeros((rows.len(), fit.beta.nrows()));
            for (mut of_row, row) in weights.outer_iter_mut().zip(&rows) {
                of_row.slice_mut(s![..row.len()]).iter_mut().zip(row).for_each(|(weight, value)| *weight = *value);
            }
            let (of_kind, which) = if kind == "T" { (ContrastKind::T, 0) } else { (ContrastKind::F, 1) };
            let map = statistic(fit, of_kind, weights);
            let expected = support::image(&self.folder.join(format!("spm{kind}_{:04}.nii.gz", at + 1)));
            let expected: Vec<f64> = self.inside.iter().map(|&voxel| expected[voxel]).collect();
            worst[which] = worst[which].max(largest_difference(&map.stat, &expected));
        }
        worst
    }
}

fn statistic(fit: &RunFit, kind: ContrastKind, weights: Array2<f64>) -> StatMap {
    let contrast = glm_data::contrast(kind, weights);
    let runs = [RunContrast { fit, contrast: &contrast }];
    contrast_statistics(&runs, FixedEffects::Precision, &NUMERICS, &CancelToken::new()).unwrap()
}

fn toeplitz(correlations: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((correlations.len(), correlations.len()), |(s, t)| correlations[s.abs_diff(t)])
}

#[test]
fn the_covariance_and_the_statistics_are_those_of_spm() {
    let Some(shared) = support::shared() else { return };
    let cases = [
        ("A_localizer_hrf_ar1", LOCALIZER, 1391),
        ("B_localizer_hrftdd_ar1", LOCALIZER, 1220),
        ("C_haxby_hrf_ar1", HAXBY, 35),
    ];
    for (name, bold, n_pooled) in cases {
        let case = Case::new(&shared, name, bold);
        let design = case.run_design(&case.drift, &[]);
        let covariance = case.covariance(&design);
        let v = toeplitz(&covariance.correlations);
        let of_v = largest_difference(&v, &table(&case.folder.join("V.tsv.gz")));
        let of_weights = largest_difference(&covariance.weights, &numbers(&case.model["xVi"]["h"]));
        let process = covariance.process().unwrap();
        let filtered = case.fit_filtered(&process, &v);
        let [t, f] = case.differences(&filtered);
        let of_dof = (filtered.dof - case.model["erdf"].as_f64().unwrap()).abs();
        // drift as regressors, which are whitened with the design
        let scaler = case.scaler(&design);
        let fit = fit_run(&case.series, &scaler, &design, Noise::GlobalAr1, &NUMERICS, &CancelToken::new()).unwrap();
        let [t_of_columns, _] = case.differences(&fit);
        println!(
            "{name}: {} pooled, {} steps, V {of_v:.1e}, h {of_weights:.1e}, dof {of_dof:.1e}, t {t:.1e}, F {f:.1e}; \
             drift whitened too: t {t_of_columns:.3}",
            covariance.n_pooled, covariance.n_steps
        );
        assert_eq!(covariance.n_pooled, n_pooled);
        // SPM's step is not quite the whole one; samples are held as f32, rounded at 6e-8
        assert!(of_v < 1e-6 && of_weights < 1e-6, "{name}: V {of_v}, h {of_weights}");
        assert!(of_dof < 1e-8, "{name}: {of_dof}");
        // SPM's maps are of coefficients rounded to f32 (1e-6 of t, 2e-5 of F), and of a W without entries below 1e-6
        assert!(t < 2e-5 && f < 1e-4, "{name}: t {t}, F {f}");
        let NoiseField::Classes { processes, index } = &fit.noise else { panic!("one process") };
        assert_eq!((processes, index.iter().all(|&class| class == 0)), (&vec![process], true));
        assert!(t_of_columns < 0.15, "{name}: {t_of_columns}");
    }
}

/// SPM's FAST covariance, which is taken from its file.
#[test]
fn given_its_covariance_the_statistics_are_those_of_fast() {
    let Some(shared) = support::shared() else { return };
    for (name, bold) in [("A_localizer_hrf_fast", LOCALIZER), ("C_haxby_hrf_fast", HAXBY)] {
        let case = Case::new(&shared, name, bold);
        let v = table(&case.folder.join("V.tsv.gz"));
        let process = Autoregression::of_autocovariances(&v.row(0).to_vec(), 1.0).unwrap();
        let fit = case.fit_filtered(&Process::Autoregression(process), &v);
        let [t, f] = case.differences(&fit);
        println!("{name}: t {t:.1e}, F {f:.1e}");
        // this W has many entries below 1e-6, which SPM leaves out
        assert!(t < 1e-4 && f < 5e-4, "{name}: t {t}, F {f}");
    }
}

/// AR(1) noise of variance 1 and correlation `rho` about 100, with effects, frame x column.
fn simulated(n_frames: usize, n_columns: usize, rho: f64, effect: impl Fn(usize, usize) -> f64) -> Array2<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut data = Array2::zeros((n_frames, n_columns));
    for column in 0..n_columns {
        let mut noise = 0.0;
        for frame in 0..n_frames {
            let white = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            let gain = if frame == 0 { 1.0 } else { (1.0 - rho * rho).sqrt() };
            noise = rho * noise + gain * white;
            data[(frame, column)] = (100.0 + noise + effect(frame, column)) as f32;
        }
    }
    data
}

fn block_design(n_frames: usize, censored: &[usize]) -> RunDesign {
    let matrix = Array2::from_shape_fn((n_frames, 2), |(frame, column)| match column {
        0 => f64::from(u8::from(frame / 10 % 2 == 1)),
        _ => 1.0,
    });
    let mut design = glm_data::run_design(matrix, censored);
    design.roles[1] = ColumnRole::Constant;
    design
}

fn scaler_of(series: &Series, design: &RunDesign) -> Scaler {
    let statistics = TimeStatistics::of_series(series, &design.timing.kept_frames()).unwrap();
    Scaler::new(Scaling::None, NUMERICS.scaling_arithmetic, &statistics, &[]).unwrap()
}

/// A covariance of gaps is that of the kept frames at their true lags: lag 1 of AR(1) comes out as without gaps, and the bytes
/// do not depend on the threads.
#[test]
fn gaps_and_threads_leave_the_covariance_as_it_is() {
    let (n_frames, n_columns, rho) = (160, 5000, 0.25);
    let responds =
        |frame: usize, column: usize| if column.is_multiple_of(2) && frame / 10 % 2 == 1 { 2.0 } else { 0.0 };
    let series = glm_data::series(&simulated(n_frames, n_columns, rho, responds));
    for censored in [&[][..], &[3, 40, 41, 42, 77, 100, 130, 131]] {
        let design = block_design(n_frames, censored);
        let scaler = scaler_of(&series, &design);
        let fits = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                fit_run(&series, &scaler, &design, Noise::GlobalAr1, &NUMERICS, &CancelToken::new()).unwrap()
            })
        });
        assert_eq!(fits[0].noise, fits[1].noise);
        assert_eq!(fits[0].beta, fits[1].beta);
        let covariance = GlobalCovariance::estimate(&series, &scaler, &design, &NUMERICS, &CancelToken::new()).unwrap();
        assert!(covariance.n_pooled > n_columns / 2 - 10, "{}", covariance.n_pooled);
        // the standard error of a mean of 2500 correlations over some 150 frames is .0016; the expansion about .2 is off
        // by some .001 at .25
        assert!((covariance.correlations[1] - rho).abs() < 0.008, "{}", covariance.correlations[1]);
        assert!((fits[0].rho().unwrap()[7] - covariance.correlations[1]).abs() < 1e-12);
    }
}

/// Noise of much longer memory than the components can tell still has a covariance.
#[test]
fn long_memory_keeps_a_covariance() {
    let series = glm_data::series(&simulated(200, 300, 0.97, |frame, _| if frame / 10 % 2 == 1 { 6.0 } else { 0.0 }));
    let design = block_design(200, &[]);
    let scaler = scaler_of(&series, &design);
    let fit = fit_run(&series, &scaler, &design, Noise::GlobalAr1, &NUMERICS, &CancelToken::new()).unwrap();
    assert!(fit.sigma2.iter().all(|variance| variance.is_finite() && *variance > 0.0));
    println!("lag 1 of AR(1) .97: {:.3}", fit.rho().unwrap()[0]);
}

#[test]
fn without_a_response_there_is_nothing_to_pool() {
    let series = glm_data::series(&simulated(80, 12, 0.0, |_, _| 0.0));
    let design = block_design(80, &[]);
    let scaler = scaler_of(&series, &design);
    let fit = |design: &RunDesign| fit_run(&series, &scaler, design, Noise::GlobalAr1, &NUMERICS, &CancelToken::new());
    let message = fit(&design).unwrap_err().to_string();
    assert_eq!(
        message,
        "none of the 12 columns of sub-01 run-01 responds (F of the effects of interest, p < .001), so no covariance can be \
         pooled"
    );
    // without effects of interest all are pooled
    let mut rest = design.clone();
    rest.roles.fill(ColumnRole::Drift);
    assert!(fit(&rest).is_ok());
}

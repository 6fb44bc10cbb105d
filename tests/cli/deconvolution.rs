//! Deconvolutions from end to end: their numbers against dense algebra and against the truth of the sample data.

use crate::dense::inverse;
use crate::image_forms::Image16;
use crate::sample::{assert_exit, codes, stderr};
use crate::support::{Project, image};
use crate::tsv::{Tsv, assert_within, correlation, image_of, tsv};
use ndarray::{Array1, Array2};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A table with events and confounds, and what follows it.
pub(crate) const SERIES: &str = r#"schema = 1
name = "activity"

[[timeseries]]
table = "data/sub-01_task-spontaneous_run-01_desc-roi_timeseries.tsv"
tr_s = 2.0
events = "data/sub-01_task-spontaneous_run-01_events.tsv"

"#;

/// The image it is the mean series of.
pub(crate) const IMAGE: &str = r#"schema = 1
name = "activity"

[[run]]
bold = "data/sub-01_task-spontaneous_run-01_bold.nii.gz"
events = "data/sub-01_task-spontaneous_run-01_events.tsv"

[mask]
path = "data/sub-01_task-spontaneous_desc-brain_mask.nii.gz"

"#;

/// One of these with the run's confound table, of which all motion is taken.
pub(crate) fn with_motion(inputs: &str) -> String {
    let events = "events = \"data/sub-01_task-spontaneous_run-01_events.tsv\"\n";
    let confounds = "confounds = \"data/sub-01_task-spontaneous_run-01_desc-confounds_timeseries.tsv\"\n";
    inputs.replace(events, &format!("{events}{confounds}")) + "[confounds]\ncolumns = [\"trans_*\", \"rot_*\"]\n"
}

fn sample(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data").join(folder)
}

/// A scratch project with this pipeline and the files of a folder of the sample data under `data/`.
pub(crate) fn project_with(folder: &str, pipeline: &str) -> Project {
    let project = Project::new(pipeline);
    let data = project.path().join("data");
    fs::create_dir(&data).unwrap();
    for entry in fs::read_dir(sample(folder)).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            fs::copy(entry.path(), data.join(entry.file_name())).unwrap();
        }
    }
    project
}

/// The neural sample data with a pipeline of its table or image.
pub(crate) fn neural(pipeline: &str) -> Project {
    project_with("neural/sub-01/func", pipeline)
}

fn run(pipeline: &str) -> Project {
    let project = neural(pipeline);
    project.succeed(&["run", "pipeline.toml"]);
    project
}

fn path(project: &Project, model: &str, name: &str) -> PathBuf {
    project.path().join(format!("results/{model}/sub-01/func/sub-01_task-spontaneous_run-01_{name}"))
}

pub(crate) fn table(project: &Project, model: &str, name: &str) -> Tsv {
    Tsv::read(&path(project, model, &format!("{name}.tsv")))
}

fn json(project: &Project, model: &str, name: &str) -> Value {
    serde_json::from_slice(&fs::read(path(project, model, &format!("{name}.json"))).unwrap()).unwrap()
}

fn voxels(project: &Project, model: &str, name: &str) -> Vec<f64> {
    image(&path(project, model, &format!("{name}.nii.gz")))
}

fn truth() -> Tsv {
    Tsv::read(&sample("neural/truth/sub-01_task-spontaneous_run-01_neural.tsv"))
}

/// A table of this text as the only input, and what follows it.
fn of_table(text: &str, more: &str) -> Project {
    let series = "[[timeseries]]\ntable = \"sub-01_task-spontaneous_run-01_timeseries.tsv\"\ntr_s = 2.0\n";
    let project = Project::new(&format!("schema = 1\nname = \"made\"\n{series}\n{more}"));
    fs::write(project.path().join("sub-01_task-spontaneous_run-01_timeseries.tsv"), text).unwrap();
    project
}

/// Two waves and a drift, in multiples of 1/64 that single precision holds.
fn made(frames: usize, shift: f64) -> Vec<f64> {
    let value = |t: f64| 500.0 + 8.0 * (0.61 * t + shift).sin() + 5.0 * (0.173 * t).cos() + 0.02 * t;
    (0..frames).map(|t| (64.0 * value(t as f64)).round() / 64.0).collect()
}

const RIDGE: &str = "[[deconvolve]]\nname = \"ridge\"\nmaps = [\"activity\", \"fitted\", \"standard-error\", \"lambda\", \"sigma\", \"dof\"]\n";

#[test]
fn ridge_is_what_dense_algebra_gives() {
    // by hand: a rise and an undershoot, a sample each TR
    let kernel = [0.0, 0.3, 1.0, 0.7, 0.2, -0.1, -0.15, -0.05];
    let settings = "\n[[deconvolve]]\nname = \"ridge\"\n\
                    kernel = { file = \"kernel.tsv\" }\n\
                    maps = [\"activity\", \"fitted\", \"standard-error\", \"lambda\", \"sigma\", \"dof\"]\n";
    let project = neural(&(with_motion(SERIES) + settings));
    let times: Vec<f64> = (0..kernel.len()).map(|at| 2.0 * at as f64).collect();
    fs::write(project.path().join("kernel.tsv"), tsv(&[("time_s", &times), ("amplitude", &kernel)])).unwrap();
    project.succeed(&["run", "pipeline.toml"]);
    let (n, before) = (200, kernel.len() - 1);
    // data[t] = sum_d kernel[d] s[t - d], s from `before` samples before the run on
    let k = Array2::from_shape_fn((n, before + n), |(t, j)| {
        (t + before).checked_sub(j).and_then(|delay| kernel.get(delay)).copied().unwrap_or(0.0)
    });
    let design = table(&project, "ridge", "design");
    assert_eq!(design.names[..3], ["trans_x", "trans_y", "trans_z"]);
    let nuisance = Array2::from_shape_fn((n, design.names.len()), |(t, j)| design.row(t)[j]);
    let gram_inverse = inverse(&nuisance.t().dot(&nuisance));
    let residual_maker = Array2::<f64>::eye(n) - nuisance.dot(&gram_inverse).dot(&nuisance.t());
    let forward = residual_maker.dot(&k);
    let data = Tsv::read(&project.path().join("data/sub-01_task-spontaneous_run-01_desc-roi_timeseries.tsv"));
    let estimates = table(&project, "ridge", "desc-model_stats");
    let (activity, fitted, errors) = (
        table(&project, "ridge", "desc-neural_timeseries"),
        table(&project, "ridge", "desc-fitted_timeseries"),
        table(&project, "ridge", "desc-neuralError_timeseries"),
    );
    assert_eq!(activity.names, data.names);
    for (at, name) in data.names.iter().enumerate() {
        // series are held in single precision: numbers near 1000 to 3e-5, which is 1e-5 of an activity of a few units
        let y: Array1<f64> = data.column(name).into_iter().map(|value| f64::from(value as f32)).collect();
        let lambda = estimates.column("lambda")[at];
        if !lambda.is_finite() {
            assert!(activity.column(name).iter().all(|value| *value == 0.0), "{name}: no activity at all");
            continue;
        }
        let penalised = inverse(&(forward.t().dot(&forward) + Array2::<f64>::eye(before + n) * lambda));
        let s = penalised.dot(&forward.t()).dot(&residual_maker.dot(&y));
        let of_run: Vec<f64> = s.iter().skip(before).copied().collect();
        // written in full digits of single precision, 6e-8 of a value; the rest is rounding on either way
        assert_within(&activity.column(name), &of_run, 1e-6, name);
        let rest = &y - &k.dot(&s);
        let expected = &k.dot(&s) + &(&rest - &residual_maker.dot(&rest));
        assert_within(&fitted.column(name), &expected.to_vec(), 1e-6, &format!("fit of {name}"));
        let hat = forward.dot(&penalised).dot(&forward.t());
        let dof: f64 = hat.diag().sum();
        assert_within(&[estimates.column("dof")[at]], &[dof], 1e-8, "degrees of freedom");
        let residual = residual_maker.dot(&y) - forward.dot(&s);
        let sigma = (residual.dot(&residual) / ((n - design.names.len()) as f64 - dof)).sqrt();
        assert_within(&[estimates.column("sigma")[at]], &[sigma], 1e-8, "sigma");
        let error: Vec<f64> = penalised.diag().iter().skip(before).map(|value| sigma * value.sqrt()).collect();
        assert_within(&errors.column(name), &error, 1e-6, "standard error");
    }
}

#[test]
fn a_table_and_an_image_of_it_have_the_same_activity() {
    let columns: Vec<Vec<f64>> = (0..4).map(|at| made(90, 0.7 * f64::from(at))).collect();
    let models = format!(
        "{RIDGE}[[deconvolve]]\nname = \"spike\"\nmethod = \"spike\"\nupsample = 2\nmaps = [\"activity\", \"fitted\", \
         \"lambda\"]\n[[deconvolve]]\nname = \"evidence\"\nmethod = \"peb\"\nmaps = [\"activity\", \"sigma\"]\n"
    );
    let named: Vec<(&str, &[f64])> = ["a", "b", "c", "d"].into_iter().zip(columns.iter().map(Vec::as_slice)).collect();
    let of_table = of_table(&tsv(&named), &models);
    of_table.succeed(&["run", "pipeline.toml"]);
    let run = "[[run]]\nbold = \"sub-01_task-spontaneous_run-01_bold.nii.gz\"\n[mask]\nkind = \"all\"\n\
               [preprocess]\nscaling = \"none\"\n";
    let of_image = Project::new(&format!("schema = 1\nname = \"made\"\n{run}\n{models}"));
    let bold = of_image.path().join("sub-01_task-spontaneous_run-01_bold.nii.gz");
    fs::write(bold, image_of(&columns, 2.0)).unwrap();
    of_image.succeed(&["run", "pipeline.toml"]);
    for (model, upsample) in [("ridge", 1), ("spike", 2), ("evidence", 1)] {
        for (series, samples) in [("neural", 90 * upsample), ("fitted", 90), ("neuralError", 90)] {
            let name = format!("desc-{series}_timeseries");
            if (series == "fitted" && model == "evidence") || (series == "neuralError" && model != "ridge") {
                assert!(!path(&of_table, model, &format!("{name}.tsv")).exists(), "{model} {series} was not asked for");
                continue;
            }
            let table = table(&of_table, model, &name);
            let found = voxels(&of_image, model, &format!("desc-{series}_bold"));
            assert_eq!((table.len(), found.len()), (samples, 4 * samples), "{model} {series}");
            let expected: Vec<f64> = (0..samples).flat_map(|row| table.row(row).to_vec()).collect();
            // the same numbers on the same path: what is left is the rounding of single precision
            assert_within(&found, &expected, 1e-6, &format!("{model} {series}"));
        }
    }
    let lambdas = table(&of_table, "ridge", "desc-model_stats").column("lambda");
    assert_within(&voxels(&of_image, "ridge", "stat-lambda_statmap"), &lambdas, 1e-6, "lambda");
}

#[test]
fn a_column_without_signal_has_no_activity() {
    // at most a twentieth of the columns may be left out
    let mut columns: Vec<(String, Vec<f64>)> =
        (0..24).map(|at| (format!("waves{at}"), made(80, 0.3 * f64::from(at)))).collect();
    columns.insert(1, ("flat".to_owned(), vec![7.0; 80]));
    let columns: Vec<(&str, &[f64])> =
        columns.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    let project = of_table(&tsv(&columns), RIDGE);
    let output = project.succeed(&["run", "pipeline.toml"]);
    assert_eq!(codes(&output), ["columns-excluded"], "{}", stderr(&output));
    for series in ["neural", "fitted", "neuralError"] {
        let found = table(&project, "ridge", &format!("desc-{series}_timeseries"));
        assert_eq!(found.column("flat"), vec![0.0; 80], "{series}");
        assert!(found.column("waves0").iter().any(|value| *value != 0.0));
    }
    let estimates = table(&project, "ridge", "desc-model_stats");
    for map in ["lambda", "sigma", "dof"] {
        assert_eq!(estimates.column(map)[1], 0.0, "{map}");
    }
    let summary = json(&project, "ridge", "summary");
    assert_eq!((&summary["ExcludedColumns"], &summary["AnalysedColumns"]), (&1.into(), &25.into()));
    assert!(summary["Excluded"][0]["Place"].as_str().unwrap().contains("flat"), "{summary}");
}

#[test]
fn a_value_that_is_missing_is_treated_as_a_glm_treats_it() {
    let glm = "[[glm]]\nname = \"m\"\n[[glm.contrast]]\nname = \"tone\"\nexpr = \"tone\"\n";
    let [deconvolved, fitted] = [RIDGE, glm].map(|model| {
        let project = neural(&format!("{SERIES}{model}"));
        let name = "data/sub-01_task-spontaneous_run-01_desc-roi_timeseries.tsv";
        crate::sample::edit(&project, name, |text| text.replacen("\n990.3750\t", "\nn/a\t", 1));
        project.boldly(&["run", "pipeline.toml"])
    });
    assert_eq!(codes(&deconvolved).len(), 1, "{}", stderr(&deconvolved));
    assert_eq!(codes(&deconvolved), codes(&fitted), "{}\n{}", stderr(&deconvolved), stderr(&fitted));
    assert_eq!(deconvolved.status.code(), fitted.status.code());
}

#[test]
fn a_kernel_longer_than_the_run_is_located() {
    let project = of_table(&tsv(&[("a", &made(15, 0.0))]), RIDGE);
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output), ["kernel-longer-than-run"]);
    let text = stderr(&output);
    assert!(text.contains("sub-01_task-spontaneous_run-01_timeseries.tsv") && text.contains("30.0 s"), "{text}");
    let check = project.boldly(&["check", "pipeline.toml"]);
    assert_eq!(codes(&check), ["kernel-longer-than-run"]);
}

#[test]
fn censored_and_discarded_volumes_keep_their_place() {
    let keys = "first_row_nan = \"zero\"\nscrub = { fd_mm = 0.045, min_segment = 1 }\n\n\
                [preprocess]\ndiscard_volumes = 5\n\n";
    let project = run(&format!("{}{keys}{RIDGE}upsample = 2\n", with_motion(SERIES)));
    let summary = json(&project, "ridge", "summary");
    let censored = summary["CensoredFrames"].as_array().unwrap().len();
    assert!((5..60).contains(&censored), "{censored} of 200");
    assert_eq!((&summary["DiscardedFrames"], &summary["Frames"]), (&5.into(), &200.into()));
    let activity = table(&project, "ridge", "desc-neural_timeseries");
    assert_eq!(activity.len(), 2 * 195);
    assert_eq!(table(&project, "ridge", "desc-fitted_timeseries").len(), 195);
    assert!(activity.columns().concat().iter().all(|value| value.is_finite()));
    // what was measured in a censored volume changes nothing
    let other = neural(&format!("{}{keys}{RIDGE}upsample = 2\n", with_motion(SERIES)));
    let frame = usize::try_from(summary["CensoredFrames"][3].as_u64().unwrap()).unwrap();
    let name = "data/sub-01_task-spontaneous_run-01_desc-roi_timeseries.tsv";
    crate::sample::edit(&other, name, |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[frame + 1] = ["2000.0"; 7].join("\t");
        lines[2] = ["0.5"; 7].join("\t");
        lines.join("\n") + "\n"
    });
    other.succeed(&["run", "pipeline.toml"]);
    let again = table(&other, "ridge", "desc-neural_timeseries");
    assert_eq!(again.columns(), activity.columns());
}

#[test]
fn upsampled_activity_has_its_samples_and_says_how_far_apart_they_are() {
    let models = format!(
        "[[deconvolve]]\nname = \"four\"\nupsample = 4\nmaps = [\"activity\", \"fitted\", \"standard-error\"]\n{RIDGE}"
    );
    let series = run(&format!("{SERIES}{models}"));
    assert_eq!(table(&series, "four", "desc-neural_timeseries").len(), 800);
    assert_eq!(table(&series, "four", "desc-neuralError_timeseries").len(), 800);
    assert_eq!(table(&series, "four", "desc-fitted_timeseries").len(), 200);
    assert_eq!(json(&series, "four", "desc-neural_timeseries")["SamplingFrequency"], 2.0);
    assert_eq!(json(&series, "four", "desc-fitted_timeseries")["SamplingFrequency"], 0.5);
    let images = run(&format!("{IMAGE}{models}"));
    for (name, frames, tr_s) in [("neural", 800, 0.5), ("neuralError", 800, 0.5), ("fitted", 200, 2.0)] {
        let file = format!("desc-{name}_bold");
        let (header, _) = boldly::inputs::read_header(&path(&images, "four", &format!("{file}.nii.gz"))).unwrap();
        assert_eq!((header.n_frames, header.tr_s), (frames, Some(tr_s)), "{name}");
        assert_eq!(json(&images, "four", &file)["RepetitionTime"], tr_s, "{name}");
    }
}

#[test]
fn activity_is_near_the_truth() {
    let models = "[[deconvolve]]\nname = \"spike\"\nmethod = \"spike\"\nupsample = 2\nnonnegative = true\n\
        [[deconvolve]]\nname = \"block\"\nmethod = \"block\"\n\
        [[deconvolve]]\nname = \"ridge\"\n";
    let project = run(&(with_motion(SERIES) + models));
    let truth = truth();
    let blurred = |values: &[f64]| -> Vec<f64> {
        let at = |i: usize, by: isize| i.checked_add_signed(by).and_then(|i| values.get(i)).copied().unwrap_or(0.0);
        (0..values.len()).map(|i| at(i, -1) + at(i, 0) + at(i, 1)).collect()
    };
    let mut found = Vec::new();
    for (model, column, step) in [
        ("spike", "spikesLeft", 2),
        ("spike", "spikesRight", 2),
        ("block", "blocksLeft", 1),
        ("block", "blocksRight", 1),
        ("ridge", "slow", 1),
        ("ridge", "blocksLeft", 1),
    ] {
        let activity = table(&project, model, "desc-neural_timeseries").column(column);
        // a spike may be found half a repetition time off: events are compared within one step of the truth's
        let of_frames: Vec<f64> = activity.chunks(step).map(|samples| samples.iter().sum()).collect();
        let expected = truth.column(column);
        let r = match model {
            "spike" => correlation(&blurred(&of_frames), &blurred(&expected)),
            _ => correlation(&of_frames, &expected),
        };
        found.push((model, column, r));
    }
    for ((model, column, r), bound) in found.into_iter().zip(BOUNDS) {
        assert!(r > bound, "{model} {column}: correlation {r} with the truth");
    }
}

/// Least correlation with the truth of the sample data. Each is what was found, less twice the sampling error of a
/// correlation over 200 frames, `2 (1 - r^2) / sqrt(200)`.
const BOUNDS: [f64; 6] = [0.93, 0.91, 0.73, 0.70, 0.45, 0.76];

#[test]
fn the_noise_of_a_glm_whitens() {
    let glm = "[preprocess]\nsmooth_fwhm_mm = 12.0\n\n[[glm]]\nname = \"tone\"\nnoise = \"ar1\"\nmaps = [\"effect\", \"rho\"]\n\
               [[glm.contrast]]\nname = \"tone\"\nexpr = \"tone\"\n";
    let models = "[[deconvolve]]\nname = \"fromGlm\"\nnoise = \"from-glm:tone\"\nmaps = [\"activity\", \"rho\"]\n\
                  [[deconvolve]]\nname = \"given\"\nnoise = { rho = 0.3 }\nmaps = [\"activity\", \"rho\"]\n\
                  [[deconvolve]]\nname = \"white\"\nmaps = [\"activity\"]\n\
                  [[deconvolve]]\nname = \"sharp\"\nsmooth = false\nmaps = [\"activity\"]\n";
    let project = run(&format!("{IMAGE}{glm}{models}"));
    let (of_glm, found) =
        (voxels(&project, "tone", "stat-rho_statmap"), voxels(&project, "fromGlm", "stat-rho_statmap"));
    let mask = Image16::read(&project.path().join("data/sub-01_task-spontaneous_desc-brain_mask.nii.gz"));
    for ((inside, rho), found) in mask.values().zip(&of_glm).zip(&found) {
        // both maps are in single precision, and a rho on the border of two bins may be rounded to either
        let rounded = (rho / 0.05).round() * 0.05;
        let on_border = ((rho / 0.05).fract().abs() - 0.5).abs() < 1e-4;
        assert!((found - rounded).abs() < 1e-6 || on_border || inside == 0, "{found} for {rho}");
        assert!(inside != 0 || *found == 0.0);
    }
    assert!(found.iter().any(|rho| *rho > 0.15), "the noise is autocorrelated");
    let given = voxels(&project, "given", "stat-rho_statmap");
    assert!(mask.values().zip(given).all(|(inside, rho)| rho == f64::from(if inside == 0 { 0.0 } else { 0.3_f32 })));
    let [from_glm, white, sharp] =
        ["fromGlm", "white", "sharp"].map(|model| voxels(&project, model, "desc-neural_bold"));
    assert!(from_glm != white && sharp != white);
    let unsmoothed = run(&format!("{IMAGE}[[deconvolve]]\nname = \"white\"\nmaps = [\"activity\"]\n"));
    assert_eq!(sharp, voxels(&unsmoothed, "white", "desc-neural_bold"), "as without smoothing at all");
    assert!(json(&project, "sharp", "desc-neural_bold").get("SmoothingFwhmMm").is_none());
    assert_eq!(json(&project, "white", "desc-neural_bold")["SmoothingFwhmMm"], serde_json::json!([12.0, 12.0, 12.0]));
}

#[test]
fn noise_chosen_by_the_evidence_is_one_of_the_choices() {
    let model = "[[deconvolve]]\nname = \"chosen\"\nnoise = \"evidence\"\nlambda = \"evidence\"\n\
                 maps = [\"activity\", \"rho\", \"held-out-r2\"]\n";
    let project = run(&format!("{SERIES}{model}"));
    let estimates = table(&project, "chosen", "desc-model_stats");
    for rho in estimates.column("rho") {
        assert!((-2..=8).any(|tenths| (rho - f64::from(tenths) / 10.0).abs() < 1e-12), "{rho}");
    }
    // the noise region was simulated with a rho of 0.3 +- 0.1, in one of 200 volumes the error is 0.07
    let noise = estimates.column("rho")[5];
    assert!((0.1..=0.6).contains(&noise), "{noise}");
    let r2 = estimates.column("heldOutR2");
    assert!(
        r2.iter().all(|share| *share < 1.0) && r2[2] > 0.2 && r2[5] < 0.2,
        "blocks are predicted, noise is not: {r2:?}"
    );
}

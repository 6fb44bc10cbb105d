//! Deconvolutions as work: the same bytes however they are made, what is redone, what `check` says, interactions, calcium.

use crate::deconvolution::{IMAGE, SERIES, neural, project_with, table, with_motion};
use crate::image_forms::Image16;
use crate::sample::{assert_exit, assert_same_bytes, codes, digests, edit, stderr, stdout};
use crate::support::Project;
use crate::tsv::{Tsv, assert_within, correlation, tsv};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// A model of each kind.
const MODELS: &str = r#"
[preprocess]
smooth_fwhm_mm = 12.0

[[glm]]
name = "tone"
noise = "ar1"
maps = ["effect", "rho"]
[[glm.contrast]]
name = "tone"
expr = "tone"

[[deconvolve]]
name = "ridge"
maps = ["activity", "fitted", "standard-error", "lambda", "sigma", "dof", "held-out-r2"]
noise = "from-glm:tone"
figures = [[4, 8, 4]]

[[deconvolve]]
name = "refitted"
method = "spike"
upsample = 2

[[deconvolve]]
name = "averaged"
method = "spike"
estimate = "averaged"
nonnegative = true

[[deconvolve]]
name = "block"
method = "block"
smooth = false

[[deconvolve]]
name = "auto"
method = "auto"
maps = ["activity", "method"]

[[deconvolve]]
name = "peb"
method = "peb"

[[deconvolve]]
name = "wiener"
method = "wiener"
"#;

fn run(project: &Project, words: &[&str]) -> BTreeMap<String, String> {
    project.succeed(&[&["run", "pipeline.toml", "--progress", "never"], words].concat());
    let out = words.iter().skip_while(|word| **word != "--out").nth(1).unwrap_or(&"results");
    digests(&project.path().join(out))
}

/// The same run of a second subject.
fn second_subject(project: &Project) {
    let data = project.path().join("data");
    for entry in fs::read_dir(&data).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        fs::copy(entry.path(), data.join(name.replace("sub-01", "sub-02"))).unwrap();
    }
}

fn check_json(project: &Project, words: &[&str]) -> Value {
    let output = project.boldly(&[&["check", "pipeline.toml", "--json"], words].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Results are the same bytes with any number of threads, with series on disk, and subject by subject.
fn assert_bytes_do_not_depend_on_the_work(project: &Project, least_files: usize) {
    let expected = run(project, &["--threads", "1"]);
    assert!(expected.len() > least_files, "{} files", expected.len());
    assert_same_bytes(&expected, &run(project, &["--force", "--threads", "2"]), "--force into the same folder");
    assert_same_bytes(&expected, &run(project, &["--out", "three", "--threads", "3"]), "three threads");
    let least = check_json(project, &["--threads", "2"])["needs"]["least_memory_bytes"].to_string();
    let less = ["--threads", "2", "--max-memory", &least];
    assert!(check_json(project, &less)["needs"]["spilled_bytes"].as_u64().unwrap() > 0, "series lie on disk");
    assert_same_bytes(&expected, &run(project, &[&["--out", "less"], &less[..]].concat()), "series on disk");
    for subject in ["02", "01"] {
        run(project, &["--out", "each", "--subject", subject]);
    }
    assert_same_bytes(&expected, &digests(&project.path().join("each")), "subject by subject");
}

#[test]
fn images_of_activity_are_the_same_bytes_however_they_are_made() {
    let inputs = with_motion(IMAGE);
    let (head, rest) = inputs.split_once("[mask]").unwrap();
    let second = head.split_once("[[run]]").unwrap().1.replace("sub-01", "sub-02");
    let project = neural(&format!("{head}[[run]]{second}[mask]{rest}{MODELS}"));
    second_subject(&project);
    // an eighth of the brain, the voxel that is drawn among it
    let mask = project.path().join("data/sub-01_task-spontaneous_desc-brain_mask.nii.gz");
    Image16::read(&mask).with_values(|at, inside| inside * i16::from(at % 8 == 4)).write_gz(&mask);
    assert_bytes_do_not_depend_on_the_work(&project, 60);
}

#[test]
fn tables_of_activity_are_the_same_bytes_however_they_are_made() {
    let inputs = with_motion(SERIES);
    let (head, rest) = inputs.split_once("[confounds]").unwrap();
    let second = head.split_once("[[timeseries]]").unwrap().1.replace("sub-01", "sub-02");
    let models = MODELS
        .replace("smooth_fwhm_mm = 12.0", "")
        .replace("smooth = false", "")
        .replace("figures = [[4, 8, 4]]", "figures = [\"spikesLeft\"]");
    let project = neural(&format!("{head}[[timeseries]]{second}[confounds]{rest}{models}"));
    second_subject(&project);
    assert_bytes_do_not_depend_on_the_work(&project, 60);
}

const CALCIUM: &str = r#"schema = 1
name = "calcium"
[[timeseries]]
table = "data/sub-01_task-spontaneous_desc-dff_timeseries.tsv"
columns = ["cell*"]
sampling_hz = 30.0

[[deconvolve]]
name = "first"
method = "spike"
kernel = { ar = 1 }
figures = ["cell1"]

[[deconvolve]]
name = "second"
method = "spike"
kernel = { tau_decay_s = 0.8, tau_rise_s = 0.1 }

[[deconvolve]]
name = "running"
method = "spike"
kernel = { ar = 2 }
baseline_window_s = 20.0
lambda = "noise-level"
"#;

#[test]
fn spikes_of_calcium_are_the_same_bytes_and_near_the_truth() {
    let second = CALCIUM.split_once("[[timeseries]]").unwrap().1.split_once("[[deconvolve]]").unwrap().0;
    let (head, models) = CALCIUM.split_once("[[deconvolve]]").unwrap();
    let second = second.replace("sub-01", "sub-02");
    let project = project_with("calcium", &format!("{head}[[timeseries]]{second}[[deconvolve]]{models}"));
    second_subject(&project);
    assert_bytes_do_not_depend_on_the_work(&project, 20);
    let name = |model: &str, rest: &str| {
        project.path().join(format!("results/{model}/sub-01/func/sub-01_task-spontaneous_desc-{rest}.tsv"))
    };
    let truth = Tsv::read(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("sample_data/calcium/truth/sub-01_task-spontaneous_desc-calcium_timeseries.tsv"),
    );
    for (model, cells) in [("first", ["cell1", "cell2"]), ("second", ["cell3", "cell4"])] {
        let (spikes, fitted) =
            (Tsv::read(&name(model, "neural_timeseries")), Tsv::read(&name(model, "fitted_timeseries")));
        assert_eq!((spikes.len(), fitted.len()), (1800, 1800));
        assert!(spikes.columns().concat().iter().all(|value| *value >= 0.0), "{model}");
        for cell in cells {
            let r = correlation(&fitted.column(cell), &truth.column(cell));
            // noise of a seventh to a third of a spike against a signal of a spike and more: the data themselves correlate
            // with the truth by .9 and more, the fit by less noise
            assert!(r > 0.95, "{model} {cell}: {r}");
        }
    }
    let estimates = fs::read_to_string(name("first", "model_stats")).unwrap();
    assert!(estimates.starts_with("name\tlambda\tsigma\ttau_rise_s\ttau_decay_s\n"), "{estimates}");
    let decay_s = Tsv::read(&name("first", "model_stats")).column("tau_decay_s");
    // 0.7 and 1 s were simulated; from the autocovariance of a minute with 40 and 90 spikes
    assert!((0.4..1.2).contains(&decay_s[0]) && (0.6..1.6).contains(&decay_s[1]), "{decay_s:?}");
}

#[test]
fn what_is_unchanged_is_not_deconvolved_again_and_what_is_removed_goes() {
    let keep = "[[deconvolve]]\nname = \"kept\"\nkernel = { file = \"kernel.tsv\" }\n";
    let more = "[[deconvolve]]\nname = \"removed\"\n";
    let project = neural(&format!("{SERIES}{keep}{more}"));
    let run = |amplitudes: &[f64]| {
        let text = tsv(&[("time_s", &[0.0, 2.0, 4.0]), ("amplitude", amplitudes)]);
        fs::write(project.path().join("kernel.tsv"), text).unwrap();
        let said = stderr(&project.succeed(&["run", "pipeline.toml"]));
        (said.contains("sub-01: done"), digests(&project.path().join("results")))
    };
    let (done, both) = run(&[0.0, 1.0, 0.5]);
    assert!(done && both.keys().any(|name| name.starts_with("removed/")));
    assert!(!run(&[0.0, 1.0, 0.5]).0, "nothing changed");
    let (done, changed) = run(&[0.0, 1.0, 0.25]);
    let activity = "kept/sub-01/func/sub-01_task-spontaneous_run-01_desc-neural_timeseries.tsv";
    assert!(done && changed[activity] != both[activity], "another kernel");
    edit(&project, "pipeline.toml", |text| text.replace(more, ""));
    let (done, alone) = run(&[0.0, 1.0, 0.25]);
    assert!(done && alone.keys().all(|name| !name.starts_with("removed/")), "{:?}", alone.keys());
    assert!(!project.path().join("results/removed").exists(), "an empty folder is left");
    let others = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        all.clone().into_iter().filter(|(name, _)| name.starts_with("kept/")).collect()
    };
    assert_same_bytes(&others(&changed), &others(&alone), "the other model");
}

#[test]
fn check_lists_every_kind_of_model() {
    let keys = "first_row_nan = \"zero\"\nscrub = { fd_mm = 0.045, min_segment = 1 }\n\n\
                [[deconvolve]]\nname = \"spikes\"\nmethod = \"spike\"\nupsample = 4\n\n\
                [[deconvolve]]\nname = \"plain\"\n[deconvolve.confounds]\ncolumns = []\n\n\
                [[convolve]]\nname = \"box\"\nkernel = { box = 5 }\nmode = \"full\"\n\n\
                [[convolve]]\nname = \"bell\"\nkernel = { gaussian = 1.5 }\n";
    let project = neural(&(with_motion(SERIES) + keys));
    let output = project.boldly(&["check", "pipeline.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output).split("\nneeds about").next().unwrap());
    let report = check_json(&project, &[]);
    let spikes = &report["subjects"][0]["runs"][0]["deconvolutions"][0];
    assert_eq!((&spikes["model"], &spikes["method"]), (&"spikes".into(), &"spike".into()));
    // 32 s and the one at 0
    assert_eq!((&spikes["kernel_samples"], &spikes["samples"]), (&65.into(), &800.into()));
    assert_eq!((&spikes["columns"][0], &spikes["step_s"]), (&6.into(), &0.5.into()));
    assert_eq!(report["convolutions"][0]["kernel"]["box"], 5);
}

#[test]
fn check_lists_recordings_and_rates() {
    let rates = "schema = 1\nname = \"units\"\n[[spikes]]\ntable = \"data/sub-01_task-stimulation_spikes.tsv\"\n\
                 unit_column = \"unit\"\nduration_s = 120\n[[rate]]\nname = \"smooth\"\nbin_s = 0.05\nsigma_s = 0.1\n";
    let project = project_with("spikes", rates);
    let output = project.boldly(&["check", "pipeline.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output));
    let report = check_json(&project, &[]);
    let spikes = report["subjects"][0]["recordings"][0]["spikes"].as_object().unwrap();
    let total: u64 = spikes.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((spikes.len(), total), (3, 3074), "a row a spike");
    assert_eq!(report["rates"][0]["kernel"], "gaussian");
}

/// Interactions, by a kernel that is known.
const PPI: &str = r#"
[[deconvolve]]
name = "seed"
method = "ridge"
kernel = { file = "kernel.tsv" }
upsample = 2
[[deconvolve.ppi]]
name = "toneVsNoise"
plus = ["tone"]
minus = ["noise"]
"#;

const KERNEL: [f64; 7] = [0.0, 0.25, 1.0, 0.75, 0.25, 0.0, -0.125];

/// The neural table with events that last, and interactions.
fn with_interactions(before: &str) -> (Project, Vec<(f64, f64, f64)>) {
    let project = neural(&format!("{SERIES}{before}{PPI}"));
    let times: Vec<f64> = (0..KERNEL.len()).map(|at| at as f64).collect();
    fs::write(project.path().join("kernel.tsv"), tsv(&[("time_s", &times), ("amplitude", &KERNEL)])).unwrap();
    let events: Vec<(f64, f64, f64)> = (0..24)
        .map(|event| {
            (9.3 + 15.7 * f64::from(event), 2.6 + f64::from(event % 3), if event % 2 == 0 { 1.0 } else { -1.0 })
        })
        .collect();
    let line = |(onset, duration, weight): &(f64, f64, f64)| {
        format!("{onset}\t{duration}\t{}\n", if *weight > 0.0 { "tone" } else { "noise" })
    };
    let text: String = events.iter().map(line).collect();
    let path = project.path().join("data/sub-01_task-spontaneous_run-01_events.tsv");
    fs::write(path, format!("onset\tduration\ttrial_type\n{text}")).unwrap();
    (project, events)
}

#[test]
fn interactions_are_those_of_the_definition() {
    let (project, events) = with_interactions("");
    project.succeed(&["run", "pipeline.toml"]);
    let found = table(&project, "seed", "desc-ppitoneVsNoise_timeseries");
    let activity = table(&project, "seed", "desc-neural_timeseries");
    assert_eq!((found.len(), activity.len()), (200, 400));
    assert_eq!(found.names[..3], ["spikesLeft_ppi", "spikesLeft_physiological", "spikesRight_ppi"]);
    assert_eq!((found.names.len(), found.names.last().unwrap().as_str()), (15, "psychological"));
    // samples of a second, from one kernel length before the run on; what part of each second an event fills
    let before = KERNEL.len() - 1;
    let psychological: Vec<f64> = (0..before + 400)
        .map(|sample| sample as f64 - before as f64)
        .map(|t| {
            let filled = |(onset, duration, weight): &(f64, f64, f64)| {
                weight * ((onset + duration).min(t + 0.5) - onset.max(t - 0.5)).max(0.0)
            };
            events.iter().map(filled).sum()
        })
        .collect();
    let mean = psychological.iter().sum::<f64>() / psychological.len() as f64;
    let psychological: Vec<f64> = psychological.iter().map(|value| value - mean).collect();
    let convolved = |values: &[f64], sample: usize| -> f64 {
        KERNEL.iter().enumerate().filter(|(delay, _)| *delay <= sample).map(|(k, h)| h * values[sample - k]).sum()
    };
    // f64 throughout
    let expected: Vec<f64> = (0..200).map(|frame| convolved(&psychological, before + 2 * frame)).collect();
    assert_within(&found.column("psychological"), &expected, 1e-12, "psychological");
    // activity before the run is no output: frames to which it has no response, up to the means that it has a part in
    let late = before.div_ceil(2)..200;
    for region in ["spikesLeft", "noise"] {
        let activity = activity.column(region);
        let physiological = found.column(&format!("{region}_physiological"));
        let off: Vec<f64> = late.clone().map(|frame| physiological[frame] - convolved(&activity, 2 * frame)).collect();
        let largest = physiological.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        // f64 throughout, off activity as it was written
        assert!(off.iter().all(|off_here| (off_here - off[0]).abs() < 1e-12 * largest), "{region}");
        let mean = -off[0] / KERNEL.iter().sum::<f64>();
        let product: Vec<f64> = activity.iter().zip(&psychological[before..]).map(|(x, p)| (x - mean) * p).collect();
        let interaction = found.column(&format!("{region}_ppi"));
        let off: Vec<f64> = late.clone().map(|frame| interaction[frame] - convolved(&product, 2 * frame)).collect();
        let largest = interaction.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        // its own mean is taken off too
        assert!(off.iter().all(|off_here| (off_here - off[0]).abs() < 1e-9 * largest), "{region}");
    }
}

#[test]
fn interactions_are_confounds_of_a_glm_also_with_discarded_volumes() {
    for discarded in [0, 4] {
        let preprocess = format!("[preprocess]\ndiscard_volumes = {discarded}\n");
        let (project, _) = with_interactions(&preprocess);
        project.succeed(&["run", "pipeline.toml"]);
        let name = "results/seed/sub-01/func/sub-01_task-spontaneous_run-01_desc-ppitoneVsNoise_timeseries.tsv";
        let regressors = Tsv::read(&project.path().join(name));
        assert_eq!(regressors.len(), 200, "a row a volume");
        let missing = (0..200).filter(|row| regressors.row(*row).iter().all(|value| value.is_nan())).count();
        assert_eq!(missing, discarded);
        let glm = "[confounds]\ncolumns = [\"spikesLeft_*\", \"psychological\"]\n\n[[glm]]\nname = \"ppi\"\n\
                   [[glm.contrast]]\nname = \"interaction\"\nexpr = \"spikesLeft_ppi\"\n";
        let events = "events = \"data/sub-01_task-spontaneous_run-01_events.tsv\"\n";
        let series = SERIES.replace(events, &format!("confounds = \"{name}\"\n"));
        fs::write(project.path().join("glm.toml"), format!("{series}{preprocess}{glm}\n[output]\ndir = \"glm\"\n"))
            .unwrap();
        project.succeed(&["run", "glm.toml"]);
        let stats = "glm/ppi/sub-01/func/sub-01_task-spontaneous_run-01_contrast-interaction_stats.tsv";
        let stats = Tsv::read(&project.path().join(stats));
        assert_eq!(stats.len(), 7);
        assert!(stats.column("t").iter().all(|t| t.is_finite() && *t != 0.0));
    }
}

#[test]
fn interactions_without_their_conditions_are_refused_once() {
    let ppi = |keys: &str| format!("[[deconvolve]]\nname = \"seed\"\n[[deconvolve.ppi]]\nname = \"p\"\n{keys}\n");
    let project = neural(&format!("{SERIES}{}", ppi("plus = [\"tome\"]")));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output), ["ppi-unknown-condition"], "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("unknown condition `tome`") && text.contains("did you mean `tone`?"), "{text}");
    let second = SERIES.split_once("[[timeseries]]").unwrap().1.replace("run-01", "run-02");
    let project = neural(&format!("{SERIES}[[timeseries]]{second}{}", ppi("plus = [\"tome\"]")));
    let data = project.path().join("data");
    for entry in fs::read_dir(&data).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        fs::copy(entry.path(), data.join(name.replace("run-01", "run-02"))).unwrap();
    }
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_eq!(codes(&output), ["ppi-unknown-condition"], "once for both runs: {}", stderr(&output));
    let events = "events = \"data/sub-01_task-spontaneous_run-01_events.tsv\"\n";
    let project = neural(&format!("{}{}", SERIES.replace(events, ""), ppi("plus = [\"tone\"]")));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_eq!(codes(&output), ["ppi-without-events"], "{}", stderr(&output));
}

#[test]
fn pictures_of_what_is_not_there_are_refused() {
    let model = |figures: &str| format!("[[deconvolve]]\nname = \"d\"\nfigures = {figures}\n");
    let project = neural(&format!("{SERIES}{}", model("[\"spikesleft\"]")));
    let output = project.boldly(&["check", "pipeline.toml"]);
    assert_eq!(codes(&output), ["figure-of-nothing"], "{}", stderr(&output));
    let project = neural(&format!("{IMAGE}{}", model("[[12, 0, 0]]")));
    let output = project.boldly(&["check", "pipeline.toml"]);
    assert_eq!(codes(&output), ["figure-of-nothing"], "{}", stderr(&output));
    assert!(stderr(&output).contains("12x12x8"), "{}", stderr(&output));
}

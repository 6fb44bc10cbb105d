//! The simulator's response, integrated numerically, against the design's, which is a closed form.

use crate::made::{Made, Model};
use crate::support::{Project, boldly};
use statrs::function::gamma::{gamma_lr, ln_gamma};

/// No noise, drift or motion; events of no, short and long duration; every voxel responds, so that none is constant.
const SPECIFICATION: &str = r#"
name = "noise-free"
task = "made"
seed = 11
subjects = 1
runs = 2
volumes = 150
tr_s = 1.7
[grid]
shape = [14, 16, 12]
voxel_mm = [8.0, 8.0, 8.0]
[head]
radii_mm = [50.0, 58.0, 42.0]
background_sd = 0.0
[noise]
sigma_percent = 0.0
[schedule]
gap_s = 1.3
jitter_s = 5.0
[[condition]]
name = "impulse"
events = 14
duration_s = 0.0
[[condition.blob]]
shape = "gaussian"
centre_mm = [20.0, 0.0, 0.0]
size_mm = 120.0
percent = 6.0
[[condition]]
name = "short"
events = 10
duration_s = 2.0
[[condition.blob]]
shape = "gaussian"
centre_mm = [-20.0, 0.0, 0.0]
size_mm = 120.0
percent = -3.0
[[condition]]
name = "block"
events = 6
duration_s = 7.3
[[condition.blob]]
shape = "sphere"
centre_mm = [0.0, 0.0, 0.0]
size_mm = 25.0
percent = 2.0
[image]
scl_slope = 0.05
"#;
const CONDITIONS: [&str; 3] = ["impulse", "short", "block"];

#[test]
fn effects_without_noise_are_the_declared_ones() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("simulation.toml"), SPECIFICATION).unwrap();
    assert!(boldly(scratch.path(), &["simulate", "simulation.toml", "--out", "dataset"]).status.success());
    let made = Made { folder: scratch.path().join("dataset"), task: "made", tr_s: 1.7, runs: 2 };
    let names = [("impulse", "'impulse'"), ("short", "'short'"), ("block", "'block'")];
    let models = [Model { name: "ols", settings: "noise = \"ols\"", contrasts: &names }];
    let project = Project::new(&made.pipeline(&[1], "", false, &models));
    project.succeed(&["run", "pipeline.toml"]);
    compare_responses(&made, &project, &[("impulse", 0.0), ("short", 2.0), ("block", 7.3)], &[1]);

    let (brain, baseline) = (made.brain(), made.truth("baseline"));
    let effects = CONDITIONS.map(|name| made.truth(&format!("effect_{name}")));
    for (at, name) in CONDITIONS.into_iter().enumerate() {
        let truth = &effects[at];
        let mut weights = [0.0; 3];
        weights[at] = 1.0;
        let designs = made.designs(1, &CONDITIONS, false);
        for run in 1..=2 {
            let found = made.map(project.path(), "ols", 1, &format!("run-{run:02}_contrast-{name}_stat-effect"));
            let a = designs[run - 1].frame_weights(&weights);
            // the design's response goes on after 32 s: it differs from the simulator's by at most this
            let (own, simulated) = (made.written_design(project.path(), "ols", 1, run), made.regressors(1, run));
            let apart = CONDITIONS
                .map(|name| own[name].iter().zip(&simulated[name]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max));
            let reach: f64 = a.iter().map(|weight| weight.abs()).sum();
            let (mut worst, mut worst_error) = (0.0_f64, 0.0_f64);
            for &voxel in &brain {
                // Each stored value is off by at most half a step of .05, and with it the mean that scales the effect.
                // The simulator sums in f32 (2^-24 of 10 % a term), maps are f32.
                let half_step = 100.0 * 0.025 / baseline[voxel];
                let tail: f64 = apart.iter().zip(&effects).map(|(apart, effect)| apart * effect[voxel].abs()).sum();
                let allowed =
                    tail * reach + half_step * reach + truth[voxel].abs() * (half_step / 100.0 + 1e-6) + 1e-6 * reach;
                let error = (found[voxel] - truth[voxel]).abs();
                worst = worst.max(error / allowed);
                worst_error = worst_error.max(error);
            }
            println!(
                "noise-free {name}, run {run}: largest error {worst_error:.5} % signal, {worst:.3} of what rounding and the tail can do"
            );
            assert!(worst < 1.0, "{name}, run {run}: {worst} of what is allowed");
        }
    }
}

#[test]
fn native_regressors_are_the_simulators() {
    let made = Made::sample_data();
    let names = [("blank", "'blank'")];
    let models = [Model { name: "ols", settings: "noise = \"ols\"", contrasts: &names }];
    let project = Project::new(&made.pipeline(&[1, 2], "", true, &models));
    project.succeed(&["run", "pipeline.toml"]);
    compare_responses(&made, &project, &[("face", 2.0), ("house", 2.0), ("blank", 2.0)], &[1, 2]);
}

/// The regressors of every run. The simulator ends its response at 32 s; the design's does not end. So the one, scaled
/// by its area, plus what comes after 32 s (an incomplete gamma function) is the other. The simulator writes 9 decimals,
/// and its integrals are good to 1e-10 an event.
fn compare_responses(made: &Made, project: &Project, conditions: &[(&str, f64)], subjects: &[usize]) {
    let until = |time_s: f64| gamma_lr(6.0, time_s) - gamma_lr(16.0, time_s) / 6.0;
    let density = |time_s: f64| {
        let ln = |shape: f64| (shape - 1.0) * time_s.ln() - time_s - ln_gamma(shape);
        ln(6.0).exp() - ln(16.0).exp() / 6.0
    };
    let (area, cut_area) = (5.0 / 6.0, until(32.0));
    let (mut worst, mut plain) = (0.0_f64, 0.0_f64);
    for &subject in subjects {
        for run in 1..=made.runs {
            let truth = made.regressors(subject, run);
            let found = made.written_design(project.path(), "ols", subject, run);
            let onsets = made.onsets(subject, run);
            for &(name, duration_s) in conditions {
                assert_eq!(found[name].len(), truth[name].len());
                for (frame, (found, truth)) in found[name].iter().zip(&truth[name]).enumerate() {
                    let late = |onset_s: &f64| {
                        let (since, after) = (frame as f64 * made.tr_s - onset_s, |time: f64| until(time.max(32.0)));
                        if duration_s > 0.0 {
                            after(since) - after(since - duration_s)
                        } else if since > 32.0 {
                            density(since)
                        } else {
                            0.0
                        }
                    };
                    let tail: f64 = onsets[name].iter().map(late).sum();
                    worst = worst.max((found - (truth * cut_area + tail) / area).abs());
                    plain = plain.max((found - truth).abs());
                }
            }
        }
    }
    println!(
        "native regressors are within {plain:.1e} of the simulator's, within {worst:.1e} once its response goes on after 32 s"
    );
    assert!(worst < 5e-10 + 14.0 * 1e-10, "{worst}");
}

//! False-positive rates of the whole program on runs in which nothing happens.

use crate::estimator::{Combine, null_p};
use crate::made::{Made, Model, mean};
use crate::support::{Project, boldly, image};

/// Three null runs of independent voxels in a head that fills the grid. Steps of .1 on a baseline of 1000: rounding
/// adds .003 % to noise of 1 %.
fn specification(rho: f64, volumes: usize, shape: [usize; 3], seed: u64) -> String {
    format!(
        r#"
name = "null"
task = "rest"
seed = {seed}
subjects = 1
runs = 3
volumes = {volumes}
tr_s = 2.0
[grid]
shape = {shape:?}
voxel_mm = [2.0, 2.0, 2.0]
[head]
radii_mm = [500.0, 500.0, 500.0]
[noise]
sigma_percent = 1.0
rho = {rho:.1}
[schedule]
gap_s = 3.0
jitter_s = 4.0
[[condition]]
name = "one"
events = 12
duration_s = 1.0
[[condition]]
name = "two"
events = 10
duration_s = 1.0
[image]
scl_slope = 0.1
"#
    )
}

const CONTRASTS: [(&str, &str); 2] = [("difference", "'one - two'"), ("any", "['one', 'two']")];

/// Simulates and runs; gives the dataset, the project and the number of voxels.
fn run(specification: &str, noise: &str) -> (tempfile::TempDir, Made, Project, usize) {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("simulation.toml"), specification).unwrap();
    assert!(boldly(scratch.path(), &["simulate", "simulation.toml", "--out", "dataset"]).status.success());
    let made = Made { folder: scratch.path().join("dataset"), task: "rest", tr_s: 2.0, runs: 3 };
    let settings = |method: &str| {
        format!("noise = \"{noise}\"\nfixed_effects = \"{method}\"\nmaps = [\"effect\", \"variance\", \"p\"]")
    };
    let (precision, mean) = (settings("precision"), settings("mean"));
    let models = [
        Model { name: "precision", settings: &precision, contrasts: &CONTRASTS },
        Model { name: "mean", settings: &mean, contrasts: &CONTRASTS },
    ];
    let project = Project::new(&made.pipeline(&[1], "", false, &models));
    project.succeed(&["run", "pipeline.toml"]);
    let voxels = made.brain().len();
    (scratch, made, project, voxels)
}

/// p of all voxels; their mask is the whole grid.
fn p(made: &Made, project: &Project, model: &str, contrast: &str) -> Vec<f64> {
    let folder = project.path().join(format!("results/{model}/sub-01/func"));
    let p = image(&folder.join(format!("sub-01_task-{}_contrast-{contrast}_stat-p_statmap.nii.gz", made.task)));
    assert!(p.iter().all(|p| *p > 0.0 && *p <= 1.0));
    p
}

fn rate(p: &[f64], level: f64) -> f64 {
    mean(p.iter().map(|&p| f64::from(u8::from(p < level))))
}

/// Four standard errors of a rate over this many independent voxels.
fn interval(level: f64, voxels: usize) -> f64 {
    4.0 * (level * (1.0 - level) / voxels as f64).sqrt()
}

#[test]
fn fixed_effects_over_three_white_null_runs_hold_their_rates() {
    let (_scratch, made, project, voxels) = run(&specification(0.0, 80, [50, 50, 20], 101), "ols");
    assert_eq!(voxels, 50_000);
    for model in ["precision", "mean"] {
        for (contrast, _) in CONTRASTS {
            let p = p(&made, &project, model, contrast);
            for level in [0.05, 0.001] {
                let (rate, interval) = (rate(&p, level), interval(level, voxels));
                println!("white, ols, {model}, {contrast}: {rate:.5} at {level}, allowed +- {interval:.5}");
                assert!((rate - level).abs() < interval, "{model} {contrast}: {rate} at {level}, allowed {interval}");
            }
        }
    }
}

#[test]
fn ar1_on_autocorrelated_null_runs_errs_as_its_estimator_does() {
    let (rho, shape) = (0.4, [40, 25, 20]);
    let (_scratch, made, project, voxels) = run(&specification(rho, 120, shape, 102), "ar1");
    let designs = made.designs(1, &["one", "two"], false);
    let weights = [1.0, -1.0];
    // With rho known, the effects have a known variance: their z is normal, but for what estimating rho adds.
    let true_variance: Vec<f64> = designs.iter().map(|design| design.generalised_variance(&weights, rho)).collect();
    let effect = made.map(project.path(), "mean", 1, "contrast-difference_stat-effect");
    let sd = true_variance.iter().sum::<f64>().sqrt() / 3.0;
    let share = mean(effect.iter().map(|effect| f64::from(u8::from((effect / sd).abs() > 1.959_964))));
    println!("AR(1) {rho}, true noise known: {share:.5} at .05, allowed +- {:.5}", interval(0.05, voxels));
    assert!((share - 0.05).abs() < interval(0.05, voxels), "{share}");
    for (model, combine) in [("precision", Combine::Precision), ("mean", Combine::Mean)] {
        let found = p(&made, &project, model, "difference");
        let expected = null_p(&designs, &[weights.to_vec()], (0..voxels).map(|_| rho), true, combine, 7).remove(0);
        for level in [0.05, 0.001] {
            let (rate, of_estimator) = (rate(&found, level), rate(&expected, level));
            // both rates are Monte-Carlo, of as many voxels
            let allowed = interval(of_estimator.max(level), voxels) * std::f64::consts::SQRT_2;
            println!(
                "AR(1) {rho}, ar1, {model}: {rate:.5} at {level}, expected of the estimator {of_estimator:.5}, \
                 allowed +- {allowed:.5}"
            );
            assert!((rate - of_estimator).abs() < allowed, "{model}: {rate} for {of_estimator} at {level}");
        }
    }
}

//! The sample data, unsmoothed: effects, intervals and detections against the declared truth.

use crate::estimator::{Combine, Design, null_p};
use crate::made::{Made, Model, mean};
use crate::space::{Correlation, gaussian};
use crate::support::Project;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use std::path::Path;

pub(crate) const CONDITIONS: [&str; 3] = ["face", "house", "blank"];
pub(crate) const CONTRASTS: [(&str, &str, [f64; 3]); 4] = [
    ("face", "'face'", [1.0, 0.0, 0.0]),
    ("house", "'house'", [0.0, 1.0, 0.0]),
    ("blank", "'blank'", [0.0, 0.0, 1.0]),
    ("faceVsHouse", "'face - house'", [1.0, -1.0, 0.0]),
];
/// Response to sustained stimulation from which a voxel counts as active, percent.
pub(crate) const ACTIVE_PERCENT: f64 = 1.0;
/// Response under which a voxel counts as null, percent: four hundred times less than the standard error of its estimate.
pub(crate) const NULL_PERCENT: f64 = 1e-3;

/// A voxel's truth and what was found.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) voxel: usize,
    pub(crate) truth: f64,
    pub(crate) effect: f64,
    pub(crate) variance: f64,
    pub(crate) z: f64,
    /// True standard deviation of the estimate.
    pub(crate) sd: f64,
}

/// Variance of a run's estimate for a rho.
pub(crate) type VarianceOfRho = Box<dyn Fn(f64) -> f64>;

/// What was found in each subject.
pub(crate) type Subjects = Vec<Vec<Found>>;

/// Standard deviation, at most, of the sum of `term_sd` over all voxels that `keep`.
pub(crate) fn sd_of_sum(
    found: &Subjects,
    space: &Correlation,
    power: i32,
    keep: impl Fn(&Found) -> bool,
    term_sd: impl Fn(&Found) -> f64,
) -> f64 {
    let of_subject = |subject: &Vec<Found>| {
        let kept: Vec<&Found> = subject.iter().filter(|found| keep(found)).collect();
        let voxels: Vec<usize> = kept.iter().map(|found| found.voxel).collect();
        let sd: Vec<f64> = kept.iter().map(|found| term_sd(found)).collect();
        space.sd_of_sum(&voxels, &sd, power)
    };
    // subjects are independent
    found.iter().map(|subject| of_subject(subject).powi(2)).sum::<f64>().sqrt()
}

/// Mean and its standard error (at most) of the error of the effects that `keep`.
pub(crate) fn mean_error(found: &Subjects, space: &Correlation, keep: impl Fn(&Found) -> bool) -> (f64, f64, usize) {
    let kept: Vec<&Found> = found.iter().flatten().filter(|found| keep(found)).collect();
    let error = mean(kept.iter().map(|found| found.effect - found.truth));
    (error, sd_of_sum(found, space, 1, &keep, |found| found.sd) / kept.len() as f64, kept.len())
}

/// Slope through the origin of effect on truth over active voxels, and its standard error.
pub(crate) fn slope(found: &Subjects, space: &Correlation) -> (f64, f64) {
    let active = |found: &Found| found.truth.abs() >= ACTIVE_PERCENT;
    let kept: Vec<&Found> = found.iter().flatten().filter(|found| active(found)).collect();
    let squares: f64 = kept.iter().map(|found| found.truth * found.truth).sum();
    let slope = kept.iter().map(|found| found.truth * found.effect).sum::<f64>() / squares;
    (slope, sd_of_sum(found, space, 1, active, |found| found.truth.abs() * found.sd) / squares)
}

/// Share of intervals of `critical` standard errors to each side that cover the truth, and the standard error (at most) of such a share.
pub(crate) fn coverage(found: &Subjects, space: &Correlation, critical: f64) -> (f64, f64) {
    let covers = |found: &Found| (found.effect - found.truth).abs() <= critical * found.variance.sqrt();
    let n = found.iter().map(Vec::len).sum::<usize>() as f64;
    let share = mean(found.iter().flatten().map(|found| f64::from(u8::from(covers(found)))));
    (share, sd_of_sum(found, space, 2, |_| true, |_| (0.95_f64 * 0.05).sqrt()) / n)
}

/// The z above which at most a share of `rate` of these values lies.
pub(crate) fn holding_threshold(mut z: Vec<f64>, rate: f64) -> f64 {
    z.sort_by(|a, b| b.total_cmp(a));
    z[(rate * z.len() as f64).floor() as usize]
}

/// Null values of a model over the three conditions.
pub(crate) fn null_z(by_contrast: &[Subjects]) -> Vec<f64> {
    let null = by_contrast[..3].iter().flatten().flatten().filter(|found| found.truth.abs() < NULL_PERCENT);
    null.map(|found| found.z).collect()
}

/// Share of active voxels (face and house) above `threshold`, the share that truth, true standard deviation and the
/// width of each interval let expect, and the standard error (at most) of such a share.
pub(crate) fn sensitivity(by_contrast: &[Subjects], space: &Correlation, threshold: f64, dof: f64) -> (f64, f64, f64) {
    let normal = Normal::standard();
    let critical = StudentsT::new(0.0, 1.0, dof).unwrap().inverse_cdf(normal.cdf(threshold));
    let power = |found: &Found| normal.cdf((found.truth - critical * found.variance.sqrt()) / found.sd);
    let active = |found: &Found| found.truth >= ACTIVE_PERCENT;
    let kept: Vec<&Found> = by_contrast[..2].iter().flatten().flatten().filter(|found| active(found)).collect();
    let n = kept.len() as f64;
    let share = mean(kept.iter().map(|found| f64::from(u8::from(found.z > threshold))));
    let bernoulli = |found: &Found| (power(found) * (1.0 - power(found))).sqrt();
    // the two conditions share runs: their errors may correlate, so that their standard deviations add
    let sd: f64 = by_contrast[..2].iter().map(|found| sd_of_sum(found, space, 1, active, bernoulli)).sum();
    (share, mean(kept.iter().map(|found| power(found))), sd / n)
}

/// Reads what a model found of a contrast. `run_variance` gives the true variance of a run's estimate for a rho.
pub(crate) fn read(
    made: &Made,
    project: &Path,
    model: &str,
    (contrast, _, weights): (&str, &str, [f64; 3]),
    run_variance: &dyn Fn(&Design, &[f64; 3]) -> VarianceOfRho,
) -> Subjects {
    let (brain, rho, sigma) = (made.brain(), made.truth("rho"), made.truth("sigma"));
    let effects = CONDITIONS.map(|name| made.truth(&format!("effect_{name}")));
    (1..=2)
        .map(|subject| {
            let map = |run: &str, stat: &str| {
                made.map(project, model, subject, &format!("{run}contrast-{contrast}_stat-{stat}"))
            };
            let [effect, variance, z] = ["effect", "variance", "z"].map(|stat| map("", stat));
            let of_runs: Vec<Vec<f64>> = (1..=2).map(|run| map(&format!("run-{run:02}_"), "variance")).collect();
            let designs = made.designs(subject, &CONDITIONS, true);
            let true_variance: Vec<_> = designs.iter().map(|design| run_variance(design, &weights)).collect();
            brain
                .iter()
                .map(|&voxel| {
                    let total: f64 = of_runs.iter().map(|variance| 1.0 / variance[voxel]).sum();
                    let combined: f64 = of_runs
                        .iter()
                        .zip(&true_variance)
                        .map(|(variance, of_run)| (1.0 / variance[voxel] / total).powi(2) * of_run(rho[voxel]))
                        .sum();
                    Found {
                        voxel,
                        truth: weights.iter().zip(&effects).map(|(weight, effect)| weight * effect[voxel]).sum(),
                        effect: effect[voxel],
                        variance: variance[voxel],
                        z: z[voxel],
                        sd: sigma[voxel] * combined.sqrt(),
                    }
                })
                .collect()
        })
        .collect()
}

/// True variance by least squares or by generalised least squares, for noise of variance 1.
pub(crate) fn true_variance(autoregressive: bool) -> impl Fn(&Design, &[f64; 3]) -> VarianceOfRho {
    move |design, contrast| {
        if autoregressive {
            // smooth in rho: a table with steps of .02, interpolated
            let steps: Vec<f64> =
                (0..=50).map(|step| design.generalised_variance(contrast, 0.019 * f64::from(step))).collect();
            Box::new(move |rho| {
                let place = rho / 0.019;
                let low = place.floor() as usize;
                steps[low] + (place - low as f64) * (steps[low + 1] - steps[low])
            })
        } else {
            Box::new(design.least_squares_variance(contrast))
        }
    }
}

/// Two-sided p of independent null voxels with the declared rho, by the estimator written out: a row a contrast.
pub(crate) fn expected_p(made: &Made, autoregressive: bool) -> Vec<Vec<f64>> {
    let (brain, rho) = (made.brain(), made.truth("rho"));
    let contrasts: Vec<Vec<f64>> = CONTRASTS.iter().map(|contrast| contrast.2.to_vec()).collect();
    let mut all = vec![Vec::new(); contrasts.len()];
    for subject in 1..=2 {
        let designs = made.designs(subject, &CONDITIONS, true);
        let rho = brain.iter().chain(&brain).map(|&voxel| rho[voxel]);
        let p = null_p(&designs, &contrasts, rho, autoregressive, Combine::Precision, 40 + subject as u64);
        all.iter_mut().zip(p).for_each(|(all, p)| all.extend(p));
    }
    all
}

#[test]
fn effects_intervals_and_detections_follow_the_truth() {
    let made = Made::sample_data();
    let names: Vec<(&str, &str)> = CONTRASTS.iter().map(|contrast| (contrast.0, contrast.1)).collect();
    let models = [
        Model { name: "ols", settings: "noise = \"ols\"", contrasts: &names },
        Model { name: "ar1", settings: "noise = \"ar1\"", contrasts: &names },
    ];
    let project = Project::new(&made.pipeline(&[1, 2], "", true, &models));
    project.succeed(&["run", "pipeline.toml"]);
    let space = Correlation::of_kernel(&gaussian(10.0, 7.5), [20, 24, 18]);
    let dof: f64 = made.designs(1, &CONDITIONS, true).iter().map(Design::dof).sum();
    let critical = StudentsT::new(0.0, 1.0, dof).unwrap().inverse_cdf(0.975);
    let brain = made.brain();
    println!(
        "{} voxels a subject count as {:.0} for means, {:.0} for coverage",
        brain.len(),
        space.effective_number(&brain, 1),
        space.effective_number(&brain, 2)
    );
    for (model, autoregressive) in [("ols", false), ("ar1", true)] {
        let expected = expected_p(&made, autoregressive);
        let by_contrast: Vec<Subjects> = CONTRASTS
            .iter()
            .map(|contrast| read(&made, project.path(), model, *contrast, &true_variance(autoregressive)))
            .collect();
        for ((found, (contrast, ..)), expected) in by_contrast.iter().zip(CONTRASTS).zip(&expected) {
            check_bias(found, &space, &format!("{model} {contrast}"));
            let (share, se) = coverage(found, &space, critical);
            let of_estimator = mean(expected.iter().map(|&p| f64::from(u8::from(p >= 0.05))));
            let estimator_se = (0.95 * 0.05 / expected.len() as f64).sqrt();
            let mut known = found.clone();
            known.iter_mut().flatten().for_each(|found| found.variance = found.sd * found.sd);
            let (of_truth, _) = coverage(&known, &space, 1.959_964);
            println!(
                "{model} {contrast}: coverage {share:.4}, expected of the estimator {of_estimator:.4}, \
                 with the true noise {of_truth:.4}, se {se:.4}"
            );
            // a normal error with its true standard deviation: .95, less what estimating rho and the runs' weights adds
            // to its variance (a percent or two)
            assert!((of_truth - 0.95).abs() < 4.0 * se, "{model} {contrast}: {of_truth} of .95");
            let interval = 4.0 * se.hypot(estimator_se);
            assert!((share - of_estimator).abs() < interval, "{model} {contrast}: {share} for {of_estimator}");
        }
        check_detection(model, &by_contrast, &expected, &space, dof);
    }
}

/// Errors average to nothing, over active and over null voxels, and the effect is proportional to the truth.
fn check_bias(found: &Subjects, space: &Correlation, name: &str) {
    let active = mean_error(found, space, |found| found.truth.abs() >= ACTIVE_PERCENT);
    let null = mean_error(found, space, |found| found.truth.abs() < NULL_PERCENT);
    for (class, (error, se, n)) in [("active", active), ("null", null)].into_iter().filter(|(_, class)| class.2 > 0) {
        println!("{name}: mean error over {n} {class} voxels {error:+.4} % signal = {:+.2} se", error / se);
        assert!(error.abs() < 4.0 * se, "{name}: mean error over {class} voxels {error}, standard error {se}");
    }
    if active.2 > 0 {
        let (slope, se) = slope(found, space);
        println!("{name}: slope on the truth {slope:.4}, se {se:.4}");
        assert!((slope - 1.0).abs() < 4.0 * se, "{name}: slope {slope}, standard error {se}");
    }
}

/// False positives at z = 3.09 and hits at the z that holds .001.
fn check_detection(model: &str, by_contrast: &[Subjects], expected: &[Vec<f64>], space: &Correlation, dof: f64) {
    let null = null_z(by_contrast);
    let rate = mean(null.iter().map(|&z| f64::from(u8::from(z > 3.090_232))));
    // one-sided .001 is two-sided .002
    let p: Vec<f64> = expected[..3].iter().flatten().copied().collect();
    let of_estimator = mean(p.iter().map(|&p| f64::from(u8::from(p < 0.002)))) / 2.0;
    let is_null = |found: &Found| found.truth.abs() < NULL_PERCENT;
    let term = |_: &Found| of_estimator.sqrt();
    let sd: f64 = by_contrast[..3].iter().map(|found| sd_of_sum(found, space, 1, is_null, term).powi(2)).sum();
    let se = sd.sqrt() / null.len() as f64;
    println!(
        "{model}: {:.5} of {} null z above 3.09, expected of the estimator {of_estimator:.5}, se {se:.5}",
        rate,
        null.len()
    );
    assert!((rate - of_estimator).abs() < 4.0 * se, "{model}: false-positive rate {rate} for {of_estimator}");
    let threshold = holding_threshold(null, 0.001);
    let (share, predicted, se) = sensitivity(by_contrast, space, threshold, dof);
    println!("{model}: z > {threshold:.3} holds .001; sensitivity {share:.4}, expected {predicted:.4}, se {se:.4}");
    assert!((share - predicted).abs() < 4.0 * se, "{model}: sensitivity {share} for {predicted}");
}

/// Rho as estimated is smaller than the truth by what the design takes from the residuals.
#[test]
fn rho_is_as_small_as_the_design_makes_it() {
    let made = Made::sample_data();
    let settings = "noise = \"ar1\"\nmaps = [\"rho\", \"effect\"]";
    let models = [Model { name: "ar1", settings, contrasts: &[("blank", "'blank'")] }];
    let project = Project::new(&made.pipeline(&[1, 2], "", true, &models));
    project.succeed(&["run", "pipeline.toml"]);
    let (brain, rho) = (made.brain(), made.truth("rho"));
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    for subject in 1..=2 {
        for (run, design) in (1..).zip(made.designs(subject, &CONDITIONS, true)) {
            let map = made.map(project.path(), "ar1", subject, &format!("run-{run:02}_stat-rho"));
            // nearly straight in rho: two ends and a line
            let ends = [0.2, 0.5].map(|rho| design.expected_residual_correlation(rho));
            found.extend(brain.iter().map(|&voxel| map[voxel]));
            expected.extend(brain.iter().map(|&voxel| ends[0] + (rho[voxel] - 0.2) / 0.3 * (ends[1] - ends[0])));
        }
    }
    let of_truth = mean(brain.iter().map(|&voxel| rho[voxel]));
    let (found, expected) = (mean(found.into_iter()), mean(expected.into_iter()));
    println!("mean rho: true {of_truth:.4}, estimated {found:.4}, expected of the estimator {expected:.4}");
    // A ratio's expectation is the ratio of expectations but for terms of 2 / frames; four standard errors of the mean of
    // 4 runs x 493 voxels' worth of estimates, each with 1 / sqrt(frames).
    let allowed = 2.0 / 130.0 + 4.0 / (4.0 * 493.0 * 130.0_f64).sqrt();
    assert!((found - expected).abs() < allowed, "{found} for {expected}, allowed {allowed}");
}

#[test]
fn the_nilearn_profile_finds_the_effects_its_regressors_define() {
    let made = Made::sample_data();
    let names = [("face", "'face'"), ("house", "'house'")];
    let models = [Model { name: "ols", settings: "noise = \"ols\"", contrasts: &names }];
    let project =
        Project::new(&made.pipeline(&[1, 2], "profile = \"nilearn\"\n[design]\nhrf = \"spm\"", true, &models));
    project.succeed(&["run", "pipeline.toml"]);
    let space = Correlation::of_kernel(&gaussian(10.0, 7.5), [20, 24, 18]);
    let (brain, rho, sigma) = (made.brain(), made.truth("rho"), made.truth("sigma"));
    let truth = ["face", "house"].map(|name| made.truth(&format!("effect_{name}")));
    for (condition, weights) in [("face", [1.0, 0.0, 0.0]), ("house", [0.0, 1.0, 0.0])] {
        let mut expected = Subjects::new();
        for subject in 1..=2 {
            let effect = made.map(project.path(), "ols", subject, &format!("contrast-{condition}_stat-effect"));
            // its own design, and what that makes of the true responses
            let mut gains = [0.0; 2];
            let mut variances = Vec::new();
            for run in 1..=2 {
                let mut columns = made.written_design(project.path(), "ols", subject, run);
                columns.remove("constant");
                let conditions = CONDITIONS.map(|name| columns.remove(name).unwrap());
                let design = Design::new(&conditions, &columns.into_values().collect::<Vec<_>>(), made.tr_s, 0.0);
                let response = made.regressors(subject, run);
                let a = design.frame_weights(&weights);
                for (gain, name) in gains.iter_mut().zip(["face", "house"]) {
                    *gain += a.iter().zip(&response[name]).map(|(a, x)| a * x).sum::<f64>() / 2.0;
                }
                variances.push(design.least_squares_variance(&weights));
            }
            let found = |&voxel: &usize| Found {
                voxel,
                truth: gains[0] * truth[0][voxel] + gains[1] * truth[1][voxel],
                effect: effect[voxel],
                variance: 0.0,
                z: 0.0,
                sd: sigma[voxel] * 0.5 * variances.iter().map(|of_run| of_run(rho[voxel])).sum::<f64>().sqrt(),
            };
            println!("nilearn profile, {condition}, subject {subject}: gains for face and house {gains:.4?}");
            expected.push(brain.iter().map(found).collect());
        }
        check_bias(&expected, &space, &format!("nilearn profile {condition}"));
        let own = usize::from(condition == "house");
        expected.iter_mut().flatten().for_each(|found| found.truth = truth[own][found.voxel]);
        let (slope, se) = slope(&expected, &space);
        println!("nilearn profile {condition}: slope on the declared truth {slope:.4}, se {se:.4}");
        // Its grid has steps of TR / 50 = .04 s: an event of 2 s is long or short by at most one, 2 %; its response is
        // late by one step and stretched by one in 800, which costs less than 1 % of the amplitude.
        assert!((slope - 1.0).abs() < 0.03 + 4.0 * se, "slope {slope}, standard error {se}");
    }
}

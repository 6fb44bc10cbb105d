//! Declared choices reach the results: each option of preprocessing, design and noise changes what it should.

use crate::image_forms::Image16;
use crate::sample::{
    ONE, SMALL, assert_exit, codes, digests, edit, file, map, pipeline, project, run_entry, stderr, with_confounds,
};
use crate::support::Project;
use boldly::config::PValueSides;
use boldly::inference::StudentT;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

const Z: &str = "run-01_contrast-faceVsHouse_stat-z_statmap";

fn run(pipeline: &str) -> Project {
    let project = project(pipeline);
    project.succeed(&["run", "pipeline.toml"]);
    project
}

fn results(project: &Project) -> PathBuf {
    project.path().join("results")
}

fn summary(project: &Project) -> Value {
    let name = "objects/sub-01/func/sub-01_task-objects_run-01_summary.json";
    serde_json::from_slice(&fs::read(results(project).join(name)).unwrap()).unwrap()
}

fn design_columns(project: &Project) -> Vec<String> {
    let columns = summary(project)["Runs"][0]["DesignColumns"].as_array().unwrap().clone();
    columns.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// `[glm.design]` keys for the small pipeline.
fn small_with_design(keys: &str) -> String {
    SMALL.replace("[[glm.contrast]]", &format!("[glm.design]\n{keys}\n\n[[glm.contrast]]"))
}

#[test]
fn discarded_volumes_leave_the_clock_alone() {
    let project = run(&pipeline(&ONE, &format!("[preprocess]\ndiscard_volumes = 3\n{SMALL}")));
    let whole = run(&pipeline(&ONE, SMALL));
    let rows = |project: &Project| -> Vec<String> {
        let name = "objects/sub-01/func/sub-01_task-objects_run-01_design.tsv";
        let text = fs::read_to_string(results(project).join(name)).unwrap();
        // the task columns: drifts begin anew with the kept frames
        text.lines().skip(1).map(|line| line.split('\t').take(3).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(rows(&project), rows(&whole)[3..]);
    assert_eq!(summary(&project)["Runs"][0]["DiscardedFrames"], 3);
}

#[test]
fn scrubbed_volumes_are_counted_and_cost_their_degrees_of_freedom() {
    let keys =
        "[confounds]\ncolumns = [\"rot_*\"]\nfirst_row_nan = \"zero\"\nscrub = { fd_mm = 0.3, min_segment = 1 }\n";
    let project = run(&with_confounds(&ONE, &format!("{keys}{SMALL}")));
    let table = fs::read_to_string(project.path().join(file(ONE[0], "desc-confounds_timeseries.tsv"))).unwrap();
    let displacement = table.lines().skip(1).map(|line| line.split('\t').nth(6).unwrap().parse().unwrap_or(0.0));
    let expected: Vec<usize> =
        displacement.enumerate().filter(|(_, mm): &(usize, f64)| *mm > 0.3).map(|(frame, _)| frame).collect();
    let run = &summary(&project)["Runs"][0];
    assert!(!expected.is_empty());
    assert_eq!(run["CensoredFrames"], serde_json::json!(expected));
    let dof = 130 - expected.len() as u64 - run["Rank"].as_u64().unwrap();
    assert_eq!(run["DegreesOfFreedom"].as_f64(), Some(dof as f64));
}

#[test]
fn masks_of_runs_are_combined_as_declared() {
    let glm = SMALL.split_once("[[glm]]").unwrap().1;
    let entries: String = [("01", "01"), ("01", "02")]
        .map(|run| run_entry(run, &format!("mask = \"data/mask{}.nii.gz\"", run.1)))
        .concat();
    let project =
        project(&format!("{}{entries}[mask]\ncombine = \"intersection\"\n\n[[glm]]{glm}", crate::sample::head()));
    let mask = Image16::read(&project.path().join("data/mask.nii.gz"));
    let keep = |part: usize| mask.with_values(move |at, inside| inside * i16::from(at % 20 != part));
    keep(8).write_gz(&project.path().join("data/mask01.nii.gz"));
    keep(12).write_gz(&project.path().join("data/mask02.nii.gz"));
    project.succeed(&["run", "pipeline.toml"]);
    let written = map(&results(&project), "objects", "desc-brain_mask");
    let expected: Vec<f64> = mask
        .values()
        .enumerate()
        .map(|(at, inside)| f64::from(u8::from(inside != 0 && at % 20 != 8 && at % 20 != 12)))
        .collect();
    assert_eq!(written, expected);
}

#[test]
fn a_run_without_the_condition_is_left_out_where_that_is_declared() {
    let two = [("01", "01"), ("01", "02")];
    let project = project(&pipeline(&two, SMALL));
    edit(&project, &file(two[1], "events.tsv"), |text| text.replace("\thouse", "\tface"));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(
        codes(&output).iter().filter(|code| *code == "contrast-condition-absent").count(),
        1,
        "{}",
        stderr(&output)
    );
    let skip = ["--set", "design.when_condition_absent=skip-run"];
    project.succeed(&[&["run", "pipeline.toml"], &skip[..]].concat());
    let names = digests(&results(&project));
    assert!(names.keys().any(|name| name.ends_with("run-01_contrast-faceVsHouse_stat-z_statmap.nii.gz")));
    assert!(!names.keys().any(|name| name.contains("run-02_contrast-faceVsHouse")));
    // over runs it is the one run that has it
    let over_runs = map(&results(&project), "objects", "contrast-faceVsHouse_stat-effect_statmap");
    assert_eq!(over_runs, map(&results(&project), "objects", "run-01_contrast-faceVsHouse_stat-effect_statmap"));
}

#[test]
fn a_modulator_has_a_column_of_its_own() {
    let settings = format!("[[design.modulator]]\ncondition = \"face\"\ncolumn = \"rt\"\n{SMALL}");
    let project = project(&pipeline(&ONE, &settings.replace("face - house", "`face:rt`")));
    edit(&project, &file(ONE[0], "events.tsv"), |text| {
        let rows = text.lines().enumerate();
        rows.map(|(at, line)| if at == 0 { format!("{line}\trt\n") } else { format!("{line}\t{}\n", at * at % 11) })
            .collect()
    });
    project.succeed(&["run", "pipeline.toml"]);
    assert!(design_columns(&project).contains(&"face:rt".to_owned()));
}

#[test]
fn each_condition_is_a_contrast_on_request() {
    let all = SMALL.split_once("[[glm.contrast]]").unwrap().0.to_owned() + "condition_contrasts = true\n";
    let project = run(&pipeline(&ONE, &all));
    let names = digests(&results(&project));
    for condition in ["blank", "face", "house"] {
        assert!(names.keys().any(|name| name.ends_with(&format!("contrast-{condition}_stat-t_statmap.nii.gz"))));
    }
    project.succeed(&["run", "pipeline.toml", "--set", "design.hrf=fir"]);
    let names = digests(&results(&project));
    assert!(names.keys().any(|name| name.ends_with("contrast-face_stat-z_statmap.nii.gz")));
    assert!(!names.keys().any(|name| name.ends_with("contrast-face_stat-t_statmap.nii.gz")), "over delays it is an F");
}

#[test]
fn z_of_pooled_noise_is_that_of_t_on_the_degrees_of_freedom_of_each_voxel() {
    let project = project(&pipeline(&ONE, SMALL));
    let set = "glm.objects.maps=[\"t\", \"z\", \"dof\"]";
    project.succeed(&["run", "pipeline.toml", "--set", "glm.objects.noise=pooled-ar", "--set", set]);
    let [t, z, dof] = ["t", "z", "dof"]
        .map(|stat| map(&results(&project), "objects", &format!("run-01_contrast-faceVsHouse_stat-{stat}_statmap")));
    let residual = summary(&project)["Runs"][0]["DegreesOfFreedom"].as_f64().unwrap();
    let inside: Vec<usize> = (0..t.len()).filter(|&voxel| t[voxel] != 0.0).collect();
    for &voxel in &inside {
        let expected = StudentT::new(dof[voxel], PValueSides::TwoSided, None).z(t[voxel]);
        // maps are of single precision
        assert!((z[voxel] - expected).abs() < 1e-5 * expected.abs().max(1.0), "{} {expected}", z[voxel]);
        assert!(dof[voxel] > 0.0 && dof[voxel] <= residual, "{}", dof[voxel]);
    }
    assert!(inside.iter().any(|&voxel| dof[voxel] < 0.99 * residual));
    assert!((0..t.len()).all(|voxel| (t[voxel] == 0.0) == (dof[voxel] == 0.0)));
}

#[test]
fn a_response_from_a_table_is_the_response_it_holds() {
    let project = project(&pipeline(&ONE, &small_with_design("hrf = { file = \"data/hrf.tsv\" }")));
    let rows: Vec<String> =
        (0..=300).map(|at| f64::from(at) * 0.1).map(|t| format!("{t:.1}\t{:.17}\n", gamma(t))).collect();
    fs::write(project.path().join("data/hrf.tsv"), format!("time_s\tamplitude\n{}", rows.concat())).unwrap();
    // a pooled noise model chooses how far to pool, which the least change of the design can move
    let run = ["run", "pipeline.toml", "--set", "glm.objects.noise=ols"];
    project.succeed(&run);
    let own = map(&results(&project), "objects", Z);
    edit(&project, "pipeline.toml", |text| text.replace("{ file = \"data/hrf.tsv\" }", "\"gamma\""));
    project.succeed(&run);
    let built_in = map(&results(&project), "objects", Z);
    // a table of straight lines between samples 0.1 s apart: z moves by less than .01
    let apart = own.iter().zip(&built_in).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 0.01 && own.iter().any(|z| z.abs() > 3.0), "{apart}");
}

/// Gamma density of mean 6 s and standard deviation 3 s: shape 4, scale 1.5 s.
fn gamma(t: f64) -> f64 {
    t.powi(3) * (-t / 1.5).exp() / (6.0 * 1.5_f64.powi(4))
}

#[test]
fn tents_and_delays_are_columns() {
    let contrast = |text: String| text.replace("\"face - house\"", "[\"`face_delay_*`\"]");
    let tent = run(&contrast(pipeline(
        &ONE,
        &small_with_design("hrf = \"tent\"\ntent = { start_s = 0, stop_s = 12, knots = 5 }"),
    )));
    let of_face =
        |project: &Project| design_columns(project).iter().filter(|name| name.starts_with("face_delay_")).count();
    assert_eq!(of_face(&tent), 5);
    let fir = run(&contrast(pipeline(&ONE, &small_with_design("hrf = \"fir\"\nfir_delays_s = [2, 4, 6, 8]"))));
    assert_eq!(of_face(&fir), 4);
}

#[test]
fn drift_is_the_declared_one() {
    let polynomial = run(&pipeline(&ONE, &small_with_design("drift = \"polynomial\"\npolynomial_order = 2")));
    let none = run(&pipeline(&ONE, &small_with_design("drift = \"none\"")));
    assert_eq!(design_columns(&polynomial).len(), 3 + 2 + 1);
    assert_eq!(design_columns(&none).len(), 3 + 1);
}

#[test]
fn scaling_changes_effects_and_not_statistics() {
    let [none, grand] = ["none", "grand-mean"].map(|scaling| {
        let project = run(&pipeline(&ONE, &format!("[preprocess]\nscaling = \"{scaling}\"\n{SMALL}")));
        let maps = [Z, "run-01_contrast-faceVsHouse_stat-effect_statmap"];
        maps.map(|name| map(&results(&project), "objects", name))
    });
    crate::sample::assert_close(&grand[0], &none[0], "z");
    let at = (0..none[1].len()).max_by(|&a, &b| none[1][a].total_cmp(&none[1][b])).unwrap();
    let factor = grand[1][at] / none[1][at];
    // data of about 1000 become percent of their grand mean: a tenth
    assert!((0.08..0.14).contains(&factor), "{factor}");
    let expected: Vec<f64> = none[1].iter().map(|value| value * factor).collect();
    crate::sample::assert_close(&grand[1], &expected, "one factor for all");
}

#[test]
fn smoothing_within_the_mask_changes_its_edge_most() {
    let smooth = |keys: &str| run(&pipeline(&ONE, &format!("[preprocess]\nsmooth_fwhm_mm = 12\n{keys}\n{SMALL}")));
    let [open, within] = ["", "smooth_within_mask = true"]
        .map(smooth)
        .map(|project| map(&results(&project), "objects", "run-01_stat-mean_boldref"));
    let edge_mean = |mean: &[f64]| mean.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    assert!(edge_mean(&open) < 0.8 * edge_mean(&within), "{} {}", edge_mean(&open), edge_mean(&within));
}

#[test]
fn an_order_of_noise_fits_or_is_refused_at_its_model() {
    let project = project(&pipeline(&ONE, SMALL));
    let refused = project.boldly(&["check", "pipeline.toml", "--set", "glm.objects.noise=ar30"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(codes(&refused).contains(&"noise-order".to_owned()), "{}", stderr(&refused));
    let said = stderr(&refused);
    assert!(
        said.contains("noise `ar30` needs 180 residual degrees of freedom") && said.contains("pipeline.toml:"),
        "{said}"
    );
    for noise in ["ar3", "tukey-ar"] {
        project.succeed(&["run", "pipeline.toml", "--out", noise, "--set", &format!("glm.objects.noise={noise}")]);
    }
    let [third, tukey] = ["ar3", "tukey-ar"].map(|noise| map(&project.path().join(noise), "objects", Z));
    assert!(third.iter().zip(&tukey).any(|(a, b)| a != b), "two models, two results");
    assert!(third.iter().all(|z| z.is_finite()));
}

#[test]
fn coefficients_of_arma11_are_maps_and_the_design_says_what_it_tells() {
    let settings = SMALL
        .replace("[[glm.contrast]]", "noise = \"arma11\"\nmaps = [\"a\", \"b\", \"rho\", \"t\"]\n\n[[glm.contrast]]");
    let project = run(&pipeline(&ONE, &settings));
    let [a, b, rho] =
        ["a", "b", "rho"].map(|kind| map(&results(&project), "objects", &format!("run-01_stat-{kind}_statmap")));
    for ((a, b), rho) in a.iter().zip(&b).zip(&rho) {
        let expected = (a + b) * (1.0 + a * b) / (1.0 + 2.0 * a * b + b * b);
        assert!((rho - expected).abs() < 1e-6, "{a} {b} {rho}"); // of single precision
    }
    assert!(a.iter().any(|a| *a > 0.0));
    let name = "objects/sub-01/func/sub-01_task-objects_run-01_design.json";
    let design: Value = serde_json::from_slice(&fs::read(results(&project).join(name)).unwrap()).unwrap();
    assert!(design["Contrasts"][0]["Efficiency"].as_f64().unwrap() > 0.0);
    let check = project.succeed(&["check", "pipeline.toml", "--json"]);
    let check: Value = serde_json::from_slice(&check.stdout).unwrap();
    let said = check["subjects"][0]["runs"][0]["models"][0]["vif"].as_object().unwrap();
    let columns = design["Columns"].as_array().unwrap().iter();
    let saved = columns
        .filter_map(|column| Some((column["Name"].as_str()?.to_owned(), column.get("VarianceInflation")?.clone())));
    assert_eq!(&saved.collect::<serde_json::Map<_, _>>(), said);
    assert_eq!(said.len(), 3, "blank, face and house");
    let leverage: f64 = design["Leverage"].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
    let rank = design["Columns"].as_array().unwrap().len() as f64;
    assert!((leverage - rank).abs() < 1e-9, "{leverage}");
}

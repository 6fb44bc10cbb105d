//! `boldly calibrate`: rates on null data, on simulated ones and on scans at rest, and what is refused.

use crate::sample::{
    ALL, ONE, SMALL, assert_exit, assert_same_bytes, codes, digests, file, head, pipeline, project, stderr, stdout,
};
use crate::support::Project;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const CALIBRATE: &str = r#"
[[glm.threshold]]
contrast = "faceVsHouse"
[[glm.threshold]]
contrast = "faceVsHouse"
height = "uncorrected"

[calibrate]
draws = 30
"#;

fn calibrated(settings: &str) -> Project {
    project(&pipeline(&ALL[..2], &format!("{SMALL}{settings}")))
}

/// The rows of the table by their headings.
fn rows(project: &Project) -> Vec<BTreeMap<String, String>> {
    let path = project.path().join("results/objects/sub-01/func/sub-01_task-objects_desc-calibration_stats.tsv");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let names: Vec<String> = lines.next().unwrap().collect();
    lines.map(|line| names.iter().cloned().zip(line).collect()).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn row<'a>(
    rows: &'a [BTreeMap<String, String>],
    noise: &str,
    counted: &str,
    level: &str,
) -> &'a BTreeMap<String, String> {
    let is_it =
        |row: &&BTreeMap<String, String>| row["noise"] == noise && row["counted"] == counted && row["level"] == level;
    rows.iter().find(is_it).unwrap_or_else(|| panic!("{noise} {counted} {level}: {rows:?}"))
}

#[test]
fn the_default_keeps_its_rates_on_the_sample_data_and_ols_does_not() {
    let project = calibrated(CALIBRATE);
    let said = project.boldly(&["calibrate", "pipeline.toml", "--set", "glm.objects.noise=pooled-ar"]);
    assert_eq!(said.status.code(), Some(0), "{}", stderr(&said));
    assert!(stdout(&said).contains("pooled-ar *") && stderr(&said).contains("0 rates outside"), "{}", stdout(&said));
    let found = rows(&project);
    let declared = row(&found, "pooled-ar", "false_positives", "0.05");
    assert!((0.043..0.065).contains(&number(declared, "value")) && declared["declared"] == "true", "{declared:?}");
    let coverage = row(&found, "pooled-ar", "coverage", "0.95");
    assert!((number(coverage, "value") + number(declared, "value") - 1.0).abs() < 1e-12);
    // autocorrelated noise taken for white
    let ols = row(&found, "ols", "false_positives", "0.05");
    assert!(number(ols, "low") > 0.08 && ols["verdict"] == "n/a", "{ols:?}");
    // of the two thresholds one has an error over the family
    let family: Vec<_> =
        found.iter().filter(|row| row["counted"] == "familywise" && row["noise"] == "pooled-ar").collect();
    assert!(family.len() == 1 && family[0]["threshold"] == "fdr05" && number(family[0], "low") < 0.05, "{family:?}");
    let said = project.boldly(&["calibrate", "pipeline.toml", "--set", "glm.objects.noise=ols"]);
    assert_eq!(said.status.code(), Some(1), "{}", stderr(&said));
    assert_eq!(row(&rows(&project), "ols", "false_positives", "0.05")["verdict"], "outside");
}

#[test]
fn rates_follow_from_the_seed_at_any_number_of_threads() {
    let project = calibrated("\n[calibrate]\ndraws = 10\n");
    let calibrate = |threads: &str, seed: &str| {
        let seed = format!("calibrate.seed={seed}");
        let said = project.boldly(&["calibrate", "pipeline.toml", "--threads", threads, "--set", &seed]);
        assert!(said.status.code() == Some(0) || said.status.code() == Some(1), "{}", stderr(&said));
        digests(&project.path().join("results/objects"))
    };
    let first = calibrate("1", "3");
    assert_same_bytes(&first, &calibrate("3", "3"), "three threads");
    assert_ne!(first, calibrate("1", "4"));
}

#[test]
fn rates_are_in_the_report_and_change_no_result() {
    let project = calibrated("\n[calibrate]\ndraws = 10\n");
    project.succeed(&["run", "pipeline.toml"]);
    let page = || fs::read_to_string(project.path().join("results/sub-01_report.html")).unwrap();
    assert!(!page().contains("Calibration"));
    project.boldly(&["calibrate", "pipeline.toml"]);
    assert!(page().contains("False positives and coverage") && !page().contains("another state"));
    let again = project.succeed(&["run", "pipeline.toml", "--set", "calibrate.draws=20"]);
    assert!(stderr(&again).contains("unchanged"), "{}", stderr(&again));
    assert!(page().contains("False positives and coverage"));
    project.succeed(&["run", "pipeline.toml", "--set", "preprocess.smooth_fwhm_mm=4.0"]);
    assert!(page().contains("another state of the pipeline"));
}

#[test]
fn scans_at_rest_stand_for_the_runs() {
    // two runs of another subject as if they had been at rest
    let rest =
        format!("\n[calibrate]\nrest = [\"{}\", \"{}\"]\n", file(ALL[2], "bold.nii.gz"), file(ALL[3], "bold.nii.gz"));
    let project = project(&pipeline(&ONE, &format!("{SMALL}{rest}")));
    let said = project.boldly(&["calibrate", "pipeline.toml"]);
    assert!(stdout(&said).contains("2 rest data sets"), "{}{}", stdout(&said), stderr(&said));
    let path =
        project.path().join("results/objects/sub-01/func/sub-01_task-objects_run-01_desc-calibration_stats.json");
    let sidecar: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((&sidecar["Data"], &sidecar["Draws"]), (&"rest".into(), &2.into()));
    assert!(sidecar.get("Seed").is_none());
}

/// Few columns: most draws have no hit, which must not be taken for a rate of 0.
#[test]
fn a_small_table_is_not_judged_by_chance() {
    let events = file(ONE[0], "events.tsv");
    let table = file(ONE[0], "desc-roi_timeseries.tsv");
    let settings = format!(
        "{}[[timeseries]]\ntable = \"{table}\"\ntr_s = 2.0\nevents = \"{events}\"\n[[glm]]\nname = \"objects\"\n\
         [[glm.contrast]]\nname = \"faceVsHouse\"\nexpr = \"face - house\"\n[[glm.contrast]]\nname = \"any\"\n\
         expr = [\"face\", \"house\"]\n[calibrate]\ndraws = 20\nalternatives = [\"ar1\", \"ar30\"]\n",
        head()
    );
    let project = project(&settings);
    let said = project.boldly(&["calibrate", "pipeline.toml"]);
    assert_eq!(said.status.code(), Some(0), "{}", stderr(&said));
    assert_eq!(codes(&said), ["calibrate-alternative"], "30 lags in 130 frames: {}", stderr(&said));
    let path = project.path().join("results/objects/sub-01/func/sub-01_task-objects_run-01_desc-calibration_stats.tsv");
    let text = fs::read_to_string(path).unwrap();
    let printed = stdout(&said);
    let of_f = printed.lines().find(|line| line.contains("any  ") && line.contains("arma11 *")).unwrap();
    assert_eq!(of_f.matches('(').count(), 3, "an F has no interval that could cover: {of_f}");
    assert!(text.contains("arma11\ttrue") && !text.contains("outside"), "{text}");
    assert!(
        text.contains("coverage") && !text.lines().any(|line| line.starts_with("any") && line.contains("coverage"))
    );
}

#[test]
fn smoothness_is_that_of_the_null_data_and_clusters_are_simulated_once() {
    let thresholds = "[[glm.threshold]]\ncontrast = \"faceVsHouse\"\nheight = \"rft\"\n\
                      [[glm.threshold]]\ncontrast = \"faceVsHouse\"\nheight = \"cluster\"\n";
    let project = calibrated(&format!("{thresholds}\n[calibrate]\ndraws = 12\nalternatives = []\n"));
    let calibrate = |threads: &str| {
        let said = project.boldly(&["calibrate", "pipeline.toml", "--threads", threads]);
        assert_eq!(said.status.code(), Some(0), "{}", stderr(&said));
        digests(&project.path().join("results/objects"))
    };
    assert_same_bytes(&calibrate("1"), &calibrate("2"), "two threads");
    let found = rows(&project);
    let of_family: Vec<_> = found.iter().filter(|row| row["counted"] == "familywise").collect();
    assert_eq!(of_family.len(), 2, "{of_family:?}");
    assert!(of_family.iter().all(|row| number(row, "value") < 0.3), "{of_family:?}");
}

#[test]
fn a_subject_that_cannot_be_read_is_said_once_and_the_other_is_calibrated() {
    let project = project(&pipeline(&[ALL[0], ALL[2]], &format!("{SMALL}\n[calibrate]\ndraws = 10\n")));
    fs::remove_file(project.path().join(file(ALL[2], "events.tsv"))).unwrap();
    let said = project.boldly(&["calibrate", "pipeline.toml"]);
    assert_eq!(said.status.code(), Some(4), "{}", stderr(&said));
    assert_eq!(codes(&said).len(), 1, "{}", stderr(&said));
    assert!(stdout(&said).contains("sub-01"));
}

#[test]
fn what_cannot_stand_for_the_runs_is_refused_where_it_is_named() {
    let rest = "\n[calibrate]\nrest = [\"data/mask.nii.gz\", \"data/none.nii.gz\"]\n";
    let project = project(&pipeline(&ONE, &format!("{SMALL}{rest}")));
    let said = project.boldly(&["calibrate", "pipeline.toml"]);
    assert_exit(&said, 2);
    assert_eq!(codes(&said).len(), 2, "{}", stderr(&said));
    assert!(stderr(&said).contains("pipeline.toml:"), "{}", stderr(&said));
    assert!(!project.path().join("results").exists(), "nothing is written");
}

#[test]
fn a_pipeline_without_a_model_has_nothing_to_calibrate() {
    let settings = "\n[[convolve]]\nname = \"smooth\"\nkernel = { gaussian = 1.0 }\n";
    let project = project(&pipeline(&ONE, settings));
    let said = project.boldly(&["calibrate", "pipeline.toml"]);
    assert_exit(&said, 2);
    assert_eq!(codes(&said), ["calibrate-without-model"], "{}", stderr(&said));
}

//! `[[glm.threshold]]`: maps, tables of clusters and columns, and what is refused.

use crate::sample::{ALL, ONE, SMALL, assert_exit, codes, digests, file, head, map, pipeline, project, stderr};
use crate::support::Project;
use serde_json::Value;
use std::fs;

const THRESHOLDS: &str = r#"
[[glm.threshold]]
contrast = "faceVsHouse"
[[glm.threshold]]
contrast = "faceVsHouse"
height = "bonferroni"
min_cluster_voxels = 5
neighbours = 26
"#;

fn text(project: &Project, name: &str) -> String {
    let path = project.path().join("results/objects/sub-01/func").join(format!("sub-01_task-objects_{name}"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(project: &Project, name: &str) -> Value {
    serde_json::from_str(&text(project, name)).unwrap()
}

/// The rows of a table by their headings.
fn rows(project: &Project, name: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = text(project, name);
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let names: Vec<String> = lines.next().unwrap().collect();
    lines.map(|line| names.iter().cloned().zip(line).collect()).collect()
}

fn values(project: &Project, name: &str) -> Vec<f64> {
    map(&project.path().join("results"), "objects", name)
}

#[test]
fn a_threshold_writes_a_map_and_its_clusters_over_the_runs_alone() {
    let project = project(&pipeline(&ALL[..2], &format!("{SMALL}{THRESHOLDS}")));
    project.succeed(&["run", "pipeline.toml"]);
    let z = values(&project, "contrast-faceVsHouse_stat-z_statmap");
    for (name, smallest) in [("fdr05", 1), ("bonferroni05", 5)] {
        let stem = format!("contrast-faceVsHouse_stat-z_desc-{name}_statmap");
        let (kept, sidecar) = (values(&project, &stem), json(&project, &format!("{stem}.json")));
        let threshold = &sidecar["Threshold"];
        let height = threshold["ZThreshold"].as_f64().unwrap();
        let n_kept = kept.iter().filter(|z| **z != 0.0).count();
        assert!(n_kept > 20, "{name}: the simulated areas are found");
        assert_eq!(threshold["Passing"], n_kept);
        assert_eq!(threshold["MinClusterVoxels"], smallest);
        for (kept, z) in kept.iter().zip(&z) {
            // maps are f32, the height is not
            assert!(*kept == 0.0 || (kept == z && z.abs() > height - 1e-5), "{kept} of {z}");
            assert!(smallest > 1 || *kept != 0.0 || z.abs() < height + 1e-5, "{kept} of {z}");
        }
        let table = format!("contrast-faceVsHouse_desc-{name}_clusters");
        let (rows, described) = (rows(&project, &format!("{table}.tsv")), json(&project, &format!("{table}.json")));
        for heading in rows[0].keys() {
            assert!(described[heading]["Description"].is_string(), "{heading} is described");
        }
        let number = |row: usize, heading: &str| rows[row][heading].parse::<f64>().unwrap();
        let firsts: Vec<usize> = (0..rows.len()).filter(|row| rows[*row]["peak"] == "1.0").collect();
        assert_eq!(firsts.iter().map(|row| number(*row, "n_voxels")).sum::<f64>(), n_kept as f64);
        for &row in &firsts {
            assert!(number(row, "n_voxels") >= f64::from(smallest) && number(row, "peak_z").abs() >= height);
            assert!(number(row, "p_corrected") <= 0.05 && number(row, "p_corrected") >= number(row, "p"));
            assert!((0.0..=1.0).contains(&number(row, "true_discovery_proportion")));
        }
        assert!(number(0, "true_discovery_proportion") > 0.3, "most of the largest cluster is real");
        let entry = json(&project, &format!("contrast-faceVsHouse_desc-{name}_clusters.json"));
        assert_eq!(&entry["Threshold"], threshold);
    }
    let names = digests(&project.path().join("results"));
    assert!(!names.keys().any(|name| name.contains("run-01") && name.contains("desc-fdr05")));
}

#[test]
fn columns_of_a_table_are_a_family() {
    let settings = format!(
        "{}[[timeseries]]\ntable = \"{}\"\ntr_s = 2.0\nevents = \"{}\"\n[[glm]]\nname = \"objects\"\n\
         condition_contrasts = true\n[[glm.threshold]]\ncontrast = \"face\"\nheight = \"bonferroni\"\n",
        head(),
        file(ONE[0], "desc-roi_timeseries.tsv"),
        file(ONE[0], "events.tsv"),
    );
    let project = project(&settings);
    project.succeed(&["run", "pipeline.toml"]);
    let name = "run-01_contrast-face_desc-bonferroni05_stats";
    let sidecar = json(&project, &format!("{name}.json"));
    assert_eq!(sidecar["Threshold"]["FamilySize"], 4);
    // scipy.stats.norm.isf(.05 / 8)
    assert!((sidecar["Threshold"]["ZThreshold"].as_f64().unwrap() - 2.497_705_474_412_373).abs() < 1e-12);
    for row in rows(&project, &format!("{name}.tsv")) {
        let number = |heading: &str| row[heading].parse::<f64>().unwrap();
        assert_eq!(number("passes") == 1.0, number("p_corrected") <= 0.05);
        assert_eq!(number("p_corrected"), (4.0 * number("p")).min(1.0));
    }
}

#[test]
fn a_contrast_that_no_condition_makes_is_refused() {
    let settings = SMALL.replace("[[glm.contrast]]", "condition_contrasts = true\n[[glm.contrast]]");
    let settings = format!("{settings}[[glm.threshold]]\ncontrast = \"fase\"\n");
    let output = project(&pipeline(&ONE, &settings)).boldly(&["check", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output), ["threshold-unknown-contrast"]);
    assert!(stderr(&output).contains("did you mean `face`?"), "{}", stderr(&output));
}

#[test]
fn heights_that_depend_on_the_residuals_say_how_smooth_they_are() {
    let thresholds = "\n[[glm.threshold]]\ncontrast = \"faceVsHouse\"\nheight = \"rft\"\n\
                      [[glm.threshold]]\ncontrast = \"faceVsHouse\"\nheight = \"cluster\"\n";
    let settings = format!("[preprocess]\nsmooth_fwhm_mm = 8\n{SMALL}{thresholds}");
    let project = project(&pipeline(&ALL[..2], &settings));
    project.succeed(&["run", "pipeline.toml", "--threads", "2"]);
    let rft = json(&project, "contrast-faceVsHouse_desc-rft05_clusters.json");
    let cluster = json(&project, "contrast-faceVsHouse_desc-cluster05_clusters.json");
    for sidecar in [&rft, &cluster] {
        // white noise smoothed by 8 mm, on voxels that are no smaller: wider by what forward differences miss
        for width in sidecar["Threshold"]["ResidualFwhmMm"].as_array().unwrap() {
            assert!((7.0..16.0).contains(&width.as_f64().unwrap()), "{sidecar}");
        }
    }
    let height = rft["Threshold"]["ZThreshold"].as_f64().unwrap();
    assert!((3.0..6.0).contains(&height) && rft["Threshold"]["Resels"][3].as_f64().unwrap() > 1.0, "{rft}");
    for row in rows(&project, "contrast-faceVsHouse_desc-rft05_clusters.tsv") {
        let number = |heading: &str| row[heading].parse::<f64>().unwrap();
        assert!(number("p_corrected") <= 0.05 && number("p_corrected") > number("p"), "{row:?}");
    }
    // two-sided .001
    assert!((cluster["Threshold"]["ZThreshold"].as_f64().unwrap() - 3.290_526_731_491_895).abs() < 1e-12);
    let least = cluster["Threshold"]["MinClusterVoxels"].as_f64().unwrap();
    let found = rows(&project, "contrast-faceVsHouse_desc-cluster05_clusters.tsv");
    assert!(least > 1.0 && !found.is_empty());
    for row in found {
        let number = |heading: &str| row[heading].parse::<f64>().unwrap();
        assert!(number("n_voxels") >= least && number("p_corrected") <= 0.05, "{row:?}");
    }
    let before = digests(&project.path().join("results"));
    project.succeed(&["run", "pipeline.toml", "--threads", "1", "--force"]);
    crate::sample::assert_same_bytes(&before, &digests(&project.path().join("results")), "one thread");
}

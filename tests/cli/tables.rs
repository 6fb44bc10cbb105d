//! Tables of series as the input of a model.

use crate::sample::{ALL, ONE, assert_exit, codes, digests, file, head, pipeline, project, stderr};
use crate::support::Project;
use std::fs;

fn table_pipeline(more: &str) -> String {
    format!(
        "{}[[timeseries]]\ntable = \"{}\"\ntr_s = 2.0\nevents = \"{}\"\n{more}\n[[glm]]\nname = \"regions\"\n\
         [[glm.contrast]]\nname = \"faceVsHouse\"\nexpr = \"face - house\"\n",
        head(),
        file(ONE[0], "desc-roi_timeseries.tsv"),
        file(ONE[0], "events.tsv"),
    )
}

fn stats(project: &Project) -> Vec<Vec<String>> {
    let name = "results/regions/sub-01/func/sub-01_task-objects_run-01_contrast-faceVsHouse_stats.tsv";
    let text = fs::read_to_string(project.path().join(name)).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn a_table_gives_a_row_of_statistics_a_column() {
    let project = project(&table_pipeline(""));
    project.succeed(&["run", "pipeline.toml"]);
    let rows = stats(&project);
    assert_eq!(rows[0], ["name", "effect", "variance", "t", "dof", "z", "p"]);
    let names: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["faceArea", "houseArea", "visual", "frontal"]);
    let z: Vec<f64> = rows[1..].iter().map(|row| row[5].parse().unwrap()).collect();
    assert!(z[0] > 3.0 && z[1] < -3.0, "the simulated areas prefer their own: {z:?}");
    assert!(!digests(&project.path().join("results")).keys().any(|name| name.ends_with(".nii.gz")));
}

#[test]
fn chosen_columns_keep_their_numbers() {
    let all = project(&table_pipeline(""));
    all.succeed(&["run", "pipeline.toml"]);
    let some = project(&table_pipeline("columns = [\"*Area\"]\n"));
    some.succeed(&["run", "pipeline.toml"]);
    let (some, all) = (stats(&some), stats(&all));
    assert_eq!(some.len(), 3);
    for (found, expected) in some[1..].iter().flatten().zip(all[1..3].iter().flatten()) {
        // sums of a product may be rounded otherwise in a matrix of another shape
        let same = |(a, b): (f64, f64)| (a - b).abs() <= 1e-12 * b.abs();
        let numbers = found.parse().ok().zip(expected.parse().ok());
        assert!(numbers.map_or(found == expected, same), "{found} for {expected}");
    }
}

#[test]
fn what_has_no_meaning_for_a_table_is_refused() {
    let output = project(&table_pipeline("[preprocess]\nsmooth_fwhm_mm = 6\n")).boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output), ["smooth-table"], "{}", stderr(&output));
}

/// Rows of a table below `results/MODEL/sub-01/func`, the header first.
fn rows(project: &Project, name: &str) -> Vec<Vec<String>> {
    let (model, name) = name.split_once(' ').unwrap();
    let path = project.path().join(format!("results/{model}/sub-01/func/sub-01_task-objects_{name}"));
    let text = fs::read_to_string(&path).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// The numbers of one column of a table, of the rows that `keep` keeps.
fn numbers(rows: &[Vec<String>], column: &str, keep: impl Fn(&[String]) -> bool) -> Vec<f64> {
    let at = rows[0].iter().position(|name| name == column).unwrap();
    rows[1..].iter().filter(|row| keep(row)).map(|row| row[at].parse().unwrap()).collect()
}

#[test]
fn a_column_a_delay_gives_the_response_over_time() {
    let table = |run: (&str, &str)| {
        let (series, events) = (file(run, "desc-roi_timeseries.tsv"), file(run, "events.tsv"));
        format!("[[timeseries]]\ntable = \"{series}\"\ntr_s = 2.0\nevents = \"{events}\"\n")
    };
    let settings = "[design]\nhrf = \"fir\"\nfir_delays_s = [0, 4, 2, 6]\n\n[[glm]]\nname = \"regions\"\n\
                    maps = [\"effect\", \"variance\", \"t\", \"beta\"]\n\
                    [[glm.contrast]]\nname = \"faceAt2\"\nexpr = \"face_delay_2\"\n";
    let project = project(&format!("{}{}{}{settings}", head(), table(ALL[0]), table(ALL[1])));
    project.succeed(&["run", "pipeline.toml"]);
    for level in ["run-01_", "run-02_", ""] {
        let response = rows(&project, &format!("regions {level}desc-response_stats.tsv"));
        assert_eq!(response[0], ["name", "condition", "delay_s", "estimate", "standard_error", "dof"]);
        let names: Vec<String> = response[1..].iter().map(|row| row[..3].join(" ")).collect();
        let expected = ["faceArea", "houseArea", "visual", "frontal"].iter().flat_map(|name| {
            let conditions = ["blank", "face", "house"].iter();
            conditions.flat_map(move |condition| [0, 2, 4, 6].map(|delay| format!("{name} {condition} {delay}.0")))
        });
        assert_eq!(names, expected.collect::<Vec<_>>());
        // the same contrast, declared by hand
        let declared = rows(&project, &format!("regions {level}contrast-faceAt2_stats.tsv"));
        let face_at_2 = |row: &[String]| row[1] == "face" && row[2] == "2.0";
        assert_eq!(numbers(&response, "estimate", face_at_2), numbers(&declared, "effect", |_| true));
        assert_eq!(numbers(&response, "dof", face_at_2), numbers(&declared, "dof", |_| true));
        let roots: Vec<f64> = numbers(&declared, "variance", |_| true).into_iter().map(f64::sqrt).collect();
        assert_eq!(numbers(&response, "standard_error", face_at_2), roots);
        if !level.is_empty() {
            let fit = rows(&project, &format!("regions {level}desc-model_stats.tsv"));
            let house_at_6 = |row: &[String]| row[1] == "house" && row[2] == "6.0";
            assert_eq!(numbers(&response, "estimate", house_at_6), numbers(&fit, "house_delay_6", |_| true));
        }
    }
    let figures: Vec<String> =
        digests(&project.path().join("results")).into_keys().filter(|name| name.contains("_desc-response")).collect();
    let drawn: Vec<&str> =
        figures.iter().filter_map(|name| name.split_once("objects_")?.1.strip_suffix(".svg")).collect();
    let expected = ["faceArea", "frontal", "houseArea", "visual"].map(|name| format!("desc-response{name}_stats"));
    assert_eq!(drawn, expected, "over runs alone");
}

#[test]
fn regions_have_responses_and_models_of_given_shape_have_none() {
    let settings = "[mask]\npath = \"data/mask.nii.gz\"\n\n[[roi]]\nname = \"brain\"\nmask = \"data/mask.nii.gz\"\n\n\
                    [[glm]]\nname = \"tents\"\n[glm.design]\nhrf = \"tent\"\ntent = { start_s = -2, stop_s = 14, knots = 9 }\n\
                    [[glm.contrast]]\nname = \"first\"\nexpr = \"face_delay_-2\"\n\n\
                    [[glm]]\nname = \"shaped\"\n[[glm.contrast]]\nname = \"face\"\nexpr = \"face\"\n";
    let project = project(&pipeline(&ONE, &settings.replace("face_delay_-2", "`face_delay_-2`")));
    project.succeed(&["run", "pipeline.toml"]);
    let response = rows(&project, "tents run-01_label-brain_desc-response_stats.tsv");
    assert_eq!(response.len(), 1 + 3 * 9);
    let first = |row: &[String]| row[1] == "face" && row[2] == "-2.0";
    let declared = rows(&project, "tents run-01_contrast-first_label-brain_stats.tsv");
    assert_eq!(numbers(&response, "estimate", first), numbers(&declared, "effect", |_| true));
    let names = digests(&project.path().join("results"));
    assert!(names.keys().any(|name| name.ends_with("label-brain_desc-responsebrain_stats.svg")));
    assert!(!names.keys().any(|name| name.starts_with("shaped") && name.contains("desc-response")));
    assert!(!names.keys().any(|name| name.contains("response") && !name.contains("label-brain")), "none of voxels");
}

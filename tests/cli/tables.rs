//! Tables of series as the input of a model.

use crate::sample::{ONE, assert_exit, codes, digests, file, head, project, stderr};
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

//! Confounds by strategy, from the table to the maps.

use crate::sample::{
    ONE, SMALL, assert_close, assert_same_bytes, codes, digests, edit, file, map, project, stderr, with_confounds,
};
use crate::support::Project;
use serde_json::Value;
use std::fs;

/// A project whose confound table is as fMRIPrep's: columns in order of their names, a JSON file with masks.
fn fmriprep(keys: &str, marked: usize) -> Project {
    let project = project(&with_confounds(&ONE, &format!("{keys}[design]\ndrift = \"none\"\n{SMALL}")));
    let table = file(ONE[0], "desc-confounds_timeseries.tsv");
    edit(&project, &table, |text| {
        let mut rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let head = "a_comp_cor_00\tcosine00\tframewise_displacement\tnon_steady_state_outlier00\trot_x\trot_y\trot_z\tstd_dvars\t\
                    trans_x\ttrans_y\ttrans_z\n";
        let names = rows.next().unwrap();
        let sorted =
            ["framewise_displacement", "rot_x", "rot_y", "rot_z", "std_dvars", "trans_x", "trans_y", "trans_z"];
        let at = sorted.map(|name| names.iter().position(|found| *found == name).unwrap());
        let lines = rows.enumerate().map(|(frame, row)| {
            let time = frame as f64 + 0.5;
            let cosine = (std::f64::consts::PI * time / 130.0).cos();
            let noise = (frame * 37 % 101) as f64 / 101.0 - 0.5;
            let mark = i32::from(frame < marked);
            let cells = at.map(|column| row[column]);
            format!("{noise}\t{cosine}\t{}\t{mark}\t{}\n", cells[0], cells[1..].join("\t"))
        });
        head.to_owned() + &lines.collect::<String>()
    });
    let json = "{\"a_comp_cor_00\": {\"Mask\": \"combined\", \"Method\": \"aCompCor\"}}";
    fs::write(project.path().join(file(ONE[0], "desc-confounds_timeseries.json")), json).unwrap();
    project
}

fn summary(project: &Project) -> Value {
    let path = project.path().join("results/objects/sub-01/func/sub-01_task-objects_run-01_summary.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Digests of the images that a run writes.
fn images(project: &Project) -> std::collections::BTreeMap<String, String> {
    project.succeed(&["run", "pipeline.toml"]);
    let mut found = digests(&project.path().join("results"));
    found.retain(|name, _| name.ends_with(".nii.gz"));
    found
}

const STRATEGY: &str = "[confounds]\nstrategy = [\"motion\", \"compcor\", \"high_pass\", \"scrub\"]\nmotion = \"basic\"\n\
                        scrub = { fd_mm = 0.3, std_dvars = 100, min_segment = 1 }\n";

#[test]
fn a_strategy_gives_the_bytes_that_its_columns_give() {
    let columns = "[confounds]\ncolumns = [\"a_comp_cor_*\", \"cosine*\", \"rot_*\", \"trans_*\"]\n\
                   scrub = { fd_mm = 0.3, std_dvars = 100, min_segment = 1 }\n";
    let by_columns = images(&fmriprep(columns, 0));
    assert!(by_columns.len() >= 4);
    assert_same_bytes(&by_columns, &images(&fmriprep(STRATEGY, 0)), "strategy");
}

#[test]
fn volumes_before_the_steady_state_are_counted_and_the_json_file_is_an_input() {
    let (whole, project) = (fmriprep(STRATEGY, 0), fmriprep(STRATEGY, 2));
    images(&whole);
    images(&project);
    let censored = |project: &Project| {
        let frames = summary(project)["Runs"][0]["CensoredFrames"].as_array().unwrap().clone();
        frames.iter().map(|frame| frame.as_u64().unwrap()).collect::<Vec<_>>()
    };
    let mut expected = censored(&whole);
    assert!(!expected.is_empty());
    expected.retain(|frame| *frame > 1);
    expected.splice(0..0, [0, 1]);
    assert_eq!(censored(&project), expected);
    assert!(stderr(&project.succeed(&["run", "pipeline.toml"])).contains("unchanged"));
    edit(&project, &file(ONE[0], "desc-confounds_timeseries.json"), |text| text.replace("aCompCor", "acompcor"));
    assert!(stderr(&project.succeed(&["run", "pipeline.toml"])).contains("done"));
}

#[test]
fn what_a_table_lacks_is_said_before_any_voxel_is_read() {
    let project = fmriprep("[confounds]\nstrategy = \"simple\"\n", 0);
    let output = project.boldly(&["check", "pipeline.toml"]);
    assert_eq!(codes(&output), ["confounds-strategy-column"]);
    insta::assert_snapshot!(stderr(&output).replace(&format!("{}/", project.path().display()), ""));
}

#[test]
fn effects_do_not_depend_on_the_means_of_confounds() {
    let z = |project: &Project| {
        project.succeed(&["run", "pipeline.toml"]);
        map(&project.path().join("results"), "objects", "run-01_contrast-faceVsHouse_stat-z_statmap")
    };
    let (written, shifted) = (fmriprep(STRATEGY, 0), fmriprep(STRATEGY, 0));
    edit(&shifted, &file(ONE[0], "desc-confounds_timeseries.tsv"), |text| {
        let (head, rows) = text.split_once('\n').unwrap();
        let shift = |row: &str| {
            let (first, rest) = row.split_once('\t').unwrap();
            format!("{}\t{rest}\n", first.parse::<f64>().unwrap() + 7.5)
        };
        format!("{head}\n{}", rows.lines().map(shift).collect::<String>())
    });
    assert_close(&z(&shifted), &z(&written), "z");
}

//! One analysis through every form its inputs can take.

use crate::image_forms::{Image16, gzip};
use crate::sample::{ONE, SMALL, assert_close, file, map, pipeline, project, run_entry};
use crate::support::Project;
use std::fs;

const Z: &str = "run-01_contrast-faceVsHouse_stat-z_statmap";
const EFFECT: &str = "run-01_contrast-faceVsHouse_stat-effect_statmap";

/// The z and effect maps of the project, in which the image was replaced by `bold`.
fn maps(project: &Project, bold: &str) -> [Vec<f64>; 2] {
    crate::sample::edit(project, "pipeline.toml", |text| {
        let (before, rest) = text.split_once("bold = \"").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        format!("{before}bold = \"{bold}\"{after}")
    });
    project.succeed(&["run", "pipeline.toml", "--force"]);
    [Z, EFFECT].map(|name| map(&project.path().join("results"), "objects", name))
}

#[test]
fn every_form_of_an_image_gives_the_same_maps() {
    let project = project(&pipeline(&ONE, &format!("[preprocess]\nsmooth_fwhm_mm = 9.0\n{SMALL}")));
    let expected = maps(&project, &file(ONE[0], "bold.nii.gz"));
    let image = Image16::read(&project.path().join(file(ONE[0], "bold.nii.gz")));
    let write = |folder: &str, suffix: &str, bytes: Vec<u8>| {
        let name = file(ONE[0], suffix).replace("data/", &format!("data/{folder}/"));
        fs::create_dir_all(project.path().join("data").join(folder)).unwrap();
        fs::write(project.path().join(&name), bytes).unwrap();
        fs::copy(
            project.path().join(file(ONE[0], "bold.json")),
            project.path().join(file(ONE[0], "bold.json").replace("data/", &format!("data/{folder}/"))),
        )
        .unwrap();
        name
    };
    let [header, voxels] = image.pair();
    write("pair", "bold.hdr", header.clone());
    write("pairgz", "bold.hdr.gz", gzip(&header));
    for (what, name) in [
        ("plain", write("plain", "bold.nii", image.single())),
        ("several members", write("members", "bold.nii.gz", image.multi_member())),
        ("a pair", write("pair", "bold.img", voxels.clone())),
        ("a compressed pair", write("pairgz", "bold.img.gz", gzip(&voxels))),
        ("the other byte order", write("big", "bold.nii", image.big_endian())),
        ("NIfTI-2", write("two", "bold.nii.gz", gzip(&image.nifti2()))),
        ("scaled floats", write("floats", "bold.nii.gz", gzip(&image.scaled_floats()))),
    ] {
        let found = maps(&project, &name);
        assert_close(&found[0], &expected[0], what);
        assert_close(&found[1], &expected[1], what);
    }
}

/// The design table of the only run, column by column.
fn design(project: &Project) -> Vec<(String, Vec<f64>)> {
    let path = project.path().join("results/objects/sub-01/func/sub-01_task-objects_run-01_design.tsv");
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names = lines.next().unwrap().split('\t').map(str::to_owned);
    let rows: Vec<Vec<f64>> = lines.map(|line| line.split('\t').map(|cell| cell.parse().unwrap()).collect()).collect();
    let mut columns: Vec<_> =
        names.enumerate().map(|(at, name)| (name, rows.iter().map(|row| row[at]).collect())).collect();
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    columns
}

/// Onset and duration of each event of a condition.
fn times(project: &Project, condition: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(project.path().join(file(ONE[0], "events.tsv"))).unwrap();
    let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[2] == condition).map(|row| (row[0].to_owned(), row[1].to_owned())).collect()
}

#[test]
fn events_in_other_programs_files_give_the_same_design() {
    let bids = project(&pipeline(&ONE, SMALL));
    bids.succeed(&["run", "pipeline.toml"]);
    let bids_entry = format!("events = \"{}\"", file(ONE[0], "events.tsv"));
    for format in ["fsl", "afni"] {
        let files = ["house", "face", "blank"].map(|condition| format!("{condition} = \"data/{condition}.txt\""));
        let own_entry = format!("events = {{ format = \"{format}\", {} }}", files.join(", "));
        let entry = run_entry(ONE[0], "").replace(&bids_entry, &own_entry);
        let other = project(&(crate::sample::head() + &entry + SMALL));
        for condition in ["house", "face", "blank"] {
            let times = times(&bids, condition).into_iter();
            let text: Vec<String> = match format {
                "fsl" => times.map(|(onset, duration)| format!("{onset} {duration} 1\n")).collect(),
                _ => times.map(|(onset, duration)| format!("{onset}:{duration} ")).chain(["\n".to_owned()]).collect(),
            };
            fs::write(other.path().join(format!("data/{condition}.txt")), text.concat()).unwrap();
        }
        other.succeed(&["run", "pipeline.toml"]);
        assert_eq!(design(&other), design(&bids), "{format}");
    }
}

//! Bad inputs stop their subject, a bad pipeline or machine everything; each with its exit code and a located message.

use crate::image_forms::Image16;
use crate::sample::{
    ALL, ONE, SMALL, assert_exit, codes, digests, edit, file, head, pipeline, project, run_entry, stderr,
};
use crate::support::Project;
use std::fs;

fn truncate(project: &Project, name: &str) {
    let path = project.path().join(name);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
}

/// Four subjects by labels of their own: one good, one with a cut image, one without events, one with a mask on
/// another grid.
fn four_subjects() -> Project {
    let entry = |subject: &str, run: (&str, &str), mask: &str| {
        run_entry(run, &format!("mask = \"{mask}\"\nsubject = \"{subject}\"\n"))
    };
    let mask = "data/mask.nii.gz";
    let runs = entry("good", ("01", "01"), mask)
        + &entry("cut", ("01", "02"), mask)
        + &entry("mute", ("02", "01"), mask)
        + &entry("grid", ("02", "02"), "data/shifted.nii.gz");
    let project = project(
        &(head() + &runs + SMALL.split_once("[[glm]]").map(|(_, glm)| "[[glm]]".to_owned() + glm).unwrap().as_str()),
    );
    let data = project.path().join("data");
    truncate(&project, &file(("01", "02"), "bold.nii.gz"));
    fs::remove_file(project.path().join(file(("02", "01"), "events.tsv"))).unwrap();
    let mut shifted = Image16::read(&data.join("mask.nii.gz"));
    shifted.header[292..296].copy_from_slice(&(-70.0_f32).to_le_bytes()); // srow_x[3]
    shifted.write_gz(&data.join("shifted.nii.gz"));
    project
}

#[test]
fn one_bad_subject_does_not_take_the_others_with_it() {
    let project = four_subjects();
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 4);
    let said = stderr(&output);
    let errors: Vec<String> = codes(&output);
    assert_eq!(errors.len(), 3, "{said}");
    for place in [
        "--> data/sub-01_task-objects_run-02_bold.nii.gz",
        "--> data/shifted.nii.gz",
        "events = \"data/sub-02_task-objects_run-01_events.tsv\"",
    ] {
        assert!(said.contains(place), "{place}: {said}");
    }
    assert!(said.contains("1 of 4 subjects complete"), "{said}");
    let alone = digests(&project.path().join("results"));
    assert!(alone.keys().any(|name| name.starts_with("objects/sub-good/")));
    assert!(!alone.keys().any(|name| ["cut", "mute", "grid"].iter().any(|bad| name.contains(bad))));
    let manifests = project.path().join("results/.boldly/manifests");
    let names = fs::read_dir(manifests).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("sub-")).collect::<Vec<_>>(), ["sub-good.json"]);
}

#[test]
fn when_every_subject_is_bad_the_input_is_wrong() {
    let project = project(&pipeline(&[("01", "01"), ("02", "01")], SMALL));
    truncate(&project, &file(("01", "01"), "bold.nii.gz"));
    fs::write(project.path().join(file(("02", "01"), "bold.nii.gz")), b"no image").unwrap();
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output).len(), 2, "{}", stderr(&output));
}

#[test]
fn a_missing_shared_file_is_said_once() {
    let project = project(&pipeline(&[("01", "01"), ("02", "01")], &SMALL.replace("data/mask", "data/nomask")));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output).len(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("named at pipeline.toml:"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("sub-"), "no subject is to blame: {}", stderr(&output));
    let atlas = "[[roi]]\nname = \"halves\"\natlas = \"data/mask.nii.gz\"\nlabels = \"data/none.tsv\"\n";
    let project = crate::sample::project(&pipeline(&ONE, &(atlas.to_owned() + SMALL)));
    assert_eq!(project.boldly(&["check", "pipeline.toml"]).status.code(), Some(2), "found before any voxel is read");
}

#[test]
fn a_place_that_cannot_be_written_is_the_machines_failure() {
    let project = project(&pipeline(&ONE, SMALL));
    for folder in ["pipeline.toml/results", "/proc/results"] {
        let output = project.boldly(&["run", "pipeline.toml", "--out", folder]);
        assert_exit(&output, 3);
        assert!(stderr(&output).contains(&format!("`{folder}`")), "{}", stderr(&output));
        assert_exit(&project.boldly(&["design", "pipeline.toml", "--out", folder]), 3);
    }
}

#[test]
fn an_unknown_subject_is_named_with_the_known_ones() {
    let project = project(&pipeline(&[("01", "01"), ("02", "01")], SMALL));
    let output = project.boldly(&["run", "pipeline.toml", "--subject", "03", "--subject", "sub-01"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output), ["subject-unknown"]);
    assert!(stderr(&output).contains("subjects: 01, 02"));
    assert!(!project.path().join("results").exists());
}

#[test]
fn too_little_memory_is_refused_with_the_figure_that_is_needed() {
    let project = project(&pipeline(&ONE, SMALL));
    let output = project.boldly(&["run", "pipeline.toml", "--max-memory", "10MB"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output), ["memory-too-small"]);
    let said = stderr(&output);
    let needed: u64 = said.split("needs about ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    project.succeed(&["run", "pipeline.toml", "--max-memory", &format!("{needed}MiB")]);
}

#[test]
fn an_override_works_and_a_wrong_one_is_pointed_at() {
    let project = project(&pipeline(&ONE, SMALL));
    project.succeed(&["run", "pipeline.toml", "--set", "glm.objects.noise=ols", "--set", "name=other"]);
    let provenance = fs::read_to_string(project.path().join("results/provenance.json")).unwrap();
    assert!(provenance.contains(r#""noise": "ols""#) && provenance.contains(r#""name": "other""#));
    for (word, said) in [
        ("glm.objects.noise=ols2", "ols2"),
        ("glm.objects.noize=ols", "noize"),
        ("glm.things.noise=ols", "things"),
        ("preprocess.smooth_fwhm_mm=-1", "-1"),
        ("noequals", "noequals"),
    ] {
        let output = project.boldly(&["run", "pipeline.toml", "--set", word]);
        assert_exit(&output, 2);
        assert!(stderr(&output).contains(said) && stderr(&output).contains("--set"), "{}", stderr(&output));
    }
}

#[test]
fn an_image_that_changes_nothing_is_refused_by_its_content() {
    let project = project(&pipeline(&ONE, SMALL));
    let bold = project.path().join(file(ONE[0], "bold.nii.gz"));
    Image16::read(&bold).with_values(|_, _| 7).write_gz(&bold);
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output).len(), 1, "{}", stderr(&output));
    edit(&project, "pipeline.toml", |text| text.replace("[mask]\npath = \"data/mask.nii.gz\"", ""));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert!(stderr(&output).contains("path"), "suggests a mask: {}", stderr(&output));
}

#[test]
fn a_broken_run_stops_its_subject_while_the_runs_beside_it_end() {
    let project = project(&pipeline(&ALL, SMALL));
    truncate(&project, &file(("01", "02"), "bold.nii.gz"));
    let output = project.boldly(&["run", "pipeline.toml", "--threads", "2"]);
    assert_exit(&output, 4);
    let said = stderr(&output);
    let errors: Vec<String> = codes(&output).into_iter().filter(|code| code.starts_with("image")).collect();
    assert_eq!(errors, ["image-truncated"], "{said}");
    assert!(said.contains("--> data/sub-01_task-objects_run-02_bold.nii.gz"), "{said}");
    let found = digests(&project.path().join("results"));
    assert!(found.keys().any(|name| name.starts_with("objects/sub-02/")));
    assert!(!found.keys().any(|name| name.contains("sub-01")), "nothing of the broken subject");
}

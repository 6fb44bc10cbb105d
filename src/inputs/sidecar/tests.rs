use super::*;

fn write(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).unwrap();
}

/// What is read beside `image` when one sidecar of this text is there; paths shown without their folder.
fn read(image: &str, text: &str) -> Result<Sidecar, String> {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "sub-01_bold.json", text);
    match read_sidecar(&directory.path().join(image)) {
        Ok((sidecar, warnings)) => {
            assert!(warnings.is_empty());
            Ok(sidecar.expect("the sidecar is found"))
        }
        Err(problems) => Err(problems.to_string().replace(&format!("{}/", directory.path().display()), "")),
    }
}

#[test]
fn the_nearest_name_wins() {
    let directory = tempfile::tempdir().unwrap();
    let bold = directory.path().join("sub-01_task-x_space-MNI_res-2_desc-preproc_bold.nii.gz");
    assert_eq!(read_sidecar(&bold).unwrap(), (None, Diagnostics::new()));
    for (name, tr_s) in [
        ("sub-01_task-x_bold.json", 1.0),
        ("sub-01_task-x_space-MNI_res-2_bold.json", 2.0),
        ("sub-01_task-x_space-MNI_res-2_desc-preproc_bold.json", 3.0),
    ] {
        write(directory.path(), name, &format!("{{\"RepetitionTime\": {tr_s}}}"));
        let sidecar = read_sidecar(&bold).unwrap().0.unwrap();
        assert_eq!((sidecar.path, sidecar.repetition_time_s), (directory.path().join(name), Some(tr_s)));
    }
}

#[test]
fn every_image_suffix_and_the_raw_sidecar_beside_a_derivative() {
    for image in ["sub-01_bold.nii", "sub-01_bold.img.gz", "sub-01_bold.hdr", "sub-01_desc-25mm_bold.nii.gz"] {
        let sidecar = read(image, "{\"RepetitionTime\": 2, \"TaskName\": \"x\"}").unwrap();
        assert_eq!((sidecar.repetition_time_s, sidecar.task_name.as_deref()), (Some(2.0), Some("x")));
    }
}

#[test]
fn reads_timing() {
    let text = "\u{feff}{\"StartTime\": 0.97, \"SliceTiming\": [0, 0.5], \"RepetitionTime\": 1.5, \"EchoTime\": null}";
    let sidecar = read("sub-01_bold.nii.gz", text).unwrap();
    assert_eq!(sidecar.start_time_s, Some(0.97));
    assert_eq!(sidecar.slice_timing_s, Some(vec![0.0, 0.5]));
    let sparse = |times: &str| read("sub-01_bold.nii.gz", &format!("{{\"VolumeTiming\": {times}}}"));
    assert_eq!(sparse("[1, 3, 5.0001, 7]").unwrap().repetition_time_s, Some(2.0));
    insta::assert_snapshot!(sparse("[0, 2, 4, 9]").unwrap_err(), @"
    error[sidecar-volume-timing]: volumes are not evenly spaced: 5 s between volumes 3 and 4, 2 s before
     --> sub-01_bold.json, field `VolumeTiming`
       = hint: runs need one repetition time
    ");
}

#[test]
fn malformed_sidecars_are_pointed_at() {
    insta::assert_snapshot!(read("sub-01_bold.nii.gz", "{\n \"RepetitionTime\": NaN\n}").unwrap_err(), @r#"
    error[sidecar-malformed]: the sidecar is not valid JSON
     --> sub-01_bold.json:2:20
      |
    2 |  "RepetitionTime": NaN
      |                    ^ expected value
    "#);
    insta::assert_snapshot!(read("sub-01_bold.nii.gz", "[2.0]").unwrap_err(), @"
    error[sidecar-malformed]: the sidecar holds a list of 1
     --> sub-01_bold.json
       = hint: expected a JSON object with fields such as `RepetitionTime`
    ");
    insta::assert_snapshot!(
        read("sub-01_bold.nii.gz", "{\"RepetitionTime\": \"2.0\", \"SliceTiming\": [0, \"x\"], \"TaskName\": 3}").unwrap_err(),
        @"
    error[sidecar-field]: `RepetitionTime` is the text `2.0`
     --> sub-01_bold.json, field `RepetitionTime`
       = hint: expected a number of seconds

    error[sidecar-field]: `SliceTiming` is a list of 2
     --> sub-01_bold.json, field `SliceTiming`
       = hint: expected a list of numbers of seconds

    error[sidecar-field]: `TaskName` is `3`
     --> sub-01_bold.json, field `TaskName`
       = hint: expected a text
    "
    );
}

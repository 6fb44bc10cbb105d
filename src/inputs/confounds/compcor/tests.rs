use crate::config::{Compcor, CompcorSettings, ConfoundStrategy};
use crate::inputs::confounds::strategy::tests::taken;

/// fMRIPrep before 21 has single masks among `a_comp_cor_*`, later ones have letters of their own.
const HEADER: &str =
    "a_comp_cor_00 a_comp_cor_01 a_comp_cor_02 a_comp_cor_03 w_comp_cor_00 c_comp_cor_00 t_comp_cor_00";
const JSON: &str = r#"{
    "a_comp_cor_03": {"Mask": "CSF"}, "a_comp_cor_02": {"Mask": "WM"},
    "a_comp_cor_01": {"Mask": "combined"}, "a_comp_cor_00": {"Mask": "combined"},
    "w_comp_cor_00": {"Mask": "WM"}, "c_comp_cor_00": {"Mask": "CSF"}, "t_comp_cor_00": {"Method": "tCompCor"},
    "dropped_0": {"Mask": "WM"}, "csf": {}
}"#;

fn of(kind: Compcor, most: Option<usize>, json: Option<&str>) -> (Vec<String>, String) {
    let compcor = Some(CompcorSettings { kind, most });
    taken(HEADER, json, &ConfoundStrategy { compcor, ..ConfoundStrategy::default() })
}

#[test]
fn the_file_says_of_which_mask_a_component_is() {
    let names = |kind, most| of(kind, most, Some(JSON)).0.join(" ");
    assert_eq!(names(Compcor::AnatCombined, None), "a_comp_cor_00 a_comp_cor_01");
    assert_eq!(names(Compcor::AnatCombined, Some(1)), "a_comp_cor_00");
    assert_eq!(names(Compcor::AnatSeparated, None), "a_comp_cor_02 a_comp_cor_03 c_comp_cor_00 w_comp_cor_00");
    assert_eq!(names(Compcor::Temporal, None), "t_comp_cor_00");
    assert_eq!(names(Compcor::TemporalAnatCombined, Some(1)), "a_comp_cor_00 t_comp_cor_00");
    assert_eq!(names(Compcor::TemporalAnatSeparated, None).split(' ').count(), 5);
}

#[test]
fn fewer_than_asked_for_is_a_warning() {
    assert_eq!(of(Compcor::AnatSeparated, Some(2), Some(JSON)).1, "");
    insta::assert_snapshot!(of(Compcor::TemporalAnatCombined, Some(2), Some(JSON)).1, @r#"
    warning[confounds-compcor-few]: compcor = "temporal_anat_combined" finds less than it asks for
     --> c.json
       = note: found: 1 component of the voxels that vary most
    "#);
}

#[test]
fn files_that_do_not_help() {
    insta::assert_snapshot!(of(Compcor::Temporal, None, None).1, @"
    error[confounds-sidecar-missing]: no JSON file beside the confound table, which says what each CompCor component is of
     --> c.json
       = hint: fMRIPrep writes it since 1.4: copy it there, or take components by `columns` in place of `compcor`
    ");
    insta::assert_snapshot!(of(Compcor::AnatCombined, None, Some("{\"a_comp_cor_00\": {}, \"a_comp_cor_01\": 3}")).1, @"
    error[sidecar-field]: `a_comp_cor_00` has no `Mask`
     --> c.json, field `a_comp_cor_00`
       = hint: expected `combined`, `WM` or `CSF`
    ");
    insta::assert_snapshot!(of(Compcor::AnatCombined, None, Some("[]")).1, @"
    error[sidecar-malformed]: the sidecar holds a list of 0
     --> c.json
       = hint: expected a JSON object with a field for each column, as fMRIPrep writes it
    ");
    let unlisted = "{\"a_comp_cor_00\": {\"Mask\": \"combined\"}, \"a_comp_cor_99\": {\"Mask\": \"combined\"}}";
    insta::assert_snapshot!(of(Compcor::AnatCombined, None, Some(unlisted)).1, @r#"
    error[confounds-strategy-column]: the confound table lacks columns that the strategy takes
     --> c.tsv:1
       = note: missing for compcor = "anat_combined": a_comp_cor_99, which c.json lists
       = note: columns there are: a_comp_cor_00, a_comp_cor_01, a_comp_cor_02, a_comp_cor_03, w_comp_cor_00, c_comp_cor_00, t_comp_cor_00
       = hint: take less, or give the table that fMRIPrep wrote, with all its columns
    "#);
}

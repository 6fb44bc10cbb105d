use super::*;
use crate::config::{Compcor, CompcorSettings};
use crate::inputs::table::Header;

/// What a strategy takes of a table of this header, by name, with what is said of it.
pub(in crate::inputs::confounds) fn taken(
    header: &str,
    json: Option<&str>,
    strategy: &ConfoundStrategy,
) -> (Vec<String>, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.tsv");
    let names: Vec<&str> = header.split_whitespace().collect();
    std::fs::write(&path, format!("{}\n{}\n", names.join("\t"), vec!["1"; names.len()].join("\t"))).unwrap();
    if let Some(json) = json {
        std::fs::write(directory.path().join("c.json"), json).unwrap();
    }
    let table = Table::read(&path, None, Header::Required).unwrap();
    let mut diagnostics = Diagnostics::new();
    let chosen = choose(&table, strategy, &mut diagnostics);
    let names = chosen.columns.iter().map(|&column| table.columns[column].clone()).collect();
    (names, diagnostics.to_string().replace(&format!("{}/", directory.path().display()), ""))
}

#[test]
fn an_expansion_adds_squares_derivatives_or_both() {
    let header = "csf white_matter csf_power2 white_matter_power2 csf_derivative1 white_matter_derivative1 \
                  csf_derivative1_power2 white_matter_derivative1_power2 csf_wm";
    let names = |expansion| {
        let strategy = ConfoundStrategy { wm_csf: Some(expansion), ..ConfoundStrategy::default() };
        taken(header, None, &strategy)
    };
    let expected: Vec<&str> = vec!["csf", "white_matter"];
    assert_eq!(names(Expansion::Basic), (expected.iter().map(|name| (*name).to_owned()).collect(), String::new()));
    assert_eq!(names(Expansion::Power2).0, ["csf", "csf_power2", "white_matter", "white_matter_power2"]);
    assert_eq!(names(Expansion::Derivatives).0, ["csf", "csf_derivative1", "white_matter", "white_matter_derivative1"]);
    assert_eq!(names(Expansion::Full).0.len(), 8);
}

#[test]
fn all_that_is_missing_is_said_at_once() {
    let strategy = ConfoundStrategy {
        motion: Some(Expansion::Full),
        wm_csf: Some(Expansion::Power2),
        global_signal: Some(Expansion::Basic),
        compcor: Some(CompcorSettings { kind: Compcor::AnatCombined, most: None }),
        ica_aroma: Some(IcaAroma::Basic),
        high_pass: true,
    };
    let header = "trans_x trans_y trans_z rot_x rot_y rot_z csf cosine00";
    let (_, problems) = taken(header, Some("{\"csf\": {}}"), &strategy);
    insta::assert_snapshot!(problems, @r#"
    error[confounds-strategy-column]: the confound table lacks columns that the strategy takes
     --> c.tsv:1
       = note: missing for motion = "full": trans_x_derivative1, trans_y_derivative1, trans_z_derivative1, rot_x_derivative1, rot_y_derivative1, rot_z_derivative1, trans_x_power2, trans_y_power2, trans_z_power2, rot_x_power2, rot_y_power2, rot_z_power2, trans_x_derivative1_power2, trans_y_derivative1_power2, trans_z_derivative1_power2, rot_x_derivative1_power2, rot_y_derivative1_power2, rot_z_derivative1_power2 (`motion = "basic"` would do)
       = note: missing for wm_csf = "power2": white_matter, csf_power2, white_matter_power2
       = note: missing for global_signal = "basic": global_signal
       = note: missing for compcor = "anat_combined": c.json lists no such component
       = note: missing for ica_aroma = "basic": aroma_motion_* (fMRIPrep 24 and later leave ICA-AROMA to fMRIPost-AROMA)
       = note: columns there are: trans_x, trans_y, trans_z, rot_x, rot_y, rot_z, csf, cosine00
       = hint: take less, or give the table that fMRIPrep wrote, with all its columns
    "#);
}

#[test]
fn a_table_without_cosines_is_a_warning() {
    let strategy = ConfoundStrategy { high_pass: true, ..ConfoundStrategy::default() };
    assert_eq!(taken("cosine01 csf cosine00", None, &strategy).0, ["cosine00", "cosine01"]);
    insta::assert_snapshot!(taken("csf", None, &strategy).1, @"
    warning[confounds-no-cosines]: no column `cosine*` for `high_pass`
     --> c.tsv:1
       = note: the strategy filters no slow drift; fMRIPrep writes no cosines of a short run
       = hint: model drift by `[design] drift` in place of `high_pass`
    ");
}

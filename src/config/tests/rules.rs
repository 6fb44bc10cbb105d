//! Each rule: the smallest change of a valid pipeline that breaks it, the code it gives and the words it points at.

use super::*;

/// Replaces `from` in the small pipeline by `to`, and gives every problem.
fn small(from: &str, to: &str) -> Vec<(&'static str, String)> {
    assert!(SMALL.contains(from), "{from}");
    refused(&SMALL.replacen(from, to, 1))
}

/// The small pipeline with `more` after it.
fn and(more: &str) -> Vec<(&'static str, String)> {
    refused(&format!("{SMALL}{more}"))
}

fn full(from: &str, to: &str) -> Vec<(&'static str, String)> {
    assert!(FULL.contains(from), "{from}");
    refused(&FULL.replacen(from, to, 1))
}

fn refused(text: &str) -> Vec<(&'static str, String)> {
    match load_as_study(text, &[]) {
        Ok(_) => Vec::new(),
        Err(problems) => pointed(&problems),
    }
}

fn one(code: &'static str, words: &str) -> Vec<(&'static str, String)> {
    vec![(code, words.to_owned())]
}

#[test]
fn required_keys() {
    assert_eq!(small("schema = 1\n", ""), one("config-missing-key", ""));
    assert_eq!(small("schema = 1", "schema = 2"), one("config-unknown-value", "2"));
    assert_eq!(small("name   = \"objects\"\n", ""), one("config-missing-key", ""));
    assert_eq!(small("bold   =", "# bold ="), one("config-missing-key", "[[run]]"));
    assert_eq!(small("bold   =", "blod   ="), one("config-unknown-key", "blod"));
    assert_eq!(small("expr = \"house - face\"", ""), one("config-missing-key", "[[glm.contrast]]"));
    assert_eq!(small("name = \"houseVsFace\"", ""), one("config-missing-key", "[[glm.contrast]]"));
    assert_eq!(refused("schema = 1\nname = 'a'\n[[run]]\nbold = 'sub-1.nii'"), one("no-model", ""));
    assert_eq!(refused(&SMALL.replace("[[run]]", "[rin]")), one("config-unknown-key", "rin"));
    let without_input = [("no-input", String::new()), ("config-unknown-key", "scan".to_owned())];
    assert_eq!(refused(&SMALL.replace("[[run]]", "[scan]")), without_input);
}

#[test]
fn orders_of_autoregressive_noise() {
    let with = |noise: &str| small("name = \"objects\"\n", &format!("name = 'objects'\nnoise = {noise}\n"));
    for known in ["'ar1'", "'ar2'", "'ar30'", "'tukey-ar'"] {
        assert_eq!(with(known), [], "{known}");
    }
    for unknown in ["ar0", "ar31", "ar99", "arx", "AR3"] {
        assert_eq!(with(&format!("'{unknown}'")), one("config-unknown-value", unknown));
    }
    assert_eq!(with("3"), one("config-wrong-type", "3"));
    let text = SMALL.replacen("name = \"objects\"\n", "name = 'objects'\nnoise = 'ar99'\n", 1);
    let problems = load_as_study(&text, &[]).unwrap_err().to_string();
    assert!(problems.contains("`tukey-ar`, or `ar2` to `ar30`"), "{problems}");
}

#[test]
fn thresholds() {
    let with = |keys: &str| and(&format!("[[glm.threshold]]\n{keys}"));
    assert_eq!(with("contrast = 'houseVsFace'"), []);
    assert_eq!(with("alpha = 0.05"), one("config-missing-key", "[[glm.threshold]]"));
    assert_eq!(with("contrast = 'houseVsFaec'"), one("threshold-unknown-contrast", "houseVsFaec"));
    for alpha in ["0", "1", "-0.05", "1.5"] {
        assert_eq!(with(&format!("contrast = 'houseVsFace'\nalpha = {alpha}")), one("config-out-of-range", alpha));
    }
    assert_eq!(with("contrast = 'houseVsFace'\nheight = 'fwe'"), one("config-unknown-value", "fwe"));
    assert_eq!(with("contrast = 'houseVsFace'\nsides = 3"), one("config-unknown-value", "3"));
    assert_eq!(with("contrast = 'houseVsFace'\nneighbours = 8"), one("config-unknown-value", "8"));
    assert_eq!(with("contrast = 'houseVsFace'\nmin_cluster_voxels = 0"), one("config-out-of-range", "0"));
    assert_eq!(with("contrast = 'houseVsFace'\nname = 'a_b'"), one("config-name", "a_b"));
    let another = "[[glm.threshold]]\ncontrast = 'houseVsFace'\nsides = 1";
    let first = "contrast = 'houseVsFace'\n";
    assert_eq!(with(&format!("{first}{another}")), one("config-duplicate-name", "[[glm.threshold]]"));
    assert_eq!(with(&format!("{first}{another}\nname = 'FDR05'")), one("config-duplicate-name", "FDR05"));
    assert_eq!(with(&format!("{first}{another}\nname = 'positive'")), []);
    assert_eq!(with(&format!("{first}{another}\nalpha = 0.01")), []);
    assert_eq!(with("contrast = 'houseVsFace'\nheight = 'rft'"), []);
    assert_eq!(with("contrast = 'houseVsFace'\nheight = 'cluster'\ncluster_forming_p = 0.005"), []);
    assert_eq!(with("contrast = 'houseVsFace'\ncluster_forming_p = 0.005"), one("config-idle-key", "0.005"));
    let clusters = "contrast = 'houseVsFace'\nheight = 'cluster'\n";
    assert_eq!(with(&format!("{clusters}min_cluster_voxels = 20")), one("config-idle-key", "20"));
    assert_eq!(with(&format!("{clusters}cluster_forming_p = 1")), one("config-out-of-range", "1"));
    let of_f = SMALL.replace("\"house - face\"", "['house', 'face']");
    let threshold = "[[glm.threshold]]\ncontrast = 'houseVsFace'\n";
    assert_eq!(refused(&format!("{of_f}{threshold}sides = 2")), one("config-idle-key", "2"));
    assert_eq!(refused(&format!("{of_f}{threshold}")), []);
    let of_conditions = "[[glm]]\nname = 'b'\ncondition_contrasts = true\n";
    let of_house = "[[glm.threshold]]\ncontrast = 'house'";
    assert_eq!(and(&format!("{of_conditions}{of_house}")), [], "known with the events");
    let tables = "schema = 1\nname = 'a'\n[[timeseries]]\ntable = 'sub-02.tsv'\nevents = 'e.tsv'\ntr_s = 2\n";
    let of_table = format!("{tables}{of_conditions}{of_house}\n");
    assert_eq!(refused(&of_table), []);
    assert_eq!(refused(&format!("{of_table}neighbours = 6")), one("config-idle-key", "6"));
    assert_eq!(refused(&format!("{of_table}min_cluster_voxels = 5")), one("config-idle-key", "5"));
    assert_eq!(refused(&format!("{of_table}height = 'rft'")), one("threshold-of-table", "rft"));
}

#[test]
fn later_keys_do_not_exist_yet() {
    for profile in ["spm", "afni", "fsl"] {
        let found = small("schema = 1", &format!("schema = 1\nprofile = '{profile}'"));
        assert_eq!(found, one("config-unknown-value", profile));
    }
    let found = small("name = \"objects\"\n", "name = \"objects\"\nnoise = 'arma2'\n");
    assert_eq!(found, one("config-unknown-value", "arma2"));
}

#[test]
fn types_and_ranges() {
    assert_eq!(small("5.0", "'5'"), one("config-wrong-type", "5"));
    assert_eq!(small("5.0", "[5, 5]"), one("config-wrong-length", "[5, 5]"));
    assert_eq!(small("5.0", "[5, 5, -1]"), one("config-out-of-range", "-1"));
    for value in ["-1", "nan", "inf", "101", "1e400"] {
        assert_eq!(small("5.0", value), one("config-out-of-range", value));
    }
    assert_eq!(and("[design]\nslice_time_ref = 1.5"), one("config-out-of-range", "1.5"));
    assert_eq!(and("[design]\nhigh_pass_hz = 0"), one("config-out-of-range", "0"));
    assert_eq!(and("[output]\ncompression_level = 10"), one("config-out-of-range", "10"));
    assert_eq!(and("[output]\ncompression_level = 1.0"), one("config-wrong-type", "1.0"));
    assert_eq!(small("bold   =", "subject = 1\nbold   ="), one("config-wrong-type", "1"));
    assert_eq!(small("bold   =", "run = 1\nsubject = 2026-01-01\nbold   =").len(), 2);
    assert_eq!(small("\"house - face\"", "[]"), one("config-wrong-length", "[]"));
    assert_eq!(small("\"house - face\"", "['a', 1]"), one("config-wrong-type", "1"));
    assert_eq!(and("[design]\nhrf = { path = 'x' }").len(), 2, "an unknown key, and the one it stands for");
    assert_eq!(and("[events]\nmissing_duration = -1"), one("config-out-of-range", "-1"));
    assert_eq!(and("[events]\nmissing_duration = 'ero'"), one("config-unknown-value", "ero"));
    let without_section = SMALL.replace("[preprocess]\nsmooth_fwhm_mm = 5.0", "");
    assert_eq!(refused(&format!("preprocess = 5\n{without_section}")), one("config-wrong-type", "5"));
}

#[test]
fn names() {
    assert_eq!(small("\"houseVsFace\"", "\"house vs face\""), one("config-name", "house vs face"));
    assert_eq!(small("\"houseVsFace\"", "\"../up\""), one("config-name", "../up"));
    assert_eq!(small("\"houseVsFace\"", "\"\""), one("config-name", "\"\""));
    assert_eq!(small("name = \"objects\"\n", "name = \"mein Modell\"\n"), one("config-name", "mein Modell"));
    let twice = "[[glm.contrast]]\nname = \"HOUSEvsFACE\"\nexpr = \"face\"";
    assert_eq!(and(twice), one("config-duplicate-name", "HOUSEvsFACE"));
    let model = "[[glm]]\nname = \"Objects\"\ncondition_contrasts = true";
    assert_eq!(and(model), one("config-duplicate-name", "Objects"));
    assert_eq!(and("[[roi]]\nname = 'é'\nmask = 'a.nii'"), one("config-name", "é"));
    assert_eq!(
        and("[[roi]]\nname = 'a'\nmask = 'a.nii'\n[[roi]]\nname = 'A'\nmask = 'b.nii'"),
        one("config-duplicate-name", "A")
    );
}

#[test]
fn labels() {
    let bold = "sub-01_task-objects_run-01_bold.nii.gz";
    assert_eq!(small(bold, "bold.nii.gz"), one("input-without-subject", "bold.nii.gz"));
    assert_eq!(small(bold, "sub-01/bold.nii.gz"), one("input-without-subject", "sub-01/bold.nii.gz"));
    assert_eq!(small("bold   =", "subject = 'sub-01'\nbold   ="), one("config-label", "sub-01"));
    assert_eq!(small("bold   =", "subject = '../01'\nbold   ="), one("config-label", "../01"));
    assert_eq!(small(bold, "sub-été_bold.nii.gz"), one("config-label", "sub-été_bold.nii.gz"));
    assert_eq!(
        refused(&SMALL.replacen(bold, "été_bold.nii.gz", 1).replacen("bold   =", "subject = 'ete'\nbold   =", 1)),
        []
    );
    let again = "[[run]]\nbold = 'other/sub-01_task-objects_run-01_bold.nii'\nevents = 'e.tsv'";
    assert_eq!(and(again), one("input-duplicate-labels", "other/sub-01_task-objects_run-01_bold.nii"));
    let upper = "[[run]]\nbold = 'sub-01_task-Objects_run-01_bold.nii'\nevents = 'e.tsv'";
    assert_eq!(and(upper), one("input-duplicate-labels", "sub-01_task-Objects_run-01_bold.nii"));
    let other = "[[run]]\nsubject = '02'\nbold = 'sub-01_task-objects_run-01_bold.nii'\nevents = 'e.tsv'";
    assert_eq!(and(other), [], "keys win over the file's name");
}

#[test]
fn inputs_do_not_mix() {
    let table = "[[timeseries]]\ntable = 'sub-02.tsv'\nevents = 'e.tsv'";
    assert_eq!(and(table), one("inputs-mixed", "[[timeseries]]"));
    let tables = "schema = 1\nname = 'a'\n[[timeseries]]\ntable = 'sub-02.tsv'\nevents = 'e.tsv'\n[[glm]]\nname = 'm'\ncondition_contrasts = true\n";
    assert_eq!(refused(tables), []);
    let with = |more: &str| refused(&format!("{tables}{more}"));
    assert_eq!(with("[preprocess]\nsmooth_fwhm_mm = 5"), one("smooth-table", "5"));
    assert_eq!(with("[preprocess]\nsmooth_fwhm_mm = 0"), []);
    assert_eq!(with("[[roi]]\nname = 'a'\nmask = 'a.nii'"), one("roi-of-table", "[[roi]]"));
    assert_eq!(with("[mask]\nkind = 'all'"), [], "tables ignore the mask");
    let rates = tables.replace("events", "tr_s = 2\nsampling_hz = 0.5\nevents");
    assert_eq!(refused(&rates), one("sampling-twice", "0.5"));
}

#[test]
fn masks() {
    assert_eq!(and("[mask]\nkind = 'file'"), one("mask-kind", "file"));
    assert_eq!(and("[mask]\npath = 'm.nii'"), []);
    assert_eq!(and("[mask]\nkind = 'auto'\npath = 'm.nii'"), one("mask-kind", "auto"));
    assert_eq!(and("[mask]\ncombine = 'majority'"), one("config-idle-key", "majority"));
    assert_eq!(full("[mask]\n", "[mask]\npath = 'm.nii'\n"), one("mask-twice", "m.nii"));
    assert_eq!(full("mask      = \"four_mask.nii.gz\"\n", ""), one("mask-missing", "sub-02_task-a_run-02_bold.nii.gz"));
    assert_eq!(full("kind = \"file\"", "kind = \"all\""), one("mask-kind", "all"));
    assert_eq!(full("\"four_mask.nii.gz\"", "4"), one("config-wrong-type", "4"));
    assert_eq!(and("[[roi]]\nname = 'a'"), one("roi-source", "[[roi]]"));
    assert_eq!(and("[[roi]]\nname = 'a'\nmask = 'a'\natlas = 'b'"), one("roi-source", "[[roi]]"));
    assert_eq!(and("[[roi]]\nname = 'a'\nmask = 'a'\nlabels = 'b'"), one("config-idle-key", "[[roi]]"));
    assert_eq!(small("smooth_fwhm_mm = 5.0", "smooth_within_mask = true"), one("config-idle-key", "true"));
}

#[test]
fn confounds() {
    let file = "confounds = 'c.tsv'\nbold   =";
    assert_eq!(small("bold   =", file), one("confounds-unused", "c.tsv"));
    assert_eq!(and("[confounds]\ncolumns = ['rot_*']"), one("confounds-without-file", "['rot_*']"));
    let scrub = "[confounds]\nscrub = { fd_mm = 0.5 }";
    assert_eq!(and(scrub), one("confounds-without-file", "{ fd_mm = 0.5 }"));
    let with_file = SMALL.replace("bold   =", file);
    assert_eq!(refused(&format!("{with_file}{scrub}")), []);
    assert_eq!(refused(&format!("{with_file}[glm.confounds]\ncolumns = ['a']")), [], "one model's is enough");
    assert_eq!(refused(&format!("{with_file}[confounds]\ncolumns = ['[']")), one("config-glob", "["));
    let limitless = format!("{with_file}[confounds]\nscrub = {{ min_segment = 3 }}");
    assert_eq!(refused(&limitless), one("scrub-without-limit", "{ min_segment = 3 }"));
    assert_eq!(full("confounds = \"four.tsv\"\n", ""), one("input-incomplete", "sub-02_task-a_run-02_bold.nii.gz"));
}

#[test]
fn responses() {
    for (written, words) in [
        ("spmm", "spmm"),
        ("spm + derivativ", "derivativ"),
        ("spm + dispersion", "dispersion"),
        ("spm +", ""),
        ("glover + derivative + dispersion + derivative", "derivative"),
        ("fir + derivative", "derivative"),
        ("gamma + derivative + derivative", "derivative"),
    ] {
        let found = and(&format!("[design]\nhrf = \"{written}\""));
        assert_eq!(found, one("config-unknown-value", words), "{written}");
    }
    for written in ["spm", " glover+derivative ", "gamma + derivative +dispersion", "none", "fir", "tent"] {
        assert_eq!(and(&format!("[design]\nhrf = \"{written}\"")), [], "{written}");
    }
    assert_eq!(and("[design]\nfir_delays_s = [0, 2]"), one("config-idle-key", "[0, 2]"));
    assert_eq!(and("[design]\nfir_delays_s = []"), []);
    assert_eq!(and("[design]\ntent = { knots = 5 }"), one("config-idle-key", "{ knots = 5 }"));
    assert_eq!(and("[design]\nhrf = 'fir'\nfir_delays_s = [0, 2, 0.0]"), one("fir-delays", "[0, 2, 0.0]"));
    let nilearn = format!("profile = 'nilearn'\n{SMALL}[design]\nhrf = 'fir'\nfir_delays_s = [0, 2.5]");
    assert_eq!(refused(&nilearn), one("fir-delays", "[0, 2.5]"));
    assert_eq!(and("[design]\nhrf = 'tent'\ntent = { start_s = 20 }"), one("tent-knots", "{ start_s = 20 }"));
    let modulator = "[[design.modulator]]\ncondition = 'face'\ncolumn = 'rt'\n";
    assert_eq!(and(modulator), []);
    assert_eq!(and(&modulator.repeat(2)), one("config-duplicate-name", "[[design.modulator]]"));
}

#[test]
fn drift() {
    assert_eq!(and("[design]\npolynomial_order = 2"), one("config-idle-key", "2"));
    assert_eq!(and("[design]\ndrift = 'none'\nhigh_pass_hz = 0.01"), one("config-idle-key", "0.01"));
    assert_eq!(and("[design]\ndrift = 'polynomial'\npolynomial_order = 2"), []);
    assert_eq!(and("[glm.design]\npolynomial_order = 2"), one("config-idle-key", "2"));
    let one_uses_it = "[glm.design]\ndrift = 'polynomial'\n[design]\npolynomial_order = 2";
    assert_eq!(and(one_uses_it), [], "a shared key is idle only where no model uses it");
    assert_eq!(and("[design]\ndrift = 'cosin'\npolynomial_order = 2"), one("config-unknown-value", "cosin"));
    assert_eq!(and("[design]\ndrfit = 'polynomial'\npolynomial_order = 2"), one("config-unknown-key", "drfit"));
    let two = [("config-unknown-key", "colour".to_owned()), ("config-idle-key", "2".to_owned())];
    assert_eq!(and("[design]\ncolour = 1\npolynomial_order = 2"), two);
}

#[test]
fn contrasts_and_maps() {
    let contrast = "[[glm.contrast]]\nname = \"houseVsFace\"\nexpr = \"house - face\"\n";
    assert_eq!(small(contrast, ""), one("glm-without-contrast", "[[glm]]"));
    assert_eq!(small(contrast, "condition_contrasts = true"), []);
    assert_eq!(small(contrast, "condition_contrasts = 1"), one("config-wrong-type", "1"));
    assert_eq!(small("\"house - face\"", "\" \""), one("contrast-empty", " "));
    assert_eq!(small("\"house - face\"", "['a', '']"), one("contrast-empty", "''"));
    let maps = |maps: &str| small("name = \"objects\"\n", &format!("name = \"objects\"\nmaps = {maps}\n"));
    assert_eq!(maps("['effect', 'F']"), one("maps-impossible", "F"));
    assert_eq!(maps("['t', 't']"), one("maps-duplicate", "t"));
    assert_eq!(maps("['T']"), one("config-unknown-value", "T"));
    assert_eq!(maps("[]"), one("config-wrong-length", "[]"));
    assert_eq!(maps("['rho']\nnoise = 'ols'"), one("maps-impossible", "rho"));
    assert_eq!(maps("['rho']"), []);
    assert_eq!(maps("['a', 'b']\nnoise = 'arma11'"), []);
    for noise in ["pooled-ar", "ar1", "ar3", "tukey-ar", "ols"] {
        assert_eq!(maps(&format!("['a']\nnoise = '{noise}'")), one("maps-impossible", "a"));
    }
    assert_eq!(maps("['b']"), one("maps-impossible", "b"));
    let f_only = SMALL
        .replace("\"house - face\"", "['house']")
        .replace("name = \"objects\"\n\n[[glm.", "name = \"objects\"\nmaps = ['t']\n[[glm.");
    assert_eq!(refused(&f_only), one("maps-impossible", "t"));
    let both = |maps: &str| {
        let text = SMALL.replace("name = \"objects\"\n\n", &format!("name = \"objects\"\nmaps = {maps}\n\n"));
        refused(&format!("{text}[[glm.contrast]]\nname = 'any'\nexpr = ['house']\n"))
    };
    assert_eq!(both("['t']"), one("maps-impossible", "any"));
    assert_eq!(both("['F']"), one("maps-impossible", "houseVsFace"));
    assert_eq!(both("['z']"), []);
    assert_eq!(both("['residuals']"), []);
}

#[test]
fn events() {
    let line = "events = \"sub-01_task-objects_run-01_events.tsv\"\n";
    assert_eq!(small(line, ""), one("contrast-without-events", "houseVsFace"));
    let rest = SMALL.replace(line, "");
    let with_confounds =
        rest.replace("bold   =", "confounds = 'c.tsv'\nbold   =") + "[confounds]\ncolumns = ['seed']\n";
    assert_eq!(refused(&with_confounds), [], "a contrast of confounds needs no events");
    assert_eq!(refused(&format!("{with_confounds}[design]\nhrf = 'spm'")), one("config-idle-key", "spm"));
    assert_eq!(refused(&format!("{with_confounds}[design]\nhrf = 'none'")), []);
    let modulated = format!("{with_confounds}[[design.modulator]]\ncondition = 'a'\ncolumn = 'b'");
    assert_eq!(refused(&modulated), one("config-idle-key", "[[design.modulator]]"));
    let other = "[[run]]\nbold = 'sub-02_bold.nii'";
    assert_eq!(and(other), one("input-incomplete", "sub-02_bold.nii"));
    assert_eq!(small(line, "events = { format = 'spss', a = 'b' }\n"), one("config-unknown-value", "spss"));
    assert_eq!(small(line, "events = { face = 'face.txt' }\n"), one("config-missing-key", "{ face = 'face.txt' }"));
    assert_eq!(small(line, "events = { format = 'fsl' }\n"), one("config-missing-key", "{ format = 'fsl' }"));
    let rows = "events    = { format = \"afni\", face = \"face.1D\" }\nconfounds = \"four";
    let more = "events    = { format = \"afni\", face = \"face.1D\", house = \"house.1D\" }\nconfounds = \"four";
    let words = "{ format = \"afni\", face = \"face.1D\", house = \"house.1D\" }";
    assert_eq!(full(rows, more), one("afni-rows", words));
}

#[test]
fn paths() {
    assert_eq!(small("sub-01_task-objects_run-01_events", "${NOPE}/events"), one("path-variable", "${NOPE}"));
    assert_eq!(small("sub-01_task-objects_run-01_events", "a/${DATA"), one("path-variable", "${"));
    assert_eq!(small("\"sub-01_task-objects_run-01_events.tsv\"", "\"\""), Vec::new());
}

#[test]
fn one_problem_of_a_shared_key_is_said_once() {
    let text = format!("{SMALL}[[glm]]\nname = 'b'\ncondition_contrasts = true\n[design]\nhrf = 'smp'\n");
    assert_eq!(refused(&text), one("config-unknown-value", "smp"));
}

#[test]
fn messages_help() {
    let text = SMALL
        .replace("bold   =", "subject = 1\nbold   =")
        .replace("5.0", "\"5\"\nhrf = \"spm\"")
        .replace("\"house - face\"", "{ a = 1 }");
    let more = "[design]\nhrf = \"spm + derivativ\"\n[mask]\nkind = \"fil\"\n[[roi]]\nname = \"a b\"\n";
    insta::assert_snapshot!(load_as_study(&format!("{text}{more}"), &[]).unwrap_err());
}

#[test]
fn tables_without_their_brackets() {
    let headless = SMALL.replace("[[glm]]\n", "").replace("name = \"objects\"\n", "");
    let found = load_as_study(&headless, &[]).unwrap_err().to_string();
    insta::assert_snapshot!(found, @"
    error[config-wrong-type]: `glm` is a table
      --> study/p.toml:12:3
       |
    12 | [[glm.contrast]]
       |   ^^^
       = note: expected: one or more tables `[[glm]]`
       = hint: no `[[glm]]` stands above its parts: begin it with a line `[[glm]]`
    ");
    let single = SMALL.replace("[[run]]", "[run]");
    let found = load_as_study(&single, &[]).unwrap_err().to_string();
    assert!(found.contains("double brackets: `[[run]]`"), "{found}");
}

#[test]
fn expressions_that_are_no_text() {
    for expression in ["[1, -1]", "{ face = 1, house = -1 }", "[[\"face\"], [\"house\"]]", "1"] {
        let text = SMALL.replace("\"house - face\"", expression);
        let problems = load_as_study(&text, &[]).unwrap_err();
        let hinted = |problem: &Diagnostic| problem.hint.as_ref().is_some_and(|hint| hint.contains("face - house"));
        assert!(problems.iter().all(hinted), "{problems}");
    }
}

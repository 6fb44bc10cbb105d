//! Contrasts from text to weights, and every message on the way.

use super::*;
use crate::config::AbsentCondition;
use crate::design::run_design::tests::design_of;
use crate::design::{ContrastMatrix, RunDesign};
use crate::error::TextSource;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The settings a pipeline file with these expressions gives.
fn settings(kind: ContrastKind, expressions: &[&str]) -> ContrastSettings {
    let mut text = "name = \"x\"\nexpr = [".to_owned();
    let mut ranges = Vec::new();
    for expression in expressions {
        text.push_str("\n  ");
        let start = text.len();
        text.push_str(&format!("\"{expression}\""));
        ranges.push(start..text.len());
        text.push(',');
    }
    text.push_str("\n]\n");
    let source = Arc::new(TextSource { path: "objects.toml".into(), text });
    let rows = expressions
        .iter()
        .zip(ranges)
        .map(|(expression, range)| Located {
            value: (*expression).to_owned(),
            source: Some((Arc::clone(&source), range)),
        })
        .collect();
    ContrastSettings { name: Located { value: "x".to_owned(), source: Some((source, 7..10)) }, kind, rows }
}

fn design() -> RunDesign {
    let names = ["cat", "face", "house", "house_derivative", "trans.x_1", "drift_1", "constant"];
    let mut design = design_of(&names, ndarray::Array2::eye(7));
    design.roles[4] = crate::design::ColumnRole::Confound;
    design
}

fn fir() -> RunDesign {
    let names = ["face_delay_0", "face_delay_2.5", "house_delay_0", "house_delay_2.5", "house_delay_5", "constant"];
    design_of(&names, ndarray::Array2::eye(6))
}

fn resolve_in(
    design: &RunDesign,
    kind: ContrastKind,
    expressions: &[&str],
    when_absent: AbsentCondition,
    elsewhere: &[&str],
) -> Result<Option<ContrastMatrix>, Diagnostics> {
    let elsewhere: BTreeSet<String> = elsewhere.iter().map(|name| (*name).to_owned()).collect();
    resolve_contrast(&parse_contrast(&settings(kind, expressions))?, design, when_absent, &elsewhere)
}

/// Weights of a t contrast by column name, zeros left out.
fn t(expression: &str) -> Vec<(String, f64)> {
    let design = design();
    let contrast = resolve_in(&design, ContrastKind::T, &[expression], AbsentCondition::Error, &[]).unwrap().unwrap();
    assert_eq!(contrast.weights.nrows(), 1);
    design.names.into_iter().zip(contrast.weights.row(0).to_vec()).filter(|(_, weight)| *weight != 0.0).collect()
}

fn pairs(expected: &[(&str, f64)]) -> Vec<(String, f64)> {
    expected.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
}

fn f_rows(design: &RunDesign, expressions: &[&str]) -> Vec<Vec<f64>> {
    let contrast = resolve_in(design, ContrastKind::F, expressions, AbsentCondition::Error, &[]).unwrap().unwrap();
    contrast.weights.rows().into_iter().map(|row| row.to_vec()).collect()
}

fn refused(design: &RunDesign, kind: ContrastKind, expressions: &[&str]) -> String {
    resolve_in(design, kind, expressions, AbsentCondition::Error, &["face", "house", "scissors"])
        .unwrap_err()
        .to_string()
}

fn refused_t(expression: &str) -> String {
    refused(&design(), ContrastKind::T, &[expression])
}

#[test]
fn weighted_sums() {
    assert_eq!(t("house - face"), pairs(&[("face", -1.0), ("house", 1.0)]));
    assert_eq!(t("house"), pairs(&[("house", 1.0)]));
    assert_eq!(t("-(house - 2*face)/4"), pairs(&[("face", 0.5), ("house", -0.25)]));
    assert_eq!(t("1/2*house + 5e-1*cat"), pairs(&[("cat", 0.5), ("house", 0.5)]));
    assert_eq!(t("house*(1 - .25) + house"), pairs(&[("house", 1.75)]));
    assert_eq!(t(" trans.x_1--house_derivative "), pairs(&[("house_derivative", 1.0), ("trans.x_1", 1.0)]));
    assert_eq!(t("`house` - `drift_1`"), pairs(&[("house", 1.0), ("drift_1", -1.0)]));
    assert_eq!(t("mean(house, face)"), pairs(&[("face", 0.5), ("house", 0.5)]));
    assert_eq!(t("mean(house, face) - cat"), pairs(&[("cat", -1.0), ("face", 0.5), ("house", 0.5)]));
    assert_eq!(t("mean(`?a?e`, `*at`)"), pairs(&[("cat", 0.5), ("face", 0.5)]));
}

#[test]
fn globs_are_rows_of_an_f() {
    let rows = f_rows(&fir(), &["`house_delay_*`"]);
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let rows = f_rows(&fir(), &["`face_delay_*` - `house_delay_?.?`", "house_delay_5"]);
    assert_eq!(rows[0], [1.0, 0.0, 0.0, -1.0, 0.0, 0.0], "one column beside a glob counts in each row");
    assert_eq!(rows[1], [0.0, 1.0, 0.0, -1.0, 0.0, 0.0]);
    assert_eq!(rows[2], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let rows = f_rows(&fir(), &["mean(`house_delay_*`)"]);
    assert_eq!(rows, [vec![0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]]);
}

#[test]
fn an_exact_name_wins_over_a_glob() {
    let design = design_of(&["a*", "ab", "constant"], ndarray::Array2::eye(3));
    assert_eq!(f_rows(&design, &["`a*`"]), [vec![1.0, 0.0, 0.0]]);
}

#[test]
fn a_run_without_the_condition_is_skipped_by_policy() {
    let skip = |expression: &str| {
        resolve_in(&design(), ContrastKind::F, &[expression], AbsentCondition::SkipRun, &["house", "scissors"])
    };
    assert!(skip("scissors - house").unwrap().is_none());
    assert!(skip("`scissors_delay_*`").unwrap().is_none());
    assert!(skip("scissors_derivative").unwrap().is_none());
    assert!(skip("house").unwrap().is_some());
    assert!(skip("scissors - hosue").unwrap_err().to_string().contains("unknown condition `hosue`"));
}

#[test]
fn unknown_and_absent_names() {
    insta::assert_snapshot!(refused_t("hosue - face"), @"");
    insta::assert_snapshot!(refused_t("face - `zebra crossing`"), @"");
    insta::assert_snapshot!(refused_t("mean(`zebra_*`)"), @"");
    insta::assert_snapshot!(refused_t("scissors - face"), @"");
    insta::assert_snapshot!(refused_t("face - house_derivate"), @"");
}

#[test]
fn conditions_with_a_column_per_delay() {
    insta::assert_snapshot!(refused(&fir(), ContrastKind::T, &["house - face_delay_0"]), @"");
    insta::assert_snapshot!(refused(&fir(), ContrastKind::T, &["`house_delay_*`"]), @"");
    insta::assert_snapshot!(refused(&fir(), ContrastKind::F, &["`house_delay_*` - `face_delay_*`"]), @"");
}

#[test]
fn contrasts_that_test_nothing() {
    insta::assert_snapshot!(refused_t("house - house"), @"");
    insta::assert_snapshot!(refused(&design(), ContrastKind::F, &["house - face", "face - cat", "house - cat"]), @"");
    insta::assert_snapshot!(parse_contrast(&settings(ContrastKind::T, &["house", "face"])).unwrap_err(), @"");
}

#[test]
fn what_is_not_linear() {
    insta::assert_snapshot!(refused_t("house + 2*face*cat"), @"");
    insta::assert_snapshot!(refused_t("1 / house"), @"");
    insta::assert_snapshot!(refused_t("house - face + 1"), @"");
    insta::assert_snapshot!(refused_t("2 - 1"), @"");
    insta::assert_snapshot!(refused_t("house / (1 - 1)"), @"");
    insta::assert_snapshot!(refused_t("house * 1e308 * 10"), @"");
}

#[test]
fn what_is_no_expression() {
    for (expression, message) in [
        ("", "expected a column or a number, found the end"),
        ("house -", "expected a column or a number, found the end"),
        ("house face", "expected an operator, found `face`"),
        ("(house - face", "expected `)`, found the end"),
        ("mean(house; face)", "unexpected character `;`"),
        ("mean(house face)", "expected `)`, found `face`"),
        ("house)", "expected an operator, found `)`"),
        ("``", "an empty name"),
        ("`house", "a backtick without its partner"),
        ("2back - house", "`2back` is neither a number nor a name"),
        ("1e999*house", "`1e999` is neither a number nor a name"),
        ("house − face", "unexpected character `−`"),
        ("house * * face", "expected a column or a number, found `*`"),
    ] {
        let problems = parse_contrast(&settings(ContrastKind::T, &[expression])).unwrap_err();
        let found = problems.iter().next().unwrap();
        assert_eq!(found.message, format!("{message} in contrast `x`"), "{expression}");
        assert_eq!(found.code, "contrast-syntax");
        assert!(found.place.is_some());
    }
    insta::assert_snapshot!(refused_t("house − face"), @"");
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{}house{}", "(".repeat(10_000), ")".repeat(10_000));
    let problems = parse_contrast(&settings(ContrastKind::T, &[&deep])).unwrap_err();
    assert_eq!(problems.iter().next().unwrap().message, "parentheses nested too deeply in contrast `x`");
    assert_eq!(t(&format!("{}house", "-".repeat(10_000))), pairs(&[("house", 1.0)]));
}

#[test]
fn every_bad_row_is_reported() {
    let problems = parse_contrast(&settings(ContrastKind::F, &["house +", "face", "cat * cat"])).unwrap_err();
    assert_eq!(problems.len(), 2);
    let problems = resolve_in(&design(), ContrastKind::F, &["hosue", "fcae"], AbsentCondition::Error, &[]).unwrap_err();
    assert_eq!(problems.len(), 2);
}

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
        let start = text.len() + 3;
        ranges.push(start..start + expression.len() + 2);
        text.extend(["\n  \"", *expression, "\","]);
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
    insta::assert_snapshot!(refused_t("hosue - face"), @r#"
    error[contrast-unknown-condition]: unknown condition `hosue` in contrast `x`
     --> objects.toml:3:4
      |
    3 |   "hosue - face",
      |    ^^^^^ did you mean `house`?
      = note: conditions in sub-01 run-01: cat, face, house
    "#);
    insta::assert_snapshot!(refused_t("face - `zebra crossing`"), @r#"
    error[contrast-unknown-condition]: unknown condition `zebra crossing` in contrast `x`
     --> objects.toml:3:11
      |
    3 |   "face - `zebra crossing`",
      |           ^^^^^^^^^^^^^^^^
      = note: conditions in sub-01 run-01: cat, face, house
    "#);
    insta::assert_snapshot!(refused_t("mean(`zebra_*`)"), @r#"
    error[contrast-unknown-condition]: no column matches `zebra_*` in contrast `x`
     --> objects.toml:3:9
      |
    3 |   "mean(`zebra_*`)",
      |         ^^^^^^^^^
      = note: conditions in sub-01 run-01: cat, face, house
    "#);
    insta::assert_snapshot!(refused_t("scissors - face"), @r#"
    error[contrast-condition-absent]: condition `scissors` of contrast `x` is not in sub-01 run-01
     --> objects.toml:3:4
      |
    3 |   "scissors - face",
      |    ^^^^^^^^
      = note: conditions in sub-01 run-01: cat, face, house
      = hint: `when_condition_absent = "skip-run"` leaves such runs out of this contrast
    "#);
    insta::assert_snapshot!(refused_t("face - house_derivate"), @r#"
    error[contrast-unknown-condition]: unknown condition `house_derivate` in contrast `x`
     --> objects.toml:3:11
      |
    3 |   "face - house_derivate",
      |           ^^^^^^^^^^^^^^ did you mean `house_derivative`?
      = note: conditions in sub-01 run-01: cat, face, house
    "#);
}

#[test]
fn conditions_with_a_column_per_delay() {
    insta::assert_snapshot!(refused(&fir(), ContrastKind::T, &["house - face_delay_0"]), @r#"
    error[contrast-needs-delay]: condition `house` has a column for each delay, none of its own, under an FIR or tent model
     --> objects.toml:3:4
      |
    3 |   "house - face_delay_0",
      |    ^^^^^
      = hint: in a list `house_delay_*` (with its backticks) is a row for each delay of an F; mean(`house_delay_*`) averages them in a t
    "#);
    insta::assert_snapshot!(refused(&fir(), ContrastKind::T, &["`house_delay_*`"]), @r#"
    error[contrast-glob-in-t]: a glob of 3 columns in the t contrast `x`
     --> objects.toml:3:3
      |
    3 |   "`house_delay_*`",
      |   ^^^^^^^^^^^^^^^^^
      = hint: a list, as in `expr = ["..."]`, tests them together in an F; mean(...) averages them
    "#);
    insta::assert_snapshot!(refused(&fir(), ContrastKind::F, &["`house_delay_*` - `face_delay_*`"]), @r#"
    error[contrast-glob-counts]: globs of 2 and 3 columns are combined in contrast `x`
     --> objects.toml:3:22
      |
    3 |   "`house_delay_*` - `face_delay_*`",
      |                      ^^^^^^^^^^^^^^
    "#);
}

#[test]
fn contrasts_that_test_nothing() {
    insta::assert_snapshot!(refused_t("house - house"), @r#"
    error[contrast-all-zero]: all weights of contrast `x` are zero
     --> objects.toml:3:3
      |
    3 |   "house - house",
      |   ^^^^^^^^^^^^^^^
      = hint: its columns cancel each other
    "#);
    insta::assert_snapshot!(refused(&design(), ContrastKind::F, &["house - face", "face - cat", "house - cat"]), @r#"
    error[contrast-rows-dependent]: a row of contrast `x` repeats what others test
     --> objects.toml:5:3
      |
    5 |   "house - cat",
      |   ^^^^^^^^^^^^^
      = note: it is a combination of the rows before it; an F needs independent rows
      = hint: leave it out: the F is the same
    "#);
    insta::assert_snapshot!(parse_contrast(&settings(ContrastKind::T, &["house", "face"])).unwrap_err(), @r#"
    error[contrast-row-count]: contrast `x` has 2 expressions
     --> objects.toml:1:8
      |
    1 | name = "x"
      |        ^^^
      = note: a t has one expression, an F a list of one or more
    "#);
}

#[test]
fn what_is_not_linear() {
    insta::assert_snapshot!(refused_t("house + 2*face*cat"), @r#"
    error[contrast-not-linear]: a product of two columns in contrast `x`
     --> objects.toml:3:12
      |
    3 |   "house + 2*face*cat",
      |            ^^^^^^^^^^
      = hint: a contrast is a weighted sum of columns; a glob such as `face_*` stands in backticks
    "#);
    insta::assert_snapshot!(refused_t("1 / house"), @r#"
    error[contrast-not-linear]: a division by a column in contrast `x`
     --> objects.toml:3:8
      |
    3 |   "1 / house",
      |        ^^^^^
      = hint: a contrast is a weighted sum of columns
    "#);
    insta::assert_snapshot!(refused_t("house - face + 1"), @r#"
    error[contrast-not-linear]: a constant added to columns in contrast `x`
     --> objects.toml:3:19
      |
    3 |   "house - face + 1",
      |                   ^
      = hint: a contrast is a weighted sum of columns, without a constant
    "#);
    insta::assert_snapshot!(refused_t("2 - 1"), @r#"
    error[contrast-not-linear]: a number without a column in contrast `x`
     --> objects.toml:3:4
      |
    3 |   "2 - 1",
      |    ^^^^^
      = hint: name a column of the design
    "#);
    insta::assert_snapshot!(refused_t("house / (1 - 1)"), @r#"
    error[contrast-not-linear]: a division by zero in contrast `x`
     --> objects.toml:3:12
      |
    3 |   "house / (1 - 1)",
      |            ^^^^^^^
      = hint: a contrast is a weighted sum of columns
    "#);
    insta::assert_snapshot!(refused_t("house * 1e308 * 10"), @r#"
    error[contrast-not-linear]: an infinite weight in contrast `x`
     --> objects.toml:3:4
      |
    3 |   "house * 1e308 * 10",
      |    ^^^^^
      = hint: weights are finite numbers
    "#);
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
    insta::assert_snapshot!(refused_t("house − face"), @r#"
    error[contrast-syntax]: unexpected character `−` in contrast `x`
     --> objects.toml:3:10
      |
    3 |   "house − face",
      |          ^
      = hint: columns with other characters than letters, digits, `_` and `.`, and globs, stand in backticks
    "#);
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

proptest::proptest! {
    /// Any text is understood or refused at a place inside it.
    #[test]
    fn no_text_is_too_odd(text in "[a-c0-9.e`*?/+(), \\-é]{0,30}") {
        if let Err(error) = expression::linear_form(&text) {
            proptest::prop_assert!(error.range.start <= error.range.end && error.range.end <= text.len());
            proptest::prop_assert!(text.is_char_boundary(error.range.start) && text.is_char_boundary(error.range.end));
        }
    }

    /// Weights are linear: scaling an expression scales its weights, and a sum adds them.
    #[test]
    fn weights_are_linear(a in -8.0_f64..8.0, b in -8.0_f64..8.0, c in 0.5_f64..8.0) {
        let weights = |expression: &str| {
            resolve_in(&design(), ContrastKind::T, &[expression], AbsentCondition::Error, &[]).unwrap().unwrap().weights
        };
        let together = weights(&format!("({a:.3}*house - {b:.3}*(face + cat/2))*{c:.3} + house"));
        let apart = weights("house") * (a * 1e3).round() / 1e3 * ((c * 1e3).round() / 1e3) + weights("house")
            - (weights("face") + weights("cat") * 0.5) * ((b * 1e3).round() / 1e3) * ((c * 1e3).round() / 1e3);
        for (found, expected) in together.iter().zip(&apart) {
            proptest::prop_assert!((found - expected).abs() < 1e-9);
        }
    }
}

#[test]
fn what_newcomers_write() {
    insta::assert_snapshot!(refused(&fir(), ContrastKind::T, &["house_delay_6"]), @r#"
    error[contrast-unknown-condition]: unknown condition `house_delay_6` in contrast `x`
     --> objects.toml:3:4
      |
    3 |   "house_delay_6",
      |    ^^^^^^^^^^^^^ did you mean `house_delay_0`?
      = note: delays of `house`: house_delay_0, house_delay_2.5, house_delay_5
    "#);
    insta::assert_snapshot!(refused(&design(), ContrastKind::T, &["face > house"]), @r#"
    error[contrast-syntax]: unexpected character `>` in contrast `x`
     --> objects.toml:3:9
      |
    3 |   "face > house",
      |         ^
      = hint: write a difference: "face - house"
    "#);
    for (expression, glob) in [("face_*", "`face_*`"), ("mean(face_*)", "`face_*`"), ("*_derivative", "`*_derivative`")]
    {
        let found = expression::linear_form(expression).unwrap_err().hint.unwrap_or_default();
        assert!(found.contains(glob), "{expression}: {found}");
    }
    assert_eq!(expression::linear_form("face *").unwrap_err().hint, None);
}

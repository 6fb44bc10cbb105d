//! Mistakes in pipelines and tables as a user meets them: all at once, each pointed at.

use crate::sample::{ONE, SMALL, assert_exit, codes, edit, file, pipeline, project, stderr};
use crate::support::Project;

/// What `boldly check` says about this project, which must be refused.
fn refused(project: &Project) -> String {
    let output = project.boldly(&["check", "pipeline.toml"]);
    assert_exit(&output, 2);
    stderr(&output)
}

#[test]
fn five_mistakes_are_five_messages() {
    let wrong = SMALL
        .replace("name = \"objects\"", "name = \"my objects\"\nnoize = \"ols\"\nmaps = [\"t\", \"zz\"]")
        .replace("[mask]", "[preprocess]\nsmooth_fwhm_mm = -2\n\n[mask]\nkind = \"all\"");
    insta::assert_snapshot!(refused(&project(&pipeline(&ONE, &wrong))));
}

#[test]
fn a_misspelt_condition_is_shown_with_the_right_one() {
    let output =
        refused(&project(&pipeline(&[("01", "01"), ("01", "02"), ("02", "01")], &SMALL.replace("- house", "- hosue"))));
    insta::assert_snapshot!(output);
}

#[test]
fn a_contrast_on_a_bare_condition_under_fir_says_what_to_write() {
    let fir = SMALL.replace("[[glm.contrast]]", "[glm.design]\nhrf = \"fir\"\n\n[[glm.contrast]]");
    insta::assert_snapshot!(refused(&project(&pipeline(&ONE, &fir))));
}

/// What becomes of events that other programs pass over in silence.
fn events(change: impl Fn(String) -> String, settings: &str, code: i32, expected: &[&str]) {
    let project = project(&pipeline(&ONE, &(settings.to_owned() + SMALL)));
    edit(&project, &file(ONE[0], "events.tsv"), change);
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, code);
    let found: Vec<String> = codes(&output).into_iter().filter(|code| code != "variance-removed").collect();
    assert_eq!(found, expected, "{}", stderr(&output));
    if code == 2 {
        assert!(stderr(&output).contains("-->") && stderr(&output).contains("events.tsv:"), "{}", stderr(&output));
    }
}

/// Replaces the end of the first `face` row.
fn face(by: &'static str) -> impl Fn(String) -> String {
    move |text| text.replacen("\t2\tface", by, 1)
}

/// Adds a row at the end.
fn row(row: &'static str) -> impl Fn(String) -> String {
    move |text| format!("{}\n{row}\n", text.trim_end())
}

#[test]
fn no_event_is_dropped_or_bent_in_silence() {
    events(face("\t2\tn/a"), "", 2, &["events-condition-missing"]);
    events(face("\t2\tn/a"), "[events]\nmissing_condition_label = \"drop\"\n", 0, &["events-condition-dropped"]);
    events(face("\tn/a\tface"), "", 2, &["events-duration-missing"]);
    events(face("\t-2\tface"), "", 2, &["events-duration-negative"]);
    events(row("n/a\t2\tface"), "", 2, &["events-onset-missing"]);
    events(row("10000\t2\tface"), "", 2, &["events-outside-run"]);
    events(row("10000\t2\tface"), "[events]\noutside_run = \"drop\"\n", 0, &["events-outside-dropped"]);
    events(row("-30\t2\tface"), "", 2, &["events-outside-run"]);
    events(|text| text.replace("trial_type", "trialtype"), "", 2, &["events-condition-column-missing"]);
    events(row("6.848\t2\tblank"), "", 2, &["events-duplicate"]);
    events(row("6.848\t2\tblank"), "[events]\nduplicates = \"sum\"\n", 0, &["events-duplicates-summed"]);
}

#[test]
fn a_modulation_that_is_missing_is_not_zero() {
    let settings = "[[design.modulator]]\ncondition = \"face\"\ncolumn = \"rt\"\n";
    let add = |text: String| {
        let rows = text.lines().enumerate().map(|(at, line)| match at {
            0 => format!("{line}\trt\n"),
            4 => format!("{line}\tn/a\n"),
            _ => format!("{line}\t{}\n", at % 7),
        });
        rows.collect::<String>()
    };
    let project = project(&pipeline(&ONE, &(settings.to_owned() + SMALL)));
    edit(&project, &file(ONE[0], "events.tsv"), add);
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert!(stderr(&output).contains("events.tsv:") && stderr(&output).contains("rt"), "{}", stderr(&output));
}

#[test]
fn conditions_of_digits_and_of_words_live_together() {
    let project = project(&pipeline(&ONE, &SMALL.replace("face - house", "`1` - house")));
    edit(&project, &file(ONE[0], "events.tsv"), |text| text.replace("\tface", "\t1"));
    project.succeed(&["run", "pipeline.toml"]);
}

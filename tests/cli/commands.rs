//! The other commands, and what every command keeps to: data on stdout, messages on stderr, exit codes.

use crate::sample::{ONE, SMALL, assert_exit, codes, digests, edit, pipeline, project, stderr, stdout};
use crate::support::{Project, boldly};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// A pipeline that gives no warning: a filter slow enough to leave the events' variance alone.
fn calm() -> String {
    pipeline(&ONE, &format!("[design]\nhigh_pass_hz = 0.004\n{SMALL}"))
}

#[test]
fn check_says_what_will_be_done() {
    let project = project(&calm());
    let output = project.boldly(&["check", "pipeline.toml", "--threads", "2"]);
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(0), "1 of 1 subject can be analysed, no warnings\n")
    );
    insta::assert_snapshot!(stdout(&output));
    assert!(!project.path().join("results").exists());
}

#[test]
fn check_of_the_shipped_quickstart_finds_only_warnings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let output = boldly(&folder, &["check", "quickstart.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(codes(&output).iter().all(|code| code == "variance-removed"), "{}", stderr(&output));
}

#[test]
fn check_as_json_is_the_same_plan() {
    let project = project(&calm());
    let output = project.succeed(&["check", "pipeline.toml", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["subjects"][0]["runs"][0]["frames"], 130);
    assert_eq!(report["subjects"][0]["runs"][0]["events"]["face"], 14);
    assert_eq!(report["messages"], Value::Array(Vec::new()));
    assert!(report["needs"]["memory_bytes"].as_u64().unwrap() > 1 << 20);
}

#[test]
fn check_ends_with_0_for_what_is_odd_1_for_what_cannot_be_done_and_2_for_what_is_wrong() {
    let project = project(&calm());
    edit(&project, "pipeline.toml", |text| text.replace("0.004", "0.02"));
    assert_eq!(project.boldly(&["check", "pipeline.toml"]).status.code(), Some(0));
    assert_eq!(project.boldly(&["check", "pipeline.toml", "--max-memory", "1MB"]).status.code(), Some(1));
    assert_exit(&project.boldly(&["check", "none.toml"]), 2);
    let output = project.boldly(&["check", "pipeline.toml", "--json", "--set", "design.high_pass_hz=0.02"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["messages"][0].as_str().unwrap().starts_with("warning[variance-removed]"));
}

#[test]
fn design_writes_tables_and_figures_beside_the_results() {
    let project = project(&calm());
    let output = project.boldly(&["design", "pipeline.toml"]);
    assert_exit(&output, 0);
    let names: Vec<String> = digests(&project.path().join("results-design")).into_keys().collect();
    assert!(names.iter().any(|name| name.ends_with("run-01_design.tsv")), "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("run-01_design.svg")), "{names:?}");
    project.succeed(&["run", "pipeline.toml"]);
    let name = "objects/sub-01/func/sub-01_task-objects_run-01_design.tsv";
    let [alone, with_results] =
        ["results-design", "results"].map(|folder| fs::read(project.path().join(folder).join(name)));
    assert_eq!(alone.unwrap(), with_results.unwrap());
}

fn compared(project: &Project, words: &[&str]) -> (Option<i32>, String) {
    let output = project.boldly(&[&["compare"], words].concat());
    (output.status.code(), stdout(&output))
}

#[test]
fn compare_ends_with_0_1_or_2() {
    let project = project(&calm());
    project.succeed(&["run", "pipeline.toml"]);
    project.succeed(&["run", "pipeline.toml", "--out", "other", "--set", "glm.objects.noise=ols"]);
    assert_eq!(compared(&project, &["results", "results"]).0, Some(0));
    let (code, said) = compared(&project, &["results", "other"]);
    assert!(code == Some(1) && said.contains("stat-z_statmap.nii.gz"), "{said}");
    assert_eq!(compared(&project, &["results", "nothing"]), (Some(2), String::new()));
}

#[test]
fn what_was_asked_for_goes_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    for (words, begins) in [
        (&["--help"][..], "Declared fMRI analysis"),
        (&["run", "--help"], "Run every subject"),
        (&["-V"], concat!("boldly ", env!("CARGO_PKG_VERSION"))),
        (&["completions", "bash"], "_boldly()"),
        (&["schema", "--markdown"], "# The pipeline file"),
    ] {
        let output = boldly(folder.path(), words);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{words:?}");
        assert!(stdout(&output).starts_with(begins), "{words:?}: {}", stdout(&output));
    }
    let schema: Value = serde_json::from_slice(&boldly(folder.path(), &["schema"]).stdout).unwrap();
    assert!(schema["properties"]["glm"].is_object());
}

#[test]
fn a_wrong_command_line_is_told_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    for words in
        [&["run", "p.toml", "--thread", "2"][..], &["runn"], &[], &["run"], &["run", "p.toml", "--threads", "0"]]
    {
        let output = boldly(folder.path(), words);
        assert_exit(&output, 2);
        assert!(!stderr(&output).is_empty(), "{words:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_went_away_is_no_panic() {
    let project = project(&calm());
    for words in [
        &["schema"][..],
        &["--help"],
        &["completions", "zsh"],
        &["check", "pipeline.toml"],
        &["compare", "data", "data"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_boldly"))
            .args(words)
            .current_dir(project.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_ne!(child.wait().unwrap().code(), Some(101), "{words:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("bug:"), "{words:?}: {said}");
    }
}

#[test]
fn quiet_says_only_what_is_wrong_and_json_progress_is_json() {
    let project = project(&calm());
    let output = project.succeed(&["run", "pipeline.toml", "--quiet"]);
    assert_eq!((stderr(&output), stdout(&output)), (String::new(), String::new()));
    let output = project.succeed(&["run", "pipeline.toml", "--force", "--progress", "json"]);
    let is_json = |line: &&str| serde_json::from_str::<Value>(line).is_ok();
    let said = stderr(&output);
    assert!(said.lines().filter(is_json).count() >= 3, "{said}");
    assert_eq!(said.lines().filter(|line| !is_json(line)).collect::<Vec<_>>(), ["1 of 1 subject complete: results"]);
}

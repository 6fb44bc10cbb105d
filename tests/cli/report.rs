//! Reports: the same from the run and from the folder, and whole but for what is missing.

use crate::sample::{
    ALL, ONE, SMALL, assert_exit, assert_same_bytes, codes, digests, edit, file, pipeline, project, stderr, stdout,
    with_confounds,
};
use crate::support::Project;
use std::fs;
use std::path::PathBuf;

/// Confounds, a t and an F.
pub(crate) const REPORTED: &str = r#"
[mask]
path = "data/mask.nii.gz"

[confounds]
columns = ["trans_*", "rot_*"]

[[glm]]
name = "objects"

[[glm.contrast]]
name = "faceVsHouse"
expr = "face - house"

[[glm.contrast]]
name = "anyObject"
expr = ["face", "house"]
"#;

fn page(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path().join("results").join(name)).unwrap()
}

fn output(project: &Project, name: &str) -> PathBuf {
    project.path().join("results/objects/sub-01/func").join(format!("sub-01_task-objects_{name}"))
}

#[test]
fn the_folder_alone_gives_the_reports_that_the_run_wrote() {
    let project = project(&with_confounds(&ALL, REPORTED));
    project.succeed(&["run", "pipeline.toml", "--threads", "2"]);
    let results = project.path().join("results");
    let written = digests(&results);
    assert!(written.contains_key("report.html") && written.contains_key("sub-02_report.html"), "{written:?}");
    for name in ["report.html", "sub-01_report.html", "sub-02_report.html"] {
        fs::remove_file(results.join(name)).unwrap();
    }
    fs::remove_dir_all(project.path().join("data")).unwrap();
    fs::rename(&results, project.path().join("moved")).unwrap();
    assert_exit(&project.boldly(&["report", "moved"]), 0);
    assert_same_bytes(&written, &digests(&project.path().join("moved")), "made again from the folder, elsewhere");
}

#[test]
fn a_report_says_what_was_done_and_needs_nothing_else() {
    let project = project(&with_confounds(&ALL, REPORTED));
    project.succeed(&["run", "pipeline.toml"]);
    let html = page(&project, "sub-01_report.html");
    for said in [
        "<h1>sub-01</h1>",
        "face - house (t)",
        "face; house (F)",
        "Viewer: objects task-objects",
        "Design of task-objects run-02",
        "Variance inflation of the task regressors",
        "mean framewise displacement",
        "largest framewise displacement</dt><dd>1.233 mm",
        "Weights of the contrasts",
        "Spectrum of the whitened residuals",
        "not white at .05",
        "18 neighbours",
        "Edge of the mask",
        "data/sub-01_task-objects_run-01_events.tsv",
    ] {
        assert!(html.contains(said), "`{said}` is not in the report");
    }
    for asked in ["http:", "https:", "src=\"file", "url(", "@import", "<link rel=\"stylesheet"] {
        // the name space of SVG stands in base 64
        assert!(!html.contains(asked), "`{asked}` asks for another file");
    }
    assert!(!html.contains(&*project.path().to_string_lossy()), "no absolute path");
    let index = page(&project, "report.html");
    assert!(index.contains("<a href=\"sub-02_report.html\">sub-02</a>") && index.contains("Declared contrasts"));
    project.succeed(&["run", "pipeline.toml", "--out", "other", "--set", "output.report=false"]);
    let compared = project.boldly(&["compare", "results", "other"]);
    assert_eq!(compared.status.code(), Some(0), "reports are passed over: {}", stdout(&compared));
    assert_exit(&project.boldly(&["report", "results", "--no-viewer"]), 0);
    let without = page(&project, "sub-01_report.html");
    assert!(without.len() < html.len() && !without.contains("viewer-0"), "{} of {}", without.len(), html.len());
}

/// The default noise model leaves the sample data's residuals white, OLS does not: noise of AR(1) with rho .35, smoothed in space.
#[test]
fn whiteness_tells_a_noise_model_that_fits_from_one_that_does_not() {
    let of_model = |name: &str, noise: &str| {
        format!(
            "[[glm]]\nname = \"{name}\"\n{noise}maps = [\"whiteness\"]\n[[glm.contrast]]\nname = \"face\"\nexpr = \"face\"\n"
        )
    };
    let models = of_model("fits", "") + &of_model("white", "noise = \"ols\"\n");
    let project = project(&pipeline(&ONE, &format!("[mask]\npath = \"data/mask.nii.gz\"\n{models}")));
    project.succeed(&["run", "pipeline.toml"]);
    let found = |model: &str| -> (f64, f64) {
        let folder = project.path().join(format!("results/{model}/sub-01/func"));
        let stem = folder.join("sub-01_task-objects_run-01");
        let read = |ending: &str| fs::read_to_string(format!("{}_{ending}", stem.display())).unwrap();
        let table = read("desc-whiteness_stats.tsv");
        let power: Vec<f64> =
            table.lines().skip(1).take(10).map(|line| line.split('\t').nth(2).unwrap().parse().unwrap()).collect();
        let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).unwrap();
        let rejected = summary["Runs"][0]["LjungBox"]["ShareRejected"].as_f64().unwrap();
        (power.iter().sum::<f64>() / power.len() as f64, rejected)
    };
    let ((slow, rejected), (slow_of_ols, rejected_of_ols)) = (found("fits"), found("white"));
    assert!((slow - 1.0).abs() < 0.1, "power at the ten slowest frequencies: {slow}");
    assert!(slow_of_ols > 1.3, "the same of OLS: {slow_of_ols}");
    assert!(rejected < 0.15 && rejected_of_ols > 3.0 * rejected, "{rejected} {rejected_of_ols}");
}

#[test]
fn reports_follow_their_results() {
    let project = project(&pipeline(&[("01", "01"), ("02", "01")], SMALL));
    project.succeed(&["run", "pipeline.toml"]);
    let first = page(&project, "sub-01_report.html");
    fs::remove_file(project.path().join("results/sub-01_report.html")).unwrap();
    project.succeed(&["run", "pipeline.toml"]);
    assert_eq!(page(&project, "sub-01_report.html"), first, "made again, though the subject is unchanged");
    edit(&project, &file(("02", "01"), "events.tsv"), |text| text.replacen("\t2\tface", "\t2.5\tface", 1));
    let other = page(&project, "sub-02_report.html");
    project.succeed(&["run", "pipeline.toml", "--set", "output.report=false"]);
    let results = project.path().join("results");
    assert!(results.join("sub-01_report.html").exists(), "its results are the same");
    assert!(!results.join("sub-02_report.html").exists() && !results.join("report.html").exists(), "of older results");
    project.succeed(&["run", "pipeline.toml"]);
    assert_ne!(page(&project, "sub-02_report.html"), other);
    // a report is no result: nothing is compared, nothing is redone for it
    fs::write(results.join("sub-01_report.html"), "changed").unwrap();
    assert!(stderr(&project.succeed(&["run", "pipeline.toml"])).contains("sub-01: unchanged"));
}

#[test]
fn a_page_says_that_its_results_are_of_a_run_before_the_one_that_failed() {
    let project = project(&pipeline(&[("01", "01"), ("02", "01")], SMALL));
    project.succeed(&["run", "pipeline.toml"]);
    let whole = page(&project, "sub-02_report.html");
    let events = project.path().join(file(("02", "01"), "events.tsv"));
    let kept = fs::read(&events).unwrap();
    fs::remove_file(&events).unwrap();
    assert_exit(&project.boldly(&["run", "pipeline.toml"]), 4);
    let html = page(&project, "sub-02_report.html");
    let said = "The last run of this subject failed; what follows is of an earlier one.";
    assert!(html.contains(said) && html.contains("error["), "the reason too");
    assert!(!page(&project, "sub-01_report.html").contains(said));
    assert!(page(&project, "report.html").contains("Subjects without results of the last run"));
    fs::write(&events, kept).unwrap();
    project.succeed(&["run", "pipeline.toml"]);
    assert_eq!(page(&project, "sub-02_report.html"), whole, "as it was before");
}

#[test]
fn what_is_missing_or_damaged_is_said_and_the_rest_is_made() {
    let project = project(&pipeline(&ONE, SMALL));
    project.succeed(&["run", "pipeline.toml"]);
    assert_exit(&project.boldly(&["report", "results"]), 0);
    let whole = page(&project, "sub-01_report.html");
    fs::remove_file(output(&project, "run-01_design.json")).unwrap();
    fs::write(output(&project, "run-01_summary.json"), "{").unwrap();
    let z = output(&project, "run-01_contrast-faceVsHouse_stat-z_statmap.nii.gz");
    let mut bytes = fs::read(&z).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&z, bytes).unwrap();
    let found = project.boldly(&["report", "results"]);
    assert_exit(&found, 1);
    assert_eq!(codes(&found), ["report-output-missing", "report-output-altered", "report-output-altered"]);
    let message = stderr(&found);
    assert!(message.contains("--> results/objects/sub-01/func/sub-01_task-objects_run-01_design.json"), "{message}");
    let html = page(&project, "sub-01_report.html");
    assert!(html.contains("Not shown") && html.contains("objects/sub-01/func/sub-01_task-objects_run-01_summary.json"));
    assert!(html.contains("Edge of the mask") && html.contains("Design matrix: a column a regressor"), "the rest");
    assert!(!html.contains("18 neighbours") && !whole.contains("Not shown"));
    fs::remove_file(project.path().join("results/provenance.json")).unwrap();
    let found = project.boldly(&["report", "results"]);
    assert_eq!(codes(&found).last().map(String::as_str), Some("report-output-unreadable"));
    assert!(page(&project, "report.html").contains("sub-01_report.html"));
}

#[test]
fn damaged_maps_are_said_in_one_order_however_many_threads_draw_them() {
    let project = project(&with_confounds(&ONE, REPORTED));
    project.succeed(&["run", "pipeline.toml"]);
    let contrasts = ["anyObject", "faceVsHouse"];
    for contrast in contrasts {
        fs::write(output(&project, &format!("run-01_contrast-{contrast}_stat-z_statmap.nii.gz")), "damaged").unwrap();
    }
    for _ in 0..5 {
        let message = stderr(&project.boldly(&["report", "results"]));
        let places = contrasts.map(|contrast| message.find(&format!("_contrast-{contrast}_stat-z")).unwrap());
        assert!(places.is_sorted(), "{message}");
    }
}

#[test]
fn a_folder_that_is_no_result_is_refused() {
    let project = project(&pipeline(&ONE, SMALL));
    for folder in ["data", "nowhere"] {
        let found = project.boldly(&["report", folder]);
        assert_exit(&found, 2);
        assert_eq!(codes(&found), ["output-folder-no-results"]);
        assert!(!project.path().join("nowhere").exists(), "looking makes no folder");
    }
    project.succeed(&["run", "pipeline.toml"]);
    fs::remove_file(project.path().join("results/.boldly/manifests/sub-01.json")).unwrap();
    let found = project.boldly(&["report", "results"]);
    assert_exit(&found, 2);
    assert_eq!(codes(&found), ["report-nothing-finished"]);
}

#[test]
fn warnings_of_a_run_are_in_its_report() {
    let settings = SMALL.replace("[[glm]]", "[design]\nhigh_pass_hz = 0.03\n\n[[glm]]");
    let project = project(&pipeline(&ONE, &settings));
    let run = project.succeed(&["run", "pipeline.toml"]);
    assert_eq!(codes(&run), ["variance-removed"]);
    assert_exit(&project.boldly(&["report", "results"]), 0);
    assert!(page(&project, "sub-01_report.html").contains("warning[variance-removed]: "));
}

#[test]
fn names_from_files_stay_text() {
    let hostile = "<script>alert(1)</script>";
    let project = project(&with_confounds(&ONE, REPORTED));
    edit(&project, &file(ONE[0], "events.tsv"), |text| text.replace("\tblank", &format!("\t{hostile}")));
    project.succeed(&["run", "pipeline.toml"]);
    let html = page(&project, "sub-01_report.html");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !html.contains(hostile));
}

#[test]
fn every_kind_of_model_has_a_report() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let scratch = Project::new("");
    for (name, said) in [
        ("roi_timeseries", "contrast faceVsHouse"),
        ("convolution_slice", "The middle slice before and after"),
        ("spikes_to_rates", "firing rates"),
    ] {
        let pipeline = root.join(format!("pipelines/{name}.toml"));
        let words =
            ["run", pipeline.to_str().unwrap(), "--out", name, "--set", "output.report=true", "--subject", "01"];
        scratch.succeed(&words);
        let html = fs::read_to_string(scratch.path().join(name).join("sub-01_report.html")).unwrap();
        assert!(html.contains(said), "{name}: no `{said}`");
        assert!(!html.contains("Not shown"), "{name}");
    }
}

//! The memory that `check` predicts is enough.

use crate::sample::{assert_same_bytes, codes, digests, stderr};
use crate::support::Project;
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

/// 48 x 48 x 32 voxels, 200 volumes: 29 MB of integers, more than the program itself needs.
const SPEC: &str = r#"
name = "memory"
task = "objects"
seed = 1
subjects = 1
runs = 2
volumes = 200
tr_s = 2.0
[grid]
shape = [48, 48, 32]
voxel_mm = [3.0, 3.0, 3.0]
[head]
radii_mm = [60.0, 62.0, 44.0]
[noise]
fwhm_mm = 6.0
sigma_percent = 0.8
[schedule]
gap_s = 4.0
[[condition]]
name = "face"
events = 20
duration_s = 2.0
"#;

const PIPELINE: &str = r#"
schema = 1
name = "memory"
[[run]]
bold = "dataset/sub-01/func/sub-01_task-objects_run-01_bold.nii.gz"
events = "dataset/sub-01/func/sub-01_task-objects_run-01_events.tsv"
[[run]]
bold = "dataset/sub-01/func/sub-01_task-objects_run-02_bold.nii.gz"
events = "dataset/sub-01/func/sub-01_task-objects_run-02_events.tsv"
[preprocess]
smooth_fwhm_mm = 6.0
[[glm]]
name = "objects"
maps = ["effect", "variance", "t", "z", "p", "dof", "beta", "r2", "residuals", "sigma", "rho"]
[[glm.contrast]]
name = "face"
expr = "face"
"#;

/// Peak resident memory of the binary with these words, bytes: the kernel's own high-water mark, read until the end.
fn peak_bytes(project: &Project, words: &[&str]) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_boldly"))
        .args(words)
        .current_dir(project.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let exit = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.map_or(peak, |line| line.trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024);
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert!(exit.success());
    peak
}

fn simulated() -> Project {
    let project = Project::new(PIPELINE);
    fs::write(project.path().join("spec.toml"), SPEC).unwrap();
    project.succeed(&["simulate", "spec.toml", "--out", "dataset"]);
    project
}

/// What `check` says the work needs.
fn needs(project: &Project, words: &[&str]) -> Value {
    let output = project.boldly(&[&["check", "pipeline.toml", "--json"], words].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["needs"].clone()
}

#[test]
fn memory_stays_below_what_check_predicts() {
    let project = simulated();
    let sums_alone = ["--set", "glm.objects.maps=[\"t\", \"z\"]"];
    let mut of_samples = 0;
    for (set, threads) in [(&[][..], "1"), (&[], "3"), (&sums_alone, "1"), (&sums_alone, "3")] {
        let words = |first: &[&'static str]| [first, &["--threads", threads], set].concat();
        let predicted = needs(&project, &words(&[]))["memory_bytes"].as_u64().unwrap();
        let peak = peak_bytes(&project, &words(&["run", "pipeline.toml", "--force"]));
        let mib = |bytes: u64| bytes >> 20;
        assert!(peak > 20 << 20, "the measurement works: {} MiB", mib(peak));
        assert!(peak <= predicted, "{threads} threads: {} MiB of {} MiB predicted", mib(peak), mib(predicted));
        // a prediction far above the need would refuse work that fits
        assert!(predicted < 4 * peak, "{threads} threads: {} MiB of {} MiB predicted", mib(peak), mib(predicted));
        // without residuals no frame is held: 4 bytes x 200 frames a voxel less
        assert!(set.is_empty() || predicted < of_samples, "{predicted} of {of_samples}");
        of_samples = predicted.max(of_samples);
    }
}

/// Every series that a deconvolution can write.
const DECONVOLUTION: &str = r#"
[[deconvolve]]
name = "activity"
maps = ["activity", "fitted", "standard-error", "lambda", "sigma", "dof"]
upsample = 2
"#;

#[test]
fn deconvolutions_stay_below_what_check_predicts() {
    let project = simulated();
    let (inputs, _) = PIPELINE.split_once("[[glm]]").unwrap();
    fs::write(project.path().join("pipeline.toml"), format!("{inputs}{DECONVOLUTION}")).unwrap();
    for threads in ["1", "3"] {
        let predicted = needs(&project, &["--threads", threads]);
        let of = |key: &str| predicted[key].as_u64().unwrap();
        let peak = peak_bytes(&project, &["run", "pipeline.toml", "--force", "--threads", threads]);
        let mib = |bytes: u64| bytes >> 20;
        let said = format!("{threads} threads: {} MiB of {} MiB predicted", mib(peak), mib(of("memory_bytes")));
        eprintln!("{said}");
        assert!(peak <= of("memory_bytes") && of("memory_bytes") < 4 * peak, "{said}");
        let least = of("least_memory_bytes").to_string();
        let limited = ["run", "pipeline.toml", "--force", "--threads", threads, "--max-memory", &least];
        let peak = peak_bytes(&project, &limited);
        let said =
            format!("{threads} threads, series on disk: {} MiB of {} MiB", mib(peak), mib(of("least_memory_bytes")));
        eprintln!("{said}");
        assert!(peak <= of("least_memory_bytes"), "{said}");
    }
}

#[test]
fn below_a_limit_samples_lie_on_disk_and_change_no_byte() {
    let project = simulated();
    let run = |out: &str, words: &[&str]| {
        let peak = peak_bytes(&project, &[&["run", "pipeline.toml", "--threads", "2", "--out", out], words].concat());
        (peak, digests(&project.path().join(out)))
    };
    for profile in [&["--set", "profile=nilearn"][..], &["--set", "profile=native"]] {
        let threads = [&["--threads", "2"], profile].concat();
        let least = needs(&project, &threads)["least_memory_bytes"].as_u64().unwrap().to_string();
        let limited = [&["--max-memory", &least], profile].concat();
        let predicted = needs(&project, &[&["--threads", "2"], &limited[..]].concat());
        // 4 bytes x 200 frames x some 20,000 voxels
        assert!(predicted["spilled_bytes"].as_u64().unwrap() > 10 << 20, "{predicted}");
        let (held_peak, held) = run("held", profile);
        let (spilled_peak, spilled) = run("spilled", &limited);
        assert_same_bytes(&held, &spilled, "samples on disk");
        assert!(spilled_peak <= least.parse().unwrap(), "{spilled_peak} of {least}");
        // two runs at a time held their samples, one that does not takes less by more than one's
        assert!(held_peak > spilled_peak + (10 << 20), "{held_peak}, {spilled_peak} on disk");
        for out in ["held", "spilled"] {
            fs::remove_dir_all(project.path().join(out)).unwrap();
        }
    }
}

#[test]
fn too_little_memory_is_refused_with_what_is_needed() {
    let project = simulated();
    let least = needs(&project, &["--threads", "2"])["least_memory_bytes"].as_u64().unwrap();
    let words = ["run", "pipeline.toml", "--threads", "2", "--max-memory", &(least - (1 << 20)).to_string()];
    let output = project.boldly(&words);
    assert_eq!(codes(&output).last().map(String::as_str), Some("memory-too-small"));
    assert!(stderr(&output).contains(&format!("needs about {} MiB", least.div_ceil(1 << 20))), "{}", stderr(&output));
    assert!(!project.path().join("results").exists());
}

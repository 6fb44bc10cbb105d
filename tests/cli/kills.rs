//! `boldly run` is killed at fifty or more seeded moments, and asked to stop at some: what it leaves is sound each time.

use crate::image_forms::gzip;
use crate::sample::{assert_same_bytes, digests, stderr};
use crate::support::Project;
use boldly::outputs::{Digest, Manifest, Unit, open_output_folder};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const N_KILLS: u32 = 50;
/// Kills until one has fallen before the first commit and one after: on a busy machine times are guesses.
const MOST_KILLS: u32 = 4 * N_KILLS;

fn start(project: &Project, command: &str, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_boldly"))
        .args([command, "pipeline.toml", "--progress", "json"])
        .args(words)
        .current_dir(project.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Every file under a final name is whole, every digest in a manifest and in the provenance holds; how many subjects
/// are finished.
fn check(results: &Path) -> usize {
    let names = digests(results);
    for name in names.keys() {
        let path = results.join(name);
        match name.rsplit('.').next().unwrap() {
            "gz" => drop(crate::support::image(&path)),
            "json" => drop(serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap()),
            "tsv" => {
                let text = fs::read_to_string(&path).unwrap();
                let width = |line: &str| line.split('\t').count();
                assert!(text.ends_with('\n') && text.lines().all(|l| width(l) == width(text.lines().next().unwrap())));
            }
            "svg" => assert!(fs::read_to_string(&path).unwrap().trim_end().ends_with("</svg>"), "{name}"),
            "html" => assert!(fs::read_to_string(&path).unwrap().trim_end().ends_with("</html>"), "{name}"),
            "png" => assert!(fs::read(&path).unwrap().ends_with(b"IEND\xaeB`\x82"), "{name}"),
            _ => assert!(name.ends_with(".bidsignore"), "{name}"),
        }
    }
    if !results.join(".boldly/format").exists() {
        assert!(names.is_empty());
        return 0;
    }
    let folder = open_output_folder(results).unwrap();
    let manifests = Manifest::load_subjects(&folder).unwrap();
    for (unit, manifest) in &manifests {
        assert_eq!(manifest.altered_outputs(&folder), [], "digests of {unit}");
    }
    if let Some(manifest) = Manifest::load(&folder, &Unit::Dataset).unwrap() {
        assert_eq!(manifest.altered_outputs(&folder), [], "digests of the dataset's files");
    }
    if let Ok(text) = fs::read(results.join("provenance.json")) {
        let provenance: Value = serde_json::from_slice(&text).unwrap();
        for subject in provenance["subjects"].as_object().unwrap().values() {
            for (name, record) in subject["outputs"].as_object().unwrap() {
                let (digest, _) = Digest::of_file(&results.join(name)).unwrap();
                assert_eq!(record["sha256"], digest.to_string(), "provenance of {name}");
            }
        }
    }
    manifests.len()
}

#[test]
fn fifty_kills_leave_nothing_half_written() {
    let project = crate::bytes::complete(&[("01", "01"), ("02", "01")]);
    let results = project.path().join("results");
    // two versions in turn, so that every commit replaces, adds and removes files
    let version =
        |kill: u32| -> &[&str] { if kill.is_multiple_of(2) { &[] } else { &["--set", "glm.shapes.design.hrf=spm"] } };
    let begun = Instant::now();
    project.succeed(&["run", "pipeline.toml", "--out", "undisturbed"]);
    let longest_us = (begun.elapsed().as_micros() * 11 / 10) as u64;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(20_261_123);
    let mut finished = [0; 3];
    let tried = |finished: &[u32; 3]| finished.iter().filter(|count| **count > 0).count() > 1;
    for kill in 1..=MOST_KILLS {
        if kill > N_KILLS && tried(&finished) {
            break;
        }
        let mut victim = start(&project, "run", &[version(kill), &["--force"]].concat());
        std::thread::sleep(Duration::from_micros(random.next_u64() % longest_us));
        victim.kill().unwrap();
        victim.wait().unwrap();
        if results.exists() {
            finished[check(&results)] += 1;
        }
    }
    // else all kills fell before or after the commits, and nothing was tried
    assert!(tried(&finished), "subjects finished: {finished:?}");
    project.succeed(&["run", "pipeline.toml"]);
    assert_eq!(check(&results), 2);
    assert_same_bytes(&digests(&project.path().join("undisturbed")), &digests(&results), "after fifty kills");
    let left = fs::read_dir(results.join(".boldly/tmp")).unwrap().count();
    assert_eq!(left, 0, "staged files are left");
}

/// Sends `signal` once this number of stages of the command has begun; the end of the process, and what it said.
fn stop(project: &Project, command: &[&str], signal: Signal, stages: usize) -> (Option<i32>, Option<i32>, String) {
    let mut victim = start(project, command[0], &command[1..]);
    let mut said = BufReader::new(victim.stderr.take().unwrap());
    let (mut seen, mut text) = (0, String::new());
    while seen < stages {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "ended early: {text}");
        seen += usize::from(line.contains(r#""event":"stage""#));
        text += &line;
    }
    kill_process(Pid::from_raw(victim.id().cast_signed()).unwrap(), signal).unwrap();
    std::io::Read::read_to_string(&mut said, &mut text).unwrap();
    let status = victim.wait().unwrap();
    (status.code(), status.signal(), text)
}

#[test]
fn asked_to_stop_it_says_so_and_leaves_nothing_behind() {
    let project = crate::bytes::complete(&[("01", "01"), ("02", "01")]);
    let results = project.path().join("results");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        for stages in [1, 2, 3] {
            let (exit, killed_by, said) = stop(&project, &["run", "--force"], signal, stages);
            assert_eq!((exit, killed_by), (Some(code), None), "{said}");
            assert!(said.contains("interrupted; 0 subjects complete, run again to finish"), "{said}");
            assert_eq!(check(&results), 0);
            assert_eq!(fs::read_dir(results.join(".boldly/tmp")).unwrap().count(), 0, "staged files are left");
        }
    }
    project.succeed(&["run", "pipeline.toml"]);
    assert_eq!(check(&results), 2);
}

#[test]
fn a_calibration_asked_to_stop_writes_nothing() {
    let settings = format!("{}\n[calibrate]\ndraws = 5000\n", crate::sample::SMALL);
    let project = crate::sample::project(&crate::sample::pipeline(&crate::sample::ONE, &settings));
    // while it reads, and while it draws
    for stages in [1, 2] {
        let (exit, killed_by, said) = stop(&project, &["calibrate"], Signal::INT, stages);
        assert_eq!((exit, killed_by), (Some(130), None), "{said}");
        let results = project.path().join("results");
        assert!(digests(&results).is_empty(), "{:?}", digests(&results));
        assert_eq!(fs::read_dir(results.join(".boldly/tmp")).unwrap().count(), 0, "staged files are left");
    }
}

#[test]
fn staged_files_of_a_dead_process_are_cleared() {
    let project = crate::sample::project(&crate::sample::pipeline(&crate::sample::ONE, crate::sample::SMALL));
    project.succeed(&["run", "pipeline.toml"]);
    let left = project.path().join("results/.boldly/tmp/sub-01.99999999");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("0"), gzip(b"half an ima")).unwrap();
    let output = project.succeed(&["run", "pipeline.toml"]);
    assert!(stderr(&output).contains("sub-01: unchanged"));
    assert!(!left.exists());
}

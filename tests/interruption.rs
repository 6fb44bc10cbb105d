//! A process that writes results is killed at fifty seeded moments; what it leaves must be sound each time.
//!
//! The test re-runs its own executable as the victim, told so by an environment variable.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and talks to its victim"
)]

use boldly::outputs::{
    Digest, Manifest, ManifestKey, OutputFolder, OutputLock, RelativePath, StagedOutputs, Unit, open_output_folder,
    write_dataset_files,
};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const VICTIM: &str = "BOLDLY_INTERRUPTION_VICTIM";
const N_KILLS: usize = 50;
/// Longest wait before a kill, in times of what writing one version takes on this machine.
const LONGEST_WAIT: u32 = 3;

/// The names of one version of the results: versions share some names and differ in others, models too.
fn names(version: u64) -> Vec<String> {
    let shared = (0..12).map(|at| format!("shared/sub-01/func/sub-01_run-{at}_design.tsv"));
    let own = (0..6).map(|at| format!("model{}/sub-01/func/sub-01_v{version}n{at}_stats.tsv", version % 2));
    shared.chain(own).collect()
}

/// Content that proves itself whole: a long payload between two lines that say its version and digest.
fn content(version: u64, name: &str) -> Vec<u8> {
    let payload = format!("{version} {name}\n").repeat(2000 + version as usize % 7);
    let digest = Digest::of_bytes(payload.as_bytes());
    format!("{digest}\n{payload}{digest}\n").into_bytes()
}

fn is_whole(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (Some(first), Some(rest)) = (text.get(..64), text.get(65..)) else { return false };
    let Some(payload) = rest.strip_suffix(&format!("{first}\n")) else { return false };
    Digest::of_bytes(payload.as_bytes()).to_string() == first
}

fn write_version(folder: &OutputFolder, version: u64) {
    let staged = StagedOutputs::new(OutputLock::acquire(folder, "01").unwrap()).unwrap();
    for name in names(version) {
        let path = RelativePath::new(name).unwrap();
        staged.write(&path, |file| file.write_all(&content(version, path.as_str()))).unwrap();
    }
    let plan = Digest::of_bytes(&version.to_le_bytes());
    staged
        .commit(ManifestKey { plan, numerics_version: 1, inputs: BTreeMap::new(), settings: serde_json::Value::Null })
        .unwrap();
    write_dataset_files(folder, "objects", &Value::Null, 1, &BTreeMap::new(), &[]).unwrap();
}

fn files(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".boldly") {
                folders.push(path);
            } else if path.is_file() {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// Every file under a final name is whole, every digest in a manifest or the provenance holds.
/// Tells whether the subject was finished.
fn check(root: &Path) -> bool {
    for name in files(root) {
        let bytes = fs::read(root.join(&name)).unwrap();
        if name.contains("/sub-01/") {
            assert!(is_whole(&bytes), "{name} is not whole");
        } else if name.strip_suffix(".json").is_some() {
            serde_json::from_slice::<Value>(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        } else {
            assert!(name.ends_with("/.bidsignore") && bytes.ends_with(b"\n"), "{name}");
        }
    }
    let folder = open_output_folder(root).unwrap();
    let mut finished = false;
    for unit in [Unit::subject("01").unwrap(), Unit::Dataset] {
        if let Some(manifest) = Manifest::load(&folder, &unit).unwrap() {
            assert_eq!(manifest.altered_outputs(&folder), [], "digests of {unit}");
            finished |= unit != Unit::Dataset;
        }
    }
    if let Ok(text) = fs::read(root.join("provenance.json")) {
        let provenance: Value = serde_json::from_slice(&text).unwrap();
        for (name, record) in provenance["subjects"]["sub-01"]["outputs"].as_object().into_iter().flatten() {
            let (digest, _) = Digest::of_file(&root.join(name)).unwrap();
            assert_eq!(record["sha256"], digest.to_string(), "provenance of {name}");
        }
    }
    finished
}

#[test]
fn results_are_sound_whenever_the_writer_is_killed() {
    if let Ok(root) = std::env::var(VICTIM) {
        let folder = open_output_folder(Path::new(&root)).unwrap();
        let first = fs::read_to_string(Path::new(&root).with_extension("version")).unwrap().parse().unwrap();
        println!("\nready");
        for version in first.. {
            write_version(&folder, version);
        }
    }
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("results");
    let begun = Instant::now();
    write_version(&open_output_folder(&root).unwrap(), 0);
    let longest_us = (begun.elapsed() * LONGEST_WAIT).as_micros() as u64;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(20_260_118);
    let mut n_unfinished = 0;
    for kill in 1..=N_KILLS {
        fs::write(root.with_extension("version"), (1000 * kill).to_string()).unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "results_are_sound_whenever_the_writer_is_killed", "--nocapture"])
            .env(VICTIM, &root)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = BufReader::new(victim.stdout.take().unwrap()).lines().any(|line| line.unwrap().ends_with("ready"));
        assert!(ready, "the victim failed before it was killed");
        std::thread::sleep(Duration::from_micros(random.next_u64() % longest_us));
        victim.kill().unwrap();
        victim.wait().unwrap();
        n_unfinished += usize::from(!check(&root));
    }
    println!("{n_unfinished} of {N_KILLS} kills left the subject without a manifest");
    // fewer would mean that the kills all fell beside the commits, and nothing was tried
    assert!((3..N_KILLS - 3).contains(&n_unfinished), "{n_unfinished} of {N_KILLS}");

    // the next run completes, and nothing of the interrupted ones is left
    let folder = open_output_folder(&root).unwrap();
    write_version(&folder, 7);
    assert!(check(&root));
    let mut expected: BTreeSet<String> = names(7).into_iter().chain(["provenance.json".to_owned()]).collect();
    for model in ["shared", "model1"] {
        expected.extend(["dataset_description.json", ".bidsignore"].map(|name| format!("{model}/{name}")));
    }
    assert_eq!(files(&root), expected);
    assert_eq!(fs::read_dir(root.join(".boldly/tmp")).unwrap().count(), 0, "staged files are left");
    for name in names(7) {
        assert_eq!(fs::read(root.join(&name)).unwrap(), content(7, &name), "{name}");
    }
}

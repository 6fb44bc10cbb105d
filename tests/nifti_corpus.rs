//! The image corpus: every file opens with the values nibabel reads, or is refused with a clear error; and whatever a
//! header says, nothing panics, aborts or allocates more than the file can hold.
//!
//! Expectations: `expectations/nifti_corpus.tsv`, made by `expectations/make_nifti_expectations.py`. The corpus is
//! `data/nifti` under `BOLDLY_TEST_DATA`, else under `../shared`; without it the tests say that they were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "nifti_corpus/mutation.rs"]
mod mutation;

use boldly::inputs::{FrameSource, NiftiFrames, digest_file, read_header};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("data/nifti");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no image corpus at {}", folder.display());
    None
}

/// A row of the expectations.
struct Expected {
    file: String,
    refused: Option<String>,
    shape: Vec<usize>,
    dtype: String,
    zooms: Vec<f64>,
    affine: Vec<f64>,
    range: [f64; 2],
    mean: f64,
    n_nan: usize,
    probes: Vec<f64>,
    sha256: String,
}

fn expectations() -> Vec<Expected> {
    let list = |text: &str| -> Vec<f64> { text.split(',').map(|number| number.parse().unwrap()).collect() };
    let parse = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let mut row = Expected {
            file: cells[0].to_owned(),
            refused: (cells[1] == "refused").then(|| cells[2].to_owned()),
            shape: Vec::new(),
            dtype: cells[4].to_owned(),
            zooms: Vec::new(),
            affine: Vec::new(),
            range: [0.0; 2],
            mean: 0.0,
            n_nan: 0,
            probes: Vec::new(),
            sha256: String::new(),
        };
        if row.refused.is_none() {
            row.shape = cells[3].split(',').map(|length| length.parse().unwrap()).collect();
            row.zooms = list(cells[5]);
            row.affine = list(cells[6]);
            row.range = [cells[7], cells[8]].map(|number| number.parse().unwrap());
            row.mean = cells[9].parse().unwrap();
            row.n_nan = cells[10].parse().unwrap();
            row.probes = list(cells[11]);
            cells[12].clone_into(&mut row.sha256);
        }
        row
    };
    include_str!("expectations/nifti_corpus.tsv").lines().skip(2).map(parse).collect()
}

/// Statistics of all values of an image, gathered volume by volume.
struct Gathered {
    range: [f64; 2],
    sum: f64,
    n_finite: usize,
    n_nan: usize,
    probes: Vec<f64>,
    sha256: String,
}

fn gather(frames: &mut NiftiFrames) -> Result<Gathered, String> {
    let (n_values, n_frames) = (frames.n_values(), frames.n_frames());
    let mut all = Gathered {
        range: [f64::MAX, f64::MIN],
        sum: 0.0,
        n_finite: 0,
        n_nan: 0,
        probes: vec![],
        sha256: String::new(),
    };
    let mut hasher = Sha256::new();
    let mut frame = vec![0f64; n_values];
    let mut bytes = Vec::new();
    let total = n_values * n_frames;
    for index in 0..n_frames {
        frames.next_frame_f64(&mut frame).map_err(|problems| problems.to_string())?;
        for values in frame.chunks(1 << 16) {
            bytes.clear();
            for &value in values {
                all.n_nan += usize::from(value.is_nan());
                bytes.extend(if value.is_nan() { f64::NAN } else { value }.to_le_bytes());
                if value.is_finite() {
                    all.range = [all.range[0].min(value), all.range[1].max(value)];
                    (all.sum, all.n_finite) = (all.sum + value, all.n_finite + 1);
                }
            }
            hasher.update(&bytes);
        }
        let first = index * n_values;
        let here = [0, total / 2, total - 1].into_iter().filter(|at| (first..first + n_values).contains(at));
        all.probes.extend(here.map(|at| frame[at - first]));
    }
    for byte in hasher.finalize() {
        let _ = write!(all.sha256, "{byte:02x}");
    }
    Ok(all)
}

/// What differs from the expectation, or nothing.
fn compare(folder: &Path, expected: &Expected) -> Result<(), String> {
    let path = folder.join(&expected.file);
    let opened = NiftiFrames::open(&path);
    if let Some(reason) = &expected.refused {
        let Err(problems) = opened else { return Err("opened, though nibabel does not".to_owned()) };
        let text = problems.to_string();
        let code = match reason.split(' ').next() {
            Some("AFNI") => "image-other-format",
            Some("SPM") => "image-analyze-matrix",
            Some("CIFTI") => "image-dimensions",
            Some("type") => "image-datatype",
            _ => "image-",
        };
        let stem = Path::new(&expected.file).file_stem().unwrap().to_string_lossy();
        let located = text.contains(code) && text.contains(&*stem) && problems.has_errors();
        return if located { Ok(()) } else { Err(format!("an unclear error, expected `{code}`: {text}")) };
    }
    let (mut frames, _) = opened.map_err(|problems| problems.to_string())?;
    let header = frames.header().clone();
    let mut wrong = Vec::new();
    let mut check = |name: &str, right: bool, found: &dyn std::fmt::Debug| {
        if !right {
            wrong.push(format!("{name}: {found:?}"));
        }
    };
    let mut shape = expected.shape.clone();
    shape.resize(shape.len().max(3), 1);
    let n_frames: usize = shape[3..].iter().product();
    check("shape", header.grid.shape[..] == shape[..3] && header.n_frames == n_frames, &header.grid.shape);
    check("n_dims", header.n_dims == expected.shape.len(), &header.n_dims);
    check("dtype", header.datatype.name() == expected.dtype, &header.datatype);
    // nibabel rounds an Analyze translation through f32 and a qform through long double: 2^-23 covers the first
    let close = |a: f64, b: f64| (a - b).abs() <= 2f64.powi(-23) * b.abs().max(1.0);
    let affine = header.grid.affine.as_flattened();
    check("affine", affine.iter().zip(&expected.affine).all(|(a, b)| close(*a, *b)), &header.grid.affine);
    let zoom = expected.zooms.get(3).copied().filter(|zoom| *zoom > 0.0);
    let per_second = match header.raw.xyzt_units & 0x38 {
        0x10 => 1e3,
        0x18 => 1e6,
        _ => 1.0,
    };
    if n_frames > 1 && expected.shape.len() == 4 {
        let same = match (header.tr_s, zoom) {
            (Some(tr_s), Some(zoom)) => close(tr_s, zoom / per_second),
            (None, None) => true,
            _ => false,
        };
        check("tr_s", same, &header.tr_s);
    }
    let all = gather(&mut frames)?;
    check("range", all.range == expected.range, &all.range);
    // a plain sum of up to 3e7 values against numpy's pairwise one; the digest below is exact
    let mean = all.sum / all.n_finite as f64;
    let largest = expected.range[0].abs().max(expected.range[1].abs());
    check("mean", (mean - expected.mean).abs() <= 1e-9 * largest, &mean);
    check("n_nan", all.n_nan == expected.n_nan, &all.n_nan);
    let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    check("probes", all.probes.iter().zip(&expected.probes).all(same) && all.probes.len() == 3, &all.probes);
    check("sha256", all.sha256 == expected.sha256, &all.sha256);
    let digests = frames.digests().ok_or("no digest after the last volume")?;
    check("digest", digests.iter().all(|it| digest_file(&it.path).as_ref() == Ok(&it.sha256)), &digests);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

fn compare_all(folder: &Path) {
    let rows = expectations();
    assert!(rows.iter().filter(|row| row.refused.is_none()).count() > 45, "the table is not cut");
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| compare(folder, row).err().map(|problem| format!("{}: {problem}", row.file)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_reads_as_nibabel_reads_it_or_is_refused() {
    if let Some(folder) = corpus() {
        compare_all(&folder);
    }
}

#[test]
fn the_table_lists_every_file() {
    let Some(folder) = corpus() else { return };
    let mut listed: Vec<PathBuf> = expectations().iter().map(|row| folder.join(&row.file)).collect();
    listed.sort();
    assert_eq!(files_under(&folder), listed);
}

/// Reads an image to its end in f32; whether it opened. Bounds what it makes its caller allocate.
fn read_through(path: &Path) -> bool {
    let _ = read_header(path);
    let Ok((mut frames, _)) = NiftiFrames::open(path) else { return false };
    let header = frames.header();
    let frame_bytes = header.frame_bytes();
    assert!(frame_bytes <= header.file_bytes * if header.gzipped { 1032 } else { 1 }, "more than the file can hold");
    let mut frame = vec![0f32; frames.n_values()];
    for _ in 0..frames.n_frames() {
        if frames.next_frame(&mut frame).is_err() {
            return true;
        }
    }
    assert!(frames.digests().is_some());
    true
}

/// The work of the limited child process; alone it is a test like the others, only slow.
#[test]
#[ignore = "run by `nothing_is_allocated_on_a_headers_word` under a limit"]
fn child_of_the_limit() {
    let Some(folder) = corpus() else { return };
    compare_all(&folder);
    let files = files_under(&folder);
    for path in &files {
        read_through(path);
    }
    let (n_mutants, n_opened) = mutation::survive(&files, read_through);
    println!("{n_mutants} mutants, {n_opened} opened");
    // both outcomes are exercised, or the mutations are too wild or too tame
    assert!(n_opened > n_mutants / 20 && n_opened < n_mutants * 19 / 20, "{n_opened} of {n_mutants} opened");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_allocated_on_a_headers_word() {
    if corpus().is_none() {
        return;
    }
    let program = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", r#"ulimit -v 1048576 && exec "$0" "$@""#])
        .arg(program)
        .args(["--exact", "child_of_the_limit", "--ignored", "--nocapture", "--test-threads=1"])
        // each of its threads reserves tens of megabytes of address space
        .env("OPENBLAS_NUM_THREADS", "1")
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{}\n{text}", output.status);
}

//! Strategies take the columns and keep the frames that nilearn's `load_confounds` does, of real tables of fMRIPrep.
//!
//! `expectations/confounds/strategies.json` is written by `scripts/expectations/confound_strategies.py` from nilearn 0.14.1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may stop at the first surprise")]

#[path = "support/mod.rs"]
mod support;

use boldly::config::{ConfoundSettings, Located, load};
use boldly::inputs::{ConfoundTable, read_confounds};
use serde_json::Value;

/// Relative difference of checksums: thousands of terms of both signs added in another order, 13 digits stored.
const CHECKSUM_TOLERANCE: f64 = 1e-9;

/// Answers of nilearn that are compared: columns and frames, or a refusal.
const TAKEN: usize = 431;
const REFUSED: usize = 253;

/// What the keys of `[confounds]` resolve to.
fn settings(keys: &str) -> ConfoundSettings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    let text = format!(
        "schema = 1\nname = \"a\"\n[[run]]\nbold = \"sub-1_desc-smoothAROMAnonaggr_bold.nii.gz\"\nevents = \"e.tsv\"\n\
         confounds = \"c.tsv\"\n[confounds]\n{keys}\n[design]\ndrift = \"none\"\n[[glm]]\nname = \"a\"\n\
         condition_contrasts = true\n"
    );
    std::fs::write(&path, text).unwrap();
    let (settings, warnings) = load(&path, &[]).unwrap_or_else(|problems| panic!("{keys}\n{problems}"));
    assert!(warnings.is_empty(), "{warnings}");
    settings.glms[0].confounds.clone()
}

/// 0-based frames written as `0-2 5`.
fn frames(ranges: &str) -> Vec<usize> {
    ranges
        .split_whitespace()
        .flat_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            first.parse::<usize>().unwrap()..=last.parse().unwrap()
        })
        .collect()
}

/// The sum over rows i and columns j, from 1, of i (j mod 7 + 1) x, and of its magnitudes.
fn checksum(table: &ConfoundTable) -> (f64, f64) {
    let terms = table.columns.iter().enumerate().flat_map(|(column, values)| {
        let weight = ((column + 1) % 7 + 1) as f64;
        values.iter().enumerate().map(move |(row, value)| (row + 1) as f64 * weight * value)
    });
    terms.fold((0.0, 0.0), |(sum, magnitude), term| (sum + term, magnitude + term.abs()))
}

#[test]
fn columns_and_kept_frames_are_nilearn_s() {
    let Some(folder) = support::shared_part("data/confounds") else { return };
    let expectations: Value = serde_json::from_str(include_str!("expectations/confounds/strategies.json")).unwrap();
    let array = |value: &Value| value.as_array().unwrap().clone();
    let cases: Vec<(String, ConfoundSettings)> = array(&expectations["cases"])
        .iter()
        .map(|keys| (keys.as_str().unwrap().to_owned(), settings(keys.as_str().unwrap())))
        .collect();
    let (mut taken, mut refused) = (0, 0);
    for table in array(&expectations["tables"]) {
        let name = table["table"].as_str().unwrap();
        let rows = table["rows"].as_u64().unwrap() as usize;
        let path = Located::unplaced(folder.join(name));
        let answers = array(&table["answers"]);
        assert_eq!(answers.len(), cases.len(), "{name}");
        for ((keys, settings), answer) in cases.iter().zip(&answers) {
            let what = format!("{name}\n{keys}\n{answer}");
            let read = read_confounds(&path, settings, rows, 0);
            let Some(columns) = answer.get("columns") else {
                refused += 1;
                assert!(read.is_err(), "{what}");
                continue;
            };
            taken += 1;
            let kept = frames(answer["kept"].as_str().unwrap());
            let read = match read {
                Ok((read, _)) => read,
                Err(problems) => {
                    let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
                    assert_eq!(
                        (codes.as_slice(), kept.len()),
                        (["confounds-all-censored"].as_slice(), 0),
                        "{what}\n{problems}"
                    );
                    continue;
                }
            };
            let names = &expectations["column_sets"][columns.as_u64().unwrap() as usize];
            assert_eq!(serde_json::to_value(&read.names).unwrap(), *names, "{what}");
            assert_eq!((0..rows).filter(|&frame| read.kept[frame]).collect::<Vec<_>>(), kept, "{what}");
            if let Some(expected) = answer.get("checksum").and_then(Value::as_f64) {
                let (found, magnitude) = checksum(&read);
                assert!((found - expected).abs() <= CHECKSUM_TOLERANCE * magnitude, "{what}\n{found}");
            }
        }
    }
    assert_eq!((taken, refused), (TAKEN, REFUSED));
}

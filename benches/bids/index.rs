//! Indexes a BIDS dataset and matches all its runs; prints the times as JSON. `benches/bids/compare.py` calls it.

#![expect(clippy::print_stdout, reason = "its figures are its results")]

use boldly::error::Diagnostics;
use boldly::inputs::bids::{BidsDataset, Selection};
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Diagnostics> {
    // cargo adds `--bench`
    let Some(root) = std::env::args().skip(1).find(|word| word != "--bench").map(PathBuf::from) else {
        println!("nothing to measure: ROOT");
        return Ok(()); // as one of all benches
    };
    let began = Instant::now();
    let dataset = BidsDataset::open(&root, &[])?;
    let index_s = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let matched = dataset.match_runs(&Selection::default())?;
    let match_s = began.elapsed().as_secs_f64();
    let runs = matched.subjects.into_values().flatten().flatten().count();
    let files = dataset.len();
    println!("{{\"files\": {files}, \"runs\": {runs}, \"index_s\": {index_s}, \"match_s\": {match_s}}}");
    Ok(())
}

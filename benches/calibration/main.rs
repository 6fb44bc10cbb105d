//! How often noise models find an effect where there is none: rates of false positives, coverage and power on simulated data.
//!
//! `cargo bench --bench calibration -- [--voxels 100000] [--stress-voxels N] [--cells core|stress|all|PART OF A NAME]
//! [--methods own|NAME] [--draw 0] [--runs 3] [--tsv PATH] [--export FOLDER]` prints a Markdown table and writes it as tab-separated values. `--methods own` measures the models that look at each voxel
//! alone by autocovariances instead, `--methods pooled-ar` that one. `--draw` takes other noise. `--runs` combines runs by
//! fixed effects instead; `--export` writes data and estimates that `nilearn_ar1.py` compares to nilearn's own;
//! `--real SHARED [--rest FOLDER] [--designs 60]` analyses real scans under random designs instead. A voxel's random numbers depend on its cell and frame alone: results are the same at any number of threads. Nothing is timed.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod cells;
mod design;
mod export;
mod measure;
mod methods;
mod processes;
mod random_designs;
mod rates;
mod simulation;
mod tables;

use cells::Cell;
use measure::{Row, several, single};
use std::path::Path;

fn main() {
    boldly::model::hold_blas_to_one_thread();
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let number = |name: &str| after(name).map(|text| text.parse::<usize>().unwrap());
    let core_voxels = number("--voxels").unwrap_or(100_000);
    let stress_voxels = number("--stress-voxels").unwrap_or(core_voxels);
    let wanted = after("--cells").map_or("all", String::as_str);
    let is_wanted = |cell: &Cell| match wanted {
        "all" => true,
        "core" => cell.is_core(),
        "stress" => !cell.is_core(),
        part => cell.name().contains(part),
    };
    let cells: Vec<Cell> = cells::all().into_iter().filter(is_wanted).collect();
    if let Some(root) = after("--real") {
        let n_designs = number("--designs").unwrap_or(60);
        println!("{}", random_designs::table_of_rates(Path::new(root), after("--rest").map(Path::new), n_designs));
        return;
    }
    if let Some(folder) = after("--export") {
        for cell in &cells {
            export::write(cell, core_voxels, Path::new(folder));
        }
        return;
    }
    let all = || methods::METHODS.into_iter().chain(methods::OWN);
    let named = |name: &str| {
        let found = all().find(|method| method.name() == name);
        found.ok_or(format!("no method {name}")).map(|method| vec![method]).unwrap()
    };
    let methods: Vec<methods::Method> = match after("--methods").map(String::as_str) {
        None => methods::METHODS.to_vec(),
        Some("own") => methods::OWN.to_vec(),
        Some(name) => named(name),
    };
    let mut rows: Vec<Row> = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        eprintln!("{} of {}: {}", at + 1, cells.len(), cell.name());
        let n_voxels = if cell.is_core() { core_voxels } else { stress_voxels };
        rows.push(match number("--runs") {
            Some(n_runs) => several(*cell, n_voxels, n_runs),
            None => single(*cell, n_voxels, &methods, number("--draw").unwrap_or(0) as u64),
        });
        // what is measured is kept, should a long run be cut off
        if let Some(path) = after("--tsv") {
            std::fs::write(path, tables::tsv(&rows)).unwrap();
        }
    }
    println!("{}\n{}", tables::markdown(&rows), tables::summary(&rows));
}

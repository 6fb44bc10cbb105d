//! Real scans under designs that have nothing to do with them.
//!
//! Half of the designs are blocks of 20 s with pauses of 10 to 30 s, half events of 1 s with 4 to 14 s between onsets, from
//! random starts. Haxby's runs have a task: the responses to its eight conditions, with their derivatives, and six parameters
//! of motion are regressors as well.
//! Neighbouring voxels and designs on one scan are no independent trials, so the standard errors are by bootstrap over scans.

use crate::design::{task, with_drift};
use crate::methods::{Estimates, Method, columns, of_support, run_design};
use crate::rates::{LEVELS, Thresholds};
use boldly::config::FixedEffects;
use boldly::inputs::{Grid, Support};
use boldly::preprocess::Series;
use ndarray::{Array2, Axis, concatenate, s};
use nifti::{IntoNdArray, NiftiObject, ReaderOptions};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use std::fmt::Write as _;
use std::path::Path;

/// Frames of a part of a long scan: designs take the parts by turns.
const PART_FRAMES: usize = 300;
const N_BOOTSTRAPS: usize = 4000;

/// One scan.
struct Scan {
    tr_s: f64,
    /// Parts of it, in the order of their time.
    parts: Vec<Series>,
    /// Regressors beside the random task and the drift, frame x regressor; may have no column.
    nuisance: Array2<f64>,
}

/// Uniform numbers of one design.
struct Random(Xoshiro256PlusPlus);

impl Random {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.0.next_u64() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    fn design(&mut self, n_frames: usize, tr_s: f64, is_block: bool) -> Vec<f64> {
        let (duration, pauses) = if is_block { (20.0, (10.0, 30.0)) } else { (1.0, (3.0, 13.0)) };
        let mut onsets = Vec::new();
        let mut at = self.between(0.0, pauses.1);
        while at < n_frames as f64 * tr_s - 4.0 {
            onsets.push(at);
            at += duration + self.between(pauses.0, pauses.1);
        }
        task(&onsets, duration, n_frames, tr_s)
    }
}

fn image(path: &Path) -> Array2<f32> {
    let array = ReaderOptions::new().read_file(path).unwrap().into_volume().into_ndarray::<f32>().unwrap();
    let voxels: usize = array.shape()[..3].iter().product();
    let values: Vec<f32> = array.t().iter().copied().collect();
    Array2::from_shape_vec((array.len() / voxels, voxels), values).unwrap()
}

fn table(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(path).unwrap();
    let names = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
    (names, rows)
}

fn numbers(rows: &[Vec<String>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column].parse().unwrap())
}

fn haxby(root: &Path) -> Vec<Scan> {
    let mask = image(&root.join("refs/mask_1slice.nii.gz"));
    let index: Vec<usize> = (0..mask.ncols()).filter(|&voxel| mask[(0, voxel)] > 0.0).collect();
    let of_run = |run: usize| {
        let path =
            |rest: &str| root.join(format!("data/haxby2001/sub-01/func/sub-01_task-objectviewing_run-{run:02}_{rest}"));
        let data = image(&path("desc-1slice_bold.nii.gz")).select(Axis(1), &index);
        let (n_frames, tr_s) = (data.nrows(), 2.5);
        let grid =
            Grid { shape: [40, 20, 1], affine: std::array::from_fn(|i| std::array::from_fn(|j| f64::from(i == j))) };
        let support = Support::Voxels { grid, index: index.iter().map(|&voxel| voxel as u32).collect() };
        let (_, events) = table(&path("events.tsv"));
        let mut conditions: Vec<&String> = events.iter().map(|event| &event[2]).collect();
        conditions.sort();
        conditions.dedup();
        let of_condition = |condition: &&String| {
            let of: Vec<&Vec<String>> = events.iter().filter(|event| event[2] == **condition).collect();
            let duration_s = of[0][1].parse().unwrap();
            let later = |by_s: f64| {
                let onsets: Vec<f64> = of.iter().map(|event| event[0].parse::<f64>().unwrap() + by_s).collect();
                task(&onsets, duration_s, n_frames, tr_s)
            };
            let (response, after) = (later(0.0), later(1.0));
            let derivative = response.iter().zip(&after).map(|(now, after)| now - after).collect();
            [response, derivative]
        };
        let responses: Vec<Vec<f64>> = conditions.iter().flat_map(of_condition).collect();
        let responses = Array2::from_shape_fn((n_frames, responses.len()), |(frame, k)| responses[k][frame]);
        let motion = numbers(&table(&path("desc-motion_timeseries.tsv")).1);
        let nuisance = concatenate![Axis(1), responses, motion];
        Scan { tr_s, parts: vec![of_support(&data, support)], nuisance }
    };
    (1..=6).map(of_run).collect()
}

/// Tables of region series that `rest_series.py` wrote, a file a scan, its name `NAME_tr-SECONDS.tsv`.
fn rest(folder: &Path) -> Vec<Scan> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let of_file = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let tr_s = name.rsplit_once("_tr-").unwrap().1.parse().unwrap();
        let data = numbers(&table(path).1).mapv(|value| value as f32);
        let parts: Vec<Series> = (0..data.nrows() / PART_FRAMES)
            .map(|part| columns(&data.slice(s![part * PART_FRAMES..(part + 1) * PART_FRAMES, ..]).to_owned()))
            .collect();
        Scan { tr_s, parts, nuisance: Array2::zeros((PART_FRAMES, 0)) }
    };
    files.iter().map(of_file).collect()
}

/// Rate of each scan at each level.
fn rates(scans: &[Scan], method: Method, n_designs: usize, is_block: bool) -> Vec<[f64; 2]> {
    let of_scan = |(number, scan): (usize, &Scan)| {
        let of_design = |design: usize| {
            let series = &scan.parts[design % scan.parts.len()];
            let seed = (number as u64) << 33 | u64::from(is_block) << 32 | design as u64;
            let mut random = Random(Xoshiro256PlusPlus::seed_from_u64(seed));
            let task = random.design(series.n_frames, scan.tr_s, is_block);
            let drift = with_drift(&task, scan.tr_s);
            let design = run_design(concatenate![Axis(1), drift, scan.nuisance], scan.tr_s);
            let fit = method.fit(series, &design);
            let estimates = Estimates::of(&[fit], FixedEffects::Precision, &method.numerics());
            LEVELS.map(|level| {
                let thresholds = Thresholds::of_level(level, &estimates.dof);
                let t = estimates.effect.iter().zip(&estimates.variance).map(|(e, v)| (e / v.sqrt()).abs());
                let found = t.zip(&estimates.dof).filter(|(t, dof)| *t > thresholds.at(**dof)).count();
                found as f64 / estimates.effect.len() as f64
            })
        };
        let each: Vec<[f64; 2]> = (0..n_designs).into_par_iter().map(of_design).collect();
        [0, 1].map(|level| each.iter().map(|rates| rates[level]).sum::<f64>() / n_designs as f64)
    };
    scans.iter().enumerate().map(of_scan).collect()
}

/// Scans drawn again, with replacement: their numbers, draw by draw.
fn resamples(n_scans: usize) -> Vec<Vec<usize>> {
    let mut random = Random(Xoshiro256PlusPlus::seed_from_u64(1));
    let mut draw = || (0..n_scans).map(|_| random.between(0.0, n_scans as f64) as usize).collect();
    (0..N_BOOTSTRAPS).map(|_| draw()).collect()
}

fn mean_of(values: &[f64], scans: &[usize]) -> f64 {
    scans.iter().map(|&scan| values[scan]).sum::<f64>() / scans.len() as f64
}

/// Mean and standard error by bootstrap over scans.
fn bootstrap(values: &[f64]) -> (f64, f64) {
    let means: Vec<f64> = resamples(values.len()).iter().map(|scans| mean_of(values, scans)).collect();
    let centre = means.iter().sum::<f64>() / N_BOOTSTRAPS as f64;
    let squares = means.iter().map(|mean| (mean - centre).powi(2)).sum::<f64>();
    (mean_of(values, &(0..values.len()).collect::<Vec<_>>()), (squares / N_BOOTSTRAPS as f64).sqrt())
}

/// How much nearer to `nominal` a rate is than another, with the 95 % interval by bootstrap over scans.
fn nearer(own: &[f64], other: &[f64], nominal: f64) -> [f64; 3] {
    let gain = |scans: &Vec<usize>| (mean_of(other, scans) - nominal).abs() - (mean_of(own, scans) - nominal).abs();
    let mut gains: Vec<f64> = resamples(own.len()).iter().map(gain).collect();
    gains.sort_by(f64::total_cmp);
    let at = |share: f64| gains[(share * (N_BOOTSTRAPS - 1) as f64).round() as usize];
    [gain(&(0..own.len()).collect()), at(0.025), at(0.975)]
}

/// The Markdown table; `n_designs` of each kind a scan.
pub fn table_of_rates(root: &Path, regions: Option<&Path>, n_designs: usize) -> String {
    let mut text = String::from(
        "| data | designs | noise model | rate at .05 (SE) | rate at .001 (SE) | nearer to .05 than nilearn's AR(1) by (95 %) | to .001 |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let images = [Method::Ols, Method::NilearnAr1, Method::Ar1, Method::Arma11, Method::PooledAr];
    let tables = [Method::Ols, Method::NilearnAr1, Method::Ar1, Method::AfniGrid, Method::Arma11];
    let mut sets = vec![("Haxby, one slice", haxby(root), &images[..])];
    if let Some(folder) = regions {
        sets.push(("rest, regions", rest(folder), &tables[..]));
    }
    for (name, scans, methods) in &sets {
        for (kind, is_block) in [("blocks", true), ("events", false)] {
            let all: Vec<Vec<[f64; 2]>> = methods
                .iter()
                .map(|method| {
                    eprintln!("{name}, {kind}: {}", method.name());
                    rates(scans, *method, n_designs, is_block)
                })
                .collect();
            let of_level = |rates: &[[f64; 2]], level: usize| rates.iter().map(|r| r[level]).collect::<Vec<f64>>();
            let other = &all[methods.iter().position(|method| *method == Method::NilearnAr1).unwrap()];
            for (method, rates) in methods.iter().zip(&all) {
                let cells = [0, 1].map(|level| {
                    let own = of_level(rates, level);
                    let (mean, error) = bootstrap(&own);
                    let [gain, low, high] = nearer(&own, &of_level(other, level), LEVELS[level]);
                    let digits = 4 + level;
                    let gain = match method {
                        Method::NilearnAr1 => String::new(),
                        _ => format!("{gain:.digits$} ({low:.digits$} to {high:.digits$})"),
                    };
                    (format!("{mean:.digits$} ({error:.digits$})"), gain)
                });
                let [(a, nearer_a), (b, nearer_b)] = cells;
                let n = scans.len() * n_designs;
                let (n_scans, method) = (scans.len(), method.name());
                writeln!(
                    text,
                    "| {name}, {n_scans} scans | {n} {kind} | {method} | {a} | {b} | {nearer_a} | {nearer_b} |"
                )
                .unwrap();
            }
        }
    }
    text
}

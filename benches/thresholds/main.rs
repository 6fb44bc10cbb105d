//! How often thresholds are wrong: simulated noise of known smoothness, and simulated effects of known places.
//!
//! `cargo bench --bench thresholds -- [--draws 1000] [--only errors|discoveries] [--fwhm 4] [--frames 30]` prints Markdown tables;
//! discoveries, which are quick, take 20 times the draws; errors are of all smoothnesses, or of one. A draw's random numbers
//! depend on its number alone. Nothing is timed.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout)]

mod noise;

use boldly::config::{Height, Neighbours, Sides};
use boldly::error::CancelToken;
use boldly::inference::threshold::{
    Autocorrelation, ClusterNull, Distances, FieldOf, Fwhm, MixedAcf, Passing, PastLastPlane, Smoothness, clusters,
    resels,
};
use noise::{Map, SmoothNoise, grid, index};
use rayon::prelude::*;

const ALPHA: f64 = 0.05;
const FORMING_P: f64 = 0.001;
/// Autocorrelations and simulated nulls, each with fields of its own; a draw is held against one of them.
const NULLS: usize = 40;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let n_draws: usize = after("--draws").map_or(1000, |draws| draws.parse().unwrap());
    let only = after("--only").map(String::as_str);
    if only.is_none_or(|only| only == "errors") {
        let widths = after("--fwhm").map_or(vec![0.0, 2.0, 4.0, 6.0, 8.0], |fwhm| vec![fwhm.parse().unwrap()]);
        let n_frames = after("--frames").map_or(30, |frames| frames.parse().unwrap());
        errors_over_the_family(&widths, n_frames, n_draws);
    }
    if only.is_none_or(|only| only == "discoveries") {
        false_discoveries(20 * n_draws);
    }
}

fn errors_over_the_family(widths: &[f64], n_frames: usize, n_draws: usize) {
    println!(
        "Errors over the family, {n_draws} draws of {n_frames} frames, nominal {ALPHA} (share of draws with anything; 95 % interval):\n"
    );
    println!(
        "| FWHM, voxels | measured | Bonferroni | random field | random field z | clusters, p < {FORMING_P} | least cluster |"
    );
    println!("|---|---|---|---|---|---|---|");
    for &width in widths {
        family_wise(&SmoothNoise::new(width, n_frames), width, n_draws);
    }
}

fn false_discoveries(n_draws: usize) {
    println!("\nFalse discovery rate of independent values, {n_draws} draws of 2000 values, alpha {ALPHA}:\n");
    println!("| share null | effect, z | pi0 alpha | BH: achieved | BY: achieved | BH: found of the effects |");
    println!("|---|---|---|---|---|---|");
    for (share_null, effect) in [(1.0, 0.0), (0.9, 3.0), (0.5, 3.0), (0.9, 5.0)] {
        discoveries(share_null, effect, n_draws);
    }
}

/// The share of draws, with its Wilson interval.
fn share(hits: usize, n: usize) -> String {
    let (p, n) = (hits as f64 / n as f64, n as f64);
    let z = 1.96_f64;
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / (1.0 + z * z / n);
    format!("{p:.4} ({:.4}-{:.4})", centre - half, centre + half)
}

/// The share of draws over nulls that differ, with an interval of two standard errors between nulls: draws held against one are not
/// independent.
fn share_over_nulls(hits: impl Iterator<Item = bool>) -> String {
    let (mut found, mut n) = ([0.0; NULLS], [0.0; NULLS]);
    for (draw, hit) in hits.enumerate() {
        found[draw % NULLS] += f64::from(u8::from(hit));
        n[draw % NULLS] += 1.0;
    }
    let rates: Vec<f64> = found.iter().zip(n).filter(|(_, n)| *n > 0.0).map(|(found, n)| found / n).collect();
    let (mean, error) = mean_and_error(&rates);
    format!("{mean:.4} ({:.4}-{:.4})", (mean - 2.0 * error).max(0.0), mean + 2.0 * error)
}

/// The mean and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}

/// What one draw of noise came to.
struct Draw {
    fwhm: Fwhm,
    bonferroni: bool,
    random_field: bool,
    height: f64,
    clusters: bool,
}

/// The least size of a cluster that an analysis would ask for, of noise of its own: draws that are tested do not set their threshold.
fn least_cluster(noise: &SmoothNoise, null: u64) -> usize {
    let (grid, index) = (grid(), index());
    let maps = (0..).map(|draw| noise.draw(1_000_000 + 1000 * null + draw));
    let frames: Vec<Vec<f64>> = maps.flat_map(|map| map.residuals).take(Autocorrelation::MOST_FRAMES).collect();
    let mut smoothness = Smoothness::new(&grid, &index, PastLastPlane::Nothing);
    for frame in &frames {
        smoothness.add(frame);
    }
    let dof = noise.dof() * frames.len() as f64 / noise.n_frames as f64;
    let radius_mm = Autocorrelation::RADIUS_FWHM * smoothness.fwhm(dof).unwrap().mean_mm(&grid);
    let mut acf = Autocorrelation::new(&grid, &index, radius_mm);
    for frame in &frames {
        acf.add(frame);
    }
    let null = ClusterNull {
        acf: MixedAcf::fit(&acf.by_length(), &Distances::new(&grid, &index)).unwrap(),
        cluster_forming_p: FORMING_P,
        sides: Sides::Two,
        neighbours: Neighbours::Faces,
        n_fields: ClusterNull::FIELDS,
        seed: ClusterNull::SEED + null,
    };
    null.simulate(&grid, &index, &CancelToken::new()).unwrap().least_size(ALPHA)
}

fn family_wise(noise: &SmoothNoise, width: f64, n_draws: usize) {
    let (grid, index) = (grid(), index());
    let least: Vec<usize> = (0..NULLS).into_par_iter().map(|null| least_cluster(noise, null as u64)).collect();
    let draws: Vec<Draw> = (0..n_draws)
        .into_par_iter()
        .map(|draw| {
            let Map { z, residuals } = noise.draw(draw as u64);
            let mut smoothness = Smoothness::new(&grid, &index, PastLastPlane::Nothing);
            for frame in &residuals {
                smoothness.add(frame);
            }
            let fwhm = smoothness.fwhm(noise.dof()).unwrap();
            let any = |passing: &Passing| z.iter().any(|z| passing.passes(*z));
            let field =
                Passing::of_field(FieldOf::T { dof: noise.dof() }, resels(&grid, &index, fwhm), ALPHA, Sides::Two);
            let forming = Passing::of_clusters(FORMING_P, Sides::Two);
            let found = clusters(&grid, &index, &z, |z| forming.passes(z), Neighbours::Faces, 1);
            Draw {
                fwhm,
                bonferroni: any(&Passing::new(Height::Bonferroni, ALPHA, Sides::Two, &z)),
                random_field: any(&field),
                height: field.height,
                clusters: found.first().is_some_and(|cluster| cluster.members.len() >= least[draw % NULLS]),
            }
        })
        .collect();
    let mean = |of: &dyn Fn(&Draw) -> f64| draws.iter().map(of).sum::<f64>() / n_draws as f64;
    let count = |of: &dyn Fn(&Draw) -> bool| share(draws.iter().filter(|draw| of(draw)).count(), n_draws);
    println!(
        "| {width} | {:.2} | {} | {} | {:.2} | {} | {:.1} |",
        mean(&|draw| draw.fwhm.voxels.iter().sum::<f64>() / 3.0),
        count(&|draw| draw.bonferroni),
        count(&|draw| draw.random_field),
        mean(&|draw| draw.height),
        share_over_nulls(draws.iter().map(|draw| draw.clusters)),
        least.iter().sum::<usize>() as f64 / NULLS as f64,
    );
}

fn discoveries(share_null: f64, effect: f64, n_draws: usize) {
    const N: usize = 2000;
    let n_null = (share_null * N as f64) as usize;
    let rates: Vec<[f64; 3]> = (0..n_draws)
        .into_par_iter()
        .map(|draw| {
            let mut z = noise::white(2_000_000 + draw as u64, N);
            z[n_null..].iter_mut().for_each(|z| *z += effect);
            let of = |height| {
                let passing = Passing::new(height, ALPHA, Sides::Two, &z);
                let count = |values: &[f64]| values.iter().filter(|z| passing.passes(**z)).count() as f64;
                let (wrong, right) = (count(&z[..n_null]), count(&z[n_null..]));
                (wrong / (wrong + right).max(1.0), right / (N - n_null).max(1) as f64)
            };
            let (bh, by) = (of(Height::Fdr), of(Height::FdrBy));
            [bh.0, by.0, bh.1]
        })
        .collect();
    let of = |at: usize| mean_and_error(&rates.iter().map(|rate| rate[at]).collect::<Vec<f64>>());
    let interval = |at: usize| {
        let (mean, error) = of(at);
        format!("{mean:.4} +- {:.4}", 1.96 * error)
    };
    println!(
        "| {share_null} | {effect} | {:.4} | {} | {} | {:.2} |",
        share_null * ALPHA,
        interval(0),
        interval(1),
        of(2).0
    );
}

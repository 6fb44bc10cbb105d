//! How well deconvolution restores known activity: every method on simulated series, held against the truth.
//!
//! `cargo bench --bench accuracy -- [--draws 500] [--tsv PATH]` prints Markdown tables, and writes means with standard
//! errors to a file of tab-separated values. A draw's random numbers depend on its number alone: results are the same on
//! every machine but for the rounding of its BLAS, and do not depend on the number of threads. Nothing is timed.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod methods;
mod score;
mod simulation;
mod tables;

use methods::{CANDIDATES, METHODS, Whitening, likeliest, solve_all};
use score::{DrawScore, Mean, Score};
use simulation::{Activity, Recording};

/// One row of the tables.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub recording: Recording,
    pub whitening: Whitening,
    /// How much later than the true response the one deconvolved with is, seconds.
    pub lag_s: f64,
}

/// What came of a scenario.
pub struct Result {
    pub scenario: Scenario,
    /// By method, in the order of [`METHODS`].
    pub methods: Vec<Score>,
    /// `auto` by columns on their own, in regions of 9 and of 27: mean correlation, and how often each candidate was chosen.
    pub auto: Vec<(usize, Mean, Vec<f64>)>,
}

/// Columns in a region that chooses its method together.
const REGIONS: [usize; 3] = [1, 9, 27];

fn scenarios() -> Vec<Scenario> {
    use Activity::{Autoregressive, Blocks, Spikes};
    let recording = |activity, snr, rho| Recording { activity, snr, rho, tr_s: 2.0 };
    let plain =
        |activity, snr, rho, whitening| Scenario { recording: recording(activity, snr, rho), whitening, lag_s: 0.0 };
    let mut all = Vec::new();
    for activity in [Spikes, Blocks, Autoregressive] {
        for snr in [1.0, 3.0, 10.0] {
            all.push(plain(activity, snr, 0.0, Whitening::None));
        }
        for snr in [1.0, 3.0] {
            for whitening in [Whitening::None, Whitening::Known] {
                all.push(plain(activity, snr, 0.4, whitening));
            }
        }
        for (snr, rho) in [(3.0, 0.0), (1.0, 0.4), (3.0, 0.4)] {
            all.push(plain(activity, snr, rho, Whitening::Evidence));
        }
        for lag_s in [-1.0, 1.0, 2.0] {
            all.push(Scenario { lag_s, ..plain(activity, 3.0, 0.0, Whitening::None) });
        }
        let fast = Recording { tr_s: 0.8, ..recording(activity, 3.0, 0.0) };
        all.push(Scenario { recording: fast, whitening: Whitening::None, lag_s: 0.0 });
    }
    all
}

fn run(scenario: Scenario, draws: usize) -> Result {
    let truths: Vec<_> = (0..draws).map(|draw| scenario.recording.draw(draw as u64)).collect();
    let outcomes = solve_all(scenario, &truths);
    let scores: Vec<Vec<Vec<DrawScore>>> = outcomes
        .iter()
        .map(|outcome| outcome.solutions.iter().map(|solution| DrawScore::all(solution, &truths)).collect())
        .collect();
    let alone = likeliest(&outcomes, 1);
    let of_method = |method: usize| {
        let draws = alone.iter().enumerate().map(|(draw, chosen)| scores[chosen.outcome][method][draw]);
        Score::of(&draws.collect::<Vec<_>>())
    };
    let auto = REGIONS.map(|region| {
        let chosen = likeliest(&outcomes, region);
        let draws = chosen.iter().enumerate();
        let correlations: Vec<f64> = draws.map(|(draw, c)| scores[c.outcome][c.method][draw].correlation).collect();
        let share = |m: usize| chosen.iter().filter(|chosen| chosen.method == m).count() as f64 / chosen.len() as f64;
        (region, Mean::of(&correlations), CANDIDATES.map(share).to_vec())
    });
    Result { scenario, methods: (0..METHODS.len()).map(of_method).collect(), auto: auto.into() }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let draws = after("--draws").map_or(500, |text| text.parse().unwrap());
    let results: Vec<Result> = scenarios()
        .into_iter()
        .map(|scenario| {
            eprintln!("{scenario:?}");
            run(scenario, draws)
        })
        .collect();
    println!("{}", tables::markdown(&results, draws));
    if let Some(path) = after("--tsv") {
        std::fs::write(path, tables::tsv(&results)).unwrap();
    }
}

//! Every method on all draws of a scenario, and the choice of `auto` among them.

use crate::Scenario;
use crate::simulation::Draw;
use boldly::model::deconvolve::{
    Deconvolver, Estimate, LambdaChoice, Operator, Penalty, RHO_CHOICES, Ridge, Shape, Solution, Sparse,
    SparseSettings, Wanted, Wiener, choose, rho_log_prior,
};
use ndarray::{Array2, Axis, concatenate, s};
use rayon::prelude::*;

/// Names of the methods, in the order of all results.
pub const METHODS: [&str; 8] = [
    "ridge, GCV",
    "ridge, evidence",
    "smooth ridge, evidence",
    "Wiener",
    "spike, refit",
    "block, refit",
    "spike, averaged",
    "block, averaged",
];

/// The methods that `auto` chooses from, by their place in [`METHODS`].
pub const CANDIDATES: [usize; 4] = [1, 2, 6, 7];

/// Autocorrelation after 2 s that the smooth ridge takes activity to have.
const SMOOTHNESS: f64 = 0.8;

/// Columns solved together.
const BLOCK: usize = 27;

/// What is known of the noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whitening {
    /// It is taken to be white.
    None,
    /// Its autocorrelation.
    Known,
    /// Its autocorrelation is judged together with the method, by the likelihood and what is known of noise beforehand.
    Evidence,
}

/// What all methods make of all draws under one autocorrelation of the noise.
pub struct Outcome {
    /// In the order of [`METHODS`]; activity is of the samples from the first frame on.
    pub solutions: Vec<Solution>,
    /// What the logarithm of each evidence gains by the autocorrelation: the volume of whitened data, and its prior.
    log_weight: f64,
}

/// What is likeliest of a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Place of the outcome.
    pub outcome: usize,
    /// Place in [`METHODS`].
    pub method: usize,
}

/// The outcome and the candidate that are likeliest in each draw, judged in regions of so many draws; draws that do not fill
/// one are left out.
pub fn likeliest(outcomes: &[Outcome], region: usize) -> Vec<Choice> {
    let options: Vec<Choice> =
        (0..outcomes.len()).flat_map(|outcome| CANDIDATES.map(|method| Choice { outcome, method })).collect();
    let averaged = |&Choice { outcome, method }: &Choice| -> Vec<f64> {
        let Outcome { solutions, log_weight } = &outcomes[outcome];
        let evidence = solutions[method].log_evidence.chunks_exact(region);
        evidence.flat_map(|values| vec![values.iter().sum::<f64>() / region as f64 + log_weight; region]).collect()
    };
    let criteria: Vec<Vec<f64>> = options.iter().map(averaged).collect();
    choose(&criteria).into_iter().map(|place| options[place]).collect()
}

/// Solves all draws by all methods, under each autocorrelation that the noise may have.
pub fn solve_all(scenario: Scenario, draws: &[Draw]) -> Vec<Outcome> {
    let (rhos, prior): (Vec<f64>, fn(f64, f64) -> f64) = match scenario.whitening {
        Whitening::None => (vec![0.0], |_, _| 0.0),
        Whitening::Known => (vec![scenario.recording.rho], |_, _| 0.0),
        Whitening::Evidence => (RHO_CHOICES.to_vec(), rho_log_prior),
    };
    let n_frames = scenario.recording.n_frames();
    let data = Array2::from_shape_fn((n_frames, draws.len()), |(frame, draw)| draws[draw].data[frame]);
    let outcome = |rho: f64| Outcome {
        solutions: solve(scenario, rho, &data),
        // whitened data have another volume: the determinant of the whitening
        log_weight: 0.5 * (1.0 - rho * rho).ln() + prior(rho, scenario.recording.tr_s),
    };
    rhos.into_iter().map(outcome).collect()
}

fn solve(scenario: Scenario, rho: f64, data: &Array2<f64>) -> Vec<Solution> {
    let response = scenario.recording.response(scenario.lag_s);
    let before = response.len() - 1;
    let n = data.nrows();
    let kernel = |frame: usize, sample: usize| (frame + before).checked_sub(sample).and_then(|k| response.get(k));
    let forward =
        Array2::from_shape_fn((n, n + before), |(frame, sample)| kernel(frame, sample).copied().unwrap_or(0.0));
    let forward = whiten(&forward, rho);
    let operator = Operator { gram: forward.t().dot(&forward), forward, dof: n };
    let white = whiten(data, rho);
    let smooth = Penalty::autoregressive(SMOOTHNESS.powf(scenario.recording.tr_s / 2.0));
    prepared(&operator, smooth)
        .iter()
        .map(|method| {
            let of_block = |block: usize| {
                let columns = block * BLOCK..((block + 1) * BLOCK).min(white.ncols());
                let mut solution = method.solve(
                    &white.slice(s![.., columns]).to_owned(),
                    Wanted { standard_errors: true, log_evidence: true },
                );
                from_first_frame(&mut solution, before);
                solution
            };
            let parts: Vec<Solution> = (0..white.ncols().div_ceil(BLOCK)).into_par_iter().map(of_block).collect();
            joined(&parts)
        })
        .collect()
}

/// Leaves out the samples before the run.
fn from_first_frame(solution: &mut Solution, before: usize) {
    for values in std::iter::once(&mut solution.activity).chain(&mut solution.standard_error) {
        *values = values.slice(s![before.., ..]).to_owned();
    }
}

/// In the order of [`METHODS`].
fn prepared(operator: &Operator, smooth: Penalty) -> Vec<Box<dyn Deconvolver>> {
    let ridge = |penalty, choice| Box::new(Ridge::new(operator, penalty, choice).unwrap());
    let sparse =
        |shape, estimate| Box::new(Sparse::new(operator, SparseSettings { estimate, ..SparseSettings::new(shape) }));
    vec![
        ridge(Penalty::VALUE, LambdaChoice::Gcv),
        ridge(Penalty::VALUE, LambdaChoice::Evidence),
        ridge(smooth, LambdaChoice::Evidence),
        Box::new(Wiener::new(operator).unwrap()),
        sparse(Shape::Spikes, Estimate::Refitted),
        sparse(Shape::Blocks, Estimate::Refitted),
        sparse(Shape::Spikes, Estimate::Averaged),
        sparse(Shape::Blocks, Estimate::Averaged),
    ]
}

/// `y_t - rho y_(t-1)`, the first frame scaled to the same variance.
fn whiten(values: &Array2<f64>, rho: f64) -> Array2<f64> {
    let mut white = values.clone();
    white.slice_mut(s![1.., ..]).scaled_add(-rho, &values.slice(s![..-1, ..]));
    white.row_mut(0).mapv_inplace(|value| value * (1.0 - rho * rho).sqrt());
    white
}

fn joined(parts: &[Solution]) -> Solution {
    let columns = |of: fn(&Solution) -> Option<&Array2<f64>>| {
        let parts: Option<Vec<_>> = parts.iter().map(|part| of(part).map(|values| values.view())).collect();
        parts.map(|parts| concatenate(Axis(1), &parts).unwrap())
    };
    let numbers = |of: fn(&Solution) -> &Vec<f64>| parts.iter().flat_map(|part| of(part).iter().copied()).collect();
    Solution {
        activity: columns(|part| Some(&part.activity)).unwrap(),
        standard_error: columns(|part| part.standard_error.as_ref()),
        lambda: numbers(|part| &part.lambda),
        sigma: numbers(|part| &part.sigma),
        dof: numbers(|part| &part.dof),
        log_evidence: numbers(|part| &part.log_evidence),
    }
}

//! Which method a column is given, when none is named: the one under which the data are most probable.
//!
//! For column `v` and method `m`, with the logarithms of the evidence `E_m(v)` of [`Solution::log_evidence`],
//!
//! ```text
//! chosen(v) = argmax_m  mean over the neighbours u of v (E_m(u) - E_first(u))
//! ```
//!
//! Evidence weighs fit against freedom in the same currency for all methods: for a Gaussian prior the amplitudes are integrated
//! out exactly (MacKay 1992, doi 10.1162/neco.1992.4.3.415), for a sparse one under the support found, which pays for the number
//! of supports of its size (Chen & Chen 2008, doi 10.1093/biomet/asn034). Prediction of left-out frames and information criteria
//! with effective degrees of freedom do not tell the methods apart: all of them predict nearly as well, and smooth activity
//! is as cheap for either.
//!
//! Where the signal is as strong as the noise, evidence of one column is off in some cases; neighbours with activity of the
//! same kind make the choice safe. Who is a neighbour is the caller's to say.

use super::Solution;
use ndarray::{Array2, Axis};

/// What each method's logarithm of the evidence is above that of the first, column by column.
///
/// A column in which one of the two is not finite (data of zeros, say) says nothing: 0. A method with a different number of columns
/// has 0 in those it lacks.
pub fn advantages(log_evidence: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let Some(first) = log_evidence.first() else { return Vec::new() };
    let over_first = |evidence: &Vec<f64>| {
        let mut advantage = vec![0.0; first.len()];
        for ((to, own), base) in advantage.iter_mut().zip(evidence).zip(first) {
            let difference = own - base;
            *to = if difference.is_finite() { difference } else { 0.0 };
        }
        advantage
    };
    log_evidence.iter().map(over_first).collect()
}

/// The method with the largest criterion in each column; the earlier one where two are equal, so that the simplest comes first.
///
/// `criteria` has a vector a method, with an entry a column. NaN never wins over a number.
pub fn choose(criteria: &[Vec<f64>]) -> Vec<usize> {
    let columns = criteria.first().map_or(0, Vec::len);
    let mut best = vec![(f64::NEG_INFINITY, 0); columns];
    for (method, values) in criteria.iter().enumerate() {
        for (best, value) in best.iter_mut().zip(values) {
            if *value > best.0 {
                *best = (*value, method);
            }
        }
    }
    best.into_iter().map(|(_, method)| method).collect()
}

/// The method of each column from all methods' evidence, averaged over neighbours.
///
/// `smooth` takes a field with an entry a column and gives its mean (or sum) over the neighbours of each: over a region, or
/// under a kernel in space. It sees a method at a time, and must weigh all in the same way.
pub fn choose_smoothed(log_evidence: &[Vec<f64>], mut smooth: impl FnMut(&[f64]) -> Vec<f64>) -> Vec<usize> {
    let smoothed: Vec<Vec<f64>> = advantages(log_evidence).iter().map(|field| smooth(field)).collect();
    choose(&smoothed)
}

/// The solution whose columns are those of the methods chosen.
///
/// `None` when a choice names no solution, or solutions are not all of one shape. Standard errors are there if all methods
/// have them.
pub fn assemble(solutions: &[Solution], chosen: &[usize]) -> Option<Solution> {
    let first = solutions.first()?;
    let shape = first.activity.dim();
    let alike = |solution: &Solution| solution.activity.dim() == shape;
    if shape.1 != chosen.len() || !solutions.iter().all(alike) || chosen.iter().any(|&method| method >= solutions.len())
    {
        return None;
    }
    let activities: Vec<&Array2<f64>> = solutions.iter().map(|solution| &solution.activity).collect();
    let errors: Option<Vec<&Array2<f64>>> = solutions.iter().map(|solution| solution.standard_error.as_ref()).collect();
    let entries = |of: fn(&Solution) -> &Vec<f64>| -> Option<Vec<f64>> {
        chosen.iter().enumerate().map(|(column, &method)| of(&solutions[method]).get(column).copied()).collect()
    };
    Some(Solution {
        activity: columns_of(&activities, chosen),
        standard_error: errors.map(|errors| columns_of(&errors, chosen)),
        lambda: entries(|solution| &solution.lambda)?,
        sigma: entries(|solution| &solution.sigma)?,
        dof: entries(|solution| &solution.dof)?,
        log_evidence: entries(|solution| &solution.log_evidence)?,
    })
}

/// Column `v` of the matrix that `chosen[v]` names.
fn columns_of(matrices: &[&Array2<f64>], chosen: &[usize]) -> Array2<f64> {
    let mut result = Array2::zeros((matrices[0].nrows(), chosen.len()));
    for (column, (mut to, &method)) in result.axis_iter_mut(Axis(1)).zip(chosen).enumerate() {
        to.assign(&matrices[method].column(column));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_wins_and_the_first_of_equals() {
        let criteria = [vec![0.0, 1.0, 2.0, f64::NAN], vec![1.0, 1.0, f64::NAN, f64::NAN], vec![0.5, 3.0, -1.0, -9.0]];
        assert_eq!(choose(&criteria), [1, 2, 0, 2]);
        assert_eq!(choose(&[vec![f64::NAN], vec![f64::NAN]]), [0]);
        assert!(choose(&[]).is_empty());
    }

    #[test]
    fn a_column_of_zeros_does_not_outweigh_its_neighbours() {
        // data of zeros are infinitely probable under either method
        let evidence = [vec![-100.0, f64::INFINITY, -50.0], vec![-90.0, f64::INFINITY, -52.0]];
        assert_eq!(advantages(&evidence), [vec![0.0; 3], vec![10.0, 0.0, -2.0]]);
        let over_all = |field: &[f64]| vec![field.iter().sum::<f64>() / field.len() as f64; field.len()];
        assert_eq!(choose_smoothed(&evidence, over_all), [1, 1, 1]);
        assert_eq!(choose_smoothed(&evidence, <[f64]>::to_vec), [1, 0, 0]);
    }

    #[test]
    fn evidence_far_from_zero_decides_by_its_differences() {
        // thousands of frames: evidence of order 1e6, of which the columns' noise levels make up nearly all
        let base: Vec<f64> = (0..9).map(|column| -1e6 * f64::from(column + 1)).collect();
        let better = base.iter().map(|value| value + 1.0).collect();
        let mean = |field: &[f64]| vec![field.iter().sum::<f64>() / 9.0; 9];
        assert_eq!(choose_smoothed(&[base, better], mean), [1; 9]);
    }

    fn solution(offset: f64, columns: usize) -> Solution {
        let numbers = |start: f64| (0..columns).map(|column| start + column as f64).collect::<Vec<_>>();
        Solution {
            activity: Array2::from_shape_fn((4, columns), |(sample, column)| offset + (10 * sample + column) as f64),
            standard_error: Some(Array2::from_elem((4, columns), offset)),
            lambda: numbers(offset),
            sigma: numbers(offset + 100.0),
            dof: numbers(offset + 200.0),
            log_evidence: numbers(offset + 300.0),
        }
    }

    #[test]
    fn every_entry_comes_from_the_method_chosen() {
        let solutions = [solution(0.0, 3), solution(1000.0, 3)];
        let chosen = [1, 0, 1];
        let auto = assemble(&solutions, &chosen).unwrap();
        for (column, method) in chosen.into_iter().enumerate() {
            let from = &solutions[method];
            assert_eq!(auto.activity.column(column), from.activity.column(column));
            assert_eq!(auto.standard_error.as_ref().unwrap()[(3, column)], 1000.0 * method as f64);
            assert_eq!(auto.lambda[column], from.lambda[column]);
            assert_eq!(auto.sigma[column], from.sigma[column]);
            assert_eq!(auto.dof[column], from.dof[column]);
            assert_eq!(auto.log_evidence[column], from.log_evidence[column]);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut solutions = [solution(0.0, 3), solution(1.0, 3)];
        assert!(assemble(&solutions, &[0, 1]).is_none());
        assert!(assemble(&solutions, &[0, 1, 2]).is_none());
        solutions[1].standard_error = None;
        assert!(assemble(&solutions, &[0, 0, 0]).unwrap().standard_error.is_none());
        solutions[1] = solution(1.0, 2);
        assert!(assemble(&solutions, &[0, 0, 0]).is_none());
        assert!(assemble(&[], &[]).is_none());
    }
}

//! What a deconvolution estimates of a column beside the activity, and of the columns of a block while they are solved.

use super::{Preparation, Solution};
use ndarray::{Array2, Axis};

/// Estimates of a run, an entry a column; all 0 in columns that were left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnEstimates {
    /// Weight of the penalty.
    pub lambda: Vec<f64>,
    /// Standard deviation of the noise, of its innovations where it is autocorrelated.
    pub sigma: Vec<f64>,
    /// Autocorrelation of the noise.
    pub rho: Vec<f64>,
    /// Effective degrees of freedom of the activity.
    pub dof: Vec<f64>,
    /// Share of the squared error of drift and confounds, in frames left out of the fit, that activity takes away; empty
    /// where it was not asked for.
    pub held_out_r2: Vec<f64>,
    /// Time constants of the rise and of the decay of calcium, seconds; NaN where there is none; empty for other kernels.
    pub time_constants_s: Vec<[f64; 2]>,
    /// Place of the method among the candidates of `auto`; 0 without it.
    pub method: Vec<u8>,
}

impl ColumnEstimates {
    /// Adds the columns of the next block.
    pub(super) fn append(&mut self, mut block: Self) {
        self.lambda.append(&mut block.lambda);
        self.sigma.append(&mut block.sigma);
        self.rho.append(&mut block.rho);
        self.dof.append(&mut block.dof);
        self.held_out_r2.append(&mut block.held_out_r2);
        self.method.append(&mut block.method);
    }
}

/// A block of columns: the likeliest solution of each so far.
pub(super) struct BlockEstimates {
    /// Activity sample x column, those before the run included.
    pub(super) activity: Array2<f64>,
    /// The same shape, where it was wanted.
    pub(super) standard_error: Option<Array2<f64>>,
    pub(super) columns: ColumnEstimates,
    /// Which autocorrelation each column has, by its place among those prepared.
    pub(super) bin: Vec<usize>,
    /// Logarithm of the likelihood of each column's solution, comparable over autocorrelations and methods.
    pub(super) log_likelihood: Vec<f64>,
}

impl BlockEstimates {
    /// Nothing solved yet: the first solution of a column is taken.
    pub(super) fn new(n_activity: usize, n_columns: usize, with_standard_errors: bool) -> Self {
        let zeros = || vec![0.0; n_columns];
        Self {
            activity: Array2::zeros((n_activity, n_columns)),
            standard_error: with_standard_errors.then(|| Array2::zeros((n_activity, n_columns))),
            columns: ColumnEstimates {
                lambda: zeros(),
                sigma: zeros(),
                rho: zeros(),
                dof: zeros(),
                held_out_r2: Vec::new(),
                time_constants_s: Vec::new(),
                method: vec![0; n_columns],
            },
            bin: vec![0; n_columns],
            log_likelihood: vec![f64::NEG_INFINITY; n_columns],
        }
    }

    /// Takes the solution of the columns at `places` under an autocorrelation and a method, where it is likelier than what
    /// is there.
    pub(super) fn take(
        &mut self,
        solution: &Solution,
        places: &[usize],
        (bin, method): (usize, usize),
        preparation: &Preparation,
    ) {
        for (from, &to) in places.iter().enumerate() {
            let log_likelihood = solution.log_evidence[from] + preparation.log_volume;
            // the negation also takes a first one that is not a number
            if !(self.log_likelihood[to] >= log_likelihood) || self.log_likelihood[to] == f64::NEG_INFINITY {
                self.activity.column_mut(to).assign(&solution.activity.index_axis(Axis(1), from));
                if let (Some(own), Some(found)) = (&mut self.standard_error, &solution.standard_error) {
                    own.column_mut(to).assign(&found.index_axis(Axis(1), from));
                }
                self.columns.lambda[to] = solution.lambda[from];
                self.columns.sigma[to] = solution.sigma[from];
                self.columns.dof[to] = solution.dof[from];
                self.columns.rho[to] = preparation.rho;
                self.columns.method[to] = method as u8;
                (self.bin[to], self.log_likelihood[to]) = (bin, log_likelihood);
            }
        }
    }

    /// Makes a column one of zeros.
    pub(super) fn clear(&mut self, column: usize) {
        self.activity.column_mut(column).fill(0.0);
        if let Some(standard_error) = &mut self.standard_error {
            standard_error.column_mut(column).fill(0.0);
        }
        let ColumnEstimates { lambda, sigma, rho, dof, .. } = &mut self.columns;
        [lambda, sigma, rho, dof].into_iter().for_each(|values| values[column] = 0.0);
        self.columns.method[column] = 0;
        self.log_likelihood[column] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solution(log_evidence: &[f64], value: f64) -> Solution {
        let n = log_evidence.len();
        Solution {
            activity: Array2::from_elem((3, n), value),
            standard_error: Some(Array2::from_elem((3, n), value / 10.0)),
            lambda: vec![value; n],
            sigma: vec![value; n],
            dof: vec![value; n],
            log_evidence: log_evidence.to_vec(),
        }
    }

    #[test]
    fn the_likeliest_solution_of_each_column_stands() {
        let nuisance = Array2::ones((6, 1));
        let preparation = |rho| Preparation::new(&nuisance, &[true; 6], rho).unwrap();
        let (white, coloured) = (preparation(0.0), preparation(0.5));
        let mut block = BlockEstimates::new(3, 4, true);
        block.take(&solution(&[-10.0, -10.0], 1.0), &[0, 2], (0, 0), &white);
        let apart = coloured.log_volume - white.log_volume;
        block.take(&solution(&[-10.0 - apart - 0.1, -10.0 - apart + 0.1], 2.0), &[0, 2], (1, 1), &coloured);
        assert_eq!(block.activity.row(1).to_vec(), [1.0, 0.0, 2.0, 0.0]);
        assert_eq!((block.bin, block.columns.method), (vec![0, 0, 1, 0], vec![0, 0, 1, 0]));
        assert_eq!((block.columns.rho, block.columns.sigma[2]), (vec![0.0, 0.0, 0.5, 0.0], 2.0));
        assert_eq!(block.standard_error.unwrap().row(0).to_vec(), [0.1, 0.0, 0.2, 0.0]);
    }

    #[test]
    fn a_column_that_was_left_out_is_zero() {
        let preparation = Preparation::new(&Array2::ones((4, 1)), &[true; 4], 0.3).unwrap();
        let mut block = BlockEstimates::new(3, 1, true);
        block.take(&solution(&[f64::NAN], f64::NAN), &[0], (0, 2), &preparation);
        block.clear(0);
        assert_eq!(block.activity.sum() + block.standard_error.unwrap().sum(), 0.0);
        assert_eq!((block.columns.rho[0], block.columns.sigma[0], block.columns.method[0]), (0.0, 0.0, 0));
    }
}

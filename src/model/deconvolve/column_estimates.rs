//! What a deconvolution estimates of a column beside the activity, and of the columns of a block while they are solved.

use super::Solution;
use ndarray::Array2;

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

/// A block of columns as far as it is solved.
pub(super) struct BlockEstimates {
    /// Activity sample x column, those before the run included.
    pub(super) activity: Array2<f64>,
    /// The same shape, where it was wanted.
    pub(super) standard_error: Option<Array2<f64>>,
    pub(super) columns: ColumnEstimates,
    /// Which autocorrelation each column has, by its place among those prepared.
    pub(super) bin: Vec<usize>,
}

impl BlockEstimates {
    /// Nothing is solved yet.
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
        }
    }

    /// Takes the solution of the columns at `places` under an autocorrelation and a method.
    pub(super) fn take(&mut self, solution: Solution, places: &[usize], (bin, method): (usize, usize), rho: f64) {
        for (from, &to) in places.iter().enumerate() {
            self.columns.lambda[to] = solution.lambda[from];
            self.columns.sigma[to] = solution.sigma[from];
            self.columns.dof[to] = solution.dof[from];
            self.columns.rho[to] = rho;
            self.columns.method[to] = method as u8;
            self.bin[to] = bin;
        }
        if places.len() == self.bin.len() {
            // the whole block at once, as it is where all columns share noise and method
            self.activity = solution.activity;
            self.standard_error = self.standard_error.take().and(solution.standard_error);
            return;
        }
        scatter(&solution.activity, places, &mut self.activity);
        if let (Some(own), Some(found)) = (&mut self.standard_error, &solution.standard_error) {
            scatter(found, places, own);
        }
    }

    /// Makes a column one of zeros.
    pub(super) fn clear(&mut self, column: usize) {
        self.activity.column_mut(column).fill(0.0);
        if let Some(standard_error) = &mut self.standard_error {
            standard_error.column_mut(column).fill(0.0);
        }
        let ColumnEstimates { lambda, sigma, rho, dof, .. } = &mut self.columns;
        for values in [lambda, sigma, rho, dof] {
            values[column] = 0.0;
        }
        self.columns.method[column] = 0;
    }
}

/// Puts the columns of `from` at `places` of `to`, row by row.
fn scatter(from: &Array2<f64>, places: &[usize], to: &mut Array2<f64>) {
    for (from, mut to) in from.rows().into_iter().zip(to.rows_mut()) {
        for (value, &place) in from.iter().zip(places) {
            to[place] = *value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solution(n_columns: usize, value: f64) -> Solution {
        Solution {
            activity: Array2::from_elem((3, n_columns), value),
            standard_error: Some(Array2::from_elem((3, n_columns), value / 10.0)),
            lambda: vec![value; n_columns],
            sigma: vec![value; n_columns],
            dof: vec![value; n_columns],
            log_evidence: vec![f64::NAN; n_columns],
        }
    }

    #[test]
    fn each_column_has_the_solution_that_was_found_for_it() {
        let mut block = BlockEstimates::new(3, 4, true);
        block.take(solution(2, 1.0), &[0, 2], (0, 2), 0.0);
        block.take(solution(1, 2.0), &[1], (1, 0), 0.5);
        assert_eq!(block.activity.row(1).to_vec(), [1.0, 2.0, 1.0, 0.0]);
        assert_eq!((&block.bin, &block.columns.method), (&vec![0, 1, 0, 0], &vec![2, 0, 2, 0]));
        assert_eq!((&block.columns.rho, block.columns.sigma[1]), (&vec![0.0, 0.5, 0.0, 0.0], 2.0));
        assert_eq!(block.standard_error.as_ref().unwrap().row(0).to_vec(), [0.1, 0.2, 0.1, 0.0]);
        block.take(solution(4, 3.0), &[0, 1, 2, 3], (0, 1), 0.0);
        assert_eq!(block.activity, Array2::from_elem((3, 4), 3.0));
    }

    #[test]
    fn a_column_that_was_left_out_is_zero() {
        let mut block = BlockEstimates::new(3, 1, true);
        block.take(solution(1, f64::NAN), &[0], (0, 2), 0.3);
        block.clear(0);
        assert_eq!(block.activity.sum() + block.standard_error.unwrap().sum(), 0.0);
        assert_eq!((block.columns.rho[0], block.columns.sigma[0], block.columns.method[0]), (0.0, 0.0, 0));
    }
}

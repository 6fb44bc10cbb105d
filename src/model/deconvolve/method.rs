//! What every method of deconvolution is given and what it gives.

use ndarray::Array2;

/// The linear problem that all methods solve: data = `forward` x activity + white noise.
///
/// Convolution with the kernel, whitened by the noise model, with drift and confounds projected out. Data are whitened and
/// projected in the same way before a method sees them.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Kept frame x activity sample. The first samples lie before the run: what is measured first is the response to them too.
    pub forward: Array2<f64>,
    /// `forward' forward`: activity sample x activity sample.
    pub gram: Array2<f64>,
    /// Dimension of the space in which data lie: kept frames less the rank of drift and confounds.
    pub dof: usize,
}

/// What is asked of a solution beside the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// A standard error of each activity sample.
    pub standard_errors: bool,
    /// The evidence, for a comparison of methods or of noise models. Methods that have it for nothing always give it.
    pub log_evidence: bool,
}

/// The activity of a block of columns, with what was estimated on the way; vectors have an entry a column.
#[derive(Debug, Clone)]
pub struct Solution {
    /// Activity sample x column, in units of the data per unit of the kernel.
    pub activity: Array2<f64>,
    /// The same shape, where it was wanted.
    pub standard_error: Option<Array2<f64>>,
    /// Weight of the penalty.
    pub lambda: Vec<f64>,
    /// Standard deviation of the (whitened) noise.
    pub sigma: Vec<f64>,
    /// Effective degrees of freedom of the fit: trace of the hat matrix, or the number of coefficients.
    pub dof: Vec<f64>,
    /// Logarithm of the marginal likelihood of the data, or the approximation to it that the method's documentation gives;
    /// comparable between methods on the same data. Not a number where it was not wanted and is not for nothing.
    pub log_evidence: Vec<f64>,
}

/// A method, prepared for one operator; one is shared by all columns with the same noise parameters.
pub trait Deconvolver: Send + Sync {
    /// Activity of each column of `data` (kept frame x column, whitened and projected as the operator is).
    ///
    /// A column of zeros gives zeros. Called from many threads at once, each with columns of its own; what comes out of a
    /// column does not depend on the others.
    fn solve(&self, data: &Array2<f64>, wanted: Wanted) -> Solution;
}

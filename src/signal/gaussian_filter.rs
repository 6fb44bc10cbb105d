//! Separable Gaussian filters for arrays of any number of axes, in f64.
//!
//! ```text
//! y = (... ((x * g_0) * g_1) ...),   g_a[d] = exp(-d^2 / (2 sigma_a^2)) / sum,   d = -r..r, r = int(4 sigma_a + 1/2)
//! ```
//!
//! one axis after the other, as `scipy.ndimage.gaussian_filter` does. Kernels of hundreds of weights (`sigma` from
//! about 40 samples) act by Fourier transform where that is faster ([`Method`](super::convolution::Method)): values are
//! then exact to rounding of the largest, no longer to their own. For the fast smoothing of volumes in f32, with masks,
//! there is `preprocess::smooth`.

use super::convolution::{ConvolutionError, Edge, convolve_axis_in_place, convolve_with_edges};
use super::kernel::{KernelError, SampledKernel};
use ndarray::{Array, ArrayView, Dimension};

/// Why an array cannot be filtered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FilterError {
    /// Another number of widths than axes.
    #[error("the array has {n_axes} axes, but {n_sigmas} widths are given: one for each axis is needed")]
    SigmaCount {
        /// Axes of the array.
        n_axes: usize,
        /// Widths given.
        n_sigmas: usize,
    },
    /// A width of which there is no Gaussian.
    #[error("axis {axis}: {problem}")]
    Kernel {
        /// The axis it is for.
        axis: usize,
        /// What is wrong with it.
        problem: KernelError,
    },
    /// What hinders the convolution.
    #[error(transparent)]
    Convolution(#[from] ConvolutionError),
}

/// Filters an array along each axis with a Gaussian of `sigma` samples of that axis; 0 leaves an axis as it is.
///
/// # Errors
/// Another number of widths than axes, a width that is not finite or below 0, an array without values, or values that
/// are not finite.
pub fn gaussian_filter<D: Dimension>(
    array: &ArrayView<'_, f64, D>,
    sigma: &[f64],
    edge: Edge,
) -> Result<Array<f64, D>, FilterError> {
    if sigma.len() != array.ndim() {
        return Err(FilterError::SigmaCount { n_axes: array.ndim(), n_sigmas: sigma.len() });
    }
    if array.is_empty() {
        return Err(ConvolutionError::EmptySignal.into());
    }
    if let Some((index, value)) = array.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(ConvolutionError::NotFinite { of: "signal", index, value: *value }.into());
    }
    let mut result = array.to_owned();
    for (axis, sigma) in sigma.iter().enumerate() {
        let kernel = SampledKernel::gaussian(*sigma).map_err(|problem| FilterError::Kernel { axis, problem })?;
        if kernel.weights().len() > 1 {
            convolve_axis_in_place(&mut result, axis, &kernel, edge)?;
        }
    }
    Ok(result)
}

/// Filters one signal with a Gaussian of `sigma` samples: `scipy.ndimage.gaussian_filter1d`.
///
/// # Errors
/// As [`gaussian_filter`].
pub fn gaussian_filter_1d(signal: &[f64], sigma: f64, edge: Edge) -> Result<Vec<f64>, FilterError> {
    let kernel = SampledKernel::gaussian(sigma).map_err(|problem| FilterError::Kernel { axis: 0, problem })?;
    Ok(convolve_with_edges(signal, &kernel, edge)?)
}

#[cfg(test)]
mod tests;

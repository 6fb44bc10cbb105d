//! Convolution along one axis of an array.

use super::{ConvolutionError, Edge, LineConvolution};
use crate::signal::kernel::SampledKernel;
use ndarray::{Array, ArrayView, Axis, Dimension};

/// Convolves every line along `axis` with a kernel, as [`convolve_with_edges`](super::convolve_with_edges) does one:
/// `scipy.ndimage.convolve1d(array, weights, axis)`.
///
/// # Errors
/// An axis that the array does not have, an array without values, values that are not finite, or a result beyond f64.
pub fn convolve_axis<D: Dimension>(
    array: &ArrayView<'_, f64, D>,
    axis: usize,
    kernel: &SampledKernel,
    edge: Edge,
) -> Result<Array<f64, D>, ConvolutionError> {
    if axis >= array.ndim() {
        return Err(ConvolutionError::NoSuchAxis { axis, n_axes: array.ndim() });
    }
    if let Some((index, value)) = array.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(ConvolutionError::NotFinite { of: "signal", index, value: *value });
    }
    let mut result = array.to_owned();
    convolve_axis_in_place(&mut result, axis, kernel, edge)?;
    Ok(result)
}

/// [`convolve_axis`] over what it reads, of finite values, along an axis that is there.
pub(in crate::signal) fn convolve_axis_in_place<D: Dimension>(
    array: &mut Array<f64, D>,
    axis: usize,
    kernel: &SampledKernel,
    edge: Edge,
) -> Result<(), ConvolutionError> {
    let n_samples = array.len_of(Axis(axis));
    let mut convolution = LineConvolution::new(kernel, n_samples, edge)?;
    let (mut line, mut convolved) = (vec![0.0; n_samples], vec![0.0; n_samples]);
    for mut lane in array.lanes_mut(Axis(axis)) {
        for (value, sample) in line.iter_mut().zip(&lane) {
            *value = *sample;
        }
        convolution.apply(&line, &mut convolved)?;
        for (sample, value) in lane.iter_mut().zip(&convolved) {
            *sample = *value;
        }
    }
    Ok(())
}

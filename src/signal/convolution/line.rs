//! One kernel, many lines of the same length.

use super::{ConvolutionError, Edge, Method, Mode, direct, fourier::Fourier, refuse_overflow};
use crate::signal::kernel::SampledKernel;

/// A kernel prepared for signals of one length and one rule for their ends: `y[n] = sum_j k[j] x[n + c - j]`, computed
/// as the valid part of the convolution of the continued signal. Holds working memory: one for each thread.
pub struct LineConvolution<'a> {
    kernel: &'a SampledKernel,
    n_samples: usize,
    edge: Edge,
    extended: Vec<f64>,
    fourier: Option<Fourier>,
}

impl<'a> LineConvolution<'a> {
    /// Prepares a kernel for lines of `n_samples`.
    ///
    /// # Errors
    /// Lines without samples.
    pub fn new(kernel: &'a SampledKernel, n_samples: usize, edge: Edge) -> Result<Self, ConvolutionError> {
        let n_extended = (n_samples + kernel.weights().len()).saturating_sub(1);
        let method = Method::of_size(n_extended, kernel.weights().len(), Mode::Valid);
        Self::by(method, kernel, n_samples, edge)
    }

    /// [`LineConvolution::new`] by the method given.
    ///
    /// # Errors
    /// As [`LineConvolution::new`].
    pub fn by(
        method: Method,
        kernel: &'a SampledKernel,
        n_samples: usize,
        edge: Edge,
    ) -> Result<Self, ConvolutionError> {
        if n_samples == 0 {
            return Err(ConvolutionError::EmptySignal);
        }
        let n_weights = kernel.weights().len();
        let n_extended = n_samples + n_weights - 1;
        let fourier = match method {
            Method::Direct => None,
            Method::Fourier => Some(Fourier::new(kernel.weights(), n_extended, &(n_weights - 1..n_extended))?),
        };
        Ok(Self { kernel, n_samples, edge, extended: Vec::with_capacity(n_extended), fourier })
    }

    /// Convolves one line of finite values.
    ///
    /// # Errors
    /// A line or result of another length, or values beyond f64 (which a value that is not finite leads to as well).
    pub fn apply(&mut self, line: &[f64], out: &mut [f64]) -> Result<(), ConvolutionError> {
        for found in [line.len(), out.len()] {
            if found != self.n_samples {
                return Err(ConvolutionError::LineLength { expected: self.n_samples, found });
            }
        }
        // sample n reads from n + c - (K - 1) to n + c
        let (last, centre) = (self.kernel.weights().len() - 1, self.kernel.centre());
        self.edge.extend(line, last - centre, centre, &mut self.extended);
        match &mut self.fourier {
            Some(fourier) => fourier.convolve(&self.extended, out)?,
            None => direct::convolve(&self.extended, self.kernel.weights(), last, out),
        }
        refuse_overflow(out)
    }
}

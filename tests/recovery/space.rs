//! How far voxels count as independent: the correlation that a simulation's smoothness gives its noise.
//!
//! Noise made by a Gaussian kernel k over white noise has the correlation r(d) = (k * k)(d) / (k * k)(0) between voxels
//! d apart. Errors of estimates at two voxels, being the same linear function of two series, correlate by at most
//! r (by Cauchy-Schwarz; equality where rho is the same). A function of those errors, as "the interval covers", has a
//! correlation of at most r, and where the function is even of at most r^2 (only even terms of its Hermite expansion
//! remain: Lancaster 1957, doi 10.1093/biomet/44.1-2.289). So sqrt(sum_ij u_i u_j r_ij^power) is the standard deviation,
//! at most, of a sum of terms whose standard deviations are u_i.

/// Taps of a Gaussian over voxels, cut at 4 standard deviations.
pub(crate) fn gaussian(fwhm_mm: f64, voxel_mm: f64) -> Vec<f64> {
    let sigma = fwhm_mm / (8.0 * std::f64::consts::LN_2).sqrt() / voxel_mm;
    let radius = (4.0 * sigma + 0.5).floor() as i32;
    let taps: Vec<f64> = (-radius..=radius).map(|at| (-0.5 * f64::from(at * at) / (sigma * sigma)).exp()).collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| tap / sum).collect()
}

/// Correlation of noise along an axis, by distance in voxels, on a grid with cubic voxels.
pub(crate) struct Correlation {
    by_distance: Vec<f64>,
    shape: [usize; 3],
}

impl Correlation {
    /// White noise convolved with `kernel`.
    pub(crate) fn of_kernel(kernel: &[f64], shape: [usize; 3]) -> Self {
        let product = |lag: usize| kernel.iter().zip(&kernel[lag..]).map(|(a, b)| a * b).sum::<f64>();
        Self { by_distance: (0..kernel.len()).map(|lag| product(lag) / product(0)).collect(), shape }
    }

    /// Standard deviation, at most, of a sum of terms with standard deviations `sd` at `voxels`: the square root of
    /// u' R u, with R applied axis by axis over the box that holds the voxels.
    pub(crate) fn sd_of_sum(&self, voxels: &[usize], sd: &[f64], power: i32) -> f64 {
        let [nx, ny, _] = self.shape;
        let places: Vec<[usize; 3]> = voxels.iter().map(|at| [at % nx, at / nx % ny, at / (nx * ny)]).collect();
        let edge = |axis: usize| places.iter().map(move |place| place[axis]);
        let low: [usize; 3] = std::array::from_fn(|axis| edge(axis).min().unwrap_or(0));
        let size: [usize; 3] = std::array::from_fn(|axis| edge(axis).max().unwrap_or(0) + 1 - low[axis]);
        let mut u = vec![0.0; size.iter().product()];
        for (place, sd) in places.iter().zip(sd) {
            u[place[0] - low[0] + size[0] * (place[1] - low[1] + size[1] * (place[2] - low[2]))] += sd;
        }
        let r: Vec<f64> = self.by_distance.iter().map(|r| r.powi(power)).collect();
        let mut correlated = u.clone();
        let mut stride = 1;
        for n in size {
            let from = correlated.clone();
            for (at, value) in correlated.iter_mut().enumerate() {
                let (along, start) = (at / stride % n, at - at / stride % n * stride);
                let near = along.saturating_sub(r.len() - 1)..(along + r.len()).min(n);
                *value = near.map(|other| r[along.abs_diff(other)] * from[start + other * stride]).sum();
            }
            stride *= n;
        }
        u.iter().zip(&correlated).map(|(a, b)| a * b).sum::<f64>().sqrt()
    }

    /// How many independent voxels know as much about a rate as these.
    pub(crate) fn effective_number(&self, voxels: &[usize], power: i32) -> f64 {
        let n = voxels.len() as f64;
        (n / self.sd_of_sum(voxels, &vec![1.0; voxels.len()], power)).powi(2)
    }
}

/// Convolution of two kernels.
pub(crate) fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len() + b.len() - 1];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            out[i + j] += a * b;
        }
    }
    out
}

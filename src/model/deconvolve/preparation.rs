//! What is done to data before a method sees them: whitening by AR(1), then drift and confounds projected out.
//!
//! With the whitening `W` of one autocorrelation rho (samples at their true lags, the first one scaled) and nuisance columns
//! `N`, a method is given `M W y = M W K s + M W e`, `M = I - U U'`, `U` an orthonormal basis of `W N`. `K s` is the activity
//! convolved with the kernel. The likelihood of `M W y` under different rho becomes comparable with the term
//! `ln |W| - 1/2 ln |Q' W'W Q|`, `Q` an orthonormal basis of `N`: restricted likelihood (Harville 1974, doi
//! 10.1093/biomet/61.2.383).

use super::{ConvolutionMatrix, Operator};
use crate::inputs::Timing;
use crate::model::basis::Basis;
use crate::model::linalg::{LinalgError, ThinSvd, product, subtract_product, thin_svd, transposed_product};
use ndarray::{Array2, Axis, s};

/// Whitening and projection of the data of one run under one autocorrelation.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// Autocorrelation of the noise one repetition time apart.
    pub rho: f64,
    /// Of each kept frame: what it is scaled by, and the share of the frame before that is taken off first.
    whitening: Vec<[f64; 2]>,
    /// `U`: kept frame x rank.
    nuisance: Array2<f64>,
    /// Nuisance at every frame, as `U' W y` weighs it: frame x rank.
    at_frames: Array2<f64>,
    /// What makes log-likelihoods under different rho comparable.
    pub log_volume: f64,
}

impl Preparation {
    /// For the nuisance columns of a run at all its frames (frame x column), of which those that `kept` are fitted.
    ///
    /// # Errors
    /// What LAPACK reports.
    pub fn new(nuisance: &Array2<f64>, kept: &[bool], rho: f64) -> Result<Self, LinalgError> {
        let frames: Vec<usize> = (0..kept.len()).filter(|&frame| kept[frame]).collect();
        let whitening = whitening(&frames, rho);
        let basis = Basis::new(&nuisance.select(Axis(0), &frames))?;
        let mut whitened = basis.q.clone();
        whiten(&whitening, &mut whitened);
        let ThinSvd { u, s: lengths, vt } = thin_svd(&whitened)?;
        let to_basis = &vt.t() * &lengths.mapv(f64::recip);
        let at_frames = product(nuisance, &product(&basis.to_coefficients, &to_basis));
        let volume = |values: &mut dyn Iterator<Item = f64>| values.map(f64::ln).sum::<f64>();
        let log_volume = volume(&mut whitening.iter().map(|[scale, _]| *scale)) - volume(&mut lengths.iter().copied());
        Ok(Self { rho, whitening, nuisance: u, at_frames, log_volume })
    }

    /// Whitens and projects data (kept frame x column) in place.
    pub fn apply(&self, data: &mut Array2<f64>) {
        whiten(&self.whitening, data);
        let projections = transposed_product(&self.nuisance, data);
        subtract_product(data, &self.nuisance, &projections);
    }

    /// The linear problem that methods solve.
    pub fn operator(&self, convolution: &ConvolutionMatrix, timing_kept: &[bool]) -> Operator {
        let frames: Vec<usize> = (0..timing_kept.len()).filter(|&frame| timing_kept[frame]).collect();
        let mut forward = convolution.matrix.select(Axis(0), &frames);
        self.apply(&mut forward);
        let gram = transposed_product(&forward, &forward);
        let dof = forward.nrows().saturating_sub(self.nuisance.ncols());
        Operator { forward, gram, dof }
    }

    /// The nuisance part at every frame (frame x column) of what is left of the data (kept frame x column, not whitened)
    /// once the convolved activity is taken off.
    pub fn nuisance_of(&self, mut rest: Array2<f64>) -> Array2<f64> {
        whiten(&self.whitening, &mut rest);
        product(&self.at_frames, &transposed_product(&self.nuisance, &rest))
    }
}

/// For kept frames at these places: `w_t = scale (y_t - share y_(t-1))`, each of the innovation variance.
fn whitening(frames: &[usize], rho: f64) -> Vec<[f64; 2]> {
    let first = [(1.0 - rho * rho).sqrt(), 0.0];
    let later = frames.windows(2).map(|pair| {
        let share = (pair[0]..pair[1]).fold(1.0, |power, _| power * rho);
        [((1.0 - rho * rho) / (1.0 - share * share)).sqrt(), share]
    });
    std::iter::once(first).chain(later).take(frames.len()).collect()
}

fn whiten(whitening: &[[f64; 2]], data: &mut Array2<f64>) {
    for (frame, [scale, share]) in whitening.iter().enumerate().rev() {
        if *share != 0.0 {
            let (earlier, mut now) = data.multi_slice_mut((s![frame - 1, ..], s![frame, ..]));
            now.scaled_add(-share, &earlier);
        }
        if *scale != 1.0 {
            data.row_mut(frame).mapv_inplace(|value| value * scale);
        }
    }
}

/// The frames of `kept` in folds of whole stretches: each fold is left out in turn, so that what is predicted lies within a
/// gap, not between neighbours that tell it. Stretches of `stretch` kept frames go to the folds in turn.
pub(super) fn folds(timing: &Timing, n_folds: usize, stretch: usize) -> Vec<Vec<usize>> {
    let mut folds = vec![Vec::new(); n_folds];
    for (at, frame) in timing.kept_frames().into_iter().enumerate() {
        folds[at / stretch.max(1) % n_folds].push(frame);
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nuisance() -> Array2<f64> {
        Array2::from_shape_fn((12, 3), |(t, j)| (0.4 * (t * j) as f64).cos() + if j == 2 { t as f64 } else { 0.0 })
    }

    /// Kept frames and the dense covariance of AR(1) noise of unit innovations at them.
    fn kept_and_covariance(rho: f64) -> (Vec<bool>, Array2<f64>) {
        let kept: Vec<bool> = (0..12).map(|t| t != 3 && t != 7 && t != 8).collect();
        let frames: Vec<usize> = (0..12).filter(|&t| kept[t]).collect();
        let n = frames.len();
        let covariance = Array2::from_shape_fn((n, n), |(i, j)| {
            rho.powi(i32::try_from(frames[i].abs_diff(frames[j])).unwrap()) / (1.0 - rho * rho)
        });
        (kept, covariance)
    }

    #[test]
    fn whitened_noise_is_white_across_gaps() {
        for rho in [-0.4, 0.0, 0.3, 0.9] {
            let (kept, covariance) = kept_and_covariance(rho);
            let frames: Vec<usize> = (0..12).filter(|&t| kept[t]).collect();
            let whitening = whitening(&frames, rho);
            let mut half = covariance;
            whiten(&whitening, &mut half);
            let mut other = half.t().as_standard_layout().to_owned();
            whiten(&whitening, &mut other);
            let identity: Array2<f64> = Array2::eye(frames.len());
            // entries of the covariance reach 1 / (1 - .81) = 5.3: some ulp of that
            assert!((&other - &identity).iter().all(|error| error.abs() < 1e-14), "{rho}: {other}");
        }
    }

    #[test]
    fn nuisance_leaves_the_data_and_comes_back_at_every_frame() {
        for rho in [0.0, 0.5] {
            let (kept, _) = kept_and_covariance(rho);
            let frames: Vec<usize> = (0..12).filter(|&t| kept[t]).collect();
            let preparation = Preparation::new(&nuisance(), &kept, rho).unwrap();
            let all = nuisance().dot(&ndarray::array![[2.0], [-1.0], [0.5]]);
            let at_kept = all.select(Axis(0), &frames);
            let mut gone = at_kept.clone();
            preparation.apply(&mut gone);
            // values up to 7, condition number below 100
            assert!(gone.iter().all(|value| value.abs() < 1e-12), "{gone}");
            let back = preparation.nuisance_of(at_kept);
            assert!((&back - &all).iter().all(|error| error.abs() < 1e-12));
        }
    }

    /// Restricted likelihood written out with dense matrices: its changes with rho are those of the log volume and of the
    /// density of what methods are given.
    #[test]
    fn likelihoods_of_different_rho_compare_as_restricted_ones() {
        let data = Array2::from_shape_fn((9, 1), |(t, _)| (1.3 * t as f64).sin() + 0.2 * t as f64);
        let restricted = |rho: f64| {
            let (kept, covariance) = kept_and_covariance(rho);
            let frames: Vec<usize> = (0..12).filter(|&t| kept[t]).collect();
            let design = nuisance().select(Axis(0), &frames);
            let inverse = inverse(&covariance);
            let gram = design.t().dot(&inverse).dot(&design);
            let beta = self::inverse(&gram).dot(&design.t().dot(&inverse.dot(&data)));
            let rest = &data - &design.dot(&beta);
            let quadratic = rest.t().dot(&inverse.dot(&rest))[(0, 0)];
            -0.5 * (log_determinant(&covariance) + log_determinant(&gram) + quadratic)
        };
        let ours = |rho: f64| {
            let (kept, _) = kept_and_covariance(rho);
            let preparation = Preparation::new(&nuisance(), &kept, rho).unwrap();
            let mut prepared = data.clone();
            preparation.apply(&mut prepared);
            preparation.log_volume - 0.5 * prepared.iter().map(|value| value * value).sum::<f64>()
        };
        for rho in [-0.3, 0.2, 0.7] {
            let (expected, found) = (restricted(rho) - restricted(0.0), ours(rho) - ours(0.0));
            assert!((expected - found).abs() < 1e-11, "{rho}: {found} for {expected}"); // condition number of the covariance: 100
        }
    }

    fn inverse(matrix: &Array2<f64>) -> Array2<f64> {
        let root = crate::model::linalg::inverse_square_root(matrix).unwrap();
        root.dot(&root)
    }

    fn log_determinant(matrix: &Array2<f64>) -> f64 {
        crate::model::linalg::symmetric_eigen(matrix).unwrap().0.iter().map(|value| value.ln()).sum()
    }

    #[test]
    fn folds_are_stretches_that_cover_the_kept_frames_once() {
        let mut timing = Timing::new(2.0, 20, 0, 0.0);
        timing.kept[4] = false;
        let folds = folds(&timing, 3, 4);
        assert_eq!(folds[0], [0, 1, 2, 3, 13, 14, 15, 16]);
        let mut all: Vec<usize> = folds.concat();
        all.sort_unstable();
        assert_eq!(all, timing.kept_frames());
    }
}

//! How much a design tells of a contrast, and how much of the fit hangs on each frame.
//!
//! Both concern the frames that enter the model, under white noise: what the noise model makes of them differs from voxel to
//! voxel.

use super::orthogonal_basis::OrthogonalBasis;
use super::run_design::{ContrastMatrix, RunDesign};

/// A leverage above this many times the mean, rank / frames, is high. Of the usual bounds of 2 (Hoaglin and Welsch 1978,
/// doi 10.1080/00031305.1978.10479237) and 3 (Velleman and Welsch 1981, doi 10.1080/00031305.1981.10479362) the second: a constant and K
/// cosines have (2 K + 1) / frames at the ends of every run, nearly twice their mean.
pub const HIGH_LEVERAGE: f64 = 3.0;

/// A leverage above this is of a frame that has a regressor of its own: it is fitted whatever it holds.
const FITTED_ALONE: f64 = 1.0 - 1e-8;

/// Efficiency of a contrast, `1 / trace(C (X'X)^- C')` (Dale 1999, doi 10.1002/(SICI)1097-0193(1999)8:2/3<109::AID-HBM7>3.0.CO;2-W; Friston
/// et al. 1999, doi 10.1006/nimg.1999.0498): one over the summed variance of its rows, in units of the noise's. It compares designs of the
/// same contrast and the same heights of regressors, nothing else. The contrast is taken to be estimable; 0 where it is of columns
/// that are 0 throughout.
pub fn efficiency(design: &RunDesign, contrast: &ContrastMatrix) -> f64 {
    let basis = OrthogonalBasis::of(&design.kept_matrix());
    let variance: f64 = contrast.weights.rows().into_iter().map(|row| basis.variance(&row.to_vec())).sum();
    if variance > 0.0 { variance.recip() } else { 0.0 }
}

/// Leverage of each frame in the model: the diagonal of `X (X'X)^- X'`, between 0 and 1, its sum the rank of the design.
pub fn leverage(design: &RunDesign) -> Vec<f64> {
    let matrix = design.kept_matrix();
    let basis = OrthogonalBasis::of(&matrix);
    matrix.rows().into_iter().map(|row| basis.variance(&row.to_vec()).min(1.0)).collect()
}

/// Frames on which a fit hangs, counted among those that were not discarded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InfluentialFrames {
    /// Those of high leverage with it, in time's order.
    pub high: Vec<(usize, f64)>,
    /// Those with a regressor of their own, which is what it is for.
    pub fitted_alone: Vec<usize>,
}

impl InfluentialFrames {
    /// Of a design.
    pub fn of(design: &RunDesign) -> Self {
        let leverage = leverage(design);
        let mean = leverage.iter().sum::<f64>() / leverage.len().max(1) as f64;
        let mut found = Self::default();
        for (frame, leverage) in design.timing.kept_frames().into_iter().zip(leverage) {
            if leverage > FITTED_ALONE {
                found.fitted_alone.push(frame);
            } else if leverage > HIGH_LEVERAGE * mean {
                found.high.push((frame, leverage));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ContrastKind;
    use crate::design::ColumnRole;
    use crate::inputs::Timing;
    use ndarray::{Array2, array};

    fn design(matrix: Array2<f64>) -> RunDesign {
        RunDesign {
            run: "sub-01".into(),
            names: (0..matrix.ncols()).map(|column| format!("x{column}")).collect(),
            roles: vec![ColumnRole::Confound; matrix.ncols()],
            peak_heights: vec![1.0; matrix.ncols()],
            timing: Timing::new(2.0, matrix.nrows(), 0, 0.0),
            matrix,
        }
    }

    fn t(weights: Array2<f64>) -> ContrastMatrix {
        ContrastMatrix { name: "c".into(), kind: ContrastKind::T, weights }
    }

    #[test]
    fn efficiency_is_one_over_the_variance_of_a_mean_and_of_a_difference() {
        // 6 frames of one condition, 2 of another: var of the difference of means 1/6 + 1/2
        let of_groups = Array2::from_shape_fn((8, 2), |(t, j)| f64::from(u8::from((t < 6) == (j == 0))));
        let found = efficiency(&design(of_groups.clone()), &t(array![[1.0, -1.0]]));
        assert!((found - 1.5).abs() < 1e-14, "{found}");
        let both = efficiency(&design(of_groups.clone()), &t(array![[1.0, 0.0], [0.0, 1.0]]));
        assert!((both - 1.5).abs() < 1e-14, "rows' variances add up: {both}");
        // units of a regressor: twice as high a regressor has a coefficient half as large
        let high = efficiency(&design(2.0 * &of_groups), &t(array![[1.0, -1.0]]));
        assert!((high - 6.0).abs() < 1e-13, "{high}");
        // with a column twice, an estimable contrast of both is as it was of one
        let twice = ndarray::concatenate![ndarray::Axis(1), of_groups, of_groups];
        let found = efficiency(&design(twice), &t(array![[1.0, -1.0, 1.0, -1.0]]));
        assert!((found - 1.5).abs() < 1e-13, "{found}");
    }

    #[test]
    fn leverage_is_the_diagonal_of_the_hat_matrix() {
        let n = 40;
        let matrix = Array2::from_shape_fn((n, 3), |(t, j)| match j {
            0 => 1.0,
            1 => t as f64,
            _ => (t as f64 * 0.7).sin(),
        });
        let mut own = design(matrix);
        own.timing.kept[7] = false;
        let found = leverage(&own);
        assert_eq!(found.len(), n - 1);
        assert!((found.iter().sum::<f64>() - 3.0).abs() < 1e-13);
        // of a constant and a line: 1 / n + (t - mean)^2 / sum of squares
        let line = design(Array2::from_shape_fn((n, 2), |(t, j)| if j == 0 { 1.0 } else { t as f64 }));
        let squares: f64 = (0..n).map(|t| (t as f64 - 19.5).powi(2)).sum();
        for (t, found) in leverage(&line).into_iter().enumerate() {
            assert!((found - 1.0 / 40.0 - (t as f64 - 19.5).powi(2) / squares).abs() < 1e-14);
        }
    }

    #[test]
    fn frames_that_a_fit_hangs_on_are_named() {
        let n = 60;
        let matrix = Array2::from_shape_fn((n, 4), |(t, j)| match j {
            0 => 1.0,
            // a spike of its own, and one that is shared by two frames
            1 => f64::from(u8::from(t == 30)),
            2 => f64::from(u8::from(t == 10)) + 0.5 * f64::from(u8::from(t == 11)),
            _ => (std::f64::consts::PI * (t as f64 + 0.5) / n as f64).cos(),
        });
        let found = InfluentialFrames::of(&design(matrix));
        assert_eq!(found.fitted_alone, [30]);
        assert_eq!(found.high.iter().map(|(frame, _)| *frame).collect::<Vec<_>>(), [10, 11]);
        // drift alone: nothing stands out
        let drift = Array2::from_shape_fn((n, 9), |(t, k)| {
            (std::f64::consts::PI * k as f64 * (t as f64 + 0.5) / n as f64).cos()
        });
        assert_eq!(InfluentialFrames::of(&design(drift)), InfluentialFrames::default());
    }
}

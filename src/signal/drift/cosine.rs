//! Discrete cosines (DCT-II) below a cut-off frequency.

use std::f64::consts::PI;

/// Number of cosines below `high_pass_hz` in `n_frames` frames `interval_s` apart: `floor(2 n f dt)`, at most `n - 1`.
///
/// Cosine k has k half periods in the run: frequency `k / (2 n dt)`.
pub fn cosine_order(n_frames: usize, interval_s: f64, high_pass_hz: f64) -> usize {
    let half_periods = (2.0 * n_frames as f64 * high_pass_hz * interval_s).floor();
    (half_periods.max(0.0) as usize).min(n_frames.saturating_sub(1))
}

/// Columns `sqrt(2/n) cos(pi/n (j + 1/2) k)`, k = 1..=order, each of unit length, orthogonal to each other and to the
/// constant (Ashburner and Friston's high-pass set; SPM's `spm_dctmtx` without its first column).
pub fn cosine_columns(n_frames: usize, order: usize) -> Vec<Vec<f64>> {
    let n = n_frames as f64;
    let norm = (2.0 / n).sqrt();
    (1..=order)
        .map(|k| (0..n_frames).map(|j| norm * libm::cos(PI / n * (j as f64 + 0.5) * k as f64)).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_orthonormal_and_centred() {
        let columns = cosine_columns(57, 12);
        for i in 0..12 {
            assert!(columns[i].iter().sum::<f64>().abs() < 1e-13);
            for j in 0..=i {
                let product: f64 = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn the_order_counts_half_periods() {
        assert_eq!(cosine_order(121, 2.5, 1.0 / 128.0), 4);
        assert_eq!(cosine_order(100, 2.0, 0.01), 4);
        assert_eq!(cosine_order(100, 2.0, 0.0), 0);
        assert_eq!(cosine_order(10, 2.0, 5.0), 9);
    }
}

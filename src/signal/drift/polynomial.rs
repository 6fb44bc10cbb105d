//! Polynomials in time, orthogonal to each other and to the constant.

use crate::signal::orthogonalise_to;

/// Columns for degrees 1..=order: `(t / t_max)^k`, each orthogonalised to the constant and to all lower degrees.
///
/// Their span is that of all polynomials up to `order`; their scale is that of nilearn's. Each is made from the one
/// before it, times centred time, rather than from a power of time: both have the same leading term, so the result is
/// the same polynomial, without the cancellation that ruins powers beyond the tenth.
pub fn polynomial_columns(frame_times_s: &[f64], order: usize) -> Vec<Vec<f64>> {
    let latest = frame_times_s.iter().copied().fold(f64::MIN, f64::max);
    let mean = frame_times_s.iter().sum::<f64>() / frame_times_s.len() as f64;
    let centred: Vec<f64> = frame_times_s.iter().map(|time| (time - mean) / latest).collect();
    let mut columns = vec![vec![1.0; centred.len()]];
    for degree in 1..=order {
        let mut next: Vec<f64> = columns[degree - 1].iter().zip(&centred).map(|(lower, time)| lower * time).collect();
        orthogonalise_to(&columns, &mut next);
        columns.push(next);
    }
    columns.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_a_centred_line_and_the_second_a_centred_parabola() {
        let times: Vec<f64> = (0..5).map(f64::from).collect();
        let columns = polynomial_columns(&times, 2);
        for (found, expected) in columns[0].iter().zip([-0.5, -0.25, 0.0, 0.25, 0.5]) {
            assert!((found - expected).abs() < 1e-15);
        }
        for (found, expected) in columns[1].iter().zip([2.0, -1.0, -2.0, -1.0, 2.0]) {
            assert!((found - expected / 16.0).abs() < 1e-15);
        }
    }

    #[test]
    fn high_degrees_stay_orthogonal_late_in_a_run() {
        let times: Vec<f64> = (0..200).map(|frame| 40.0 + 2.0 * f64::from(frame)).collect();
        let columns = polynomial_columns(&times, 20);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        for i in 0..20 {
            assert!(columns[i].iter().sum::<f64>().abs() < 1e-12);
            for j in 0..i {
                let cosine = dot(&columns[i], &columns[j])
                    / (dot(&columns[i], &columns[i]) * dot(&columns[j], &columns[j])).sqrt();
                assert!(cosine.abs() < 1e-12, "degrees {} and {}: {cosine:e}", i + 1, j + 1);
            }
        }
    }
}

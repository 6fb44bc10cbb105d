//! A baseline that drifts: a low percentile in a window that runs along the series.
//!
//! The window should be much longer than a burst of activity and shorter than the drift. It is taken at quarters of a window and
//! joined by straight lines; what is left is deconvolved with a constant baseline beside it, so a bias of the percentile does no
//! harm.

use super::solver::percentile;

/// Percentile of a window: below most activity, and above what noise alone would give.
const PERCENT: usize = 20;

/// The running percentile of `y` over windows of so many samples.
pub(super) fn running(y: &[f64], window: usize) -> Vec<f64> {
    let half = (window / 2).max(1);
    let spacing = (window / 4).max(1);
    let nodes: Vec<f64> = (0..y.len() + spacing)
        .step_by(spacing)
        .map(|centre| {
            let centre = centre.min(y.len());
            percentile(&y[centre.saturating_sub(half)..(centre + half).min(y.len())], PERCENT)
        })
        .collect();
    let at = |t: usize| {
        let (left, share) = (t / spacing, (t % spacing) as f64 / spacing as f64);
        let (from, to) = (nodes[left], nodes[left + 1]);
        from + share * (to - from)
    };
    (0..y.len()).map(at).collect()
}

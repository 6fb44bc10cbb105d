//! Stub until merged.
pub(super) fn choose(criteria: &[Vec<f64>]) -> Vec<usize> {
    (0..criteria[0].len())
        .map(|c| (0..criteria.len()).max_by(|&a, &b| criteria[a][c].total_cmp(&criteria[b][c])).unwrap_or(0))
        .collect()
}

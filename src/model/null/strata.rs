//! Which columns of a run share a spectrum: those of like mean, and among them those of like residuals.

use crate::inputs::{Support, average_around};
use crate::preprocess::BLOCK_COLUMNS;

/// Strata by mean: tissues differ in it, and in noise.
const BY_MEAN: usize = 3;

/// Strata by the correlation of residuals between neighbouring frames, within each by mean.
const BY_CORRELATION: usize = 5;

/// Columns of a stratum at least, unless all are one: of so many, chance moves a spectrum by some percent.
const FEWEST: usize = 50;

/// Strata of columns.
pub(super) struct Strata {
    /// Columns of each, ascending; none of those without noise.
    pub(super) members: Vec<Vec<usize>>,
    /// Stratum of each column; 0 where there is no noise.
    pub(super) index: Vec<u32>,
}

/// Block of a column and its place in that.
pub(super) const fn place(column: usize) -> (usize, usize) {
    (column / BLOCK_COLUMNS, column % BLOCK_COLUMNS)
}

/// Sorts columns into strata of as many columns each. The correlation of a voxel is averaged with those around it, so that
/// voxels are not sorted by chance; the means of tables say nothing of tissue, and are not looked at.
pub(super) fn strata(support: &Support, means: &[f64], lag1: &[f64], with_noise: &[bool]) -> Strata {
    let all: Vec<usize> = (0..with_noise.len()).filter(|&column| with_noise[column]).collect();
    let most = (all.len() / FEWEST).max(1);
    let by_mean = if support.grid().is_some() && most >= BY_MEAN * BY_CORRELATION { BY_MEAN } else { 1 };
    let by_correlation = (most / by_mean).min(BY_CORRELATION);
    let correlation = average_around(support, lag1);
    let mut members = Vec::new();
    for of_mean in parts(all, means, by_mean) {
        members.extend(parts(of_mean, &correlation, by_correlation));
    }
    let mut index = vec![0; with_noise.len()];
    for (number, stratum) in members.iter_mut().enumerate() {
        stratum.sort_unstable();
        for &column in stratum.iter() {
            index[column] = number as u32;
        }
    }
    Strata { members, index }
}

/// Columns in `n` parts of the same size, by ascending value.
fn parts(mut columns: Vec<usize>, values: &[f64], n: usize) -> Vec<Vec<usize>> {
    columns.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    let end = |part: usize| columns.len() * part / n;
    (0..n).map(|part| columns[end(part)..end(part + 1)].to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(n: usize) -> Support {
        Support::Columns { names: (0..n).map(|column| column.to_string()).collect() }
    }

    #[test]
    fn columns_of_a_table_are_sorted_by_correlation_and_those_without_noise_left_out() {
        let lag1: Vec<f64> = (0..200).map(|column| f64::from(column * 77 % 200)).collect();
        let mut with_noise = vec![true; 200];
        with_noise[3] = false;
        let found = strata(&table(200), &[0.0; 200], &lag1, &with_noise);
        assert_eq!(found.members.iter().map(Vec::len).collect::<Vec<_>>(), [66, 66, 67]);
        assert!(found.members[0].iter().all(|&column| lag1[column] < 68.0 && found.index[column] == 0));
        assert!(found.members.iter().all(|members| !members.contains(&3)));
    }

    #[test]
    fn few_columns_are_one_stratum() {
        let found = strata(&table(8), &[0.0; 8], &[0.5; 8], &[true; 8]);
        assert_eq!(found.members, [(0..8).collect::<Vec<_>>()]);
    }
}

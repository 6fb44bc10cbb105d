//! Which columns of a run share a spectrum: those of like mean, and among them those of like residuals.

use crate::inputs::{Support, average_around};
use crate::preprocess::BLOCK_COLUMNS;

/// Strata by mean: tissues differ in it, and in noise.
const BY_MEAN: usize = 3;

/// Strata by the correlation of residuals between neighbouring frames, within each by mean.
const BY_CORRELATION: usize = 5;

/// Strata at most.
pub(super) const MOST: usize = BY_MEAN * BY_CORRELATION;

/// Independent columns of a stratum at least, unless all are one: of so many, chance moves an effect's variance by an eighth.
const FEWEST: f64 = 50.0;

/// Correlation over voxels of what two halves of a run say, from which on voxels are sorted by it: below, most of it is chance.
const LEAST_RELIABILITY: f64 = 0.5;

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

/// Sorts the columns `with_noise`, worth so many `independent` ones, into strata of as many each. `halves` are correlations
/// between neighbouring frames in each half of the run; a voxel's is averaged with those around it, and looked at where both
/// halves agree on which voxels are alike. The columns of a table are one stratum: alone, each is sorted by chance.
pub(super) fn strata(
    support: &Support,
    means: &[f64],
    halves: &[Vec<f64>; 2],
    with_noise: &[usize],
    independent: f64,
) -> Strata {
    let mut members = vec![with_noise.to_vec()];
    if support.grid().is_some() {
        let most = (independent / FEWEST) as usize;
        let by_mean = if most >= BY_MEAN { BY_MEAN } else { 1 };
        let [first, second] = halves.each_ref().map(|half| average_around(support, half));
        let sorted = correlation(&first, &second, with_noise) >= LEAST_RELIABILITY;
        let by_correlation = if sorted { (most / by_mean).clamp(1, BY_CORRELATION) } else { 1 };
        let both: Vec<f64> = first.iter().zip(&second).map(|(first, second)| first + second).collect();
        let of_means = parts(with_noise.to_vec(), means, by_mean);
        members = of_means.into_iter().flat_map(|of_mean| parts(of_mean, &both, by_correlation)).collect();
    }
    let mut index = vec![0; means.len()];
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

/// Of two fields over some columns; 0 where one does not vary.
fn correlation(a: &[f64], b: &[f64], columns: &[usize]) -> f64 {
    let n = columns.len() as f64;
    let mean = |field: &[f64]| columns.iter().map(|&column| field[column]).sum::<f64>() / n;
    let (of_a, of_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for &column in columns {
        let (x, y) = (a[column] - of_a, b[column] - of_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Grid;

    #[test]
    fn the_columns_of_a_table_are_one_stratum_without_those_that_have_no_noise() {
        let support = Support::Columns { names: (0..200).map(|column| column.to_string()).collect() };
        let lag1: Vec<f64> = (0..200).map(f64::from).collect();
        let with_noise: Vec<usize> = (0..200).filter(|column| *column != 3).collect();
        let found = strata(&support, &[0.0; 200], &[lag1.clone(), lag1], &with_noise, 199.0);
        assert_eq!(found.members, [with_noise]);
    }

    fn of_voxels(independent: f64, noisy: bool) -> Strata {
        let affine = std::array::from_fn(|row| std::array::from_fn(|column| f64::from(u8::from(row == column))));
        let grid = Grid { shape: [20, 20, 20], affine };
        let support = Support::Voxels { grid, index: (0..8000).collect() };
        // the mean along the first axis, the correlation along the last
        let means: Vec<f64> = (0..8000).map(|voxel| f64::from(voxel % 20)).collect();
        let lag1: Vec<f64> = (0..8000).map(|voxel| f64::from(voxel / 400)).collect();
        let other = if noisy { (0..8000).map(|voxel| f64::from(voxel * 7919 % 8000)).collect() } else { lag1.clone() };
        strata(&support, &means, &[lag1, other], &(0..8000).collect::<Vec<_>>(), independent)
    }

    #[test]
    fn voxels_are_sorted_by_mean_and_then_by_correlation() {
        let found = of_voxels(1e4, false);
        assert_eq!(found.members.len(), MOST);
        assert_eq!((found.index[0], found.index[7999]), (0, 14));
        assert!(found.members.iter().all(|members| members.len().abs_diff(8000 / MOST) <= 1));
    }

    #[test]
    fn few_independent_voxels_make_few_strata_and_chance_makes_none() {
        assert_eq!(of_voxels(120.0, false).members.len(), 2);
        assert_eq!(of_voxels(40.0, false).members.len(), 1);
        assert_eq!(of_voxels(1e4, true).members.len(), BY_MEAN);
    }
}

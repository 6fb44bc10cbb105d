//! What a voxel has that its neighbours have not.
//!
//! Neighbours in smooth images are near copies of one another, so that an average over many of them tells no more than a few would:
//! where noise is smooth over 3 voxels (full width at half maximum), 33 voxels tell of its spectrum what one would if they were independent. What a voxel has
//! beyond the mean of those around it has the same spectrum in time, as long as that changes little from voxel to voxel, and is
//! nearly new at each: taken off twice, 6 voxels are one. At edges, where a mean is of two kinds, once is better.
//!
//! The mean is over the 6 nearest voxels, each weighted by one over the sum of squares of its difference, so that it is of those of
//! the voxel's own kind: across an edge differences are large.

use crate::config::Neighbours;
use crate::error::CancelToken;
use crate::inputs::{NO_COLUMN, Support, columns_of_voxels};
use crate::model::problem::ModelError;
use crate::model::samples::{Samples, measured_in_parts};
use crate::preprocess::{BLOCK_COLUMNS, column_blocks, parts_of};
use ndarray::{Array2, ArrayViewMut2, s};
use rayon::prelude::*;
use std::ops::Range;

/// Columns that a thread sharpens at once; those around them are read as well.
pub(super) const SHARPENED_AT_ONCE: usize = 4 * BLOCK_COLUMNS;
/// Nearest voxels.
const AROUND: usize = 6;
/// Times that series are sharpened at most.
pub(super) const MOST_TIMES: usize = 2;

/// The nearest neighbours of each column, and the weights of those of some.
pub(super) struct Sharpening {
    /// Its own index where there is none.
    neighbours: Vec<[u32; AROUND]>,
    /// From the column `first` on; 0 where there is no neighbour.
    weights: Vec<[f32; AROUND]>,
    first: usize,
}

impl Sharpening {
    /// That of `columns` of `samples`; none where columns have no place.
    ///
    /// # Errors
    /// [`ModelError`]: samples cannot be read back; interruption.
    pub(super) fn new(
        samples: &Samples<'_>,
        columns: Range<usize>,
        cancel: &CancelToken,
    ) -> Result<Option<Self>, ModelError> {
        let Some(neighbours) = neighbours(&samples.series.support, samples.scaler.excluded()) else { return Ok(None) };
        let near = (1..MOST_TIMES).fold(columns, |near, _| reach(&neighbours, &near));
        let weights = weights(samples, &neighbours, &near, cancel)?;
        Ok(Some(Self { neighbours, weights, first: near.start }))
    }

    /// What `measure` says of the residuals (row x column) of each block of `columns`, sharpened: measure x column.
    ///
    /// # Errors
    /// [`ModelError`]: samples cannot be read back; interruption.
    pub(super) fn measured(
        &self,
        samples: &Samples<'_>,
        (columns, times): (Range<usize>, usize),
        n_measures: usize,
        cancel: &CancelToken,
        measure: impl Fn(&Array2<f64>, ArrayViewMut2<'_, f32>) + Sync,
    ) -> Result<Array2<f32>, ModelError> {
        measured_in_parts((columns, SHARPENED_AT_ONCE), n_measures, cancel, |columns, mut measures| {
            let sharpened = self.sharpened(samples, columns, times)?;
            for block in column_blocks(columns.len()) {
                let values = sharpened.slice(s![.., block.clone()]).mapv(f64::from);
                measure(&samples.off_design(values).1, measures.slice_mut(s![.., block]));
            }
            Ok(())
        })
    }

    /// Kept frame x column.
    fn sharpened(
        &self,
        samples: &Samples<'_>,
        columns: &Range<usize>,
        times: usize,
    ) -> Result<Array2<f32>, ModelError> {
        // what is needed before the last time, the time before it, and so on
        let mut needed = vec![columns.clone()];
        for time in 0..times {
            needed.push(reach(&self.neighbours, &needed[time]));
        }
        let [mut before, mut after] = [Vec::new(), Vec::new()];
        let mut values = Vec::with_capacity(samples.run.kept.len() * columns.len());
        samples.each_kept(&needed[times], &mut Vec::new(), |row| {
            before.clear();
            before.extend_from_slice(row);
            for time in (0..times).rev() {
                after.clear();
                self.subtract_around((&before, needed[time + 1].start), &needed[time], &mut after);
                std::mem::swap(&mut before, &mut after);
            }
            values.extend_from_slice(&before);
        })?;
        let mut values = samples.matrix(values)?;
        for &column in samples.scaler.excluded_among(columns) {
            values.column_mut(column - columns.start).fill(0.0); // may be NaN
        }
        Ok(values)
    }

    /// Adds to `out` the values of `columns` less the mean around each; `row` has those from the column `first` on.
    fn subtract_around(&self, (row, first): (&[f32], usize), columns: &Range<usize>, out: &mut Vec<f32>) {
        let weights = &self.weights[columns.start - self.first..columns.end - self.first];
        let around = self.neighbours[columns.clone()].iter().zip(weights);
        out.extend(columns.clone().zip(around).map(|(column, (neighbours, weights))| {
            let mut mean = 0.0;
            for (&neighbour, weight) in neighbours.iter().zip(weights) {
                mean += weight * row[neighbour as usize - first];
            }
            row[column - first] - mean
        }));
    }
}

/// The range that columns and their neighbours lie in.
fn reach(neighbours: &[[u32; AROUND]], columns: &Range<usize>) -> Range<usize> {
    let around = || neighbours[columns.clone()].iter().flatten().map(|&column| column as usize);
    around().fold(columns.start, usize::min)..around().fold(columns.end, |end, column| end.max(column + 1))
}

/// The nearest columns of each, the column itself in the place of those that there are not or that are left out. `None` where
/// columns have no place.
fn neighbours(support: &Support, excluded: &[usize]) -> Option<Vec<[u32; AROUND]>> {
    let Support::Voxels { grid, index } = support else { return None };
    let mut column_of = columns_of_voxels(grid, index);
    for &column in excluded {
        column_of[index[column] as usize] = NO_COLUMN;
    }
    let of_column = |(column, &voxel): (usize, &u32)| {
        let mut found = [column as u32; AROUND];
        if column_of[voxel as usize] != NO_COLUMN {
            let around = Neighbours::Faces.of(grid.shape, voxel as usize).map(|voxel| column_of[voxel]);
            let around = around.filter(|&neighbour| neighbour != NO_COLUMN);
            // sums are in this order: along x, y and z, those after first
            let (mut first, mut last) = (0, AROUND);
            for neighbour in around {
                if neighbour as usize > column {
                    found[first] = neighbour;
                    first += 1;
                } else {
                    last -= 1;
                    found[last] = neighbour;
                }
            }
        }
        found
    };
    Some(index.iter().enumerate().map(of_column).collect())
}

/// The weights of the neighbours of each of `columns`: one over the sum of squares, about its mean, of the difference from each, over
/// their sum.
fn weights(
    samples: &Samples<'_>,
    neighbours: &[[u32; AROUND]],
    columns: &Range<usize>,
    cancel: &CancelToken,
) -> Result<Vec<[f32; AROUND]>, ModelError> {
    let n_kept = samples.run.kept.len() as f64;
    let parts: Vec<_> = parts_of(columns.clone(), SHARPENED_AT_ONCE).collect();
    let of_part = |part: Range<usize>| {
        cancel.check()?;
        let read = reach(neighbours, &part);
        let around = &neighbours[part.clone()];
        let mut sums = vec![[[0.0_f64; 2]; AROUND]; part.len()];
        samples.each_kept(&read, &mut Vec::new(), |row| {
            for ((sums, around), own) in sums.iter_mut().zip(around).zip(&row[part.start - read.start..]) {
                for (sums, &neighbour) in sums.iter_mut().zip(around) {
                    let difference = f64::from(own - row[neighbour as usize - read.start]);
                    sums[0] += difference;
                    sums[1] += difference * difference;
                }
            }
        })?;
        let weight = |[sum, square]: [f64; 2]| {
            let about_mean = square - sum * sum / n_kept;
            // two that are the same but for rounding tell nothing of each other
            if about_mean > n_kept * f64::EPSILON * square { about_mean.recip() } else { 0.0 }
        };
        let of_column = |sums: [[f64; 2]; AROUND]| {
            let weights = sums.map(weight);
            let total: f64 = weights.iter().sum();
            weights.map(|weight| if total > 0.0 { (weight / total) as f32 } else { 0.0 })
        };
        Ok(sums.into_iter().map(of_column).collect::<Vec<_>>())
    };
    Ok(parts.into_par_iter().map(of_part).collect::<Result<Vec<_>, ModelError>>()?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Numerics, Profile, Scaling};
    use crate::design::{ColumnRole, RunDesign};
    use crate::inputs::{Grid, Timing, place_in};
    use crate::model::process::Layout;
    use crate::model::random::Random;
    use crate::model::run_basis::RunBasis;
    use crate::preprocess::{Scaler, Series, TimeStatistics};

    /// A run of `values` (frame x column) with nothing but a constant in its design.
    struct Data {
        series: Series,
        scaler: Scaler,
        run: RunBasis,
        layout: Layout,
    }

    impl Data {
        fn new(support: Support, values: &Array2<f32>, excluded: &[usize]) -> Self {
            let (n_frames, n_columns) = values.dim();
            let numerics = Numerics::of(Profile::Native);
            let series = Series::new(support, vec![0.0; n_columns], values.iter().copied().collect());
            let design = RunDesign {
                run: "run".to_owned(),
                names: vec!["constant".to_owned()],
                roles: vec![ColumnRole::Constant],
                peak_heights: vec![1.0],
                timing: Timing::new(2.0, n_frames, 0, 0.0),
                matrix: Array2::ones((n_frames, 1)),
            };
            let statistics = TimeStatistics::of_series(&series, &design.timing.kept_frames()).unwrap();
            let scaler = Scaler::new(Scaling::None, numerics.scaling_arithmetic, &statistics, excluded).unwrap();
            let run = RunBasis::new(&design, &numerics).unwrap();
            let layout = Layout::filled(&run.lags);
            Self { series, scaler, run, layout }
        }

        fn samples(&self) -> Samples<'_> {
            let Self { series, scaler, run, layout } = self;
            Samples { series, scaler, run, layout, name: "run" }
        }
    }

    fn grid(shape: [usize; 3]) -> Grid {
        Grid { shape, affine: std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j)))) }
    }

    fn white(n_frames: usize, n_columns: usize) -> Array2<f32> {
        let mut random = Random::new(5);
        Array2::from_shape_simple_fn((n_frames, n_columns), || random.normal() as f32)
    }

    /// More columns than are sharpened at once, with holes in the mask, and columns that are left out.
    #[test]
    fn the_weighted_mean_around_is_taken_off_once_or_twice() {
        let shape = [33, 30, 11];
        let mask: Vec<bool> = (0..shape.iter().product()).map(|voxel| voxel % 11 != 4).collect();
        let support = Support::from_mask(grid(shape), &mask);
        let Support::Voxels { index, .. } = support.clone() else { panic!("no voxels") };
        let mut values = white(9, index.len());
        let excluded = [40, 8200];
        for column in excluded {
            values[(3, column)] = f32::NAN;
        }
        let data = Data::new(support, &values, &excluded);
        let samples = data.samples();
        let sharpening =
            Sharpening::new(&samples, 0..samples.series.n_columns(), &CancelToken::new()).unwrap().unwrap();
        let once = sharpening.sharpened(&samples, &(0..index.len()), 1).unwrap();
        let parts = [0..index.len(), 100..8000, 8000..index.len()];
        let [whole, first, second] = parts.map(|columns| sharpening.sharpened(&samples, &columns, 2).unwrap());
        assert_eq!(whole.slice(s![.., 100..8000]), first);
        assert_eq!(whole.slice(s![.., 8000..]), second);
        let of_some = Sharpening::new(&samples, 100..8000, &CancelToken::new()).unwrap().unwrap();
        assert_eq!(of_some.sharpened(&samples, &(100..8000), 2).unwrap(), first);

        let around = |column: usize| -> Vec<(usize, f64)> {
            let place = place_in(shape, index[column] as usize);
            let near = |other: &usize| {
                let apart = place_in(shape, index[*other] as usize)
                    .iter()
                    .zip(place)
                    .map(|(a, b)| a.abs_diff(b))
                    .sum::<usize>();
                apart == 1 && !excluded.contains(other)
            };
            let weight = |other: usize| {
                let d: Vec<f64> = (0..9).map(|t| f64::from(values[(t, column)] - values[(t, other)])).collect();
                let mean = d.iter().sum::<f64>() / 9.0;
                (other, d.iter().map(|d| (d - mean).powi(2)).sum::<f64>().recip())
            };
            (0..index.len()).filter(near).map(weight).collect()
        };
        let less_around = |column: usize, value: &dyn Fn(usize) -> f64| {
            let around = around(column);
            let total: f64 = around.iter().map(|(_, weight)| weight).sum();
            value(column) - around.iter().map(|(other, weight)| weight * value(*other)).sum::<f64>() / total
        };
        for column in [0, 41, 777, 8201, index.len() - 1] {
            for frame in [0, 3, 8] {
                let own = |column: usize| f64::from(values[(frame, column)]);
                let less = |column: usize| less_around(column, &own);
                for (found, expected) in [(&once, less(column)), (&whole, less_around(column, &less))] {
                    let found = f64::from(found[(frame, column)]);
                    // of single precision
                    assert!((found - expected).abs() < 1e-5, "{column}, {frame}: {found}, {expected}");
                }
            }
        }
        assert!(excluded.iter().all(|&column| whole.column(column).iter().all(|value| *value == 0.0)));
    }

    #[test]
    fn columns_without_place_or_difference_have_nothing_around() {
        let names = (0..4).map(|column| column.to_string()).collect();
        let table = Data::new(Support::Columns { names }, &white(9, 4), &[]);
        assert!(Sharpening::new(&table.samples(), 0..4, &CancelToken::new()).unwrap().is_none());
        let values = Array2::from_shape_fn((9, 4), |(t, column)| (t * t) as f32 + column as f32);
        let same = Data::new(Support::from_mask(grid([4, 1, 1]), &[true; 4]), &values, &[]);
        let sharpening = Sharpening::new(&same.samples(), 0..4, &CancelToken::new()).unwrap().unwrap();
        assert_eq!(sharpening.sharpened(&same.samples(), &(0..4), 2).unwrap(), values);
    }

    /// Noise smooth over 3 voxels: the sum over distances of squared correlations is how many voxels tell as much as one. From the
    /// transform of the kernel, 32.6 as it is and 5.9 sharpened with equal weights.
    #[test]
    fn smooth_noise_becomes_new_at_each_voxel() {
        const SIDE: usize = 20;
        const FRAMES: usize = 240;
        let sigma = 3.0 / (8.0 * std::f64::consts::LN_2).sqrt();
        let tap = |d: usize| libm::exp(-0.5 * (d as f64 / sigma).powi(2)) as f32;
        let mut values = white(FRAMES, SIDE * SIDE * SIDE);
        for stride in [1, SIDE, SIDE * SIDE] {
            let before = values.clone();
            let wrapped = |voxel: usize, d: usize| {
                let at = voxel / stride % SIDE;
                voxel - at * stride + (at + d) % SIDE * stride
            };
            for voxel in 0..before.ncols() {
                let of = |d: usize| &before.column(wrapped(voxel, d)) * tap(d.min(SIDE - d));
                values.column_mut(voxel).assign(&(1..SIDE).fold(of(0), |sum, d| sum + of(d)));
            }
        }
        let alike = |values: &Array2<f32>| {
            // voxels of the middle, whose neighbours at up to 6 are all there
            let inside = |at: usize| (6..SIDE - 6).contains(&at);
            let place = |voxel: usize| place_in([SIDE; 3], voxel);
            let middle: Vec<usize> =
                (0..values.ncols()).filter(|&voxel| place(voxel).into_iter().all(inside)).collect();
            let mut total = 0.0;
            for z in -6..=6_isize {
                for y in -6..=6_isize {
                    for x in -6..=6_isize {
                        let step = x + SIDE.cast_signed() * (y + SIDE.cast_signed() * z);
                        let mut sums = [0.0_f64; 3];
                        for &voxel in &middle {
                            let other = voxel.wrapping_add_signed(step);
                            for row in values.outer_iter() {
                                let [a, b] = [row[voxel], row[other]].map(f64::from);
                                sums = [sums[0] + a * b, sums[1] + a * a, sums[2] + b * b];
                            }
                        }
                        total += sums[0] * sums[0] / (sums[1] * sums[2]);
                    }
                }
            }
            total
        };
        let data = Data::new(Support::from_mask(grid([SIDE; 3]), &[true; SIDE * SIDE * SIDE]), &values, &[]);
        let all = 0..SIDE * SIDE * SIDE;
        let sharpening = Sharpening::new(&data.samples(), all.clone(), &CancelToken::new()).unwrap().unwrap();
        let sharpened = sharpening.sharpened(&data.samples(), &all, 2).unwrap();
        let [plain, sharpened] = [&values, &sharpened].map(alike);
        assert!((20.0..45.0).contains(&plain), "{plain}");
        assert!((4.0..9.0).contains(&sharpened), "{sharpened}");
    }

    #[test]
    fn voxels_of_another_kind_count_little() {
        // two kinds that alternate in time differently, and a little noise of each voxel
        let noise = white(60, 8);
        let values = Array2::from_shape_fn((60, 8), |(t, x)| {
            let kind = if x < 4 { t % 2 } else { t / 2 % 2 };
            kind as f32 + 0.1 * noise[(t, x)]
        });
        let data = Data::new(Support::from_mask(grid([8, 1, 1]), &[true; 8]), &values, &[]);
        let sharpening = Sharpening::new(&data.samples(), 0..8, &CancelToken::new()).unwrap().unwrap();
        // difference of the kinds .5 + .02, of noise .02
        let slot = sharpening.neighbours[3].iter().position(|&neighbour| neighbour == 4).unwrap();
        let across = sharpening.weights[3][slot];
        assert!(across < 0.08, "{across}");
        assert!((sharpening.weights[3].iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}

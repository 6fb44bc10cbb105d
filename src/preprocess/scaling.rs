//! Scaling of a run's data, and the columns that cannot be analysed.
//!
//! Percent of the column's mean m: `100 (y - m) / m`. Percent of the grand mean G: `100 (y - G) / G`. None:
//! `y` in its own units. Means are over the frames that enter the model.

use super::{BLOCK_COLUMNS, Series};
use crate::config::{Scaling, ScalingArithmetic};
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::Support;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use std::fmt;
use std::ops::Range;

/// A column whose mean is below this fraction of the median column's is too dark to be a percentage of.
pub const LOWEST_RELATIVE_MEAN: f64 = 0.01;

/// More excluded columns than this fraction means the mask, not the columns, is wrong.
pub const LARGEST_EXCLUDED_FRACTION: f64 = 0.05;

/// Columns named in a message.
const COLUMNS_NAMED: usize = 5;

/// Why a column is not analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExclusionReason {
    /// A kept frame is NaN or infinite.
    NotFinite,
    /// All kept frames are equal.
    Constant,
    /// Its mean, which scaling divides by, is zero or negative.
    MeanNotPositive,
    /// Its mean, which scaling divides by, is below [`LOWEST_RELATIVE_MEAN`] of the median column's.
    MeanTooLow,
}

impl fmt::Display for ExclusionReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotFinite => "not finite",
            Self::Constant => "constant",
            Self::MeanNotPositive => "mean not positive",
            Self::MeanTooLow => "mean below 1 % of the median",
        })
    }
}

/// A column that is not analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exclusion {
    /// The column.
    pub column: usize,
    /// Why.
    pub reason: ExclusionReason,
}

/// The columns of `series` that cannot be analysed over the frames `kept`, ascending.
///
/// Means are only looked at where `scaling` divides by them.
pub fn excluded_columns(series: &Series, kept: &[usize], scaling: Scaling) -> Vec<Exclusion> {
    let blocks: Vec<Range<usize>> = series.blocks().collect();
    let of_values: Vec<Vec<Option<ExclusionReason>>> =
        blocks.into_par_iter().map(|columns| unusable_values(series, kept, columns)).collect();
    let mut reasons: Vec<Option<ExclusionReason>> = of_values.into_iter().flatten().collect();
    if scaling == Scaling::VoxelMean {
        let means = kept_means(series, kept);
        let mut finite: Vec<f64> = means.iter().copied().filter(|mean| mean.is_finite()).collect();
        finite.sort_by(f64::total_cmp);
        let lowest = finite.get(finite.len() / 2).map_or(0.0, |median| LOWEST_RELATIVE_MEAN * median);
        for (reason, mean) in reasons.iter_mut().zip(&means) {
            *reason = reason.or({
                if *mean <= 0.0 {
                    Some(ExclusionReason::MeanNotPositive)
                } else if *mean < lowest {
                    Some(ExclusionReason::MeanTooLow)
                } else {
                    None
                }
            });
        }
    }
    let found = reasons.into_iter().enumerate();
    found.filter_map(|(column, reason)| reason.map(|reason| Exclusion { column, reason })).collect()
}

fn unusable_values(series: &Series, kept: &[usize], columns: Range<usize>) -> Vec<Option<ExclusionReason>> {
    let mut finite: Vec<bool> = series.first[columns.clone()].iter().map(|first| first.is_finite()).collect();
    let mut constant = vec![true; columns.len()];
    let Some(&reference) = kept.first() else { return vec![Some(ExclusionReason::Constant); columns.len()] };
    let reference = &series.frame(reference)[columns.clone()];
    for &frame in kept {
        let values = &series.frame(frame)[columns.clone()];
        for (column, (value, at_reference)) in values.iter().zip(reference).enumerate() {
            finite[column] &= value.is_finite();
            constant[column] &= value == at_reference;
        }
    }
    let both = finite.into_iter().zip(constant);
    both.map(
        |(finite, constant)| {
            if finite { constant.then_some(ExclusionReason::Constant) } else { Some(ExclusionReason::NotFinite) }
        },
    )
    .collect()
}

/// The error that more than [`LARGEST_EXCLUDED_FRACTION`] of the columns of `run` are excluded, if they are.
pub fn too_many_excluded(run: &str, support: &Support, exclusions: &[Exclusion]) -> Option<Diagnostic> {
    let n_columns = support.n_columns();
    if exclusions.len() as f64 <= LARGEST_EXCLUDED_FRACTION * n_columns as f64 {
        return None;
    }
    let kind = if support.grid().is_some() { "voxels" } else { "columns" };
    let percent = 100.0 * exclusions.len() as f64 / n_columns as f64;
    let mut diagnostic = Diagnostic::error(
        "too-many-excluded",
        format!(
            "{} of {n_columns} {kind} of {run} cannot be analysed ({percent:.1} %, at most {} % may)",
            exclusions.len(),
            100.0 * LARGEST_EXCLUDED_FRACTION
        ),
    );
    for reason in [
        ExclusionReason::NotFinite,
        ExclusionReason::Constant,
        ExclusionReason::MeanNotPositive,
        ExclusionReason::MeanTooLow,
    ] {
        let of_reason: Vec<usize> = exclusions
            .iter()
            .filter(|exclusion| exclusion.reason == reason)
            .map(|exclusion| exclusion.column)
            .collect();
        if !of_reason.is_empty() {
            let named: Vec<String> =
                of_reason.iter().take(COLUMNS_NAMED).map(|&column| support.describe(column)).collect();
            let more = if of_reason.len() > COLUMNS_NAMED { ", …" } else { "" };
            diagnostic = diagnostic.note(format!("{reason}: {} ({}{more})", of_reason.len(), named.join(", ")));
        }
    }
    Some(diagnostic.hint(match support {
        Support::Voxels { .. } => "check that the mask covers only brain that every run measured: `[mask] path`",
        Support::Columns { .. } => "leave these columns out with `columns`, or set `scaling = \"none\"`",
    }))
}

/// Turns stored values into the numbers the model is fitted to.
#[derive(Debug, Clone)]
pub struct Scaler {
    kept: Vec<usize>,
    transform: Transform,
    /// Ascending; their scaled values are 0.
    excluded: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Transform {
    /// `(value + offset) * factor`, `value` being what the series stores.
    Affine { offset: Vec<f64>, factor: Vec<f64> },
    /// `100 (y / divisor - 1)`, each operation rounded to f32.
    Single { divisor: Vec<f32> },
}

impl Scaler {
    /// Means over the frames `kept` of `series`; scaled values of the columns `excluded` (ascending) are 0.
    ///
    /// # Errors
    /// `scaling-grand-mean-not-positive`: the grand mean cannot be divided by.
    pub fn new(
        scaling: Scaling,
        arithmetic: ScalingArithmetic,
        series: &Series,
        kept: &[usize],
        excluded: &[usize],
    ) -> Result<Self, Diagnostics> {
        let first = series.first.iter().map(|&first| f64::from(first));
        let percent_of = match scaling {
            Scaling::None => None,
            Scaling::VoxelMean => Some(kept_means(series, kept)),
            Scaling::GrandMean => Some(vec![grand_mean(series, kept, excluded)?; series.n_columns()]),
        };
        let transform = match (percent_of, arithmetic) {
            (None, _) => Transform::Affine { offset: first.collect(), factor: vec![1.0; series.n_columns()] },
            (Some(mean), ScalingArithmetic::Double) => Transform::Affine {
                offset: first.zip(&mean).map(|(first, mean)| first - mean).collect(),
                factor: mean.iter().map(|mean| 100.0 / mean).collect(),
            },
            (Some(mean), ScalingArithmetic::SingleWithFloor) => {
                Transform::Single { divisor: mean.iter().map(|&mean| (mean as f32).max(1.0)).collect() }
            }
        };
        Ok(Self { kept: kept.to_vec(), transform, excluded: excluded.to_vec() })
    }

    /// The frames that enter the model.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// The columns whose scaled values are 0, ascending.
    pub fn excluded(&self) -> &[usize] {
        &self.excluded
    }

    /// Scaled data of `columns`: kept frame x column.
    pub fn block(&self, series: &Series, columns: Range<usize>) -> Array2<f64> {
        let mut block = Array2::zeros((self.kept.len(), columns.len()));
        for (mut row, &frame) in block.axis_iter_mut(Axis(0)).zip(&self.kept) {
            if let Some(row) = row.as_slice_mut() {
                self.scale_frame(series, frame, columns.clone(), row);
            }
        }
        block
    }

    /// Scaled values of one frame (censored frames too) at `columns`, one a column into `out`.
    pub fn scale_frame(&self, series: &Series, frame: usize, columns: Range<usize>, out: &mut [f64]) {
        let values = &series.frame(frame)[columns.clone()];
        match &self.transform {
            Transform::Affine { offset, factor } => {
                let constants = offset[columns.clone()].iter().zip(&factor[columns.clone()]);
                for ((out, value), (offset, factor)) in out.iter_mut().zip(values).zip(constants) {
                    *out = (f64::from(*value) + offset) * factor;
                }
            }
            Transform::Single { divisor } => {
                let constants = series.first[columns.clone()].iter().zip(&divisor[columns.clone()]);
                for ((out, value), (first, divisor)) in out.iter_mut().zip(values).zip(constants) {
                    *out = f64::from(100.0_f32 * ((first + value) / divisor - 1.0));
                }
            }
        }
        let from = self.excluded.partition_point(|&column| column < columns.start);
        for &column in self.excluded[from..].iter().take_while(|&&column| column < columns.end) {
            out[column - columns.start] = 0.0; // also where the value is NaN
        }
    }
}

/// Mean of each column over the frames `kept`.
fn kept_means(series: &Series, kept: &[usize]) -> Vec<f64> {
    if kept.len() == series.n_frames {
        return series.mean.clone();
    }
    let mut means = vec![0.0; series.n_columns()];
    means.par_chunks_mut(BLOCK_COLUMNS).enumerate().for_each(|(block, means)| {
        let from = block * BLOCK_COLUMNS;
        for &frame in kept {
            for (mean, value) in means.iter_mut().zip(&series.frame(frame)[from..]) {
                *mean += f64::from(*value);
            }
        }
        for (mean, first) in means.iter_mut().zip(&series.first[from..]) {
            *mean = f64::from(*first) + *mean / kept.len() as f64;
        }
    });
    means
}

fn grand_mean(series: &Series, kept: &[usize], excluded: &[usize]) -> Result<f64, Diagnostics> {
    let means = kept_means(series, kept);
    let included = means.iter().enumerate().filter(|(column, _)| excluded.binary_search(column).is_err());
    let (sum, count) = included.fold((0.0, 0_usize), |(sum, count), (_, mean)| (sum + mean, count + 1));
    let mean = sum / count as f64;
    if mean > 0.0 && mean.is_finite() {
        return Ok(mean);
    }
    Err(Diagnostic::error(
        "scaling-grand-mean-not-positive",
        format!("the mean over {count} columns and {} frames is {mean}, so nothing is a percentage of it", kept.len()),
    )
    .hint("data that were centred before have no baseline: set `scaling = \"none\"`")
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series of table columns from frame-major values.
    fn series(frames: &[&[f32]]) -> Series {
        let first = frames[0].to_vec();
        let n_columns = first.len();
        let mean = (0..n_columns)
            .map(|column| frames.iter().map(|frame| f64::from(frame[column])).sum::<f64>() / frames.len() as f64)
            .collect();
        let values = frames.iter().flat_map(|frame| frame.iter().zip(&first).map(|(value, first)| value - first));
        Series {
            support: Support::Columns { names: (0..n_columns).map(|column| format!("c{column}")).collect() },
            n_frames: frames.len(),
            values: values.collect(),
            first,
            mean,
        }
    }

    #[test]
    fn percent_of_the_mean_over_kept_frames_only() {
        let data = series(&[&[90.0, 10.0], &[110.0, 30.0], &[1e6, 1e6], &[100.0, 20.0]]);
        let scaler = Scaler::new(Scaling::VoxelMean, ScalingArithmetic::Double, &data, &[0, 1, 3], &[]).unwrap();
        let block = scaler.block(&data, 0..2);
        let expected = [[-10.0, -50.0], [10.0, 50.0], [0.0, 0.0]];
        for (row, expected) in block.outer_iter().zip(expected) {
            for (value, expected) in row.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-12, "{value} is not {expected}"); // a few ulp of 100
            }
        }
    }

    #[test]
    fn unscaled_data_keep_their_units() {
        let data = series(&[&[1000.5, -3.0], &[1003.25, 4.0]]);
        let scaler = Scaler::new(Scaling::None, ScalingArithmetic::SingleWithFloor, &data, &[0, 1], &[]).unwrap();
        assert_eq!(scaler.block(&data, 0..2), ndarray::array![[1000.5, -3.0], [1003.25, 4.0]]);
    }

    #[test]
    fn grand_mean_is_over_included_columns() {
        let data = series(&[&[90.0, f32::NAN, 190.0], &[110.0, 1.0, 210.0]]);
        let scaler = Scaler::new(Scaling::GrandMean, ScalingArithmetic::Double, &data, &[0, 1], &[1]).unwrap();
        let block = scaler.block(&data, 0..3);
        assert!((block[(0, 0)] + 40.0).abs() < 1e-12 && (block[(1, 2)] - 40.0).abs() < 1e-12);
        assert_eq!(block[(0, 1)], 0.0);
        let centred = series(&[&[-1.0], &[1.0]]);
        let problem = Scaler::new(Scaling::GrandMean, ScalingArithmetic::Double, &centred, &[0, 1], &[]).unwrap_err();
        assert_eq!(problem.iter().next().unwrap().code, "scaling-grand-mean-not-positive");
    }

    #[test]
    fn single_arithmetic_rounds_as_the_peer_does_and_floors_the_mean() {
        let data = series(&[&[1000.0, 0.25], &[1007.0, 0.75], &[1001.0, 0.5]]);
        let scaler =
            Scaler::new(Scaling::VoxelMean, ScalingArithmetic::SingleWithFloor, &data, &[0, 1, 2], &[]).unwrap();
        let mean = 3008.0_f32 / 3.0;
        let block = scaler.block(&data, 0..2);
        assert_eq!(block[(1, 0)], f64::from(100.0_f32 * (1007.0_f32 / mean - 1.0)));
        assert_eq!(block[(0, 1)], -75.0); // mean 0.5 is raised to 1
    }

    #[test]
    fn a_block_does_not_depend_on_where_it_starts() {
        let data = series(&[&[1.0, 2.0, 3.0, f32::NAN, 5.0], &[2.0, 3.0, 5.0, 7.0, 11.0]]);
        let scaler = Scaler::new(Scaling::VoxelMean, ScalingArithmetic::Double, &data, &[0, 1], &[1, 3]).unwrap();
        let whole = scaler.block(&data, 0..5);
        assert_eq!(scaler.block(&data, 1..4), whole.slice(ndarray::s![.., 1..4]));
        assert_eq!(whole.column(1).sum() + whole.column(3).sum(), 0.0);
    }

    #[test]
    fn each_reason_to_exclude_is_found_where_it_applies() {
        let low = 0.5_f32;
        let data = series(&[
            &[100.0, 7.0, 100.0, -1.0, low, 90.0, 99.0],
            &[101.0, 7.0, f32::INFINITY, 1.0, 2.0 * low, 110.0, 98.0],
        ]);
        let found: Vec<(usize, ExclusionReason)> = excluded_columns(&data, &[0, 1], Scaling::VoxelMean)
            .into_iter()
            .map(|exclusion| (exclusion.column, exclusion.reason))
            .collect();
        assert_eq!(
            found,
            [
                (1, ExclusionReason::Constant),
                (2, ExclusionReason::NotFinite),
                (3, ExclusionReason::MeanNotPositive),
                (4, ExclusionReason::MeanTooLow),
            ]
        );
        let unscaled = excluded_columns(&data, &[0, 1], Scaling::None);
        assert_eq!(unscaled.iter().map(|exclusion| exclusion.column).collect::<Vec<_>>(), [1, 2]);
        // the infinite frame censored, only one frame is left: all constant
        assert_eq!(excluded_columns(&data, &[0], Scaling::None).len(), 7);
    }

    #[test]
    fn over_five_percent_excluded_is_an_error_that_names_columns() {
        let support = Support::Columns { names: (0..40).map(|column| format!("c{column}")).collect() };
        let exclusions =
            |n| (0..n).map(|column| Exclusion { column, reason: ExclusionReason::Constant }).collect::<Vec<_>>();
        assert_eq!(too_many_excluded("sub-01", &support, &exclusions(2)), None);
        let problem = too_many_excluded("sub-01", &support, &exclusions(3)).unwrap();
        assert_eq!(problem.code, "too-many-excluded");
        assert_eq!(problem.notes, ["constant: 3 (column `c0`, column `c1`, column `c2`)"]);
    }
}

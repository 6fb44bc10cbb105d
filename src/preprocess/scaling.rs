//! Scaling of a run's data, and the columns that cannot be analysed.
//!
//! Percent of the column's mean m: `100 (y - m) / m`. Percent of the grand mean G: `100 (y - G) / G`. None:
//! `y` in its own units. Means are over the frames that enter the model.

use super::TimeStatistics;
use crate::config::{Scaling, ScalingArithmetic};
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::Support;
use crate::signal::widest::{Loop, widest};
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

/// The columns that cannot be analysed, ascending.
///
/// Means are only looked at where `scaling` divides by them.
pub fn excluded_columns(statistics: &TimeStatistics, scaling: Scaling) -> Vec<Exclusion> {
    let mut reasons: Vec<_> = (0..statistics.mean.len()).map(|column| statistics.unusable(column)).collect();
    if scaling == Scaling::VoxelMean {
        let means = &statistics.mean;
        let mut finite: Vec<f64> = means.iter().copied().filter(|mean| mean.is_finite()).collect();
        finite.sort_by(f64::total_cmp);
        let lowest = finite.get(finite.len() / 2).map_or(0.0, |median| LOWEST_RELATIVE_MEAN * median);
        for (reason, mean) in reasons.iter_mut().zip(means) {
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

/// Whether the samples themselves must be scaled before a model sees them: `scaling` in this arithmetic is not the
/// affine map that sums over time could be taken through afterwards.
pub fn scales_samples(scaling: Scaling, arithmetic: ScalingArithmetic) -> bool {
    scaling != Scaling::None && arithmetic == ScalingArithmetic::SingleWithFloor
}

/// Turns stored values, which are relative to the first frame, into the numbers the model is fitted to.
#[derive(Debug, Clone)]
pub struct Scaler {
    kept: Vec<usize>,
    transform: Transform,
    /// Ascending; their scaled values are 0.
    excluded: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Transform {
    /// `(value + offset) * factor`.
    Affine { offset: Vec<f64>, factor: Vec<f64> },
    /// `100 (y / divisor - 1)`, each operation rounded to f32.
    Single { first: Vec<f32>, divisor: Vec<f32> },
}

impl Scaler {
    /// From `statistics` of the frames that enter the model; scaled values of the columns `excluded` (ascending) are 0.
    ///
    /// # Errors
    /// `scaling-grand-mean-not-positive`: the grand mean cannot be divided by.
    pub fn new(
        scaling: Scaling,
        arithmetic: ScalingArithmetic,
        statistics: &TimeStatistics,
        excluded: &[usize],
    ) -> Result<Self, Diagnostics> {
        let n_columns = statistics.first.len();
        let percent_of = match scaling {
            Scaling::None => None,
            Scaling::VoxelMean => Some(statistics.mean.clone()),
            Scaling::GrandMean => Some(vec![grand_mean(statistics, excluded)?; n_columns]),
        };
        let first = statistics.first.iter().map(|&first| f64::from(first));
        let transform = match percent_of {
            None => Transform::Affine { offset: first.collect(), factor: vec![1.0; n_columns] },
            Some(mean) if scales_samples(scaling, arithmetic) => Transform::Single {
                first: statistics.first.clone(),
                divisor: mean.iter().map(|&mean| (mean as f32).max(1.0)).collect(),
            },
            Some(mean) => Transform::Affine {
                offset: first.zip(&mean).map(|(first, mean)| first - mean).collect(),
                factor: mean.iter().map(|mean| 100.0 / mean).collect(),
            },
        };
        Ok(Self { kept: statistics.frames.clone(), transform, excluded: excluded.to_vec() })
    }

    /// The frames that enter the model.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// The columns whose scaled values are 0, ascending.
    pub fn excluded(&self) -> &[usize] {
        &self.excluded
    }

    /// Those of [`Self::excluded`] that are among `columns`.
    pub fn excluded_among(&self, columns: &Range<usize>) -> &[usize] {
        let from = self.excluded.partition_point(|&column| column < columns.start);
        let to = self.excluded.partition_point(|&column| column < columns.end);
        &self.excluded[from..to]
    }

    /// Offset and factor, one a column, where scaling is `(value + offset) * factor`; `None` where each sample is
    /// rounded ([`scales_samples`]).
    pub fn affine(&self) -> Option<(&[f64], &[f64])> {
        match &self.transform {
            Transform::Affine { offset, factor } => Some((offset, factor)),
            Transform::Single { .. } => None,
        }
    }

    /// Scales stored values at `columns`, rows of that length, to f32, in place. Only where each sample is rounded to
    /// f32 anyway; otherwise values stay as they are. Excluded columns are not cleared.
    pub fn round_rows(&self, columns: &Range<usize>, rows: &mut [f32]) {
        if let Transform::Single { first, divisor } = &self.transform {
            let (first, divisor) = (&first[columns.clone()], &divisor[columns.clone()]);
            for row in rows.chunks_exact_mut(columns.len().max(1)) {
                widest(RoundRow { row, first, divisor });
            }
        }
    }

    /// Scaled values of one frame from its stored ones (censored frames too), all columns.
    pub fn scale_frame(&self, values: &[f32]) -> Vec<f64> {
        self.scale_rows(&(0..values.len()), values)
    }

    /// Scaled values of rows at `columns` from stored ones, row by row; censored frames too.
    pub fn scale_rows(&self, columns: &Range<usize>, rows: &[f32]) -> Vec<f64> {
        let mut scaled = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(columns.len().max(1)) {
            match &self.transform {
                Transform::Affine { offset, factor } => {
                    let constants = offset[columns.clone()].iter().zip(&factor[columns.clone()]);
                    scaled.extend(row.iter().zip(constants).map(|(value, (of, by))| (f64::from(*value) + of) * by));
                }
                Transform::Single { first, divisor } => {
                    let constants = first[columns.clone()].iter().zip(&divisor[columns.clone()]);
                    scaled
                        .extend(row.iter().zip(constants).map(|(value, (of, by))| f64::from(single(*value, *of, *by))));
                }
            }
        }
        for &column in self.excluded_among(columns) {
            // also where the value is NaN
            scaled.iter_mut().skip(column - columns.start).step_by(columns.len()).for_each(|value| *value = 0.0);
        }
        scaled
    }
}

struct RoundRow<'a> {
    row: &'a mut [f32],
    first: &'a [f32],
    divisor: &'a [f32],
}

impl Loop for RoundRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (value, (first, divisor)) in self.row.iter_mut().zip(self.first.iter().zip(self.divisor)) {
            *value = single(*value, *first, *divisor);
        }
    }
}

/// Percent as nilearn rounds it.
#[inline(always)]
fn single(value: f32, first: f32, divisor: f32) -> f32 {
    100.0 * ((first + value) / divisor - 1.0)
}

fn grand_mean(statistics: &TimeStatistics, excluded: &[usize]) -> Result<f64, Diagnostics> {
    let included = statistics.mean.iter().enumerate().filter(|(column, _)| excluded.binary_search(column).is_err());
    let (sum, count) = included.fold((0.0, 0_usize), |(sum, count), (_, mean)| (sum + mean, count + 1));
    let mean = sum / count as f64;
    if mean > 0.0 && mean.is_finite() {
        return Ok(mean);
    }
    let n_frames = statistics.frames.len();
    Err(Diagnostic::error(
        "scaling-grand-mean-not-positive",
        format!("the mean over {count} columns and {n_frames} frames is {mean}, so nothing is a percentage of it"),
    )
    .hint("data that were centred before have no baseline: set `scaling = \"none\"`")
    .into())
}

#[cfg(test)]
mod tests {
    use super::super::Series;
    use super::*;

    /// Statistics over `kept` of columns given frame by frame.
    fn of(frames: &[&[f32]], kept: &[usize]) -> TimeStatistics {
        TimeStatistics::of_series(&series(frames), kept).unwrap()
    }

    fn series(frames: &[&[f32]]) -> Series {
        let first = frames[0].to_vec();
        let names = (0..first.len()).map(|column| format!("c{column}")).collect();
        let values = frames.iter().flat_map(|frame| frame.iter().zip(&first).map(|(value, first)| value - first));
        Series::new(Support::Columns { names }, first.clone(), values.collect())
    }

    /// Scaled values of the frames `kept`.
    fn scaled(scaler: &Scaler, frames: &[&[f32]]) -> Vec<Vec<f64>> {
        let series = series(frames);
        scaler.kept().iter().map(|&frame| scaler.scale_frame(&series.frame(frame).unwrap())).collect()
    }

    #[test]
    fn percent_of_the_mean_over_kept_frames_only() {
        let data: [&[f32]; 4] = [&[90.0, 10.0], &[110.0, 30.0], &[1e6, 1e6], &[100.0, 20.0]];
        let scaler = Scaler::new(Scaling::VoxelMean, ScalingArithmetic::Double, &of(&data, &[0, 1, 3]), &[]).unwrap();
        let expected = [[-10.0, -50.0], [10.0, 50.0], [0.0, 0.0]];
        for (row, expected) in scaled(&scaler, &data).iter().zip(expected) {
            for (value, expected) in row.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-12, "{value} is not {expected}"); // a few ulp of 100
            }
        }
    }

    #[test]
    fn unscaled_data_keep_their_units() {
        let data: [&[f32]; 2] = [&[1000.5, -3.0], &[1003.25, 4.0]];
        let scaler = Scaler::new(Scaling::None, ScalingArithmetic::SingleWithFloor, &of(&data, &[0, 1]), &[]).unwrap();
        assert_eq!(scaled(&scaler, &data), [[1000.5, -3.0], [1003.25, 4.0]]);
        assert!(scaler.affine().is_some());
    }

    #[test]
    fn grand_mean_is_over_included_columns() {
        let data: [&[f32]; 2] = [&[90.0, f32::NAN, 190.0], &[110.0, 1.0, 210.0]];
        let scaler = Scaler::new(Scaling::GrandMean, ScalingArithmetic::Double, &of(&data, &[0, 1]), &[1]).unwrap();
        let found = scaled(&scaler, &data);
        assert!((found[0][0] + 40.0).abs() < 1e-12 && (found[1][2] - 40.0).abs() < 1e-12); // a few ulp of 100
        assert_eq!(found[0][1], 0.0);
        let centred = of(&[&[-1.0], &[1.0]], &[0, 1]);
        let problem = Scaler::new(Scaling::GrandMean, ScalingArithmetic::Double, &centred, &[]).unwrap_err();
        assert_eq!(problem.iter().next().unwrap().code, "scaling-grand-mean-not-positive");
    }

    #[test]
    fn single_arithmetic_rounds_as_the_peer_does_and_floors_the_mean() {
        let data: [&[f32]; 3] = [&[1000.0, 0.25], &[1007.0, 0.75], &[1001.0, 0.5]];
        let statistics = of(&data, &[0, 1, 2]);
        let scaler = Scaler::new(Scaling::VoxelMean, ScalingArithmetic::SingleWithFloor, &statistics, &[]).unwrap();
        let mean = 3008.0_f32 / 3.0;
        let expected = 100.0_f32 * (1007.0_f32 / mean - 1.0);
        let found = scaled(&scaler, &data);
        assert_eq!(found[1][0], f64::from(expected));
        assert_eq!(found[0][1], -75.0); // mean 0.5 is raised to 1
        assert!(scaler.affine().is_none());
        let mut rows = [7.0, 0.5, 1.0, 0.25]; // frames 1 and 2, relative to the first
        scaler.round_rows(&(0..2), &mut rows);
        assert_eq!(rows[0], expected);
        assert_eq!(rows.map(f64::from).to_vec(), found[1..].concat());
    }

    #[test]
    fn each_reason_to_exclude_is_found_where_it_applies() {
        let low = 0.5_f32;
        let data: [&[f32]; 2] =
            [&[100.0, 7.0, 100.0, -1.0, low, 90.0, 99.0], &[101.0, 7.0, f32::INFINITY, 1.0, 2.0 * low, 110.0, 98.0]];
        let found: Vec<(usize, ExclusionReason)> = excluded_columns(&of(&data, &[0, 1]), Scaling::VoxelMean)
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
        let unscaled = excluded_columns(&of(&data, &[0, 1]), Scaling::None);
        assert_eq!(unscaled.iter().map(|exclusion| exclusion.column).collect::<Vec<_>>(), [1, 2]);
        // the infinite frame censored, only one frame is left: all constant
        assert_eq!(excluded_columns(&of(&data, &[0]), Scaling::None).len(), 7);
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

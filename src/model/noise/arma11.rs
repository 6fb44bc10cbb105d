//! The ARMA(1,1) process that is likeliest for each column, by restricted likelihood on a grid.
//!
//! The grid is that of AFNI's 3dREMLfit, or a little wider: a from 0, b positive and negative, in steps of .1, where
//! neighbours in time do not correlate negatively. Each column begins where lag products have it ([`starts`]), or, where most frames
//! follow a gap, at the best of every second point along each axis; goes on among the points around its best one until none is
//! better; and to the top of the paraboloid through them. On AFNI's own grid the search is AFNI's too: at every second point, then
//! once at all points up to two steps from the best.

mod starts;

use super::{Doubt, NoiseClasses, NoiseField, SampledNoise, Settled, distinct};
use crate::config::Arma11Grid;
use crate::error::CancelToken;
use crate::model::problem::ModelError;
use crate::model::process::{Arma11, Layout, Process, Whitened, gathered};
use crate::model::samples::Samples;
use ndarray::{Array2, ArrayViewMut2};
use starts::Starts;
use std::collections::BTreeMap;

/// Steps of the grid between parameters of 0 and 1.
const STEPS: i32 = 10;
/// Distance of the points that all columns are tried at, where they are, in steps.
const COARSE: i32 = 2;

/// Columns searched together, copied side by side: rows of a whole block lie so that they put one another out of the cache.
const COLUMNS_AT_ONCE: usize = 512;

/// Bytes a column: measures, points and their indices; and processes: of a up to 47 fifths of a step, b from -a to that, and those next to
/// a = -b.
pub(super) const SETTLING: (usize, usize) = (8 + 8 + 4, 3_500);

/// A point of the grid: a and b in steps.
type Point = (i32, i32);

/// Every point of the grid, the design whitened by its process.
pub(super) struct RemlSearch {
    layout: Layout,
    grid: Arma11Grid,
    points: BTreeMap<Point, Whitened>,
    /// `None`: every second point along each axis.
    starts: Option<Starts>,
}

impl RemlSearch {
    /// For a design with the orthonormal basis `q` (kept frame x rank) whose frames are `lags` repetition times after
    /// one another.
    pub(super) fn new(q: &Array2<f64>, lags: &[usize], grid: Arma11Grid) -> Self {
        let layout = Layout::of_kept(lags);
        let largest = i32::try_from(grid.largest_steps).unwrap_or(STEPS - 1).min(STEPS - 1);
        let all = (0..=largest).flat_map(|a| (-largest..=largest).map(move |b| (a, b)));
        // (a + b)(1 + a b) has the sign of a + b
        let admitted = all.filter(|(a, b)| a + b >= 0);
        let process = |(a, b): Point| {
            let [a, b] = [a, b].map(|steps| f64::from(steps) / f64::from(STEPS));
            Arma11 { a, b }
        };
        let whitened =
            admitted.filter_map(|point| Some((point, Whitened::new(q, &Process::Arma11(process(point)), &layout)?)));
        let points: BTreeMap<Point, Whitened> = whitened.collect();
        let starts =
            || Starts::new(points.iter().map(|(&at, whitened)| (at, process(at), whitened.factor_of_squares())));
        // lag products of rows are those of time where rows follow one another
        let follow = 2 * lags.iter().filter(|lag| **lag == 1).count() >= lags.len();
        Self { starts: (is_own(grid) && follow).then(starts), points, layout, grid }
    }

    /// The likeliest process of each column of residuals `e` (row x column), in parts of a step.
    fn search(&self, e: &Array2<f64>) -> Vec<Point> {
        let tried = self.searched(e);
        (0..e.ncols()).map(|column| tried.refined(column)).collect()
    }

    /// The likeliest point of each column of residuals, and those around it.
    fn searched<'a>(&'a self, e: &'a Array2<f64>) -> Tried<'a> {
        let mut tried = Tried::new(self, e);
        let everyone: Vec<usize> = (0..e.ncols()).collect();
        for (point, columns) in self.first_points(e, &everyone) {
            tried.at(point, &columns);
        }
        let mut open = everyone;
        // walking on costs less than looking further at once, and gets as far
        let walks = is_own(self.grid);
        let reach = if walks { 1 } else { COARSE };
        while !open.is_empty() {
            let mut wanted: BTreeMap<Point, Vec<usize>> = BTreeMap::new();
            for &column in &open {
                for point in around(tried.best[column].1, reach).filter(|point| self.points.contains_key(point)) {
                    if tried.known(column, point).is_none() {
                        wanted.entry(point).or_default().push(column);
                    }
                }
            }
            let before: Vec<Point> = open.iter().map(|&column| tried.best[column].1).collect();
            for (point, columns) in &wanted {
                tried.at(*point, columns);
            }
            let moved = open.iter().zip(before).filter(|(column, before)| tried.best[**column].1 != *before);
            open = moved.map(|(column, _)| *column).collect();
            if !walks {
                break;
            }
        }
        tried
    }

    /// The points that are tried first, and the columns that each is tried at.
    fn first_points(&self, e: &Array2<f64>, everyone: &[usize]) -> BTreeMap<Point, Vec<usize>> {
        let Some(starts) = &self.starts else {
            let coarse = self.points.keys().filter(|(a, b)| a % COARSE == 0 && b % COARSE == 0);
            return coarse.map(|point| (*point, everyone.to_vec())).collect();
        };
        let mut first: BTreeMap<Point, Vec<usize>> = BTreeMap::new();
        for (column, (start, other)) in starts.of(e).into_iter().enumerate() {
            for point in std::iter::once(start).chain(other) {
                first.entry(point).or_default().push(column);
            }
        }
        first
    }
}

impl SampledNoise for RemlSearch {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn settle(&self, samples: &Samples<'_>, cancel: &CancelToken) -> Result<Settled, ModelError> {
        let measure = |residuals: &Array2<f64>, measures: ArrayViewMut2<'_, f32>| self.measure(residuals, measures);
        let noise = self.classes(&samples.measured(0..samples.series.n_columns(), 2, cancel, measure)?);
        // AFNI's degrees of freedom are the residuals' own
        Ok(Settled { doubt: is_own(self.grid).then_some(Doubt::Likelihood), ..noise.into() })
    }
}

impl RemlSearch {
    /// a and b in parts of a step, of each column of residuals (row x column).
    fn measure(&self, residuals: &Array2<f64>, mut measures: ArrayViewMut2<'_, f32>) {
        let n_columns = residuals.ncols();
        for start in (0..n_columns).step_by(COLUMNS_AT_ONCE) {
            let columns: Vec<usize> = (start..(start + COLUMNS_AT_ONCE).min(n_columns)).collect();
            let found = self.search(&gathered(residuals, &columns));
            for (column, (a, b)) in columns.into_iter().zip(found) {
                measures[(0, column)] = a as f32;
                measures[(1, column)] = b as f32;
            }
        }
    }

    /// Columns of the same point share a process.
    fn classes(&self, measures: &Array2<f32>) -> NoiseField {
        let points: Vec<Point> = measures.columns().into_iter().map(|of| (of[0] as i32, of[1] as i32)).collect();
        let (distinct, index) = distinct(&points);
        let unit = f64::from(STEPS) * f64::from(self.grid.parts);
        let process = |(a, b): Point| Process::Arma11(Arma11 { a: f64::from(a) / unit, b: f64::from(b) / unit });
        NoiseClasses { processes: distinct.into_iter().map(process).collect(), index }.into()
    }
}

/// Whether the grid is not AFNI's, on which all is done as AFNI does it: a search ends after one look around, and what is found is taken for
/// known.
const fn is_own(grid: Arma11Grid) -> bool {
    grid.parts > 1
}

/// A point and those at most `reach` steps from it along each axis.
fn around((a, b): Point, reach: i32) -> impl Iterator<Item = Point> {
    (-reach..=reach).flat_map(move |i| (-reach..=reach).map(move |j| (a + i, b + j)))
}

/// Places of all points, with and without negative correlation.
const PLACES: usize = (STEPS * (2 * STEPS - 1)) as usize;

/// Where a point is among all.
fn place((a, b): Point) -> usize {
    usize::try_from(a * (2 * STEPS - 1) + b + STEPS - 1).unwrap_or(0)
}

/// What is known of each column.
struct Tried<'a> {
    search: &'a RemlSearch,
    e: &'a Array2<f64>,
    /// Working space.
    z: Vec<f64>,
    /// Column x place of the grid; NaN where it was not tried.
    deviances: Array2<f64>,
    /// The likeliest point so far: of equals that nearest to white.
    best: Vec<(f64, Point)>,
}

impl<'a> Tried<'a> {
    fn new(search: &'a RemlSearch, e: &'a Array2<f64>) -> Self {
        let deviances = Array2::from_elem((e.ncols(), PLACES), f64::NAN);
        Self { search, e, z: Vec::new(), deviances, best: vec![(f64::INFINITY, (0, 0)); e.ncols()] }
    }

    fn at(&mut self, point: Point, columns: &[usize]) {
        let whitened = &self.search.points[&point];
        let squares = if columns.len() == self.e.ncols() {
            whitened.squares(self.e, &mut self.z)
        } else {
            whitened.squares(&gathered(self.e, columns), &mut self.z)
        };
        let nearness = |(a, b): Point| (a.abs() + b.abs(), a, b);
        for (&column, squares) in columns.iter().zip(squares) {
            let deviance = whitened.deviance(squares);
            self.deviances[(column, place(point))] = deviance;
            let (least, best) = self.best[column];
            if deviance < least || (deviance == least && nearness(point) < nearness(best)) {
                self.best[column] = (deviance, point);
            }
        }
    }

    fn known(&self, column: usize, point: Point) -> Option<f64> {
        let admitted = self.search.points.contains_key(&point);
        let deviance = admitted.then(|| self.deviances[(column, place(point))]);
        deviance.filter(|deviance| !deviance.is_nan())
    }

    /// The top of the paraboloid through the best point and those around it, in parts of a step; the point itself where they
    /// make none.
    fn refined(&self, column: usize) -> Point {
        let (a, b) = self.best[column].1;
        let parts = self.search.grid.parts.cast_signed();
        let known = |i: i32, j: i32| self.known(column, (a + i, b + j)).filter(|deviance| deviance.is_finite());
        let along = |minus: Option<f64>, plus: Option<f64>| -> Option<(f64, f64)> {
            let (minus, centre, plus) = (minus?, known(0, 0)?, plus?);
            Some((0.5 * (plus - minus), plus - 2.0 * centre + minus))
        };
        let (in_a, in_b) = (along(known(-1, 0), known(1, 0)), along(known(0, -1), known(0, 1)));
        let corners = || Some(0.25 * (known(1, 1)? - known(1, -1)? - known(-1, 1)? + known(-1, -1)?));
        let cross = corners().unwrap_or(0.0);
        let (da, db) = match (in_a, in_b) {
            (Some((ga, haa)), Some((gb, hbb))) if haa > 0.0 && haa * hbb - cross * cross > 0.0 => {
                let determinant = haa * hbb - cross * cross;
                ((cross * gb - hbb * ga) / determinant, (cross * ga - haa * gb) / determinant)
            }
            (Some((ga, haa)), _) if haa > 0.0 => (-ga / haa, 0.0),
            (_, Some((gb, hbb))) if hbb > 0.0 => (0.0, -gb / hbb),
            _ => (0.0, 0.0),
        };
        // the best point is better than those around it: further than half a step away the paraboloid is no guide
        let step = |at: f64| ((at * f64::from(parts)).round() as i32).clamp(-parts / 2, parts / 2);
        ((a * parts + step(da)).max(0), b * parts + step(db))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::random::Random;

    const N: usize = 200;
    const COLUMNS: usize = 1000;

    /// Orthonormal cosines.
    fn basis() -> Array2<f64> {
        Array2::from_shape_fn((N, 8), |(t, k)| {
            let norm = if k == 0 { 1.0 } else { 2.0_f64 };
            (norm / N as f64).sqrt() * (std::f64::consts::PI * (t as f64 + 0.5) * k as f64 / N as f64).cos()
        })
    }

    /// Of frames `lags` steps after one another.
    fn residuals(q: &Array2<f64>, lags: &[usize], Arma11 { a, b }: Arma11) -> Array2<f64> {
        let mut random = Random::new(3);
        let mut y = Array2::zeros((N, COLUMNS));
        for mut column in y.columns_mut() {
            let (mut x, mut innovation) = (0.0, 0.0);
            for (row, &lag) in std::iter::once(&100).chain(lags).enumerate() {
                for _ in 0..lag {
                    let new = random.normal();
                    x = a * x + new + b * innovation;
                    innovation = new;
                }
                column[row] = x;
            }
        }
        let projections = q.t().dot(&y);
        y - q.dot(&projections)
    }

    /// White noise and what is next to it are the same process all along a = -b, where a search can stop too early.
    #[test]
    fn the_search_finds_what_looking_everywhere_does() {
        let q = basis();
        let grid = Arma11Grid { largest_steps: 9, parts: 5 };
        let censored = |every: usize| (1..N).map(|row| if row % every == 0 { 3 } else { 1 }).collect::<Vec<usize>>();
        // measured .990, .893 and .639 at least, less four standard errors; beginning at every second point .827, .859 and .639
        for (lags, least) in [(vec![1; N - 1], 0.975), (censored(4), 0.855), (vec![2; N - 1], 0.58)] {
            let search = RemlSearch::new(&q, &lags, grid);
            for (a, b) in [(0.0, 0.0), (0.5, 0.0), (0.8, -0.5), (0.9, -0.8), (0.4, 0.4), (-0.3, 0.5)] {
                let e = residuals(&q, &lags, Arma11 { a, b });
                let mut everywhere = Tried::new(&search, &e);
                let all: Vec<usize> = (0..COLUMNS).collect();
                search.points.keys().for_each(|&point| everywhere.at(point, &all));
                let found = search.searched(&e);
                // along a = -b likelihoods differ by rounding
                let is_likeliest = |column: &&usize| found.best[**column].0 <= everywhere.best[**column].0 + 1e-9;
                let share = all.iter().filter(is_likeliest).count() as f64 / COLUMNS as f64;
                assert!(share >= least, "{a} {b}, {} gaps: {share}", lags.iter().filter(|lag| **lag > 1).count());
            }
        }
    }
}

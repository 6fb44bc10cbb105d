//! The curve that lag products follow as the feature grows, and lag products drawn to it.
//!
//! The feature is what voxels differ in; in every other direction most of what is left after averaging is noise. So lag products are
//! those of the curve at the voxel's place, which all voxels tell together, and as much of the rest as is real.
//!
//! A curve is means of lag products at places, so what noise both have in common bends it: at places that are far out because of
//! noise, lag products are far out by the same noise, and the curve leads further than the voxels there are. So it is
//! made of places and lag products that have no noise in common ([`super::guidance::Guidance::places_apart`],
//! `RunProducts::apart`).

use rayon::prelude::*;

/// Points of the curve at most, and lag products that each needs: of columns seen twice, those of 50.
const MOST_POINTS: usize = 16;
const PRODUCTS_A_POINT: usize = 100;
/// How far beyond its ends the curve goes on straight, in the distance of its last points.
const BEYOND: f64 = 0.5;

/// Mean lag products of the columns around a place.
struct Point {
    place: f64,
    lags: Vec<f64>,
}

/// Lag products as they follow the place of a column: its feature, averaged.
pub(super) struct Curve {
    points: Vec<Point>,
}

impl Curve {
    /// That of `products` (column x `n_lags`) of columns at `places`; none where columns are too few for one, or all at one place.
    pub(super) fn through(products: &[f32], n_lags: usize, places: &[f64]) -> Option<Self> {
        let points = points(products, n_lags, places);
        let apart = points.first().zip(points.last()).is_some_and(|(first, last)| first.place < last.place);
        apart.then_some(Self { points })
    }

    /// Lags of its points.
    pub(super) fn n_lags(&self) -> usize {
        self.points[0].lags.len()
    }

    /// Draws `products` (column x lag) of columns at `places` to it, keeping the share `kept` of their distance.
    pub(super) fn draw(&self, products: &mut [f32], places: &[f64], kept: f64) {
        products.par_chunks_mut(self.n_lags()).zip(places).for_each(|(lags, &place)| {
            for (lag, curve) in lags.iter_mut().zip(self.at(place)) {
                *lag = (curve + kept * (f64::from(*lag) - curve)) as f32;
            }
        });
    }

    /// Lag products at a place.
    pub(super) fn at(&self, place: f64) -> Vec<f64> {
        let (a, b, at) = self.around(place);
        a.lags.iter().zip(&b.lags).map(|(a, b)| a + at * (b - a)).collect()
    }

    /// By how much lag products grow with the place, on the whole of `reach` to either side of it.
    pub(super) fn slope(&self, place: f64, reach: f64) -> Vec<f64> {
        let on_curve = |place: f64| {
            let (a, b, at) = self.around(place);
            a.place + at * (b.place - a.place)
        };
        let [before, after] = [place - reach, place + reach];
        let (from, to) = (on_curve(before), on_curve(after));
        let slope = |(before, after)| if to > from { (after - before) / (to - from) } else { 0.0 };
        self.at(before).into_iter().zip(self.at(after)).map(slope).collect()
    }

    /// The points before and after a place, or those at that end, and how far it is from the first to the second.
    fn around(&self, place: f64) -> (&Point, &Point, f64) {
        let above = self.points.partition_point(|point| point.place < place).clamp(1, self.points.len() - 1);
        let (a, b) = (&self.points[above - 1], &self.points[above]);
        let width = b.place - a.place;
        let at = if width > 0.0 { ((place - a.place) / width).clamp(-BEYOND, 1.0 + BEYOND) } else { 0.0 };
        (a, b, at)
    }
}

/// Columns in groups of equally many by their places, at most `most` groups of `least` columns and more each.
pub(super) fn groups(places: &[f64], most: usize, least: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b])); // equal ones by their column
    let n_groups = (order.len() / least).min(most);
    let start = |group: usize| group * order.len() / n_groups;
    (0..n_groups).map(|group| order[start(group)..start(group + 1)].to_vec()).collect()
}

/// Means of equally many columns, by their places.
fn points(products: &[f32], n_lags: usize, places: &[f64]) -> Vec<Point> {
    let of_point = |columns: Vec<usize>| {
        let share = (columns.len() as f64).recip();
        let mut lags = vec![0.0; n_lags];
        for &column in &columns {
            let of_column = &products[column * n_lags..][..n_lags];
            lags.iter_mut().zip(of_column).for_each(|(mean, lag)| *mean += share * f64::from(*lag));
        }
        Point { place: columns.iter().map(|&column| share * places[column]).sum(), lags }
    };
    groups(places, MOST_POINTS, PRODUCTS_A_POINT).into_iter().map(of_point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::noise::lag_products::{LagProducts, RunProducts};
    use crate::model::random::Random;

    /// Columns on a parabola, moved off it by turns.
    fn products(off: f32) -> Vec<f32> {
        let of_column = |column: u16| {
            let feature = f32::from(column) / 2048.0;
            [feature, feature * feature + if column.is_multiple_of(2) { off } else { -off }]
        };
        (0..2048).flat_map(of_column).collect()
    }

    /// The first lag.
    fn places(products: &[f32]) -> Vec<f64> {
        products.iter().step_by(2).map(|&lag| f64::from(lag)).collect()
    }

    #[test]
    fn the_curve_is_where_the_feature_leads() {
        let [on, drawn] = [products(0.0), products(0.1)];
        let places = places(&drawn);
        let mut found = drawn.clone();
        let curve = Curve::through(&drawn, 2, &places).unwrap();
        curve.draw(&mut found, &places, 0.0);
        let mut half = drawn.clone();
        curve.draw(&mut half, &places, 0.5);
        for ((found, half), (on, drawn)) in found.chunks(2).zip(half.chunks(2)).zip(on.chunks(2).zip(drawn.chunks(2))) {
            assert!((found[0] - on[0]).abs() < 1e-6, "{found:?} {on:?}");
            // 16 points w = 1/16 apart: 2 w^2 / 3 at the ends, where the curve goes on straight
            assert!((found[1] - on[1]).abs() < 0.0027, "{found:?} {on:?}");
            assert!((half[1] - 0.5 * (found[1] + drawn[1])).abs() < 1e-6);
        }
    }

    #[test]
    fn its_slope_is_that_of_the_parabola() {
        let products = products(0.0);
        let curve = Curve::through(&products, 2, &places(&products)).unwrap();
        for (place, expected) in [(0.25, 0.5), (0.5, 1.0)] {
            let slope = curve.slope(place, 0.1);
            // of 16 straight parts: w of an error at the ends, over twice the reach
            assert!((slope[0] - 1.0).abs() < 1e-12 && (slope[1] - expected).abs() < 0.03, "{slope:?}");
        }
    }

    /// Two kinds in noise: where places and lag products share it, the curve follows noise beyond the kinds; told apart by what halves
    /// differ by, it is what columns at a place are on average.
    #[test]
    fn the_curve_of_halves_apart_follows_no_noise() {
        const COLUMNS: usize = 16_000;
        let mut random = Random::new(7);
        // of variance 1/4 in the whole run
        let mut half = |column: usize| 0.5 * (column % 2) as f64 + (0.125_f64).sqrt() * random.normal();
        let (first, second): (Vec<f64>, Vec<f64>) = (0..COLUMNS).map(|column| (half(column), half(column))).unzip();
        let of =
            |values: Vec<f64>| LagProducts { values: values.iter().map(|&value| value as f32).collect(), n_lags: 1 };
        let both = |sign: f64| first.iter().zip(&second).map(|(a, b)| a + b + sign * (a - b)).collect::<Vec<f64>>();
        let whole = both(0.0);
        let places = [both(1.0), both(-1.0)].concat();
        let products = RunProducts { whole: of(whole.clone()), halves: [of(first.clone()), of(second.clone())] };
        let apart = Curve::through(&products.apart(&vec![1.0; COLUMNS], 2.0), 1, &places).unwrap();
        let together = Curve::through(&products.whole.values, 1, &whole).unwrap();
        for place in [-0.5, 0.5, 1.5_f64] {
            // the share of the second kind among those at a place, noise being of variance 1/2 there
            let expected = 1.0 / (1.0 + libm::exp(1.0 - 2.0 * place));
            let found = apart.at(place)[0];
            // standard error of a point .016; between points the curve is straight
            assert!((found - expected).abs() < 0.07, "{place}: {found} {expected}");
            assert!((together.at(place)[0] - place).abs() < 0.05, "{place}");
        }
    }

    #[test]
    fn too_few_columns_have_no_curve() {
        let few = &products(0.1)[..398];
        assert!(Curve::through(few, 2, &places(few)).is_none());
        assert!(Curve::through(&products(0.1), 2, &[0.5; 2048]).is_none());
    }
}

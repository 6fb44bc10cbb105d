//! The curve that lag products follow as the feature grows, and lag products drawn to it.
//!
//! The feature is what voxels differ in; in every other direction most of what is left after averaging is noise. So lag products are
//! those of the curve at the voxel's feature, which all voxels tell together, and as much of the rest as is real. That the noise of
//! a voxel's feature is in its other lags too does no harm: the feature's direction w has `Cw` and `Nw` parallel (see
//! [`super::feature`]), so noise leads along the same line as the signal.

use rayon::prelude::*;

/// Points of the curve at most, and columns that each needs.
const MOST_POINTS: usize = 16;
const COLUMNS_A_POINT: usize = 50;
/// How far beyond its ends the curve goes on straight, in the distance of its last points.
const BEYOND: f64 = 0.5;

/// Mean lag products at values of the feature.
struct Point {
    feature: f64,
    lags: Vec<f64>,
}

/// Lag products as they follow a feature.
pub(super) struct Curve {
    direction: Vec<f64>,
    points: Vec<Point>,
}

impl Curve {
    /// That of `products` (column x `n_lags`) with the feature `direction`' a; none where columns are too few for one.
    pub(super) fn through(products: &[f32], n_lags: usize, direction: &[f64]) -> Option<Self> {
        let feature: Vec<f64> = products.par_chunks(n_lags).map(|lags| along(direction, lags)).collect();
        let points = points(products, n_lags, &feature);
        (points.len() > 1).then(|| Self { direction: direction.to_vec(), points })
    }

    /// Lags of its points.
    pub(super) fn n_lags(&self) -> usize {
        self.points[0].lags.len()
    }

    /// Draws `products` (column x lag) to it, keeping the share `kept` of their distance.
    pub(super) fn draw(&self, products: &mut [f32], kept: f64) {
        products.par_chunks_mut(self.n_lags()).for_each(|lags| {
            let (a, b, at) = self.around(along(&self.direction, lags));
            for (lag, (a, b)) in lags.iter_mut().zip(a.lags.iter().zip(&b.lags)) {
                let curve = a + at * (b - a);
                *lag = (curve + kept * (f64::from(*lag) - curve)) as f32;
            }
        });
    }

    /// By how much lag products grow with the feature, on the whole of `reach` to either side of where it is that of `lags`.
    pub(super) fn slope(&self, lags: &[f64], reach: f64) -> Vec<f64> {
        let feature = along(&self.direction, lags);
        let at = |feature: f64| {
            let (a, b, at) = self.around(feature);
            let between = |(a, b): (&f64, &f64)| a + at * (b - a);
            (between((&a.feature, &b.feature)), a.lags.iter().zip(&b.lags).map(between).collect::<Vec<f64>>())
        };
        let [(from, before), (to, after)] = [feature - reach, feature + reach].map(at);
        let slope = |(before, after)| if to > from { (after - before) / (to - from) } else { 0.0 };
        before.into_iter().zip(after).map(slope).collect()
    }

    /// The points before and after a value of the feature, or those at that end, and how far it is from the first to the second.
    fn around(&self, feature: f64) -> (&Point, &Point, f64) {
        let above = self.points.partition_point(|point| point.feature < feature).clamp(1, self.points.len() - 1);
        let (a, b) = (&self.points[above - 1], &self.points[above]);
        let width = b.feature - a.feature;
        let at = if width > 0.0 { ((feature - a.feature) / width).clamp(-BEYOND, 1.0 + BEYOND) } else { 0.0 };
        (a, b, at)
    }
}

fn along<T: Copy + Into<f64>>(direction: &[f64], lags: &[T]) -> f64 {
    direction.iter().zip(lags).map(|(w, lag)| w * (*lag).into()).sum()
}

/// Means of equally many columns, by their feature.
fn points(products: &[f32], n_lags: usize, feature: &[f64]) -> Vec<Point> {
    let mut order: Vec<usize> = (0..feature.len()).collect();
    order.sort_by(|&a, &b| feature[a].total_cmp(&feature[b])); // equal ones by their column
    let n_points = (order.len() / COLUMNS_A_POINT).min(MOST_POINTS);
    let of_point = |point: usize| {
        let columns = &order[point * order.len() / n_points..(point + 1) * order.len() / n_points];
        let share = (columns.len() as f64).recip();
        let mut lags = vec![0.0; n_lags];
        for &column in columns {
            let of_column = &products[column * n_lags..][..n_lags];
            lags.iter_mut().zip(of_column).for_each(|(mean, lag)| *mean += share * f64::from(*lag));
        }
        Point { feature: columns.iter().map(|&column| share * feature[column]).sum(), lags }
    };
    (0..n_points).map(of_point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns on a parabola, moved off it by turns.
    fn products(off: f32) -> Vec<f32> {
        let of_column = |column: u16| {
            let feature = f32::from(column) / 1024.0;
            [feature, feature * feature + if column.is_multiple_of(2) { off } else { -off }]
        };
        (0..1024).flat_map(of_column).collect()
    }

    #[test]
    fn the_curve_is_where_the_feature_leads() {
        let [on, drawn] = [products(0.0), products(0.1)];
        let mut found = drawn.clone();
        let curve = Curve::through(&drawn, 2, &[1.0, 0.0]).unwrap();
        curve.draw(&mut found, 0.0);
        let mut half = drawn.clone();
        curve.draw(&mut half, 0.5);
        for ((found, half), (on, drawn)) in found.chunks(2).zip(half.chunks(2)).zip(on.chunks(2).zip(drawn.chunks(2))) {
            assert!((found[0] - on[0]).abs() < 1e-6, "{found:?} {on:?}");
            // 16 points w = 1/16 apart: 2 w^2 / 3 at the ends, where the curve goes on straight
            assert!((found[1] - on[1]).abs() < 0.0027, "{found:?} {on:?}");
            assert!((half[1] - 0.5 * (found[1] + drawn[1])).abs() < 1e-6);
        }
    }

    #[test]
    fn its_slope_is_that_of_the_parabola() {
        let curve = Curve::through(&products(0.0), 2, &[1.0, 0.0]).unwrap();
        for (feature, expected) in [(0.25, 0.5), (0.5, 1.0)] {
            let slope = curve.slope(&[feature, feature * feature], 0.1);
            // of 16 straight parts: w of an error at the ends, over twice the reach
            assert!((slope[0] - 1.0).abs() < 1e-12 && (slope[1] - expected).abs() < 0.03, "{slope:?}");
        }
    }

    #[test]
    fn too_few_columns_have_no_curve() {
        assert!(Curve::through(&products(0.1)[..198], 2, &[1.0, 0.0]).is_none());
    }
}

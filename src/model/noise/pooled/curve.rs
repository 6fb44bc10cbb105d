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

/// Draws `products` (column x `n_lags`) to the curve they follow with the feature `direction`' a, keeping the share `kept` of their
/// distance. As they are where columns are too few for a curve.
pub(super) fn draw_to_curve(products: &mut [f32], n_lags: usize, direction: &[f64], kept: f64) {
    let along = |lags: &[f32]| direction.iter().zip(lags).map(|(w, lag)| w * f64::from(*lag)).sum::<f64>();
    let feature: Vec<f64> = products.par_chunks(n_lags).map(along).collect();
    let points = points(products, n_lags, &feature);
    if points.len() < 2 {
        return;
    }
    products.par_chunks_mut(n_lags).zip(feature).for_each(|(lags, feature)| {
        // the interval that the feature is in, or the one at that end
        let above = points.partition_point(|point| point.feature < feature).clamp(1, points.len() - 1);
        let (a, b) = (&points[above - 1], &points[above]);
        let width = b.feature - a.feature;
        let at = if width > 0.0 { ((feature - a.feature) / width).clamp(-BEYOND, 1.0 + BEYOND) } else { 0.0 };
        for (lag, (a, b)) in lags.iter_mut().zip(a.lags.iter().zip(&b.lags)) {
            let curve = a + at * (b - a);
            *lag = (curve + kept * (f64::from(*lag) - curve)) as f32;
        }
    });
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
        draw_to_curve(&mut found, 2, &[1.0, 0.0], 0.0);
        let mut half = drawn.clone();
        draw_to_curve(&mut half, 2, &[1.0, 0.0], 0.5);
        for ((found, half), (on, drawn)) in found.chunks(2).zip(half.chunks(2)).zip(on.chunks(2).zip(drawn.chunks(2))) {
            assert!((found[0] - on[0]).abs() < 1e-6, "{found:?} {on:?}");
            // 16 points w = 1/16 apart: 2 w^2 / 3 at the ends, where the curve goes on straight
            assert!((found[1] - on[1]).abs() < 0.0027, "{found:?} {on:?}");
            assert!((half[1] - 0.5 * (found[1] + drawn[1])).abs() < 1e-6);
        }
    }

    #[test]
    fn too_few_columns_stay_as_they_are() {
        let few = products(0.1)[..198].to_vec();
        let mut found = few.clone();
        draw_to_curve(&mut found, 2, &[1.0, 0.0], 0.0);
        assert_eq!(found, few);
    }
}

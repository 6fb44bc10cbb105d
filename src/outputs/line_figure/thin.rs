//! Long series in as many points as a picture can show.
//!
//! Of the samples that fall into one column of pixels the smallest and the largest are kept, in their order: the
//! picture is the same, and no spike is lost.

/// A stretch of points without a gap.
pub(super) type Stretch = Vec<(f64, f64)>;

/// Points in pixels as stretches between gaps (points that are not finite), thinned to two a column of pixels and the
/// ends of each stretch. `x` ascends.
pub(super) fn stretches(points: impl Iterator<Item = (f64, f64)>) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut open: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if x.is_finite() && y.is_finite() {
            open.push((x, y));
        } else if !open.is_empty() {
            found.push(thinned(&std::mem::take(&mut open)));
        }
    }
    if !open.is_empty() {
        found.push(thinned(&open));
    }
    found
}

fn thinned(points: &[(f64, f64)]) -> Stretch {
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        let (mut lowest, mut highest) = (0, 0);
        for (at, point) in column.iter().enumerate() {
            if point.1 < column[lowest].1 {
                lowest = at;
            }
            if point.1 > column[highest].1 {
                highest = at;
            }
        }
        let mut chosen = vec![lowest, highest];
        if kept.is_empty() {
            chosen.push(0);
        }
        chosen.sort_unstable();
        chosen.dedup();
        kept.extend(chosen.into_iter().map(|at| column[at]));
    }
    if let Some(last) = points.last()
        && kept.last() != Some(last)
    {
        kept.push(*last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(0.0, 1.0), (10.0, 3.0), (20.0, 2.0)];
        assert_eq!(stretches(points.into_iter()), [points.to_vec()]);
    }

    #[test]
    fn gaps_part_the_curve() {
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (3.0, 4.0), (4.0, f64::INFINITY), (5.0, f64::NAN)];
        assert_eq!(stretches(points.into_iter()), [vec![(0.0, 1.0)], vec![(2.0, 3.0), (3.0, 4.0)]]);
        assert!(stretches([(0.0, f64::NAN)].into_iter()).is_empty());
    }

    #[test]
    fn thinning_keeps_every_extreme_and_the_ends() {
        let samples = 100_000_usize;
        let at = |k: usize| {
            let spike = match k {
                31_415 => 5.0,
                27_182 => -4.0,
                _ => 0.0,
            };
            (k as f64 * 800.0 / samples as f64, libm::sin(k as f64 * 0.37) + spike)
        };
        let kept = stretches((0..samples).map(at)).concat();
        // two a column of pixels, and the ends
        assert!(kept.len() <= 2 * 800 + 2, "{}", kept.len());
        assert!(kept.contains(&at(31_415)) && kept.contains(&at(27_182)));
        assert_eq!((kept[0], kept[kept.len() - 1]), (at(0), at(samples - 1)));
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0), "in the order of time");
        let highest = |points: &[(f64, f64)]| points.iter().map(|point| point.1).fold(f64::MIN, f64::max);
        let lowest = |points: &[(f64, f64)]| points.iter().map(|point| point.1).fold(f64::MAX, f64::min);
        let all: Vec<(f64, f64)> = (0..samples).map(at).collect();
        for column in all.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
            let inside = |point: &&(f64, f64)| point.0.floor() == column[0].0.floor();
            let of_kept: Vec<(f64, f64)> = kept.iter().filter(inside).copied().collect();
            assert_eq!((lowest(&of_kept), highest(&of_kept)), (lowest(column), highest(column)));
        }
    }
}

//! Averages over neighbours at growing distances that stop at edges.
//!
//! One average is over a voxel and the six at plus or minus d along each axis that are analysed, with weights of a quarter and an eighth
//! each (at corners of what is alike more of the six are alike than of all 26 around), each neighbour's multiplied by
//! `exp(-(z_i - z_j)^2 / (k^2 rho (v_i + v_j)))`: z is a feature of the voxel, v the local variance of its noise, rho the share of that variance which neighbours this far apart do not have
//! in common, k how many standard deviations count as alike.

use crate::inputs::{Support, place_in};
use crate::signal::widest::{Loop, widest};
use rayon::prelude::*;

/// Columns worked on by one task: fixed, so that sums do not depend on the number of threads.
const TASK_COLUMNS: usize = 2048;
/// No column.
const NONE: u32 = u32::MAX;
/// Share of the local in the local noise variance, the rest being that of all voxels.
const LOCAL: f32 = 0.8;

/// What weighs neighbours.
#[derive(Clone, Copy)]
pub(super) struct Guide<'a> {
    /// Of each column.
    pub(super) feature: &'a [f32],
    /// Noise of the same kind as the feature's, and nothing else.
    pub(super) twin: &'a [f32],
    /// Its local variance.
    pub(super) variance: &'a [f32],
    /// Standard deviations that count as alike.
    pub(super) alike: f32,
}

/// Voxels that an average is over.
const AROUND: usize = 7;
/// Weight of the voxel itself, and of each of its neighbours.
const WEIGHTS: [f32; 2] = [0.25, 0.125];
/// Exponentials at once: whole registers.
const LANES: usize = AROUND.next_multiple_of(8);

/// Largest distance of neighbours, voxels.
const LARGEST_STEP: usize = 4;

/// Which columns are neighbours.
pub(super) struct Neighbourhood {
    /// Shape of the grid with a border as wide as the largest distance, so that every neighbour is on it.
    shape: [usize; 3],
    /// Column at each of its voxels.
    column_at: Vec<u32>,
    /// Place of each column on it.
    place: Vec<usize>,
}

/// A neighbour's place relative to a voxel, and its weight.
#[derive(Clone, Copy)]
struct Offset {
    step: isize,
    weight: f32,
}

impl Neighbourhood {
    /// Of the columns `used` of `support`; columns of a table have no neighbours.
    pub(super) fn new(support: &Support, used: &[usize]) -> Self {
        let border = 2 * LARGEST_STEP;
        let (shape, place): ([usize; 3], Vec<usize>) = match support {
            Support::Voxels { grid, index } => {
                let shape = grid.shape.map(|length| length + border);
                let place = |&column: &usize| {
                    let voxel = index[column] as usize;
                    let [x, y, z] = place_in(grid.shape, voxel).map(|at| at + LARGEST_STEP);
                    (z * shape[1] + y) * shape[0] + x
                };
                (shape, used.iter().map(place).collect())
            }
            // further from one another than any neighbour
            Support::Columns { .. } => {
                let shape = [1 + border, 1 + border, used.len() * (1 + border)];
                let place = |at: usize| {
                    ((at * (1 + border) + LARGEST_STEP) * shape[1] + LARGEST_STEP) * shape[0] + LARGEST_STEP
                };
                (shape, (0..used.len()).map(place).collect())
            }
        };
        let mut column_at = vec![NONE; shape.iter().product()];
        place.iter().enumerate().for_each(|(column, &place)| column_at[place] = column as u32);
        Self { shape, column_at, place }
    }

    /// The offsets at distance `step`, the voxel itself first.
    fn offsets(&self, step: usize) -> [Offset; AROUND] {
        let [nx, ny, _] = self.shape.map(usize::cast_signed);
        let step = step.min(LARGEST_STEP).cast_signed();
        let [x, y, z] = [step, step * nx, step * nx * ny];
        [0, -x, x, -y, y, -z, z].map(|step| Offset { step, weight: WEIGHTS[usize::from(step != 0)] })
    }

    /// The column at an offset from a column.
    #[inline(always)]
    fn neighbour(&self, column: usize, offset: Offset) -> Option<usize> {
        let found = self.column_at[self.place[column].wrapping_add_signed(offset.step)];
        (found != NONE).then_some(found as usize)
    }

    /// `values` (column x `of_column`) averaged at each of the distances `steps` in turn.
    pub(super) fn averaged(
        &self,
        values: Vec<f32>,
        of_column: usize,
        steps: &[usize],
        guide: Option<&Guide<'_>>,
    ) -> Vec<f32> {
        self.averaged_showing(values, of_column, steps, guide, |_| ())
    }

    /// The same, with every average shown to `see`.
    pub(super) fn averaged_showing(
        &self,
        mut values: Vec<f32>,
        of_column: usize,
        steps: &[usize],
        guide: Option<&Guide<'_>>,
        mut see: impl FnMut(&[f32]),
    ) -> Vec<f32> {
        for of_distance in steps.chunk_by(|step, next| step == next) {
            let offsets = self.offsets(of_distance[0]);
            let shares = guide.map_or([1.0; AROUND], |guide| self.unshared_at(guide.twin, &offsets));
            let offsets: Vec<(Offset, f32)> = offsets.into_iter().zip(shares).collect();
            for _ in of_distance {
                let mut out = vec![0.0; values.len()];
                let tasks = out.par_chunks_mut(TASK_COLUMNS * of_column).enumerate();
                tasks.for_each(|(task, out)| {
                    let (around, offsets, values) = (self, &offsets[..], &values[..]);
                    widest(Average { around, offsets, guide, values, of_column, first: task * TASK_COLUMNS, out });
                });
                values = out;
                see(&values);
            }
        }
        values
    }

    /// Sum of squares of what one average at the least distance takes away.
    pub(super) fn fine_squares(&self, values: &[f32]) -> f64 {
        let averaged = self.averaged(values.to_vec(), 1, &[1], None);
        values.iter().zip(averaged).map(|(value, averaged)| f64::from(value - averaged).powi(2)).sum()
    }

    /// [`Self::unshared`] of each offset: the same for an offset and its opposite, as they are of the same pairs.
    fn unshared_at(&self, twin: &[f32], [_, _, x, _, y, _, z]: &[Offset; AROUND]) -> [f32; AROUND] {
        let [x, y, z] = [x, y, z].map(|offset| self.unshared(twin, *offset));
        [0.0, x, x, y, y, z, z]
    }

    /// The share of the noise's variance that columns at this offset do not have in common, at most 1.
    fn unshared(&self, twin: &[f32], offset: Offset) -> f32 {
        let tasks = twin.par_chunks(TASK_COLUMNS).enumerate().map(|(task, values)| {
            let mut sums = [0.0_f64; 2];
            for (at, &own) in values.iter().enumerate() {
                if let Some(neighbour) = self.neighbour(task * TASK_COLUMNS + at, offset) {
                    let [own, other] = [own, twin[neighbour]].map(f64::from);
                    sums[0] += (own - other).powi(2);
                    sums[1] += own * own + other * other;
                }
            }
            sums
        });
        let sums: Vec<[f64; 2]> = tasks.collect();
        let [different, all] = sums.into_iter().fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
        if all > 0.0 { (different / all).min(1.0) as f32 } else { 1.0 }
    }

    /// Variance of noise around each column: of its squares averaged at the distances `steps`, drawn to the mean of all.
    pub(super) fn local_variance(&self, twin: &[f32], steps: &[usize]) -> Vec<f32> {
        let squares: Vec<f32> = twin.iter().map(|value| value * value).collect();
        let mean = squares.iter().map(|&square| f64::from(square)).sum::<f64>() / squares.len().max(1) as f64;
        let mut local = self.averaged(squares, 1, steps, None);
        for local in &mut local {
            *local = LOCAL * *local + (1.0 - LOCAL) * mean as f32;
        }
        local
    }
}

/// One average of the columns from `first` on.
struct Average<'a> {
    around: &'a Neighbourhood,
    /// With the share of noise that is not in common.
    offsets: &'a [(Offset, f32)],
    guide: Option<&'a Guide<'a>>,
    values: &'a [f32],
    of_column: usize,
    first: usize,
    out: &'a mut [f32],
}

impl Loop for Average<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let of_column = self.of_column;
        let mut weights = [0.0; LANES];
        let mut exponents = [0.0; LANES];
        let mut found = [0; AROUND];
        for (at, out) in self.out.chunks_exact_mut(of_column).enumerate() {
            let column = self.first + at;
            let mut n = 0;
            for &(offset, unshared) in self.offsets {
                let Some(neighbour) = self.around.neighbour(column, offset) else { continue };
                found[n] = neighbour;
                weights[n] = offset.weight;
                exponents[n] = match self.guide {
                    Some(guide) if neighbour != column => guide.exponent(column, neighbour, unshared),
                    _ => 0.0,
                };
                n += 1;
            }
            weights[n..].fill(0.0);
            if self.guide.is_some() {
                for (weight, exponent) in weights.iter_mut().zip(&exponents) {
                    *weight *= exp(*exponent);
                }
            }
            let mut total = 0.0;
            for (&neighbour, &weight) in found[..n].iter().zip(&weights) {
                total += weight;
                let of_neighbour = &self.values[neighbour * of_column..][..of_column];
                out.iter_mut().zip(of_neighbour).for_each(|(out, value)| *out += weight * value);
            }
            for out in out.iter_mut() {
                *out /= total; // the voxel itself weighs a quarter
            }
        }
    }
}

/// e to the `x`, which is not above 0, within 2e-7 of itself; 0 at -87 and below. Of additions and products alone: the same on every machine,
/// and several at once.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4; // of few bits, so that its multiples are exact
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x_bounded = if x > -87.0 { x } else { -87.0 };
    // to the nearest whole number of halvings
    let halvings = (x_bounded * -std::f32::consts::LOG2_E + 0.5) as i32;
    let whole = halvings as f32;
    let rest = x_bounded + whole * LN_2_HIGH + whole * LN_2_LOW;
    // Taylor's series: rest is within ln(2) / 2
    let mut series = 1.0 / 5040.0;
    for term in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * rest + term;
    }
    let scale = f32::from_bits(((127 - halvings) as u32) << 23);
    if x > -87.0 { series * scale } else { 0.0 }
}

impl Guide<'_> {
    /// The logarithm of how like two columns are that have not in common this share of their noise.
    #[inline(always)]
    fn exponent(&self, column: usize, neighbour: usize, unshared: f32) -> f32 {
        let difference = self.feature[column] - self.feature[neighbour];
        let expected = self.alike * self.alike * unshared * (self.variance[column] + self.variance[neighbour]);
        if difference == 0.0 {
            return 0.0;
        }
        -difference * difference / expected // without end where all noise is in common
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Grid;

    fn support(shape: [usize; 3], inside: impl Fn(usize) -> bool) -> Support {
        let affine = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
        let grid = Grid { shape, affine };
        let mask: Vec<bool> = (0..shape.iter().product()).map(inside).collect();
        Support::from_mask(grid, &mask)
    }

    #[test]
    fn averages_weigh_a_quarter_and_an_eighth_for_each_of_six() {
        let support = support([5, 1, 1], |_| true);
        let around = Neighbourhood::new(&support, &[0, 1, 2, 3, 4]);
        let averaged = around.averaged(vec![0.0, 0.0, 1.0, 0.0, 0.0], 1, &[1], None);
        // at the end a quarter of three eighths
        assert_eq!(averaged, [0.0, 0.25, 0.5, 0.25, 0.0]);
        let far = around.averaged(vec![1.0, 0.0, 0.0, 0.0, 0.0], 1, &[2], None);
        assert_eq!(far, [2.0 / 3.0, 0.0, 0.25, 0.0, 0.0]);
        // a voxel that is not used is no neighbour
        let around = Neighbourhood::new(&support, &[0, 1, 3, 4]);
        assert_eq!(
            around.averaged(vec![0.0, 1.0, 0.0, 1.0], 1, &[1], None),
            [1.0 / 3.0, 2.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0]
        );
    }

    #[test]
    fn averages_reach_along_each_axis() {
        let support = support([3, 3, 3], |_| true);
        let around = Neighbourhood::new(&support, &(0..27).collect::<Vec<_>>());
        for (from, share) in [(13, 0.25), (12, 0.125), (16, 0.125), (22, 0.125), (9, 0.0), (0, 0.0)] {
            let one = (0..27).map(|column| f32::from(u8::from(column == from))).collect();
            assert_eq!(around.averaged(one, 1, &[1], None)[13], share, "{from}");
        }
    }

    #[test]
    fn averages_stop_at_edges_of_the_feature() {
        let support = support([8, 4, 4], |_| true);
        let used: Vec<usize> = (0..128).collect();
        let around = Neighbourhood::new(&support, &used);
        let feature: Vec<f32> = used.iter().map(|column| if column % 8 < 4 { 0.0 } else { 100.0 }).collect();
        let twin: Vec<f32> = used.iter().map(|column| if column * 7 % 3 == 0 { 1.0 } else { -0.5 }).collect();
        let variance = vec![1.0; 128];
        let guide = Guide { feature: &feature, twin: &twin, variance: &variance, alike: 4.0 };
        let averaged = around.averaged(feature.clone(), 1, &[1, 1, 2], Some(&guide));
        assert_eq!(averaged, feature);
    }

    #[test]
    fn exponentials_are_those_of_the_library() {
        for step in 0..8700_i16 {
            let x = -f32::from(step) / 100.0;
            let expected = libm::exp(f64::from(x));
            // rounding of a product and of a sum near 1
            assert!((f64::from(exp(x)) / expected - 1.0).abs() < 2e-7, "{x}");
        }
        assert_eq!([exp(0.0), exp(-87.0), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0]);
    }

    #[test]
    fn columns_of_a_table_keep_what_they_have() {
        let support = Support::Columns { names: vec!["a".to_owned(), "b".to_owned()] };
        let around = Neighbourhood::new(&support, &[0, 1]);
        assert_eq!(around.averaged(vec![1.0, 2.0], 1, &[1, 2], None), [1.0, 2.0]);
    }
}

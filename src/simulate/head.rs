//! The head on its grid: where there is signal, how bright it is, which voxels are brain, and maps over it.

use super::field::WaveField;
use super::random::{Purpose, Stream};
use super::{BlobShape, BlobSpec, SimulationSpec};
use crate::inputs::Grid;
use rayon::prelude::*;

/// Distances in units of the brain's ellipsoid at which the scalp begins and ends.
const SCALP: [f64; 2] = [1.06, 1.16];
/// Brightness of the scalp as a fraction of white matter.
const SCALP_BRIGHTNESS: f64 = 0.2;
/// Inner edge of the cortical ribbon in the same units.
const RIBBON: f64 = 0.82;

/// The head; maps over it have one value a voxel of `index`.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// The grid.
    pub(super) grid: Grid,
    /// Linear index (axis 0 fastest) of each voxel that holds signal.
    pub(super) index: Vec<u32>,
    /// Mean brightness of each of them.
    pub(super) baseline: Vec<f32>,
    /// Which of them are brain.
    pub(super) brain: Vec<bool>,
}

impl Head {
    /// Builds the head of a simulation.
    pub(super) fn new(spec: &SimulationSpec) -> Self {
        let grid = grid(spec);
        let radii = spec.head.radii_mm;
        let scale_mm = radii.iter().copied().fold(0.0, f64::max) * 2.0;
        let shading = WaveField::new(&mut Stream::new(spec.seed, Purpose::Anatomy, &[]), scale_mm);
        let voxels: Vec<(u32, f32, bool)> = (0..grid.n_voxels())
            .into_par_iter()
            .filter_map(|at| {
                let point = position_mm(&grid, at);
                let distance =
                    norm(std::array::from_fn(|axis| (point[axis] - spec.head.centre_mm[axis]) / radii[axis]));
                let tissue = tissue(distance, spec.head.tissue_contrast)?;
                let brightness = spec.head.baseline * tissue * (1.0 + spec.head.shading * shading.at(point));
                Some((at as u32, brightness as f32, distance <= 1.0))
            })
            .collect();
        Self {
            grid,
            index: voxels.iter().map(|voxel| voxel.0).collect(),
            baseline: voxels.iter().map(|voxel| voxel.1).collect(),
            brain: voxels.iter().map(|voxel| voxel.2).collect(),
        }
    }

    /// Number of voxels with signal.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// A map over the head: `value` at each voxel's position, mm.
    pub(super) fn map(&self, value: impl Fn([f64; 3]) -> f64 + Sync) -> Vec<f32> {
        self.index.par_iter().map(|&at| value(position_mm(&self.grid, at as usize)) as f32).collect()
    }

    /// The effect of responding regions, percent, zero outside the brain.
    pub(super) fn effect(&self, blobs: &[BlobSpec]) -> Vec<f32> {
        let mut effect = self.map(|point| {
            let one = |blob: &BlobSpec| {
                let distance_mm = norm(std::array::from_fn(|axis| point[axis] - blob.centre_mm[axis]));
                match blob.shape {
                    BlobShape::Sphere if distance_mm <= blob.size_mm => blob.percent,
                    BlobShape::Sphere => 0.0,
                    BlobShape::Gaussian => {
                        let widths = distance_mm / blob.size_mm;
                        blob.percent * libm::exp(-4.0 * std::f64::consts::LN_2 * widths * widths)
                    }
                }
            };
            blobs.iter().map(one).fold(0.0, |sum, effect| sum + effect)
        });
        for (value, &brain) in effect.iter_mut().zip(&self.brain) {
            if !brain {
                *value = 0.0;
            }
        }
        effect
    }

    /// Places in the head's maps of the brain voxels within a sphere.
    pub(super) fn sphere(&self, centre_mm: [f64; 3], radius_mm: f64) -> Vec<usize> {
        (0..self.len())
            .filter(|&place| {
                let point = position_mm(&self.grid, self.index[place] as usize);
                self.brain[place] && norm(std::array::from_fn(|axis| point[axis] - centre_mm[axis])) <= radius_mm
            })
            .collect()
    }

    /// A map on the whole grid, zero where the head is not or `keep` is false.
    pub(super) fn scatter(&self, map: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut volume = vec![0.0; self.grid.n_voxels()];
        for (place, &at) in self.index.iter().enumerate() {
            volume[at as usize] = map(place);
        }
        volume
    }
}

/// The grid of a simulation, axes along scanner axes.
fn grid(spec: &SimulationSpec) -> Grid {
    let (shape, voxel_mm) = (spec.grid.shape, spec.grid.voxel_mm);
    let centred = std::array::from_fn(|axis| -0.5 * (shape[axis] as f64 - 1.0) * voxel_mm[axis]);
    let origin_mm = spec.grid.origin_mm.unwrap_or(centred);
    let mut affine = [[0.0; 4]; 4];
    for axis in 0..3 {
        affine[axis][axis] = voxel_mm[axis];
        affine[axis][3] = origin_mm[axis];
    }
    affine[3][3] = 1.0;
    Grid { shape, affine }
}

/// Centre of a voxel, mm.
fn position_mm(grid: &Grid, at: usize) -> [f64; 3] {
    let [nx, ny, _] = grid.shape;
    let voxel = [(at % nx) as f64, (at / nx % ny) as f64, (at / (nx * ny)) as f64];
    std::array::from_fn(|axis| grid.affine[axis][axis] * voxel[axis] + grid.affine[axis][3])
}

/// Brightness at a distance from the centre (1: the brain's surface), relative to white matter; `None`: no signal.
fn tissue(distance: f64, contrast: f64) -> Option<f64> {
    match distance {
        d if d <= RIBBON => Some(1.0),
        d if d <= 1.0 => Some(1.0 + contrast),
        d if d <= SCALP[0] => {
            // falls from cortex to scalp across the skull, as partial volumes do
            let way = (d - 1.0) / (SCALP[0] - 1.0);
            Some((1.0 - way) * (1.0 - SCALP_BRIGHTNESS) * 0.6 + SCALP_BRIGHTNESS)
        }
        d if d <= SCALP[1] => Some(SCALP_BRIGHTNESS),
        _ => None,
    }
}

/// Euclidean length.
fn norm(vector: [f64; 3]) -> f64 {
    libm::sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::fixture;

    #[test]
    fn the_brain_has_the_volume_of_its_ellipsoid_and_is_brighter_than_the_rest() {
        let mut spec = fixture::small();
        spec.grid.shape = [60, 60, 60];
        spec.grid.voxel_mm = [1.0; 3];
        spec.head.radii_mm = [20.0, 24.0, 18.0];
        let head = Head::new(&spec);
        let brain = head.brain.iter().filter(|inside| **inside).count() as f64;
        let ellipsoid = 4.0 / 3.0 * std::f64::consts::PI * 20.0 * 24.0 * 18.0;
        assert!((brain / ellipsoid - 1.0).abs() < 0.01, "{brain} {ellipsoid}");
        let range = |inside: bool| {
            let values = head.baseline.iter().zip(&head.brain).filter(move |(_, b)| **b == inside).map(|(v, _)| *v);
            values.fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)))
        };
        // a gap for the automatic mask: darkest brain far above the brightest scalp and skull
        assert!(range(true).0 > 1.1 * range(false).1, "{:?} {:?}", range(true), range(false));
    }

    #[test]
    fn effects_stand_where_they_are_declared() {
        let mut spec = fixture::small();
        spec.grid.shape = [21, 21, 21];
        spec.grid.voxel_mm = [4.0; 3];
        spec.head.radii_mm = [40.0; 3];
        let head = Head::new(&spec);
        let blob = |shape| [BlobSpec { shape, centre_mm: [8.0, -4.0, 0.0], size_mm: 8.0, percent: 2.0 }];
        let at = |map: &[f32], point: [f64; 3]| {
            let place = (0..head.len()).find(|&p| position_mm(&head.grid, head.index[p] as usize) == point).unwrap();
            map[place]
        };
        let sphere = head.effect(&blob(BlobShape::Sphere));
        assert_eq!(at(&sphere, [8.0, 4.0, 0.0]), 2.0);
        assert_eq!(at(&sphere, [8.0, 8.0, 0.0]), 0.0);
        let gaussian = head.effect(&blob(BlobShape::Gaussian));
        // half the maximum at half the full width
        assert!((at(&gaussian, [8.0, 0.0, 0.0]) - 1.0).abs() < 1e-6);
        assert_eq!(at(&gaussian, [8.0, -4.0, 0.0]), 2.0);
        assert_eq!(head.sphere([8.0, -4.0, 0.0], 4.0).len(), 7);
    }
}

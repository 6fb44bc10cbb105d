//! Head motion: six columns that wander, framewise displacement, and sudden displacements.

use super::SimulationSpec;
use super::noise::RunItem;
use super::random::{Purpose, Stream};

/// Names of the six columns as fMRIPrep writes them.
pub(super) const COLUMNS: [&str; 6] = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"];
/// Decimals of the columns in the table: the values are rounded to them, so that what the table says is what happened.
pub(super) const DECIMALS: usize = 6;
/// Radius of the sphere on which rotations are measured (Power et al. 2012, doi 10.1016/j.neuroimage.2011.10.018), mm.
const HEAD_RADIUS_MM: f64 = 50.0;

/// The six columns of one run, each `volumes` long: mm and radians.
pub(super) fn motion(spec: &SimulationSpec, item: RunItem) -> [Vec<f64>; 6] {
    let mut stream = Stream::new(spec.seed, Purpose::Motion, &[item.subject, item.run]);
    let mut spikes: Vec<usize> = (1..spec.volumes).collect();
    stream.shuffle(&mut spikes);
    spikes.truncate(spec.motion.spikes);
    std::array::from_fn(|column| {
        let (sd, spike) = if column < 3 {
            (spec.motion.translation_mm, spec.motion.spike_mm)
        } else {
            (spec.motion.rotation_rad, 0.0)
        };
        let mut walk = Vec::with_capacity(spec.volumes);
        let mut at = 0.0;
        for _ in 0..spec.volumes {
            at += stream.normal();
            walk.push(at);
        }
        let unit = standardised(&walk);
        let scale = f64::from(10_u32.pow(DECIMALS as u32));
        unit.iter()
            .enumerate()
            .map(|(volume, value)| {
                let jump = if spikes.contains(&volume) { spike } else { 0.0 };
                libm::round((sd * value + jump) * scale) / scale
            })
            .collect()
    })
}

/// `values` with mean 0 and standard deviation 1; all zero where they do not vary.
pub(super) fn standardised(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = libm::sqrt(values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n);
    values.iter().map(|value| if sd > 0.0 { (value - mean) / sd } else { 0.0 }).collect()
}

/// Framewise displacement (Power et al. 2012), mm; the first volume has none.
pub(super) fn framewise_displacement(motion: &[Vec<f64>; 6]) -> Vec<Option<f64>> {
    (0..motion[0].len())
        .map(|volume| {
            let before = volume.checked_sub(1)?;
            let moved = |column: usize| (motion[column][volume] - motion[column][before]).abs();
            Some((0..3).map(moved).sum::<f64>() + HEAD_RADIUS_MM * (3..6).map(moved).sum::<f64>())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::fixture;

    #[test]
    fn columns_have_the_declared_size_and_spikes_stand_out() {
        let mut spec = fixture::small();
        spec.motion.translation_mm = 0.1;
        spec.motion.rotation_rad = 0.001;
        spec.motion.spikes = 0;
        let item = RunItem { subject: 0, run: 1 };
        let sd = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
        };
        let calm = motion(&spec, item);
        for (column, values) in calm.iter().enumerate() {
            let declared = if column < 3 { 0.1 } else { 0.001 };
            // rounding to 1e-6
            assert!((sd(values) - declared).abs() < 1e-6);
        }
        spec.motion.spikes = 2;
        spec.motion.spike_mm = 1.0;
        let displacement = framewise_displacement(&motion(&spec, item));
        assert_eq!(displacement[0], None);
        let large = displacement.iter().flatten().filter(|fd| **fd > 2.0).count();
        // there and back, unless two spikes are neighbours or at the end
        assert!((2..=4).contains(&large), "{large}");
        assert!(framewise_displacement(&calm).iter().flatten().all(|fd| *fd < 1.0));
    }
}

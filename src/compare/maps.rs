//! Two images, voxel by voxel.

use super::images::{Intent, read_image};
use super::tally::{Place, Tally};
use super::{Difference, Tolerance, both};
use crate::error::Diagnostics;
use crate::inputs::place_in;
use std::path::Path;

/// Compares two images; the count is of voxels in all volumes.
pub(super) fn compare_images(
    a: &Path,
    b: &Path,
    tolerance: Tolerance,
) -> Result<(usize, Option<Difference>), Diagnostics> {
    let (a, b) = both(a, b, read_image)?;
    let shape = |what, a: String, b: String| Ok((0, Some(Difference::Shape { what, a, b })));
    if !a.grid.same_as(&b.grid) {
        return shape("grids", a.grid.to_string(), b.grid.to_string());
    }
    if a.n_frames != b.n_frames {
        return shape("numbers of volumes", a.n_frames.to_string(), b.n_frames.to_string());
    }
    if !a.intent.agrees_with(b.intent, tolerance) {
        return shape("statistics", a.intent.describe(), b.intent.describe());
    }
    let n_voxels = a.grid.n_voxels();
    let mut tally = Tally::default();
    for (at, (&x, &y)) in a.values.iter().zip(&b.values).enumerate() {
        tally.numbers(tolerance, x, y, || {
            let (voxel, volume) = (at % n_voxels, at / n_voxels);
            Place::Voxel { ijk: place_in(a.grid.shape, voxel), volume: (a.n_frames > 1).then_some(volume) }
        });
    }
    Ok(tally.finish())
}

impl Intent {
    /// Images that both say what they hold must say the same; many programs say nothing.
    fn agrees_with(self, other: Self, tolerance: Tolerance) -> bool {
        let parameters = self.parameters.iter().zip(&other.parameters);
        self.code == 0
            || other.code == 0
            || self.code == other.code
                && parameters.into_iter().all(|(a, b)| tolerance.holds(f64::from(*a), f64::from(*b)))
    }

    fn describe(self) -> String {
        let [first, second, _] = self.parameters;
        match self.code {
            2 => format!("correlation with {first} degrees of freedom"),
            3 => format!("t with {first} degrees of freedom"),
            4 => format!("F with {first} and {second} degrees of freedom"),
            5 => "z".to_owned(),
            22 => "p".to_owned(),
            1001 => "estimate".to_owned(),
            code => format!("intent code {code}"),
        }
    }
}

//! Masks and atlases: images that say which voxels are meant.

use super::nifti::{ImageHeader, read_volume};
use super::{Grid, place_in};
use crate::config::MaskCombination;
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use std::path::Path;

/// Reads a mask: a voxel is inside where its value is finite and not zero. One entry a voxel, axis 0 fastest.
///
/// A map of probabilities and values that are not finite give a warning that says what was made of them.
///
/// # Errors
/// As [`read_volume`]; or no voxel is inside.
pub fn read_mask(path: &Path) -> Result<(Grid, Vec<bool>, Diagnostics), Diagnostics> {
    let (header, values, mut warnings) = read_volume(path)?;
    let mask: Vec<bool> = values.iter().map(|value| value.is_finite() && *value != 0.0).collect();
    let n_inside = mask.iter().filter(|inside| **inside).count();
    let n_between = values.iter().filter(|value| **value > 0.0 && **value < 1.0).count();
    if n_between > 0 {
        let message = format!(
            "a map of probabilities taken as a mask: every value but 0 is inside ({}, {n_between} of them \
             between 0 and 1)",
            counted(n_inside, "voxel")
        );
        let half = values.iter().filter(|value| **value >= 0.5).count();
        warnings.push(Diagnostic::warning("mask-not-binary", message).at(Place::file(path)).hint(format!(
            "give a mask thresholded as you mean it; at 0.5, {} would be inside",
            counted(half, "voxel")
        )));
    }
    let n_odd = values.iter().filter(|value| !value.is_finite()).count();
    if n_odd > 0 {
        let voxels = counted(n_odd, "voxel");
        let message = format!("NaN or infinite values in the mask, taken to be outside: {voxels}");
        warnings.push(Diagnostic::warning("mask-not-finite", message).at(Place::file(path)));
    }
    if n_inside == 0 {
        let message = "the mask is empty: no voxel is finite and not zero";
        return Err(Diagnostic::error("mask-empty", message).at(Place::file(path)).into());
    }
    Ok((header.grid, mask, warnings))
}

/// Combines the masks of several runs (same length each): inside all of them, or inside more than half.
/// Without masks nothing is inside.
pub fn combine_masks(masks: &[Vec<bool>], combination: MaskCombination) -> Vec<bool> {
    let n_voxels = masks.iter().map(Vec::len).max().unwrap_or(0);
    let votes = |voxel: usize| masks.iter().filter(|mask| mask.get(voxel) == Some(&true)).count();
    (0..n_voxels)
        .map(|voxel| match combination {
            MaskCombination::Intersection => votes(voxel) == masks.len(),
            MaskCombination::Majority => 2 * votes(voxel) > masks.len(),
        })
        .collect()
}

/// The error that two images do not mean the same voxels; shows both grids.
pub fn grid_mismatch(path: &Path, grid: &Grid, reference_path: &Path, reference: &Grid) -> Diagnostic {
    let what = if grid.shape == reference.shape {
        let distances = grid.affine.iter().flatten().zip(reference.affine.iter().flatten());
        let largest = distances.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        format!("the affines differ by up to {largest:.3} mm")
    } else {
        let [[a, b, c], [d, e, f]] = [grid.shape, reference.shape];
        format!("the shapes are {a}x{b}x{c} and {d}x{e}x{f}")
    };
    Diagnostic::error("grid-mismatch", format!("not on the grid of `{}`: {what}", reference_path.display()))
        .at(Place::file(path))
        .note(format!("this image: {grid}"))
        .note(format!("expected:   {reference}"))
        .hint("resample one onto the other, for example with nilearn's `resample_to_img`")
}

/// Reads an atlas: one whole number a voxel (axis 0 fastest), 0 outside every region. Warnings ride along.
///
/// # Errors
/// As [`read_volume`]; or a value is no whole number that fits an i32.
pub fn read_atlas(path: &Path) -> Result<(Grid, Vec<i32>, Diagnostics), Diagnostics> {
    let (ImageHeader { grid, .. }, values, warnings) = read_volume(path)?;
    let label = |value: f64| {
        let whole = value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
        whole.then_some(value as i32)
    };
    let mut labels = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        let Some(label) = label(*value) else {
            let [i, j, k] = place_in(grid.shape, at);
            let voxel = (i, j, k);
            let n_odd = values.iter().filter(|value| label(**value).is_none()).count();
            let message = format!("the label {value} of voxel {voxel:?} is no whole number");
            return Err(Diagnostic::error("atlas-label", message)
                .at(Place::file(path))
                .note(format!("such labels are in {}", counted(n_odd, "voxel")))
                .hint("an atlas holds one integer a voxel; a probabilistic one is to be thresholded first")
                .into());
        };
        labels.push(label);
    }
    Ok((grid, labels, warnings))
}

#[cfg(test)]
mod tests {
    use super::super::nifti::test_images::TestImage;
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn not_zero_and_finite_is_inside() {
        let folder = folder();
        let image = TestImage::of_f32(&[5, 1, 1], &[0.0, 1.0, -2.0, f32::NAN, f32::INFINITY]);
        let (grid, mask, warnings) = read_mask(&image.write(folder.path(), "m.nii.gz")).unwrap();
        assert_eq!((grid.shape, mask), ([5, 1, 1], vec![false, true, true, false, false]));
        let codes: Vec<_> = warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, ["mask-not-finite"]);
    }

    #[test]
    fn a_map_of_probabilities_says_its_threshold() {
        let folder = folder();
        let image = TestImage::of_f32(&[4, 1, 1], &[0.0, 0.1, 0.5, 1.0]);
        let (_, mask, warnings) = read_mask(&image.write(folder.path(), "m.nii")).unwrap();
        assert_eq!(mask, [false, true, true, true]);
        let text = warnings.to_string();
        assert!(text.contains("every value but 0 is inside (3 voxels, 2 of them between 0 and 1)"), "{text}");
        assert!(text.contains("at 0.5, 2 voxels would be inside"), "{text}");
    }

    #[test]
    fn an_empty_mask_and_a_series_are_refused() {
        let folder = folder();
        let code = |image: TestImage| {
            read_mask(&image.write(folder.path(), "m.nii")).unwrap_err().iter().next().map(|problem| problem.code)
        };
        assert_eq!(code(TestImage::of_f32(&[2, 1, 1], &[0.0, f32::NAN])), Some("mask-empty"));
        assert_eq!(code(TestImage::new(&[2, 1, 1, 3])), Some("image-not-one-volume"));
    }

    #[test]
    fn masks_are_combined_by_vote() {
        let masks = [vec![true, true, true, false], vec![true, true, false, false], vec![true, false, false, false]];
        assert_eq!(combine_masks(&masks, MaskCombination::Intersection), [true, false, false, false]);
        assert_eq!(combine_masks(&masks, MaskCombination::Majority), [true, true, false, false]);
        // half is not more than half
        assert_eq!(combine_masks(&masks[1..], MaskCombination::Majority), [true, false, false, false]);
        assert!(combine_masks(&[], MaskCombination::Intersection).is_empty());
    }

    #[test]
    fn a_mismatch_shows_both_grids() {
        let mut affine = [[0.0; 4]; 4];
        (0..4).for_each(|axis| affine[axis][axis] = 1.0);
        let grid = Grid { shape: [2, 3, 4], affine };
        let mut moved = grid.clone();
        moved.affine[1][3] = -0.25;
        let text = grid_mismatch(Path::new("mask.nii"), &moved, Path::new("bold.nii"), &grid).to_string();
        assert!(text.contains("not on the grid of `bold.nii`: the affines differ by up to 0.250 mm"), "{text}");
        assert!(text.contains("--> mask.nii") && text.contains("[0.0000 1.0000 0.0000 -0.2500]"), "{text}");
        let other = Grid { shape: [2, 3, 5], affine };
        let text = grid_mismatch(Path::new("mask.nii"), &other, Path::new("bold.nii"), &grid).to_string();
        assert!(text.contains("the shapes are 2x3x5 and 2x3x4"), "{text}");
    }

    #[test]
    fn an_atlas_holds_whole_numbers() {
        let folder = folder();
        let image = TestImage::of_f32(&[3, 1, 1], &[0.0, 7.0, -1.0]);
        assert_eq!(read_atlas(&image.write(folder.path(), "a.nii")).unwrap().1, [0, 7, -1]);
        for odd in [0.5, f32::NAN, 3e9] {
            let image = TestImage::of_f32(&[1, 2, 1], &[1.0, odd]);
            let text = read_atlas(&image.write(folder.path(), "a.nii")).unwrap_err().to_string();
            assert!(text.contains("of voxel (0, 1, 0) is no whole number"), "{text}");
        }
    }
}

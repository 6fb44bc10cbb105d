//! The automatic mask of a whole run of `boldly`, where it differs from the mask of one mean image.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use support::{Project, image};

const SHAPE: [usize; 3] = [14, 14, 9];
const N_FRAMES: usize = 40;

/// Bright boxes (from, up to) whose opened and closed mask falls into two parts: the closing fills a pocket of two
/// voxels beside the component that was dilated. Found by random search with scipy.
const BOXES: [([usize; 3], [usize; 3]); 5] = [
    ([2, 1, 4], [7, 7, 9]),
    ([7, 0, 3], [14, 6, 9]),
    ([5, 9, 2], [12, 14, 8]),
    ([8, 5, 4], [13, 12, 9]),
    ([1, 9, 1], [7, 14, 8]),
];

/// A NIfTI-1 file of the boxes at 1100 in a background of 100, each voxel wavering by up to 2 over time.
fn nifti() -> Vec<u8> {
    let mut header = [0_u8; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    for (slot, length) in [4, SHAPE[0], SHAPE[1], SHAPE[2], N_FRAMES, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * slot, &(length as u16).to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes()); // int16
    put(72, &16_i16.to_le_bytes());
    for (slot, size) in [1.0_f32, 3.0, 3.0, 3.0, 2.0].into_iter().enumerate() {
        put(76 + 4 * slot, &size.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    put(123, &[2 | 8]); // mm, s
    put(344, b"n+1\0");
    let mut bytes = header.to_vec();
    for frame in 0..N_FRAMES {
        for voxel in 0..SHAPE.iter().product() {
            let at = [voxel % SHAPE[0], voxel / SHAPE[0] % SHAPE[1], voxel / (SHAPE[0] * SHAPE[1])];
            let bright = BOXES.iter().any(|(from, to)| (0..3).all(|axis| (from[axis]..to[axis]).contains(&at[axis])));
            let waver = ((frame * frame + 3 * voxel * frame) % 5) as u16;
            bytes.extend((if bright { 1098 } else { 98 } + waver).to_le_bytes());
        }
    }
    bytes
}

/// nilearn 0.14.1's `compute_multi_epi_mask` of this image keeps 278 voxels, its `compute_epi_mask` 280.
#[test]
fn of_a_single_run_too_the_mask_is_one_piece() {
    let project = Project::new(
        "schema = 1\nname = \"mask\"\n[[run]]\nbold = \"sub-01_task-a_bold.nii\"\nevents = \"events.tsv\"\n\
         [[glm]]\nname = \"a\"\n[[glm.contrast]]\nname = \"a\"\nexpr = \"a\"\n",
    );
    std::fs::write(project.path().join("sub-01_task-a_bold.nii"), nifti()).unwrap();
    std::fs::write(project.path().join("events.tsv"), "onset\tduration\ttrial_type\n10\t4\ta\n41\t4\ta\n").unwrap();
    project.succeed(&["run", "pipeline.toml"]);
    let mask = image(&project.path().join("results/a/sub-01/func/sub-01_task-a_desc-brain_mask.nii.gz"));
    assert_eq!(mask.iter().filter(|value| **value == 1.0).count(), 278);
}

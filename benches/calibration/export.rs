//! Cells written out for `nilearn_ar1.py`.

use crate::cells::Cell;
use crate::design::design;
use crate::methods::{Estimates, Method, run_design, series};
use crate::simulation::{Run, Shape};
use boldly::config::FixedEffects;
use ndarray::Array2;
use std::io::Write as _;
use std::path::Path;

/// An array of numpy's, little-endian f32 by rows.
fn write_npy(path: &Path, values: &Array2<f32>) {
    let (rows, columns) = values.dim();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // magic, version and length are 10 bytes; all a multiple of 64, the last byte a newline
    let padded = (10 + header.len() + 1).div_ceil(64) * 64 - 10;
    header = format!("{header:<width$}\n", width = padded - 1);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    std::fs::File::create(path).unwrap().write_all(&bytes).unwrap();
}

/// Data, design, and by voxel: the effect under the true covariance, its true variance, and effect and variance of the
/// profile `nilearn`.
pub fn write(cell: &Cell, n_voxels: usize, folder: &Path) {
    let matrix = design(cell);
    let run = Run::draw(cell, &matrix, Shape::of(n_voxels), 0);
    let method = Method::NilearnAr1;
    let fit = method.fit(&series(&run.data, run.shape), &run_design(matrix.clone(), cell.tr_s));
    let own = Estimates::of(&[fit], FixedEffects::Precision, &method.numerics());
    let maps = [&run.effect, &run.variance, &own.effect, &own.variance];
    let maps = Array2::from_shape_fn((4, run.effect.len()), |(map, voxel)| maps[map][voxel] as f32);
    std::fs::create_dir_all(folder).unwrap();
    let path = |what: &str| folder.join(format!("{}_{what}.npy", cell.name()));
    write_npy(&path("data"), &run.data);
    // rounded once, for both programs would see it otherwise to different digits
    write_npy(&path("design"), &matrix.mapv(|value| value as f32));
    write_npy(&path("maps"), &maps);
}

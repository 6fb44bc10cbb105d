//! Designs, written out here and not taken from the program under test.

use crate::cells::{Cell, Paradigm};
use ndarray::Array2;
use statrs::function::gamma::gamma_lr;

/// One realisation of gaps between 4 and 14 s, so that shorter runs see its beginning.
const ONSETS_S: [f64; 54] = [
    4.000, 14.251, 27.223, 38.980, 45.232, 52.234, 64.969, 69.022, 81.234, 93.205, 101.884, 108.915, 115.699, 122.247,
    130.698, 139.744, 149.279, 163.234, 175.160, 185.382, 199.272, 205.425, 211.027, 221.152, 225.592, 229.949,
    239.097, 247.759, 260.931, 271.223, 280.365, 289.333, 295.808, 299.926, 305.850, 316.771, 322.777, 330.472,
    334.510, 346.810, 352.355, 359.031, 371.834, 380.932, 393.403, 403.801, 415.218, 420.133, 429.545, 438.622,
    451.336, 458.948, 468.930, 473.523,
];

/// Cut-off of the cosine drift, Hz.
const HIGH_PASS_HZ: f64 = 0.01;

/// Glover's response integrated from 0 to `t_s`, to within a factor: two gamma densities of shapes 6/.9 and 12/.9 and
/// scale .9 s, the later one by .48 (doi:10.1006/nimg.1998.0419).
fn response_until(t_s: f64) -> f64 {
    if t_s <= 0.0 {
        return 0.0;
    }
    gamma_lr(6.0 / 0.9, t_s / 0.9) - 0.48 * gamma_lr(12.0 / 0.9, t_s / 0.9)
}

/// The response to events of a duration, at the frames.
pub fn task(onsets_s: &[f64], duration_s: f64, n_frames: usize, tr_s: f64) -> Vec<f64> {
    let at = |t_s: f64| -> f64 {
        onsets_s.iter().map(|onset| response_until(t_s - onset) - response_until(t_s - onset - duration_s)).sum()
    };
    (0..n_frames).map(|frame| at(frame as f64 * tr_s)).collect()
}

/// A task in column 0, cosines slower than 100 s, a constant.
pub fn with_drift(task: &[f64], tr_s: f64) -> Array2<f64> {
    let n = task.len();
    let n_cosines = (2.0 * n as f64 * tr_s * HIGH_PASS_HZ).floor() as usize;
    Array2::from_shape_fn((n, n_cosines + 2), |(frame, column)| match column {
        0 => task[frame],
        1 => 1.0,
        _ => (std::f64::consts::PI * (column - 1) as f64 * (frame as f64 + 0.5) / n as f64).cos(),
    })
}

/// The design of a cell.
pub fn design(cell: &Cell) -> Array2<f64> {
    let length_s = cell.n_frames as f64 * cell.tr_s;
    let task = match cell.paradigm {
        Paradigm::Block => {
            let n_blocks = ((length_s - 20.0) / 40.0).ceil() as usize;
            let onsets: Vec<f64> = (0..n_blocks).map(|block| 20.0 + 40.0 * block as f64).collect();
            task(&onsets, 20.0, cell.n_frames, cell.tr_s)
        }
        Paradigm::Event => {
            let onsets: Vec<f64> = ONSETS_S.into_iter().filter(|onset| *onset < length_s - 4.0).collect();
            task(&onsets, 1.0, cell.n_frames, cell.tr_s)
        }
    };
    with_drift(&task, cell.tr_s)
}

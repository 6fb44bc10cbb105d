//! Tables as tests read and make them, and images made of their columns.

use crate::image_forms::gzip;
use std::fs;
use std::path::Path;

/// A tab-separated table of numbers; `n/a` is NaN.
pub(crate) struct Tsv {
    pub(crate) names: Vec<String>,
    /// A vector a row; a word is NaN.
    rows: Vec<Vec<f64>>,
}

impl Tsv {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        let mut lines = text.lines();
        let names = lines.next().unwrap().split('\t').map(str::to_owned).collect();
        let rows = lines.map(|line| line.split('\t').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()).collect();
        Self { names, rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn column(&self, name: &str) -> Vec<f64> {
        let at = self.names.iter().position(|own| own == name);
        let at = at.unwrap_or_else(|| panic!("no column {name} among {:?}", self.names));
        self.rows.iter().map(|row| row[at]).collect()
    }

    pub(crate) fn row(&self, at: usize) -> &[f64] {
        &self.rows[at]
    }

    /// All columns, in their order.
    pub(crate) fn columns(&self) -> Vec<Vec<f64>> {
        (0..self.names.len()).map(|at| self.rows.iter().map(|row| row[at]).collect()).collect()
    }
}

/// A table of these columns as text.
pub(crate) fn tsv(columns: &[(&str, &[f64])]) -> String {
    let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let number = |value: &f64| if value.is_nan() { "n/a".to_owned() } else { format!("{value:?}") };
    let row = |at: usize| columns.iter().map(|(_, values)| number(&values[at])).collect::<Vec<_>>().join("\t");
    let rows = (0..columns[0].1.len()).map(row).map(|row| row + "\n").collect::<String>();
    format!("{}\n{rows}", header.join("\t"))
}

/// A 4-D image of single-precision numbers, a voxel a column along the first axis, `tr_s` apart.
pub(crate) fn image_of(columns: &[Vec<f64>], tr_s: f32) -> Vec<u8> {
    let frames = columns[0].len();
    let mut header = vec![0_u8; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    for (axis, length) in [4, columns.len(), 1, 1, frames, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * axis, &i16::try_from(length).unwrap().to_le_bytes());
    }
    put(70, &16_i16.to_le_bytes()); // single precision
    put(72, &32_i16.to_le_bytes());
    for (axis, step) in [1.0, 3.0, 3.0, 3.0, tr_s, 0.0, 0.0, 0.0].into_iter().enumerate() {
        put(76 + 4 * axis, &step.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    put(123, &[10]); // mm and s
    put(254, &1_i16.to_le_bytes());
    for axis in 0..3 {
        put(280 + 20 * axis, &3_f32.to_le_bytes());
    }
    put(344, b"n+1\0");
    let voxels =
        (0..frames).flat_map(|frame| columns.iter().flat_map(move |column| (column[frame] as f32).to_le_bytes()));
    gzip(&header.iter().copied().chain(voxels).collect::<Vec<u8>>())
}

/// Pearson's correlation.
pub(crate) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

/// Two series agree within `share` of the largest value of the second.
pub(crate) fn assert_within(found: &[f64], expected: &[f64], share: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    assert!(largest > 0.0, "{what}: nothing to compare");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= share * largest, "{what}: {found} for {expected} at {at} (of {largest})");
    }
}

//! The shared formulas (difference of gammas, orthogonalisation, discrete cosines) against SPM's own output.

use super::{Table, difference, expectation, shared};
use boldly::signal::drift::{cosine_columns, cosine_order};
use boldly::signal::hrf::{DoubleGamma, GammaDensity, Kernel};
use boldly::signal::orthogonalise_in_order;
use std::path::Path;

const TOLERANCE: f64 = 1e-10;

fn response(
    delay_s: f64,
    undershoot_s: f64,
    dispersion_s: f64,
    undershoot_dispersion_s: f64,
    ratio: f64,
) -> DoubleGamma {
    DoubleGamma::new(
        GammaDensity::of_delay(delay_s, dispersion_s),
        GammaDensity::of_delay(undershoot_s, undershoot_dispersion_s),
        1.0 / ratio,
    )
}

/// A response at whole multiples of `interval_s`, delayed, summing to 1: SPM's sampling.
fn sampled(response: &DoubleGamma, interval_s: f64, delay_s: f64, samples: usize) -> Vec<f64> {
    let values: Vec<f64> = (0..samples).map(|k| response.value(k as f64 * interval_s - delay_s)).collect();
    let sum: f64 = values.iter().sum();
    values.into_iter().map(|value| value / sum).collect()
}

/// SPM's response, its difference with itself 1 s later, and that with 0.01 more dispersion over 0.01.
fn basis(interval_s: f64, samples: usize) -> Vec<Vec<f64>> {
    let canonical = response(6.0, 16.0, 1.0, 1.0, 6.0);
    let main = sampled(&canonical, interval_s, 0.0, samples);
    let later = sampled(&canonical, interval_s, 1.0, samples);
    let wider = sampled(&canonical.with_dispersion(1.01), interval_s, 0.0, samples);
    let temporal = main.iter().zip(later).map(|(a, b)| a - b).collect();
    let dispersion = main.iter().zip(wider).map(|(a, b)| (a - b) / 0.01).collect();
    vec![main, temporal, dispersion]
}

fn compare(label: &Path, found: &[f64], expected: &[f64]) {
    let largest = difference(found.iter().copied(), expected);
    assert!(largest < TOLERANCE, "{}: off by {largest:e}", label.display());
    println!("spm {largest:.1e} {}", label.display());
}

#[test]
fn responses_of_spm_in_octave() {
    let Some(shared) = shared("responses_of_spm_in_octave") else { return };
    let folder = shared.join("refs/spm/D_hrf");
    for (file, interval_s) in [
        ("spm_hrf_RT0.72.tsv", 0.72),
        ("spm_hrf_RT2.0.tsv", 2.0),
        ("spm_hrf_dt2.4over16.tsv", 2.4 / 16.0),
        ("spm_hrf_dt2.5over16.tsv", 2.5 / 16.0),
        ("spm_hrf_dt2over16.tsv", 2.0 / 16.0),
    ] {
        let path = folder.join(file);
        let expected = Table::read(&path, '\t');
        let samples = expected.columns[0].len();
        let found = sampled(&response(6.0, 16.0, 1.0, 1.0, 6.0), interval_s, 0.0, samples);
        compare(&path, &found, expected.column("hrf"));
    }
}

#[test]
fn bases_of_spm_in_octave() {
    let Some(shared) = shared("bases_of_spm_in_octave") else { return };
    let folder = shared.join("refs/spm/D_hrf");
    let path = folder.join("raw_derivatives_before_orth_dt2.4over16.tsv");
    let raw = Table::read(&path, '\t');
    for (found, name) in
        basis(2.4 / 16.0, raw.columns[0].len()).iter().zip(["hrf", "time_derivative", "dispersion_derivative"])
    {
        compare(&path, found, raw.column(name));
    }
    for (interval, tr_s) in [("0.72over16", 0.72), ("2.0over16", 2.0), ("2.4over16", 2.4)] {
        for (kind, columns) in [("hrf", 1), ("hrf_td", 2), ("hrf_tdd", 3)] {
            let path = folder.join(format!("spm_get_bf_{kind}_dt{interval}.tsv"));
            let expected = Table::read(&path, '\t');
            let mut found = basis(tr_s / 16.0, expected.columns[0].len());
            found.truncate(columns);
            orthogonalise_in_order(&mut found);
            for (k, found) in found.iter().enumerate() {
                compare(&path, found, expected.column(&format!("bf{}", k + 1)));
            }
        }
    }
}

#[test]
fn responses_and_bases_of_spm_in_nipys_tests() {
    let text = expectation("spm_hrfs.tsv");
    let rows: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(rows.len(), 36);
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let p: Vec<f64> = cells[..6].iter().map(|cell| cell.parse().unwrap()).collect();
        let expected: Vec<f64> = cells[6].split(' ').map(|cell| cell.parse().unwrap()).collect();
        let found = sampled(&response(p[1], p[2], p[3], p[4], p[5]), p[0], 0.0, expected.len());
        let largest = difference(found, &expected);
        assert!(largest < TOLERANCE, "{:?}: off by {largest:e}", &p);
    }
    let expected = Table::parse(&expectation("spm_bases.tsv"), '\t');
    for (found, name) in basis(0.01, 3201).iter().zip(["hrf", "derivative", "dispersion"]) {
        let rows = expected.column("row").iter().map(|row| found[*row as usize]);
        let largest = difference(rows, expected.column(name));
        assert!(largest < TOLERANCE, "{name}: off by {largest:e}");
    }
}

#[test]
fn cosines_of_spm() {
    let Some(shared) = shared("cosines_of_spm") else { return };
    for size in [5, 10, 100] {
        let path = shared.join(format!("data/design_oracles/nipy_spm/dct_{size}.txt"));
        let text = std::fs::read_to_string(&path).unwrap();
        let rows: Vec<Vec<f64>> =
            text.lines().map(|line| line.split_whitespace().map(|cell| cell.parse().unwrap()).collect()).collect();
        assert_eq!(rows.len(), size);
        for (k, column) in cosine_columns(size, size - 1).into_iter().enumerate() {
            let expected: Vec<f64> = rows.iter().map(|row| row[k + 1]).collect();
            // the file has 8 digits
            assert!(difference(column, &expected) < 6e-9, "{}, column {k}", path.display());
        }
    }
    for (case, frames, tr_s) in [("A_localizer_hrf_none", 128, 2.4), ("C_haxby_hrf_none", 121, 2.5)] {
        let path = shared.join(format!("refs/spm/{case}/K_X0.tsv"));
        let expected = Table::read(&path, '\t');
        let columns = cosine_columns(frames, cosine_order(frames, tr_s, 1.0 / 128.0));
        assert_eq!(columns.len(), expected.names.len());
        for (found, expected) in columns.iter().zip(&expected.columns) {
            compare(&path, found, expected);
        }
    }
}

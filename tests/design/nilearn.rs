//! `profile = "nilearn"` against nilearn 0.14.1.

use super::{Table, design, difference, event, events_of, expectation, shared, with_confounds};
use boldly::config::{Drift, HrfSettings, HrfShape, Profile};
use boldly::design::RunDesign;
use boldly::design::checks::{variance_inflation, variance_removed};
use boldly::inputs::{ConfoundTable, EventTable, Timing};
use serde_json::Value;

/// Both sides add the same numbers in another order: 1e-15 of values below 1, a hundred times that in a dispersion
/// derivative. A wrong bin, sample or constant shows at 1e-5 and above.
const TOLERANCE: f64 = 1e-10;

fn hrf(name: Option<&str>, delays: &[f64]) -> HrfSettings {
    let Some(name) = name else { return HrfSettings::None };
    if name == "fir" {
        return HrfSettings::Fir { delays: delays.to_vec() };
    }
    HrfSettings::Canonical {
        shape: if name.starts_with("glover") { HrfShape::Glover } else { HrfShape::Spm },
        derivative: name.contains("derivative"),
        dispersion: name.contains("dispersion"),
    }
}

fn compare(label: &str, design: &RunDesign, names: &[String], columns: &[Vec<f64>]) {
    assert_eq!(design.names, names, "{label}");
    for (index, (name, expected)) in names.iter().zip(columns).enumerate() {
        let largest = difference(design.matrix.column(index).iter().copied(), expected);
        assert!(largest < TOLERANCE, "{label}, `{name}`: off by {largest:e}");
        println!("nilearn {largest:.1e} {label}, `{name}`");
    }
}

#[test]
fn haxby_designs() {
    let Some(shared) = shared("haxby_designs") else { return };
    let mut compared = 0;
    for grid in ["25mm", "1slice"] {
        for (folder, runs) in [("run1", 1..=1), ("runs1-3", 1..=3)] {
            for run in runs {
                for model in ["spm", "glover", "spm_derivative", "fir"] {
                    for suffix in ["ols", "ar1", "ols_raw", "ar1_raw"] {
                        let folder = shared.join(format!("refs/{grid}/{folder}/{model}_{suffix}"));
                        if suffix.ends_with("raw") && model != "spm" {
                            continue; // made for spm alone
                        }
                        let expected = Table::read(&folder.join(format!("design_run{run}.csv")), ',');
                        let name = format!("sub-01_task-objectviewing_run-{run:02}_events.tsv");
                        let events = events_of(&shared.join("data/haxby2001/sub-01/func").join(name));
                        let found = design(
                            Profile::Nilearn,
                            Timing::new(2.5, 121, 0, 0.0),
                            &events,
                            hrf(Some(model), &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
                            Drift::Cosine { high_pass_hz: 1.0 / 128.0 },
                        );
                        compare(&folder.display().to_string(), &found, &expected.names, &expected.columns);
                        compared += 1;
                    }
                }
            }
        }
    }
    assert_eq!(compared, 80, "2 grids x 4 runs x 10 models");
}

#[test]
fn randomised_paradigms() {
    let expected: Value = serde_json::from_str(&expectation("nilearn.json")).unwrap();
    let cases = expected["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let number = |key: &str| case[key].as_f64().unwrap();
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let numbers = |value: &Value| -> Vec<f64> {
            value.as_array().map(|list| list.iter().map(|item| item.as_f64().unwrap()).collect()).unwrap_or_default()
        };
        let mut events: Vec<_> = case["events"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(index, row)| {
                let cell = |key: &str| row[key].as_f64().unwrap();
                let mut event = event(row["trial_type"].as_str().unwrap(), cell("onset"), cell("duration"), index);
                event.amplitude = cell("modulation");
                event
            })
            .collect();
        events.sort_by(|a, b| a.onset_s.total_cmp(&b.onset_s));
        let (frames, discarded) = (count("frames"), count("discarded"));
        let drift = match case["drift"].as_str() {
            Some("cosine") => Drift::Cosine { high_pass_hz: number("high_pass_hz") },
            Some("polynomial") => Drift::Polynomial { order: count("order") },
            _ => Drift::None,
        };
        let found = design(
            Profile::Nilearn,
            Timing::new(number("tr_s"), frames + discarded, discarded, number("slice_time_ref")),
            &EventTable { path: "events.tsv".into(), events, value_columns: Vec::new() },
            hrf(case["hrf"].as_str(), &numbers(&case["fir_delays"])),
            drift,
        );
        let names: Vec<String> =
            case["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        let columns: Vec<Vec<f64>> = case["matrix"].as_array().unwrap().iter().map(numbers).collect();
        compare(case["label"].as_str().unwrap(), &found, &names, &columns);
    }
}

#[test]
fn confounds_stand_between_regressors_and_drift() {
    let events = EventTable {
        path: "events.tsv".into(),
        events: vec![event("b", 3.0, 1.0, 0), event("a", 9.0, 1.0, 1)],
        value_columns: Vec::new(),
    };
    let confounds = ConfoundTable {
        path: "confounds.tsv".into(),
        sidecar: None,
        names: vec!["z".to_owned(), "y".to_owned()],
        columns: (1..=2).map(|k| (0..30).map(|frame| f64::from(frame * k % 5)).collect()).collect(),
        kept: vec![true; 30],
        displacement_mm: Vec::new(),
        std_dvars: Vec::new(),
    };
    let found = with_confounds(
        Profile::Nilearn,
        Timing::new(2.0, 30, 0, 0.0),
        &events,
        Some(&confounds),
        hrf(Some("glover"), &[]),
        Drift::Cosine { high_pass_hz: 0.01 },
    );
    assert_eq!(found.names, ["a", "b", "z", "y", "drift_1", "constant"]);
    assert_eq!(found.matrix.column(2).to_vec(), confounds.columns[0]);
}

/// Inflation and removed variance of a censored design, against least squares by numpy 2 (`numpy.linalg.lstsq`) on
/// nilearn's own matrix without row 40. The native design of the same run differs by 1e-3, so the profile shows too.
#[test]
fn collinearity_of_a_haxby_design() {
    let Some(shared) = shared("collinearity_of_a_haxby_design") else { return };
    let name = "data/haxby2001/sub-01/func/sub-01_task-objectviewing_run-01_events.tsv";
    let mut timing = Timing::new(2.5, 121, 0, 0.0);
    timing.kept[40] = false;
    let drift = Drift::Cosine { high_pass_hz: 1.0 / 128.0 };
    let found =
        design(Profile::Nilearn, timing, &events_of(&shared.join(name)), hrf(Some("spm + derivative"), &[]), drift);
    let (inflation, removed) = (variance_inflation(&found), variance_removed(&found));
    for (column, expected_inflation, expected_removed) in [
        ("bottle", 1.627_966_552_431_688, 0.205_507_735_743_974_63),
        ("chair", 2.135_865_317_257_311_4, 0.460_320_409_666_228),
        ("shoe_derivative", 1.047_768_109_369_945_4, 0.013_225_711_135_616_325),
    ] {
        let value = |list: &[(String, f64)]| list.iter().find(|(name, _)| name == column).unwrap().1;
        // two least-squares solutions of a well-conditioned system
        assert!((value(&inflation) - expected_inflation).abs() < 1e-12, "{column}: {}", value(&inflation));
        assert!((value(&removed) - expected_removed).abs() < 1e-12, "{column}: {}", value(&removed));
    }
}

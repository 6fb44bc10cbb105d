//! Continuous-time convolution against AFNI, which evaluates responses at frame times minus onsets too.

use super::{Table, design, events_of, shared};
use boldly::config::{Drift, HrfSettings, HrfShape, Profile};
use boldly::design::RunDesign;
use boldly::inputs::{EventTable, Timing};
use std::path::Path;

fn events(shared: &Path, condition: &str) -> EventTable {
    let mut table = events_of(&shared.join("refs/afni_programs/basis/events.tsv"));
    table.events.retain(|event| event.condition == condition && event.onset_s < 400.0);
    table
}

fn native(events: &EventTable, hrf: HrfSettings) -> RunDesign {
    design(Profile::Native, Timing::new(2.0, 200, 0, 0.0), events, hrf, Drift::None)
}

fn spm(derivative: bool) -> HrfSettings {
    HrfSettings::Canonical { shape: HrfShape::Spm, derivative, dispersion: false }
}

/// SPMG1 is `t^5 e^-t / 120 - 1.274527e-13 t^15 e^-t` up to 25 s, not normalised: 5/6 of unit area. What is left of
/// the response at 25 s is 0.002, so frames 25 s or more after an event are left out; SPMG2 adds its derivative.
#[test]
fn impulses_through_spmg() {
    let Some(shared) = shared("impulses_through_spmg") else { return };
    let expected = Table::read(&shared.join("refs/afni_programs/basis/X_tr2.0.tsv"), '\t');
    let events = events(&shared, "e0");
    let found = native(&events, spm(true));
    assert_eq!(found.names[..2], ["e0", "e0_derivative"]);
    let (mut compared, mut largest) = (0, 0.0_f64);
    for (column, name) in ["e0_SPMG2#0", "e0_SPMG2#1"].into_iter().enumerate() {
        for (frame, expected) in expected.column(name).iter().enumerate() {
            let time_s = 2.0 * frame as f64;
            if events.events.iter().all(|event| event.onset_s > time_s || time_s - event.onset_s < 25.0) {
                let value = found.matrix[[frame, column]] / 1.2;
                // AFNI prints 6 to 7 digits and writes 1/120 and 1/(6 15!) with 7
                largest = largest.max((value - expected).abs());
                assert!((value - expected).abs() < 1e-6, "{name}, frame {frame}: {value} {expected}");
                compared += 1;
            }
        }
    }
    println!("afni {largest:.1e} SPMG2");
    assert!(compared > 20, "{compared} frames");
}

#[test]
fn impulses_through_tents() {
    let Some(shared) = shared("impulses_through_tents") else { return };
    let expected = Table::read(&shared.join("refs/afni_programs/basis/X_tr2.0.tsv"), '\t');
    let found = native(&events(&shared, "e0"), HrfSettings::Tent { start_s: 0.0, stop_s: 20.0, knots: 11 });
    let mut largest = 0.0_f64;
    for knot in 0..11 {
        for (frame, expected) in expected.column(&format!("e0_TENT_0_20_11#{knot}")).iter().enumerate() {
            let value = found.matrix[[frame, knot]];
            largest = largest.max((value - expected).abs());
            assert!((value - expected).abs() < 1e-5, "knot {knot}, frame {frame}: {value} {expected}");
        }
    }
    println!("afni {largest:.1e} TENT");
}

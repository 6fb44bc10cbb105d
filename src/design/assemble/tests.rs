//! Whole designs, and every message about one.

use super::*;
use crate::config::{AbsentCondition, HrfShape, Located, ModulatorSettings, Profile};
use crate::error::TextSource;
use crate::inputs::Event;
use std::sync::Arc;

fn settings() -> DesignSettings {
    DesignSettings {
        hrf: HrfSettings::Canonical { shape: HrfShape::Spm, derivative: false, dispersion: false },
        slice_time_ref: 0.0,
        slice_time_ref_stated: false,
        drift: Drift::Cosine { high_pass_hz: 0.01 },
        when_condition_absent: AbsentCondition::Error,
        modulators: Vec::new(),
    }
}

/// Events `(condition, onset, duration)` with a value column `rt` that grows from 0.1 in steps of 0.1.
fn events(rows: &[(&str, f64, f64)]) -> EventTable {
    EventTable {
        path: "events.tsv".into(),
        events: rows
            .iter()
            .enumerate()
            .map(|(index, (condition, onset_s, duration_s))| Event {
                condition: (*condition).to_owned(),
                onset_s: *onset_s,
                duration_s: *duration_s,
                amplitude: 1.0,
                values: vec![Some(0.1 * (index + 1) as f64), None],
                line: index + 2,
            })
            .collect(),
        value_columns: vec!["rt".to_owned(), "response".to_owned()],
    }
}

fn two_conditions() -> EventTable {
    events(&[("house", 10.0, 2.0), ("face", 30.0, 2.0), ("house", 60.0, 2.0), ("face", 81.0, 2.0)])
}

fn confounds(names: &[&str], frames: usize) -> ConfoundTable {
    ConfoundTable {
        path: "confounds.tsv".into(),
        sidecar: None,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        columns: (0..names.len())
            .map(|column| (0..frames).map(|frame| ((frame * (column + 3)) % 7) as f64).collect())
            .collect(),
        kept: vec![true; frames],
        displacement_mm: Vec::new(),
        std_dvars: Vec::new(),
    }
}

fn modulator(condition: &str, column: &str, center: bool) -> ModulatorSettings {
    let text = format!("condition = \"{condition}\"\ncolumn = \"{column}\"\n");
    let source = Arc::new(TextSource { path: "objects.toml".into(), text });
    let condition_range = 12..14 + condition.len();
    let column_range = condition_range.end + 10..condition_range.end + 12 + column.len();
    ModulatorSettings {
        condition: Located { value: condition.to_owned(), source: Some((Arc::clone(&source), condition_range)) },
        column: Located { value: column.to_owned(), source: Some((source, column_range)) },
        center,
    }
}

struct Case {
    timing: Timing,
    events: EventTable,
    confounds: Option<ConfoundTable>,
    settings: DesignSettings,
    profile: Profile,
}

impl Default for Case {
    fn default() -> Self {
        let (timing, settings) = (Timing::new(2.0, 60, 0, 0.0), settings());
        Self { timing, events: two_conditions(), confounds: None, settings, profile: Profile::Native }
    }
}

impl Case {
    fn build(self) -> Result<(RunDesign, Diagnostics), Diagnostics> {
        build_design(
            "sub-01 run-01",
            self.timing,
            Some(&self.events),
            self.confounds.as_ref(),
            &self.settings,
            None,
            &Numerics::of(self.profile),
        )
    }

    fn refused(self) -> String {
        self.build().unwrap_err().to_string()
    }
}

#[test]
fn columns_stand_in_order() {
    let hrf = HrfSettings::Canonical { shape: HrfShape::Glover, derivative: true, dispersion: false };
    let settings = DesignSettings { hrf, modulators: vec![modulator("face", "rt", true)], ..settings() };
    let confounds = Some(confounds(&["trans_x", "csf"], 60));
    let (design, warnings) = Case { confounds, settings, ..Case::default() }.build().unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    assert_eq!(
        design.names,
        [
            "face",
            "face_derivative",
            "face:rt",
            "face:rt_derivative",
            "house",
            "house_derivative",
            "trans_x",
            "csf",
            "drift_1",
            "drift_2",
            "constant"
        ]
    );
    let task = |condition: &str, part: &str| ColumnRole::Task {
        condition: condition.to_owned(),
        part: part.to_owned(),
        delay_s: None,
    };
    assert_eq!(design.roles[..4], ["", "derivative", "rt", "rt_derivative"].map(|part| task("face", part)));
    assert_eq!(design.roles[6], ColumnRole::Confound);
    assert_eq!(design.roles[8], ColumnRole::Drift);
    assert_eq!(design.roles[10], ColumnRole::Constant);
    assert_eq!(design.matrix.dim(), (60, 11));
    assert_eq!(design.peak_heights[10], 1.0);
    let peak = design.matrix.column(0).iter().fold(0.0, |peak: f64, value| peak.max(value.abs()));
    assert_eq!(design.peak_heights[0], peak);
}

#[test]
fn a_modulator_weighs_events_by_their_value() {
    for (center, weights) in [(false, [0.2, 0.4]), (true, [-0.1, 0.1])] {
        let settings = DesignSettings { modulators: vec![modulator("face", "rt", center)], ..settings() };
        let (design, _) = Case { settings, ..Case::default() }.build().unwrap();
        let one = |onset_s: f64| {
            let case = Case { events: events(&[("face", onset_s, 2.0)]), ..Case::default() };
            case.build().unwrap().0.matrix.column(0).to_owned()
        };
        let expected = weights[0] * one(30.0) + weights[1] * one(81.0);
        for (found, expected) in design.matrix.column(1).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15);
        }
    }
}

#[test]
fn without_events_there_is_only_drift() {
    let settings = DesignSettings { drift: Drift::Polynomial { order: 2 }, ..settings() };
    let numerics = Numerics::of(Profile::Native);
    let timing = Timing::new(2.0, 60, 0, 0.0);
    let (design, _) = build_design("sub-01", timing, None, None, &settings, None, &numerics).unwrap();
    assert_eq!(design.names, ["drift_1", "drift_2", "constant"]);
}

#[test]
fn censoring_is_that_of_the_timing_and_of_the_confounds() {
    let mut table = confounds(&["csf"], 60);
    table.kept[7] = false;
    let mut timing = Timing::new(2.0, 60, 0, 0.0);
    timing.kept[3] = false;
    let (design, _) = Case { timing, confounds: Some(table), ..Case::default() }.build().unwrap();
    assert_eq!(design.timing.n_kept(), 58);
    assert!(!design.timing.kept[3] && !design.timing.kept[7]);
    assert_eq!(design.matrix.nrows(), 60);
}

#[test]
fn a_response_from_a_table_has_unit_area() {
    let hrf = HrfSettings::File(Located::unplaced("hrf.tsv".into()));
    let settings = DesignSettings { hrf, drift: Drift::None, ..settings() };
    let table = (vec![0.0, 4.0, 12.0], vec![0.0, 7.0, 0.0]);
    for profile in [Profile::Native, Profile::Nilearn] {
        let (design, _) = build_design(
            "sub-01",
            Timing::new(2.0, 60, 0, 0.0),
            Some(&events(&[("face", 10.0, 200.0)])),
            None,
            &settings,
            Some(&table),
            &Numerics::of(profile),
        )
        .unwrap();
        assert_eq!(design.matrix[[5, 0]], 0.0);
        assert!((design.matrix[[40, 0]] - 1.0).abs() < 1e-12, "{profile:?}");
    }
}

#[test]
fn conditions_without_a_trace() {
    let late = events(&[("face", 30.0, 2.0), ("house", 10_000.0, 2.0)]);
    insta::assert_snapshot!(Case { events: late, ..Case::default() }.refused(), @"
    error[condition-outside-run]: condition `house` has no event inside the run
     --> events.tsv:3, column `onset`
       = note: its first event is at 10000 s; the run lasts from 0 to 120 s
       = hint: onsets are seconds from the start of the first acquired volume; `ignore` leaves a condition out
    ");
    let fir = DesignSettings { hrf: HrfSettings::Fir { delays: vec![0.0, 2.0, 4.0] }, ..settings() };
    let late = events(&[("face", 30.0, 2.0), ("house", 117.0, 0.0)]);
    insta::assert_snapshot!(Case { events: late, settings: fir, ..Case::default() }.refused(), @"
    error[regressor-all-zero]: condition `house` leaves no trace in any frame: `house_delay_2`, `house_delay_4`
     --> events.tsv:3, column `onset`
       = note: a regressor that is 0 throughout has no estimate
       = hint: leave the condition out with `ignore`, or shorten the delays of an FIR or tent model
    ");
    let mut timing = Timing::new(2.0, 60, 0, 0.0);
    (5..30).for_each(|frame| timing.kept[frame] = false);
    let boxcar = DesignSettings { hrf: HrfSettings::None, ..settings() };
    let early = events(&[("face", 80.0, 2.0), ("house", 20.0, 2.0)]);
    insta::assert_snapshot!(Case { timing, events: early, settings: boxcar, ..Case::default() }.refused(), @"
    error[regressor-all-zero]: condition `house` leaves no trace in any frame that is not censored: `house`
     --> events.tsv:3, column `onset`
       = note: a regressor that is 0 throughout has no estimate
       = hint: leave the condition out with `ignore`, or shorten the delays of an FIR or tent model
    ");
}

#[test]
fn modulators_that_modulate_nothing() {
    let modulators = vec![
        modulator("face", "reaction", true),
        modulator("face", "response", true),
        modulator("scissors", "rt", true),
    ];
    insta::assert_snapshot!(Case { settings: DesignSettings { modulators, ..settings() }, ..Case::default() }.refused(), @r#"
    error[modulator-column-absent]: modulator column `reaction` is not in events.tsv
     --> objects.toml:2:10
      |
    2 | column = "reaction"
      |          ^^^^^^^^^^
      = note: columns that may modulate: `rt`, `response`

    error[modulator-not-numeric]: modulator `response` has no number for an event of condition `face`
     --> events.tsv:3, column `response`
       = hint: a modulator needs a number in every event of its condition

    error[modulator-not-numeric]: modulator `response` has no number for an event of condition `face`
     --> events.tsv:5, column `response`
       = hint: a modulator needs a number in every event of its condition

    error[modulator-condition-absent]: a modulator names condition `scissors`, which sub-01 run-01 does not have
     --> objects.toml:1:13
      |
    1 | condition = "scissors"
      |             ^^^^^^^^^^
      = note: conditions in sub-01 run-01: face, house
      = hint: `when_condition_absent = "skip-run"` leaves the modulator out of runs without its condition
    "#);
    let single = events(&[("face", 30.0, 2.0), ("house", 50.0, 2.0)]);
    let settings = DesignSettings { modulators: vec![modulator("face", "rt", true)], ..settings() };
    insta::assert_snapshot!(Case { events: single, settings: settings.clone(), ..Case::default() }.refused(), @"
    error[modulator-constant]: modulator `rt` is 0.1 in every event of condition `face`
     --> events.tsv:2, column `rt`
       = note: centred, it is zero throughout
       = hint: leave out the modulator `rt` of `face`
    ");
    let settings = DesignSettings { when_condition_absent: AbsentCondition::SkipRun, ..settings };
    let without = Case { events: events(&[("house", 50.0, 2.0)]), settings, ..Case::default() };
    assert_eq!(without.build().unwrap().0.names[..1], ["house"]);
}

#[test]
fn names_that_clash() {
    let hrf = HrfSettings::Canonical { shape: HrfShape::Spm, derivative: true, dispersion: false };
    let settings = DesignSettings { hrf, ..settings() };
    let clashing = events(&[("face", 30.0, 2.0), ("face_derivative", 50.0, 2.0), ("constant", 70.0, 1.0)]);
    let confounds = Some(confounds(&["csf", "face", "drift_1", "csf"], 60));
    insta::assert_snapshot!(Case { events: clashing, settings, confounds, ..Case::default() }.refused(), @"
    error[duplicate-column]: two columns of the design are called `face_derivative`: a regressor and a regressor
     --> events.tsv:3
       = hint: rename one of the conditions

    error[duplicate-column]: two columns of the design are called `face`: a regressor and a confound
     --> confounds.tsv:1, column `face`
       = hint: rename the confound, or leave it out

    error[duplicate-column]: two columns of the design are called `csf`: a confound and a confound
     --> confounds.tsv:1, column `csf`
       = hint: rename the confound, or leave it out

    error[duplicate-column]: two columns of the design are called `drift_1`: a confound and a drift column
     --> confounds.tsv:1, column `drift_1`
       = hint: rename it in its table

    error[duplicate-column]: two columns of the design are called `constant`: a regressor and the constant
     --> events.tsv:4
       = hint: rename it in its table
    ");
}

#[test]
fn cosines_beside_our_own_drift() {
    let table = || Some(confounds(&["csf", "cosine00", "cosine01", "cosine_similarity"], 60));
    insta::assert_snapshot!(Case { confounds: table(), ..Case::default() }.refused(), @r#"
    error[cosines-beside-drift]: the confounds hold 2 discrete cosines (`cosine00`, ...) beside the model's own drift
     --> confounds.tsv:1, column `cosine00`
       = note: both model the same slow drift
       = hint: set `drift = "none"`, or leave `cosine*` out of the confounds
    "#);
    let settings = DesignSettings { drift: Drift::None, ..settings() };
    assert!(Case { confounds: table(), settings, ..Case::default() }.build().is_ok());
}

#[test]
fn runs_and_filters_that_leave_nothing() {
    insta::assert_snapshot!(Case { timing: Timing::new(2.0, 1, 0, 0.0), ..Case::default() }.refused(), @"error[run-too-short]: sub-01 run-01 has 1 frame in the model; a design needs two or more");
    let settings = DesignSettings { drift: Drift::Cosine { high_pass_hz: 0.3 }, ..settings() };
    insta::assert_snapshot!(Case { settings, ..Case::default() }.refused(), @"
    error[high-pass-too-high]: a high-pass of 0.3 Hz leaves nothing of data sampled every 2 s
       = note: the highest frequency in them is 0.25 Hz
    ");
    let settings = DesignSettings { drift: Drift::Cosine { high_pass_hz: 0.249 }, ..self::settings() };
    insta::assert_snapshot!(Case { settings, ..Case::default() }.refused(), @"
    error[no-degrees-of-freedom]: the design of sub-01 run-01 has as many independent columns as frames: 60
       = note: 2 regressors, 0 confounds, 59 drift columns, the constant
       = hint: nothing is left to estimate the noise from: use fewer confounds, a lower high-pass or a shorter basis
    ");
    insta::assert_snapshot!(Case { confounds: Some(confounds(&["csf"], 59)), ..Case::default() }.refused(), @"
    error[confounds-length]: the confounds have 59 rows for 60 frames
     --> confounds.tsv
    ");
}

#[test]
fn warnings_ride_along() {
    let mixed = events(&[("face", 30.0, 2.0), ("face", 50.0, 0.0), ("face", 70.0, 1.0)]);
    let mut table = confounds(&["csf", "motion_outlier00"], 60);
    table.columns[1] = vec![0.0; 60];
    let (design, warnings) = Case { events: mixed, confounds: Some(table), ..Case::default() }.build().unwrap();
    assert_eq!(design.n_columns(), 6);
    insta::assert_snapshot!(warnings, @"
    warning[mixed-durations]: condition `face` mixes events of duration 0 (1) and longer ones (2)
     --> events.tsv:3, column `duration`
       = note: an event of duration 0 is an impulse, a longer one a boxcar: their responses differ in scale, not only in shape

    warning[confound-constant]: confound `motion_outlier00` is 0 in every frame that enters the model
     --> confounds.tsv:1, column `motion_outlier00`
       = note: it removes nothing beyond the constant
    ");
    let early = events(&[("face", 2.0, 2.0), ("face", 90.0, 2.0)]);
    let timing = Timing::new(2.0, 60, 20, 0.0);
    let case = Case { timing, events: early, profile: Profile::Nilearn, ..Case::default() };
    insta::assert_snapshot!(case.build().unwrap().1, @"
    warning[event-before-grid]: events of condition `face` that end before 16 s are left out of the design: 1
     --> events.tsv:2, column `onset`
       = note: this profile's grid starts 24 s before the first frame in the model
    ");
}

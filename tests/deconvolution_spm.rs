//! The deconvolution behind psychophysiological interactions, and their regressors, against SPM26's own output.
//!
//! Reference data lie in `BOLDLY_TEST_DATA`, or in `../shared` beside the package; without them the test says so and passes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "docs/validation.md quotes what they measure")]

mod support;

use boldly::design::ppi::{PpiInput, WeightedEvent, psychological_of_spm};
use boldly::model::deconvolve::{SpmActivity, SpmDeconvolution};
use boldly::signal::hrf::{Kernel, spm};
use std::path::Path;
use support::table;

/// Largest difference from SPM, in units of its largest value, that is put down to rounding: the normal matrix has a
/// condition of some 1e4, and the responses differ by 1e-16.
const TOLERANCE: f64 = 1e-11;
const BINS_A_FRAME: usize = 16;
/// Length of SPM's response, seconds.
const RESPONSE_S: f64 = 32.0;

fn column(path: &Path) -> Vec<f64> {
    table(path).column(0).to_vec()
}

/// Largest difference over the largest expected value.
fn difference(found: &[f64], expected: impl IntoIterator<Item = f64>) -> f64 {
    let (mut largest, mut scale, mut length) = (0.0_f64, 0.0_f64, 0);
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.is_finite());
        largest = largest.max((found - expected).abs());
        scale = scale.max(expected.abs());
        length += 1;
    }
    assert_eq!(length, found.len());
    largest / scale
}

/// Our response, sampled as SPM samples it.
fn kernel(bin_s: f64) -> Vec<f64> {
    let samples: Vec<f64> = (0..=(RESPONSE_S / bin_s) as usize).map(|bin| spm().value(bin as f64 * bin_s)).collect();
    let sum: f64 = samples.iter().sum();
    samples.into_iter().map(|value| value / sum).collect()
}

struct Case {
    name: &'static str,
    /// Folder of the model whose whitening was used.
    whitening: Option<&'static str>,
    repetition_time_s: f64,
    /// SPM's `T0`, from 1.
    reference_bin: usize,
}

const CASES: [Case; 5] = [
    Case { name: "simulated", whitening: None, repetition_time_s: 2.0, reference_bin: 8 },
    Case { name: "localizer_none_mean", whitening: None, repetition_time_s: 2.4, reference_bin: 1 },
    Case { name: "localizer_none_eigenvariate", whitening: None, repetition_time_s: 2.4, reference_bin: 1 },
    Case {
        name: "localizer_ar1_mean",
        whitening: Some("A_localizer_hrf_ar1"),
        repetition_time_s: 2.4,
        reference_bin: 1,
    },
    Case {
        name: "localizer_ar1_eigenvariate",
        whitening: Some("A_localizer_hrf_ar1"),
        repetition_time_s: 2.4,
        reference_bin: 1,
    },
];

impl Case {
    fn bin_s(&self) -> f64 {
        self.repetition_time_s / BINS_A_FRAME as f64
    }

    fn deconvolved(&self, references: &Path) -> SpmActivity {
        let folder = references.join("E_ppi").join(self.name);
        let (series, confounds) = (column(&folder.join("xY_u_input.tsv")), table(&folder.join("xY_X0_confounds.tsv")));
        let whitening = self.whitening.map(|model| table(&references.join(model).join("W.tsv.gz")));
        let input = SpmDeconvolution {
            series: &series,
            confounds: &confounds,
            whitening: whitening.as_ref(),
            kernel: &kernel(self.bin_s()),
            bins_a_frame: BINS_A_FRAME,
        };
        input.solve().unwrap()
    }

    /// Events of the two conditions, weighted +1 and -1.
    fn events(&self, shared: &Path) -> [Vec<WeightedEvent>; 2] {
        if self.name == "simulated" {
            let blocks = |first: i32, weight: f64| {
                let onsets = (0..5).map(|block| f64::from(first + 80 * block));
                onsets.map(|onset_s| WeightedEvent { onset_s, duration_s: 20.0, weight }).collect()
            };
            return [blocks(20, 1.0), blocks(60, -1.0)];
        }
        let path = shared.join("data/localizer/sub-01/func/sub-01_task-localizer_desc-audiovideo_events.tsv");
        let text = std::fs::read_to_string(path).unwrap();
        let of = |condition: &str, weight: f64| -> Vec<WeightedEvent> {
            let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
            let own = rows.filter(|cells| cells[2] == condition);
            own.map(|cells| WeightedEvent {
                onset_s: cells[0].parse().unwrap(),
                duration_s: cells[1].parse().unwrap(),
                weight,
            })
            .collect()
        };
        [of("audio", 1.0), of("video", -1.0)]
    }
}

#[test]
fn deconvolved_activity_and_regressors_are_spms() {
    let Some(shared) = support::shared() else { return };
    let references = shared.join("refs/spm");
    if !references.join("E_ppi").is_dir() {
        println!("skipped: no outputs of SPM in {}", references.display());
        return;
    }
    for case in CASES {
        let folder = references.join("E_ppi").join(case.name);
        let found = case.deconvolved(&references);
        let frames = found.adjusted.len();
        let events = case.events(&shared);
        let bins = found.activity.len();
        let psychological = psychological_of_spm(&[&events[0], &events[1]], case.bin_s(), bins);
        let frame_samples: Vec<usize> =
            (0..frames).map(|frame| frame * BINS_A_FRAME + case.reference_bin - 1).collect();
        let input = PpiInput {
            activity: &found.activity,
            psychological: &psychological,
            kernel: &kernel(case.bin_s()),
            frame_samples: &frame_samples,
        };
        let regressors = input.regressors().unwrap().with_series(&found.adjusted).unwrap();

        let (scans, microtime) = (table(&folder.join("ppi_scans.tsv")), table(&folder.join("ppi_microtime.tsv")));
        let variable = microtime.rows().into_iter().map(|row| row[1] - row[2]).collect::<Vec<f64>>();
        let of_scans = |column: usize| scans.column(column).to_vec();
        for (what, found, expected) in [
            ("activity", &found.activity, column(&folder.join("sd_xn_microtime.tsv"))),
            ("adjusted series", &found.adjusted, column(&folder.join("sd_Y.tsv"))),
            ("psychological variable", &psychological, variable),
            ("ppi", &regressors.ppi, of_scans(0)),
            ("psychological", &regressors.psychological, of_scans(1)),
            ("physiological", &regressors.physiological, of_scans(2)),
        ] {
            let off = difference(found, expected);
            println!("spm {off:.1e} {} {what}", case.name);
            assert!(off < TOLERANCE, "{} {what}: {off:e}", case.name);
        }
    }
}

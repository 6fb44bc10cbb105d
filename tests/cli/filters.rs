//! Firing rates and plain convolutions from end to end.

use crate::deconvolution::project_with;
use crate::image_forms::Image16;
use crate::sample::{assert_exit, assert_same_bytes, codes, digests, edit, stderr};
use crate::support::{Project, image};
use crate::tsv::{Tsv, assert_within, correlation, tsv};
use serde_json::Value;
use std::fs;

const SPIKES: &str = r#"schema = 1
name = "units"
[[spikes]]
table = "data/sub-01_task-stimulation_spikes.tsv"
unit_column = "unit"
duration_s = 120.0

[[rate]]
name = "smooth"
bin_s = 0.05
sigma_s = 0.1

[[rate]]
name = "past"
bin_s = 0.25
kernel = "half-gaussian"
sigma_s = 0.5
"#;

fn rates(project: &Project, model: &str, what: &str) -> Tsv {
    let name = format!("results/{model}/sub-01/func/sub-01_task-stimulation_desc-{what}_timeseries.tsv");
    Tsv::read(&project.path().join(name))
}

#[test]
fn rates_count_every_spike_and_follow_the_true_rate() {
    let project = project_with("spikes", SPIKES);
    project.succeed(&["run", "pipeline.toml"]);
    let written = fs::read_to_string(project.path().join("data/sub-01_task-stimulation_spikes.tsv")).unwrap();
    let truth = Tsv::read(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("sample_data/spikes/truth/sub-01_task-stimulation_rate.tsv"),
    );
    for (model, bin_s, bins) in [("smooth", 0.05, 2400), ("past", 0.25, 480)] {
        let (counts, rate) = (rates(&project, model, "counts"), rates(&project, model, "rate"));
        assert_eq!(counts.names, ["time_s", "unit1", "unit2", "unit3"]);
        assert_eq!((counts.len(), rate.len()), (bins, bins));
        let centres: Vec<f64> = (0..bins).map(|bin| (bin as f64 + 0.5) * bin_s).collect();
        assert_within(&counts.column("time_s"), &centres, 1e-12, "centres of bins");
        for unit in ["unit1", "unit2", "unit3"] {
            let spikes = written.lines().filter(|line| line.ends_with(unit)).count();
            assert_eq!(counts.column(unit).iter().sum::<f64>(), spikes as f64, "{unit}");
        }
    }
    for unit in ["unit1", "unit2", "unit3"] {
        let estimated = rates(&project, "smooth", "rate").column(unit);
        // the truth is at the edges of the bins
        let edges = truth.column(unit);
        let expected: Vec<f64> = edges.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        let expected: Vec<f64> = expected[..2400].to_vec();
        // the mean of Poisson counts over 120 s: within 4 standard errors
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let error = (mean(&expected) / 120.0).sqrt();
        assert!((mean(&estimated) - mean(&expected)).abs() < 4.0 * error, "{unit}");
        // what the kernel leaves of the truth, and of Poisson noise by its energy, 1 / (2 sqrt(pi) sigma)
        let smoothed = bell_smoothed(&expected, 2.0);
        let noise = mean(&expected) / (2.0 * std::f64::consts::PI.sqrt() * 0.1);
        let signal = mean(&smoothed.iter().map(|value| value * value).collect::<Vec<_>>()) - mean(&smoothed).powi(2);
        let predicted = (signal / (signal + noise)).sqrt();
        let r = correlation(&estimated, &smoothed);
        // a value each 2 sqrt(pi) sigma is independent, 340 in all: within 4 standard errors of a correlation
        let error = (1.0 - predicted * predicted) / 340.0_f64.sqrt();
        assert!((r - predicted).abs() < 4.0 * error, "{unit}: {r}, predicted {predicted} +- {error}");
    }
}

/// Convolved with a Gaussian of this many samples; what lies beyond the ends is left out of its weights.
fn bell_smoothed(values: &[f64], sigma: f64) -> Vec<f64> {
    let weight = |a: usize, b: usize| (-0.5 * (a.abs_diff(b) as f64 / sigma).powi(2)).exp();
    let at = |sample: usize| {
        let near = sample.saturating_sub(20)..(sample + 21).min(values.len());
        let weights: f64 = near.clone().map(|other| weight(sample, other)).sum();
        near.map(|other| weight(sample, other) * values[other]).sum::<f64>() / weights
    };
    (0..values.len()).map(at).collect()
}

#[test]
fn a_constant_rate_is_constant_up_to_the_ends() {
    let spikes: Vec<f64> = (0..200).map(|spike| 0.05 + 0.1 * f64::from(spike)).collect();
    for kernel in ["gaussian", "half-gaussian", "box", "exponential"] {
        let project = Project::new(&format!(
            "schema = 1\nname = \"constant\"\n[[spikes]]\ntable = \"sub-01_task-stimulation_spikes.tsv\"\n\
             duration_s = 20.0\n[[rate]]\nname = \"r\"\nbin_s = 0.1\nkernel = \"{kernel}\"\nsigma_s = 0.7\n"
        ));
        fs::write(project.path().join("sub-01_task-stimulation_spikes.tsv"), tsv(&[("time_s", &spikes)])).unwrap();
        project.succeed(&["run", "pipeline.toml"]);
        let (counts, rate) = (rates(&project, "r", "counts"), rates(&project, "r", "rate"));
        assert_eq!(counts.column("all"), vec![1.0; 200], "{kernel}");
        // a quotient of sums of some hundred weights
        assert_within(&rate.column("all"), &vec![10.0; 200], 1e-12, kernel);
    }
}

#[test]
fn spike_tables_with_mistakes_are_refused_where_they_are() {
    for (row, code, words) in [
        ("3.0\tunit1\n2.0\tunit1", "spikes-unsorted", "a spike of unit `unit1` at 2 s follows one at 3 s"),
        ("-0.5\tunit1\n2.0\tunit1", "spikes-time-negative", "-0.5 s"),
        ("2.0\tunit1\n120.5\tunit1", "spikes-time-after-end", "120.5 s"),
        ("2.0\tunit1\nsoon\tunit1", "spikes-not-a-number", "soon"),
        ("2.0\tunit1\n3.0\t", "spikes-unit-missing", ""),
    ] {
        let project = project_with("spikes", SPIKES);
        let table = project.path().join("data/sub-01_task-stimulation_spikes.tsv");
        fs::write(table, format!("time_s\tunit\n{row}\n")).unwrap();
        let line = if code == "spikes-time-negative" { 2 } else { 3 };
        for command in ["run", "check"] {
            let output = project.boldly(&[command, "pipeline.toml"]);
            assert_eq!(codes(&output), [code], "{}", stderr(&output));
            assert_eq!(output.status.code(), Some(2));
            let text = stderr(&output);
            assert!(text.contains(&format!("sub-01_task-stimulation_spikes.tsv:{line}")), "{text}");
            assert!(text.contains(words), "{text}");
        }
    }
    let project = project_with("spikes", &SPIKES.replace("\"unit\"", "\"units\""));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_eq!(codes(&output), ["spikes-column-missing"], "{}", stderr(&output));
}

#[test]
fn bins_that_do_not_suit_the_recording_are_refused_where_they_stand() {
    for (from, to, place) in [("bin_s = 0.05", "bin_s = 121", "10:9"), ("bin_s = 0.05", "bin_s = 1e-9", "10:9")] {
        let project = project_with("spikes", &SPIKES.replacen(from, to, 1));
        let output = project.boldly(&["run", "pipeline.toml"]);
        assert_exit(&output, 2);
        assert_eq!(codes(&output), ["rate-bin"], "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("pipeline.toml:{place}")), "{}", stderr(&output));
    }
}

#[test]
fn rates_are_the_same_bytes_however_they_are_made_and_not_redone() {
    let project = project_with("spikes", SPIKES);
    let run = |words: &[&str]| {
        let output = project.succeed(&[&["run", "pipeline.toml"], words].concat());
        (stderr(&output), digests(&project.path().join("results")))
    };
    let (_, expected) = run(&["--threads", "1"]);
    assert_eq!(expected.keys().filter(|name| name.ends_with("_timeseries.tsv")).count(), 4);
    assert!(run(&[]).0.contains("sub-01: unchanged"));
    let (said, forced) = run(&["--threads", "3", "--force"]);
    assert!(said.contains("sub-01: done"), "{said}");
    assert_same_bytes(&expected, &forced, "--force, three threads");
    edit(&project, "pipeline.toml", |text| text.split("[[rate]]\nname = \"past\"").next().unwrap().to_owned());
    let (said, fewer) = run(&[]);
    assert!(said.contains("sub-01: done"), "{said}");
    assert!(fewer.keys().all(|name| !name.starts_with("past")), "{:?}", fewer.keys());
    edit(&project, "data/sub-01_task-stimulation_spikes.tsv", |text| text + "119.99\tunit1\n");
    assert!(run(&[]).0.contains("sub-01: done"), "one spike more");
}

const BINARY: &str = r#"schema = 1
name = "convolution"
[[timeseries]]
subject = "01"
table = "data/binary.tsv"
columns = ["signal"]
tr_s = 1.0
"#;

/// A convolution of the binary series: name, and the rest of its keys.
fn convolution(name: &str, keys: &str) -> String {
    format!("[[convolve]]\nname = \"{name}\"\n{keys}\n")
}

fn convolved(project: &Project, model: &str) -> (Vec<f64>, Value) {
    let name = format!("results/{model}/sub-01/func/sub-01_desc-convolved_timeseries");
    let sidecar = fs::read(project.path().join(format!("{name}.json"))).unwrap();
    let table = Tsv::read(&project.path().join(format!("{name}.tsv")));
    (table.column("signal"), serde_json::from_slice(&sidecar).unwrap())
}

/// `out[n] = sum_k kernel[k] signal[n - k]`, all that is not nothing: the definition.
fn full(signal: &[f64], kernel: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; signal.len() + kernel.len() - 1];
    for (at, value) in signal.iter().enumerate() {
        for (delay, weight) in kernel.iter().enumerate() {
            out[at + delay] += value * weight;
        }
    }
    out
}

#[test]
fn convolved_series_have_the_length_and_values_of_the_definition() {
    let kernels = [
        ("box", "{ box = 5 }", vec![0.2; 5]),
        ("weights", "{ weights = [3.0, 0.5, -1.0, 0.25] }", vec![3.0, 0.5, -1.0, 0.25]),
        ("file", "{ file = \"kernel.tsv\" }", vec![0.5, 0.25, 0.125]),
        ("causal", "{ weights = [3.0, 0.5, -1.0, 0.25], centre = 0 }", vec![3.0, 0.5, -1.0, 0.25]),
    ];
    let models = kernels.iter().flat_map(|(name, kernel, _)| {
        ["full", "valid", "same"]
            .map(|mode| convolution(&format!("{name}{mode}"), &format!("kernel = {kernel}\nmode = \"{mode}\"")))
    });
    let project = project_with("convolution", &format!("{BINARY}{}", models.collect::<String>()));
    fs::write(project.path().join("kernel.tsv"), tsv(&[("weight", &[0.5, 0.25, 0.125])])).unwrap();
    project.succeed(&["run", "pipeline.toml"]);
    let signal = Tsv::read(&project.path().join("data/binary.tsv")).column("signal");
    assert_eq!(signal.len(), 75);
    for (name, _, kernel) in kernels {
        // the middle, of an even kernel the later of two, as scipy.ndimage has it
        let (length, centre) = (kernel.len(), if name == "causal" { 0 } else { kernel.len() / 2 });
        let whole = full(&signal, &kernel);
        for (mode, first, samples) in
            [("full", 0, 74 + length), ("valid", length - 1, 76 - length), ("same", centre, 75)]
        {
            let (found, sidecar) = convolved(&project, &format!("{name}{mode}"));
            assert_eq!(found.len(), samples, "{name} {mode}");
            // sums of at most five products
            assert_within(&found, &whole[first..first + samples], 1e-14, &format!("{name} {mode}"));
            // where the first sample of the output stands among those of the input
            assert_eq!(sidecar["StartTime"].as_f64().unwrap(), first as f64 - centre as f64, "{name} {mode}");
            assert_eq!(sidecar.get("Edge").is_some(), mode == "same", "{sidecar}");
        }
    }
    let lengths = ["boxvalid", "boxfull", "boxsame"].map(|model| convolved(&project, model).0.len());
    assert_eq!(lengths, [71, 79, 75]);
}

#[test]
fn what_lies_beyond_the_ends_is_as_declared() {
    let edges = ["zero", "reflect", "nearest", "wrap"];
    let models = edges.map(|edge| convolution(edge, &format!("kernel = {{ box = 5 }}\nedge = \"{edge}\"")));
    let project = project_with("convolution", &format!("{BINARY}{}", models.concat()));
    project.succeed(&["run", "pipeline.toml"]);
    let signal = Tsv::read(&project.path().join("data/binary.tsv")).column("signal");
    for edge in edges {
        let beyond = |at: isize| -> f64 {
            let n = 75;
            match edge {
                _ if (0..n).contains(&at) => signal[at as usize],
                "zero" => 0.0,
                "reflect" => signal[if at < 0 { -at - 1 } else { 2 * n - 1 - at } as usize],
                "nearest" => signal[at.clamp(0, n - 1) as usize],
                _ => signal[at.rem_euclid(n) as usize],
            }
        };
        let expected: Vec<f64> = (0..75).map(|at| (at - 2..=at + 2).map(beyond).sum::<f64>() / 5.0).collect();
        assert_within(&convolved(&project, edge).0, &expected, 1e-14, edge);
    }
}

#[test]
fn a_kernel_that_lies_nowhere_within_is_refused() {
    let keys = "kernel = { box = 76 }\nmode = \"valid\"";
    let project = project_with("convolution", &format!("{BINARY}{}", convolution("long", keys)));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_exit(&output, 2);
    assert_eq!(codes(&output), ["convolve-kernel"], "{}", stderr(&output));
    assert!(stderr(&output).contains("pipeline.toml:9:8"), "{}", stderr(&output));
    let keys = "kernel = { box = 5 }\nfigures = [\"signal\", \"sgnal\"]";
    let project = project_with("convolution", &format!("{BINARY}{}", convolution("drawn", keys)));
    let output = project.boldly(&["run", "pipeline.toml"]);
    assert_eq!(codes(&output), ["figure-of-nothing"], "{}", stderr(&output));
    assert!(stderr(&output).contains("columns: signal"), "{}", stderr(&output));
}

#[test]
fn a_changed_kernel_table_is_convolved_with_again() {
    let model = convolution("own", "kernel = { file = \"kernel.tsv\" }");
    let project = project_with("convolution", &format!("{BINARY}{model}"));
    let write = |weights: &[f64]| {
        fs::write(project.path().join("kernel.tsv"), tsv(&[("weight", weights)])).unwrap();
        stderr(&project.succeed(&["run", "pipeline.toml"]))
    };
    assert!(write(&[1.0, 2.0]).contains("sub-01: done"));
    assert!(write(&[1.0, 2.0]).contains("sub-01: unchanged"));
    assert!(write(&[1.0, 2.5]).contains("sub-01: done"));
}

const SLICE: &str = "schema = 1\nname = \"slice\"\n[[run]]\nsubject = \"01\"\nbold = \"data/slice.nii.gz\"\n";

fn slice(project: &Project, model: &str) -> Vec<f64> {
    image(&project.path().join(format!("results/{model}/sub-01/func/sub-01_desc-convolved_bold.nii.gz")))
}

/// `scipy.ndimage.gaussian_filter(slice, sigma, mode=..., truncate=4)` at `[i, j]` of the sample slice, sigma 2, by
/// scripts/expectations/slice_convolution.py.
#[allow(clippy::unreadable_literal, reason = "as scipy prints them")]
const GAUSSIAN_REFLECT: [([usize; 2], f64); 6] = [
    ([0, 0], 31.075484326712814),
    ([63, 20], 26.649486481255074),
    ([31, 63], 194.57673681687567),
    ([32, 32], 189.74606464816705),
    ([20, 40], 67.17936415730277),
    ([12, 30], 264.5948025708019),
];
#[allow(clippy::unreadable_literal, reason = "as scipy prints them")]
const GAUSSIAN_ZERO: [([usize; 2], f64); 6] = [
    ([0, 0], 11.00592605993261),
    ([63, 20], 15.52713782857976),
    ([31, 63], 133.4883580582086),
    ([32, 32], 189.74606464816705),
    ([20, 40], 67.17936415730277),
    ([12, 30], 264.5948025708019),
];
/// `scipy.ndimage.uniform_filter(slice, 5, mode="nearest")`.
#[allow(clippy::unreadable_literal, reason = "as scipy prints them")]
const BOX_NEAREST: [([usize; 2], f64); 6] = [
    ([0, 0], 32.4),
    ([63, 20], 31.8),
    ([31, 63], 89.39999999999978),
    ([32, 32], 206.84000000000006),
    ([20, 40], 50.88000000000002),
    ([12, 30], 330.88),
];

#[test]
fn a_slice_is_smoothed_as_scipy_smooths_it() {
    let models = [
        ("reflect", "kernel = { gaussian = 2.0 }\nedge = \"reflect\""),
        ("zero", "kernel = { gaussian = 2.0 }\nedge = \"zero\""),
        ("box", "kernel = { box = 5 }\nedge = \"nearest\""),
        ("nothing", "kernel = { gaussian = 0 }"),
    ];
    let models = models.map(|(name, keys)| convolution(name, keys)).concat();
    let project = project_with("convolution", &format!("{SLICE}{models}"));
    project.succeed(&["run", "pipeline.toml"]);
    for (model, expected) in [("reflect", GAUSSIAN_REFLECT), ("zero", GAUSSIAN_ZERO), ("box", BOX_NEAREST)] {
        let found = slice(&project, model);
        assert_eq!(found.len(), 64 * 64);
        let of_expected = expected.map(|([i, j], _)| found[i + 64 * j]);
        // results are written in single precision, 6e-8 of a value
        assert_within(&of_expected, &expected.map(|(_, value)| value), 1e-6, model);
    }
    let original = Image16::read(&project.path().join("data/slice.nii.gz"));
    assert_eq!(slice(&project, "nothing"), original.values().map(f64::from).collect::<Vec<_>>());
    let name = "results/reflect/sub-01/func/sub-01_desc-convolved_bold";
    assert!(project.path().join(format!("{name}.png")).exists());
    let sidecar: Value =
        serde_json::from_slice(&fs::read(project.path().join(format!("{name}.json"))).unwrap()).unwrap();
    // a volume in space has no place in time
    assert!(sidecar.get("StartTime").is_none() && sidecar.get("SamplingFrequency").is_none(), "{sidecar}");
}

//! `boldly run` with `profile = "nilearn"` on real runs, against the maps that nilearn 0.14.1 wrote.
//!
//! Tolerances: t and z 1e-4 max(1, |ref|), effect and variance 1e-4 |ref| + 1e-6 max |ref|, p 1e-3 relative, F of
//! single runs 1e-3 max(1, |ref|). Our maps are float32 (6e-8 relative), and nilearn's own f32 scaling moves its
//! statistics by up to 6e-6; a voxel whose 100 rho lies within .001 of an integer may fall into the neighbouring
//! noise bin, which is counted: at most 1 in 10,000.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use support::{Project, image, shared};

const CONDITIONS: [&str; 8] = ["bottle", "cat", "chair", "face", "house", "scissors", "scrambledpix", "shoe"];

/// One model of the reference set.
struct Model {
    reference: &'static str,
    name: &'static str,
    hrf: &'static str,
    noise: &'static str,
}

const SCALED: [Model; 8] = [
    Model { reference: "spm_ols", name: "spmOls", hrf: "spm", noise: "ols" },
    Model { reference: "spm_ar1", name: "spmAr1", hrf: "spm", noise: "ar1" },
    Model { reference: "glover_ols", name: "gloverOls", hrf: "glover", noise: "ols" },
    Model { reference: "glover_ar1", name: "gloverAr1", hrf: "glover", noise: "ar1" },
    Model { reference: "spm_derivative_ols", name: "derivativeOls", hrf: "spm + derivative", noise: "ols" },
    Model { reference: "spm_derivative_ar1", name: "derivativeAr1", hrf: "spm + derivative", noise: "ar1" },
    Model { reference: "fir_ols", name: "firOls", hrf: "fir", noise: "ols" },
    Model { reference: "fir_ar1", name: "firAr1", hrf: "fir", noise: "ar1" },
];

const RAW: [Model; 2] = [
    Model { reference: "spm_ols_raw", name: "spmOlsRaw", hrf: "spm", noise: "ols" },
    Model { reference: "spm_ar1_raw", name: "spmAr1Raw", hrf: "spm", noise: "ar1" },
];

/// Contrast names: ours and the reference's, and whether it is a t.
const CONTRASTS: [(&str, &str, bool); 5] = [
    ("houseMinusFace", "house-face", true),
    ("house", "house", true),
    ("Fconditions", "F_conditions", false),
    ("Fdifferences", "F_differences", false),
    ("FconditionsWithDerivative", "F_conditions_with_derivative", false),
];

fn pipeline(shared: &Path, dataset: &str, scaling: &str, models: &[Model]) -> String {
    let data = shared.join("data/haxby2001/sub-01/func");
    let mut text = format!(
        "schema = 1\nname = \"parity\"\nprofile = \"nilearn\"\n\n[mask]\npath = '{}'\n\n[preprocess]\nscaling = \"{scaling}\"\n\n\
         [design]\nhigh_pass_hz = 0.0078125\n\n",
        shared.join(format!("refs/mask_{dataset}.nii.gz")).display()
    );
    for run in 1..=3 {
        let stem = format!("sub-01_task-objectviewing_run-{run:02}");
        let _ = write!(
            text,
            "[[run]]\nbold = '{}'\nevents = '{}'\ntr_s = 2.5\n\n",
            data.join(format!("{stem}_desc-{dataset}_bold.nii.gz")).display(),
            data.join(format!("{stem}_events.tsv")).display()
        );
    }
    for model in models {
        let maps = if model.noise == "ar1" { "\"rho\", " } else { "" };
        let _ = write!(
            text,
            "[[glm]]\nname = \"{}\"\nnoise = \"{}\"\nmaps = [{maps}\"effect\", \"variance\", \"t\", \"z\", \"p\", \"F\"]\n[glm.design]\nhrf = \"{}\"\n",
            model.name, model.noise, model.hrf
        );
        if model.hrf == "fir" {
            text.push_str("fir_delays_s = [0, 1, 2, 3, 4, 5]\n");
        }
        for (name, expression) in expressions(model) {
            let _ = write!(text, "[[glm.contrast]]\nname = \"{name}\"\nexpr = {expression}\n");
        }
        text.push('\n');
    }
    text
}

/// The contrasts of a model as TOML values.
fn expressions(model: &Model) -> Vec<(&'static str, String)> {
    let fir = model.hrf == "fir";
    let one = |condition: &str| if fir { format!("mean(`{condition}_delay_*`)") } else { condition.to_owned() };
    let list =
        |rows: &[String]| format!("[{}]", rows.iter().map(|row| format!("'{row}'")).collect::<Vec<_>>().join(", "));
    let all: Vec<String> =
        CONDITIONS.iter().map(|name| if fir { format!("`{name}_delay_*`") } else { (*name).to_owned() }).collect();
    let differences: Vec<String> =
        CONDITIONS.windows(2).map(|pair| format!("{} - {}", one(pair[0]), one(pair[1]))).collect();
    let mut contrasts = vec![
        ("houseMinusFace", format!("'{} - {}'", one("house"), one("face"))),
        ("house", format!("'{}'", one("house"))),
        ("Fconditions", list(&all)),
        ("Fdifferences", list(&differences)),
    ];
    if model.hrf.contains("derivative") {
        let both: Vec<String> =
            CONDITIONS.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_derivative")]).collect();
        contrasts.push(("FconditionsWithDerivative", list(&both)));
    }
    contrasts
}

/// What a comparison of one model found.
#[derive(Default)]
struct Tally {
    voxels: usize,
    flips: Vec<String>,
    failures: Vec<String>,
    /// Largest difference of each map over its tolerance.
    worst: BTreeMap<&'static str, f64>,
}

#[test]
fn maps_equal_nilearns_on_real_runs() {
    let Some(shared) = shared() else { return };
    let mut tally = Tally::default();
    for dataset in ["25mm", "1slice"] {
        for (scaling, models) in [("voxel-mean", &SCALED[..]), ("none", &RAW[..])] {
            let project = Project::new(&pipeline(&shared, dataset, scaling, models));
            project.succeed(&["run", "pipeline.toml"]);
            let mask = image(&shared.join(format!("refs/mask_{dataset}.nii.gz")));
            for model in models {
                compare_model(&shared, dataset, model, project.path(), &mask, &mut tally);
            }
        }
    }
    println!("{} voxel fits, flipped noise bins: {:?}", tally.voxels, tally.flips);
    println!("largest difference over its tolerance: {:.4?}", tally.worst);
    assert!(tally.flips.len() * 10_000 <= tally.voxels.max(10_000), "too many flipped noise bins: {:?}", tally.flips);
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
}

fn compare_model(shared: &Path, dataset: &str, model: &Model, project: &Path, mask: &[f64], tally: &mut Tally) {
    let folder = project.join("results").join(model.name).join("sub-01/func");
    let own = |run: &str, rest: &str| folder.join(format!("sub-01_task-objectviewing_{run}{rest}"));
    // A voxel whose bin differs in any of the runs is left out of the comparison of its statistics.
    let mut flipped = vec![false; mask.len()];
    if model.noise == "ar1" {
        for run in 1..=3 {
            let reference = shared.join(format!("refs/{dataset}/runs1-3/{}/ar1_run{run}.nii.gz", model.reference));
            let (found, expected) =
                (image(&own(&format!("run-{run:02}_"), "stat-rho_statmap.nii.gz")), image(&reference));
            for voxel in (0..mask.len()).filter(|&voxel| mask[voxel] != 0.0) {
                tally.voxels += 1;
                if (found[voxel] - expected[voxel]).abs() > 1e-6 {
                    flipped[voxel] = true;
                    tally.flips.push(format!(
                        "{dataset} {} run {run} voxel {voxel}: {} for {}",
                        model.name, found[voxel], expected[voxel]
                    ));
                }
            }
        }
    }
    for (level, prefix) in [("run1", "run-01_"), ("runs1-3", "")] {
        for (name, reference_name, is_t) in CONTRASTS {
            let reference = |map: &str| -> PathBuf {
                shared.join(format!("refs/{dataset}/{level}/{}/{reference_name}_{map}.nii.gz", model.reference))
            };
            if !reference("stat").exists() {
                continue;
            }
            let maps: &[(&str, &str)] = if is_t {
                &[("effect", "effect"), ("variance", "variance"), ("t", "stat"), ("z", "z"), ("p", "p")]
            } else {
                &[("F", "stat")]
            };
            for (map, reference_map) in maps {
                let path = own(prefix, &format!("contrast-{name}_stat-{map}_statmap.nii.gz"));
                let (found, expected) = (image(&path), image(&reference(reference_map)));
                let largest = expected.iter().fold(0.0_f64, |top, value| top.max(value.abs()));
                let worst = (0..mask.len())
                    .filter(|&voxel| mask[voxel] != 0.0 && !flipped[voxel])
                    .map(|voxel| {
                        let (found, expected) = (found[voxel], expected[voxel]);
                        let allowed = match *map {
                            "effect" | "variance" => 1e-4 * expected.abs() + 1e-6 * largest,
                            "p" => 1e-3 * expected.abs(),
                            "F" => 1e-3 * expected.abs().max(1.0),
                            _ => 1e-4 * expected.abs().max(1.0),
                        };
                        ((found - expected).abs() / allowed, voxel, found, expected)
                    })
                    .max_by(|a, b| a.0.total_cmp(&b.0))
                    .unwrap();
                let largest = tally.worst.entry(map).or_insert(0.0);
                *largest = largest.max(worst.0);
                if worst.0.is_nan() || worst.0 > 1.0 {
                    tally.failures.push(format!(
                        "{dataset}/{level}/{} {name} {map}: voxel {} is {} for {} ({:.1} x the tolerance)",
                        model.reference, worst.1, worst.2, worst.3, worst.0
                    ));
                }
            }
        }
    }
}

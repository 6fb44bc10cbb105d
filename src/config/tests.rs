//! Whole pipelines through [`load_text`]: what loads, what is refused, and where the carets stand.

mod bids;
mod confounds;
mod deconvolve;
mod mutation;
mod overriding;
mod rules;

use super::*;

/// A pipeline that declares as little as may be.
pub(super) const SMALL: &str = r#"schema = 1
name   = "objects"

[[run]]
bold   = "sub-01_task-objects_run-01_bold.nii.gz"
events = "sub-01_task-objects_run-01_events.tsv"

[preprocess]
smooth_fwhm_mm = 5.0

[[glm]]
name = "objects"

[[glm.contrast]]
name = "houseVsFace"
expr = "house - face"
"#;

/// A pipeline that uses every kind of key.
pub(super) const FULL: &str = include_str!("tests/full.toml");

fn variable(name: &str) -> Option<String> {
    (name == "DATA").then(|| "/data".to_owned())
}

/// Loads a text as `study/p.toml`, with `DATA=/data` as the whole environment.
pub(super) fn load_as_study(text: &str, overrides: &[&str]) -> Result<(Settings, Diagnostics), Diagnostics> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    load_with(Path::new("study/p.toml"), text.to_owned(), &overrides, &variable)
}

/// Code and pointed-at words of every problem.
pub(super) fn pointed(problems: &Diagnostics) -> Vec<(&'static str, String)> {
    let words = |diagnostic: &Diagnostic| match &diagnostic.place {
        Some(Place::Span { source, range }) => source.text[range.clone()].to_owned(),
        place => format!("{place:?}"),
    };
    problems.iter().map(|diagnostic| (diagnostic.code, words(diagnostic))).collect()
}

#[test]
fn the_small_pipeline_has_native_defaults() {
    let (settings, warnings) = load_as_study(SMALL, &[]).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let Inputs::Runs(runs) = &settings.inputs else { panic!("runs") };
    assert_eq!(runs[0].bold.value, Path::new("study/sub-01_task-objects_run-01_bold.nii.gz"));
    let labels =
        Labels { subject: "01".into(), task: Some("objects".into()), run: Some("01".into()), ..Labels::default() };
    assert_eq!(runs[0].labels, labels);
    assert_eq!(settings.preprocess.smooth_fwhm_mm, [5.0; 3]);
    assert_eq!(settings.preprocess.scaling, Scaling::VoxelMean);
    assert!(matches!(settings.mask, MaskSettings::Auto));
    assert_eq!(settings.output.dir, Path::new("study/results"));
    let glm = &settings.glms[0];
    assert_eq!((glm.noise, glm.fixed_effects), (Noise::PooledAr, FixedEffects::Precision));
    assert_eq!(glm.maps, [MapKind::Effect, MapKind::Variance, MapKind::T, MapKind::Z]);
    let spm = HrfSettings::Canonical { shape: HrfShape::Spm, derivative: false, dispersion: false };
    assert_eq!(glm.design.hrf, spm);
    assert_eq!(glm.design.drift, Drift::Cosine { high_pass_hz: 0.01 });
    assert!(!glm.design.slice_time_ref_stated);
    assert_eq!(glm.contrasts[0].kind, ContrastKind::T);
    let Some(Place::Span { source, range }) = glm.contrasts[0].rows[0].place_within(8..12) else { panic!("a place") };
    assert_eq!(&source.text[range], "face");
}

#[test]
fn the_nilearn_profile_sets_its_defaults_and_numerics() {
    let (settings, _) = load_as_study(&SMALL.replace("[[run]]", "profile = \"nilearn\"\n[[run]]"), &[]).unwrap();
    let glm = &settings.glms[0];
    let glover = HrfSettings::Canonical { shape: HrfShape::Glover, derivative: false, dispersion: false };
    assert_eq!((&glm.design.hrf, glm.fixed_effects), (&glover, FixedEffects::Mean));
    assert_eq!(settings.events.duplicates, DuplicatePolicy::Sum);
    assert_eq!(settings.numerics, Numerics::of(Profile::Nilearn));
}

#[test]
fn the_full_pipeline_resolves_key_by_key() {
    let (settings, warnings) = load_as_study(FULL, &[]).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    insta::assert_snapshot!(serde_json::to_string_pretty(&settings).unwrap());
}

#[test]
fn tables_load_and_are_not_scaled() {
    let text = r#"schema = 1
name = "rest"
[[timeseries]]
table = "sub-01_task-rest_timeseries.tsv"
sampling_hz = 4
events = "events.tsv"
[[glm]]
name = "m"
contrast = [{ name = "a", expr = ["x"] }]
"#;
    let (settings, _) = load_as_study(text, &[]).unwrap();
    let Inputs::Timeseries(tables) = &settings.inputs else { panic!("tables") };
    assert_eq!(tables[0].tr_s.as_ref().unwrap().value, 0.25);
    assert_eq!(tables[0].columns[0].value, "*");
    assert_eq!(settings.preprocess.scaling, Scaling::None);
    assert_eq!(settings.glms[0].contrasts[0].kind, ContrastKind::F);
    assert!(settings.glms[0].maps.contains(&MapKind::F), "the default has F where an F contrast is declared");
}

#[test]
fn five_mistakes_are_five_located_errors() {
    let text = SMALL
        .replace("smooth_fwhm_mm = 5.0", "smooth_fwhm = 5.0\nscaling = \"voxelmean\"")
        .replace("name = \"houseVsFace\"", "name = \"house_vs_face\"")
        .replace("name = \"objects\"\n", "name = \"objects\"\nnoise = 1\n")
        .replace("bold   =", "tr_s = 2500\nbold   =");
    let problems = load_as_study(&text, &[]).unwrap_err();
    assert_eq!(problems.len(), 5);
    insta::assert_snapshot!(problems);
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let absent = load(&folder.path().join("absent.toml"), &[]).unwrap_err();
    assert_eq!(absent.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["pipeline-unreadable"]);
    assert!(!absent.to_string().contains("os error"), "{absent}");
    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"schema = 1\nname = \"caf\xe9\"\n").unwrap();
    let problems = load(&latin, &[]).unwrap_err();
    assert!(problems.to_string().contains("latin.toml:2"), "{problems}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_accepted() {
    let text = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
    assert!(load_as_study(&text, &[]).is_ok());
    let problems = load_as_study(&text.replace("5.0", "-5.0"), &[]).unwrap_err();
    assert_eq!(pointed(&problems), [("config-out-of-range", "-5.0".to_owned())]);
    assert!(problems.to_string().contains("p.toml:9:18"), "{problems}");
}

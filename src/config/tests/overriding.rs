//! `--set`.

use super::*;

fn refused(overrides: &[&str]) -> Vec<(&'static str, String)> {
    pointed(&load_as_study(SMALL, overrides).unwrap_err())
}

#[test]
fn an_override_wins_and_reads_as_toml_else_as_text() {
    let overrides = [
        "glm.objects.noise=ols",
        "preprocess.smooth_fwhm_mm = [4, 4, 5]",
        "glm.objects.contrast.houseVsFace.expr=house - 2*face",
        "design.hrf=\"glover + derivative\"",
        "glm.objects.design.drift=none",
        "output.dir=${DATA}/elsewhere",
        "events.ignore=['rest']",
    ];
    let (settings, _) = load_as_study(SMALL, &overrides).unwrap();
    let glm = &settings.glms[0];
    assert_eq!(glm.noise, Noise::Ols);
    assert_eq!(settings.preprocess.smooth_fwhm_mm, [4.0, 4.0, 5.0]);
    assert_eq!(glm.contrasts[0].rows[0].value, "house - 2*face");
    assert_eq!(glm.design.hrf, HrfSettings::Canonical { shape: HrfShape::Glover, derivative: true, dispersion: false });
    assert_eq!(glm.design.drift, Drift::None);
    assert_eq!(settings.output.dir, Path::new("/data/elsewhere"));
    assert_eq!(settings.events.ignore[0].value, "rest");
}

#[test]
fn a_wrong_override_is_pointed_at_in_its_own_text() {
    assert_eq!(refused(&["preprocess.smoth=6"]), [("config-unknown-key", "smoth".to_owned())]);
    assert_eq!(refused(&["glm.objects.noise=ar99"]), [("config-unknown-value", "ar99".to_owned())]);
    assert_eq!(refused(&["preprocess.smooth_fwhm_mm=-1"]), [("config-out-of-range", "-1".to_owned())]);
    assert_eq!(refused(&["glm.faces.noise=ols"]), [("config-set", "faces".to_owned())]);
    assert_eq!(refused(&["glm.object=1"]), [("config-set", "object".to_owned())]);
    assert_eq!(refused(&["name.x=1"]), [("config-set", "name".to_owned())]);
    assert_eq!(refused(&["run.a.tr_s=1"]), [("config-set", "a".to_owned())]);
    assert_eq!(refused(&["nonsense"]), [("config-set", "nonsense".to_owned())]);
    assert_eq!(refused(&["a..b=1"]), [("config-set", "a..b".to_owned())]);
    assert_eq!(refused(&["=1"]), [("config-set", String::new())]);
    assert_eq!(refused(&["bids.root=x"]), [("inputs-mixed", "bids".to_owned())]);
    assert_eq!(refused(&["name="]), [("config-empty", String::new())]);
}

#[test]
fn the_message_names_the_models_there_are() {
    insta::assert_snapshot!(load_as_study(SMALL, &["design.hrf=glover", "glm.object.noise=ols"]).unwrap_err());
}

#[test]
fn a_key_made_idle_only_by_an_override_is_still_said() {
    let text = format!("{SMALL}[design]\nhigh_pass_hz = 0.01\n");
    let problems = load_as_study(&text, &["design.drift=none"]).unwrap_err();
    assert_eq!(pointed(&problems), [("config-idle-key", "0.01".to_owned())]);
}

//! Strategies of `[confounds]`: what they resolve to, and what is refused.

use super::*;

/// A pipeline with a confound table and no drift of its own.
fn with(keys: &str) -> String {
    let file = SMALL.replace("bold   =", "confounds = 'c.tsv'\nbold   =");
    format!("{file}[glm.design]\ndrift = 'none'\n[confounds]\n{keys}\n")
}

fn refused(text: &str) -> Vec<(&'static str, String)> {
    match load_as_study(text, &[]) {
        Ok(_) => Vec::new(),
        Err(problems) => pointed(&problems),
    }
}

fn one(code: &'static str, words: &str) -> Vec<(&'static str, String)> {
    vec![(code, words.to_owned())]
}

fn settings(keys: &str) -> ConfoundSettings {
    let text = with(keys).replace("_bold.nii.gz", "_desc-smoothAROMAnonaggr_bold.nii.gz");
    load_as_study(&text, &[]).unwrap_or_else(|problems| panic!("{problems}")).0.glms[0].confounds.clone()
}

fn strategy(keys: &str) -> ConfoundStrategy {
    settings(keys).strategy.unwrap()
}

#[test]
fn presets_are_nilearn_s() {
    let (full, basic) = (Some(Expansion::Full), Some(Expansion::Basic));
    let simple = ConfoundStrategy { high_pass: true, motion: full, wm_csf: basic, ..ConfoundStrategy::default() };
    assert_eq!(strategy("strategy = 'simple'"), simple);
    let scrubbing = settings("strategy = 'scrubbing'");
    assert_eq!(scrubbing.strategy, Some(ConfoundStrategy { wm_csf: full, ..simple }));
    let limits = ScrubSettings { fd_mm: Some(0.5), std_dvars: Some(1.5), min_segment: 5 };
    assert_eq!(scrubbing.scrub, Some(limits));
    assert_eq!(scrubbing.first_row_nan, FirstRowNan::CopyNext);
    let compcor = Some(CompcorSettings { kind: Compcor::AnatCombined, most: None });
    assert_eq!(strategy("strategy = 'compcor'"), ConfoundStrategy { wm_csf: None, compcor, ..simple });
    let aroma = Some(IcaAroma::Full);
    assert_eq!(strategy("strategy = 'ica_aroma'"), ConfoundStrategy { motion: None, ica_aroma: aroma, ..simple });
    let more = strategy("strategy = 'simple'\nmotion = 'basic'\nglobal_signal = 'power2'");
    assert_eq!((more.motion, more.global_signal), (basic, Some(Expansion::Power2)));
}

#[test]
fn a_strategy_of_components_has_their_parameters() {
    let found = settings("strategy = ['scrub', 'motion']\nscrub = { fd_mm = 0.2 }\nfirst_row_nan = 'zero'");
    let limits = ScrubSettings { fd_mm: Some(0.2), std_dvars: Some(1.5), min_segment: 5 };
    assert_eq!((found.scrub, found.first_row_nan), (Some(limits), FirstRowNan::Zero));
    let found = settings("strategy = ['motion']\nscrub = { fd_mm = 0.2 }");
    assert_eq!(found.scrub.unwrap().std_dvars, None, "the table alone has no limit that it does not name");
    let none = settings("strategy = []\ncolumns = ['a']");
    assert_eq!((none.strategy, none.first_row_nan), (None, FirstRowNan::Error));
    assert_eq!(strategy("strategy = ['non_steady_state']"), ConfoundStrategy::default());
    let compcor = strategy("strategy = ['compcor', 'high_pass']\ncompcor = 'temporal'\nn_compcor = 5").compcor;
    assert_eq!(compcor, Some(CompcorSettings { kind: Compcor::Temporal, most: Some(5) }));
    assert_eq!(strategy("strategy = ['compcor', 'high_pass']\nn_compcor = 'all'").compcor.unwrap().most, None);
}

#[test]
fn a_model_s_own_keys_go_before_the_shared_ones() {
    let text = with("strategy = ['motion']\nmotion = 'basic'")
        + "[[glm]]\nname = 'b'\ncondition_contrasts = true\n[glm.confounds]\nstrategy = ['motion', 'global_signal']\n\
           global_signal = 'full'\n[[glm]]\nname = 'c'\ncondition_contrasts = true\n[glm.confounds]\nstrategy = []\n";
    let (settings, _) = load_as_study(&text, &[]).unwrap();
    let of = |glm: usize| settings.glms[glm].confounds.strategy;
    assert_eq!(of(1).unwrap().motion, Some(Expansion::Basic));
    assert_eq!((of(0).unwrap().global_signal, of(1).unwrap().global_signal), (None, Some(Expansion::Full)));
    assert_eq!(of(2), None);
}

#[test]
fn values() {
    assert_eq!(refused(&with("strategy = ['motion', 'tedana']")), one("config-unknown-value", "tedana"));
    assert_eq!(refused(&with("strategy = 'motion'")), one("config-unknown-value", "motion"));
    assert_eq!(refused(&with("strategy = 3")), one("config-wrong-type", "3"));
    assert_eq!(refused(&with("strategy = ['motion', 'motion']")), one("strategy-duplicate", "motion"));
    assert_eq!(refused(&with("strategy = 'simpel'\nmotion = 'basic'")), one("config-unknown-value", "simpel"));
    assert_eq!(refused(&with("strategy = 'simple'\nmotion = 'all'")), one("config-unknown-value", "all"));
    for wrong in ["0", "-1"] {
        assert_eq!(
            refused(&with(&format!("strategy = 'compcor'\nn_compcor = {wrong}"))),
            one("config-out-of-range", wrong)
        );
    }
    assert_eq!(refused(&with("strategy = 'compcor'\nn_compcor = 'al'")), one("config-unknown-value", "al"));
}

#[test]
fn keys_without_their_component_are_idle() {
    for (strategy, key) in [
        ("['wm_csf']", "motion = 'basic'"),
        ("'compcor'", "wm_csf = 'full'"),
        ("['motion']", "global_signal = 'full'"),
        ("['motion']", "compcor = 'temporal'"),
        ("'simple'", "n_compcor = 3"),
        ("'simple'", "ica_aroma = 'basic'"),
    ] {
        let words = key.split('\'').nth(1).unwrap_or("3");
        assert_eq!(refused(&with(&format!("strategy = {strategy}\n{key}"))), one("config-idle-key", words), "{key}");
    }
    assert_eq!(refused(&with("columns = ['a']\nmotion = 'basic'")), one("config-idle-key", "basic"));
    let own = with("strategy = ['motion']")
        + "[[glm]]\nname = 'b'\ncondition_contrasts = true\n[glm.confounds]\nwm_csf = 'full'";
    assert_eq!(refused(&own), one("config-idle-key", "full"));
    let preset = with("strategy = 'ica_aroma'\nica_aroma = 'full'")
        .replace("_bold.nii.gz", "_desc-smoothAROMAnonaggr_bold.nii.gz");
    assert_eq!(refused(&preset), one("config-idle-key", "full"));
}

#[test]
fn files_and_images() {
    let without = with("strategy = ['motion']").replace("confounds = 'c.tsv'\n", "");
    assert_eq!(refused(&without), one("confounds-without-file", "['motion']"));
    let nothing = with("strategy = []");
    assert_eq!(refused(&nothing), one("confounds-unused", "c.tsv"));
    let image = "sub-01_task-objects_run-01_bold.nii.gz";
    assert_eq!(refused(&with("strategy = 'ica_aroma'")), one("aroma-image", image));
    assert_eq!(refused(&with("strategy = ['ica_aroma']\nica_aroma = 'basic'")), []);
    let rest = SMALL
        .replace("events = \"sub-01_task-objects_run-01_events.tsv\"", "confounds = 'c.tsv'")
        .replace("house - face", "csf");
    assert_eq!(refused(&format!("{rest}[confounds]\nstrategy = ['wm_csf']")), [], "a contrast of confounds");
}

#[test]
fn drift_stands_once_in_the_model() {
    let own_drift = |keys: &str| with(keys).replace("[glm.design]\ndrift = 'none'\n", "");
    assert_eq!(refused(&own_drift("strategy = 'simple'")), one("strategy-beside-drift", "simple"));
    assert_eq!(refused(&own_drift("strategy = ['motion']")), []);
    assert_eq!(refused(&own_drift("strategy = ['compcor']")), [], "our cosines do what fMRIPrep's would");
    let slow = own_drift("strategy = ['compcor']") + "[design]\nhigh_pass_hz = 0.005";
    assert_eq!(refused(&slow), one("compcor-without-high-pass", "['compcor']"));
    assert_eq!(refused(&with("strategy = ['compcor']")), one("compcor-without-high-pass", "['compcor']"));
    let messages: Vec<String> = [
        own_drift("strategy = 'scrubbing'"),
        own_drift("strategy = ['high_pass', 'motion']"),
        with("strategy = ['compcor']"),
        with("strategy = 'ica_aroma'"),
        with("strategy = ['motion']\nwm_csf = 'full'"),
    ]
    .iter()
    .map(|text| load_as_study(text, &[]).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(messages.join("\n\n"));
}

#[test]
fn a_calcium_kernel_takes_no_strategy() {
    let table = "schema = 1\nname = 'a'\n[[timeseries]]\ntable = 'sub-1.tsv'\ntr_s = 0.1\nconfounds = 'c.tsv'\n\
                 [[deconvolve]]\nname = 'd'\nmethod = 'spike'\nkernel = { ar = 1 }\n";
    let own = format!("{table}[deconvolve.confounds]\nstrategy = ['motion']\nmotion = 'basic'");
    let idle = [("config-idle-key", "['motion']".to_owned()), ("config-idle-key", "basic".to_owned())];
    assert_eq!(refused(&own)[1..], idle, "beside the file, of which nothing is taken");
}

//! Each rule of `[[deconvolve]]`, `[[convolve]]`, `[[spikes]]` and `[[rate]]`: the smallest change of a valid pipeline that
//! breaks it, the code it gives and the words it points at.

use super::*;
use DeconvolutionMap::{Activity, Fitted, Lambda, Sigma};

/// Two columns of a table: a GLM whose noise is known, one whose noise is white, and nothing else.
const TABLE: &str = r#"schema = 1
name = "activity"
[[timeseries]]
table = "sub-01_timeseries.tsv"
tr_s = 2
events = "events.tsv"
[[glm]]
name = "first"
noise = "ar1"
condition_contrasts = true
[[glm]]
name = "white"
noise = "ols"
condition_contrasts = true
"#;

/// Images without events.
const IMAGES: &str = "schema = 1\nname = 'a'\n[[run]]\nbold = 'sub-01_bold.nii'\n";

/// A table of spike times.
const SPIKES: &str = "schema = 1\nname = 'a'\n[[spikes]]\ntable = 'sub-01_spikes.tsv'\nduration_s = 60\n";

/// A pipeline with deconvolutions and convolutions of a table in every form.
pub(super) const DECONVOLVE: &str = include_str!("deconvolve.toml");

fn refused(text: &str) -> Vec<(&'static str, String)> {
    match load_as_study(text, &[]) {
        Ok(_) => Vec::new(),
        Err(problems) => pointed(&problems),
    }
}

/// A deconvolution of the table with these keys.
fn deconvolve(keys: &str) -> Vec<(&'static str, String)> {
    refused(&format!("{TABLE}[[deconvolve]]\nname = 'd'\n{keys}\n"))
}

/// A deconvolution of images with these keys.
fn of_images(keys: &str) -> Vec<(&'static str, String)> {
    refused(&format!("{IMAGES}[[deconvolve]]\nname = 'd'\n{keys}\n"))
}

/// A convolution of the table with these keys.
fn convolve(keys: &str) -> Vec<(&'static str, String)> {
    refused(&format!("{TABLE}[[convolve]]\nname = 'c'\n{keys}\n"))
}

fn one(code: &'static str, words: &str) -> Vec<(&'static str, String)> {
    vec![(code, words.to_owned())]
}

fn text_of(pipeline: &str) -> String {
    load_as_study(pipeline, &[]).unwrap_err().to_string()
}

#[test]
fn every_form_resolves_key_by_key() {
    let (settings, warnings) = load_as_study(DECONVOLVE, &[]).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    insta::assert_snapshot!(serde_json::to_string_pretty(&settings).unwrap());
}

#[test]
fn spikes_resolve_key_by_key() {
    let rates = "[[rate]]\nname = 'a'\nbin_s = 0.05\nsigma_s = 0.1\n\
                 [[rate]]\nname = 'b'\nbin_s = 0.1\nkernel = 'exponential'\nsigma_s = 1\n";
    let (settings, warnings) = load_as_study(&format!("{SPIKES}{rates}"), &[]).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let Inputs::Spikes(tables) = &settings.inputs else { panic!("spikes") };
    assert_eq!(tables[0].table.value, Path::new("study/sub-01_spikes.tsv"));
    assert_eq!((tables[0].labels.subject.as_str(), tables[0].duration_s.value), ("01", 60.0));
    assert_eq!((tables[0].time_column.as_str(), &tables[0].unit_column), ("time_s", &None));
    let kernels: Vec<RateKernel> = settings.rates.iter().map(|rate| rate.kernel).collect();
    assert_eq!(kernels, [RateKernel::Gaussian, RateKernel::Exponential]);
    assert_eq!((settings.rates[1].bin_s.value, settings.rates[1].sigma_s.value), (0.1, 1.0));
}

#[test]
fn the_least_deconvolution_has_the_defaults() {
    let (settings, _) = load_as_study(&format!("{IMAGES}[[deconvolve]]\nname = 'd'\n"), &[]).unwrap();
    let model = &settings.deconvolutions[0];
    assert_eq!((model.method, model.lambda, model.penalty), (Method::Ridge, LambdaChoice::Gcv, Penalty::Identity));
    assert_eq!((&model.kernel, &model.noise), (&KernelSettings::Hrf, &ActivityNoise::White));
    assert_eq!((model.upsample, model.smooth, model.nonnegative), (1, true, false));
    assert_eq!(model.maps, [Activity, Fitted, Lambda, Sigma]);
    for (method, lambda) in [
        ("wiener", LambdaChoice::Moments),
        ("spike", LambdaChoice::Bic),
        ("block", LambdaChoice::Bic),
        ("peb", LambdaChoice::Evidence),
        ("auto", LambdaChoice::Each),
    ] {
        for written in ["", "lambda = 'auto'\n"] {
            let text = format!("{IMAGES}[[deconvolve]]\nname = 'd'\nmethod = '{method}'\n{written}");
            assert_eq!(load_as_study(&text, &[]).unwrap().0.deconvolutions[0].lambda, lambda, "{method}");
        }
    }
    let calcium = format!("{TABLE}[[deconvolve]]\nname = 'd'\nmethod = 'spike'\nkernel = {{ ar = 2 }}\n");
    let model = &load_as_study(&calcium, &[]).unwrap().0.deconvolutions[0];
    assert_eq!((model.lambda, model.nonnegative, &model.design.drift), (LambdaChoice::Threshold, true, &Drift::None));
}

#[test]
fn kernels() {
    for words in [
        "{ file = 'k.tsv', ar = 1 }",
        "{ ar = 1, tau_decay_s = 1 }",
        "{ tau_rise_s = 0.1 }",
        "{ }",
        "{ tau_rise_s = 0.7, tau_decay_s = 0.7 }",
        "{ tau_rise_s = 2, tau_decay_s = 1 }",
    ] {
        assert_eq!(
            deconvolve(&format!("method = 'spike'\nkernel = {words}")),
            one("deconvolve-kernel", words),
            "{words}"
        );
    }
    for words in ["{ ar = 1 }", "{ ar = 2 }", "{ tau_decay_s = 1 }", "{ tau_rise_s = 0.1, tau_decay_s = 1 }"] {
        assert_eq!(deconvolve(&format!("method = 'spike'\nkernel = {words}")), [], "{words}");
        let with = |method: &str| deconvolve(&format!("method = '{method}'\nkernel = {words}"));
        assert_eq!(with("block"), one("deconvolve-kernel", "block"), "{words}");
        // `ridge` by default: the table itself is all there is to point at
        assert_eq!(deconvolve(&format!("kernel = {words}")), one("deconvolve-kernel", "[[deconvolve]]"), "{words}");
    }
    assert_eq!(deconvolve("kernel = { ar = 3 }"), one("config-out-of-range", "3"));
    assert_eq!(deconvolve("kernel = 'spm'"), one("config-unknown-value", "spm"));
    assert_eq!(deconvolve("kernel = 'hrf'"), []);
    assert_eq!(deconvolve("kernel = { file = 'k.tsv' }"), []);
    assert_eq!(deconvolve("kernel = { path = 'k.tsv' }"), one("config-unknown-key", "path"));
}

#[test]
fn a_response_that_is_no_kernel() {
    for hrf in ["fir", "tent", "none"] {
        let own = format!("[deconvolve.design]\nhrf = '{hrf}'");
        assert_eq!(deconvolve(&own), one("deconvolve-kernel", hrf), "{hrf}");
        let shared = format!("[design]\nhrf = '{hrf}'\n");
        assert_eq!(deconvolve(&shared), one("deconvolve-kernel", hrf), "{hrf}");
        assert_eq!(deconvolve(&format!("kernel = {{ file = 'k.tsv' }}\n{own}")).first(), None, "a kernel of its own");
    }
    for hrf in ["'glover'", "'gamma'", "'spm + derivative'", "{ file = 'hrf.tsv' }"] {
        assert_eq!(deconvolve(&format!("[deconvolve.design]\nhrf = {hrf}")), [], "{hrf}");
    }
}

#[test]
fn penalties() {
    for (method, possible) in [
        ("ridge", &["gcv", "evidence"][..]),
        ("wiener", &[]),
        ("spike", &["bic", "mad"]),
        ("block", &["bic", "mad"]),
        ("peb", &["evidence", "spm"]),
        ("auto", &[]),
    ] {
        for word in ["gcv", "evidence", "bic", "mad", "spm", "noise-level"] {
            let found = deconvolve(&format!("method = '{method}'\nlambda = '{word}'"));
            let expected = if possible.contains(&word) { Vec::new() } else { one("deconvolve-lambda", word) };
            assert_eq!(found, expected, "{method} {word}");
        }
        let fixed = deconvolve(&format!("method = '{method}'\nlambda = {{ fixed = 2 }}"));
        let takes_one = matches!(method, "ridge" | "spike" | "block");
        let expected = if takes_one { Vec::new() } else { one("deconvolve-lambda", "{ fixed = 2 }") };
        assert_eq!(fixed, expected, "{method}");
    }
    let calcium = |lambda: &str| deconvolve(&format!("method = 'spike'\nkernel = {{ ar = 1 }}\nlambda = {lambda}"));
    assert_eq!(calcium("'noise-level'"), []);
    assert_eq!(calcium("{ fixed = 0.5 }"), []);
    assert_eq!(calcium("'bic'"), one("deconvolve-lambda", "bic"));
    assert_eq!(deconvolve("lambda = { }"), one("config-missing-key", "{ }"));
    assert_eq!(deconvolve("lambda = { fixed = -1 }"), one("config-out-of-range", "-1"));
    assert_eq!(deconvolve("lambda = 0.3"), one("config-wrong-type", "0.3"));
    // without a penalty there is no unique answer
    assert_eq!(deconvolve("lambda = { fixed = 0 }"), one("config-out-of-range", "0"));
}

#[test]
fn noise() {
    assert_eq!(deconvolve("noise = 'from-glm:first'"), []);
    assert_eq!(deconvolve("noise = { rho = 0.3 }"), []);
    assert_eq!(deconvolve("noise = 'evidence'"), []);
    assert_eq!(deconvolve("noise = 'from-glm:frist'"), one("deconvolve-noise", "from-glm:frist"));
    let text = text_of(&format!("{TABLE}[[deconvolve]]\nname = 'd'\nnoise = 'from-glm:frist'\n"));
    assert!(text.contains("did you mean `first`?") && text.contains("models: first, white"), "{text}");
    assert_eq!(deconvolve("noise = 'from-glm:white'"), one("deconvolve-noise", "from-glm:white"));
    let text = text_of(&format!("{IMAGES}[[deconvolve]]\nname = 'd'\nnoise = 'from-glm:a'\n"));
    assert!(text.contains("models: the pipeline has no [[glm]]"), "{text}");
    for rho in ["1", "-1", "1.5"] {
        assert_eq!(deconvolve(&format!("noise = {{ rho = {rho} }}")), one("config-out-of-range", rho));
    }
    let text = text_of(&format!("{TABLE}[[deconvolve]]\nname = 'd'\nnoise = {{ rho = 1 }}\n"));
    assert!(text.contains("expected: number above -1 and below 1"), "{text}");
    for text in ["ar1", "White", "from-glm", "from_glm:first"] {
        assert_eq!(deconvolve(&format!("noise = '{text}'")), one("config-unknown-value", text));
    }
    assert_eq!(deconvolve("noise = 'from-glm:'"), one("deconvolve-noise", "from-glm:"));
    let calcium = "method = 'spike'\nkernel = { ar = 1 }\n";
    assert_eq!(deconvolve(&format!("{calcium}noise = 'white'")), []);
    assert_eq!(deconvolve(&format!("{calcium}noise = 'evidence'")), one("deconvolve-noise", "evidence"));
}

#[test]
fn keys_without_effect() {
    let calcium = "method = 'spike'\nkernel = { ar = 1 }\n";
    for (keys, words) in [
        ("method = 'spike'\npenalty = 'identity'", "identity"),
        ("method = 'block'\nnonnegative = true", "true"),
        ("nonnegative = true", "true"),
        ("elastic_net = 0.1", "0.1"),
        ("method = 'peb'\nelastic_net = 0.1", "0.1"),
        ("estimate = 'averaged'", "averaged"),
        ("method = 'spike'\nbaseline_window_s = 10", "10"),
        ("smooth = false", "false"),
    ] {
        assert_eq!(deconvolve(keys), one("config-idle-key", words), "{keys}");
    }
    for (key, words) in [
        ("penalty = 'identity'", "identity"),
        ("nonnegative = true", "true"),
        ("elastic_net = 0.1", "0.1"),
        ("estimate = 'refitted'", "refitted"),
        ("upsample = 2", "2"),
    ] {
        assert_eq!(deconvolve(&format!("{calcium}{key}")), one("config-idle-key", words), "{key}");
    }
    assert_eq!(deconvolve(&format!("{calcium}baseline_window_s = 10")), []);
    for keys in [
        "method = 'spike'\nnonnegative = true\nelastic_net = 0.1\nestimate = 'averaged'\nupsample = 2",
        "method = 'block'\nelastic_net = 0.1\nestimate = 'shrunken'",
        "penalty = 'second-difference'",
        "method = 'auto'\nestimate = 'refitted'",
    ] {
        assert_eq!(deconvolve(keys), [], "{keys}");
    }
    assert_eq!(of_images("smooth = false"), []);
    let with_file = TABLE.replace("events =", "confounds = 'c.tsv'\nevents =");
    let confounds = format!(
        "{with_file}[confounds]\ncolumns = ['a']\n\
         [[deconvolve]]\nname = 'd'\n{calcium}[deconvolve.confounds]\ncolumns = ['b']\n"
    );
    assert_eq!(refused(&confounds), one("config-idle-key", "['b']"));
    let ppi = format!("{calcium}[[deconvolve.ppi]]\nname = 'p'\nplus = ['a']");
    assert_eq!(deconvolve(&ppi), one("config-idle-key", "[[deconvolve.ppi]]"));
    for upsample in ["0", "33"] {
        assert_eq!(deconvolve(&format!("upsample = {upsample}")), one("config-out-of-range", upsample));
    }
}

#[test]
fn maps_and_figures() {
    let maps = |keys: &str, maps: &str| deconvolve(&format!("{keys}\nmaps = {maps}"));
    assert_eq!(maps("", "['activity', 'activity']"), one("maps-duplicate", "activity"));
    assert_eq!(maps("", "['rho']"), one("maps-impossible", "rho"));
    assert_eq!(maps("noise = 'evidence'", "['rho']"), []);
    assert_eq!(maps("noise = { rho = 0.2 }", "['rho']"), []);
    assert_eq!(maps("", "['method']"), one("maps-impossible", "method"));
    assert_eq!(maps("method = 'auto'", "['method']"), []);
    assert_eq!(maps("", "['neural']"), one("config-unknown-value", "neural"));
    assert_eq!(maps("", "[]"), one("config-wrong-length", "[]"));
    let calcium = "method = 'spike'\nkernel = { ar = 1 }";
    for map in ["standard-error", "held-out-r2", "rho", "method"] {
        assert_eq!(maps(calcium, &format!("['{map}']")), one("maps-impossible", map), "{map}");
    }
    assert_eq!(maps(calcium, "['dof', 'sigma', 'lambda', 'fitted', 'activity']"), []);
    assert_eq!(deconvolve("figures = [[1, 2, 3]]"), one("figure-of-nothing", "[1, 2, 3]"));
    assert_eq!(deconvolve("figures = ['a']"), [], "columns are known once the table is read");
    assert_eq!(of_images("figures = [[1, 2, 3]]"), []);
    assert_eq!(of_images("figures = [[1, 2]]"), one("config-wrong-length", "[1, 2]"));
    assert_eq!(of_images("figures = [[1, 2, -3]]"), one("config-out-of-range", "-3"));
}

#[test]
fn interactions() {
    let ppi = |keys: &str| deconvolve(&format!("[[deconvolve.ppi]]\n{keys}"));
    assert_eq!(ppi("name = 'p'\nplus = ['face']\nminus = ['house']"), []);
    assert_eq!(ppi("name = 'p'\nplus = ['face', 'house']\nminus = ['house']"), one("ppi-conditions", "house"));
    assert_eq!(ppi("name = 'p'"), one("config-missing-key", "[[deconvolve.ppi]]"));
    assert_eq!(ppi("plus = ['a']"), one("config-missing-key", "[[deconvolve.ppi]]"));
    assert_eq!(ppi("name = 'p'\nplus = []"), one("config-wrong-length", "[]"));
    assert_eq!(ppi("name = 'p q'\nplus = ['a']"), one("config-name", "p q"));
    let twice = "name = 'p'\nplus = ['a']\n[[deconvolve.ppi]]\nname = 'P'\nplus = ['b']";
    assert_eq!(ppi(twice), one("config-duplicate-name", "P"));
}

#[test]
fn names_are_unique_among_all_models() {
    let models = ["[[glm]]\ncondition_contrasts = true\n", "[[deconvolve]]\n", "[[convolve]]\nkernel = { box = 3 }\n"];
    for model in models {
        assert_eq!(
            refused(&format!("{TABLE}{model}name = 'first'\n")),
            one("config-duplicate-name", "first"),
            "{model}"
        );
        let text = format!("{TABLE}[[convolve]]\nname = 'Same'\nkernel = {{ box = 3 }}\n{model}name = 'same'\n");
        // of two kinds, the later kind is pointed at
        let kinds = ["[[glm]]", "[[deconvolve]]"];
        let words = if kinds.iter().any(|kind| model.starts_with(kind)) { "Same" } else { "same" };
        assert_eq!(refused(&text), one("config-duplicate-name", words), "{model}");
        assert_eq!(refused(&format!("{TABLE}{model}name = 'a_b'\n")), one("config-name", "a_b"), "{model}");
    }
    let rate = |name: &str| format!("[[rate]]\nname = '{name}'\nbin_s = 1\nsigma_s = 1\n");
    let rates = |first: &str, second: &str| refused(&[SPIKES, &rate(first), &rate(second)].concat());
    assert_eq!(rates("a", "b"), []);
    assert_eq!(rates("a", "A"), one("config-duplicate-name", "A"));
}

#[test]
fn models_fit_their_inputs() {
    let rate = "[[rate]]\nname = 'r'\nbin_s = 1\nsigma_s = 1\n";
    let without_models = TABLE.split("[[glm]]").next().unwrap();
    for text in [without_models, IMAGES, SPIKES] {
        assert_eq!(refused(text), one("no-model", ""), "{text}");
    }
    assert_eq!(refused(&format!("{SPIKES}{rate}")), []);
    assert_eq!(refused(&format!("{TABLE}{rate}")), one("rate-without-spikes", "[[rate]]"));
    for (model, words) in [
        ("[[glm]]\nname = 'm'\ncondition_contrasts = true\n", "[[glm]]"),
        ("[[deconvolve]]\nname = 'm'\n", "[[deconvolve]]"),
        ("[[convolve]]\nname = 'm'\nkernel = { box = 3 }\n", "[[convolve]]"),
    ] {
        assert_eq!(refused(&format!("{SPIKES}{rate}{model}")), one("model-of-spikes", words), "{model}");
        assert_eq!(refused(&format!("{SPIKES}{model}")), one("model-of-spikes", words), "{model}");
    }
    // a table without a name is a table none the less: weights suit it
    let nameless = TABLE.replace("table = ", "# table = ");
    let weights = "[[convolve]]\nname = 'c'\nkernel = { weights = [1] }\nmode = 'full'\n";
    assert_eq!(refused(&format!("{nameless}{weights}")), one("config-missing-key", "[[timeseries]]"));
    let mixed = format!("{TABLE}[[spikes]]\ntable = 'sub-01_spikes.tsv'\nduration_s = 1\n");
    assert_eq!(refused(&mixed), one("inputs-mixed", "[[spikes]]"));
    assert_eq!(refused(&format!("{mixed}{rate}")).first(), one("inputs-mixed", "[[spikes]]").first());
}

#[test]
fn spike_tables_and_rates() {
    let rate = "[[rate]]\nname = 'r'\nbin_s = 0.1\nsigma_s = 1\n";
    let spikes = |from: &str, to: &str| {
        assert!(SPIKES.contains(from));
        refused(&format!("{}{rate}", SPIKES.replacen(from, to, 1)))
    };
    assert_eq!(spikes("duration_s = 60", ""), one("config-missing-key", "[[spikes]]"));
    assert_eq!(spikes("duration_s = 60", "duration_s = 0"), one("config-out-of-range", "0"));
    assert_eq!(spikes("table = 'sub-01_spikes.tsv'", ""), one("config-missing-key", "[[spikes]]"));
    assert_eq!(spikes("sub-01_spikes", "spikes"), one("input-without-subject", "spikes.tsv"));
    let again = format!("{SPIKES}[[spikes]]\ntable = 'b/sub-01_spikes.tsv'\nduration_s = 1\n{rate}");
    assert_eq!(refused(&again), one("input-duplicate-labels", "b/sub-01_spikes.tsv"));
    let rates = |from: &str, to: &str| refused(&format!("{SPIKES}{}", rate.replacen(from, to, 1)));
    assert_eq!(rates("bin_s = 0.1", ""), one("config-missing-key", "[[rate]]"));
    assert_eq!(rates("sigma_s = 1", ""), one("config-missing-key", "[[rate]]"));
    assert_eq!(rates("bin_s = 0.1", "bin_s = 0"), one("config-out-of-range", "0"));
    assert_eq!(rates("sigma_s = 1", "sigma_s = -1"), one("config-out-of-range", "-1"));
    assert_eq!(rates("sigma_s = 1", "sigma_s = 1\nkernel = 'gauss'"), one("config-unknown-value", "gauss"));
}

#[test]
fn convolutions() {
    for words in ["{ }", "{ box = 3, gaussian = 1 }", "{ weights = [1], file = 'k.tsv' }"] {
        assert_eq!(convolve(&format!("kernel = {words}")), one("convolve-kernel", words), "{words}");
    }
    assert_eq!(convolve(""), one("config-missing-key", "[[convolve]]"));
    assert_eq!(convolve("kernel = { box = 0 }"), one("config-out-of-range", "0"));
    assert_eq!(convolve("kernel = { gaussian = -1 }"), one("config-out-of-range", "-1"));
    assert_eq!(convolve("kernel = { weights = [] }"), one("config-wrong-length", "[]"));
    assert_eq!(convolve("kernel = { weights = [1, nan] }"), one("config-out-of-range", "nan"));
    for kernel in ["{ box = 5 }", "{ gaussian = 0 }", "{ weights = [0.5, 1] }", "{ file = 'k.tsv' }"] {
        for mode in ["full", "valid", "same"] {
            assert_eq!(convolve(&format!("kernel = {kernel}\nmode = '{mode}'")), [], "{kernel} {mode}");
        }
    }
    assert_eq!(convolve("kernel = { weights = [1, 2, 3], centre = 0 }"), []);
    assert_eq!(convolve("kernel = { weights = [1, 2, 3], centre = 3 }"), one("convolve-kernel", "3"));
    assert_eq!(convolve("kernel = { box = 3, centre = 0 }"), one("config-idle-key", "0"));
    let edge = |mode: &str, edge: &str| convolve(&format!("kernel = {{ box = 3 }}\nmode = '{mode}'\nedge = '{edge}'"));
    for mode in ["full", "valid"] {
        assert_eq!(edge(mode, "reflect"), one("config-idle-key", "reflect"));
        assert_eq!(edge(mode, "zero"), []);
    }
    assert_eq!(edge("same", "wrap"), []);
}

#[test]
fn convolutions_of_images() {
    let images = |keys: &str| refused(&format!("{IMAGES}[[convolve]]\nname = 'c'\n{keys}\n"));
    assert_eq!(images("kernel = { box = 5 }\nedge = 'nearest'"), []);
    assert_eq!(images("kernel = { gaussian = 1.5 }\nmode = 'same'"), []);
    for words in ["{ weights = [1] }", "{ file = 'k.tsv' }"] {
        assert_eq!(images(&format!("kernel = {words}")), one("convolve-kernel", words));
    }
    for mode in ["full", "valid"] {
        assert_eq!(images(&format!("kernel = {{ box = 5 }}\nmode = '{mode}'")), one("convolve-mode", mode));
    }
    assert_eq!(images("kernel = { box = 5 }\nfigures = ['a']"), one("config-idle-key", "a"));
}

#[test]
fn messages_say_what_was_expected() {
    let keys = "method = 'spike'\nkernel = { ar = 1, tau_decay_s = 2 }\nlambda = 'gcv'\nnoise = 'from-glm:whit'\n\
                maps = ['activity', 'method']\n";
    insta::assert_snapshot!(text_of(&format!("{TABLE}[[deconvolve]]\nname = 'd'\n{keys}")));
}

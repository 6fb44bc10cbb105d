//! `[confounds]` with a model's own keys over it: strategies, and what they ask of design and inputs.

use super::Resolver;
use super::glm::InputFacts;
use super::labels::describe;
use crate::config::keys::{ConfoundsConfig, NoiseComponent, ScrubConfig, StrategyPreset, StrategyText};
use crate::config::placed::{Placed, TextOr};
use crate::config::{
    CompcorSettings, ConfoundSettings, ConfoundStrategy, Drift, Expansion, FirstRowNan, IcaAroma, Located,
    ScrubSettings,
};
use crate::error::Diagnostic;
use NoiseComponent::{Compcor, GlobalSignal, HighPass, Motion, Scrub, WmCsf};
use std::ops::Range;

/// nilearn's limit of framewise displacement, mm (its `fd_threshold` since 0.13).
const NILEARN_FD_MM: f64 = 0.5;

/// nilearn's limit of the standardised DVARS (its `std_dvars_threshold` since 0.13).
const NILEARN_STD_DVARS: f64 = 1.5;

/// Cut-off of fMRIPrep's cosines, Hz: a period of 128 s.
const FMRIPREP_HIGH_PASS_HZ: f64 = 1.0 / 128.0;

/// What fMRIPrep calls the image that ICA-AROMA has denoised without aggression.
const DENOISED_BY_AROMA: &str = "_desc-smoothAROMAnonaggr_";

/// Whether `strategy` names anything.
fn is_something(strategy: &StrategyText) -> bool {
    !matches!(strategy, TextOr::Other(components) if components.is_empty())
}

/// Whether a model with these keys takes columns of confounds.
pub(super) fn takes_columns(own: &ConfoundsConfig, shared: &ConfoundsConfig) -> bool {
    let columns = own.columns.as_ref().or(shared.columns.as_ref());
    let strategy = own.strategy.as_ref().or(shared.strategy.as_ref());
    columns.is_some_and(|columns| !columns.value.is_empty())
        || strategy.is_some_and(|strategy| is_something(&strategy.value))
}

/// The model's own keys over the shared ones.
fn merged(shared: &ConfoundsConfig, own: &ConfoundsConfig) -> ConfoundsConfig {
    ConfoundsConfig {
        columns: own.columns.clone().or_else(|| shared.columns.clone()),
        strategy: own.strategy.clone().or_else(|| shared.strategy.clone()),
        motion: own.motion.clone().or_else(|| shared.motion.clone()),
        wm_csf: own.wm_csf.clone().or_else(|| shared.wm_csf.clone()),
        global_signal: own.global_signal.clone().or_else(|| shared.global_signal.clone()),
        compcor: own.compcor.clone().or_else(|| shared.compcor.clone()),
        n_compcor: own.n_compcor.clone().or_else(|| shared.n_compcor.clone()),
        ica_aroma: own.ica_aroma.clone().or_else(|| shared.ica_aroma.clone()),
        first_row_nan: own.first_row_nan.or(shared.first_row_nan),
        scrub: own.scrub.clone().or_else(|| shared.scrub.clone()),
    }
}

/// The components of a preset.
fn components_of(preset: StrategyPreset) -> &'static [NoiseComponent] {
    match preset {
        StrategyPreset::Simple => &[HighPass, Motion, WmCsf],
        StrategyPreset::Scrubbing => &[HighPass, Motion, WmCsf, Scrub],
        StrategyPreset::Compcor => &[HighPass, Motion, Compcor],
        StrategyPreset::IcaAroma => &[HighPass, WmCsf, NoiseComponent::IcaAroma],
    }
}

impl Resolver<'_> {
    /// The confounds of one model. `drift` is its design's, where the model has one.
    pub(super) fn confounds(
        &mut self,
        own: &ConfoundsConfig,
        shared: &ConfoundsConfig,
        drift: Option<&Drift>,
    ) -> ConfoundSettings {
        let config = merged(shared, own);
        let columns = config.columns.as_ref().map(|columns| columns.value.clone());
        let columns = self.globs(columns.unwrap_or_default());
        let components = self.components(&config);
        let scrub = self.scrub(config.scrub.as_ref(), components.contains(&Scrub));
        let strategy = (!components.is_empty()).then(|| self.strategy(&config, &components));
        if let (Some(strategy), Some(drift), Some(written)) = (&strategy, drift, &config.strategy)
            && !self.told_of_design()
        {
            self.strategy_beside_drift(strategy, *drift, written);
        }
        let unsaid = if strategy.is_some() { FirstRowNan::CopyNext } else { self.defaults.first_row_nan };
        ConfoundSettings { columns, strategy, first_row_nan: config.first_row_nan.unwrap_or(unsaid), scrub }
    }

    /// What the strategy is made of; nothing where there is none.
    fn components(&mut self, config: &ConfoundsConfig) -> Vec<NoiseComponent> {
        let mut components = Vec::new();
        match config.strategy.as_ref().map(|strategy| &strategy.value) {
            None => {}
            Some(TextOr::Text(preset)) => {
                components.extend_from_slice(components_of(*preset));
                if config.global_signal.is_some() {
                    components.push(GlobalSignal);
                }
                if let Some(aroma) = &config.ica_aroma
                    && *preset == StrategyPreset::IcaAroma
                {
                    let message = "`ica_aroma` has no effect beside a preset, which has it in full";
                    let hint = "leave it out, or write strategy = [\"high_pass\", \"wm_csf\", \"ica_aroma\"]";
                    self.say(Diagnostic::error("config-idle-key", message).hint(hint), &aroma.span);
                }
            }
            Some(TextOr::Other(written)) => {
                for component in written {
                    if components.contains(&component.value) {
                        let word = self.context.sources.text(&component.span);
                        let message = format!("component {word} is listed twice in `strategy`");
                        self.say(Diagnostic::error("strategy-duplicate", message), &component.span);
                    } else {
                        components.push(component.value);
                    }
                }
            }
        }
        components
    }

    fn strategy(&self, config: &ConfoundsConfig, components: &[NoiseComponent]) -> ConfoundStrategy {
        let defaults = self.defaults;
        let has = |component| components.contains(&component);
        let is_scrubbing =
            matches!(&config.strategy, Some(Placed { value: TextOr::Text(StrategyPreset::Scrubbing), .. }));
        let wm_csf = if is_scrubbing { Expansion::Full } else { defaults.wm_csf };
        let stated = |key: &Option<Placed<Expansion>>, unsaid| key.as_ref().map_or(unsaid, |key| key.value);
        let most = match config.n_compcor.as_ref().map(|key| &key.value) {
            None | Some(TextOr::Text(_)) => None,
            Some(TextOr::Other(count)) => Some(count.0),
        };
        let kind = config.compcor.as_ref().map_or(defaults.compcor, |key| key.value);
        ConfoundStrategy {
            motion: has(Motion).then(|| stated(&config.motion, defaults.motion)),
            wm_csf: has(WmCsf).then(|| stated(&config.wm_csf, wm_csf)),
            global_signal: has(GlobalSignal).then(|| stated(&config.global_signal, defaults.global_signal)),
            high_pass: has(HighPass),
            compcor: has(Compcor).then_some(CompcorSettings { kind, most }),
            ica_aroma: has(NoiseComponent::IcaAroma)
                .then(|| config.ica_aroma.as_ref().map_or(defaults.ica_aroma, |key| key.value)),
        }
    }

    fn scrub(&mut self, config: Option<&Placed<ScrubConfig>>, in_strategy: bool) -> Option<ScrubSettings> {
        let min_segment = |scrub: &ScrubConfig| scrub.min_segment.unwrap_or(self.defaults.scrub_min_segment);
        if in_strategy {
            let scrub = config.map(|scrub| scrub.value.clone()).unwrap_or_default();
            let min_segment = min_segment(&scrub);
            let (fd_mm, std_dvars) = (scrub.fd_mm.or(Some(NILEARN_FD_MM)), scrub.std_dvars.or(Some(NILEARN_STD_DVARS)));
            return Some(ScrubSettings { fd_mm, std_dvars, min_segment });
        }
        let Placed { value: scrub, span } = config?;
        let settings =
            ScrubSettings { fd_mm: scrub.fd_mm, std_dvars: scrub.std_dvars, min_segment: min_segment(scrub) };
        if scrub.fd_mm.is_none() && scrub.std_dvars.is_none() && !self.told_of("scrub") && !self.told_of("strategy") {
            let diagnostic = Diagnostic::error("scrub-without-limit", "`scrub` has no limit");
            self.say(diagnostic.note("expected: `fd_mm`, `std_dvars` or both"), span);
        }
        Some(settings)
    }

    /// fMRIPrep's cosines beside a drift of our own, and CompCor without either.
    fn strategy_beside_drift(&mut self, strategy: &ConfoundStrategy, drift: Drift, written: &Placed<StrategyText>) {
        if strategy.high_pass && drift != Drift::None {
            let leave_out = match &written.value {
                TextOr::Text(preset) => {
                    let others: Vec<String> = components_of(*preset)
                        .iter()
                        .filter(|component| **component != HighPass)
                        .map(|component| format!("\"{}\"", word_of(*component)))
                        .collect();
                    let full = if *preset == StrategyPreset::Scrubbing { " and wm_csf = \"full\"" } else { "" };
                    format!("write strategy = [{}]{full} for the model's own", others.join(", "))
                }
                TextOr::Other(_) => "leave `high_pass` out for the model's own".to_owned(),
            };
            let message = "the strategy takes fMRIPrep's cosines (`high_pass`) beside the model's own drift";
            let diagnostic = Diagnostic::error("strategy-beside-drift", message)
                .note("both model the same slow drift")
                .hint(format!("set `[design] drift = \"none\"` for fMRIPrep's cosines, or {leave_out}"));
            self.say(diagnostic, &written.span);
        }
        let filtered = matches!(drift, Drift::Cosine { high_pass_hz } if high_pass_hz >= FMRIPREP_HIGH_PASS_HZ);
        if strategy.compcor.is_some() && !strategy.high_pass && !filtered {
            let message = "`compcor` needs a high-pass filter by cosines in the model";
            let diagnostic = Diagnostic::error("compcor-without-high-pass", message)
                .note("fMRIPrep takes CompCor components of data without drift slower than 128 s")
                .hint(
                    "add `high_pass` to the strategy and set `[design] drift = \"none\"`, or set `drift = \"cosine\"` with a \
                     `high_pass_hz` of at least 0.0078125",
                );
            self.say(diagnostic, &written.span);
        }
    }

    /// Says which keys of `config` no strategy of `models` heeds: `motion` where motion is not taken.
    pub(super) fn idle_confound_keys(&mut self, config: &ConfoundsConfig, models: &[&ConfoundSettings]) {
        if self.told_of("strategy") {
            return;
        }
        let any = |heeds: fn(&ConfoundStrategy) -> bool| {
            models.iter().any(|model| model.strategy.as_ref().is_some_and(heeds))
        };
        let span = |key: &Option<Placed<Expansion>>| key.as_ref().map(|key| key.span.clone());
        let compcor = any(|strategy| strategy.compcor.is_some());
        let keys = [
            ("motion", "motion", span(&config.motion), any(|strategy| strategy.motion.is_some())),
            ("wm_csf", "wm_csf", span(&config.wm_csf), any(|strategy| strategy.wm_csf.is_some())),
            (
                "global_signal",
                "global_signal",
                span(&config.global_signal),
                any(|strategy| strategy.global_signal.is_some()),
            ),
            ("compcor", "compcor", config.compcor.as_ref().map(|key| key.span.clone()), compcor),
            ("n_compcor", "compcor", config.n_compcor.as_ref().map(|key| key.span.clone()), compcor),
            (
                "ica_aroma",
                "ica_aroma",
                config.ica_aroma.as_ref().map(|key| key.span.clone()),
                any(|strategy| strategy.ica_aroma.is_some()),
            ),
        ];
        for (key, component, span, heeded) in keys {
            if let Some(span) = span.filter(|_| !heeded) {
                let message = format!("`{key}` has no effect without `{component}` in `strategy`");
                let hint = format!("leave it out, or add \"{component}\" to the array `strategy`");
                self.say(Diagnostic::error("config-idle-key", message).hint(hint), &span);
            }
        }
    }

    /// What holds for the confounds of all models together.
    pub(super) fn shared_confounds(
        &mut self,
        config: &ConfoundsConfig,
        models: &[&ConfoundSettings],
        inputs: &[InputFacts],
    ) {
        self.idle_confound_keys(config, models);
        if self.told_of_confounds() {
            return;
        }
        let spans = [
            config.strategy.as_ref().filter(|key| is_something(&key.value)).map(|key| &key.span),
            config.columns.as_ref().map(|key| &key.span),
            config.scrub.as_ref().map(|key| &key.span),
        ];
        self.confound_files(inputs, models, spans.into_iter().flatten().next());
        let denoised = |model: &&ConfoundSettings| {
            model.strategy.is_some_and(|strategy| strategy.ica_aroma == Some(IcaAroma::Full))
        };
        if models.iter().any(denoised) {
            self.images_without_aroma(inputs);
        }
    }

    /// Says which inputs are not what ICA-AROMA has denoised, by their names.
    fn images_without_aroma(&mut self, inputs: &[InputFacts]) {
        for input in inputs.iter().filter(|input| !input.file_name.contains(DENOISED_BY_AROMA)) {
            let message = format!("{} is not named as denoised by ICA-AROMA", describe(&input.labels));
            let diagnostic = Diagnostic::error("aroma-image", message)
                .note(format!("`ica_aroma = \"full\"` needs fMRIPrep's image with `{DENOISED_BY_AROMA}` in its name"))
                .hint("name that image, or take the noise components as columns: ica_aroma = \"basic\" in an array `strategy`");
            self.shape.problems.push(Diagnostic { place: input.place.clone(), ..diagnostic });
        }
    }

    /// Whether what decides the use of confound files was found wrong.
    fn told_of_confounds(&self) -> bool {
        ["columns", "strategy", "scrub"].iter().any(|key| self.told_of(key))
            || ["run", "timeseries"].iter().any(|array| self.told_in_any(array, "confounds"))
    }

    /// Whether this key of `[confounds]` was found wrong, there or in a model.
    fn told_of(&self, key: &str) -> bool {
        let key = format!("confounds.{key}");
        self.told(&key) || ["glm", "deconvolve"].iter().any(|array| self.told_in_any(array, &key))
    }

    /// Confound files without a use, and uses without a file.
    fn confound_files(&mut self, inputs: &[InputFacts], models: &[&ConfoundSettings], shared: Option<&Range<usize>>) {
        let wanting = models.iter().find(|confounds| confounds.reads_a_table());
        let with_file = inputs.iter().filter(|input| input.confounds.is_some()).count();
        match (wanting, inputs.iter().find_map(|input| input.confounds.clone())) {
            (None, Some(place)) => {
                let diagnostic = Diagnostic::error("confounds-unused", "confound file from which nothing is taken")
                    .hint(
                        "add [confounds] with columns = [\"trans_*\", \"rot_*\"] or a strategy, or leave the file out",
                    );
                self.shape.problems.push(diagnostic.at(place));
            }
            (Some(confounds), None) if !inputs.is_empty() => {
                let diagnostic = Diagnostic::error(
                    "confounds-without-file",
                    "confounds are asked for, but no run has a confound file",
                );
                let diagnostic = diagnostic.hint("add confounds = \"…_desc-confounds_timeseries.tsv\" to each run");
                let own = confounds.columns.first().and_then(Located::place_of_words);
                match (own, shared) {
                    (Some(place), None) => self.shape.problems.push(diagnostic.at(place)),
                    (_, span) => self.say(diagnostic, span.unwrap_or(&(0..0))),
                }
            }
            (Some(_), Some(_)) if with_file < inputs.len() => {
                self.inputs_without(inputs, |input| input.confounds.is_some(), "confounds");
            }
            _ => {}
        }
    }
}

/// A component as the pipeline file writes it.
fn word_of(component: NoiseComponent) -> &'static str {
    match component {
        Motion => "motion",
        WmCsf => "wm_csf",
        GlobalSignal => "global_signal",
        HighPass => "high_pass",
        Compcor => "compcor",
        NoiseComponent::IcaAroma => "ica_aroma",
        Scrub => "scrub",
        NoiseComponent::NonSteadyState => "non_steady_state",
    }
}

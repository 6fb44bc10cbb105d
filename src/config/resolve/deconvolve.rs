//! `[[deconvolve]]`: which kernel, penalty, noise and maps go together.

use super::Resolver;
use super::design::merged;
use crate::config::keys::{
    ConfoundsConfig, DeconvolveConfig, DesignConfig, HrfText, KernelTable, LambdaWord, NoiseText, PpiConfig, VoxelIndex,
};
use crate::config::placed::{Placed, TextOr};
use crate::config::wording::closest;
use crate::config::{
    ActivityNoise, DeconvolutionMap, DeconvolutionSettings, Drift, FigureOf, GlmSettings, Inputs, KernelSettings,
    LambdaChoice, Located, Method, Noise, PpiSettings, SparseEstimate,
};
use crate::error::Diagnostic;
use std::ops::Range;

impl Resolver<'_> {
    pub(super) fn deconvolutions(
        &mut self,
        configs: Vec<Placed<DeconvolveConfig>>,
        design: &DesignConfig,
        confounds: &ConfoundsConfig,
        glms: &[GlmSettings],
        inputs: &Inputs,
    ) -> Vec<DeconvolutionSettings> {
        let mut resolved = Vec::new();
        for (index, Placed { value: config, span }) in configs.into_iter().enumerate() {
            let own_design = config.design.clone();
            let one = self.deconvolution(index, config, &span, (design, confounds), glms, inputs);
            if !self.told_of_design() {
                self.idle_design_keys(&own_design, &[&one.design]);
            }
            resolved.push(one);
        }
        resolved
    }

    fn deconvolution(
        &mut self,
        index: usize,
        config: DeconvolveConfig,
        span: &Range<usize>,
        (shared_design, shared_confounds): (&DesignConfig, &ConfoundsConfig),
        glms: &[GlmSettings],
        inputs: &Inputs,
    ) -> DeconvolutionSettings {
        let defaults = self.defaults;
        let method_span = config.method.as_ref().map_or(span.clone(), |method| method.span.clone());
        let method = config.method.map_or(defaults.method, |method| method.value);
        let design = merged(shared_design, &config.design);
        let wrong_kernel = self.told(&format!("deconvolve[{index}].kernel"));
        let kernel = self.kernel(config.kernel, &design, method, (&method_span, span), wrong_kernel);
        let calcium = kernel.is_calcium();
        let lambda = self.lambda(config.lambda, method, calcium);
        let noise = self.activity_noise(config.noise, calcium, glms);
        let columns = config.confounds.columns.as_ref().map(|key| key.span.clone());
        let strategy = config.confounds.strategy.as_ref().map(|key| key.span.clone());
        for span in columns.iter().chain(&strategy).filter(|_| calcium) {
            let message = "`confounds` have no effect on a calcium kernel, which estimates a baseline of its own";
            self.say(Diagnostic::error("config-idle-key", message), span);
        }
        let reason = |applies: bool, why| (!applies).then_some(why);
        self.idle(config.penalty.as_ref(), "penalty", reason(method == Method::Ridge, "method = \"ridge\""));
        self.idle(
            config.nonnegative.as_ref(),
            "nonnegative",
            reason(method == Method::Spike && !calcium, "method = \"spike\" and a kernel that is not calcium's"),
        );
        let sparse = matches!(method, Method::Spike | Method::Block) && !calcium;
        self.idle(
            config.elastic_net.as_ref(),
            "elastic_net",
            reason(sparse, "method = \"spike\" or \"block\" and a kernel that is not calcium's"),
        );
        self.idle(
            config.estimate.as_ref(),
            "estimate",
            reason(
                sparse || method == Method::Auto,
                "method = \"spike\", \"block\" or \"auto\" and a kernel that is not calcium's",
            ),
        );
        self.idle(config.baseline_window_s.as_ref(), "baseline_window_s", reason(calcium, "a calcium kernel"));
        self.idle(config.upsample.as_ref(), "upsample", reason(!calcium, "a kernel that is not calcium's"));
        if let (ActivityNoise::FromGlm(name), Some(smooth)) =
            (&noise, config.smooth.as_ref().filter(|smooth| !smooth.value))
        {
            let message =
                format!("the data are not smoothed, those of `{}` may be: their noise is another", name.value);
            let warning = Diagnostic::warning("deconvolve-noise-smoothed", message);
            self.say(warning.hint("state it as noise = { rho = … }, or leave `smooth` out"), &smooth.span);
        }
        let tables = matches!(inputs, Inputs::Timeseries(_));
        self.idle(config.smooth.as_ref(), "smooth", reason(!tables, "images"));
        let maps = self.deconvolution_maps(config.maps, method, &noise, calcium);
        // it is asked for what is nearest to the truth
        let estimate = if method == Method::Auto { SparseEstimate::Averaged } else { defaults.estimate };
        let figures = self.figures(config.figures.unwrap_or_default(), tables);
        self.unique(config.ppi.iter().filter_map(|ppi| ppi.value.name.as_ref()), "interactions");
        let ppis = config.ppi.into_iter().filter_map(|ppi| self.ppi(ppi, calcium)).collect();
        let mut design = self.design(design);
        let mut confounds =
            self.confounds(&config.confounds, shared_confounds, Some(&design.drift).filter(|_| !calcium));
        if calcium {
            // it estimates a baseline of its own
            design.drift = Drift::None;
            (confounds.columns, confounds.strategy, confounds.scrub) = (Vec::new(), None, None);
        }
        self.idle_confound_keys(&config.confounds, &[&confounds]);
        DeconvolutionSettings {
            name: config.name.map_or_else(|| Located::unplaced(String::new()), |name| self.name(name, "a model")),
            method,
            kernel,
            lambda,
            penalty: config.penalty.map_or(defaults.penalty, |penalty| penalty.value),
            nonnegative: calcium || config.nonnegative.map_or(defaults.nonnegative, |key| key.value),
            estimate: config.estimate.map_or(estimate, |key| key.value),
            elastic_net: config.elastic_net.map_or(defaults.elastic_net, |key| key.value),
            baseline_window_s: config.baseline_window_s.map(|key| key.value),
            upsample: config.upsample.map_or(defaults.upsample, |key| key.value),
            noise,
            smooth: config.smooth.map_or(defaults.smooth, |key| key.value),
            maps,
            figures,
            design,
            confounds,
            ppis,
        }
    }

    /// Says that a key has no effect, where there is a reason.
    fn idle<T>(&mut self, key: Option<&Placed<T>>, name: &str, without: Option<&str>) {
        if let (Some(key), Some(without)) = (key, without) {
            let message = format!("`{name}` has no effect without {without}");
            self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), &key.span);
        }
    }

    fn kernel(
        &mut self,
        kernel: Option<Placed<TextOr<crate::config::keys::KernelWord, KernelTable>>>,
        design: &DesignConfig,
        method: Method,
        (method_span, span): (&Range<usize>, &Range<usize>),
        wrong: bool,
    ) -> KernelSettings {
        let Some(Placed { value: TextOr::Other(table), span: kernel_span }) = kernel else {
            if !wrong {
                self.canonical_response(design, span);
            }
            return KernelSettings::Hrf;
        };
        let KernelTable { file, ar, tau_rise_s, tau_decay_s } = table;
        let resolved = match (file, ar, tau_rise_s, tau_decay_s) {
            (Some(file), None, None, None) => KernelSettings::File(self.path(file)),
            (None, Some(order), None, None) => KernelSettings::Calcium { order },
            (None, None, tau_rise_s, Some(tau_decay_s)) if tau_rise_s.is_none_or(|rise| rise < tau_decay_s) => {
                KernelSettings::TimeConstants { tau_rise_s, tau_decay_s }
            }
            (None, None, Some(rise), Some(decay)) => {
                let message = format!("calcium rises with {rise} s, no faster than it decays with {decay} s");
                let diagnostic = Diagnostic::error("deconvolve-kernel", message);
                self.say(diagnostic.note("expected: tau_rise_s below tau_decay_s"), &kernel_span);
                KernelSettings::Hrf
            }
            _ => {
                let diagnostic = Diagnostic::error("deconvolve-kernel", "`kernel` has not one form");
                let forms = "expected: \"hrf\", { file = \"kernel.tsv\" }, { ar = 1 }, { ar = 2 }, or \
                             { tau_decay_s = 0.7 } with or without tau_rise_s";
                self.say(diagnostic.note(forms), &kernel_span);
                KernelSettings::Hrf
            }
        };
        if resolved.is_calcium() && method != Method::Spike {
            let diagnostic = Diagnostic::error(
                "deconvolve-kernel",
                "a calcium kernel is deconvolved into spikes that are not negative",
            );
            self.say(diagnostic.hint("write method = \"spike\""), method_span);
        }
        resolved
    }

    /// Activity is convolved with one response: a canonical one, or one from a table.
    fn canonical_response(&mut self, design: &DesignConfig, span: &Range<usize>) {
        let Some(Placed { value: TextOr::Text(HrfText(text)), span: hrf_span }) = &design.hrf else { return };
        let word = text.trim();
        if matches!(word, "fir" | "tent" | "none") {
            let message = format!("`hrf = \"{word}\"` is no kernel to deconvolve with");
            let diagnostic = Diagnostic::error("deconvolve-kernel", message)
                .note("expected: spm, glover, gamma, or a table, as `hrf` or as `kernel`")
                .hint("write [deconvolve.design] with hrf = \"spm\"");
            self.say(diagnostic, if hrf_span.is_empty() { span } else { hrf_span });
        }
    }

    fn lambda(
        &mut self,
        lambda: Option<Placed<TextOr<LambdaWord, crate::config::keys::LambdaFixed>>>,
        method: Method,
        calcium: bool,
    ) -> LambdaChoice {
        let standard = match method {
            _ if calcium => LambdaChoice::Threshold,
            Method::Ridge => LambdaChoice::Gcv,
            Method::Wiener => LambdaChoice::Moments,
            Method::Spike | Method::Block => LambdaChoice::Bic,
            Method::Peb => LambdaChoice::Evidence,
            Method::Auto => LambdaChoice::Each,
        };
        let Some(Placed { value, span }) = lambda else { return standard };
        let chosen = match value {
            TextOr::Text(LambdaWord::Auto) => return standard,
            TextOr::Text(LambdaWord::Gcv) => LambdaChoice::Gcv,
            TextOr::Text(LambdaWord::Evidence) => LambdaChoice::Evidence,
            TextOr::Text(LambdaWord::Spm) => LambdaChoice::Spm,
            TextOr::Text(LambdaWord::Bic) => LambdaChoice::Bic,
            TextOr::Text(LambdaWord::Mad) => LambdaChoice::Mad,
            TextOr::Text(LambdaWord::NoiseLevel) => LambdaChoice::NoiseLevel,
            TextOr::Other(fixed) => match fixed.fixed {
                Some(lambda) => LambdaChoice::Fixed(lambda),
                None => return standard, // what is wrong with it was said
            },
        };
        let possible: &[&str] = match method {
            _ if calcium => &["auto", "noise-level", "{ fixed = … }"],
            Method::Ridge => &["auto", "gcv", "evidence", "{ fixed = … }"],
            Method::Wiener | Method::Auto => &["auto"],
            Method::Spike | Method::Block => &["auto", "bic", "mad", "{ fixed = … }"],
            Method::Peb => &["auto", "evidence", "spm"],
        };
        let word = match chosen {
            LambdaChoice::Gcv => "gcv",
            LambdaChoice::Evidence => "evidence",
            LambdaChoice::Bic => "bic",
            LambdaChoice::Mad => "mad",
            LambdaChoice::Spm => "spm",
            LambdaChoice::NoiseLevel => "noise-level",
            _ => "{ fixed = … }",
        };
        if !possible.contains(&word) {
            let method = if calcium { "a calcium kernel".to_owned() } else { format!("`method = {}`", said(&method)) };
            let diagnostic =
                Diagnostic::error("deconvolve-lambda", format!("`lambda` {word} does not go with {method}"));
            self.say(diagnostic.note(format!("expected: {}", possible.join(", "))), &span);
        }
        chosen
    }

    fn activity_noise(
        &mut self,
        noise: Option<Placed<TextOr<NoiseText, crate::config::keys::NoiseRho>>>,
        calcium: bool,
        glms: &[GlmSettings],
    ) -> ActivityNoise {
        let Some(Placed { value, span }) = noise else { return ActivityNoise::White };
        let resolved = match value {
            TextOr::Other(rho) => ActivityNoise::Rho(rho.rho.unwrap_or_default()), // absent only where that was said
            TextOr::Text(NoiseText(text)) => match text.strip_prefix("from-glm:") {
                None if text == "evidence" => ActivityNoise::Evidence,
                None => {
                    if text != "white" {
                        let message = format!("unknown value `{text}` of `deconvolve.noise`");
                        let forms = "expected: white, from-glm:NAME with the name of a `[[glm]]`, evidence, or \
                                     { rho = 0.3 }";
                        self.say(Diagnostic::error("config-unknown-value", message).note(forms), &span);
                    }
                    ActivityNoise::White
                }
                Some(name) => {
                    let name = Placed { value: name.to_owned(), span: span.clone() };
                    let name = self.context.sources.located(name);
                    self.noise_of_glm(&name, glms, &span);
                    ActivityNoise::FromGlm(name)
                }
            },
        };
        if calcium && resolved != ActivityNoise::White {
            let message = "the noise of a calcium kernel is white";
            self.say(Diagnostic::error("deconvolve-noise", message).hint("leave `noise` out"), &span);
        }
        resolved
    }

    fn noise_of_glm(&mut self, name: &Located<String>, glms: &[GlmSettings], span: &Range<usize>) {
        let Some(glm) = glms.iter().find(|glm| glm.name.value == name.value) else {
            let names: Vec<String> = glms.iter().map(|glm| glm.name.value.clone()).collect();
            let mut diagnostic =
                Diagnostic::error("deconvolve-noise", format!("no `[[glm]]` is named `{}`", name.value));
            if let Some(near) = closest(name, &names) {
                diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
            }
            let there = if names.is_empty() { "the pipeline has no [[glm]]".to_owned() } else { names.join(", ") };
            self.say(diagnostic.note(format!("models: {there}")), span);
            return;
        };
        let reason = match glm.noise {
            Noise::Ar1 => return,
            Noise::Ols => "takes its noise to be white",
            Noise::Arma11 | Noise::PooledAr | Noise::GlobalAr1 | Noise::TukeyAr | Noise::Ar(_) => {
                "takes its noise to be another than autoregressive of order 1, as deconvolution has it"
            }
        };
        let diagnostic = Diagnostic::error("deconvolve-noise", format!("model `{}` {reason}", name.value));
        self.say(diagnostic.hint("give that model noise = \"ar1\", or write noise = \"white\""), span);
    }

    fn deconvolution_maps(
        &mut self,
        maps: Option<Vec<Placed<DeconvolutionMap>>>,
        method: Method,
        noise: &ActivityNoise,
        calcium: bool,
    ) -> Vec<DeconvolutionMap> {
        let Some(maps) = maps else { return self.defaults.deconvolution_maps.to_vec() };
        self.written_maps(maps, |map| match map {
            DeconvolutionMap::StandardError | DeconvolutionMap::HeldOutR2 if calcium => {
                Some("spikes of a calcium kernel have none")
            }
            DeconvolutionMap::Rho if *noise == ActivityNoise::White => Some("the noise is white"),
            DeconvolutionMap::Method if method != Method::Auto => Some("it belongs to method = \"auto\""),
            _ => None,
        })
    }

    fn figures(&mut self, figures: Vec<Placed<TextOr<String, VoxelIndex>>>, tables: bool) -> Vec<FigureOf> {
        let mut resolved = Vec::new();
        for Placed { value, span } in figures {
            match value {
                TextOr::Text(name) => {
                    resolved.push(FigureOf::Named(self.context.sources.located(Placed { value: name, span })));
                }
                TextOr::Other(VoxelIndex(index)) => {
                    if tables {
                        let diagnostic = Diagnostic::error("figure-of-nothing", "a table has no voxels");
                        self.say(diagnostic.hint("name a column of the table"), &span);
                    } else if let [i, j, k] = index[..] {
                        resolved.push(FigureOf::Voxel(self.context.sources.located(Placed { value: [i, j, k], span })));
                    }
                }
            }
        }
        resolved
    }

    fn ppi(&mut self, ppi: Placed<PpiConfig>, calcium: bool) -> Option<PpiSettings> {
        let Placed { value: PpiConfig { name, plus, minus }, span } = ppi;
        if calcium {
            let diagnostic = Diagnostic::error("config-idle-key", "`ppi` has no effect with a calcium kernel");
            self.say(diagnostic.hint("leave it out"), &span);
        }
        let conditions = |names: Vec<Placed<String>>, resolver: &Self| -> Vec<Located<String>> {
            names.into_iter().map(|name| resolver.context.sources.located(name)).collect()
        };
        let (plus, minus) = (conditions(plus?, self), conditions(minus.unwrap_or_default(), self));
        if let Some(both) = plus.iter().find(|name| minus.contains(name)) {
            let message = format!("condition `{}` counts for the interaction and against it", both.value);
            let place = both.place_of_words();
            self.shape.problems.push(Diagnostic { place, ..Diagnostic::error("ppi-conditions", message) });
        }
        Some(PpiSettings { name: self.name(name?, "an interaction"), plus, minus })
    }
}

/// A word as the pipeline file has it.
fn said<T: serde::Serialize>(word: &T) -> String {
    serde_json::to_string(word).unwrap_or_default()
}

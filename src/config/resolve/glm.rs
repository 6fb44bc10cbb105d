//! `[[glm]]`, its contrasts and confounds, and what models ask of the inputs.

use super::Resolver;
use super::confounds::takes_columns;
use super::design::merged;
use super::labels::describe;
use crate::config::keys::{ConfoundsConfig, ContrastConfig, DesignConfig, GlmConfig};
use crate::config::placed::{Placed, TextOr};
use crate::config::{
    ConfoundSettings, ContrastKind, ContrastSettings, DeconvolutionSettings, DesignSettings, GlmSettings, Inputs,
    Labels, Located, MapKind, Noise,
};
use crate::error::{Diagnostic, Place};
use std::ops::Range;
use std::path::PathBuf;

/// What the models need to know of one input.
pub(super) struct InputFacts {
    pub(super) labels: Labels,
    /// The file's name, without folders.
    pub(super) file_name: String,
    pub(super) place: Option<Place>,
    has_events: bool,
    pub(super) confounds: Option<Place>,
}

fn facts(inputs: &Inputs) -> Vec<InputFacts> {
    let place = |path: &Located<PathBuf>| path.place_of_words();
    let file_name = |path: &Located<PathBuf>| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match inputs {
        Inputs::Runs(runs) => runs
            .iter()
            .map(|run| InputFacts {
                labels: run.labels.clone(),
                file_name: file_name(&run.bold),
                place: place(&run.bold),
                has_events: run.events.is_some(),
                confounds: run.confounds.as_ref().and_then(place),
            })
            .collect(),
        Inputs::Timeseries(tables) => tables
            .iter()
            .map(|table| InputFacts {
                labels: table.labels.clone(),
                file_name: file_name(&table.table),
                place: place(&table.table),
                has_events: table.events.is_some(),
                confounds: table.confounds.as_ref().and_then(place),
            })
            .collect(),
        Inputs::Spikes(_) => Vec::new(),
    }
}

impl Resolver<'_> {
    pub(super) fn glms(
        &mut self,
        configs: Vec<Placed<GlmConfig>>,
        design: &DesignConfig,
        confounds: &ConfoundsConfig,
        inputs: &Inputs,
    ) -> Vec<GlmSettings> {
        let facts = facts(inputs);
        let all_have_events = self.told_in_any("run", "events") || self.told_in_any("timeseries", "events");
        let with_events = facts.iter().filter(|input| input.has_events).count();
        let without_task = with_events == 0 && !facts.is_empty() && !all_have_events;
        let mut glms = Vec::new();
        for (index, Placed { value: config, span }) in configs.into_iter().enumerate() {
            if without_task {
                self.model_without_task(&config, design, confounds, &span);
            }
            let (own_design, own_confounds) = (config.design.clone(), config.confounds.clone());
            let tables = matches!(inputs, Inputs::Timeseries(_));
            let glm = self.glm(index, config, &span, (design, confounds), tables);
            if !self.told_of_design() {
                self.idle_design_keys(&own_design, &[&glm.design]);
            }
            self.idle_confound_keys(&own_confounds, &[&glm.confounds]);
            glms.push(glm);
        }
        if with_events > 0 && !all_have_events && !glms.is_empty() {
            self.inputs_without(&facts, |input| input.has_events, "events");
        }
        glms
    }

    /// What holds for all models together: shared keys that none of them heeds, confound files that none reads.
    pub(super) fn shared_keys(
        &mut self,
        design: &DesignConfig,
        confounds: &ConfoundsConfig,
        (glms, deconvolutions): (&[GlmSettings], &[DeconvolutionSettings]),
        inputs: &Inputs,
    ) {
        let designs: Vec<&DesignSettings> =
            glms.iter().map(|glm| &glm.design).chain(deconvolutions.iter().map(|model| &model.design)).collect();
        if designs.is_empty() {
            return;
        }
        if !self.told_of_design() {
            self.idle_design_keys(design, &designs);
        }
        let deconvolutions = deconvolutions.iter().map(|model| &model.confounds);
        let all: Vec<&ConfoundSettings> = glms.iter().map(|glm| &glm.confounds).chain(deconvolutions).collect();
        self.shared_confounds(confounds, &all, &facts(inputs));
    }

    fn glm(
        &mut self,
        index: usize,
        config: GlmConfig,
        span: &Range<usize>,
        (design, confounds): (&DesignConfig, &ConfoundsConfig),
        tables: bool,
    ) -> GlmSettings {
        let defaults = self.defaults;
        let condition_contrasts = config.condition_contrasts.unwrap_or(defaults.condition_contrasts);
        let told = ["contrast", "condition_contrasts"].iter().any(|key| self.told(&format!("glm[{index}].{key}")));
        if config.contrast.is_empty() && !condition_contrasts && !told {
            let diagnostic = Diagnostic::error("glm-without-contrast", "model without a contrast");
            self.say(diagnostic.hint("add a `[[glm.contrast]]`, or condition_contrasts = true"), span);
        }
        self.unique(config.contrast.iter().filter_map(|contrast| contrast.value.name.as_ref()), "contrasts");
        let contrasts: Vec<ContrastSettings> =
            config.contrast.into_iter().filter_map(|contrast| self.contrast(contrast.value)).collect();
        let noise = self.noise(config.noise, tables);
        let wrong = told || self.told(&format!("glm[{index}].noise"));
        let kinds: Vec<ContrastKind> = contrasts
            .iter()
            .map(|contrast| contrast.kind)
            .chain(condition_contrasts.then_some(ContrastKind::T))
            .collect();
        let maps = self.maps(config.maps, &kinds, noise, wrong);
        if !wrong {
            self.unwritten(&contrasts, &maps);
        }
        let known = (!condition_contrasts && !told).then_some(&*contrasts);
        let thresholds = self.thresholds(config.threshold, &contrasts, known, tables);
        let design = self.design(merged(design, &config.design));
        let confounds = self.confounds(&config.confounds, confounds, Some(&design.drift));
        GlmSettings {
            name: config.name.map_or_else(|| Located::unplaced(String::new()), |name| self.name(name, "a model")),
            noise,
            fixed_effects: config.fixed_effects.unwrap_or(defaults.fixed_effects),
            condition_contrasts,
            maps,
            design,
            confounds,
            contrasts,
            thresholds,
        }
    }

    /// The noise model: of tables one that needs no neighbours.
    fn noise(&mut self, stated: Option<Placed<Noise>>, tables: bool) -> Noise {
        let noise = stated.as_ref().map_or(self.defaults.noise, |stated| stated.value);
        if !tables || noise == noise.of_support(false) {
            return noise;
        }
        if let Some(stated) = stated {
            let diagnostic =
                Diagnostic::warning("noise-not-pooled", "columns of a table have no neighbours to pool over");
            self.say(diagnostic.note("the noise of each is `arma11`, estimated on its own"), &stated.span);
        }
        noise.of_support(false)
    }

    fn contrast(&mut self, contrast: ContrastConfig) -> Option<ContrastSettings> {
        let name = contrast.name.map(|name| self.name(name, "a contrast"));
        let Placed { value, span } = contrast.expr?; // absent only where that was said
        let (kind, rows) = match value {
            TextOr::Text(text) => (ContrastKind::T, vec![Placed { value: text, span }]),
            TextOr::Other(rows) => (ContrastKind::F, rows.0),
        };
        for row in rows.iter().filter(|row| row.value.trim().is_empty()) {
            let diagnostic = Diagnostic::error("contrast-empty", "empty contrast expression");
            self.say(diagnostic.note("expected: conditions or columns, such as `house - face`"), &row.span);
        }
        let rows = rows.into_iter().map(|row| self.context.sources.located(row)).collect();
        name.map(|name| ContrastSettings { name, kind, rows })
    }

    fn maps(
        &mut self,
        maps: Option<Vec<Placed<MapKind>>>,
        kinds: &[ContrastKind],
        noise: Noise,
        wrong: bool,
    ) -> Vec<MapKind> {
        let Some(maps) = maps else {
            let mut maps = self.defaults.maps.to_vec();
            if kinds.contains(&ContrastKind::F) {
                maps.push(MapKind::F);
            }
            maps.sort_unstable();
            return maps;
        };
        self.written_maps(maps, |map| match map {
            _ if wrong => None,
            MapKind::T if !kinds.contains(&ContrastKind::T) => Some("the model has no t contrast"),
            MapKind::F if !kinds.contains(&ContrastKind::F) => Some("the model has no F contrast (`expr = [\"…\"]`)"),
            MapKind::Rho if noise == Noise::Ols => Some("noise = \"ols\" has no autoregressive parameter"),
            MapKind::ArmaA | MapKind::ArmaB if noise != Noise::Arma11 => {
                Some("only noise = \"arma11\" has these coefficients")
            }
            _ => None,
        })
    }

    /// Says which contrasts the chosen maps leave without any output. Maps that are not of contrasts (`residuals`) may
    /// be all that is wanted.
    fn unwritten(&mut self, contrasts: &[ContrastSettings], maps: &[MapKind]) {
        let of_t = [MapKind::Effect, MapKind::Variance, MapKind::T, MapKind::Z, MapKind::P, MapKind::Dof];
        let of_f = [MapKind::F, MapKind::Z, MapKind::P, MapKind::Dof];
        let any = |kinds: &[MapKind]| maps.iter().any(|map| kinds.contains(map));
        if !any(&of_t) && !any(&of_f) {
            return;
        }
        for contrast in contrasts {
            let (kind, written, needed) = match contrast.kind {
                ContrastKind::T => ("a t", any(&of_t), "`effect`, `variance`, `t`, `z`, `p`, `dof`"),
                ContrastKind::F => ("an F", any(&of_f), "`F`, `z`, `p`, `dof`"),
            };
            if !written {
                let message = format!("`maps` writes nothing of `{}`, {kind} contrast", contrast.name.value);
                let diagnostic =
                    Diagnostic::error("maps-impossible", message).note(format!("expected: any of {needed}"));
                let place = contrast.name.place_of_words();
                self.shape.problems.push(Diagnostic { place, ..diagnostic });
            }
        }
    }

    /// Whether what decides which design keys have an effect was found wrong.
    pub(super) fn told_of_design(&self) -> bool {
        let models = ["glm", "deconvolve"];
        let told = |key: &str| self.told(key) || models.iter().any(|array| self.told_in_any(array, key));
        ["design.hrf", "design.drift"].into_iter().any(told)
    }

    /// A model over inputs of which none has events: resting state, with confounds or drift alone.
    fn model_without_task(
        &mut self,
        config: &GlmConfig,
        design: &DesignConfig,
        confounds: &ConfoundsConfig,
        span: &Range<usize>,
    ) {
        let merged = merged(design, &config.design);
        let has_columns = takes_columns(&config.confounds, confounds);
        let hint = "add `events` to the runs";
        if config.condition_contrasts == Some(true) {
            let diagnostic =
                Diagnostic::error("contrast-without-events", "`condition_contrasts = true`, but no run has `events`");
            self.say(diagnostic.hint(hint), span);
        }
        if let Some(contrast) = config.contrast.first().filter(|_| !has_columns) {
            let place = contrast.value.name.as_ref().map_or(&contrast.span, |name| &name.span);
            let diagnostic = Diagnostic::error(
                "contrast-without-events",
                "contrast without anything to contrast: no run has `events`",
            );
            self.say(diagnostic.hint(hint), place);
        }
        if let Some(hrf) = &merged.hrf
            && !matches!(&hrf.value, TextOr::Text(text) if text.0.trim() == "none")
        {
            let diagnostic = Diagnostic::error("config-idle-key", "`hrf` has no effect: no run has `events`");
            self.say(diagnostic.hint(hint), &hrf.span);
        }
        if let Some(modulator) = merged.modulator.iter().flatten().next() {
            let diagnostic = Diagnostic::error("config-idle-key", "a modulator has no effect: no run has `events`");
            self.say(diagnostic.hint(hint), &modulator.span);
        }
    }

    /// Says which inputs lack what others have.
    pub(super) fn inputs_without(&mut self, inputs: &[InputFacts], has: fn(&InputFacts) -> bool, key: &'static str) {
        for input in inputs.iter().filter(|input| !has(input)) {
            let message = format!("{} has no `{key}`, which the models need", describe(&input.labels));
            let diagnostic = Diagnostic::error("input-incomplete", message).hint(format!("add {key} = \"…\""));
            self.shape.problems.push(Diagnostic { place: input.place.clone(), ..diagnostic });
        }
    }

    /// Patterns of column names, each checked.
    pub(super) fn globs(&mut self, globs: Vec<Placed<String>>) -> Vec<Located<String>> {
        for glob in &globs {
            if let Err(error) = globset::Glob::new(&glob.value) {
                let message = format!("`{}` is no pattern: {}", glob.value, error.kind());
                self.say(Diagnostic::error("config-glob", message), &glob.span);
            }
        }
        globs.into_iter().map(|glob| self.context.sources.located(glob)).collect()
    }
}

//! `[design]` with a model's own keys over it.

use super::Resolver;
use crate::config::keys::{DesignConfig, DriftKind, HrfText, ModulatorConfig, TentConfig};
use crate::config::placed::{Placed, TextOr};
use crate::config::wording::closest;
use crate::config::{DesignSettings, Drift, HrfSettings, HrfShape, Located, ModulatorSettings};
use crate::error::Diagnostic;
use std::collections::BTreeSet;
use std::ops::Range;

/// What `hrf` may be, for messages.
const HRF_FORMS: &str = "expected: `spm`, `glover` or `gamma`, each also with ` + derivative` or \
                         ` + derivative + dispersion`; `fir`, `tent`, `none`; or { file = \"hrf.tsv\" }";

/// The model's own keys over the shared ones.
pub(super) fn merged(shared: &DesignConfig, own: &DesignConfig) -> DesignConfig {
    DesignConfig {
        hrf: own.hrf.clone().or_else(|| shared.hrf.clone()),
        fir_delays_s: own.fir_delays_s.clone().or_else(|| shared.fir_delays_s.clone()),
        tent: own.tent.clone().or_else(|| shared.tent.clone()),
        slice_time_ref: own.slice_time_ref.or(shared.slice_time_ref),
        drift: own.drift.clone().or_else(|| shared.drift.clone()),
        high_pass_hz: own.high_pass_hz.clone().or_else(|| shared.high_pass_hz.clone()),
        polynomial_order: own.polynomial_order.clone().or_else(|| shared.polynomial_order.clone()),
        when_condition_absent: own.when_condition_absent.or(shared.when_condition_absent),
        modulator: own.modulator.clone().or_else(|| shared.modulator.clone()),
    }
}

impl Resolver<'_> {
    pub(super) fn design(&mut self, config: DesignConfig) -> DesignSettings {
        let defaults = self.defaults;
        let drift = match config.drift.map_or(defaults.drift, |drift| drift.value) {
            DriftKind::Cosine => {
                Drift::Cosine { high_pass_hz: config.high_pass_hz.map_or(defaults.high_pass_hz, |limit| limit.value) }
            }
            DriftKind::Polynomial => Drift::Polynomial {
                order: config.polynomial_order.map_or(defaults.polynomial_order, |order| order.value),
            },
            DriftKind::None => Drift::None,
        };
        let hrf = match config.hrf {
            None => HrfSettings::Canonical { shape: defaults.hrf, derivative: false, dispersion: false },
            Some(Placed { value: TextOr::Other(file), .. }) => match file.file {
                Some(file) => HrfSettings::File(self.path(file)),
                None => HrfSettings::None, // absent only where that was said
            },
            Some(Placed { value: TextOr::Text(HrfText(text)), span }) => {
                let text = self.context.sources.located(Placed { value: text, span });
                self.named_hrf(&text, config.fir_delays_s, config.tent)
            }
        };
        DesignSettings {
            hrf,
            slice_time_ref: config.slice_time_ref.unwrap_or(defaults.slice_time_ref),
            slice_time_ref_stated: config.slice_time_ref.is_some(),
            drift,
            when_condition_absent: config.when_condition_absent.unwrap_or(defaults.when_condition_absent),
            modulators: self.modulators(config.modulator.unwrap_or_default()),
        }
    }

    fn named_hrf(
        &mut self,
        text: &Located<String>,
        delays: Option<Placed<Vec<f64>>>,
        tent: Option<Placed<TentConfig>>,
    ) -> HrfSettings {
        let parts = parts(text);
        let words: Vec<&str> = parts.iter().map(|(word, _)| *word).collect();
        let shape = |word: &str| match word {
            "spm" => Some(HrfShape::Spm),
            "glover" => Some(HrfShape::Glover),
            "gamma" => Some(HrfShape::Gamma),
            _ => None,
        };
        match words.as_slice() {
            ["none"] | [] => HrfSettings::None, // a split text has at least one part
            ["fir"] => HrfSettings::Fir { delays: self.fir_delays(delays) },
            ["tent"] => self.tent(tent),
            [word, extras @ ..] => {
                let wrong = match (shape(word), extras) {
                    (Some(shape), [] | ["derivative"] | ["derivative", "dispersion"]) => {
                        return HrfSettings::Canonical {
                            shape,
                            derivative: !extras.is_empty(),
                            dispersion: extras.len() == 2,
                        };
                    }
                    (Some(_), ["derivative", "dispersion", ..]) => 3,
                    (Some(_), ["derivative", ..]) => 2,
                    (Some(_), _) => 1,
                    (None, _) if matches!(*word, "fir" | "tent" | "none") => 1,
                    (None, _) => 0,
                };
                self.unknown_hrf(text, &parts[wrong], wrong);
                HrfSettings::None
            }
        }
    }

    fn unknown_hrf(&mut self, text: &Located<String>, (word, range): &(&str, Range<usize>), position: usize) {
        let known = match position {
            0 => ["spm", "glover", "gamma", "fir", "tent", "none"].as_slice(),
            1 => &["derivative"],
            _ => &["dispersion"],
        };
        let known: Vec<String> = known.iter().map(|word| (*word).to_owned()).collect();
        let mut diagnostic =
            Diagnostic::error("config-unknown-value", format!("unknown value `{}` of `hrf`", text.value))
                .note(HRF_FORMS);
        if let Some(near) = closest(word, &known).filter(|near| near != word) {
            diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
        }
        diagnostic.place = text.place_within(range.clone());
        self.shape.problems.push(diagnostic);
    }

    fn fir_delays(&mut self, delays: Option<Placed<Vec<f64>>>) -> Vec<f64> {
        let Some(Placed { value: delays, span }) = delays else { return self.defaults.fir_delays.to_vec() };
        let distinct: BTreeSet<u64> = delays.iter().map(|delay| (delay + 0.0).to_bits()).collect();
        if distinct.len() < delays.len() {
            let diagnostic = Diagnostic::error("fir-delays", "`fir_delays_s` has a delay twice");
            self.say(diagnostic, &span);
        }
        if self.in_scans && delays.iter().any(|delay| delay.fract() != 0.0) {
            let diagnostic =
                Diagnostic::error("fir-delays", "`fir_delays_s` has a fraction under a profile that counts scans");
            self.say(diagnostic.note("expected: whole numbers of scans"), &span);
        }
        delays
    }

    fn tent(&mut self, tent: Option<Placed<TentConfig>>) -> HrfSettings {
        let defaults = self.defaults;
        let span = tent.as_ref().map(|tent| tent.span.clone());
        let config = tent.map(|tent| tent.value).unwrap_or_default();
        let start_s = config.start_s.unwrap_or(defaults.tent_start_s);
        let stop_s = config.stop_s.unwrap_or(defaults.tent_stop_s);
        if let Some(span) = span.filter(|_| stop_s <= start_s) {
            let diagnostic = Diagnostic::error("tent-knots", "the last knot of `tent` is not after the first");
            self.say(diagnostic.note(format!("found: start_s = {start_s}, stop_s = {stop_s}")), &span);
        }
        HrfSettings::Tent { start_s, stop_s, knots: config.knots.unwrap_or(defaults.tent_knots) }
    }

    fn modulators(&mut self, modulators: Vec<Placed<ModulatorConfig>>) -> Vec<ModulatorSettings> {
        let mut seen = BTreeSet::new();
        let mut resolved = Vec::new();
        for Placed { value: modulator, span } in modulators {
            let (Some(condition), Some(column)) = (modulator.condition, modulator.column) else { continue };
            if !seen.insert((condition.value.clone(), column.value.clone())) {
                let message = format!("two modulators are `{}:{}`", condition.value, column.value);
                self.say(Diagnostic::error("config-duplicate-name", message), &span);
            }
            resolved.push(ModulatorSettings {
                condition: self.context.sources.located(condition),
                column: self.context.sources.located(column),
                center: modulator.center.unwrap_or(self.defaults.modulator_center),
            });
        }
        resolved
    }

    /// Says which keys of `config` no model in `designs` uses: a cosine's limit beside a polynomial drift.
    pub(super) fn idle_design_keys(&mut self, config: &DesignConfig, designs: &[&DesignSettings]) {
        let any = |applies: fn(&DesignSettings) -> bool| designs.iter().any(|design| applies(design));
        let keys = [
            ("high_pass_hz", "drift = \"cosine\"", config.high_pass_hz.as_ref().map(|key| &key.span), any(uses_cosine)),
            (
                "polynomial_order",
                "drift = \"polynomial\"",
                config.polynomial_order.as_ref().map(|key| &key.span),
                any(uses_polynomial),
            ),
            (
                "fir_delays_s",
                "hrf = \"fir\"",
                config.fir_delays_s.as_ref().filter(|delays| !delays.value.is_empty()).map(|key| &key.span),
                any(uses_fir),
            ),
            ("tent", "hrf = \"tent\"", config.tent.as_ref().map(|key| &key.span), any(uses_tent)),
        ];
        for (key, condition, span, applies) in keys {
            if let Some(span) = span.filter(|_| !applies) {
                let message = format!("`{key}` has no effect without {condition}");
                self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), span);
            }
        }
    }
}

fn uses_cosine(design: &DesignSettings) -> bool {
    matches!(design.drift, Drift::Cosine { .. })
}

fn uses_polynomial(design: &DesignSettings) -> bool {
    matches!(design.drift, Drift::Polynomial { .. })
}

fn uses_fir(design: &DesignSettings) -> bool {
    matches!(design.hrf, HrfSettings::Fir { .. })
}

fn uses_tent(design: &DesignSettings) -> bool {
    matches!(design.hrf, HrfSettings::Tent { .. })
}

/// The words between plus signs, with the bytes they stand at.
fn parts(text: &str) -> Vec<(&str, Range<usize>)> {
    let mut at = 0;
    text.split('+')
        .map(|part| {
            let word = part.trim();
            let first = at + (part.len() - part.trim_start().len());
            at += part.len() + 1;
            (word, first..first + word.len())
        })
        .collect()
}

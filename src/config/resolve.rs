//! From what the pipeline file says to [`Settings`]: defaults by profile, overrides by model, and the rules between
//! keys. Problems are collected; where something is wrong a stand-in is put, which no one sees.

mod bids;
mod confounds;
mod deconvolve;
mod design;
mod filters;
mod glm;
mod inputs;
mod labels;
mod threshold;

use super::keys::{
    CalibrateConfig, Config, EventsConfig, MissingDurationWord, OutputConfig, PreprocessConfig, RoiConfig,
};
use super::placed::{Placed, TextOr};
use super::shape::Shape;
use super::sources::Sources;
use super::{
    CalibrateSettings, Defaults, EventSettings, Inputs, MissingDuration, Numerics, OutputSettings, PreprocessSettings,
};
use super::{Located, Profile, RoiSettings, RoiSource, Scaling, Settings};
use crate::error::Diagnostic;
use filters::ModelSpans;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What resolution needs to know besides the keys.
pub(super) struct Context<'a> {
    /// The texts, to point at.
    pub(super) sources: &'a Sources,
    /// The folder of the pipeline file.
    pub(super) folder: &'a Path,
    /// Looks an environment variable up.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Resolves a configuration, adding to the problems its shape already has.
pub(super) fn resolve(config: Config, context: Context<'_>, shape: &mut Shape) -> Settings {
    let profile = config.profile.unwrap_or(Profile::Native);
    let numerics = Numerics::of(profile);
    let mut resolver =
        Resolver { context, defaults: Defaults::of(profile), in_scans: numerics.fir_delays_in_scans, shape };
    let inputs =
        resolver.inputs(config.bids.as_ref().map(|bids| &bids.span), config.run, config.timeseries, config.spikes);
    let bids = config.bids.and_then(|bids| resolver.bids(bids.value));
    let mask = resolver.mask(config.mask, &inputs, bids.as_ref());
    let rois = resolver.rois(config.roi, &inputs);
    let preprocess = resolver.preprocess(config.preprocess, &inputs);
    let events = resolver.events(config.events);
    let names = [
        config.glm.iter().filter_map(|model| model.value.name.as_ref()).collect::<Vec<_>>(),
        config.deconvolve.iter().filter_map(|model| model.value.name.as_ref()).collect(),
        config.convolve.iter().filter_map(|model| model.value.name.as_ref()).collect(),
        config.rate.iter().filter_map(|model| model.value.name.as_ref()).collect(),
    ];
    resolver.unique(names.iter().flatten().copied(), "models");
    let spans = ModelSpans {
        glm: config.glm.first().map(|model| model.span.clone()),
        deconvolve: config.deconvolve.first().map(|model| model.span.clone()),
        convolve: config.convolve.first().map(|model| model.span.clone()),
        rate: config.rate.first().map(|model| model.span.clone()),
        told: ["glm", "deconvolve", "convolve", "rate"].iter().any(|key| resolver.told(key)),
    };
    resolver.models_fit_inputs(&inputs, &spans);
    let (design, confounds) = (&config.design, &config.confounds);
    let glms = resolver.glms(config.glm, design, confounds, &inputs);
    let deconvolutions = resolver.deconvolutions(config.deconvolve, design, confounds, &glms, &inputs);
    resolver.shared_keys(design, confounds, (&glms, &deconvolutions), &inputs);
    let convolutions = resolver.convolutions(config.convolve, &inputs);
    let rates = resolver.rates(config.rate);
    let calibrate = resolver.calibrate(config.calibrate);
    let output = resolver.output(config.output);
    let name = config.name.map(|name| name.value).unwrap_or_default();
    Settings {
        name,
        profile,
        numerics,
        bids,
        inputs,
        mask,
        rois,
        preprocess,
        events,
        glms,
        deconvolutions,
        convolutions,
        rates,
        calibrate,
        output,
    }
}

struct Resolver<'a> {
    context: Context<'a>,
    defaults: Defaults,
    /// Whether FIR delays count scans.
    in_scans: bool,
    shape: &'a mut Shape,
}

impl Resolver<'_> {
    /// Keeps a problem with a span of the pipeline file, quotes left out.
    fn say(&mut self, diagnostic: Diagnostic, span: &Range<usize>) {
        let place = self.context.sources.place_of_words(span);
        self.shape.problems.push(Diagnostic { place, ..diagnostic });
    }

    /// Whether a key (`run[0].bold`), or something in it, was already found wrong or missing.
    fn told(&self, path: &str) -> bool {
        let within = format!("{path}.");
        let element = format!("{path}[");
        self.shape.told.iter().any(|told| told == path || told.starts_with(&within) || told.starts_with(&element))
    }

    /// Whether a key was found wrong in any element of an array of tables.
    fn told_in_any(&self, array: &str, key: &str) -> bool {
        let (start, end) = (format!("{array}["), format!("].{key}"));
        self.shape.told.iter().any(|told| told.starts_with(&start) && told.contains(&end))
    }

    /// A path: `${VAR}` replaced by the environment's, relative ones joined to the pipeline file's folder.
    fn path(&mut self, written: Placed<String>) -> Located<PathBuf> {
        let mut expanded = String::new();
        let mut rest = written.value.as_str();
        while let Some(at) = rest.find("${") {
            expanded.push_str(&rest[..at]);
            let offset = written.value.len() - rest.len() + at;
            let Some(length) = rest[at..].find('}') else {
                let diagnostic = Diagnostic::error("path-variable", "`${` without `}` in a path");
                self.say_within(diagnostic.note("expected: ${NAME}"), &written, offset..offset + 2);
                rest = "";
                break;
            };
            let name = &rest[at + 2..at + length];
            if let Some(value) = (self.context.variable)(name) {
                expanded.push_str(&value);
            } else {
                let message = format!("environment variable `{name}` is not set");
                let diagnostic = Diagnostic::error("path-variable", message).hint(format!("export {name}=…"));
                self.say_within(diagnostic, &written, offset..offset + length + 1);
            }
            rest = &rest[at + length + 1..];
        }
        expanded.push_str(rest);
        let value = self.context.folder.join(expanded);
        self.context.sources.located(Placed { value, span: written.span })
    }

    fn say_within(&mut self, diagnostic: Diagnostic, written: &Placed<String>, range: Range<usize>) {
        let place = self.context.sources.located(written.clone()).place_within(range);
        self.shape.problems.push(Diagnostic { place, ..diagnostic });
    }

    /// The maps a model writes, in their own order: each once, and none for which `idle` has a reason not to exist.
    fn written_maps<M: Copy + Ord>(
        &mut self,
        maps: Vec<Placed<M>>,
        idle: impl Fn(M) -> Option<&'static str>,
    ) -> Vec<M> {
        let mut chosen = Vec::new();
        for Placed { value: map, span } in maps {
            let word = self.context.sources.text(&span);
            if chosen.contains(&map) {
                self.say(Diagnostic::error("maps-duplicate", format!("map {word} is listed twice")), &span);
            } else if let Some(reason) = idle(map) {
                let message = format!("map {word} cannot be written: {reason}");
                self.say(Diagnostic::error("maps-impossible", message), &span);
            } else {
                chosen.push(map);
            }
        }
        chosen.sort_unstable();
        chosen
    }

    /// A name that becomes part of file names: letters and digits.
    fn name(&mut self, name: Placed<String>, what: &str) -> Located<String> {
        if !is_label(&name.value) {
            let message = format!("name `{}` of {what} is not letters and digits", name.value);
            let suggestion = in_camel_case(&name.value);
            let mut diagnostic =
                Diagnostic::error("config-name", message).note("expected: [A-Za-z0-9]+, as in BIDS file names");
            if !suggestion.is_empty() {
                diagnostic = diagnostic.hint(format!("write `{suggestion}`"));
            }
            self.say(diagnostic, &name.span);
        }
        self.context.sources.located(name)
    }

    /// Says which names come twice, ignoring case: they are one file on some file systems.
    fn unique<'n>(&mut self, names: impl Iterator<Item = &'n Placed<String>>, what: &str) {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for name in names {
            if let Some(first) = seen.insert(name.value.to_lowercase(), name.value.clone()) {
                let message = format!("two {what} are named `{}`", name.value);
                let mut diagnostic = Diagnostic::error("config-duplicate-name", message);
                if first != name.value {
                    diagnostic = diagnostic.note(format!("the other is `{first}`: names are unique ignoring case"));
                }
                self.say(diagnostic, &name.span);
            }
        }
    }

    fn preprocess(&mut self, config: PreprocessConfig, inputs: &Inputs) -> PreprocessSettings {
        let defaults = self.defaults;
        let fwhm = config.smooth_fwhm_mm.as_ref().map_or([defaults.smooth_fwhm_mm; 3], |fwhm| fwhm.value.0);
        let tables = !matches!(inputs, Inputs::Runs(_));
        let smooths = fwhm.iter().any(|length| *length > 0.0);
        if let Some(fwhm) = config.smooth_fwhm_mm.filter(|_| tables && smooths) {
            let diagnostic = Diagnostic::error("smooth-table", "a table cannot be smoothed in space");
            self.say(
                diagnostic.note("the columns of a table have no neighbours").hint("leave the key out"),
                &fwhm.span,
            );
        } else if let Some(within) = &config.smooth_within_mask
            && within.value
            && !smooths
            && !self.told("preprocess.smooth_fwhm_mm")
        {
            let message = "`smooth_within_mask = true` has no effect without `smooth_fwhm_mm`";
            self.say(Diagnostic::error("config-idle-key", message), &within.span);
        }
        let scaling: Scaling = if tables { defaults.scaling_of_tables } else { defaults.scaling };
        PreprocessSettings {
            discard_volumes: config.discard_volumes.unwrap_or(defaults.discard_volumes),
            smooth_fwhm_mm: fwhm,
            smooth_within_mask: config.smooth_within_mask.map_or(defaults.smooth_within_mask, |within| within.value),
            scaling: config.scaling.unwrap_or(scaling),
        }
    }

    fn events(&mut self, config: EventsConfig) -> EventSettings {
        let defaults = self.defaults;
        let sources = self.context.sources;
        let missing_duration = match config.missing_duration {
            None | Some(TextOr::Text(MissingDurationWord::Error)) => MissingDuration::Error,
            Some(TextOr::Text(MissingDurationWord::Zero)) => MissingDuration::Seconds(0.0),
            Some(TextOr::Other(seconds)) => MissingDuration::Seconds(seconds.0),
        };
        EventSettings {
            condition_column: config
                .condition_column
                .map_or_else(|| Located::unplaced(defaults.condition_column.to_owned()), |name| sources.located(name)),
            ignore: config.ignore.unwrap_or_default().into_iter().map(|name| sources.located(name)).collect(),
            missing_condition_label: config.missing_condition_label.unwrap_or(defaults.missing_condition_label),
            missing_duration,
            outside_run: config.outside_run.unwrap_or(defaults.outside_run),
            duplicates: config.duplicates.unwrap_or(defaults.duplicates),
        }
    }

    fn rois(&mut self, rois: Vec<Placed<RoiConfig>>, inputs: &Inputs) -> Vec<RoiSettings> {
        self.unique(rois.iter().filter_map(|roi| roi.value.name.as_ref()), "regions");
        if let (Inputs::Timeseries(_) | Inputs::Spikes(_), Some(roi)) = (inputs, rois.first()) {
            let diagnostic = Diagnostic::error("roi-of-table", "`[[roi]]` needs images; a table has no voxels");
            self.say(diagnostic, &roi.span);
        }
        let mut resolved = Vec::new();
        for (index, Placed { value: roi, span }) in rois.into_iter().enumerate() {
            let told = ["mask", "atlas", "labels"].iter().any(|key| self.told(&format!("roi[{index}].{key}")));
            let name = roi.name.map(|name| self.name(name, "a region"));
            let labels = roi.labels.map(|labels| self.path(labels));
            let source = match (roi.mask, roi.atlas) {
                (Some(mask), None) => {
                    if labels.is_some() {
                        let message = "`labels` has no effect without `atlas`";
                        self.say(Diagnostic::error("config-idle-key", message), &span);
                    }
                    Some(RoiSource::Mask(self.path(mask)))
                }
                (None, Some(atlas)) => Some(RoiSource::Atlas { atlas: self.path(atlas), labels }),
                (Some(_), Some(_)) => {
                    let message = "a region is either a `mask` or an `atlas`, not both";
                    self.say(Diagnostic::error("roi-source", message), &span);
                    None
                }
                (None, None) => {
                    if !told {
                        let message = "region without `mask` or `atlas`";
                        self.say(Diagnostic::error("roi-source", message).note("expected: one of them"), &span);
                    }
                    None
                }
            };
            if let (Some(name), Some(source)) = (name, source) {
                resolved.push(RoiSettings { name, source });
            }
        }
        resolved
    }

    fn calibrate(&mut self, config: CalibrateConfig) -> CalibrateSettings {
        let alternatives = config.alternatives.map_or_else(
            || self.defaults.calibrate_alternatives.to_vec(),
            |stated| stated.into_iter().map(|noise| noise.value).collect(),
        );
        CalibrateSettings {
            draws: config.draws.unwrap_or(self.defaults.calibrate_draws),
            seed: config.seed.unwrap_or(self.defaults.calibrate_seed),
            alternatives,
            rest: config.rest.into_iter().flatten().map(|path| self.path(path)).collect(),
        }
    }

    fn output(&mut self, config: OutputConfig) -> OutputSettings {
        let dir = match config.dir {
            Some(dir) => self.path(dir).value,
            None => self.context.folder.join(self.defaults.output_dir),
        };
        OutputSettings {
            dir,
            compression_level: config.compression_level.unwrap_or(self.defaults.compression_level),
            report: config.report.unwrap_or(self.defaults.report),
        }
    }
}

/// Whether a text may be a part of a BIDS file name.
fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The letters and digits of a text; a word after the first begins with a capital: `face vs house` is `faceVsHouse`.
fn in_camel_case(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_ascii_uppercase() + rest
    })
}

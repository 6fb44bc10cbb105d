//! `[[spikes]]`, `[[rate]]` and `[[convolve]]`, and that a pipeline's inputs and its models fit each other.

use super::Resolver;
use super::labels::LabelKeys;
use crate::config::keys::{ConvolveConfig, ConvolveKernelTable, RateConfig, SpikesConfig};
use crate::config::placed::Placed;
use crate::config::{
    ConvolveEdge, ConvolveKernel, ConvolveMode, ConvolveSettings, Inputs, Located, RateSettings, SpikesSettings,
};
use crate::error::Diagnostic;
use std::ops::Range;

impl Resolver<'_> {
    pub(super) fn spikes(&mut self, index: usize, spikes: SpikesConfig) -> Option<SpikesSettings> {
        let sources = self.context.sources;
        let file = spikes.table.map(|path| self.path(path))?; // absent only where that was said
        let keys = LabelKeys {
            subject: spikes.subject,
            session: spikes.session,
            task: spikes.task,
            run: spikes.run,
            space: None,
        };
        let labels = self.labels(keys, &file, &format!("spikes[{index}]"));
        let time_column = match spikes.time_column {
            Some(name) => sources.located(name),
            None => Located::unplaced(self.defaults.spikes_time_column.to_owned()),
        };
        Some(SpikesSettings {
            labels,
            table: file,
            time_column,
            unit_column: spikes.unit_column.map(|name| sources.located(name)),
            duration_s: sources.located(spikes.duration_s?),
        })
    }

    pub(super) fn rates(&mut self, configs: Vec<Placed<RateConfig>>) -> Vec<RateSettings> {
        let sources = self.context.sources;
        let mut resolved = Vec::new();
        for Placed { value: config, .. } in configs {
            let name = config.name.map(|name| self.name(name, "a model"));
            let (Some(name), Some(bin_s), Some(sigma_s)) = (name, config.bin_s, config.sigma_s) else { continue };
            resolved.push(RateSettings {
                name,
                bin_s: sources.located(bin_s),
                kernel: config.kernel.map_or(self.defaults.rate_kernel, |kernel| kernel.value),
                sigma_s: sources.located(sigma_s),
            });
        }
        resolved
    }

    pub(super) fn convolutions(
        &mut self,
        configs: Vec<Placed<ConvolveConfig>>,
        inputs: &Inputs,
    ) -> Vec<ConvolveSettings> {
        let images = matches!(inputs, Inputs::Runs(_));
        let mut resolved = Vec::new();
        for Placed { value: config, .. } in configs {
            let name = config.name.map(|name| self.name(name, "a model"));
            let centre = config.kernel.as_ref().and_then(|kernel| kernel.value.centre.clone());
            let centre = centre.map(|centre| self.context.sources.located(centre));
            let kernel = config.kernel.and_then(|kernel| self.convolve_kernel(kernel, images));
            let mode = config.mode.as_ref().map_or(self.defaults.convolve_mode, |mode| mode.value);
            if let Some(mode) = config.mode.as_ref().filter(|mode| images && mode.value != ConvolveMode::Same) {
                let diagnostic = Diagnostic::error("convolve-mode", "a convolved image has the size of its input");
                self.say(diagnostic.note("expected: mode = \"same\""), &mode.span);
            }
            let edge = config.edge.as_ref().map_or(self.defaults.convolve_edge, |edge| edge.value);
            if let Some(edge) =
                config.edge.filter(|edge| mode != ConvolveMode::Same && edge.value != ConvolveEdge::Zero)
            {
                let message = "`edge` has no effect without mode = \"same\"";
                self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), &edge.span);
            }
            let figures = config.figures.unwrap_or_default();
            if let Some(figure) = figures.first().filter(|_| images) {
                let message = "`figures` has no effect on images, whose middle slice is always drawn";
                self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), &figure.span);
            }
            let figures = figures.into_iter().map(|name| self.context.sources.located(name)).collect();
            let (Some(name), Some(kernel)) = (name, kernel) else { continue };
            resolved.push(ConvolveSettings { name, kernel, centre, mode, edge, figures });
        }
        resolved
    }

    fn convolve_kernel(&mut self, kernel: Placed<ConvolveKernelTable>, images: bool) -> Option<ConvolveKernel> {
        let Placed { value: ConvolveKernelTable { r#box, gaussian, weights, file, centre }, span } = kernel;
        let resolved = match (r#box, gaussian, weights, file) {
            (Some(samples), None, None, None) => ConvolveKernel::Box(samples),
            (None, Some(sigma), None, None) => ConvolveKernel::Gaussian(sigma),
            (None, None, Some(weights), None) => ConvolveKernel::Weights(weights.value),
            (None, None, None, Some(file)) => ConvolveKernel::File(self.path(file)),
            _ => {
                let diagnostic = Diagnostic::error("convolve-kernel", "`kernel` has not one form");
                let forms = "expected: { box = 5 }, { gaussian = 2.5 }, { weights = [0.25, 0.5, 0.25] } or \
                             { file = \"kernel.tsv\" }";
                self.say(diagnostic.note(forms), &span);
                return None;
            }
        };
        let symmetric = matches!(resolved, ConvolveKernel::Box(_) | ConvolveKernel::Gaussian(_));
        if let Some(centre) = centre.as_ref().filter(|_| symmetric) {
            let message = "`centre` has no effect on a box or a Gaussian";
            self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), &centre.span);
        } else if let (Some(centre), ConvolveKernel::Weights(weights)) = (&centre, &resolved)
            && centre.value >= weights.len()
        {
            let message = format!("`centre = {}` is outside the kernel", centre.value);
            let expected = format!("expected: 0 to {}", weights.len().saturating_sub(1));
            self.say(Diagnostic::error("convolve-kernel", message).note(expected), &centre.span);
        }
        if images && matches!(resolved, ConvolveKernel::Weights(_) | ConvolveKernel::File(_)) {
            let diagnostic = Diagnostic::error("convolve-kernel", "images are convolved with a box or a Gaussian");
            self.say(diagnostic.note("expected: { box = 5 } or { gaussian = 2.5 }"), &span);
        }
        Some(resolved)
    }

    /// That there is something to do, and that the inputs are of the kind it needs; each pair is what there is of a kind
    /// of model, and where the first stands.
    pub(super) fn models_fit_inputs(&mut self, inputs: &Inputs, spans: &ModelSpans) {
        let spikes = matches!(inputs, Inputs::Spikes(_));
        let of_series = [(&spans.glm, "glm"), (&spans.deconvolve, "deconvolve"), (&spans.convolve, "convolve")];
        if spans.rate.is_none() && of_series.iter().all(|(span, _)| span.is_none()) && !spans.told {
            let diagnostic = Diagnostic::error("no-model", "the pipeline has nothing to do");
            let expected = "expected: one or more tables `[[glm]]`, `[[deconvolve]]`, `[[convolve]]` or `[[rate]]`";
            self.say(diagnostic.note(expected), &(0..0));
        }
        for (span, kind) in of_series {
            if let Some(span) = span.as_ref().filter(|_| spikes) {
                let message = format!("`[[{kind}]]` needs images or series; `[[spikes]]` has neither");
                let diagnostic = Diagnostic::error("model-of-spikes", message);
                self.say(diagnostic.hint("write `[[rate]]`, and a second pipeline for the rest"), span);
            }
        }
        if let Some(span) = spans.rate.as_ref().filter(|_| !spikes && !self.told("spikes")) {
            let diagnostic = Diagnostic::error("rate-without-spikes", "`[[rate]]` needs `[[spikes]]`");
            self.say(diagnostic.hint("name a table of spike times in `[[spikes]]`"), span);
        }
    }
}

/// Where the first model of each kind stands.
pub(super) struct ModelSpans {
    pub(super) glm: Option<Range<usize>>,
    pub(super) deconvolve: Option<Range<usize>>,
    pub(super) convolve: Option<Range<usize>>,
    pub(super) rate: Option<Range<usize>>,
    /// Whether one was found wrong as a whole, so that none may be left.
    pub(super) told: bool,
}

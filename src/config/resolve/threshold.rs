//! `[[glm.threshold]]`: which contrast, and which keys have an effect.

use super::Resolver;
use crate::config::keys::ThresholdConfig;
use crate::config::placed::Placed;
use crate::config::{ContrastKind, ContrastSettings, Height, Located, Neighbours, Sides, ThresholdSettings};
use crate::error::Diagnostic;
use std::collections::BTreeSet;
use std::ops::Range;

impl Resolver<'_> {
    /// The thresholds of a model. `known` are its contrasts, where all of them are known here: those of conditions are only
    /// known with the events.
    pub(super) fn thresholds(
        &mut self,
        configs: Vec<Placed<ThresholdConfig>>,
        contrasts: &[ContrastSettings],
        known: Option<&[ContrastSettings]>,
        tables: bool,
    ) -> Vec<ThresholdSettings> {
        let mut seen = BTreeSet::new();
        let mut resolved = Vec::new();
        for Placed { value: config, span } in configs {
            let is_named = config.name.is_some();
            // without a contrast only where that was said
            let Some(threshold) = self.threshold(config, contrasts, tables) else { continue };
            let names: Vec<String> = known.into_iter().flatten().map(|contrast| contrast.name.value.clone()).collect();
            if known.is_some() && !names.contains(&threshold.contrast) {
                self.shape.problems.push(threshold.unknown_contrast(&names));
            }
            if !seen.insert((threshold.contrast.to_lowercase(), threshold.name.to_lowercase())) {
                self.second_of_a_name(&threshold, is_named, &span);
            }
            resolved.push(threshold);
        }
        resolved
    }

    fn second_of_a_name(&mut self, threshold: &ThresholdSettings, is_named: bool, span: &Range<usize>) {
        let message = format!("two thresholds of `{}` are named `{}`", *threshold.contrast, *threshold.name);
        let mut diagnostic = Diagnostic::error("config-duplicate-name", message);
        if !is_named {
            diagnostic = diagnostic.note("without `name` a threshold is named by its height and alpha");
        }
        diagnostic = diagnostic.hint("give it a `name` of its own");
        match threshold.name.place_of_words().filter(|_| is_named) {
            Some(place) => self.shape.problems.push(Diagnostic { place: Some(place), ..diagnostic }),
            None => self.say(diagnostic, span),
        }
    }

    fn threshold(
        &mut self,
        config: ThresholdConfig,
        contrasts: &[ContrastSettings],
        tables: bool,
    ) -> Option<ThresholdSettings> {
        let defaults = self.defaults;
        let height = config.height.as_ref().map_or(defaults.threshold_height, |height| height.value);
        let default_alpha = match height {
            Height::Uncorrected => defaults.threshold_alpha_uncorrected,
            _ => defaults.threshold_alpha,
        };
        let alpha = config.alpha.unwrap_or(default_alpha);
        let contrast = self.context.sources.located(config.contrast?);
        let of_voxels = [
            ("min_cluster_voxels", config.min_cluster_voxels.as_ref().map(|key| &key.span)),
            ("neighbours", config.neighbours.as_ref().map(|key| &key.span)),
        ];
        for (name, span) in of_voxels {
            if let Some(span) = span.filter(|_| tables) {
                let message = format!("`{name}` has no effect: the columns of a table have no neighbours");
                self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), span);
            }
        }
        if let Some(word) = config.height.as_ref().filter(|word| word.value.needs_residuals() && tables) {
            let message =
                format!("height = \"{}\" needs voxels: the columns of a table have no neighbours", height.label());
            let diagnostic = Diagnostic::error("threshold-of-table", message);
            self.say(diagnostic.hint("take \"fdr\" or \"bonferroni\""), &word.span);
        }
        let of_clusters = height == Height::Cluster;
        if let Some(p) = config.cluster_forming_p.as_ref().filter(|_| !of_clusters) {
            let message = "`cluster_forming_p` has no effect without height = \"cluster\"";
            self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), &p.span);
        }
        if let Some(least) = config.min_cluster_voxels.as_ref().filter(|_| of_clusters && !tables) {
            let message = "`min_cluster_voxels` has no effect beside height = \"cluster\", which finds the size";
            self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), &least.span);
        }
        let cluster_forming_p = config.cluster_forming_p.map_or(defaults.cluster_forming_p, |p| p.value);
        let is_f = contrasts.iter().any(|of| *of.name == *contrast && of.kind == ContrastKind::F);
        if let Some(sides) = config.sides.as_ref().filter(|_| is_f) {
            let message =
                format!("`sides` has no effect: `{}` is an F contrast, whose large values are looked at", *contrast);
            self.say(Diagnostic::error("config-idle-key", message).hint("leave it out"), &sides.span);
        }
        let name = match config.name {
            Some(name) => self.name(name, "a threshold"),
            None => Located::unplaced(format!("{}{}", height.label(), decimals(alpha))),
        };
        let sides = match config.sides {
            _ if is_f => Sides::One,
            Some(Placed { value: 1, .. }) => Sides::One,
            Some(_) => Sides::Two,
            None => defaults.sides,
        };
        let neighbours = match config.neighbours.map(|neighbours| neighbours.value) {
            Some(6) => Neighbours::Faces,
            Some(18) => Neighbours::Edges,
            Some(_) => Neighbours::Corners,
            None => defaults.neighbours,
        };
        Some(ThresholdSettings {
            contrast,
            name,
            height,
            alpha,
            cluster_forming_p: of_clusters.then_some(cluster_forming_p),
            min_cluster_voxels: config.min_cluster_voxels.map_or(defaults.min_cluster_voxels, |key| key.value),
            sides,
            neighbours,
        })
    }
}

/// The decimals of a number between 0 and 1: `05` of 0.05.
fn decimals(alpha: f64) -> String {
    format!("{alpha}").chars().skip_while(|c| *c != '.').filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::decimals;

    #[test]
    fn alpha_is_named_by_its_decimals() {
        assert_eq!([0.05, 0.001, 0.1, 1e-7].map(decimals), ["05", "001", "1", "0000001"]);
    }
}

//! Columns of fMRIPrep's table by what they are of, as nilearn's `load_confounds` takes them.
//!
//! Ciric et al. 2017 (doi 10.1016/j.neuroimage.2017.03.020) compare such strategies. Which columns a word stands for is in
//! `docs/confounds.md`.

use super::compcor;
use crate::config::{ConfoundStrategy, Expansion, IcaAroma};
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::table::Table;
use std::path::PathBuf;

/// Six parameters of head motion.
const MOTION: [&str; 6] = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"];

/// What a strategy takes of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Indices of the columns, by name.
    pub(super) columns: Vec<usize>,
    /// The JSON file beside the table, where it was needed.
    pub(super) sidecar: Option<PathBuf>,
}

/// Columns of one component, and what is missing of it.
#[derive(Debug, Default)]
pub(super) struct Component {
    /// Names of columns that are there.
    pub(super) found: Vec<String>,
    /// The component as the pipeline file writes it, and what it lacks.
    pub(super) lacking: Option<String>,
}

/// Chooses the columns of a strategy. What is missing of all components is one problem.
pub(super) fn choose(table: &Table, strategy: &ConfoundStrategy, diagnostics: &mut Diagnostics) -> Chosen {
    let signals: [(&str, &[&str], Option<Expansion>); 3] = [
        ("motion", &MOTION, strategy.motion),
        ("wm_csf", &["csf", "white_matter"], strategy.wm_csf),
        ("global_signal", &["global_signal"], strategy.global_signal),
    ];
    let mut components: Vec<Component> = signals
        .into_iter()
        .filter_map(|(key, signals, expansion)| expansion.map(|expansion| expanded(table, key, signals, expansion)))
        .collect();
    if strategy.high_pass {
        let cosines = containing(table, "cosine");
        if cosines.is_empty() {
            let warning = Diagnostic::warning("confounds-no-cosines", "no column `cosine*` for `high_pass`")
                .at(table.header_place())
                .note("the strategy filters no slow drift; fMRIPrep writes no cosines of a short run");
            diagnostics.push(warning.hint("model drift by `[design] drift` in place of `high_pass`"));
        }
        components.push(Component { found: cosines, lacking: None });
    }
    let mut sidecar = None;
    if let Some(settings) = strategy.compcor
        && let Some((component, path)) = compcor::components(table, settings, diagnostics)
    {
        sidecar = Some(path);
        components.push(component);
    }
    if strategy.ica_aroma == Some(IcaAroma::Basic) {
        let found = containing(table, "aroma");
        let lacking = found.is_empty().then(|| {
            "ica_aroma = \"basic\": aroma_motion_* (fMRIPrep 24 and later leave ICA-AROMA to fMRIPost-AROMA)".to_owned()
        });
        components.push(Component { found, lacking });
    }
    refuse_lacking(table, &components, diagnostics);
    let mut names: Vec<String> = components.into_iter().flat_map(|component| component.found).collect();
    names.sort_unstable();
    names.dedup();
    Chosen { columns: names.iter().filter_map(|name| table.column(name)).collect(), sidecar }
}

/// The names that an expansion makes of signals.
fn names_of(signals: &[&str], expansion: Expansion) -> Vec<String> {
    let suffixes: &[&str] = match expansion {
        Expansion::Basic => &[""],
        Expansion::Power2 => &["", "_power2"],
        Expansion::Derivatives => &["", "_derivative1"],
        Expansion::Full => &["", "_derivative1", "_power2", "_derivative1_power2"],
    };
    suffixes.iter().flat_map(|suffix| signals.iter().map(move |signal| format!("{signal}{suffix}"))).collect()
}

fn expanded(table: &Table, key: &str, signals: &[&str], expansion: Expansion) -> Component {
    let are_there = |names: &[String]| names.iter().all(|name| table.column(name).is_some());
    let (found, missing): (Vec<String>, Vec<String>) =
        names_of(signals, expansion).into_iter().partition(|name| table.column(name).is_some());
    let lacking = (!missing.is_empty()).then(|| {
        let smaller =
            [(Expansion::Derivatives, "derivatives"), (Expansion::Power2, "power2"), (Expansion::Basic, "basic")];
        let possible = smaller.into_iter().find(|(smaller, _)| are_there(&names_of(signals, *smaller)));
        let instead = possible.map(|(_, word)| format!(" (`{key} = \"{word}\"` would do)")).unwrap_or_default();
        let word = match expansion {
            Expansion::Basic => "basic",
            Expansion::Power2 => "power2",
            Expansion::Derivatives => "derivatives",
            Expansion::Full => "full",
        };
        format!("{key} = \"{word}\": {}{instead}", missing.join(", "))
    });
    Component { found, lacking }
}

/// Names of the columns with a word in them.
fn containing(table: &Table, word: &str) -> Vec<String> {
    table.columns.iter().filter(|name| name.contains(word)).cloned().collect()
}

fn refuse_lacking(table: &Table, components: &[Component], diagnostics: &mut Diagnostics) {
    let lacking: Vec<&String> = components.iter().filter_map(|component| component.lacking.as_ref()).collect();
    if lacking.is_empty() {
        return;
    }
    let message = "the confound table lacks columns that the strategy takes";
    let mut problem = Diagnostic::error("confounds-strategy-column", message).at(table.header_place());
    for lack in lacking {
        problem = problem.note(format!("missing for {lack}"));
    }
    problem = problem.note(format!("columns there are: {}", table.describe_columns()));
    diagnostics.push(problem.hint("take less, or give the table that fMRIPrep wrote, with all its columns"));
}

#[cfg(test)]
#[path = "strategy/tests.rs"]
pub(super) mod tests;

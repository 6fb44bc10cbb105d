//! The contrasts of the models: declared, and made for conditions.

use crate::config::{ContrastKind, ContrastSettings, HrfSettings, Located, Settings};
use crate::design::checks::{Estimability, estimable};
use crate::design::{ContrastMatrix, ParsedContrast, RunDesign, parse_contrast};
use crate::error::{Diagnostic, Diagnostics};
use std::collections::BTreeSet;

/// A contrast of a model.
#[derive(Debug, Clone)]
pub struct PlannedContrast {
    /// As declared, or as made for a condition.
    pub settings: ContrastSettings,
    /// Its expressions, parsed.
    pub parsed: ParsedContrast,
    /// Whether it stands in the file (`false`: it was made for a condition, and runs without that condition are skipped).
    pub declared: bool,
}

/// Declared contrasts and, where asked for, one for each condition.
pub(super) fn planned_contrasts(
    settings: &Settings,
    conditions: &BTreeSet<String>,
    problems: &mut Diagnostics,
) -> Vec<Vec<PlannedContrast>> {
    let mut all = Vec::new();
    for glm in &settings.glms {
        let mut planned = Vec::new();
        for contrast in &glm.contrasts {
            if let Some(parsed) = problems.collect(parse_contrast(contrast)) {
                planned.push(PlannedContrast { settings: contrast.clone(), parsed, declared: true });
            }
        }
        if glm.condition_contrasts {
            let ignored: BTreeSet<&str> = settings.events.ignore.iter().map(|name| name.as_str()).collect();
            for condition in conditions.iter().filter(|condition| !ignored.contains(condition.as_str())) {
                let contrast = condition_contrast(condition, &glm.design.hrf);
                if let Some(twin) = planned.iter().find(|twin| twin.settings.name.eq_ignore_ascii_case(&contrast.name))
                {
                    problems.push(
                        Diagnostic::error(
                            "contrast-duplicate-name",
                            format!("the contrast of condition `{condition}` has the name of another, `{}`", *twin.settings.name),
                        )
                        .note("`condition_contrasts` names a contrast by its condition without the characters that are not letters or digits")
                        .hint("rename the declared contrast, or declare the conditions' contrasts one by one"),
                    );
                    continue;
                }
                if let Some(parsed) = problems.collect(parse_contrast(&contrast)) {
                    planned.push(PlannedContrast { settings: contrast, parsed, declared: false });
                }
            }
        }
        let names: Vec<String> = planned.iter().map(|contrast| contrast.settings.name.value.clone()).collect();
        // where all contrasts are declared that was checked before
        for threshold in glm.thresholds.iter().filter(|of| glm.condition_contrasts && !names.contains(&of.contrast)) {
            problems.push(threshold.unknown_contrast(&names));
        }
        all.push(planned);
    }
    all
}

/// The contrast of a condition alone: its column, or where it has one a delay, an F over all of them.
fn condition_contrast(condition: &str, hrf: &HrfSettings) -> ContrastSettings {
    let name: String = condition.chars().filter(char::is_ascii_alphanumeric).collect();
    let (kind, row) = match hrf {
        HrfSettings::Fir { .. } | HrfSettings::Tent { .. } => (ContrastKind::F, format!("`{condition}_delay_*`")),
        _ => (ContrastKind::T, format!("`{condition}`")),
    };
    let name = if name.is_empty() { "condition".to_owned() } else { name };
    ContrastSettings { name: Located::unplaced(name), kind, rows: vec![Located::unplaced(row)] }
}

/// The contrast can be estimated from this run's frames.
pub(super) fn require_estimable(
    design: &RunDesign,
    matrix: &ContrastMatrix,
    contrast: &ContrastSettings,
) -> Result<(), Diagnostics> {
    let Estimability::NotEstimable { columns } = estimable(design, matrix) else { return Ok(()) };
    let mut problem = Diagnostic::error(
        "contrast-not-estimable",
        format!("contrast `{}` cannot be estimated in {}", *contrast.name, design.run),
    )
    .note(format!("these columns of the design are linearly dependent: {}", columns.join(", ")))
    .hint("look at the design with `boldly design`; leave out confounds or conditions that repeat each other");
    problem.place = contrast.rows.first().and_then(Located::place);
    Err(problem.into())
}

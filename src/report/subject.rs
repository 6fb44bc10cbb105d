//! The page of one subject.

use super::ReportOptions;
use super::html::Html;
use super::model::Models;
use super::page::{Page, messages};
use super::saved::Saved;
use super::settings::of_pipeline;
use super::table::{Align, Table, facts};
use super::viewer;
use crate::error::Diagnostics;
use crate::outputs::{Manifest, OutputFolder, SubjectState, Unit};

/// The page of a subject from the manifests of its results and of their calibration, and what could not be read for it; `state`
/// is what is noted of its last run.
pub(super) fn page(
    folder: &OutputFolder,
    unit: &Unit,
    (manifest, calibration): (&Manifest, Option<&Manifest>),
    state: Option<&SubjectState>,
    options: ReportOptions,
) -> (String, Diagnostics) {
    let saved = Saved::new(folder, manifest);
    let settings = &manifest.key.settings;
    let name = settings["name"].as_str().unwrap_or_default();
    let mut kicker = Html::element("a", &[("href", "report.html")], Html::text(&format!("Pipeline {name}")));
    kicker.append(&Html::text(" · subject report"));
    let mut pairs = of_pipeline(settings);
    pairs.insert(0, ("models", saved.models().join(", ")));
    pairs.push(("analysed by", format!("boldly {}", manifest.version)));
    let mut page = Page::new(&unit.to_string(), kicker, facts(pairs));
    let mut models = Models { saved: &saved, options, n_viewers: 0 };
    let sections: Vec<(String, Html)> =
        saved.models().into_iter().map(|model| (model.clone(), models.section(&model))).collect();
    let has_viewer = models.n_viewers > 0;
    let rates = calibration.map(|own| Saved::new(folder, own));
    let calibrated = rates.as_ref().map(|rates| super::calibration::section(rates, manifest)).unwrap_or_default();
    // read first: what is missing is said above all
    let mut problems = saved.problems();
    problems.extend(rates.map(|rates| rates.problems()).unwrap_or_default());
    page.section("older", "Results of an earlier run", state.map(older).unwrap_or_default());
    page.section("problems", "Not shown", messages(&problems, folder.root()));
    page.section("warnings", "Warnings", warnings(manifest));
    for (model, html) in sections {
        page.section(&format!("model-{model}"), &format!("Model {model}"), html);
    }
    page.section("calibration", "Calibration", calibrated);
    page.section("inputs", "Inputs and provenance", provenance(manifest));
    (page.html(has_viewer.then_some(viewer::SCRIPT)), problems)
}

/// That the last run of the subject gave no results, so that these are of one before.
fn older(state: &SubjectState) -> Html {
    let said = match state {
        SubjectState::Failed(_) => "The last run of this subject failed; what follows is of an earlier one.",
        SubjectState::Interrupted => "The last run of this subject was interrupted; what follows is of an earlier one.",
        SubjectState::Done { .. } | SubjectState::Running | SubjectState::Waiting | SubjectState::NotStarted => {
            return Html::default();
        }
    };
    let mut html = Html::element("p", &[], Html::element("b", &[], Html::text(said)));
    for reason in state.reasons_in_short() {
        html.push(Html::paragraph("note", reason));
    }
    Html::element("div", &[("class", "message")], html)
}

/// What the run warned of.
fn warnings(manifest: &Manifest) -> Html {
    let warning = |warning: &crate::outputs::SavedWarning| {
        let mut line = Html::element("b", &[], Html::text(&format!("warning[{}]: ", warning.code)));
        line.append(&Html::text(&warning.message));
        let mut html = Html::element("p", &[], line);
        for text in warning.place.iter().chain(&warning.notes) {
            html.push(Html::paragraph("note", text));
        }
        Html::element("div", &[("class", "message")], html)
    };
    manifest.warnings.iter().map(warning).collect()
}

fn provenance(manifest: &Manifest) -> Html {
    let headings = [("input", Align::Left), ("SHA-256", Align::Left)];
    let mut table = Table::new("Files the results follow from, relative to the pipeline file", &headings);
    for (path, digest) in &manifest.key.inputs {
        table.row(vec![Html::text(path), Html::element("code", &[], Html::text(&digest.to_string()))]);
    }
    let mut html = facts([
        ("plan", manifest.key.plan.to_string()),
        ("numerics version", manifest.key.numerics_version.to_string()),
    ]);
    html.push(table.html());
    let settings = serde_json::to_string_pretty(&manifest.key.settings).unwrap_or_default();
    let mut details = Html::element("summary", &[], Html::text("Every setting, defaults included"));
    details.push(Html::element("pre", &[("tabindex", "0")], Html::text(&settings)));
    html.push(Html::element("details", &[], details));
    html
}

//! The page of all subjects.

use super::html::Html;
use super::page::{Page, messages};
use super::quantity::{count, counted};
use super::settings::{of_model, of_pipeline, said};
use super::table::{Align, Table, facts};
use super::write::subject_report;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::outputs::{Manifest, OutputFolder, SubjectState, Unit};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The page of a dataset, and what could not be read for it.
pub(super) fn page(
    folder: &OutputFolder,
    subjects: &BTreeMap<Unit, Manifest>,
    states: &BTreeMap<String, SubjectState>,
) -> (String, Diagnostics) {
    let mut problems = Diagnostics::new();
    let provenance = read_provenance(folder).map_err(|found| problems.extend(found)).unwrap_or_default();
    // without the provenance the settings of the first subject stand for all
    let settings = match provenance.get("settings") {
        Some(settings) => settings.clone(),
        None => subjects.values().next().map(|manifest| manifest.key.settings.clone()).unwrap_or_default(),
    };
    let name = settings["name"].as_str().unwrap_or("results").to_owned();
    let mut pairs = vec![("subjects", count(subjects.len()))];
    pairs.extend(of_pipeline(&settings));
    pairs.extend(provenance.get("boldly").map(|version| ("provenance by", format!("boldly {}", said(version)))));
    let versions = provenance.get("versions").map(said).unwrap_or_default();
    if !versions.is_empty() {
        pairs.push(("libraries", versions));
    }
    let mut page = Page::new(&name, Html::text("Results of a pipeline"), facts(pairs));
    page.section("problems", "Not shown", messages(&problems, folder.root()));
    page.section("subjects", "Subjects", subject_table(subjects));
    page.section("unfinished", "Not finished", unfinished(states));
    page.section("models", "Models", model_list(&settings, subjects));
    page.section("provenance", "Provenance", provenance_section(&settings, &provenance, subjects));
    (page.html(None), problems)
}

fn read_provenance(folder: &OutputFolder) -> Result<Value, Diagnostics> {
    let path = folder.root().join("provenance.json");
    let unreadable = |message: String| -> Diagnostics {
        let problem = Diagnostic::error("report-output-unreadable", message).at(Place::File(path.clone()));
        problem.hint("`boldly run` writes it again").into()
    };
    let bytes = std::fs::read(&path).map_err(|error| unreadable(format!("cannot read the provenance: {error}")))?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(format!("cannot make sense of the provenance: {error}")))
}

fn models(manifest: &Manifest) -> BTreeSet<&str> {
    manifest.outputs.keys().filter_map(|path| path.parts().next()).collect()
}

fn subject_table(subjects: &BTreeMap<Unit, Manifest>) -> Html {
    let headings = [
        ("subject", Align::Left),
        ("models", Align::Left),
        ("inputs", Align::Right),
        ("outputs", Align::Right),
        ("warnings", Align::Right),
        ("analysed by", Align::Left),
    ];
    let mut table = Table::new("Finished subjects", &headings);
    for (unit, manifest) in subjects {
        let link = match unit {
            Unit::Subject(label) => subject_report(label).ok(),
            _ => None,
        };
        let name = Html::text(&unit.to_string());
        let name = match &link {
            Some(link) => Html::element("a", &[("href", link.as_str())], name),
            None => name,
        };
        let models: Vec<&str> = models(manifest).into_iter().collect();
        table.row(vec![
            name,
            Html::text(&models.join(", ")),
            Html::text(&count(manifest.key.inputs.len())),
            Html::text(&count(manifest.outputs.len())),
            Html::text(&count(manifest.warnings.len())),
            Html::text(&format!("boldly {}", manifest.version)),
        ]);
    }
    let mut html = table.html();
    html.push(Html::paragraph(
        "note",
        "How long each stage of a subject took is in .boldly/timings; it is no result, and different every time.",
    ));
    html
}

/// Subjects that are not done, or failed when they were last to be done, with the first line of each reason.
fn unfinished(states: &BTreeMap<String, SubjectState>) -> Html {
    let headings = [("subject", Align::Left), ("state", Align::Left), ("reason", Align::Left)];
    let mut table = Table::new("Subjects without results of the last run", &headings);
    for (label, state) in states.iter().filter(|(_, state)| !matches!(state, SubjectState::Done { .. })) {
        let cells = [format!("sub-{label}"), state.word().to_owned(), state.reasons_in_short().join("; ")];
        table.row(cells.map(|cell| Html::text(&cell)).to_vec());
    }
    if table.is_empty() {
        return Html::default();
    }
    let mut html = table.html();
    html.push(Html::paragraph(
        "note",
        "Where such a subject is listed as finished, its results are of an earlier run.",
    ));
    html
}

fn model_list(settings: &Value, subjects: &BTreeMap<Unit, Manifest>) -> Html {
    let all: BTreeSet<&str> = subjects.values().flat_map(models).collect();
    let mut html = Html::default();
    for model in all {
        let n_subjects = subjects.values().filter(|manifest| models(manifest).contains(model)).count();
        let mut pairs = of_model(settings, model).map(|(_, pairs)| pairs).unwrap_or_default();
        pairs.push(("results of", counted(n_subjects, "subject")));
        html.push(Html::element("h3", &[], Html::text(model)));
        html.push(facts(pairs));
        html.push(contrasts(settings, model));
    }
    html
}

fn contrasts(settings: &Value, model: &str) -> Html {
    let of_model = settings["glms"].as_array().into_iter().flatten().find(|glm| glm["name"] == model);
    let headings = [("contrast", Align::Left), ("kind", Align::Left), ("expression", Align::Left)];
    let mut table = Table::new("Declared contrasts", &headings);
    for contrast in of_model.and_then(|glm| glm["contrasts"].as_array()).into_iter().flatten() {
        let cells = [&contrast["name"], &contrast["kind"]].map(said);
        let rows: Vec<String> = contrast["rows"].as_array().into_iter().flatten().map(said).collect();
        table.row([&cells[0], &cells[1], &rows.join("; ")].map(|cell| Html::text(cell)).to_vec());
    }
    if table.is_empty() { Html::default() } else { table.html() }
}

fn provenance_section(settings: &Value, provenance: &Value, subjects: &BTreeMap<Unit, Manifest>) -> Html {
    let other: Vec<String> = subjects
        .keys()
        .map(Unit::to_string)
        .filter(|subject| provenance["subjects"][subject].get("settings").is_some())
        .collect();
    let mut html = Html::default();
    if !other.is_empty() {
        let text =
            format!("Analysed with other settings than those below: {}. Their reports have theirs.", other.join(", "));
        html.push(Html::paragraph("note", &text));
    }
    let mut line = Html::text("Digests of every input and output are in ");
    line.append(&Html::element("a", &[("href", "provenance.json")], Html::text("provenance.json")));
    html.push(Html::element("p", &[], line));
    let text = serde_json::to_string_pretty(settings).unwrap_or_default();
    let mut details = Html::element("summary", &[], Html::text("The pipeline resolved, defaults included"));
    details.push(Html::element("pre", &[("tabindex", "0")], Html::text(&text)));
    html.push(Html::element("details", &[], details));
    html
}

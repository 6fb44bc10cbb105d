//! What a model did to each run, from its `summary.json`.

use super::html::Html;
use super::quantity::{counted, decimal, significant};
use super::table::{Align, Table};
use serde_json::Value;

/// Voxels or columns that are named as left out.
const NAMED: usize = 20;

/// A column of the table of runs: its heading, the field of a run, how the field is said.
type Entry = (&'static str, &'static str, fn(&Value) -> String);

const ENTRIES: [Entry; 13] = [
    ("frames", "Frames", whole),
    ("TR (s)", "RepetitionTime", number),
    ("discarded", "DiscardedFrames", whole),
    ("censored", "CensoredFrames", length),
    ("design columns", "DesignColumns", length),
    ("nuisance columns", "NuisanceColumns", length),
    ("rank", "Rank", whole),
    ("dof", "DegreesOfFreedom", number),
    ("left out", "ExcludedColumns", whole),
    ("mean rho", "MeanRho", number),
    ("mean R²", "MeanR2", number),
    ("mean sigma", "MeanSigma", number),
    ("not white at .05", "LjungBox", share_rejected),
];

/// The runs as a table, and what was left out of them. A deconvolution's summary is that of one run.
pub(super) fn html(summary: &Value) -> Html {
    let runs: Vec<&Value> = match summary["Runs"].as_array() {
        Some(runs) => runs.iter().collect(),
        None => vec![summary],
    };
    let said: Vec<&Entry> =
        ENTRIES.iter().filter(|(_, field, _)| runs.iter().any(|run| run.get(field).is_some())).collect();
    let mut headings = vec![("run", Align::Left)];
    headings.extend(said.iter().map(|(heading, ..)| (*heading, Align::Right)));
    let mut table = Table::new("What was done to each run", &headings);
    for run in &runs {
        let name = run["Run"].as_str().unwrap_or_default();
        let mut cells = vec![Html::text(name)];
        cells.extend(said.iter().map(|(_, field, say)| Html::text(&run.get(field).map(say).unwrap_or_default())));
        table.row(cells);
    }
    let mut html = table.html();
    for run in runs {
        html.push(left_out(run));
    }
    if let Some(methods) = summary["ColumnsOfMethod"].as_object() {
        let said: Vec<String> = methods.iter().map(|(name, count)| format!("{name} {count}")).collect();
        html.push(Html::paragraph("note", &format!("Columns that each method was chosen for: {}.", said.join(", "))));
    }
    html
}

fn left_out(run: &Value) -> Html {
    let Some(excluded) = run["Excluded"].as_array().filter(|excluded| !excluded.is_empty()) else {
        return Html::default();
    };
    let headings = [("left out", Align::Left), ("why", Align::Left)];
    let mut table = Table::new("They are 0 in every map and table", &headings);
    for entry in excluded.iter().take(NAMED) {
        let said = |field: &str| Html::text(entry[field].as_str().unwrap_or_default());
        table.row(vec![said("Place"), said("Reason")]);
    }
    let n_all = run["ExcludedColumns"].as_u64().unwrap_or(0) as usize;
    let title = format!("{} left out of {}", counted(n_all, "column"), run["Run"].as_str().unwrap_or_default());
    let mut details = Html::element("summary", &[], Html::text(&title));
    details.push(table.html());
    if n_all > NAMED {
        details.push(Html::paragraph("note", &format!("{} more.", n_all - NAMED)));
    }
    Html::element("details", &[], details)
}

/// Of a Ljung-Box test.
fn share_rejected(value: &Value) -> String {
    number(&value["ShareRejected"])
}

fn whole(value: &Value) -> String {
    value.as_u64().map(|number| decimal(number as f64, 0)).unwrap_or_default()
}

fn number(value: &Value) -> String {
    value.as_f64().map(|number| significant(number, 4)).unwrap_or_default()
}

fn length(value: &Value) -> String {
    value.as_array().map(|values| values.len().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn runs_are_said_with_what_was_left_out() {
        let run = json!({
            "Run": "sub-01 <1>", "Frames": 130, "CensoredFrames": [3, 4], "RepetitionTime": 2.0, "ExcludedColumns": 1,
            "Excluded": [{"Place": "voxel (1, 2, 3)", "Reason": "constant"}],
        });
        for summary in [json!({"Runs": [run.clone()]}), run] {
            let html = html(&summary).into_string();
            assert!(
                html.contains("sub-01 &lt;1&gt;</th><td class=\"number\">130</td><td class=\"number\">2</td>"),
                "{html}"
            );
            assert!(html.contains("voxel (1, 2, 3)") && html.contains("1 column left out of"), "{html}");
            assert!(!html.contains("mean rho"), "what no run has is no column");
        }
    }
}

//! The manual of the pipeline file, printed from the JSON Schema: one table a section, one row a key.

use super::Profile;
use super::schema::{Section, config_schema, default_of, resolve, sections};
use super::wording::expected;
use serde_json::Value;
use std::fmt::Write as _;

const PREAMBLE: &str = "\
# The pipeline file: reference

Generated from the code by `boldly schema --markdown`; do not edit. `boldly schema` prints the same as a JSON Schema.

A pipeline is a TOML file. Paths are relative to it, and `${VAR}` in a path is the environment's variable. Unknown keys,
unknown values and keys without effect are errors. Keys in **bold** are required.
`boldly run --set key.path=value` replaces one key; an element of an array of tables is found by its name, as in
`--set glm.objects.noise=ols`.
";

/// The manual of all keys in Markdown, with a column of defaults per profile.
pub fn reference_markdown() -> String {
    let schema = config_schema();
    let mut out = PREAMBLE.to_owned();
    for section in sections(&schema) {
        write_section(&mut out, &schema, &section);
    }
    out
}

fn write_section(out: &mut String, schema: &Value, section: &Section) {
    let Some(table) = section.table(schema) else { return };
    let title = if section.path.is_empty() { "Top level".to_owned() } else { format!("`{}`", section.title()) };
    let _ = write!(out, "\n## {title}\n");
    if !section.description.is_empty() {
        let _ = write!(out, "\n{}\n", one_line(&section.description));
    }
    let Some(properties) = table.get("properties").and_then(Value::as_object) else { return };
    let required: Vec<&str> =
        table.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    out.push_str("\n| key | type | native | nilearn | meaning |\n|---|---|---|---|---|\n");
    for (key, property) in properties {
        let name = if required.contains(&key.as_str()) { format!("**`{key}`**") } else { format!("`{key}`") };
        let path = section.key_path(key);
        let [native, nilearn] = [Profile::Native, Profile::Nilearn].map(|profile| default_cell(&path, profile));
        let kind = expected(schema, property);
        let mut meaning = one_line(property.get("description").and_then(Value::as_str).unwrap_or_default());
        for (word, description) in described_words(schema, property) {
            let _ = write!(meaning, " `{word}`: {}", one_line(&description));
        }
        let cells = [name, kind, native, nilearn, meaning].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

fn default_cell(path: &str, profile: Profile) -> String {
    default_of(path, profile).map(|value| format!("`{value}`")).unwrap_or_default()
}

/// The words a key allows, each with what it means.
fn described_words(schema: &Value, property: &Value) -> Vec<(String, String)> {
    let forms = |schema: &Value| schema.get("oneOf").and_then(Value::as_array).cloned();
    let direct = resolve(schema, property);
    let nested = direct.get("items").map(|items| resolve(schema, items));
    let within = direct.get("anyOf").and_then(Value::as_array).into_iter().flatten().map(|form| resolve(schema, form));
    let words = std::iter::once(direct).chain(nested).chain(within).find_map(forms).unwrap_or_default();
    let described =
        |word: &Value| Some((word.get("const")?.as_str()?.to_owned(), word.get("description")?.as_str()?.to_owned()));
    words.iter().filter_map(described).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Defaults;

    #[test]
    fn each_default_stands_in_the_row_of_its_key() {
        let manual = reference_markdown();
        let defaults = serde_json::to_value(Defaults::of(Profile::Nilearn)).unwrap();
        for (path, value) in defaults.as_object().unwrap() {
            let key = path.rsplit('.').next().unwrap();
            let row = manual
                .lines()
                .find(|line| line.starts_with(&format!("| `{key}` |")) && line.contains(&format!("`{value}`")));
            assert!(row.is_some(), "no row of `{key}` with {value}");
        }
    }
}

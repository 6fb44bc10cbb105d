//! The JSON Schema of the pipeline file, made from the documented declarations in [`super::keys`].
//!
//! It serves three readers: `shape` checks a file by it, editors complete and check by the copy in
//! `docs/pipeline.schema.json`, and the manual is printed from it.

use super::keys::Config;
use super::{Defaults, Profile};
use serde_json::{Map, Value};

/// The JSON Schema with defaults in the descriptions, indented, ending with a line feed.
pub fn json_schema() -> String {
    let mut schema = config_schema();
    let sections = sections(&schema);
    for section in &sections {
        let Some(properties) = section.table_mut(&mut schema) else { continue };
        for (key, property) in properties {
            describe_default(property, &section.key_path(key));
        }
    }
    let mut text = format!("{schema:#}");
    text.push('\n');
    text
}

/// Adds the default of a key: as `default` where every profile has the same, and in words.
fn describe_default(property: &mut Value, path: &str) {
    let [native, nilearn] = [Profile::Native, Profile::Nilearn].map(|profile| default_of(path, profile));
    let (Some(native), Some(nilearn), Some(property)) = (native, nilearn, property.as_object_mut()) else { return };
    let said = if native == nilearn {
        property.insert("default".to_owned(), native.clone());
        format!("Default: {native}")
    } else {
        format!("Default: {native}; under profile nilearn: {nilearn}")
    };
    let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{description}\n\n{said}");
    property.insert("description".to_owned(), description.into());
}

/// The default of the key at `path` (such as `design.hrf`) under a profile, as JSON.
pub(super) fn default_of(path: &str, profile: Profile) -> Option<Value> {
    serde_json::to_value(Defaults::of(profile)).ok()?.get(path).cloned()
}

/// The JSON Schema as `shape` walks it: no `null` (TOML has none) and no number formats.
pub(super) fn config_schema() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    simplify(&mut schema);
    schema
}

/// Takes the alternative `null`, which optional fields have, out of a schema and all within it.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(object) => {
            object.values_mut().for_each(simplify);
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            drop_null_type(object);
            drop_null_alternative(object);
            gather_words(object);
        }
        _ => {}
    }
}

fn drop_null_type(object: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = object.get_mut("type") else { return };
    types.retain(|kind| kind != "null");
    if let [only] = types.as_slice() {
        let only = only.clone();
        object.insert("type".to_owned(), only);
    }
}

fn drop_null_alternative(object: &mut Map<String, Value>) {
    let Some(Value::Array(forms)) = object.get_mut("anyOf") else { return };
    forms.retain(|form| form.get("type").is_none_or(|kind| kind != "null"));
    if let [Value::Object(only)] = forms.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

/// Makes words that stand one by one among other alternatives a single one, as where there is no other.
fn gather_words(object: &mut Map<String, Value>) {
    let Some(Value::Array(forms)) = object.get_mut("anyOf") else { return };
    let (words, others): (Vec<_>, Vec<_>) =
        std::mem::take(forms).into_iter().partition(|form| form.get("const").is_some_and(Value::is_string));
    if !words.is_empty() {
        forms.push(serde_json::json!({ "oneOf": words }));
    }
    forms.extend(others);
}

/// The definition a schema refers to, or itself.
pub(super) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    name.and_then(|name| root.get("$defs")?.get(name)).unwrap_or(schema)
}

/// A table of the pipeline file as the manual lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Keys from the root, such as `["glm", "contrast"]`; empty for the top level.
    pub(super) path: Vec<String>,
    /// Whether it is an array of tables.
    pub(super) repeated: bool,
    /// Name of its definition; `None` for the top level.
    definition: Option<String>,
    /// Description of the key that holds it.
    pub(super) description: String,
}

impl Section {
    /// Dotted path of one of its keys.
    pub(super) fn key_path(&self, key: &str) -> String {
        self.path.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".")
    }

    /// `[design]`, `[[glm]]`.
    pub(super) fn title(&self) -> String {
        let path = self.path.join(".");
        if self.repeated { format!("[[{path}]]") } else { format!("[{path}]") }
    }

    /// Its definition.
    pub(super) fn table<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        match &self.definition {
            None => Some(root),
            Some(name) => root.get("$defs")?.get(name),
        }
    }

    fn table_mut<'a>(&self, root: &'a mut Value) -> Option<&'a mut Map<String, Value>> {
        let table = match &self.definition {
            None => root,
            Some(name) => root.get_mut("$defs")?.get_mut(name)?,
        };
        table.get_mut("properties")?.as_object_mut()
    }
}

/// Every table once, in the order of the declarations, a table before those within it; a definition used twice
/// (`[design]`, `[glm.design]`) is listed where it comes first.
pub(super) fn sections(root: &Value) -> Vec<Section> {
    let top = Section { path: Vec::new(), repeated: false, definition: None, description: String::new() };
    let mut found = vec![top];
    list_sections(root, root, &[], &mut found);
    found
}

fn list_sections(root: &Value, table: &Value, path: &[String], found: &mut Vec<Section>) {
    let Some(properties) = table.get("properties").and_then(Value::as_object) else { return };
    for (key, property) in properties {
        let (holder, repeated) = property.get("items").map_or((property, false), |items| (items, true));
        let Some(name) = holder.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"))
        else {
            continue;
        };
        let definition = resolve(root, holder);
        if definition.get("properties").is_none()
            || found.iter().any(|section| section.definition.as_deref() == Some(name))
        {
            continue;
        }
        let path: Vec<String> = path.iter().cloned().chain([key.clone()]).collect();
        let description = property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        found.push(Section { path: path.clone(), repeated, definition: Some(name.to_owned()), description });
        list_sections(root, definition, &path, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_of_a_key_and_every_section_is_listed_once() {
        let schema = config_schema();
        let sections = sections(&schema);
        let mut keys = Vec::new();
        for section in &sections {
            let properties = section.table(&schema).unwrap()["properties"].as_object().unwrap();
            keys.extend(properties.keys().map(|key| section.key_path(key)));
        }
        let defaults = serde_json::to_value(Defaults::of(Profile::Native)).unwrap();
        for path in defaults.as_object().unwrap().keys() {
            assert!(keys.contains(path), "default of `{path}`, which is no key");
        }
        let titles: Vec<String> = sections.iter().map(Section::title).collect();
        let expected = [
            "[]",
            "[bids]",
            "[[run]]",
            "[[timeseries]]",
            "[[spikes]]",
            "[mask]",
            "[[roi]]",
            "[preprocess]",
            "[confounds]",
            "[confounds.scrub]",
            "[events]",
            "[design]",
            "[design.tent]",
            "[[design.modulator]]",
            "[[glm]]",
            "[[glm.contrast]]",
            "[[glm.threshold]]",
            "[[deconvolve]]",
            "[[deconvolve.ppi]]",
            "[[convolve]]",
            "[[rate]]",
            "[calibrate]",
            "[output]",
        ];
        assert_eq!(titles, expected);
    }

    #[test]
    fn a_default_is_within_what_its_key_allows() {
        let schema = config_schema();
        for section in sections(&schema) {
            let properties = section.table(&schema).unwrap()["properties"].as_object().unwrap();
            for (key, property) in properties {
                for profile in [Profile::Native, Profile::Nilearn] {
                    let Some(default) = default_of(&section.key_path(key), profile) else { continue };
                    let text = format!("{}", resolve(&schema, property));
                    if let Some(word) = default.as_str().filter(|_| text.contains("\"const\"")) {
                        assert!(text.contains(&format!("\"const\":\"{word}\"")), "{key}: {default} not in {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_null_is_left_and_every_key_is_documented() {
        let schema = config_schema();
        assert!(!schema.to_string().contains("\"null\""), "{schema:#}");
        for section in sections(&schema) {
            for (key, property) in section.table(&schema).unwrap()["properties"].as_object().unwrap() {
                let description = property["description"].as_str().unwrap_or_default();
                assert!(description.ends_with('.'), "{}: {description:?}", section.key_path(key));
            }
        }
    }
}

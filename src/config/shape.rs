//! Checks a parsed document against the JSON Schema of [`super::schema`]: unknown keys and values, wrong types,
//! numbers out of range, missing keys.
//!
//! Everything wrong is said and taken out of the document, so that what is left always becomes a `Config`, and
//! the rules between keys can be checked on the rest in the same go.

use super::sources::Sources;
use super::wording::{self, Found, closest};
use crate::error::Diagnostic;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What the walk found.
#[derive(Default)]
pub(super) struct Shape {
    /// The problems.
    pub(super) problems: Vec<Diagnostic>,
    /// Paths (`run[0].bold`) of keys that are wrong or missing, about which nothing more need be said.
    pub(super) told: BTreeSet<String>,
}

/// Walks a document.
pub(super) fn check(document: &mut Spanned<DeTable<'_>>, schema: &Value, sources: &Sources) -> Shape {
    let mut walk = Walk { root: schema, sources, shape: Shape::default() };
    let span = document.span();
    walk.table(document.get_mut(), &span, schema, &Path::default());
    walk.shape
}

/// Where in the document the walk is: with indices, and as a message names the table.
#[derive(Debug, Clone, Default)]
struct Path {
    indexed: String,
    plain: String,
    repeated: bool,
}

impl Path {
    fn key(&self, key: &str) -> Self {
        let join = |path: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        Self { indexed: join(&self.indexed), plain: join(&self.plain), repeated: false }
    }

    fn element(&self, index: usize) -> Self {
        Self { indexed: format!("{}[{index}]", self.indexed), plain: self.plain.clone(), repeated: true }
    }

    fn table_name(&self) -> String {
        match (self.plain.as_str(), self.repeated) {
            ("", _) => "the top level".to_owned(),
            (path, true) => format!("`[[{path}]]`"),
            (path, false) => format!("`[{path}]`"),
        }
    }
}

struct Walk<'a> {
    root: &'a Value,
    sources: &'a Sources,
    shape: Shape,
}

impl<'a> Walk<'a> {
    fn say(&mut self, diagnostic: Diagnostic, span: &Range<usize>) {
        let place = self.sources.place_of_words(span);
        self.shape.problems.push(Diagnostic { place, ..diagnostic });
    }

    /// Checks a table and takes out of it what cannot stand.
    fn table(&mut self, table: &mut DeTable<'_>, span: &Range<usize>, schema: &'a Value, path: &Path) {
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let mut refused = Vec::new();
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().as_ref();
            let property = known.and_then(|known| known.get(name)).or(others);
            let stands = if let Some(property) = property {
                self.value(value, property, &path.key(name))
            } else {
                self.unknown_key(name, &key.span(), schema, path);
                false
            };
            if !stands {
                refused.push(name.to_owned());
            }
        }
        for name in refused {
            table.remove(name.as_str());
            self.shape.told.insert(path.key(&name).indexed);
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for name in required {
            if table.contains_key(name) || !self.shape.told.insert(path.key(name).indexed) {
                continue;
            }
            let property = known.and_then(|known| known.get(name)).unwrap_or(&Value::Null);
            let expected = format!("expected: {}", wording::expected(self.root, property));
            let message = format!("missing key `{name}` in {}", path.table_name());
            self.say(Diagnostic::error("config-missing-key", message).note(expected), span);
        }
    }

    fn unknown_key(&mut self, name: &str, span: &Range<usize>, schema: &Value, path: &Path) {
        let keys = wording::keys(schema);
        let mut diagnostic =
            Diagnostic::error("config-unknown-key", format!("unknown key `{name}` in {}", path.table_name()));
        if let Some(near) = closest(name, &keys) {
            diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
            self.shape.told.insert(path.key(near).indexed); // that `near` is missing would be the same slip again
        } else if let Some(home) = wording::home_of(self.root, name) {
            diagnostic = diagnostic.hint(format!("`{name}` is a key of `{home}`"));
        }
        let note = format!("keys of {}: {}", path.table_name(), keys.join(", "));
        self.say(diagnostic.note(note), span);
    }

    /// Whether the value can stand; what is wrong within a table is taken out of it, and the table stands.
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &'a Value, path: &Path) -> bool {
        let span = value.span();
        let Some(form) = wording::form_for(self.root, schema, value.get_ref()) else {
            self.wrong_type(value.get_ref(), &span, schema, path);
            return false;
        };
        match value.get_mut() {
            DeValue::Table(table) => {
                self.table(table, &span, form, path);
                let stands = self.formed(table, form, path);
                let least = form.get("minProperties").and_then(Value::as_u64).unwrap_or(0);
                if stands && (table.len() as u64) < least {
                    let message = format!("`{}` names no condition", path.plain);
                    let note = "expected: `format`, and a file for each condition, such as face = \"face.txt\"";
                    self.say(Diagnostic::error("config-missing-key", message).note(note), &span);
                    return false;
                }
                stands
            }
            DeValue::Array(array) => {
                let items = form.get("items").unwrap_or(&Value::Null);
                let mut stands = true;
                for (index, element) in array.iter_mut().enumerate() {
                    stands &= self.value(element, items, &path.element(index));
                }
                let length = array.len() as u64;
                let bound = |name: &str| form.get(name).and_then(Value::as_u64);
                if bound("minItems").is_some_and(|least| length < least)
                    || bound("maxItems").is_some_and(|most| length > most)
                {
                    let message = format!("`{}` has {length} elements", path.plain);
                    let expected = format!("expected: {}", wording::expected(self.root, schema));
                    self.say(Diagnostic::error("config-wrong-length", message).note(expected), &span);
                    stands = false;
                }
                stands
            }
            DeValue::String(text) => self.text(text, &span, form, schema, path),
            DeValue::Integer(_) | DeValue::Float(_) => self.number(value.get_ref(), &span, form, schema, path),
            _ => true,
        }
    }

    /// Whether a table of its own form (not a section) has all it needs; a section stands in any case, so that its
    /// other keys are checked.
    fn formed(&self, table: &DeTable<'_>, form: &Value, path: &Path) -> bool {
        let within_section = wording::is_section(self.root, form);
        let required = form.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        within_section
            || (required.clone().all(|name| table.contains_key(name))
                && !self.shape.told.iter().any(|told| told.starts_with(&format!("{}.", path.indexed))))
    }

    fn wrong_type(&mut self, value: &DeValue<'_>, span: &Range<usize>, schema: &Value, path: &Path) {
        let found = Found(value);
        let written = self.sources.text(span);
        let expected = wording::expected(self.root, schema);
        let message = format!("`{}` is {}", path.plain, found.with_article());
        let mut diagnostic = Diagnostic::error("config-wrong-type", message);
        if let Some(hint) = misplaced_table(value, &written, &expected, &path.plain) {
            self.say(diagnostic.note(format!("expected: {expected}")).hint(hint), span);
            return;
        }
        diagnostic =
            diagnostic.note(format!("found: {}", wording::shortened(&written))).note(format!("expected: {expected}"));
        if path.plain == "glm.contrast.expr" {
            let hint = "write the names of conditions in text, such as expr = \"face - house\"";
            self.say(diagnostic.hint(hint), span);
            return;
        }
        let a_word =
            matches!(value, DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_));
        if a_word && wording::takes_text(self.root, schema) {
            diagnostic = diagnostic.hint(format!("put it in quotes: \"{written}\""));
        } else if let DeValue::String(text) = value
            && (text.parse::<f64>().is_ok() || matches!(text.as_ref(), "true" | "false"))
        {
            diagnostic = diagnostic.hint(format!("leave out the quotes: {text}"));
        }
        self.say(diagnostic, span);
    }

    fn text(&mut self, text: &str, span: &Range<usize>, form: &Value, schema: &Value, path: &Path) -> bool {
        if let Some(allowed) = wording::allowed_texts(self.root, schema) {
            if allowed.iter().any(|word| word == text) {
                return true;
            }
            let message = format!("unknown value `{text}` of `{}`", path.plain);
            let mut diagnostic = Diagnostic::error("config-unknown-value", message)
                .note(format!("expected: {}", wording::expected(self.root, schema)));
            if let Some(near) = closest(text, &allowed) {
                diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
            }
            self.say(diagnostic, span);
            return false;
        }
        let wants_some = form.get("minLength").and_then(Value::as_u64).unwrap_or(0) > 0;
        if wants_some && text.trim().is_empty() {
            let message = format!("`{}` is empty", path.plain);
            self.say(Diagnostic::error("config-empty", message), span);
            return false;
        }
        true
    }

    fn number(&mut self, value: &DeValue<'_>, span: &Range<usize>, form: &Value, schema: &Value, path: &Path) -> bool {
        let number = wording::as_number(value);
        let written = self.sources.text(span);
        if let Some(allowed) = form.get("enum").and_then(Value::as_array) {
            if allowed.iter().any(|one| one.as_f64() == number) {
                return true;
            }
            let message = format!("unknown value `{written}` of `{}`", path.plain);
            let expected = format!("expected: {}", wording::expected(self.root, schema));
            self.say(Diagnostic::error("config-unknown-value", message).note(expected), span);
            return false;
        }
        if number.is_some_and(|number| wording::Bounds::of(form).contain(number)) {
            return true;
        }
        let message = format!("`{} = {written}` is out of range", path.plain);
        let expected = format!("expected: {}", wording::expected(self.root, schema));
        self.say(Diagnostic::error("config-out-of-range", message).note(expected), span);
        false
    }
}

/// What to do where a table stands in place of several: single brackets, or a part without the table it belongs to.
fn misplaced_table(value: &DeValue<'_>, written: &str, expected: &str, key: &str) -> Option<String> {
    if !matches!(value, DeValue::Table(_)) || !expected.starts_with("one or more tables") {
        return None;
    }
    // the words of a table that only its parts imply are its bare name
    Some(if written == key {
        format!("no `[[{key}]]` stands above its parts: begin it with a line `[[{key}]]`")
    } else {
        format!("write its header with double brackets: `[[{key}]]`")
    })
}

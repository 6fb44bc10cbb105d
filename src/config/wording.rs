//! How messages and the manual speak of a schema: what is expected, what was found, what was meant.

use super::schema::{Section, resolve, sections};
use serde_json::Value;
use toml::de::DeValue;

/// A TOML value as a message calls it.
pub(super) struct Found<'a, 'i>(pub(super) &'a DeValue<'i>);

impl Found<'_, '_> {
    /// "a string", "an integer".
    pub(super) fn with_article(&self) -> &'static str {
        match self.0 {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        }
    }

    fn is(&self, kind: &str) -> bool {
        match self.0 {
            DeValue::String(_) => kind == "string",
            DeValue::Integer(_) => matches!(kind, "integer" | "number"),
            DeValue::Float(_) => kind == "number",
            DeValue::Boolean(_) => kind == "boolean",
            DeValue::Array(_) => kind == "array",
            DeValue::Table(_) => kind == "object",
            DeValue::Datetime(_) => false,
        }
    }
}

/// The number a value holds; `None` where it is none or too large to be one.
pub(super) fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => {
            i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|value| value as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

/// The forms a schema allows: itself, or its alternatives.
fn forms<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = resolve(root, schema);
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(forms) => forms.iter().map(|form| resolve(root, form)).collect(),
        None => vec![schema],
    }
}

fn kind(form: &Value) -> &str {
    form.get("type").and_then(Value::as_str).unwrap_or_else(|| if form.get("oneOf").is_some() { "string" } else { "" })
}

/// The form of a schema that has the kind of the value found.
pub(super) fn form_for<'a>(root: &'a Value, schema: &'a Value, found: &DeValue<'_>) -> Option<&'a Value> {
    forms(root, schema).into_iter().find(|form| Found(found).is(kind(form)))
}

/// Whether text is one of the forms.
pub(super) fn takes_text(root: &Value, schema: &Value) -> bool {
    forms(root, schema).into_iter().any(|form| kind(form) == "string" && allowed_words(form).is_none())
}

/// The words that the forms of a schema allow as text, where they allow no other.
pub(super) fn allowed_texts(root: &Value, schema: &Value) -> Option<Vec<String>> {
    let texts = forms(root, schema).into_iter().filter(|form| kind(form) == "string");
    texts.map(allowed_words).collect::<Option<Vec<_>>>().map(|words| words.concat())
}

/// The words a form allows, where it allows no other.
pub(super) fn allowed_words(form: &Value) -> Option<Vec<String>> {
    let words = |values: &Vec<Value>| -> Option<Vec<String>> {
        values.iter().map(|value| value.get("const").unwrap_or(value).as_str().map(str::to_owned)).collect()
    };
    form.get("oneOf").or_else(|| form.get("enum")).and_then(Value::as_array).and_then(words)
}

/// Whether a form is a table of its own in the pipeline file, not a way to write a value.
pub(super) fn is_section(root: &Value, form: &Value) -> bool {
    section_title(root, form).is_some()
}

fn section_title(root: &Value, form: &Value) -> Option<String> {
    let is_form = |section: &Section| section.table(root).is_some_and(|table| std::ptr::eq(table, form));
    sections(root).into_iter().find(is_form).map(|section| section.title())
}

/// Bounds of a number.
pub(super) struct Bounds {
    least: Option<f64>,
    above: Option<f64>,
    most: Option<f64>,
    below: Option<f64>,
}

impl Bounds {
    pub(super) fn of(form: &Value) -> Self {
        let bound = |name: &str| form.get(name).and_then(Value::as_f64);
        Self {
            least: bound("minimum"),
            above: bound("exclusiveMinimum"),
            most: bound("maximum"),
            below: bound("exclusiveMaximum"),
        }
    }

    /// Whether a number is finite and within.
    pub(super) fn contain(&self, number: f64) -> bool {
        number.is_finite()
            && self.least.is_none_or(|least| number >= least)
            && self.above.is_none_or(|above| number > above)
            && self.most.is_none_or(|most| number <= most)
            && self.below.is_none_or(|below| number < below)
    }

    fn words(&self) -> String {
        if let (Some(above), Some(below)) = (self.above, self.below) {
            return format!(" above {above} and below {below}");
        }
        match (self.above, self.least, self.most) {
            (Some(above), _, Some(most)) => format!(" above {above}, up to {most}"),
            (Some(above), _, None) => format!(" above {above}"),
            (None, Some(least), Some(most)) => format!(" from {least} to {most}"),
            (None, Some(least), None) => format!(" from {least}"),
            (None, None, Some(most)) => format!(" up to {most}"),
            (None, None, None) => String::new(),
        }
    }
}

/// What a schema expects, in words: "number from 0 to 1", "one of `cosine`, `polynomial`, `none`".
pub(super) fn expected(root: &Value, schema: &Value) -> String {
    let forms: Vec<String> = forms(root, schema).into_iter().map(|form| expected_form(root, form)).collect();
    forms.join(", or ")
}

/// Words that a message lists; more are a row, of which its ends say enough.
const MOST_WORDS: usize = 16;

fn expected_form(root: &Value, form: &Value) -> String {
    if let Some(words) = allowed_words(form) {
        if let [first, .., last] = words.as_slice()
            && words.len() > MOST_WORDS
        {
            return format!("`{first}` to `{last}`");
        }
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        return if let [only] = words.as_slice() { only.clone() } else { format!("one of {}", words.join(", ")) };
    }
    if let Some([only]) = form.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        return format!("{only}");
    }
    match kind(form) {
        "string" if form.get("pattern").is_some_and(|pattern| pattern == "^[A-Za-z0-9]+$") => {
            "string of letters and digits".to_owned()
        }
        "string" => "string".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "integer" => format!("integer{}", Bounds::of(form).words()),
        "number" => format!("number{}", Bounds::of(form).words()),
        "array" => {
            let items = form.get("items").unwrap_or(&Value::Null);
            if let Some(title) = section_title(root, resolve(root, items)) {
                return format!("one or more tables `{title}`");
            }
            let bound = |name: &str| form.get(name).and_then(Value::as_u64);
            let elements = plural(&expected(root, items));
            match (bound("minItems").unwrap_or(0), bound("maxItems")) {
                (least, Some(most)) if least == most => format!("array of {least} {elements}"),
                (1, None) if !elements.starts_with("any") => format!("array of one or more {elements}"),
                _ => format!("array of {elements}"),
            }
        }
        "object" => {
            if let Some(title) = section_title(root, form) {
                return format!("table `{title}`");
            }
            let keys: Vec<String> = keys(form).iter().map(|key| format!("`{key}`")).collect();
            let more = if form.get("additionalProperties").is_some_and(Value::is_object) {
                " and one file a condition"
            } else {
                ""
            };
            format!("table of {}{more}", keys.join(", "))
        }
        _ => "value".to_owned(),
    }
}

/// What each of several is: `string` is `strings`, `one of` stays.
fn plural(expected: &str) -> String {
    let nouns = ["string", "number", "integer"];
    match nouns.iter().find(|noun| expected.starts_with(*noun)) {
        Some(noun) => expected.replacen(noun, &format!("{noun}s"), 1),
        None => expected.replacen("one of", "any of", 1),
    }
}

/// The keys a table may hold.
pub(super) fn keys(schema: &Value) -> Vec<String> {
    schema.get("properties").and_then(Value::as_object).map(|known| known.keys().cloned().collect()).unwrap_or_default()
}

/// The title of the table that has this key, where exactly one has.
pub(super) fn home_of(root: &Value, key: &str) -> Option<String> {
    let mut homes = sections(root).into_iter().filter(|section| {
        !section.path.is_empty()
            && section.table(root).is_some_and(|table| keys(table).iter().any(|known| known == key))
    });
    let home = homes.next()?;
    homes.next().is_none().then(|| home.title())
}

/// The candidate a slip of the pen away from `word`: few edits for its length, or one is how the other begins.
pub(super) fn closest<'a>(word: &str, candidates: &'a [String]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let begins =
            word.len() >= 3 && candidate.len() >= 3 && (candidate.starts_with(&word) || word.starts_with(&candidate));
        let edits = strsim::damerau_levenshtein(&word, &candidate);
        let longest = word.chars().count().max(candidate.chars().count());
        (begins || edits * 3 <= longest).then_some(edits)
    };
    candidates
        .iter()
        .filter_map(|candidate| Some((distance(candidate)?, candidate)))
        .min()
        .map(|(_, candidate)| candidate.as_str())
}

/// A text cut to what fits a message.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(LONGEST).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::config_schema;

    #[test]
    fn what_is_expected_is_said_in_words() {
        let schema = config_schema();
        let of = |definition: &str, key: &str| expected(&schema, &schema["$defs"][definition]["properties"][key]);
        assert_eq!(of("DesignConfig", "slice_time_ref"), "number from 0 to 1");
        assert_eq!(
            of("GlmConfig", "noise"),
            "one of `ols`, `ar1`, `arma11`, `pooled-ar`, `global-ar1`, `tukey-ar`, or `ar2` to `ar30`"
        );
        assert_eq!(of("DesignConfig", "drift"), "one of `cosine`, `polynomial`, `none`");
        assert_eq!(
            of("PreprocessConfig", "smooth_fwhm_mm"),
            "number from 0 to 100, or array of 3 numbers from 0 to 100"
        );
        assert_eq!(of("EventsConfig", "missing_duration"), "one of `error`, `zero`, or number from 0 to 86400");
        assert_eq!(of("RunConfig", "tr_s"), "number above 0, up to 100");
        assert_eq!(of("RunConfig", "subject"), "string of letters and digits");
        assert_eq!(of("RunConfig", "events"), "string, or table of `format` and one file a condition");
        assert_eq!(of("DesignConfig", "hrf"), "string, or table of `file`");
        assert_eq!(of("ContrastConfig", "expr"), "string, or array of one or more strings");
        assert_eq!(of("EventsConfig", "ignore"), "array of strings");
        assert_eq!(of("GlmConfig", "contrast"), "one or more tables `[[glm.contrast]]`");
        assert!(of("GlmConfig", "maps").starts_with("array of any of `effect`, `variance`"));
        assert_eq!(expected(&schema, &schema["properties"]["schema"]), "1");
    }

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_none() {
        let keys: Vec<String> = ["smooth_fwhm_mm", "smooth_within_mask", "scaling"].map(str::to_owned).to_vec();
        assert_eq!(closest("smooth_fwhm", &keys), Some("smooth_fwhm_mm"));
        assert_eq!(closest("scalling", &keys), Some("scaling"));
        assert_eq!(closest("Scaling", &keys), Some("scaling"));
        assert_eq!(closest("hrf", &keys), None);
        assert_eq!(closest("", &keys), None);
    }
}

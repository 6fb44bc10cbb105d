//! `--set key.path=value`: one key of the pipeline file replaced on the command line.

use super::sources::Sources;
use super::wording::closest;
use crate::error::{Diagnostic, Diagnostics};
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Applies each override to the document, in order.
///
/// The value is TOML where it reads as TOML, else a string. Elements of an array of tables are found by their `name`.
/// Whether the key exists is checked with the document.
pub(super) fn apply<'a>(document: &mut DeTable<'a>, sources: &'a Sources) -> Diagnostics {
    sources.overrides().filter_map(|(start, text)| apply_one(document, sources, start, text).err()).flatten().collect()
}

fn apply_one<'a>(
    document: &mut DeTable<'a>,
    sources: &'a Sources,
    start: usize,
    text: &'a str,
) -> Result<(), Diagnostics> {
    let problem = |message: String, range: Range<usize>| {
        let place = sources.place(&(start + range.start..start + range.end));
        Diagnostic { place, ..Diagnostic::error("config-set", message) }
    };
    let form = "expected: key.path=value, such as preprocess.smooth_fwhm_mm=6 or glm.objects.noise=ar1";
    let Some(equals) = text.find('=') else {
        return Err(problem("override without `=`".to_owned(), 0..text.len()).note(form).into());
    };
    let mut segments = Vec::new();
    let mut at = 0;
    for part in text[..equals].split('.') {
        let word = part.trim();
        let first = at + (part.len() - part.trim_start().len());
        if word.is_empty() {
            return Err(problem("override with an empty key".to_owned(), 0..equals).note(form).into());
        }
        segments.push((word, first..first + word.len()));
        at += part.len() + 1;
    }
    let Some(((last, last_range), parents)) = segments.split_last() else { return Ok(()) };
    let mut table = document;
    let mut parents = parents.iter();
    while let Some((word, range)) = parents.next() {
        let placed = start + range.start..start + range.end;
        let entry = table
            .entry(Spanned::new(placed.clone(), Cow::Borrowed(*word)))
            .or_insert_with(|| Spanned::new(placed, DeValue::Table(DeTable::new())));
        table = match entry.get_mut() {
            DeValue::Table(inner) => inner,
            DeValue::Array(elements) => {
                let (name, name_range) = parents.next().unwrap_or(&(*last, last_range.clone())).clone();
                named(elements, name)
                    .map_err(|names| unknown_element(problem(String::new(), name_range), word, name, &names))?
            }
            _ => return Err(problem(format!("`{word}` is no table"), range.clone()).into()),
        };
    }
    let value = parse_value(&text[equals + 1..], start + equals + 1);
    table.remove(*last);
    table.insert(Spanned::new(start + last_range.start..start + last_range.end, Cow::Borrowed(*last)), value);
    Ok(())
}

/// The element of an array of tables with this name, or the names there are.
fn named<'t, 'a>(elements: &'t mut DeArray<'a>, name: &str) -> Result<&'t mut DeTable<'a>, Vec<String>> {
    let own_name = |element: &Spanned<DeValue<'a>>| {
        element.get_ref().get("name").and_then(|own| own.get_ref().as_str().map(str::to_owned))
    };
    let names: Vec<Option<String>> = elements.iter().map(own_name).collect();
    let at = names.iter().position(|own| own.as_deref() == Some(name));
    match at.and_then(|at| elements.get_mut(at)).map(Spanned::get_mut) {
        Some(DeValue::Table(table)) => Ok(table),
        _ => Err(names.into_iter().flatten().collect()),
    }
}

fn unknown_element(mut diagnostic: Diagnostic, array: &str, name: &str, names: &[String]) -> Diagnostic {
    diagnostic.message = format!("no `[[{array}]]` is named `{name}`");
    if names.is_empty() {
        return diagnostic.note(format!("elements of `[[{array}]]` have no names; edit the pipeline file"));
    }
    if let Some(near) = closest(name, names) {
        diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
    }
    diagnostic.note(format!("names: {}", names.join(", ")))
}

/// The value of an override, its spans moved to `start` on the joint axis.
fn parse_value(text: &str, start: usize) -> Spanned<DeValue<'_>> {
    let words = text.trim();
    let value = DeValue::parse(words).ok().filter(|_| !words.is_empty());
    let value = value.unwrap_or_else(|| Spanned::new(0..words.len(), DeValue::String(Cow::Borrowed(words))));
    moved(value, start + (text.len() - text.trim_start().len()))
}

fn moved(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let shift = |span: Range<usize>| span.start + by..span.end + by;
    let span = shift(value.span());
    let inner = match value.into_inner() {
        DeValue::Array(elements) => DeValue::Array(elements.into_iter().map(|element| moved(element, by)).collect()),
        DeValue::Table(table) => DeValue::Table(
            table
                .into_iter()
                .map(|(key, value)| (Spanned::new(shift(key.span()), key.into_inner()), moved(value, by)))
                .collect(),
        ),
        scalar => scalar,
    };
    Spanned::new(span, inner)
}

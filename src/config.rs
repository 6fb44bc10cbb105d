//! What a pipeline file may say, and what it means once profile and overrides are applied.
//!
//! [`load`] reads a file in four steps, each of which finds all its problems: `syntax` (TOML), `overrides`
//! (`--set`), `shape` (keys, types, values and ranges, by the JSON Schema made from the declarations in `keys`) and
//! `resolve` (defaults by profile, overrides by model, rules between keys). The last two report together.
//!
//! [`Settings`] and [`Numerics`] are what every later room sees: nothing in them is optional in the sense of
//! "default". No file but the pipeline file itself is read here.

mod defaults;
pub mod keys;
mod located;
mod numerics;
mod overrides;
pub mod placed;
mod reference;
mod resolve;
mod schema;
mod settings;
mod shape;
mod sources;
mod syntax;
mod wording;

pub use defaults::Defaults;
pub use located::Located;
pub use numerics::*;
pub use reference::reference_markdown;
pub use schema::json_schema;
pub use settings::*;

use crate::error::{Diagnostic, Diagnostics, Place};
use serde::Deserialize;
use std::path::Path;

/// Reads a pipeline file, with `--set` overrides (`glm.objects.noise=ar1`), into settings; warnings ride along.
///
/// # Errors
/// All problems found, each with its place: a file that cannot be read, syntax, unknown keys and values, wrong types,
/// numbers out of range, missing keys, and keys that contradict each other.
pub fn load(path: &Path, overrides: &[String]) -> Result<(Settings, Diagnostics), Diagnostics> {
    let text = syntax::read(path)?;
    load_with(path, text, overrides, &|name| std::env::var(name).ok())
}

/// [`load`] of a text that is in no file yet: `path` is where it will be, `folder` what its paths are relative to.
///
/// # Errors
/// As [`load`].
pub fn load_text(path: &Path, folder: &Path, text: String) -> Result<(Settings, Diagnostics), Diagnostics> {
    load_in(folder, path, text, &[], &|name| std::env::var(name).ok())
}

/// [`load`] with the file's text and the environment at hand.
fn load_with(
    path: &Path,
    text: String,
    overrides: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Settings, Diagnostics), Diagnostics> {
    load_in(path.parent().unwrap_or(Path::new("")), path, text, overrides, variable)
}

fn load_in(
    folder: &Path,
    path: &Path,
    text: String,
    overrides: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Settings, Diagnostics), Diagnostics> {
    let sources = sources::Sources::new(path, text, overrides);
    let mut document = syntax::parse(&sources)?;
    let overriding = overrides::apply(document.get_mut(), &sources);
    let mut shape = shape::check(&mut document, &schema::config_schema(), &sources);
    let config = keys::Config::deserialize(toml::de::Deserializer::from(document)).map_err(|error| {
        // The shape admits nothing that does not become a `Config`; were it otherwise, this says where.
        let diagnostic = Diagnostic::error("config-invalid", error.message());
        let place = error.span().and_then(|span| sources.place(&span));
        Diagnostics::from(Diagnostic { place, ..diagnostic })
    })?;
    let settings = resolve::resolve(config, resolve::Context { sources: &sources, folder, variable }, &mut shape);
    let mut problems: Vec<Diagnostic> = overriding.into_iter().chain(shape.problems).collect();
    problems.sort_by_key(position);
    problems.dedup(); // a key that several models share is checked once a model
    problems.into_iter().collect::<Diagnostics>().finish(settings)
}

/// Order of problems: the pipeline file from its top, then overrides.
fn position(diagnostic: &Diagnostic) -> (bool, usize) {
    match &diagnostic.place {
        Some(Place::Span { source, range }) => (source.path.as_os_str() == sources::OVERRIDE_NAME, range.start),
        _ => (true, usize::MAX),
    }
}

#[cfg(test)]
mod tests;

//! `CompCor` components, told apart by the JSON file that fMRIPrep writes beside its table (Behzadi et al. 2007,
//! doi 10.1016/j.neuroimage.2007.04.042).
//!
//! Components of anatomical masks are `a_comp_cor_*`; the file has the mask of each, `combined`, `WM` or `CSF`. Since
//! fMRIPrep 21 those of single masks are `w_comp_cor_*` and `c_comp_cor_*`. Temporal ones are `t_comp_cor_*`.

use super::strategy::Component;
use crate::config::{Compcor, CompcorSettings};
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::sidecar::parse_object;
use crate::inputs::table::{Table, read_text};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Where components are from: how a message calls it, how their names begin, and the mask that the file must give those
/// whose name begins with `a`.
type Region = (&'static str, &'static [char], Option<&'static str>);

const COMBINED: Region = ("the combined mask", &['a'], Some("combined"));
const WHITE_MATTER: Region = ("the white matter", &['a', 'w'], Some("WM"));
const CSF: Region = ("the CSF", &['a', 'c'], Some("CSF"));
const TEMPORAL: Region = ("the voxels that vary most", &['t'], None);

fn regions(kind: Compcor) -> &'static [Region] {
    match kind {
        Compcor::AnatCombined => &[COMBINED],
        Compcor::AnatSeparated => &[WHITE_MATTER, CSF],
        Compcor::Temporal => &[TEMPORAL],
        Compcor::TemporalAnatCombined => &[TEMPORAL, COMBINED],
        Compcor::TemporalAnatSeparated => &[TEMPORAL, WHITE_MATTER, CSF],
    }
}

fn word(kind: Compcor) -> &'static str {
    match kind {
        Compcor::AnatCombined => "anat_combined",
        Compcor::AnatSeparated => "anat_separated",
        Compcor::Temporal => "temporal",
        Compcor::TemporalAnatCombined => "temporal_anat_combined",
        Compcor::TemporalAnatSeparated => "temporal_anat_separated",
    }
}

/// The components that the file beside the table lists, and that file; `None` where it cannot be heeded, with the reason
/// among the problems: it is not there, it is no JSON object, or it does not say of which mask a component is.
pub(super) fn components(
    table: &Table,
    settings: CompcorSettings,
    diagnostics: &mut Diagnostics,
) -> Option<(Component, PathBuf)> {
    let path = beside(&table.path);
    let listed = diagnostics.collect(read(&path))?;
    let (mut names, mut few, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for &(region, initials, mask) in regions(settings.kind) {
        let mut found = 0;
        for &initial in initials {
            let mut of_region = numbered(&listed, initial);
            if let Some(wanted) = mask.filter(|_| initial == 'a') {
                unknown.extend(of_region.iter().filter(|name| mask_of(&listed, name).is_none()).cloned());
                of_region.retain(|name| mask_of(&listed, name) == Some(wanted));
            }
            of_region.truncate(settings.most.unwrap_or(usize::MAX));
            found += of_region.len();
            names.extend(of_region);
        }
        if found < settings.most.unwrap_or(1) {
            few.push(format!("{} of {region}", counted(found, "component")));
        }
    }
    if let Some(first) = unknown.first() {
        let problem = Diagnostic::error("sidecar-field", format!("`{first}` has no `Mask`"));
        diagnostics.push(problem.at(Place::field(&path, first)).hint("expected `combined`, `WM` or `CSF`"));
        return None;
    }
    let (found, missing): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| table.column(name).is_some());
    let key = format!("compcor = \"{}\"", word(settings.kind));
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let lacking = if !missing.is_empty() {
        Some(format!("{key}: {}, which {file} lists", missing.join(", ")))
    } else if found.is_empty() {
        Some(format!("{key}: {file} lists no such component"))
    } else {
        None
    };
    if lacking.is_none() && !few.is_empty() {
        let warning = Diagnostic::warning("confounds-compcor-few", format!("{key} finds less than it asks for"));
        diagnostics.push(warning.at(Place::file(&path)).note(format!("found: {}", few.join(", "))));
    }
    Some((Component { found, lacking }, path))
}

fn read(path: &Path) -> Result<Map<String, Value>, Diagnostics> {
    if !path.is_file() {
        let message = "no JSON file beside the confound table, which says what each CompCor component is of";
        return Err(Diagnostic::error("confounds-sidecar-missing", message)
            .at(Place::file(path))
            .hint("fMRIPrep writes it since 1.4: copy it there, or take components by `columns` in place of `compcor`")
            .into());
    }
    parse_object(path, read_text(path, None)?, "a field for each column, as fMRIPrep writes it")
}

/// The JSON file of a table: its name, ending in `.json`.
fn beside(table: &Path) -> PathBuf {
    let name = table.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    table.with_file_name(Path::new(name).with_extension("json"))
}

/// The components whose name begins with a letter, by number.
fn numbered(listed: &Map<String, Value>, initial: char) -> Vec<String> {
    let prefix = format!("{initial}_comp_cor_");
    let mut names: Vec<(usize, &String)> = listed
        .keys()
        .filter_map(|name| name.strip_prefix(&prefix)?.parse().ok().map(|number| (number, name)))
        .collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name.clone()).collect()
}

/// Of which mask a component is.
fn mask_of<'a>(listed: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    listed.get(name)?.get("Mask")?.as_str()
}

#[cfg(test)]
#[path = "compcor/tests.rs"]
mod tests;

//! Reports on disk: `report.html` of the dataset and `sub-XX_report.html` of each subject, beside the models' folders.
//!
//! Every report is a unit of its own in the output folder, with a lock and a manifest: written in one step, replaced in
//! one step, and taken back when the subject's results change.

use super::{ReportOptions, dataset, subject};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::outputs::{
    Digest, Manifest, ManifestKey, OutputError, OutputFolder, OutputLock, RelativePath, StagedOutputs, Unit,
    find_output_folder,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Grows whenever reports look different: `boldly run` then makes them again.
const REPORT_VERSION: u32 = 1;

/// What became of the reports.
#[derive(Debug, Default)]
pub struct Reports {
    /// Those that were written now.
    pub written: Vec<RelativePath>,
    /// Those that were already there, of the same results.
    pub unchanged: Vec<RelativePath>,
    /// What could not be read: the reports were made without it.
    pub problems: Diagnostics,
}

/// Makes all reports of an output folder anew from what is saved in it.
///
/// # Errors
/// The folder is not one of ours, or holds no finished subject; a manifest is damaged; a report cannot be written.
pub fn write_reports(dir: &Path, options: &ReportOptions) -> Result<Reports, OutputError> {
    let folder = find_output_folder(dir)?;
    write(&folder, options, true)
}

/// Makes those reports of a folder that are missing or of other results than its own.
///
/// # Errors
/// As [`write_reports`].
pub fn refresh_reports(folder: &OutputFolder, options: &ReportOptions) -> Result<Reports, OutputError> {
    write(folder, options, false)
}

fn write(folder: &OutputFolder, options: &ReportOptions, all: bool) -> Result<Reports, OutputError> {
    let subjects = Manifest::load_subjects(folder)?;
    if subjects.is_empty() {
        return Err(OutputError::NothingFinished { path: folder.root().to_path_buf() });
    }
    let mut reports = Reports::default();
    for (unit, manifest) in &subjects {
        let Unit::Subject(label) = unit else { continue };
        let key = key(Digest::of_json(&(manifest, options)))?;
        let of_subject = Unit::SubjectReport(label.clone());
        let path = subject_report(label)?;
        if !all && stands(folder, &of_subject, &key)? {
            reports.unchanged.push(path);
            continue;
        }
        let (html, problems) = subject::page(folder, unit, manifest, options);
        commit(folder, of_subject, &path, &html, key)?;
        reports.problems.extend(problems);
        reports.written.push(path);
    }
    let provenance = std::fs::read(folder.root().join("provenance.json")).unwrap_or_default();
    let key = key(Digest::of_json(&(subjects.values().collect::<Vec<_>>(), Digest::of_bytes(&provenance), options)))?;
    let path = RelativePath::new("report.html")?;
    if !all && stands(folder, &Unit::DatasetReport, &key)? {
        reports.unchanged.push(path);
        return Ok(reports);
    }
    let (html, problems) = dataset::page(folder, &subjects);
    commit(folder, Unit::DatasetReport, &path, &html, key)?;
    reports.problems.extend(problems);
    reports.written.push(path);
    Ok(reports)
}

/// Where the report of a subject is.
pub(super) fn subject_report(label: &str) -> Result<RelativePath, OutputError> {
    RelativePath::new(format!("sub-{label}_report.html"))
}

fn key(plan: Result<Digest, serde_json::Error>) -> Result<ManifestKey, OutputError> {
    let plan = plan.map_err(std::io::Error::from)?;
    Ok(ManifestKey { plan, numerics_version: REPORT_VERSION, inputs: BTreeMap::new(), settings: Value::Null })
}

fn stands(folder: &OutputFolder, unit: &Unit, key: &ManifestKey) -> Result<bool, OutputError> {
    Ok(Manifest::load(folder, unit)?.is_some_and(|manifest| manifest.is_current(key, folder)))
}

fn commit(
    folder: &OutputFolder,
    unit: Unit,
    path: &RelativePath,
    html: &str,
    key: ManifestKey,
) -> Result<(), OutputError> {
    let staged = StagedOutputs::new(OutputLock::wait_for(folder, unit)?)?;
    staged.write(path, |file| file.write_all(html.as_bytes()))?;
    staged.commit(key).map(|_| ())
}

/// The warning that reports could not be written: results do not depend on them.
pub fn not_written(folder: &OutputFolder, problem: &str) -> Diagnostic {
    Diagnostic::warning("report-not-written", format!("the reports are not written: {problem}"))
        .at(Place::File(folder.root().to_path_buf()))
        .note("the results are complete without them")
        .hint("`boldly report` with the output folder tries again")
}

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
const REPORT_VERSION: u32 = 4;

/// What became of the reports.
#[derive(Debug, Default)]
pub struct Reports {
    /// Those that were written now.
    pub written: Vec<RelativePath>,
    /// What could not be read: the reports were made without it.
    pub problems: Diagnostics,
}

/// Makes all reports of an output folder anew from what is saved in it.
///
/// # Errors
/// The folder is not one of ours, or holds no finished subject; a manifest is damaged; a report cannot be written.
pub fn write_reports(dir: &Path, options: ReportOptions) -> Result<Reports, OutputError> {
    let folder = find_output_folder(dir)?;
    let finished = Manifest::load_subjects(&folder)?;
    if finished.is_empty() {
        return Err(OutputError::NothingFinished { path: folder.root().to_path_buf() });
    }
    let mut reports = Reports::default();
    for unit in finished.keys() {
        let Unit::Subject(label) = unit else { continue };
        of_subject(&folder, label, options, true, &mut reports)?;
    }
    of_dataset(&folder, options, true, &mut reports)?;
    Ok(reports)
}

/// Makes the report of a subject, unless it is there already and of these results. Without results there is none.
///
/// # Errors
/// A manifest is damaged, or the report cannot be written.
pub fn refresh_subject_report(
    folder: &OutputFolder,
    subject: &str,
    options: ReportOptions,
) -> Result<Reports, OutputError> {
    let mut reports = Reports::default();
    of_subject(folder, subject, options, false, &mut reports)?;
    Ok(reports)
}

/// Makes the report of the dataset, unless it is there already and of these results. Without finished subjects there is none.
///
/// # Errors
/// As [`refresh_subject_report`].
pub fn refresh_dataset_report(folder: &OutputFolder, options: ReportOptions) -> Result<Reports, OutputError> {
    let mut reports = Reports::default();
    of_dataset(folder, options, false, &mut reports)?;
    Ok(reports)
}

fn of_subject(
    folder: &OutputFolder,
    label: &str,
    options: ReportOptions,
    all: bool,
    reports: &mut Reports,
) -> Result<(), OutputError> {
    let unit = Unit::subject(label)?;
    let lock = OutputLock::wait_for(folder, Unit::SubjectReport(label.to_owned()))?;
    // read under the lock: a subject that changes afterwards takes back what is written here before it does
    let Some(manifest) = Manifest::load(folder, &unit)? else { return Ok(()) };
    let state = folder.noted_state(label)?;
    let calibration = Manifest::load(folder, &Unit::Calibration(label.to_owned()))?;
    let key = key(Digest::of_json(&(&manifest, &state, &calibration, options)))?;
    let report = Report { lock, path: subject_report(label)?, key };
    report.write(all, reports, || {
        subject::page(folder, &unit, (&manifest, calibration.as_ref()), state.as_ref(), options)
    })
}

fn of_dataset(
    folder: &OutputFolder,
    options: ReportOptions,
    all: bool,
    reports: &mut Reports,
) -> Result<(), OutputError> {
    let lock = OutputLock::wait_for(folder, Unit::DatasetReport)?;
    let subjects = Manifest::load_subjects(folder)?;
    if subjects.is_empty() {
        return Ok(());
    }
    let states = folder.states_beside(&subjects)?;
    let provenance = Digest::of_bytes(&std::fs::read(folder.root().join("provenance.json")).unwrap_or_default());
    let key = key(Digest::of_json(&(subjects.values().collect::<Vec<_>>(), &states, provenance, options)))?;
    let report = Report { lock, path: RelativePath::new("report.html")?, key };
    report.write(all, reports, || dataset::page(folder, &subjects, &states))
}

/// A report that may have to be written.
struct Report {
    lock: OutputLock,
    path: RelativePath,
    key: ManifestKey,
}

impl Report {
    /// Writes what `page` gives, unless (and not `all`) it stands already.
    fn write(
        self,
        all: bool,
        reports: &mut Reports,
        page: impl FnOnce() -> (String, Diagnostics),
    ) -> Result<(), OutputError> {
        let Self { lock, path, key } = self;
        let standing = Manifest::load(lock.folder(), lock.unit())?;
        if !all && standing.is_some_and(|manifest| manifest.is_current(&key, lock.folder())) {
            return Ok(());
        }
        let (html, problems) = page();
        let staged = StagedOutputs::new(lock)?;
        staged.write(&path, |file| file.write_all(html.as_bytes()))?;
        staged.commit(key)?;
        reports.problems.extend(problems);
        reports.written.push(path);
        Ok(())
    }
}

/// Where the report of a subject is.
pub(super) fn subject_report(label: &str) -> Result<RelativePath, OutputError> {
    RelativePath::new(format!("sub-{label}_report.html"))
}

fn key(plan: Result<Digest, serde_json::Error>) -> Result<ManifestKey, OutputError> {
    let plan = plan.map_err(std::io::Error::from)?;
    Ok(ManifestKey { plan, numerics_version: REPORT_VERSION, inputs: BTreeMap::new(), settings: Value::Null })
}

/// The warning that reports could not be written: results do not depend on them.
pub fn not_written(folder: &OutputFolder, problem: &str) -> Diagnostic {
    Diagnostic::warning("report-not-written", format!("the reports are not written: {problem}"))
        .at(Place::File(folder.root().to_path_buf()))
        .note("the results are complete without them")
        .hint("`boldly report` with the output folder tries again")
}

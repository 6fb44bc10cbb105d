//! One subject end to end: lock, decide whether its results stand, compute space by space, commit.

use super::convolve_job::ConvolveJob;
use super::failure::Failure;
use super::memory::MemoryLimit;
use super::plan::Plan;
use super::plan_run::display_name;
use super::plan_subject::SubjectPlan;
use super::progress::Progress;
use super::rate_job;
use super::replaced;
use super::saved_warnings::saved_warnings;
use super::space_job::SpaceJob;
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use crate::inputs::{self, FileDigest};
use crate::outputs::provenance::{portable_path, portable_settings, without_inputs};
use crate::outputs::{Digest, Manifest, ManifestKey, OutputFolder, OutputLock, StagedOutputs, Unit};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Grows whenever a change of boldly changes any number in a result: older results are then redone.
pub const NUMERICS_VERSION: u32 = 9;

/// Everything one subject's analysis needs.
pub(super) struct SubjectJob<'a> {
    pub(super) plan: &'a Plan,
    pub(super) subject: &'a SubjectPlan,
    pub(super) folder: &'a OutputFolder,
    pub(super) force: bool,
    pub(super) limit: MemoryLimit,
    pub(super) cancel: &'a CancelToken,
    pub(super) progress: &'a Progress,
}

/// How a subject ended well.
pub(super) enum SubjectOutcome {
    /// Its results are in place.
    Done { n_files: usize, warnings: Diagnostics },
    /// Its results stood already.
    Unchanged,
}

/// Digests of the files a subject is made from.
#[derive(Debug, Default)]
pub(super) struct InputDigests(BTreeMap<PathBuf, Digest>);

impl InputDigests {
    /// Notes the digests of files that were read to their end.
    pub(super) fn note(&mut self, digests: &[FileDigest]) {
        self.0.extend(digests.iter().map(|digest| (digest.path.clone(), digest.sha256)));
    }

    /// Digests of all `files`; those not noted yet are read. Keys are portable paths.
    pub(super) fn complete(&mut self, files: &[PathBuf], base: &Path) -> Result<BTreeMap<String, Digest>, Diagnostics> {
        let mut all = BTreeMap::new();
        for path in files {
            let digest = match self.0.get(path) {
                Some(digest) => *digest,
                None => inputs::digest_file(path)?,
            };
            self.0.insert(path.clone(), digest);
            all.insert(portable_path(path, base), digest);
        }
        Ok(all)
    }
}

impl SubjectJob<'_> {
    /// Steps of progress that a subject takes.
    pub(super) fn steps(subject: &SubjectPlan) -> usize {
        let groups = subject.spaces.iter().map(|space| space.groups.len()).sum::<usize>();
        subject.runs.len() + groups + subject.spikes.len()
    }

    /// Analyses the subject, unless its results stand.
    pub(super) fn run(&self) -> Result<SubjectOutcome, Failure> {
        let lock = OutputLock::acquire(self.folder, &self.subject.subject)?;
        let files = self.subject.files(&self.plan.shared);
        let base = &self.plan.pipeline_folder;
        let mut digests = InputDigests::default();
        let (plan, settings) = plan_digest(self.plan, self.subject)?;
        let unit = Unit::subject(&self.subject.subject)?;
        if !self.force
            && let Some(manifest) = Manifest::load(self.folder, &unit)?
        {
            let mut key = ManifestKey { inputs: manifest.key.inputs.clone(), ..key(plan, settings.clone()) };
            // Inputs are read only where nothing cheaper already says that the work must be done.
            if manifest.is_current(&key, self.folder) {
                self.progress.stage(&self.subject.subject, "all runs", "comparing inputs with the last run");
                key.inputs = digests.complete(&files, base)?;
                if manifest.is_current(&key, self.folder) {
                    (0..Self::steps(self.subject)).for_each(|_| self.progress.step("all runs"));
                    return Ok(SubjectOutcome::Unchanged);
                }
            }
        }
        let before = Manifest::load(self.folder, &unit)?;
        let mut staged = StagedOutputs::new(lock)?;
        let mut warnings = Diagnostics::new();
        let models_of_series = self.plan.settings.series_models().next().is_some();
        for space in self.subject.spaces.iter().filter(|_| models_of_series) {
            let Self { plan, subject, limit, cancel, progress, .. } = *self;
            let job = SpaceJob { plan, subject, space, staged: &staged, limit, cancel, progress };
            warnings.extend(job.run(&mut digests)?);
        }
        self.convolve(&staged, &mut digests)?;
        for spikes in &self.subject.spikes {
            self.progress.stage(&self.subject.subject, &display_name(&spikes.labels), "rates");
            rate_job::run(self.plan, spikes, &staged, self.cancel)?;
            self.progress.step(&display_name(&spikes.labels));
        }
        self.cancel.check()?;
        let inputs = digests.complete(&files, base)?;
        let mut found = self.subject.warnings.clone();
        found.extend(warnings.clone());
        staged.note_warnings(saved_warnings(found, &files, base));
        let manifest = staged.commit(ManifestKey { inputs, ..key(plan, settings) })?;
        if let Some(before) = before {
            warnings.extend(replaced::other_data(self.folder, &self.subject.subject, &before, &manifest));
        }
        Ok(SubjectOutcome::Done { n_files: manifest.outputs.len(), warnings })
    }

    /// The plain convolutions of every run.
    fn convolve(&self, staged: &StagedOutputs, digests: &mut InputDigests) -> Result<(), Failure> {
        let Self { plan, cancel, progress, .. } = *self;
        for model in 0..plan.settings.convolutions.len() {
            for run in &self.subject.runs {
                let stage = format!("model {}", *plan.settings.convolutions[model].name);
                progress.stage(&self.subject.subject, &run.display_name(), &stage);
                digests.note(&ConvolveJob { plan, model, run, staged, cancel }.run()?);
            }
        }
        Ok(())
    }
}

/// Contrasts of a model that some run of the subject enters.
fn contrast_names<'a>(plan: &'a Plan, subject: &SubjectPlan, model: usize) -> Vec<&'a str> {
    let contrasts = plan.contrasts[model].iter().enumerate();
    let entered = |at: usize| subject.runs.iter().any(|run| run.models[model].contrasts[at].is_some());
    contrasts.filter(|(at, _)| entered(*at)).map(|(_, contrast)| contrast.settings.name.as_str()).collect()
}

/// Digest of everything but the files' contents that a subject's results follow from, and the settings in it that are not
/// this subject's alone.
pub(super) fn plan_digest(plan: &Plan, subject: &SubjectPlan) -> Result<(Digest, Value), Failure> {
    let own = |label: &str| label == subject.subject;
    let mut settings = plan.settings.clone();
    match &mut settings.inputs {
        crate::config::Inputs::Runs(runs) => runs.retain(|run| own(&run.labels.subject)),
        crate::config::Inputs::Timeseries(tables) => tables.retain(|table| own(&table.labels.subject)),
        crate::config::Inputs::Spikes(tables) => tables.retain(|table| own(&table.labels.subject)),
    }
    // those the subject has: which conditions other subjects know changes nothing here
    let names: Vec<Vec<&str>> = (0..settings.glms.len()).map(|model| contrast_names(plan, subject, model)).collect();
    let digest = portable_settings(&settings, &plan.pipeline_folder)
        .and_then(|settings| Ok((Digest::of_json(&(&settings, names))?, without_inputs(settings))));
    digest.map_err(|problem| {
        Diagnostic::error("internal-bug", format!("the plan cannot be written as JSON: {problem}")).into()
    })
}

/// Whether the results of an earlier run are those of this plan, as far as can be told without reading an input: all are in
/// place, and made from the same files by the same settings.
pub(super) fn is_of_this_plan(plan: &Plan, subject: &SubjectPlan, folder: &OutputFolder) -> Result<bool, Failure> {
    let Some(manifest) = Manifest::load(folder, &Unit::subject(&subject.subject)?)? else { return Ok(false) };
    let (digest, settings) = plan_digest(plan, subject)?;
    let files = subject.files(&plan.shared);
    let named: BTreeSet<String> = files.iter().map(|path| portable_path(path, &plan.pipeline_folder)).collect();
    let key = ManifestKey { inputs: manifest.key.inputs.clone(), ..key(digest, settings) };
    Ok(manifest.key.inputs.keys().eq(&named) && manifest.is_current(&key, folder))
}

/// The key of results with this plan, inputs still to be filled in.
fn key(plan: Digest, settings: Value) -> ManifestKey {
    ManifestKey { plan, numerics_version: NUMERICS_VERSION, inputs: BTreeMap::new(), settings }
}

//! The plan: settings and the headers of all inputs, joined and validated; nothing in it is optional in the
//! sense of "default", and no voxel has been read.

use super::contrasts::{PlannedContrast, planned_contrasts};
use super::dataset_runs::{self, DatasetRuns};
use super::folded_warnings::folded_warnings;
use super::plan_run::RunPlan;
use super::plan_subject::{self, SubjectPlan};
use super::shared_files::SharedFiles;
use crate::config::{GlmSettings, Inputs, MapKind, Settings};
use crate::error::{Diagnostic, Diagnostics, Severity};
use crate::preprocess::scales_samples;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Everything that will be done, subject by subject.
#[derive(Debug)]
pub struct Plan {
    /// The pipeline, resolved.
    pub settings: Settings,
    /// The folder of the pipeline file: outputs say paths relative to it.
    pub pipeline_folder: PathBuf,
    /// Mask, regions and responses.
    pub shared: SharedFiles,
    /// The contrasts of each model, parsed; those of `condition_contrasts` follow the declared ones.
    pub contrasts: Vec<Vec<PlannedContrast>>,
    /// Labels of all subjects that the pipeline names, also of those the work is not restricted to.
    pub named_subjects: BTreeSet<String>,
    /// The text of the pipeline where boldly proposed it, to be kept with the results.
    pub proposed: Option<String>,
    /// Subjects whose inputs are in order.
    pub subjects: Vec<SubjectPlan>,
    /// Subjects whose inputs are not, with what is wrong.
    pub refused: Vec<RefusedSubject>,
    /// What was odd about the pipeline or the accepted subjects.
    pub warnings: Diagnostics,
}

/// A subject that cannot be analysed.
#[derive(Debug)]
pub struct RefusedSubject {
    /// Its label.
    pub subject: String,
    /// What is wrong.
    pub problems: Diagnostics,
}

impl Plan {
    /// How many warnings there are, those of subjects that cannot be analysed among them.
    pub fn n_warnings(&self) -> usize {
        let of_refused = self.refused.iter().flat_map(|refused| &refused.problems);
        self.warnings.iter().chain(of_refused).filter(|problem| problem.severity == Severity::Warning).count()
    }

    /// Whether the samples of a run are kept: for noise models that look at them, for deconvolution, for maps and thresholds that
    /// depend on residuals, for mean series of regions, and where each must be scaled before a model sees it. Other models are
    /// fitted to sums over time.
    pub(super) fn needs_samples(&self) -> bool {
        let Settings { glms, deconvolutions, rois, preprocess, numerics, .. } = &self.settings;
        let maps = [MapKind::Residuals, MapKind::Whiteness];
        let written = |glm: &GlmSettings| maps.iter().any(|map| glm.maps.contains(map));
        glms.iter().any(|glm| glm.noise.needs_samples() || written(glm) || glm.needs_residuals())
            || !deconvolutions.is_empty()
            || !rois.is_empty()
            || scales_samples(preprocess.scaling, numerics.scaling_arithmetic)
    }

    /// Whether a deconvolution takes the data as they are while they are smoothed for the others.
    pub(super) fn needs_unsmoothed(&self) -> bool {
        let smooths = self.settings.preprocess.smooth_fwhm_mm.iter().any(|length| *length > 0.0);
        smooths && self.settings.deconvolutions.iter().any(|model| !model.smooth)
    }

    /// Reads headers, tables and sidecars and validates everything that does not need voxels.
    ///
    /// `pipeline_folder` is the folder of the pipeline file; `subjects` are labels to restrict the work to, empty for all.
    ///
    /// # Errors
    /// What is wrong with the pipeline itself, or with the inputs of every subject.
    pub fn new(mut settings: Settings, pipeline_folder: &Path, subjects: &[String]) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut dataset = DatasetRuns::default();
        if let Some(bids) = settings.bids.clone() {
            dataset = dataset_runs::find(&mut settings, &bids)?;
            problems.extend(std::mem::take(&mut dataset.warnings));
        }
        let named_subjects = named_subjects(&settings, &dataset);
        let labels = chosen_subjects(&named_subjects, subjects, &mut problems);
        let shared = problems.collect(SharedFiles::read(&settings));
        let Some(shared) = shared.filter(|_| !problems.has_errors()) else { return Err(problems) };
        let read: BTreeMap<String, (Vec<RunPlan>, Diagnostics)> = labels
            .par_iter()
            .filter(|subject| !dataset.refused.contains_key(*subject))
            .map(|subject| (subject.clone(), plan_subject::read_runs(&settings, &dataset, subject)))
            .collect();
        let conditions: BTreeSet<String> = read
            .values()
            .flat_map(|(runs, _)| runs)
            .filter_map(|run| run.events.as_ref())
            .flat_map(crate::inputs::EventTable::conditions)
            .collect();
        let contrasts = planned_contrasts(&settings, &conditions, &mut problems);
        if problems.has_errors() {
            return Err(problems);
        }
        let pipeline_folder = pipeline_folder.to_path_buf();
        let mut plan = Self {
            settings,
            pipeline_folder,
            shared,
            contrasts,
            named_subjects,
            proposed: None,
            subjects: Vec::new(),
            refused: dataset
                .refused
                .into_iter()
                .filter(|(subject, _)| labels.contains(subject))
                .map(|(subject, problems)| RefusedSubject { subject, problems })
                .collect(),
            warnings: problems,
        };
        let mut pipeline_mistakes = Diagnostics::new();
        for (subject, read) in read {
            match plan_subject::plan(&plan, &subject, read, &conditions) {
                Ok((planned, warnings)) => {
                    plan.warnings.extend(warnings);
                    plan.subjects.push(planned);
                }
                Err(problems) => {
                    let (mistakes, own) = problems.into_iter().partition::<Vec<_>, _>(is_mistake_of_pipeline);
                    for mistake in mistakes {
                        let is_known =
                            |known: &Diagnostic| (known.code, &known.place) == (mistake.code, &mistake.place);
                        if !pipeline_mistakes.iter().any(is_known) {
                            pipeline_mistakes.push(mistake);
                        }
                    }
                    let problems = folded_warnings(own.into_iter().collect());
                    plan.refused.push(RefusedSubject { subject, problems });
                }
            }
        }
        if !pipeline_mistakes.is_empty() {
            // a condition may be unknown because events are looked for in the wrong dataset
            let reasons = plan.warnings.iter().filter(|warning| warning.code == "bids-root-derivative").cloned();
            pipeline_mistakes.extend(reasons.collect());
            return Err(pipeline_mistakes);
        }
        plan.warnings = folded_warnings(std::mem::take(&mut plan.warnings));
        Ok(plan)
    }
}

/// Codes of problems that are found while looking at a subject, but are mistakes in the pipeline file, which stop everything.
const MISTAKES_OF_PIPELINE: [&str; 13] = [
    "contrast-unknown-condition",
    "contrast-needs-delay",
    "contrast-all-zero",
    "contrast-glob-in-t",
    "contrast-glob-counts",
    "contrast-row-count",
    "tent-knots",
    "deconvolve-kernel",
    "figure-of-nothing",
    "convolve-kernel",
    "rate-bin",
    "ppi-unknown-condition",
    "ppi-without-region",
];

fn is_mistake_of_pipeline(problem: &Diagnostic) -> bool {
    MISTAKES_OF_PIPELINE.contains(&problem.code)
}

fn named_subjects(settings: &Settings, dataset: &DatasetRuns) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = match &settings.inputs {
        Inputs::Runs(runs) => runs.iter().map(|run| run.labels.subject.clone()).collect(),
        Inputs::Timeseries(tables) => tables.iter().map(|table| table.labels.subject.clone()).collect(),
        Inputs::Spikes(tables) => tables.iter().map(|table| table.labels.subject.clone()).collect(),
    };
    all.extend(dataset.refused.keys().cloned());
    all
}

fn chosen_subjects(all: &BTreeSet<String>, wanted: &[String], problems: &mut Diagnostics) -> BTreeSet<String> {
    if wanted.is_empty() {
        return all.clone();
    }
    let mut chosen = BTreeSet::new();
    for label in wanted {
        let label = label.strip_prefix("sub-").unwrap_or(label);
        if all.contains(label) {
            chosen.insert(label.to_owned());
        } else {
            let known: Vec<&str> = all.iter().map(String::as_str).collect();
            problems.push(
                Diagnostic::error("subject-unknown", format!("no subject `{label}` in the pipeline"))
                    .note(format!("subjects: {}", known.join(", ")))
                    .hint("give `--subject` one of these labels"),
            );
        }
    }
    chosen
}

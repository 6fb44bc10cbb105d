//! The plan as a person or a program reads it: what was found, what will be fitted, what it will need.

mod activity;

use crate::error::counted;
use activity::{DeconvolutionReport, RecordingReport};

use super::memory::{Estimate, MemoryLimit, mib};
use super::plan::Plan;
use super::plan_run::{RunPlan, RunSource};
use super::plan_subject::SubjectPlan;
use crate::config::{ContrastKind, ConvolveSettings, RateSettings};
use crate::design::leverage::{self, InfluentialFrames};
use crate::design::{ColumnRole, ContrastMatrix, RunDesign, checks};
use crate::inputs::{EventTable, Grid};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Uncompressed bytes of BOLD that are decoded, smoothed and fitted a second: half of what was measured on 91x109x91x300
/// int16, compressed, with an AR(1) model of 18 regressors, so that the prediction errs on the long side. One thread inflates
/// a run, so that more of them gain little.
const BYTES_A_SECOND: f64 = 170e6;

/// What `boldly check` says.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// The pipeline's name.
    pub name: String,
    /// Its profile.
    pub profile: crate::config::Profile,
    /// Subjects whose inputs are in order.
    pub subjects: Vec<SubjectReport>,
    /// Subjects whose inputs are not.
    pub refused: Vec<String>,
    /// Contrasts of each model: name, kind, expressions.
    pub contrasts: BTreeMap<String, Vec<crate::config::ContrastSettings>>,
    /// Whether the runs were found in a dataset, so that their files are listed.
    #[serde(skip)]
    found: bool,
    /// Plain convolutions.
    pub convolutions: Vec<ConvolveSettings>,
    /// Firing rates.
    pub rates: Vec<RateSettings>,
    /// Memory, disk, passes.
    pub needs: Estimate,
    /// Predicted wall time, seconds; a rough figure.
    pub time_s: f64,
    /// Problems and oddities, each as text.
    pub messages: Vec<String>,
}

/// One subject.
#[derive(Debug, Serialize)]
pub struct SubjectReport {
    /// Its label.
    pub subject: String,
    /// Its runs.
    pub runs: Vec<RunReport>,
    /// Its recordings of spikes.
    pub recordings: Vec<RecordingReport>,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct RunReport {
    /// Its labels, as messages say them.
    pub run: String,
    /// The file's name.
    pub file: String,
    /// Every file that was matched with it, the image first; of a pipeline that names its files one by one, those.
    pub files: Vec<String>,
    /// Grid, or number of columns.
    pub shape: String,
    /// Acquired frames.
    pub frames: usize,
    /// Repetition time, seconds; 0 where no one says it and nothing asks for it.
    pub tr_s: f64,
    /// Events of each condition.
    pub events: BTreeMap<String, usize>,
    /// Each model.
    pub models: Vec<ModelReport>,
    /// Each deconvolution.
    pub deconvolutions: Vec<DeconvolutionReport>,
}

/// One model of one run.
#[derive(Debug, Serialize)]
pub struct ModelReport {
    /// Its name.
    pub model: String,
    /// Task, confound, drift and constant columns.
    pub columns: [usize; 4],
    /// Rank of the design.
    pub rank: usize,
    /// Residual degrees of freedom.
    pub dof: usize,
    /// Frames censored.
    pub censored: usize,
    /// Variance inflation of each task column.
    pub vif: BTreeMap<String, f64>,
    /// Efficiency of each contrast that the run enters.
    pub efficiency: BTreeMap<String, f64>,
    /// Frames of high leverage, counted from the first that was not discarded.
    pub high_leverage: Vec<usize>,
    /// Share of each task column's variance that drift and confounds remove.
    pub variance_removed: BTreeMap<String, f64>,
    /// Contrasts this run does not enter.
    pub skipped_contrasts: Vec<String>,
}

/// Predicted wall time, seconds; a rough figure.
fn time_s(raw_bytes: f64, needs: &Estimate, threads: usize) -> f64 {
    raw_bytes * needs.passes as f64 / BYTES_A_SECOND + needs.processor_s / threads.max(1) as f64
}

impl Plan {
    /// Predicted wall time of the subject that takes longest, seconds: its share of all bytes is its share of all time.
    pub(super) fn longest_subject_s(&self, threads: usize) -> f64 {
        let bytes = self.subjects.iter().map(|subject| subject.runs.iter().map(raw_bytes).sum::<f64>());
        let (all, largest) = bytes.fold((0.0, 0.0_f64), |(all, largest), own| (all + own, largest.max(own)));
        let share = if all > 0.0 { largest / all } else { 1.0 };
        share * time_s(all, &self.estimate(threads, None), threads)
    }
}

impl CheckReport {
    /// Reads everything from the plan; needs are those of so many threads below a limit on memory.
    pub fn new(plan: &Plan, threads: usize, limit: MemoryLimit) -> Self {
        let subjects = plan.subjects.iter().map(|subject| subject_report(plan, subject)).collect();
        let messages = plan
            .warnings
            .iter()
            .chain(plan.refused.iter().flat_map(|refused| &refused.problems))
            .map(ToString::to_string)
            .collect();
        let names = plan.settings.glms.iter().map(|glm| glm.name.value.clone());
        let contrasts = plan.contrasts.iter().map(|all| all.iter().map(|contrast| contrast.settings.clone()).collect());
        let needs = plan.estimate(threads, limit);
        let raw_bytes: f64 = plan.subjects.iter().flat_map(|subject| &subject.runs).map(raw_bytes).sum();
        Self {
            name: plan.settings.name.clone(),
            profile: plan.settings.profile,
            subjects,
            refused: plan.refused.iter().map(|refused| refused.subject.clone()).collect(),
            contrasts: names.zip(contrasts).collect(),
            found: plan.settings.bids.is_some(),
            convolutions: plan.settings.convolutions.clone(),
            rates: plan.settings.rates.clone(),
            time_s: time_s(raw_bytes, &needs, threads),
            needs,
            messages,
        }
    }

    /// As text for a person; ends with a line feed.
    pub fn text(&self) -> String {
        let mut out = format!("{} (profile {})\n", self.name, profile_name(self.profile));
        for subject in &self.subjects {
            let _ = writeln!(out, "\nsub-{}", subject.subject);
            for run in &subject.runs {
                run.write_text(&mut out, self.found);
            }
            activity::write_recordings(subject, &mut out);
        }
        for (model, contrasts) in &self.contrasts {
            let _ = writeln!(out, "\nmodel `{model}`: {}", counted(contrasts.len(), "contrast"));
            for contrast in contrasts {
                let rows: Vec<&str> = contrast.rows.iter().map(|row| row.as_str()).collect();
                let kind = if contrast.kind == ContrastKind::T { "t" } else { "F" };
                let _ = writeln!(out, "  {kind} {} = {}", *contrast.name, rows.join(" ; "));
            }
        }
        activity::write_filters(&self.convolutions, &self.rates, &mut out);
        for subject in &self.refused {
            let _ = writeln!(out, "\nsub-{subject}: cannot be analysed");
        }
        if self.subjects.is_empty() {
            return out; // nothing will be done, so nothing is needed
        }
        let needs = &self.needs;
        let passes = if needs.passes == 1 { "one pass" } else { "two passes (one for the automatic mask)" };
        let _ = writeln!(
            out,
            "\nneeds about {} of memory, up to {} of disk before compression, {passes}, roughly {:.0} s\n  memory: {}",
            mib(needs.memory_bytes),
            mib(needs.disk_bytes),
            self.time_s.max(1.0),
            needs.memory_formula,
        );
        if needs.spilled_bytes > 0 {
            let _ = writeln!(
                out,
                "  samples of {} do not fit below the limit: they lie in the output folder while a run is at work",
                mib(needs.spilled_bytes)
            );
        }
        out
    }
}

impl RunReport {
    fn write_text(&self, out: &mut String, lists_files: bool) {
        let _ = writeln!(out, "  {}: {}", self.run, self.file);
        for file in self.files.iter().filter(|_| lists_files) {
            let _ = writeln!(out, "    from {file}");
        }
        let tr = if self.tr_s > 0.0 { format!(", TR {} s", self.tr_s) } else { String::new() };
        let _ = writeln!(out, "    {}{tr}, {}", counted(self.frames, "frame"), self.shape);
        if !self.events.is_empty() {
            let counts: Vec<String> =
                self.events.iter().map(|(condition, count)| format!("{condition} {count}")).collect();
            let _ = writeln!(out, "    events: {}", counts.join(", "));
        }
        for model in &self.models {
            let [task, confound, drift, constant] = model.columns;
            let censored = match model.censored {
                0 => String::new(),
                frames => format!(", {} censored", counted(frames, "frame")),
            };
            let _ = writeln!(
                out,
                "    model `{}`: {task} task + {confound} confound + {drift} drift + {constant} constant columns, rank {}, {} dof{censored}",
                model.model, model.rank, model.dof
            );
            if let Some((column, vif)) = model.vif.iter().max_by(|a, b| a.1.total_cmp(b.1)) {
                let _ = writeln!(out, "      largest variance inflation {vif:.2} (`{column}`)");
            }
            if !model.efficiency.is_empty() {
                let each: Vec<String> =
                    model.efficiency.iter().map(|(contrast, value)| format!("{contrast} {value:.3}")).collect();
                let _ = writeln!(out, "      efficiency: {}", each.join(", "));
            }
            if !model.high_leverage.is_empty() {
                let frames: Vec<String> = model.high_leverage.iter().map(ToString::to_string).collect();
                let _ = writeln!(out, "      the fit hangs on frames of high leverage: {}", frames.join(", "));
            }
            if let Some((column, share)) = model.variance_removed.iter().max_by(|a, b| a.1.total_cmp(b.1)) {
                let percent = 100.0 * share;
                let _ = writeln!(
                    out,
                    "      drift and confounds remove up to {percent:.0} % of a regressor's variance (`{column}`)"
                );
            }
            if !model.skipped_contrasts.is_empty() {
                let _ = writeln!(out, "      does not enter: {}", model.skipped_contrasts.join(", "));
            }
        }
        self.deconvolutions.iter().for_each(|deconvolution| deconvolution.write_text(out));
    }
}

fn subject_report(plan: &Plan, subject: &SubjectPlan) -> SubjectReport {
    let runs = subject.runs.iter().map(|run| {
        let shape = match &run.source {
            RunSource::Image(header) => voxels_of(&header.grid),
            RunSource::Table(table) => counted(table.names.len(), "column"),
        };
        let models = run.models.iter().enumerate().map(|(index, model)| {
            let skipped = plan.contrasts[index].iter().zip(&model.contrasts).filter(|(_, matrix)| matrix.is_none());
            let skipped_contrasts = skipped.map(|(contrast, _)| contrast.settings.name.value.clone()).collect();
            let entered = model.contrasts.iter().flatten();
            model_report(plan.settings.glms[index].name.as_str(), &model.design, entered, skipped_contrasts)
        });
        let deconvolutions = run.deconvolutions.iter().enumerate();
        let deconvolutions = deconvolutions.map(|own| DeconvolutionReport::new(plan, run, own));
        RunReport {
            run: run.display_name(),
            file: run.data_path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            files: run.files.iter().map(|path| path.display().to_string()).collect(),
            shape,
            frames: run.n_acquired,
            tr_s: run.tr_s,
            events: run.events.as_ref().map(count_events).unwrap_or_default(),
            models: models.collect(),
            deconvolutions: deconvolutions.collect(),
        }
    });
    SubjectReport {
        subject: subject.subject.clone(),
        runs: runs.collect(),
        recordings: subject.spikes.iter().map(RecordingReport::new).collect(),
    }
}

/// Shape and voxel sizes; micrometres are enough.
fn voxels_of(grid: &Grid) -> String {
    let [x, y, z] = grid.shape;
    let [dx, dy, dz] = grid.voxel_sizes_mm().map(|size| (1e3 * size).round() / 1e3);
    format!("{x}x{y}x{z} voxels of {dx}x{dy}x{dz} mm")
}

fn model_report<'a>(
    name: &str,
    design: &RunDesign,
    contrasts: impl Iterator<Item = &'a ContrastMatrix>,
    skipped_contrasts: Vec<String>,
) -> ModelReport {
    let count = |wanted: fn(&ColumnRole) -> bool| design.roles.iter().filter(|role| wanted(role)).count();
    let rank = checks::rank(design);
    ModelReport {
        model: name.to_owned(),
        columns: [
            count(|role| matches!(role, ColumnRole::Task { .. })),
            count(|role| matches!(role, ColumnRole::Confound)),
            count(|role| matches!(role, ColumnRole::Drift)),
            count(|role| matches!(role, ColumnRole::Constant)),
        ],
        rank,
        dof: design.timing.n_kept().saturating_sub(rank),
        censored: design.timing.n_frames() - design.timing.n_kept(),
        vif: checks::variance_inflation(design).into_iter().collect(),
        efficiency: contrasts.map(|own| (own.name.clone(), leverage::efficiency(design, own))).collect(),
        high_leverage: InfluentialFrames::of(design).high.into_iter().map(|(frame, _)| frame).collect(),
        variance_removed: checks::variance_removed(design).into_iter().collect(),
        skipped_contrasts,
    }
}

fn count_events(events: &EventTable) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in &events.events {
        *counts.entry(event.condition.clone()).or_default() += 1;
    }
    counts
}

fn raw_bytes(run: &RunPlan) -> f64 {
    match &run.source {
        RunSource::Image(header) => 2.0 * (header.grid.n_voxels() * run.n_acquired) as f64,
        RunSource::Table(_) => 0.0,
    }
}

fn profile_name(profile: crate::config::Profile) -> &'static str {
    match profile {
        crate::config::Profile::Native => "native",
        crate::config::Profile::Nilearn => "nilearn",
    }
}

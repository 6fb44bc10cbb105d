//! What `check` says of deconvolutions, convolutions and firing rates.

use super::SubjectReport;
use crate::config::{ConvolveKernel, ConvolveMode, ConvolveSettings, Method, RateSettings};
use crate::design::ColumnRole;
use crate::error::counted;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_deconvolution::RunDeconvolution;
use crate::pipeline::plan_run::{RunPlan, display_name};
use crate::pipeline::rate_job::SpikesPlan;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One deconvolution of one run.
#[derive(Debug, Serialize)]
pub struct DeconvolutionReport {
    /// Its name.
    pub model: String,
    /// What is assumed of the activity.
    pub method: Method,
    /// Samples of the kernel; `None` for calcium, whose dynamics are each column's own.
    pub kernel_samples: Option<usize>,
    /// Confound, drift and constant columns that are projected out.
    pub columns: [usize; 3],
    /// Activity samples of the run.
    pub samples: usize,
    /// Seconds between them.
    pub step_s: f64,
    /// Frames censored.
    pub censored: usize,
}

impl DeconvolutionReport {
    pub(super) fn new(plan: &Plan, run: &RunPlan, (index, own): (usize, &RunDeconvolution)) -> Self {
        let settings = &plan.settings.deconvolutions[index];
        let (nuisance, calcium) = (&own.nuisance, settings.kernel.is_calcium());
        let count = |wanted: fn(&ColumnRole) -> bool| {
            // calcium has a baseline of its own
            nuisance.roles.iter().filter(|role| !calcium && wanted(role)).count()
        };
        Self {
            model: settings.name.value.clone(),
            method: settings.method,
            kernel_samples: (!calcium).then_some(own.kernel.len()),
            columns: [
                count(|role| matches!(role, ColumnRole::Confound)),
                count(|role| matches!(role, ColumnRole::Drift)),
                count(|role| matches!(role, ColumnRole::Constant)),
            ],
            samples: nuisance.timing.n_frames() * settings.upsample,
            step_s: run.tr_s / settings.upsample as f64,
            censored: nuisance.timing.n_frames() - nuisance.timing.n_kept(),
        }
    }

    pub(super) fn write_text(&self, out: &mut String) {
        let [confound, drift, constant] = self.columns;
        let kernel = match self.kernel_samples {
            Some(samples) => format!(
                "kernel of {}, {confound} confound + {drift} drift + {constant} constant columns",
                counted(samples, "sample")
            ),
            None => "calcium dynamics".to_owned(),
        };
        let censored =
            if self.censored > 0 { format!(", {} censored", counted(self.censored, "frame")) } else { String::new() };
        let _ = writeln!(
            out,
            "    deconvolution `{}`: {}, {kernel}, {} {} s apart{censored}",
            self.model,
            word(&self.method),
            counted(self.samples, "activity sample"),
            self.step_s
        );
    }
}

/// One recording of spikes.
#[derive(Debug, Serialize)]
pub struct RecordingReport {
    /// Its labels, as messages say them.
    pub run: String,
    /// The file's name.
    pub file: String,
    /// Its length, seconds.
    pub duration_s: f64,
    /// Spikes of each unit.
    pub spikes: BTreeMap<String, usize>,
}

impl RecordingReport {
    pub(super) fn new(recording: &SpikesPlan) -> Self {
        let table = &recording.table;
        Self {
            run: display_name(&recording.labels),
            file: table.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            duration_s: table.duration_s,
            spikes: table.units.iter().map(|unit| (unit.unit.clone(), unit.times_s.len())).collect(),
        }
    }

    fn write_text(&self, out: &mut String) {
        let spikes: Vec<String> = self.spikes.iter().map(|(unit, count)| format!("{unit} {count}")).collect();
        let _ = writeln!(out, "  {}: {}", self.run, self.file);
        let _ = writeln!(out, "    {} s, {}: {}", self.duration_s, counted(spikes.len(), "unit"), spikes.join(", "));
    }
}

pub(super) fn write_recordings(subject: &SubjectReport, out: &mut String) {
    subject.recordings.iter().for_each(|recording| recording.write_text(out));
}

/// A line a convolution and a rate.
pub(super) fn write_filters(convolutions: &[ConvolveSettings], rates: &[RateSettings], out: &mut String) {
    for convolution in convolutions {
        let kernel = match &convolution.kernel {
            ConvolveKernel::Box(samples) => format!("a box of {samples}"),
            ConvolveKernel::Gaussian(sigma) => format!("a Gaussian of standard deviation {sigma}"),
            ConvolveKernel::Weights(weights) => counted(weights.len(), "weight"),
            ConvolveKernel::File(_) => "weights of a table".to_owned(),
        };
        let edge = match convolution.mode {
            ConvolveMode::Same => format!(", edge {}", word(&convolution.edge)),
            ConvolveMode::Full | ConvolveMode::Valid => String::new(),
        };
        let mode = word(&convolution.mode);
        let _ = writeln!(out, "\nconvolution `{}`: with {kernel}, mode {mode}{edge}", *convolution.name);
    }
    for rate in rates {
        let (bin_s, width_s) = (rate.bin_s.value, rate.sigma_s.value);
        let kernel = word(&rate.kernel);
        let _ = writeln!(out, "\nrate `{}`: bins of {bin_s} s, {kernel} kernel of {width_s} s", *rate.name);
    }
}

/// A choice as the pipeline file has it.
fn word<T: Serialize>(choice: &T) -> String {
    let json = serde_json::to_value(choice).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

//! Plain convolutions: the columns of a table in time, the volumes of an image in space.

use super::failure::Failure;
use super::plan::Plan;
use super::plan_run::{RunPlan, RunSource, display_name};
use crate::config::{ConvolveEdge, ConvolveKernel, ConvolveMode, ConvolveSettings};
use crate::error::{CancelToken, Diagnostic, Diagnostics, Place, counted};
use crate::inputs::{FileDigest, FrameSource, ImageHeader, NiftiFrames, SeriesTable, Support};
use crate::outputs::image_sidecar::ImageFields;
use crate::outputs::line_figure::{Ink, Line, LineFigure, LineStyle, Panel, Times, XUnits};
use crate::outputs::picture::slice_pair_png;
use crate::outputs::response::figure_labels;
use crate::outputs::{FrameWriter, Geometry, ImageDescription, Intent, OutputNames, SeriesAxis, StagedOutputs, tables};
use crate::signal::convolution::{ConvolutionError, Edge, Mode, convolve, convolve_axis, convolve_with_edges};
use crate::signal::gaussian_filter::gaussian_filter;
use crate::signal::kernel::{BoxScale, KernelError, SampledKernel};
use ndarray::{Array3, ShapeBuilder};
use std::io::Write;

/// One convolution of one run.
pub(super) struct ConvolveJob<'a> {
    pub(super) plan: &'a Plan,
    /// Its place among the convolutions.
    pub(super) model: usize,
    pub(super) run: &'a RunPlan,
    pub(super) staged: &'a StagedOutputs,
    pub(super) cancel: &'a CancelToken,
}

/// What is wrong with the kernel of a convolution, or with the kernel and the length of a series.
pub(super) fn problems(plan: &Plan, model: usize, run: &RunPlan) -> Diagnostics {
    let settings = &plan.settings.convolutions[model];
    let problem = |message: String| {
        Diagnostics::from(Diagnostic { place: settings.name.place(), ..Diagnostic::error("convolve-kernel", message) })
    };
    let kernel = match kernel(plan, model) {
        Ok(kernel) => kernel,
        Err(error) => return problem(error.to_string()),
    };
    let mut found = Diagnostics::new();
    if settings.mode == ConvolveMode::Valid && kernel.weights().len() > run.n_acquired {
        let message = format!(
            "the kernel of `{}` has {}, {} has {}: nowhere does it lie within",
            *settings.name,
            counted(kernel.weights().len(), "sample"),
            run.display_name(),
            run.n_acquired
        );
        found.extend(problem(message));
    }
    if let RunSource::Table(table) = &run.source {
        for name in settings.figures.iter().filter(|name| !table.names.contains(name)) {
            let message = format!("there is no column `{}` to draw in {}", **name, run.display_name());
            let diagnostic =
                Diagnostic { place: name.place_of_words(), ..Diagnostic::error("figure-of-nothing", message) };
            found.push(diagnostic.note(format!("columns: {}", table.names.join(", "))));
        }
    }
    found
}

fn kernel(plan: &Plan, model: usize) -> Result<SampledKernel, KernelError> {
    let settings = &plan.settings.convolutions[model];
    let weighted = |weights| match &settings.centre {
        Some(centre) => SampledKernel::new(weights, centre.value),
        None => SampledKernel::centred(weights),
    };
    match &settings.kernel {
        ConvolveKernel::Box(samples) => SampledKernel::boxcar(*samples, BoxScale::UnitSum),
        ConvolveKernel::Gaussian(sigma) => SampledKernel::gaussian(*sigma),
        ConvolveKernel::Weights(weights) => weighted(weights.clone()),
        ConvolveKernel::File(_) => weighted(plan.shared.weights[model].clone().unwrap_or_default()),
    }
}

impl ConvolveJob<'_> {
    /// Convolves and writes; gives the digests of the files it read.
    pub(super) fn run(&self) -> Result<Vec<FileDigest>, Failure> {
        let kernel = kernel(self.plan, self.model).map_err(|error| self.problem(&error.to_string()))?;
        match &self.run.source {
            RunSource::Table(table) => self.convolve_table(table, &kernel).map(|()| Vec::new()),
            RunSource::Image(header) => self.convolve_image(header, &kernel),
        }
    }

    fn settings(&self) -> &ConvolveSettings {
        &self.plan.settings.convolutions[self.model]
    }

    fn names(&self) -> Result<OutputNames, crate::outputs::OutputError> {
        OutputNames::of_run(&self.settings().name, &self.run.labels)
    }

    fn problem(&self, message: &str) -> Failure {
        let message = format!("{}: {message}", self.run.display_name());
        Diagnostic { place: self.settings().name.place(), ..Diagnostic::error("convolve-kernel", message) }.into()
    }

    fn edge(&self) -> Edge {
        match self.settings().edge {
            ConvolveEdge::Zero => Edge::Zero,
            ConvolveEdge::Reflect => Edge::Reflect,
            ConvolveEdge::Nearest => Edge::Nearest,
            ConvolveEdge::Wrap => Edge::Wrap,
        }
    }

    fn convolve_column(&self, values: &[f64], kernel: &SampledKernel) -> Result<Vec<f64>, ConvolutionError> {
        match self.settings().mode {
            ConvolveMode::Full => convolve(values, kernel.weights(), Mode::Full),
            ConvolveMode::Valid => convolve(values, kernel.weights(), Mode::Valid),
            ConvolveMode::Same => convolve_with_edges(values, kernel, self.edge()),
        }
    }

    fn convolve_table(&self, table: &SeriesTable, kernel: &SampledKernel) -> Result<(), Failure> {
        let n = table.names.len();
        let column = |at: usize| -> Vec<f64> { table.rows.iter().skip(at).step_by(n).copied().collect() };
        let mut columns = Vec::new();
        for (at, name) in table.names.iter().enumerate() {
            self.cancel.check()?;
            let convolved = self.convolve_column(&column(at), kernel);
            columns.push(convolved.map_err(|error| self.problem(&format!("column `{name}`: {error}")))?);
        }
        let length = columns.first().map_or(0, Vec::len);
        let rows = (0..length).map(|row| columns.iter().map(|column| column[row]).collect());
        let names = self.names()?;
        let path = names.convolved_table()?;
        self.staged.write(&path, |file| tables::write_series(file, &table.names, rows))?;
        self.staged.write_json(&path.sidecar(), &self.table_sidecar(kernel, table.tr_s))?;
        let labels = figure_labels(&table.names);
        for ((at, name), label) in table.names.iter().enumerate().zip(labels) {
            if self.settings().figures.iter().any(|figure| figure.value == *name) {
                let svg = self.figure(name, (column(at), &columns[at]), kernel, table.tr_s).svg();
                self.staged.write(&names.convolution_figure(&label)?, |file| file.write_all(svg.as_bytes()))?;
            }
        }
        Ok(())
    }

    /// Samples by which the output starts before the input.
    fn lead(&self, kernel: &SampledKernel) -> f64 {
        let length = kernel.weights().len();
        match self.settings().mode {
            ConvolveMode::Full => kernel.centre() as f64,
            ConvolveMode::Valid => kernel.centre() as f64 - (length - 1) as f64,
            ConvolveMode::Same => 0.0,
        }
    }

    fn table_sidecar(&self, kernel: &SampledKernel, step_s: f64) -> serde_json::Value {
        let start_s = 0.0 - self.lead(kernel) * step_s; // 0, not -0, where nothing leads
        self.sidecar(kernel, &[("SamplingFrequency", Some(step_s.recip())), ("StartTime", Some(start_s))])
    }

    /// What was done, and the `times` that there are.
    fn sidecar(&self, kernel: &SampledKernel, times: &[(&str, Option<f64>)]) -> serde_json::Value {
        let mut sidecar = serde_json::json!({
            "Description": "the input convolved with a kernel",
            "Model": *self.settings().name,
            "Units": "units of the input",
            "Kernel": self.settings().kernel,
            "KernelSamples": kernel.weights().len(),
            "Mode": self.settings().mode,
            "GeneratedBy": [crate::outputs::sidecar::Software::boldly()],
        });
        if self.settings().mode == ConvolveMode::Same {
            sidecar["Edge"] = serde_json::json!(self.settings().edge);
        }
        for (name, time) in times {
            if let Some(time) = time {
                sidecar[*name] = serde_json::json!(time);
            }
        }
        sidecar
    }

    /// Input, kernel and output above one time axis, each sample of the output under that of the input it belongs to.
    fn figure(
        &self,
        name: &str,
        (input, output): (Vec<f64>, &[f64]),
        kernel: &SampledKernel,
        step_s: f64,
    ) -> LineFigure {
        let line = |name: &str, start_s: f64, values: Vec<f64>, style, ink| Line {
            name: name.to_owned(),
            times: Times::Even { start_s, step_s },
            values,
            style,
            ink,
        };
        let panel = |label: &str, line| Panel { label: label.to_owned(), lines: vec![line], ..Panel::default() };
        let lead_s = self.lead(kernel) * step_s;
        let mode = format!("{:?}", self.settings().mode).to_lowercase();
        let described = format!("{mode}: {}", counted(output.len(), "sample"));
        let inputs = format!("input: {}", counted(input.len(), "sample"));
        let weights = format!("kernel: {}", counted(kernel.weights().len(), "sample"));
        let panels = vec![
            panel("input", line(&inputs, 0.0, input, LineStyle::Solid, Ink::Data)),
            panel(
                "kernel",
                line(
                    &weights,
                    -(kernel.centre() as f64) * step_s,
                    kernel.weights().to_vec(),
                    LineStyle::Dotted,
                    Ink::Palette(1),
                ),
            ),
            panel("output", line(&described, -lead_s, output.to_vec(), LineStyle::Solid, Ink::Palette(0))),
        ];
        let title = format!("{name} in {}: {}", display_name(&self.run.labels), *self.settings().name);
        LineFigure { title, panels, x_label: "time".to_owned(), x_units: XUnits::Seconds }
    }

    fn convolve_image(&self, header: &ImageHeader, kernel: &SampledKernel) -> Result<Vec<FileDigest>, Failure> {
        let (mut frames, _) = NiftiFrames::open(self.run.data_path())?;
        let grid = header.grid.clone();
        let support = Support::from_mask(grid.clone(), &vec![true; grid.n_voxels()]);
        let geometry = Geometry { raw: header.raw.clone(), grid: grid.clone() };
        let names = self.names()?;
        let path = names.convolved_image()?;
        let name = self.settings().name.value.clone();
        let description = ImageDescription {
            intent: Intent::None,
            intent_name: name.clone(),
            description: format!("boldly {}: convolved image of model {name}", env!("CARGO_PKG_VERSION")),
            compression_level: self.plan.settings.output.compression_level,
        };
        let tr_s = (self.run.tr_s > 0.0).then_some(self.run.tr_s);
        let axis = SeriesAxis { n_frames: frames.n_frames(), tr_s };
        let mut writer = FrameWriter::new(self.staged.create(&path)?, &geometry, &support, &description, axis)?;
        let mut frame = vec![0.0_f32; frames.n_values()];
        for index in 0..frames.n_frames() {
            self.cancel.check()?;
            frames.next_frame(&mut frame)?;
            if let Some(at) = frame.iter().position(|value| !value.is_finite()) {
                let message = format!("volume {} is not finite at {}", index + 1, support.describe(at));
                let problem = Diagnostic::error("convolve-not-finite", message).at(Place::file(self.run.data_path()));
                return Err(problem.hint("set such voxels to 0, or to what lies around them").into());
            }
            let values: Vec<f64> = frame.iter().map(|value| f64::from(*value)).collect();
            let volume = Array3::from_shape_vec(grid.shape.f(), values).unwrap_or_default(); // as many as the grid has
            let convolved = self.convolve_volume(&volume, kernel)?;
            let convolved: Vec<f64> = convolved.t().iter().copied().collect(); // axis 0 fastest
            writer.push(&convolved)?;
            if index == 0 {
                let png = slice_pair_png(&grid, &frame, &convolved)
                    .map_err(|problem| std::io::Error::other(problem.to_string()))?;
                self.staged.write(&names.convolved_picture()?, |file| file.write_all(&png))?;
            }
        }
        writer.finish()?.finish()?;
        let mut sidecar = self.sidecar(kernel, &[("RepetitionTime", tr_s)]);
        let image = serde_json::to_value(ImageFields::whole(&self.run.labels)).map_err(std::io::Error::from)?;
        if let (Some(sidecar), serde_json::Value::Object(image)) = (sidecar.as_object_mut(), image) {
            sidecar.extend(image);
        }
        self.staged.write_json(&path.sidecar(), &sidecar)?;
        Ok(frames.digests().unwrap_or_default().to_vec())
    }

    fn convolve_volume(&self, volume: &Array3<f64>, kernel: &SampledKernel) -> Result<Array3<f64>, Failure> {
        if let ConvolveKernel::Gaussian(sigma) = self.settings().kernel {
            // an axis of one voxel has nothing to be convolved with
            let sigma: Vec<f64> = volume.shape().iter().map(|&length| if length > 1 { sigma } else { 0.0 }).collect();
            return gaussian_filter(&volume.view(), &sigma, self.edge())
                .map_err(|error| self.problem(&error.to_string()));
        }
        let mut convolved = volume.clone();
        for axis in 0..3 {
            if volume.shape()[axis] > 1 {
                convolved = convolve_axis(&convolved.view(), axis, kernel, self.edge())
                    .map_err(|error| self.problem(&error.to_string()))?;
            }
        }
        Ok(convolved)
    }
}

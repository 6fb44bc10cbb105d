//! One run of a plan: its header, timing, events, and the design and contrasts of each model.

use super::plan::Plan;
use super::plan_deconvolution::RunDeconvolution;
use crate::config::{
    DesignSettings, EventFiles, Labels, Located, RunSettings, SeriesModel, Settings, TimeseriesSettings,
};
use crate::design::{ContrastMatrix, RunDesign};
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::{self, ConfoundTable, EventTable, ImageHeader, SeriesTable, Sidecar, Support, Timing};
use crate::outputs::design_sidecar::DesignSidecar;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A run whose header and tables are in order.
#[derive(Debug)]
pub struct RunPlan {
    /// Its labels.
    pub labels: Labels,
    /// Where its frames come from.
    pub source: RunSource,
    /// Repetition time, seconds; 0 where no one says it of an image that is convolved in space alone.
    pub tr_s: f64,
    /// Acquired frames.
    pub n_acquired: usize,
    /// Its events, policies applied.
    pub events: Option<EventTable>,
    /// Its own mask.
    pub mask: Option<Box<ImageHeader>>,
    /// Confounds of each model of series: the GLMs, then the deconvolutions.
    confounds: Vec<Option<ConfoundTable>>,
    /// Frame time within the repetition time, as a fraction of it, for each model.
    slice_time_refs: Vec<f64>,
    /// Design and contrasts of each GLM; filled once all runs are read.
    pub models: Vec<RunModel>,
    /// Kernel and nuisance of each deconvolution; filled with them.
    pub deconvolutions: Vec<RunDeconvolution>,
    /// Every file the run is made from.
    pub files: Vec<PathBuf>,
}

/// Where the frames of a run come from.
#[derive(Debug)]
pub enum RunSource {
    /// A 4-D image.
    Image(Box<ImageHeader>),
    /// A table of series.
    Table(Arc<SeriesTable>),
}

/// What one model makes of one run.
#[derive(Debug)]
pub struct RunModel {
    /// The design matrix.
    pub design: RunDesign,
    /// Each contrast in its columns, in the plan's order; `None`: this run does not enter it.
    pub contrasts: Vec<Option<ContrastMatrix>>,
}

/// The keys of `[[run]]` and `[[timeseries]]` that mean the same for both.
struct SharedKeys<'a> {
    labels: &'a Labels,
    events: Option<&'a EventFiles>,
    confounds: Option<&'a Located<PathBuf>>,
    mask: Option<Box<ImageHeader>>,
}

impl RunPlan {
    /// Whether a model leaves frames out.
    pub(super) fn is_censored(&self) -> bool {
        self.models.iter().any(|model| model.design.timing.n_kept() < model.design.matrix.nrows())
    }

    /// Lengths of gaps between kept frames, each counted once, of the model with the most.
    pub(super) fn distinct_gaps(&self) -> usize {
        let of_model = |model: &RunModel| {
            let mut lags = model.design.timing.lags();
            lags.retain(|&lag| lag > 1);
            lags.sort_unstable();
            lags.dedup();
            lags.len()
        };
        self.models.iter().map(of_model).max().unwrap_or(0)
    }

    /// Bytes that a value of a frame takes until it is used: as stored, at most an f32.
    pub(super) fn bytes_a_value(&self) -> usize {
        match &self.source {
            RunSource::Image(header) => header.datatype.size_bytes().min(4),
            RunSource::Table(_) => 4,
        }
    }

    /// Reads header, sidecar and tables of an image run. `known`: its sidecars, where the dataset says which they are.
    pub(super) fn of_image(
        settings: &Settings,
        run: &RunSettings,
        known: Option<&(Sidecar, Vec<PathBuf>)>,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        let mut problems = Diagnostics::new();
        let header = problems.collect(inputs::read_header(&run.bold).map_err(|found| found_from(found, &run.bold)));
        let sidecar = match known {
            Some((sidecar, _)) => Some((Some(sidecar.clone()), Diagnostics::new())),
            None => problems.collect(inputs::read_sidecar(&run.bold)),
        };
        let (Some((header, warnings)), Some((sidecar, sidecar_warnings))) = (header, sidecar) else {
            return Err(problems);
        };
        problems.extend(warnings);
        problems.extend(sidecar_warnings);
        let in_sidecar = sidecar.as_ref().is_some_and(|sidecar| sidecar.repetition_time_s.is_some());
        let unsaid = run.tr_s.is_none() && header.tr_s.is_none() && !in_sidecar;
        let tr = if unsaid && settings.series_models().next().is_none() {
            Some((0.0, Diagnostics::new()))
        } else {
            problems.collect(inputs::resolve_tr(run.tr_s.as_ref(), header.tr_s, sidecar.as_ref(), &run.bold))
        };
        let Some((tr_s, warnings)) = tr else { return Err(problems) };
        problems.extend(warnings);
        let mut mask = None;
        if let Some(path) = &run.mask {
            let read = inputs::read_header(path).map_err(|found| found_from(found, path));
            // its warnings come with its voxels
            mask = problems.collect(read).map(|(header, _)| Box::new(header));
        }
        let keys =
            SharedKeys { labels: &run.labels, events: run.events.as_ref(), confounds: run.confounds.as_ref(), mask };
        let start_s =
            sidecar.as_ref().and_then(|sidecar| sidecar.start_time_s.map(|start_s| (start_s, sidecar.path.as_path())));
        let n_acquired = header.n_frames;
        let mut files = image_files(&header).to_vec();
        match known {
            Some((_, paths)) => files.extend(paths.iter().cloned()),
            None => files.extend(sidecar.as_ref().map(|sidecar| sidecar.path.clone())),
        }
        Self::finish(settings, keys, RunSource::Image(Box::new(header)), (tr_s, n_acquired), start_s, files, problems)
    }

    /// Reads a table of series.
    pub(super) fn of_table(
        settings: &Settings,
        table: &TimeseriesSettings,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        let (series, warnings) = inputs::read_timeseries(table).map_err(|found| found_from(found, &table.table))?;
        let keys = SharedKeys {
            labels: &table.labels,
            events: table.events.as_ref(),
            confounds: table.confounds.as_ref(),
            mask: None,
        };
        let (tr_s, n_acquired) = (series.tr_s, series.n_frames);
        let files = vec![table.table.value.clone()];
        Self::finish(settings, keys, RunSource::Table(Arc::new(series)), (tr_s, n_acquired), None, files, warnings)
    }

    fn finish(
        settings: &Settings,
        keys: SharedKeys<'_>,
        source: RunSource,
        (tr_s, n_acquired): (f64, usize),
        start_s: Option<(f64, &Path)>,
        mut files: Vec<PathBuf>,
        mut problems: Diagnostics,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        let path = files[0].clone();
        let discarded = settings.preprocess.discard_volumes;
        if n_acquired <= discarded {
            problems.push(
                Diagnostic::error(
                    "run-too-short",
                    format!("the run has {}, {discarded} of them discarded", counted(n_acquired, "frame")),
                )
                .at(Place::file(&path))
                .hint("lower `[preprocess] discard_volumes`, or check that the file is the whole run"),
            );
            return Err(problems);
        }
        let mut events = None;
        if let Some(event_files) = keys.events {
            let wanted: Vec<&str> = modulator_columns(settings);
            let span_s = 0.0..n_acquired as f64 * tr_s;
            if let Some((table, warnings)) =
                problems.collect(inputs::read_events(event_files, &settings.events, &wanted, span_s))
            {
                problems.extend(warnings);
                events = Some(table);
            }
            files.extend(event_file_paths(event_files));
        }
        let (mut confounds, mut slice_time_refs) = (Vec::new(), Vec::new());
        for model in settings.series_models() {
            let mut table = None;
            if let Some(path) = keys.confounds
                && model.confounds.reads_a_table()
                && let Some((read, warnings)) =
                    problems.collect(inputs::read_confounds(path, model.confounds, n_acquired, discarded))
            {
                problems.extend(warnings);
                table = Some(read);
            }
            confounds.push(table);
            slice_time_refs.push(slice_time_ref(settings, model, tr_s, start_s, &mut problems));
        }
        files.extend(keys.confounds.iter().map(|path| path.value.clone()));
        files.extend(confounds.iter().flatten().filter_map(|table: &ConfoundTable| table.sidecar.clone()));
        files.extend(keys.mask.iter().flat_map(|mask| image_files(mask)));
        dedup_in_order(&mut files);
        let run = Self {
            labels: keys.labels.clone(),
            source,
            tr_s,
            n_acquired,
            events,
            mask: keys.mask,
            confounds,
            slice_time_refs,
            models: Vec::new(),
            deconvolutions: Vec::new(),
            files,
        };
        // models that read the same table find the same problems
        problems.said_once().finish(run)
    }

    /// Where the voxels lie; `None` for a table.
    pub(super) fn grid(&self) -> Option<&inputs::Grid> {
        match &self.source {
            RunSource::Image(header) => Some(&header.grid),
            RunSource::Table(_) => None,
        }
    }

    /// How messages call the run: `sub-01 ses-a task-objects run-01`.
    pub fn display_name(&self) -> String {
        display_name(&self.labels)
    }

    /// The file the frames come from.
    pub fn data_path(&self) -> &Path {
        &self.files[0]
    }

    /// What the columns of a table are; `None` for an image, whose voxels the mask chooses.
    pub fn table_support(&self) -> Option<Support> {
        match &self.source {
            RunSource::Image(_) => None,
            RunSource::Table(table) => Some(Support::Columns { names: table.names.clone() }),
        }
    }

    /// What is saved beside the design of the GLM with this index.
    pub(super) fn design_sidecar(&self, model: usize) -> DesignSidecar {
        let RunModel { design, contrasts } = &self.models[model];
        let contrasts = contrasts.iter().flatten();
        DesignSidecar::new(design, self.events.as_ref(), self.confounds[model].as_ref(), contrasts)
    }

    /// What is saved beside the nuisance of the deconvolution with this index.
    pub(super) fn nuisance_sidecar(&self, model: usize) -> DesignSidecar {
        let confounds = self.confounds[self.models.len() + model].as_ref();
        let nuisance = &self.deconvolutions[model].nuisance;
        DesignSidecar::new(nuisance, self.events.as_ref(), confounds, std::iter::empty())
    }

    /// Builds the design of the GLM with this index.
    pub(super) fn design(&self, plan: &Plan, model: usize) -> Result<(RunDesign, Diagnostics), Diagnostics> {
        let settings = &plan.settings.glms[model].design;
        self.design_of(plan, model, self.events.as_ref(), settings)
    }

    /// Builds the design of the model of series with this index, GLMs first.
    pub(super) fn design_of(
        &self,
        plan: &Plan,
        model: usize,
        events: Option<&EventTable>,
        design: &DesignSettings,
    ) -> Result<(RunDesign, Diagnostics), Diagnostics> {
        let settings = &plan.settings;
        let timing =
            Timing::new(self.tr_s, self.n_acquired, settings.preprocess.discard_volumes, self.slice_time_refs[model]);
        let (confounds, response) = (self.confounds[model].as_ref(), plan.shared.responses[model].as_ref());
        let name = self.display_name();
        crate::design::build_design(&name, timing, events, confounds, design, response, &settings.numerics)
    }
}

/// How messages call a run with these labels.
pub(super) fn display_name(labels: &Labels) -> String {
    let mut name = format!("sub-{}", labels.subject);
    for (key, label) in
        [("ses", &labels.session), ("task", &labels.task), ("run", &labels.run), ("space", &labels.space)]
    {
        if let Some(label) = label {
            let _ = write!(name, " {key}-{label}"); // a String takes all
        }
    }
    name
}

/// A model's frame time within the repetition time: the sidecar's `StartTime` where the profile heeds it.
fn slice_time_ref(
    settings: &Settings,
    model: SeriesModel<'_>,
    tr_s: f64,
    start_s: Option<(f64, &Path)>,
    problems: &mut Diagnostics,
) -> f64 {
    let stated = model.design.slice_time_ref;
    let Some((start_s, sidecar)) = start_s.filter(|_| settings.numerics.start_time_from_sidecar) else {
        return stated;
    };
    if !(0.0..=tr_s).contains(&start_s) {
        problems.push(
            Diagnostic::error(
                "start-time-outside",
                format!("StartTime is {start_s} s, outside the repetition time of {tr_s} s"),
            )
            .at(Place::field(sidecar, "StartTime"))
            .note("it says when within a repetition time the slices are taken to be measured")
            .hint("correct the sidecar, or state `slice_time_ref` and remove `StartTime`"),
        );
        return stated;
    }
    if model.design.slice_time_ref_stated && (stated * tr_s - start_s).abs() > 1e-3 {
        problems.push(
            Diagnostic::error(
                "start-time-disagrees",
                "the sidecar and `slice_time_ref` put the frames at different times",
            )
            .at(Place::field(sidecar, "StartTime"))
            .note(format!("sidecar: StartTime = {start_s} s"))
            .note(format!("pipeline: slice_time_ref = {stated}, which is {} s at a TR of {tr_s} s", stated * tr_s))
            .hint("remove `slice_time_ref` to follow the sidecar, or correct the one that is wrong"),
        );
    }
    start_s / tr_s
}

fn modulator_columns(settings: &Settings) -> Vec<&str> {
    let mut columns: Vec<&str> = settings
        .glms
        .iter()
        .flat_map(|glm| &glm.design.modulators)
        .map(|modulator| modulator.column.as_str())
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

fn event_file_paths(files: &EventFiles) -> Vec<PathBuf> {
    match files {
        EventFiles::Bids(path) => vec![path.value.clone()],
        EventFiles::Fsl(files) | EventFiles::Afni { files, .. } => {
            files.iter().map(|(_, path)| path.value.clone()).collect()
        }
    }
}

/// The files of an image: as named first, then those of a pair.
pub(super) fn image_files(header: &ImageHeader) -> [PathBuf; 3] {
    [&header.path, &header.header_path, &header.data_path].map(Clone::clone)
}

/// Adds to a missing file's diagnostic where the pipeline names it.
pub(super) fn found_from(found: Diagnostics, path: &Located<PathBuf>) -> Diagnostics {
    let Some(Place::Span { source, range }) = path.place() else { return found };
    let line = source.text[..range.start.min(source.text.len())].matches('\n').count() + 1;
    found.into_iter().map(|problem| problem.note(format!("named at {}:{line}", source.path.display()))).collect()
}

fn dedup_in_order(files: &mut Vec<PathBuf>) {
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|path| seen.insert(path.clone()));
}

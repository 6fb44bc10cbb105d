//! What a deconvolution writes of a run: 4-D images and maps of voxels, tables of columns and regions, pictures.

use super::designs::write_design;
use super::excluded::Excluded;
use super::failure::Failure;
use super::plan_deconvolution::RunDeconvolution;
use super::regions::RegionSet;
use super::run_job::RunJob;
use super::summary::DeconvolutionSummary;
use crate::config::{DeconvolutionMap, DeconvolutionSettings, Labels};
use crate::error::{Diagnostic, Diagnostics, counted};
use crate::inputs::Support;
use crate::model::deconvolve::{ColumnEstimates, RunActivity};
use crate::outputs::deconvolution_sidecar::{self, DeconvolutionSidecar};
use crate::outputs::image_sidecar::{ImageFields, MaskSidecar};
use crate::outputs::tables::{self, Column};
use crate::outputs::{
    FrameWriter, ImageDescription, Intent, OutputError, OutputNames, RelativePath, SeriesAxis, write_map, write_mask,
};
use crate::preprocess::{ColumnStore, Scaler, Series};

mod pictures;
mod ppi;

/// What was deconvolved, and what came of it.
pub(super) struct Deconvolved<'a> {
    pub(super) series: &'a Series,
    pub(super) scaler: &'a Scaler,
    pub(super) excluded: &'a Excluded,
    pub(super) activity: &'a RunActivity,
}

impl Deconvolved<'_> {
    /// The columns that were analysed and whose activity is 0 throughout: none makes the data likelier than any.
    pub(super) fn silent_columns(&self) -> Vec<usize> {
        let excluded = self.excluded.columns();
        let without = self.activity.columns.dof.iter().enumerate().filter(|(_, dof)| **dof == 0.0);
        without.map(|(column, _)| column).filter(|column| excluded.binary_search(column).is_err()).collect()
    }

    /// Says which columns of a table or regions have no activity; voxels without any are many, and counted in the summary.
    fn silence(&self, run: &str) -> Option<Diagnostic> {
        let Support::Columns { names } = &self.series.support else { return None };
        let silent: Vec<&str> = self.silent_columns().into_iter().map(|column| names[column].as_str()).collect();
        (!silent.is_empty()).then(|| {
            let message = format!(
                "the activity of {} of {} of {run} is 0 throughout",
                silent.len(),
                counted(names.len(), "column")
            );
            Diagnostic::warning("activity-zero", message)
                .note(format!("columns: {}", silent.join(", ")))
                .note("all that varies in them is taken for noise, drift or confounds")
                .hint("where that is not so, state the noise as { rho = … }, or try another `method`")
        })
    }
}

/// Writes what one deconvolution says of one run.
pub(super) struct DeconvolutionOutputs<'a> {
    run: &'a RunJob<'a>,
    settings: &'a DeconvolutionSettings,
    own: &'a RunDeconvolution,
    model: usize,
    labels: &'a Labels,
}

impl<'a> DeconvolutionOutputs<'a> {
    pub(super) fn new(run: &'a RunJob<'a>, model: usize) -> Self {
        let settings = &run.space.plan.settings.deconvolutions[model];
        // a run alone has the labels of its group
        let labels = if run.group.runs.len() == 1 { &run.group.labels } else { &run.run.labels };
        Self { run, settings, own: &run.run.deconvolutions[model], model, labels }
    }

    fn names(&self) -> Result<OutputNames, OutputError> {
        OutputNames::of_run(&self.settings.name, self.labels)
    }

    fn wants(&self, map: DeconvolutionMap) -> bool {
        self.settings.maps.contains(&map)
    }

    /// Seconds between activity samples.
    fn step_s(&self) -> f64 {
        self.run.run.tr_s / self.settings.upsample as f64
    }

    /// When the first frame, and with it the first activity sample, was measured: seconds on the clock of the events.
    fn start_s(&self) -> f64 {
        self.own.nuisance.timing.frame_times_s.first().copied().unwrap_or_default()
    }

    /// What was projected out, as table and figure, where there is more of it than a constant.
    pub(super) fn write_nuisance(&self) -> Result<(), Failure> {
        let nuisance = &self.own.nuisance;
        if nuisance.n_columns() < 2 {
            return Ok(());
        }
        write_design(self.run.space.staged, &self.names()?, nuisance, &self.run.run.nuisance_sidecar(self.model))
    }

    /// Everything that is wanted of the voxels or columns of a run, or (with `regions`) of a set of regions.
    pub(super) fn write(
        &self,
        deconvolved: &Deconvolved<'_>,
        regions: Option<&RegionSet>,
        warnings: &mut Diagnostics,
    ) -> Result<(), Failure> {
        let RunActivity { activity, n_before, fitted, standard_error, columns } = deconvolved.activity;
        // what is before the run is no result
        let series = [
            (DeconvolutionMap::Activity, Some(activity), *n_before),
            (DeconvolutionMap::Fitted, fitted.as_ref(), 0),
            (DeconvolutionMap::StandardError, standard_error.as_ref(), *n_before),
        ];
        let roi = regions.map(|set| set.name.as_str());
        match &deconvolved.series.support {
            Support::Columns { names } => {
                for (map, store, first) in series {
                    if let Some(store) = store.filter(|_| self.wants(map)) {
                        self.write_series_table(map, (store, first), names, roi)?;
                    }
                }
                self.write_columns_table(columns, &method_numbers(deconvolved), names, roi)?;
                self.write_ppis(deconvolved, names, roi)?;
            }
            support @ Support::Voxels { .. } => {
                // one after the other: each is compressed by all threads
                for (map, store, first) in series {
                    if let Some(store) = store.filter(|_| self.wants(map)) {
                        self.write_series_image(map, (store, first), support)?;
                    }
                }
                self.write_column_maps(columns, &method_numbers(deconvolved), support)?;
                self.write_mask(support)?;
            }
        }
        warnings.extend(deconvolved.silence(&self.run.run.display_name()).into_iter().collect());
        self.write_pictures(deconvolved, regions, warnings)?;
        if regions.is_none() {
            let summary = DeconvolutionSummary::new(self.run.run, self.own, self.settings, deconvolved);
            self.run.space.staged.write_json(&self.names()?.summary()?, &summary)?;
        }
        Ok(())
    }

    fn write_series_table(
        &self,
        map: DeconvolutionMap,
        (store, first): (&ColumnStore, usize),
        names: &[String],
        roi: Option<&str>,
    ) -> Result<(), Failure> {
        let path = self.names()?.deconvolved_table(map, roi)?;
        let row = |frame| Ok(store.frame(frame)?.into_iter().map(f64::from).collect());
        let rows: Vec<Vec<f64>> =
            (first..store.n_frames()).map(row).collect::<Result<_, crate::preprocess::PassError>>()?;
        self.run.space.staged.write(&path, |file| tables::write_series(file, names, rows))?;
        Ok(self.run.space.staged.write_json(&path.sidecar(), &self.sidecar(map))?)
    }

    /// A row a column: the estimates that are wanted.
    fn write_columns_table(
        &self,
        estimates: &ColumnEstimates,
        methods: &[f64],
        names: &[String],
        roi: Option<&str>,
    ) -> Result<(), Failure> {
        let values = column_values(estimates, methods);
        let constants = |which: usize| estimates.time_constants_s.iter().map(|pair| pair[which]).collect::<Vec<f64>>();
        let [rise_s, decay_s] = [constants(0), constants(1)];
        let wanted: Vec<_> = values.iter().filter(|(map, values)| self.wants(*map) && !values.is_empty()).collect();
        if wanted.is_empty() && decay_s.is_empty() {
            return Ok(());
        }
        let mut table = vec![("name", Column::Text(names))];
        table.extend(wanted.iter().map(|(map, values)| (deconvolution_sidecar::label(*map), Column::Numbers(values))));
        if !decay_s.is_empty() {
            table.extend([("tau_rise_s", Column::Numbers(&rise_s)), ("tau_decay_s", Column::Numbers(&decay_s))]);
        }
        let path = match roi {
            Some(roi) => self.names()?.roi_model_stats(roi)?,
            None => self.names()?.model_stats()?,
        };
        Ok(self.run.space.staged.write(&path, |file| tables::write_table(file, &table))?)
    }

    fn write_series_image(
        &self,
        map: DeconvolutionMap,
        (store, first): (&ColumnStore, usize),
        support: &Support,
    ) -> Result<(), Failure> {
        let Some(geometry) = self.run.geometry else { return Ok(()) };
        let path = self.names()?.deconvolved_image(map)?;
        let tr_s = if map == DeconvolutionMap::Fitted { self.run.run.tr_s } else { self.step_s() };
        let axis = SeriesAxis { n_frames: store.n_frames() - first, tr_s: Some(tr_s) };
        let file = self.run.space.staged.create(&path)?;
        let mut writer = FrameWriter::new(file, geometry, support, &self.description(map), axis)?;
        for frame in first..store.n_frames() {
            self.run.space.cancel.check()?;
            writer.push(&store.frame(frame)?)?;
        }
        writer.finish()?.finish()?;
        let image = ImageFields::masked(self.labels, &self.run.space.plan.settings.mask);
        Ok(self.run.space.staged.write_json(&path.sidecar(), &self.sidecar(map).of_image(image))?)
    }

    fn write_column_maps(
        &self,
        estimates: &ColumnEstimates,
        methods: &[f64],
        support: &Support,
    ) -> Result<(), Failure> {
        let Some(geometry) = self.run.geometry else { return Ok(()) };
        for (map, values) in column_values(estimates, methods) {
            if !self.wants(map) || values.is_empty() {
                continue;
            }
            let path = self.names()?.deconvolved_image(map)?;
            let file = self.run.space.staged.create(&path)?;
            write_map(file, geometry, support, &self.description(map), values)?.finish()?;
            self.run.space.staged.write_json(&path.sidecar(), &self.sidecar(map))?;
        }
        Ok(())
    }

    fn write_mask(&self, support: &Support) -> Result<(), Failure> {
        let Some(geometry) = self.run.geometry else { return Ok(()) };
        let settings = &self.run.space.plan.settings;
        let path: RelativePath = self.names()?.mask()?;
        let file = self.run.space.staged.create(&path)?;
        write_mask(file, geometry, support, settings.output.compression_level)?.finish()?;
        let sidecar = MaskSidecar::new(&self.settings.name, self.labels, &settings.mask);
        Ok(self.run.space.staged.write_json(&path.sidecar(), &sidecar)?)
    }

    fn sidecar(&self, map: DeconvolutionMap) -> DeconvolutionSidecar {
        DeconvolutionSidecar::new(
            map,
            self.settings,
            &self.run.space.plan.settings,
            &self.run.run.display_name(),
            &self.own.nuisance.timing,
        )
    }

    fn description(&self, map: DeconvolutionMap) -> ImageDescription {
        let label = deconvolution_sidecar::label(map);
        ImageDescription {
            intent: Intent::Estimate,
            description: format!("boldly {}: {label} of model {}", env!("CARGO_PKG_VERSION"), *self.settings.name),
            intent_name: label.to_owned(),
            compression_level: self.run.space.plan.settings.output.compression_level,
        }
    }
}

/// Methods as their map has them: 1, 2, ... in the order of the candidates, 0 in columns that were left out.
fn method_numbers(deconvolved: &Deconvolved<'_>) -> Vec<f64> {
    let estimates = &deconvolved.activity.columns;
    let mut numbers: Vec<f64> = estimates.method.iter().map(|method| f64::from(*method) + 1.0).collect();
    deconvolved.excluded.columns().into_iter().for_each(|column| numbers[column] = 0.0);
    numbers
}

/// Everything that has an entry a column.
fn column_values<'e>(estimates: &'e ColumnEstimates, methods: &'e [f64]) -> [(DeconvolutionMap, &'e [f64]); 6] {
    [
        (DeconvolutionMap::Lambda, &estimates.lambda),
        (DeconvolutionMap::Sigma, &estimates.sigma),
        (DeconvolutionMap::Rho, &estimates.rho),
        (DeconvolutionMap::Dof, &estimates.dof),
        (DeconvolutionMap::HeldOutR2, &estimates.held_out_r2),
        (DeconvolutionMap::Method, methods),
    ]
}
